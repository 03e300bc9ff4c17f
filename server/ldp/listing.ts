/**
 * What a container's GET answers: the whole listing as bytes while it is short, a stream when it is long, or a page of it.
 *
 * Short listings are made once per version, in the order of their names. Long ones are read some members at a time, each
 * time from the store's newest state, so that a slow reader holds up nothing. Whatever was a member all the while is
 * listed exactly once; what came or went meanwhile may be listed or not. So their ETag is weak.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Operation } from "../operation.ts";
import {
  type Batches,
  containerParts,
  containerQuads,
  containerTurtle,
  type Member,
} from "../rdf/container.ts";
import { negotiate, RDF_TYPES } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { decodeDocument, decodeOnce, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Page, Snapshot, Store } from "../store/store.ts";
import { etagOf, FORMS, weakEtagOf } from "./conditions.ts";
import { containerState, findResource } from "./find.ts";
import { type PageRequest, pageHeaders, pageLinks, parsePageRequest } from "./paging.ts";
import { prefersNoMembers } from "./prefer.ts";
import { shapesIn } from "./shape.ts";

/** Members read at once from a long listing: some milliseconds of work. */
const BATCH = 256;
/** Members spelled as triples in one go, which takes some 20 times as long as straight as Turtle. */
const AT_ONCE = 1_000;
/** Containers known to be long. */
const LONG_MAX = 10_000;

/** Whether the agent of the request may still read the container, in a newer snapshot. */
export type StillMay = (snapshot: Snapshot, pod: Pod, operation: Operation) => Promise<boolean>;

export interface ListingDeps {
  readonly store: Pick<Store, "read">;
  readonly limits: Limits;
  readonly stillMay: StillMay;
  /** Makes bytes once for each key. */
  readonly once: (key: string, make: () => Promise<Uint8Array>) => Promise<Uint8Array>;
  readonly isMade: (key: string) => boolean;
}

export interface Listing {
  readonly contentType: string;
  readonly etag: string;
  readonly modified: number;
  /** Null: nobody has counted. */
  readonly bytes: number | null;
  /** Bytes; or what begins to read them, while the snapshot is there. */
  readonly content: Uint8Array | (() => Promise<AsyncIterable<Uint8Array>>);
  /** Shapes that the container asks of its members. */
  readonly shapes: readonly string[];
  readonly links: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

const toMember = (entry: Entry): Member => ({
  name: entry.item,
  record: decodeRecord<ResourceRecord>(entry),
});
/** Of a listing that passes by. */
const toPassing = (entry: Entry): Member => ({
  name: entry.item,
  record: decodeOnce<ResourceRecord>(entry),
});

/** Others have their turn between the parts. */
async function joined(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) {
    all.push(part);
    await nextTurn();
  }
  return Buffer.concat(all);
}

async function* some(members: readonly Member[]): Batches {
  for (let from = 0; from < members.length; from += BATCH) yield members.slice(from, from + BATCH);
}

