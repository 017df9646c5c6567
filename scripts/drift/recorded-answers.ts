import type { GatewayClient } from '../../gateway/client/client.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import type { PlaybookData } from '../../schemas/events/playbook.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readStream } from '../../streams/read-stream.ts';
import type { PlaybookStanding } from '../../workers/drift/playbook-drift.ts';

/** The playbooks of a corpus that nobody has taken back, each as it was recorded last. */
export async function livePlaybooks(connection: LogConnection, corpus: string): Promise<PlaybookData[]> {
  const live = new Map<string, PlaybookData>();
  for await (const { payload } of readStream(connection, 'PLAYBOOKS', { filterSubject: `playbooks.${corpus}.*` })) {
    const decoded = decodeEvent('PLAYBOOKS', payload);
    if (!decoded.ok) continue;
    if (decoded.event.type === 'lakehouse.playbook') live.set(decoded.event.data.playbook_id, decoded.event.data);
    else live.delete(decoded.event.data.playbook_id);
  }
  return [...live.values()];
}

/** Asks each recorded query again, without playbooks, and says where its answer stands. */
export async function standingsOf(
  client: GatewayClient,
  playbooks: readonly PlaybookData[],
  k: number,
  progress: (asked: number) => void,
): Promise<PlaybookStanding[]> {
  const standings: PlaybookStanding[] = [];
  for (const { playbook_id, entry } of playbooks) {
    const { query_text, answer_id, answer_corpus } = entry;
    const { results } = await client.search({ query_text, corpora: [answer_corpus], k, per_corpus_k: k });
    const at = results.findIndex(({ id, corpus }) => id === answer_id && corpus === answer_corpus);
    standings.push({ playbook_id, query_text, answer_id, answer_corpus, rank: at < 0 ? null : at + 1 });
    progress(standings.length);
  }
  return standings;
}
