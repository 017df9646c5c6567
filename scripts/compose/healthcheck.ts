/** What a container's health check runs: exit code 0 where the process at the address says that it is ready. */
const url = process.argv[2] ?? '';
const waitMs = 3_000;

const ready = await fetch(url, { signal: AbortSignal.timeout(waitMs) }).then(
  async (response) => {
    if (!response.ok) process.stderr.write(`${await response.text()}\n`);
    return response.ok;
  },
  (error: unknown) => {
    process.stderr.write(`${url}: ${error instanceof Error ? error.message : error}\n`);
    return false;
  },
);
process.exitCode = ready ? 0 : 1;
