/**
 * Pins: every hour a zone logs what it sees of the logs of all others, and compares it with what they saw. So the history of
 * one is fixed in all, and who shows two people two logs is found out, with both signatures to prove it.
 */
import {
  encodeBase64url,
  governanceHash,
  isExactly,
  isWhole,
  PassportError,
  parseShard,
  ROOT_NAME,
  type RootRecord,
  type Shard,
  type SignedTree,
  secondsOf,
} from "@freehold/client/registry";
import type { Log } from "../../log.ts";
import { encodeRecord } from "../../store/record.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";
import {
  ANY_AGE,
  type LogPlace,
  type LogSource,
  logSource,
  presentLog,
  verifyTree,
} from "../mirror/source.ts";
import type { Zone } from "../port.ts";
import { getRecord, listRecords } from "../root/ledger.ts";
import { type Fetch, getText } from "../root/wire.ts";
import { isOneHistory } from "./history.ts";

/** What a zone saw of another; the hash of it is in the zone's own log. */
export interface Pin {
  readonly v: 1;
  readonly t: "pin";
  /** Whose log: a zone, or `root`. */
  readonly zone: string;
  readonly shard: Shard;
  readonly size: number;
  /** base64url. */
  readonly root: string;
  /** UTC to the second. */
  readonly at: string;
  /** The signed note. */
  readonly checkpoint: string;
}

export interface PinRecord {
  readonly pin: Pin;
  /** Where its hash stands in the log of whoever pinned it. */
  readonly index: number;
}

/** Two trees that cannot be of one log, each signed by it. */
export interface Evidence {
  readonly zone: string;
  readonly shard: Shard;
  /** UTC to the second. */
  readonly found: string;
  /** Who was shown the other one: a zone, or the address of a mirror. */
  readonly by: string;
  readonly checkpoints: readonly [ours: string, theirs: string];
}

