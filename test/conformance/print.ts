/** The conformance table for readers and for programs. */
import type { Entry, Status } from "./entry.ts";
import { ENTRIES, SECTIONS } from "./table.ts";

const STATUSES: readonly Status[] = ["met", "not applicable", "not met"];

/** How many rows have each status, in all or of those with one level. */
function count(entries: readonly Entry[]): Readonly<Record<Status, number>> {
  const sum = (status: Status) => entries.filter((entry) => entry.status === status).length;
  return { met: sum("met"), "not applicable": sum("not applicable"), "not met": sum("not met") };
}

/** A bar would end the cell, and a less-than sign begin a tag. */
const cell = (text: string): string => text.replace(/\|/g, "\\|").replace(/</g, "&lt;");

function evidence({ status, reason, tests }: Entry): string {
  const named = tests.map(({ file, title }) => `\`${file}\`: ${cell(title)}`);
  const none = status === "met" && tests.length === 0 ? ["no test shows it"] : [];
  return [...(reason ? [cell(reason)] : []), ...named, ...none].join("<br>");
}

export function asMarkdown(): string {
  const sums = count(ENTRIES);
  const lines = [
    "# Conformance",
    "",
    `${ENTRIES.length} requirements on a server: ${STATUSES.map((status) => `${sums[status]} ${status}`).join(", ")}.`,
  ];
  const open = ENTRIES.filter(({ status }) => status === "not met");
  if (open.length > 0)
    lines.push("", `Not met: ${open.map(({ id, level }) => `${cell(id)} (${cell(level)})`).join(", ")}.`);
  for (const { name, entries } of SECTIONS) {
    lines.push(
      "",
      `## ${name}`,
      "",
      "| requirement | level | status | shown by |",
      "| --- | --- | --- | --- |",
    );
    for (const entry of entries)
      lines.push(
        `| [${cell(entry.id)}](${entry.url}) | ${cell(entry.level)} | ${entry.status} | ${evidence(entry)} |`,
      );
  }
  return `${lines.join("\n")}\n`;
}

/** `{ counts, requirements: [{ section, id, level, url, status, reason?, tests: [{ file, title }] }] }` */
export function asJson(): string {
  const requirements = SECTIONS.flatMap(({ name, entries }) =>
    entries.map(({ id, level, url, status, reason, tests }) => ({
      section: name,
      id,
      level,
      url,
      status,
      ...(reason && { reason }),
      tests,
    })),
  );
  return `${JSON.stringify({ counts: count(ENTRIES), requirements }, null, 2)}\n`;
}
