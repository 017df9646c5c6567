import type { Surroundings } from '../bench/surroundings.ts';
import { textTable } from '../command/table.ts';

export interface StepOutcome {
  readonly name: string;
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly seen: Readonly<Record<string, string | number | boolean>>;
  readonly error?: string;
}

/** What happened when the compose file was really brought up. */
export interface ComposeReport {
  readonly schema: 'lakehouse.compose.v1';
  readonly recorded_at: string;
  readonly surroundings: Omit<Surroundings, 'versions'> & {
    readonly versions: Omit<Surroundings['versions'], 'nats_server'>;
  };
  readonly engine: Readonly<Record<'docker' | 'compose' | 'node' | 'nats_server', string>>;
  /** Whether images stood in for the published ones. */
  readonly stand_in: boolean;
  readonly images: readonly { readonly name: string; readonly id: string }[];
  readonly steps: readonly StepOutcome[];
}

const standInNote = [
  'The images were stand-ins with the names of the published ones, made on the machine: Debian bookworm with the',
  "published Node.js of the version that the Dockerfile names, and a nats-server of Debian's. **Not proved**, therefore:",
  'that the published images of Node.js, nats-server, SeaweedFS and Ollama can be had under these names, and that they',
  'work with these settings (user 10001, a read-only file system, no capabilities). In place of SeaweedFS answered as much',
  'of S3 as snapshots need, without looking at signatures; in place of Ollama its interface, with the vectors of the',
  'embedded all-MiniLM-L6-v2 as the model `all-minilm`. nomic-embed-text was not run, and no model was fetched.',
  'Proved: the Dockerfile (packages compiled and installed in it), the order and health of the services, users, volumes,',
  'networks, ports, secrets and permissions, and every step below.',
];

/** The report for people, in Markdown. */
export function reportText({ surroundings, engine, images, steps, stand_in, recorded_at }: ComposeReport): string {
  const { commit, dirty, command, machine } = surroundings;
  const rows = steps.map(({ name, duration_ms, seen }) => [
    name,
    `${(duration_ms / 1_000).toFixed(1)} s`,
    Object.entries(seen)
      .map(([what, value]) => `${what} ${value}`)
      .join(', '),
  ]);
  const columns = [{ title: 'step' }, { title: 'took', right: true }, { title: 'seen' }];
  return [
    '# Containers, brought up',
    '',
    `Recorded ${recorded_at} at commit ${commit}${dirty ? ' with changes' : ''} by \`${command}\`.`,
    '',
    `Engine ${engine.docker}, compose ${engine.compose}, Node.js ${engine.node}, ${engine.nats_server}; ${machine.cores} cores.`,
    '',
    ...(stand_in ? [...standInNote, ''] : []),
    '```text',
    textTable(columns, rows),
    '',
    textTable(
      [{ title: 'image' }, { title: 'id' }],
      images.map(({ name, id }) => [name, id.slice(0, 19)]),
    ),
    '```',
    '',
  ].join('\n');
}
