/** One passport while operations are added to it: what it is, and what has to be written of it in the end. */
import { randomBytes } from "node:crypto";
import {
  type AuthorityOperation,
  type DataOperation,
  fateOf,
  type HoldOperation,
  headRecordText,
  isAuthority,
  isDataInForce,
  type PassportId,
  type PassportState,
  type Shard,
  type Signed,
  stateAfter,
} from "@freehold/client/registry";
import { encodeRecord } from "../../store/record.ts";
import { commitOf, governanceHash, headKeyOf } from "../log/hash.ts";
import type { OperationStanding } from "../port.ts";
import { dropDue, putDue } from "./due.ts";
import type { MapSetting } from "./plan.ts";
import { counted, isExempt } from "./quota.ts";
import type { RecordWrite } from "./stage.ts";
import {
  encodeHead,
  erasedGroup,
  type GoneRecord,
  type HeadFields,
  type HeadParts,
  inShard,
  keyGroup,
  type PendingFields,
  type StoredHead,
} from "./state.ts";

/** Where in the log an operation stands that counts: with its passport's commitment, or as a record of governance. */
export type Place = "head" | { readonly governance: Uint8Array };

export type Draft = { readonly place: Place } | Exclude<OperationStanding, { readonly state: "effective" }>;

/** How long it is said that a passport was erased. */
export const GONE_MS = 30 * 24 * 3_600_000;

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const decode = (text: string): Buffer => Buffer.from(text, "base64url");

/** What stays the same whichever operation is added. */
type Kept = Pick<
  HeadFields,
  "created" | "createdAt" | "authSince" | "vetoedAt" | "taken" | "spoken" | "pending"
> & {
  readonly former?: DataOperation;
};

const NEW: Omit<Kept, "created" | "createdAt"> = {
  authSince: null,
  vetoedAt: null,
  taken: [],
  spoken: [],
  pending: null,
};

/** A class for its lifetime: one batch. Judges nothing; whoever calls has asked the rules. */
export class Passport {
  readonly id: PassportId;
  readonly #shard: Shard;
  readonly #before: StoredHead | null;
  readonly #goneBefore: GoneRecord | null;
  #state: PassportState | null;
  #parts: HeadParts | null;
  #dataHash: string | null;
  #kept: Kept | null;
  #gone: GoneRecord | null = null;
  #isChanged = false;
  #isTouched = false;
  readonly #due: RecordWrite[] = [];
  /** Hashes of operations that the log tells of beside what they change. */
  readonly governed: Uint8Array[] = [];
  readonly standings = new Map<string, Draft>();

  constructor(id: PassportId, shard: Shard, stored: StoredHead | null, gone: GoneRecord | null) {
    const before = stored && inShard(stored, shard);
    this.id = id;
    this.#shard = shard;
    this.#before = before;
    this.#goneBefore = gone;
    this.#state = before?.state ?? null;
    this.#parts = before?.parts ?? null;
    this.#dataHash = before?.dataHash ?? null;
    this.#kept = before;
  }

  get state(): PassportState | null {
    return this.#state;
  }

  get parts(): HeadParts | null {
    return this.#parts;
  }

  get facts(): Kept | null {
    return this.#kept;
  }

  get pending(): PendingFields | null {
    return this.#kept?.pending ?? null;
  }

  /** What it was before this batch; null while it is here. */
  get gone(): GoneRecord | null {
    return this.#state ? null : (this.#gone ?? this.#goneBefore);
  }

