/** A batch of operations, and what comes due: each passport's in their order, all passports side by side. */
import {
  type AuthorityOperation,
  allowNone,
  applyOperation,
  type Bundle,
  type DataOperation,
  hashOfOperation,
  isDataInForce,
  judge,
  PassportError,
  type PassportId,
  type PassportState,
  type RegistryFacts,
  type RuleOptions,
  type Signed,
  waitMsOf,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { encodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { OperationStanding, Submission } from "../port.ts";
import { dayOf, readCounts } from "./counts.ts";
import type { PortOrder, ZoneDeps, ZoneFacts } from "./deps.ts";
import { type Due, dropDue, putDue, putFirstHour, readFirstHour } from "./due.ts";
import { type Draft, GONE_MS, Passport } from "./passport.ts";
import type { EpochBase, EpochChange, MapSetting } from "./plan.ts";
import type { RecordWrite } from "./stage.ts";
import { dropStandings, putStanding, readStanding } from "./standing.ts";
import { readGone, readHead, wasErased } from "./state.ts";

/** An operation that was sent, and what was asked for before the batch began. */
export interface Sent {
  readonly signed: Signed;
  readonly id: PassportId;
  readonly hash: string;
  /** The root's order about this passport. */
  readonly order: PortOrder | null;
  readonly arriving: Bundle | null;
  readonly adopting: Submission["adopting"] | null;
  /** Whether it is the beginning of a passport by all rules that everyone can ask: asked before its turn. Never rejects. */
  readonly isSoundBeginning: Promise<boolean>;
}

/** Whose time has come. */
export interface DueNow extends Due {
  readonly order: PortOrder | null;
}

export interface Taken {
  readonly aseq: number;
  readonly dseq: number;
  readonly isNew: boolean;
  readonly standing: OperationStanding;
}

/** An error is for whoever sent the operation: nothing of it has been taken. */
export type Outcome = { readonly taken: Taken } | { readonly error: unknown };

export interface Batch {
  readonly change: EpochChange | null;
  readonly outcomes: ReadonlyMap<Sent, Outcome>;
}

const FORGET_MS = 3_600_000; // The next hour: a bit of what one commit does not hold.
const STANDINGS_SHARE = 5; // Of what one commit may write, for two records each: room for what leaves, and for others.
const ORDER_MS = 3_600_000; // Between two looks at the root for the order of a port that may leave.

/** Judges with the rules that clients have, too; here with what only a registry knows. */
export async function takeBatch(
  deps: Pick<ZoneDeps, "name" | "allowUrl" | "limits" | "log">,
  facts: ZoneFacts,
  at: number,
  snapshot: Snapshot,
  base: EpochBase,
  sent: readonly Sent[],
  due: readonly DueNow[],
): Promise<Batch> {
  const { name, allowUrl = allowNone } = deps;
  const { operationBytesMax } = deps.limits;
  const day = dayOf(at);
  const passports = new Map<PassportId, Passport>();
  const counts = new Map<string, Record<string, number>>();
  const counted = new Set<string>();
  const outcomes = new Map<Sent, Outcome>();
  /** Standings that are not known before all leaves are: null. */
  const answers = new Map<Sent, Omit<Taken, "standing"> & { readonly standing: OperationStanding | null }>();
  /** Records beside those of its head. */
  const extras = new Map<PassportId, RecordWrite[]>();
  const rules: RuleOptions = { allowUrl, operationBytesMax, zoneKeys: (zone) => facts.zoneKeys(zone) };

  function optionsFor(passport: Passport, isOrdered: boolean): RuleOptions {
    const { pending, parts } = passport;
    const registry: RegistryFacts = {
      ...facts,
      zones: [name],
      now: () => at,
      createdAt: passport.facts?.createdAt ?? null,
      authSince: passport.facts?.authSince ?? null,
      vetoedAt: passport.facts?.vetoedAt ?? null,
      pending: pending && { hash: pending.hash, op: pending.signed.op, at: pending.at },
      data: parts?.data?.op ?? passport.facts?.former ?? null,
      isOrdered,
    };
    return { ...rules, registry };
  }

  async function countsOf(registrar: string): Promise<Record<string, number>> {
    const known = counts.get(registrar);
    if (known) return known;
    const read = { ...(await readCounts(snapshot, day, registrar)) };
    const other = counts.get(registrar); // Somebody else has read it meanwhile.
    if (other) return other;
    counts.set(registrar, read);
    return read;
  }

  /** @throws Problem `too-many-requests` for a registrar that has opened as many as it may today. */
  async function countFor(registrar: string, type: string): Promise<void> {
    const own = await countsOf(registrar);
    const most = type === "create" ? facts.createPerDayMax(registrar) : null;
    const count = own[type] ?? 0;
    if (most !== null && count >= most)
      throw new Problem("too-many-requests", `This registrar opens ${most} passports a day`, {
        headers: { "retry-after": String(Math.ceil((86_400_000 - (at % 86_400_000)) / 1_000)) },
      });
    own[type] = count + 1;
    counted.add(registrar);
  }

  /** @throws Problem for the first rule that is broken. */
  async function judgeFor(
    passport: Passport,
    signed: Signed,
    isOrdered: boolean,
    isSoundBeginning = false,
  ): Promise<void> {
    const { state } = passport;
    const left = isSoundBeginning && state === null ? "registry" : undefined;
    const verdict = await judge({ signed, state, options: optionsFor(passport, isOrdered) }, left);
    if (verdict.kind === "valid") return;
    const { id: rule, says, conflict } = verdict.rule;
    if (!conflict)
      throw new Problem("operation-invalid", `${verdict.detail} (rule ${rule})`, { members: { rule, says } });
    throw new Problem("conflict", verdict.detail, {
      members: { rule, says, aseq: state?.head.seq, dseq: state?.dseq },
    });
  }

  async function load(id: PassportId): Promise<Passport> {
    const [stored, gone] = await Promise.all([readHead(snapshot, id), readGone(snapshot, id)]);
    const passport = new Passport(id, base.shard, stored, stored ? null : gone);
    passports.set(id, passport);
    return passport;
  }

  /** Brings into force what has waited long enough. */
  async function ripen(passport: Passport, order: PortOrder | null): Promise<void> {
    const { pending } = passport;
    if (!pending || pending.effectiveAt > at) return;
    if (pending.type === "port" && order?.hash !== pending.hash) return;
    try {
      await judgeFor(passport, pending.signed, true);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      passport.refuse(error.detail ?? error.code);
      return;
    }
    passport.settle();
    await bring(passport, pending.signed, pending.hash);
  }

  /** Everything of a passport that comes here, walked from its genesis. */
  async function arrive(passport: Passport, { signed, order, arriving, hash }: Sent): Promise<void> {
    if (!arriving || signed.op.t !== "port" || signed.op.to !== name) return;
    if (order?.hash !== hash || order.to !== name)
      throw new Problem("operation-invalid", "The root has not ordered this port (rule own-zone)", {
        members: { rule: "own-zone" },
      });
    const chain = arriving.head.auth.filter((one) => one.op.seq < (signed.op as AuthorityOperation).seq);
    const { data, state, dataHash } = await walk(passport, chain, arriving.head.data);
    await passport.arrive(chain, data, state, dataHash, at);
  }

  /** A passport of this server from before it had a log, with all that it had become; what was counted then counts. */
  async function adopt(
    passport: Passport,
    { hash }: Sent,
    { head, dseq, created }: NonNullable<Submission["adopting"]>,
  ): Promise<void> {
    const { data, state, dataHash } = await walk(passport, head.auth, head.data);
    await passport.adopt(hash, head.auth, data, { ...state, dseq }, dataHash, created);
  }

  /** @throws Problem `operation-invalid` for the first rule that a chain breaks, or its data record. */
  async function walk(
    passport: Passport,
    chain: readonly Signed<AuthorityOperation>[],
    newest: Signed<DataOperation> | null,
  ): Promise<{ data: Signed<DataOperation> | null; state: PassportState; dataHash: string | null }> {
    let state: PassportState | null = null;
    try {
      for (const one of chain) state = await applyOperation(state, one, rules);
      if (!state || state.id !== passport.id)
        throw new PassportError("same-passport", "Another passport arrives");
      if (!newest || !isDataInForce(state, newest.op)) return { data: null, state, dataHash: null };
      state = await applyOperation(state, newest, rules);
      return { data: newest, state, dataHash: await hashOfOperation(newest.op) };
    } catch (error) {
      if (!(error instanceof PassportError)) throw error;
      throw new Problem("operation-invalid", `${error.detail} (rule ${error.rule})`, {
        members: { rule: error.rule },
      });
    }
  }

  /** Adds what counts now; of a passport that leaves by it, nothing else is kept. */
  async function bring(passport: Passport, signed: Signed, hash: string): Promise<void> {
    const { op } = signed;
    const isLeaving = op.t === "erase" || (op.t === "port" && op.to !== name);
    if (isLeaving) await forget(passport.id);
    await passport.add(signed, hash, at, name);
  }

  function addRecords(id: PassportId, ...records: readonly RecordWrite[]): void {
    extras.set(id, [...(extras.get(id) ?? []), ...records]);
  }

  /** @returns whether all operations are forgotten; else the next hour goes on with it. */
  async function forget(id: PassportId): Promise<boolean> {
    const most = Math.ceil(deps.limits.transactionWritesMax / STANDINGS_SHARE);
    const { records, isAll } = await dropStandings(snapshot, id, most);
    addRecords(id, ...records);
    if (!isAll) addRecords(id, putDue(id, { kind: "gone", at: at + FORGET_MS }));
    return isAll;
  }

  /** That it was erased is forgotten after its time, and last. */
  async function forgetGone({ id, gone }: Passport): Promise<void> {
    const isOver = gone?.kind === "erased" && at >= gone.at + GONE_MS;
    if ((await forget(id)) && isOver) addRecords(id, { group: "gone", item: id, value: null });
  }

  function answer(one: Sent, { state }: Passport, isNew: boolean, standing: OperationStanding | null): void {
    const { op } = one.signed;
    const aseq = state?.head.seq ?? ("seq" in op ? op.seq : 0);
    answers.set(one, { aseq, dseq: state?.dseq ?? 0, isNew, standing });
  }

  async function take(one: Sent, passport: Passport): Promise<void> {
    const { signed, hash, order } = one;
    const { op } = signed;
    if (passport.standings.has(hash)) return answer(one, passport, false, null);
    const known = await readStanding(snapshot, hash);
    if (known) return answer(one, passport, false, known);
    const isArriving = op.t === "port" && op.to === name && one.arriving !== null && !passport.state;
    if (isArriving) await arrive(passport, one);
    else if (passport.gone) throw goneProblem(passport);
    else if (!passport.state && op.t !== "create")
      throw new Problem("not-found", "There is no such passport in this registry");
    if (op.t === "create") await refuseErased(one.id);
    if (op.t === "create" && one.adopting && !passport.state) {
      await adopt(passport, one, one.adopting);
      return answer(one, passport, true, null);
    }
    const isOrdered =
      (op.t === "port" && order?.hash === hash) || (op.t === "unlock" && order?.unlock === hash);
    await judgeFor(passport, signed, isOrdered, await one.isSoundBeginning);
    passport.count(signed, at);
    const registrar = "registrar" in op ? op.registrar : passport.state?.head.registrar;
    if (registrar !== undefined) await countFor(registrar, op.t);
    const waitMs = isOrdered ? 0 : waitMsOf(op, passport.state);
    if (waitMs > 0) passport.wait(signed, hash, at, waitMs);
    else await bring(passport, signed, hash);
    answer(one, passport, true, null);
  }

  /** What was erased is not begun again by whoever kept a copy of its first operation: for as long as the log tells of it. */
  async function refuseErased(id: PassportId): Promise<void> {
    if (await wasErased(snapshot, base.shard, id)) throw new Problem("gone", "This passport was erased");
  }

  const goneProblem = ({ gone }: Passport): Problem =>
    gone?.kind === "ported"
      ? new Problem("not-found", `This passport has gone to the zone ${gone.to}`, {
          members: { zone: gone.to },
        })
      : new Problem("gone", "This passport was erased");

  /** In their order; of what one passport is sent, nothing is judged before that what came before it is taken. */
  async function takeAll(id: PassportId, own: readonly Sent[], ripe: DueNow | null): Promise<void> {
    const passport = await load(id);
    const order = ripe?.order ?? own.find((one) => one.order !== null)?.order ?? null;
    await ripen(passport, order);
    if (ripe) addRecords(id, dropDue(id, ripe.at));
    if (ripe?.kind === "gone" && !passport.state) await forgetGone(passport);
    if (ripe?.kind === "port" && passport.pending && passport.pending.effectiveAt <= at)
      passport.postpone(at + ORDER_MS);
    for (const one of own) {
      const undo = passport.mark();
      try {
        await take(one, passport);
      } catch (error) {
        undo();
        outcomes.set(one, { error });
      }
    }
  }

  /** What one passport has that nobody can read, or that is our mistake, must not keep all others waiting. */
  async function takeApart(id: PassportId, own: readonly Sent[], ripe: DueNow | null): Promise<void> {
    try {
      await takeAll(id, own, ripe);
    } catch (error) {
      passports.delete(id);
      extras.delete(id);
      for (const one of own) {
        answers.delete(one);
        outcomes.set(one, { error });
      }
      if (ripe) deps.log.error("registry.due-failed", { zone: name, cause: String(error) });
    }
  }

  const byId = new Map<PassportId, { own: Sent[]; ripe: DueNow | null }>();
  const entryOf = (id: PassportId): { own: Sent[]; ripe: DueNow | null } => {
    const entry = byId.get(id) ?? { own: [], ripe: null };
    byId.set(id, entry);
    return entry;
  };
  for (const one of sent) entryOf(one.id).own.push(one);
  for (const one of due) entryOf(one.id).ripe = one;
  await Promise.all([...byId].map(([id, { own, ripe }]) => takeApart(id, own, ripe)));

  return finish();

  /** The leaves in their order, and with them where each operation stands. */
  async function finish(): Promise<Batch> {
    const set: MapSetting[] = [];
    const remove: Uint8Array[] = [];
    const governance: Uint8Array[] = [];
    const records: RecordWrite[] = [...extras.values()].flat();
    const settled: { passport: Passport; place: { kind: "set" | "delete" | "none"; at: number } }[] = [];
    let firstDue = Infinity;
    for (const passport of passports.values()) {
      const result = passport.result(at);
      const kind = result?.set ? "set" : result?.remove ? "delete" : "none";
      settled.push({ passport, place: { kind, at: kind === "set" ? set.length : remove.length } });
      if (!result) continue;
      if (result.set) set.push(result.set);
      if (result.remove) remove.push(result.remove);
      records.push(...result.records);
    }
    for (const { group, value } of records)
      if (value && group.startsWith("due/")) firstDue = Math.min(firstDue, Number(group.slice(4)));
    const standings = new Map<string, OperationStanding>();
    for (const { passport, place } of settled) {
      governance.push(...passport.governed);
      for (const [hash, draft] of passport.standings) {
        const standing = standingOf(draft, base.size + (place.kind === "delete" ? set.length : 0) + place.at);
        standings.set(hash, standing);
        records.push(...putStanding(passport.id, hash, standing));
      }
    }
    for (const [one, { standing, ...rest }] of answers) {
      const found = standing ?? standings.get(one.hash);
      if (!found) throw new Error("An operation was taken and stands nowhere");
      outcomes.set(one, { taken: { ...rest, standing: found } });
    }
    for (const registrar of counted)
      records.push({ group: `count/${day}`, item: registrar, value: encodeRecord(counts.get(registrar)) });
    if (firstDue < Infinity) {
      const first = await readFirstHour(snapshot);
      if (first === null || first > firstDue) records.push(putFirstHour(firstDue));
    }
    const isNothing = records.length === 0 && set.length + remove.length + governance.length === 0;
    return { change: isNothing ? null : { set, delete: remove, governance, records }, outcomes };

    function standingOf(draft: Draft, index: number): OperationStanding {
      if (!("place" in draft)) return draft;
      const { place } = draft;
      if (place === "head") return { state: "effective", epoch: base.epoch, index };
      governance.push(place.governance);
      const at = base.size + set.length + remove.length + governance.length - 1;
      return { state: "effective", epoch: base.epoch, index: at };
    }
  }
}
