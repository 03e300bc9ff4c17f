/** The reference engine: the port's meaning with nothing else in the way. For tests, and the model the others are held to. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { Problem } from "../errors.ts";
import { LIMITS, type Limits } from "../limits.ts";
import { createBounds } from "./bounds.ts";
import { createPins } from "./pins.ts";
import {
  type Blobs,
  type Entry,
  type PodId,
  SERVER_POD,
  type Snapshot,
  type Store,
  type Table,
  type Transaction,
} from "./store.ts";
import { createTurns, LOST } from "./turns.ts";

type Group = ReadonlyMap<string, Entry>;
type Records = ReadonlyMap<Table, ReadonlyMap<string, Group>>;

/** Never changed, only replaced: whoever holds one holds a snapshot. */
interface PodState {
  readonly generation: number;
  readonly records: Records;
}

interface Write {
  readonly table: Table;
  readonly group: string;
  readonly item: string;
  /** Null deletes. */
  readonly value: Uint8Array | null;
}

const NO_RECORDS: Group = new Map();
const groupOf = (state: PodState, table: Table, group: string): Group =>
  state.records.get(table)?.get(group) ?? NO_RECORDS;
const entriesOf = (state: PodState, table: Table): Entry[] =>
  [...(state.records.get(table)?.values() ?? [])].flatMap((group) => [...group.values()]);

/** Every put raises the greatest version, every delete alone lowers the count: so the pair shows any change of a range. */
function fingerprint(entries: Iterable<Entry>): string {
  let count = 0;
  let version = 0;
  for (const entry of entries) {
    count++;
    version = Math.max(version, entry.version);
  }
  return `${count} ${version}`;
}

function apply(state: PodState, writes: Iterable<Write>): PodState {
  const generation = state.generation + 1;
  const records = new Map(state.records);
  for (const { table, group, item, value } of writes) {
    const groups = new Map(records.get(table));
    const entries = new Map(groups.get(group));
    if (value) entries.set(item, { group, item, version: generation, value });
    else entries.delete(item);
    groups.set(group, entries);
    records.set(table, groups);
  }
  return { generation, records };
}

