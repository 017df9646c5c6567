import { connect, type Socket } from 'node:net';
import { createResponseReader, ProtocolError, type ResponseEnd, type ResponseReader } from './response-reader.ts';

/** Where a load run sends its requests. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Without a byte from the server for so long, a request has failed. */
  readonly requestTimeoutMs: number;
}

/** Called once for a request: with the status, or with 0 and what went wrong (`ECONNRESET`, `ETIMEDOUT`, ...). */
export type Settled = (status: number, failure: string) => void;

/** What any connection has read last, until its reader returns: memory that is new for every response costs more than that. */
const received = Buffer.alloc(64 * 1024);

function failureName(error: unknown): string {
  if (error instanceof ProtocolError) return 'EPROTO';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

/**
 * One kept-alive HTTP/1.1 connection with at most one request under way, straight over a socket. It is opened by the
 * first request and again by the first one after it was closed.
 */
export class Connection {
  readonly #target: Target;
  #socket: Socket | undefined;
  #settled: Settled | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Opens the socket ahead of the first request; a failure is left for that request to meet. */
  open(): Promise<void> {
    const socket = this.#connected();
    return new Promise((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', () => resolve());
    });
  }

  /** Sends a whole request (head and body). Must not be called while another one is under way. */
  exchange(request: Buffer, settled: Settled): void {
    if (this.#settled !== undefined) throw new Error('a connection carries one request at a time');
    this.#settled = settled;
    this.#connected().write(request);
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connected(): Socket {
    if (this.#socket?.writable === true) return this.#socket;
    const { host, port, requestTimeoutMs } = this.#target;
    const reader = createResponseReader();
    const onread = {
      buffer: received,
      callback: (bytes: number) => {
        this.#received(socket, reader, received.subarray(0, bytes));
        return true;
      },
    };
    const socket: Socket = connect({ host, port, noDelay: true, onread });
    this.#socket = socket;
    socket.setTimeout(requestTimeoutMs, () => this.#fail(socket, 'ETIMEDOUT'));
    socket.on('error', (error) => this.#fail(socket, failureName(error)));
    socket.on('close', () => this.#ended(socket, reader));
    return socket;
  }

  #received(socket: Socket, reader: ResponseReader, bytes: Buffer): void {
    if (this.#socket !== socket) return;
    let response: ResponseEnd | undefined;
    try {
      response = reader.feed(bytes);
    } catch (error) {
      this.#fail(socket, failureName(error));
      return;
    }
    if (response === undefined) return;
    if (!response.keepAlive) this.#drop(socket);
    this.#settle(response.status, '');
  }

  #ended(socket: Socket, reader: ResponseReader): void {
    if (this.#socket !== socket) return;
    this.#drop(socket);
    const response = reader.end();
    if (response === undefined) this.#settle(0, 'ECONNRESET');
    else this.#settle(response.status, '');
  }

  #fail(socket: Socket, failure: string): void {
    if (this.#socket !== socket) return;
    this.#drop(socket);
    this.#settle(0, failure);
  }

  #drop(socket: Socket): void {
    this.#socket = undefined;
    socket.destroy();
  }

  #settle(status: number, failure: string): void {
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.(status, failure);
  }
}
