/** What went wrong around the nats-server process; stable codes, so that callers decide by them and not by words. */
export type ServerErrorCode =
  | 'server-not-found'
  | 'server-unusable'
  | 'install-failed'
  | 'unsupported-setting'
  | 'port-taken'
  | 'start-failed'
  | 'credentials-unreadable';

/** A failure a person has to act on: the message tells what happened, what it means and what to do. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
