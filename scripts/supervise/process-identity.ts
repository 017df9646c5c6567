import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process started, in a form to compare: process ids are used again, so an id alone does not tell whether it is
 * still the same process. `undefined`: there is no such process (one that has ended but was not waited for counts as
 * ended).
 */
export function processStartTime(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

/** Whether the process with this id is the one that started then. */
export function isSameProcess(known: { readonly pid: number; readonly startTime: string }): boolean {
  return processStartTime(known.pid) === known.startTime;
}

/**
 * Sends a signal; false when there is nobody to get it.
 *
 * @throws Error when the process is another user's.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ESRCH') return false;
    if (code !== 'EPERM') throw error;
    throw new Error(
      `Process ${pid} belongs to another user, so it cannot be stopped from here. Stop it as that user, or as root.`,
      { cause: error },
    );
  }
}

/** Ends what is left of the process group that `leader` led. Only right after its end: later the id may be another's. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left. EPERM: macOS says so of a group of ended processes.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Start time in clock ticks since boot (field 22 of proc_pid_stat(5)), with the boot, as ticks begin anew. */
function startTimeFromProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = parseProcStat(stat);
  if (fields === undefined || fields.state === 'Z' || fields.state === 'X') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return `${boot}:${fields.startTicks}`;
}

/** State (field 3) and start (field 22) of a line of `/proc/<pid>/stat`; the name before may hold spaces and brackets. */
export function parseProcStat(stat: string): { readonly state: string; readonly startTicks: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined || state === '' ? undefined : { state, startTicks };
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...startTime] = line.split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : startTime.join(' ');
  } catch {
    return undefined;
  }
}
