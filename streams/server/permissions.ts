import type { StreamName } from '../../schemas/catalog.ts';
import { inboxPrefix, type RoleName, roleNames, roles } from './roles.ts';

/** Allow-lists of one user; what is not in them is refused. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const discovery = '$SRV.>';

/**
 * The server's allow-lists for a role.
 *
 * What they cannot hold back: JetStream answers a request on whatever reply subject the request names, and delivers
 * where a consumer's creator says, as the server and not as the user. A process with credentials that means ill could
 * so put an answer of the server's into a stream which it may not append to. That is why producers, who need no
 * credentials on loopback, live in an account of their own: nothing but their subjects leads out of it, and replies
 * lead back into it.
 */
export function permissionsOf(name: RoleName): Permissions {
  const role = roles[name];
  const inbox = `${inboxPrefix(name)}.>`;
  if (role.isolated) return { publish: role.publishes, subscribe: [inbox] };
  const serves = role.serves.length === 0 ? [] : [...role.serves, discovery];
  return {
    publish: unique([
      ...role.publishes,
      ...role.requests,
      ...callerInboxes(name, serves),
      '$JS.API.INFO',
      '$JS.API.STREAM.NAMES',
      '$JS.API.STREAM.INFO.*',
      ...[...role.reads, ...role.gets].flatMap(getSubjects),
      ...role.reads.flatMap(consumerSubjects),
      ...role.watches.map((stream) => `$JS.API.CONSUMER.LIST.${stream}`),
      ...(role.provisions ? provisioningSubjects : []),
      ...(role.backsUp ? backupSubjects : []),
    ]),
    subscribe: unique([inbox, ...serves]),
  };
}

/** A responder may publish into the inboxes of the roles that may call it, and into no other. */
function callerInboxes(name: RoleName, serves: readonly string[]): string[] {
  return roleNames
    .filter((caller) => caller !== name)
    .filter((caller) => roles[caller].requests.some((asked) => serves.some((served) => subjectsOverlap(asked, served))))
    .map((caller) => `${inboxPrefix(caller)}.>`);
}

function getSubjects(stream: StreamName): string[] {
  return [`$JS.API.STREAM.MSG.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.>`];
}

function consumerSubjects(stream: StreamName): string[] {
  return [
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.*`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.LIST.${stream}`,
    `$JS.API.CONSUMER.NAMES.${stream}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    // Acknowledgements and flow control; newer servers may put a domain and an account before the stream.
    `$JS.ACK.${stream}.>`,
    `$JS.ACK.*.*.${stream}.>`,
    `$JS.FC.${stream}.>`,
    `$JS.FC.*.*.${stream}.>`,
  ];
}

/** Deleting and purging are left out on purpose: to drop a stream one must be at the server's machine. */
const provisioningSubjects = ['$JS.API.STREAM.CREATE.*', '$JS.API.STREAM.UPDATE.*', '$JS.API.STREAM.LIST'];

/** The server takes a restored stream only where there is none of its name: nothing can be replaced by it. */
const backupSubjects = [
  '$JS.API.STREAM.SNAPSHOT.*',
  '$JS.API.STREAM.RESTORE.*',
  // Chunks on their way out are acknowledged; chunks on their way in are sent here.
  '$JS.SNAPSHOT.ACK.>',
  '$JS.SNAPSHOT.RESTORE.>',
];

/** Whether some subject matches both patterns (`*` one token, `>` one or more at the end). */
export function subjectsOverlap(first: string, second: string): boolean {
  const left = first.split('.');
  const right = second.split('.');
  const length = Math.max(left.length, right.length);
  for (let position = 0; position < length; position += 1) {
    const a = left[position];
    const b = right[position];
    if (a === undefined || b === undefined) return false;
    if (a === '>' || b === '>') return true;
    if (a !== b && a !== '*' && b !== '*') return false;
  }
  return true;
}

function unique(subjects: readonly string[]): string[] {
  return [...new Set(subjects)];
}
