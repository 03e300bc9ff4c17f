/** The documents of a pod that are graphs, and how each is read: all that a query could range over. */
import { createHash } from "node:crypto";
import type { Classified, Readable } from "../access/readable.ts";
import { nameOf, parentOf } from "../iri.ts";
import { Lru } from "../lru.ts";
import type { Agent } from "../operation.ts";
import { isOpenAtFirst } from "../profile.ts";
import type { PurposeQuestion } from "../purpose.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord, type StreamPage } from "../store/record.ts";
import type { Change, ChangesBetween, Snapshot } from "../store/store.ts";
import { type GrantedGraphs, withGranted } from "./granted.ts";
import type { KeptIndexes, ListedDocument } from "./index/kept.ts";
import type { SentDocument } from "./messages.ts";
import { partsOf } from "./parts.ts";

/** A graph that is stored. */
export interface StoredDocument extends GraphDocument, ListedDocument {
  readonly kind: ListedDocument["kind"];
  readonly version: string;
}

export interface GraphDocument {
  /** Stands for (pod, path, version), and for nothing else in this process. */
  readonly number: number;
  readonly path: string;
  readonly kind: "rdf" | "container" | "acl" | "meta" | "virtual";
  /** With the path it says what the document says, in other processes too. A virtual one has none. */
  readonly version?: string;
  /** Of a page of a stream: what is observed in it, so that it is left out where that is of no use. */
  readonly page?: StreamPage;
  /** Of a virtual document, which is stored nowhere: all that have its name. */
  readonly sources?: readonly VirtualGraph[];
}

/** Something that is no document of the pod, and a graph all the same for who names it. */
export interface VirtualGraph {
  /** The graph's name; several may share one. */
  readonly graph: string;
  /** The same for the same content, and for nothing else. */
  readonly version: string;
  readonly contentType: string;
  readonly bytes: () => Promise<Uint8Array>;
}

/** What one agent may read of an inventory. */
export interface ReadableDocuments {
  /** Stands for these documents, and for nothing else in this process. */
  readonly id: number;
  readonly documents: readonly GraphDocument[];
  readonly numbers: Uint32Array;
  /** Whether there are pages of streams among them. */
  readonly hasPages: boolean;
  /** Whether the agent may see who may do what with the pod as a whole: its owner, in an app that may know that. */
  readonly hasControl: boolean;
  /** Whether anything is readable but what is open to everybody from the first day. */
  readonly isOpened: boolean;
  has(document: GraphDocument): boolean;
  /** Of these, those that are no documents of the pod; only whoever was granted them knows their names. */
  readonly granted: readonly GraphDocument[];
  /** Milliseconds: an answer that is made of these leaves at a multiple of it; 0: at once. */
  readonly slotMs: number;
  /** Ids of the grants without which not all of these could be read. @param some Documents of these; null: all. */
  grantsOf(some: readonly GraphDocument[] | null): readonly string[];
  /** For which purpose the grants are used. */
  readonly purpose: string | null;
  /** What the agent has to be asked, for it was granted more than this, for other purposes; null: nothing. */
  readonly question: PurposeQuestion | null;
}

export interface Inventory<Rules = unknown> {
  /** Names the pod and this numbering of its documents. */
  readonly key: string;
  /** About how many documents there are: no fewer than that. */
  readonly count: number;
  readonly byPlace: readonly (GraphDocument | null)[];
  readonly all: () => readonly StoredDocument[];
  readonly find: (path: string) => GraphDocument | undefined;
  /** At the first place the rules of the pod's root, be they written or not; then documents. */
  readonly classified: Classified<Rules>;
  /** By what decided about them. */
  readonly readable: Lru<string, ReadableDocuments>;
}

/** The part of access that a query asks. */
export interface QueryAccess<Rules = unknown> extends Readable<Rules> {
  /** How the addresses of rules end. */
  readonly language: { readonly ending: ".acl" | ".acr" };
}

type Numbered = StoredDocument;
/** Where each path of a pod is in all its inventories: a place is never another path's, so they may share this. */
interface Places {
  readonly of: Map<string, number>;
  next: number;
}

