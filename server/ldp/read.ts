/** GET and HEAD of a pod's resources: documents, binaries, containers, and their auxiliaries. */
import type { GrantDecisions } from "../access/grant-decisions.ts";
import type { Language } from "../access/language.ts";
import { projectionOf } from "../access/projection.ts";
import { Problem } from "../errors.ts";
import { nameOf, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Operation, Result } from "../operation.ts";
import { mediaTypeOf, negotiate, RDF_TYPES } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { checkReadConditions, etagOf, FORMS, isNotModified, parseRange } from "./conditions.ts";
import { findResource, findStored, otherForm, type Stored } from "./find.ts";
import { abilityHeaders, inertHeaders, linkHeader, natureOf } from "./headers.ts";
import { createListings, type StillMay } from "./listing.ts";
import { constraintLinks } from "./shape.ts";
import { isProfile, profileLinks } from "./webid.ts";

const DERIVED_BYTES_MAX = 64 * 1024 * 1024; // Listings and converted documents, made once per version.

export interface Reader {
  /**
   * @param mayRead Whether the same agent may read another path: asked before a redirect tells that it exists.
   * @returns null when the file that the snapshot names is gone: replaced since, so that a newer snapshot names another.
   * @throws Problem `not-found`, `not-acceptable`, `precondition-failed`, `range-not-satisfiable`.
   */
  read(
    snapshot: Snapshot,
    pod: Pod,
    operation: Operation,
    mayRead: (path: string) => Promise<boolean>,
  ): Promise<Result | null>;
}

