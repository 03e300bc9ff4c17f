/** What a person's keys do: open a passport, take it into new hands, get it back, and everything between. */
import { idOfGenesis, type PassportId } from "./identifier.ts";
import { hashOfKey, type KeyPair, type PublicKey, type Signer } from "./key.ts";
import {
  type AuthorityChange,
  makeChange,
  makeCreate,
  makeErase,
  makePort,
  makeRecover,
  makeRotate,
  makeVeto,
} from "./make.ts";
import {
  type ChangeOperation,
  type CreateOperation,
  type EraseOperation,
  type Lock,
  type PassportOperation,
  type PortOperation,
  type RecoverOperation,
  type RecoverySet,
  type RotateOperation,
  type Signed,
  signOperation,
  type VetoOperation,
} from "./operation.ts";
import {
  authorityOf,
  generatePassportKeys,
  hashSetOf,
  keySetOf,
  makeRecoveryFile,
  type PassportKeys,
  type RecoveryFile,
} from "./recovery.ts";
import type { PassportState } from "./rule.ts";

/** What a registrar says before a passport can be opened with it. */
export interface Desk {
  readonly zone: string;
  readonly registrar: string;
  /** Key of the host that will keep the data record true. */
  readonly delegateKey: PublicKey;
}

/**
 * Makes all keys and the signed first operation. The keys never leave this machine but in the recovery file.
 * @param keys Keys made elsewhere; new ones without.
 */
export async function openPassport(
  desk: Desk,
  made: Date,
  keys?: PassportKeys,
): Promise<{ id: PassportId; createOp: Signed<CreateOperation>; keys: PassportKeys; file: RecoveryFile }> {
  const own = keys ?? (await generatePassportKeys());
  const op = makeCreate({ ...desk, ...(await authorityOf(own)) });
  const id = await idOfGenesis(op);
  const createOp = await signOperation(op, op.auth, own.authority);
  return { id, createOp, keys: own, file: await makeRecoveryFile(id, 0, own, made) };
}

/** What may change together with the keys. */
export interface HandOver {
  /** Key of another host: the one before is out at once. */
  readonly delegateKey?: PublicKey;
  /** Another registrar: it sponsors the operation. */
  readonly registrar?: string;
  /** Other guardians; then a rotation waits as long as a recovery would. */
  readonly guardians?: { readonly recovery: RecoverySet; readonly keys: readonly KeyPair[] };
}

/** New keys, and the file of before and after in one: write it down before the operation is sent. */
interface HandedOver {
  /** The keys once the operation counts. */
  readonly keys: PassportKeys;
  /** For when the operation counts. */
  readonly file: RecoveryFile;
  /** For until then: with the keys of before and of after. */
  readonly both: RecoveryFile;
}

async function handedOver(
  { id, head }: PassportState,
  before: PassportKeys,
  keys: PassportKeys,
  made: Date,
): Promise<HandedOver> {
  return {
    keys,
    file: await makeRecoveryFile(id, head.seq + 1, keys, made),
    both: await makeRecoveryFile(id, head.seq, before, made, keys),
  };
}

const beforeOf = ({ id, head }: PassportState) => ({ id, after: head });
const carried = ({ delegateKey, registrar }: HandOver) => ({
  ...(delegateKey !== undefined && { delegateKey }),
  ...(registrar !== undefined && { registrar }),
});

/**
 * Puts the next keys in force, and with a delegate's key another host: whoever held the old ones is out at once.
 * The recovery file of before is then history; give the person the new one first, and send the operation after.
 */
export async function rotatePassport(
  state: PassportState,
  keys: PassportKeys,
  made: Date,
  change: HandOver = {},
): Promise<HandedOver & { rotateOp: Signed<RotateOperation> }> {
  const fresh = await generatePassportKeys({ authority: 0, next: keys.next.length, recovery: 0 });
  const op = await makeRotate({
    ...beforeOf(state),
    auth: keySetOf(keys.next),
    next: await hashSetOf(fresh.next),
    ...carried(change),
    ...(change.guardians && { recovery: change.guardians.recovery }),
  });
  const rotateOp = await signOperation(op, op.auth, keys.next);
  const recovery = change.guardians?.keys ?? keys.recovery;
  const now: PassportKeys = { authority: keys.next, next: fresh.next, recovery };
  return { rotateOp, ...(await handedOver(state, keys, now, made)) };
}

/**
 * Gets a passport back with recovery keys alone; it waits for the delay that the passport itself names. Recovery keys
 * that sign are shown by that, so new ones take their places; those of other guardians stay.
 * @throws Error when there are too few recovery keys.
 */
