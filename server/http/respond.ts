/** The only writer to a response: results, problems (RFC 9457), and what every answer carries. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Result } from "../operation.ts";
import { PROBLEMS } from "../problems.ts";

/** https://solidproject.org/TR/protocol#server-cors-enumerate: names, not `*`, so that requests with credentials see them. */
const EXPOSED = [
  "Accept-Patch",
  "Accept-Post",
  "Accept-Put",
  "Accept-Ranges",
  "Allow",
  "Content-Length",
  "Content-Range",
  "Content-Type",
  "ETag",
  "Last-Modified",
  "Link",
  "Location",
  "MS-Author-Via",
  "Retry-After",
  "Updates-Via",
  "Vary",
  "WAC-Allow",
  "WWW-Authenticate",
  "X-Request-Id",
].join(", ");
const ALLOWED_HEADERS = [
  "Accept",
  "Access-Purpose",
  "Authorization",
  "Cache-Control",
  "Content-Type",
  "DPoP",
  "If-Match",
  "If-Modified-Since",
  "If-None-Match",
  "If-Unmodified-Since",
  "Link",
  "Origin",
  "Prefer",
  "Range",
  "Slug",
  "X-Correlation-Id",
  "X-Request-Id",
  "X-Requested-With",
].join(", ");
const UNREAD_BYTES_MAX = 65_536;
const PREFLIGHT_SECONDS = "7200"; // Without it a browser asks twice for everything.

/** CORS never blocks: who may do what is decided by 401 and 403. https://solidproject.org/TR/protocol#cors-server */
export function corsHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const { origin } = request.headers;
  if (origin === undefined) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": EXPOSED,
    vary: "Origin",
  };
}

/** The answer to a preflight request, which needs no access. */
export function preflight(request: IncomingMessage, allow: string): Result {
  return {
    status: 204,
    headers: {
      ...corsHeaders(request),
      "access-control-allow-methods": allow,
      "access-control-allow-headers": request.headers["access-control-request-headers"] ?? ALLOWED_HEADERS,
      "access-control-max-age": PREFLIGHT_SECONDS,
      allow,
    },
    body: null,
  };
}

export interface Responder {
  send(request: IncomingMessage, response: ServerResponse, result: Result, id: string): Promise<void>;
  /** Turns whatever was thrown into a problem document, or into a page for a person with a browser. */
  sendError(
    request: IncomingMessage,
    response: ServerResponse,
    error: unknown,
    id: string,
    isPod: boolean,
  ): Promise<void>;
}

export interface ResponderDeps {
  readonly log: Log;
  /** The page that a person sees for 401, 403, 404 and the rest. */
  readonly errorPage: (problem: {
    status: number;
    title: string;
    detail: string | undefined;
    next: string;
    id: string;
  }) => Result;
  readonly problemBase: string;
  /** Headers of every 401 of a pod that has none of its own. */
  readonly challenge: Readonly<Record<string, string>>;
}

/** What is thrown but is no Problem is our own mistake: logged with its cause, told to nobody. */
function toProblem(error: unknown, log: Log, id: string): Problem {
  if (error instanceof Problem) return error;
  log.error("request.failed", {
    id,
    cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return new Problem("internal", undefined, { cause: error });
}

function prefersPage(request: IncomingMessage): boolean {
  return (
    request.headers["sec-fetch-mode"] === "navigate" || /^text\/html\b/.test(request.headers.accept ?? "")
  );
}

export function createResponder({ log, errorPage, problemBase, challenge }: ResponderDeps): Responder {
  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    result: Result,
    id: string,
  ): Promise<void> {
    const flat: string[] = ["x-request-id", id];
    let hasLength = false;
    for (const [name, value] of Object.entries(result.headers)) {
      if (typeof value === "string") flat.push(name, value);
      else for (const one of value) flat.push(name, one);
      hasLength ||= name === "content-length";
    }
    const { body, status } = result;
    const bytes = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : null;
    if (!hasLength && status !== 204 && status !== 304 && (bytes || body === null))
      flat.push("content-length", String(bytes?.length ?? 0));
    // The rest of a large upload that was refused is not worth receiving.
    if (
      status >= 400 &&
      !request.complete &&
      Number(request.headers["content-length"] ?? Infinity) > UNREAD_BYTES_MAX
    )
      flat.push("connection", "close");
    response.writeHead(status, flat);
    if (request.method === "HEAD" || body === null) {
      response.end();
    } else if (bytes) {
      response.end(bytes);
    } else {
      await pipeline(Readable.from(body as AsyncIterable<Uint8Array>), response).catch((error: unknown) => {
        // The status is out already: a broken connection is the only honest way to say that the rest is missing.
        if (!response.destroyed) response.destroy();
        if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE")
          log.error("response.broken", { id, cause: String(error) });
      });
    }
  }

  return {
    send,
    async sendError(request, response, error, id, isPod) {
      const problem = toProblem(error, log, id);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { title, next } = PROBLEMS[problem.code];
      const headers = {
        ...(isPod && corsHeaders(request)),
        ...(isPod && problem.status === 401 && challenge),
        ...problem.headers,
      };
      if (prefersPage(request)) {
        const page = errorPage({ status: problem.status, title, detail: problem.detail, next, id });
        await send(
          request,
          response,
          { ...page, status: problem.status, headers: { ...page.headers, ...headers } },
          id,
        );
        return;
      }
      const body = JSON.stringify({
        type: `${problemBase}${problem.code}`,
        title,
        status: problem.status,
        ...(problem.detail !== undefined && { detail: problem.detail }),
        next,
        requestId: id,
        ...(problem.errors.length > 0 && { errors: problem.errors }),
        ...problem.members,
      });
      await send(
        request,
        response,
        {
          status: problem.status,
          headers: {
            "content-type": "application/problem+json",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            ...headers,
          },
          body,
        },
        id,
      );
    },
  };
}
