/** Access lists as data: who may do what, and the list after a change. Nothing here sends anything. https://solidproject.org/TR/wac */
import { acl, foaf, rdf } from "@freehold/vocab";
import type { Access, AccessMode } from "./modes.ts";
import { namedNode, type Quad, quad } from "./rdf.ts";

/** A WebID, everybody, or everybody who has logged in. */
export type Grantee = { readonly webid: string } | "public" | "signed-in";

const MODES: Readonly<Record<AccessMode, string>> = {
  read: acl.Read,
  append: acl.Append,
  write: acl.Write,
  control: acl.Control,
};
const NAMES = Object.keys(MODES) as readonly AccessMode[];
/** What says who; everything else of a rule stays when one of them goes. */
const WHO: ReadonlySet<string> = new Set([acl.agent, acl.agentClass, acl.agentGroup]);
export const ACL_PREFIXES = {
  acl: acl.agent.slice(0, -"agent".length),
  foaf: foaf.Agent.slice(0, -"Agent".length),
};

/** The list that is in force for a resource. */
export interface Effective {
  readonly quads: readonly Quad[];
  /** The list the quads are of, and the resource or folder it belongs to. */
  readonly aclUrl: string;
  readonly ofUrl: string;
  /** The resource in question. */
  readonly url: string;
}

const isOwn = ({ ofUrl, url }: Effective): boolean => ofUrl === url;
const keyOf = (term: Quad["subject"] | Quad["object"]): string => `${term.termType} ${term.value}`;

/** The rules that say something of the resource, or those that the folder above hands down to it. */
function rulesInForce(list: Effective): readonly (readonly Quad[])[] {
  const places = isOwn(list) ? placesOf(list.url) : [acl.default];
  const keys = new Set(
    list.quads
      .filter(
        ({ predicate, object }) =>
          places.includes(predicate.value) && object.value === list.ofUrl && object.termType === "NamedNode",
      )
      .map(({ subject }) => keyOf(subject)),
  );
  const rules = [...keys].map((key) => list.quads.filter(({ subject }) => keyOf(subject) === key));
  return rules.filter((rule) =>
    rule.some((one) => one.predicate.value === rdf.type && one.object.value === acl.Authorization),
  );
}

/** A folder's rules are for itself and for what is in it. */
const placesOf = (url: string): readonly string[] =>
  url.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];

function coverOf(rule: readonly Quad[], list: Effective): Access["covers"] {
  if (!list.url.endsWith("/")) return "itself";
  if (!isOwn(list)) return "both"; // What is handed down is handed on.
  const [itself, contents] = [acl.accessTo, acl.default].map((place) =>
    objects(rule, place).includes(list.url),
  );
  return itself && contents ? "both" : itself ? "itself" : "contents";
}

const objects = (rule: readonly Quad[], predicate: string): readonly string[] =>
  rule.filter((one) => one.predicate.value === predicate).map(({ object }) => object.value);

const modesOf = (rule: readonly Quad[]): readonly AccessMode[] =>
  NAMES.filter((name) => objects(rule, acl.mode).includes(MODES[name]));

function granteesOf(rule: readonly Quad[]): readonly Access["who"][] {
  const classes = objects(rule, acl.agentClass);
  return [
    ...objects(rule, acl.agent).map((iri) => ({ kind: "agent", iri }) as const),
    ...objects(rule, acl.agentGroup).map((iri) => ({ kind: "group", iri }) as const),
    ...(classes.includes(foaf.Agent) ? [{ kind: "public" } as const] : []),
    ...(classes.includes(acl.AuthenticatedAgent) ? [{ kind: "signed-in" } as const] : []),
  ];
}

const isNarrowed = (rule: readonly Quad[]): boolean =>
  rule.some((one) => one.predicate.value === acl.origin || one.predicate.value === acl.condition);

/** Who has access to the resource, one line for each person and rule. */
export function accessOf(list: Effective): readonly Access[] {
  return rulesInForce(list).flatMap((rule) =>
    granteesOf(rule).map((who) => ({
      who,
      modes: modesOf(rule),
      url: list.url,
      covers: coverOf(rule, list),
      via: list.aclUrl,
      inherited: !isOwn(list),
      narrowed: isNarrowed(rule),
    })),
  );
}

/** The nodes that hang on these, as conditions do. */
function dependants(quads: readonly Quad[], roots: readonly Quad["subject"][]): readonly Quad[] {
  const keys = new Set(roots.map(keyOf));
  for (const key of keys) {
    for (const one of quads) {
      const hangs = one.object.termType === "BlankNode" || one.predicate.value === acl.condition;
      if (keyOf(one.subject) === key && hangs) keys.add(keyOf(one.object)); // A Set's loop sees what is added.
    }
  }
  return quads.filter(({ subject }) => keys.has(keyOf(subject)));
}

