/** `freehold passport` in this process, by a clock that can be turned, at a registry of its own with a way in that can fail. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FreeholdError } from "@freehold/client";
import { type ImportedFile, importRecoveryFile, PassportError } from "@freehold/client/registry";
import { PASSPORT_COMMANDS } from "../../server/cli/passport/commands.ts";
import { readRegistryConfig } from "../../server/cli/registry/config.ts";
import { type ServedRegistry, serveRegistry } from "../../server/cli/registry/serve.ts";
import { OperatorError } from "../../server/errors.ts";
import { createLog } from "../../server/log.ts";
import { accreditOwn } from "../../server/registry/registrars/own.ts";

/** How a command ended: what it printed, or why it was refused. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  /** Code of the error, or its kind. */
  readonly error: string;
  readonly message: string;
  readonly next: string;
  readonly stages: readonly string[];
}

export type Run = (
  name: string,
  args?: readonly string[],
  flags?: Readonly<Record<string, string | readonly string[]>>,
) => Promise<Ended>;

/** Runs commands in this process. @param folder Where the program keeps what is its own. */
export function runIn(folder: string, now: () => Date): Run {
  return async (name, args = [], flags = {}) => {
    const command = PASSPORT_COMMANDS.find((one) => one.name === name);
    if (!command) throw new Error(`There is no command ${name}`);
    const lines: string[] = [];
    const stages: string[] = [];
    const ended = { code: null, error: "", message: "", next: "" };
    const said = () => ({ out: lines.join("\n"), stages });
    try {
      const code = await command.run({
        args,
        flags: Object.fromEntries(Object.entries(flags).map(([flag, value]) => [flag, [value].flat()])),
        folder,
        signal: new AbortController().signal,
        say: (line) => lines.push(line),
        report: ({ stage, done, total }) => stages.push(`${stage} ${done}/${total}`),
        now,
      });
      return { ...ended, code, ...said() };
    } catch (error) {
      if (error instanceof FreeholdError)
        return { ...ended, error: error.code, message: error.message, next: error.next ?? "", ...said() };
      if (error instanceof OperatorError)
        return { ...ended, error: "operator", message: error.message, ...said() };
      if (error instanceof PassportError)
        return { ...ended, error: error.rule, message: error.message, ...said() };
      throw error;
    }
  };
}

/** The way between the program and the registry. */
export interface Way {
  readonly url: string;
  /** `cut`: nobody is reached; `deaf`: what is sent arrives, and the answer is lost. */
  state: "open" | "cut" | "deaf";
  /** Methods and paths that arrived. */
  readonly arrived: string[];
}

async function wayTo(port: () => number): Promise<Way & { close(): void }> {
  const server: Server = createServer((asked, answer) => {
    const isChange = asked.method === "POST";
    if (way.state === "cut" && isChange) {
      asked.socket.destroy();
      return;
    }
    way.arrived.push(`${asked.method} ${asked.url}`);
    const on = request(
      { host: "127.0.0.1", port: port(), method: asked.method, path: asked.url, headers: asked.headers },
      (given) => {
        if (way.state === "deaf" && isChange) {
          given.resume().on("end", () => asked.socket.destroy());
          return;
        }
        answer.writeHead(given.statusCode ?? 502, given.headers);
        given.pipe(answer);
      },
    );
    on.on("error", () => asked.socket.destroy());
    asked.pipe(on);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const way: Way & { close(): void } = {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    state: "open",
    arrived: [],
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return way;
}

export interface Desk {
  readonly folder: string;
  readonly way: Way;
  readonly registry: ServedRegistry;
  /** Of the registrar `local`, for `--registrar-key`. */
  readonly registrarKey: string;
  /** Of the registrar `other`. */
  readonly otherKey: string;
  /** Milliseconds since 1970. */
  now: number;
  readonly run: Run;
  /** A recovery file, as it is on disk. */
  file(path: string): Promise<ImportedFile>;
  /** A new passport, and its recovery file. */
  create(name: string, pod?: string): Promise<{ readonly id: string; readonly path: string }>;
  /** Turns the clock on, and lets the registry look at it. */
  later(ms: number): Promise<void>;
  close(): Promise<void>;
}

const HOST = "https://pods.example.org/";

export interface DeskOptions {
  /** Origins that passports may name although they are on this machine. */
  readonly allow?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export async function openDesk({
  allow = [],
  now = Date.UTC(2026, 5, 1, 12),
}: DeskOptions = {}): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-passport-"));
  let registry: ServedRegistry | null = null;
  const way = await wayTo(() => registry?.port ?? 0);
  const settings = {
    url: way.url,
    port: 0,
    zone: "zz",
    operator: "A test",
    epochMs: 0,
    allow: [new URL(way.url).origin, ...allow],
  };
  const config = await readRegistryConfig(JSON.stringify(settings), join(folder, "zone"));

  const run = runIn(join(folder, "passport"), () => new Date(desk.now));

  const desk: Desk = {
    folder,
    way,
    get registry() {
      if (!registry) throw new Error("The registry is not open");
      return registry;
    },
    registrarKey: join(folder, "registrar.json"),
    otherKey: join(folder, "other.json"),
    now,
    run,
    file: async (path) => importRecoveryFile(await readFile(path, "utf8")),
    async create(name, pod = `${HOST}${name}/`) {
      const path = join(folder, `${name}.json`);
      const made = await run("create", [way.url, path], {
        zone: "zz",
        registrar: "local",
        "registrar-key": desk.registrarKey,
        pod,
        webid: `${pod}profile/card#me`,
      });
      if (made.code !== 0) throw new Error(made.message);
      return { id: (await desk.file(path)).file.passport, path };
    },
    async later(ms) {
      desk.now += ms;
      await registry?.tick();
    },
    async close() {
      way.close();
      await registry?.close();
      await rm(folder, { recursive: true });
    },
  };
  const log = createLog(
    () => {},
    () => new Date(desk.now),
  );
  registry = await serveRegistry(config, { now: () => new Date(desk.now), log, tickMs: 3_600_000 });
  for (const [id, file] of [
    ["local", desk.registrarKey],
    ["other", desk.otherKey],
  ] as const) {
    const { out } = await run("key", [file]);
    const key = /^key +(\S+)$/m.exec(out)?.[1] ?? "";
    await accreditOwn(registry.book, { id, name: "A test", key, createPerDay: 1_000 }, way.url);
  }
  return desk;
}
