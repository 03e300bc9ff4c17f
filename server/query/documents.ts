/** The documents of a pod that are graphs, and how each is read: all that a query could range over. */
import { Lru } from "../lru.ts";
import { containerTurtle } from "../rdf/container.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot } from "../store/store.ts";
import type { SentDocument } from "./messages.ts";

export interface GraphDocument {
  /** Stands for (pod, path, version), and for nothing else in this process. */
  readonly number: number;
  readonly path: string;
  readonly kind: "rdf" | "container" | "acl" | "meta" | "virtual";
  /** Of a virtual document, which is stored nowhere. */
  readonly source?: VirtualGraph;
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

export interface Inventory {
  /** Names the pod and this numbering of its documents. */
  readonly key: string;
  readonly documents: readonly GraphDocument[];
  readonly byPath: ReadonlyMap<string, GraphDocument>;
}

interface Numbered extends GraphDocument {
  readonly version: string;
}
interface Known {
  readonly generation: number;
  readonly inventory: Inventory;
  readonly numbered: ReadonlyMap<string, Numbered>;
}

const VIRTUAL_NUMBERS_MAX = 10_000;
const INVENTORY_DOCUMENTS_MAX = 500_000; // Documents whose paths are kept, of all pods together.

export interface Documents {
  /** Made once per generation of the pod. */
  inventory(snapshot: Snapshot): Promise<Inventory>;
  /** Graphs that are stored nowhere, as documents: the same number for the same version. */
  number(graphs: readonly VirtualGraph[]): readonly GraphDocument[];
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
 * @param rulesEnding Of the addresses of rules: four characters.
 */
export function createDocuments(origin: string, rulesEnding: ".acl" | ".acr" = ".acl"): Documents {
  const known = new Lru<string, Known>(INVENTORY_DOCUMENTS_MAX);
  const virtual = new Lru<string, number>(VIRTUAL_NUMBERS_MAX);
  let lastNumber = 0;
  let lastKey = 0;

  async function collect(snapshot: Snapshot): Promise<Omit<Numbered, "number">[]> {
    const found: Omit<Numbered, "number">[] = [];
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
      const { kind } = decodeRecord<ResourceRecord>(entry);
      const path = `${entry.group}${entry.item}`;
      const membership = members.get(entry.group) ?? { count: 0, version: 0 };
      members.set(entry.group, membership);
      membership.count++;
      membership.version = Math.max(membership.version, entry.version);
      if (kind === "rdf") found.push({ path, kind, version: `${entry.version}` });
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

  async function* membersOf(
    snapshot: Snapshot,
    path: string,
  ): AsyncGenerator<{ name: string; record: ResourceRecord }> {
    for await (const entry of snapshot.list("resource", path))
      yield { name: entry.item, record: decodeRecord<ResourceRecord>(entry) };
  }

  async function partsOf(snapshot: Snapshot, document: GraphDocument): Promise<SentDocument["parts"]> {
    const { path, kind, source } = document;
    if (source) return [{ contentType: source.contentType, bytes: await source.bytes() }];
    if (kind === "rdf") {
      const resource = await snapshot.get(
        "resource",
        path.slice(0, path.lastIndexOf("/") + 1),
        path.slice(path.lastIndexOf("/") + 1),
      );
      const body = await snapshot.get("body", path, "");
      return resource && body
        ? [{ contentType: decodeRecord<ResourceRecord>(resource).contentType, bytes: body.value }]
        : [];
    }
    if (kind !== "container") {
      const entry = await snapshot.get("auxiliary", path.slice(0, -kind.length - 1), kind);
      return entry ? [decodeDocument(entry)].map(({ contentType, bytes }) => ({ contentType, bytes })) : [];
    }
    const stamp = await snapshot.get("stamp", path, "");
    const modified = stamp ? decodeRecord<{ readonly modified: number }>(stamp).modified : 0;
    const listing = Buffer.concat(
      await Array.fromAsync(containerTurtle(`${origin}${path}`, membersOf(snapshot, path), { modified })),
    );
    const meta = await snapshot.get("auxiliary", path, "meta");
    const description = meta
      ? [decodeDocument(meta)].map(({ contentType, bytes }) => ({ contentType, bytes }))
      : [];
    return [{ contentType: "text/turtle", bytes: listing }, ...description];
  }

  return {
    async inventory(snapshot) {
      const before = known.get(snapshot.pod);
      if (before?.generation === snapshot.generation) return before.inventory;
      const numbered = new Map<string, Numbered>();
      for (const document of await collect(snapshot)) {
        const same = before?.numbered.get(document.path);
        numbered.set(
          document.path,
          same?.version === document.version ? same : { ...document, number: ++lastNumber },
        );
      }
      const key = before?.inventory.key ?? `${snapshot.pod} ${++lastKey}`;
      const inventory: Inventory = { key, documents: [...numbered.values()], byPath: numbered };
      known.set(snapshot.pod, { generation: snapshot.generation, inventory, numbered }, numbered.size + 1);
      return inventory;
    },
    number: (graphs) =>
      graphs.map((source) => {
        const number = virtual.get(source.version) ?? ++lastNumber;
        virtual.set(source.version, number, 1);
        return { number, path: source.graph, kind: "virtual", source };
      }),
    read: async (snapshot, document) => ({
      number: document.number,
      graph: document.source?.graph ?? `${origin}${document.path}`,
      parts: await partsOf(snapshot, document),
    }),
  };
}
