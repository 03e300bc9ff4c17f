/** The operator's socket: a running server does tasks for whoever may open its data folder, and for nobody else. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readJson } from "../body.ts";
import { Problem } from "../errors.ts";
import { VERSION } from "../health.ts";
import type { Jobs } from "../jobs.ts";
import type { Log } from "../log.ts";
import { EXIT, type Message, refusalOf } from "./messages.ts";
import { operatorAddress } from "./operator-address.ts";
import type { Progress, Report, Task, TaskInput } from "./task.ts";

const INPUT_BYTES_MAX = 1024 * 1024; // Arguments and a secret.
const PROGRESS_MS_MIN = 100; // A terminal needs no more.
/** What somebody who runs the server would want to see under way. */
const LONG: ReadonlySet<string> = new Set([
  "backup",
  "backup keys",
  "verify-backup",
  "restore",
  "scrub",
  "keys rotate",
  "keys rotate-root",
  "export",
  "import",
  "erase",
  "migrate",
]);
const CLOSE_MS_MAX = 10_000; // How long tasks under way may hold up the server's end.

export interface Operator {
  /** Takes no more tasks, lets those under way end, and removes the socket. */
  close(): Promise<void>;
}

/** Only this server's own command line writes these, but a mistake should not become a strange task. */
function parseInput(value: Readonly<Record<string, unknown>>): TaskInput {
  const { args, flags, secret } = value;
  const isText = (part: unknown): part is string => typeof part === "string";
  if (!Array.isArray(args) || !args.every(isText) || typeof flags !== "object" || flags === null)
    throw new Problem("input-invalid", "args and flags are missing");
  return {
    args,
    flags: Object.fromEntries(Object.entries(flags).filter(([, flag]) => isText(flag) || flag === true)),
    secret: isText(secret) ? secret : null,
  };
}

/** Says where a task is at most every `PROGRESS_MS_MIN`, but each stage's beginning and end. */
function thinned(send: Report): Report {
  let stage = "";
  let at = 0;
  return (progress: Progress) => {
    const now = performance.now();
    if (progress.stage === stage && progress.done !== progress.total && now - at < PROGRESS_MS_MIN) return;
    ({ stage } = progress);
    at = now;
    send(progress);
  };
}

/** What a running server does for its operator: of a {@link Task}, the part that needs the server. */
export type Work<C> = Pick<Task<C>, "name" | "run">;

/**
 * Listens in the data folder, which this process alone has open: a socket that lies there is a dead server's.
 * @param context What tasks are run in.
 * @param place.jobs Where what takes long can be watched.
 * @param tasks Loaded when the first is asked for.
 */
export async function openOperator<C>(
  context: C,
  { log, folder, jobs }: { readonly log: Log; readonly folder: string; readonly jobs?: Jobs },
  tasks: () => Promise<readonly Work<C>[]>,
): Promise<Operator> {
  const running = new Set<Promise<void>>();

  async function run(task: Work<C>, input: TaskInput, send: (message: Message) => void): Promise<void> {
    const began = performance.now();
    log.info("task.begun", { task: task.name });
    try {
      const tell = thinned((progress) => send({ progress }));
      const result =
        jobs && LONG.has(task.name)
          ? await jobs.watch(
              task.name,
              "command line",
              (watch) =>
                task.run(context, input, (progress) => {
                  watch(progress);
                  tell(progress);
                }),
              ({ exit }) => exit === 0,
            )
          : await task.run(context, input, tell);
      log.info("task.done", {
        task: task.name,
        exit: result.exit,
        ms: Math.round(performance.now() - began),
      });
      send({ result });
    } catch (error) {
      const problem = refusalOf(error);
      if (problem) log.warn("task.refused", { task: task.name });
      else log.error("task.failed", { task: task.name, cause: String((error as Error).stack ?? error) });
      send({
        problem: problem ?? {
          what: "The server failed at this by a mistake of its own",
          why: String(error),
          next: "Look for task.failed in its log, and report it.",
          exit: EXIT.failed,
        },
      });
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent((request.url ?? "").replace(/^\/tasks\//, ""));
    const task = (await tasks()).find((task) => task.name === name);
    if (request.method !== "POST" || !task) {
      response
        .writeHead(404, { "content-type": "application/json" })
        .end(JSON.stringify({ version: VERSION }));
      return;
    }
    const input = parseInput(await readJson(request, INPUT_BYTES_MAX));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    // Whoever asked may hang up: the task goes on, for a half-done one would be worse.
    await run(task, input, (message) => {
      if (response.writable) response.write(`${JSON.stringify(message)}\n`);
    });
    response.end();
  }

  const server = createServer({ keepAliveTimeout: 1 }, (request, response) => {
    const task = answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400);
      response.end(JSON.stringify({ problem: String(error) }));
    });
    running.add(task);
    void task.finally(() => running.delete(task));
  });
  const { path, file, release } = operatorAddress(folder);
  try {
    if (file) rmSync(file, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const before = process.umask(0o077); // From the first moment on, this user alone may connect …
      server.listen(path, resolve);
      process.umask(before); // … for the socket was bound in the line above.
    });
    if (file) chmodSync(file, 0o600);
  } finally {
    release();
  }
  server.on("error", (error) => log.warn("operator.error", { cause: String(error) }));
  return {
    async close() {
      if (file) rmSync(file, { force: true });
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = new AbortController();
      await Promise.race([
        Promise.all(running),
        new Promise((resolve) => {
          const patience = setTimeout(resolve, CLOSE_MS_MAX);
          timer.signal.addEventListener("abort", () => clearTimeout(patience));
        }),
      ]);
      timer.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}
