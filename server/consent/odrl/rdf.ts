/** ODRL policies as RDF, in and out. What cannot be read as a whole is refused: a constraint passed over would widen. */
import { dcterms, odrl, rdf, xsd } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import { blankNode, literal, namedNode, type Quad, quad, type Term } from "../../rdf/terms.ts";
import type {
  Conflict,
  Logic,
  OdrlConstraint,
  OdrlDuty,
  OdrlPolicy,
  OdrlRule,
  OdrlValue,
  Operator,
} from "./model.ts";

const NS = odrl.use.slice(0, -"use".length);
const OPERATORS: readonly Operator[] = [
  "eq",
  "neq",
  "lt",
  "lteq",
  "gt",
  "gteq",
  "isA",
  "isPartOf",
  "hasPart",
  "isAnyOf",
  "isAllOf",
  "isNoneOf",
];
const LOGICS: readonly Logic[] = ["and", "or", "xone", "andSequence"];
const CONFLICTS: readonly Conflict[] = ["perm", "prohibit", "invalid"];
const TYPES = ["Set", "Agreement", "Offer"] as const;
const DEPTH_MAX = 16;

/** Said of rules and constraints without changing what they mean. */
const WORDS: ReadonlySet<string> = new Set([
  rdf.type,
  odrl.uid,
  dcterms.description,
  dcterms.source,
  dcterms.title,
]);

type Graph = ReadonlyMap<string, readonly Quad[]>;

const keyOf = ({ termType, value }: Term): string => `${termType} ${value}`;

function refuse(what: string): never {
  throw new Problem("rdf-invalid", `The ODRL policy has ${what}`);
}

function reader(graph: Graph) {
  const of = (node: Term): readonly Quad[] => graph.get(keyOf(node)) ?? [];
  const objects = (node: Term, predicate: string): readonly Term[] =>
    of(node)
      .filter((each) => each.predicate.value === predicate)
      .map(({ object }) => object as Term);
  const only = (node: Term, known: readonly string[]): void => {
    const stranger = of(node).find(
      ({ predicate }) => !known.includes(predicate.value) && !WORDS.has(predicate.value),
    );
    if (stranger) refuse(`a word that is not known here: ${stranger.predicate.value.slice(0, 200)}`);
  };
  const nameOf = (node: Term): string | null => (node.termType === "NamedNode" ? node.value : null);
  const addresses = (node: Term, predicate: string): readonly string[] =>
    objects(node, predicate).map((object) => {
      if (
        object.termType !== "NamedNode" ||
        of(object).some((each) => each.predicate.value === odrl.refinement)
      )
        refuse("something that is not simply named by its address");
      return object.value;
    });

  const constraint = (node: Term, depth: number): OdrlConstraint => {
    if (depth > DEPTH_MAX) refuse("constraints that nest too deep");
    const uid = nameOf(node);
    const logic = LOGICS.filter((name) => objects(node, NS + name).length > 0);
    if (logic[0]) {
      only(node, [NS + logic[0]]);
      const operands = objects(node, NS + logic[0])
        .flatMap((each) => list(each))
        .map((each) => constraint(each, depth + 1));
      return { kind: "logical", uid, logic: logic[0], operands };
    }
    only(node, [odrl.leftOperand, odrl.operator, odrl.rightOperand]);
    const [leftOperand, ...otherLeft] = addresses(node, odrl.leftOperand);
    const [operatorIri, ...otherOperators] = addresses(node, odrl.operator);
    const operator = OPERATORS.find((name) => NS + name === operatorIri);
    const rightOperand = objects(node, odrl.rightOperand)
      .flatMap((each) => list(each))
      .map(valueOf);
    if (!leftOperand || !operator || rightOperand.length + otherLeft.length + otherOperators.length < 1)
      refuse("a constraint that lacks a part, or an operator that is not known here");
    if (otherLeft.length + otherOperators.length > 0) refuse("a constraint with two meanings");
    return { kind: "comparison", uid, leftOperand, operator, rightOperand };
  };
  const list = (node: Term): readonly Term[] => {
    const items: Term[] = [];
    let each = node;
    while (each.termType === "BlankNode" && objects(each, rdf.first).length === 1) {
      if (items.length > 1_000) refuse("a list without end");
      items.push(...objects(each, rdf.first));
      const rest = objects(each, rdf.rest)[0];
      if (!rest) refuse("a list without an end");
      each = rest;
    }
    return items.length > 0 ? items : [node];
  };
  const duty = (node: Term): OdrlDuty => {
    only(node, [odrl.action]);
    const [action, ...others] = addresses(node, odrl.action);
    if (!action || others.length > 0) refuse("a duty without exactly one action");
    return { uid: nameOf(node), action };
  };
  const rule = (node: Term, kind: OdrlRule["kind"]): OdrlRule => {
    only(node, [
      odrl.action,
      odrl.assignee,
      odrl.assigner,
      odrl.target,
      odrl.constraint,
      ...(kind === "permission" ? [odrl.duty] : []),
    ]);
    return {
      uid: nameOf(node),
      kind,
      description: objects(node, dcterms.description)[0]?.value ?? null,
      actions: addresses(node, odrl.action),
      assignees: addresses(node, odrl.assignee),
      targets: addresses(node, odrl.target),
      constraints: objects(node, odrl.constraint).map((each) => constraint(each, 0)),
      duties: objects(node, odrl.duty).map(duty),
    };
  };
  return (node: Term): OdrlPolicy => {
    const types = objects(node, rdf.type).map(({ value }) => value);
    const conflict = objects(node, odrl.conflict).map(({ value }) => value);
    only(node, [
      odrl.permission,
      odrl.prohibition,
      odrl.conflict,
      odrl.profile,
      odrl.assigner,
      odrl.assignee,
      dcterms.issued,
      dcterms.hasVersion,
    ]);
    return {
      uid: objects(node, odrl.uid)[0]?.value ?? node.value,
      type: TYPES.find((name) => types.includes(NS + name)) ?? "Set",
      // Nothing said means that a conflict makes a policy void; no less is refused by a prohibition that counts.
      conflict: CONFLICTS.find((name) => conflict[0] === NS + name) ?? "invalid",
      rules: [
        ...objects(node, odrl.permission).map((each) => rule(each, "permission")),
        ...objects(node, odrl.prohibition).map((each) => rule(each, "prohibition")),
      ],
    };
  };
}

