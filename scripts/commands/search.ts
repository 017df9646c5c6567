import type { SearchInput } from '../../gateway/client/client.ts';
import type { SearchReply } from '../../schemas/requests/matrix.ts';
import { searchDefaults, searchLimits } from '../../schemas/requests/matrix.ts';
import { numberFlag, numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { usageError } from '../command/errors.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { textTable } from '../command/table.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Finds documents by meaning.',
  examples: [
    'search "Need 3 Forklift Operators in Aurora IL"',
    'search "night shift packer" --corpus workers --k 5 --filter \'{"state":["IL","IN"]}\'',
    'search "Need 3 Forklift Operators in Aurora IL" --playbook --role "Forklift Operator" --json',
  ],
  args: {
    text: { type: 'positional', required: true, description: 'What is looked for, in plain words.' },
    corpus: { type: 'string', default: 'workers', description: 'A corpus to search; may be repeated.' },
    k: { type: 'string', default: String(searchDefaults.k), description: 'How many results to show.' },
    'per-corpus-k': { type: 'string', description: 'How many to fetch from each corpus before playbooks and cut (k).' },
    role: { type: 'string', description: 'The role that is asked for: playbooks of other roles are left out.' },
    playbook: { type: 'boolean', description: 'Let what people chose before lift its answers.' },
    'playbook-max-distance': {
      type: 'string',
      description: `How far a recorded query may be from this one (${searchDefaults.playbookMaxDistance}).`,
    },
    index: { type: 'string', valueHint: 'SIDE', description: 'Ask a side index that "rebuild --name SIDE" made.' },
    retrieval: {
      type: 'enum',
      options: ['vector', 'lexical', 'hybrid'],
      description: 'Find by meaning, by words (BM25), or by both.',
    },
    explain: { type: 'boolean', description: 'Tell why each result stands where it does, and what playbooks did.' },
    filter: { type: 'string', valueHint: 'JSON', description: 'Metadata that results must have; a list means any of.' },
    ...gatewayArguments,
  },
  async run({ args, every, output }) {
    const corpora = every('corpus');
    const request: SearchInput = {
      query_text: args.text,
      corpora: corpora.length === 0 ? [args.corpus] : corpora,
      k: numberOf('k', args.k, { min: 1, max: searchLimits.kMax }),
      ...given(
        'per_corpus_k',
        numberFlag('per-corpus-k', args['per-corpus-k'], { min: 1, max: searchLimits.perCorpusKMax }),
      ),
      ...given('query_role', args.role),
      ...given('use_playbook', args.playbook),
      ...given(
        'playbook_max_distance',
        numberFlag('playbook-max-distance', args['playbook-max-distance'], { min: 0, max: 4, whole: false }),
      ),
      ...given('index', args.index),
      ...given('retrieval', args.retrieval),
      ...given('explain', args.explain),
      ...given('metadata_filter', readFilter(args.filter)),
    };
    const client = await openGateway(args);
    const reply = await client.search(request);
    output.answer(reply, searchText(reply));
    return exitCodes.done;
  },
});

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]: Value });
}

function readFilter(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below, together with JSON that is no object.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw usageError('--filter is not a JSON object', `Write it as --filter '{"state":["IL","IN"]}'.`);
}

/** The results as a table, and under it what playbooks and filter did. */
export function searchText(reply: SearchReply): string {
  return [resultTable(reply), ...explanationLines(reply), searchFooter(reply)].join('\n');
}

/** A line for each result that a playbook or a word moved, and for each playbook that did nothing. */
function explanationLines({ results, explain }: SearchReply): string[] {
  if (explain === undefined) return [];
  const moved = results.flatMap(({ id, explain: why }, at) => {
    if (why === undefined || (why.playbooks.length === 0 && why.lexical_score === undefined)) return [];
    const by = why.playbooks.map(({ playbook_id }) => ` ${playbook_id}`).join('');
    const lifted = by === '' ? '' : `, ${why.origin} x ${why.factor} by${by}`;
    const words =
      why.lexical_score === undefined
        ? ''
        : `, places by vector ${why.vector_rank ?? '-'} and by words ${why.lexical_rank ?? '-'}`;
    return [`  ${at + 1} ${id}: distance ${why.base_distance.toFixed(4)}${words}${lifted}`];
  });
  const held = explain.playbooks_suppressed.map(
    ({ playbook_id, answer_id, gate }) => `  ${playbook_id} for ${answer_id}: held by ${gate}`,
  );
  return [...moved, ...held];
}

/** Rank, distance and id, with what the metadata of staffing documents says. */
export function resultTable(reply: Pick<SearchReply, 'results'>): string {
  const columns = [
    { title: '#', right: true },
    { title: 'distance', right: true },
    { title: 'id' },
    { title: 'name' },
    { title: 'role' },
    { title: 'place' },
    { title: 'corpus' },
  ];
  const rows = reply.results.map(({ id, distance, corpus, metadata = {} }, at) => {
    const place = [metadata.city, metadata.state].filter((part) => typeof part === 'string').join(' ');
    return [String(at + 1), distance.toFixed(4), id, textOf(metadata.name), textOf(metadata.role), place, corpus];
  });
  return rows.length === 0 ? 'Nothing was found.' : textTable(columns, rows);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function searchFooter(reply: SearchReply): string {
  const dropped = reply.metadata_filter_dropped;
  const filtered = dropped === 0 ? '' : `, ${dropped} refused by the filter`;
  const cut = reply.query_truncated === true ? '; only the beginning of the query was embedded: it is too long' : '';
  return `playbooks: ${reply.playbook_boosted} boosted, ${reply.playbook_injected} injected${filtered}${cut}`;
}