export interface PinsDeps {
  readonly zone: Pick<Zone, "name" | "govern">;
  readonly store: Store;
  readonly pod: PodId;
  readonly record: () => RootRecord;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Pins {
  /** Pins what is due, and compares. */
  tick(): Promise<void>;
  /** The newest of each log; of one log all that are kept, the newest first. */
  list(zone?: string): Promise<readonly PinRecord[]>;
  evidence(): Promise<readonly Evidence[]>;
}

const PIN_MS = 3_600_000;
const KEPT_MAX = 7 * 24; // A week of hours; what is older stands in the log by its hash.
const PINS_BYTES_MAX = 4 * 1024 * 1024; // 300 zones with checkpoints of post-quantum signatures.
const SEEN_AGE_SECONDS_MAX = 86_400;
const TABLE = "registry";
const NEWEST = "pin";
const EVIDENCE = "evidence";
const groupOf = (zone: string): string => `pin/${zone}`;

const isPin = (value: unknown): value is PinRecord =>
  isExactly(value, ["pin", "index"]) &&
  isExactly(value["pin"], ["v", "t", "zone", "shard", "size", "root", "at", "checkpoint"]) &&
  value["pin"]["t"] === "pin" &&
  typeof value["pin"]["zone"] === "string" &&
  typeof value["pin"]["shard"] === "string" &&
  typeof value["pin"]["checkpoint"] === "string" &&
  isWhole(value["index"], 0, Number.MAX_SAFE_INTEGER);

/** What a registry at `url` has pinned. Nothing in it is true yet. */
export async function fetchPins(fetch: Fetch, url: string): Promise<readonly PinRecord[]> {
  const value: unknown = JSON.parse(await getText(fetch, `${url}v1/pins`, { bytesMax: PINS_BYTES_MAX }));
  return Array.isArray(value) ? value.filter(isPin) : [];
}

export const placeOf = (record: RootRecord, zone: string): LogPlace | null =>
  zone === ROOT_NAME ? record.root : Object.hasOwn(record.zones, zone) ? (record.zones[zone] ?? null) : null;

/** The tree that a pin is of, if its log has signed it. @returns null for what nobody signed. */
export async function treeOfPin(
  { pin }: PinRecord,
  record: RootRecord,
  now: number,
): Promise<SignedTree | null> {
  const place = placeOf(record, pin.zone);
  try {
    if (!place || parseShard(pin.shard).zone !== pin.zone) return null;
    return await verifyTree(pin.checkpoint, pin.shard, place, now, ANY_AGE);
  } catch (error) {
    if (error instanceof PassportError) return null;
    throw error;
  }
}

export function createPins({ zone, store, pod, record, fetch, now, log }: PinsDeps): Pins {
  const read = <T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> => store.read(pod, work);
  const newestOf = (name: string): Promise<PinRecord | null> =>
    read((snapshot) => getRecord<PinRecord>(snapshot, NEWEST, name));

  async function keepEvidence(
    name: string,
    shard: Shard,
    by: string,
    ours: string,
    theirs: string,
  ): Promise<void> {
    const evidence: Evidence = {
      zone: name,
      shard,
      found: secondsOf(now().getTime()),
      by,
      checkpoints: [ours, theirs],
    };
    const item = encodeBase64url(await governanceHash({ shard, checkpoints: [ours, theirs] }));
    const { result } = await store.write(pod, async (transaction) => {
      if (await transaction.get(TABLE, EVIDENCE, item)) return false;
      transaction.put(TABLE, EVIDENCE, item, encodeRecord(evidence));
      return true;
    });
    if (!result) return;
    log.error("registry.split-view", { zone: name, shard, by });
    await zone.govern(await governanceHash({ v: 1, t: "split-view", ...evidence }));
  }

  /** Against what this zone saw before. @returns whether it may be pinned. */
  async function follows(source: LogSource, name: string, text: string, tree: SignedTree): Promise<boolean> {
    const before = await newestOf(name);
    if (before?.pin.shard !== source.shard) return true;
    const seen = await treeOfPin(before, record(), now().getTime());
    if (!seen) return true; // Of keys that the root's record does not name any more.
    const isOne = await isOneHistory(source.fetchTile, seen, tree);
    if (isOne === false) await keepEvidence(name, source.shard, zone.name, before.pin.checkpoint, text);
    return isOne === true && tree.size >= seen.size;
  }

  async function pin(name: string, place: LogPlace): Promise<void> {
    const at = now().getTime();
    const { source, text, tree } = await presentLog(fetch, name, place, at, SEEN_AGE_SECONDS_MAX);
    if (!(await follows(source, name, text, tree))) {
      log.warn("registry.not-pinned", { zone: name });
      return;
    }
    const made: Pin = {
      v: 1,
      t: "pin",
      zone: name,
      shard: source.shard,
      size: tree.size,
      root: encodeBase64url(tree.root),
      at: secondsOf(at),
      checkpoint: text,
    };
    const { index } = await zone.govern(await governanceHash(made));
    const entry: PinRecord = { pin: made, index };
    await store.write(pod, async (transaction) => {
      transaction.put(TABLE, NEWEST, name, encodeRecord(entry));
      transaction.put(TABLE, groupOf(name), made.at, encodeRecord(entry));
    });
    const kept = (await read((snapshot) => listRecords<PinRecord>(snapshot, groupOf(name)))).map(
      (one) => one.pin.at,
    );
    const old = kept.sort().slice(0, -KEPT_MAX);
    if (old.length > 0)
      await store.write(pod, async (transaction) => {
        for (const item of old) transaction.delete(TABLE, groupOf(name), item);
      });
  }

  /** What another zone was shown of third ones. */
  async function compare(by: string, theirs: PinRecord): Promise<void> {
    const name = theirs.pin.zone;
    const place = placeOf(record(), name);
    const own = await newestOf(name);
    if (!place || own?.pin.shard !== theirs.pin.shard) return;
    const at = now().getTime();
    const [ours, other] = [await treeOfPin(own, record(), at), await treeOfPin(theirs, record(), at)];
    if (!ours || !other) return;
    const source = logSource(fetch, place, theirs.pin.shard);
    if ((await isOneHistory(source.fetchTile, ours, other)) === false)
      await keepEvidence(name, theirs.pin.shard, by, own.pin.checkpoint, theirs.pin.checkpoint);
  }

  return {
    async tick() {
      const { zones, root } = record();
      const others = Object.entries(zones).filter(
        ([name, { status }]) => name !== zone.name && status !== "delisted",
      );
      let isNew = false;
      for (const [name, place] of [...others, [ROOT_NAME, root] as const]) {
        const newest = await newestOf(name);
        if (newest && Date.parse(newest.pin.at) > now().getTime() - PIN_MS) continue;
        isNew = true;
        await pin(name, place).catch((error: Error) =>
          log.warn("registry.not-pinned", { zone: name, cause: error.message }),
        );
      }
      if (!isNew) return;
      for (const [name, { urls }] of others) {
        try {
          const [url] = urls;
          for (const theirs of url === undefined ? [] : await fetchPins(fetch, url))
            await compare(name, theirs);
        } catch (error) {
          log.warn("registry.pins-unread", { zone: name, cause: (error as Error).message });
        }
      }
    },
    list: (name) =>
      read(async (snapshot) =>
        (await listRecords<PinRecord>(snapshot, name === undefined ? NEWEST : groupOf(name))).sort((a, b) =>
          b.pin.at.localeCompare(a.pin.at),
        ),
      ),
    evidence: () => read((snapshot) => listRecords<Evidence>(snapshot, EVIDENCE)),
  };
}
