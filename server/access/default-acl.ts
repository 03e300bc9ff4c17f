/** Access lists that the server writes: those of new pods, and changes an owner makes on a page. */
import { acl, foaf, rdf } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { parseIri, type WebId } from "../iri.ts";
import type { Mode } from "../operation.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import { describe, keyOfNode, MODE_IRIS } from "./acl.ts";
import { MODES } from "./decide.ts";

export interface OwnerAcl {
  /** Absolute URL of the resource that the list is for; ends in `/` for a container. */
  readonly subjectUrl: string;
  readonly owner: WebId;
}

/** One authorization in Turtle. Every IRI is parsed before: none holds a character that could end it early. */
function authorization(
  name: string,
  { subjectUrl, owner }: OwnerAcl,
  who: "owner" | "public",
  modes: readonly Mode[],
): string {
  const subject = `<${parseIri(subjectUrl)}>`;
  const lines = [
    `<#${name}>`,
    "    a acl:Authorization ;",
    `    acl:${who === "owner" ? "agent" : "agentClass"} <${parseIri(who === "owner" ? owner : foaf.Agent)}> ;`,
    `    acl:accessTo ${subject} ;`,
    ...(subjectUrl.endsWith("/") ? [`    acl:default ${subject} ;`] : []),
    `    acl:mode ${modes.map((mode) => `<${MODE_IRIS[mode]}>`).join(", ")} .`,
  ];
  return lines.join("\n");
}

const PREFIX = `@prefix acl: <${acl.Access.slice(0, -"Access".length)}> .\n\n`;
const OWNER_MODES: readonly Mode[] = ["read", "write", "control"];

/** Only the owner, with every mode; for a container also below it. Turtle with absolute IRIs. */
export function ownerAcl(subject: OwnerAcl): string {
  return `${PREFIX}${authorization("owner", subject, "owner", OWNER_MODES)}\n`;
}

/** The owner with every mode, and everybody may read; for a container also below it. */
export function publicReadAcl(subject: OwnerAcl): string {
  return `${ownerAcl(subject)}\n${authorization("public", subject, "public", ["read"])}\n`;
}

/** The owner with every mode, and everybody may add (an inbox): nobody else can read what was added. */
export function publicAppendAcl(subject: OwnerAcl): string {
  return `${ownerAcl(subject)}\n${authorization("public", subject, "public", ["append"])}\n`;
}

export interface AclPlace {
  /** The list that the quads are from: the subject's own, or the one of a folder above that is effective for it. */
  readonly aclUrl: string;
  readonly subjectUrl: string;
}

export interface Grant extends AclPlace {
  /** A person or organisation. */
  readonly agent: WebId;
  readonly modes: readonly Mode[];
  /** For a folder: also everything in it that has no list of its own. */
  readonly inherit: boolean;
}

function subjectsWith(
  quads: readonly Quad[],
  predicate: string,
  object: string,
): Map<string, Quad["subject"]> {
  const found = quads.filter(
    (one) =>
      one.predicate.value === predicate && one.object.termType === "NamedNode" && one.object.value === object,
  );
  return new Map(found.map(({ subject }) => [keyOfNode(subject), subject]));
}

/** The nodes that hang on these, as conditions do: what must be copied with them. */
function withDependants(quads: readonly Quad[], roots: Iterable<string>): ReadonlySet<string> {
  const kept = new Set(roots);
  for (const key of kept) {
    for (const { subject, predicate, object } of quads) {
      if (keyOfNode(subject) !== key || object.termType === "Literal") continue;
      if (object.termType === "BlankNode" || predicate.value === acl.condition) kept.add(keyOfNode(object)); // A Set's loop sees what is added.
    }
  }
  return kept;
}

/** A list of the subject's own that says what it inherited before: nobody gains or loses anything by it. */
function materialise(quads: readonly Quad[], { aclUrl, subjectUrl }: AclPlace): Quad[] {
  const source = aclUrl.slice(0, -".acl".length);
  if (source === subjectUrl) return [...quads];
  if (!subjectUrl.startsWith(source))
    throw new Problem("acl-invalid", "This access list does not concern the resource");
  const rules = subjectsWith(quads, acl.default, source);
  const kept = withDependants(quads, rules.keys());
  const moved = (node: Quad["subject"]) => {
    const isOfList =
      kept.has(node.value) && node.termType === "NamedNode" && node.value.startsWith(`${aclUrl}#`);
    return isOfList ? namedNode(`${subjectUrl}.acl${node.value.slice(aclUrl.length)}`) : node;
  };
  const copies = quads
    .filter(
      ({ subject, predicate }) =>
        kept.has(keyOfNode(subject)) && predicate.value !== acl.accessTo && predicate.value !== acl.default,
    )
    .map(({ subject, predicate, object }) =>
      quad(moved(subject), predicate, object.termType === "Literal" ? object : moved(object)),
    );
  const places = subjectUrl.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];
  const placed = [...rules.values()].flatMap((rule) =>
    places.map((place) => quad(moved(rule), namedNode(place), namedNode(subjectUrl))),
  );
  return [...copies, ...placed];
}

