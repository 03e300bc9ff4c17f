/** What a zone says of identifiers: the passport, or the proof that there is none, in one snapshot with the epoch it is true of. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { type PassportId, zoneOf } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";
import { headKeyOf } from "../log/hash.ts";
import { type MapProof, proveKey, type StoredBlock } from "../map/map.ts";
import type { Finding, Found, Present, Published } from "../port.ts";
import {
  blocksOf,
  inShard,
  type PublishedRecord,
  readGone,
  readHead,
  readPublished,
  type StoredHead,
  wasErased,
} from "./state.ts";
import { readTurn } from "./turn.ts";

/** How long it is said that a passport was erased; then nothing tells that it ever was. */
const ERASED_MS = 30 * 24 * 3_600_000;
const FOUND_AT_ONCE = 64; // About a millisecond; then others have their turn.
const PRESENT_BYTES = 1_536; // About what the path of a passport takes, with what is known of it.
const PRESENT_BYTES_MAX = 64 * 1024 * 1024; // Some 20,000 passports, for whoever asks again within one epoch.
const BLOCK_BYTES = 512; // Beside its own,
const SUMMARIES_TIMES = 4; // and those of what was hashed of it.
const BLOCKS_BYTES_MAX = 64 * 1024 * 1024; // The whole map of some 150,000 passports.

export interface FinderDeps {
  readonly store: Store;
  /** The zone's own. */
  readonly pod: PodId;
  readonly now: () => Date;
  /** With the newest cosignatures; the same object for as long as they are. */
  readonly publishedOf: (record: PublishedRecord) => Published;
}

export interface Finder {
  find(id: PassportId): Promise<Found<Finding>>;
  /** In their order. */
  findAll(ids: readonly PassportId[]): Promise<Found<readonly Finding[]>>;
}

/** Of the newest turn: whatever changes makes another, and in the next epoch hardly a path is the same. */
interface Kept {
  readonly turn: number;
  readonly of: PublishedRecord;
  /** Passports that are here, by whatever is said of them. */
  readonly present: Lru<PassportId, Present>;
  /** The store forgets a group that is too large for its cache, with those blocks that every path begins with. */
  readonly blocks: Lru<string, StoredBlock>;
}

/** A class for its getters: most who ask for a passport want its text, and the operations in it are never parsed. */
class PresentPassport implements Present {
  readonly kind = "present";
  readonly map: readonly string[];
  readonly #head: StoredHead;

  constructor(head: StoredHead, map: readonly string[]) {
    this.#head = head;
    this.map = map;
  }

  get id(): PassportId {
    return this.#head.id;
  }

  get head(): string {
    return this.#head.text;
  }

  get opening(): string {
    return this.#head.opening;
  }

  get commit(): string {
    return this.#head.commit;
  }

  get state(): Present["state"] {
    return this.#head.state;
  }

  get data(): Present["data"] {
    return this.#head.parts.data;
  }

  get registrar(): string {
    return this.#head.registrar;
  }

  get deactivated(): boolean {
    return this.#head.deactivated;
  }

  get hold(): Present["hold"] {
    return this.#head.hold === null ? null : (this.#head.parts.hold ?? null); // Hardly anybody is held: nothing is parsed.
  }

  get pending(): Present["pending"] {
    return this.#head.pending;
  }

  get created(): number {
    return this.#head.created;
  }

  get updated(): number {
    return this.#head.updated;
  }
}

export function createFinder({ store, pod, now, publishedOf }: FinderDeps): Finder {
  let newest: Kept | null = null;

  async function prove(snapshot: Snapshot, { of, blocks }: Kept, key: Uint8Array): Promise<MapProof> {
    const readBlock = blocksOf(snapshot, of.shard);
    return proveKey(async (prefix) => {
      const known = blocks.get(prefix);
      if (known) return known;
      const stored = await readBlock(prefix);
      if (!stored) return null;
      const block: StoredBlock = { value: stored.value, summaries: new Map() };
      blocks.set(prefix, block, BLOCK_BYTES + SUMMARIES_TIMES * stored.value.length);
      return block;
    }, key);
  }

  async function findPresent(snapshot: Snapshot, kept: Kept, id: PassportId): Promise<Present | null> {
    const known = kept.present.get(id);
    if (known) return known;
    const stored = await readHead(snapshot, id);
    if (!stored) return null;
    const head = inShard(stored, kept.of.shard);
    const { path, commit } = await prove(snapshot, kept, Buffer.from(head.headKey, "base64url"));
    if (commit !== head.commit)
      throw new Problem("unavailable", "A passport is not what its zone's map says");
    const present = new PresentPassport(head, path);
    kept.present.set(id, present, PRESENT_BYTES + head.text.length);
    return present;
  }

  async function findIn(snapshot: Snapshot, kept: Kept, id: PassportId): Promise<Finding> {
    const present = await findPresent(snapshot, kept, id);
    if (present) return present;
    const headKey = headKeyOf(kept.of.shard, id);
    const { path: map, commit, end } = await prove(snapshot, kept, headKey);
    if (commit !== null) throw new Problem("unavailable", "The zone's map has a passport that is not here");
    const gone = await readGone(snapshot, id);
    if (gone?.kind === "ported") return { kind: "ported", id, to: gone.to, map, end };
    if (gone && now().getTime() < gone.at + ERASED_MS) return { kind: "erased", id, at: gone.at, map, end };
    if (kept.of.shard.startsWith(`${zoneOf(id)}/`)) return { kind: "absent", id, map, end };
    const ended = await wasErased(snapshot, kept.of.shard, id);
    return { kind: "absent", id, map, end, ...(ended && { endedHere: true }) };
  }

  async function begin(snapshot: Snapshot): Promise<Kept> {
    const { turn } = await readTurn(snapshot);
    if (newest?.turn === turn) return newest;
    const record = await readPublished(snapshot);
    if (!record) throw new Problem("unavailable", "This zone has published nothing yet");
    // What changed without an epoch has changed no block of the map.
    const isSameMap = newest?.of.turn === record.turn;
    const kept: Kept = {
      turn,
      of: record,
      present: new Lru(PRESENT_BYTES_MAX),
      blocks: newest && isSameMap ? newest.blocks : new Lru(BLOCKS_BYTES_MAX),
    };
    if (!newest || newest.turn < turn) newest = kept; // A snapshot that is held for long sees an older one.
    return kept;
  }

  return {
    find: (id) =>
      store.read(pod, async (snapshot) => {
        const kept = await begin(snapshot);
        const findings = await findIn(snapshot, kept, id);
        return { published: publishedOf(kept.of), findings };
      }),
    findAll: (ids) =>
      store.read(pod, async (snapshot) => {
        const kept = await begin(snapshot);
        const findings: Finding[] = [];
        for (const id of ids) {
          findings.push(await findIn(snapshot, kept, id));
          if (findings.length % FOUND_AT_ONCE === 0) await nextTurn();
        }
        return { published: publishedOf(kept.of), findings };
      }),
  };
}
