/** The socket side: timeouts, caps, and answers to what is not even HTTP. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Limits } from "../limits.ts";
import { PROBLEMS } from "../problems.ts";

/** What Node's parser says when it gives up, as the problem we answer. */
const PARSER_PROBLEMS: Readonly<Record<string, keyof typeof PROBLEMS>> = {
  HPE_INVALID_METHOD: "method-not-allowed",
  HPE_HEADER_OVERFLOW: "headers-too-large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

const BYE_MS = 1_000; // For a refusal to arrive.
const IDLE_LOOK_MS = 50; // How soon a connection is closed after its last answer.
const STOP_MS_MAX = 10_000; // What is not answered by then is cut off.

/** Answers by hand, for no request was understood; the connection ends, for nobody knows where the next one would begin. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, open: ServerResponse | undefined): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  if (open?.headersSent && !open.writableFinished) {
    socket.destroy(); // In the middle of another answer, ours would be taken for a part of it.
    return;
  }
  const code = PARSER_PROBLEMS[error.code ?? ""] ?? "bad-request";
  const { status, title, next } = PROBLEMS[code];
  const body = JSON.stringify({ type: `/ns/problems#${code}`, title, status, next });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    ...(status === 405 ? ["allow: GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE"] : []),
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Leave to send is given when somebody begins to read: not before it is known that the content is wanted. */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  request.on("newListener", function onListener(event: string) {
    if (event !== "data" && event !== "readable") return;
    request.off("newListener", onListener);
    if (!response.headersSent) response.writeContinue();
  });
}

/** Who takes connections that go on as something else than HTTP. */
export interface Upgrades {
  /** Whether a request is for that; all others are answered as if they had not asked. */
  wants(request: IncomingMessage): boolean;
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** An HTTP/1.1 server with every limit of the connection set; not yet listening. */
export function createHttpServer(listener: RequestListener, limits: Limits, upgrades?: Upgrades): Server {
  const server = createServer({
    shouldUpgradeCallback: (request) => upgrades?.wants(request) ?? false,
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMsMax,
    requestTimeout: limits.requestMsMax,
    connectionsCheckingInterval: limits.headersMsMax / 2,
    keepAliveTimeout: limits.keepAliveMsMax,
    requireHostHeader: false, // `checkMessage` says so in a problem document.
    joinDuplicateHeaders: true, // The first of two Authorization fields is no better than the second.
  });
  server.maxHeadersCount = limits.headerFieldsMax + 1; // Node leaves out those beyond; `checkMessage` refuses all.
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.socketIdleMsMax;

  const answers = new WeakMap<Socket, ServerResponse>();
  const listen: RequestListener = (request, response) => {
    answers.set(request.socket, response);
    listener(request, response);
  };
  server.on("request", listen);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    listen(request, response);
  });
  server.on("upgrade", (request, socket, head) => upgrades?.take(request, socket, head));
  // No tunnels: a method like any that no resource has. https://solidproject.org/ED/protocol#server-method-not-allowed
  server.on("connect", (_request, socket) => {
    socket.on("error", () => {}); // Whoever hangs up first needs no answer.
    refuse(Object.assign(new Error("CONNECT"), { code: "HPE_INVALID_METHOD" }), socket as Socket, undefined);
    // No limit of time holds for it any more, and whoever keeps the other end open would keep it.
    socket.resume();
    setTimeout(() => socket.destroy(), BYE_MS).unref();
  });
  server.on("checkExpectation", listen); // `checkMessage` refuses it.
  server.on("clientError", (error, socket) => refuse(error, socket as Socket, answers.get(socket as Socket)));
  return server;
}

/**
 * Takes no more connections, and lets answers under way end.
 * @param letGo Ends what would go on and on.
 */
export async function endServer(server: Server, letGo?: () => unknown): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const look = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const cut = setTimeout(() => server.closeAllConnections(), STOP_MS_MAX);
  try {
    await letGo?.();
    await closed;
  } finally {
    clearInterval(look);
    clearTimeout(cut);
  }
}