async function* each(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

export interface MemoryStoreOptions {
  readonly limits?: Limits;
  readonly now?: () => Date;
}

export function createMemoryStore({
  limits = LIMITS,
  now = () => new Date(),
}: MemoryStoreOptions = {}): Store {
  const pods = new Map<PodId, PodState>([[SERVER_POD, { generation: 0, records: new Map() }]]);
  const turns = createTurns(limits.transactionTriesMax);
  const blobs = createMemoryBlobs(pods, now, limits);

  function stateOf(pod: PodId): PodState {
    const state = pods.get(pod);
    if (!state) throw new Problem("not-found");
    return state;
  }

  async function attempt<T>(pod: PodId, work: (transaction: Transaction) => Promise<T>) {
    const state = stateOf(pod);
    const checks: ((current: PodState) => boolean)[] = [];
    const writes = new Map<string, Write>();
    const bounds = createBounds(limits);
    const write = (table: Table, group: string, item: string, value: Uint8Array | null): void => {
      const key = JSON.stringify([table, group, item]);
      const before = writes.get(key);
      bounds.check(table, group, item, value, before ? (before.value?.length ?? 0) : null);
      writes.set(key, { table, group, item, value });
    };
    /** What this transaction has written lies over what it found; version 0 says "not committed yet". */
    const overlay = (found: readonly Entry[], belongs: (write: Write) => boolean): Entry[] => {
      const own = [...writes.values()].filter(belongs);
      const kept = found.filter(
        ({ group, item }) => !own.some((write) => write.group === group && write.item === item),
      );
      return [
        ...kept,
        ...own.flatMap(({ group, item, value }) => (value ? [{ group, item, version: 0, value }] : [])),
      ];
    };
    const transaction: Transaction = {
      pod,
      generation: state.generation,
      async get(table, group, item) {
        const own = writes.get(JSON.stringify([table, group, item]));
        if (own) return own.value ? { group, item, version: 0, value: own.value } : null;
        const entry = groupOf(state, table, group).get(item) ?? null;
        checks.push((current) => groupOf(current, table, group).get(item)?.version === entry?.version);
        return entry;
      },
      list(table, group) {
        const found = [...groupOf(state, table, group).values()];
        checks.push((current) => fingerprint(groupOf(current, table, group).values()) === fingerprint(found));
        return each(overlay(found, (write) => write.table === table && write.group === group));
      },
      all(table) {
        const found = entriesOf(state, table);
        checks.push((current) => fingerprint(entriesOf(current, table)) === fingerprint(found));
        return each(overlay(found, (write) => write.table === table));
      },
      put: (table, group, item, value) => write(table, group, item, new Uint8Array(value)),
      delete: (table, group, item) => write(table, group, item, null),
    };
    const result = await work(transaction);
    if (writes.size === 0) return { result, generation: state.generation };
    const current = stateOf(pod);
    if (!checks.every((unchanged) => unchanged(current))) return LOST;
    blobs.beforeCommit(pod, writes.values());
    const committed = apply(current, writes.values());
    pods.set(pod, committed);
    blobs.afterCommit(pod, writes.values());
    return { result, generation: committed.generation };
  }

  return {
    async read(pod, work) {
      const state = stateOf(pod);
      const snapshot: Snapshot = {
        pod,
        generation: state.generation,
        get: async (table, group, item) => groupOf(state, table, group).get(item) ?? null,
        list: (table, group) => each([...groupOf(state, table, group).values()]),
        all: (table) => each(entriesOf(state, table)),
      };
      return work(snapshot);
    },
    write: async (pod, work) => turns.run(pod, () => attempt(pod, work)),
    async createPod() {
      const pod = randomBytes(16).toString("hex") as PodId;
      pods.set(pod, { generation: 0, records: new Map() });
      return pod;
    },
    async erasePod(pod) {
      assert(pod !== SERVER_POD, "the server's own pod is never erased");
      pods.delete(pod);
      blobs.erase(pod);
    },
    blobs,
    check: async () => {},
    close: async () => {},
  };
}

function createMemoryBlobs(pods: ReadonlyMap<PodId, PodState>, now: () => Date, limits: Limits) {
  const key = randomBytes(32);
  const files = new Map<string, Buffer>();
  const pins = createPins(now, limits.orphanMsKept);
  const keyOf = (pod: PodId, hash: string): string => `${pod}/${hash}`;
  const blobWrites = (writes: Iterable<Write>): Write[] =>
    [...writes].filter(({ table }) => table === "blob");

  const blobs: Blobs = {
    async write(pod, content, bytesMax) {
      if (!pods.has(pod)) throw new Problem("not-found");
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of content) {
        bytes += chunk.length;
        if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
        chunks.push(new Uint8Array(chunk));
      }
      const whole = Buffer.concat(chunks);
      const hash = createHmac("sha256", key).update(pod).update(whole).digest("hex");
      files.set(keyOf(pod, hash), whole);
      pins.add(keyOf(pod, hash));
      return { hash, bytes };
    },
    read(pod, hash, range) {
      const whole = files.get(keyOf(pod, hash));
      if (!whole) return failing(new Problem("unavailable", "A file is missing"));
      const { first, last } = range ?? { first: 0, last: whole.length - 1 };
      const part = whole.subarray(first, last + 1);
      return Readable.from(part.length === 0 ? [] : [part]);
    },
    async release(pod, hash) {
      pins.released(keyOf(pod, hash));
      const state = pods.get(pod);
      if (!state || (groupOf(state, "blob", hash).size === 0 && !pins.has(keyOf(pod, hash))))
        files.delete(keyOf(pod, hash));
    },
  };
  return {
    ...blobs,
    /** A record may only name a file that is there. */
    beforeCommit(pod: PodId, writes: Iterable<Write>): void {
      for (const { group, value } of blobWrites(writes)) {
        if (value && !files.has(keyOf(pod, group)))
          throw new Problem("unavailable", "The uploaded content is gone; send it again");
      }
    },
    afterCommit(pod: PodId, writes: Iterable<Write>): void {
      for (const { group, value } of blobWrites(writes)) pins[value ? "used" : "dropped"](keyOf(pod, group));
    },
    erase(pod: PodId): void {
      for (const name of files.keys()) if (name.startsWith(`${pod}/`)) files.delete(name);
    },
  };
}

function failing(problem: Problem): Readable {
  return new Readable({
    read() {
      this.destroy(problem);
    },
  });
}
