/** How much a pod holds and may hold: measured, shown to who may know, and made room for. */
import { Problem } from "../errors.ts";
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { type Pod, quotaOf } from "../store/pods.ts";
import { decodeDocument, decodeRecord, encodeRecord, type ResourceRecord } from "../store/record.ts";
import { SERVER_POD, type Snapshot, type Store, type Usage } from "../store/store.ts";
import type { Reclaim, Reclaimable } from "./edit.ts";
import { dayOf, dueGroup, historyBytes, shortenHistory, type Version } from "./history.ts";
import { allTrashed, findTrashed, purgeTrashed, type Trashed, trashedOn } from "./trash.ts";

const DAY_MS = 24 * 3_600_000;
const PODS_REMEMBERED = 1_000;
/** Says that all pods of this store are counted from their first document on. */
const COUNTED = ["setting", "quota", "counted"] as const;

/** For the owner and the operator: what fills a pod. */
export interface PodUsage extends Usage {
  readonly quota: Usage;
  /** Bytes of `bytes` that are in the trash, with the versions of what is there. */
  readonly trash: number;
  /** Bytes of `bytes` that are earlier versions of what is not in the trash. */
  readonly versions: number;
}

export interface Quota {
  usage(pod: Pod): Promise<PodUsage>;
  /**
   * Header fields for an answer to who may know how full the pod is.
   * @see https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html
   */
  headers(pod: Pod): Promise<Readonly<Record<string, string>>>;
  /** The refusal of a write, for who may know how full the pod is. */
  explain(pod: Pod): Promise<Problem>;
  /**
   * Asked before content is read, so that nobody sends in vain what cannot fit.
   * @param path What it would replace.
   * @param bytes What the client says it will send.
   * @param reclaims Whether the trash and histories would give way to it.
   * @throws Problem `quota-exceeded`.
   */
  checkRoom(pod: Pod, path: string, bytes: number, reclaims: boolean): Promise<void>;
  /**
   * Counts the pod anew and mends its counter.
   * @returns what the counter said, and what there is.
   */
  recount(pod: Pod): Promise<{ readonly before: Usage; readonly after: Usage }>;
  /**
   * Counts all pods of a store that was written before anything was counted; once, before it is written to again.
   * @returns how many were counted.
   */
  countOnce(pods: readonly Pod[]): Promise<number>;
}

/**
 * Counts what is stored, content by content, without believing any sum: what the pod's counter must say.
 * @param snapshot All of the pod is read, so this is for repairs and tests.
 */
export async function measureUsage(snapshot: Snapshot): Promise<Usage> {
  let bytes = 0;
  let resources = 0;
  for await (const entry of snapshot.all("resource")) {
    bytes += decodeRecord<ResourceRecord>(entry).bytes;
    resources++;
  }
  for await (const entry of snapshot.all("auxiliary")) bytes += decodeDocument(entry).bytes.length;
  for await (const entry of snapshot.all("trash")) {
    const { record, small } = decodeRecord<Trashed>(entry);
    if (!record) continue;
    resources++;
    if (small !== undefined) bytes += Buffer.byteLength(small, "base64");
    if (record.blob !== undefined) bytes += record.bytes;
  }
  for await (const { group, item, value, version } of snapshot.all("version")) {
    if (/^(due .*)?$/.test(group)) continue;
    if (item === "body") bytes += value.length;
    else {
      const document = decodeDocument({ group, item, value, version }) as Version;
      bytes += document.blob === undefined ? document.bytes.length : document.size;
    }
  }
  return { bytes, resources };
}

/** How much of the usage is in the trash, and in versions of what is not: from the sums that the records keep. */
export async function measureKept(snapshot: Snapshot): Promise<Pick<PodUsage, "trash" | "versions">> {
  let trash = 0;
  let versions = 0;
  for await (const item of allTrashed(snapshot)) trash += item.bytes;
  for await (const entry of snapshot.all("resource"))
    versions += historyBytes(decodeRecord<ResourceRecord>(entry).history);
  for await (const entry of snapshot.all("auxiliary"))
    versions += historyBytes(decodeDocument(entry).history);
  return { trash, versions };
}

