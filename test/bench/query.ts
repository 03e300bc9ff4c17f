/**
 * `npm run bench:query`: our query engine beside Comunica and Oxigraph, one process each, over the same generated pod.
 * CPU time of the whole process, answers as SPARQL JSON, the median of warm runs. Absolute figures are the machine's.
 *
 *   --quick          without the million
 *   --sizes 10000,…  quads of the pod
 *   --seed N         of the data
 *   --only TEXT      only engines whose name contains TEXT
 *   --http           instead: a real server, a query beside a GET
 *   --traversal      instead: a real server, a query beside link traversal; without it that comes last
 *   --pods N         how many pods of 1,000 quads one query ranges over (1,000)
 */
import { fork } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installOracles } from "../query/oracle/oxigraph.ts";
import { queriesFor } from "./query-data.ts";
import { ENGINES, type EngineJob, type EngineMessage, type EngineName, ROOT } from "./query-engines.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean" },
    sizes: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    pods: { type: "string", default: "1000" },
    http: { type: "boolean" },
    traversal: { type: "boolean" },
  },
});
const SIZES = (flags.sizes ?? (flags.quick ? "10000,100000" : "10000,100000,1000000")).split(",").map(Number);
const SEED = Number(flags.seed);
const QUERIES = queriesFor(ROOT);
const [OURS, TENTH, MANY] = ["Freehold", "Freehold, 10 % readable", "Freehold, many pods"] as const;
const LISTED = "Oxigraph, list of 10 %";

const loadMsMax = 600_000;
const queryMsMax = 300_000; // Whoever needs longer for one query is not waited for.

type Measured = EngineMessage & { readonly kind: "measured" };
interface Run {
  loaded: (EngineMessage & { readonly kind: "loaded" }) | null;
  readonly measured: Map<number, Measured>;
  readonly failed: Map<number, string>;
}

/** Runs one engine, and once more for what is left when a query took too long. */
async function measure(job: EngineJob, into: Run): Promise<void> {
  const left = new Set(job.queries);
  const child = fork(join(import.meta.dirname, "query-engines.ts"), [JSON.stringify(job)], {
    execArgv: [
      "--max-old-space-size=12000",
      "--max-semi-space-size=16",
      "--disable-warning=ExperimentalWarning",
    ],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await new Promise<void>((done) => {
    let timer = setTimeout(() => child.kill("SIGKILL"), loadMsMax);
    child.on("message", (message: EngineMessage) => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill("SIGKILL"), queryMsMax);
      if (message.kind === "loaded") into.loaded ??= message;
      else {
        left.delete(message.query);
        if (message.kind === "measured") into.measured.set(message.query, message);
        else into.failed.set(message.query, message.why);
      }
    });
    child.on("close", () => {
      clearTimeout(timer);
      done();
    });
  });
  const [stuck, ...rest] = left;
  if (stuck === undefined) return;
  into.failed.set(stuck, `> ${queryMsMax / 1000} s`);
  if (rest.length > 0) await measure({ ...job, queries: rest }, into);
}

const show = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(2);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

