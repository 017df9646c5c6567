import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseNodes, nodesOf, refuseRacing } from './nodes.ts';

const directory = mkdtempSync(join(tmpdir(), 'lakehouse-nodes-'));
const keep = (...names: readonly string[]) => {
  for (const name of names) mkdirSync(join(directory, name, 'store'), { recursive: true });
};

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the nodes of a data directory', () => {
  it('are one where nothing is kept yet and nothing is asked for', () => {
    expect(nodesOf(directory)).toBeUndefined();
    expect(chooseNodes(directory, undefined)).toBe(1);
    expect(chooseNodes(directory, 3)).toBe(3);
  });

  it.each([
    [1, ['nats']],
    [3, ['nats-1', 'nats-2', 'nats-3']],
  ])('stay %i', (nodes, names) => {
    keep(...names);
    expect(chooseNodes(directory, undefined)).toBe(nodes);
    expect(chooseNodes(directory, nodes)).toBe(nodes);
  });

  it('are never another number: the streams would seem to be empty', () => {
    keep('nats');
    expect(() => chooseNodes(directory, 3)).toThrow('kept by 1 node, and --nodes says 3');
    rmSync(join(directory, 'nats'), { recursive: true });
    keep('nats-1', 'nats-2', 'nats-3');
    expect(() => chooseNodes(directory, 1)).toThrow('kept by 3 nodes, and --nodes says 1');
  });
});

describe('several ingest workers', () => {
  const old = { major: 2, minor: 9, patch: 10 };
  const current = { major: 2, minor: 10, patch: 27 };

  it('are refused on several nodes of a server that would take two changes for one', () => {
    expect(() => refuseRacing(3, 2, old)).toThrow('can not keep 2 ingest workers apart on 3 nodes');
  });

  it('are fine on one node, alone, or on a newer server', () => {
    expect(() => refuseRacing(1, 4, old)).not.toThrow();
    expect(() => refuseRacing(3, 1, old)).not.toThrow();
    expect(() => refuseRacing(3, 4, current)).not.toThrow();
  });
});
