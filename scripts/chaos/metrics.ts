const askMs = 5_000;

/** The sum of a metric's samples with these labels, as a process tells them at `/metrics`; 0 where it tells none. */
export async function readCounter(
  url: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(askMs) });
  if (!response.ok) throw new Error(`${url}/metrics answered ${response.status}`);
  let sum = 0;
  for (const line of (await response.text()).split('\n')) {
    if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
    if (!Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`))) continue;
    sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
