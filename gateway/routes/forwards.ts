import type { FastifyRequest } from 'fastify';
import { corpusSchema } from '../../schemas/primitives.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { bodyOf, emptyBody } from '../replies.ts';

/** A path that is answered by a service: bytes there, bytes back. */
export interface Forward {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly subject: string;
  /** Which configured deadline it has. */
  readonly deadline: 'search' | 'embed' | 'wait';
  /** Many short requests travel together; one that may take long travels alone. */
  readonly gather: boolean;
  /** What is sent. @throws ProblemError */
  readonly body: (request: FastifyRequest) => Buffer;
  /** What a service's 200 is told as. */
  readonly created?: true;
}

const nothing = () => emptyBody;
const asked = { deadline: 'search', gather: false } as const;

export const forwards: readonly Forward[] = [
  { ...post('/v1/matrix/search', 'svc.matrix.search'), gather: true },
  { ...post('/v1/matrix/retrieve', 'svc.matrix.search'), gather: true },
  get('/v1/matrix/corpora', 'svc.matrix.corpora'),
  post('/v1/matrix/relevance', 'svc.matrix.relevance'),
  post('/v1/matrix/downgrade', 'svc.matrix.downgrade'),
  post('/v1/matrix/playbooks/record', 'svc.playbooks.record'),
  { ...post('/v1/matrix/playbooks/bulk', 'svc.playbooks.bulk'), deadline: 'embed' },
  post('/v1/matrix/playbooks/retract', 'svc.playbooks.retract'),
  { ...post('/v1/embed', 'svc.embed.texts'), deadline: 'embed' },
  get('/v1/embed/stats', 'svc.embed.stats'),
  get('/v1/observer/stats', 'svc.observer.stats'),
  get('/v1/observer/health', 'svc.observer.health'),
  get('/v1/observer/rejected', 'svc.observer.rejected'),
  post('/v1/observer/event', 'svc.observer.event'),
  { ...get('/v1/audit/baselines', 'svc.audit.baselines'), body: pathAndQuery },
  get('/v1/audit/drift', 'svc.audit.drift'),
  { ...post('/v1/audit/run', 'svc.audit.run'), deadline: 'wait' },
  { ...get('/v1/replay/runs', 'svc.replay.runs'), body: pathAndQuery },
  get('/v1/index/info', 'svc.index.info'),
  { ...get('/v1/index/digest', 'svc.index.digest'), deadline: 'wait', body: digestBody },
  { ...get('/v1/corpora/:corpus/documents', 'svc.index.documents'), body: pathAndQuery },
  { ...get('/v1/corpora/:corpus/documents/:id', 'svc.index.document'), body: pathAndQuery },
  { ...get('/v1/playbooks/:corpus', 'svc.index.playbooks'), body: pathAndQuery },
  { ...post('/v1/vectors/index', 'svc.vectors.create'), deadline: 'wait', created: true },
  { ...get('/v1/vectors/index', 'svc.vectors.list'), body: pathAndQuery },
  { ...get('/v1/vectors/index/:name', 'svc.vectors.info'), body: pathAndQuery },
  {
    ...get('/v1/vectors/index/:name', 'svc.vectors.drop'),
    method: 'DELETE',
    deadline: 'wait',
    body: pathAndQuery,
  },
  { ...post('/v1/vectors/index/:name/add', 'svc.vectors.add'), deadline: 'wait', body: pathAndBody },
  { ...post('/v1/vectors/index/:name/search', 'svc.vectors.search'), body: pathAndBody },
  { ...post('/v1/vectors/index/:name/merge', 'svc.vectors.merge'), deadline: 'wait', body: pathAndBody },
  { ...get('/v1/playbooks/:corpus/:id', 'svc.index.playbook'), body: pathAndQuery },
];

function post(url: string, subject: string): Forward {
  return { ...asked, method: 'POST', url, subject, body: bodyOf };
}

function get(url: string, subject: string): Forward {
  return { ...asked, method: 'GET', url, subject, body: nothing };
}

/** The body as it came, untouched, as `request`, and what stands in the path behind it, which so prevails. */
function pathAndBody(request: FastifyRequest): Buffer {
  const body = bodyOf(request);
  const path = JSON.stringify(request.params).slice(1);
  return Buffer.concat([
    Buffer.from('{"request":'),
    body.length === 0 ? Buffer.from('null') : body,
    Buffer.from(`,${path}`),
  ]);
}

/** What stands in the path and behind the question mark, as one object; the service checks it. The path prevails. */
function pathAndQuery({ params, query }: FastifyRequest): Buffer {
  return Buffer.from(JSON.stringify({ ...(query as object), ...(params as object) }), 'utf8');
}

function digestBody(request: FastifyRequest): Buffer {
  const { corpus } = request.query as Record<string, unknown>;
  if (corpus === undefined) return Buffer.from('{}');
  const named = corpusSchema.safeParse(corpus);
  if (named.success) return Buffer.from(JSON.stringify({ corpus: named.data }));
  throw new ProblemError('bad_request', `corpus: ${named.error.issues[0]?.message}`, { field: 'corpus' });
}
