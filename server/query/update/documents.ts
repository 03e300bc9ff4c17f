/**
 * The documents of one pod as the graphs that an update works on: `GRAPH <document>` is that document, one that is not
 * there is made, one that was emptied stays, DROP deletes it. Nothing is written before all of it is known and allowed.
 */
import { Problem } from "../../errors.ts";
import { parseTarget, type Target } from "../../iri.ts";
import type { Mode } from "../../operation.ts";
import { parseRdf } from "../../rdf/parse.ts";
import { serializeRdf } from "../../rdf/serialize.ts";
import { blankNode, keyOfTriple, type Quad, quad, type Value } from "../../rdf/terms.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import { narrow } from "../scope.ts";
import { reachOfPattern } from "../sparql/reach.ts";
import { labelOf, readLabel } from "./labels.ts";
import { type GraphName, type Graphs, type Matched, type Modify, scopeOfModify } from "./perform.ts";
import type { SentGraph } from "./task.ts";

/** What stands at the address of a document. */
export interface StoredContent {
  readonly contentType: string;
  readonly isRdf: boolean;
  /** Null for a large file. */
  readonly bytes: Uint8Array | null;
}

export interface DocumentsDeps {
  /** Of all addresses; no slash at the end. */
  readonly origin: string;
  readonly pod: Pod;
  /** How many may be changed. */
  readonly documentsMax: number;
  /** Bytes of all documents that one WHERE looks into. */
  readonly bytesMax: number;
  readonly snapshot: Snapshot;
  readonly may: (path: string, mode: "read" | "write") => Promise<boolean>;
  /** As `may`, for very many paths. */
  readonly reader: () => Promise<(path: string) => Promise<boolean>>;
  /** Asked before anything is looked at. @throws Problem `forbidden`, `restricted`. */
  readonly demand: (target: Target, mode: Mode) => Promise<void>;
  /** @returns null where there is nothing. */
  readonly stored: (target: Target) => Promise<StoredContent | null>;
  /** @throws Problem `conflict` for the server's own addresses. */
  readonly checkPlace: (pod: Pod, path: string) => void;
  /** Evaluates WHERE over documents, somewhere it can be ended. */
  readonly evaluate: (
    operation: Modify,
    at: number,
    /** Reads them: when it is their turn, for all of them are in memory at once. @param beInTime Called often; throws. */
    documents: (beInTime: () => void) => Promise<readonly SentGraph[]>,
  ) => Promise<Matched>;
}

/** What an update makes of one document. */
export interface Changed {
  readonly target: Target;
  readonly url: string;
  /** What was done to it, whether or not it came to anything. */
  readonly modes: readonly Mode[];
  /** "none": it says what it said, or is as little there as before. */
  readonly outcome: "none" | "change" | "remove";
  readonly triples: readonly Quad[];
}

type Triples = Map<string, Quad>;

/** A document that the update has looked at or changed. */
interface Working {
  readonly number: number;
  readonly target: Target;
  readonly url: string;
  /** Null: it was not there, or is not any more. */
  readonly before: Triples | null;
  now: Triples | null;
  readonly modes: Set<Mode>;
  /** Blank nodes from elsewhere, by the labels that they have there. */
  readonly adopted: Map<string, string>;
  readonly labels: Set<string>;
}

const tripleMap = (quads: readonly Quad[]): Triples =>
  new Map(quads.map((triple) => [keyOfTriple(triple), triple]));

function labelsIn(quads: readonly Quad[]): Set<string> {
  const labels = new Set<string>();
  for (const { subject, object } of quads)
    for (const term of [subject, object]) if (term.termType === "BlankNode") labels.add(term.value);
  return labels;
}

const relabelled = ({ subject, predicate, object }: Quad, relabel: (label: string) => string): Quad => {
  const own = <T extends Value>(term: T): T =>
    term.termType === "BlankNode" ? (blankNode(relabel(term.value)) as T) : term;
  return quad(own(subject), predicate, own(object));
};

/** Written as N-Triples, labels that are numbered would be numbered anew. */
const SPELLED = "l";

