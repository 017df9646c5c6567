import { scoreCategories } from '../../../schemas/distillation/scored-run.ts';
import { createNumberColumn } from '../files/digest-table.ts';
import { createPlaces, type ScoredPlace } from './scored-evidence.ts';

/** Scored runs by their tasks, in the order in which they were added. Some 70 bytes of memory each. */
export interface TaskPlaces {
  add(place: ScoredPlace): void;
  /** The runs of each task that has some, the first task first. */
  tasks(): Generator<ScoredPlace[], void, void>;
}

export function createTaskPlaces(): TaskPlaces {
  const paths: string[] = [];
  const [pathOf, categoryOf, next] = [createNumberColumn(), createNumberColumn(), createNumberColumn()];
  const [scored, evidence] = [createPlaces(), createPlaces()];
  // The first and the last row of each task, and 1; 0 where it has none.
  const [first, last] = [createNumberColumn(), createNumberColumn()];
  let [rows, tasksMax] = [0, 0];
  return {
    add: (place) => {
      if (paths.at(-1) !== place.path) paths.push(place.path);
      const row = rows++;
      pathOf.set(row, paths.length - 1);
      categoryOf.set(row, place.category === undefined ? -1 : scoreCategories.indexOf(place.category));
      scored.set(row, place.scored);
      evidence.set(row, place.evidence);
      const before = last.get(place.task);
      if (before === 0) first.set(place.task, row + 1);
      else next.set(before - 1, row + 1);
      last.set(place.task, row + 1);
      tasksMax = Math.max(tasksMax, place.task + 1);
    },
    *tasks() {
      for (let task = 0; task < tasksMax; task++) {
        const places: ScoredPlace[] = [];
        for (let at = first.get(task); at !== 0; at = next.get(at - 1)) {
          const row = at - 1;
          const [path, place] = [paths[pathOf.get(row)], scored.get(row)];
          if (path === undefined || place === undefined) throw new Error(`row ${row} has no place`);
          const category = scoreCategories[categoryOf.get(row)];
          places.push({ path, scored: place, evidence: evidence.get(row), category, task });
        }
        if (places.length > 0) yield places;
      }
    },
  };
}
