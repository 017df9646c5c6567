import { below, chance, createRandom, pick, type Random, sample } from '../random.ts';
import { familyNames, givenNames } from './names.ts';
import { type Place, placeNamed, places } from './places.ts';
import { type Archetype, archetypes, resumeText } from './resume.ts';
import { type Role, roleDeck, roleNamed } from './roles.ts';

/** Seed of the corpus that `lakehouse seed` makes when none is given. */
export const staffingSeedDefault = 1;
export const workerCountDefault = 200;
export const workerCountMax = 10_000_000;

const workerStreams = { deck: 1, row: 2 } as const;

export const workerStatuses = ['active', 'inactive', 'on_leave'] as const;

/** What is stored beside a worker's text. `phone` is text, since it may begin with a zero; `reliability` is 0 to 1. */
export type WorkerMetadata = {
  name: string;
  role: string;
  city: string;
  state: string;
  skills: string[];
  certifications: string[];
  archetype: Archetype;
  phone: string;
  email: string;
  reliability: number;
  status: (typeof workerStatuses)[number];
};

export type Worker = WorkerMetadata & { id: string; resume_text: string };

/** A document ready to be published on `ingest.<corpus>`. The resume is in `text` and not repeated in `metadata`. */
export interface WorkerDocument {
  readonly id: string;
  readonly text: string;
  readonly metadata: WorkerMetadata;
}

interface KnownWorker {
  readonly name: string;
  readonly role: string;
  readonly city: string;
  readonly state: string;
}

/** Rows of which name, role and place are fixed: the examples and the tests of the playbook name them. */
export const knownWorkers: ReadonlyMap<number, KnownWorker> = new Map([
  [43, { name: 'Brian Ramirez', role: 'Forklift Operator', city: 'Springfield', state: 'IL' }],
  [101, { name: 'Terrence Gray', role: 'Forklift Operator', city: 'Champaign', state: 'IL' }],
  [102, { name: 'Laura Long', role: 'Forklift Operator', city: 'Cleveland', state: 'OH' }],
  [175, { name: 'Kevin Ruiz', role: 'Machine Operator', city: 'Detroit', state: 'MI' }],
]);

/** The role dealt to a row: the row's card in the shuffled deck of its block of rows. */
function dealtRole(row: number, seed: number): Role {
  const block = Math.floor((row - 1) / roleDeck.length);
  const shuffled = sample(createRandom(seed, workerStreams.deck, block), roleDeck, roleDeck.length);
  const card = shuffled[(row - 1) % roleDeck.length];
  if (card === undefined) throw new RangeError(`rows of the staffing corpus begin with 1, not ${row}`);
  return card;
}

function phoneNumber(random: Random, place: Place): string {
  // Exchange 555, lines 0100 to 0199, is kept free for invented numbers. Some are written as dialled from abroad.
  const national = `${place.areaCode}-555-01${String(below(random, 100)).padStart(2, '0')}`;
  return chance(random, 0.05) ? `001-${national}` : national;
}

function emailAddress(random: Random, name: string, row: number): string {
  const local = name.toLowerCase().replaceAll(' ', '.');
  return `${local}.${row}@${pick(random, ['example.com', 'example.org', 'example.net'])}`;
}

function reliabilityOf(random: Random): number {
  // The larger of two draws: most people are reliable, a few are not.
  return Math.round(Math.max(random.unit(), 0.3 + 0.7 * random.unit()) * 100) / 100;
}

function statusOf(random: Random): WorkerMetadata['status'] {
  const draw = random.unit();
  if (draw < 0.92) return 'active';
  return draw < 0.97 ? 'inactive' : 'on_leave';
}

/**
 * The worker of one row, 1 to `workerCountMax`, which depends on row and seed alone: a corpus of 200 is the beginning
 * of the corpus of 5,000. All names, addresses and numbers are invented.
 */
export function workerAt(row: number, seed: number = staffingSeedDefault): Worker {
  const random = createRandom(seed, workerStreams.row, row);
  const known = knownWorkers.get(row);
  const role = known === undefined ? dealtRole(row, seed) : roleNamed(known.role);
  const place = known === undefined ? pick(random, places) : placeNamed(known.city, known.state);
  const name = known?.name ?? `${pick(random, givenNames)} ${pick(random, familyNames)}`;
  const archetype = pick(random, archetypes);
  return {
    id: `w-${row}`,
    name,
    role: role.role,
    city: place.city,
    state: place.state,
    skills: sample(random, role.skills, 3 + below(random, 3)),
    certifications: sample(random, role.certifications, below(random, 3)),
    archetype,
    phone: phoneNumber(random, place),
    email: emailAddress(random, name, row),
    reliability: reliabilityOf(random),
    status: statusOf(random),
    resume_text: resumeText(random, role, place, archetype),
  };
}

/** The text of a worker that is embedded. City and name are in it only as far as the resume speaks of them. */
export function embedText(worker: Pick<Worker, 'role' | 'skills' | 'certifications' | 'resume_text'>): string {
  const certifications = worker.certifications.length === 0 ? 'none' : worker.certifications.join(', ');
  return `Worker role: ${worker.role}. Skills: ${worker.skills.join(', ')}. Certifications: ${certifications}. ${worker.resume_text}`;
}

export function workerDocument(worker: Worker): WorkerDocument {
  const { id, resume_text: _resumeText, ...metadata } = worker;
  return { id, text: embedText(worker), metadata };
}

/** The documents `w-1` to `w-<count>`, one after the other in constant memory. Throws a RangeError for a count that is no whole number up to `workerCountMax`. */
export function* workers(options: { count?: number; seed?: number } = {}): Generator<WorkerDocument, void, void> {
  const { count = workerCountDefault, seed = staffingSeedDefault } = options;
  if (!Number.isInteger(count) || count < 0 || count > workerCountMax) {
    throw new RangeError(`a staffing corpus has 0 to ${workerCountMax} workers, not ${count}`);
  }
  for (let row = 1; row <= count; row++) yield workerDocument(workerAt(row, seed));
}
