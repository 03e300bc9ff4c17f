/** The tables in the documents that are made from the code, so that they cannot say anything else. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { flagOf, SETTINGS, type SettingName } from "../../server/config.ts";
import { LIMITS } from "../../server/limits.ts";
import { PROBLEMS } from "../../server/problems.ts";

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

export function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, { about, fallback }]) => [
    `\`${name}\``,
    `\`--${flagOf(name as SettingName)}\``,
    fallback === "" ? "(empty)" : `\`${fallback}\``,
    about,
  ]);
  return table(["variable", "flag", "default", "what it does"], rows);
}

export function problemsTable(): string {
  const rows = Object.entries(PROBLEMS).map(([code, { status, title, next }]) => [
    `\`${code}\``,
    `${status}`,
    title,
    next,
  ]);
  return table(["code", "status", "what happened", "what to do"], rows);
}

/** The reason of a limit is the comment beside it in `limits.ts`; where there is none, the name says enough. */
export function limitsTable(root: string): string {
  const source = readFileSync(resolve(root, "server/limits.ts"), "utf8");
  const reasons = new Map(
    [...source.matchAll(/^ {2}(\w+): [^/\n]*\/\/ (.+)$/gm)].map(([, name = "", why = ""]) => [name, why]),
  );
  const rows = Object.entries(LIMITS).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString("en-US"),
    reasons.get(name) ?? "",
  ]);
  return table(["limit", "default", "why"], rows);
}

/** The vendor's script as it runs in the tests; its first line speaks to the linter only. */
export function vendorScript(root: string): string {
  const [, ...lines] = readFileSync(resolve(root, "client-lib/examples/vendor.ts"), "utf8")
    .trimEnd()
    .split("\n");
  return ["```ts", ...lines, "```"].join("\n");
}

/** Which document holds which made table, between `<!-- name -->` and `<!-- /name -->`. */
export const MADE: readonly {
  readonly file: string;
  readonly name: string;
  readonly make: (root: string) => string;
}[] = [
  { file: "README.md", name: "vendor", make: vendorScript },
  { file: "README.md", name: "settings", make: settingsTable },
  { file: "README.md", name: "problems", make: problemsTable },
  { file: "SECURITY.md", name: "limits", make: limitsTable },
];

/** @returns the text with its made table renewed, or null when it has no place for it. */
export function withTable(text: string, name: string, content: string): string | null {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) return null;
  return `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`;
}

/** Writes the tables into the documents. A document without a place for its table is left as it is; the tests name it. */
export function refreshDocuments(root: string): void {
  for (const { file, name, make } of MADE) {
    const path = resolve(root, file);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    const renewed = withTable(text, name, make(root));
    if (renewed !== null && renewed !== text) writeFileSync(path, renewed);
  }
}