export async function recoverPassport(
  state: PassportState,
  keys: PassportKeys,
  made: Date,
  change: HandOver = {},
): Promise<HandedOver & { recoverOp: Signed<RecoverOperation> }> {
  const { recovery } = state.head;
  const known = await Promise.all(
    keys.recovery.map(async (pair) => ({ pair, hash: await hashOfKey(pair.key) })),
  );
  const own = known.filter(({ hash }) => recovery.hashes.includes(hash));
  if (own.length < recovery.threshold)
    throw new Error(`${recovery.threshold} recovery keys are needed, and ${own.length} are here`);
  const shown = own.slice(0, recovery.threshold);
  const signers = shown.map(({ pair }) => pair);
  const fresh = await generatePassportKeys({ authority: 1, next: 1, recovery: shown.length });
  const stay = recovery.hashes.filter((hash) => !shown.some((one) => one.hash === hash));
  const guardians = change.guardians ?? {
    recovery: {
      ...recovery,
      hashes: [...stay, ...(await Promise.all(fresh.recovery.map(({ key }) => hashOfKey(key))))],
    },
    keys: [...own.slice(recovery.threshold).map(({ pair }) => pair), ...fresh.recovery],
  };
  const by = signers.map(({ key }) => key);
  const op = await makeRecover(
    {
      ...beforeOf(state),
      auth: keySetOf(fresh.authority),
      next: await hashSetOf(fresh.next),
      recovery: guardians.recovery,
      ...carried(change),
    },
    by,
  );
  const recoverOp = await signOperation(op, { keys: by }, signers);
  const now: PassportKeys = { authority: fresh.authority, next: fresh.next, recovery: guardians.keys };
  return { recoverOp, ...(await handedOver(state, keys, now, made)) };
}

const signedToday = <T extends PassportOperation>(
  state: PassportState,
  op: T,
  signers: readonly Signer[],
): Promise<Signed<T>> => signOperation(op, state.head.auth, signers);

const change = async (
  t: ChangeOperation["t"],
  state: PassportState,
  signers: readonly Signer[],
  brings: AuthorityChange = {},
): Promise<Signed<ChangeOperation>> =>
  signedToday(state, await makeChange(t, beforeOf(state), brings), signers);

const BOTH: readonly Lock[] = ["transfer", "port"];

/** Closes locks at once. @param signers Keys of today's authority, here and below. */
export const lockPassport = (
  state: PassportState,
  signers: readonly Signer[],
  locks: readonly Lock[] = BOTH,
): Promise<Signed<ChangeOperation>> =>
  change("lock", state, signers, {
    locks: BOTH.filter((lock) => locks.includes(lock) || state.head.locks.includes(lock)),
  });

/** Opens locks; it waits for 72 hours. */
export const unlockPassport = (
  state: PassportState,
  signers: readonly Signer[],
  locks: readonly Lock[] = BOTH,
): Promise<Signed<ChangeOperation>> =>
  change("unlock", state, signers, { locks: state.head.locks.filter((lock) => !locks.includes(lock)) });

/** To another registrar, who then sponsors it. @param delegateKey Key of the new registrar's host; the old one stays without. */
export const transferPassport = (
  state: PassportState,
  signers: readonly Signer[],
  registrar: string,
  delegateKey?: PublicKey,
): Promise<Signed<ChangeOperation>> =>
  change("transfer", state, signers, {
    registrar,
    delegate: { key: delegateKey ?? state.head.delegate.key, may: ["data"] },
  });

/** To another zone, which then sponsors it; it waits for five days. */
export const portPassport = async (
  state: PassportState,
  signers: readonly Signer[],
  to: string,
): Promise<Signed<PortOperation>> => signedToday(state, await makePort(beforeOf(state), to), signers);

/** Puts a passport to rest: it leads nowhere until it is reactivated. */
export const deactivatePassport = (
  state: PassportState,
  signers: readonly Signer[],
): Promise<Signed<ChangeOperation>> => change("deactivate", state, signers);

export const reactivatePassport = (
  state: PassportState,
  signers: readonly Signer[],
): Promise<Signed<ChangeOperation>> => change("reactivate", state, signers);

/** Ends a passport for ever; it waits for 72 hours. */
export const erasePassport = async (
  state: PassportState,
  signers: readonly Signer[],
): Promise<Signed<EraseOperation>> => signedToday(state, await makeErase(beforeOf(state)), signers);

/** @param of Hash of the operation that waits. */
export const vetoPassport = (
  state: PassportState,
  signers: readonly Signer[],
  of: string,
): Promise<Signed<VetoOperation>> => signedToday(state, makeVeto(beforeOf(state), of), signers);