export function createDocumentGraphs(deps: DocumentsDeps): Graphs & { changed(): readonly Changed[] } {
  const { origin, pod, snapshot } = deps;
  const mayRead = (path: string): Promise<boolean> => deps.may(path, "read");
  const root = `/${pod.name}/`;
  const known = new Map<string, Working>();
  const numbers = new Map<string, number>();

  /** @returns the document of that name, spelled exactly. @throws Problem `query-refused` for what is none of this pod. */
  function targetOf(name: string): Target {
    const refusal = new Problem(
      "query-refused",
      `An update changes documents of this pod, and <${name.slice(0, 256)}> is none`,
    );
    if (!name.startsWith(`${origin}${root}`) || /[?#]/.test(name)) throw refusal;
    const target = parseTarget(name.slice(origin.length));
    if (`${origin}${target.path}` !== name) throw refusal;
    if (target.isContainer || target.auxiliary)
      throw new Problem(
        "query-refused",
        `An update changes documents; folders, descriptions and rules such as <${name.slice(0, 256)}> are changed at their own addresses`,
      );
    deps.checkPlace(pod, target.path);
    return target;
  }

  function numberOf(name: string): number {
    const number = numbers.get(name) ?? numbers.size + 1;
    numbers.set(name, number);
    return number;
  }

  async function workingOf(name: string): Promise<Working> {
    const found = known.get(name);
    if (found) return found;
    const target = targetOf(name);
    const stored = await deps.stored(target);
    if (stored && !(stored.isRdf && stored.bytes))
      throw new Problem("conflict", `<${name}> is no RDF document`);
    if (known.size >= deps.documentsMax)
      throw new Problem("query-refused", `This update changes more than ${deps.documentsMax} documents`);
    const quads = stored?.bytes ? await parseRdf(stored.bytes, stored.contentType, name) : [];
    const before = stored && tripleMap(quads);
    const working: Working = {
      number: numberOf(name),
      target,
      url: name,
      before,
      now: before && new Map(before),
      modes: new Set(),
      adopted: new Map(),
      labels: labelsIn(quads),
    };
    known.set(name, working);
    return working;
  }

  /**
   * A document that something is to be done to.
   * @throws Problem `query-refused` for the default graph: it is no document.
   */
  async function changing(name: GraphName, mode: Mode): Promise<Working> {
    if (name === null) throw noDocument();
    // First of all: whoever may not do it learns nothing, not even what is there.
    if (!known.get(name)?.modes.has(mode)) await deps.demand(targetOf(name), mode);
    const working = await workingOf(name);
    working.modes.add(mode);
    return working;
  }

  function noDocument(): Problem {
    return new Problem(
      "query-refused",
      "Say which document: GRAPH <…> { … } or WITH <…>; the default graph is none",
    );
  }

  /** Blank nodes never belong to two documents: one that comes from elsewhere is another here. */
  function adopt(working: Working, triple: Quad): Quad {
    return relabelled(triple, (label) => {
      const own = readLabel(label);
      if (own?.document === working.number) return own.label;
      let adopted = working.adopted.get(label);
      for (let count = working.labels.size + 1; adopted === undefined; count++)
        if (!working.labels.has(`b${count}`)) adopted = `b${count}`;
      working.adopted.set(label, adopted);
      working.labels.add(adopted);
      return adopted;
    });
  }

  /** As WHERE sees it, unless it is not there. */
  async function sent(name: string, isDefault: boolean, isNamed: boolean): Promise<SentGraph | null> {
    const working = known.get(name);
    const roles = { number: numberOf(name), graph: name, isDefault, isNamed };
    if (working && working.modes.size > 0) {
      if (working.now === null) return null;
      const spelled = [...working.now.values()].map((one) => relabelled(one, (label) => SPELLED + label));
      return {
        ...roles,
        contentType: "application/n-triples",
        bytes: await serializeRdf(spelled, "application/n-triples"),
      };
    }
    const stored = await deps.stored(parseTarget(name.slice(origin.length)));
    return stored?.isRdf && stored.bytes
      ? { ...roles, contentType: stored.contentType, bytes: stored.bytes }
      : null;
  }

  /** Names of all documents that are there now, and may be read. */
  async function readable(): Promise<readonly string[]> {
    const paths = new Set<string>();
    for await (const entry of snapshot.all("resource"))
      if (decodeRecord<ResourceRecord>(entry).kind === "rdf") paths.add(`${entry.group}${entry.item}`);
    for (const { target } of known.values()) paths.add(target.path);
    const names: string[] = [];
    const mayBeRead = await deps.reader();
    for (const path of paths) if (await mayBeRead(path)) names.push(`${origin}${path}`);
    return names;
  }

  /** Of names that a WHERE uses, those of documents that may be read. */
  async function chosen(names: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of new Set(names)) {
      if (!name.startsWith(`${origin}${root}`) || name.endsWith("/") || /[?#]/.test(name)) continue;
      const target = parseTarget(name.slice(origin.length));
      if (`${origin}${target.path}` === name && !target.auxiliary && (await mayRead(target.path)))
        found.push(name);
    }
    return found;
  }

  /** Labels that a document had to be spelled with are its own again. */
  function withOwnLabels({ remove, insert }: Matched): Matched {
    const spelled = new Set(
      [...known.values()].filter(({ modes }) => modes.size > 0).map(({ number }) => number),
    );
    const relabel = (label: string): string => {
      const own = readLabel(label);
      return own && spelled.has(own.document)
        ? labelOf(own.document, own.label.slice(SPELLED.length))
        : label;
    };
    const all = (byGraph: Matched["insert"]): Matched["insert"] =>
      new Map([...byGraph].map(([name, list]) => [name, list.map((one) => relabelled(one, relabel))]));
    return { remove: all(remove), insert: all(insert) };
  }

  return {
    async has(name) {
      const { path } = targetOf(name);
      if (!(await mayRead(path)) && !(await deps.may(path, "write"))) return false;
      return (await workingOf(name)).now !== null;
    },
    async read(name) {
      if (name === null) throw noDocument();
      await deps.demand(targetOf(name), "read");
      const { now, number } = await workingOf(name);
      return [...(now ?? []).values()].map((one) => relabelled(one, (label) => labelOf(number, label)));
    },
    async insert(name, triples) {
      if (triples.length === 0 && name === null) return;
      const working = await changing(name, "append");
      working.now ??= new Map();
      for (const triple of triples) {
        const own = adopt(working, triple);
        working.now.set(keyOfTriple(own), own);
      }
    },
    async remove(name, triples) {
      if (triples.length === 0) return;
      const working = await changing(name, "write");
      for (const triple of triples) working.now?.delete(keyOfTriple(adopt(working, triple)));
    },
    async clear(name) {
      if (name === null) return; // It holds nothing.
      const working = await changing(name, "write");
      if (working.now) working.now = new Map();
    },
    async create(name) {
      const working = await changing(name, "append");
      working.now ??= new Map();
    },
    async drop(name) {
      if (name === null) return;
      const working = await changing(name, "write");
      working.now = null;
    },
    names() {
      throw new Problem(
        "query-refused",
        "Say which documents: one update does not empty or delete all of a pod",
      );
    },
    async match(operation, at) {
      const scope = narrow(scopeOfModify(operation), reachOfPattern(operation.where));
      const gather = async (beInTime: () => void): Promise<readonly SentGraph[]> => {
        const all = scope.defaults === "all" || scope.named === "all" ? await readable() : [];
        const [defaults, others] = [
          new Set(scope.defaults === "all" ? all : await chosen(scope.defaults)),
          new Set(scope.named === "all" ? all : await chosen(scope.named)),
        ];
        const documents: SentGraph[] = [];
        let bytes = 0;
        for (const name of new Set([...defaults, ...others])) {
          beInTime();
          const document = await sent(name, defaults.has(name), others.has(name));
          if (document) documents.push(document);
          bytes += document?.bytes.length ?? 0;
          if (bytes > deps.bytesMax)
            throw new Problem(
              "query-refused",
              `WHERE ranges over at most ${deps.bytesMax} bytes; name the documents with GRAPH or USING`,
            );
        }
        return documents;
      };
      return withOwnLabels(await deps.evaluate(operation, at, gather));
    },
    changed: () =>
      [...known.values()]
        .filter(({ modes }) => modes.size > 0)
        .map(({ target, url, modes, before, now }): Changed => {
          const isSame =
            before === null || now === null
              ? before === now
              : before.size === now.size && [...now.keys()].every((key) => before.has(key));
          const outcome = isSame ? "none" : now === null ? "remove" : "change";
          return { target, url, modes: [...modes], outcome, triples: [...(now?.values() ?? [])] };
        }),
  };
}
