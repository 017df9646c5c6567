import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const outputBytesMax = 64 * 1024 * 1024;

/** Docker and one compose project, as commands. Each resolves to what was written on stdout, and throws with stderr. */
export interface Docker {
  readonly docker: (...parameters: string[]) => Promise<string>;
  readonly compose: (...parameters: string[]) => Promise<string>;
}

export interface DockerOptions {
  readonly project: string;
  readonly directory: string;
  readonly files: readonly string[];
  readonly environmentFile: string;
  /** Laid over the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

export function createDocker({ project, directory, files, environmentFile, environment }: DockerOptions): Docker {
  const options = { cwd: directory, env: { ...process.env, ...environment }, maxBuffer: outputBytesMax };
  const docker = async (...parameters: string[]) => {
    try {
      return (await execute('docker', parameters, options)).stdout.trim();
    } catch (error) {
      const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
      throw new Error(`docker ${parameters.join(' ')} failed:\n${stderr.trim()}\n${stdout.trim()}`, { cause: error });
    }
  };
  const named = files.flatMap((file) => ['--file', file]);
  const fixed = ['compose', '--project-name', project, '--env-file', environmentFile, ...named];
  return { docker, compose: (...parameters) => docker(...fixed, ...parameters) };
}
