/** The only writer to a response: results, problems (RFC 9457), and what every answer carries. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Problem, withHeaders } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Result } from "../operation.ts";
import { PROBLEMS } from "../problems.ts";
import { negotiate } from "../rdf/media.ts";
import { spend } from "../spent.ts";

/** https://solidproject.org/TR/protocol#server-cors-enumerate: names, not `*`, so that requests with credentials see them. */
const EXPOSED = [
  "Accept-Patch",
  "Accept-Post",
  "Accept-Put",
  "Accept-Ranges",
  "Allow",
  "Content-Disposition",
  "Content-Length",
  "Content-Location",
  "Content-Range",
  "Content-Security-Policy",
  "Content-Type",
  "Cross-Origin-Resource-Policy",
  "DPoP-Nonce",
  "Date",
  "ETag",
  "Freehold-Left-Out",
  "Last-Modified",
  "Link",
  "Location",
  "MS-Author-Via",
  "Preference-Applied",
  "RateLimit",
  "RateLimit-Policy",
  "Referrer-Policy",
  "Retry-After",
  "Updates-Via",
  "Vary",
  "WAC-Allow",
  "WWW-Authenticate",
  "X-Content-Type-Options",
  "X-Request-Id",
].join(", ");
const ALLOWED_HEADERS = [
  "Accept",
  "Access-Grant",
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
];
const ALLOWED = ALLOWED_HEADERS.join(", ");
const UNREAD_BYTES_MAX = 65_536;
const PROBLEM_TYPE = "application/problem+json";
const PREFLIGHT_SECONDS = "7200"; // Without it a browser asks twice for everything.

/**
 * CORS never blocks: who may do what is decided by 401 and 403. https://solidproject.org/TR/protocol#cors-server
 * @param vary What the answer hangs on beside its origin.
 */
function corsHeaders(
  request: IncomingMessage,
  vary: string | readonly string[] = "",
): Readonly<Record<string, string>> {
  const { origin } = request.headers;
  const fields = [vary].flat().join(", ");
  const whole = /\bOrigin\b/.test(fields) ? fields : [fields, "Origin"].filter(Boolean).join(", ");
  if (origin === undefined) return { vary: whole };
  return {
    vary: whole,
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    // A preflight's answer has its own. https://solidproject.org/ED/wac#server-cors-acao-acah
    ...(request.method !== "OPTIONS" && { "access-control-allow-headers": ALLOWED }),
    "access-control-expose-headers": EXPOSED,
  };
}

/** The answer as pages of all origins may read it. Most requests come from no page: then it is the same. */
export function withCors(request: IncomingMessage, result: Result): Result {
  const cors = corsHeaders(request, result.headers.vary);
  if (request.headers.origin === undefined && cors.vary === result.headers.vary) return result;
  return { ...result, headers: { ...result.headers, ...cors } };
}

/** What a page asks for, and `Accept` and the rest in any case: https://solidproject.org/ED/protocol#server-cors-accept-acah */
function allowedHeaders(asked: string | undefined): string {
  const known = new Set(ALLOWED_HEADERS.map((name) => name.toLowerCase()));
  const others = (asked ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !known.has(name.toLowerCase()));
  return [...ALLOWED_HEADERS, ...others].join(", ");
}

/** The answer to a preflight request, which needs no access. */
export function preflight(request: IncomingMessage, allow: string): Result {
  return {
    status: 204,
    headers: {
      ...corsHeaders(request),
      "access-control-allow-methods": allow,
      "access-control-allow-headers": allowedHeaders(request.headers["access-control-request-headers"]),
      "access-control-max-age": PREFLIGHT_SECONDS,
      allow,
    },
    body: null,
  };
}

export interface Responder {
  send(request: IncomingMessage, response: ServerResponse, result: Result, id: string): Promise<void>;
  /**
   * Turns whatever was thrown into a problem document, or into a page for a person with a browser. Never rejects.
   * @param isForAllOrigins Whether pages of all origins may read the answer.
   */
  sendError(
    request: IncomingMessage,
    response: ServerResponse,
    error: unknown,
    id: string,
    isForAllOrigins: boolean,
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
    closed: string | null;
  }) => Result;
  readonly problemBase: string;
  /** Headers of every 401 of a pod that has none of its own. */
  readonly challenge: Readonly<Record<string, string>>;
}

/** Of a refusal that says where access can be asked for. https://w3c.github.io/lws-protocol/lws10-core/#access-discovery */
const REQUEST_SERVICE = 'rel="https://www.w3.org/ns/lws#AccessRequestService"';

