import type { GatewayClient } from '../../../gateway/client/client.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { type PlaybookStanding, playbookDrift } from '../../../workers/drift/playbook-drift.ts';
import { exitCodes } from '../../exit-codes.ts';
import { labelledBars } from '../../plot/bars.ts';
import { livePlaybooks, standingsOf } from '../recorded-answers.ts';
import type { Told } from '../told.ts';

const shownMax = 20;

/** Where recorded answers stand when their queries are asked again without playbooks. */
export async function playbooks(
  { connection, client }: { readonly connection: LogConnection; readonly client: GatewayClient },
  corpus: string,
  k: number,
  progress: (asked: number) => void,
): Promise<Told> {
  const live = await livePlaybooks(connection, corpus);
  const standings = await standingsOf(client, live, k, progress);
  const drift = playbookDrift(standings, k);
  return {
    title: 'Recorded answers asked again',
    json: drift,
    sentences: [`${drift.drifted} of ${drift.total} recorded answers are not among the first ${k} by meaning alone`],
    tables: [
      {
        columns: [{ title: 'playbook' }, { title: 'answer' }, { title: 'query' }],
        rows: drift.entries
          .slice(0, shownMax)
          .map(({ playbook_id, answer_id, query_text }) => [playbook_id, answer_id, query_text]),
      },
    ],
    svg: labelledBars('Ranks of recorded answers, by meaning alone', rankBars(standings, k)),
    exitCode: exitCodes.done,
  };
}

/** How many stand first, in the first half of the rest, in the second, and nowhere. */
function rankBars(standings: readonly PlaybookStanding[], k: number) {
  const middle = Math.max(1, Math.ceil(k / 2));
  const bands = [
    { label: 'rank 1', holds: (rank: number | null) => rank === 1 },
    ...(middle > 1
      ? [{ label: `rank 2 to ${middle}`, holds: (rank: number | null) => rank !== null && rank > 1 && rank <= middle }]
      : []),
    ...(k > middle
      ? [{ label: `rank ${middle + 1} to ${k}`, holds: (rank: number | null) => rank !== null && rank > middle }]
      : []),
    { label: `not among the first ${k}`, holds: (rank: number | null) => rank === null },
  ];
  return bands.map(({ label, holds }, at) => {
    const value = standings.filter(({ rank }) => holds(rank)).length;
    return { label, value, told: String(value), marked: at === bands.length - 1 };
  });
}
