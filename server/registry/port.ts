/** What a zone offers to the doors, to mirrors and to the pods of the same process. `zone/` implements it. */
import type {
  Absence,
  Bundle,
  DataOperation,
  EpochProof,
  Head,
  HoldOperation,
  Leaf,
  MapEnd,
  OperationType,
  PassportId,
  PassportState,
  Shard,
  Signed,
} from "@freehold/client/registry";

/** The newest checkpoint that the quorum has signed, and what all answers of its epoch share. */
export interface Published extends EpochProof {
  readonly zone: string;
  /** Leaves of the log. */
  readonly size: number;
  /** Root of the log, 32 bytes, base64url. */
  readonly logRoot: string;
  /** The signed note, with the newest cosignatures. */
  readonly checkpoint: string;
  /** Milliseconds since 1970 at which the checkpoint was first published. */
  readonly at: number;
}

/** A dangerous operation that waits before it counts. */
export interface Pending {
  readonly hash: string;
  readonly type: OperationType;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly effectiveAt: number;
  readonly signed: Signed;
}

/** A passport that is here. */
export interface Present {
  readonly kind: "present";
  readonly id: PassportId;
  /** The JSON text of {@link Bundle.head}, made once per change. */
  readonly head: string;
  readonly opening: string;
  readonly map: readonly string[];
  /** The commitment, base64url: changes whenever the head does. */
  readonly commit: string;
  readonly state: PassportState;
  readonly data: Signed<DataOperation> | null;
  readonly registrar: string;
  readonly deactivated: boolean;
  readonly hold: Signed<HoldOperation> | null;
  readonly pending: Pending | null;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
}

/** What one snapshot says of an identifier. All but `present` carry the path that proves that the map has no such key. */
export type Finding =
  | Present
  | {
      readonly kind: "absent";
      readonly id: PassportId;
      /** It ended here, though it began elsewhere: the zone of its birth would only send whoever asks back again. */
      readonly endedHere?: true;
      readonly map: readonly string[];
      readonly end: MapEnd;
    }
  /** `at`: milliseconds since 1970; for 30 days after, then it is absent. */
  | {
      readonly kind: "erased";
      readonly id: PassportId;
      readonly at: number;
      readonly map: readonly string[];
      readonly end: MapEnd;
    }
  | {
      readonly kind: "ported";
      readonly id: PassportId;
      readonly to: string;
      readonly map: readonly string[];
      readonly end: MapEnd;
    };

/** Findings and the epoch that they are true of. */
export interface Found<T> {
  readonly published: Published;
  readonly findings: T;
}

export type OperationStanding =
  | { readonly state: "effective"; readonly epoch: number; readonly index: number }
  | { readonly state: "pending"; readonly effectiveAt: number }
  | { readonly state: "vetoed" | "superseded" | "refused"; readonly reason: string };

/** What became of an operation that was sent. */
export interface Accepted {
  readonly id: PassportId;
  readonly hash: string;
  readonly aseq: number;
  readonly dseq: number;
  /** False when this very operation had been taken before. */
  readonly isNew: boolean;
  readonly standing: OperationStanding;
  /** The published checkpoint that the operation is proved by; the one before for what waits. */
  readonly published: Published;
}

/** How an operation is taken, beside what it says itself. */
export interface Submission {
  /** What quotas are counted by, if not by the passport alone. */
  readonly ip?: string;
  /**
   * A passport that comes from another zone: all of it, as that zone or a mirror proved it last. Only with a `port`
   * whose time has come, by the root's order.
   */
  readonly arriving?: Bundle;
  /** A passport that this server had before it had a log, with its create: it begins here with all that it had become. */
  readonly adopting?: {
    readonly head: Head;
    /** Of its newest data record, also where that is gone. */
    readonly dseq: number;
    /** Milliseconds since 1970. */
    readonly created: number;
  };
}

/** One passport as mirrors keep it. */
export interface Replica {
  readonly id: PassportId;
  readonly headKey: string;
  readonly opening: string;
  readonly head: unknown;
  readonly created: number;
  readonly updated: number;
  /** What whoever must continue the zone one day needs beside the operations, as the zone keeps it. */
  readonly createdAt: number | null;
  readonly authSince: number | null;
  readonly vetoedAt: number | null;
  readonly pending: Pending | null;
}

/** One zone, in this process: its sequencer, its log, its map, and all its passports. */
export interface Zone {
  readonly name: string;
  /** Changes at New Year, UTC. */
  shard(): Shard;
  /** The newest; never older than what {@link find} answers by. */
  published(): Published;
  /** @returns what stops listening. Called after each publication, and when cosignatures were renewed. */
  onPublished(listener: (published: Published) => void): () => void;
  find(id: PassportId): Promise<Found<Finding>>;
  /** In their order, all from one snapshot. At most `batchIdentifiersMax`. */
  findAll(ids: readonly PassportId[]): Promise<Found<readonly Finding[]>>;
  /**
   * Takes an operation. Answers only when it is in a published checkpoint, or waits durably. Sent twice, it is taken once.
   * @throws Problem `operation-invalid` with the rule, `conflict` with the present sequence numbers, `not-found`,
   * `too-many-requests`, `unavailable` while no quorum of witnesses answers.
   */
  submit(source: string | object, submission?: Submission): Promise<Accepted>;
  /** @returns null for an operation that was never sent here. */
  operation(hash: string): Promise<OperationStanding | null>;
  /** Logs the hash of a record of governance (registrar, vendor, sanction, pin, refusal). @returns its index in the log. */
  govern(hash: Uint8Array): Promise<{ readonly index: number; readonly published: Published }>;
  /** Leaves from `from` up to `to` (without it), from the log of the present shard. */
  leaves(from: number, to: number): AsyncIterable<Leaf>;
  /** For mirrors. @param after The `next` of the page before; null for the first. */
  replicas(
    after: string | null,
    most: number,
  ): Promise<{ readonly heads: readonly Replica[]; readonly next: string | null }>;
  /** For mirrors: these, as far as they are here. */
  replicasOf(headKeys: readonly string[]): Promise<readonly Replica[]>;
  /** Brings what waits into force, renews cosignatures, begins a new year: called by a timer, and by tests. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

/** For answers that carry no passport. */
export const absenceOf = (
  published: Published,
  finding: Extract<Finding, { readonly map: readonly string[]; readonly end: MapEnd }>,
): Absence => {
  const { shard, rootLeaf, log, checkpoint } = published;
  return {
    id: finding.id,
    absence: { shard, map: finding.map, end: finding.end, rootLeaf, log },
    checkpoint,
  };
};
