/** A picture of an answer: bars of its first column of numbers, named by its first column of anything else. */
import { nativeOf, type Row } from "@freehold/client";
import { html, nothing, svg, type TemplateResult } from "lit";

const BARS_MAX = 40; // More are no picture any more; the table below has them all.
const WIDTH = 420;
const BAR = 22;
const LABEL = 120;
const LETTERS_MAX = 17;

const short = (text: string): string => {
  const last = text.includes("://") ? (text.split(/[/#]/).findLast((part) => part !== "") ?? text) : text;
  return last.length > LETTERS_MAX ? `${last.slice(0, LETTERS_MAX - 1)}…` : last;
};

/** @param names Of the columns. @returns nothing for an answer without numbers, or of one row. */
export function chartOf(names: readonly string[], rows: readonly Row[]): TemplateResult | typeof nothing {
  const numeric = names.find(
    (name) =>
      rows.length > 1 &&
      rows.every((row) => row[name] === undefined || typeof nativeOf(row[name]) === "number"),
  );
  if (numeric === undefined) return nothing;
  const label = names.find((name) => name !== numeric);
  const bars = rows.slice(0, BARS_MAX).map((row, place) => ({
    name: label === undefined ? String(place + 1) : short(row[label]?.value ?? ""),
    value: Number(nativeOf(row[numeric]) ?? 0),
  }));
  const most = Math.max(...bars.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  const room = WIDTH - LABEL - 60;
  return html`<figure class="chart">
    <figcaption>${numeric}${rows.length > BARS_MAX ? `, the first ${BARS_MAX} of ${rows.length}` : ""}</figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${bars.length * BAR}`} role="img" aria-label=${`Bars of ${numeric}; the table below has the same numbers`}>
      ${bars.map(({ name, value }, place) => {
        const length = (Math.abs(value) / most) * room;
        const y = place * BAR;
        return svg`<text class="name" x=${LABEL - 8} y=${y + 15} text-anchor="end">${name}</text>
          <rect class=${value < 0 ? "below" : "bar"} x=${LABEL} y=${y + 3} width=${Math.max(1, length)} height=${BAR - 6} rx="3" />
          <text class="value" x=${LABEL + length + 6} y=${y + 15}>${value.toLocaleString("en")}</text>`;
      })}
    </svg>
  </figure>`;
}
