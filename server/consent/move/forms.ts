/** What came from another host is looked at before it is kept: a record that is not as ours are is left out, and said so. */
import { ACTIONS, CONSENT_MODES, isObject, TIERS } from "../shared.ts";
import { latestExpiry } from "../states.ts";
import type { Packed } from "./luggage.ts";

type Test = (value: unknown) => boolean;

const text: Test = (value) => typeof value === "string" && value.length <= 65_536;
const whole: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const flag: Test = (value) => typeof value === "boolean";
const any: Test = () => true;
const or =
  (...tests: readonly Test[]): Test =>
  (value) =>
    tests.some((test) => test(value));
const nothing: Test = (value) => value === null;
const oneOf =
  (words: readonly string[]): Test =>
  (value) =>
    typeof value === "string" && words.includes(value);
const list =
  (test: Test, most = 10_000): Test =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(test);
const pair: Test = (value) => Array.isArray(value) && value.length === 2 && value.every(whole);
const map =
  (test: Test): Test =>
  (value) =>
    isObject(value) && Object.values(value).every(test);
/** Exactly these members; one whose test allows undefined may be missing. */
const record =
  (members: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => Object.hasOwn(members, name)) &&
    Object.entries(members).every(([name, test]) => test(value[name]));
const absent: Test = (value) => value === undefined;

const texts = list(text);
const textsOrNot = or(nothing, texts);
const textOrNot = or(nothing, text);
const wholeOrNot = or(nothing, whole);
const id: Test = (value) => typeof value === "string" && /^[\w-]{22}$/.test(value);
const document: Test = (value) => isObject(value) && JSON.stringify(value).length <= 262_144;

const policy = record({
  actions: list(oneOf(ACTIONS), 4),
  target: record({ kind: oneOf(["resource", "container", "storage", "view", "shape"]), values: texts }),
  necessity: oneOf(["required", "optional"]),
  clients: textsOrNot,
  mediaTypes: textsOrNot,
  types: textsOrNot,
  purposes: texts,
  notBefore: wholeOrNot,
  notAfter: whole,
  tier: oneOf(TIERS),
  mode: oneOf(CONSENT_MODES),
  categories: texts,
  fields: textsOrNot,
  dataFrom: wholeOrNot,
  dataTo: wholeOrNot,
  dataLife: textOrNot,
  frequency: or(nothing, record({ count: whole, per: whole })),
  queriesMax: wholeOrNot,
});

const terms = {
  assignee: text,
  controller: text,
  legalBasis: text,
  recipients: texts,
  locations: texts,
  automation: textOrNot,
  decidesAboutPerson: flag,
  notice: text,
  benefit: map(text),
  price: or(nothing, record({ amount: text, currency: text })),
  terms: textOrNot,
  inbox: textOrNot,
};

const grant = record({
  ...terms,
  id,
  state: oneOf(["Active", "Paused", "Revoked", "Expired", "Exhausted", "Superseded"]),
  issued: whole,
  changed: whole,
  assigner: text,
  policies: list(policy, 64),
  request: textOrNot,
  decision: textOrNot,
  supersedes: textOrNot,
  decidedBy: oneOf(["person", "policy", "delegate", "emergency", "legal"]),
  views: list(
    or(nothing, (value) => typeof value === "string" && /^[\w-]{22}$/.test(value)),
    64,
  ),
  reason: textOrNot,
  heldUntil: wholeOrNot,
});

/** A grant has an end, and none that is later than a grant may have; each of its policies a view or none. */
const grantHolds: Test = (value) => {
  if (!grant(value)) return false;
  const { issued, policies, views } = value as {
    readonly issued: number;
    readonly policies: readonly { readonly notAfter: number; readonly purposes: readonly string[] }[];
    readonly views: readonly unknown[];
  };
  const last = latestExpiry(issued);
  return (
    policies.length > 0 &&
    views.length === policies.length &&
    policies.every(({ notAfter, purposes }) => notAfter <= last && purposes.length > 0)
  );
};

