/** What the parts of the registry say to each other: answers that prove themselves, zones, and the root's record of them. */
import type { PassportId } from "../passport/identifier.ts";
import type { PublicKey } from "../passport/key.ts";
import type {
  AuthorityOperation,
  DataOperation,
  HoldOperation,
  KeySet,
  Signed,
} from "../passport/operation.ts";

/** One log and one map: a zone and a calendar year in UTC, such as `ch/2026`. The root's own is `root/2026`. */
export type Shard = string;

/** The leaf that ends every published checkpoint: which map holds. */
export interface RootLeaf {
  /** Grows by one with every published checkpoint of a shard; 1 is the first. */
  readonly epoch: number;
  /** Keys in the map. */
  readonly count: number;
  /** Root of the prefix map, 32 bytes, base64url. */
  readonly root: string;
}

/** What all answers of one epoch share. */
export interface EpochProof {
  readonly shard: Shard;
  readonly rootLeaf: RootLeaf;
  /** Inclusion of the root leaf: `index` is the size of the checkpoint less one; the path goes from the leaf up. */
  readonly log: { readonly index: number; readonly path: readonly string[] };
}

/**
 * A passport's own operations, whole. The head record that is committed to is made of them alone: while there is no data,
 * `d` is null and `dseq` 0.
 */
export interface Head {
  /** Genesis first. */
  readonly auth: readonly Signed<AuthorityOperation>[];
  readonly data: Signed<DataOperation> | null;
  /** Only while the zone holds it. */
  readonly hold?: Signed<HoldOperation>;
}

/** A resolution: verified offline, with nothing but the root's record. */
export interface Bundle {
  readonly id: PassportId;
  readonly head: Head;
  readonly proof: EpochProof & {
    /** 32 random bytes of which, with the head, the commitment is made. */
    readonly opening: string;
    /** Siblings from the root of the map down to the leaf: the first is that of the key's first bit; "" where there is none. */
    readonly map: readonly string[];
  };
  /** A signed note with the zone's signature and those of its witnesses. @see https://c2sp.org/tlog-checkpoint */
  readonly checkpoint: string;
}

/** Where a path through the map ends for a key that is not in it: nowhere (null), or at the only key of that subtree. */
export type MapEnd = { readonly key: string; readonly commit: string } | null;

/** The proof that a zone knows of no such passport. */
export interface Absence {
  readonly id: PassportId;
  readonly absence: EpochProof & { readonly map: readonly string[]; readonly end: MapEnd };
  readonly checkpoint: string;
}

export type ZoneStatus = "active" | "emergency" | "failed" | "delisted";

/** A zone in the root's record. */
export interface ZoneRecord {
  readonly operator: string;
  readonly kind: "country" | "neutral" | "private";
  /** Base addresses that answer for the zone, its own first, mirrors after. Each ends in a slash. */
  readonly urls: readonly string[];
  readonly log: {
    /** The log of a year has the origin `${origin}/${year}`. */
    readonly origin: string;
    /** Signs its checkpoints (Ed25519, signed-note type 1). */
    readonly key: PublicKey;
    /** The log of a year is served at `${url}${year}/`. */
    readonly url: string;
  };
  /** The zone signs holds, ports that it takes in, sanctions and entries with one of these. */
  readonly keys: readonly PublicKey[];
  /** May sign an erasure or a hold beside the zone, with a case. */
  readonly legalKeys: readonly PublicKey[];
  /** Witnesses and quorum, without the `log` line. @see https://c2sp.org/tlog-policy */
  readonly policy: string;
  readonly status: ZoneStatus;
  /** Who takes over when the zone fails; null where nobody is named. */
  readonly escrow: string | null;
}

/** Everything that a client must trust: signed by the root's keys, each version by those of the version before. */
export interface RootRecord {
  readonly v: 1;
  /** 1, 2, 3, … */
  readonly version: number;
  /** SHA-256 of the record before (its JCS bytes after the tag DCANN-root-v1), base64url; null in the first. */
  readonly prev: string | null;
  /** UTC to the second. */
  readonly publication: string;
  readonly description: string;
  /** Who signs the next version. */
  readonly keys: KeySet;
  /** RDAP bootstrap: zones and the addresses that answer for them. @see https://www.rfc-editor.org/rfc/rfc9224 */
  readonly services: readonly (readonly [zones: readonly string[], urls: readonly string[]])[];
  readonly zones: Readonly<Record<string, ZoneRecord>>;
  /** The root's own log (ported passports, inbox, versions of this record) and its policy; `keys` sign in its name. */
  readonly root: Pick<ZoneRecord, "urls" | "log" | "policy" | "keys">;
}

export interface SignedRootRecord {
  readonly record: RootRecord;
  /** `k` counts in the keys of the version before; in the first, in its own. */
  readonly sigs: readonly { readonly k: number; readonly s: string }[];
  /**
   * Only where `keys` are not those of the version before: signatures that count in the record's own keys, so that nobody
   * hands the root over to keys that no one has, and that a reader without a pin can check something.
   */
  readonly own?: readonly { readonly k: number; readonly s: string }[];
}

/** A leaf of a log: nothing in it says whom it is about. */
export type Leaf =
  | { readonly kind: "set"; readonly headKey: Uint8Array; readonly commit: Uint8Array }
  | { readonly kind: "root"; readonly epoch: number; readonly count: number; readonly root: Uint8Array }
  | { readonly kind: "delete"; readonly headKey: Uint8Array }
  | { readonly kind: "governance"; readonly hash: Uint8Array };
