import { createHash } from 'node:crypto';
import type { VectorData } from '../../schemas/events/document.ts';
import type { PlaybookData, PlaybookRetracted } from '../../schemas/events/playbook.ts';
import { parseSpace } from '../../schemas/space.ts';
import { decodeTrustedVector } from '../../schemas/vector.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { FoldContext, FoldHandlers } from '../../streams/projector.ts';
import type { IndexCatalogue, IndexName } from './catalogue.ts';
import { type CorpusIndex, createCorpusIndex, type VectorRecord } from './corpus-index.ts';
import type { FoldGate } from './gate.ts';

export interface FoldPorts {
  readonly catalogue: IndexCatalogue;
  readonly log: RuntimeLog;
  /** Which events belong to what is being built; every one where left out. */
  readonly concerns?: (name: IndexName) => boolean;
  /** Told of every record that was folded, whether it was news or not. */
  readonly onApplied?: (name: IndexName, id: string) => void;
  /** Told of every vector event that was folded. */
  readonly onVector?: (data: VectorData) => void;
  /** Other indexes that what is folded goes into too, where they are there. */
  readonly alsoInto?: IndexCatalogue;
  /** What of a vector event counts: left out, all of it. */
  readonly read?: (data: VectorData) => VectorData | undefined;
  /** Indexes that are never searched: no graph is built for them. */
  readonly withoutGraph?: boolean;
  /** Holds the fold while the whole state is looked at. */
  readonly gate?: FoldGate;
}

/** The fold of VECTORS: every event into the index of its corpus and space. */
export function vectorHandlers(ports: FoldPorts): FoldHandlers<'VECTORS'> {
  return {
    'lakehouse.vector': ({ data }, context) => {
      const { corpus, space, id } = data;
      const name: IndexName = { kind: 'documents', corpus, space, side: null };
      const counted = ports.read === undefined ? data : ports.read(data);
      if (counted === undefined) return undefined;
      return whenOpen(ports.gate, () => {
        apply(name, vectorRecord(counted), id, context, ports);
        ports.onVector?.(counted);
      });
    },
  };
}

/** The fold of PLAYBOOKS: a recording is a document whose vector is its query's; a retraction is its tombstone. */
export function playbookHandlers(ports: FoldPorts): FoldHandlers<'PLAYBOOKS'> {
  return {
    'lakehouse.playbook': ({ data }, context) => {
      const { corpus, space, playbook_id: id } = data;
      const name: IndexName = { kind: 'playbooks', corpus, space, side: null };
      return whenOpen(ports.gate, () => apply(name, playbookRecord(data, context.sequence), id, context, ports));
    },
    'lakehouse.playbook-retracted': ({ data }, context) => {
      const { corpus, playbook_id: id } = data;
      const record = retractedRecord(data, context.sequence);
      return whenOpen(ports.gate, () => {
        // A retraction names no space: it holds in all in which the playbook was recorded.
        for (const { space } of ports.catalogue.ofCorpus('playbooks', corpus, null))
          apply({ kind: 'playbooks', corpus, space, side: null }, record, id, context, ports);
      });
    },
  };
}

/** Runs at once while the gate is open; a fold that is held goes on when it opens. */
function whenOpen(gate: FoldGate | undefined, work: () => void): void | Promise<void> {
  const closed = gate?.closed();
  if (closed === undefined) return work();
  return closed.then(() => whenOpen(gate, work));
}

function apply(
  name: IndexName,
  record: VectorRecord | undefined,
  id: string,
  context: FoldContext,
  { catalogue, alsoInto, log, concerns, onApplied, withoutGraph = false }: FoldPorts,
): void {
  if (concerns !== undefined && !concerns(name)) return;
  const index = catalogue.get(name) ?? openIndex(name, catalogue, withoutGraph);
  const outcome = record === undefined || index === undefined ? 'refused' : index.apply(record);
  if (outcome !== 'applied' && outcome !== 'older')
    // The workers before refuse such vectors; whoever wrote this one went around them.
    log.error({ ...name, id, sequence: context.sequence, outcome }, 'a record can not be indexed and is left out');
  if (record !== undefined) alsoInto?.get(name)?.apply(record);
  onApplied?.(name, id);
}

function openIndex(name: IndexName, catalogue: IndexCatalogue, withoutGraph: boolean): CorpusIndex | undefined {
  const space = parseSpace(name.space);
  if (space === undefined) return undefined;
  const parameters = withoutGraph ? { exactBelow: Number.POSITIVE_INFINITY } : {};
  const index = createCorpusIndex({ space, distance: 'cosine', parameters });
  catalogue.set({ ...name, index });
  return index;
}

/** The record of a vector event. Undefined where its vector can not be read. */
export function vectorRecord({ id, content, metadata }: VectorData): VectorRecord | undefined {
  const vector = content.value === null ? null : decodeTrustedVector(content.value.vector);
  if (vector === undefined) return undefined;
  const value =
    content.value === null || vector === null
      ? null
      : { hash: content.value.hash, vector, truncated: content.value.truncated };
  const json = metadata.value === null ? null : metadataJson(metadata.value);
  return {
    id,
    registers: { content: { version: content.version, value }, metadata: { version: metadata.version, json } },
  };
}

/** Metadata as it is kept: its JSON, or null where it is `{}`, which is how metadata is cleared. */
export function metadataJson(value: Readonly<Record<string, unknown>>): string | null {
  const json = JSON.stringify(value);
  return json === '{}' ? null : json;
}

function playbookRecord(data: PlaybookData, sequence: number): VectorRecord | undefined {
  const vector = decodeTrustedVector(data.vector);
  if (vector === undefined) return undefined;
  const json = JSON.stringify(data.entry);
  const hash = createHash('sha256').update(json, 'utf8').digest('hex');
  const registers = { content: { version: sequence, value: { hash, vector } }, metadata: { version: sequence, json } };
  return { id: data.playbook_id, registers };
}

function retractedRecord(data: PlaybookRetracted, sequence: number): VectorRecord {
  const registers = { content: { version: sequence, value: null }, metadata: { version: sequence, json: null } };
  return { id: data.playbook_id, registers };
}
