/** `freehold registry mirror`: a zone's log, and under contract its passports, from another place than the zone's own. */
import { join } from "node:path";
import { type AllowUrl, allowLoopback } from "@freehold/client/registry";
import { openStore } from "../../context.ts";
import { LIMITS, type Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { createRegistryDoors } from "../../registry/doors/doors.ts";
import { createMirror, type Mirror, mirrorFolderOf } from "../../registry/mirror/mirror.ts";
import { createRootRelay } from "../../registry/root/relay.ts";
import type { Fetch } from "../../registry/root/wire.ts";
import { makeFolder } from "../../store/durable.ts";
import type { Store } from "../../store/store.ts";
import { listen } from "./listen.ts";

export interface MirrorConfig {
  readonly folder: string;
  readonly zone: string;
  /** Address of the root, or of whoever hands its record on; ends in a slash. */
  readonly root: string;
  /** Where it is copied from; ends in a slash. Null: the zone itself. */
  readonly source: string | null;
  /** By contract with the zone; null makes a blind mirror. */
  readonly secret: string | null;
  readonly url: string | null;
  readonly host: string;
  readonly port: number;
  readonly limits?: Limits;
}

export interface ServeMirrorOptions {
  readonly now: () => Date;
  readonly log: Log;
  readonly fetch?: Fetch;
  /** Between two looks at the source. */
  readonly tickMs?: number;
  readonly progress?: Parameters<typeof createMirror>[0]["progress"];
}

export interface ServedMirror {
  readonly baseUrl: string;
  readonly mirror: Mirror;
  readonly store: Store;
  /** Copies what is new, and forgets what it must. Never throws: what was copied is served on. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const TICK_MS = 1_000;

/** Whoever mirrors something on this machine tries things out. */
const allowUrlOf = (root: string): AllowUrl | undefined =>
  URL.canParse(root) && allowLoopback(new URL(root)) ? allowLoopback : undefined;

/** @throws OperatorError when the port is taken, or the folder is no store of this. */
export async function serveMirror(
  config: MirrorConfig,
  { now, log, fetch = globalThis.fetch, tickMs = TICK_MS, progress }: ServeMirrorOptions,
): Promise<ServedMirror> {
  const { folder, zone, limits = LIMITS, host, port } = config;
  await makeFolder(folder);
  const listening = await listen({
    host,
    port,
    baseUrl: config.url,
    trustProxy: ["loopback"],
    limits,
    log,
    now,
  });
  const { baseUrl } = listening;
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    const rootKeyFile = join(folder, "root.key");
    const store = await openStore({ dataFolder: folder, rootKeyFile, limits, store: "sqlite" }, log, now);
    closing.push(() => store.close());
    const allowUrl = allowUrlOf(config.root);
    const relay = await createRootRelay({
      url: config.root,
      folder,
      fetch,
      now,
      log,
      ...(allowUrl && { allowUrl }),
    });
    const record = () => {
      const newest = relay.newest();
      if (!newest) throw new Error("The root has not been reached yet");
      return newest.record;
    };
    const source = config.source ?? relay.newest()?.record.zones[zone]?.urls[0] ?? null;
    const mirror = await createMirror({
      zone,
      source,
      secret: config.secret,
      store,
      folder,
      record,
      fetch,
      now,
      log,
      limits,
      ...(progress && { progress }),
    });
    let doors: ReturnType<typeof createRegistryDoors> | null = null;
    closing.push(() => listening.close(() => doors?.close()));
    /** Until the first copy is whole, everybody is told to come again. */
    const open = (): void => {
      if (doors || !mirror.isReady()) return;
      doors = createRegistryDoors({
        baseUrl,
        zones: [mirror.zone],
        root: relay.newest,
        rootVersion: relay.version,
        folderOf: mirrorFolderOf(folder),
        limits,
        now,
        log,
      });
      listening.open(doors.doors, doors.ready);
    };
    let turn: Promise<unknown> = Promise.resolve();
    const tick = (): Promise<void> => {
      const next = turn.then(async () => {
        await relay.renew();
        await mirror
          .sync()
          .catch((cause: unknown) => log.warn("registry.mirror-behind", { zone, cause: String(cause) }));
        await mirror.expire();
        open();
      });
      turn = next.catch(() => undefined);
      return next;
    };
    let isTicking = false;
    const timer = setInterval(() => {
      if (isTicking) return; // A first copy takes its time.
      isTicking = true;
      void tick()
        .catch((cause: unknown) => log.error("registry.tick-failed", { cause: String(cause) }))
        .finally(() => {
          isTicking = false;
        });
    }, tickMs);
    closing.push(() => clearInterval(timer));
    open();
    return {
      baseUrl,
      mirror,
      store,
      tick,
      async close() {
        clearInterval(timer);
        await turn;
        await close();
      },
    };
  } catch (error) {
    await close();
    await listening.close();
    throw error;
  }
}
