/** An answer as a file for table programs. https://www.rfc-editor.org/rfc/rfc4180 */
import { nativeOf, type Row } from "@freehold/client";

function cellOf(cell: Row[string]): string {
  const text = cell?.value ?? "";
  // What a table program would take for a formula is made text: strangers chose the words. Numbers stay numbers.
  return /^[=+\-@\t\r]/.test(text) && !Number.isFinite(nativeOf(cell)) ? `'${text}` : text;
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function csvOf(names: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map((row) => names.map((name) => cellOf(row[name])));
  return [names, ...lines].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}
