import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { places } from './places.ts';
import { roleDeck, roles } from './roles.ts';
import {
  embedText,
  knownWorkers,
  type WorkerDocument,
  workerAt,
  workerDocument,
  workerStatuses,
  workers,
} from './workers.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const corpus = (count: number, seed?: number): WorkerDocument[] => [
  ...workers(seed === undefined ? { count } : { count, seed }),
];

describe('workers', () => {
  it('are the same for the same seed and others for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(corpus(50, seed)).toEqual(corpus(50, seed));
        expect(corpus(50, seed)).not.toEqual(corpus(50, (seed + 1) % 2 ** 32));
      }),
      { numRuns: 20 },
    );
  });

  it('begin alike whatever the size', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), (seed, one, other) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)];
        expect(corpus(large, seed).slice(0, small)).toEqual(corpus(small, seed));
      }),
      { numRuns: 20 },
    );
  });

  it('number 200 by default and hold as the head of 5,000', () => {
    const head = [...workers()];
    expect(head).toHaveLength(200);
    expect(corpus(5000).slice(0, 200)).toEqual(head);
  });

  it('have the ids w-1 to w-N in order', () => {
    expect(corpus(300).map((document) => document.id)).toEqual(Array.from({ length: 300 }, (_, at) => `w-${at + 1}`));
  });

  it('are made lazily: the first of ten million is there at once', () => {
    expect(workers({ count: 10_000_000 }).next().value).toEqual(workerDocument(workerAt(1)));
  });

  it('are refused for a count that makes no sense', () => {
    for (const count of [-1, 1.5, Number.NaN, 1e9]) expect(() => corpus(count)).toThrow(RangeError);
  });

  it('include the four known people in their places, whatever the seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const [row, known] of knownWorkers) expect(workerAt(row, seed)).toMatchObject(known);
      }),
    );
    expect(workerAt(43)).toMatchObject({
      name: 'Brian Ramirez',
      role: 'Forklift Operator',
      city: 'Springfield',
      state: 'IL',
    });
    expect(workerAt(102)).toMatchObject({
      name: 'Laura Long',
      role: 'Forklift Operator',
      city: 'Cleveland',
      state: 'OH',
    });
    expect(workerAt(101)).toMatchObject({
      name: 'Terrence Gray',
      role: 'Forklift Operator',
      city: 'Champaign',
      state: 'IL',
    });
    expect(workerAt(175)).toMatchObject({ name: 'Kevin Ruiz', role: 'Machine Operator', city: 'Detroit', state: 'MI' });
  });

  it('are forklift operators for 10 to 12 in a hundred of 5,000, whatever the seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const count = corpus(5000, seed).filter((document) => document.metadata.role === 'Forklift Operator').length;
        expect(count).toBeGreaterThanOrEqual(500);
        expect(count).toBeLessThanOrEqual(600);
      }),
      { numRuns: 4 },
    );
  });

  it('cover every role and place in 5,000 and hardly repeat a text', () => {
    const all = corpus(5000);
    expect(new Set(all.map((document) => document.metadata.role)).size).toBe(roles.length);
    expect(new Set(all.map((document) => `${document.metadata.city} ${document.metadata.state}`)).size).toBe(
      places.length,
    );
    expect(new Set(all.map((document) => document.text)).size).toBeGreaterThan(4990);
    expect(new Set(all.map((document) => document.metadata.email)).size).toBe(5000);
  });

  it('have text, invented addresses and numbers, and values in range', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 10_000_000 }), (seed, row) => {
        const { metadata, text } = workerDocument(workerAt(row, seed));
        expect(metadata.email).toMatch(/^[a-z]+\.[a-z]+\.\d+@example\.(com|org|net)$/);
        expect(metadata.phone).toMatch(/^(001-)?[2-9]\d\d-555-01\d\d$/);
        expect(metadata.reliability).toBeGreaterThanOrEqual(0);
        expect(metadata.reliability).toBeLessThanOrEqual(1);
        expect(workerStatuses).toContain(metadata.status);
        expect(metadata.skills.length).toBeGreaterThanOrEqual(3);
        expect(
          text.startsWith(`Worker role: ${metadata.role}. Skills: ${metadata.skills.join(', ')}. Certifications: `),
        ).toBe(true);
        expect(text).not.toMatch(/undefined|\bnull\b| {2}/);
        expect(text.split(' ').length).toBeLessThan(120);
      }),
    );
  });

  it('have some phone numbers that begin with a zero', () => {
    const phones = corpus(200).map((document) => document.metadata.phone);
    expect(phones.every((phone) => typeof phone === 'string')).toBe(true);
    expect(phones.some((phone) => phone.startsWith('0'))).toBe(true);
  });

  it('survive a trip through JSON', () => {
    const all = corpus(20);
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });
});

it('writes the embedded text from role, skills, certifications and resume', () => {
  const worker = {
    role: 'Loader',
    skills: ['load straps', 'dock plates'],
    certifications: ['OSHA-10'],
    resume_text: 'Lifts.',
  };
  expect(embedText(worker)).toBe(
    'Worker role: Loader. Skills: load straps, dock plates. Certifications: OSHA-10. Lifts.',
  );
  expect(embedText({ ...worker, certifications: [] })).toContain('Certifications: none. Lifts.');
});

it('deals from at least two dozen roles and some sixty places', () => {
  expect(roles.length).toBeGreaterThanOrEqual(24);
  expect(places.length).toBeGreaterThanOrEqual(60);
  expect(new Set(roles.map((role) => role.role)).size).toBe(roles.length);
  expect(new Set(places.map((place) => `${place.city} ${place.state}`)).size).toBe(places.length);
  expect(places.every((place) => /^[2-9]\d\d$/.test(place.areaCode) && /^[A-Z]{2}$/.test(place.state))).toBe(true);
  expect(roleDeck.filter((role) => role.role === 'Forklift Operator')).toHaveLength(11);
});
