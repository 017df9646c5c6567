import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planLoad, unsentBy } from './plan.ts';
import { parseTarget, renderRequests } from './requests.ts';

describe('planLoad', () => {
  it('spaces an open loop evenly and holds what was due before its end', () => {
    const plan = planLoad({ rate: 50, durationMs: 1000 }, 200);
    expect(plan.total).toBe(50);
    expect([0, 1, 49].map((index) => plan.dueMs?.(index))).toEqual([0, 20, 980]);
    expect(plan.lastSendMs).toBe(1200);
  });

  it('intends every request of an open loop before its end', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1e5, noNaN: true }),
        fc.integer({ min: 1, max: 1e6 }),
        (rate, durationMs) => {
          const { total, dueMs } = planLoad({ rate, durationMs }, 0);
          expect(dueMs?.(total - 1)).toBeLessThan(durationMs + 1e-6);
          expect(dueMs?.(total)).toBeGreaterThanOrEqual(durationMs - 1e-6);
        },
      ),
    );
  });

  it('ends at the requests or at the time, whichever is first', () => {
    expect(planLoad({ requests: 10, durationMs: 500 }, 0)).toMatchObject({ total: 10, lastSendMs: 500 });
    expect(planLoad({ durationMs: 500 }, 0)).toMatchObject({ total: Number.POSITIVE_INFINITY, lastSendMs: 500 });
    expect(planLoad({ requests: 10 }, 0).lastSendMs).toBe(Number.POSITIVE_INFINITY);
    expect(planLoad({ requests: 10, rate: 100, durationMs: 500 }, 0).total).toBe(10);
  });

  it('has no due times in a closed loop', () => {
    expect(planLoad({ requests: 1 }, 0).dueMs).toBeUndefined();
  });
});

describe('unsentBy', () => {
  const plan = planLoad({ rate: 100, durationMs: 1000 }, 500);

  it('counts what was due and not sent', () => {
    expect(unsentBy(plan, 100, 1500, 40)).toBe(60);
    expect(unsentBy(plan, 100, 300, 30)).toBe(0);
    expect(unsentBy(plan, 100, 300, 10)).toBe(20);
  });

  it('is 0 in a closed loop', () => {
    expect(unsentBy(planLoad({ requests: 9 }, 0), undefined, 100, 3)).toBe(0);
  });
});

describe('renderRequests', () => {
  const url = parseTarget('http://127.0.0.1:3110/v1/matrix/search?side=a');

  it('writes head and body at once', () => {
    const [request] = renderRequests({
      url,
      method: 'POST',
      headers: { authorization: 'Bearer x' },
      bodies: [Buffer.from('{}')],
    });
    expect(request.toString()).toBe(
      'POST /v1/matrix/search?side=a HTTP/1.1\r\nHost: 127.0.0.1:3110\r\nContent-Type: application/json\r\n' +
        'Content-Length: 2\r\nauthorization: Bearer x\r\n\r\n{}',
    );
  });

  it('writes one request a body, counts bytes and keeps a given content type', () => {
    const bodies = [Buffer.from('é'), Buffer.from('')];
    const [first, second] = renderRequests({ url, method: 'POST', headers: { 'content-type': 'text/plain' }, bodies });
    expect(first.toString()).toContain('Content-Length: 2\r\n');
    expect(first.toString()).not.toContain('application/json');
    expect(second?.toString()).toContain('Content-Length: 0\r\n');
  });

  it('writes a request without a body', () => {
    const [request] = renderRequests({ url, method: 'GET', headers: {}, bodies: [] });
    expect(request.toString()).toBe('GET /v1/matrix/search?side=a HTTP/1.1\r\nHost: 127.0.0.1:3110\r\n\r\n');
  });

  it('refuses a header that would break out of its line, and other schemes than http', () => {
    const headers = { 'x-trace': 'a\r\nx: b' };
    expect(() => renderRequests({ url, method: 'GET', headers, bodies: [] })).toThrow(RangeError);
    for (const text of ['https://127.0.0.1/', 'localhost:3110', ''])
      expect(() => parseTarget(text)).toThrow(RangeError);
  });
});
