/** Whoever has a passport's bundle can check it alone: the identifier, the chain of authority, and the data record. */
import { jcs, utf8 } from "./bytes.ts";
import { fix } from "./fixed.ts";
import { isObject } from "./form.ts";
import type { PassportId } from "./identifier.ts";
import { JsonError, parseStrictJson } from "./json.ts";
import type { PublicKey } from "./key.ts";
import {
  AUTHORITY_TYPES,
  type AuthorityOperation,
  type DataOperation,
  type HoldOperation,
  hashOfOperation,
  type Signed,
} from "./operation.ts";
import { OPERATION_BYTES_MAX, type PassportState, type Rule, type RuleOptions } from "./rule.ts";
import { judge } from "./rules.ts";
import { stateAfter } from "./state.ts";

/** A passport as it is handed around. `data` is null from a rotation until its new delegate or owner says where it leads. */
export interface Bundle {
  readonly id: PassportId;
  readonly head: {
    readonly auth: readonly Signed<AuthorityOperation>[];
    readonly data: Signed<DataOperation> | null;
    /** Only while the zone holds it. */
    readonly hold?: Signed<HoldOperation>;
  };
}

/** A bundle that holds, and what it says. */
export interface Passport {
  readonly id: PassportId;
  readonly state: PassportState;
  readonly data: DataOperation | null;
  /** Hash of the data record; null without one. */
  readonly dataHash: string | null;
  /** Why and since when the zone holds it; null when it does not. */
  readonly hold: HoldOperation | null;
  /** Keys of all hosts that its owner has ever named, the newest last: by these a former host vouches for what it kept. */
  readonly delegates: readonly PublicKey[];
}

/** A broken rule. `rule` is its id in the table of rules, or one of: json, bundle, identifier, rollback. */
export class PassportError extends Error {
  override readonly name = "PassportError";
  readonly rule: string;
  readonly detail: string;
  readonly conflict: boolean;

  constructor(rule: Rule | string, detail: string) {
    const id = typeof rule === "string" ? rule : rule.id;
    super(`${id}: ${detail}`);
    this.rule = id;
    this.detail = detail;
    this.conflict = typeof rule === "string" ? rule === "rollback" : rule.conflict;
  }
}

const BUNDLE_OPERATIONS_MAX = 256; // A chain this long is a thousand years of careful people.

/**
 * Parses one signed operation; says nothing yet about whether it is allowed.
 * @param source Text as it came, or a value, which is brought into canonical form first.
 * @throws PassportError `json`.
 */
export function readSigned(source: string | object, operationBytesMax = OPERATION_BYTES_MAX): Signed {
  try {
    const text = typeof source === "string" ? source : jcs(source);
    if (utf8(text).length > 2 * operationBytesMax)
      throw new PassportError("json", `The text has more than ${2 * operationBytesMax} bytes`);
    const value = parseStrictJson(text);
    if (!isObject(value)) throw new PassportError("json", "It is not a JSON object");
    if (isObject(value.op)) fix(value.op);
    return fix(value) as unknown as Signed; // The rules say whether it is one.
  } catch (cause) {
    if (cause instanceof PassportError) throw cause;
    throw new PassportError("json", cause instanceof JsonError ? cause.message : "It is not JSON");
  }
}

/** Judges an operation and applies it. @throws PassportError that names the first rule that is broken. */
export async function applyOperation(
  state: PassportState | null,
  signed: Signed,
  options: RuleOptions = {},
): Promise<PassportState> {
  const verdict = await judge({ signed, state, options });
  if (verdict.kind === "broken") throw new PassportError(verdict.rule, verdict.detail);
  return stateAfter(state, signed.op);
}

/**
 * Walks a bundle from its genesis to its data record. Needs no network and trusts nobody.
 * @param expected The identifier that was asked for; a bundle of any other is refused.
 * @throws PassportError
 */
