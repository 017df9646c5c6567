import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRequestLog, type RequestLine } from './request-log.ts';

const line: RequestLine = {
  method: 'POST',
  route: '/v1/matrix/search',
  status: 200,
  durationMs: 1.23456,
  traceId: 'mine',
  bytesIn: 2,
  bytesOut: 3,
  gone: false,
};

function written(one: RequestLine): Record<string, unknown> {
  const texts: string[] = [];
  const log = createRequestLog(
    (text) => void texts.push(text),
    { name: 'gateway', pid: 7, hostname: 'here' },
    { nowMs: () => 5 },
  );
  log(one);
  expect(texts).toHaveLength(1);
  expect(texts[0]?.indexOf('\n')).toBe((texts[0]?.length ?? 0) - 1);
  return JSON.parse(texts[0] ?? '');
}

describe('the line of a request', () => {
  it('reads as pino writes lines', () => {
    const { durationMs, gone: _gone, ...rest } = line;
    expect(written(line)).toEqual({
      level: 30,
      time: 5,
      pid: 7,
      hostname: 'here',
      name: 'gateway',
      ...rest,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      msg: 'POST /v1/matrix/search 200',
    });
  });

  it('tells that a client went away', () => {
    expect(written({ ...line, gone: true })).toMatchObject({ gone: true });
  });

  it('stays one line of JSON whatever a client sends as its trace', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (traceId) => {
        expect(written({ ...line, traceId }).traceId).toBe(traceId);
      }),
    );
  });
});
