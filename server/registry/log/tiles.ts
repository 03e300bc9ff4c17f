/** The tiles of one log as files, which any web server can serve as they are. @see https://c2sp.org/tlog-tiles */
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Bytes,
  decodeEntries,
  encodeEntries,
  type FetchTile,
  parseTilePath,
  TILE_WIDTH,
  type TileLevel,
  tilePath,
  tileWidth,
} from "@freehold/client/registry";
import { draftOf, makeFolder, syncFolder, writeDurably } from "../../store/durable.ts";
import { type Hash, leafHash, nodeHash } from "./hash.ts";

/** Reads entries from `from` up to `to` (without it), from wherever the log's truth is. */
export type ReadEntries = (from: number, to: number) => Promise<readonly Uint8Array[]>;

export interface Tiles {
  /** Where `tile/` and `checkpoint` are. */
  readonly folder: string;
  /**
   * Adds entries to the tree of `from` leaves; durable when resolved. The same again does no harm.
   * @throws TilesMissing when the end of that tree is not here.
   */
  append(from: number, entries: readonly Uint8Array[]): Promise<void>;
  /** Makes whatever tiles are missing for a tree of `size` leaves: after a crash, on another server, or after a loss. */
  bringTo(size: number, read: ReadEntries): Promise<void>;
  /** The file at a path such as `tile/0/000`; a partial tile also when only the full one is left. Null for others. */
  readonly fetch: FetchTile;
  /** Whether any tile is here. */
  exists(): Promise<boolean>;
  /**
   * Puts the signed note where web servers find it, at `checkpoint`. Only after its tiles.
   * @param whole The note with its post-quantum signatures too, for `checkpoint.pq`.
   */
  writeCheckpoint(note: string, whole?: string): Promise<void>;
}

/** Nothing can be added here before the tiles of that tree are made again. */
export class TilesMissing extends Error {
  override readonly name = "TilesMissing";
}

/** The tiles at the end of a tree: what the next leaf is added to. */
interface Edge {
  readonly size: number;
  /** Hashes of the partial tile of each level, the lowest first. */
  readonly levels: readonly (readonly Uint8Array[])[];
  /** Entries of the partial bundle. */
  readonly entries: readonly Uint8Array[];
}

const EMPTY_EDGE: Edge = { size: 0, levels: [], entries: [] };
const HASH_BYTES = 32;
const LEAVES_AT_ONCE = 65_536; // While tiles are made again: 4 MB of leaves in memory, two files in 256.
const FILES_AT_ONCE = 16;
const FOLDER_MODE = 0o755; // A web server of another user may serve them: nothing in them is secret.
const FILE_MODE = 0o644;

function foldTile(hashes: readonly Uint8Array[]): Hash {
  let row = hashes;
  while (row.length > 1)
    row = row.flatMap((left, at) => (at % 2 === 0 ? [nodeHash(left, row[at + 1] ?? left)] : []));
  return row[0] as Hash;
}

const splitHashes = (bytes: Uint8Array, width: number): readonly Uint8Array[] =>
  Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));

/** The tree's end with `added` entries, and the files that this makes. Partial tiles only as they are at the end. */
function grow(edge: Edge, added: readonly Uint8Array[]): { edge: Edge; files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  const levels = edge.levels.map((hashes) => [...hashes]);
  const touched = new Set<number>();
  let [entries, size] = [[...edge.entries], edge.size];

  const push = (level: number, hash: Uint8Array): void => {
    const hashes = (levels[level] ??= []);
    touched.add(level);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const index = size / TILE_WIDTH ** (level + 1) - 1; // `size` counts the leaf that fills it.
    files.set(tilePath(level, index), Buffer.concat(hashes));
    levels[level] = [];
    push(level + 1, foldTile(hashes));
  };

  for (const entry of added) {
    entries.push(entry);
    size += 1;
    push(0, leafHash(entry));
    if (entries.length < TILE_WIDTH) continue;
    files.set(tilePath("entries", size / TILE_WIDTH - 1), encodeEntries(entries));
    entries = [];
  }
  const partial = (level: TileLevel, parts: readonly Uint8Array[], bytes: Uint8Array): void => {
    const index = Math.floor(size / TILE_WIDTH ** (level === "entries" ? 1 : level + 1));
    if (parts.length > 0) files.set(tilePath(level, index, parts.length), bytes);
  };
  if (added.length > 0) partial("entries", entries, encodeEntries(entries));
  for (const level of touched) partial(level, levels[level] ?? [], Buffer.concat(levels[level] ?? []));
  return { edge: { size, levels, entries }, files };
}

async function readOrNull(path: string): Promise<Bytes | null> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** All files durably: the bytes of each, its name, and then each folder once. */
async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const waiting = [...files];
  const folders = new Set(waiting.map(([path]) => dirname(join(folder, path))));
  for (const one of folders) await makeFolder(one, FOLDER_MODE);
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const path = join(folder, next[0]);
      const draft = draftOf(path);
      const file = await open(draft, "wx", FILE_MODE);
      try {
        await file.writeFile(next[1]);
        await file.sync(); // The bytes, before the name points at them.
      } finally {
        await file.close();
      }
      await rename(draft, path);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
  for (const one of folders) await syncFolder(one); // The names themselves.
}

