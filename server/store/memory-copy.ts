/** Copies of the engine in memory: it holds everything open, so rows and files are sealed on the way out and opened on the way in. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../errors.ts";
import { loadCopy } from "./load.ts";
import type { PodState } from "./memory.ts";
import { openFile, sealFile } from "./sealed/blob-format.ts";
import { headOf, ZERO_HEAD } from "./sealed/chain.ts";
import { JOURNAL_PLACE, openEntry, placeOfLeaf } from "./sealed/entries.ts";
import type { Keyring } from "./sealed/keyring.ts";
import {
  groupKeyOf,
  itemKeyOf,
  keysOfPlace,
  openRecord,
  type PodKeys,
  plainOf,
  sealRecord,
  versionOf,
} from "./sealed/seal.ts";
import type { BulkRow } from "./sqlite/bulk.ts";
import {
  type Entry,
  type JournalRow,
  type PodId,
  type Store,
  type StoredBlob,
  type StoredRow,
  TABLES,
  type Table,
} from "./store.ts";

/** Rows sealed before others have their turn. */
const TURN = 64;
const NAMES = new Map(Object.entries(TABLES).map(([name, number]) => [number, name as Table]));

export interface MemoryCopyGround {
  readonly pods: Map<PodId, PodState>;
  readonly keyring: Keyring;
  /** By pod and hash: `pod/hash`. */
  readonly files: Map<string, Buffer>;
}

/** With the keys of that moment: an erasure does not stop a copy, and what it has copied nobody can open. */
type Moment = ReadonlyMap<PodId, { readonly keys: PodKeys; readonly state: PodState }>;

function sealEntryRow(keys: PodKeys, pod: PodId, row: JournalRow): StoredRow {
  const { number, leaf, salt, entry } = row;
  if (!salt || !entry) return { kind: "journal", pod, number, leaf, sealed: null };
  const plain = plainOf("", "", Buffer.concat([salt, entry]));
  const sealed = sealRecord(keys, number, JOURNAL_PLACE, ...placeOfLeaf(leaf), plain);
  return { kind: "journal", pod, number, leaf, sealed };
}

function sealEntryOf(
  keys: PodKeys,
  pod: PodId,
  name: Table,
  { group, item, version, value }: Entry,
): StoredRow {
  const table = TABLES[name];
  const groupKey = groupKeyOf(keys, table, group);
  const itemKey = itemKeyOf(keys, table, groupKey, item);
  const sealed = sealRecord(keys, version, table, groupKey, itemKey, plainOf(group, item, value));
  const bytesOf = (key: string): Buffer => Buffer.from(key, "latin1");
  return {
    kind: "record",
    pod,
    table,
    groupKey: bytesOf(groupKey),
    itemKey: bytesOf(itemKey),
    version,
    sealed,
  };
}

async function bufferOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

export function createMemoryCopies({ pods, keyring, files }: MemoryCopyGround): Pick<Store, "copy" | "load"> {
  const damaged = (): Problem => new Problem("unavailable", "The copy is damaged");
  function keysOf(pod: PodId): PodKeys {
    const keys = keyring.keys(pod);
    if (!keys) throw new Problem("not-found");
    return keys;
  }

  async function* rowsOf(states: Moment): AsyncGenerator<StoredRow> {
    let count = 0;
    for (const [pod, { keys, state }] of states) {
      const { generation, usage, journal, records } = state;
      yield { kind: "pod", pod, generation, usage, head: headOf(keys.journal, ZERO_HEAD, journal) };
      for (const [name, groups] of records) {
        for (const entries of groups.values()) {
          for (const entry of entries.values()) {
            yield sealEntryOf(keys, pod, name, entry);
            if (++count % TURN === 0) await nextTurn();
          }
        }
      }
      for (const row of journal) {
        yield sealEntryRow(keys, pod, row);
        if (++count % TURN === 0) await nextTurn();
      }
    }
  }

  async function* blobsOf(states: Moment, held: ReadonlyMap<string, Buffer>): AsyncGenerator<StoredBlob> {
    for (const [pod, { keys, state }] of states) {
      for (const [hash, entries] of state.records.get("blob") ?? []) {
        const content = held.get(`${pod}/${hash}`);
        if (entries.size === 0 || !content) continue;
        const sealed = sealFile(keys, hash, content);
        yield {
          pod,
          hash,
          bytes: sealed.length,
          async *content() {
            yield sealed;
          },
        };
        await nextTurn();
      }
    }
  }

  /** What arrives of a pod, until all of it is there. */
  function open(pod: PodId, state: PodState, { table, place, version, sealed }: BulkRow): PodState {
    if (table === JOURNAL_PLACE) {
      const row = openEntry(keysOf(pod), { number: version, leaf: new Uint8Array(place), sealed });
      if (!row) throw damaged();
      return { ...state, journal: [...state.journal, row] };
    }
    const [groupKey, itemKey] = keysOfPlace(place);
    const opened = sealed && openRecord(keysOf(pod), table, groupKey, itemKey, sealed);
    const name = NAMES.get(table as (typeof TABLES)[Table]);
    if (!opened || !name) throw damaged();
    const { group, item, value } = opened;
    const records = state.records as Map<Table, Map<string, Map<string, Entry>>>; // Nobody else has it yet.
    const groups = records.get(name) ?? new Map<string, Map<string, Entry>>();
    const entries = groups.get(group) ?? new Map<string, Entry>();
    records.set(name, groups.set(group, entries.set(item, { group, item, version, value })));
    return state;
  }

  return {
    async copy(wanted, work) {
      if (wanted?.some((pod) => !pods.has(pod))) throw new Problem("not-found");
      const states: Moment = new Map(
        [...pods]
          .filter(([pod]) => wanted === null || wanted.includes(pod))
          .map(([pod, state]) => [pod, { state, keys: keysOf(pod) }]),
      );
      const held = new Map(files);
      return work({
        storeId: keyring.storeId,
        pods: [...states.keys()],
        rows: () => rowsOf(states),
        blobs: () => blobsOf(states, held),
      });
    },
    load(copy, progress) {
      const arriving = new Map<PodId, PodState>();
      const stateOf = (pod: PodId): PodState => {
        const state = arriving.get(pod);
        if (!state) throw new Problem("not-found");
        return state;
      };
      const target = {
        storeId: keyring.storeId,
        opens: (pod: PodId, sealed: Uint8Array | null) => {
          const versions = keyring.versions(pod);
          return versions.length > 0 && (sealed === null || versions.includes(versionOf(sealed)));
        },
        async begin(pod: PodId) {
          const usage = { bytes: 0, resources: 0 };
          arriving.set(pod, { generation: 0, records: new Map(), usage, journal: [] });
        },
        async rows(pod: PodId, rows: readonly BulkRow[]) {
          for (const row of rows) arriving.set(pod, open(pod, stateOf(pod), row));
          await nextTurn();
        },
        async blob(pod: PodId, hash: string, content: AsyncIterable<Uint8Array>) {
          const sealed = await bufferOf(content);
          const whole = openFile(keysOf(pod), hash, sealed);
          if (!whole) throw damaged();
          files.set(`${pod}/${hash}`, whole);
          return sealed.length;
        },
        async finish(
          pod: PodId,
          { generation: copied, usage }: { generation: number; usage: PodState["usage"] },
        ) {
          if (keyring.isErased(pod)) return;
          const before = pods.get(pod)?.generation ?? 0;
          const generation = before > 0 ? Math.max(before + 1, copied) : copied; // Never backwards.
          pods.set(pod, { ...stateOf(pod), generation, usage });
        },
      };
      return loadCopy(copy, target, progress);
    },
  };
}
