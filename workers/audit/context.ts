import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../replay/replay.ts';
import { retrieveByWords } from '../replay/retrieve.ts';
import type { AuditContext, TestsOutcome } from './phase.ts';

const outputCharactersMax = 200_000;

/**
 * An audit of a data directory by a program.
 * @param projectRoot the folder of the program's checkout
 * @param schemaTests a command line that is run there; empty: the phase is skipped
 */
export function auditContextOf(root: string, projectRoot: string, schemaTests: string): AuditContext {
  return {
    root,
    projectRoot,
    runSchemaTests: schemaTests.trim() === '' ? undefined : () => runTests(schemaTests, projectRoot),
    inScratchFolder: async (work) => {
      const folder = await mkdtemp(join(tmpdir(), 'lakehouse-audit-'));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    replayDry: (request, playbooks) =>
      replay(
        { ...request, dryRun: true },
        { local: 'local', escalation: 'escalation' },
        {
          retriever: 'jaccard',
          retrieve: (task) => retrieveByWords(task, playbooks()),
          chat: () => Promise.reject(new Error('a dry run asks no model')),
          monotonicMs: () => performance.now(),
          recordedAt: new Date().toISOString(),
        },
      ),
  };
}

function runTests(commandLine: string, cwd: string): Promise<TestsOutcome> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', commandLine], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = `${output}${chunk.toString('utf8')}`.slice(-outputCharactersMax);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ passed: false, summary: `could not be run: ${error.message}` }));
    child.on('close', (code) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what test runners colour their lines with
      const plain = output.replace(/\u001b\[[0-9;]*m/g, '');
      const line = /^\s*Tests\s+(.*)$/m.exec(plain)?.[1]?.trim();
      resolve({ passed: code === 0, summary: line ?? `exit code ${code}` });
    });
  });
}