/** @param folder Of one log: a zone and a year. */
export function createTiles(folder: string): Tiles {
  let edge: Edge | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  /** One after the other: two that grow the same end would part. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work);
    turn = next;
    return next;
  };

  /** At least `width` hashes or entries of a tile, from whichever of its files has them. */
  async function readWide(level: TileLevel, index: number, width: number): Promise<Bytes | null> {
    const exact = await readOrNull(join(folder, tilePath(level, index, width)));
    if (exact || width === TILE_WIDTH) return exact;
    const full = tilePath(level, index);
    const found = await readOrNull(join(folder, full));
    if (found) return found;
    const widths = await readdir(join(folder, `${full}.p`)).catch(() => []);
    const wider = widths.filter((name) => /^[1-9]\d{0,2}$/.test(name) && Number(name) > width)[0];
    return wider === undefined ? null : readOrNull(join(folder, `${full}.p/${wider}`));
  }

  /** The end of the tree of `size` leaves; null when a file of it is not here. */
  async function load(size: number): Promise<Edge | null> {
    const levels: (readonly Uint8Array[])[] = [];
    for (let level = 0; TILE_WIDTH ** level <= size; level += 1) {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      const width = tileWidth(level, index, size);
      const bytes = width === 0 ? new Uint8Array() : await readWide(level, index, width);
      if (!bytes || bytes.length < width * HASH_BYTES) return null;
      levels.push(splitHashes(bytes, width));
    }
    const index = Math.floor(size / TILE_WIDTH);
    const width = size % TILE_WIDTH;
    const bytes = width === 0 ? new Uint8Array() : await readWide("entries", index, width);
    const entries = bytes ? wholeEntries(bytes).slice(0, width) : [];
    const isSame = entries.length === width && entries.every((entry, at) => isHashOf(entry, levels[0]?.[at]));
    return isSame ? { size, levels, entries } : null;
  }

  async function add(from: number, entries: readonly Uint8Array[]): Promise<void> {
    const known = edge?.size === from ? edge : from === 0 ? EMPTY_EDGE : await load(from);
    if (!known) throw new TilesMissing(`The tiles of ${from} leaves are not in this folder`);
    const grown = grow(known, entries);
    await writeFiles(folder, grown.files);
    edge = grown.edge;
    for (const path of grown.files.keys()) {
      // Readers of an older tree find their part in the full tile.
      if (parseTilePath(path)?.width === TILE_WIDTH)
        await rm(join(folder, `${path}.p`), { recursive: true, force: true });
    }
  }

  /** How far it is sure that everything is here. */
  async function standing(size: number): Promise<number> {
    if (edge && edge.size <= size) return edge.size;
    for (const width of [1, TILE_WIDTH, TILE_WIDTH ** 2]) {
      const start = size - (size % width);
      edge = start === 0 ? null : await load(start);
      if (edge) return start;
    }
    return 0;
  }

  async function bringTo(size: number, read: ReadEntries): Promise<void> {
    for (let from = await standing(size); from < size; ) {
      const to = Math.min(size, from + LEAVES_AT_ONCE);
      await add(from, await read(from, to));
      from = to;
    }
  }

  return {
    folder,
    append: (from, entries) => inTurn(() => add(from, entries)),
    bringTo: (size, read) => inTurn(() => bringTo(size, read)),
    async fetch(path) {
      const name = parseTilePath(path);
      const bytes = name && (await readWide(name.level, name.index, name.width));
      if (!bytes) return null;
      const { level, width } = name;
      if (level !== "entries")
        return bytes.length < width * HASH_BYTES ? null : bytes.slice(0, width * HASH_BYTES);
      return width === TILE_WIDTH ? bytes : encodeEntries(decodeEntries(bytes).slice(0, width));
    },
    exists: () =>
      stat(join(folder, "tile")).then(
        () => true,
        () => false,
      ),
    async writeCheckpoint(note, whole = note) {
      await makeFolder(folder, FOLDER_MODE);
      await writeDurably(join(folder, "checkpoint"), Buffer.from(note), FILE_MODE);
      if (whole !== note || (await readOrNull(join(folder, "checkpoint.pq"))))
        await writeDurably(join(folder, "checkpoint.pq"), Buffer.from(whole), FILE_MODE);
    },
  };
}

/** None where the bundle is damaged: then it is made again. */
function wholeEntries(bytes: Uint8Array): readonly Uint8Array[] {
  try {
    return decodeEntries(bytes);
  } catch {
    return [];
  }
}

const isHashOf = (entry: Uint8Array, hash: Uint8Array | undefined): boolean =>
  hash !== undefined && Buffer.compare(leafHash(entry), hash) === 0;
