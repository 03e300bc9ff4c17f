/**
 * `npm run bench`: Freehold beside bare node:http, bare Express, the Community Solid Server and a lighter peer, in one run on
 * one machine.
 * Absolute figures are the machine's; the ratios are ours, so those are what to compare between runs.
 *
 *   --quick       short windows and a container of 1,000
 *   --no-peers    without CSS and JSS: nothing is installed
 *   --only TEXT   only the rows whose name contains TEXT
 *   --json FILE   everything measured, for a machine
 *   --revocation  instead: how soon a grant that was taken back gives nothing any more (revocation.ts)
 *   --fan-out     instead: how soon a thousand listeners hear of a write (fan-out.ts)
 *   --scale       instead: what size costs (scale.ts); with --quick a tenth of the size
 */
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freeholdContender } from "./freehold.ts";
import type { Job, LoadRequest, Measured } from "./load.ts";
import { fetchAs } from "./login.ts";
import { formatReport, type Idle, type Row } from "./report.ts";
import {
  bareContender,
  type Contender,
  cpuMs,
  cssContender,
  jssContender,
  residentMib,
  type Server,
} from "./servers.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean" },
    "no-peers": { type: "boolean" },
    only: { type: "string" },
    json: { type: "string" },
    scale: { type: "boolean" },
    "fan-out": { type: "boolean" },
    revocation: { type: "boolean" },
  },
});

const CHILDREN = flags.quick ? 1_000 : 10_000;
const SECONDS = flags.quick ? 1.5 : 6;
const WARM_UP_SECONDS = flags.quick ? 0.5 : 2;
const CONNECTIONS = 16;
const BIG_BYTES = 10 * 1024 * 1024;
const BIG_CONNECTIONS = 4; // 16 times 10 MB at once would measure the machine's memory.
const PROOFS_MAX = flags.quick ? 12_000 : 50_000; // Made before the window; what a fast server can use up in it.
const idleMs = 3_000; // Memory settles after start.
const OPEN = "/ana/bench/open/";
const SHUT = "/ana/bench/shut/";

const turtle = { "content-type": "text/turtle" };

/** About 1 KB of Turtle. */
function document(n: number): string {
  const notes = Array.from(
    { length: 8 },
    (_, at) =>
      `<#it> <https://schema.org/keywords> "note ${n}, line ${at}: milk, bread, apples, a stamp for the letter to Ben" .`,
  );
  return `<#it> a <https://schema.org/Note> ; <https://schema.org/name> "Note ${n}" .\n${notes.join("\n")}\n`;
}

/** A container everybody may read and write in, so that a row measures one thing. */
const openAcl = (owner: string): string => `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
<#owner> a acl:Authorization; acl:agent <${owner}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
<#all> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write.
`;

interface Work {
  readonly name: string;
  readonly request: Omit<LoadRequest, "login">;
  readonly connections?: number;
  readonly loggedIn?: boolean;
  /** Megabytes moved a request, where that is the figure. */
  readonly megabytes?: number;
  /** Deletes what this other work has created, so at most so many. */
  readonly consumes?: string;
}

const put = (path: string): Work["request"] => ({ method: "PUT", path, headers: turtle, body: document(0) });
const PATCH = `@prefix solid: <http://www.w3.org/ns/solid/terms#>.
_:patch a solid:InsertDeletePatch; solid:deletes { <#count> <https://schema.org/value> {i} . }; solid:inserts { <#count> <https://schema.org/value> {next} . }.`;

