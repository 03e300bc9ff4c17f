/**
 * A query thread: keeps the documents it was sent as numbers, plans and evaluates one query at a time. It has no keys,
 * no network and no environment; it can be ended at any moment, and another is started for the next query.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Problem } from "../errors.ts";
import { Lru } from "../lru.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import { addDocument, createDataset, createPodIndex, type Dataset, type PodIndex } from "./dataset.ts";
import { evaluate, type Plan, planQuery } from "./evaluate.ts";
import type { Answer, Request, Response, SentDocument, Task, WorkerSettings } from "./messages.ts";
import { writeAnswers } from "./results.ts";

const { limits } = workerData as WorkerSettings;
const port = parentPort!;

const refuse = (): never => {
  throw new Problem("query-refused", "Nothing is fetched for a query");
};
globalThis.fetch = refuse;
Reflect.deleteProperty(globalThis, "WebSocket");
Reflect.deleteProperty(globalThis, "EventSource");

/** Datasets are kept for the next query of the same agent, as many as have twice the statements of all documents. */
const datasets = new Lru<string, Dataset>(limits.queryQuadsMax * 2);
/** A pod's terms are never taken out one by one: when so many documents were dropped, it is read anew. */
const DROPPED_SHARE_MAX = 0.5;

interface Loaded {
  readonly index: PodIndex;
  /** Changes with the documents: a dataset is of these and no others. */
  revision: number;
  quads: number;
  droppedQuads: number;
}

const pods = new Map<string, Loaded>(); // Least recently used first.
let lastRevision = 0;
let plan: { readonly plan: Plan; readonly baseIri: string } | null = null;

async function quadsOf({ parts, graph }: SentDocument): Promise<Quad[]> {
  const quads: Quad[] = [];
  for (const { contentType, bytes } of parts) {
    try {
      for (const quad of await parseRdf(bytes, contentType, graph, limits)) quads.push(quad);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // A document that is no RDF says nothing; a GET would tell why.
    }
  }
  return quads;
}

function touch(pod: string): Loaded {
  const loaded = pods.get(pod) ?? {
    index: createPodIndex(),
    revision: ++lastRevision,
    quads: 0,
    droppedQuads: 0,
  };
  pods.delete(pod);
  pods.set(pod, loaded);
  return loaded;
}

function drop(loaded: Loaded, numbers: readonly number[]): void {
  for (const number of numbers) {
    const quads = (loaded.index.documents.get(number)?.triples.length ?? 0) / 3;
    loaded.index.documents.delete(number);
    loaded.quads -= quads;
    loaded.droppedQuads += quads;
  }
}

/** @returns the pods that were forgotten for the sake of this one; perhaps this one too. */
function makeRoom(pod: string): string[] {
  const forgotten: string[] = [];
  const total = (): number =>
    [...pods.values()].reduce((sum, { quads, droppedQuads }) => sum + quads + droppedQuads, 0);
  for (const [name, { quads, droppedQuads }] of pods) {
    const isWorn = droppedQuads > 10_000 && droppedQuads > (quads + droppedQuads) * DROPPED_SHARE_MAX;
    if (isWorn || (name !== pod && total() > limits.queryQuadsMax)) {
      pods.delete(name);
      forgotten.push(name);
    }
  }
  return forgotten;
}

async function load({ pod, documents, dropped }: Task & { kind: "load" }): Promise<Answer> {
  const loaded = touch(pod);
  loaded.revision = ++lastRevision;
  drop(loaded, dropped);
  const forgotten = makeRoom(pod);
  if (forgotten.includes(pod)) return { kind: "loaded", forgotten };
  for (const document of documents) {
    const quads = await quadsOf(document);
    if (loaded.quads + quads.length > limits.queryQuadsMax) {
      // Perhaps only because of documents that other agents may read: whoever asks sends again what this query needs.
      pods.delete(pod);
      return { kind: "loaded", forgotten: [...forgotten, pod] };
    }
    addDocument(loaded.index, document.number, document.graph, quads);
    loaded.quads += (loaded.index.documents.get(document.number)?.triples.length ?? 0) / 3;
  }
  return { kind: "loaded", forgotten: [...forgotten, ...makeRoom(pod)] };
}

function datasetOf(loaded: Loaded, defaults: Uint32Array, named: Uint32Array): Dataset {
  const key = `${loaded.revision} ${defaults.join()} ${named.join()}`;
  let dataset = datasets.get(key);
  if (!dataset) {
    dataset = createDataset(loaded.index, [...defaults], [...named]);
    const weigh = (numbers: Uint32Array): number =>
      numbers.reduce((sum, number) => sum + (loaded.index.documents.get(number)?.triples.length ?? 0) / 3, 1);
    datasets.set(key, dataset, weigh(defaults) + weigh(named));
  }
  return dataset;
}

async function perform(task: Task): Promise<Answer> {
  switch (task.kind) {
    case "plan": {
      plan = { plan: await planQuery(task.text, task.baseIri, limits), baseIri: task.baseIri };
      return { kind: "planned", form: plan.plan.form, from: plan.plan.from, reach: plan.plan.reach };
    }
    case "load":
      return load(task);
    case "run": {
      if (!plan) throw new Error("run without plan");
      const dataset = datasetOf(touch(task.pod), task.defaults, task.named);
      const answers = await evaluate(plan.plan, dataset, plan.baseIri);
      return {
        kind: "answered",
        ...(await writeAnswers(answers, plan.plan.variables, task.contentType, task.limits)),
      };
    }
    default:
      throw new Error("unknown task");
  }
}

async function answer({ id, task }: Request): Promise<void> {
  let result: Answer;
  try {
    result = await perform(task);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // Our own mistake: the thread ends, loudly, and the next is a new one.
    result = { kind: "problem", code: error.code, detail: error.detail };
  }
  port.postMessage(
    { id, answer: result } satisfies Response,
    result.kind === "answered" ? [result.bytes.buffer as ArrayBuffer] : [],
  );
}

port.on("message", (request: Request) => void answer(request));
port.postMessage({ id: 0, answer: { kind: "ready" } } satisfies Response);
