/** Operations before they are signed: whoever makes one says what changes, the rest follows from what came before. */
import { encodeBase64url, randomBytes } from "./bytes.ts";
import type { PassportId } from "./identifier.ts";
import type { PublicKey } from "./key.ts";
import {
  type Authority,
  type AuthorityOperation,
  type ChangeOperation,
  type CreateOperation,
  type DataOperation,
  type EraseOperation,
  type HashSet,
  type HoldOperation,
  hashOfOperation,
  type KeySet,
  type PortOperation,
  type RecoverOperation,
  type RecoverySet,
  type RotateOperation,
  type VetoOperation,
} from "./operation.ts";

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

/** A passport that an operation is added to. */
interface Before {
  readonly id: PassportId;
  /** Its newest authority operation. */
  readonly after: AuthorityOperation;
}

async function linkAfter({
  id,
  after,
}: Before): Promise<{ v: 1; id: PassportId; seq: number; prev: string }> {
  return { v: 1, id, seq: after.seq + 1, prev: await hashOfOperation(after) };
}

const authorityIn = ({ auth, next, recovery, delegate, registrar, locks }: Authority): Authority => ({
  auth,
  next,
  recovery,
  delegate,
  registrar,
  locks,
});

/** What a rotation or a recovery changes; locks stay as they are. */
export interface RotateChoice extends Before {
  readonly auth: KeySet;
  readonly next: HashSet;
  /** Other guardians, or another delay: then a rotation waits. */
  readonly recovery?: RecoverySet;
  /** A new host's key evicts the old host at once. */
  readonly delegateKey?: PublicKey;
  readonly registrar?: string;
}

const chosen = (choice: RotateChoice): Authority => ({
  auth: choice.auth,
  next: choice.next,
  recovery: choice.recovery ?? choice.after.recovery,
  delegate: { key: choice.delegateKey ?? choice.after.delegate.key, may: ["data"] },
  registrar: choice.registrar ?? choice.after.registrar,
  locks: choice.after.locks,
});

/** The promised keys take over, unsigned. */
export async function makeRotate(choice: RotateChoice): Promise<RotateOperation> {
  return { t: "rotate", ...(await linkAfter(choice)), ...chosen(choice) };
}

/** @param by The recovery keys that will sign, all of them. */
export async function makeRecover(choice: RotateChoice, by: readonly PublicKey[]): Promise<RecoverOperation> {
  return { t: "recover", ...(await linkAfter(choice)), ...chosen(choice), by };
}

/** What a change by today's keys may bring: locks for lock and unlock, registrar and host for a transfer. */
export type AuthorityChange = Partial<Pick<Authority, "locks" | "registrar" | "delegate">>;

/** An operation of today's keys, unsigned. */
export async function makeChange(
  t: ChangeOperation["t"],
  before: Before,
  change: AuthorityChange = {},
): Promise<ChangeOperation> {
  return { t, ...(await linkAfter(before)), ...authorityIn(before.after), ...change };
}

export async function makePort(before: Before, to: string): Promise<PortOperation> {
  return { t: "port", ...(await linkAfter(before)), ...authorityIn(before.after), to };
}

/** @param reference What a zone and a legal signer act on; null when the owner signs. */
export async function makeErase(before: Before, reference: string | null = null): Promise<EraseOperation> {
  return { t: "erase", ...(await linkAfter(before)), case: reference };
}

/** @param of Hash of the operation that waits. */
export const makeVeto = ({ id, after }: Before, of: string): VetoOperation => ({
  v: 1,
  t: "veto",
  id,
  aseq: after.seq,
  of,
});

/** @param at When, passed in because time is. */
export const makeHold = (
  t: HoldOperation["t"],
  { id, after }: Before,
  choice: Pick<HoldOperation, "case" | "reason">,
  at: Date,
): HoldOperation => ({
  v: 1,
  t,
  id,
  aseq: after.seq,
  case: choice.case,
  reason: choice.reason,
  at: at.toISOString().replace(/\.\d+Z$/, "Z"),
});

export type DataChoice = Pick<DataOperation, "id" | "aseq" | "dseq" | "webid" | "storage"> &
  Partial<Pick<DataOperation, "oidc" | "moved" | "keys" | "ttl">>;

/** A data record, unsigned; what is not chosen is empty. */
export function makeData(choice: DataChoice): DataOperation {
  return { v: 1, t: "data", oidc: null, moved: [], keys: [], ttl: 3600, ...choice };
}
