/** `freehold registry root serve`: the root's doors, until it is told to stop. */
import { join } from "node:path";
import { ROOT_NAME } from "@freehold/client/registry";
import { openStore } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { LIMITS, type Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { recordDoors } from "../../registry/doors/doors.ts";
import { readRecord } from "../../registry/root/ceremony.ts";
import { rootDoors } from "../../registry/root/doors.ts";
import { createRoot, type Root } from "../../registry/root/root.ts";
import type { Fetch } from "../../registry/root/wire.ts";
import { createWitnessClient } from "../../registry/witness/client.ts";
import { type ZoneKeys, zoneKeys, zonePod } from "../../registry/zone/keys.ts";
import type { PodId, Store } from "../../store/store.ts";
import { listen } from "./listen.ts";
import { allowOf, loadRootConfig, type RootConfig } from "./root-config.ts";

const TICK_MS = 1_000;
const STORE_KEY = "root.key";

export interface RootStore {
  readonly store: Store;
  readonly pod: PodId;
  readonly keys: ZoneKeys;
}

/** The root's own place in its store, and the keys of its log and its desk: made at the first use. */
export async function openRootStore(
  folder: string,
  config: Pick<RootConfig, "store">,
  { now, log }: { readonly now: () => Date; readonly log: Log },
): Promise<RootStore> {
  const rootKeyFile = join(folder, STORE_KEY);
  const store = await openStore(
    { dataFolder: folder, rootKeyFile, limits: LIMITS, store: config.store },
    log,
    now,
  );
  const pod = await zonePod(store, ROOT_NAME);
  return { store, pod, keys: await zoneKeys(store, pod) };
}

export interface ServedRoot {
  readonly baseUrl: string;
  readonly port: number;
  readonly root: Root;
  tick(): Promise<void>;
  close(): Promise<void>;
}

export interface ServeRootOptions {
  readonly now: () => Date;
  readonly log: Log;
  readonly fetch?: Fetch;
  readonly tickMs?: number;
  readonly limits?: Limits;
}

/** @throws OperatorError with what to do. */
export async function serveRoot(
  folder: string,
  { now, log, fetch = globalThis.fetch, tickMs = TICK_MS, limits = LIMITS }: ServeRootOptions,
): Promise<ServedRoot> {
  const config = await loadRootConfig(folder);
  const allowUrl = allowOf(config);
  const record = await readRecord(folder, allowUrl);
  if (!record)
    throw new OperatorError(
      `There is no record in ${folder} yet: its holders sign the draft (registry root sign), then it is published (registry root publish).`,
    );
  const { host, port, url, trustProxy } = config;
  const listening = await listen({ host, port, baseUrl: url, trustProxy, limits, log, now });
  const closing: (() => unknown)[] = [() => listening.close()];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    const opened = await openRootStore(folder, config, { now, log });
    closing.unshift(() => opened.store.close());
    listening.begin(recordDoors({ root: () => record }));
    const { policy } = record.record.root;
    const root = await createRoot({
      ...opened,
      folder,
      now,
      log,
      limits,
      fetch,
      allowUrl,
      record,
      ...(/^witness .* https?:/m.test(policy) && {
        witnesses: await createWitnessClient(policy, { fetch, log, now, limits }),
      }),
    });
    closing.splice(1, 0, () => root.close()); // After the doors, before the store.
    let ticking: Promise<unknown> = Promise.resolve();
    const turn = async (): Promise<void> => {
      const newest = await readRecord(folder, allowUrl);
      if (newest) await root.publish(newest);
      await root.tick();
    };
    const tick = (): Promise<void> => {
      const next = ticking.then(turn);
      ticking = next.catch(() => {});
      return next;
    };
    let isTicking = false;
    const timer = setInterval(() => {
      if (isTicking) return;
      isTicking = true;
      void tick()
        .catch((cause: unknown) => log.error("registry.tick-failed", { cause: String(cause) }))
        .finally(() => {
          isTicking = false;
        });
    }, tickMs);
    closing.push(() => clearInterval(timer));
    listening.open(
      rootDoors(root, {
        folderOf: (year) => join(folder, "registry", ROOT_NAME, year),
        limits,
        now,
      }),
    );
    return { baseUrl: listening.baseUrl, port: listening.port, root, tick, close };
  } catch (error) {
    await close();
    throw error;
  }
}
