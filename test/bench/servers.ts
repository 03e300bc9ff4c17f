/** The servers that are compared: each a process of its own on a temporary folder, started, asked, and stopped the same way. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import manifest from "../../package.json" with { type: "json" };
import { type Credentials, createDpopKey, type Login, logIn, signProof } from "./login.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** What `npm start` gives Node. */
export const START_ARGS: readonly string[] = manifest.scripts.start.split(" ").slice(1);
const startMsMax = 120_000;
const clockTicksPerSecond = 100; // USER_HZ: fixed for user space on Linux.

export interface Process {
  readonly child: ChildProcess;
  /** From spawning to the first answered request, in milliseconds. */
  readonly firstAnswerMs: number;
  readonly output: () => string;
}

export interface Server {
  readonly name: string;
  readonly origin: string;
  readonly pid: number;
  readonly firstAnswerMs: number;
  /** Absent where nobody can log in. */
  readonly logIn?: () => Promise<Login>;
  /** Header fields of all requests of the load: what keeps a server from counting them as one client's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of works that it cannot be asked for. */
  readonly cannot?: readonly string[];
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

/** Starts a process and waits until `url` answers, whatever the status. @throws with its output when it ends before. */
export async function startProcess(
  args: readonly string[],
  url: string,
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Process> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  while (performance.now() - started < startMsMax) {
    if (child.exitCode !== null) break;
    try {
      await (await fetch(url)).arrayBuffer();
      return { child, firstAnswerMs: performance.now() - started, output: () => output };
    } catch {
      await sleep(5);
    }
  }
  child.kill("SIGKILL");
  throw new Error(`${args.join(" ")} did not answer:\n${output}`);
}

export async function stopProcess({ child }: Process): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(timer);
}

/** CPU time of the process so far, all its threads together, in milliseconds. Linux only. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / clockTicksPerSecond;
}

/** Resident memory in MiB. Linux only. */
export function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** How to run one server: prepared once with an account and content, then started anew, so that all are measured warm on disk and cold in memory. */
export interface Contender {
  readonly name: string;
  start(): Promise<Server>;
  /** Puts `children` documents into a container in the fastest way there is; `null` when they go over HTTP. */
  readonly fillContainer: ((path: string, children: number, document: (n: number) => string) => void) | null;
  remove(): void;
}

/** Plain `node:http` that answers with the given bytes: what a request costs before anybody thinks about it. */
export async function bareContender(
  name: "bare node:http" | "bare Express",
  answers: Readonly<Record<string, { readonly headers: readonly string[]; readonly bytes: Buffer }>>,
): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), "bench-bare-"));
  const described = Object.entries(answers).map(([path, { headers, bytes }], at) => {
    writeFileSync(join(folder, `${at}`), bytes);
    return { path, headers, file: join(folder, `${at}`) };
  });
  writeFileSync(join(folder, "answers.json"), JSON.stringify(described));
  return {
    name,
    fillContainer: null,
    async start() {
      const port = await freePort();
      const origin = `http://localhost:${port}`;
      const running = await startProcess(
        [
          "test/bench/bare.ts",
          `${port}`,
          join(folder, "answers.json"),
          name === "bare Express" ? "express" : "",
        ],
        origin,
      );
      return {
        name,
        origin,
        pid: running.child.pid ?? 0,
        firstAnswerMs: running.firstAnswerMs,
        stop: () => stopProcess(running),
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const CSS_VERSION = "7.2.0";
const EMAIL = "ana@example.org";
const PASSWORD = "only-for-this-bench";

/**
 * A peer, installed once in the system's temporary folder: the component loader of one of them reads every node_modules
 * above it, so it cannot live inside this checkout.
 * @returns the file that starts it.
 */
function install(name: string, version: string, file: string): string {
  const home = join(tmpdir(), `freehold-peers-${name.replace(/\W+/g, "-")}-${version}`);
  const main = join(home, "node_modules", name, file);
  if (existsSync(main)) return main;
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ private: true, dependencies: { [name]: version } }),
  );
  execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: home,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return main;
}

