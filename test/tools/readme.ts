/** The tables in the documents that are made from the code, so that they cannot say anything else. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { AFTER, ALL, AUTHORITY, LINKED } from "../../client-lib/passport/rule.ts";
import { RULES } from "../../client-lib/passport/rules.ts";
import { ANSWER_RULES } from "../../client-lib/registry/bundle.ts";
import { governanceRules } from "../../client-lib/registry/governance-rules.ts";
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

/** Sets of operations that have a name in the text around the table. */
const KNOWN_SETS: readonly (readonly [name: string, types: readonly string[]])[] = [
  ["all", ALL],
  ["all but create", ALL.filter((type) => type !== "create")],
  ["the chain", AUTHORITY],
  ["the chain but create", AFTER],
  ["the chain, erase", LINKED],
  ["the chain but create, erase", LINKED.filter((type) => type !== "create")],
];

const setOf = (on: readonly string[]): string =>
  KNOWN_SETS.find(([, types]) => types.join() === on.join())?.[0] ?? on.join(", ");

/** The rules of signed operations, in the order in which they are asked. */
export function rulesTable(): string {
  const rows = RULES.map(({ id, on, by, conflict, says }, index) => [
    `${index + 1}`,
    `\`${id}\``,
    setOf(on),
    by === "everyone" ? "everyone" : "the registry",
    conflict ? `${says} (409)` : says,
  ]);
  return table(["no.", "rule", "operations", "asked by", "what it says"], rows);
}

/** What an answer of a registry itself may break. */
export const answerRulesTable = (): string =>
  table(
    ["rule", "what it says"],
    Object.entries(ANSWER_RULES).map(([id, says]) => [`\`${id}\``, says]),
  );

/** What a zone may say of registrars and vendors, in the order in which it is asked. */
export const governanceRulesTable = (): string =>
  table(
    ["no.", "rule", "records", "what it says"],
    governanceRules.map(({ id, on, says }, index) => [
      `${index + 1}`,
      `\`${id}\``,
      on === "all" ? "all" : on.join(", "),
      says,
    ]),
  );

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
  { file: "vocab/registry/README.md", name: "rules", make: rulesTable },
  { file: "vocab/registry/README.md", name: "answer-rules", make: answerRulesTable },
  { file: "vocab/registry/README.md", name: "governance-rules", make: governanceRulesTable },
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
