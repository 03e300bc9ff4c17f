/** A pod, opened by whatever names it: its address, its owner's WebID, any document in it, or a passport. */
import { fh, rdf, sd, solid, space, voidTerms } from "@freehold/vocab";
import type { SolidDataset, WithServerResourceInfo } from "@inrupt/solid-client";
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { linkTo, parseLinks } from "./links.ts";
import { isPassportFetch } from "./moved.ts";
import type { Endpoint } from "./query.ts";
import { type Resolution, type ResolveOptions, resolve } from "./resolve.ts";
import type { UpdateEndpoint } from "./update.ts";

/** An RDF document as @inrupt/solid-client has it, and where it is from. */
export type Dataset = SolidDataset & WithServerResourceInfo;

/**
 * A pod and as whom it is asked. Places in it are addresses, or relative to its root: `notes/today.ttl`.
 * What is refused is thrown as a FreeholdError with the server's reason.
 */
export interface Pod extends Endpoint, UpdateEndpoint {
  /** Root of the pod, ends in `/`. */
  readonly url: string;
  /** Address of full-text search. */
  readonly search: string;
  /** The owner, as far as the pod, a WebID or a passport said. */
  readonly owner: string | null;
  /** How the pod was found, if by a passport. */
  readonly passport: Resolution | null;
  /**
   * Absolute address of a place in this pod.
   * @throws FreeholdError `input-invalid` for a place outside, so that nothing is sent to another pod by mistake.
   */
  at(path: string): string;
  /** An RDF document, for the functions of @inrupt/solid-client. */
  read(path: string): Promise<Dataset>;
  /**
   * Saves an RDF document; one that was read before is saved as changes only, and only if nobody else changed it since.
   * @throws FreeholdError `precondition-failed` if somebody did, or if a new document is there already.
   */
  write(path: string, dataset: SolidDataset): Promise<Dataset>;
  /** Addresses of what is in a folder. */
  list(path: string): Promise<readonly string[]>;
  /** Any document as it is stored. */
  readFile(path: string): Promise<Blob>;
  /** Stores a document of any kind, over one that is there. */
  writeFile(
    path: string,
    content: Blob | Uint8Array<ArrayBuffer> | string,
    contentType: string,
  ): Promise<void>;
  /** Deletes a document, or a folder with nothing in it. */
  delete(path: string): Promise<void>;
}

/** As whom a pod is opened; where passports lead to is asked of `resolvers`. */
export interface OpenOptions extends Partial<Omit<ResolveOptions, "fetch">> {
  /**
   * Sends requests as somebody: from `login` of `@freehold/client/node`, or of a Solid session. The public asks without.
   * One of `createPassportFetch` opens pods where they are now, also by the address that they had before.
   */
  readonly fetch?: Fetch;
}

interface Found {
  readonly root: string;
  readonly owner: string | null;
  /** Where nobody says it, they are where this server has them. */
  readonly sparql?: string | null;
  readonly sparqlUpdate?: string | null;
  readonly search?: string | null;
}

const SPARQL_ENDPOINT = "http://www.w3.org/ns/solid/sparql#endpoint";
const FOLDERS_TRIED_MAX = 8; // How far up a description is looked for where nothing points to it.

const isPassport = (where: string): boolean => /^(?:did:dcann:|dp[a-z0-9]{2}1[a-z0-9]{48}$)/i.test(where);

/**
 * Opens a pod, by whatever names it.
 * ```ts
 * const pod = await openPod("https://pods.example/ana/", { fetch }); // `fetch` of `login`, or of a Solid session
 * ```
 * @param where Root of a pod, address of anything in it, WebID (with its fragment), passport identifier or DID.
 * @throws FreeholdError `pod-unknown` when nothing there leads to a pod, `input-invalid`, and what {@link resolve} throws.
 */
export async function openPod(where: string, options: OpenOptions = {}): Promise<Pod> {
  const { fetch = globalThis.fetch } = options;
  const following = isPassportFetch(fetch) ? fetch : null;
  if (isPassport(where)) {
    // The resolver learns which passport is asked for, but never who asks.
    const passport = await resolve(where, {
      ...options,
      fetch: globalThis.fetch,
    });
    await following?.learn(passport);
    const found = await describe(passport.pod, fetch, options.signal);
    return podOf({ ...found, root: passport.pod, owner: passport.webid }, passport, fetch);
  }
  if (!URL.canParse(where) || !/^https?:$/.test(new URL(where).protocol)) {
    throw new FreeholdError("input-invalid", "This is neither an address nor a passport", {
      detail: where.slice(0, 200),
    });
  }
  const now = (await following?.addressOf(where)) ?? where;
  const start = now.includes("#") ? await storageOf(now, fetch, options.signal) : now;
  const found = await describe(start, fetch, options.signal);
  if (!found && start === now) {
    throw new FreeholdError("pod-unknown", "There is no pod at this address", {
      url: now,
      next: "Give the address of the pod, or its owner's WebID.",
    });
  }
  const owner = now.includes("#") ? now : (found?.owner ?? null);
  return podOf({ ...found, root: found?.root ?? start, owner }, null, fetch);
}

