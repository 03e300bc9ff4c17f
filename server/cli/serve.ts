/** A running server: listens first, so that port 0 has a number before anything is built on it. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { type Context, createContext } from "../context.ts";
import { OperatorError } from "../errors.ts";
import { createHttpServer, endServer, type Upgrades } from "../http/server.ts";
import { type Operator, openOperator } from "./operator.ts";

export interface Running {
  readonly context: Context;
  /** Stops taking requests, lets those under way end, closes the store. */
  close(): Promise<void>;
}

const PORTS_TRIED = 10; // The next free port is near, or something else is wrong.
const IMPATIENT_MS_MIN = 1_000; // npm and terminals say Ctrl+C twice at once; whoever says it again later means it.

/**
 * @param writeLog Takes each line of the log.
 * @throws Error with code `EADDRINUSE` when the port is taken.
 */
export async function serve(config: Config, writeLog: (line: string) => void): Promise<Running> {
  let listener: RequestListener | null = null;
  let sockets: Upgrades | null = null;
  let isStopping = false;
  const early: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const server = createHttpServer(
    (request, response) => {
      if (isStopping) response.setHeader("connection", "close"); // Or who is quick to ask again would be served for ever.
      if (listener) listener(request, response);
      else early.push({ request, response });
    },
    config.limits,
    {
      wants: (request) => sockets?.wants(request) ?? false,
      take: (request, socket, head) => sockets?.take(request, socket, head),
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.port, config.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const baseUrl =
    config.port === 0 && config.baseUrl === "http://localhost:0/"
      ? `http://localhost:${port}/`
      : config.baseUrl;
  let context: Context;
  try {
    if (config.backup.restoreFrom !== "")
      await (await import("./restore.ts")).restoreAtStart(config, writeLog);
    context = await createContext({ ...config, port, baseUrl }, writeLog);
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  let operator: Operator;
  try {
    const place = { log: context.log, folder: config.dataFolder, jobs: context.jobs };
    operator = await openOperator(context, place, async () => (await import("./tasks/index.ts")).TASKS);
  } catch (error) {
    await context.close();
    server.close();
    server.closeAllConnections();
    throw error;
  }
  listener = createApp(context);
  ({ sockets } = context.notifications);
  for (const { request, response } of early) listener(request, response);
  context.backups.begin();
  context.notifications.webhooks.begin();
  context.consent.begin();
  return {
    context,
    async close() {
      isStopping = true;
      // Or those who listen would keep it from ending.
      await endServer(server, async () => {
        await context.registry?.doors.close();
        await context.notifications.close();
      });
      // A task that makes a backup is told so at once; the others may end.
      await Promise.all([operator.close(), context.backups.close()]);
      await context.close();
    },
  };
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

/**
 * Like {@link serve}, on the next free port when nobody chose one.
 * @throws OperatorError when there is none.
 */
export async function serveNearby(config: Config, writeLog: (line: string) => void): Promise<Running> {
  const { host, mayMovePort } = config;
  for (let port = config.port; ; port += 1) {
    try {
      const baseUrl = mayMovePort ? `http://localhost:${port}/` : config.baseUrl;
      return await serve({ ...config, port, baseUrl }, writeLog);
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (mayMovePort && port < config.port + PORTS_TRIED) continue;
      throw new OperatorError(
        `Port ${config.port} of ${host} is taken. Stop what listens there, or choose another with --port.`,
        { cause: error },
      );
    }
  }
}

/** Resolves when the process is told to stop. Told again, it ends there and then, which loses nothing acknowledged. */
export function untilToldToStop(): Promise<void> {
  let first: number | null = null;
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > IMPATIENT_MS_MIN) process.exit(1);
        resolve();
      });
    }
  });
}
