import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const rooms = ['schemas', 'streams', 'workers', 'gateway', 'scripts'] as const;

/** Which rooms a room may import from, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  streams: ['schemas'],
  workers: ['streams', 'schemas'],
  gateway: ['streams', 'schemas'],
  scripts: ['streams', 'schemas', 'workers', 'gateway'],
};

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, target = '']) => {
    const to = target.startsWith('.') ? relative(root, join(dirname(path), target)) : target;
    return { from: relative(root, path), to };
  });
}

const all = rooms.flatMap((room) => sources(join(root, room))).flatMap(importsOf);
const isTest = ({ from }: Import) => from.endsWith('.test.ts') || from.includes(`${sep}testing${sep}`);
const product = all.filter((one) => !isTest(one));
const roomOf = (path: string) => rooms.find((room) => path.startsWith(`${room}${sep}`));
const show = ({ from, to }: Import) => `${from} -> ${to}`;

describe('imports run one way', () => {
  it('finds the imports of every room', () => {
    for (const room of rooms) expect(product.some(({ from }) => roomOf(from) === room)).toBe(true);
  });

  it('between the rooms', () => {
    const wrong = product.filter(({ from, to }) => {
      const [source, target] = [roomOf(from), roomOf(to)];
      return source !== undefined && target !== undefined && source !== target && !mayImport[source]?.includes(target);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('schemas/ imports zod and nothing else', () => {
    const wrong = product.filter(
      ({ from, to }) => roomOf(from) === 'schemas' && roomOf(to) !== 'schemas' && to !== 'zod',
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('streams/ alone imports nats', () => {
    const wrong = all.filter(({ from, to }) => /^(nats|@nats-io\/)/.test(to) && roomOf(from) !== 'streams');
    expect(wrong.map(show)).toEqual([]);
  });

  it('no worker imports another: they meet on the log, and share pure cores', () => {
    const folderOf = (path: string) => path.split(sep).slice(0, 2).join(sep);
    const hasWorker = (folder: string) => readdirSync(join(root, folder)).includes('worker.ts');
    const wrong = product.filter(({ from, to }) => {
      if (roomOf(from) !== 'workers' || roomOf(to) !== 'workers') return false;
      return folderOf(from) !== folderOf(to) && hasWorker(folderOf(to));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('OpenTelemetry is loaded by one file, and that one only where an exporter is configured', () => {
    const loader = join('streams', 'telemetry', 'open-telemetry.ts');
    const importers = product.filter(({ to }) => to.startsWith('@opentelemetry/')).map(({ from }) => from);
    expect([...new Set(importers)]).toEqual([loader]);
    const loading = product.filter(({ to }) => to === loader).map(({ from }) => readFileSync(join(root, from), 'utf8'));
    expect(loading).toHaveLength(1);
    expect(loading[0]).toContain("await import('./open-telemetry.ts')");
    expect(loading[0]).not.toContain("from './open-telemetry.ts'");
  });
});
