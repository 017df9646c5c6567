import { type Problem, type ProblemCode, problems } from '../../schemas/problems.ts';

/** The gateway answered with a problem: its status, stable code and detail are those of the problem. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly problem: Problem;
  /** Seconds after which the gateway asks to be tried again, where it said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type UnreachableReason = 'refused' | 'deadline' | 'broken' | 'not-a-gateway';

/** No answer came, or none of a gateway's. */
export class GatewayUnreachableError extends Error {
  override readonly name = 'GatewayUnreachableError';
  readonly url: string;
  readonly reason: UnreachableReason;

  constructor(url: string, reason: UnreachableReason, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.url = url;
    this.reason = reason;
  }
}

/** The problem that an error body holds; `undefined` where the body is not one of this system's problems. */
export function readProblem(status: number, body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, detail, title, type } = body as Record<string, unknown>;
  if (typeof code !== 'string' || !isProblemCode(code)) return undefined;
  return {
    ...body,
    code,
    status,
    type: typeof type === 'string' ? type : `urn:lakehouse:problem:${code}`,
    title: typeof title === 'string' ? title : problems[code].title,
    detail: typeof detail === 'string' ? detail : problems[code].title,
  };
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}
