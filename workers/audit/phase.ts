import type { PhaseCheck } from '../../schemas/distillation/audit.ts';
import type { RagSample } from '../../schemas/distillation/exports.ts';
import type { TaskReplayRun } from '../../schemas/distillation/replay-run.ts';
import type { ReplayRequest } from '../replay/replay.ts';

/** What a subprocess that runs tests said. */
export interface TestsOutcome {
  readonly passed: boolean;
  readonly summary: string;
}

/** What the audit looks at. It reads below `root` and writes nothing there. */
export interface AuditContext {
  /** The data directory. */
  readonly root: string;
  /** The folder of the checkout, or of the installed program: its documents are part of what is audited. */
  readonly projectRoot: string;
  /** Runs the tests of the schemas in a process of its own; undefined turns the phase off. */
  readonly runSchemaTests: (() => Promise<TestsOutcome>) | undefined;
  /** Gives an empty folder to a function and takes it away again. */
  readonly inScratchFolder: <Value>(work: (folder: string) => Promise<Value>) => Promise<Value>;
  /** Runs one task over the given playbooks without asking a model and without writing anything down. */
  readonly replayDry: (request: ReplayRequest, playbooks: () => AsyncIterable<RagSample>) => Promise<TaskReplayRun>;
}

export interface PhaseOutcome {
  readonly checks: readonly PhaseCheck[];
  readonly metrics?: Readonly<Record<string, number>>;
  /** Why the phase did not run. */
  readonly skipped?: string;
}

export interface CheckInput {
  readonly phase: number;
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly passed: boolean;
  readonly notes?: readonly string[];
}

export function required(check: CheckInput): PhaseCheck {
  return { ...check, notes: [...(check.notes ?? [])], required: true };
}

/** Worth knowing; it does not decide. */
export function informational(check: CheckInput): PhaseCheck {
  return { ...check, notes: [...(check.notes ?? [])], required: false };
}

export const notesMax = 5;

/** Rows of a file that a check refuses: how many, and the first few by their lines. */
export interface Faults {
  readonly count: number;
  readonly notes: readonly string[];
}

export function collectFaults(): { add(note: string): void; done(): Faults } {
  let count = 0;
  const notes: string[] = [];
  return {
    add: (note) => {
      count++;
      if (notes.length < notesMax) notes.push(note);
    },
    done: () => ({ count, notes }),
  };
}
