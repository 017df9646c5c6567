/** A process and the names of those that must be ready before it starts. */
export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** How many of those have to be ready; all, unless given. */
  readonly dependenciesMin?: number | undefined;
}

/**
 * The processes in an order in which each stands behind all that it depends on; otherwise the order given is kept.
 *
 * @throws Error when a name is given twice, is unknown, or depends on itself: the list was written wrong.
 */
export function startOrder<T extends Dependent>(processes: readonly T[]): readonly T[] {
  const byName = new Map(processes.map((process) => [process.name, process]));
  if (byName.size !== processes.length) throw new Error('two supervised processes have the same name');
  const ordered = new Set<T>();
  const visit = (process: T, path: readonly string[]) => {
    if (ordered.has(process)) return;
    if (path.includes(process.name)) {
      throw new Error(`supervised processes depend on one another: ${[...path, process.name].join(' -> ')}`);
    }
    for (const name of process.dependsOn) {
      const dependency = byName.get(name);
      if (dependency === undefined) throw new Error(`${process.name} depends on ${name}, which is not supervised`);
      visit(dependency, [...path, process.name]);
    }
    ordered.add(process);
  };
  for (const process of processes) visit(process, []);
  return [...ordered];
}
