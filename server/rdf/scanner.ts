/**
 * Turtle in one pass and without recursion: what stands open is on a stack that has its limit.
 * A token is as long as it can be, so no white space is needed where two cannot be taken for one.
 * @see https://www.w3.org/TR/turtle/#sec-grammar
 */
import { rdf, xsd } from "@freehold/vocab";
import type { Problem } from "../errors.ts";
import { faultOfIri, type RdfLimits } from "./bounded.ts";
import { CHAR, CLASS, LETTER, NAME } from "./characters.ts";
import {
  completeLiteral,
  createReader,
  type Mistake,
  type Reader,
  readBlankNode,
  readIri,
  recall,
  remember,
} from "./reader.ts";
import { createResolver } from "./resolve.ts";
import { type NamedNode, namedNode, type Quad, type Subject, type Value } from "./terms.ts";
import {
  endOfPrefix,
  localName,
  type NumberKind,
  passNumber,
  passPrefixedName,
  peek,
  readString,
} from "./tokens.ts";

const TYPE = namedNode(rdf.type);
const FIRST = namedNode(rdf.first);
const REST = namedNode(rdf.rest);
const NIL = namedNode(rdf.nil);
const BOOLEAN = namedNode(xsd.boolean);
const NUMBERS: Readonly<Record<NumberKind, NamedNode>> = {
  integer: namedNode(xsd.integer),
  decimal: namedNode(xsd.decimal),
  double: namedNode(xsd.double),
};

/** What may come next. */
type State =
  | "statement" // A directive, a subject, or the end of the document.
  | "verb"
  | "verb or end" // Behind `[ … ]` as a subject.
  | "verb or semicolon" // Behind `;`: another, a verb, or the end.
  | "object"
  | "after object" // A comma, a semicolon, or the end.
  | "item"; // Of a list, or its end.

/** What was said when a bracket opened, to go on with when it closes. */
interface Open {
  readonly subject: Subject;
  readonly predicate: NamedNode;
  readonly next: State;
}

const EXPECTED: Readonly<Record<State, string>> = {
  statement: "a subject or a directive",
  verb: "a predicate",
  "verb or end": "a predicate or the end of the statement",
  "verb or semicolon": "a predicate or the end of the statement",
  object: "an object",
  "after object": "a comma, a semicolon, or the end of the statement",
  item: "an item of the list, or its end",
};

interface Turtle extends Reader {
  /** From prefix to namespace. */
  readonly prefixes: Map<string, string>;
  /** Resolves against another base from here on. */
  rebase(iri: string): void;
}

const KEYWORD_CHARS = 6;

/**
 * @param flags What the word is made of.
 * @returns the word at an offset, or more than a keyword could be of a longer one.
 */
function keywordAt({ text, codes }: Reader, at: number, flags = NAME): string {
  let end = at;
  while (end <= at + KEYWORD_CHARS && (CLASS[codes[end]!]! & flags) !== 0) end++;
  return text.slice(at, end);
}

/** @returns the node of the prefixed name that comes next, or null where none does. */
function readPrefixedName(turtle: Turtle): NamedNode | null {
  const from = turtle.at;
  const colon = passPrefixedName(turtle);
  if (colon < 0) return null;
  const known = recall(turtle, from);
  if (known !== null) return known;
  const namespace = turtle.prefixes.get(turtle.text.slice(from, colon));
  if (namespace === undefined) {
    const prefix = turtle.text.slice(from, Math.min(colon, from + 64));
    throw turtle.mistake(`The prefix “${prefix}:” is not declared`);
  }
  const iri = namespace + localName(turtle.text.slice(colon + 1, turtle.at));
  const { iriBytesMax } = turtle.limits; // A namespace is sound, and nothing in a local name could change that but its size.
  const fault = iri.length * 3 > iriBytesMax ? faultOfIri(iri, iriBytesMax) : null;
  if (fault !== null) throw turtle.mistake(fault);
  return remember(turtle, from, namedNode(iri));
}

/** @returns the IRI that comes next, in whichever spelling, or null where none does. */
const readNode = (turtle: Turtle, next: number): NamedNode | null =>
  next === CHAR.OPEN_IRI ? readIri(turtle) : readPrefixedName(turtle);

function readDatatype(turtle: Turtle): NamedNode {
  const node = readNode(turtle, peek(turtle));
  if (node === null) throw turtle.mistake("Expected a datatype");
  return node;
}

function readVerb(turtle: Turtle, next: number): NamedNode | null {
  const node = readNode(turtle, next);
  if (node !== null || next !== CHAR.LOWER_A || keywordAt(turtle, turtle.at) !== "a") return node;
  turtle.at++;
  return TYPE;
}

/** @returns the object that comes next, or null where none does or it is in brackets. */
function readObject(turtle: Turtle, next: number): Value | null {
  if (next === CHAR.QUOTE || next === CHAR.APOSTROPHE)
    return completeLiteral(turtle, readString(turtle), peek, () => readDatatype(turtle));
  if (next === CHAR.UNDERSCORE) return readBlankNode(turtle);
  const node = readNode(turtle, next);
  if (node !== null) return node;
  const from = turtle.at;
  const kind = passNumber(turtle);
  if (kind !== null) return turtle.factory.literal(turtle.text.slice(from, turtle.at), NUMBERS[kind]);
  const word = keywordAt(turtle, from);
  if (word !== "true" && word !== "false") return null;
  turtle.at += word.length;
  return turtle.factory.literal(word, BOOLEAN);
}

