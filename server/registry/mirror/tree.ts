/**
 * A copy of a log: its tiles, as files that any web server can serve. Every entry is held against the signed tree before it is
 * kept, so that a mirror serves nothing that its source made up.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeLeaf,
  encodeBase64url,
  type FetchTile,
  parseShard,
  proveInclusion,
  type RootLeaf,
  readLeaves,
  type Shard,
  type SignedTree,
  sameBytes,
} from "@freehold/client/registry";
import { makeFolder, writeDurably } from "../../store/durable.ts";
import { leafHash } from "../log/hash.ts";
import { createTiles, type Tiles } from "../log/tiles.ts";
import { appendHashes, EMPTY_TREE, rootOf, type Tree } from "../log/tree.ts";
import { isOneHistory } from "../pins/history.ts";
import type { Published } from "../port.ts";
import type { LogSource } from "./source.ts";

/** What a source shows cannot be: it is not copied, and what was copied before is served on. */
export class SourceRefused extends Error {
  override readonly name = "SourceRefused";
  readonly kind: "behind" | "other-history" | "forged";

  constructor(kind: SourceRefused["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A checkpoint as its log has signed it. */
export interface SignedText {
  readonly text: string;
  readonly tree: SignedTree;
}

export interface TreeCopy {
  readonly shard: Shard;
  /** What is complete here; null before the first copy is. */
  published(): Published | null;
  readonly fetchTile: FetchTile;
  /**
   * Copies up to a tree, and checks all of it.
   * @param progress Called with leaves copied so far, and how many there are.
   * @throws SourceRefused, PassportError, Error when the source does not answer.
   */
  bringTo(
    source: LogSource,
    signed: SignedText,
    progress?: (done: number, total: number) => void,
  ): Promise<Published>;
  /** Shows what was brought here: only once whatever belongs to it is here, too. */
  show(published: Published): Promise<void>;
}

interface Kept {
  readonly size: number;
  readonly frontier: readonly string[];
  readonly published: Published | null;
}

const LEAVES_AT_ONCE = 16_384; // A megabyte, and one proof of consistency for each.

async function readKept(path: string): Promise<Kept | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

const decode = (text: string): Buffer => Buffer.from(text, "base64url");

/**
 * @param folder The mirror's: files of the log are in `registry/{zone}/{year}/` of it, as in a zone's own.
 * @param now Says when a checkpoint was copied.
 */
export async function openTreeCopy(folder: string, shard: Shard, now: () => Date): Promise<TreeCopy> {
  const { zone, year } = parseShard(shard);
  const tiles: Tiles = createTiles(join(folder, "registry", zone, String(year)));
  const path = join(folder, "mirror", `${zone}-${year}.json`);
  const kept = await readKept(path);
  let tree: Tree = kept ? { size: kept.size, frontier: kept.frontier.map(decode) } : EMPTY_TREE;
  let published = kept?.published ?? null;

  async function keep(): Promise<void> {
    await makeFolder(join(folder, "mirror"));
    const state: Kept = { size: tree.size, frontier: tree.frontier.map(encodeBase64url), published };
    await writeDurably(path, Buffer.from(JSON.stringify(state)));
  }

  async function requireSameHistory(source: LogSource, signed: SignedTree): Promise<void> {
    if (signed.size < tree.size)
      throw new SourceRefused(
        "behind",
        `The source shows ${signed.size} leaves; here are ${tree.size} already`,
      );
    const own = { size: tree.size, root: rootOf(tree) };
    if (tree.size > 0 && (await isOneHistory(source.fetchTile, own, signed)) !== true)
      throw new SourceRefused(
        "other-history",
        "The source shows a log that does not go on from what is here",
      );
  }

  /** Whether these entries are those of the signed tree. */
  async function append(
    source: LogSource,
    signed: SignedTree,
    entries: readonly Uint8Array[],
  ): Promise<void> {
    const grown = appendHashes(tree, entries.map(leafHash));
    const isPart = await isOneHistory(source.fetchTile, { size: grown.size, root: rootOf(grown) }, signed);
    if (isPart !== true)
      throw new SourceRefused("forged", "The source serves entries that are not in the signed tree");
    await tiles.append(tree.size, entries);
    tree = grown;
    await keep();
  }

  async function rootLeafOf({ size }: SignedTree): Promise<RootLeaf> {
    for await (const entry of readLeaves(tiles.fetch, size - 1, size, size)) {
      const leaf = decodeLeaf(entry);
      if (leaf.kind !== "root") break;
      return { epoch: leaf.epoch, count: leaf.count, root: encodeBase64url(leaf.root) };
    }
    throw new SourceRefused("forged", "The log does not end with the root of its map");
  }

  return {
    shard,
    published: () => published,
    fetchTile: tiles.fetch,
    async bringTo(source, { text, tree: signed }, progress) {
      await requireSameHistory(source, signed);
      let entries: Uint8Array[] = [];
      for await (const entry of readLeaves(source.fetchTile, tree.size, signed.size, signed.size)) {
        entries.push(entry);
        if (entries.length < LEAVES_AT_ONCE) continue;
        await append(source, signed, entries);
        progress?.(tree.size, signed.size);
        entries = [];
      }
      if (entries.length > 0) await append(source, signed, entries);
      const isSame = published?.size === signed.size && sameBytes(decode(published.logRoot), signed.root);
      const rootLeaf = isSame && published ? published.rootLeaf : await rootLeafOf(signed);
      const log =
        isSame && published
          ? published.log
          : {
              index: signed.size - 1,
              path: (await proveInclusion(tiles.fetch, signed.size - 1, signed.size)).map(encodeBase64url),
            };
      return {
        zone,
        shard,
        rootLeaf,
        log,
        size: signed.size,
        logRoot: encodeBase64url(signed.root),
        checkpoint: text,
        at: isSame && published ? published.at : now().getTime(),
      };
    },
    async show(next) {
      published = next;
      await tiles.writeCheckpoint(next.checkpoint);
      await keep();
    },
  };
}
