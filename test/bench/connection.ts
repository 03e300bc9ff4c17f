/**
 * One keep-alive connection to a server, as thin as a client can be: the load must cost less than what it measures.
 * Requests are bytes made beforehand; of an answer only the status and the number of bytes are kept.
 */
import { connect, type Socket } from "node:net";

export interface Connection {
  /** Sends one request and waits for the whole answer. @returns the status, or 0 when the connection broke. */
  send(request: Buffer): Promise<number>;
  /** Bytes received so far, headers included. */
  readonly received: () => number;
  close(): void;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const CRLF = Buffer.from("\r\n");
const NOTHING: Buffer = Buffer.alloc(0);

/** The body's bytes that are still to come: of a known length, or of the present chunk. */
type Framing = { readonly kind: "length"; left: number } | { readonly kind: "chunked"; left: number };

export function createConnection(port: number): Connection {
  let socket: Socket | null = null;
  let received = 0;
  let pending = NOTHING;
  let framing: Framing | null = null;
  let status = 0;
  let closes = false;
  let answer: ((status: number) => void) | null = null;

  function finish(code: number): void {
    const done = answer;
    answer = null;
    framing = null;
    if (closes) drop();
    done?.(code);
  }

  function drop(): void {
    socket?.destroy();
    socket = null;
    pending = NOTHING;
  }

  /** @returns the framing of the answer whose head is complete, or null when more bytes are needed. */
  function readHead(): Framing | null {
    const end = pending.indexOf(HEAD_END);
    if (end < 0) return null;
    const head = pending.toString("latin1", 0, end + 2).toLowerCase();
    pending = pending.subarray(end + 4);
    status = Number(head.slice(9, 12));
    closes = head.includes("\r\nconnection: close\r\n");
    if (head.includes("\r\ntransfer-encoding: chunked\r\n")) return { kind: "chunked", left: -1 };
    return { kind: "length", left: Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0) };
  }

  /** Passes over body bytes. @returns whether the body is complete. */
  function readBody(body: Framing): boolean {
    if (body.kind === "length") {
      const taken = Math.min(body.left, pending.length);
      pending = pending.subarray(taken);
      body.left -= taken;
      return body.left === 0;
    }
    for (;;) {
      if (body.left < 0) {
        const end = pending.indexOf(CRLF);
        if (end < 0) return false;
        const size = Number.parseInt(pending.toString("latin1", 0, end), 16);
        if (size === 0) {
          if (pending.length < end + 4) return false;
          pending = pending.subarray(end + 4);
          return true;
        }
        pending = pending.subarray(end + 2);
        body.left = size + 2;
      }
      const taken = Math.min(body.left, pending.length);
      pending = pending.subarray(taken);
      body.left -= taken;
      if (body.left > 0) return false;
      body.left = -1;
    }
  }

  function take(chunk: Buffer): void {
    received += chunk.length;
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    framing ??= readHead();
    if (framing && readBody(framing)) finish(status);
  }

  function open(): Socket {
    const fresh = connect({ port, host: "127.0.0.1", noDelay: true });
    closes = false;
    fresh.on("data", take);
    fresh.on("error", () => fresh.destroy());
    fresh.on("close", () => {
      if (socket !== fresh) return;
      socket = null;
      pending = NOTHING;
      finish(0);
    });
    return fresh;
  }

  return {
    send: (request) =>
      new Promise((done) => {
        answer = done;
        socket ??= open();
        socket.write(request);
      }),
    received: () => received,
    close: drop,
  };
}
