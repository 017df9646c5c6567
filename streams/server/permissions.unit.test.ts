import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamNames } from '../../schemas/catalog.ts';
import { permissionsOf, subjectsOverlap } from './permissions.ts';
import { inboxPrefix, type RoleName, roleNames } from './roles.ts';

function mayPublish(role: RoleName, subject: string): boolean {
  return permissionsOf(role).publish.some((pattern) => subjectsOverlap(pattern, subject));
}

function maySubscribe(role: RoleName, subject: string): boolean {
  return permissionsOf(role).subscribe.some((pattern) => subjectsOverlap(pattern, subject));
}

const workerRoles = roleNames.filter((role) => role !== 'operator');

describe('permissionsOf', () => {
  it.each(roleNames)('lets %s delete or purge no stream', (role) => {
    const forbidden = ['STREAM.DELETE', 'STREAM.PURGE', 'STREAM.MSG.DELETE'];
    const subjects = forbidden.flatMap((call) => streamNames.map((stream) => `$JS.API.${call}.${stream}`));
    expect(subjects.filter((subject) => mayPublish(role, subject))).toEqual([]);
  });

  it('lets the operator alone take streams out and put them in', () => {
    const subjects = streamNames.flatMap((stream) => [
      `$JS.API.STREAM.SNAPSHOT.${stream}`,
      `$JS.API.STREAM.RESTORE.${stream}`,
      `$JS.SNAPSHOT.ACK.${stream}.x`,
      `$JS.SNAPSHOT.RESTORE.${stream}.x`,
    ]);
    for (const subject of subjects) expect(roleNames.filter((role) => mayPublish(role, subject))).toEqual(['operator']);
  });

  it.each(workerRoles)('lets %s create and update no stream', (role) => {
    const subjects = streamNames.flatMap((stream) => [
      `$JS.API.STREAM.CREATE.${stream}`,
      `$JS.API.STREAM.UPDATE.${stream}`,
    ]);
    expect(subjects.filter((subject) => mayPublish(role, subject))).toEqual([]);
  });

  it('lets the operator create and update streams', () => {
    expect(mayPublish('operator', '$JS.API.STREAM.CREATE.INGEST')).toBe(true);
    expect(mayPublish('operator', '$JS.API.STREAM.UPDATE.INGEST')).toBe(true);
  });

  it('gives each log its appenders and nobody else', () => {
    const subjects = {
      'ingest.workers': ['operator', 'gateway', 'index', 'producer'],
      'corpora.workers': ['operator', 'index'],
      'documents.workers.k': ['ingest'],
      'vectors.s.workers.k': ['embed'],
      'playbooks.forklift.pb-1': ['playbook'],
      'indexes.workers': ['operator'],
      'searches.workers': ['index'],
      'audit.baselines': ['operator'],
      'replay.runs': ['operator'],
      'retries.INGEST.ingest.1': ['operator'],
    };
    const appenders = Object.fromEntries(
      Object.keys(subjects).map((subject) => [subject, roleNames.filter((role) => mayPublish(role, subject))]),
    );
    expect(appenders).toEqual(subjects);
  });

  it.each(roleNames)('keeps the replies of the others from %s', (role) => {
    const readable = roleNames.filter((other) => maySubscribe(role, `${inboxPrefix(other)}.a.b`));
    expect(readable).toEqual([role]);
  });

  it('lets nobody listen to a log or to a service that it does not serve', () => {
    for (const role of roleNames) {
      for (const subject of ['ingest.workers', 'audit.baselines', '>', '$JS.>']) {
        const listens = permissionsOf(role).subscribe.filter((pattern) => pattern === subject || pattern === '>');
        expect(listens).toEqual([]);
        if (subject !== '>' && subject !== '$JS.>') expect(maySubscribe(role, subject)).toBe(false);
      }
    }
    expect(roleNames.filter((role) => maySubscribe(role, 'svc.matrix.search'))).toEqual(['index']);
    expect(roleNames.filter((role) => maySubscribe(role, 'svc.embed.texts'))).toEqual(['embed']);
  });

  it('lets a responder answer those who may call it', () => {
    expect(mayPublish('embed', '_INBOX_gateway.a.1')).toBe(true);
    expect(mayPublish('embed', '_INBOX_index.a.1')).toBe(true);
    expect(mayPublish('embed', '_INBOX_operator.a.1')).toBe(true);
    expect(mayPublish('embed', '_INBOX_ingest.a.1')).toBe(false);
    expect(mayPublish('index', '_INBOX_playbook.a.1')).toBe(false);
    expect(mayPublish('gateway', '_INBOX_index.a.1')).toBe(false);
  });

  it('gives consumers on streams that are read, single messages on those that are only looked up', () => {
    expect(mayPublish('embed', '$JS.API.CONSUMER.CREATE.DOCUMENTS.embed.documents.>')).toBe(true);
    expect(mayPublish('embed', '$JS.ACK.DOCUMENTS.embed.1.1.1.1.0')).toBe(true);
    expect(mayPublish('embed', '$JS.API.DIRECT.GET.VECTORS.vectors.s.c.k')).toBe(true);
    expect(mayPublish('embed', '$JS.API.CONSUMER.CREATE.VECTORS.embed')).toBe(false);
    expect(mayPublish('gateway', '$JS.API.STREAM.MSG.GET.PLAYBOOKS')).toBe(false);
  });

  it('keeps producers to their subjects', () => {
    expect(permissionsOf('producer')).toEqual({ publish: ['ingest.*'], subscribe: ['_INBOX.>'] });
  });
});

describe('subjectsOverlap', () => {
  it.each([
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a', false],
    ['a.>', 'a.b.c', true],
    ['svc.>', 'svc.embed.*', true],
    ['$SRV.>', 'svc.embed.*', false],
    ['*.b', 'a.*', true],
    ['*.b', 'a.c', false],
  ])('%s and %s: %s', (first, second, overlap) => {
    expect(subjectsOverlap(first, second)).toBe(overlap);
    expect(subjectsOverlap(second, first)).toBe(overlap);
  });

  it('finds a literal subject under every pattern made from it', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(tokens, fc.nat(5), fc.nat(6), (subject, starAt, cutAt) => {
        const starred = subject.map((token, position) => (position === starAt ? '*' : token));
        const cut = cutAt > 0 && cutAt < subject.length ? [...starred.slice(0, cutAt), '>'] : starred;
        expect(subjectsOverlap(cut.join('.'), subject.join('.'))).toBe(true);
      }),
    );
  });
});
