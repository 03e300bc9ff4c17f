/**
 * A second evaluator of Web Access Control, written from the text of the specification and sharing no code with the
 * server: Turtle in, yes or no out, by matching triples the way the specification's ASK queries do. Slow and plain.
 * Where the server is stricter than the text (unknown conditions) or uses a liberty it gives (implicitly trusted
 * origins), so is this, and says so. https://solidproject.org/TR/wac
 */
import { Parser } from "n3";

const ACL = "http://www.w3.org/ns/auth/acl#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const EVERYONE = "http://xmlns.com/foaf/0.1/Agent";
const HAS_MEMBER = "http://www.w3.org/2006/vcard/ns#hasMember";

type Triple = readonly [subject: string, predicate: string, object: string];

export interface Question {
  readonly webid: string | null;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly origin: string | null;
}

export interface OracleWorld {
  /** URL → Turtle: of access lists (`….acl`) and of documents, over all pods. */
  readonly documents: Readonly<Record<string, string>>;
  /** URL of the pod's root. */
  readonly root: string;
  readonly owner: string;
  /** Where the server's own pages are. */
  readonly ownOrigin: string;
}

const known = new Map<string, readonly Triple[]>();

/** Nothing, for what is no Turtle. */
function triplesOf(world: OracleWorld, url: string): readonly Triple[] {
  const text = Object.hasOwn(world.documents, url) ? world.documents[url] : undefined;
  if (text === undefined) return [];
  const key = `${url}\n${text}`;
  const found = known.get(key);
  if (found) return found;
  let triples: Triple[] = [];
  try {
    const quads = new Parser({ baseIRI: url, format: "text/turtle" }).parse(text);
    triples = quads.map(({ subject, predicate, object }) => [
      subject.termType === "BlankNode" ? `_:${subject.value}` : subject.value,
      predicate.value,
      object.termType === "NamedNode"
        ? object.value
        : object.termType === "BlankNode"
          ? `_:${object.value}`
          : `"${object.value}`,
    ]);
  } catch {
    triples = [];
  }
  known.set(key, triples);
  return triples;
}

function ask(triples: readonly Triple[], subject: string, predicate: string, object: string): boolean {
  return triples.some((triple) => triple[0] === subject && triple[1] === predicate && triple[2] === object);
}

function values(triples: readonly Triple[], subject: string, predicate: string): string[] {
  return triples
    .filter((triple) => triple[0] === subject && triple[1] === predicate)
    .map((triple) => triple[2]);
}

/** Section "Effective ACL Resource", steps 1 to 4. */
function effectiveAcl(world: OracleWorld, resource: string): { acl: string; resource: string } | null {
  let current = resource;
  while (current.startsWith(world.root)) {
    if (Object.hasOwn(world.documents, `${current}.acl`)) return { acl: `${current}.acl`, resource: current };
    current = current.replace(/[^/]+\/?$/, "");
  }
  return null;
}