export function createListings({ store, limits, stillMay, once, isMade }: ListingDeps) {
  const long = new Lru<string, true>(LONG_MAX);

  /** All members in the order of their names, which clients and caches like; null when they are too many. */
  async function membersOf(snapshot: Snapshot, path: string): Promise<Member[] | null> {
    const members: Member[] = [];
    for await (const entry of snapshot.list("resource", path)) {
      if (members.length === limits.listingMembersMax) return null;
      members.push(toMember(entry));
    }
    return members.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function extraOf(meta: Entry | null, url: string): Promise<readonly Quad[]> {
    if (!meta) return [];
    const { bytes, contentType } = decodeDocument(meta);
    return parseRdf(bytes, contentType, `${url}.meta`);
  }

  function spell(
    url: string,
    members: readonly Member[],
    chosen: string,
    modified: number,
    extra: readonly Quad[],
  ): Promise<Uint8Array> {
    if (chosen === "text/turtle" && extra.length === 0)
      return joined(containerTurtle(url, members, { modified }));
    if (members.length > AT_ONCE)
      return joined(containerParts(chosen, url, some(members), { modified }, extra));
    return serializeRdf([...containerQuads(url, members, { modified }), ...extra], chosen, { baseIri: url });
  }

  /** The pages after the first, each from the newest state and only as long as the reader may read. */
  async function* batches(pod: Pod, operation: Operation, first: Page): Batches {
    const { path } = operation.target;
    let count = 0;
    for (let page = first; ; ) {
      count += page.entries.length;
      yield page.entries.map(toPassing);
      const { next } = page;
      if (next === null) break;
      page = await store.read(pod.id, async (snapshot) => {
        if (!(await stillMay(snapshot, pod, operation))) throw new Problem("forbidden");
        return snapshot.page("resource", path, next, BATCH);
      });
    }
    if (count <= limits.listingMembersMax) long.delete(`${pod.id} ${path}`); // It has become short.
  }

  async function page(
    snapshot: Snapshot,
    operation: Operation,
    asked: PageRequest,
    chosen: string,
    state: { readonly version: number; readonly modified: number },
    meta: Entry | null,
  ) {
    const { url, target } = operation;
    const found = await snapshot.page("resource", target.path, asked.after, asked.most);
    const extra = asked.after === null ? await extraOf(meta, url) : []; // The container's own description is on the first.
    const bytes = await spell(url, found.entries.map(toPassing), chosen, state.modified, extra);
    return {
      etag: etagOf(state.version, `${FORMS[chosen]}-${asked.most}`),
      bytes: bytes.length,
      content: bytes,
      links: pageLinks(url, asked, found.next),
      headers: pageHeaders(url, asked),
    };
  }

  /**
   * @returns null when there is no such container.
   * @throws Problem `not-acceptable`, `input-invalid` for a page that cannot be.
   */
  return async (snapshot: Snapshot, pod: Pod, operation: Operation): Promise<Listing | null> => {
    const { target, headers, url } = operation;
    const { path } = target;
    const found = await findResource(snapshot, path);
    if (!found || found.record.kind !== "container") return null;
    const meta = await snapshot.get("auxiliary", path, "meta");
    const state = await containerState(snapshot, path, found, meta);
    const { version, modified } = state;
    const chosen = negotiate(headers.accept, RDF_TYPES);
    if (chosen === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
    const common = {
      contentType: chosen,
      modified,
      shapes: meta ? await shapesIn(meta, url) : [],
      links: [],
      headers: {},
    };
    const asked = parsePageRequest(operation, limits.pageMembersMax);
    if (asked) return { ...common, ...(await page(snapshot, operation, asked, chosen, state, meta)) };

    if (prefersNoMembers(headers["prefer"])) {
      const bytes = await spell(url, [], chosen, modified, await extraOf(meta, url));
      return {
        ...common,
        etag: etagOf(version, `${FORMS[chosen]}-minimal`),
        bytes: bytes.length,
        content: bytes,
        headers: { "preference-applied": "return=representation" },
      };
    }

    const place = `${pod.id} ${path}`;
    const key = `${place} ${version} ${chosen}`;
    const members = isMade(key) ? [] : long.get(place) ? null : await membersOf(snapshot, path);
    if (members) {
      const bytes = await once(key, async () =>
        spell(url, members, chosen, modified, await extraOf(meta, url)),
      );
      return { ...common, etag: etagOf(version, FORMS[chosen]), bytes: bytes.length, content: bytes };
    }
    long.set(place, true, 1);
    return {
      ...common,
      etag: weakEtagOf(version, FORMS[chosen] ?? ""),
      bytes: null,
      async content() {
        const extra = await extraOf(meta, url);
        const first = await snapshot.page("resource", path, null, BATCH);
        return containerParts(chosen, url, batches(pod, operation, first), { modified }, extra);
      },
    };
  };
}
