/**
 * The registry under load: `npm run bench:registry`. A zone and three witnesses, each a process of its own as people start them,
 * with their data on disk; the floor is bare `node:http` that sends the same bytes, in the same run.
 * `-- --ops 10000` passports (10,000), `-- --seconds 8` for each reading. `-- --mirror 1000000`: instead, how long a mirror
 * of so many passports takes from nothing.
 */
import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  authorityOf,
  decodeKey,
  encodeBase64url,
  formatVerifierKey,
  generateKeyPair,
  generatePassportKeys,
  hashOfRules,
  idOfGenesis,
  type KeyPair,
  makeCreate,
  type PassportId,
  type RootRecord,
  type SignedRootRecord,
  signOperation,
  sponsorOperation,
  verifierKeyOf,
  verifyAnswer,
  type ZoneRecord,
} from "@freehold/client/registry";
import { freehold, type Program, quietPort, startProgram } from "../support/process.ts";
import type { Measured } from "./load.ts";
import type { ListedRequest, RegistryJob } from "./registry-load.ts";
import { benchMirror } from "./registry-mirror.ts";
import { cpuMs, residentMib } from "./servers.ts";

const { values: flags } = parseArgs({
  options: {
    ops: { type: "string" },
    seconds: { type: "string" },
    connections: { type: "string" },
    mirror: { type: "string" },
  },
});
const OPERATIONS = Number(flags.ops ?? 10_000);
const SECONDS = Number(flags.seconds ?? 8);
const WRITERS = Number(flags.connections ?? 256); // Operations wait for their epoch: that many are on the way at a time.
const READERS = 32;
const BATCH = 1_000;
const WITNESSES = 3;
const ANEW = 5; // Rounds.
const REGISTRAR = "bench";

const print = (line = ""): void => void process.stdout.write(`${line}\n`);
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const folder = mkdtempSync(join(tmpdir(), "freehold-bench-registry-"));
const programs: Program[] = [];

async function command(args: readonly string[]): Promise<string> {
  const { code, out, err } = await freehold(args).ended;
  if (code !== 0) throw new Error(`freehold ${args.join(" ")} ended with ${code}: ${out}${err}`);
  return out;
}

