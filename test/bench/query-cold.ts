/**
 * `node test/bench/query-cold.ts`: what the first query costs that a server gets after its start: CPU time of its whole
 * process over HTTP, with a fresh proof. A process for each round, on the same folder, at rest and with some GETs behind it.
 *
 *   --quads N   quads of the pod (100000)
 *   --rounds N  starts of the server (5)
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { type Credentials, fetchAs, type Login, logIn } from "./login.ts";
import { makeDocuments } from "./query-data.ts";
import { freePort } from "./servers.ts";

const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const SEED = 1;
const DOCUMENTS_AT_ONCE = 100;
const KEPT_MS_MAX = 60_000;
const REST_MS = 3_000; // The store proves itself after a start.
const GETS = 30;

interface Place {
  readonly folder: string;
  readonly port: number;
}
/** Asked of the server's process. */
type Wish = "cpu" | "evict" | "stop";
type Word = { readonly kind: "ready" | "kept" | "evicted" } | { readonly kind: "cpu"; readonly ms: number };

const configOf = ({ folder, port }: Place) =>
  readConfig({
    FREEHOLD_PORT: `${port}`,
    FREEHOLD_DATA: folder,
    FREEHOLD_LOG_LEVEL: "debug",
    FREEHOLD_LIMITS: "writesPerAgentMax=1000000000,queryIndexRestMs=200",
  });

async function runServer(place: Place): Promise<void> {
  const say = (word: Word): void => void process.send!(word);
  const running = await serve(configOf(place), (line) => {
    if (line.includes('"query.index-kept"')) say({ kind: "kept" });
  });
  process.on("message", (wish: Wish) => {
    const { user, system } = process.cpuUsage();
    if (wish === "cpu") say({ kind: "cpu", ms: (user + system) / 1_000 });
    else if (wish === "evict") void running.context.queries.purge(null).then(() => say({ kind: "evicted" }));
    else void running.close().then(() => process.exit());
  });
  say({ kind: "ready" });
}

function startServer(place: Place) {
  const child = fork(import.meta.filename, [JSON.stringify(place)], {
    execArgv: ["--max-semi-space-size=8", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const hear = (kind: Word["kind"]): Promise<Word> =>
    new Promise((resolve, reject) => {
      const listen = (word: Word): void => {
        if (word.kind !== kind) return;
        child.off("message", listen);
        resolve(word);
      };
      child.on("message", listen);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  const ask = (wish: Wish, kind: Word["kind"]): Promise<Word> => {
    const heard = hear(kind);
    child.send(wish);
    return heard;
  };
  return {
    hear,
    evict: () => ask("evict", "evicted"),
    async cpuMs(): Promise<number> {
      const word = await ask("cpu", "cpu");
      return word.kind === "cpu" ? word.ms : Number.NaN;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        child.removeAllListeners("exit").once("exit", () => resolve());
        child.send("stop" satisfies Wish);
      }),
  };
}

/** A person, and a pod of so many quads. */
async function fill(place: Place, quads: number): Promise<{ credentials: Credentials; documents: number }> {
  const running = await serve(configOf(place), () => {});
  const { context } = running;
  const who = { name: "Ana", podName: "ana", password: "only for this bench" };
  const { credentials } = await createPerson(context, who);
  const pod = (await context.pods.find("ana"))!;
  const { origin } = new URL(context.config.baseUrl);
  const all = [...makeDocuments(`${origin}/ana/bench/`, quads, SEED)];
  for (let at = 0; at < all.length; at += DOCUMENTS_AT_ONCE) {
    const some = all.slice(at, at + DOCUMENTS_AT_ONCE).map(async (one) => ({
      path: one.name.slice(origin.length),
      contentType: "text/turtle",
      bytes: await serializeRdf(one.quads, "text/turtle"),
    }));
    await context.writeDocuments(pod, await Promise.all(some));
  }
  await running.close();
  return { credentials, documents: all.length };
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

export interface ColdFigures {
  readonly documents: number;
  /** Medians of CPU milliseconds of the whole server: by what was asked. */
  readonly rows: readonly { readonly name: string; readonly cpuMs: number }[];
}

export async function measureCold(quads: number, rounds: number): Promise<ColdFigures> {
  const place: Place = { folder: mkdtempSync(join(tmpdir(), "bench-cold-")), port: await freePort() };
  const origin = `http://localhost:${place.port}`;
  const found = new Map<string, number[]>();
  try {
    const { credentials, documents } = await fill(place, quads);
    const begin = async () => {
      const server = startServer(place);
      await server.hear("ready");
      await sleep(REST_MS);
      const login = await logIn(`${origin}/`, credentials);
      for (let n = 0; n < GETS; n++) await get(login);
      return { server, login };
    };
    const get = async (login: Login) => (await fetchAs(login, `${origin}/ana/profile/card`)).text();
    const query = async (login: Login): Promise<string> => {
      const text = `SELECT ?s ?p ?o FROM <${UNION}> WHERE { ?s ?p ?o } LIMIT 3`;
      return (await fetchAs(login, `${origin}/ana/sparql?query=${encodeURIComponent(text)}`)).text();
    };

    const first = await begin();
    const kept = first.server.hear("kept");
    await query(first.login);
    await Promise.race([kept, sleep(KEPT_MS_MAX).then(() => Promise.reject(new Error("no index is kept")))]);
    await first.server.stop();

    for (let round = 0; round < rounds; round++) {
      const { server, login } = await begin();
      const measure = async (name: string, work: () => Promise<string>): Promise<void> => {
        const before = await server.cpuMs();
        if ((await work()) === "") throw new Error(`${name} was answered with nothing`);
        found.set(name, [...(found.get(name) ?? []), (await server.cpuMs()) - before]);
        await sleep(500);
      };
      await measure("GET of a document", () => get(login));
      await measure("first query after a start", () => query(login));
      await measure("the same again", () => query(login));
      await server.evict();
      await sleep(500);
      await measure("first query after all was forgotten, index and threads", () => query(login));
      await server.stop();
    }
    return { documents, rows: [...found].map(([name, values]) => ({ name, cpuMs: medianOf(values) })) };
  } finally {
    rmSync(place.folder, { recursive: true, force: true });
  }
}

if (process.send && process.argv[2]?.startsWith("{")) await runServer(JSON.parse(process.argv[2]) as Place);
else if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: {
      quads: { type: "string", default: "100000" },
      rounds: { type: "string", default: "5" },
    },
  });
  const { documents, rows } = await measureCold(Number(flags.quads), Number(flags.rounds));
  process.stdout.write(`### A cold pod: ${flags.quads} quads in ${documents} documents, CPU ms\n\n`);
  process.stdout.write("| what | CPU ms |\n| --- | ---: |\n");
  for (const { name, cpuMs } of rows) process.stdout.write(`| ${name} | ${cpuMs.toFixed(1)} |\n`);
}
