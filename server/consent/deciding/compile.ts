/**
 * Preferences as a policy in ODRL, which people and other programs can read, and by which every decision is checked once
 * more: the engine narrows by its table, the evaluator by this text, and only what both let pass is given.
 */
import { dpv, fh, isNarrower, odrl, xsd } from "@freehold/vocab";
import type { ConsentMode, Policy, Terms, Tier } from "../model.ts";
import { TIERS } from "../model.ts";
import { evaluate } from "../odrl/evaluate.ts";
import type {
  OdrlConstraint,
  OdrlPolicy,
  OdrlRequest,
  OdrlRule,
  OdrlValue,
  Operator,
  World,
} from "../odrl/model.ts";
import { kindsOf } from "./data-kinds.ts";
import type { Vendor } from "./decide.ts";
import { type Allowance, acceptedTerms, allowancesOf, LEVELS } from "./levels.ts";
import { categoriesOf, FRESH_MS, type Preferences, type Standing, standingOf } from "./preferences.ts";

const DAY = 86_400_000;

const TIER_IRI: Readonly<Record<Tier, string>> = {
  raw: fh.raw,
  reduced: fh.reduced,
  aggregate: fh.aggregate,
  tag: fh.tag,
};
const MODE_IRI: Readonly<Record<ConsentMode, string>> = {
  view: fh.view,
  store: fh.store,
  query: fh.query,
  stream: fh.stream,
};
/** Of whom no register says what kind of company it is. */
const NO_CATEGORY = "none";

const iri = (value: string): OdrlValue => ({ value, datatype: null });
const text = (value: string): OdrlValue => ({ value, datatype: xsd.string });
const days = (value: number): OdrlValue => ({ value: `P${value}D`, datatype: xsd.duration });

const compare = (
  leftOperand: string,
  operator: Operator,
  ...rightOperand: readonly OdrlValue[]
): OdrlConstraint => ({ kind: "comparison", uid: null, leftOperand, operator, rightOperand });

/** One of several roots, with all below it. */
const under = (leftOperand: string, roots: readonly string[]): OdrlConstraint => ({
  kind: "logical",
  uid: null,
  logic: "or",
  operands: roots.map((root) => compare(leftOperand, "isA", iri(root))),
});

function permission(
  standing: Standing,
  allowance: Allowance,
  who: Pick<OdrlRule, "assignees" | "constraints">,
): OdrlRule {
  const terms = allowance.onlyUnder === null ? acceptedTerms(standing.level) : [allowance.onlyUnder];
  const tiers = TIERS.slice(TIERS.indexOf(allowance.tier)).map((tier) => iri(TIER_IRI[tier]));
  return {
    uid: null,
    kind: "permission",
    description: `For ${allowance.words}.`,
    actions: [odrl.read],
    assignees: who.assignees,
    targets: allowance.categories,
    constraints: [
      ...who.constraints,
      under(odrl.purpose, allowance.purposes),
      compare(fh.tier, "isAnyOf", ...tiers),
      compare(fh.consentMode, "isAnyOf", ...allowance.modes.map((mode) => iri(MODE_IRI[mode]))),
      compare(fh.dataLife, "lteq", days(allowance.keepDays)),
      compare(odrl.elapsedTime, "lteq", days(allowance.grantDays)),
      compare(fh.terms, "isAnyOf", ...terms.map(iri)),
      compare(dpv.hasLegalBasis, "isA", iri(dpv.Consent)),
      compare(odrl.dateTime, "lteq", {
        value: new Date(standing.confirmed + FRESH_MS).toISOString(),
        datatype: xsd.dateTime,
      }),
    ],
    duties: [],
  };
}

const prohibition = (description: string, part: Partial<OdrlRule>): OdrlRule => ({
  uid: null,
  kind: "prohibition",
  description,
  actions: [odrl.use],
  assignees: [],
  targets: [],
  constraints: [],
  duties: [],
  ...part,
});

/**
 * @param uid Address of the policy.
 * @returns a set of permissions and prohibitions that says what the preferences say.
 */
