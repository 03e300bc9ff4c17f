/** A server with a million documents in one container and ten thousand pods, beside an empty one: start, reading, listing, memory. */
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { type BigFolder, CONTAINER, makeFolder, nameOf } from "./big-folder.ts";
import type { Figure } from "./scale.ts";
import { percentile } from "./scale-store.ts";
import { type Process, residentMib, START_ARGS, startProcess, stopProcess } from "./servers.ts";

const STARTS = 3;
const WARM_UP = 2_000;
const GETS = 4_000;
const ROUNDS = 3;
/** Enough that each can be asked for once. */
const FEW_DOCUMENTS = WARM_UP + ROUNDS * GETS;
/** Asked for again and again. */
const HOT_DOCUMENTS = 100;
const REST_MS = 3_000; // Memory settles after start.

/** The most memory that was ever resident, in MiB. Linux only. */
const peakMib = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Answer {
  readonly ms: number;
  readonly firstMs: number;
  readonly bytes: number;
  readonly members: number;
}

function fetchOnce(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((done, fail) => {
    const started = performance.now();
    const request = get(url, { agent, headers }, (response) => {
      let [firstMs, bytes, members] = [0, 0, 0];
      response.on("data", (part: Buffer) => {
        firstMs ||= performance.now() - started;
        bytes += part.length;
        if (bytes > 100_000) members += part.toString("latin1").split(" ldp:contains ").length - 1;
      });
      response.on("error", fail).on("end", () => {
        if (response.statusCode !== 200) fail(new Error(`${url} answered ${response.statusCode}`));
        else done({ ms: performance.now() - started, firstMs, bytes, members });
      });
    });
    request.on("error", fail);
  });
}

interface Running extends Process {
  readonly pid: number;
}

async function start({ env, origin }: BigFolder): Promise<Running> {
  const process = await startProcess(START_ARGS, `${origin}/readyz`, { env });
  return { ...process, pid: process.child.pid ?? 0 };
}

/** One client, one request at a time. @returns milliseconds. */
async function gets(folder: BigFolder, numbers: Iterable<number>): Promise<Float64Array> {
  const took: number[] = [];
  for (const n of numbers) took.push((await fetchOnce(`${folder.origin}${CONTAINER}${nameOf(n)}`)).ms);
  return Float64Array.from(took);
}

/** So many different numbers below `all`, spread over all of them, in no order. */
function* spread(all: number, times: number, from: number): Generator<number> {
  for (let n = from; n < from + times; n++) yield (n * STRIDE) % all;
}
const STRIDE = 7_368_787; // A prime, so that none comes twice.

function* hot(times: number): Generator<number> {
  for (let n = 0; n < times; n++) yield n % HOT_DOCUMENTS;
}

/** In turns, so that both see the same moments of the machine. @returns the least median of each, in milliseconds. */
async function compareGets(
  folders: readonly (readonly [BigFolder, number])[],
  numbers: (all: number, times: number, from: number) => Iterable<number>,
): Promise<readonly number[]> {
  const medians = folders.map(() => Number.POSITIVE_INFINITY);
  for (const [folder, all] of folders) await gets(folder, numbers(all, WARM_UP, 0));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, [folder, all]] of folders.entries()) {
      const took = await gets(folder, numbers(all, GETS, WARM_UP + round * GETS));
      medians[at] = Math.min(medians[at] ?? 0, percentile(took, 0.5));
    }
  }
  return medians;
}

const least = (values: readonly number[]): number => Math.min(...values);

export async function measureServers(isSmall: boolean): Promise<readonly Figure[]> {
  const [documents, pods] = isSmall ? [100_000, 1_000] : [1_000_000, 10_000];
  const empty = await makeFolder(FEW_DOCUMENTS, 0);
  const big = await makeFolder(documents, pods);
  const running: Running[] = [];
  const folders = [empty, big] as const;
  try {
    const starts: [number[], number[]] = [[], []];
    for (let round = 0; round < STARTS; round++) {
      for (const [at, folder] of folders.entries()) {
        const process = await start(folder);
        starts[at]?.push(process.firstAnswerMs);
        await stopProcess(process);
      }
    }
    for (const folder of folders) running.push(await start(folder));
    await new Promise((rested) => setTimeout(rested, REST_MS));
    const [restEmpty = 0, restBig = 0] = running.map(({ pid }) => residentMib(pid));
    const bigPid = running[1]?.pid ?? 0;
    const both = [
      [empty, FEW_DOCUMENTS],
      [big, documents],
    ] as const;
    const firstGet = performance.now();
    await fetchOnce(`${big.origin}${CONTAINER}${nameOf(0)}`);
    const firstGetMs = performance.now() - firstGet;
    await fetchOnce(`${empty.origin}${CONTAINER}${nameOf(0)}`);
    const [coldEmpty = 0, coldBig = 0] = await compareGets(both, spread);
    const [hotEmpty = 0, hotBig = 0] = await compareGets(both, (_all, times) => hot(times));
    const afterGets = residentMib(bigPid);
    const page = await fetchOnce(`${big.origin}${CONTAINER}?max-member-count=500`);
    const first = await fetchOnce(`${big.origin}${CONTAINER}`);
    const again = await fetchOnce(`${big.origin}${CONTAINER}`);
    if (first.members < documents * 0.99) throw new Error(`${first.members} members were listed`);
    const count = (n: number): string => n.toLocaleString("en-US");
    return [
      { what: `making ${count(documents)} documents`, value: big.documentsMs / 1_000, unit: "s" },
      { what: `making ${count(pods)} pods, 64 at a time`, value: big.podsMs / 1_000, unit: "s" },
      {
        what: `start to first answer, ${count(FEW_DOCUMENTS)} documents`,
        value: least(starts[0]),
        unit: "ms",
      },
      {
        what: `start to first answer, ${count(documents)} documents and ${count(pods)} pods`,
        value: least(starts[1]),
        unit: "ms",
        most: 1_000,
      },
      { what: "first GET of a document after the start, full", value: firstGetMs, unit: "ms", most: 1_000 },
      { what: "memory at rest, few", value: restEmpty, unit: "MiB" },
      { what: "memory at rest, full", value: restBig, unit: "MiB" },
      { what: "GET of a document for the first time, few, p50", value: coldEmpty, unit: "ms" },
      { what: "GET of a document for the first time, full, p50", value: coldBig, unit: "ms" },
      { what: "ratio of the two", value: coldBig / coldEmpty, unit: "×", most: 1.3 },
      { what: "GET of a document again, few, p50", value: hotEmpty, unit: "ms" },
      { what: "GET of a document again, full, p50", value: hotBig, unit: "ms" },
      { what: "ratio of the two", value: hotBig / hotEmpty, unit: "×", most: 1.3 },
      { what: "first time, full, to again, few", value: coldBig / hotEmpty, unit: "×" },
      { what: "memory after those", value: afterGets, unit: "MiB" },
      { what: "a page of 500 of the container", value: page.ms, unit: "ms" },
      { what: "the whole container, first byte", value: first.firstMs, unit: "ms" },
      {
        what: `the whole container, ${Math.round(first.bytes / 1e6)} MB`,
        value: first.ms / 1_000,
        unit: "s",
      },
      { what: "the same again, first byte", value: again.firstMs, unit: "ms" },
      { what: "most memory ever", value: peakMib(bigPid), unit: "MiB", most: 400 },
    ];
  } finally {
    agent.destroy();
    for (const process of running) await stopProcess(process);
    for (const folder of folders) await folder.remove();
  }
}