/** A list of the resource's own that says what it inherits: nobody gains or loses anything by it. */
export function materialise(list: Effective, ownAclUrl: string): Effective {
  if (isOwn(list)) return list;
  const rules = rulesInForce(list);
  const roots = rules.flatMap((rule) => (rule[0] ? [rule[0].subject] : []));
  const moved = <T extends Quad["subject"] | Quad["object"]>(term: T): T =>
    term.termType === "NamedNode" && term.value.startsWith(`${list.aclUrl}#`)
      ? (namedNode(ownAclUrl + term.value.slice(list.aclUrl.length)) as T)
      : term;
  const kept = dependants(list.quads, roots).filter(
    ({ predicate }) => predicate.value !== acl.accessTo && predicate.value !== acl.default,
  );
  const places = roots.flatMap((root) =>
    placesOf(list.url).map((place) => quad(moved(root), place, namedNode(list.url))),
  );
  const copies = kept.map(({ subject, predicate, object }) =>
    quad(moved(subject), predicate.value, moved(object)),
  );
  return { url: list.url, ofUrl: list.url, aclUrl: ownAclUrl, quads: [...copies, ...places] };
}

function freshNode(list: Effective): Quad["subject"] {
  const used = new Set(list.quads.flatMap(({ subject, object }) => [subject.value, object.value]));
  let number = 1;
  while (used.has(`${list.aclUrl}#grant-${number}`)) number += 1;
  return namedNode(`${list.aclUrl}#grant-${number}`);
}

const statementOf = (who: Grantee): readonly [string, string] => {
  if (who === "public") return [acl.agentClass, foaf.Agent];
  return who === "signed-in" ? [acl.agentClass, acl.AuthenticatedAgent] : [acl.agent, who.webid];
};

const names = (rule: readonly Quad[], who: Grantee): boolean => {
  const [predicate, object] = statementOf(who);
  return objects(rule, predicate).includes(object);
};

const reaches = (rule: readonly Quad[], { url }: Effective): boolean =>
  placesOf(url).every((place) => objects(rule, place).includes(url));

const write = (modes: readonly AccessMode[]): readonly AccessMode[] =>
  modes.includes("write") ? [...modes, "append"] : modes;

/** @returns the list with the modes added for `who`; the same object when there is nothing to add. */
export function withGrant(own: Effective, who: Grantee, modes: readonly AccessMode[]): Effective {
  const has = rulesInForce(own)
    .filter((rule) => names(rule, who) && !isNarrowed(rule) && reaches(rule, own))
    .flatMap((rule) => write(modesOf(rule)));
  const missing = NAMES.filter((mode) => modes.includes(mode) && !has.includes(mode));
  if (missing.length === 0) return own;
  const node = freshNode(own);
  const [predicate, object] = statementOf(who);
  const rule = [
    quad(node, rdf.type, namedNode(acl.Authorization)),
    quad(node, predicate, namedNode(object)),
    ...placesOf(own.url).map((place) => quad(node, place, namedNode(own.url))),
    ...missing.map((mode) => quad(node, acl.mode, namedNode(MODES[mode]))),
  ];
  return { ...own, quads: [...own.quads, ...rule] };
}

/** @returns the list in which no rule that names `who` gives these modes; the same object when none did. */
export function withoutGrant(own: Effective, who: Grantee, modes: readonly AccessMode[]): Effective {
  let list = own;
  for (const rule of rulesInForce(own)) {
    if (!names(rule, who) || !modesOf(rule).some((mode) => modes.includes(mode))) continue;
    list = { ...list, quads: split(list, rule, who, modes) };
  }
  return list;
}

/** The rule goes on for everybody else it names; what is left for `who` becomes a rule of its own. */
function split(
  list: Effective,
  rule: readonly Quad[],
  who: Grantee,
  modes: readonly AccessMode[],
): readonly Quad[] {
  const [predicate, object] = statementOf(who);
  const isAbout = (one: Quad): boolean => one.predicate.value === predicate && one.object.value === object;
  const others = rule.filter((one) => !isAbout(one));
  const isShared = others.some((one) => WHO.has(one.predicate.value));
  const left = modesOf(rule).filter((mode) => !modes.includes(mode));
  const node = freshNode(list);
  const gone = modes.map((mode) => MODES[mode]);
  const rest = rule
    .filter((one) => isAbout(one) || !WHO.has(one.predicate.value))
    .filter((one) => one.predicate.value !== acl.mode || !gone.includes(one.object.value))
    .map((one) => quad(node, one.predicate.value, one.object));
  const without = new Set(rule);
  return [
    ...list.quads.filter((one) => !without.has(one)),
    ...(isShared ? others : []),
    ...(left.length > 0 ? rest : []),
  ];
}

/** WebIDs that may change the list of the resource itself, or of a folder's contents. */
export const controllersOf = (list: Effective, of: "itself" | "contents"): readonly string[] =>
  rulesInForce(list)
    .filter(
      (rule) =>
        [of, "both"].includes(coverOf(rule, list)) && modesOf(rule).includes("control") && !isNarrowed(rule),
    )
    .flatMap((rule) => objects(rule, acl.agent));
