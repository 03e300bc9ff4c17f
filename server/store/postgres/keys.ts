/**
 * Keys in PostgreSQL: each pod's wrapped keys are a row, which is a keyring of that one pod, so that servers that add pods at
 * the same time do not write over each other. The root key is a file of each server and never in the database.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Problem } from "../../errors.ts";
import { makeFolder, writeDurably } from "../durable.ts";
import { StoreRefused } from "../refused.ts";
import { createKeyring, type Keyring, readRootKey } from "../sealed/keyring.ts";
import {
  encodeKeyring,
  fitsRoot,
  type HeldPods,
  idOf,
  parseKeyring,
  type Root,
} from "../sealed/keyring-format.ts";
import type { PodKeys } from "../sealed/seal.ts";
import { type PodId, SERVER_POD } from "../store.ts";
import type { Connection, Database } from "./database.ts";

/** Pods whose unwrapped keys are held in memory. */
const OPEN_MAX = 4_096;
const NAME = "The keyring in the database";
/** Wrapped keys fetched in one go. */
const PAGE = 1_000;

const GET = { name: "keyring-get", text: "SELECT entry FROM keyring WHERE pod_id = $1" };
const ALL = {
  name: "keyring-page",
  text: "SELECT pod_id, entry FROM keyring WHERE pod_id > $1 ORDER BY pod_id LIMIT $2",
};
const PUT =
  "INSERT INTO keyring (pod_id, entry) VALUES ($1, $2) ON CONFLICT (pod_id) DO UPDATE SET entry = excluded.entry";
const ADD = "INSERT INTO keyring (pod_id, entry) VALUES ($1, $2)";
const LOCK = "SELECT entry FROM keyring WHERE pod_id = $1 FOR UPDATE";
const MARK = "UPDATE pod SET key_version = key_version + 1, turn = turn + 1 WHERE pod_id = $1";
/** What is left of an erased pod is removed, by this server or the next that starts. */
const MARK_PURGE =
  "INSERT INTO setting (pod_id, name, value) VALUES ($1, 'purge', '') ON CONFLICT DO NOTHING";
const MARK_LOADING =
  "INSERT INTO setting (pod_id, name, value) VALUES ($1, 'loading', '') ON CONFLICT DO NOTHING";
const ADD_POD =
  "INSERT INTO pod (pod_id, generation, turn, key_version, bytes, resources, journal_number, journal_hash, ticket) VALUES ($1, 0, 0, 1, 0, 0, 0, $2, $3) ON CONFLICT DO NOTHING";

const NO_HASH = Buffer.alloc(32);
const NO_TICKET = Buffer.alloc(16);

/** One statement that reads: on its own, or in a transaction whose state it then is of. */
export type Reads = Database["read"];

export interface PostgresKeys {
  readonly storeId: Uint8Array;
  /** The keys as of the pod's `key_version`. @throws Problem `not-found` for a pod that was erased. */
  of(pod: PodId, keyVersion: number, on?: Reads): PodKeys | Promise<PodKeys>;
  /** A new pod: its keys and its row, in one transaction. */
  add(pod: PodId): Promise<void>;
  /** No version of the pod's key is in the database any more, and neither is its row. */
  erase(pod: PodId): Promise<void>;
  /** Versions of the content keys of these pods; none of those that are erased or unknown. */
  versions(pods: readonly PodId[]): Promise<ReadonlyMap<PodId, readonly number[]>>;
  /** The pod's own keyring, read again, to change it. */
  ring(pod: PodId): Promise<Keyring>;
  forget(pod: PodId): void;
  /** All of it, as one keyring that any engine reads. */
  bytes(): Promise<Uint8Array>;
}

async function openRoot(file: string, hasData: boolean, given: Uint8Array | undefined): Promise<Root> {
  let root = await readRootKey(file);
  if (!root) {
    if (hasData || given) {
      throw new StoreRefused(
        `The root key ${file} is missing, and without it the data cannot be opened. Copy it from a server that has it, or restore it from its backup; FREEHOLD_ROOT_KEY_FILE names its place.`,
      );
    }
    await makeFolder(dirname(file));
    await writeDurably(file, randomBytes(32));
    root = await readRootKey(file);
  }
  assert(root, "the root key was just written");
  return root;
}

