/** Streaming CSV: rows as lists of text, with the line each begins at. Formulas are text like any other. */
import { Readable } from "node:stream";
import type { ImportLimits, Source } from "./reading.ts";
import { decodeText, refuse } from "./source.ts";

export interface CsvRow {
  readonly line: number;
  readonly values: readonly string[];
}

interface CsvInfo {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/** The separator that the header row uses most. */
function delimiterOf(header: string): string {
  const unquoted = header.replaceAll(/"[^"]*"/g, "");
  const count = (mark: string): number => unquoted.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/**
 * The parser limits letters, not columns, and a million empty ones have no letters: so separators are counted before it
 * sees them. Quoted text may hold many, hence the generous limit.
 */
async function* bounded(chunks: AsyncIterable<string>, columnsMax: number): AsyncGenerator<string> {
  const marksMax = columnsMax * 50;
  let marks = 0;
  let line = 1;
  for await (const chunk of chunks) {
    for (let place = 0; place < chunk.length; place += 1) {
      const letter = chunk.charCodeAt(place);
      if (letter === 44 || letter === 59 || letter === 9) marks += 1;
      else if (letter === 10 || letter === 13) {
        marks = 0;
        if (letter === 10) line += 1;
      }
      if (marks > marksMax) refuse(`A row has at most ${columnsMax} columns`, line);
    }
    yield chunk;
  }
}

/**
 * @throws Problem `input-invalid` (with the line) for a quote that is never closed, more than `importColumnsMax` columns,
 *   or a row larger than `importRecordBytesMax`: after any of them nobody knows where the next row begins.
 */
export async function* readCsv(source: Source, limits: ImportLimits): AsyncGenerator<CsvRow> {
  const { CsvError, parse } = await import("csv-parse");
  const parser = parse({
    delimiter: delimiterOf(source.head.split("\n", 1)[0] ?? ""),
    info: true,
    max_record_size: limits.importRecordBytesMax,
    relax_column_count: true, // Short and long rows are for the recipe to judge.
    skip_empty_lines: true,
  });
  const text = Readable.from(bounded(decodeText(source.bytes, "utf-8"), limits.importColumnsMax), {
    objectMode: true,
  });
  text.on("error", (error) => parser.destroy(error));
  let line = 1;
  try {
    for await (const { record, info } of text.pipe(parser) as AsyncIterable<CsvInfo>) {
      // `lines` counts to the end of the row, which may hold quoted line breaks.
      line =
        info.lines -
        record.reduce(
          (breaks, value) => breaks + (value.includes("\n") ? value.split("\n").length - 1 : 0),
          0,
        );
      if (record.length > limits.importColumnsMax)
        refuse(`A row has at most ${limits.importColumnsMax} columns`, line);
      yield { line, values: record };
    }
  } catch (cause) {
    if (cause instanceof CsvError) {
      const { lines = line } = cause as { lines?: number };
      refuse(`The table cannot be read on from here (${cause.code})`, lines, cause);
    }
    throw cause;
  } finally {
    text.destroy();
  }
}
