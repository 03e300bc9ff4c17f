/** Small charts of one hour: a bar for each minute, the same numbers as a table, and a gauge. */
import { html, svg, type TemplateResult } from "lit";
import { timeOf } from "../../parts/words.ts";
import type { Minute } from "./model.ts";

const MINUTES = 60;
const MINUTE_MS = 60_000;
const HEIGHT = 24;
const SHOWN_LEAST = 0.8; // What is there at all can be seen.

/**
 * @param valueOf What is drawn of each minute.
 * @param inWords A value as it is read.
 */
export function hourChart(
  title: string,
  minutes: readonly Minute[],
  valueOf: (minute: Minute) => number,
  inWords: (value: number) => string,
): TemplateResult {
  const last = Math.floor((minutes.at(-1)?.at ?? 0) / MINUTE_MS);
  const most = Math.max(0, ...minutes.map(valueOf));
  const latest = minutes.at(-1);
  const now = latest ? inWords(valueOf(latest)) : inWords(0);
  const height = (value: number): number =>
    value <= 0 || most <= 0 ? 0 : Math.max(SHOWN_LEAST, (value / most) * HEIGHT);
  return html`<article class="panel hour">
    <h2>${title}</h2>
    <p class="hour-now"><strong>${now}</strong> <span class="soft">now, at most ${inWords(most)}</span></p>
    <svg class="bars" viewBox="0 0 ${MINUTES} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${`${title} in the last hour: ${now} now, at most ${inWords(most)}`}>
      <path class="ground" d=${`M0 ${HEIGHT - 0.1}h${MINUTES}`} />
      ${minutes.map((minute) => {
        const bar = height(valueOf(minute));
        const x = MINUTES - 1 - (last - Math.floor(minute.at / MINUTE_MS));
        return x < 0 ? svg`` : svg`<rect x=${x + 0.12} y=${HEIGHT - bar} width="0.76" height=${bar} />`;
      })}
    </svg>
    <div class="hour-ends soft"><small>An hour ago</small><small>Now</small></div>
    <details><summary>In numbers</summary>
      <div class="table-place" tabindex="0" role="region" aria-label=${`${title} in numbers`}><table><thead><tr><th scope="col">Minute</th><th scope="col">${title}</th></tr></thead>
        <tbody>${[...minutes].reverse().map((minute) => html`<tr><th scope="row">${timeOf(minute.at)}</th><td>${inWords(valueOf(minute))}</td></tr>`)}</tbody></table></div>
    </details>
  </article>`;
}

/** How full: a bar with its words for those who do not see it. */
export function gauge(part: number, whole: number, words: string): TemplateResult {
  const share = whole <= 0 ? 0 : Math.min(100, (part / whole) * 100);
  const kind = share > 90 ? "trash" : "now";
  return html`<svg class="gauge" viewBox="0 0 100 3" preserveAspectRatio="none" role="img" aria-label=${words}>
    ${svg`<rect class=${kind} width=${part > 0 ? Math.max(SHOWN_LEAST, share) : 0} height="3" />`}
  </svg>`;
}
