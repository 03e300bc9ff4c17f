/** From an HTTP message to an {@link Operation} or a {@link DoorRequest}: after this nobody looks at raw HTTP. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import { LIMITS } from "../limits.ts";
import type { Agent, DoorRequest, Method, Operation } from "../operation.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]);

/** Repeated fields are joined by a comma, as RFC 9110 section 5.3 allows; so two proofs are one that cannot be valid. */
function plainHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

/** A client's own correlation id is kept for the log when it is harmless; else we make one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function bodyOf(request: IncomingMessage): IncomingMessage | null {
  const { headers } = request;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0
    ? request
    : null;
}

function splitUrl(request: IncomingMessage): { readonly path: string; readonly query: string } {
  const raw = request.url ?? "/";
  if (raw.length > LIMITS.urlBytesMax) throw new Problem("uri-too-long");
  const mark = raw.indexOf("?");
  return mark === -1 ? { path: raw, query: "" } : { path: raw.slice(0, mark), query: raw.slice(mark + 1) };
}

/** An operation on a pod; its agent is the public until `auth/agent.ts` has proved another. */
export interface UnprovedOperation extends Omit<Operation, "agent"> {
  readonly ip: string;
}

/**
 * @param baseUrl The server's public URL, ending in `/`; never the Host header, which anybody may write.
 * @throws Problem `path-invalid`, `uri-too-long`, `method-not-allowed`.
 */
export function parseOperation(
  request: IncomingMessage,
  baseUrl: string,
  id: string,
  ip: string,
): UnprovedOperation {
  const method = request.method ?? "GET";
  if (!METHODS.has(method))
    throw new Problem("method-not-allowed", undefined, { headers: { allow: [...METHODS].join(", ") } });
  const { path, query } = splitUrl(request);
  const target = parseTarget(path);
  return {
    id,
    method: method as Method,
    target,
    url: baseUrl.slice(0, -1) + target.path,
    query,
    headers: plainHeaders(request.headers),
    body: bodyOf(request),
    ip,
  };
}

export function withAgent(operation: UnprovedOperation, agent: Agent): Operation {
  return { ...operation, agent };
}

/** A request to one of the server's own doors. @throws Problem `uri-too-long`. */
export function parseDoorRequest(
  request: IncomingMessage,
  baseUrl: string,
  params: Readonly<Record<string, string>>,
  id: string,
  ip: string,
): DoorRequest {
  const { path, query } = splitUrl(request);
  return {
    id,
    method: request.method ?? "GET",
    url: new URL(`${baseUrl.slice(0, -1)}${path}${query && `?${query}`}`),
    params,
    headers: plainHeaders(request.headers),
    ip,
    body: bodyOf(request),
  };
}
