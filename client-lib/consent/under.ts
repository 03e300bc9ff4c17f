/** Asking under a grant: each request says by which consent and for what it is made, and each answer's receipt is noted. */
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";
import { parseLinks } from "../links.ts";
import { sha256, utf8 } from "../passport/bytes.ts";
import type { Pod } from "../pod.ts";
import { type QueryOptions, query, type Row } from "../query.ts";

export const USAGE_RECEIPT = "https://w3id.org/freehold/ns#usageReceipt";

/** One answer that a pod gave under a grant, as the asker notes it: what the pod's receipt must agree with. */
export interface Use {
  /** Address of the pod's receipt. */
  readonly receipt: string;
  /** Address of the grant. */
  readonly grant: string;
  /** What was asked. */
  readonly url: string;
  /** SHA-256 of a query's text, hexadecimal; null for anything else. */
  readonly queryHash: string | null;
  readonly status: number;
  /** When the answer came, ISO 8601. */
  readonly at: string;
}

/** Where uses are noted: a file, a table, an array. */
export interface Ledger {
  /** Resolved when it is safe: the answer is given out only then. */
  note(use: Use): Promise<void> | void;
  /** Those of one grant, in any order. */
  uses(grant: string): Promise<readonly Use[]> | readonly Use[];
}

/** A ledger that lasts as long as it is held. */
export function createLedger(): Ledger {
  const all: Use[] = [];
  return {
    note: (use) => void all.push(use),
    uses: (grant) => all.filter((use) => use.grant === grant),
  };
}

/** By which consent, and for what. */
export interface Basis {
  /** Address of the grant. */
  readonly grant: string;
  /** Address of a DPV purpose: the granted one, or a narrower one. The grant's own, where it has only one. */
  readonly purpose?: string;
  readonly ledger?: Ledger;
}

/** The query of a request's content, where it is one. */
function queryOf({ body, headers }: RequestInit): string | null {
  if (typeof body !== "string") return null;
  const type = new Headers(headers).get("content-type") ?? "";
  if (type.startsWith("application/sparql-query")) return body;
  return type.startsWith("application/x-www-form-urlencoded") ? new URLSearchParams(body).get("query") : null;
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * The same pod, asked under a grant: pass it to `query`, `search`, `observations`, `queryAll` or any other function that
 * takes a pod.
 * ```ts
 * const asked = under(pod, { grant, purpose: "https://w3id.org/dpv#ServiceProvision", ledger });
 * for await (const row of query(asked, "SELECT …")) …
 * ```
 */
export function under(pod: Pod, { grant, purpose, ledger }: Basis): Pod {
  const { origin } = new URL(pod.url);
  const fetch: Fetch = async (input, init = {}) => {
    if (new URL(input).origin !== origin) return pod.fetch(input, init); // Nobody else is told of the grant.
    const headers = new Headers(init.headers);
    headers.set("access-grant", grant);
    if (purpose !== undefined) headers.set("access-purpose", purpose);
    const response = await pod.fetch(input, { ...init, headers });
    const links = parseLinks(response.headers.get("link"), input);
    const given = links.filter(({ rels }) => rels.includes(USAGE_RECEIPT)).map(({ href }) => href);
    const asked = queryOf(init);
    for (const receipt of ledger ? given : [])
      await ledger?.note({
        receipt,
        grant,
        url: input,
        queryHash: asked === null ? null : hex(await sha256(utf8(asked))),
        status: response.status,
        at: new Date().toISOString(),
      });
    return response;
  };
  return { ...pod, ...methodsOf(pod, fetch), fetch };
}

/** Documents are read and written by functions that were made with the pod's own fetch: here they are made with another. */
function methodsOf(
  pod: Pod,
  fetch: Fetch,
): Pick<Pod, "read" | "write" | "list" | "readFile" | "writeFile" | "delete"> {
  const files = () => import("../files.ts");
  const at = (path: string): string => pod.at(path);
  return {
    read: async (path) => (await files()).readDataset(fetch, at(path)),
    write: async (path, dataset) => (await files()).writeDataset(fetch, at(path), dataset),
    list: async (path) => (await files()).listFolder(fetch, at(path)),
    readFile: async (path) => (await files()).readBlob(fetch, at(path)),
    writeFile: async (path, content, type) => (await files()).writeBlob(fetch, at(path), content, type),
    delete: async (path) => (await files()).remove(fetch, at(path)),
  };
}

/**
 * Rows of a SELECT under a grant, as of `query`.
 * @throws FreeholdError while iterating: `forbidden` once it is revoked, `purpose-required`, `purpose-refused`,
 * `grant-spent` with `retryAfterMs`, …
 */
export async function* queryUnder<V extends string = string>(
  pod: Pod,
  basis: Basis,
  sparql: string,
  options: QueryOptions = {},
): AsyncGenerator<Row<V>, void, undefined> {
  yield* query<V>(under(pod, basis), sparql, options);
}

/**
 * Adds a document to a folder that the grant lets the vendor add to: an order, a statement, a note of a call. What it says
 * must be of the folder's shape; the owner can correct it, the vendor cannot change it any more.
 * @param folder Place in the pod.
 * @param name What it should be called; the server chooses where that is taken.
 * @returns the document's address.
 * @throws FreeholdError `shape-violation` with each thing that does not fit, `forbidden`.
 */
export async function writeBack(
  pod: Pod,
  basis: Basis,
  folder: string,
  turtle: string,
  { name, signal }: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const url = pod.at(folder.endsWith("/") ? folder : `${folder}/`);
  const response = await fetchOk(under(pod, basis).fetch, url, {
    method: "POST",
    headers: { "content-type": "text/turtle", ...(name !== undefined && { slug: name }) },
    body: turtle,
    ...(signal && { signal }),
  });
  await response.body?.cancel();
  const location = response.headers.get("location");
  if (location !== null) return new URL(location, url).href;
  throw new FreeholdError("answer-invalid", "The server did not say where the document is", { url });
}
