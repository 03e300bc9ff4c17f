/**
 * A query to a pod's endpoint beside link traversal, as clients do it that have only documents: a real engine for that,
 * installed outside the checkout, which begins at a folder and follows what it finds. Both as the same person, with a
 * fresh proof for each request, over HTTP, until the last result; CPU time of the client's process and the server's.
 */
import { fork } from "node:child_process";
import { createPrivateKey, type JsonWebKey } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { installWorkspace } from "../support/workspace.ts";
import { freeholdContender } from "./freehold.ts";
import { fetchAs, type Login } from "./login.ts";
import { queriesFor } from "./query-data.ts";
import { fillPod, UNION } from "./query-http.ts";
import { cpuMs } from "./servers.ts";

/** One person, all messages with two words, sums by seller, and a join of all orders. */
const ASKED = [0, 8, 4, 1];
const ROUNDS = 3;
/** A round that takes so long is its own measurement: nobody waits for it to become warm. */
const LONG_MS = 10_000;
const roundsMsMax = 60_000;
const ASKED_TIMES = 20; // A process's CPU time is told in hundredths of a second.
const roundMsMax = 150_000;

interface Job {
  readonly folder: string;
  readonly origin: string;
  readonly token: string;
  readonly jwk: JsonWebKey;
  readonly seed: string;
  readonly text: string;
}
interface Traversed {
  readonly rows: number;
  readonly requests: number;
  readonly wallMs: number;
  readonly firstMs: number;
  readonly cpuMs: number;
}

export interface TraversalRow {
  readonly name: string;
  /** Of the endpoint, and of the traversal. */
  readonly rows: readonly [number, number];
  readonly requests: number;
  /** Milliseconds, of the endpoint and of the traversal. */
  readonly wallMs: readonly [number, number];
  readonly cpuMs: readonly [number, number];
  /** Until the traversal's first result. */
  readonly firstMs: number;
}
export interface TraversalFigures {
  readonly documents: number;
  readonly rows: readonly TraversalRow[];
}

interface TraversalEngine {
  queryBindings(text: string, context: object): Promise<AsyncIterable<unknown>>;
  invalidateHttpCache(): Promise<void>;
}
const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const medianBy = <T>(all: readonly T[], by: (each: T) => number): T =>
  [...all].sort((a, b) => by(a) - by(b))[all.length >> 1]!;

/** In a process of its own, with dependencies that never meet ours: the same query again and again, for who is warm is faster. */
async function traverse({ folder, origin, token, jwk, seed, text }: Job): Promise<void> {
  const library = (await import(
    pathToFileURL(resolve(folder, "node_modules/@comunica/query-sparql-link-traversal-solid/lib/index.js"))
      .href
  )) as { readonly QueryEngine: new () => TraversalEngine };
  const engine = new library.QueryEngine();
  const login: Login = { token, key: { jwk, key: createPrivateKey({ key: jwk, format: "jwk" }) } };
  let requests = 0;
  const fetchOwn = (input: string | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(typeof input === "string" ? input : input.url);
    url.hash = "";
    // Addresses that the data names elsewhere: nobody waits for a network that is not there.
    if (url.origin !== origin) return Promise.reject(new Error("elsewhere"));
    requests += 1;
    return fetchAs(login, url.href, init);
  };
  const round = async (): Promise<Traversed> => {
    await engine.invalidateHttpCache();
    requests = 0;
    const [began, cpuBegan] = [performance.now(), ownCpuMs()];
    let firstMs = 0;
    let rows = 0;
    const context = { sources: [seed], lenient: true, fetch: fetchOwn };
    for await (const _ of await engine.queryBindings(text, context)) {
      if (rows === 0) firstMs = performance.now() - began;
      rows += 1;
    }
    return { rows, requests, firstMs, wallMs: performance.now() - began, cpuMs: ownCpuMs() - cpuBegan };
  };
  process.on("message", () => void round().then((traversed) => process.send!(traversed)));
  process.send!("ready");
}

