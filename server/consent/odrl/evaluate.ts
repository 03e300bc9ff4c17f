/**
 * Whether policies let somebody do something, with a report on every premise. Three-valued: what is not known makes no
 * permission active and every prohibition. Nothing here reads a clock or a network.
 * @see https://w3c.github.io/odrl/formal-semantics/
 */
import { lws, odrl, xsd } from "@freehold/vocab";
import { daysOf } from "./duration.ts";
import type {
  OdrlConstraint,
  OdrlPolicy,
  OdrlRequest,
  OdrlRule,
  OdrlValue,
  Operator,
  World,
} from "./model.ts";

/** null: nobody knows. */
export type Truth = boolean | null;

export type Premise =
  | { readonly kind: "target" | "party" | "action"; readonly satisfied: boolean }
  | {
      readonly kind: "constraint";
      readonly uid: string | null;
      readonly satisfied: Truth;
      readonly premises: readonly Premise[];
    };

export interface RuleReport {
  readonly rule: OdrlRule;
  readonly premises: readonly Premise[];
  /** A permission that counts, or a prohibition that does. */
  readonly isActive: boolean;
}

export interface PolicyReport {
  readonly isPermitted: boolean;
  readonly rules: readonly RuleReport[];
}

const NS = odrl.use.slice(0, -"use".length);
/** Actions that are not directly under `odrl:use`. https://www.w3.org/TR/odrl-vocab/#actions */
const INCLUDED_IN: Readonly<Record<string, string | null>> = {
  [odrl.use]: null,
  [`${NS}transfer`]: null,
  [`${NS}give`]: `${NS}transfer`,
  [`${NS}sell`]: `${NS}transfer`,
  [`${NS}display`]: `${NS}play`,
  [`${NS}extract`]: `${NS}reproduce`,
  [lws.create]: odrl.use,
};
const NESTING_MAX = 8; // A vocabulary's actions are two deep.

/** Whether an action is another or is included in it; an action of nobody's vocabulary is only itself. */
export function isIncluded(action: string, whole: string): boolean {
  let each: string | null = action;
  for (let depth = 0; each !== null && depth < NESTING_MAX; depth++) {
    if (each === whole) return true;
    const above: string | null | undefined = INCLUDED_IN[each];
    each = above === undefined ? (each.startsWith(NS) && each !== odrl.use ? odrl.use : null) : above;
  }
  return false;
}

const NUMBERS: ReadonlySet<string> = new Set([
  xsd.integer,
  xsd.decimal,
  xsd.double,
  xsd.float,
  xsd.int,
  xsd.long,
  xsd.nonNegativeInteger,
  xsd.positiveInteger,
]);
const TIMES: ReadonlySet<string> = new Set([xsd.dateTime, xsd.dateTimeStamp]);

/** Below 0, 0 or above; null where the two cannot be compared. */
function compare(left: OdrlValue, right: OdrlValue): number | null {
  if (left.datatype === null || right.datatype === null) return null;
  if (NUMBERS.has(left.datatype) && NUMBERS.has(right.datatype))
    return minus(Number(left.value), Number(right.value));
  if (TIMES.has(left.datatype) && TIMES.has(right.datatype))
    return minus(timeOf(left.value), timeOf(right.value));
  if (left.datatype !== right.datatype || left.datatype !== xsd.duration) return null;
  const [a, b] = [daysOf(left.value), daysOf(right.value)];
  if (!a || !b) return null;
  if (left.value === right.value) return 0;
  if (a[1] <= b[0]) return -1;
  return a[0] >= b[1] ? 1 : null; // A month and thirty days: who knows?
}

const minus = (a: number, b: number): number | null => (Number.isNaN(a) || Number.isNaN(b) ? null : a - b);

/** A time without a zone is no moment. */
const timeOf = (text: string): number => (/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN);

function isSame(left: OdrlValue, right: OdrlValue): Truth {
  if (left.datatype === right.datatype && left.value === right.value) return true;
  if (left.datatype === null || right.datatype === null)
    return left.datatype === right.datatype ? false : null;
  const order = compare(left, right);
  if (order !== null) return order === 0;
  return left.datatype === right.datatype && left.datatype === xsd.string ? false : null;
}

const not = (truth: Truth): Truth => (truth === null ? null : !truth);

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

function one(truths: readonly Truth[]): Truth {
  const sure = truths.filter((truth) => truth === true).length;
  if (sure > 1) return false;
  return truths.includes(null) ? null : sure === 1;
}