export function compilePreferences(preferences: Preferences, uid: string): OdrlPolicy {
  const { everybody, vendorCategories, vendors, blocked, never } = preferences;
  const kinds = Object.entries(vendorCategories);
  const noVendor =
    Object.keys(vendors).length > 0
      ? [compare(odrl.recipient, "isNoneOf", ...Object.keys(vendors).map(iri))]
      : [];
  const noKind = (names: readonly string[]): readonly OdrlConstraint[] =>
    names.length > 0 ? [compare(fh.vendorCategory, "isNoneOf", ...names.map(text))] : [];
  const rulesFor = (
    standing: Standing,
    who: Pick<OdrlRule, "assignees" | "constraints">,
  ): readonly OdrlRule[] =>
    allowancesOf(standing.level, standing.switches).map((allowance) => permission(standing, allowance, who));
  const permissions = [
    ...rulesFor(everybody, {
      assignees: [],
      constraints: [...noVendor, ...noKind(kinds.map(([name]) => name))],
    }),
    ...kinds.flatMap(([name, standing]) => {
      // Who is of several kinds is of the most closed one.
      const closer = kinds.filter(([, other]) => other.level < standing.level).map(([other]) => other);
      const constraints = [...noVendor, compare(fh.vendorCategory, "isAllOf", text(name)), ...noKind(closer)];
      return rulesFor(standing, { assignees: [], constraints });
    }),
    ...Object.entries(vendors).flatMap(([webid, standing]) =>
      rulesFor(standing, { assignees: [webid], constraints: [] }),
    ),
  ];
  const standings = [everybody, ...Object.values(vendorCategories), ...Object.values(vendors)];
  const exceptions = standings.flatMap(({ level, switches }) =>
    allowancesOf(level, switches).flatMap(({ except }) => except),
  );
  const forbidden = [...new Set([...never.purposes, ...exceptions])];
  const prohibitions = [
    ...(blocked.length > 0 ? [prohibition("For these, nothing.", { assignees: blocked })] : []),
    ...(forbidden.length > 0
      ? [prohibition("For this, never.", { constraints: [under(odrl.purpose, forbidden)] })]
      : []),
    ...(never.categories.length > 0 ? [prohibition("Of this, nothing.", { targets: never.categories })] : []),
  ];
  return { uid, type: "Set", conflict: "prohibit", rules: [...permissions, ...prohibitions] };
}

const compiled = new WeakMap<Preferences, OdrlPolicy>();

/**
 * Whether the preferences, read as ODRL, let all of this be given.
 * @param policies As they would be granted.
 * @param readAt When the preferences are read, for what was confirmed long ago counts no more.
 */
export function agrees(
  preferences: Preferences,
  request: Terms,
  vendor: Pick<Vendor, "categories">,
  policies: readonly Policy[],
  now: number,
  readAt: number = now,
): boolean {
  let policy = compiled.get(preferences);
  if (!policy) {
    policy = compilePreferences(preferences, "urn:freehold:preferences");
    compiled.set(preferences, policy);
  }
  const set = policy;
  const { standing } = standingOf(preferences, request.assignee, vendor.categories);
  const terms = request.terms ?? LEVELS[standing.level]?.terms;
  const categories = categoriesOf(preferences, request.assignee, vendor.categories);
  return policies.every((each) => {
    const kinds = kindsOf(each, preferences.holds);
    if (!kinds || kinds.length === 0 || each.purposes.length === 0) return false;
    if (each.actions.length !== 1 || each.actions[0] !== "read") return false;
    const operands: readonly (readonly [string, readonly OdrlValue[]])[] = [
      [odrl.recipient, [request.assignee, request.controller, ...request.recipients].map(iri)],
      [odrl.elapsedTime, [days(Math.ceil((each.notAfter - now) / DAY))]],
      [fh.tier, [iri(TIER_IRI[each.tier])]],
      [fh.consentMode, [iri(MODE_IRI[each.mode])]],
      [fh.vendorCategory, (categories.length > 0 ? categories : [NO_CATEGORY]).map(text)],
      [dpv.hasLegalBasis, [iri(request.legalBasis)]],
      [fh.dataLife, each.dataLife === null ? [] : [{ value: each.dataLife, datatype: xsd.duration }]],
      [fh.terms, terms ? [iri(terms)] : []],
    ];
    return each.purposes.every((purpose) => {
      const world: World = {
        now: readAt,
        operands: new Map([...operands, [odrl.purpose, [iri(purpose)]]]),
        isA: isNarrower,
        isPartOf: () => false,
        dutyState: () => "unknown",
      };
      const asks = (target: string): OdrlRequest => ({
        action: odrl.read,
        assignee: request.assignee,
        target,
      });
      return kinds.every((kind) => evaluate(set, asks(kind), world).isPermitted);
    });
  });
}
