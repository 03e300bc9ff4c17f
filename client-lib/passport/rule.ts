/** What a rule of signed operations is, and what it is asked about. */
import type { AllowUrl } from "./form.ts";
import type { PassportId } from "./identifier.ts";
import type { PublicKey } from "./key.ts";
import type { AuthorityOperation, OperationType, PassportOperation, Signed } from "./operation.ts";

export const OPERATION_BYTES_MAX = 2_048; // Room for five keys and their signatures, none for free text.

/** What is known of a passport before an operation is added to it. */
export interface PassportState {
  readonly id: PassportId;
  /** The newest authority operation, and its hash. */
  readonly head: AuthorityOperation;
  readonly headHash: string;
  /** `dseq` of the newest data record; 0 when there never was one. */
  readonly dseq: number;
}

/** What only a registry knows: who it is, and whom it has accredited. */
export interface RegistryFacts {
  readonly zones: readonly string[];
  /** Keys of an accredited registrar; empty for a name that is not accredited. */
  registrarKeys(name: string): readonly PublicKey[];
  /** Origins that a host's delegate key may name as storage; empty for a key of a host that is not known. */
  storageOrigins(delegate: PublicKey): readonly string[];
}

export interface RuleOptions {
  /** Exempts origins from the rule that addresses are public and https. */
  readonly allowUrl?: AllowUrl;
  readonly operationBytesMax?: number;
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

export const ALL: readonly OperationType[] = ["create", "rotate", "data"];
export const AUTHORITY: readonly OperationType[] = ["create", "rotate"];

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
