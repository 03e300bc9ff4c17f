/** Answers as bytes: which formats there are, and how much of one is held back before it is sent. */
import { Problem } from "../errors.ts";
import type { Query } from "./sparql/algebra.ts";

export type QueryForm = Query["form"];

export const JSON_TYPE = "application/sparql-results+json";
export const XML_TYPE = "application/sparql-results+xml";
/** What the engine would do, and why: for the owner of the pod alone. */
export const PLAN_TYPE = "application/vnd.freehold.query-plan+json";
const GRAPH_TYPES = ["text/turtle", "application/ld+json", "application/n-triples"] as const;

/** What each form of query can be answered in, best first. https://jeswr.github.io/solid-sparql-query/#result-formats */
export const RESULT_TYPES: Readonly<Record<QueryForm, readonly string[]>> = {
  select: [JSON_TYPE, XML_TYPE, "text/csv", "text/tab-separated-values", "application/json"],
  ask: [JSON_TYPE, XML_TYPE, "application/json"],
  construct: GRAPH_TYPES,
  describe: GRAPH_TYPES,
};

export interface ResultLimits {
  /** Rows of a table, or triples of a graph. */
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export interface Output {
  readonly write: (text: string) => void;
  /** Called before each row or triple. @throws Problem `query-refused` for one too many. */
  count(what: "rows" | "triples"): void;
  /** @throws Problem `query-refused` if so many would be too many. */
  atMost(count: number, what: "rows" | "triples"): void;
  /** What was not emitted yet: the whole answer, if nothing was. */
  end(): WrittenAnswers;
}

export interface WrittenAnswers {
  readonly bytes: Uint8Array;
  /** Of a table, or triples of a graph; one for a yes or no. */
  readonly rows: number;
}

const CHUNK_CHARS = 64 * 1024;
/** So much is held back: an answer that is no longer comes whole, with its length, or not at all. */
const WHOLE_BYTES_MAX = 1024 * 1024;
const encoder = new TextEncoder();

const tooMany = (limit: string): Problem =>
  new Problem(
    "query-refused",
    `The answer would have more than ${limit}; ask for less, with LIMIT and OFFSET`,
  );

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** @param emit Takes the beginning of a long answer, and then piece by piece; it waits until there is room. */
export function createOutput({ rowsMax, bytesMax }: ResultLimits, emit: (bytes: Uint8Array) => void): Output {
  let text = "";
  let rows = 0;
  let bytes = 0;
  let held: Uint8Array[] = [];
  let isEmitting = false;

  function flush(): void {
    const encoded = encoder.encode(text);
    text = "";
    bytes += encoded.length;
    if (bytes > bytesMax) throw tooMany(`${bytesMax} bytes`);
    if (isEmitting) return emit(encoded);
    held.push(encoded);
    if (bytes <= WHOLE_BYTES_MAX) return;
    isEmitting = true;
    emit(joined(held, bytes));
    held = [];
  }
  return {
    write(piece) {
      text += piece;
      if (text.length >= CHUNK_CHARS) flush();
    },
    atMost(count, what) {
      if (count > rowsMax) throw tooMany(`${rowsMax} ${what}`);
    },
    count(what) {
      if (rows === rowsMax) throw tooMany(`${rowsMax} ${what}`);
      rows += 1;
    },
    end() {
      const last = encoder.encode(text);
      if (bytes + last.length > bytesMax) throw tooMany(`${bytesMax} bytes`);
      return {
        bytes: held.length === 0 ? last : joined([...held, last], bytes + last.length),
        rows,
      };
    },
  };
}
