/** A running server: listens first, so that port 0 has a number before anything is built on it. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../app.ts";
import type { Config } from "../config.ts";
import { type Context, createContext } from "../context.ts";
import { createHttpServer } from "../http/server.ts";

export interface Running {
  readonly context: Context;
  /** Stops taking requests, lets those under way end, closes the store. */
  close(): Promise<void>;
}

const STOP_MS_MAX = 10_000; // What is not answered by then is cut off.

/**
 * @param writeLog Takes each line of the log.
 * @throws Error with code `EADDRINUSE` when the port is taken.
 */
export async function serve(config: Config, writeLog: (line: string) => void): Promise<Running> {
  let listener: RequestListener | null = null;
  const early: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const server = createHttpServer((request, response) => {
    if (listener) listener(request, response);
    else early.push({ request, response });
  }, config.limits);
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
    context = await createContext({ ...config, port, baseUrl }, writeLog);
  } catch (error) {
    server.close();
    throw error;
  }
  listener = createApp(context);
  for (const { request, response } of early) listener(request, response);
  return {
    context,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), STOP_MS_MAX);
      await closed;
      clearTimeout(cut);
      await context.close();
    },
  };
}
