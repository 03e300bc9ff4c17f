/**
 * Requests and grants as RDF: what the shapes are held against, and what clients get that read RDF. The words are those that
 * `shapes/consent.ttl` lists for the members of the JSON.
 */
import { dcterms, dpv, fh, ldp, lws, odrl, rdf, schema, sec, sh, vcard, xsd } from "@freehold/vocab";
import { blankNode, literal, namedNode, type Quad, quad, type Subject, type Value } from "../rdf/terms.ts";
import type { Grant, PolicyTarget, RequestState, Terms } from "./model.ts";
import {
  type DraftPolicy,
  isObject,
  type Json,
  type Policy,
  writeConstraints,
  writeMoment,
} from "./shared.ts";

export const PREFIXES = {
  dcterms: "http://purl.org/dc/terms/",
  dpv: "https://w3id.org/dpv#",
  fh: "https://w3id.org/freehold/ns#",
  ldp: "http://www.w3.org/ns/ldp#",
  lws: "https://www.w3.org/ns/lws#",
  odrl: "http://www.w3.org/ns/odrl/2/",
  vcard: "http://www.w3.org/2006/vcard/ns#",
  xsd: "http://www.w3.org/2001/XMLSchema#",
};

/** What a request or grant says, with targets as addresses. */
export interface Statement {
  /** Address; null where it has none yet. */
  readonly id: string | null;
  readonly type: "AccessRequest" | "AccessGrant";
  readonly storage: string;
  /** Milliseconds since 1970. */
  readonly issued: number | null;
  readonly terms: { readonly [name in keyof Terms]: Terms[name] | null };
  readonly policies: readonly (DraftPolicy | Policy)[];
  readonly proofs: number;
  /** In which state it is; nothing where it is asked for only now. */
  readonly state?: RequestState;
}

const STATES: Readonly<Record<RequestState, string>> = {
  Pending: fh.pending,
  Deferred: fh.deferred,
  Granted: fh.granted,
  Denied: fh.denied,
  Canceled: fh.canceled,
  Expired: fh.expired,
};

const integer = (value: number): Value => literal(String(value), namedNode(xsd.integer));
const moment = (time: number): Value => literal(writeMoment(time), namedNode(xsd.dateTime));
const iri = (value: string): Value => namedNode(value);

const TARGET_TYPES: Readonly<Record<PolicyTarget["kind"], string>> = {
  resource: lws.DataResource,
  container: lws.Container,
  storage: lws.Storage,
  view: fh.View,
  shape: sh.NodeShape,
};

const ACTIONS = { read: odrl.read, modify: odrl.modify, delete: odrl.delete, create: lws.create } as const;
const OPERATORS = { eq: odrl.eq, isAnyOf: odrl.isAnyOf, lteq: odrl.lteq, gteq: odrl.gteq } as const;

const typed = (type: string) => (value: unknown) => literal(String(value), namedNode(type));
const own = (value: unknown): Value => iri(`${PREFIXES.fh}${String(value)}`);
const named = (value: unknown): Value => iri(String(value));

/** What each operand is called, and how its values stand in RDF. */
const OPERANDS: Readonly<Record<string, readonly [operand: string, spell: (value: unknown) => Value]>> = {
  client: [lws.client, named],
  mediaType: [lws.mediaType, (value) => literal(String(value))],
  type: [lws.type, named],
  purpose: [odrl.purpose, named],
  dateTime: [odrl.dateTime, typed(xsd.dateTime)],
  tier: [fh.tier, own],
  consentMode: [fh.consentMode, own],
  field: [fh.field, named],
  dataRange: [fh.dataRange, typed(xsd.dateTime)],
  dataLife: [fh.dataLife, typed(xsd.duration)],
  maxQueries: [fh.maxQueries, typed(xsd.integer)],
};

type Say = (subject: Subject, predicate: string, object: Value) => void;