/** What gives way in a full pod, in this order: the trash, the oldest first, then histories by the day. */
export function createReclaim(store: Store, limits: Limits, now: () => Date): Reclaim {
  function trashed(id: string): Reclaimable {
    return {
      async drop(edit) {
        const item = await findTrashed(edit.transaction, id);
        if (item) await purgeTrashed(edit, item);
      },
    };
  }
  function history(path: string, day: number): Reclaimable {
    return {
      async drop(edit) {
        await shortenHistory(edit, path, (day + 1) * DAY_MS - 1);
      },
    };
  }
  return {
    find: (pod) =>
      store.read(pod.id, async (snapshot) => {
        const most = limits.reclaimItemsMax;
        const found: Reclaimable[] = [];
        const today = dayOf(now().getTime());
        const first = (kept: number): number =>
          Math.max(dayOf(pod.created), dayOf(now().getTime() - kept) - 1);
        for (let day = first(limits.trashMsKept); day <= today && found.length < most; day++)
          for (const { id } of await trashedOn(snapshot, day, most - found.length)) found.push(trashed(id));
        for (let day = first(limits.versionMsKept); day <= today && found.length < most; day++) {
          for await (const { item } of snapshot.list("version", dueGroup(day))) {
            if (found.length === most) break;
            found.push(history(item, day));
          }
        }
        return found;
      }),
  };
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1536` → `1.5 KiB`: for people. */
export function sizeInWords(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : Math.round(size * 10) / 10} ${UNITS[unit]}`;
}

export function createQuota(store: Store, limits: Limits): Quota {
  const known = new Lru<string, Pick<PodUsage, "trash" | "versions"> & { readonly generation: number }>(
    PODS_REMEMBERED,
  );

  /** Measured once for each state of the pod: refused writes do not change it, so they cannot make us count again. */
  const keptOf = (pod: Pod) =>
    store.read(pod.id, async (snapshot) => {
      const former = known.get(pod.id);
      if (former?.generation === snapshot.generation) return former;
      const kept = { ...(await measureKept(snapshot)), generation: snapshot.generation };
      known.set(pod.id, kept, 1);
      return kept;
    });

  async function usage(pod: Pod): Promise<PodUsage> {
    const [{ trash, versions }, used] = await Promise.all([keptOf(pod), store.usage(pod.id)]);
    return { ...used, quota: quotaOf(pod, limits), trash, versions };
  }

  async function headers(pod: Pod): Promise<Readonly<Record<string, string>>> {
    const { bytes } = await store.usage(pod.id);
    const quota = quotaOf(pod, limits);
    return {
      "ratelimit-policy": `"pod";q=${quota.bytes};qu="content-bytes"`,
      ratelimit: `"pod";r=${Math.max(0, quota.bytes - bytes)}`,
    };
  }

  async function recount(pod: Pod): Promise<{ readonly before: Usage; readonly after: Usage }> {
    let before: Usage = { bytes: 0, resources: 0 };
    const unlimited = { bytes: Number.POSITIVE_INFINITY, resources: Number.POSITIVE_INFINITY };
    const { result: after } = await store.write(pod.id, async (transaction) => {
      // Whatever changes the usage changes a table that is read here: then all of this runs anew.
      before = await store.usage(pod.id);
      const there = await measureUsage(transaction);
      const change = { bytes: there.bytes - before.bytes, resources: there.resources - before.resources };
      if (change.bytes !== 0 || change.resources !== 0) transaction.use(change, unlimited);
      return there;
    });
    return { before, after };
  }

  return {
    usage,
    headers,
    recount,
    async countOnce(pods) {
      if (await store.read(SERVER_POD, (snapshot) => snapshot.get(...COUNTED))) return 0;
      for (const pod of pods) await recount(pod);
      await store.write(SERVER_POD, async (transaction) => transaction.put(...COUNTED, encodeRecord({})));
      return pods.length;
    },
    async explain(pod) {
      const { bytes, resources, quota, trash, versions } = await usage(pod);
      const detail = [
        `${sizeInWords(bytes)} of ${sizeInWords(quota.bytes)} are in use`,
        `${resources} of ${quota.resources} documents and folders`,
        `the trash holds ${sizeInWords(trash)}, earlier versions hold ${sizeInWords(versions)}`,
      ].join("; ");
      return new Problem("quota-exceeded", detail, {
        headers: await headers(pod),
        members: { usage: { bytes, resources, quota, trash, versions } },
      });
    },
    async checkRoom(pod, path, bytes, reclaims) {
      const used = await store.usage(pod.id);
      const missing = bytes - (quotaOf(pod, limits).bytes - used.bytes);
      if (missing <= 0) return;
      const replaced = await store.read(pod.id, async (snapshot) => {
        const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
        const record = entry && decodeRecord<ResourceRecord>(entry);
        return record ? record.bytes + historyBytes(record.history) : 0;
      });
      if (missing <= replaced) return;
      const { trash, versions } = reclaims ? await keptOf(pod) : { trash: 0, versions: 0 };
      if (missing > replaced + trash + versions) throw new Problem("quota-exceeded");
    },
  };
}
