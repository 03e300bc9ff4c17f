/** Logs read from tiles, which any web server can serve: entries, and the proofs that they are there. */
import type { Bytes } from "../passport/bytes.ts";
import { PassportError } from "../passport/verify.ts";
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from "./merkle.ts";

/** Hashes of a tile, entries of a bundle. @see https://c2sp.org/tlog-tiles */
export const TILE_WIDTH = 256;

/** A level of hashes, or the entries themselves. */
export type TileLevel = number | "entries";

/** @param path Below the log's address, such as `tile/0/x001/234`. @returns null for what is not there. */
export type FetchTile = (path: string) => Promise<Bytes | null>;

const broken = (detail: string): PassportError => new PassportError("tile", detail);

/** @param width 1 to 256; below 256 the tile is partial. */
export function tilePath(level: TileLevel, index: number, width: number = TILE_WIDTH): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const last = groups.pop() ?? "000";
  const name = [...groups.map((group) => `x${group}`), last].join("/");
  return `tile/${level}/${name}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

export interface TileName {
  readonly level: TileLevel;
  readonly index: number;
  readonly width: number;
}

/** The one spelling of each tile. @returns null for any other. */
export function parseTilePath(path: string): TileName | null {
  const [, levelText, name, widthText] =
    /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  if (levelText === undefined || name === undefined) return null;
  const level = levelText === "entries" ? levelText : Number(levelText);
  const index = Number(name.replaceAll(/[x/]/g, ""));
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  const isOne = (level === "entries" || level < 64) && Number.isSafeInteger(index);
  return isOne && tilePath(level, index, width) === path ? { level, index, width } : null;
}

/** How many hashes, or entries, this tile has in a tree of that size; 0 when it has none. */
export function tileWidth(level: TileLevel, index: number, size: number): number {
  const nodes = Math.floor(size / TILE_WIDTH ** (level === "entries" ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH));
}

/** The entries of a bundle, in their order. @throws PassportError `tile` */
export function decodeEntries(bytes: Uint8Array): readonly Bytes[] {
  const entries: Bytes[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const entry = bytes.slice(at + 2, at + 2 + length);
    if (at + 2 > bytes.length || entry.length < length)
      throw broken("A bundle of entries ends in the middle of one");
    entries.push(entry);
    at += 2 + length;
  }
  return entries;
}

/** @throws Error for an entry that is longer than a bundle can say. */
export function encodeEntries(entries: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new Error("An entry of a log has at most 65,535 bytes");
    bytes.set([entry.length >> 8, entry.length & 0xff], at);
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/** The partial tile of this size, or the full one that has taken its place since. @throws PassportError `tile` */
async function fetchAny(
  fetchTile: FetchTile,
  level: TileLevel,
  index: number,
  width: number,
): Promise<Bytes> {
  const bytes = await fetchTile(tilePath(level, index, width));
  if (bytes) return bytes;
  const full = width === TILE_WIDTH ? null : await fetchTile(tilePath(level, index));
  if (!full) throw broken(`${tilePath(level, index, width)} is not there`);
  return full;
}

/**
 * Entries from `from` up to `to` (without it), as somebody serves them. Nothing here proves them: hash them into a tree
 * and hold its root against a checkpoint.
 * @param size Of a tree that is published, so that the last tile is known by its width.
 * @throws PassportError `tile` when one is missing or is not whole.
 */
export async function* readLeaves(
  fetchTile: FetchTile,
  from: number,
  to: number,
  size: number,
): AsyncGenerator<Bytes> {
  if (from < 0 || to > size) throw new RangeError("The tree has no such entries");
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1) {
    const width = tileWidth("entries", index, size);
    const entries = decodeEntries(await fetchAny(fetchTile, "entries", index, width));
    if (entries.length < width) throw broken(`${tilePath("entries", index, width)} has too few entries`);
    const first = index * TILE_WIDTH;
    yield* entries.slice(Math.max(0, from - first), Math.min(width, to - first));
  }
}

/** The largest power of two below `count`: where RFC 6962 parts a tree. */
export function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Hashes of a tree of one size, read from its tiles and kept while proofs are made. */
function createReader(fetchTile: FetchTile, size: number) {
  const tiles = new Map<string, Promise<Bytes>>();

  const tile = (level: number, index: number): Promise<Bytes> => {
    const name = `${level}/${index}`;
    const known = tiles.get(name);
    if (known) return known;
    const width = tileWidth(level, index, size);
    const read = fetchAny(fetchTile, level, index, width).then((bytes) => {
      const isWhole = bytes.length % HASH_BYTES === 0 && bytes.length >= width * HASH_BYTES;
      if (!isWhole) throw broken(`${tilePath(level, index, width)} is not whole`);
      return bytes;
    });
    tiles.set(name, read);
    return read;
  };

  /** The hash over `count` neighbours of a level, a power of two of them. */
  const fold = async (level: number, first: number, count: number): Promise<Bytes> => {
    if (count === 1) {
      const at = (first % TILE_WIDTH) * HASH_BYTES;
      return (await tile(level, Math.floor(first / TILE_WIDTH))).slice(at, at + HASH_BYTES);
    }
    const [left, right] = await Promise.all([
      fold(level, first, count / 2),
      fold(level, first + count / 2, count / 2),
    ]);
    return nodeHash(left, right);
  };

  /** Of the leaves from `from` up to `to`. A part that RFC 6962 cuts off is full, or is the end of the tree. */
  const hashOf = async (from: number, to: number): Promise<Bytes> => {
    const count = to - from;
    const split = splitOf(count);
    if (split * 2 !== count && count !== 1)
      return nodeHash(await hashOf(from, from + split), await hashOf(from + split, to));
    let [level, width] = [0, count];
    while (width >= TILE_WIDTH) [level, width] = [level + 1, width / TILE_WIDTH];
    return fold(level, from / TILE_WIDTH ** level, width);
  };

  return { hashOf };
}

/** The root of a tree, as its tiles have it. @throws PassportError `tile` */
export async function rootOfTiles(fetchTile: FetchTile, size: number): Promise<Bytes> {
  return size === 0 ? EMPTY_ROOT : createReader(fetchTile, size).hashOf(0, size);
}

/**
 * Siblings of a leaf, from the leaf up.
 * @throws PassportError `tile` when one is missing or not whole; whether the tiles are true, only the verifier finds.
 */
export async function proveInclusion(
  fetchTile: FetchTile,
  index: number,
  size: number,
): Promise<readonly Bytes[]> {
  if (index < 0 || index >= size) throw new RangeError("The tree has no such entry");
  const { hashOf } = createReader(fetchTile, size);
  const path: Promise<Bytes>[] = [];
  for (let [from, to] = [0, size]; to - from > 1; ) {
    const middle = from + splitOf(to - from);
    path.push(index < middle ? hashOf(middle, to) : hashOf(from, middle));
    [from, to] = index < middle ? [from, middle] : [middle, to];
  }
  return (await Promise.all(path)).toReversed();
}

/** That the tree of `size1` leaves is the beginning of the tree of `size2`. @throws PassportError `tile` */
export async function proveConsistency(
  fetchTile: FetchTile,
  size1: number,
  size2: number,
): Promise<readonly Bytes[]> {
  if (size1 < 0 || size1 > size2) throw new RangeError("The older tree is the smaller one");
  if (size1 === 0 || size1 === size2) return [];
  const { hashOf } = createReader(fetchTile, size2);
  const path: Promise<Bytes>[] = [];
  let [from, to] = [0, size2];
  while (to !== size1) {
    const middle = from + splitOf(to - from);
    path.push(size1 <= middle ? hashOf(middle, to) : hashOf(from, middle));
    [from, to] = size1 <= middle ? [from, middle] : [middle, to];
  }
  if (from > 0) path.push(hashOf(from, to)); // Of a full tree the verifier has the root already.
  return (await Promise.all(path)).toReversed();
}
