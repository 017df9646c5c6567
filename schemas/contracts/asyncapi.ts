import { z } from 'zod';
import { catalog, deliveries, type EventName, type StreamName } from '../catalog.ts';
import { spokenBatchSchema, spokenChangeSchema } from '../events/ingest.ts';
import { operations } from '../operations.ts';
import { contractVersion, type JsonSchema, jsonSchema } from './json-schema.ts';

/**
 * The AsyncAPI 3 document of the subjects, made of the event catalogue and of the operations that a service answers.
 * It is written from the side of this system: `receive` is what a producer may send to it, `send` what it says.
 */
export function asyncApiDocument(): JsonSchema {
  const events = (Object.keys(catalog) as EventName[]).map(eventParts);
  const services = operations.flatMap((operation) =>
    operation.subject === undefined ? [] : [serviceParts(operation)],
  );
  const parts = [...events, ...distinct(services)];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Lakehouse log and services',
      version: contractVersion,
      description: 'The events of the log, and the request-reply subjects behind the gateway.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: '127.0.0.1:4222', protocol: 'nats', description: 'the nats-server of this machine' },
    },
    channels: Object.assign({}, ...parts.map(({ channels }) => channels)),
    operations: Object.assign({}, ...parts.map((part) => part.operations)),
    components: { messages: Object.assign({}, ...parts.map(({ messages }) => messages)) },
  };
}

interface Parts {
  readonly channels: Record<string, JsonSchema>;
  readonly operations: Record<string, JsonSchema>;
  readonly messages: Record<string, JsonSchema>;
}

/** The streams that anybody may append to; the others are written by this system's own workers. */
const producerStreams: readonly StreamName[] = ['INGEST', 'EVIDENCE'];

function eventParts(name: EventName): Parts {
  const { subject, stream, wire, version, deliveredTo } = catalog[name];
  const key = keyOf(name);
  const received = producerStreams.includes(stream);
  const workers = deliveredTo.map((worker) => `${worker} (${deliveries[worker].mode})`);
  const told = workers.length === 0 ? 'read on request' : `delivered to ${workers.join(', ')}`;
  return {
    channels: {
      [key]: {
        address: addressOf(subject),
        description: `Stream ${stream}; ${told}.`,
        parameters: parametersOf(subject),
        messages: { [key]: reference(`components/messages/${key}`) },
      },
    },
    operations: {
      [`${received ? 'receive' : 'send'}${capital(key)}`]: {
        action: received ? 'receive' : 'send',
        channel: reference(`channels/${key}`),
        messages: [reference(`channels/${key}/messages/${key}`)],
      },
    },
    messages: {
      [key]: {
        name: `${name}.v${version}`,
        contentType: wire === 'envelope' ? 'application/cloudevents+json' : 'application/json',
        summary: wireSummaries[wire],
        payload: wire === 'envelope' ? envelopeOf(name) : payloadOf(name),
      },
    },
  };
}

const wireSummaries = {
  envelope: 'CloudEvents 1.0, structured JSON',
  open: 'Plain JSON, or anybody’s CloudEvents 1.0 envelope with it as `data`',
  line: 'One line of JSON whose bytes are the event',
} as const;

function envelopeOf(name: EventName): JsonSchema {
  return {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', minLength: 1 },
      source: { type: 'string', minLength: 1 },
      type: { const: `${name}.v${catalog[name].version}` },
      time: { type: 'string', format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      traceid: { type: 'string' },
      data: payloadOf(name),
    },
  };
}

/** Events whose schema only reads a value before it is checked: what it takes is said here. */
const written: Partial<Record<EventName, z.ZodType>> = {
  'lakehouse.ingest': z.union([spokenChangeSchema, spokenBatchSchema]),
};

function payloadOf(name: EventName): JsonSchema {
  return jsonSchema(written[name] ?? catalog[name].schema, 'input');
}

function serviceParts({ id, subject = '', summary, requests = [], replies }: (typeof operations)[number]): Parts {
  const key = `${keyOf(subject)}Request`;
  const answer = `${keyOf(subject)}Reply`;
  const reply = Object.values(replies)[0]?.body?.schema ?? z.unknown();
  return {
    channels: {
      [key]: { address: subject, description: summary, messages: { [key]: reference(`components/messages/${key}`) } },
      // The address of an answer is the inbox that its request names.
      [answer]: { address: null, messages: { [answer]: reference(`components/messages/${answer}`) } },
    },
    operations: {
      [`answer${capital(id)}`]: {
        action: 'receive',
        summary,
        channel: reference(`channels/${key}`),
        messages: [reference(`channels/${key}/messages/${key}`)],
        reply: {
          address: { location: '$message.header#/replyTo' },
          channel: reference(`channels/${answer}`),
          messages: [reference(`channels/${answer}/messages/${answer}`)],
        },
      },
    },
    messages: {
      [key]: { name: subject, payload: jsonSchema(requests[0]?.schema ?? z.unknown(), 'input') },
      [answer]: { name: `${subject} answer`, payload: jsonSchema(reply, 'output') },
    },
  };
}

/** Several paths may lead to one service: it is told once. */
function distinct(parts: readonly Parts[]): Parts[] {
  const byChannel = new Map(parts.map((part) => [Object.keys(part.channels).join(), part]));
  return [...byChannel.values()];
}

function addressOf(subject: string): string {
  return subject.replace(/<([a-z]+)>/g, '{$1}');
}

function parametersOf(subject: string): Record<string, JsonSchema> {
  const tokens = [...subject.matchAll(/<([a-z]+)>/g)].map(([, token = '']) => token);
  return Object.fromEntries(tokens.map((token) => [token, { description: parameterDescriptions[token] ?? token }]));
}

const parameterDescriptions: Readonly<Record<string, string>> = {
  corpus: 'the name of a corpus, of a-z, 0-9, _ and -',
  key: 'the id made safe for a subject: base64url, or a hash where that would be long',
  space: 'model, dimension and prefix scheme, made safe for a subject',
  source: 'who observed it',
  stream: 'the stream whose message was rejected, in lower case',
  worker: 'the worker that rejected it',
  stem: 'the name of the source, without its file extension',
};

function reference(path: string): { $ref: string } {
  return { $ref: `#/${path}` };
}

/** `svc.matrix.search` -> `svcMatrixSearch` */
function keyOf(name: string): string {
  return name.replace(/^lakehouse\./, '').replace(/[.-]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
