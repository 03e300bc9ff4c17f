/** One engine with one pod in it, in a process of its own: loads, answers the queries it is told, and says what they cost. */
import { QueryEngine } from "@comunica/query-sparql";
import { Store } from "n3";
import { LIMITS } from "../../server/limits.ts";
import { createPodIndex } from "../../server/query/index/pod-index.ts";
import { createPlans } from "../../server/query/plans.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { namedNode, type Quad, quad } from "../../server/rdf/terms.ts";
import { createChance } from "../query/oracle/chance.ts";
import { answerBytes } from "../query/oracle/engines.ts";
import { loadOxigraph } from "../query/oracle/oxigraph.ts";
import { type BenchDocument, makeDocuments, queriesFor } from "./query-data.ts";

export const ROOT = "https://pod.example/ana/";

export interface EngineJob {
  readonly engine: EngineName;
  readonly quads: number;
  readonly seed: number;
  /** Numbers of queries. */
  readonly queries: readonly number[];
  /** The folder of the oracles; empty where it is not needed. */
  readonly folder: string;
  readonly pods: number;
}

export type EngineMessage =
  | {
      readonly kind: "loaded";
      readonly cpuMs: number;
      readonly residentMb: number;
      readonly documents: number;
    }
  | {
      readonly kind: "measured";
      readonly query: number;
      readonly cpuMs: number;
      readonly coldMs: number;
      readonly rows: number;
      readonly bytes: number;
    }
  | { readonly kind: "failed"; readonly query: number; readonly why: string };

interface Answered {
  readonly rows: number;
  readonly bytes: number;
}
interface Contender {
  add(document: BenchDocument): void | Promise<void>;
  finish(): void | Promise<void>;
  run(text: string): Answered | Promise<Answered>;
}

const READABLE_PERCENT = 10;
const TYPE = "application/sparql-results+json";
const msMax = 600_000;

/** Whether a document is among the readable ones: the same for every engine. */
const createReadable = (): (() => boolean) => {
  const chance = createChance(99);
  return () => chance.is(READABLE_PERCENT);
};