  /** @returns what makes it again what it is now: for an operation that is refused half-way. */
  mark(): () => void {
    const [state, parts, dataHash, kept] = [this.#state, this.#parts, this.#dataHash, this.#kept];
    const [gone, isChanged, isTouched] = [this.#gone, this.#isChanged, this.#isTouched];
    const [due, governed, standings] = [this.#due.length, this.governed.length, new Map(this.standings)];
    return () => {
      [this.#state, this.#parts, this.#dataHash, this.#kept] = [state, parts, dataHash, kept];
      [this.#gone, this.#isChanged, this.#isTouched] = [gone, isChanged, isTouched];
      this.#due.length = due;
      this.governed.length = governed;
      this.standings.clear();
      for (const [hash, draft] of standings) this.standings.set(hash, draft);
    };
  }

  /** @throws Problem `too-many-requests`. */
  count(signed: Signed, at: number): void {
    if (!this.#kept || isExempt(signed)) return;
    const name = signed.op.t === "data" ? "spoken" : "taken";
    this.#kept = { ...this.#kept, [name]: counted(this.#kept[name], at, signed.op.t) };
    this.#isTouched = true;
  }

  /** It will count when its wait is over. */
  wait(signed: Signed, hash: string, at: number, waitMs: number): void {
    this.#end(signed.op, at);
    const pending: PendingFields = { hash, type: signed.op.t, at, effectiveAt: at + waitMs, signed };
    this.#keep({ pending });
    const kind = signed.op.t === "port" ? "port" : "wait";
    this.#due.push(putDue(this.id, { kind, at: pending.effectiveAt }));
    this.standings.set(hash, { state: "pending", effectiveAt: pending.effectiveAt });
  }

  /** A port waits on, though its time has come: looked at again at `at`. */
  postpone(at: number): void {
    this.#due.push(putDue(this.id, { kind: "port", at }));
    this.#isTouched = true;
  }

  /** What waited does not come into force. */
  refuse(reason: string): void {
    this.#drop({ state: "refused", reason });
  }

  /** What waited has come into force, or is to be forgotten. */
  settle(): void {
    this.#drop(null);
  }

  /** It comes from another zone, as it was there. */
  async arrive(
    auth: readonly Signed<AuthorityOperation>[],
    data: Signed<DataOperation> | null,
    state: PassportState,
    dataHash: string | null,
    at: number,
  ): Promise<void> {
    this.#parts = { auth, data };
    this.#state = state;
    this.#dataHash = dataHash;
    // Its ages are counted from here: unknown for ever, its owner could neither unlock it nor veto a recovery.
    this.#kept = { ...NEW, created: at, createdAt: at, authSince: at };
  }

  /** It was here before there was a log. @param hash Of its create. @param createdAt Milliseconds since 1970. */
  async adopt(
    hash: string,
    auth: readonly Signed<AuthorityOperation>[],
    data: Signed<DataOperation> | null,
    state: PassportState,
    dataHash: string | null,
    createdAt: number,
  ): Promise<void> {
    await this.arrive(auth, data, state, dataHash, createdAt);
    this.#keep({ createdAt });
    this.#isChanged = true;
    this.standings.set(hash, { place: "head" });
  }

  /** Adds an operation that counts now. @param zone The name of this zone. */
  async add(signed: Signed, hash: string, at: number, zone: string): Promise<void> {
    const { op } = signed;
    if (this.#kept) this.#end(op, at);
    this.standings.set(hash, { place: op.t === "veto" ? { governance: governanceHash(op) } : "head" });
    if (op.t === "veto") return;
    this.#isChanged = true;
    if (op.t === "erase" || op.t === "hold" || op.t === "unhold") this.governed.push(governanceHash(op));
    if (op.t === "erase") return this.#leave({ kind: "erased", at });
    const state = await stateAfter(this.#state, op);
    this.#kept ??= { ...NEW, created: at, createdAt: at };
    this.#state = state;
    if (op.t === "port" && op.to !== zone) return this.#leave({ kind: "ported", at, to: op.to });
    const parts = this.#parts ?? { auth: [], data: null };
    if (op.t === "data") {
      this.#parts = { ...parts, data: signed as Signed<DataOperation> };
      this.#dataHash = hash;
      const { former: _, ...kept } = this.#kept;
      this.#kept = kept;
    } else if (op.t === "hold") {
      this.#parts = { ...parts, hold: signed as Signed<HoldOperation> };
    } else if (op.t === "unhold") {
      const { hold: _, ...rest } = parts;
      this.#parts = rest;
    } else if (isAuthority(op)) {
      const { data } = parts;
      const isOver = data !== null && !isDataInForce(state, data.op);
      this.#parts = {
        ...parts,
        auth: [...parts.auth, signed as Signed<AuthorityOperation>],
        data: isOver ? null : data,
      };
      if (isOver) this.#dataHash = null;
      if (isOver) this.#keep({ former: data.op });
      if (op.t === "create" || op.t === "rotate" || op.t === "recover")
        this.#keep({ authSince: at, spoken: [] }); // What a thief of the old keys has said keeps nobody from unsaying it.
    }
  }

  #keep(some: Partial<Kept>): void {
    if (!this.#kept) throw new Error("There is no such passport");
    this.#kept = { ...this.#kept, ...some };
    this.#isTouched = true;
  }

  /** What becomes of what waits when `op` is taken. */
  #end(op: Signed["op"], at: number): void {
    const { pending } = this;
    if (!pending) return;
    const fate = fateOf(op, { hash: pending.hash, op: pending.signed.op, at: pending.at });
    if (fate === "waits") return;
    if (fate === "vetoed" && pending.type === "recover") this.#keep({ vetoedAt: at });
    this.#drop({
      state: fate,
      reason: fate === "vetoed" ? "Vetoed by its owner's keys" : `Superseded by ${op.t}`,
    });
  }

  #drop(standing: Draft | null): void {
    const { pending } = this;
    if (!pending) return;
    if (standing) this.standings.set(pending.hash, standing);
    this.#due.push(dropDue(this.id, pending.effectiveAt));
    this.#keep({ pending: null });
  }

  #leave(gone: GoneRecord): void {
    this.settle();
    this.#gone = gone;
    this.#state = null;
    this.#parts = null;
    this.#dataHash = null;
    this.#kept = null;
  }

  /** How its place in the map changes, and the records; null when nothing has changed at all. */
  result(at: number): PassportResult | null {
    const before = this.#before;
    const key = before ? decode(before.headKey) : headKeyOf(this.#shard, this.id);
    if (!this.#state || !this.#parts || !this.#kept) {
      if (!this.#gone) return null;
      const records: RecordWrite[] = [
        ...this.#due,
        { group: "head", item: this.id, value: null },
        { group: keyGroup(this.#shard), item: encode(key), value: null },
        { group: "gone", item: this.id, value: encodeRecord(this.#gone) },
      ];
      if (this.#gone.kind === "erased")
        records.push(putDue(this.id, { kind: "gone", at: at + GONE_MS }), {
          group: erasedGroup(this.#shard),
          item: encode(key),
          value: encodeRecord({}),
        });
      return { set: null, remove: before ? key : null, records };
    }
    if (!this.#isChanged && !this.#isTouched) return null;
    const { head, headHash, dseq, keysSince, zone, deactivated, hold } = this.#state;
    const text = headRecordText({
      a: headHash,
      aseq: head.seq,
      d: this.#dataHash,
      dseq: this.#dataHash === null ? 0 : dseq, // What nobody can read from the head must not be in its commitment.
      ...(hold !== null && { h: hold }),
    });
    const opening = this.#isChanged || !before ? randomBytes(32) : decode(before.opening);
    const commit = this.#isChanged || !before ? commitOf(opening, key, text) : decode(before.commit);
    const { created, createdAt, authSince, vetoedAt, taken, spoken, pending, former } = this.#kept;
    const fields: HeadFields = {
      id: this.id,
      headKey: encode(key),
      opening: encode(opening),
      commit: encode(commit),
      headHash,
      aseq: head.seq,
      dseq,
      dataHash: this.#dataHash,
      keysSince,
      zone,
      deactivated,
      hold,
      registrar: head.registrar,
      created,
      updated: this.#isChanged || !before ? at : before.updated,
      createdAt,
      authSince,
      vetoedAt,
      taken,
      spoken,
      pending,
      ...(former && { former }),
    };
    const body = this.#isChanged || !before ? JSON.stringify(this.#parts) : before.text;
    const records: RecordWrite[] = [
      ...this.#due,
      { group: "head", item: this.id, value: encodeHead(fields, body) },
    ];
    if (!before)
      records.push({ group: keyGroup(this.#shard), item: encode(key), value: encodeRecord({ id: this.id }) });
    if (!before && this.#goneBefore) records.push({ group: "gone", item: this.id, value: null });
    return { set: this.#isChanged ? { key, commit } : null, remove: null, records };
  }
}

export interface PassportResult {
  readonly set: MapSetting | null;
  readonly remove: Uint8Array | null;
  readonly records: readonly RecordWrite[];
}