/** Whether some node says exactly this. */
function says(quads: readonly Quad[], statements: readonly (readonly [string, string])[]): boolean {
  const wanted = new Set(statements.map((statement) => statement.join(" ")));
  return [...describe(quads).values()].some((description) => {
    const said = [...description].flatMap(([predicate, objects]) =>
      objects.map((object) => `${predicate} ${object.value}`),
    );
    return said.length === wanted.size && said.every((statement) => wanted.has(statement));
  });
}

/**
 * The quads of the subject's own list after giving an agent modes. When the subject inherits (`aclUrl` is the list of
 * a folder above), what it inherited is copied first: nobody else gains or loses access. Modes it has already stay.
 * @returns quads to be stored at `{subjectUrl}.acl`.
 */
export function grantInAcl(quads: readonly Quad[], grant: Grant): Quad[] {
  const list = materialise(quads, grant);
  const ownUrl = `${grant.subjectUrl}.acl`;
  const modes = MODES.filter((mode) => grant.modes.includes(mode)).map((mode) => MODE_IRIS[mode]);
  if (modes.length === 0) return list;
  const places =
    grant.inherit && grant.subjectUrl.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];
  const statements: [string, string][] = [
    [rdf.type, acl.Authorization],
    [acl.agent, grant.agent],
    ...places.map((place): [string, string] => [place, grant.subjectUrl]),
    ...modes.map((mode): [string, string] => [acl.mode, mode]),
  ];
  if (says(list, statements)) return list;
  const used = new Set(list.flatMap(({ subject, object }) => [subject.value, object.value]));
  let number = 1;
  while (used.has(`${ownUrl}#grant-${number}`)) number++;
  const node = namedNode(`${ownUrl}#grant-${number}`);
  list.push(...statements.map(([predicate, object]) => quad(node, namedNode(predicate), namedNode(object))));
  return list;
}

/** Blank nodes that hang on these nodes and on nothing else. */
function onlyUnder(quads: readonly Quad[], roots: ReadonlySet<string>): string[] {
  const hanging = [...withDependants(quads, roots)].filter((key) => key.startsWith("_:") && !roots.has(key));
  const others = quads.filter(
    ({ subject }) => !roots.has(keyOfNode(subject)) && !hanging.includes(keyOfNode(subject)),
  );
  const shared = withDependants(
    quads,
    others.map(({ object }) => keyOfNode(object)),
  );
  return hanging.filter((key) => !shared.has(key));
}

export interface Revocation extends Partial<AclPlace> {
  /** A person or organisation. */
  readonly agent: WebId;
  /** Never dropped from a list. */
  readonly owner?: WebId;
}

/**
 * The quads of a list without an agent's own access. What the agent has as a member of a group, or because everybody
 * has it, stays. With `aclUrl` and `subjectUrl` of a subject that inherits, what it inherited is copied first, so
 * that the agent keeps what it has elsewhere.
 * @throws Problem `acl-invalid` when the agent is the owner.
 */
export function revokeInAcl(
  quads: readonly Quad[],
  { agent, owner, aclUrl, subjectUrl }: Revocation,
): Quad[] {
  if (agent === owner)
    throw new Problem("acl-invalid", "The owner of a pod cannot be taken off an access list");
  const list =
    aclUrl !== undefined && subjectUrl !== undefined ? materialise(quads, { aclUrl, subjectUrl }) : quads;
  const named = subjectsWith(list, acl.agent, agent);
  const kept = list.filter(
    ({ predicate, object }) =>
      predicate.value !== acl.agent || object.termType !== "NamedNode" || object.value !== agent,
  );
  const subjectsLeft = new Set(
    kept
      .filter(({ predicate }) =>
        [acl.agent, acl.agentGroup, acl.agentClass].includes(predicate.value as typeof acl.agent),
      )
      .map(({ subject }) => keyOfNode(subject)),
  );
  // An authorization left with origins alone would trust them on behalf of everybody: it goes with its last agent.
  const dead = new Set([...named.keys()].filter((key) => !subjectsLeft.has(key)));
  const gone = new Set([...dead, ...onlyUnder(kept, dead)]);
  return kept.filter(({ subject }) => !gone.has(keyOfNode(subject)));
}
