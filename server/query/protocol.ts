/** The SPARQL 1.1 Protocol: from a request to the query and its dataset description. */
import { readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Operation } from "../operation.ts";
import { mediaTypeOf } from "../rdf/media.ts";
import type { DatasetDescription } from "./scope.ts";
import type { PageRequest } from "./search/page.ts";

export interface QueryRequest {
  readonly text: string;
  /** What the protocol's parameters say; null leaves it to the query. */
  readonly description: DatasetDescription | null;
  /** Of many pods, by the addresses of their roots, those that are asked; none: all. */
  readonly pods?: readonly string[];
  /** What for: the parameter `purpose`, of our own, for where a header cannot be set. */
  readonly purpose?: string;
  /** Where a page of a search is wanted instead of the rows. */
  readonly page?: PageRequest;
}

export const FORM = "application/x-www-form-urlencoded";
const DIRECT = "application/sparql-query";

/** @param what For the refusal: the content that is read. */
export function decodeText(bytes: Uint8Array, what = "The query"): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("bad-request", `${what} is not UTF-8`, { cause });
  }
}

/** Escapes that are no UTF-8 are refused, not replaced: a replaced character would be another query. */
export function parseParameters(text: string): URLSearchParams {
  try {
    decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw new Problem("bad-request", "Broken percent-encoding", { cause });
  }
  return new URLSearchParams(text);
}

/** @returns null where there is none. */
export function oneOf(parameters: URLSearchParams, name: string): string | null {
  const values = parameters.getAll(name);
  if (values.length > 1) throw new Problem("bad-request", `There is more than one ${name}`);
  return values[0] ?? null;
}

function describe(parameters: URLSearchParams): DatasetDescription | null {
  const defaults = parameters.getAll("default-graph-uri");
  const named = parameters.getAll("named-graph-uri");
  return defaults.length + named.length === 0 ? null : { defaults, named };
}

/**
 * @returns null for a request that asks what this endpoint is.
 * @throws Problem `bad-request`, `unsupported-media-type`, `content-type-missing`, `method-not-allowed`, `body-too-large`.
 * @see https://www.w3.org/TR/sparql11-protocol/#query-operation
 */
export async function parseQueryRequest(
  operation: Pick<Operation, "method" | "headers" | "query" | "body">,
  limits: Limits,
): Promise<QueryRequest | null> {
  const inUrl = parseParameters(operation.query);
  if (operation.method === "GET" || operation.method === "HEAD") {
    if (inUrl.size === 0) return null;
    return toRequest(inUrl, limits);
  }
  if (operation.method !== "POST")
    throw new Problem("method-not-allowed", undefined, { headers: { allow: "GET, HEAD, POST, OPTIONS" } });
  const contentType = operation.headers["content-type"];
  if (contentType === undefined) throw new Problem("content-type-missing");
  const type = mediaTypeOf(contentType);
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8";
  if (type !== FORM && type !== DIRECT) {
    const detail =
      type === "application/sparql-update"
        ? "Nothing is changed by a query; documents are changed with PUT and PATCH"
        : `Send ${DIRECT} or ${FORM}`;
    throw new Problem("unsupported-media-type", detail);
  }
  if (charset !== "utf-8" && charset !== "us-ascii")
    throw new Problem("unsupported-media-type", "A query is sent in UTF-8");
  // Every byte of the text may have been escaped as three, and addresses of graphs come on top.
  const bytesMax = type === FORM ? limits.queryTextBytesMax * 4 : limits.queryTextBytesMax;
  const content = decodeText(await readBody(operation.body, bytesMax));
  if (type === FORM)
    return toRequest(parseParameters([content, operation.query].filter(Boolean).join("&")), limits);
  if (inUrl.has("query") || inUrl.has("update"))
    throw new Problem("bad-request", "The query is in the content, and in the address too");
  return check(
    { text: content, description: describe(inUrl), pods: inUrl.getAll("pod"), ...purposeIn(inUrl) },
    limits,
  );
}

function purposeIn(parameters: URLSearchParams): Pick<QueryRequest, "purpose"> {
  const purpose = oneOf(parameters, "purpose");
  return purpose === null ? {} : { purpose };
}

function toRequest(parameters: URLSearchParams, limits: Limits): QueryRequest {
  if (parameters.has("update"))
    throw new Problem(
      "bad-request",
      "Nothing is changed by a query; documents are changed with PUT and PATCH",
    );
  const text = oneOf(parameters, "query");
  if (text === null) throw new Problem("bad-request", "The query is missing");
  return check(
    { text, description: describe(parameters), pods: parameters.getAll("pod"), ...purposeIn(parameters) },
    limits,
  );
}

// What hides a bracket or a separator: strings, addresses, comments. Each alternative is linear.
const TOKENS =
  /"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"""|$)|'''(?:[^'\\]|\\[\s\S]|'(?!''))*(?:'''|$)|"(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\\\r\n]|\\.)*'?|<[^\s<>"{}|^`\\]*>|#[^\r\n]*|[[({\])}.,;!+-]/g;

/** Refuses, in one pass and before any parser, what would be too deep or too long for one. */
function check(request: QueryRequest, limits: Limits): QueryRequest {
  const { text } = request;
  if (Buffer.byteLength(text) > limits.queryTextBytesMax)
    throw new Problem("query-refused", `A query has at most ${limits.queryTextBytesMax} bytes`);
  if (!text.isWellFormed()) throw new Problem("bad-request", "The query is not UTF-8");
  const open: string[] = [];
  let separators = 0;
  let signs = 0; // In a row: `!!!!x` nests as deep as `(((x)))`, without a bracket.
  let end = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token.length > 1) continue;
    signs = "!+-".includes(token) ? (text.slice(end, index).trim() === "" ? signs + 1 : 1) : 0;
    end = index + 1;
    if ("[({".includes(token)) open.push(token);
    else if ("])}".includes(token)) open.pop();
    else if (".,;".includes(token) && open.at(-1) !== "(") separators++;
    if (open.length > limits.queryDepthMax || signs > limits.queryDepthMax) {
      throw new Problem("query-refused", `A query nests at most ${limits.queryDepthMax} deep`);
    }
  }
  // Rough, and generous: the exact count is of the parsed query.
  if (separators > limits.queryPatternsMax * 4)
    throw new Problem("query-refused", `A query has at most ${limits.queryPatternsMax} patterns`);
  return request;
}
