/** Real histories over HTTP, one after the other, each held to be linearizable. */
import { startServer } from "../support/server.ts";
import { createDice } from "../torture/model.ts";
import { documentModel, findFault } from "./checker.ts";
import { type Clients, createClients, openFolder } from "./clients.ts";

export interface Tally {
  readonly histories: number;
  readonly calls: number;
  /** How often each answer was given. Those that were not heard are 0. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What is wrong with the first history that is; else null. */
  readonly fault: string | null;
}

/** @param cacheBytes Of the store: with few, most reads go to the database. */
export async function checkHistories(
  histories: number,
  seed: number,
  cacheBytes: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Tally> {
  const server = await startServer({
    ...env,
    FREEHOLD_LIMITS: `recordCacheBytesMax=${cacheBytes}`,
    FREEHOLD_LOG_LEVEL: "error",
  });
  try {
    const clients = createClients(await openFolder(await server.person("Ana")));
    return await checkClients(clients, histories, seed);
  } finally {
    await server.close();
  }
}

/** The same for clients of servers that run already. Closes the clients. */
export async function checkClients(clients: Clients, histories: number, seed: number): Promise<Tally> {
  const statuses = new Map<number, number>();
  let calls = 0;
  let fault: string | null = null;
  try {
    const dice = createDice(seed);
    for (let n = 0; n < histories && fault === null; n++) {
      for (const [name, history] of await clients.record(dice)) {
        calls += history.length;
        for (const { answer } of history)
          statuses.set(answer?.status ?? 0, (statuses.get(answer?.status ?? 0) ?? 0) + 1);
        const versions = history.flatMap((call) => (call.kind !== "get" && call.answer?.etag) || []);
        if (new Set(versions).size < versions.length)
          fault ??= `an ETag was given twice: ${versions.join(" ")}`;
        const found = findFault(documentModel, history);
        if (found !== null) fault ??= `${name}, seed ${seed}: ${found}`;
      }
    }
  } finally {
    clients.close();
  }
  return { histories, calls, statuses, fault };
}
