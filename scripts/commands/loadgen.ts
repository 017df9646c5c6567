import { numberFlag, numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { gatewayArguments, gatewayUrlOf } from '../command/gateway.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadLimits } from '../loadgen/limits.ts';
import { type LoadReport, printReport, reportJson } from '../loadgen/report.ts';
import { parseTarget } from '../loadgen/requests.ts';
import { type LoadOptions, runLoad } from '../loadgen/run.ts';
import { createProgress } from '../progress.ts';
import { demandCountMax, loadBodies, loadBody, needQueries } from '../staffing/demand.ts';

const searchPath = '/v1/matrix/search';

export default command({
  summary: 'Sends searches in rotation and reports rate and latencies.',
  examples: [
    'loadgen --concurrency 10 --duration 30',
    'loadgen --bodies 200 --concurrency 50 --duration 60 --json',
    'loadgen --rate 500 --concurrency 100 --duration 30',
  ],
  args: {
    url: { type: 'string', description: `Where requests go (${searchPath} of the gateway); plain HTTP.` },
    concurrency: { type: 'string', default: '10', description: 'Connections, each with one request at a time.' },
    duration: { type: 'string', description: 'Seconds after which the run ends (10, unless --requests is given).' },
    requests: { type: 'string', description: 'Requests after which the run ends.' },
    rate: { type: 'string', description: 'Open loop: so many requests a second, whether or not answers came.' },
    bodies: {
      type: 'string',
      default: String(loadBodies.length),
      description: `Different searches, sent in turn: ${loadBodies.length} are the usual ones, other numbers are made from a seed.`,
    },
    label: { type: 'string', default: 'direct', description: 'Names the run in its table.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const bodiesCount = numberOf('bodies', args.bodies, { min: 1, max: demandCountMax });
    const url = args.url ?? `${await gatewayUrlOf(args, process.env)}${searchPath}`;
    const durationMs = durationMsOf(args.duration, args.requests);
    const requests = numberFlag('requests', args.requests, { min: 1, max: 1e9 });
    const rate = numberFlag('rate', args.rate, { min: 0.01, max: 1e6, whole: false });
    checkTarget(url);
    const progress = createProgress({
      label: 'requests',
      ...(requests === undefined ? {} : { total: requests }),
      stream: output.progress,
      now: () => performance.now(),
    });
    const report = await runLoad({
      url,
      bodies: bodiesOf(bodiesCount),
      headers: authorization(),
      concurrency: numberOf('concurrency', args.concurrency, { min: 1, max: loadLimits.concurrencyMax }),
      ...extentOf(durationMs, requests, rate),
      signal: interruption(),
      onProgress: progress.update,
    });
    progress.finish(report.requests);
    if (output.json) output.answer(JSON.parse(reportJson(report)) as object, '');
    else printReport(args.label, report, process);
    return verdict(report);
  },
});

function durationMsOf(duration: string | undefined, requests: string | undefined): number | undefined {
  const seconds = duration ?? (requests === undefined ? '10' : undefined);
  const value = numberFlag('duration', seconds, { min: 0.1, max: 86_400, whole: false });
  return value === undefined ? undefined : value * 1_000;
}

function extentOf(
  durationMs: number | undefined,
  requests: number | undefined,
  rate: number | undefined,
): Pick<LoadOptions, 'durationMs' | 'requests' | 'rate'> {
  return {
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(requests === undefined ? {} : { requests }),
    ...(rate === undefined ? {} : { rate }),
  };
}

function checkTarget(url: string): void {
  try {
    parseTarget(url);
  } catch (error) {
    const happened = error instanceof Error ? error.message : String(error);
    throw new CommandError(exitCodes.usage, { happened, means: 'Nothing was sent.', remedy: 'Give --url http://...' });
  }
}

function bodiesOf(count: number): Buffer[] {
  const bodies = count === loadBodies.length ? loadBodies : needQueries({ count, seed: 1 }).map(loadBody);
  return bodies.map((body) => Buffer.from(JSON.stringify(body), 'utf8'));
}

function authorization(): Record<string, string> {
  const token = process.env.LAKEHOUSE_TOKEN;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The first Ctrl-C ends the run and shows its report; a second one ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

/** Done when every answer was a success; a server that was away is unreachable. */
function verdict(report: LoadReport) {
  if (report.requests > 0 && report.transportErrors === report.requests) return exitCodes.unreachable;
  return report.ok === report.requests && report.unsent === 0 ? exitCodes.done : exitCodes.failed;
}
