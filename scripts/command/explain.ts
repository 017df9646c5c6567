import { GatewayError, GatewayUnreachableError } from '../../gateway/client/errors.ts';
import type { ProblemCode } from '../../schemas/problems.ts';
import { BackupError } from '../../streams/backup/manifest.ts';
import { ObjectStoreError, type ObjectStoreFault } from '../../streams/object-store.ts';
import { DigestTableFullError } from '../../workers/distillation/files/digest-table.ts';
import { JsonLineError } from '../../workers/distillation/files/json-lines.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { CommandError, type Failure } from './errors.ts';

/** How an error is told to a person, with the exit code, and what a program wants to know beside it. */
export interface Explained {
  readonly exitCode: ExitCode;
  readonly failure: Failure;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Puts any error that a command ends with into words. An error that nobody foresaw keeps its message. */
export function explain(error: unknown): Explained {
  if (error instanceof CommandError) return { exitCode: error.exitCode, failure: error.failure, extra: {} };
  if (error instanceof GatewayError) return explainProblem(error);
  if (error instanceof BackupError) return { exitCode: exitCodes.failed, failure: backupFailure(error), extra: {} };
  if (error instanceof ObjectStoreError) return explainObjectStore(error);
  if (error instanceof GatewayUnreachableError) return explainUnreachable(error);
  if (error instanceof JsonLineError || error instanceof DigestTableFullError)
    return { exitCode: exitCodes.failed, failure: distillationFailure(error), extra: {} };
  return {
    exitCode: exitCodes.failed,
    failure: {
      happened: error instanceof Error ? error.message : String(error),
      means: 'This was not foreseen; how far the command came is not known.',
      remedy: 'Look into the log files below the data directory (logs/), and try again.',
    },
    extra: {},
  };
}

function distillationFailure(error: JsonLineError | DigestTableFullError): Failure {
  const means = 'The stage stopped there; what it had written is whole, and is not written again when it is repeated.';
  if (error instanceof DigestTableFullError)
    return { happened: error.message, means, remedy: 'Distil into more than one data directory, or raise the limit.' };
  return {
    happened: error.message,
    means: `Distillation writes that file, and somebody else changed it. ${means}`,
    remedy: 'Put the line right or take it out, or move the file away: what it is made of is in EVIDENCE.',
  };
}

function backupFailure(error: BackupError): Failure {
  return {
    happened: error.message,
    means: 'What was written or restored before is whole, and is not written again when this is repeated.',
    remedy: 'Do what the message says, and try again.',
  };
}

const storeExitCodes: Readonly<Record<ObjectStoreFault, ExitCode>> = {
  unavailable: exitCodes.unreachable,
  changed: exitCodes.failed,
  full: exitCodes.failed,
  denied: exitCodes.usage,
  no_bucket: exitCodes.usage,
};

function explainObjectStore(error: ObjectStoreError): Explained {
  const exitCode = storeExitCodes[error.fault];
  const failure = {
    happened: error.message,
    means: 'Snapshots and backups lie there. What was written before is whole; what was being written is not there.',
    remedy: 'See LAKEHOUSE_OBJECT_STORE and the S3_* and AWS_* variables, mend what is named, and try again.',
  };
  return { exitCode, failure, extra: {} };
}

interface Remedy {
  readonly exitCode: ExitCode;
  readonly means: string;
  readonly remedy: string;
}

const badRequest: Remedy = {
  exitCode: exitCodes.usage,
  means: 'The gateway read the request and refused it; nothing was changed.',
  remedy: 'Change what the message names, and try again.',
};
const away: Remedy = {
  exitCode: exitCodes.unreachable,
  means: 'A process that this needs is not running, still starting, or has more work than it takes.',
  remedy: 'See "lakehouse status"; try again in a moment.',
};
const broken: Remedy = {
  exitCode: exitCodes.failed,
  means: 'A part of the system failed while it worked on this.',
  remedy: 'See "lakehouse status" and the log files below the data directory (logs/).',
};

const remedies: Readonly<Partial<Record<ProblemCode, Remedy>>> = {
  unauthorized: {
    exitCode: exitCodes.usage,
    means: 'The gateway was started with a token, and this request brought none or another.',
    remedy: 'Set LAKEHOUSE_TOKEN to the token that the gateway was started with.',
  },
  not_found: {
    exitCode: exitCodes.absent,
    means: 'What was asked for is not there.',
    remedy: 'Check the name; "lakehouse status" shows corpora and side indexes.',
  },
  corpus_not_found: {
    exitCode: exitCodes.absent,
    means: 'A corpus comes into being with its first document; no partial answer is given where one is missing.',
    remedy: 'Check the name, or make it: "lakehouse seed" or "lakehouse ingest FILE --corpus NAME".',
  },
  store_full: {
    exitCode: exitCodes.failed,
    means: 'A stream has reached its byte limit, and the log never throws away what it keeps.',
    remedy: 'Raise LAKEHOUSE_STREAM_BYTES_<STREAM> ("lakehouse status" shows which), then run "lakehouse provision".',
  },
  unavailable: away,
  overloaded: away,
  rate_limited: away,
  deadline_passed: away,
};

function explainProblem(error: GatewayError): Explained {
  const { problem } = error;
  const remedy = remedies[problem.code] ?? (problem.status < 500 ? badRequest : broken);
  return {
    exitCode: remedy.exitCode,
    failure: { happened: problem.detail, means: remedy.means, remedy: remedy.remedy },
    extra: { problem },
  };
}

function explainUnreachable(error: GatewayUnreachableError): Explained {
  const { means, remedy } = {
    refused: {
      means: 'No gateway runs there.',
      remedy: 'Start everything with "npm run up", or name the gateway with --gateway URL.',
    },
    deadline: { means: 'Something listens there, but is too busy or hangs.', remedy: 'See "lakehouse status".' },
    broken: {
      means: 'The request may or may not have been worked on.',
      remedy: 'See "lakehouse status", then try again.',
    },
    'not-a-gateway': {
      means: 'Another program listens there, or a gateway of another version.',
      remedy: 'Name the gateway with --gateway URL.',
    },
  }[error.reason];
  return {
    exitCode: exitCodes.unreachable,
    failure: { happened: error.message, means, remedy },
    extra: { gateway: error.url },
  };
}