/** Public documents are asked for by nobody in particular; only who is refused says who they are. */
async function fetchShy(url: string, init: RequestInit, fetch: Fetch): Promise<Response> {
  const response = await fetchOk(globalThis.fetch, url, init, [401, 403, 404]);
  return response.ok || response.status === 404 ? response : fetchOk(fetch, url, init, [401, 403, 404]);
}

const asking = (signal: AbortSignal | undefined, method = "GET"): RequestInit => ({
  method,
  headers: { accept: "text/turtle" },
  ...(signal && { signal }),
});

async function readGraph(url: string, fetch: Fetch, signal?: AbortSignal) {
  const response = await fetchShy(url, asking(signal), fetch);
  if (!response.ok || !/turtle/.test(response.headers.get("content-type") ?? "")) {
    await response.body?.cancel();
    return null;
  }
  const rdfLibrary = await import("./rdf.ts");
  return { ...rdfLibrary, quads: rdfLibrary.parseTurtle(await response.text(), url.split("#", 1)[0] ?? url) };
}

/** https://solid.github.io/webid-profile/#discovery */
async function storageOf(webid: string, fetch: Fetch, signal?: AbortSignal): Promise<string> {
  const graph = await readGraph(webid, fetch, signal);
  const [storage] = graph?.irisOf(graph.quads, webid, space.storage) ?? [];
  if (storage !== undefined) return storage;
  throw new FreeholdError("pod-unknown", "This WebID names no pod", {
    url: webid,
    next: "Ask its owner for the address of the pod.",
  });
}

/** https://solidproject.org/TR/protocol#storage-description-resource */
async function describe(url: string, fetch: Fetch, signal?: AbortSignal): Promise<Found | null> {
  const head = await fetchShy(url, asking(signal, "HEAD"), fetch);
  const links = parseLinks(head.headers.get("link"), url);
  const sparql = linkTo(links, SPARQL_ENDPOINT);
  const pointed = linkTo(links, solid.storageDescription);
  const above = foldersAbove(url).map((folder) => `${folder}.well-known/solid`);
  for (const address of pointed === null ? above : [pointed]) {
    const graph = await readGraph(address, fetch, signal);
    const [root] = graph?.subjectsOf(graph.quads, rdf.type, space.Storage) ?? [];
    if (!graph || root === undefined || !url.startsWith(root)) continue;
    const [updates = ""] = graph.subjectsOf(graph.quads, sd.supportedLanguage, sd.SPARQL11Update);
    return {
      root,
      sparql: graph.irisOf(graph.quads, root, voidTerms.sparqlEndpoint)[0] ?? sparql,
      sparqlUpdate: graph.irisOf(graph.quads, updates, sd.endpoint)[0] ?? null,
      search: graph.irisOf(graph.quads, root, fh.search)[0] ?? null,
      owner: graph.irisOf(graph.quads, root, solid.owner)[0] ?? null,
    };
  }
  const isRoot = links.some(({ href, rels }) => rels.includes("type") && href === space.Storage);
  return isRoot ? { root: url, sparql, owner: linkTo(links, solid.owner) } : null;
}

function foldersAbove(url: string): readonly string[] {
  const { origin, pathname } = new URL(url);
  const parts = pathname.split("/").slice(1, -1);
  return Array.from(
    { length: parts.length + 1 },
    (_, left) =>
      `${origin}/${parts
        .slice(0, parts.length - left)
        .map((part) => `${part}/`)
        .join("")}`,
  ).slice(0, FOLDERS_TRIED_MAX);
}

function podOf(
  { root, sparql, sparqlUpdate, search, owner }: Found,
  passport: Resolution | null,
  fetch: Fetch,
): Pod {
  const url = root.endsWith("/") ? root : `${root}/`;
  const files = () => import("./files.ts");
  const at = (path: string): string => {
    const full =
      !path.startsWith("//") && URL.canParse(path, url)
        ? new URL(path.startsWith("/") ? `.${path}` : path, url).href
        : "";
    if (full.startsWith(url)) return full;
    throw new FreeholdError("input-invalid", "This place is not in the pod", {
      url,
      detail: path.slice(0, 200),
    });
  };
  return {
    url,
    owner,
    passport,
    fetch,
    sparql: sparql ?? `${url}sparql`,
    sparqlUpdate: sparqlUpdate ?? `${url}sparql-update`,
    search: search ?? `${url}search`,
    at,
    read: async (path) => (await files()).readDataset(fetch, at(path)),
    write: async (path, dataset) => (await files()).writeDataset(fetch, at(path), dataset),
    list: async (path) => (await files()).listFolder(fetch, at(path)),
    readFile: async (path) => (await files()).readBlob(fetch, at(path)),
    writeFile: async (path, content, contentType) =>
      (await files()).writeBlob(fetch, at(path), content, contentType),
    delete: async (path) => (await files()).remove(fetch, at(path)),
  };
}

/**
 * A passport names a WebID, and the WebID's profile must name the passport: only both together say whose it is.
 * @returns whether the profile says so.
 */
export async function confirmsPassport(
  webid: string,
  passport: Resolution,
  options: Pick<OpenOptions, "fetch" | "signal"> = {},
): Promise<boolean> {
  if (!passport.webids.includes(webid)) return false;
  const graph = await readGraph(webid, options.fetch ?? globalThis.fetch, options.signal);
  return graph?.irisOf(graph.quads, webid, fh.passport).includes(passport.did) ?? false;
}