/** Its account API: log in with the seeded password, then make client credentials. */
async function cssCredentials(origin: string): Promise<Credentials> {
  const json = async (url: string, init: RequestInit): Promise<Record<string, unknown>> => {
    const answer = await fetch(url, init);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const { authorization } = await json(
    `${origin}/.account/login/password/`,
    post({ email: EMAIL, password: PASSWORD }),
  );
  const session = { authorization: `CSS-Account-Token ${authorization as string}` };
  const { controls } = (await json(`${origin}/.account/`, { headers: session })) as {
    controls: { account: { clientCredentials: string } };
  };
  const made = await json(
    controls.account.clientCredentials,
    post({ name: "bench", webId: `${origin}/ana/profile/card#me` }, session),
  );
  return { id: made.id as string, secret: made.secret as string };
}

/** One process with the file backend, web access control and a seeded account, as its README says to run it. */
export async function cssContender(): Promise<Contender> {
  const main = install("@solid/community-server", CSS_VERSION, "bin/server.js");
  const folder = mkdtempSync(join(tmpdir(), "bench-css-"));
  const data = join(folder, "data");
  const seed = join(folder, "seed.json");
  writeFileSync(seed, JSON.stringify([{ email: EMAIL, password: PASSWORD, pods: [{ name: "ana" }] }]));
  const port = await freePort(); // Part of its base URL, so the same at each start.
  const origin = `http://localhost:${port}`;
  const args = [
    main,
    "-c",
    "@css:config/file.json",
    "-f",
    data,
    "-p",
    `${port}`,
    "-b",
    `${origin}/`,
    "-l",
    "error",
    "--seedConfig",
    seed,
  ];
  const whileRunning = async <T>(work: () => Promise<T>): Promise<T> => {
    const running = await startProcess(args, `${origin}/ana/`, { cwd: folder });
    try {
      return await work();
    } finally {
      await stopProcess(running);
    }
  };
  const credentials = await whileRunning(() => cssCredentials(origin));
  const name = `CSS ${CSS_VERSION}`;
  return {
    name,
    async start() {
      const running = await startProcess(args, `${origin}/ana/`, { cwd: folder });
      return {
        name,
        origin,
        pid: running.child.pid ?? 0,
        firstAnswerMs: running.firstAnswerMs,
        logIn: () => logIn(`${origin}/`, credentials),
        stop: () => stopProcess(running),
      };
    },
    fillContainer(path, children, document) {
      const container = join(data, path);
      mkdirSync(container, { recursive: true });
      for (let n = 0; n < children; n += 1) writeFileSync(join(container, `${n}.ttl`), document(n));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const JSS_VERSION = "0.0.81";

/**
 * The javascript-solid-server: a small one on Fastify that keeps files and syncs none. It takes 60 writes a minute of one
 * address and believes whoever says that they are a proxy, so each request comes as another client's.
 */
export async function jssContender(): Promise<Contender> {
  const main = install("javascript-solid-server", JSS_VERSION, "bin/jss.js");
  const folder = mkdtempSync(join(tmpdir(), "bench-jss-"));
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const args = [main, "start", "--port", `${port}`, "--host", "127.0.0.1", "--root", folder];
  args.push("--idp", "--idp-issuer", origin, "--conneg", "--quiet");
  const options = { cwd: folder, env: { TOKEN_SECRET: PASSWORD } };
  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(origin + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const first = await startProcess(args, `${origin}/`, options);
  const made = await post("/.pods", { name: "ana", email: EMAIL, password: PASSWORD });
  await stopProcess(first);
  if (!made.ok) throw new Error(`/.pods answered ${made.status}`);
  const name = `JSS ${JSS_VERSION}`;
  return {
    name,
    async start() {
      const running = await startProcess(args, `${origin}/`, options);
      return {
        name,
        origin,
        pid: running.child.pid ?? 0,
        firstAnswerMs: running.firstAnswerMs,
        headers: { "x-forwarded-for": "{n}" },
        cannot: ["PUT 1 KB, new, fresh proof"], // Those are counted by who has logged in.
        async logIn() {
          const key = createDpopKey();
          const proof = signProof(key, "POST", `${origin}/idp/credentials`);
          const answer = await post(
            "/idp/credentials",
            { email: EMAIL, password: PASSWORD },
            { dpop: proof },
          );
          if (!answer.ok) throw new Error(`/idp/credentials answered ${answer.status}`);
          return { key, token: ((await answer.json()) as { access_token: string }).access_token };
        },
        stop: () => stopProcess(running),
      };
    },
    fillContainer(path, children, document) {
      const container = join(folder, path);
      mkdirSync(container, { recursive: true });
      for (let n = 0; n < children; n += 1) writeFileSync(join(container, `${n}.ttl`), document(n));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