function table(head: readonly string[], lines: readonly (readonly string[])[]): void {
  const rule = head.map((_, at) => (at === 0 ? "---" : "---:"));
  for (const cells of [head, rule, ...lines]) print(`| ${cells.join(" | ")} |`);
  print("");
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

if (flags.http) {
  const { measureHttp } = await import("./query-http.ts");
  const { rows, documents, readAllMs, queryMs } = await measureHttp();
  const least = rows[0]!.p50;
  print("### Over HTTP, each with a fresh DPoP proof, one after the other\n");
  table(
    ["what", "p50 ms", "p99 ms", "p50 against GET"],
    rows.map(({ name, p50, p99 }) => [name, show(p50), show(p99), show(p50 / least)]),
  );
  print(
    `All ${documents} documents, one GET each: ${show(readAllMs)} ms; one query over them: ${show(queryMs)} ms, ${show(readAllMs / queryMs)} times.`,
  );
  process.exit();
}

async function traversal(): Promise<void> {
  const { measureTraversal } = await import("./query-traversal.ts");
  print("### One query to the endpoint, and link traversal from a folder, over HTTP until the last result\n");
  const figures = await measureTraversal();
  if (!figures)
    return print("Not measured: the engine is not installed, and no package registry can be reached.\n");
  table(
    [
      "query",
      "rows",
      "… traversal",
      "requests",
      "wall ms",
      "… traversal",
      "… first",
      "CPU ms",
      "… traversal",
      "× wall",
      "× CPU",
    ],
    figures.rows.map(({ name, rows, requests, wallMs, cpuMs, firstMs }) => [
      name,
      ...rows.map(String),
      String(requests),
      ...wallMs.map(show),
      show(firstMs),
      ...cpuMs.map(show),
      show(wallMs[1] / wallMs[0]),
      show(cpuMs[1] / cpuMs[0]),
    ]),
  );
  const mean = (of: "wallMs" | "cpuMs"): string =>
    show(geometricMean(figures.rows.map((row) => row[of][1] / row[of][0])));
  print(
    `${figures.documents} documents: ${mean("wallMs")} times the wall time, ${mean("cpuMs")} times the CPU time (geometric means; client and server together).\n`,
  );
}
if (flags.traversal) {
  await traversal();
  process.exit();
}

const folder = (await installOracles()) ?? "";
const newRun = (): Run => ({ loaded: null, measured: new Map(), failed: new Map() });
const all = [...QUERIES.keys()];
/** Comunica has one graph with everything in it. */
const withoutGraphs = all.filter((at) => !QUERIES[at]!.text.includes("GRAPH"));
const joins = all.filter((at) => QUERIES[at]!.isJoin);

print(`${cpus()[0]?.model}, Node ${process.version}, seed ${SEED}\n`);
for (const quads of SIZES) {
  const runs = new Map<EngineName, Run>();
  const names = (Object.keys(ENGINES) as EngineName[]).filter(
    (name) => name !== MANY && name.includes(flags.only) && (folder !== "" || !name.startsWith("Oxigraph")),
  );
  if (names.length === 0) continue;
  for (const engine of names) {
    const run = newRun();
    runs.set(engine, run);
    const queries = engine === LISTED ? joins : all;
    await measure({ engine, quads, seed: SEED, queries, folder, pods: 0 }, run);
    print(`<!-- ${quads} ${engine}: done -->`);
  }
  const cell = (engine: EngineName, query: number): string => {
    const run = runs.get(engine)!;
    const measured = run.measured.get(query);
    return measured ? show(measured.cpuMs) : (run.failed.get(query) ?? "");
  };
  print(`\n### ${quads.toLocaleString("en-US")} quads, CPU ms\n`);
  table(
    ["query", "rows", ...names],
    all.map((query) => [
      QUERIES[query]!.name,
      String(runs.get(names[0]!)!.measured.get(query)?.rows ?? ""),
      ...names.map((engine) => cell(engine, query)),
    ]),
  );
  table(
    ["", ...names],
    [
      ["load, CPU ms", ...names.map((engine) => show(runs.get(engine)!.loaded?.cpuMs ?? Number.NaN))],
      ["resident, MB", ...names.map((engine) => show(runs.get(engine)!.loaded?.residentMb ?? Number.NaN))],
    ],
  );
  const compare = (mine: EngineName, other: EngineName, which: readonly number[]): void => {
    const [one, two] = [runs.get(mine), runs.get(other)];
    if (!one || !two) return;
    const both = which.filter((at) => one.measured.has(at) && two.measured.has(at));
    const ratios = both.map((at) => two.measured.get(at)!.cpuMs / one.measured.get(at)!.cpuMs);
    if (ratios.length === 0) return;
    const least = Math.min(...ratios);
    print(
      `- ${mine} against ${other}: ${show(geometricMean(ratios))} times (geometric mean of ${both.length}; least ${show(least)}: ${QUERIES[both[ratios.indexOf(least)]!]!.name}; most ${show(Math.max(...ratios))})`,
    );
    const unlike = both.filter((at) => one.measured.get(at)!.rows !== two.measured.get(at)!.rows);
    for (const at of unlike)
      print(
        `  - other rows: ${QUERIES[at]!.name}: ${one.measured.get(at)!.rows} and ${two.measured.get(at)!.rows}`,
      );
  };
  compare(OURS, "Comunica, N3.Store", withoutGraphs);
  compare(OURS, "Oxigraph", all);
  compare(TENTH, LISTED, joins);
  compare(TENTH, "Oxigraph, store of the 10 %", all);
  print("");
}

if (MANY.includes(flags.only)) {
  const run = newRun();
  const pods = Number(flags.pods);
  const queries = [1, 4];
  await measure({ engine: MANY, quads: 0, seed: SEED, queries, folder: "", pods }, run);
  print(`### One query over ${pods.toLocaleString("en-US")} pods of 1,000 quads, CPU ms\n`);
  table(
    ["query", "rows", "CPU ms"],
    queries.map((at) => {
      const measured = run.measured.get(at);
      return [
        QUERIES[at]!.name,
        String(measured?.rows ?? ""),
        measured ? show(measured.cpuMs) : (run.failed.get(at) ?? ""),
      ];
    }),
  );
}
if (flags.only === "") await traversal();