/** @returns the median round by its time, with the CPU time of both processes. */
async function traversal(job: Job, serverPid: number): Promise<Traversed> {
  const child = fork(import.meta.filename, [JSON.stringify(job)], {
    execArgv: ["--max-old-space-size=4000", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const hear = <T>(): Promise<T> =>
    new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`Nothing after ${roundMsMax} ms`)), roundMsMax);
      child.once("exit", (code) => fail(new Error(`The traversal ended with ${code}`)));
      child.once("message", (word) => {
        clearTimeout(timer);
        child.removeAllListeners("exit");
        done(word as T);
      });
    });
  try {
    await hear();
    const rounds: Traversed[] = [];
    const began = performance.now();
    while (rounds.length <= ROUNDS && performance.now() - began < roundsMsMax) {
      const before = cpuMs(serverPid);
      const heard = hear<Traversed>();
      child.send("again");
      const found = await heard;
      rounds.push({ ...found, cpuMs: found.cpuMs + cpuMs(serverPid) - before });
      if (found.wallMs > LONG_MS) break;
    }
    const [first, ...warm] = rounds;
    return warm.length === 0 || first!.wallMs > LONG_MS ? first! : medianBy(warm, ({ wallMs }) => wallMs);
  } finally {
    child.removeAllListeners("exit").kill("SIGKILL");
  }
}

/** The same of one query to the endpoint, asked some times. */
async function endpoint(
  login: Login,
  url: string,
  text: string,
  serverPid: number,
): Promise<Pick<Traversed, "rows" | "wallMs" | "cpuMs">> {
  const ask = async (): Promise<number> => {
    const headers = { "content-type": "application/sparql-query", accept: "application/sparql-results+json" };
    const answer = await fetchAs(login, url, {
      method: "POST",
      headers,
      body: text.replace(" {", ` FROM <${UNION}> {`),
    });
    return ((await answer.json()) as { results: { bindings: unknown[] } }).results.bindings.length;
  };
  const rows = await ask();
  await ask();
  const walls: number[] = [];
  const [cpuBegan, serverBegan] = [ownCpuMs(), cpuMs(serverPid)];
  for (let at = 0; at < ASKED_TIMES; at++) {
    const began = performance.now();
    await ask();
    walls.push(performance.now() - began);
  }
  const used = ownCpuMs() - cpuBegan + cpuMs(serverPid) - serverBegan;
  return { rows, wallMs: medianBy(walls, (each) => each), cpuMs: used / ASKED_TIMES };
}

/** @returns null where the engine is not installed and no registry can be reached. */
export async function measureTraversal(): Promise<TraversalFigures | null> {
  const folder = await installWorkspace(resolve(import.meta.dirname, "traversal"), "traversal-engine");
  if (folder === null) return null;
  const contender = await freeholdContender();
  const server = await contender.start();
  try {
    const login = await server.logIn!();
    const pod = `${server.origin}/ana/`;
    const seed = `${pod}bench/`;
    const documents = await fillPod(server.origin, login);
    const { token, key } = login;
    const rows: TraversalRow[] = [];
    for (const at of ASKED) {
      const { name, text } = queriesFor(seed)[at]!;
      const job = { folder, origin: server.origin, token, jwk: key.jwk, seed, text };
      const theirs = await traversal(job, server.pid);
      const ours = await endpoint(login, `${pod}sparql`, text, server.pid);
      rows.push({
        name,
        rows: [ours.rows, theirs.rows],
        requests: theirs.requests,
        wallMs: [ours.wallMs, theirs.wallMs],
        cpuMs: [ours.cpuMs, theirs.cpuMs],
        firstMs: theirs.firstMs,
      });
    }
    return { documents: documents.length, rows };
  } finally {
    await server.stop();
    contender.remove();
  }
}

if (process.send && process.argv[2]?.startsWith("{")) await traverse(JSON.parse(process.argv[2]) as Job);
