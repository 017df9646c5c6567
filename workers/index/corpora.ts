import type { Position } from '../../schemas/position.ts';
import type { CorporaReply } from '../../schemas/requests/corpora.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import type { IndexCatalogue } from '../corpus-index/catalogue.ts';

/** `svc.matrix.corpora`: what can be searched. Indexes of the past are told by `svc.index.info`. */
export function createCorpora(catalogue: IndexCatalogue, position: () => Position): ServiceHandler {
  return () => {
    const corpora: CorporaReply['corpora'] = [];
    for (const entry of catalogue.all()) {
      const { kind, corpus: name, space, side, index } = entry;
      if (side !== null) continue;
      const playbooks = kind === 'playbooks';
      corpora.push({
        name,
        playbooks,
        space,
        dimension: index.space.dimension,
        distance: index.distance,
        documents: index.size,
        tombstones: index.tombstones,
        serving: playbooks || catalogue.serving(name, null) === entry,
      });
    }
    corpora.sort((one, other) => (one.name === other.name ? 0 : one.name < other.name ? -1 : 1));
    return { body: JSON.stringify({ corpora } satisfies CorporaReply), position: position() };
  };
}