const request = record({
  ...terms,
  id,
  state: oneOf(["Pending", "Deferred", "Granted", "Denied", "Canceled", "Expired"]),
  issued: whole,
  received: whole,
  digest: text,
  policies: list(policy, 64),
  document: text,
  decision: textOrNot,
  grants: list(id),
});

const use = record({
  id: text,
  grant: id,
  actor: text,
  client: textOrNot,
  purpose: text,
  act: oneOf(["look", "query", "write"]),
  queryHash: textOrNot,
  targets: texts,
  documents: whole,
  rows: wholeOrNot,
  bytes: wholeOrNot,
  status: whole,
  published: whole,
  document,
});

const usage = record({
  grant: id,
  count: whole,
  firstUse: wholeOrNot,
  lastUse: wholeOrNot,
  policies: list(or(absent, nothing, record({ count: whole, last: wholeOrNot, recent: list(pair) })), 64),
  days: list(pair),
  forgiven: or(nothing, pair),
  clients: texts,
});

const FORMS: Readonly<Record<string, Test>> = {
  secret: record({
    key: (value) => typeof value === "string" && /^[\w-]{43}$/.test(value),
    home: or(absent, (value) => text(value) && URL.canParse(String(value)) && String(value).endsWith("/")),
  }),
  view: record({
    name: text,
    title: textOrNot,
    places: texts,
    construct: textOrNot,
    shapes: textsOrNot,
    types: textsOrNot,
    fields: textsOrNot,
    dataFrom: wholeOrNot,
    dataTo: wholeOrNot,
    tier: oneOf(TIERS),
    created: whole,
    changed: whole,
  }),
  preference: record({
    version: whole,
    everybody: document,
    vendorCategories: map(document),
    vendorKinds: map(texts),
    vendors: map(document),
    blocked: texts,
    never: record({ purposes: texts, categories: texts }),
    locations: textsOrNot,
    priceFloor: or(nothing, record({ amount: text, currency: text })),
    holds: map(texts),
    campaigns: document,
  }),
  campaigns: record({ times: list(whole) }),
  honey: record({ paths: texts, changed: whole }),
  request,
  decision: record({
    id,
    request: text,
    outcome: oneOf(["grant", "narrow", "deny", "defer", "ask"]),
    by: oneOf(["person", "policy", "delegate", "emergency", "legal"]),
    rules: texts,
    explanation: text,
    at: whole,
    undoUntil: wholeOrNot,
    grants: list(id),
  }),
  answered: record({ decision: textOrNot, grants: list(id) }),
  countersigned: record({ at: whole }),
  receipt: record({ document }),
  "former-receipt": record({ document }),
  former: record({ statement: document, key: text, s: text }),
  usage,
  grant: grantHolds,
  use,
};

/** Whose records are named by themselves. */
const NAMED: ReadonlySet<string> = new Set(["request", "decision", "grant"]);

/**
 * A line of the file, as a record; null for what is none of ours.
 * @param latest What is given at a later time, in milliseconds since 1970, has not been given: its end would be as late.
 */
export function packedIn(line: string, latest: number): Packed | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!record({ group: text, item: text, value: any })(value)) return null;
  const packed = value as Packed;
  const [kind, of] = packed.group.split(":", 2) as [string, string?];
  const isUse = kind === "use" && of !== undefined;
  const form = Object.hasOwn(FORMS, kind) && (kind === "use") === isUse ? FORMS[kind] : undefined;
  if (!form?.(packed.value) || packed.item.length > 64) return null;
  const named = packed.value as { readonly id?: string; readonly grant?: string; readonly issued?: number };
  if (kind === "grant" && Number(named.issued) > latest) return null;
  if (kind === "usage" && named.grant !== packed.item) return null;
  if (NAMED.has(kind) && named.id !== packed.item) return null;
  const isOwnUse = !isUse || (named.grant === of && named.id === `${of}.${Number(packed.item)}`);
  return isOwnUse ? packed : null;
}
