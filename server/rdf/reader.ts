/** From the words of a document to its terms; the same spelling gives the same term, looked up and not made again. */
import { rdf } from "@freehold/vocab";
import type { Problem } from "../errors.ts";
import { type BoundedFactory, createBoundedFactory, faultOfIri, type RdfLimits } from "./bounded.ts";
import { CHAR } from "./characters.ts";
import { type BlankNode, type Literal, type NamedNode, namedNode } from "./terms.ts";
import { type Cursor, iriFrom, passIri, readLabel, readLanguage } from "./tokens.ts";

export interface Reader extends Cursor {
  readonly factory: BoundedFactory;
  readonly limits: RdfLimits;
  /** Recent spellings, each in the one place it can be in. */
  readonly recent: (Spelling | undefined)[];
  /** Declarations so far: each may change what a spelling means. */
  declarations: number;
  /** @returns an absolute IRI, or null where the reference is none. */
  resolve(reference: string): string | null;
}

/** What the text says between two offsets. */
interface Spelling {
  readonly from: number;
  readonly to: number;
  readonly declarations: number;
  readonly node: NamedNode;
}

/** Makes what a mistake is thrown as; the offset is in UTF-16 units. */
export type Mistake = (detail: string, offset: number) => Problem;

const RECENT_MAX = 4_096;
const SCRATCH = new Uint16Array(32_768); // Most documents are small, are read in one go, and leave nothing in it.
const IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** @returns the UTF-16 units of a text with `CHAR.END` behind them; for a short text they stand until the next call. */
export function codesOf(text: string): Uint16Array {
  const codes = text.length < SCRATCH.length ? SCRATCH : new Uint16Array(text.length + 1);
  const bytes = Buffer.from(codes.buffer, 0, text.length * 2);
  bytes.write(text, "utf16le");
  if (IS_BIG_ENDIAN) bytes.swap16();
  codes[text.length] = CHAR.END;
  return codes;
}

/** @param text Without a byte order mark. */
export function createReader(
  text: string,
  limits: RdfLimits,
  mistake: Mistake,
  resolve: Reader["resolve"],
): Reader {
  if (!text.isWellFormed()) throw mistake("The text holds half a character", 0);
  const places = Math.min(RECENT_MAX, 2 ** Math.ceil(Math.log2(text.length / 8 + 16)));
  const reader: Reader = {
    text,
    codes: codesOf(text),
    at: 0,
    start: 0,
    mistake: (detail, offset = reader.start) => mistake(detail, offset),
    factory: createBoundedFactory(limits, (detail) => {
      throw mistake(detail, reader.start);
    }),
    limits,
    recent: Array<Spelling | undefined>(places).fill(undefined),
    declarations: 0,
    resolve,
  };
  return reader;
}

/** Spellings differ at their ends: this needs no look at all of one, and two that share a place only cost time. */
function placeOf({ codes, recent }: Reader, from: number, to: number): number {
  const last = codes[to - 1]! * 7 + codes[to - 2]! * 31;
  return (last + codes[to - 3]! * 229 + codes[from + 1]! + (to - from) * 1_013) & (recent.length - 1);
}

/** @returns the node of what stands between `from` and the cursor, if it was spelled so before. */
export function recall(reader: Reader, from: number): NamedNode | null {
  const { codes, at: to, recent } = reader;
  const known = recent[placeOf(reader, from, to)];
  if (known === undefined || known.to - known.from !== to - from) return null;
  if (known.declarations !== reader.declarations) return null;
  for (let at = to - 1, other = known.to - 1; at >= from; at--, other--)
    if (codes[at] !== codes[other]) return null;
  return known.node;
}

/** Makes the node of what stands between `from` and the cursor. */
export function remember(reader: Reader, from: number, node: NamedNode): NamedNode {
  const { at: to, declarations } = reader;
  reader.recent[placeOf(reader, from, to)] = { from, to, declarations, node };
  return node;
}

/** Reads an address in its brackets. */
export function readIri(reader: Reader): NamedNode {
  const from = reader.at;
  passIri(reader);
  const known = recall(reader, from);
  if (known !== null) return known;
  const { iriBytesMax } = reader.limits;
  const reference = iriFrom(reader, from);
  const iri = reference.length > iriBytesMax ? reference : reader.resolve(reference);
  if (iri === null) throw reader.mistake("An address has no colon in its first part but after a scheme");
  const fault = faultOfIri(iri, iriBytesMax);
  if (fault !== null) throw reader.mistake(fault);
  return remember(reader, from, namedNode(iri));
}

export const readBlankNode = (reader: Reader): BlankNode => reader.factory.blankNode(readLabel(reader));

const IMPLIED: readonly string[] = [
  rdf.langString,
  `${rdf.langString.slice(0, -"langString".length)}dirLangString`,
];

/**
 * Reads what may follow a string: a language or a datatype.
 * @param peek Moves to what comes next, and says which character that is.
 * @param readDatatype Called behind `^^`.
 */
export function completeLiteral(
  reader: Reader,
  value: string,
  peek: (reader: Reader) => number,
  readDatatype: (reader: Reader) => NamedNode,
): Literal {
  const from = reader.start;
  const next = peek(reader);
  let kind: string | NamedNode | undefined;
  if (next === CHAR.AT) kind = readLanguage(reader);
  else if (next === CHAR.CARET) {
    if (reader.codes[reader.at + 1] !== CHAR.CARET) throw reader.mistake("A datatype follows “^^”");
    reader.at += 2;
    kind = readDatatype(reader);
    if (IMPLIED.includes(kind.value))
      throw reader.mistake("A string in a language has a tag, not a datatype");
  }
  reader.start = from;
  return reader.factory.literal(value, kind);
}
