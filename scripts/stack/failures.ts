import { readFileSync } from 'node:fs';
import type { ServerError, ServerErrorCode } from '../../streams/server/errors.ts';
import { CommandError } from '../command/errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { processLogFile } from '../supervise/supervisor.ts';

const logTailLines = 15;

/** A second `up` on a data directory: exit code 4. */
export function alreadyRunning(dataDirectory: string, pid: number): CommandError {
  return new CommandError(exitCodes.unreachable, {
    happened: `it runs already on the data directory "${dataDirectory}" (pid ${pid})`,
    means: 'Two of them would work on the same streams and files; nothing was started.',
    remedy: 'Use the one that runs ("lakehouse status"), stop it ("lakehouse stop"), or give another --data-dir.',
  });
}

/** Certificates for what is all on one machine: exit code 2. Leaving them out without a word would be worse. */
export function noCertificates(): CommandError {
  return new CommandError(exitCodes.usage, {
    happened: 'LAKEHOUSE_TLS_... or LAKEHOUSE_NATS_..._FILE is set, and "up" runs everything on loopback without TLS',
    means: 'Nothing was started.',
    remedy:
      'Unset them, and put what ends TLS before the gateway; or start the processes one by one (docker-compose.yml does).',
  });
}

/** The stack did not become ready: which process, and the end of its log. */
export function notUp(dataDirectory: string, failed: string | undefined, waitedFor: readonly string[]): CommandError {
  if (failed === undefined && waitedFor.length === 0)
    return new CommandError(exitCodes.failed, {
      happened: 'it was told to stop while it started',
      means: 'Everything was stopped again.',
      remedy: 'Start it again with "npm run up".',
    });
  const name = failed ?? waitedFor[0] ?? '';
  const logFile = processLogFile(dataDirectory, name);
  return new CommandError(exitCodes.failed, {
    happened:
      failed === undefined
        ? `it was stopped before ${waitedFor.join(', ')} became ready`
        : `${name} ended again and again before it was ready; its log ends:\n${logTail(logFile)}`,
    means: 'Everything was stopped again. What is in the log and the data directory stays as it was.',
    remedy: `See ${logFile}, and start it again with "npm run up".`,
  });
}

function logTail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  } catch {
    return '(there is no log)';
  }
}

const serverExitCodes: Readonly<Record<ServerErrorCode, ExitCode>> = {
  'server-not-found': exitCodes.absent,
  'install-failed': exitCodes.absent,
  'server-unusable': exitCodes.usage,
  'unsupported-setting': exitCodes.usage,
  'credentials-unreadable': exitCodes.usage,
  'port-taken': exitCodes.unreachable,
  'start-failed': exitCodes.failed,
};

/** What went wrong around nats-server. Its message tells what happened and what to do. */
export function serverFailure(error: ServerError): CommandError {
  return new CommandError(
    serverExitCodes[error.code],
    {
      happened: error.message,
      means: 'Nothing was started.',
      remedy: 'Do what the message says, and start it again with "npm run up".',
    },
    { cause: error },
  );
}
