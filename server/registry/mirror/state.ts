/**
 * The passports of a mirrored zone: the map comes from the zone's own signed log, and each passport must be what the map has.
 * A head that somebody made up, or an older one, is found out before it is kept.
 */
import { type Bytes, decodeLeaf, readLeaves, type Shard } from "@freehold/client/registry";
import { encodeRecord } from "../../store/record.ts";
import type { PodId, Store, Transaction } from "../../store/store.ts";
import { type MapChange, type StoredBlock, updateMap } from "../map/map.ts";
import type { Published } from "../port.ts";
import { applyRecords, type RecordWrite } from "../zone/stage.ts";
import {
  blocksOf,
  mapGroup,
  namesGroup,
  type PublishedRecord,
  REGISTRY,
  readPublished,
} from "../zone/state.ts";
import { putTurn, readTurn } from "../zone/turn.ts";
import { readReplica } from "./heads.ts";
import { addName, changeNames, type Names, writesOf } from "./names.ts";
import type { ReplicaPage, ReplicaSource } from "./replicas.ts";
import { SourceRefused, type TreeCopy } from "./tree.ts";

export interface StateCopy {
  /**
   * Brings the passports to an epoch whose log is here already.
   * @returns false when the zone went on meanwhile, so that a newer epoch is needed.
   * @throws SourceRefused for a source that withholds passports, or makes them up.
   */
  bring(copy: TreeCopy, published: Published): Promise<boolean>;
}

export interface StateCopyDeps {
  readonly store: Store;
  readonly pod: PodId;
  readonly replicas: ReplicaSource;
  readonly progress: (done: number, total: number) => void;
}

/** What the store has of the state: complete, or without some passports that changed while they were copied. */
interface Base {
  readonly shard: Shard;
  readonly size: number;
  readonly missing?: ReadonlySet<string>;
}

const WRITES_AT_ONCE = 4_000;

const encode = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString("base64url");

