/**
 * Names of things that one vendor alone knows: two of them cannot find out that they know the same person. Made with a key
 * of the pod, so nobody can try names out; the same thing has the same name for the same vendor, as long as the pod is.
 */
import { createHash, createHmac } from "node:crypto";
import { rdf, xsd } from "@freehold/vocab";
import {
  keyOf,
  keyOfTriple,
  type Literal,
  literal,
  type NamedNode,
  namedNode,
  type Quad,
  quad,
  type Subject,
} from "../../rdf/terms.ts";
import { isVocabulary } from "./reduce.ts";

/** https://www.w3.org/TR/rdf11-concepts/#section-skolemization */
export const GENID_PATH = ".well-known/genid/";
const NAME_CHARS = 22; // 128 bits.
const CONTENT_DEEP = 8;

/** The key of one vendor in one pod. @param secret Of the pod: 32 bytes. */
export const pairKey = (secret: Uint8Array, assignee: string): Uint8Array =>
  createHmac("sha256", secret).update(`pairwise ${assignee}`).digest();

export interface Renaming {
  readonly key: Uint8Array;
  /** Canonical, ends in `/`: whatever has an address here is named anew. */
  readonly baseUrl: string;
  /** Documents about the owner that are elsewhere: whatever they name is named anew, too. */
  readonly own: readonly string[];
  /** What the view's triples were before anything was left out: what is a thing there is none of somebody else's. */
  readonly all: readonly Quad[];
  /** Properties that the vendor has named, so it knows them. */
  readonly fields: readonly string[] | null;
  /** Of a pod that has moved: its root now, and where the first names were given. Names stay as they were there. */
  readonly home?: { readonly root: string; readonly first: string };
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** What is said of a node without a name, as a hash; of chains and circles only the beginning. */
function contentHashes(about: ReadonlyMap<string, readonly Quad[]>): (key: string) => string {
  const known = new Map<string, string>();
  const hash = (key: string, deep: number): string => {
    const before = deep === 0 ? known.get(key) : undefined;
    if (before !== undefined) return before;
    const said = (about.get(key) ?? []).map(({ predicate, object }) => {
      const value =
        object.termType !== "BlankNode"
          ? keyOf(object)
          : deep < CONTENT_DEEP
            ? hash(keyOf(object), deep + 1)
            : "_";
      return `${predicate.value} ${value}`;
    });
    const found = hashOf(said.sort().join("\n"));
    if (deep === 0) known.set(key, found);
    return found;
  };
  return (key) => hash(key, 0);
}

/**
 * Names for nodes without one, from what leads to them: they stay when the node's values change, and do not hang on
 * labels, which tell how much else a document has.
 */
export function namesOfBlanks(quads: readonly Quad[]): ReadonlyMap<string, string> {
  const about = Map.groupBy(quads, ({ subject }) => keyOf(subject));
  const contentOf = contentHashes(about);
  const names = new Map<string, string>();
  const pointedTo = new Set<string>();
  for (const { object } of quads) if (object.termType === "BlankNode") pointedTo.add(keyOf(object));
  const byContent = (keys: readonly string[]): readonly string[] =>
    keys
      .map((key) => [contentOf(key), key] as const)
      .sort((a, b) => (a[0] < b[0] ? -1 : 1))
      .map(([, key]) => key);

  const follow = (starts: readonly (readonly [key: string, name: string])[]): void => {
    const queue = [...starts];
    for (const [key, name] of queue) {
      const links = (about.get(key) ?? []).filter(({ object }) => object.termType === "BlankNode");
      const byProperty = Map.groupBy(links, ({ predicate }) => predicate.value);
      for (const property of [...byProperty.keys()].sort()) {
        const found = [...new Set(byProperty.get(property)!.map(({ object }) => keyOf(object)))];
        for (const [rank, one] of byContent(found).entries()) {
          if (names.has(one)) continue;
          const own = hashOf(`${name} ${property} ${rank}`);
          names.set(one, own);
          queue.push([one, own]);
        }
      }
    }
  };
  const subjects = [...about.keys()];
  const named = subjects.filter((key) => !key.startsWith("_:")).sort();
  follow(named.map((key) => [key, key]));
  const blanks = subjects.filter((key) => key.startsWith("_:"));
  // Then those that nothing leads to, and at last what only leads to itself.
  for (const some of [blanks.filter((key) => !pointedTo.has(key)), blanks, [...pointedTo]]) {
    for (const [rank, key] of byContent(some).entries()) {
      if (names.has(key)) continue;
      const name = hashOf(`root ${contentOf(key)} ${rank}`);
      names.set(key, name);
      follow([[key, name]]);
    }
  }
  return names;
}

/** Names that say by themselves whose they are, wherever they stand. */
const OWN_NAMES = /^(urn:(uuid|freehold):|did:)/i;

/** Of the server that a pod's root is on; ends in `/`. */
const baseOf = (root: string): string => root.replace(/[^/]+\/$/, "");

/** The same triples as they were where the pod was first. */
function atHome(quads: readonly Quad[], { root, first }: NonNullable<Renaming["home"]>): readonly Quad[] {
  const moved = <T extends Subject | NamedNode | Quad["object"]>(term: T): T => {
    if (term.termType === "NamedNode")
      return (term.value.startsWith(root) ? namedNode(first + term.value.slice(root.length)) : term) as T;
    if (term.termType !== "Literal" || !term.value.includes(root)) return term;
    const text = term.value.replaceAll(root, first);
    return (term.language ? literal(text, term.language) : literal(text, term.datatype)) as T;
  };
  return quads.map(({ subject, predicate, object }) => quad(moved(subject), moved(predicate), moved(object)));
}

/** @returns the same triples with this vendor's names, in an order that tells nothing. */
export function rename(quads: readonly Quad[], renaming: Renaming): readonly Quad[] {
  const { home, baseUrl, own, ...rest } = renaming;
  if (!home) return renamed(quads, { ...rest, bases: [baseUrl], own });
  const first = (iri: string): string =>
    iri.startsWith(home.root) ? home.first + iri.slice(home.root.length) : iri;
  return renamed(atHome(quads, home), {
    ...rest,
    all: atHome(rest.all, home),
    bases: [baseOf(home.first), baseUrl],
    own: own.map(first),
  });
}

function renamed(
  quads: readonly Quad[],
  {
    key,
    bases,
    own,
    all,
    fields,
  }: Omit<Renaming, "home" | "baseUrl"> & {
    /** What has an address at one of these is named anew; names begin with the first. */
    readonly bases: readonly string[];
  },
): readonly Quad[] {
  const things = new Set([...all, ...quads].map(({ subject }) => keyOf(subject)));
  const blanks = namesOfBlanks(quads);
  const known = new Set(fields);
  const given = new Map<string, NamedNode>();

  const nameFor = (what: string): NamedNode => {
    let found = given.get(what);
    if (!found) {
      const name = createHmac("sha256", key).update(what).digest("base64url").slice(0, NAME_CHARS);
      given.set(what, (found = namedNode(`${bases[0]}${GENID_PATH}${name}`)));
    }
    return found;
  };
  const isOurs = (iri: string): boolean =>
    bases.some((base) => iri.startsWith(base)) || own.includes(iri.split("#", 1)[0]!) || OWN_NAMES.test(iri);
  const inText = new RegExp(
    [...bases, ...own].map((one) => `${RegExp.escape(one)}[^\\s"'<>]*`).join("|"),
    "g",
  );
  const mentions = (text: string): boolean => [...bases, ...own].some((one) => text.includes(one));

  const nodeOf = (term: Subject): NamedNode =>
    nameFor(term.termType === "BlankNode" ? `_:${blanks.get(keyOf(term))}` : term.value);
  const literalOf = (term: Literal): Literal => {
    const text = mentions(term.value)
      ? term.value.replace(inText, (address) => nameFor(address).value)
      : term.value;
    if (term.language) return literal(text, term.language);
    return literal(text, isOurs(term.datatype.value) ? namedNode(xsd.string) : term.datatype);
  };
  const objectOf = ({ predicate, object }: Quad): Quad["object"] => {
    if (object.termType === "Literal") return literalOf(object);
    if (object.termType === "BlankNode") return nodeOf(object);
    if (isOurs(object.value)) return nameFor(object.value);
    const isName = predicate.value === rdf.type || isVocabulary(object.value) || !things.has(keyOf(object));
    return isName ? object : nameFor(object.value);
  };
  const propertyOf = ({ predicate }: Quad): NamedNode =>
    isOurs(predicate.value) && !known.has(predicate.value) ? nameFor(predicate.value) : predicate;

  const named = new Map<string, Quad>();
  for (const one of quads) {
    const made = quad(nodeOf(one.subject), propertyOf(one), objectOf(one));
    named.set(keyOfTriple(made), made);
  }
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