function sayConstraint(say: Say, policy: Subject, constraint: Json, name: string): void {
  const node = blankNode(name);
  const operand = String(constraint["leftOperand"]);
  const right = constraint["rightOperand"];
  say(policy, odrl.constraint, node);
  say(node, odrl.operator, iri(OPERATORS[constraint["operator"] as keyof typeof OPERATORS]));
  if (operand === "frequency" && isObject(right)) {
    const value = blankNode(`${name}f`);
    say(node, odrl.leftOperand, iri(fh.frequency));
    say(node, odrl.rightOperand, value);
    say(value, fh.count, integer(Number(right["count"])));
    say(value, fh.period, literal(String(right["per"]), namedNode(xsd.duration)));
    return;
  }
  const [property, spell] = OPERANDS[operand]!;
  say(node, odrl.leftOperand, iri(property));
  for (const value of Array.isArray(right) ? right : [right]) say(node, odrl.rightOperand, spell(value));
}

function sayPolicy(
  say: Say,
  document: Subject,
  policy: DraftPolicy | Policy,
  assignee: string | null,
  at: number,
): void {
  const node = blankNode(`p${at}`);
  const target = blankNode(`p${at}t`);
  say(document, lws.access, node);
  say(node, rdf.type, iri(lws.AccessPolicy));
  for (const action of policy.actions) say(node, odrl.action, iri(ACTIONS[action]));
  if (assignee !== null) say(node, odrl.assignee, iri(assignee));
  if (policy.necessity !== null) say(node, fh.necessity, own(policy.necessity));
  say(node, odrl.target, target);
  say(target, rdf.type, iri(TARGET_TYPES[policy.target.kind]));
  for (const value of policy.target.values) say(target, rdf.value, iri(value));
  for (const category of policy.categories) say(node, dpv.hasPersonalData, iri(category));
  for (const [place, constraint] of writeConstraints(policy).entries())
    sayConstraint(say, node, constraint, `p${at}c${place}`);
}

function sayTerms(say: Say, document: Subject, terms: Statement["terms"]): void {
  const sayIri = (predicate: string, value: string | null): void => {
    if (value !== null) say(document, predicate, iri(value));
  };
  sayIri(dpv.hasDataController, terms.controller);
  sayIri(dpv.hasLegalBasis, terms.legalBasis);
  sayIri(dpv.hasNotice, terms.notice);
  sayIri(dpv.hasAutomationLevel, terms.automation);
  sayIri(fh.terms, terms.terms);
  sayIri(ldp.inbox, terms.inbox);
  for (const one of terms.recipients ?? []) sayIri(dpv.hasRecipient, one);
  for (const one of terms.locations ?? []) sayIri(dpv.hasLocation, one);
  if (terms.decidesAboutPerson !== null)
    say(document, fh.decidesAboutPerson, literal(String(terms.decidesAboutPerson), namedNode(xsd.boolean)));
  for (const [language, text] of Object.entries(terms.benefit ?? {}))
    say(document, fh.benefit, literal(text, language));
  if (terms.price) {
    const price = blankNode("price");
    const { amount, currency } = terms.price;
    say(document, fh.price, price);
    say(price, schema.value, literal(amount, namedNode(xsd.decimal)));
    say(price, schema.currency, literal(currency));
  }
}

/** What a request or grant says. */
export function statementQuads(statement: Statement): Quad[] {
  const quads: Quad[] = [];
  const say: Say = (subject, predicate, object) =>
    void quads.push(quad(subject, namedNode(predicate), object));
  const document = statement.id === null ? blankNode("document") : namedNode(statement.id);
  say(document, rdf.type, iri(lws[statement.type]));
  say(document, lws.storage, iri(statement.storage));
  if (statement.issued !== null) say(document, dcterms.issued, moment(statement.issued));
  if (statement.state) say(document, fh.status, iri(STATES[statement.state]));
  sayTerms(say, document, statement.terms);
  for (const [at, policy] of statement.policies.entries())
    sayPolicy(say, document, policy, statement.terms.assignee, at);
  for (let at = 0; at < statement.proofs; at++) {
    const proof = blankNode(`proof${at}`);
    say(document, sec.proof, proof);
    say(proof, rdf.type, iri(sec.DataIntegrityProof));
  }
  return quads;
}

/** The group that access lists name for a grant: its vendor, and nobody as soon as data may not flow. */
export function granteeQuads(id: string, grant: Grant, isFlowing: boolean): Quad[] {
  const group = namedNode(`${id}#grantee`);
  const is = quad(group, namedNode(rdf.type), namedNode(vcard.Group));
  return isFlowing ? [is, quad(group, namedNode(vcard.hasMember), namedNode(grant.assignee))] : [is];
}