const WORKS: readonly Work[] = [
  { name: "GET 1 KB, public", request: { method: "GET", path: `${OPEN}card.ttl`, headers: {} } },
  {
    name: "GET 1 KB, public, as JSON-LD",
    request: { method: "GET", path: `${OPEN}card.ttl`, headers: { accept: "application/ld+json" } },
  },
  {
    name: "GET 1 KB, private, fresh proof",
    loggedIn: true,
    request: { method: "GET", path: `${SHUT}card.ttl`, headers: {} },
  },
  { name: "PUT 1 KB, new", request: put(`${OPEN}new/{n}.ttl`) },
  { name: "PUT 1 KB, new, fresh proof", loggedIn: true, request: put(`${SHUT}new/{n}.ttl`) },
  { name: "PUT 1 KB, over", request: put(`${OPEN}over-{c}.ttl`) },
  {
    name: "N3 Patch",
    request: {
      method: "PATCH",
      path: `${OPEN}count-{c}.ttl`,
      headers: { "content-type": "text/n3" },
      body: PATCH,
    },
  },
  {
    name: "DELETE",
    consumes: "PUT 1 KB, new",
    request: { method: "DELETE", path: `${OPEN}new/{n}.ttl`, headers: {} },
  },
  {
    name: `GET container of ${CHILDREN.toLocaleString("en-US")}`,
    connections: BIG_CONNECTIONS,
    request: { method: "GET", path: `${OPEN}list/`, headers: { accept: "text/turtle" } },
  },
  {
    name: "GET 10 MB",
    connections: BIG_CONNECTIONS,
    megabytes: BIG_BYTES / 1e6,
    request: { method: "GET", path: `${OPEN}big.bin`, headers: {} },
  },
  {
    name: "PUT 10 MB",
    connections: BIG_CONNECTIONS,
    megabytes: BIG_BYTES / 1e6,
    request: {
      method: "PUT",
      path: `${OPEN}big-{c}.bin`,
      headers: { "content-type": "application/octet-stream" },
      bodyBytes: BIG_BYTES,
    },
  },
];

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What all the works need to be there. */
async function furnish(server: Server): Promise<void> {
  const login = await server.logIn?.();
  if (!login) return;
  const send = (path: string, body: string | Buffer<ArrayBuffer>, contentType = "text/turtle") =>
    fetchAs(login, server.origin + path, { method: "PUT", headers: { "content-type": contentType }, body });
  await send(`${OPEN}card.ttl`, document(1));
  await send(`${OPEN}.acl`, openAcl(`${server.origin}/ana/profile/card#me`));
  await send(`${SHUT}card.ttl`, document(1));
  await send(`${OPEN}big.bin`, Buffer.alloc(BIG_BYTES, "0123456789abcdef"), "application/octet-stream");
  for (let c = 0; c < CONNECTIONS; c += 1) {
    await send(`${OPEN}over-${c}.ttl`, document(c));
    await send(`${OPEN}count-${c}.ttl`, `${document(c)}<#count> <https://schema.org/value> 0 .\n`);
  }
}

