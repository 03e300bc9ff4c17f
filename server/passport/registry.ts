/**
 * The registry in this process: takes signed operations, one after the other for each passport, and never rewrites one.
 * The rules are those that every client checks again for itself: `client-lib/passport/rules.ts`.
 */
import {
  type AllowUrl,
  type AuthorityOperation,
  type Bundle,
  type CreateOperation,
  type DataOperation,
  hashOfOperation,
  idOfGenesis,
  isPassportId,
  type PassportId,
  type Signed,
} from "@freehold/client/passport";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { SERVER_POD, type Snapshot } from "../store/store.ts";
import { createDesk, type Desk, type DeskDeps } from "./desk.ts";
import { findDelegate } from "./keyring.ts";
import { createLedger, REGISTRAR } from "./ledger.ts";
import {
  bundleOf,
  findPassport,
  isKnown,
  type PassportRecord,
  putPassport,
  stateOfRecord,
} from "./records.ts";

export interface RegistryDeps extends DeskDeps {
  /** Origins that passports may name although they are private or without TLS. This server's own always may. */
  readonly allowUrl?: AllowUrl;
}

export interface Accepted {
  readonly id: PassportId;
  readonly hash: string;
  /** The passport's sequence numbers now. */
  readonly aseq: number;
  readonly dseq: number;
  /** False when this very operation had been taken before. */
  readonly isNew: boolean;
}

/** A bundle, and a tag that changes with it. */
export interface Found {
  readonly bundle: Bundle;
  readonly tag: string;
}

export interface Registry extends Desk {
  readonly limits: Limits;
  readonly zones: readonly string[];
  readonly registrar: string;
  /**
   * Takes an operation that somebody sends. Sent twice, it is taken once.
   * @throws Problem `operation-invalid`, `conflict` with the present sequence numbers, `not-found`, `too-many-requests`.
   */
  submit(source: string | object): Promise<Accepted>;
  find(id: PassportId): Promise<Found | null>;
  /** As `find` for many, in their order, from one snapshot. */
  findAll(ids: readonly PassportId[]): Promise<readonly (Found | null)[]>;
}

/**
 * How many operations may be sent for a passport: a person needs a handful a year, a thief or a loop many more.
 * Rotations are counted apart: who has today's key can send data records, and must not keep the owner from ending that.
 */
const QUOTAS: readonly (readonly [ms: number, most: number])[] = [
  [3_600_000, 10],
  [24 * 3_600_000, 30],
  [7 * 24 * 3_600_000, 100],
];
const LONGEST_MS = 7 * 24 * 3_600_000;

/** @throws Problem `too-many-requests`. */
function counted(taken: readonly number[], at: number): readonly number[] {
  for (const [ms, most] of QUOTAS) {
    const recent = taken.filter((time) => time > at - ms);
    if (recent.length < most) continue;
    const waitSeconds = Math.ceil(((recent.at(-most) ?? at) + ms - at) / 1_000);
    const headers = { "retry-after": String(waitSeconds) };
    throw new Problem("too-many-requests", `A passport takes ${most} operations in ${ms / 3_600_000} hours`, {
      headers,
    });
  }
  return [...taken.filter((time) => time > at - LONGEST_MS), at];
}

/** The registry of `zones`, for passports opened here. */
export function createRegistry(deps: RegistryDeps): Registry {
  const { store, now, zones, log } = deps;
  const ledger = createLedger(deps);

  async function submit(source: string | object): Promise<Accepted> {
    const signed = ledger.read(source);
    // Until the rules have been asked, the operation may be anything at all; this much is needed to find its passport.
    const raw = signed.op as Partial<DataOperation | CreateOperation> | null | undefined;
    if (raw?.t === "create" || !isPassportId((raw as Partial<DataOperation> | null | undefined)?.id))
      await ledger.check(signed, null, null);
    const { op } = signed;
    const id = op.t === "create" ? await idOfGenesis(op) : op.id;
    const hash = await hashOfOperation(op);
    const { result } = await store.write(SERVER_POD, async (transaction): Promise<Accepted> => {
      const record = await findPassport(transaction, id);
      const answer = (after: PassportRecord, isNew: boolean): Accepted => ({
        id,
        hash,
        aseq: after.length - 1,
        dseq: after.dseq,
        isNew,
      });
      if (!record) throw new Problem("not-found", "There is no such passport in this registry");
      if (await isKnown(transaction, id, hash)) return answer(record, false);
      const state = await stateOfRecord(transaction, record);
      const delegate = await findDelegate(transaction, state.head.delegate.key, id);
      await ledger.check(signed, state, delegate?.key ?? null);
      const at = now().getTime();
      const after =
        op.t === "data"
          ? await ledger.addData(
              transaction,
              { ...record, taken: counted(record.taken, at) },
              signed as Signed<DataOperation>,
            )
          : await ledger.addAuthority(
              transaction,
              { ...record, rotated: counted(record.rotated, at) },
              signed as Signed<AuthorityOperation>,
            );
      putPassport(transaction, after);
      return answer(after, true);
    });
    if (result.isNew) log.info("passport.operation", { type: op.t });
    return result;
  }

  const foundOf = async (snapshot: Snapshot, id: PassportId): Promise<Found | null> => {
    const record = await findPassport(snapshot, id);
    return (
      record && {
        bundle: await bundleOf(snapshot, record),
        tag: `${record.headHash}.${record.dataHash ?? ""}`,
      }
    );
  };

  return {
    ...createDesk(ledger, deps),
    limits: deps.limits,
    zones,
    registrar: REGISTRAR,
    submit,
    find: (id) => store.read(SERVER_POD, (snapshot) => foundOf(snapshot, id)),
    findAll: (ids) =>
      store.read(SERVER_POD, (snapshot) => Promise.all(ids.map((id) => foundOf(snapshot, id)))),
  };
}