/** Reads a declaration. @returns false where none comes next. */
function passDeclaration(turtle: Turtle, next: number): boolean {
  const isSparql = next !== CHAR.AT; // In any case, and without a dot at its end.
  const word = isSparql ? keywordAt(turtle, turtle.at) : keywordAt(turtle, turtle.at + 1, LETTER);
  const keyword = isSparql ? word.toLowerCase() : word;
  if (keyword !== "prefix" && keyword !== "base") return false;
  turtle.at += isSparql ? word.length : word.length + 1;
  let prefix: string | null = null;
  if (keyword === "prefix") {
    peek(turtle);
    const colon = endOfPrefix(turtle.codes, turtle.at);
    if (colon < 0) throw turtle.mistake("Expected a prefix and a colon");
    prefix = turtle.text.slice(turtle.at, colon);
    turtle.at = colon + 1;
  }
  if (peek(turtle) !== CHAR.OPEN_IRI) throw turtle.mistake("Expected an address");
  const { value } = readIri(turtle);
  if (prefix === null) turtle.rebase(value);
  else turtle.prefixes.set(prefix, value);
  turtle.declarations++;
  if (isSparql) return true;
  if (peek(turtle) !== CHAR.DOT) throw turtle.mistake("Expected the dot that ends the declaration");
  turtle.at++;
  return true;
}

/** @returns the triples, what is said of a node in brackets right after the triple it stands in. */
export function scanTurtle(text: string, baseIri: string, limits: RdfLimits, mistake: Mistake): Quad[] {
  let resolve = createResolver(baseIri);
  const turtle: Turtle = Object.assign(
    createReader(text, limits, mistake, (reference) => resolve(reference)),
    {
      prefixes: new Map<string, string>(),
      rebase: (iri: string) => {
        resolve = createResolver(iri);
      },
    },
  );
  const { factory } = turtle;
  const quads: Quad[] = [];
  const open: Open[] = [];
  let state = "statement" as State; // Functions here change it.
  let subject: Subject = NIL; // In a list, the cell.
  let predicate: NamedNode = TYPE;
  let hasItem = false; // Whether the list's cell has one.

  const say = (object: Value): void => void quads.push(factory.quad(subject, predicate, object));
  const unexpected = (): Problem => turtle.mistake(`Expected ${EXPECTED[state]}`);

  /** Reads an empty pair of brackets, or goes into those that open. */
  const enter = (next: number, then: State | null): void => {
    if (open.length >= limits.turtleDepthMax)
      throw turtle.mistake(`Lists and blank nodes nest at most ${limits.turtleDepthMax} deep`);
    const isList = next === CHAR.OPEN_LIST;
    turtle.at++;
    const isEmpty = peek(turtle) === (isList ? CHAR.CLOSE_LIST : CHAR.CLOSE_NODE);
    const node = isList && isEmpty ? NIL : factory.blankNode();
    if (then === null) subject = node;
    else say(node);
    state = then ?? (isList || isEmpty ? "verb" : "verb or end");
    if (isEmpty) {
      turtle.at++;
      return;
    }
    open.push({ subject, predicate, next: state });
    subject = node;
    if (isList) predicate = FIRST;
    hasItem = false;
    state = isList ? "item" : "verb";
  };

  const leave = (): void => {
    ({ subject, predicate, next: state } = open.pop()!);
    hasItem = true; // Where it was a list's, that is the item.
    turtle.at++;
  };

  const readPredicate = (next: number): boolean => {
    const verb = readVerb(turtle, next);
    if (verb === null) return false;
    predicate = verb;
    state = "object";
    return true;
  };

  const end = (next: number): void => {
    if (open.length > 0 && next === CHAR.CLOSE_NODE) return leave();
    if (open.length > 0 || next !== CHAR.DOT) throw unexpected();
    turtle.at++;
    state = "statement";
  };

  for (;;) {
    const next = peek(turtle);
    switch (state) {
      case "statement": {
        if (turtle.at === text.length) return quads;
        if (next === CHAR.OPEN_NODE || next === CHAR.OPEN_LIST) {
          enter(next, null);
          break;
        }
        const node = next === CHAR.UNDERSCORE ? readBlankNode(turtle) : readNode(turtle, next);
        if (node !== null) {
          subject = node;
          state = "verb";
        } else if (!passDeclaration(turtle, next)) throw unexpected();
        break;
      }
      case "verb":
        if (!readPredicate(next)) throw unexpected();
        break;
      case "verb or semicolon":
        if (next === CHAR.SEMICOLON) turtle.at++;
        else if (!readPredicate(next)) end(next);
        break;
      case "verb or end":
        if (!readPredicate(next)) end(next);
        break;
      case "after object":
        if (next !== CHAR.COMMA && next !== CHAR.SEMICOLON) {
          end(next);
          break;
        }
        turtle.at++;
        state = next === CHAR.COMMA ? "object" : "verb or semicolon";
        break;
      default: {
        const isItem = state === "item";
        if (isItem && next === CHAR.CLOSE_LIST) {
          predicate = REST;
          say(NIL);
          leave();
          break;
        }
        if (isItem && hasItem) {
          const cell = factory.blankNode();
          quads.push(factory.quad(subject, REST, cell));
          subject = cell;
        }
        hasItem = true;
        const then = isItem ? "item" : "after object";
        if (next === CHAR.OPEN_NODE || next === CHAR.OPEN_LIST) {
          enter(next, then);
          break;
        }
        const object = readObject(turtle, next);
        if (object === null) throw unexpected();
        say(object);
        state = then;
      }
    }
  }
}