export interface PostgresKeysOptions {
  readonly database: Database;
  readonly rootKeyFile: string;
  /** A keyring to begin with, where the database has none: that of the store that is moved here. */
  readonly given?: Uint8Array | undefined;
}

/**
 * Reads the keyring, or makes it, within the transaction of the migration.
 * @throws StoreRefused when the root key is missing, or is not the one that wrapped these keys.
 */
export async function openPostgresKeys(
  connection: Connection,
  { database, rootKeyFile, given }: PostgresKeysOptions,
): Promise<PostgresKeys> {
  const { rows } = await connection.run("SELECT entry FROM keyring WHERE pod_id = $1", [idOf(SERVER_POD)]);
  const found = rows[0]?.[0] as Buffer | undefined;
  const root = await openRoot(rootKeyFile, found !== undefined, given);
  const first = found ?? given;
  if (first && !fitsRoot(first, root)) {
    throw new StoreRefused(
      `The root key ${rootKeyFile} does not fit the keys in the database. Every server of one database has the same root key: copy it from one that runs.`,
    );
  }
  const storeId = first ? Buffer.from(first.subarray(8, 24)) : randomBytes(16);
  if (found && given && Buffer.compare(found.subarray(8, 24), given.subarray(8, 24)) !== 0)
    throw new StoreRefused("There is another store in this database already. Name an empty database.");

  const rowOf = (pods: HeldPods): Buffer => encodeKeyring(storeId, pods, root);
  const open = new Map<PodId, { readonly keyVersion: number; readonly keys: PodKeys }>();

  /** @param entry The row's bytes; null for a pod that is new. */
  function ringOf(pod: PodId, entry: Buffer | null): Keyring {
    const pods: HeldPods = entry ? parseKeyring(entry, root, NAME) : new Map();
    if (pods.size > 1 || (entry && !pods.has(pod)))
      throw new StoreRefused(`${NAME} is damaged. Restore it from its backup.`);
    let before = entry;
    const place = {
      name: NAME,
      load: async () => before,
      save: (bytes: Uint8Array) =>
        database.hold("commit", async (held) => {
          await held.run("BEGIN");
          await held.run("SELECT pod_id FROM pod WHERE pod_id = $1 FOR UPDATE", [idOf(pod)]);
          const { rows: now } = await held.run(LOCK, [idOf(pod)]);
          const stored = now[0]?.[0] as Buffer | undefined;
          if (!before || !stored || Buffer.compare(before, stored) !== 0)
            throw new Problem("conflict", "Another server changes the pod's keys at this moment");
          await held.run(PUT, [idOf(pod), bytes]);
          await held.run(MARK, [idOf(pod)]);
          await held.run("COMMIT");
          before = Buffer.from(bytes);
        }),
    };
    return createKeyring({ place, root, storeId, pods, rootKeyFile: null });
  }

  async function entryOf(pod: PodId, on: Reads): Promise<Buffer | null> {
    const found = await on(GET, [idOf(pod)]);
    return (found[0]?.[0] as Buffer | undefined) ?? null;
  }

  async function load(pod: PodId, keyVersion: number, on: Reads): Promise<PodKeys> {
    const entry = await entryOf(pod, on);
    const keys = entry && ringOf(pod, entry).keys(pod);
    if (!keys) throw new Problem("not-found");
    if (open.size >= OPEN_MAX) open.delete(open.keys().next().value as PodId);
    open.set(pod, { keyVersion, keys });
    return keys;
  }

  /** Wrapped keys of a new pod, as createKeyring makes them. */
  async function freshRow(pod: PodId): Promise<Buffer> {
    let made: Uint8Array | null = null;
    const place = {
      name: NAME,
      load: async () => made,
      save: async (bytes: Uint8Array) => void (made = bytes),
    };
    await createKeyring({ place, root, storeId, pods: new Map(), rootKeyFile: null }).add(pod);
    assert(made, "a keyring is saved when a pod is added");
    return Buffer.from(made);
  }

  async function addPod(held: Connection, pod: PodId, entry: Buffer): Promise<void> {
    await held.run(ADD, [idOf(pod), entry]);
    await held.run(ADD_POD, [idOf(pod), NO_HASH, NO_TICKET]);
  }

  if (given) await addGiven(given);
  else if (!found) await addPod(connection, SERVER_POD, await freshRow(SERVER_POD));
  else await refuseHalf();

  /** Keys only: the pods are there when they are loaded. Again after a move that was cut short, with what is new since. */
  async function addGiven(bytes: Uint8Array): Promise<void> {
    for (const [pod, held] of parseKeyring(bytes, root, NAME))
      await connection.run(held ? `${ADD} ON CONFLICT DO NOTHING` : PUT, [
        idOf(pod),
        rowOf(new Map([[pod, held]])),
      ]);
    const { rows: pods } = await connection.run("SELECT pod_id FROM pod WHERE pod_id = $1", [
      idOf(SERVER_POD),
    ]);
    if (pods.length === 0) await connection.run(MARK_LOADING, [idOf(SERVER_POD)]);
  }
  async function refuseHalf(): Promise<void> {
    const { rows: marks } = await connection.run(
      "SELECT name FROM setting WHERE pod_id = $1 AND name = 'loading'",
      [idOf(SERVER_POD)],
    );
    if (marks.length > 0)
      throw new StoreRefused(
        "The database holds a part of a store that was being moved or restored into it. Finish that first: run the same command again.",
      );
  }

  async function* entries(): AsyncGenerator<readonly [PodId, Buffer]> {
    for (let after = Buffer.alloc(0); ; ) {
      const page = await database.read(ALL, [after, PAGE]);
      for (const [id, entry] of page as readonly [Buffer, Buffer][])
        yield [id.toString("hex") as PodId, entry];
      if (page.length < PAGE) return;
      after = Buffer.from(page.at(-1)?.[0] as Buffer);
    }
  }

  return {
    storeId,
    of(pod, keyVersion, on = database.read) {
      const known = open.get(pod);
      return known?.keyVersion === keyVersion ? known.keys : load(pod, keyVersion, on);
    },
    async add(pod) {
      const entry = await freshRow(pod);
      await database.hold("commit", async (held) => {
        await held.run("BEGIN");
        await addPod(held, pod, entry);
        await held.run("COMMIT");
      });
    },
    async erase(pod) {
      await database.hold("commit", async (held) => {
        await held.run("BEGIN");
        await held.run("SELECT pod_id FROM pod WHERE pod_id = $1 FOR UPDATE", [idOf(pod)]);
        await held.run(PUT, [idOf(pod), rowOf(new Map([[pod, null]]))]);
        await held.run("DELETE FROM pod WHERE pod_id = $1", [idOf(pod)]);
        await held.run(MARK_PURGE, [idOf(pod)]);
        await held.run("COMMIT");
      });
      open.delete(pod);
    },
    async versions(pods) {
      const versions = new Map<PodId, readonly number[]>();
      for (const pod of pods) {
        const entry = await entryOf(pod, database.read);
        const held = entry && parseKeyring(entry, root, NAME).get(pod);
        versions.set(pod, held?.contents.map(({ version }) => version) ?? []);
      }
      return versions;
    },
    async ring(pod) {
      const entry = await entryOf(pod, database.read);
      const ring = entry && ringOf(pod, entry);
      if (!ring?.keys(pod)) throw new Problem("not-found");
      return ring;
    },
    forget: (pod) => void open.delete(pod),
    async bytes() {
      const pods: HeldPods = new Map();
      for await (const [pod, entry] of entries())
        pods.set(pod, parseKeyring(entry, root, NAME).get(pod) ?? null);
      return encodeKeyring(storeId, pods, root);
    },
  };
}
