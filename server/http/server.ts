/** The socket side: timeouts, caps, and answers to what is not even HTTP. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "../limits.ts";
import { PROBLEMS } from "../problems.ts";

/** What Node's parser says when it gives up, as the problem we answer. */
const PARSER_PROBLEMS: Readonly<Record<string, keyof typeof PROBLEMS>> = {
  HPE_INVALID_METHOD: "method-not-allowed",
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "bad-request",
};

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  const code = PARSER_PROBLEMS[error.code ?? ""] ?? "bad-request";
  const { status, title, next } = PROBLEMS[code];
  const body = JSON.stringify({ type: `about:blank#${code}`, title, status, next });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** An HTTP/1.1 server with every limit of the connection set; not yet listening. */
export function createHttpServer(listener: RequestListener, limits: Limits): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMsMax,
      requestTimeout: limits.requestMsMax,
      connectionsCheckingInterval: limits.headersMsMax / 2,
      keepAliveTimeout: limits.keepAliveMsMax,
      requireHostHeader: true,
    },
    listener,
  );
  server.maxHeadersCount = limits.headerFieldsMax;
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  server.maxConnections = limits.connectionsMax;
  server.on("clientError", (error, socket) => refuse(error, socket as Socket));
  return server;
}
