/** Which types the resources of a pod have: from what documents say of themselves, and from what the server knows. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { parseRdf } from "../rdf/parse.ts";
import { ownTypes } from "../rdf/types.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot } from "../store/store.ts";

export const LWS = "https://www.w3.org/ns/lws#";
const CONTAINER = `${LWS}Container`;
const DATA_RESOURCE = `${LWS}DataResource`;

export interface Typed {
  /** Canonical path. */
  readonly path: string;
  readonly record: ResourceRecord;
  /** The native one first; then those that the document gives to itself or to what it names with a fragment. */
  readonly types: readonly string[];
}

const DOCUMENTS_PER_TURN = 32; // Parsed in a row, before others have their turn …
const RESOURCES_PER_TURN = 2_000; // … or only looked at.

/**
 * Types are derived when they are asked for, and kept by the document's version: a write costs nothing, and what was
 * written is found at once. Of what the agent may not read nothing is looked at.
 * @param origin Of all addresses; no slash at the end.
 */
export function createTypes(origin: string, limits: Limits) {
  let known = new Lru<string, readonly string[]>(limits.typesRemembered);

  async function derive(snapshot: Snapshot, path: string, contentType: string): Promise<readonly string[]> {
    const body = await snapshot.get("body", path, "");
    if (!body) return [];
    const url = `${origin}${path}`;
    try {
      const quads = await parseRdf(body.value, contentType, url, limits);
      return ownTypes(quads, url).slice(0, limits.typesPerDocumentMax);
    } catch {
      return []; // Written when the limits were wider.
    }
  }

  /**
   * All resources that the agent may read, in the order of their paths.
   * @throws Problem `unavailable` when there is more to read than one request has time for; the next goes on from there.
   */
  async function typesOf(snapshot: Snapshot, mayRead: (path: string) => Promise<boolean>): Promise<Typed[]> {
    const until = performance.now() + limits.typesMsMax;
    const found: Typed[] = [];
    let parsed = 0;
    let seen = 0;
    for await (const entry of snapshot.all("resource")) {
      if (++seen % RESOURCES_PER_TURN === 0) await nextTurn();
      const path = `${entry.group}${entry.item}`;
      if (!(await mayRead(path))) continue;
      const record = decodeRecord<ResourceRecord>(entry);
      const native = record.kind === "container" ? CONTAINER : DATA_RESOURCE;
      if (record.kind !== "rdf") {
        found.push({ path, record, types: [native] });
        continue;
      }
      const key = `${snapshot.pod} ${path} ${entry.version}`;
      let types = known.get(key);
      if (!types) {
        types = await derive(snapshot, path, record.contentType);
        known.set(key, types, 1);
        if (++parsed % DOCUMENTS_PER_TURN === 0) await nextTurn();
        if (performance.now() > until)
          throw new Problem("unavailable", "The pod is still being read; ask again", {
            headers: { "retry-after": "1" },
          });
      }
      found.push({ path, record, types: [native, ...types.filter((type) => type !== native)] });
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  return {
    typesOf,
    forget(): void {
      known = new Lru(limits.typesRemembered);
    },
  };
}
