import { below, chance, createRandom, pick, type Random } from '../random.ts';
import { places } from './places.ts';
import { roles } from './roles.ts';

const demandStream = 3;
export const demandCountMax = 100_000;

/** The phrasings in which coordinators ask, in the order in which `demandQueries` takes turns. */
export const demandShapes = ['need', 'client_first', 'looking', 'shorthand'] as const;
export type DemandShape = (typeof demandShapes)[number];

export interface Demand {
  readonly count: number;
  /** In the singular. */
  readonly role: string;
  readonly city: string;
  readonly state: string;
  readonly client: string;
  /** When the shift begins, as it is said: `06:00`. */
  readonly startAt?: string;
}

/** A query and the role that it asks for, named as the body of a matrix search names them. */
export interface RoleQuery {
  readonly query_text: string;
  readonly query_role: string;
}

/** The query of the playbook example: the answer recorded for it is lifted the next time. */
export const forkliftQuery: RoleQuery = {
  query_text: 'Need 3 Forklift Operators in Aurora IL for Parallel Machining',
  query_role: 'Forklift Operator',
};

/** The query of another role, which a recording for `forkliftQuery` must leave alone. */
export const cncQuery: RoleQuery = {
  query_text: 'Need 1 CNC Operator in Detroit MI for Beacon Freight',
  query_role: 'CNC Operator',
};

const clients: readonly string[] = [
  'Parallel Machining',
  'Beacon Freight',
  'Cardinal Foods',
  'Northgate Logistics',
  'Harbor Steel',
  'Prairie Packaging',
  'Lakeview Plastics',
  'Summit Castings',
  'Riverbend Beverage',
  'Keystone Pallet',
  'Juniper Medical Supply',
  'Ironwood Furniture',
  'Bluestem Grain',
  'Crescent Auto Parts',
  'Tallgrass Energy Services',
  'Copperfield Electric',
  'Windmill Bakery',
  'Granite State Tools',
  'Sycamore Paper',
  'Redline Cold Storage',
];

const startTimes: readonly string[] = ['05:30', '06:00', '07:00', '14:00', '15:30', '18:00', '22:00', '23:00'];

/** One demand as a coordinator would write it. */
export function demandSentence(demand: Demand, shape: DemandShape): string {
  const { count, city, state, client, startAt } = demand;
  const role = count === 1 ? demand.role : `${demand.role}s`;
  const place = `${city} ${state}`;
  const start = startAt === undefined ? '' : ` starting at ${startAt}`;
  switch (shape) {
    case 'need':
      return `Need ${count} ${role} in ${place}${start} for ${client}`;
    case 'client_first':
      return `${client} needs ${count} ${role} in ${place}${start}`;
    case 'looking':
      return `Looking for ${count} ${role} at ${client} in ${place}${start}`;
    case 'shorthand':
      return `${count} ${role} ${place}${startAt === undefined ? '' : ` ${startAt}`} ${client}`;
  }
}

function drawDemand(random: Random): Demand {
  const { city, state } = pick(random, places);
  const demand = {
    count: 1 + below(random, 8),
    role: pick(random, roles).role,
    city,
    state,
    client: pick(random, clients),
  };
  return chance(random, 0.3) ? { ...demand, startAt: pick(random, startTimes) } : demand;
}

/**
 * Different queries in the given shapes by turns. The first n of a longer list are the list of n. Throws a RangeError
 * for a count that is no whole number up to `demandCountMax`.
 */
export function demandQueries(options: {
  count: number;
  seed: number;
  shapes?: readonly [DemandShape, ...DemandShape[]];
}): RoleQuery[] {
  const { count, seed, shapes = demandShapes } = options;
  if (!Number.isInteger(count) || count < 0 || count > demandCountMax) {
    throw new RangeError(`a list of demands has 0 to ${demandCountMax} queries, not ${count}`);
  }
  const random = createRandom(seed, demandStream);
  const roleByText = new Map<string, string>();
  while (roleByText.size < count) {
    const demand = drawDemand(random);
    const shape = shapes[roleByText.size % shapes.length] ?? shapes[0];
    roleByText.set(demandSentence(demand, shape), demand.role);
  }
  return Array.from(roleByText, ([query_text, query_role]) => ({ query_text, query_role }));
}

/** Different queries, all of the shape "Need N <role> in <city> <state> for <client>", for benchmarks. */
export function needQueries(options: { count: number; seed: number }): RoleQuery[] {
  return demandQueries({ ...options, shapes: ['need'] });
}

/** The body of a search as the load generator sends it. */
export interface LoadBody extends RoleQuery {
  readonly corpora: readonly string[];
  readonly k: number;
  readonly per_corpus_k: number;
  readonly use_playbook: boolean;
}

/** A search for ten of the workers, without playbooks: what a load run repeats. */
export function loadBody(query: RoleQuery): LoadBody {
  return { ...query, corpora: ['workers'], k: 10, per_corpus_k: 10, use_playbook: false };
}

const loadDemands: readonly Demand[] = [
  { count: 3, role: 'Forklift Operator', city: 'Aurora', state: 'IL', client: 'Parallel Machining' },
  { count: 1, role: 'CNC Operator', city: 'Detroit', state: 'MI', client: 'Beacon Freight' },
  { count: 5, role: 'Warehouse Associate', city: 'Indianapolis', state: 'IN', client: 'Northgate Logistics' },
  { count: 4, role: 'Picker', city: 'Columbus', state: 'OH', client: 'Cardinal Foods' },
  { count: 2, role: 'Loader', city: 'Joliet', state: 'IL', client: 'Keystone Pallet' },
  { count: 1, role: 'Shipping Clerk', city: 'Milwaukee', state: 'WI', client: 'Harbor Steel' },
];

/** The six bodies that the load generator sends in rotation when it is given none. */
export const loadBodies: readonly LoadBody[] = loadDemands.map((demand) =>
  loadBody({ query_text: demandSentence(demand, 'need'), query_role: demand.role }),
);
