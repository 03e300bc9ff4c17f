/** The reference engine: the port's meaning with nothing else in the way. For tests, and the model the others are held to. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { Problem } from "../errors.ts";
import { LIMITS, type Limits } from "../limits.ts";
import { createBounds } from "./bounds.ts";
import { createMemoryCopies } from "./memory-copy.ts";
import { createPins } from "./pins.ts";
import { createChainCheck, headOf, leafOf, SALT_BYTES, ZERO_HEAD } from "./sealed/chain.ts";
import { createKeyring, type Keyring } from "./sealed/keyring.ts";
import { type HeldPods, parseKeyring, rootOf } from "./sealed/keyring-format.ts";
import type { PodKeys } from "./sealed/seal.ts";
import {
  type Blobs,
  type Entry,
  type JournalRow,
  type Page,
  type PodId,
  SERVER_POD,
  type Snapshot,
  type Store,
  TABLES,
  type Table,
  type Transaction,
  type Usage,
} from "./store.ts";
import { createTurns, LOST } from "./turns.ts";
import { createUses } from "./uses.ts";

type Group = ReadonlyMap<string, Entry>;
type Records = ReadonlyMap<Table, ReadonlyMap<string, Group>>;

/** Never changed, only replaced: whoever holds one holds a snapshot. */
export interface PodState {
  readonly generation: number;
  readonly records: Records;
  readonly usage: Usage;
  readonly journal: readonly JournalRow[];
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
  return { ...state, generation, records };
}

const EMPTY: PodState = Object.freeze({
  generation: 0,
  records: new Map(),
  usage: { bytes: 0, resources: 0 },
  journal: [],
});

/** Cursors name the group, so that one of another group is seen to be wrong. */
function pageOf(state: PodState, table: Table, group: string, after: string | null, most: number): Page {
  const here = `${table} ${group} `;
  const from = after === null ? null : Buffer.from(after, "base64url").toString();
  if (from !== null && !from.startsWith(here))
    throw new Problem("input-invalid", "This is no place in the listing");
  const rest = [...groupOf(state, table, group).values()]
    .filter(({ item }) => from === null || item > from.slice(here.length))
    .sort((a, b) => (a.item < b.item ? -1 : 1));
  const entries = rest.slice(0, most);
  const isLast = rest.length <= most;
  const next = isLast ? null : Buffer.from(`${here}${entries.at(-1)?.item}`).toString("base64url");
  return { entries, next };
}

