/**
 * A role as the gate compares it: lower case, trimmed, runs of white space as one space, and one trailing "s" taken
 * off ("Forklift  Operators" and "forklift operator" are one role). English plurals only, and only of the last word;
 * a role that is the single letter "s" keeps it, so that no role turns into "none given".
 */
export function normaliseRole(role: string): string {
  const text = role.trim().replace(/\s+/g, ' ').toLowerCase();
  return text.length > 1 && text.endsWith('s') ? text.slice(0, -1).trimEnd() : text;
}

/** Tells whether a playbook recorded for `entryRole` may act; see `rolesAgree`. Compiled once for a query. */
export type RoleGate = (entryRole: string | null | undefined) => boolean;

const openGate: RoleGate = () => true;

/** The gate of one query: normalises the query's role once, however many playbooks are asked. */
export function compileRoleGate(queryRole: string): RoleGate {
  const wanted = normaliseRole(queryRole);
  if (wanted === '') return openGate;
  return (entryRole) => {
    const recorded = normaliseRole(entryRole ?? '');
    return recorded === '' || recorded === wanted;
  };
}

/** Whether two roles are the same one. An empty role on either side says nothing, and the gate stands open. */
export function rolesAgree(entryRole: string | null | undefined, queryRole: string): boolean {
  return compileRoleGate(queryRole)(entryRole);
}
