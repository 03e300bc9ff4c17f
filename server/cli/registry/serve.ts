/** `freehold registry serve`: a zone with all its doors, until it is told to stop. */
import { createPages, registryPageDoors } from "../../account/pages.ts";
import type { Log } from "../../log.ts";
import { createRegistryDoors, recordDoors } from "../../registry/doors/doors.ts";
import { governanceDoors } from "../../registry/registrars/doors.ts";
import { createScorecards } from "../../registry/registrars/scorecards.ts";
import { openOperator } from "../operator.ts";
import type { RegistryConfig } from "./config.ts";
import { openFederation } from "./federation.ts";
import { listen } from "./listen.ts";
import { openRegistry, type Registry } from "./registry.ts";
import { asWork, type RegistryTask } from "./task.ts";

export interface ServeOptions {
  readonly now: () => Date;
  readonly log: Log;
  /** Between two looks at what waits: recoveries, ports, cosignatures, the root's record. */
  readonly tickMs?: number;
  /** What the operator may have a running server do. */
  readonly tasks?: readonly RegistryTask[];
}

export interface ServedRegistry extends Registry {
  readonly port: number;
  /** All that the timer does, now. */
  tick(): Promise<void>;
}

const TICK_MS = 1_000;

/** @throws OperatorError, ConfigError with what to do. */
export async function serveRegistry(
  config: RegistryConfig,
  { now, log, tickMs = TICK_MS, tasks = [] }: ServeOptions,
): Promise<ServedRegistry> {
  const { host, port, url, limits, trustProxy } = config;
  const listening = await listen({ host, port, baseUrl: url, trustProxy, limits, log, now });
  const { baseUrl } = listening;
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one();
  };
  try {
    const registry = await openRegistry(config, baseUrl, {
      now,
      log,
      onRoot: (root) => listening.begin(recordDoors({ root: root.newest, rootVersion: root.version })),
    });
    closing.push(() => registry.close());
    const { zone, root, folderOf } = registry;
    const federation = openFederation(registry);
    const governance = governanceDoors({
      books: [registry.book],
      scorecards: createScorecards({ store: registry.store, podOf: () => registry.pod, now }),
    });
    const doors = createRegistryDoors({
      baseUrl,
      zones: [federation.zone],
      root: root.newest,
      rootVersion: root.version,
      folderOf,
      limits,
      now,
      log,
      others: [...federation.doors, ...governance],
    });
    closing.push(() => listening.close(() => doors.close()));
    const operator = await openOperator(registry, { log, folder: config.folder }, async () =>
      tasks.map(asWork),
    );
    closing.push(() => operator.close());

    let ticking: Promise<unknown> = Promise.resolve();
    const tick = async (): Promise<void> => {
      const turn = ticking.then(() => Promise.all([zone.tick(), root.renew()])).then(() => federation.tick());
      ticking = turn.catch(() => {});
      await turn;
    };
    let isTicking = false;
    const timer = setInterval(() => {
      if (isTicking) return; // A witness that is slow must not pile them up.
      isTicking = true;
      void tick()
        .catch((cause: unknown) => log.error("registry.tick-failed", { cause: String(cause) }))
        .finally(() => {
          isTicking = false;
        });
    }, tickMs);
    closing.push(() => clearInterval(timer));
    listening.open([...doors.doors, ...registryPageDoors(createPages({ baseUrl }))], doors.ready);
    return { ...registry, port: listening.port, tick, close };
  } catch (error) {
    await close();
    await listening.close();
    throw error;
  }
}