function ordered(left: OdrlValue, right: OdrlValue, test: (order: number) => boolean): Truth {
  const order = compare(left, right);
  return order === null ? null : test(order);
}

/** What an operator says of one value on each side; those that look at several are in {@link holds}. */
const COMPARISONS: Readonly<
  Record<
    Exclude<Operator, "isAnyOf" | "isAllOf" | "isNoneOf">,
    (left: OdrlValue, right: OdrlValue, world: World) => Truth
  >
> = {
  eq: isSame,
  neq: (left, right) => not(isSame(left, right)),
  lt: (left, right) => ordered(left, right, (order) => order < 0),
  lteq: (left, right) => ordered(left, right, (order) => order <= 0),
  gt: (left, right) => ordered(left, right, (order) => order > 0),
  gteq: (left, right) => ordered(left, right, (order) => order >= 0),
  isA: (left, right, { isA }) => isA(left.value, right.value),
  isPartOf: (left, right, { isPartOf }) => isPartOf(left.value, right.value),
  hasPart: (left, right, { isPartOf }) => isPartOf(right.value, left.value),
};

/** Whatever is to be so must be so of every value there is: a wish for two purposes is not met by one of them. */
function holds(
  left: readonly OdrlValue[],
  { operator, rightOperand }: Extract<OdrlConstraint, { kind: "comparison" }>,
  world: World,
): Truth {
  if (left.length === 0 || rightOperand.length === 0) return null;
  if (operator === "isAnyOf")
    return all(left.map((value) => any(rightOperand.map((right) => isSame(value, right)))));
  if (operator === "isNoneOf")
    return all(left.map((value) => all(rightOperand.map((right) => not(isSame(value, right))))));
  if (operator === "isAllOf")
    return all(rightOperand.map((right) => any(left.map((value) => isSame(value, right)))));
  const [right, ...others] = rightOperand;
  if (!right || others.length > 0) return null; // "Equal to these two" says nothing.
  return all(left.map((value) => COMPARISONS[operator](value, right, world)));
}

function judge(constraint: OdrlConstraint, world: World): Extract<Premise, { kind: "constraint" }> {
  const { uid } = constraint;
  if (constraint.kind === "comparison") {
    const left =
      constraint.leftOperand === odrl.dateTime
        ? [{ value: new Date(world.now).toISOString(), datatype: xsd.dateTime }]
        : (world.operands.get(constraint.leftOperand) ?? []);
    return { kind: "constraint", uid, satisfied: holds(left, constraint, world), premises: [] };
  }
  const premises = constraint.operands.map((operand) => judge(operand, world));
  const truths = premises.map(({ satisfied }) => satisfied);
  const satisfied =
    constraint.logic === "or" ? any(truths) : constraint.logic === "xone" ? one(truths) : all(truths);
  return { kind: "constraint", uid, satisfied, premises };
}

/** @returns what the rule says of the request, premise by premise: only those that the rule has. */
function judgeRule(rule: OdrlRule, request: OdrlRequest, world: World): RuleReport {
  const premises: Premise[] = [];
  const premise = (
    kind: "target" | "party" | "action",
    wanted: readonly string[],
    test: (each: string) => boolean,
  ) => {
    if (wanted.length > 0) premises.push({ kind, satisfied: wanted.some(test) });
  };
  premise(
    "target",
    rule.targets,
    (each) =>
      each === request.target || world.isPartOf(request.target, each) || world.isA(request.target, each),
  );
  premise(
    "party",
    rule.assignees,
    (each) => each === request.assignee || world.isPartOf(request.assignee, each),
  );
  premise("action", rule.actions, (each) => isIncluded(request.action, each));
  premises.push(...rule.constraints.map((constraint) => judge(constraint, world)));
  const isOwed = rule.duties.some(({ uid }) => world.dutyState(uid) === "violated");
  const isActive =
    rule.kind === "permission"
      ? premises.every(({ satisfied }) => satisfied === true) && !isOwed
      : premises.every(({ satisfied }) => satisfied !== false);
  return { rule, premises, isActive };
}

/**
 * @returns whether the policy lets it happen. A policy that says nothing of it does not.
 */
export function evaluate(policy: OdrlPolicy, request: OdrlRequest, world: World): PolicyReport {
  const rules = policy.rules.map((rule) => judgeRule(rule, request, world));
  const active = (kind: OdrlRule["kind"]): boolean =>
    rules.some((report) => report.rule.kind === kind && report.isActive);
  const [permitted, prohibited] = [active("permission"), active("prohibition")];
  const isPermitted = permitted && (!prohibited || policy.conflict === "perm");
  return { isPermitted, rules };
}
