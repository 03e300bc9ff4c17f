/**
 * Receiving over WebSockets: who may, how many, how much, and when it ends. What is said over them is in `websocket.ts` and
 * `legacy.ts`. https://www.rfc-editor.org/rfc/rfc6455
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent } from "../operation.ts";
import { PROBLEMS } from "../problems.ts";
import { createRate } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { End } from "./channels.ts";
import { listenerOf, type Seats } from "./seats.ts";

/** Where a socket ends, and what is said with it. https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const CLOSES: Readonly<Record<End, readonly [code: number, reason: string]>> = {
  forbidden: [1008, "Access is gone"],
  restricted: [1008, "The owner has frozen this place"],
  ended: [1000, "The channel has ended"],
  removed: [1000, "The channel was removed"],
  "pod-gone": [1001, "The pod is not here any more"],
  stopping: [1001, "The server stops"],
  closed: [1000, ""],
  failed: [1011, "Something failed here; connect again"],
};
const BYE_MS = 1_000; // For the other side to say goodbye, too.
const PROTOCOLS: ReadonlySet<string> = new Set(["solid-0.1", "solid-0.2", "WebSocketChannel2023"]);

/** One connection, as whoever serves it sees it. */
export interface Line {
  /** Resolves when it is on its way. @throws Error when the other side takes nothing, or is gone. */
  send(text: string): Promise<void>;
  close(why: End): void;
}

/** Who serves a connection. */
export interface Served {
  /** A message of the other side. */
  heard(text: string): void;
  /** The other side is gone. */
  gone(): void;
}

/** Who is let in, decided before the handshake. */
export interface Admitted {
  readonly pod: Pod;
  readonly agent: Agent;
  readonly serve: (line: Line) => Served;
}

export interface SocketDeps {
  /** Paths that are received from over a WebSocket. */
  readonly isOurs: (path: string) => boolean;
  /** @throws Problem with which the handshake is refused. */
  readonly admit: (request: IncomingMessage, ip: string) => Promise<Admitted>;
  readonly seats: Seats;
  readonly limits: Pick<
    Limits,
    | "socketMessageBytesMax"
    | "socketMessagesPerMinuteMax"
    | "listenerPingMs"
    | "listenerStuckMsMax"
    | "listenersMax"
    | "headerFieldsMax"
  >;
  readonly log: Log;
  readonly now: () => Date;
  /** Of the client. */
  readonly ipOf: (request: IncomingMessage) => string;
}

/** What the HTTP server asks and hands over. */
export interface Sockets {
  /** Whether a request is for a WebSocket here; all others are answered as if they had not asked. */
  wants(request: IncomingMessage): boolean;
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/** Answers by hand, for the connection is no HTTP request's any more. */
function refuse(socket: Duplex, error: unknown, log: Log): void {
  if (!(error instanceof Problem)) log.error("notify.socket-failed", { cause: String(error) });
  const { code, detail, headers } = error instanceof Problem ? error : new Problem("internal");
  const { status, title, next } = PROBLEMS[code];
  const body = JSON.stringify({
    type: `/ns/problems#${code}`,
    title,
    status,
    ...(detail && { detail }),
    next,
  });
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  // Whoever keeps the other end open would keep the connection: no limit of HTTP's own holds for it any more.
  socket.resume();
  setTimeout(() => socket.destroy(), BYE_MS).unref();
}

export function createSockets(deps: SocketDeps): Sockets {
  const { isOurs, admit, seats, limits, log, now, ipOf } = deps;
  const open = new Map<WebSocket, (why: End) => void>();
  let isClosed = false;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // Messages are short; and what is compressed together tells of its parts.
    maxPayload: limits.socketMessageBytesMax,
    handleProtocols: (offered) => [...offered].find((one) => PROTOCOLS.has(one)) ?? false,
  });

  function lineOf(socket: WebSocket): Line {
    return {
      async send(text) {
        if (socket.readyState !== socket.OPEN) throw new Error("The receiver has left");
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const stuck = setTimeout(() => {
          socket.terminate();
          reject(new Error("The receiver takes nothing"));
        }, limits.listenerStuckMsMax);
        socket.send(text, (error) => (error ? reject(error) : resolve()));
        await promise.finally(() => clearTimeout(stuck));
      },
      close(why) {
        const [code, reason] = CLOSES[why];
        if (socket.readyState === socket.OPEN) socket.close(code, reason);
        setTimeout(() => socket.terminate(), BYE_MS).unref();
      },
    };
  }

  function begin(socket: WebSocket, { serve }: Admitted, release: () => void): void {
    const line = lineOf(socket);
    const mayGoOn = createRate(limits.socketMessagesPerMinuteMax, 60_000, 1, now);
    let isAlive = true;
    const pings = setInterval(() => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    }, limits.listenerPingMs).unref();
    /** Of everything that the other side can send: pings must be answered, so they are counted, too. */
    const isFlood = (): boolean => {
      if (mayGoOn("") === 0) return false;
      socket.terminate();
      return true;
    };
    socket.on("pong", () => void (isAlive = !isFlood()));
    socket.on("ping", () => void isFlood());
    socket.on("error", () => socket.terminate()); // A frame that is none, or too long: it was told why.
    open.set(socket, (why) => line.close(why));
    const served = serve(line);
    socket.on("message", (content, isBinary) => {
      if (isFlood()) return;
      if (isBinary) return socket.close(1003, "Text only");
      served.heard((content as Buffer).toString("utf8"));
    });
    socket.on("close", () => {
      clearInterval(pings);
      open.delete(socket);
      release();
      served.gone();
    });
  }

  async function shake(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (isClosed) throw new Problem("unavailable");
    if (request.rawHeaders.length > limits.headerFieldsMax * 2)
      throw new Problem("headers-too-large", `At most ${limits.headerFieldsMax} header fields`);
    const ip = ipOf(request);
    const admitted = await admit(request, ip);
    if (socket.destroyed) return;
    if (isClosed) throw new Problem("unavailable"); // Meanwhile; and nobody would end it.
    const release = seats.take(admitted.pod, listenerOf(admitted.agent, ip));
    // What the library refuses it answers and closes itself: then the place is free again.
    socket.once("close", release);
    server.handleUpgrade(request, socket, head, (upgraded) => begin(upgraded, admitted, release));
  }

  return {
    wants: ({ headers, method, url = "" }) =>
      method === "GET" &&
      headers.upgrade?.toLowerCase() === "websocket" &&
      isOurs(url.replace(/^https?:\/\/[^/?#]*/i, "").split("?", 1)[0] ?? ""),
    take(request, socket, head) {
      const ignored = (): void => void socket.destroy();
      socket.on("error", ignored);
      shake(request, socket, head).then(
        () => socket.off("error", ignored),
        (error: unknown) => refuse(socket, error, log), // What is refused may break off at any time.
      );
    },
    async close() {
      isClosed = true;
      const all = [...open];
      await Promise.all(
        all.map(
          ([socket, end]) =>
            new Promise<void>((resolve) => {
              socket.once("close", () => resolve());
              end("stopping");
            }),
        ),
      );
    },
  };
}
