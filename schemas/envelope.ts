import { z } from 'zod';
import { traceIdSchema } from './primitives.ts';

/** CloudEvents 1.0 in its structured JSON form, as every event inside this system is written. */
export const envelopeSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  time: z.string().optional(),
  subject: z.string().optional(),
  datacontenttype: z.string().optional(),
  traceid: traceIdSchema.optional(),
  /** Whatever it is: one that is malformed is let go when it is read, and the event is none the worse. */
  traceparent: z.unknown().optional(),
  data: z.unknown(),
});
export type Envelope = z.output<typeof envelopeSchema>;

/** An event that was read: its type, the trace that caused it, and its data in the newest version of its schema. */
export interface DecodedEvent<Type extends string, Data> {
  readonly type: Type;
  readonly traceId: string | undefined;
  /** W3C Trace Context, well formed. */
  readonly traceparent: string | undefined;
  readonly data: Data;
}

export type DecodeFailure = {
  readonly reason:
    | 'bad_json'
    | 'bad_envelope'
    | 'unknown_type'
    | 'unknown_version'
    | 'invalid_event'
    | 'invalid_vector';
  readonly message: string;
};

export type Upcaster = (data: unknown) => unknown;

/** `name.v3` as name and version; `undefined` where it has no version. */
export function parseTypeName(type: string): { name: string; version: number } | undefined {
  const [, name, version] = /^(.+)\.v([1-9][0-9]{0,3})$/.exec(type) ?? [];
  return name === undefined ? undefined : { name, version: Number(version) };
}

/**
 * Brings data of an old version up to the newest, one step a version.
 * @param upcasters `upcasters[n]` turns version n into n + 1; a missing step is a version that was never written
 */
export function upcast(
  data: unknown,
  version: number,
  newest: number,
  upcasters: Readonly<Record<number, Upcaster>>,
): { data: unknown } | DecodeFailure {
  let current = data;
  if (version > newest)
    return { reason: 'unknown_version', message: `version ${version} is newer than ${newest}, the newest known here` };
  for (let step = version; step < newest; step++) {
    const next = upcasters[step];
    if (next === undefined)
      return { reason: 'unknown_version', message: `version ${version} can not be read any more` };
    current = next(current);
  }
  return { data: current };
}