async function runLoad(job: RegistryJob, pid: number): Promise<Measured & { readonly cpu: number }> {
  const child = fork(join(import.meta.dirname, "registry-load.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let before = 0;
  return new Promise((done, fail) => {
    child.on("exit", (code) => code !== 0 && fail(new Error(`The load ended with ${code}`)));
    child.on("message", (message: "ready" | Measured) => {
      if (message === "ready") {
        before = cpuMs(pid);
        child.send("go");
        return;
      }
      done({ ...message, cpu: cpuMs(pid) - before });
    });
    child.send(job);
  });
}

function failed({ statuses }: Measured): string {
  const bad = Object.entries(statuses).filter(([status]) => !/^20[01]$/.test(status));
  return bad.length === 0
    ? ""
    : `, failed: ${bad.map(([status, times]) => `${times} × ${status}`).join(", ")}`;
}

/** What a witness is told to follow: the log of this year. */
async function logKey({ log }: ZoneRecord): Promise<string> {
  const raw = decodeKey(log.key);
  if (!raw) throw new Error("The zone shows no key of its log");
  return formatVerifierKey(await verifierKeyOf(`${log.origin}/${new Date().getUTCFullYear()}`, 1, raw));
}

/** Witnesses answer at ports that the zone's policy names, before the zone is there. */
async function startZone(registrar: KeyPair): Promise<{ readonly port: number; readonly zone: Program }> {
  const home = join(folder, "zone");
  const port = Number(await quietPort());
  await command(["registry", "init", "zz", "The bench", "--folder", home, "--port", String(port)]);
  const witnesses: { readonly folder: string; readonly port: string; readonly line: string }[] = [];
  for (let at = 1; at <= WITNESSES; at += 1) {
    const [own, answers] = [join(folder, `witness${at}`), await quietPort()];
    await command(["registry", "witness", "init", `witness${at}.example/w1`, "--folder", own]);
    const about = ["--label", `w${at}`, "--url", `http://127.0.0.1:${answers}/`];
    const lines = await command(["registry", "witness", "key", ...about, "--folder", own]);
    const line = lines.split("\n").find((one) => one.startsWith("witness ")) ?? "";
    witnesses.push({ folder: own, port: answers, line });
  }
  const file = join(home, "registry.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as object;
  const names = witnesses.map(({ line }) => line.split(" ")[1] ?? "");
  const policy = [
    ...witnesses.map(({ line }) => line),
    `group all ${WITNESSES} ${names.join(" ")}`,
    "quorum all",
  ];
  writeFileSync(file, JSON.stringify({ ...config, policy }, null, 2));
  const shown = await command(["registry", "show", "--folder", home]);
  const record = JSON.parse(/^record\s+(.*)$/m.exec(shown)?.[1] ?? "") as ZoneRecord;
  const followed = await logKey(record);
  for (const witness of witnesses) {
    const about = ["--port", witness.port, "--log", followed, "--folder", witness.folder];
    const program = freehold(["registry", "witness", ...about]);
    programs.push(program);
    await program.until(/answers at/);
  }
  const zone = freehold(["registry", "serve", "--quiet", "--folder", home]);
  programs.push(zone);
  await zone.until(/address {2}http/);
  const terms = encodeBase64url(await hashOfRules());
  await command(["registry", "policy", "begin", "https://bench.example/terms", terms, "--folder", home]);
  const entry = join(folder, "registrar.json");
  writeFileSync(
    entry,
    JSON.stringify({
      id: REGISTRAR,
      name: "The bench",
      keys: [registrar.key],
      hosts: [],
      createPerDay: 10_000_000,
      contact: "https://bench.example/",
      accreditation: null,
    }),
  );
  await command(["registry", "registrar", "enter", entry, "--folder", home]);
  return { port, zone };
}

interface Made {
  readonly id: PassportId;
  readonly request: ListedRequest;
}

async function presign(count: number, registrar: KeyPair): Promise<readonly Made[]> {
  const host = await generateKeyPair();
  return Promise.all(
    Array.from({ length: count }, async () => {
      const keys = await generatePassportKeys();
      const authority = await authorityOf(keys);
      const op = makeCreate({ zone: "zz", registrar: REGISTRAR, delegateKey: host.key, ...authority });
      const signed = await sponsorOperation(
        await signOperation(op, op.auth, keys.authority),
        REGISTRAR,
        registrar,
      );
      const request = { method: "POST", path: "/v1/ops", body: JSON.stringify(signed) };
      return { id: await idOfGenesis(op), request };
    }),
  );
}

async function bareServer(
  answers: readonly { readonly path: string; readonly bytes: Buffer }[],
): Promise<{ readonly port: number; readonly program: Program }> {
  const home = join(folder, "bare");
  mkdirSync(home);
  const described = answers.map(({ path, bytes }, at) => {
    const file = join(home, String(at));
    writeFileSync(file, bytes);
    const headers = ["content-type", "application/json", "content-length", String(bytes.length)];
    return { path, headers, file };
  });
  const list = join(home, "answers.json");
  writeFileSync(list, JSON.stringify(described));
  const port = Number(await quietPort());
  const program = startProgram([join(import.meta.dirname, "bare.ts"), String(port), list]);
  programs.push(program);
  for (;;) {
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (isThere) return { port, program };
  }
}

/** @returns milliseconds of one, when its epoch is new to the verifier, and when another answer of the same was seen. */
async function timeOfVerifying(texts: readonly string[], ids: readonly PassportId[], root: RootRecord) {
  const time = async (trustOf: () => RootRecord): Promise<number> => {
    const started = performance.now();
    for (const [at, text] of texts.entries())
      await verifyAnswer(text, ids[at] ?? ("" as PassportId), trustOf(), { allowUrl: () => true });
    return (performance.now() - started) / texts.length;
  };
  await time(() => root);
  return { anew: await time(() => structuredClone(root)), again: await time(() => root) };
}

/** Each passport once, after an epoch in which hardly a path has stayed the same: so nothing of its answer is there already. */
async function readAnew(
  port: number,
  pid: number,
  requests: readonly ListedRequest[],
  more: readonly Made[],
): Promise<{ readonly requests: number; readonly seconds: number; readonly cpu: number }> {
  const sum = { requests: 0, seconds: 0, cpu: 0 };
  for (const { request } of more) {
    const url = `http://127.0.0.1:${port}${request.path}`;
    const sent = await fetch(url, {
      method: "POST",
      body: request.body ?? "",
      headers: { "content-type": "application/json" },
    });
    if (sent.status !== 201) throw new Error(`An operation was answered ${sent.status}`);
    const job = { port, connections: READERS, warmUpSeconds: 0, secondsMax: null, requests };
    const { requests: count, seconds, cpu, statuses } = await runLoad(job, pid);
    if (Object.keys(statuses).some((status) => status !== "200")) throw new Error("A bundle is missing");
    sum.requests += count;
    sum.seconds += seconds;
    sum.cpu += cpu;
  }
  return sum;
}

async function main(): Promise<void> {
  const registrar = await generateKeyPair();
  const { port, zone } = await startZone(registrar);
  const pid = zone.child.pid ?? 0;
  const base = `http://localhost:${port}/`;
  print(`A zone with ${WITNESSES} witnesses; ${whole(OPERATIONS)} passports, signed beforehand.\n`);

  const made = await presign(OPERATIONS, registrar);
  const warm = Math.min(500, Math.floor(OPERATIONS / 10));
  const writing = { port, connections: WRITERS, warmUpSeconds: 0, secondsMax: null };
  await runLoad({ ...writing, requests: made.slice(0, warm).map(({ request }) => request) }, pid);
  const written = await runLoad(
    { ...writing, requests: made.slice(warm).map(({ request }) => request) },
    pid,
  );
  print(
    `operations: ${whole(written.requests / written.seconds)}/s (goal 500), each answered when it is provable: p50 ${whole(written.p50)} ms, p99 ${whole(written.p99)} ms (goal 2,000); ${(written.cpu / written.requests).toFixed(2)} ms of the zone's processor each${failed(written)}`,
  );

  const everywhere = made.map(({ id }) => ({ method: "GET", path: `/v1/passports/${id}` }));
  const anew = await readAnew(port, pid, everywhere, await presign(ANEW, registrar));
  const some = made.slice(0, 1_000);
  const texts = await Promise.all(
    some.slice(0, 200).map(async ({ id }) => (await fetch(`${base}v1/passports/${id}`)).text()),
  );
  const answers = await Promise.all(
    some.map(async ({ id }) => {
      const path = `/v1/passports/${id}`;
      return { path, bytes: Buffer.from(await (await fetch(new URL(path, base))).arrayBuffer()) };
    }),
  );
  const reading = { connections: READERS, warmUpSeconds: 2, secondsMax: SECONDS };
  const requests = answers.map(({ path }) => ({ method: "GET", path }));
  const read = await runLoad({ ...reading, port, requests }, pid);
  const readAll = await runLoad({ ...reading, port, requests: everywhere }, pid);
  const bare = await bareServer(answers);
  const floor = await runLoad({ ...reading, port: bare.port, requests }, bare.program.child.pid ?? 0);
  const rate = ({ requests: count, seconds }: Measured): number => count / seconds;
  const each = ({ cpu, requests: count }: Awaited<ReturnType<typeof runLoad>>): number => cpu / count;
  print(
    `bundles of 1,000 passports: ${whole(rate(read))}/s, p99 ${read.p99.toFixed(1)} ms; bare node:http ${whole(rate(floor))}/s: ${(rate(read) / rate(floor)).toFixed(2)} of it by rate, ${(each(floor) / each(read)).toFixed(2)} by processor time (goal 0.5)${failed(read)}`,
  );
  print(
    `bundles of all ${whole(made.length)}: ${whole(rate(readAll))}/s, p99 ${readAll.p99.toFixed(1)} ms: ${(rate(readAll) / rate(floor)).toFixed(2)} of the same floor${failed(readAll)}`,
  );

  print(
    `bundles that nobody has asked for in their epoch: ${whole(anew.requests / anew.seconds)}/s: ${(anew.requests / anew.seconds / rate(floor)).toFixed(2)} of the same floor by rate, ${(each(floor) / (anew.cpu / anew.requests)).toFixed(2)} by processor time`,
  );

  const batches = Array.from({ length: Math.min(20, Math.floor(made.length / BATCH)) }, (_, at) => ({
    method: "POST",
    path: "/v1/resolve",
    body: JSON.stringify({ ids: made.slice(at * BATCH, (at + 1) * BATCH).map(({ id }) => id) }),
  }));
  const resolved = await runLoad({ ...reading, connections: 4, port, requests: batches }, pid);
  print(
    `batches of ${whole(BATCH)}: ${whole(rate(resolved) * BATCH)} ids/s (goal 20,000), p99 ${whole(resolved.p99)} ms a batch${failed(resolved)}`,
  );

  const root = (await (await fetch(`${base}v1/zones`)).json()) as SignedRootRecord;
  const verifying = await timeOfVerifying(
    texts,
    some.map(({ id }) => id),
    root.record,
  );
  print(
    `verification: ${verifying.anew.toFixed(2)} ms with an epoch that is new, ${verifying.again.toFixed(2)} ms with one that was seen (goal 5)`,
  );
  print(`the zone at the end: ${whole(residentMib(pid))} MiB`);
}

try {
  const mirrored = Number(flags.mirror ?? 0);
  await (mirrored > 0 ? benchMirror(mirrored, folder, programs, print) : main());
} finally {
  for (const program of programs) await program.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