/** JSON of results, counted. */
const rowsOf = (json: string): number =>
  (json.match(/\},\s*\{/g)?.length ?? (/"bindings":\s*\[\s*\{/.test(json) ? 0 : -1)) + 1;

/** @param isSettled As for whoever is not the owner: in an order that tells nothing of what is hidden. */
function freehold(isReadable: () => boolean, isSettled: boolean): Contender {
  const index = createPodIndex();
  const plans = createPlans(LIMITS);
  const readable: number[] = [];
  let last = 0;
  let view: ReturnType<typeof index.view>;
  return {
    add({ name, quads }) {
      index.add({ number: ++last, graph: name, quads });
      if (isReadable()) readable.push(last);
    },
    finish() {
      index.compact();
      const set = Uint32Array.from(readable);
      view = index.view(set, set);
    },
    async run(text) {
      const { bytes, rows } = await answerBytes(plans.get(text, ROOT, isSettled), view, TYPE, msMax);
      return { rows, bytes: bytes.length };
    },
  };
}

/** As a server with one endpoint over many pods would: the plan once, an index for each. */
function manyPods(count: number): Contender {
  const plans = createPlans(LIMITS);
  const views: ReturnType<ReturnType<typeof createPodIndex>["view"]>[] = [];
  return {
    add() {},
    finish() {
      for (let pod = 0; pod < count; pod++) {
        const index = createPodIndex();
        const numbers: number[] = [];
        for (const { name, quads } of makeDocuments(ROOT, 1_000, pod)) {
          numbers.push(numbers.length + 1);
          index.add({ number: numbers.length, graph: name, quads });
        }
        index.compact();
        const set = Uint32Array.from(numbers);
        views.push(index.view(set, set));
      }
    },
    async run(text) {
      const planned = plans.get(text, ROOT, true);
      let [rows, size] = [0, 0];
      for (const view of views) {
        const answer = await answerBytes(planned, view, TYPE, msMax);
        rows += answer.rows;
        size += answer.bytes.length;
      }
      return { rows, bytes: size };
    },
  };
}

/** Its best case: one graph with everything in it, so no access by document. */
function comunica(): Contender {
  const store = new Store();
  const engine = new QueryEngine();
  return {
    add({ quads }) {
      for (const each of quads) store.addQuad(each);
    },
    finish() {},
    async run(text) {
      const result = await engine.query(text, { sources: [store] });
      const { data } = await engine.resultToString(result, TYPE);
      let json = "";
      for await (const chunk of data) json += String(chunk);
      return { rows: rowsOf(json), bytes: json.length };
    },
  };
}

async function oxigraph(folder: string, how: "union" | "list" | "private"): Promise<Contender> {
  const library = await loadOxigraph(folder);
  const store = new library.Store();
  const isReadable = createReadable();
  const list: unknown[] = [];
  let waiting: Quad[] = [];
  const load = async (): Promise<void> => {
    const text = new TextDecoder().decode(await serializeRdf(waiting, "application/n-quads"));
    store.load(text, { format: "application/n-quads" });
    waiting = [];
  };
  return {
    async add({ name, quads }) {
      const may = isReadable();
      if (how === "private" && !may) return;
      if (may) list.push(library.namedNode(name));
      const graph = namedNode(name);
      for (const each of quads) waiting.push(quad(each.subject, each.predicate, each.object, graph));
      if (waiting.length > 50_000) await load();
    },
    finish: load,
    run(text) {
      const dataset =
        how === "list" ? { default_graph: list, named_graphs: list } : { use_default_graph_as_union: true };
      const json = store.query(text, { ...dataset, results_format: "json" }) as string;
      return { rows: rowsOf(json), bytes: json.length };
    },
  };
}

export const ENGINES = {
  Freehold: () => freehold(() => true, false),
  "Freehold, 10 % readable": () => freehold(createReadable(), true),
  "Freehold, many pods": ({ pods }: EngineJob) => manyPods(pods),
  "Comunica, N3.Store": () => comunica(),
  Oxigraph: ({ folder }: EngineJob) => oxigraph(folder, "union"),
  "Oxigraph, list of 10 %": ({ folder }: EngineJob) => oxigraph(folder, "list"),
  "Oxigraph, store of the 10 %": ({ folder }: EngineJob) => oxigraph(folder, "private"),
} as const;
export type EngineName = keyof typeof ENGINES;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const coldEnoughMs = 8_000; // A run that is so slow is its own measurement.
const onceMoreMs = 800; // One warm run of it tells enough.
const warmUpMs = 150;
const batchMs = 15;
const batches = 7;

/** The median of some batches of warm runs. */
async function measure(
  run: () => Answered | Promise<Answered>,
): Promise<Answered & { cpuMs: number; coldMs: number }> {
  let began = cpuMs();
  const answered = await run();
  const coldMs = cpuMs() - began;
  if (coldMs > coldEnoughMs) return { ...answered, coldMs, cpuMs: coldMs };
  began = cpuMs();
  if (coldMs > onceMoreMs) {
    await run();
    return { ...answered, coldMs, cpuMs: cpuMs() - began };
  }
  let runs = 0;
  do {
    await run();
    runs++;
  } while (cpuMs() - began < warmUpMs);
  const each = (cpuMs() - began) / runs;
  const times = Math.max(1, Math.ceil(batchMs / each));
  const measured: number[] = [];
  for (let batch = 0; batch < (each > 500 ? 3 : batches); batch++) {
    began = cpuMs();
    for (let at = 0; at < times; at++) await run();
    measured.push((cpuMs() - began) / times);
  }
  return { ...answered, coldMs, cpuMs: median(measured) };
}

async function work(job: EngineJob): Promise<void> {
  const say = (message: EngineMessage): void => void process.send!(message);
  const began = cpuMs();
  const contender = await ENGINES[job.engine](job);
  let documents = 0;
  for (const document of makeDocuments(ROOT, job.quads, job.seed)) {
    documents++;
    await contender.add(document);
  }
  await contender.finish();
  say({ kind: "loaded", cpuMs: cpuMs() - began, residentMb: process.memoryUsage.rss() / 1e6, documents });
  const queries = queriesFor(ROOT);
  for (const query of job.queries) {
    try {
      say({ kind: "measured", query, ...(await measure(() => contender.run(queries[query]!.text))) });
    } catch (error) {
      say({ kind: "failed", query, why: String(error).slice(0, 200) });
    }
  }
}

if (process.send) {
  await work(JSON.parse(process.argv[2]!) as EngineJob);
  process.disconnect();
}
