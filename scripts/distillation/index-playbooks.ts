import { join } from 'node:path';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { layout } from '../../workers/distillation/files/layout.ts';
import { documentOf, readPlaybooks } from '../../workers/replay/playbooks.ts';

const documentsTogether = 200;

/**
 * Makes the exported playbooks searchable in a corpus, and waits until they are. One that is there already costs no
 * embedding.
 * @returns how many there are
 */
export async function indexPlaybooks(
  client: GatewayClient,
  root: string,
  corpus: string,
  progress: (documents: number) => void,
): Promise<{ documents: number; searchable: number }> {
  let [documents, searchable] = [0, 0];
  let batch: ReturnType<typeof documentOf>[] = [];
  const send = async () => {
    if (batch.length === 0) return;
    const reply = await client.ingest(corpus, batch, { waitSearchable: true });
    documents += batch.length;
    searchable += reply.searchable ?? 0;
    batch = [];
    progress(documents);
  };
  for await (const sample of readPlaybooks(join(root, layout.exports.rag))) {
    batch.push(documentOf(sample));
    if (batch.length >= documentsTogether) await send();
  }
  await send();
  return { documents, searchable };
}
