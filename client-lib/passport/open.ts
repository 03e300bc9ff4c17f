/** The two moments in which a person's keys act: opening a passport, and taking it into new hands. */
import { idOfGenesis, type PassportId } from "./identifier.ts";
import type { PublicKey } from "./key.ts";
import {
  type CreateOperation,
  makeCreate,
  makeRotate,
  type RotateOperation,
  type Signed,
  signOperation,
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

/**
 * Puts the next keys in force, and with a delegate's key another host: whoever held the old ones is out at once.
 * The recovery file of before is then history; give the person the new one first, and send the operation after.
 */
export async function rotatePassport(
  state: PassportState,
  keys: PassportKeys,
  made: Date,
  delegateKey?: PublicKey,
): Promise<{ rotateOp: Signed<RotateOperation>; keys: PassportKeys; file: RecoveryFile }> {
  const fresh = await generatePassportKeys({ authority: 0, next: keys.next.length, recovery: 0 });
  const op = await makeRotate({
    id: state.id,
    after: state.head,
    auth: keySetOf(keys.next),
    next: await hashSetOf(fresh.next),
    ...(delegateKey !== undefined && { delegateKey }),
  });
  const rotateOp = await signOperation(op, op.auth, keys.next);
  const now: PassportKeys = { authority: keys.next, next: fresh.next, recovery: keys.recovery };
  return { rotateOp, keys: now, file: await makeRecoveryFile(state.id, op.seq, now, made) };
}
