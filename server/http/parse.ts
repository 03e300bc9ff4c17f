/** From an HTTP message to an {@link Operation} or a {@link DoorRequest}: after this nobody looks at raw HTTP. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Problem } from "../errors.ts";
import { parseTarget, type Target } from "../iri.ts";
import { LIMITS, type Limits } from "../limits.ts";
import type { Agent, DoorRequest, Method, Operation } from "../operation.ts";

/** All that any resource may be asked for. */
export const METHODS: readonly Method[] = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];

/** The address form that proxies are sent has an origin before the path; what it says counts as little as Host. */
export function originForm(url: string): string {
  if (url.startsWith("/")) return url;
  const path = url.replace(/^https?:\/\/[^/?#]*/i, "");
  return path.startsWith("/") || path === "*" ? path : `/${path}`;
}

const AUTHORIZATION = /^authorization$/i;

/**
 * Refuses messages that could mean two things, or that we would only half understand.
 * @throws Problem `headers-too-large`, `bad-request`, `unsupported-media-type`, `expectation-failed`.
 */
export function checkMessage(
  { headers, rawHeaders, httpVersion }: IncomingMessage,
  { headerFieldsMax }: Pick<Limits, "headerFieldsMax">,
): void {
  if (rawHeaders.length > headerFieldsMax * 2)
    throw new Problem("headers-too-large", `At most ${headerFieldsMax} header fields`);
  if (headers.host === undefined ? httpVersion === "1.1" : headers.host.includes(","))
    throw new Problem("bad-request", "A request has one Host field");
  // Of two Node keeps the first, and whoever stands before us may have looked at the second.
  if (rawHeaders.filter((name, at) => at % 2 === 0 && AUTHORIZATION.test(name)).length > 1)
    throw new Problem("bad-request", "A request has at most one Authorization field");
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new Problem("bad-request", "The only Transfer-Encoding known here is chunked", {
      headers: { connection: "close" }, // Who sent it may see its end elsewhere than we do.
    });
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== "100-continue")
    throw new Problem("expectation-failed");
  // Stored as it came, it would be read as something else.
  const compression = headers["content-encoding"];
  if (compression !== undefined && compression.toLowerCase() !== "identity")
    throw new Problem("unsupported-media-type", "Send the content without Content-Encoding", {
      headers: { "accept-encoding": "identity" },
    });
}

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
  if (!/^[!-~]+$/.test(raw) || raw.includes("#"))
    throw new Problem("path-invalid", "An address is visible ASCII, without a fragment");
  const mark = raw.indexOf("?");
  return mark === -1 ? { path: raw, query: "" } : { path: raw.slice(0, mark), query: raw.slice(mark + 1) };
}

/** @throws Problem `path-invalid`, `uri-too-long`. */
export function targetOf(request: IncomingMessage): Target {
  return parseTarget(splitUrl(request).path);
}

/** An operation on a pod; its agent is the public until `auth/agent.ts` has proved another. */
export interface UnprovedOperation extends Omit<Operation, "agent"> {
  readonly ip: string;
}

/**
 * @param baseUrl The server's public URL, ending in `/`; never the Host header, which anybody may write.
 * @throws Problem `path-invalid`, `uri-too-long`.
 */
export function parseOperation(
  request: IncomingMessage,
  baseUrl: string,
  id: string,
  ip: string,
): UnprovedOperation {
  const { path, query } = splitUrl(request);
  const target = parseTarget(path);
  return {
    id,
    method: request.method as Method, // The routes know no others.
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