export function createStateCopy({ store, pod, replicas, progress }: StateCopyDeps): StateCopy {
  let base: Base | null = null;

  async function writeAll(records: readonly RecordWrite[]): Promise<void> {
    for (let at = 0; at < records.length; at += WRITES_AT_ONCE)
      await store.write(pod, async (transaction) =>
        applyRecords(transaction, records.slice(at, at + WRITES_AT_ONCE)),
      );
  }

  /** What a range of the log changes, the last word for each key. */
  async function changesOf(copy: TreeCopy, from: number, to: number): Promise<Map<string, Bytes | null>> {
    const changes = new Map<string, Bytes | null>();
    for await (const entry of readLeaves(copy.fetchTile, from, to, to)) {
      const leaf = decodeLeaf(entry);
      if (leaf.kind === "set") changes.set(encode(leaf.headKey), leaf.commit as Bytes);
      if (leaf.kind === "delete") changes.set(encode(leaf.headKey), null);
    }
    return changes;
  }

  const asMap = (changes: ReadonlyMap<string, Bytes | null>): readonly MapChange[] =>
    [...changes].map(([key, commit]) => ({ key: Buffer.from(key, "base64url"), commit }));

  const wantedOf = (changes: ReadonlyMap<string, Bytes | null>): Map<string, string> =>
    new Map([...changes].flatMap(([key, commit]) => (commit ? [[key, encode(commit)] as const] : [])));

  /**
   * Passports for these changes, each with the commitment that the log has; whose state is newer waits for the next round.
   * Whoever is not in the map any more is forgotten, with all that was known.
   */
  async function fetchChanged(
    shard: Shard,
    changes: ReadonlyMap<string, Bytes | null>,
  ): Promise<{ readonly records: readonly RecordWrite[]; readonly isWhole: boolean }> {
    const heads: RecordWrite[] = [];
    const added: Names = new Map();
    const wanted = wantedOf(changes);
    for (const replica of await replicas.some([...wanted.keys()])) {
      const read = readReplica(shard, replica);
      if (!read || wanted.get(read.headKey) !== read.commit) continue;
      wanted.delete(read.headKey);
      heads.push(read.record);
      addName(added, read.headKey, read.id);
    }
    const gone = [...changes].filter(([, commit]) => commit === null).map(([key]) => key);
    const { records, left } = await store.read(pod, (snapshot) => changeNames(snapshot, shard, added, gone));
    const leaving = left.map((id) => ({ group: "head", item: id, value: null }));
    return { records: [...heads, ...leaving, ...records], isWhole: wanted.size === 0 };
  }

  const recordOf = (published: Published, turn: number): PublishedRecord => {
    const { shard, rootLeaf, size, logRoot, checkpoint, at, log: proof } = published;
    return { shard, turn, size, logRoot, frontier: [], rootLeaf, logPath: proof.path, checkpoint, at };
  };

  /** The map's blocks after changes, held against the signed root. @throws SourceRefused */
  async function planMap(
    published: Published,
    changes: readonly MapChange[],
    before: ReadonlyMap<string, StoredBlock> | null,
  ): Promise<readonly RecordWrite[]> {
    const { shard, rootLeaf } = published;
    const blocks: RecordWrite[] = [];
    const { root, count } = await store.read(pod, (snapshot) => {
      const read = blocksOf(snapshot, shard);
      return updateMap(
        before ? async (prefix) => before.get(prefix) ?? null : read,
        (item, value) => void blocks.push({ group: mapGroup(shard), item, value }),
        changes,
      );
    });
    if (root !== rootLeaf.root || count !== rootLeaf.count)
      throw new SourceRefused(
        "forged",
        "The map that follows from the log is not the one that the zone signed",
      );
    return blocks;
  }

  /** As the engine's own commits, each with a turn: whoever reads knows by it that something has changed. */
  async function commit(work: (transaction: Transaction, turn: number) => void): Promise<void> {
    await store.write(pod, async (transaction) => {
      const turn = (await readTurn(transaction)).turn + 1;
      work(transaction, turn);
      putTurn(transaction, { turn, isStaged: false });
    });
  }

  const publish = (published: Published, records: readonly RecordWrite[]): Promise<void> =>
    commit((transaction, turn) => {
      applyRecords(transaction, records);
      transaction.put(REGISTRY, "epoch", "published", encodeRecord(recordOf(published, turn)));
    });

  /** Until all of it is here, nothing is answered. */
  const hide = (): Promise<void> =>
    commit((transaction) => transaction.delete(REGISTRY, "epoch", "published"));

  /** Asked for before it is needed; what it fails with is heard when it is awaited. */
  function ahead(after: string | null): Promise<ReplicaPage> {
    const page = replicas.page(after);
    page.catch(() => undefined);
    return page;
  }

  /**
   * Everything from nothing: the map from the log alone, then each passport as the map has it.
   * @returns keys whose passport has changed since, as is to be found in the log after this epoch.
   */
  async function begin(copy: TreeCopy, published: Published): Promise<ReadonlySet<string>> {
    const { shard, size, rootLeaf } = published;
    const changes = await changesOf(copy, 0, size);
    await writeAll(await planMap(published, asMap(changes), new Map()));
    const wanted = wantedOf(changes);
    const names: Names = new Map();
    let done = 0;
    let written: Promise<void> = Promise.resolve();
    for (let page: Promise<ReplicaPage> | null = ahead(null); page !== null; ) {
      const { replicas: heads, next }: ReplicaPage = await page;
      page = next === null ? null : ahead(next); // The source makes the next one while this one is looked at.
      const records: RecordWrite[] = [];
      for (const replica of heads) {
        const read = readReplica(shard, replica);
        if (!read || wanted.get(read.headKey) !== read.commit) continue; // Newer than this epoch, or made up.
        wanted.delete(read.headKey);
        records.push(read.record);
        addName(names, read.headKey, read.id);
        done += 1;
      }
      await written;
      written = writeAll(records);
      written.catch(() => undefined); // It is awaited at the next page, or at the end.
      progress(done, rootLeaf.count);
    }
    await written;
    await writeAll(writesOf(shard, names));
    return new Set(wanted.keys());
  }

  /** Nothing of these years stays. */
  async function clear(shards: readonly Shard[]): Promise<void> {
    await hide();
    for (const group of ["head", ...shards.flatMap((shard) => [namesGroup(shard), mapGroup(shard)])]) {
      for (;;) {
        const { entries } = await store.read(pod, (snapshot) =>
          snapshot.page(REGISTRY, group, null, WRITES_AT_ONCE),
        );
        if (entries.length === 0) break;
        await store.write(pod, async (transaction) => {
          for (const { item } of entries) transaction.delete(REGISTRY, group, item);
        });
      }
    }
  }

  /** @returns false when the zone went on meanwhile, so that another round is needed. */
  async function bring(copy: TreeCopy, published: Published): Promise<boolean> {
    const { shard, size } = published;
    const before: Base | null = base ?? (await store.read(pod, readPublished));
    if (before?.shard !== shard) {
      await clear(before ? [before.shard, shard] : [shard]);
      const missing = await begin(copy, published);
      base = missing.size === 0 ? null : { shard, size, missing };
      if (base === null) await publish(published, []);
      return base === null;
    }
    const changes = await changesOf(copy, before.size, size);
    const { records, isWhole } = await fetchChanged(shard, changes);
    if (!isWhole) return false;
    const withheld = [...(before.missing ?? [])].filter((key) => !changes.has(key)).length;
    if (withheld > 0)
      throw new SourceRefused(
        "forged",
        `The source has not given ${withheld} passports as its log names them`,
      );
    const blocks = changes.size === 0 ? [] : await planMap(published, asMap(changes), null);
    const all = [...records, ...blocks];
    if (base !== null || all.length > WRITES_AT_ONCE) {
      await hide(); // Too much for one commit.
      await writeAll(all);
      await publish(published, []);
      base = null;
    } else await publish(published, all);
    return true;
  }

  return { bring };
}