/** What is thrown but is no Problem is our own mistake: logged with its cause, told to nobody. */
function toProblem(error: unknown, request: IncomingMessage, log: Log, id: string): Problem {
  if (error instanceof Problem) return error;
  if (request.destroyed && !request.complete)
    return new Problem("bad-request", "The content ended too early");
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

/** Content that nobody will read: too much to wait for, or not even sent, for its client asked first. */
function isLeftUnread({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  const bytes =
    headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Infinity;
  return bytes > UNREAD_BYTES_MAX || (bytes > 0 && headers.expect !== undefined);
}

const UNREAD_MS_MAX = 1_000; // For who sends to hear that nobody wants it.

/**
 * To close a connection on which something still arrives is to reset it, and whoever sends loses the answer. So what comes is
 * read for a moment, and thrown away.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
function endOnceHeard(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const timer = setTimeout(end, UNREAD_MS_MAX);
  function end(): void {
    clearTimeout(timer);
    request.off("end", end).off("close", end);
    response.end();
  }
  response.write(bytes);
  request.on("end", end).on("close", end).resume();
}

/** As `writeHead` has them. Those of an answer that is given again are frozen, and listed once. */
interface Listed {
  readonly flat: readonly string[];
  readonly hasLength: boolean;
}
const listed = new WeakMap<Result["headers"], Listed>();

function list(headers: Result["headers"]): Listed {
  const known = listed.get(headers);
  if (known) return known;
  const flat: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === "string") flat.push(name, value);
    else for (const one of value ?? []) flat.push(name, one);
  }
  const made = { flat, hasLength: headers["content-length"] !== undefined };
  if (Object.isFrozen(headers)) listed.set(headers, made);
  return made;
}

/** Content that has an end, part by part; each is freed when the socket has it. */
async function sendParts(response: ServerResponse, parts: AsyncIterable<Uint8Array>): Promise<void> {
  let goOn = (): void => {};
  const wake = (): void => goOn();
  response.on("drain", wake).on("close", wake);
  for await (const part of parts) {
    if (response.destroyed) return;
    const hasRoom = response.write(part, (error) => {
      if (!error) spend(part);
    });
    if (hasRoom || response.destroyed) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
  if (!response.destroyed) response.end();
}

export function createResponder({ log, errorPage, problemBase, challenge }: ResponderDeps): Responder {
  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    result: Result,
    id: string,
  ): Promise<void> {
    const { flat: own, hasLength } = list(result.headers);
    const flat: string[] = ["x-request-id", id, ...own];
    const { body, status } = result;
    const bytes = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : null;
    // HEAD need not say how long the answer to GET would be: of some that would be long to find out.
    const isKnown = bytes !== null || (body === null && request.method !== "HEAD");
    if (!hasLength && status !== 204 && status !== 304 && isKnown)
      flat.push("content-length", String(bytes?.length ?? 0));
    const isLeft = isLeftUnread(request);
    if (isLeft) flat.push("connection", "close");
    const release = result.whileSent?.(() => response.destroy());
    if (release) response.once("close", release);
    if (request.method === "HEAD" || body === null || bytes) {
      response.writeHead(status, flat);
      if (isLeft && bytes && request.method !== "HEAD" && request.headers.expect === undefined)
        return endOnceHeard(request, response, bytes);
      response.end(request.method === "HEAD" ? undefined : (bytes ?? undefined));
      return;
    }
    response.writeHead(status, flat);
    const parts = body as AsyncIterable<Uint8Array>;
    const sending = hasLength ? sendParts(response, parts) : pipeline(Readable.from(parts), response);
    await sending.catch((error: unknown) => {
      // The status is out already: a broken connection is the only honest way to say that the rest is missing.
      if (!response.destroyed) response.destroy();
      if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE")
        log.error("response.broken", { id, cause: String(error) });
    });
  }

  /** A page for a person, the format that a client asked for, or a problem document. */
  async function represent(request: IncomingMessage, problem: Problem, id: string): Promise<Result> {
    const { status, code, detail, errors, members, alternatives } = problem;
    const { title, next } = PROBLEMS[code];
    if (prefersPage(request)) {
      const mayAsk = problem.headers["link"]?.includes(REQUEST_SERVICE) === true;
      const closed = mayAsk ? (request.url ?? null) : null;
      return errorPage({ status, title, detail, next, id, closed });
    }
    const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
    const offered = [PROBLEM_TYPE, ...(alternatives?.contentTypes ?? [])];
    const chosen = negotiate(request.headers.accept, offered) ?? PROBLEM_TYPE;
    if (alternatives && chosen !== PROBLEM_TYPE)
      return {
        status,
        headers: { ...headers, "content-type": chosen },
        body: await alternatives.write(chosen),
      };
    const body = JSON.stringify({
      type: `${problemBase}${code}`,
      title,
      status,
      ...(detail !== undefined && { detail }),
      next,
      requestId: id,
      ...(errors.length > 0 && { errors }),
      ...members,
    });
    return { status, headers: { ...headers, "content-type": PROBLEM_TYPE }, body };
  }

  return {
    send,
    async sendError(request, response, error, id, isForAllOrigins) {
      const problem = toProblem(error, request, log, id);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      try {
        const answer = await represent(request, problem, id);
        const isUnasked = problem.status === 401 && problem.headers["www-authenticate"] === undefined;
        const told = isForAllOrigins && isUnasked ? withHeaders(problem, challenge) : problem;
        const headers = {
          ...answer.headers,
          ...(isForAllOrigins && corsHeaders(request, "Accept")),
          ...told.headers,
        };
        await send(request, response, { ...answer, status: problem.status, headers }, id);
      } catch (cause) {
        log.error("response.failed", { id, cause: String(cause) });
        response.destroy();
      }
    },
  };
}
