/** The root's own log and map: which passports have left the zone of their birth, and a trace of everything that the root does. */
import { type Bytes, governanceHash, type MapEnd, portedCommit } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import { proveKey } from "../map/map.ts";
import type { Found } from "../port.ts";
import { createEpochs, type Epochs, type EpochsDeps } from "../zone/epochs.ts";
import type { Page } from "../zone/pages.ts";
import type { EpochChange } from "../zone/plan.ts";
import type { RecordWrite } from "../zone/stage.ts";
import { blocksOf, REGISTRY, readPublished } from "../zone/state.ts";

/** Where a key of the index leads, or that it is not in it, with the path that proves it. */
export interface PortedFinding {
  readonly headKey: string;
  /** The zone; null for a passport that is where it was born. */
  readonly zone: string | null;
  readonly map: readonly string[];
  readonly end: MapEnd;
}

export interface LedgerChange {
  /** Zone by key; null takes the key out. */
  readonly ported?: ReadonlyMap<string, string | null>;
  /** Their hashes are logged. */
  readonly statements?: readonly object[];
  /** Written with the publication. */
  readonly records: readonly RecordWrite[];
}

export interface Ledger {
  readonly epochs: Epochs;
  /**
   * Decides on the newest state and publishes what was decided. `decide` may be called several times.
   * @returns what `decide` gave last.
   */
  change<T>(
    decide: (snapshot: Snapshot) => Promise<{ readonly change: LedgerChange | null; readonly result: T }>,
  ): Promise<T>;
  read<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  find(headKey: Bytes): Promise<Found<PortedFinding>>;
  /** Changes of the index after number `after`, oldest first. */
  changes(after: number, most: number): Promise<readonly PortedChange[]>;
  tick(): Promise<void>;
  close(): Promise<void>;
}

/** One line of the index's history: what other copies of it follow. */
export interface PortedChange {
  /** 1, 2, 3, … */
  readonly number: number;
  readonly headKey: string;
  /** Null: it is at home again. */
  readonly zone: string | null;
}

interface PortedRecord {
  readonly headKey: string;
  readonly zone: string;
}

const YEAR_PAGE = 1_000;
const GROUP = "ported"; // item: headKey
const CHANGES = "ported-change"; // item: number
const bytesOf = (text: string): Bytes => new Uint8Array(Buffer.from(text, "base64url"));

export const recordOf = (group: string, item: string, value: unknown): RecordWrite => ({
  group,
  item,
  value: value === null ? null : encodeRecord(value),
});

export async function getRecord<T>(snapshot: Snapshot, group: string, item: string): Promise<T | null> {
  const entry = await snapshot.get(REGISTRY, group, item);
  return entry && decodeRecord<T>(entry);
}

export async function listRecords<T>(snapshot: Snapshot, group: string): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of snapshot.list(REGISTRY, group)) found.push(decodeRecord<T>(entry));
  return found;
}

async function buildChange(snapshot: Snapshot, change: LedgerChange): Promise<EpochChange> {
  const set: { key: Bytes; commit: Bytes }[] = [];
  const remove: Bytes[] = [];
  const records: RecordWrite[] = [...change.records];
  let { count } = (await getRecord<{ count: number }>(snapshot, CHANGES, "count")) ?? { count: 0 };
  for (const [headKey, zone] of change.ported ?? []) {
    const key = bytesOf(headKey);
    const before = await getRecord<PortedRecord>(snapshot, GROUP, headKey);
    if ((before?.zone ?? null) === zone) continue;
    if (zone === null) remove.push(key);
    else set.push({ key, commit: await portedCommit(key, zone) });
    count += 1;
    records.push(recordOf(GROUP, headKey, zone && ({ headKey, zone } satisfies PortedRecord)));
    records.push(recordOf(CHANGES, String(count), { number: count, headKey, zone } satisfies PortedChange));
  }
  if (set.length + remove.length > 0) records.push(recordOf(CHANGES, "count", { count }));
  const governance = await Promise.all((change.statements ?? []).map(governanceHash));
  return { set, delete: remove, governance, records };
}

/** At New Year the same keys go into the next log: they do not name the year. */
async function yearPage(snapshot: Snapshot, cursor: string | null): Promise<Page> {
  const { entries, next } = await snapshot.page(REGISTRY, GROUP, cursor, YEAR_PAGE);
  const set: { key: Bytes; commit: Bytes }[] = [];
  for (const entry of entries) {
    const { headKey, zone } = decodeRecord<PortedRecord>(entry);
    const key = bytesOf(headKey);
    set.push({ key, commit: await portedCommit(key, zone) });
  }
  return { set, records: [], next };
}

/** The root's log, brought to a state that may be served. */
export async function createLedger(deps: EpochsDeps): Promise<Ledger> {
  const { store, pod } = deps;
  const epochs = await createEpochs(deps);
  const read = <T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> => store.read(pod, work);

  return {
    epochs,
    read,
    async change(decide) {
      let decided: { readonly result: unknown } | null = null;
      await epochs.run(async (snapshot) => {
        const { change, result } = await decide(snapshot);
        decided = { result };
        return change && buildChange(snapshot, change);
      });
      return (decided as { readonly result: unknown } | null)?.result as Awaited<
        ReturnType<typeof decide>
      >["result"];
    },
    find: (headKey) =>
      read(async (snapshot) => {
        const record = await readPublished(snapshot);
        if (!record) throw new Problem("unavailable", "The root has published nothing yet");
        const { path, end } = await proveKey(blocksOf(snapshot, record.shard), headKey);
        const key = Buffer.from(headKey).toString("base64url");
        const zone = (await getRecord<PortedRecord>(snapshot, GROUP, key))?.zone ?? null;
        return { published: epochs.publishedOf(record), findings: { headKey: key, zone, map: path, end } };
      }),
    changes: (after, most) =>
      read(async (snapshot) => {
        const found: PortedChange[] = [];
        for (let number = after + 1; found.length < most; number += 1) {
          const change = await getRecord<PortedChange>(snapshot, CHANGES, String(number));
          if (!change) break;
          found.push(change);
        }
        return found;
      }),
    async tick() {
      await epochs.refresh();
      await epochs.beginYear((snapshot, _shard, cursor) => yearPage(snapshot, cursor));
      await epochs.renew();
    },
    close: () => epochs.close(),
  };
}
