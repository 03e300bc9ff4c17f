/** What a rule of signed operations is, and what it is asked about. */
import type { AllowUrl } from "./form.ts";
import type { PassportId } from "./identifier.ts";
import type { PublicKey } from "./key.ts";
import {
  AUTHORITY_TYPES,
  type AuthorityOperation,
  type DataOperation,
  type OperationType,
  type PassportOperation,
  type Signed,
} from "./operation.ts";

export const OPERATION_BYTES_MAX = 2_048; // Room for five keys and their signatures, none for free text.

/** What is known of a passport before an operation is added to it. All of it follows from its own operations. */
export interface PassportState {
  readonly id: PassportId;
  /** The newest authority operation, and its hash. */
  readonly head: AuthorityOperation;
  readonly headHash: string;
  /** `dseq` of the newest data record; 0 when there never was one. */
  readonly dseq: number;
  /** `seq` from which today's keys and today's delegate have been in force: data signed under an older one has ended. */
  readonly keysSince: number;
  /** Where it is: in the zone of its birth, or in that of its last port. */
  readonly zone: string;
  readonly deactivated: boolean;
  /** Hash of the hold in force. */
  readonly hold: string | null;
}

/** An operation that waits before it counts. */
export interface Waiting {
  readonly hash: string;
  readonly op: PassportOperation;
  /** When it was taken in, in milliseconds since 1970. */
  readonly at: number;
}

/** What a registry remembers of one passport beside its operations. Times are milliseconds since 1970. */
export interface PassportFacts {
  /**
   * When its create was taken, or when it came from another zone. Null is as good as now: nothing is allowed for its age, so
   * a registry that does not know begins to count.
   */
  readonly createdAt: number | null;
  /** When today's authority keys came into force, or came from another zone with it. Null is as good as now. */
  readonly authSince: number | null;
  /** When a recovery was vetoed last. */
  readonly vetoedAt: number | null;
  readonly pending: Waiting | null;
  /** The newest data record, though its keys may have ended since; null where none is kept. */
  readonly data: DataOperation | null;
  /** What waited is being brought into force, or the root orders a port: its wait is over and is not asked about again. */
  readonly isOrdered: boolean;
}

/** Of a passport that is not there yet. */
export const NO_FACTS: PassportFacts = Object.freeze({
  createdAt: null,
  authSince: null,
  vetoedAt: null,
  pending: null,
  data: null,
  isOrdered: false,
});

/** What only a registry knows: who it is, whom it has accredited, what time it is, and what waits. */
export interface RegistryFacts extends PassportFacts {
  readonly zones: readonly string[];
  /** Keys with which a registrar may sponsor today; empty for a name that is not accredited, or suspended. */
  registrarKeys(name: string): readonly PublicKey[];
  /** Origins that a host's delegate key may name as storage; empty for a key of a host that is not known. */
  storageOrigins(delegate: PublicKey): readonly string[];
  /** The keys that sign in a zone's name, from the root's record; empty for a zone that is not listed. */
  zoneKeys(zone: string): readonly PublicKey[];
  /** The keys that may sign an erasure beside this zone's own. */
  legalKeys(): readonly PublicKey[];
  /** Milliseconds since 1970. */
  now(): number;
}

export interface RuleOptions {
  /** Exempts origins from the rule that addresses are public and https. */
  readonly allowUrl?: AllowUrl;
  readonly operationBytesMax?: number;
  /** For readers: the keys of a zone, by the root's record. Without them no hold can be believed. */
  readonly zoneKeys?: (zone: string) => readonly PublicKey[];
  /** Asks the rules that only a registry can answer, too. */
  readonly registry?: RegistryFacts;
}

/** One operation under test. A rule may take for granted that all rules above it hold. */
export interface Candidate {
  readonly signed: Signed;
  readonly state: PassportState | null;
  readonly options: RuleOptions;
}

export interface Rule {
  readonly id: string;
  /** The rule as a sentence. */
  readonly says: string;
  /** Operations it is about. */
  readonly on: readonly OperationType[];
  /** `registry`: only whoever accepts operations can tell; whoever reads a passport later cannot. */
  readonly by: "everyone" | "registry";
  /** Broken by being late, not by being wrong: answered with the present sequence numbers. */
  readonly conflict: boolean;
  /** @returns what is wrong, or null. */
  readonly check: (candidate: Candidate) => string | null | Promise<string | null>;
}

export const AUTHORITY: readonly OperationType[] = AUTHORITY_TYPES;
/** The chain after its genesis. */
export const AFTER: readonly OperationType[] = AUTHORITY.filter((type) => type !== "create");
/** All with `seq` and `prev`. */
export const LINKED: readonly OperationType[] = [...AUTHORITY, "erase"];
export const ALL: readonly OperationType[] = [...LINKED, "veto", "hold", "unhold", "data"];

type Check<T> = (op: T, candidate: Candidate) => string | null | Promise<string | null>;

export function rule(
  id: string,
  says: string,
  on: readonly OperationType[],
  check: Rule["check"],
  kinds: readonly ("conflict" | "registry")[] = [],
): Rule {
  return {
    id,
    says,
    on,
    by: kinds.includes("registry") ? "registry" : "everyone",
    conflict: kinds.includes("conflict"),
    check,
  };
}

/** For rules below `fields`, where the operation has the type it names. */
export const about =
  <T extends PassportOperation>(check: Check<T>): Rule["check"] =>
  (candidate) =>
    check(candidate.signed.op as T, candidate);

export const flaw = (isWrong: boolean, detail: string): string | null => (isWrong ? detail : null);
