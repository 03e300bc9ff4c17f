/** Rows out of SPARQL's JSON while it arrives: a long answer is never in memory as a whole. */
import { piecesOf } from "./content.ts";
import { FreeholdError } from "./errors.ts";

/** One value of a row. @see https://www.w3.org/TR/sparql11-results-json/ */
export interface Cell {
  readonly type: "uri" | "literal" | "bnode";
  readonly value: string;
  readonly language?: string;
  readonly datatype?: string;
}

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMBERS: ReadonlySet<string> = new Set(
  [
    "integer",
    "decimal",
    "double",
    "float",
    "int",
    "long",
    "short",
    "byte",
    "nonNegativeInteger",
    "positiveInteger",
    "unsignedInt",
    "unsignedLong",
  ].map((name) => XSD + name),
);

/**
 * The value as JavaScript has it: numbers, booleans and dates by their datatype, all else as text.
 * Amounts of money with many digits are exact only in `cell.value`.
 */
export function nativeOf(cell: Cell | undefined): string | number | boolean | Date | undefined {
  if (cell === undefined || cell.datatype === undefined) return cell?.value;
  if (NUMBERS.has(cell.datatype)) return Number(cell.value.replace(/^([+-]?)INF$/, "$1Infinity"));
  if (cell.datatype === `${XSD}boolean`) return cell.value === "true" || cell.value === "1";
  if (cell.datatype !== `${XSD}dateTime`) return cell.value;
  const time = new Date(cell.value);
  return Number.isNaN(time.getTime()) ? cell.value : time;
}

type Binding = Readonly<
  Record<
    string,
    {
      readonly type: string;
      readonly value: string;
      readonly "xml:lang"?: string;
      readonly datatype?: string;
    }
  >
>;

function toRow(text: string): Readonly<Record<string, Cell>> {
  const cells = Object.entries(JSON.parse(text) as Binding).map(
    ([name, { type, value, "xml:lang": language, datatype }]): [string, Cell] => [
      name,
      {
        type: type === "uri" || type === "bnode" ? type : "literal", // `typed-literal` is how old servers say it.
        value,
        ...(language !== undefined && { language }),
        ...(datatype !== undefined && { datatype }),
      },
    ],
  );
  return Object.fromEntries(cells);
}

/** Where rows are: objects in the list that is a member of a member of the answer (`results.bindings`). */
const ROWS_ARE_IN = "{{[";

/**
 * Cuts the rows out of JSON that arrives in pieces. It only keeps track of brackets and strings; each row is then
 * parsed by itself, so JSON that is broken anywhere that matters is noticed.
 */
function createCutter(): { push(piece: string): string[]; readonly isWhole: boolean } {
  const open: string[] = [];
  let row = "";
  let inRow = false;
  let inString = false;
  let escaped = false;
  let started = false;
  return {
    get isWhole() {
      return started && open.length === 0;
    },
    push(piece) {
      const rows: string[] = [];
      let from = 0; // Where in this piece the part of the row begins.
      for (let at = 0; at < piece.length; at += 1) {
        const character = piece[at] ?? "";
        if (inString) {
          if (escaped) escaped = false;
          else if (character === "\\") escaped = true;
          else if (character === '"') inString = false;
        } else if (character === '"') {
          inString = true;
        } else if (character === "{" || character === "[") {
          if (!inRow && character === "{" && open.join("") === ROWS_ARE_IN) {
            inRow = true;
            from = at;
          }
          open.push(character);
          started = true;
        } else if (character === "}" || character === "]") {
          if (open.pop() !== (character === "}" ? "{" : "[")) throw new SyntaxError("Brackets do not match");
          if (inRow && open.length === ROWS_ARE_IN.length) {
            rows.push(row + piece.slice(from, at + 1));
            row = "";
            inRow = false;
          }
        }
      }
      if (inRow) row += piece.slice(from);
      return rows;
    },
  };
}

/** @throws FreeholdError `answer-invalid` for an answer that is not JSON or ends too early. */
export async function* rowsOfJson(
  body: ReadableStream<Uint8Array>,
  url: string,
): AsyncGenerator<Readonly<Record<string, Cell>>, void, undefined> {
  const cutter = createCutter();
  for await (const piece of piecesOf(body, url)) yield* cut(cutter, piece, url);
  if (!cutter.isWhole)
    throw new FreeholdError("answer-invalid", "The answer ended before it was complete", { url });
}

function cut(
  cutter: ReturnType<typeof createCutter>,
  piece: string,
  url: string,
): readonly Readonly<Record<string, Cell>>[] {
  try {
    return cutter.push(piece).map(toRow);
  } catch (cause) {
    throw new FreeholdError("answer-invalid", "The answer is not SPARQL's JSON", { url, cause });
  }
}
