import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalog, streamNames, subjectsOf } from './catalog.ts';
import { decodeEvent } from './decode.ts';
import { encodeEvent } from './encode.ts';
import { upcast } from './envelope.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf8');
const context = { id: 'x:1', source: 'test', time: '2026-01-01T00:00:00.000Z' };

describe('what a producer may say on ingest.<corpus>', () => {
  it('takes plain JSON', () => {
    const decoded = decodeEvent('INGEST', bytes({ id: 'w-1', text: 'Forklift operator' }));
    expect(decoded).toMatchObject({ ok: true, event: { data: { items: [{ id: 'w-1', text: 'Forklift operator' }] } } });
  });

  it('takes a CloudEvents 1.0 envelope of any type around it, and its trace', () => {
    const data = { id: 'w-1', text: 'Forklift operator' };
    const event = { specversion: '1.0', id: '1', source: '/crm', type: 'com.example.worker', traceid: 't-1', data };
    expect(decodeEvent('INGEST', bytes(event))).toMatchObject({
      ok: true,
      event: { traceId: 't-1', data: { items: [data] } },
    });
  });

  it('takes a batch as one event, and none of it where one item is bad', () => {
    const good = { id: 'w-1', text: 'a' };
    expect(decodeEvent('INGEST', bytes({ items: [good, { id: 'w-2', deleted: true }] }))).toMatchObject({ ok: true });
    expect(decodeEvent('INGEST', bytes({ items: [good, { id: 'w-2', text: ' ' }] }))).toMatchObject({
      ok: false,
      reason: 'invalid_event',
      message: 'items.1.text: must not be empty',
    });
  });

  it.each([
    ['not JSON', Buffer.from('{"id":'), 'bad_json'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'bad_json'],
    [
      'an envelope without data of ours',
      bytes({ specversion: '1.0', id: '1', source: 's', type: 't' }),
      'bad_envelope',
    ],
    ['an envelope of another version', bytes({ specversion: '0.3', id: '1', source: 's', type: 't' }), 'bad_envelope'],
    ['empty text', bytes({ id: 'w-1', text: '' }), 'invalid_event'],
    ['nothing said', bytes({ id: 'w-1' }), 'invalid_event'],
    ['a field that is not known', bytes({ id: 'w-1', txt: 'a' }), 'invalid_event'],
    ['a zero vector', bytes({ id: 'w-1', vector: [0, 0] }), 'invalid_vector'],
    ['a value beyond float32', bytes({ id: 'w-1', vector: [1e300, 1] }), 'invalid_vector'],
    ['another dimension than its space', bytes({ id: 'w-1', vector: [1, 1], space: 'mine@3' }), 'invalid_vector'],
    ['base64 of half a float', bytes({ id: 'w-1', vector: 'AAAAAAA=', space: 'mine@1' }), 'invalid_vector'],
    ['a deletion that brings text', bytes({ id: 'w-1', text: 'a', deleted: true }), 'invalid_event'],
  ])('refuses %s', (_, payload, reason) => {
    expect(decodeEvent('INGEST', payload)).toMatchObject({ ok: false, reason });
  });

  it('reads whatever bytes come without throwing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...streamNames),
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (stream, payload) => {
          expect(typeof decodeEvent(stream, payload).ok).toBe('boolean');
        },
      ),
    );
  });
});

describe('our own events', () => {
  const retracted = { playbook_id: 'pb-1126c52bd106df6b', corpus: 'playbook_memory' };

  it('come back as they were written', () => {
    const payload = encodeEvent('lakehouse.playbook-retracted', retracted, { ...context, traceId: 't-1' });
    expect(decodeEvent('PLAYBOOKS', payload)).toEqual({
      ok: true,
      event: { type: 'lakehouse.playbook-retracted', traceId: 't-1', data: retracted },
    });
  });

  it('tell a type of another stream and a version from the future apart', () => {
    const envelope = JSON.parse(encodeEvent('lakehouse.playbook-retracted', retracted, context).toString());
    expect(decodeEvent('VECTORS', bytes(envelope))).toMatchObject({ ok: false, reason: 'unknown_type' });
    const newer = { ...envelope, type: 'lakehouse.playbook-retracted.v2' };
    expect(decodeEvent('PLAYBOOKS', bytes(newer))).toMatchObject({ ok: false, reason: 'unknown_version' });
  });
});

describe('upcasting', () => {
  const steps = {
    1: (data: unknown) => ({ ...(data as object), two: true }),
    2: (data: unknown) => ({ ...(data as object), three: true }),
  };

  it('takes old data up one version after another', () => {
    expect(upcast({ one: true }, 1, 3, steps)).toEqual({ data: { one: true, two: true, three: true } });
    expect(upcast({ one: true }, 3, 3, steps)).toEqual({ data: { one: true } });
  });

  it('says which version it can not read', () => {
    expect(upcast({}, 4, 3, steps)).toMatchObject({ reason: 'unknown_version' });
    expect(upcast({}, 1, 3, { 2: steps[2] })).toMatchObject({ reason: 'unknown_version' });
  });
});

describe('the catalog', () => {
  it('gives every stream at least one subject, and no subject to two streams', () => {
    const all = streamNames.flatMap((stream) => subjectsOf(stream));
    expect(streamNames.every((stream) => subjectsOf(stream).length > 0)).toBe(true);
    expect(new Set(all).size).toBe(all.length);
  });

  it('has an upcaster for every version before the newest', () => {
    for (const { version, upcasters } of Object.values(catalog))
      expect(Object.keys(upcasters).map(Number)).toEqual(Array.from({ length: version - 1 }, (_, index) => index + 1));
  });
});

describe('the traceparent of an event', () => {
  const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const envelope = { specversion: '1.0', id: '1', source: '/crm', type: 'worker', data: { id: 'w-1', text: 'Packer' } };
  const decoded = (traceparent: unknown) =>
    decodeEvent('INGEST', Buffer.from(JSON.stringify({ ...envelope, traceparent })));

  it('is read', () => {
    expect(decoded(given)).toMatchObject({ ok: true, event: { traceparent: given } });
  });

  it.each(['', 'x', 7, null, { a: 1 }, undefined])(
    'is let go where it is %j, and the event is none the worse',
    (malformed) => {
      expect(decoded(malformed)).toMatchObject({
        ok: true,
        event: { traceparent: undefined, data: expect.anything() },
      });
    },
  );
});
