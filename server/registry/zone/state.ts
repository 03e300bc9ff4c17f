/** What a zone keeps of a passport, and of its own epochs: the records and where they stand. */
import type {
  AuthorityOperation,
  DataOperation,
  HoldOperation,
  OperationType,
  PassportId,
  PassportState,
  Shard,
  Signed,
} from "@freehold/client/registry";
import { decodeRecord } from "../../store/record.ts";
import type { Entry, Snapshot } from "../../store/store.ts";
import { headKeyOf } from "../log/hash.ts";

/**
 * Table `registry` of the zone's pod. Group → item:
 * "head" → id · "key/{shard}" → headKey (base64url), the id · "map/{shard}" → a block's prefix ·
 * "leaves/{shard}" → number of a tile · "epoch" → "published", "staged", "turn" · "operation" → hash, its standing ·
 * "names/{shard}" → the keys' beginning, in a mirror instead of "key" · "operations/{id}" → hash · "due/{hour}" → id · "gone" → id · "erased/{shard}" → headKey · "count/{day}" → registrar.
 */
export const REGISTRY = "registry";

export const mapGroup = (shard: Shard): string => `map/${shard}`;
export const keyGroup = (shard: Shard): string => `key/${shard}`;
export const namesGroup = (shard: Shard): string => `names/${shard}`;
/** A log is served for so many years after its last day. */
export const YEARS_SERVED = 2;

/** Keys of the map that were erased: no more than the public log tells, for as long as it is served. */
export const erasedGroup = (shard: Shard): string => `erased/${shard}`;

/** @param shard The present year's. @returns whether a passport was erased here, for as long as a log is served that tells of it. */
export async function wasErased(snapshot: Snapshot, shard: Shard, id: PassportId): Promise<boolean> {
  const [zone, year] = shard.split("/");
  for (let past = 0; past <= YEARS_SERVED; past += 1) {
    const then: Shard = `${zone}/${Number(year) - past}`;
    const key = Buffer.from(headKeyOf(then, id)).toString("base64url");
    if (await snapshot.get(REGISTRY, erasedGroup(then), key)) return true;
  }
  return false;
}

/** The blocks of a shard's map, for `../map/map.ts`. */
export const blocksOf =
  (snapshot: Snapshot, shard: Shard) =>
  (prefix: string): Promise<Entry | null> =>
    snapshot.get(REGISTRY, mapGroup(shard), prefix);

/** What can be said of a passport without opening its operations. */
export interface HeadFields {
  readonly id: PassportId;
  /** base64url, of the present shard. */
  readonly headKey: string;
  readonly opening: string;
  readonly commit: string;
  /** Of the newest authority operation. */
  readonly headHash: string;
  readonly aseq: number;
  readonly dseq: number;
  /** Null when there is no data record in force. */
  readonly dataHash: string | null;
  /** As in `PassportState`. */
  readonly keysSince: number;
  readonly zone: string;
  readonly deactivated: boolean;
  readonly hold: string | null;
  readonly registrar: string;
  /** Milliseconds since 1970: when it came here, and when it changed last. */
  readonly created: number;
  readonly updated: number;
  /** As in `PassportFacts`: null where it is not known. */
  readonly createdAt: number | null;
  readonly authSince: number | null;
  readonly vetoedAt: number | null;
  /** When operations were taken in the last week: authority's, and data. */
  readonly taken: readonly number[];
  readonly spoken: readonly number[];
  /** What waits; its text is part of no head. */
  readonly pending: PendingFields | null;
  /** The data record that new keys have ended: the next one is held against it. */
  readonly former?: DataOperation;
  readonly next?: NextFields;
}

export interface PendingFields {
  readonly hash: string;
  readonly type: OperationType;
  readonly at: number;
  readonly effectiveAt: number;
  readonly signed: Signed;
}

/** What the next year's shard will have of it: written while that is made, and in force from its first epoch on. */
export interface NextFields {
  readonly shard: Shard;
  readonly headKey: string;
  readonly opening: string;
  readonly commit: string;
}

