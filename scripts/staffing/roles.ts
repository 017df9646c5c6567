import { plantRoles } from './roles-plant.ts';
import { warehouseRoles } from './roles-warehouse.ts';

/** What the corpus knows about a role. Lists are written with `|` between their items. */
export interface RoleProfile {
  readonly role: string;
  /** Places in the deck from which roles are dealt. */
  readonly weight: number;
  readonly skills: string;
  readonly certifications: string;
  readonly duties: string;
  readonly sites: string;
}

/** A role profile with its lists taken apart. */
export interface Role {
  readonly role: string;
  readonly skills: readonly string[];
  readonly certifications: readonly string[];
  readonly duties: readonly string[];
  readonly sites: readonly string[];
}

const profiles = [...warehouseRoles, ...plantRoles];

function takeApart(profile: RoleProfile): Role {
  const items = (list: string): readonly string[] => list.split('|');
  return {
    role: profile.role,
    skills: items(profile.skills),
    certifications: items(profile.certifications),
    duties: items(profile.duties),
    sites: items(profile.sites),
  };
}

export const roles: readonly Role[] = profiles.map(takeApart);

/** The role of that name; throws where the corpus does not know it. */
export function roleNamed(name: string): Role {
  const role = roles.find((candidate) => candidate.role === name);
  if (role === undefined) throw new RangeError(`the staffing corpus has no role "${name}"`);
  return role;
}

/**
 * One card for every weight point; rows are dealt from shuffled copies of it, so that shares hold in small corpora
 * too. 11 cards of 97 are forklift operators, 11.3 %: the system that this one re-creates had 569 in 5,000.
 */
export const roleDeck: readonly Role[] = profiles.flatMap((profile) =>
  Array.from({ length: profile.weight }, () => roleNamed(profile.role)),
);