interface Representation {
  readonly contentType: string;
  readonly etag: string;
  readonly modified: number;
  /** Null: nobody has counted. */
  readonly bytes: number | null;
  readonly content: Uint8Array | { readonly blob: string } | (() => Promise<AsyncIterable<Uint8Array>>);
  /** Shapes that a container asks of its members. */
  readonly shapes?: readonly string[];
  readonly links?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The content with its first part read: until then a failure can still be answered as such. */
async function begin(content: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const parts = content[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | null = await parts.next();
  async function next(): Promise<IteratorResult<Uint8Array>> {
    if (!first) return parts.next();
    const part = first;
    first = null;
    return part;
  }
  /** Closes the file. No generator, for that would not hear of a client that went before the first part. */
  async function end(): Promise<IteratorResult<Uint8Array>> {
    await parts.return?.();
    return { done: true, value: undefined };
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

export interface ReaderDeps {
  readonly baseUrl: string;
  /** Of the rules. */
  readonly language: Language;
  readonly store: Pick<Store, "read" | "blobs">;
  readonly limits: Limits;
  readonly stillMay: StillMay;
  /** Grants on exactly a place, for whoever reads its rules. */
  readonly grants: Pick<GrantDecisions, "shown">;
}

export function createReader({ baseUrl, language, store, limits, stillMay, grants }: ReaderDeps): Reader {
  const { blobs } = store;
  const derived = new Lru<string, Uint8Array>(DERIVED_BYTES_MAX);

  async function once(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = derived.get(key);
    if (known) return known;
    const bytes = await make();
    derived.set(key, bytes, bytes.length);
    return bytes;
  }

  const list = createListings({
    store,
    limits,
    stillMay,
    once,
    isMade: (key) => derived.get(key) !== undefined,
  });

  function chooseType(operation: Operation, offered: readonly string[]): string {
    const chosen = negotiate(operation.headers.accept, offered);
    if (chosen === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
    return chosen;
  }

  /**
   * Where policies add to those from above, no rules of its own and rules that say nothing are the same: clients of that
   * language look for the latter, and write into what they find.
   */
  async function impliedRules(snapshot: Snapshot, target: Target): Promise<Stored | null> {
    if (language.implied === null || target.auxiliary !== "acl") return null;
    const found = await findResource(snapshot, target.subject);
    if (!found) return null;
    const { entry, record } = found;
    const bytes = Buffer.from(language.implied(baseUrl.slice(0, -1) + target.subject));
    const { modified } = record;
    return {
      entry,
      version: entry.version,
      contentType: "text/turtle",
      modified,
      isRdf: true,
      bytes,
      blob: null,
    };
  }

  /**
   * A list as it is stored, and beside that the grants on what it is for. Its ETag follows both; what is written with it in
   * If-Match is held against what is stored.
   */
  async function withGrants(
    plain: Representation,
    pod: Pod,
    { target, url }: Operation,
    stored: Stored,
    { grants, version }: Awaited<ReturnType<GrantDecisions["shown"]>>,
  ): Promise<Representation> {
    const { contentType } = plain;
    const more = projectionOf(baseUrl, pod.name, target.subject, grants);
    const own = await parseRdf(stored.bytes ?? new Uint8Array(), stored.contentType, url);
    const content = await serializeRdf([...own, ...more], contentType, { baseIri: url });
    const etag = etagOf(stored.version, `${FORMS[contentType] ?? ""}.g${version}`);
    return { ...plain, etag, bytes: content.length, content };
  }

  async function representDocument(pod: Pod, operation: Operation, stored: Stored): Promise<Representation> {
    const { entry, version, modified, blob, bytes } = stored;
    const mediaType = mediaTypeOf(stored.contentType);
    const chosen = chooseType(
      operation,
      stored.isRdf ? [mediaType, ...RDF_TYPES.filter((type) => type !== mediaType)] : [mediaType],
    );
    if (blob)
      return {
        contentType: stored.contentType,
        etag: etagOf(version),
        modified,
        bytes: blob.bytes,
        content: { blob: blob.hash },
      };
    const own = bytes ?? new Uint8Array();
    if (chosen === mediaType)
      return {
        contentType: stored.contentType,
        etag: etagOf(version),
        modified,
        bytes: own.length,
        content: own,
      };
    const converted = await once(`${pod.id} ${operation.target.path} ${entry.version} ${chosen}`, async () =>
      serializeRdf(await parseRdf(own, stored.contentType, operation.url), chosen, {
        baseIri: operation.url,
      }),
    );
    return {
      contentType: chosen,
      etag: etagOf(version, FORMS[chosen]),
      modified,
      bytes: converted.length,
      content: converted,
    };
  }

  return {
    async read(snapshot, pod, operation, mayRead) {
      const { target, headers } = operation;
      let representation: Representation | null;
      let ofProfile: readonly string[] = [];
      if (target.isContainer) {
        representation = await list(snapshot, pod, operation);
      } else {
        const stored = (await findStored(snapshot, target)) ?? (await impliedRules(snapshot, target));
        representation = stored && (await representDocument(pod, operation, stored));
        if (stored && representation && target.auxiliary === "acl" && language.name === "wac") {
          const shown = await grants.shown(snapshot, target.subject);
          if (shown.grants.length > 0)
            representation = await withGrants(representation, pod, operation, stored, shown);
        }
        if (stored && isProfile(pod, operation.url))
          ofProfile = await profileLinks(pod, operation.url, stored);
      }
      if (!representation) {
        const other = target.auxiliary ? null : otherForm(target.path);
        if (
          other &&
          other !== `/${pod.name}` &&
          (await findResource(snapshot, other)) &&
          (await mayRead(other))
        ) {
          return { status: 301, headers: { location: `${baseUrl.slice(0, -1)}${other}` }, body: null };
        }
        throw new Problem(
          "not-found",
          target.path === "/" ? undefined : `Nothing is stored at ${nameOf(target.path)}`,
        );
      }
      const { contentType, etag, modified, bytes, content, shapes = [], links = [] } = representation;
      const nature = natureOf(target, pod.name);
      const common = {
        ...abilityHeaders(nature),
        ...inertHeaders(contentType),
        link: [
          linkHeader(baseUrl, target, nature, pod.owner, language),
          ...constraintLinks(shapes),
          ...links,
          ...ofProfile,
        ].join(", "),
        etag,
        "last-modified": new Date(modified).toUTCString(),
        vary: `Accept, Authorization, Origin${target.isContainer ? ", Prefer" : ""}`,
        "cache-control": "private, no-cache",
        ...representation.headers,
      };
      checkReadConditions(headers, etag, modified);
      // When grants on a place began and ended is in no time of modification, so of its list only the ETag counts.
      const known = target.auxiliary === "acl" ? { ...headers, "if-modified-since": undefined } : headers;
      if (isNotModified(known, etag, modified)) return { status: 304, headers: common, body: null };
      // HEAD has no ranges. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
      const mayBePart = operation.method === "GET" && !target.isContainer && bytes !== null;
      const range = mayBePart ? parseRange(headers, bytes, etag) : null;
      const size = range ? range.last - range.first + 1 : bytes;
      let body: Result["body"] = null;
      if (operation.method === "GET" && typeof content === "function") {
        body = await content();
      } else if (operation.method === "GET" && "blob" in content) {
        try {
          body = await begin(blobs.read(pod.id, content.blob, range ?? undefined));
        } catch (error) {
          if (error instanceof Problem && error.code === "unavailable") return null;
          throw error;
        }
      } else if (operation.method === "GET" && content instanceof Uint8Array) {
        body = range ? content.subarray(range.first, range.last + 1) : content;
      }
      return {
        status: range ? 206 : 200,
        headers: {
          ...common,
          "content-type": contentType,
          ...(size !== null && { "content-length": String(size) }),
          ...(!target.isContainer && { "accept-ranges": "bytes" }),
          ...(range && { "content-range": `bytes ${range.first}-${range.last}/${bytes}` }),
        },
        body,
      };
    },
  };
}