/** Members are listed in the group's document; only documents of this server are looked at, and no auxiliary ones. */
function isInGroup(world: OracleWorld, group: string, agent: string): boolean {
  const document = group.replace(/#.*$/, "");
  if (/\.(acl|meta)$/.test(document)) return false;
  return ask(triplesOf(world, document), group, HAS_MEMBER, agent);
}

function isAgentOf(
  world: OracleWorld,
  list: readonly Triple[],
  authorization: string,
  webid: string | null,
): boolean {
  if (ask(list, authorization, `${ACL}agentClass`, EVERYONE)) return true;
  if (webid === null) return false;
  if (ask(list, authorization, `${ACL}agentClass`, `${ACL}AuthenticatedAgent`)) return true;
  if (ask(list, authorization, `${ACL}agent`, webid)) return true;
  return values(list, authorization, `${ACL}agentGroup`).some((group) => isInGroup(world, group, webid));
}

/** Section "Access Conditions": one condition, of one or several types; types we do not know fail (stricter than the text). */
function conditionHolds(
  world: OracleWorld,
  list: readonly Triple[],
  condition: string,
  asker: Question,
): boolean {
  const types = values(list, condition, TYPE).filter((type) => type !== `${ACL}Condition`);
  if (types.length === 0) return false;
  for (const type of types) {
    const word =
      type === `${ACL}ClientCondition` ? "client" : type === `${ACL}IssuerCondition` ? "issuer" : null;
    if (word === null) return false;
    const party = asker[word];
    const anyone = ask(list, condition, `${ACL}${word}Class`, EVERYONE);
    const named = party !== null && ask(list, condition, `${ACL}${word}`, party);
    const grouped =
      party !== null &&
      values(list, condition, `${ACL}${word}Group`).some((group) => isInGroup(world, group, party));
    if (!anyone && !named && !grouped) return false;
  }
  return true;
}

/** Section "Authorization Conformance", then mode entailment and conditions. */
function conforms(
  world: OracleWorld,
  list: readonly Triple[],
  authorization: string,
  mode: string,
  asker: Question,
): boolean {
  if (!ask(list, authorization, TYPE, `${ACL}Authorization`)) return false;
  const enough = mode === "Append" ? ["Append", "Write"] : [mode];
  if (!enough.some((name) => ask(list, authorization, `${ACL}mode`, `${ACL}${name}`))) return false;
  return values(list, authorization, `${ACL}condition`).every((condition) =>
    conditionHolds(world, list, condition, asker),
  );
}

const sameOrigin = (iri: string, origin: string): boolean => iri === origin || iri === `${origin}/`;

/** Section "Web Origin Authorization": agent and origin match, unless the mode is there for all agents. */
function originFits(
  world: OracleWorld,
  list: readonly Triple[],
  matching: readonly string[],
  authorization: string,
  asker: Question,
): boolean {
  const { origin } = asker;
  if (origin === null || origin === world.ownOrigin) return true; // "Trusted Origins": the same origin.
  const named = values(list, authorization, `${ACL}origin`);
  if (named.length === 0) return true; // "Trusted Origins": whoever names none trusts all.
  if (named.some((iri) => sameOrigin(iri, origin))) return true;
  return matching.some((other) => {
    const subjects = ["agent", "agentGroup", "agentClass"].flatMap((word) =>
      values(list, other, `${ACL}${word}`),
    );
    return (
      subjects.length === 0 && values(list, other, `${ACL}origin`).some((iri) => sameOrigin(iri, origin))
    );
  });
}

/** Whether the asker has an access mode on a resource that is no access list. */
function hasMode(world: OracleWorld, resource: string, mode: string, asker: Question): boolean {
  if (mode === "Control" && asker.webid === world.owner) return true; // "Loss of Control Mitigation".
  const effective = effectiveAcl(world, resource);
  if (!effective) return false;
  const list = triplesOf(world, effective.acl);
  const about = effective.resource === resource ? "accessTo" : "default";
  const matching = [...new Set(list.map(([subject]) => subject))].filter(
    (subject) =>
      ask(list, subject, `${ACL}${about}`, effective.resource) && conforms(world, list, subject, mode, asker),
  );
  return matching.some(
    (authorization) =>
      isAgentOf(world, list, authorization, asker.webid) &&
      (ask(list, authorization, `${ACL}agentClass`, EVERYONE) ||
        originFits(world, list, matching, authorization, asker)),
  );
}

/** @param mode As requested of `url`, which may be an access list: those need Control of their resource for everything. */
export function oracle(
  world: OracleWorld,
  url: string,
  mode: "read" | "append" | "write" | "control",
  asker: Question,
): boolean {
  if (url.endsWith(".acl")) return hasMode(world, url.slice(0, -4), "Control", asker);
  const resource = url.endsWith(".meta") ? url.slice(0, -5) : url;
  return hasMode(world, resource, `${mode[0]?.toUpperCase()}${mode.slice(1)}`, asker);
}
