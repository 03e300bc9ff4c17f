/** The same pod behind a real server: a query over HTTP beside a GET, each with a fresh proof, and beside reading everything. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { freeholdContender } from "./freehold.ts";
import type { Job, LoadRequest, Measured } from "./load.ts";
import { fetchAs, type Login } from "./login.ts";
import { makeDocuments, queriesFor } from "./query-data.ts";

export const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const DOCUMENTS = 378;
const QUADS = 9_600; // So many documents are about so many.

export interface HttpRow {
  readonly name: string;
  readonly requests: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

function runLoad(job: Job): Promise<Measured> {
  const child = fork(join(import.meta.dirname, "load.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return new Promise((done, fail) => {
    child.on("exit", (code) => code !== 0 && fail(new Error(`The load generator ended with ${code}`)));
    child.on("message", (message: "ready" | Measured) => {
      if (message === "ready") child.send("go");
      else done(message);
    });
    child.send(job);
  });
}

/** One request after the other on one connection: what a caller waits for. */
async function measure(
  name: string,
  origin: string,
  { token, key }: Login,
  request: LoadRequest,
): Promise<HttpRow> {
  const measured = await runLoad({
    origin,
    connections: 1,
    warmUpSeconds: 1.5,
    secondsMax: 3,
    requestsMax: 8_000,
    request: { ...request, login: { token, jwk: key.jwk } },
  });
  const failed = Object.keys(measured.statuses).filter((status) => !status.startsWith("20"));
  if (failed.length > 0) throw new Error(`${name} was answered ${failed.join(", ")}`);
  return { name, requests: measured.requests, p50: measured.p50, p99: measured.p99 };
}

const read = (path: string): LoadRequest => ({ method: "GET", path, headers: { accept: "text/turtle" } });

/** In turns, for what else the machine does is not the same all the time. */
async function inTurns(rounds: number, each: readonly (() => Promise<HttpRow>)[]): Promise<HttpRow[]> {
  const all: HttpRow[] = [];
  for (let round = 0; round < rounds; round++) for (const one of each) all.push(await one());
  return [...new Set(all.map(({ name }) => name))].map((name) => {
    const rows = all.filter((row) => row.name === name).sort((a, b) => a.p50 - b.p50);
    return rows[rows.length >> 1]!;
  });
}

/** Puts the documents into `/ana/bench/`. @returns their paths. */
export async function fillPod(origin: string, login: Login): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, quads } of makeDocuments(`${origin}/ana/bench/`, QUADS, 1)) {
    if (paths.length === DOCUMENTS) break;
    const body = new TextDecoder().decode(await serializeRdf(quads, "text/turtle"));
    await fetchAs(login, name, { method: "PUT", body, headers: { "content-type": "text/turtle" } });
    paths.push(name.slice(origin.length));
  }
  return paths;
}

export interface HttpFigures {
  readonly rows: readonly HttpRow[];
  readonly documents: number;
  /** Milliseconds to read every document once, one after the other; and to ask the star query once instead. */
  readonly readAllMs: number;
  readonly queryMs: number;
}

export async function measureHttp(): Promise<HttpFigures> {
  const contender = await freeholdContender();
  const server = await contender.start();
  try {
    const login = await server.logIn!();
    const root = `${server.origin}/ana/`;
    const paths = await fillPod(server.origin, login);
    const queries = queriesFor(`${root}bench/`);
    const query = (at: number): LoadRequest => ({
      method: "POST",
      path: "/ana/sparql",
      headers: { "content-type": "application/sparql-query", accept: "application/sparql-results+json" },
      body: queries[at]!.text.replace(" {", ` FROM <${UNION}> {`),
    });
    const rows = await inTurns(3, [
      () => measure("GET of a document", server.origin, login, read(paths[5]!)),
      () => measure(`query: ${queries[0]!.name}`, server.origin, login, query(0)),
      () => measure(`query: ${queries[2]!.name}`, server.origin, login, query(2)),
      () => measure(`query: ${queries[3]!.name}`, server.origin, login, query(3)),
    ]);
    let began = performance.now();
    for (const path of paths) await (await fetchAs(login, server.origin + path)).text();
    const readAllMs = performance.now() - began;
    const star = query(1);
    began = performance.now();
    const answer = await fetchAs(login, server.origin + star.path, {
      method: star.method,
      headers: star.headers,
      body: star.body!,
    });
    await answer.text();
    return { rows, documents: paths.length, readAllMs, queryMs: performance.now() - began };
  } finally {
    await server.stop();
    contender.remove();
  }
}