function valueOf(term: Term): OdrlValue {
  if (term.termType === "NamedNode") return { value: term.value, datatype: null };
  if (term.termType !== "Literal") refuse("a value that is neither an address nor a text");
  return { value: term.value, datatype: term.datatype.value };
}

/**
 * @returns the policies (Set, Agreement, Offer or Policy) that the quads speak of.
 * @throws Problem `rdf-invalid` for what this evaluator does not know, instead of passing it over.
 */
export function readPolicies(quads: readonly Quad[]): readonly OdrlPolicy[] {
  const graph = new Map<string, Quad[]>();
  for (const each of quads) {
    const key = keyOf(each.subject);
    const found = graph.get(key);
    if (found) found.push(each);
    else graph.set(key, [each]);
  }
  const read = reader(graph);
  const types = [...TYPES, "Policy"].map((name) => NS + name);
  const subjects = new Map(
    quads
      .filter(({ predicate, object }) => predicate.value === rdf.type && types.includes(object.value))
      .map(({ subject }) => [keyOf(subject), subject as Term]),
  );
  return [...subjects.values()].map(read);
}

/** @returns the policy as RDF, the same for the same policy but for names of blank nodes. */
export function policyQuads(policy: OdrlPolicy): readonly Quad[] {
  const quads: Quad[] = [];
  type Node = Quad["subject"];
  const say = (subject: Node, predicate: string, object: Quad["object"]): void => {
    quads.push(quad(subject, namedNode(predicate), object));
  };
  const node = (uid: string | null): Node => (uid === null ? blankNode() : namedNode(uid));
  const value = ({ value: text, datatype }: OdrlValue): Quad["object"] =>
    datatype === null
      ? namedNode(text)
      : literal(text, datatype === xsd.string ? undefined : namedNode(datatype));
  const constraint = (each: OdrlConstraint): Node => {
    const subject = node(each.uid);
    if (each.kind === "logical") {
      say(subject, rdf.type, namedNode(odrl.LogicalConstraint));
      for (const operand of each.operands) say(subject, NS + each.logic, constraint(operand));
    } else {
      say(subject, rdf.type, namedNode(odrl.Constraint));
      say(subject, odrl.leftOperand, namedNode(each.leftOperand));
      say(subject, odrl.operator, namedNode(NS + each.operator));
      for (const right of each.rightOperand) say(subject, odrl.rightOperand, value(right));
    }
    return subject;
  };
  const root = namedNode(policy.uid);
  say(root, rdf.type, namedNode(NS + policy.type));
  say(root, odrl.uid, root);
  say(root, odrl.conflict, namedNode(NS + policy.conflict));
  for (const rule of policy.rules) {
    const subject = node(rule.uid);
    say(root, rule.kind === "permission" ? odrl.permission : odrl.prohibition, subject);
    if (rule.description !== null) say(subject, dcterms.description, literal(rule.description, "en"));
    for (const action of rule.actions) say(subject, odrl.action, namedNode(action));
    for (const assignee of rule.assignees) say(subject, odrl.assignee, namedNode(assignee));
    for (const target of rule.targets) say(subject, odrl.target, namedNode(target));
    for (const each of rule.constraints) say(subject, odrl.constraint, constraint(each));
    for (const duty of rule.duties) {
      const owed = node(duty.uid);
      say(subject, odrl.duty, owed);
      say(owed, odrl.action, namedNode(duty.action));
    }
  }
  return quads;
}
