/** Signed operations: what they say, what bytes are signed, and how they are made. */
import { type Bytes, encodeBase64url, jcs, randomBytes, sha256, tagged } from "./bytes.ts";
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

interface Authority {
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

export interface RotateOperation extends Authority {
  readonly v: 1;
  readonly t: "rotate";
  readonly id: PassportId;
  readonly seq: number;
  /** Hash of the authority operation before this one. */
  readonly prev: string;
}

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

export type AuthorityOperation = CreateOperation | RotateOperation;
export type PassportOperation = AuthorityOperation | DataOperation;
export type OperationType = PassportOperation["t"];

export interface Signature {
  /** Index of the signing key in `op.auth.keys` (for data: of the present authority), or `d` for the delegate. */
  readonly k: number | "d";
  readonly s: string;
}

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

/** The bytes that are signed and hashed. */
export const bytesOfOperation = (op: PassportOperation): Bytes => tagged("DCANN-op-v1", jcs(op));

/** The bytes a registrar signs. Not those its people sign: no sponsorship can be passed off as a person's signature. */
export const bytesOfSponsorship = (op: PassportOperation): Bytes => tagged("DCANN-sponsor-v1", jcs(op));

/** What `prev` of the next operation names, base64url. */
export async function hashOfOperation(op: PassportOperation): Promise<string> {
  return encodeBase64url(await sha256(bytesOfOperation(op)));
}

/** What somebody who opens a passport chooses; the rest of a genesis is fixed. */
export interface CreateChoice {
  readonly zone: string;
  readonly registrar: string;
  readonly auth: KeySet;
  readonly next: HashSet;
  readonly recovery: RecoverySet;
  readonly delegateKey: PublicKey;
}

/** A genesis, unsigned; random, so no two are the same. */
export function makeCreate(choice: CreateChoice): CreateOperation {
  return {
    v: 1,
    t: "create",
    zone: choice.zone,
    seq: 0,
    prev: null,
    auth: choice.auth,
    next: choice.next,
    recovery: choice.recovery,
    delegate: { key: choice.delegateKey, may: ["data"] },
    registrar: choice.registrar,
    locks: ["transfer", "port"],
    nonce: encodeBase64url(randomBytes(16)),
  };
}

/** What a rotation changes; recovery set and locks stay as they are. */
export interface RotateChoice {
  readonly id: PassportId;
  /** The authority operation before. */
  readonly after: AuthorityOperation;
  readonly auth: KeySet;
  readonly next: HashSet;
  /** A new host's key evicts the old host at once. */
  readonly delegateKey?: PublicKey;
  readonly registrar?: string;
}

/** The operation after `after`, unsigned. */
export async function makeRotate(choice: RotateChoice): Promise<RotateOperation> {
  const { after } = choice;
  return {
    v: 1,
    t: "rotate",
    id: choice.id,
    seq: after.seq + 1,
    prev: await hashOfOperation(after),
    auth: choice.auth,
    next: choice.next,
    recovery: after.recovery,
    delegate: { key: choice.delegateKey ?? after.delegate.key, may: ["data"] },
    registrar: choice.registrar ?? after.registrar,
    locks: after.locks,
  };
}

export type DataChoice = Pick<DataOperation, "id" | "aseq" | "dseq" | "webid" | "storage"> &
  Partial<Pick<DataOperation, "oidc" | "moved" | "keys" | "ttl">>;

/** A data record, unsigned; what is not chosen is empty. */
export function makeData(choice: DataChoice): DataOperation {
  return { v: 1, t: "data", oidc: null, moved: [], keys: [], ttl: 3600, ...choice };
}

/** Signs with authority keys: each signer must stand in `keys`. @throws Error for a signer that does not. */
export async function signOperation<T extends PassportOperation>(
  op: T,
  keys: KeySet,
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

/** A registrar vouches for an operation; what it had been sponsored with before is replaced. */
export async function sponsorOperation<T extends PassportOperation>(
  signed: Signed<T>,
  by: string,
  registrar: Signer,
): Promise<Signed<T>> {
  const s = encodeBase64url(await registrar.sign(bytesOfSponsorship(signed.op)));
  return { op: signed.op, sigs: signed.sigs, sponsor: { by, s } };
}
