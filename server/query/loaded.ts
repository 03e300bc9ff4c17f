/** The pods that a query thread has read, as many as there is room for. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { blankNode, type Quad, quad, type Value } from "../rdf/terms.ts";
import { packIndex, unpackIndex } from "./index/pack.ts";
import { createPodIndex, type PodIndex, type SharedIndex } from "./index/pod-index.ts";
import type { View } from "./index/view.ts";
import type { OpenTask, SentDocument, Task } from "./messages.ts";

export interface LoadedPods {
  /** @returns the pods that were forgotten for the sake of this one; perhaps this one too. */
  load(task: Task & { kind: "load" }): Promise<readonly string[]>;
  /** @returns numbers of the documents that it has now; null when the pod has too many quads, or another format. */
  open(task: OpenTask): { readonly numbers: Uint32Array | null; readonly forgotten: readonly string[] };
  /** @returns nulls for a pod that it does not hold any more. */
  settle(task: Task & { kind: "settle" }): {
    readonly shared: SharedIndex | null;
    readonly packed: Uint8Array | null;
  };
  /** @param name Of what is chosen: the same for the same documents, while the pod's stay as they are. */
  view(pod: string, name: string, defaults: Uint32Array, named: Uint32Array): View;
}

interface Loaded {
  readonly index: PodIndex;
  views: Lru<string, View>;
  /** As they count in the sum. */
  bytes: number;
}
const VIEWS_MAX = 32; // Of one pod: a byte or two for each document, each.

/** Blank nodes of two parts are never the same, whatever their labels. */
function apart(quads: readonly Quad[], part: number): readonly Quad[] {
  const own = <T extends Value>(term: T): T =>
    term.termType === "BlankNode" ? (blankNode(`p${part}.${term.value}`) as T) : term;
  return quads.map(({ subject, predicate, object }) => quad(own(subject), predicate, own(object)));
}

async function quadsOf({ parts, graph }: SentDocument, limits: Limits): Promise<Quad[]> {
  const { parseRdf } = await import("../rdf/parse.ts"); // A pod whose index is kept needs none.
  const quads: Quad[] = [];
  for (const [at, { contentType, bytes }] of parts.entries()) {
    try {
      const found = await parseRdf(bytes, contentType, graph, limits);
      for (const one of at === 0 ? found : apart(found, at)) quads.push(one);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // A document that is no RDF says nothing; a GET would tell why.
    }
  }
  return quads;
}

/** What cannot be opened is only a cache: it must not end the thread, each time that somebody asks for this pod. */
function unpacked(packed: Uint8Array, numbers: Uint32Array): SharedIndex | null {
  try {
    return unpackIndex(packed, numbers);
  } catch {
    return null;
  }
}

export function createLoadedPods(limits: Limits): LoadedPods {
  const pods = new Map<string, Loaded>(); // Least recently used first.
  let bytes = 0;

  /** Counts the pod again after it was changed. */
  function weigh(loaded: Loaded): void {
    bytes += loaded.index.byteCount - loaded.bytes;
    loaded.bytes = loaded.index.byteCount;
  }
  function forget(pod: string): void {
    const loaded = pods.get(pod);
    if (!loaded) return;
    pods.delete(pod);
    bytes -= loaded.bytes;
  }

  const open = (index: PodIndex): Loaded => ({ index, views: new Lru(VIEWS_MAX), bytes: 0 });
  function touch(pod: string): Loaded {
    const loaded = pods.get(pod) ?? open(createPodIndex());
    pods.delete(pod);
    pods.set(pod, loaded);
    return loaded;
  }
  function makeRoom(pod: string): string[] {
    const forgotten: string[] = [];
    for (const name of pods.keys()) {
      // The pod that is asked stays, however large it is.
      if (name === pod || bytes <= limits.queryIndexBytesMax) break;
      forget(name);
      forgotten.push(name);
    }
    return forgotten;
  }

  return {
    async load({ pod, documents, dropped }) {
      const loaded = touch(pod);
      loaded.views = new Lru(VIEWS_MAX);
      loaded.index.drop(dropped);
      weigh(loaded);
      const forgotten = makeRoom(pod);
      for (const document of documents) {
        const found = await quadsOf(document, limits);
        if (loaded.index.quadCount + found.length > limits.queryQuadsMax) {
          // Perhaps only because of documents that other agents may read: whoever asks sends again what this query needs.
          forget(pod);
          return [...forgotten, pod];
        }
        loaded.index.add({ number: document.number, graph: document.graph, quads: found });
      }
      weigh(loaded);
      return [...forgotten, ...makeRoom(pod)];
    },
    open({ pod, base }) {
      const shared = base.kind === "shared" ? base.shared : unpacked(base.packed, base.numbers);
      if (!shared || shared.segment.spo.first.length > limits.queryQuadsMax)
        return { numbers: null, forgotten: [] };
      forget(pod);
      const loaded = open(createPodIndex(shared));
      pods.set(pod, loaded);
      weigh(loaded);
      return { numbers: loaded.index.numbers(), forgotten: makeRoom(pod) };
    },
    settle({ pod, dropped, isPacked }) {
      const loaded = pods.get(pod); // Nobody asks for it: it stays as old as it is.
      if (!loaded) return { shared: null, packed: null };
      loaded.views = new Lru(VIEWS_MAX);
      loaded.index.drop(dropped);
      const shared = loaded.index.share();
      weigh(loaded);
      return { shared, packed: isPacked ? packIndex(shared) : null };
    },
    view(pod, name, defaults, named) {
      const loaded = touch(pod);
      let view = loaded.views.get(name);
      if (!view) loaded.views.set(name, (view = loaded.index.view(defaults, named)), 1);
      return view;
    },
  };
}