/** Documents as they are now, by their places; null where there is none. */
interface Placed {
  readonly places: Places;
  readonly documents: readonly (Numbered | null)[];
}
interface Known<Rules> extends Placed {
  readonly generation: number;
  readonly inventory: Inventory<Rules>;
  /** How many classes there were when all were found. */
  readonly classes: number;
}
interface Found extends Placed {
  /** Places whose rules must be looked for; null: all, for any rules may be others than before. */
  readonly changed: ReadonlySet<number> | null;
}

const VIRTUAL_NUMBERS_MAX = 10_000;
const SETS_NAMED_MAX = 50_000;
const INVENTORY_DOCUMENTS_MAX = 500_000; // Documents whose paths are kept, of all pods together.
const CLASSES_MORE = 64;
const EMPTY_PLACES_MAX = 1_000; // Of paths that were deleted.
const READABLE_KEPT = 64; // Of one inventory, answers to "what may this agent read" that are as large as can be.
const READABLE_WEIGHT = 100; // Of one that is empty, in documents.

export interface Documents {
  /** Made once per generation of the pod. */
  inventory(snapshot: Snapshot, pod: Pod): Promise<Inventory>;
  /** Asks about groups, apps and frozen places anew every time; only the list that follows is kept. */
  readable(snapshot: Snapshot, pod: Pod, agent: Agent, inventory: Inventory): Promise<ReadableDocuments>;
  /** Graphs that are stored nowhere, as documents: the same number for the same version, one document for each name. */
  number(graphs: readonly VirtualGraph[]): readonly GraphDocument[];
  /** Forgets all inventories: they have the names of what was erased. */
  forget(): void;
  /** A document as a query thread gets it. */
  read(snapshot: Snapshot, document: GraphDocument): Promise<SentDocument>;
}

/** Every change of a member raises the greatest version, every deletion lowers the count. */
interface Membership {
  count: number;
  version: number;
}

/**
 * @param origin Of all addresses; no slash at the end.
 * @param changes So that after a write not all of the pod is looked through again.
 * @param kept Which documents there were when an index was kept, so that a pod that stands where it stood is not looked
 * through after a start.
 * @param grantedTo Graphs that somebody was granted beside documents.
 */