export async function verifyBundle(
  source: string | object,
  expected: PassportId,
  options: RuleOptions = {},
): Promise<Passport> {
  const bundle = readBundle(source);
  const { registry: _, ...asReader } = options;
  let state: PassportState | null = null;
  for (const [index, signed] of bundle.head.auth.entries()) {
    const type = signed.op?.t;
    if (index === 0 ? type !== "create" : type === "create" || !AUTHORITY_TYPES.includes(type))
      throw new PassportError("bundle", "The chain of authority is not a create and what may follow it");
    state = await applyOperation(state, signed, asReader);
    if (state.id !== expected)
      throw new PassportError("identifier", "The genesis does not give the identifier that was asked for");
  }
  if (!state || bundle.id !== expected)
    throw new PassportError("identifier", "The bundle is not of the passport that was asked for");
  const { data, hold } = bundle.head;
  if (data && data.op?.t !== "data") throw new PassportError("bundle", "The data record is something else");
  if (hold && hold.op?.t !== "hold") throw new PassportError("bundle", "The hold is something else");
  // Data may be older than a passport's rest; that it was allowed when it was taken is the registry's word.
  if (data)
    state = {
      ...(await applyOperation({ ...state, deactivated: false }, data, asReader)),
      deactivated: state.deactivated,
    };
  if (hold) state = await applyOperation(state, hold, asReader);
  return {
    id: state.id,
    state,
    data: data?.op ?? null,
    dataHash: data ? await hashOfOperation(data.op) : null,
    hold: hold?.op ?? null,
    delegates: [...new Set(bundle.head.auth.map(({ op }) => op.delegate.key))],
  };
}

function readBundle(source: string | object): Bundle {
  let value: unknown;
  try {
    value = parseStrictJson(typeof source === "string" ? source : jcs(source));
  } catch (cause) {
    throw new PassportError("json", (cause as Error).message);
  }
  const head = isObject(value) ? value.head : null;
  const fits =
    isObject(head) &&
    Array.isArray(head.auth) &&
    head.auth.length >= 1 &&
    head.auth.length <= BUNDLE_OPERATIONS_MAX &&
    head.auth.every(isObject) &&
    (head.data === null || isObject(head.data)) &&
    (head.hold === undefined || isObject(head.hold));
  if (!fits) throw new PassportError("bundle", "It is not a passport's bundle");
  const bundle = value as Bundle; // The rules say of each operation whether it is one.
  for (const { op } of [...bundle.head.auth, ...(bundle.head.data ? [bundle.head.data] : [])])
    if (isObject(op)) fix(op);
  return bundle;
}

/** What somebody remembers of a passport, so that nobody can lead them back to an older state of it. */
export interface Seen {
  readonly aseq: number;
  readonly headHash: string;
  readonly dseq: number;
  readonly dataHash: string | null;
}

export const seenOf = (passport: Passport): Seen => ({
  aseq: passport.state.head.seq,
  headHash: passport.state.headHash,
  dseq: passport.state.dseq,
  dataHash: passport.dataHash,
});

/**
 * @throws PassportError `rollback` when the passport is older than what was seen, or is another one with the same numbers.
 */
export function refuseRollback(passport: Passport, seen: Seen | null): void {
  if (!seen) return;
  const now = seenOf(passport);
  if (now.aseq < seen.aseq || (passport.data && now.dseq < seen.dseq))
    throw new PassportError("rollback", "A newer state of this passport was seen before");
  const forked =
    (now.aseq === seen.aseq && now.headHash !== seen.headHash) ||
    (passport.data && now.dseq === seen.dseq && seen.dataHash !== null && now.dataHash !== seen.dataHash);
  if (forked) throw new PassportError("rollback", "Another state with the same numbers was seen before");
  if (!passport.data && seen.dataHash !== null && now.aseq === seen.aseq)
    throw new PassportError("rollback", "The data record seen before is missing");
}

/** What to remember after `passport`: never less than before. */
export function remember(passport: Passport, seen: Seen | null): Seen {
  const now = seenOf(passport);
  return passport.data || !seen ? now : { ...now, dseq: Math.max(now.dseq, seen.dseq) };
}