/** Runs one job in a process of its own; the server's CPU is read just before and just after the timed window. */
async function runLoad(job: Job, pid: number): Promise<Measured & { readonly cpuMs: number }> {
  const child = fork(join(import.meta.dirname, "load.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let before = 0;
  return new Promise((done, fail) => {
    child.on("exit", (code) => code !== 0 && fail(new Error(`The load generator ended with ${code}`)));
    child.on("message", (message: "ready" | Measured) => {
      if (message === "ready") {
        before = cpuMs(pid);
        child.send("go");
        return;
      }
      done({ ...message, cpuMs: cpuMs(pid) - before });
    });
    child.send(job);
  });
}

const sentBy = new Map<string, number>();

async function measure(work: Work, server: Server): Promise<Row> {
  const login = work.loggedIn ? await server.logIn?.() : undefined;
  const key = (name: string): string => `${server.name} ${name}`;
  const measured = await runLoad(
    {
      origin: server.origin,
      connections: work.connections ?? CONNECTIONS,
      warmUpSeconds: WARM_UP_SECONDS,
      secondsMax: SECONDS,
      requestsMax: work.consumes
        ? (sentBy.get(key(work.consumes)) ?? 0)
        : login
          ? PROOFS_MAX
          : Number.MAX_SAFE_INTEGER,
      request: {
        ...work.request,
        headers: { ...work.request.headers, ...server.headers },
        ...(login ? { login: { token: login.token, jwk: login.key.jwk } } : {}),
      },
    },
    server.pid,
  );
  sentBy.set(key(work.name), measured.sent);
  const failed = Object.entries(measured.statuses).filter(([status]) => !status.startsWith("20"));
  const errors = failed.map(([status, times]) => `${times} × ${status}`).join(", ");
  return { work: work.name, server: server.name, megabytes: work.megabytes ?? null, errors, ...measured };
}

/** Every patch counts one up, so the number in the document is the number of patches: else an update was lost. */
async function lostUpdates(server: Server, rows: readonly Row[]): Promise<string> {
  const row = rows.find(({ work, server: name }) => work === "N3 Patch" && name === server.name);
  if (!row || !server.logIn) return "";
  let counted = 0;
  for (let c = 0; c < CONNECTIONS; c += 1) {
    const text = await (
      await fetch(`${server.origin}${OPEN}count-${c}.ttl`, { headers: { accept: "text/turtle" } })
    ).text();
    counted += Number(/value> ?"?(\d+)/.exec(text)?.[1] ?? Number.NaN);
  }
  return counted === row.sent
    ? ""
    : `${server.name}: ${row.sent} patches were sent, ${counted} are in the documents`;
}

/** The same bytes as this server sends, for the bare one. */
async function answersOf(server: Server): Promise<Parameters<typeof bareContender>[1]> {
  const found: Record<string, { headers: string[]; bytes: Buffer }> = {};
  for (const path of [`${OPEN}card.ttl`, `${OPEN}list/`, `${OPEN}big.bin`]) {
    const answer = await fetch(server.origin + path, { headers: { accept: "text/turtle, */*;q=0.5" } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const headers = [...answer.headers].filter(
      ([name]) => !/^(connection|keep-alive|date|transfer-encoding|content-length)$/.test(name),
    );
    found[path] = { headers: [...headers.flat(), "content-length", `${bytes.length}`], bytes };
  }
  return { ...found, [`${SHUT}card.ttl`]: found[`${OPEN}card.ttl`]! };
}

async function fill(contender: Contender, server: Server): Promise<void> {
  if (contender.fillContainer) return;
  const row = await runLoad(
    {
      origin: server.origin,
      connections: CONNECTIONS,
      warmUpSeconds: 0,
      secondsMax: 600,
      requestsMax: CHILDREN,
      request: put(`${OPEN}list/{n}.ttl`),
    },
    server.pid,
  );
  say(
    `${server.name}: ${CHILDREN} documents put into one container, ${Math.round(row.requests / row.seconds)} a second`,
  );
}

/** First run: accounts and content. The second, measured one starts on a folder that is there, as every day. */
async function prepare(contender: Contender): Promise<void> {
  const server = await contender.start();
  try {
    await furnish(server);
    await fill(contender, server);
  } finally {
    await server.stop();
  }
  contender.fillContainer?.(`${OPEN}list`, CHILDREN, document);
}

async function main(): Promise<void> {
  const contenders: Contender[] = [];
  const servers: Server[] = [];
  const idle: Idle[] = [];
  const rows: Row[] = [];
  const begin = async (contender: Contender): Promise<Server> => {
    const server = await contender.start();
    servers.push(server);
    await sleep(idleMs);
    idle.push({
      server: server.name,
      firstAnswerMs: server.firstAnswerMs,
      residentMib: residentMib(server.pid),
    });
    say(
      `${server.name}: first answer after ${Math.round(server.firstAnswerMs)} ms, ${Math.round(residentMib(server.pid))} MiB at rest`,
    );
    return server;
  };
  try {
    for (const make of [
      () => freeholdContender(),
      ...(flags["no-peers"] ? [] : [cssContender, jssContender]),
    ]) {
      const contender = await make();
      contenders.push(contender);
      await prepare(contender);
    }
    for (const contender of contenders) await begin(contender);
    const answers = await answersOf(servers[0]!);
    for (const name of ["bare Express", "bare node:http"] as const) {
      const bare = await bareContender(name, answers);
      contenders.push(bare);
      await begin(bare);
    }

    for (const work of WORKS.filter(({ name }) => name.includes(flags.only ?? ""))) {
      for (const server of servers) {
        if (server.cannot?.includes(work.name)) continue;
        const row = await measure(work, server);
        rows.push(row);
        say(
          `${work.name} · ${server.name}: ${(row.requests / row.seconds).toFixed(1)} a second${row.errors && ` (${row.errors})`}`,
        );
      }
    }
    const lost = (await Promise.all(servers.map((server) => lostUpdates(server, rows)))).filter(Boolean);
    process.stdout.write(formatReport({ rows, idle, servers: servers.map(({ name }) => name), lost }));
    if (flags.json) {
      const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
      writeFileSync(
        flags.json,
        `${JSON.stringify({ at: new Date().toISOString(), machine, idle, rows, lost }, null, 2)}\n`,
      );
    }
  } finally {
    for (const server of servers) await server.stop();
    for (const contender of contenders) contender.remove();
  }
}

if (flags.scale)
  process.exitCode = (await (await import("./scale.ts")).measureScale(flags.quick ?? false, flags.only))
    ? 0
    : 1;
else if (flags.revocation)
  process.exitCode = (await (await import("./revocation.ts")).measureRevocation()) ? 0 : 1;
else if (flags["fan-out"]) process.exitCode = (await (await import("./fan-out.ts")).measureFanOut()) ? 0 : 1;
else await main();
