/**
 * `freehold registry takeover`: an emergency operator goes on with a zone that has failed, from what a mirror holds of it. The
 * log begins anew under another name and with other keys, so nobody can take it for the old one; everybody is committed to
 * again; and it counts when the root's record says so.
 */
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { parseShard, shardOf, type ZoneRecord } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { hourOf, putDue, putFirstHour } from "../../registry/zone/due.ts";
import type { RecordWrite } from "../../registry/zone/stage.ts";
import { applyRecords } from "../../registry/zone/stage.ts";
import { decodeHead, REGISTRY, readPublished } from "../../registry/zone/state.ts";
import { prepareTakeover } from "../../registry/zone/years.ts";
import type { Page, PodId, Store } from "../../store/store.ts";
import { loadRegistryConfig, writeRegistryConfig } from "./config.ts";
import { openZoneStore, zoneRecordOf } from "./registry.ts";

export interface TakeoverChoice {
  readonly zone: string;
  /** Who takes over, in words. */
  readonly operator: string;
  readonly url: string;
  /** Name of the new log, without the year: none that any log ever had. */
  readonly origin: string;
  readonly root: string;
  readonly port?: number;
  readonly policy?: readonly string[];
  readonly allow?: readonly string[];
}

const HEADS_AT_ONCE = 500;

/** What waited in the zone goes on waiting, for as long as it would have. */
async function restoreDue(store: Store, pod: PodId): Promise<void> {
  let after: string | null = null;
  let first: number | null = null;
  do {
    const page: Page = await store.read(pod, (snapshot) =>
      snapshot.page(REGISTRY, "head", after, HEADS_AT_ONCE),
    );
    const records: RecordWrite[] = [];
    for (const entry of page.entries) {
      const { id, pending } = decodeHead(entry);
      if (!pending) continue;
      const at = pending.effectiveAt;
      records.push(putDue(id, { kind: pending.type === "port" ? "port" : "wait", at }));
      first = Math.min(first ?? hourOf(at), hourOf(at));
    }
    if (first !== null) records.push(putFirstHour(first));
    if (records.length > 0) await store.write(pod, async (transaction) => applyRecords(transaction, records));
    after = page.next;
  } while (after !== null);
}

/**
 * @param folder A state mirror's, whose server has been stopped.
 * @returns what the root's record is to say of the zone from now on.
 * @throws OperatorError
 */
export async function takeOver(
  folder: string,
  choice: TakeoverChoice,
  { now, log }: { readonly now: () => Date; readonly log: Log },
): Promise<ZoneRecord> {
  const { zone, operator, url, origin, root, port, policy = [], allow = [] } = choice;
  const shard = shardOf(zone, now().getTime());
  const config = await writeRegistryConfig(folder, {
    zone,
    operator,
    url,
    origin,
    root,
    policy,
    allow,
    ...(port !== undefined && { port }),
  }).catch(async (error: unknown) => {
    // Interrupted before: what was chosen then holds.
    const before = await loadRegistryConfig(folder).catch(() => null);
    if (before?.zone === zone && before.origin === origin) return before;
    throw error;
  });
  const { store, pod, keys } = await openZoneStore(config, { now, log });
  try {
    const published = await store.read(pod, readPublished);
    const begun = await store.read(pod, (snapshot) => snapshot.get(REGISTRY, "epoch", "year"));
    if (!published && !begun)
      throw new OperatorError(
        `There is no whole copy of ${zone} in ${folder}: a zone is taken over from a mirror that has its passports, once the first copy is complete.`,
      );
    await restoreDue(store, pod);
    await prepareTakeover(store, pod, shard);
    const former = join(folder, "registry-former");
    await mkdir(former, { recursive: true });
    await rename(join(folder, "registry", zone), join(former, `${zone}-${now().getTime()}`)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      },
    );
    log.warn("registry.takeover", { zone, year: parseShard(shard).year });
    return { ...(await zoneRecordOf(config, url, { store, keys })), status: "emergency" };
  } finally {
    await store.close();
  }
}
