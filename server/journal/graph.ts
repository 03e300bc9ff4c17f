/** Entries as RDF: activities of PROV-O, with what DPV calls the processing, and our own words where those have none. */
import { dpv, fh, ldp, prov, rdf, xsd } from "@freehold/vocab";
import { literal, namedNode, type Quad, quad, type Value } from "../rdf/terms.ts";
import { type Act, type JournalEntry, OPERATOR, SERVER, SEVERAL } from "./entry.ts";
import type { NumberedEntry } from "./journal.ts";

export const PREFIXES = {
  dpv: "https://w3id.org/dpv#",
  fh: "https://w3id.org/freehold/ns#",
  ldp: "http://www.w3.org/ns/ldp#",
  prov: "http://www.w3.org/ns/prov#",
  xsd: "http://www.w3.org/2001/XMLSchema#",
};

const PROCESSING: Readonly<Record<Act, string>> = {
  create: dpv.Store,
  change: dpv.Modify,
  append: fh.append,
  delete: dpv.Delete,
  look: dpv.Access,
  query: dpv.Query,
  access: fh.changeAccess,
  grant: fh.grantAccess,
  revoke: fh.revokeAccess,
  export: dpv.Export,
  import: fh.takeIn,
  erase: dpv.Erase,
  restore: fh.restore,
  restrict: dpv.Restrict,
  release: fh.release,
  move: fh.move,
  backup: fh.backUp,
  keys: fh.renewKeys,
  verify: fh.verifyJournal,
  "sign-head": fh.signHead,
  subscribe: fh.subscribe,
  unsubscribe: fh.unsubscribe,
  pause: fh.pauseAccess,
  resume: fh.resumeAccess,
  lapse: fh.endAccess,
  alarm: fh.raiseAlarm,
  ask: fh.askForAccess,
  decide: fh.decideOnAccess,
};

/** How PROV-O relates the activity to what it was done to. */
const RELATION: Partial<Readonly<Record<Act, string>>> = {
  create: prov.generated,
  change: prov.generated,
  append: prov.generated,
  import: prov.generated,
  restore: prov.generated,
  delete: prov.invalidated,
  erase: prov.invalidated,
};

/** What stands between the brackets of Turtle: one sign more that no IRI has, and nobody could read the page again. */
const IRI = /^[a-z][a-z0-9+.-]*:[^\p{C}\s<>"{}|\\^`]+$/iu;
const INTEGER = namedNode(xsd.integer);
const DATE_TIME = namedNode(xsd.dateTime);

const integer = (value: number): Value => literal(String(value), INTEGER);
const moment = (ms: number): Value => literal(new Date(ms).toISOString(), DATE_TIME);
/** An address where it is one; names of clients may be anything. */
const named = (text: string): Value =>
  IRI.test(text) && /^https?:\/\//.test(text) ? namedNode(text) : literal(text.toWellFormed());

/** People by their WebIDs; the operator and the server are parts of the server's own address. */
function agentOf(agent: string, baseUrl: string): Value | null {
  if (agent === SEVERAL) return null;
  return agent === OPERATOR || agent === SERVER ? namedNode(`${baseUrl}#${agent}`) : named(agent);
}

/**
 * @param pageUrl Of the page that the entry stands in: its address there is its name everywhere.
 * @param baseUrl Ends in `/`.
 */
export function entryQuads({ number, entry }: NumberedEntry, pageUrl: string, baseUrl: string): Quad[] {
  const subject = namedNode(`${pageUrl}#e${number}`);
  const quads: Quad[] = [];
  const say = (predicate: string, object: Value | null): void => {
    if (object) quads.push(quad(subject, namedNode(predicate), object));
  };
  const sayIf = <T>(predicate: string, value: T | null, spell: (value: T) => Value | null): void => {
    if (value !== null) say(predicate, spell(value));
  };
  say(rdf.type, namedNode(prov.Activity));
  say(fh.entryNumber, integer(number));
  if (entry === null) {
    say(fh.status, namedNode(fh.erased));
    return quads;
  }
  sayEntry(entry, baseUrl, say, sayIf);
  return quads;
}

function sayEntry(
  entry: JournalEntry,
  baseUrl: string,
  say: (predicate: string, object: Value | null) => void,
  sayIf: <T>(predicate: string, value: T | null, spell: (value: T) => Value | null) => void,
): void {
  const path = entry.path === SEVERAL ? null : entry.path;
  say(dpv.hasProcessing, namedNode(PROCESSING[entry.act]));
  sayIf(prov.startedAtTime, entry.since, moment);
  say(prov.endedAtTime, moment(entry.time));
  sayIf(prov.wasAssociatedWith, entry.agent, (agent) => agentOf(agent, baseUrl));
  // What was refused was neither made nor used up; it was only asked for.
  const relation = entry.decision === "granted" ? RELATION[entry.act] : undefined;
  sayIf(relation ?? prov.used, path, (at) => namedNode(`${baseUrl.slice(0, -1)}${at}`));
  say(fh.decision, namedNode(entry.decision === "granted" ? fh.granted : fh.denied));
  sayIf(fh.client, entry.client, named);
  sayIf(fh.issuer, entry.issuer, named);
  sayIf(fh.origin, entry.origin, named);
  sayIf(dpv.hasPurpose, entry.purpose, (purpose) =>
    IRI.test(purpose) ? namedNode(purpose) : literal(purpose),
  );
  sayIf(fh.grant, entry.grant, named);
  sayIf(fh.statusCode, entry.status, integer);
  sayIf(fh.rows, entry.rows, integer);
  sayIf(fh.documents, entry.documents, integer);
  sayIf(fh.bytes, entry.bytes, integer);
  if (entry.count !== 1) say(fh.times, integer(entry.count));
  sayIf(fh.requestId, entry.request, (id) => literal(id));
  for (const [first, last] of entry.numbers) say(fh.concerns, literal(`${first}-${last}`));
}

/** The container's own statements: its pages. */
export function containerQuads(url: string, pages: number): Quad[] {
  const container = namedNode(url);
  const type = namedNode(rdf.type);
  return [
    ...[ldp.BasicContainer, ldp.Container, ldp.Resource].map((kind) =>
      quad(container, type, namedNode(kind)),
    ),
    ...Array.from({ length: pages }, (_, index) =>
      quad(container, namedNode(ldp.contains), namedNode(`${url}${index + 1}`)),
    ),
  ];
}