/** A passport's own operations, parsed. */
export interface HeadParts {
  readonly auth: readonly Signed<AuthorityOperation>[];
  readonly data: Signed<DataOperation> | null;
  readonly hold?: Signed<HoldOperation>;
}

/** A passport as it is stored: the JSON text of its head stays text until somebody asks for what is in it. */
export interface StoredHead extends HeadFields {
  /** The JSON text of `Bundle.head`. */
  readonly text: string;
  readonly parts: HeadParts;
  readonly state: PassportState;
}

const decoder = new TextDecoder();
const decoded = new WeakMap<Entry, StoredHead>();

/** @returns a head whose operations are parsed when they are first asked for. */
export function headOf(fields: HeadFields, text: string): StoredHead {
  let parts: HeadParts | null = null;
  let state: PassportState | null = null;
  return {
    ...fields,
    text,
    get parts() {
      parts ??= JSON.parse(text) as HeadParts;
      return parts;
    },
    get state() {
      state ??= stateOf(fields, this.parts);
      return state;
    },
  };
}

function stateOf(fields: HeadFields, { auth }: HeadParts): PassportState {
  const head = auth.at(-1)?.op;
  if (!head) throw new Error("A head without operations");
  const { id, headHash, dseq, keysSince, zone, deactivated, hold } = fields;
  return { id, head, headHash, dseq, keysSince, zone, deactivated, hold };
}

/** Four bytes for the length of the fields, the fields, and the text of the head. */
export function encodeHead(fields: HeadFields, text: string): Uint8Array {
  const header = JSON.stringify(fields);
  const record = Buffer.from(`\0\0\0\0${header}${text}`); // In one go: of each passport that is copied, this is a part.
  record.writeUInt32BE(Buffer.byteLength(header));
  return record;
}

/** Parsed once per version of the record. */
export function decodeHead(entry: Entry): StoredHead {
  let head = decoded.get(entry);
  if (head) return head;
  const { value } = entry;
  const length = new DataView(value.buffer, value.byteOffset).getUint32(0);
  const fields = JSON.parse(decoder.decode(value.subarray(4, 4 + length))) as HeadFields;
  head = headOf(fields, decoder.decode(value.subarray(4 + length)));
  decoded.set(entry, head);
  return head;
}

/** As the published shard has it: at New Year the next one's fields are there before it is published. */
export const inShard = (head: StoredHead, shard: Shard): StoredHead =>
  head.next?.shard === shard ? headOf({ ...head, ...head.next }, head.text) : head;

/** @returns null for a passport that is not here. */
export async function readHead(snapshot: Snapshot, id: PassportId): Promise<StoredHead | null> {
  const entry = await snapshot.get(REGISTRY, "head", id);
  return entry && decodeHead(entry);
}

/** What is left of a passport that has gone: for 30 days after an erasure, and for good where it went elsewhere. */
export type GoneRecord =
  | { readonly kind: "erased"; readonly at: number }
  | { readonly kind: "ported"; readonly at: number; readonly to: string };

export async function readGone(snapshot: Snapshot, id: PassportId): Promise<GoneRecord | null> {
  const entry = await snapshot.get(REGISTRY, "gone", id);
  return entry && decodeRecord<GoneRecord>(entry);
}

/** Group "epoch", item "published": all of it that every reader needs. */
export interface PublishedRecord {
  /** `ch/2026` */
  readonly shard: Shard;
  /** Grows with each publication of this zone, over all years. */
  readonly turn: number;
  readonly size: number;
  /** base64url each. */
  readonly logRoot: string;
  /** Hashes of the complete subtrees at the log's right edge, the largest first. */
  readonly frontier: readonly string[];
  readonly rootLeaf: { readonly epoch: number; readonly count: number; readonly root: string };
  readonly logPath: readonly string[];
  /** The signed note with the cosignatures that made its quorum. */
  readonly checkpoint: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Parsed once per version. @returns null before the first epoch. */
export async function readPublished(snapshot: Snapshot): Promise<PublishedRecord | null> {
  const entry = await snapshot.get(REGISTRY, "epoch", "published");
  return entry && decodeRecord<PublishedRecord>(entry);
}
