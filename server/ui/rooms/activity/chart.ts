/** How often others looked, drawn: one bar for a day or a week; the same as a table for whoever would rather read. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { count } from "../../parts/words.ts";
import type { Bar } from "./days.ts";

const HEIGHT = 100;
const STEP = 10;
const GAP = 2.4;
const SEEN_LEAST = 3; // Of the height: one look beside a thousand can be seen.

const height = (amount: number, most: number): number =>
  amount === 0 ? 0 : Math.max(SEEN_LEAST, (amount / most) * HEIGHT);

const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** @param open Shows what was done in the time of a bar. */
export function chart(bars: readonly Bar[], open: (bar: Bar) => void): TemplateResult {
  const most = Math.max(1, ...bars.map(({ looks, refused }) => looks + refused));
  const all = bars.reduce((sum, { looks }) => sum + looks, 0);
  const refused = bars.reduce((sum, bar) => sum + bar.refused, 0);
  const said = `${count(all, "look")}, and ${refused} refused. Most at once: ${most}.`;
  const marks = [bars[0], bars[Math.floor(bars.length / 2)], bars.at(-1)];
  return html`<figure class="chart">
    <div class="chart-top" aria-hidden="true"><span>${all + refused === 0 ? nothing : most}</span></div>
    <svg viewBox=${`0 0 ${bars.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${said}>
      ${bars.map((bar, place) => {
        const [seen, denied] = [height(bar.looks, most), height(bar.refused, most)];
        const [x, width] = [place * STEP + GAP / 2, STEP - GAP];
        return svg`<g class="bar" @click=${() => open(bar)}><title>${bar.label}: ${count(bar.looks, "look")}, ${bar.refused} refused</title>
          <rect class="ground" x=${x} y="0" width=${width} height=${HEIGHT} />
          <rect class="looks" x=${x} y=${HEIGHT - seen} width=${width} height=${seen} />
          <rect class="refused" x=${x} y=${Math.max(0, HEIGHT - seen - denied)} width=${width} height=${denied} /></g>`;
      })}
    </svg>
    <div class="chart-days" aria-hidden="true">${marks.map((bar) => html`<span>${bar ? short.format(bar.from) : nothing}</span>`)}</div>
    <figcaption>
      <ul class="legend"><li><span class="dot looks"></span>Looks <strong>${all}</strong></li><li><span class="dot refused"></span>Refused <strong>${refused}</strong></li></ul>
      <details><summary>The same in numbers</summary>
        <div class="table-frame" tabindex="0" role="region" aria-label="Looks in numbers"><table>
          <thead><tr><th scope="col">When</th><th scope="col">Looks</th><th scope="col">Refused</th></tr></thead>
          <tbody>${bars.toReversed().map((bar) => html`<tr><th scope="row">${bar.label}</th><td>${bar.looks}</td><td>${bar.refused}</td></tr>`)}</tbody>
        </table></div>
      </details>
    </figcaption>
  </figure>`;
}
