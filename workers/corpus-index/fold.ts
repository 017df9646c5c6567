import { createHash } from 'node:crypto';
import type { CorpusState } from '../../schemas/events/corpus.ts';
import type { VectorData } from '../../schemas/events/document.ts';
import type { PlaybookData, PlaybookRetracted } from '../../schemas/events/playbook.ts';
import { parseSpace } from '../../schemas/space.ts';
import { decodeVector } from '../../schemas/vector.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { FoldContext, FoldHandlers } from '../../streams/projector.ts';
import { declarationOf, dropFloor } from '../documents/corpus-state.ts';
import type { Reading } from './as-of.ts';
import type { IndexCatalogue, IndexName } from './catalogue.ts';
import { type CorpusIndex, createCorpusIndex, type VectorRecord } from './corpus-index.ts';
import { demandsOf, recordBehind, reformed } from './reform.ts';

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
  /** Told of everything that was said of a corpus. */
  readonly onCorpus?: (corpus: string) => void;
  /** What of an event counts: left out, all of it. */
  readonly read?: Reading;
  /** Indexes that are never searched: no graph is built for them. */
  readonly withoutGraph?: boolean;
}

/**
 * The fold of VECTORS: every event into the index of its corpus and space, but for what a drop of the corpus has ended. A
 * drop may be folded before or after what it ends: it is remembered, and comes to the same.
 */
export function vectorHandlers(ports: FoldPorts): FoldHandlers<'VECTORS'> {
  const { catalogue, read, onApplied, onVector } = ports;
  return {
    'lakehouse.vector': ({ data }, context) => {
      const { corpus, space, id } = data;
      const name: IndexName = { kind: 'documents', corpus, space, side: null };
      const counted = read === undefined ? data : read.vector(data);
      if (counted === undefined) return;
      const record = vectorRecord(counted);
      const left = record && recordBehind(record, dropFloor(catalogue.corpusState(corpus)));
      if (record === undefined || left !== undefined) apply(name, left, id, context, ports);
      else onApplied?.(name, id);
      onVector?.(counted);
    },
    'lakehouse.vector-corpus': ({ data }) => {
      const state = read === undefined ? data : read.corpus(data);
      if (state !== undefined) foldCorpus(state, ports);
    },
  };
}

/** Joins what was said of a corpus, and makes its indexes what it asks for. */
function foldCorpus(state: CorpusState, ports: FoldPorts): void {
  const { corpus } = state;
  ports.catalogue.sayCorpus(state);
  openDeclared(corpus, ports);
  conformCorpus(ports.catalogue, corpus);
  if (ports.alsoInto !== undefined) {
    ports.alsoInto.sayCorpus(state);
    conformCorpus(ports.alsoInto, corpus);
  }
  ports.onCorpus?.(corpus);
}

/** A corpus that is declared can be searched, though it has no documents yet. */
function openDeclared(corpus: string, { catalogue, concerns, withoutGraph = false }: FoldPorts): void {
  const space = declarationOf(catalogue.corpusState(corpus))?.space;
  if (space === undefined) return;
  const name: IndexName = { kind: 'documents', corpus, space, side: null };
  if (catalogue.get(name) === undefined && (concerns === undefined || concerns(name)))
    openIndex(name, catalogue, withoutGraph);
}

/** Brings the indexes of a corpus to what was said of it. One that knows of nothing, and is not declared, goes. */
export function conformCorpus(catalogue: IndexCatalogue, corpus: string): void {
  const state = catalogue.corpusState(corpus);
  const declared = declarationOf(state)?.space;
  for (const entry of [...catalogue.ofCorpus('documents', corpus, null)]) {
    const index = reformed(entry.index, demandsOf(state));
    if (isEmpty(index) && entry.space !== declared) catalogue.remove(entry);
    else if (index !== entry.index) catalogue.set({ ...entry, index });
  }
}

/** Whether nothing is known in an index: it is as if it were not there. */
export function isEmpty({ size, tombstones }: CorpusIndex): boolean {
  return size + tombstones === 0;
}

/** The fold of PLAYBOOKS: a recording is a document whose vector is its query's; a retraction is its tombstone. */
export function playbookHandlers(ports: FoldPorts): FoldHandlers<'PLAYBOOKS'> {
  return {
    'lakehouse.playbook': ({ data }, context) => {
      const { corpus, space, playbook_id: id } = data;
      const name: IndexName = { kind: 'playbooks', corpus, space, side: null };
      apply(name, playbookRecord(data, context.sequence), id, context, ports);
    },
    'lakehouse.playbook-retracted': ({ data }, context) => {
      const { corpus, playbook_id: id } = data;
      const record = retractedRecord(data, context.sequence);
      // A retraction names no space: it holds in all in which the playbook was recorded.
      for (const { space } of ports.catalogue.ofCorpus('playbooks', corpus, null))
        apply({ kind: 'playbooks', corpus, space, side: null }, record, id, context, ports);
    },
  };
}

function apply(
  name: IndexName,
  record: VectorRecord | undefined,
  id: string,
  context: FoldContext,
  { catalogue, alsoInto, log, concerns, onApplied, withoutGraph = false }: FoldPorts,
): void {
  if (record !== undefined) alsoInto?.get(name)?.apply(record);
  if (concerns !== undefined && !concerns(name)) return;
  const index = catalogue.get(name) ?? openIndex(name, catalogue, withoutGraph);
  const outcome = record === undefined || index === undefined ? 'refused' : index.apply(record);
  if (outcome !== 'applied' && outcome !== 'older')
    // The workers before refuse such vectors; whoever wrote this one went around them.
    log.error({ ...name, id, sequence: context.sequence, outcome }, 'a record can not be indexed and is left out');
  onApplied?.(name, id);
}

function openIndex(name: IndexName, catalogue: IndexCatalogue, withoutGraph: boolean): CorpusIndex | undefined {
  const space = parseSpace(name.space);
  if (space === undefined) return undefined;
  const parameters = withoutGraph ? { exactBelow: Number.POSITIVE_INFINITY } : {};
  const { distance, parameters: asked } =
    name.kind === 'documents' ? demandsOf(catalogue.corpusState(name.corpus)) : demandsOf(undefined);
  const index = createCorpusIndex({ space, distance, parameters: { ...asked, ...parameters } });
  catalogue.set({ ...name, index });
  return index;
}

/** The record of a vector event. Undefined where its vector can not be read. */
export function vectorRecord({ id, content, metadata }: VectorData): VectorRecord | undefined {
  const vector = content.value === null ? null : decodeVector(content.value.vector);
  if (vector === undefined) return undefined;
  const value =
    content.value === null || vector === null
      ? null
      : { hash: content.value.hash, vector, truncated: content.value.truncated };
  const { version, after } = content;
  const own = content.value?.metadata ?? null;
  const json = metadata.value === null ? null : metadataJson(metadata.value);
  return {
    id,
    registers: { content: { version, after, value }, metadata: { version: metadata.version, json } },
    weakJson: own === null ? null : metadataJson(own),
  };
}

/** Metadata as it is kept: its JSON, or null where it is `{}`, which is how metadata is cleared. */
export function metadataJson(value: Readonly<Record<string, unknown>>): string | null {
  const json = JSON.stringify(value);
  return json === '{}' ? null : json;
}

function playbookRecord(data: PlaybookData, sequence: number): VectorRecord | undefined {
  const vector = decodeVector(data.vector);
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
