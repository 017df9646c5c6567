import type { RejectedData, RejectionReason } from '../../schemas/events/rejected.ts';
import { tokenAt } from '../../streams/subjects.ts';

/** Rejections remembered, newest last. */
const rejectionsMax = 20_000;
/** Documents of one rejected batch that it is found by. */
const idsOfBatchMax = 1_000;

export interface RememberedRejection {
  /** The INGEST sequence that was set aside. */
  readonly version: number;
  readonly reason: RejectionReason;
  readonly message: string;
}

/** What was set aside lately, found by version and by document. */
export interface Rejections {
  note(rejected: RejectedData): void;
  /** It took effect after all. */
  forget(version: number): void;
  ofVersion(version: number): RememberedRejection | undefined;
  /** The newest that spoke of the document. A payload that can not be read names none. */
  ofDocument(corpus: string, id: string): RememberedRejection | undefined;
  /** Of all that were noted: how many spoke of the corpus, and the newest. */
  ofCorpus(corpus: string): { readonly count: number; readonly newest: RememberedRejection | null };
}

export function createRejections(): Rejections {
  const byVersion = new Map<number, RememberedRejection>();
  const byDocument = new Map<string, RememberedRejection>();
  const byCorpus = new Map<string, { count: number; newest: RememberedRejection }>();
  const keyOf = (corpus: string, id: string) => `${corpus} ${id}`;
  return {
    note: (rejected) => {
      const { version, reason, message, subject } = rejected;
      if (version === null) return;
      const remembered = { version, reason, message };
      byVersion.set(version, remembered);
      shrink(byVersion);
      const corpus = tokenAt(subject, 1);
      byCorpus.set(corpus, { count: (byCorpus.get(corpus)?.count ?? 0) + 1, newest: remembered });
      shrink(byCorpus);
      for (const id of idsSpokenOf(rejected)) {
        const key = keyOf(corpus, id);
        if ((byDocument.get(key)?.version ?? 0) > version) continue;
        byDocument.delete(key);
        byDocument.set(key, remembered);
      }
      shrink(byDocument);
    },
    forget: (version) => {
      byVersion.delete(version);
      for (const [key, remembered] of byDocument) if (remembered.version === version) byDocument.delete(key);
    },
    ofVersion: (version) => byVersion.get(version),
    ofDocument: (corpus, id) => byDocument.get(keyOf(corpus, id)),
    ofCorpus: (corpus) => byCorpus.get(corpus) ?? { count: 0, newest: null },
  };
}

function shrink<Key>(remembered: Map<Key, unknown>): void {
  for (const oldest of remembered.keys()) {
    if (remembered.size <= rejectionsMax) return;
    remembered.delete(oldest);
  }
}

/** The ids that a rejected payload names: of a plain event, of a batch, or inside a CloudEvents envelope. */
function idsSpokenOf({ payload_base64 }: RejectedData): string[] {
  if (payload_base64 === null) return [];
  let said: unknown;
  try {
    said = JSON.parse(Buffer.from(payload_base64, 'base64').toString('utf8'));
  } catch {
    return [];
  }
  const data = isObject(said) && 'specversion' in said ? said.data : said;
  if (!isObject(data)) return [];
  const items = Array.isArray(data.items) ? (data.items as unknown[]).slice(0, idsOfBatchMax) : [data];
  return items.flatMap((item) => (isObject(item) && typeof item.id === 'string' ? [item.id] : []));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