export function createDocuments<Rules>(
  origin: string,
  access: QueryAccess<Rules>,
  changes: ChangesBetween,
  kept: Pick<KeptIndexes, "list"> | null = null,
  grantedTo: ((snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<GrantedGraphs>) | null = null,
): Documents {
  const rulesEnding = access.language.ending;
  let known = new Lru<string, Known<Rules>>(INVENTORY_DOCUMENTS_MAX);
  const virtual = new Lru<string, number>(VIRTUAL_NUMBERS_MAX);
  let lastNumber = 0;
  let lastKey = 0;
  const ids = new Lru<string, number>(SETS_NAMED_MAX);
  let lastReadable = 0;

  /** The same for the same documents, in whatever inventory: what changes elsewhere must not show, not even in an ETag. */
  function idOf(numbers: Uint32Array): number {
    const hash = createHash("sha256").update(numbers).digest("base64url");
    const id = ids.get(hash) ?? ++lastReadable;
    ids.set(hash, id, 1);
    return id;
  }

  async function collect(snapshot: Snapshot): Promise<ListedDocument[]> {
    const found: ListedDocument[] = [];
    const containers: { readonly path: string; readonly version: number }[] = [];
    const members = new Map<string, Membership>();
    const auxiliary = new Map<string, number>();
    for await (const entry of snapshot.all("auxiliary")) {
      const path = entry.item === "acl" ? entry.group + rulesEnding : `${entry.group}.${entry.item}`;
      auxiliary.set(path, entry.version);
      if (entry.item === "acl" || entry.item === "meta")
        found.push({ path, kind: entry.item, version: `${entry.version}` });
    }
    for await (const entry of snapshot.all("resource")) {
      const { kind, page } = decodeRecord<ResourceRecord>(entry);
      const path = `${entry.group}${entry.item}`;
      const membership = members.get(entry.group) ?? { count: 0, version: 0 };
      members.set(entry.group, membership);
      membership.count++;
      membership.version = Math.max(membership.version, entry.version);
      if (kind === "rdf") found.push({ path, kind, version: `${entry.version}`, ...(page && { page }) });
      else if (kind === "container") containers.push({ path, version: entry.version });
    }
    const stamps = new Map<string, number>();
    for await (const entry of snapshot.all("stamp")) stamps.set(entry.group, entry.version);
    for (const { path, version } of containers) {
      const { count, version: newest } = members.get(path) ?? { count: 0, version: 0 };
      const parts = [version, count, newest, stamps.get(path) ?? 0, auxiliary.get(`${path}.meta`) ?? 0];
      found.push({ path, kind: "container", version: parts.join(".") });
    }
    return found;
  }

  function findIn({ places, documents }: Placed, path: string): Numbered | undefined {
    const at = places.of.get(path);
    return at === undefined ? undefined : (documents[at] ?? undefined);
  }

  async function collectAll(snapshot: Snapshot, before: Known<Rules> | undefined): Promise<Found> {
    const places: Places = { of: new Map(), next: 1 };
    const documents: (Numbered | null)[] = [null];
    for (const document of (await kept?.list(snapshot)) ?? (await collect(snapshot))) {
      const same = before && findIn(before, document.path);
      places.of.set(document.path, places.next++);
      documents.push(same?.version === document.version ? same : { ...document, number: ++lastNumber });
    }
    return { places, documents, changed: null };
  }

  /** @returns `before` where nothing that was written is a document, or says who may read one. */
  async function bringForward(
    snapshot: Snapshot,
    before: Known<Rules>,
    written: readonly Change[],
  ): Promise<Found | Known<Rules>> {
    const version = `@${snapshot.generation}`; // Like no other: a container's has points in it, all others have none of these.
    const resources = new Map<string, Change>();
    const auxiliaries = new Map<string, Change>();
    const containers = new Set<string>();
    let areRulesNew = false;
    for (const change of written) {
      const { table, group, item } = change;
      if (table === "resource") {
        resources.set(`${group}${item}`, change);
        containers.add(group);
      } else if (table === "auxiliary" && (item === "acl" || item === "meta")) {
        auxiliaries.set(item === "acl" ? group + rulesEnding : `${group}.${item}`, change);
        if (item === "acl") areRulesNew = true;
        else if (group.endsWith("/")) containers.add(group);
      } else if (table === "stamp" && group !== "") containers.add(group);
    }
    if (resources.size + auxiliaries.size + containers.size === 0) return before;

    const { places } = before;
    const documents = before.documents.slice();
    const changed = new Set<number>();
    const touch = (path: string): void => {
      const at = places.of.get(path);
      if (at !== undefined) changed.add(at);
    };
    const place = (path: string, kind: Numbered["kind"] | null, own = version, page?: StreamPage): void => {
      let at = places.of.get(path);
      if (at === undefined) {
        if (kind === null) return;
        places.of.set(path, (at = places.next++));
      }
      while (documents.length <= at) documents.push(null);
      documents[at] =
        kind === null ? null : { path, kind, version: own, number: ++lastNumber, ...(page && { page }) };
      changed.add(at);
    };
    for (const [path, { group, item }] of resources) {
      const entry = await snapshot.get("resource", group, item);
      const record = entry && decodeRecord<ResourceRecord>(entry);
      if (record?.kind === "container") containers.add(path);
      else place(path, record?.kind === "rdf" ? record.kind : null, `${entry?.version}`, record?.page);
      // Rules may ask who made it.
      touch(`${path}.meta`);
      touch(path + rulesEnding);
    }
    for (const [path, { group, item }] of auxiliaries) {
      const entry = await snapshot.get("auxiliary", group, item);
      place(path, entry ? (item as "acl" | "meta") : null, `${entry?.version}`);
    }
    for (const path of containers) {
      const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
      const isThere = entry !== null && decodeRecord<ResourceRecord>(entry).kind === "container";
      place(path, isThere ? "container" : null);
    }
    return compacted({ places, documents, changed: areRulesNew ? null : changed });
  }

  /** Places of paths that are gone are given up when they are most of all. */
  function compacted(found: Found): Found {
    const documents = [null, ...found.documents.filter((document) => document !== null)];
    if (documents.length * 2 + EMPTY_PLACES_MAX > found.documents.length) return found;
    const of = new Map(documents.slice(1).map((document, at) => [document!.path, at + 1]));
    return { places: { of, next: documents.length }, documents, changed: null };
  }

  async function ofDocuments(snapshot: Snapshot, pod: Pod, agent: Agent, inventory: Inventory) {
    const decided = await access.readable(
      snapshot,
      pod,
      agent,
      inventory.classified as Classified<Rules>, // It is from here.
    );
    let found = inventory.readable.get(decided.key);
    if (!found) {
      const { bits, grants, question } = await decided.made();
      const documents: GraphDocument[] = [];
      const grantOf = new Map<GraphDocument, string>();
      for (let at = 1; at < bits.length; at++) {
        const document = inventory.byPlace[at];
        if (bits[at] !== 1 || !document) continue;
        documents.push(document);
        const grant = grants.get(at);
        if (grant !== undefined) grantOf.set(document, grant);
      }
      const numbers = Uint32Array.from(documents, ({ number }) => number);
      let members: Set<number> | null = null;
      found = {
        id: idOf(numbers),
        documents,
        numbers,
        hasPages: documents.some(({ page }) => page !== undefined),
        hasControl: bits[0] === 1,
        granted: [],
        slotMs: 0,
        isOpened: documents.some(({ path }) => !isOpenAtFirst(pod.name, path)),
        has: ({ number }) => (members ??= new Set(documents.map((one) => one.number))).has(number),
        grantsOf: (some) => [
          ...new Set(
            some === null || some === documents
              ? grantOf.values()
              : some.flatMap((one) => grantOf.get(one) ?? []),
          ),
        ],
        purpose: decided.purpose ?? null,
        question,
      };
      inventory.readable.set(decided.key, found, documents.length + READABLE_WEIGHT);
    }
    return found;
  }

  function numbered(graphs: readonly VirtualGraph[]): readonly GraphDocument[] {
    const byName = Map.groupBy(graphs, ({ graph }) => graph);
    return [...byName].map(([path, sources]) => {
      const version = JSON.stringify(sources.map((source) => source.version));
      const number = virtual.get(version) ?? ++lastNumber;
      virtual.set(version, number, 1);
      return { number, path, kind: "virtual", sources };
    });
  }

  return {
    async inventory(snapshot, pod) {
      const { generation } = snapshot;
      const before = known.get(snapshot.pod);
      if (before?.generation === generation) return before.inventory;
      const written = (before && changes(snapshot.pod, before.generation, generation)) ?? null;
      const found =
        before && written
          ? await bringForward(snapshot, before, written)
          : await collectAll(snapshot, before);
      if (found === before) {
        known.set(snapshot.pod, { ...before, generation }, before.documents.length);
        return before.inventory;
      }
      const { places, documents, changed } = found as Found;
      const paths = documents.map((document) => document?.path ?? null);
      paths[0] = `/${pod.name}/${rulesEnding}`;
      // The same rules may be found as other objects: then classes grow, until they are counted anew.
      const isFew = before && before.inventory.classified.classes.length <= before.classes * 2 + CLASSES_MORE;
      const inventory: Inventory<Rules> = {
        key: before?.inventory.key ?? `${snapshot.pod} ${++lastKey}`,
        count: documents.length,
        byPlace: documents,
        all: () => documents.filter((document) => document !== null),
        find: (path) => findIn({ places, documents }, path),
        classified: await access.classify(
          snapshot,
          pod,
          paths,
          isFew && changed ? { classified: before.inventory.classified, changed } : undefined,
        ),
        readable: new Lru((documents.length + READABLE_WEIGHT) * READABLE_KEPT),
      };
      const classes = isFew && changed ? before.classes : inventory.classified.classes.length;
      known.set(snapshot.pod, { generation, inventory, places, documents, classes }, documents.length);
      return inventory;
    },
    async readable(snapshot, pod, agent, inventory) {
      const own = await ofDocuments(snapshot, pod, agent, inventory);
      if (!grantedTo) return own;
      const beside = await grantedTo(snapshot, pod, agent);
      return withGranted(own, beside, numbered(beside.graphs), idOf);
    },
    number: numbered,
    forget() {
      known = new Lru(INVENTORY_DOCUMENTS_MAX);
    },
    read: async (snapshot, document) => ({
      number: document.number,
      graph: document.kind === "virtual" ? document.path : `${origin}${document.path}`,
      parts: await partsOf(origin, snapshot, document),
    }),
  };
}