async function* each(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

export interface MemoryStoreOptions {
  readonly limits?: Limits;
  readonly now?: () => Date;
  /** Of another store whose copies are to be loaded: its 32 bytes, and the keyring that they open. */
  readonly keys?: { readonly root: Uint8Array; readonly keyring: Uint8Array };
}

/** Nobody else can reach this store, so keys hide nothing: they seal what leaves it as a copy. */
function memoryKeyring(keys: MemoryStoreOptions["keys"]): Keyring {
  let saved = keys?.keyring ?? null;
  const place = {
    name: "The keyring in memory",
    load: async () => saved,
    save: async (bytes: Uint8Array) => void (saved = bytes),
  };
  const root = rootOf(keys?.root ?? randomBytes(32));
  const pods: HeldPods = saved ? parseKeyring(saved, root, place.name) : new Map();
  const storeId = saved ? saved.slice(8, 24) : randomBytes(16);
  const keyring = createKeyring({ place, root, storeId, pods, rootKeyFile: null });
  if (!saved) void keyring.add(SERVER_POD);
  return keyring;
}

export function createMemoryStore({
  limits = LIMITS,
  now = () => new Date(),
  keys: givenKeys,
}: MemoryStoreOptions = {}): Store {
  const pods = new Map<PodId, PodState>([[SERVER_POD, EMPTY]]);
  const keyring = memoryKeyring(givenKeys);
  let rekeying: Promise<void> = Promise.resolve();
  function keysOf(pod: PodId): PodKeys {
    const keys = pods.has(pod) ? keyring.keys(pod) : null;
    if (!keys) throw new Problem("not-found");
    return keys;
  }
  const turns = createTurns(limits.transactionTriesMax);
  const blobs = createMemoryBlobs(pods, keysOf, now, limits);

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
      page: async (table, group, after, most) => pageOf(state, table, group, after, most),
      put: (table, group, item, value) => write(table, group, item, new Uint8Array(value)),
      delete: (table, group, item) => write(table, group, item, null),
      record: (entry) => void recorded.push(new Uint8Array(entry)),
      use: (change, most) => uses.add(change, most),
    };
    const recorded: Uint8Array[] = [];
    const uses = createUses();
    const result = await work(transaction);
    if (writes.size === 0 && recorded.length === 0 && uses.isNothing())
      return { result, generation: state.generation };
    const current = stateOf(pod);
    if (!checks.every((unchanged) => unchanged(current))) return LOST;
    blobs.beforeCommit(pod, writes.values());
    if (uses.exceeds(current.usage)) throw new Problem("quota-exceeded");
    const rows = recorded.map((entry, index) => {
      const salt = randomBytes(SALT_BYTES);
      return { number: current.journal.length + index + 1, leaf: leafOf(salt, entry), salt, entry };
    });
    const committed: PodState = {
      ...(writes.size > 0 ? apply(current, writes.values()) : current),
      usage: uses.after(current.usage),
      journal: [...current.journal, ...rows],
    };
    pods.set(pod, committed);
    blobs.afterCommit(pod, writes.values());
    return {
      result,
      generation: committed.generation,
      writes: [...writes.values()].map(({ table, group, item }) => ({ table: TABLES[table], group, item })),
    };
  }

  return {
    async read(pod, work) {
      const state = stateOf(pod);
      const snapshot: Snapshot = {
        pod,
        generation: state.generation,
        get: async (table, group, item) => groupOf(state, table, group).get(item) ?? null,
        list: (table, group) => each([...groupOf(state, table, group).values()]),
        page: async (table, group, after, most) => pageOf(state, table, group, after, most),
        all: (table) => each(entriesOf(state, table)),
      };
      return work(snapshot);
    },
    write: async (pod, work) => turns.run(pod, () => attempt(pod, work)),
    usage: async (pod) => stateOf(pod).usage,
    journal: {
      head: async (pod) => headOf(keysOf(pod).journal, ZERO_HEAD, stateOf(pod).journal),
      read: async (pod, after, most) => stateOf(pod).journal.slice(after, after + most),
      async forget(pod, numbers) {
        const state = stateOf(pod);
        const gone = new Set(numbers);
        const journal = state.journal.map((row) =>
          gone.has(row.number) ? { ...row, salt: null, entry: null } : row,
        );
        pods.set(pod, { ...state, journal });
      },
      async verify(pod, heads, progress) {
        const { journal } = stateOf(pod);
        const stored = headOf(keysOf(pod).journal, ZERO_HEAD, journal);
        const check = createChainCheck(keysOf(pod).journal, stored, heads);
        for (const row of journal) check.add(row);
        progress?.(journal.length, journal.length);
        return check.report();
      },
    },
    async createPod() {
      const pod = randomBytes(16).toString("hex") as PodId;
      await keyring.add(pod);
      pods.set(pod, EMPTY);
      return pod;
    },
    async erasePod(pod) {
      assert(pod !== SERVER_POD, "the server's own pod is never erased");
      await keyring.erase(pod);
      pods.delete(pod);
      blobs.erase(pod);
    },
    rekey(pod, progress) {
      rekeying = rekeying
        .catch(() => {})
        .then(async () => {
          keysOf(pod);
          await keyring.renew(pod); // Nothing is sealed here: what leaves the store from now on is sealed with the new key.
          await keyring.retire(pod);
          progress?.(1, 1);
        });
      return rekeying;
    },
    ...createMemoryCopies({ pods, keyring, files: blobs.files }),
    keyring: () => keyring.bytes(),
    rotateRootKey: () => keyring.rotateRoot(),
    blobs,
    check: async () => {},
    close: async () => {},
  };
}

function createMemoryBlobs(
  pods: ReadonlyMap<PodId, PodState>,
  keysOf: (pod: PodId) => PodKeys,
  now: () => Date,
  limits: Limits,
) {
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
      const hash = createHmac("sha256", keysOf(pod).contents).update(whole).digest("hex");
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
    files,
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
