/** Signed operations: what they say, what bytes are signed, and by whom. */
import { type Bytes, encodeBase64url, jcs, sha256, tagged, utf8 } from "./bytes.ts";
import { canonicalText, once } from "./fixed.ts";
import type { PassportId } from "./identifier.ts";
import type { PublicKey, Signer } from "./key.ts";

export interface KeySet {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

/** Keys that are known only by their hashes until they are used. */
export interface HashSet {
  readonly hashes: readonly string[];
  readonly threshold: number;
}

export interface RecoverySet extends HashSet {
  /** How long a recovery waits for a veto: `P1D` to `P90D`. */
  readonly delay: string;
}

/** The pod's host: may keep the data record true, and nothing else. */
export interface Delegate {
  readonly key: PublicKey;
  readonly may: readonly "data"[];
}

export type Lock = "transfer" | "port";

/** Who may do what with a passport. Every operation of the chain carries all of it, so the newest one is the state. */
export interface Authority {
  readonly auth: KeySet;
  readonly next: HashSet;
  readonly recovery: RecoverySet;
  readonly delegate: Delegate;
  readonly registrar: string;
  readonly locks: readonly Lock[];
}

/** The genesis: its hash is the identifier, so its bytes can never change. */
export interface CreateOperation extends Authority {
  readonly v: 1;
  readonly t: "create";
  readonly zone: string;
  readonly seq: 0;
  readonly prev: null;
  /** 16 random bytes: two geneses with the same keys are still two passports. */
  readonly nonce: string;
}

/** What every operation after the genesis begins with: its place in the chain. */
interface Link {
  readonly v: 1;
  readonly id: PassportId;
  readonly seq: number;
  /** Hash of the authority operation before this one. */
  readonly prev: string;
}

/** The promised keys take over. Signed by its own keys; one that changes `recovery` waits. */
export interface RotateOperation extends Link, Authority {
  readonly t: "rotate";
}

/** Guardians give the passport new keys. Signed by all keys of `by`; always waits. */
export interface RecoverOperation extends Link, Authority {
  readonly t: "recover";
  /** Recovery keys, shown for the first time: the hashes of all stand in `recovery` of the operation before. */
  readonly by: readonly PublicKey[];
}

interface Change<T extends string> extends Link, Authority {
  readonly t: T;
}

/** Signed by today's keys: changes the locks, the registrar with the host, or nothing but that it is at rest. */
export type ChangeOperation =
  | Change<"lock">
  | Change<"unlock">
  | Change<"transfer">
  | Change<"deactivate">
  | Change<"reactivate">;

/** Leaves for another zone, whose key sponsors it. The zone that is left has no say. Waits. */
export interface PortOperation extends Link, Authority {
  readonly t: "port";
  /** The zone that takes it. */
  readonly to: string;
}

/** Ends the chain: nothing of the passport stays. Signed by today's keys, or by the zone and a legal key together. Waits. */
export interface EraseOperation extends Link {
  readonly t: "erase";
  /** What the zone and the legal signer act on; null when the owner signs. */
  readonly case: string | null;
}

/** Ends what waits. Signed by today's keys. */
export interface VetoOperation {
  readonly v: 1;
  readonly t: "veto";
  readonly id: PassportId;
  /** `seq` of the authority operation whose keys sign this. */
  readonly aseq: number;
  /** Hash of the operation that waits. */
  readonly of: string;
}

export const HOLD_REASONS = ["court-order", "authority-order", "fraud", "impersonation", "abuse"] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

interface Hold<T extends string> {
  readonly v: 1;
  readonly t: T;
  readonly id: PassportId;
  /** `seq` of the newest authority operation. */
  readonly aseq: number;
  readonly case: string;
  readonly reason: HoldReason;
  /** UTC to the second. */
  readonly at: string;
}

/** The zone stops answering with the passport, or goes on; it can change nothing in it. Signed by the zone alone. */
export type HoldOperation = Hold<"hold"> | Hold<"unhold">;

export interface Storage {
  /** `#pod` */
  readonly id: string;
  readonly url: string;
}

export interface Move {
  readonly from: string;
  readonly to: string;
  /** `2026-11-21T12:00:00Z` */
  readonly at: string;
  readonly redirectUntil: string;
}

export type KeyUse = "authentication" | "assertionMethod";

export interface PassportKey {
  /** `#sign` */
  readonly id: string;
  readonly key: PublicKey;
  readonly for: readonly KeyUse[];
}

/** Where the passport leads now. Only the newest is kept. */
export interface DataOperation {
  readonly v: 1;
  readonly t: "data";
  readonly id: PassportId;
  /** `seq` of the authority operation whose keys sign this. */
  readonly aseq: number;
  readonly dseq: number;
  readonly webid: readonly string[];
  readonly oidc: string | null;
  readonly storage: readonly Storage[];
  readonly moved: readonly Move[];
  readonly keys: readonly PassportKey[];
  /** Seconds for which an answer may be kept. */
  readonly ttl: number;
}

/** The chain of authority. Any of these, but the first, follows any other. */
export type AuthorityOperation =
  | CreateOperation
  | RotateOperation
  | RecoverOperation
  | ChangeOperation
  | PortOperation;
export type PassportOperation =
  | AuthorityOperation
  | EraseOperation
  | VetoOperation
  | HoldOperation
  | DataOperation;
export type OperationType = PassportOperation["t"];

/** Operations that the chain is made of, in the order in which they are documented. */
export const AUTHORITY_TYPES: readonly OperationType[] = Object.freeze([
  "create",
  "rotate",
  "recover",
  "lock",
  "unlock",
  "transfer",
  "port",
  "deactivate",
  "reactivate",
]);

export const isAuthority = (op: PassportOperation): op is AuthorityOperation =>
  AUTHORITY_TYPES.includes(op.t);

export interface Signature {
  /**
   * Index of the signing key: in `auth.keys` of a create or rotate itself, in `by` of a recover, else in `auth.keys` of
   * the newest authority operation. Or `d` for the delegate, `z` for a key of the zone, `l` for a legal key of the zone.
   */
  readonly k: number | "d" | "z" | "l";
  readonly s: string;
}

/** Who takes a passport in: the registrar that the operation names, or for a port the gaining zone. */
export interface Sponsor {
  readonly by: string;
  readonly s: string;
}

/** Signatures and sponsor stand beside the operation and do not count in its hash. */
export interface Signed<T extends PassportOperation = PassportOperation> {
  readonly op: T;
  readonly sigs: readonly Signature[];
  readonly sponsor?: Sponsor;
}

/** What is signed and hashed, in UTF-8; for those who hash text by other means. */
export const textOfOperation = (op: PassportOperation): string => `DCANN-op-v1\0${canonicalText(op)}`;

/** The bytes that are signed and hashed. */
export const bytesOfOperation = (op: PassportOperation): Bytes => utf8(textOfOperation(op));

/** The bytes a sponsor signs. Not those its people sign: no sponsorship can be passed off as a person's signature. */
export const bytesOfSponsorship = (op: PassportOperation): Bytes =>
  tagged("DCANN-sponsor-v1", canonicalText(op));

/** What `prev` of the next operation names, base64url. */
export const hashOfOperation: (op: PassportOperation) => Promise<string> = once(
  async (op: PassportOperation) => encodeBase64url(await sha256(bytesOfOperation(op))),
);

/**
 * Signs with numbered keys: those of the authority, or for a recover those of `by`.
 * @throws Error for a signer that does not stand in `keys`.
 */
export async function signOperation<T extends PassportOperation>(
  op: T,
  keys: Pick<KeySet, "keys">,
  signers: readonly Signer[],
): Promise<Signed<T>> {
  const bytes = bytesOfOperation(op);
  const sigs: Signature[] = [];
  for (const signer of signers) {
    const k = keys.keys.indexOf(signer.key);
    if (k < 0) throw new Error("A signer is not one of the keys of this operation");
    sigs.push({ k, s: encodeBase64url(await signer.sign(bytes)) });
  }
  return { op, sigs: sigs.sort((a, b) => Number(a.k) - Number(b.k)) };
}

/** Signs a data record as the pod's host. */
export async function signAsDelegate(op: DataOperation, delegate: Signer): Promise<Signed<DataOperation>> {
  return { op, sigs: [{ k: "d", s: encodeBase64url(await delegate.sign(bytesOfOperation(op))) }] };
}

/** Signs as the zone: a hold alone, an erasure with a legal signer beside it. */
export async function signAsZone<T extends HoldOperation | EraseOperation>(
  op: T,
  zone: Signer,
  legal?: Signer,
): Promise<Signed<T>> {
  const bytes = bytesOfOperation(op);
  const sigs: Signature[] = [{ k: "z", s: encodeBase64url(await zone.sign(bytes)) }];
  if (legal) sigs.push({ k: "l", s: encodeBase64url(await legal.sign(bytes)) });
  return { op, sigs };
}

/** A registrar, for a port the gaining zone, vouches for an operation; what it had been sponsored with before is replaced. */
export async function sponsorOperation<T extends PassportOperation>(
  signed: Signed<T>,
  by: string,
  sponsor: Signer,
): Promise<Signed<T>> {
  const s = encodeBase64url(await sponsor.sign(bytesOfSponsorship(signed.op)));
  return { op: signed.op, sigs: signed.sigs, sponsor: { by, s } };
}

/** One operation that several people signed apart from each other. @throws Error when they did not sign the same. */
export function joinSignatures<T extends PassportOperation>(parts: readonly Signed<T>[]): Signed<T> {
  const [first, ...rest] = parts;
  if (!first) throw new Error("Nothing to join");
  if (rest.some(({ op }) => jcs(op) !== jcs(first.op))) throw new Error("These are different operations");
  const sigs = new Map(parts.flatMap((part) => part.sigs.map((sig) => [sig.k, sig] as const)));
  return { ...first, sigs: [...sigs.values()].sort((a, b) => Number(a.k) - Number(b.k)) };
}
