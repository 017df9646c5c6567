import { below, chance, pick, type Random, sample } from '../random.ts';
import type { Place } from './places.ts';
import type { Role } from './roles.ts';

/** How somebody works, whatever the role. */
export const archetypes = [
  'veteran',
  'specialist',
  'all-rounder',
  'newcomer',
  'mentor',
  'steady hand',
  'flexible',
] as const;
export type Archetype = (typeof archetypes)[number];

const ways: Readonly<Record<Archetype, readonly string[]>> = {
  veteran: ['Has seen every kind of shift and keeps calm.', 'Supervisors ask for this worker by name.'],
  specialist: ['Prefers one craft done well over many done quickly.', 'Called in when the difficult jobs come up.'],
  'all-rounder': ['Moves between stations without being told twice.', 'Covers for colleagues in three departments.'],
  newcomer: [
    'New to the trade, learns fast and asks good questions.',
    'Finished training this year and wants steady hours.',
  ],
  mentor: ['Has trained a dozen new hires on the floor.', 'Explains the safe way before the fast way.'],
  'steady hand': ['No missed shift in the last eighteen months.', 'Arrives early, leaves the station clean.'],
  flexible: ['Takes short-notice assignments and weekend work.', 'Glad to travel between sites for a week at a time.'],
};

const closings: readonly string[] = [
  'Speaks English and Spanish.',
  'Speaks English and Polish.',
  'Available for night shift.',
  'Looking for first shift only.',
  'Has a car and a clean license.',
  'Reaches the site by bus, needs a start after six.',
  'Open to overtime in peak season.',
  'Wants to go from temporary to permanent.',
  'Served four years in the army before this.',
  'Keeps a spotless safety record.',
  'Cut picking errors by a third in the last post.',
  'Won an award for fewest reported damages.',
  'Can lift 50 pounds and stand a whole shift.',
  'Passed a background check and a drug screen this spring.',
  'Good with tablets, scanners and spreadsheets.',
  'Prefers work outdoors.',
];

function yearsOfService(random: Random, archetype: Archetype): number {
  if (archetype === 'newcomer') return 1 + below(random, 2);
  if (archetype === 'veteran') return 12 + below(random, 20);
  return 2 + below(random, 14);
}

function opening(random: Random, role: Role, place: Place, years: number): string {
  const time = years === 1 ? '1 year' : `${years} years`;
  const article = /^([AEIO]|HVAC)/.test(role.role) ? 'an' : 'a';
  const title = role.role.startsWith('CNC') || role.role.startsWith('HVAC') ? role.role : role.role.toLowerCase();
  const site = pick(random, role.sites);
  return pick(random, [
    `${time} as ${article} ${title} at ${site} in ${place.city}, ${place.state}.`,
    `Started at ${site} near ${place.city} and stayed ${time} as ${article} ${title}.`,
    `Worked ${time} around ${place.city}, ${place.state}, last at ${site}.`,
    `Joined ${site} in ${place.city} ${time} ago as ${article} ${title}.`,
  ]);
}

function dutySentence(random: Random, role: Role): string {
  const [first = '', second = first] = sample(random, role.duties, 2);
  return pick(random, [
    `Day to day: ${first}; ${second}.`,
    `Comfortable ${first} and ${second}.`,
    `Known for ${first}; also used to ${second}.`,
    `Spent the last season ${first}, before that ${second}.`,
  ]);
}

/** Three to five sentences: time and place, duties of the role, way of working, and what else a coordinator asks about. */
export function resumeText(random: Random, role: Role, place: Place, archetype: Archetype): string {
  const years = yearsOfService(random, archetype);
  return [
    opening(random, role, place, years),
    dutySentence(random, role),
    pick(random, ways[archetype]),
    ...sample(random, closings, chance(random, 0.4) ? 2 : 1),
  ].join(' ');
}
