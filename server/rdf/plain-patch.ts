/**
 * N3 Patches as clients write them nearly always: prefixes, one subject, and formulae of plain triples and variables. They
 * are read by the scanner of Turtle, in a third of the time that a parser of all of N3 takes. Whatever is otherwise, a
 * mistake too, is left to n3-patch.ts, which understands all of it and says what is wrong.
 * https://solidproject.org/ED/protocol#n3-patch
 */
import { rdf, solid } from "@freehold/vocab";
import { LIMITS } from "../limits.ts";
import { parseText } from "./parse.ts";
import type { PatchStep, Pattern } from "./patch.ts";
import { type Quad, variable } from "./terms.ts";

const IRI = '<[^\\s<>"{}|^`\\\\]*>';
const NAME = "(?:[A-Za-z][\\w-]*)?:[A-Za-z_][\\w-]*";
const PREFIX = new RegExp(
  `\\s*(?:@prefix\\s+((?:[A-Za-z][\\w-]*)?:)\\s*(${IRI})\\s*\\.|(?:PREFIX|prefix)\\s+((?:[A-Za-z][\\w-]*)?:)\\s*(${IRI})(?=\\s))`,
  "y",
);
/** White space must follow, so none of them can be the beginning of something longer. */
const SUBJECT = new RegExp(`\\s*(_:[A-Za-z][\\w-]*|${IRI}|${NAME})(?=\\s)`, "y");
const VERB = new RegExp(`\\s*(a|${IRI}|${NAME})(?=[\\s{])`, "y");
const TYPE = new RegExp(`\\s*(${IRI}|${NAME})(?=\\s*[;.](?:\\s|$))`, "y");
const OPEN = /\s*\{/y;
/** To the brace that closes: no formula in it, no comment, and strings of one kind. */
const INSIDE = new RegExp(`(?:[^"'<{}#\\\\]|${IRI}|"(?:[^"\\\\\\r\\n]|\\\\.)*")*\\}`, "y");
const NEXT = /\s*;/y;
const END = /\s*\.\s*$/y;

const CHARS_MAX = 16 * 1024; // Expressions that look for an end must not look for long.
/** What other parts of the notation begin with, and what could be taken for a variable's stand-in. */
const UNUSUAL = /"""|'|@(?:base|for|version)|\bbase\b|variable:|[^\S \t\r\n]|\0/i;
const DECLARES = /@prefix|\bprefix\b/i;
/** Where one word ends and the next begins without white space, the two readers do not always agree. */
const ADJACENT = /(?:^|[^\w:-])a[-+.]|:[^\s,;<>":]*[+]|:\.\S|:[^\s,;<>":.]*\.[^\s\w]/;
/** A variable stands by itself: as part of something longer (a datatype, a name) it is a mistake. */
const VARIABLES = new RegExp(
  `${IRI}|"(?:[^"\\\\\\r\\n]|\\\\.)*"|(?<=^|\\s)\\?([A-Za-z_]\\w*)(?=[\\s.,;]|$)`,
  "g",
);
const VARIABLE = "variable:";

const FORMULAE: ReadonlySet<string> = new Set([solid.where, solid.deletes, solid.inserts]);

const toPattern = ({ subject, predicate, object }: Quad): Pattern => {
  const open = <T extends Pattern["object"]>(term: T) =>
    term.termType === "NamedNode" && term.value.startsWith(VARIABLE)
      ? variable(term.value.slice(VARIABLE.length))
      : term;
  return { subject: open(subject), predicate: open(predicate), object: open(object) };
};

const termsOf = ({ subject, predicate, object }: Pattern) => [subject, predicate, object];

/** @returns null for what is not so plain, or not right. */
export function readPlainPatch(text: string, baseIri: string): PatchStep | null {
  if (text.length > CHARS_MAX || UNUSUAL.test(text)) return null;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };

  const prefixes = new Map<string, string>();
  let prologue = "";
  for (let found = take(PREFIX); found; found = take(PREFIX)) {
    const [name = "", iri = ""] = [found[1] ?? found[3], found[2] ?? found[4]];
    prefixes.set(name, iri.slice(1, -1));
    prologue += `PREFIX ${name} ${iri} `;
  }
  const resolve = (term: string): string | null => {
    if (term === "a") return rdf.type;
    if (term.startsWith("<")) return term.slice(1, -1);
    const colon = term.indexOf(":") + 1;
    const namespace = prefixes.get(term.slice(0, colon));
    return namespace === undefined ? null : namespace + term.slice(colon);
  };
  const read = (formula: string): Pattern[] | null => {
    if (DECLARES.test(formula) || ADJACENT.test(formula)) return null;
    const closed = formula.includes("?")
      ? formula.replace(VARIABLES, (all, name?: string) =>
          name === undefined ? all : `<${VARIABLE}${name}>`,
        )
      : formula;
    const end = closed.trim() === "" || closed.trimEnd().endsWith(".") ? "" : " .";
    try {
      const patterns = parseText(`${prologue}${closed}${end}`, "text/turtle", baseIri).map(toPattern);
      const isPlain = patterns.every((pattern) =>
        termsOf(pattern).every(({ termType }) => termType !== "BlankNode"),
      );
      return isPlain ? patterns : null;
    } catch {
      return null;
    }
  };

  const subject = take(SUBJECT)?.[1];
  if (subject === undefined || (!subject.startsWith("_:") && resolve(subject) === null)) return null;
  let isPatch = false;
  const formulae = new Map<string, readonly Pattern[]>();
  const takeClause = (): boolean => {
    const verb = resolve(take(VERB)?.[1] ?? "");
    if (verb === rdf.type) {
      if (isPatch || resolve(take(TYPE)?.[1] ?? "") !== solid.InsertDeletePatch) return false;
      isPatch = true;
      return true;
    }
    if (verb === null || !FORMULAE.has(verb) || formulae.has(verb) || !take(OPEN)) return false;
    const inside = take(INSIDE);
    const patterns = inside && read(inside[0].slice(0, -1));
    if (patterns) formulae.set(verb, patterns);
    return patterns !== null;
  };
  for (;;) {
    if (!takeClause()) return null;
    if (take(END)) break;
    if (!take(NEXT)) return null;
    if (take(END)) break;
  }
  if (!isPatch) return null;

  const conditions = formulae.get(solid.where) ?? [];
  const deletions = formulae.get(solid.deletes) ?? [];
  const insertions = formulae.get(solid.inserts) ?? [];
  if (conditions.length + deletions.length + insertions.length > LIMITS.rdfQuadsMax) return null;
  const named = (patterns: readonly Pattern[]): string[] =>
    patterns.flatMap((pattern) =>
      termsOf(pattern).flatMap(({ termType, value }) => (termType === "Variable" ? [value] : [])),
    );
  const known = new Set(named(conditions));
  if (![...named(deletions), ...named(insertions)].every((name) => known.has(name))) return null;
  return { conditions, deletions, insertions };
}
