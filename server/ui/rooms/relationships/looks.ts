/** What somebody looked at: the last lines of the journal about them, and how often in each week, drawn. */
import { html, svg, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { count, dayOf, deedPlace } from "../../parts/words.ts";

export interface Look {
  readonly time: number;
  readonly words: string;
  readonly isRefused: boolean;
}

interface Row {
  readonly erased?: boolean;
  readonly time: number;
  readonly who?: { readonly iri: string | null };
  readonly did: string;
  readonly place: string | null;
  readonly refused: boolean;
  readonly documents: number | null;
}

const LOOKS_SHOWN = 6;
const PAGES_MAX = 3; // Of 200 each: what is older stands under Activity.

/** The newest first. @param who Address of whoever it is. @throws Refusal */
export async function looksOf(who: string): Promise<readonly Look[]> {
  const found: Look[] = [];
  let before: number | null = null;
  for (let page = 0; page < PAGES_MAX && found.length < LOOKS_SHOWN; page++) {
    const from: string = before === null ? "" : `&before=${before}`;
    const { entries, next }: { readonly entries: readonly Row[]; readonly next: number | null } = await ask(
      "GET",
      `/.account/journal?limit=200${from}`,
    );
    for (const { erased, time, who: by, did, place, refused } of entries)
      if (!erased && by?.iri === who) found.push({ time, words: wordsOf(did, place), isRefused: refused });
    if (next === null) break;
    before = next;
  }
  return found.slice(0, LOOKS_SHOWN);
}

function wordsOf(did: string, place: string | null): string {
  if (place?.startsWith(".consent/")) return "They asked you for something";
  const where = place?.startsWith(".") ? "what you gave them" : deedPlace(place, null);
  return `They ${did} ${where}`;
}

const WEEK_MS = 7 * 86_400_000;
const [WIDE, HIGH] = [240, 64];

/** @param weeks Uses in each, the oldest first. */
export function weeksChart(weeks: readonly number[]): TemplateResult {
  const most = Math.max(1, ...weeks);
  const step = WIDE / Math.max(1, weeks.length);
  const from = (at: number): string => dayOf(Date.now() - (weeks.length - at) * WEEK_MS);
  const all = weeks.reduce((sum, one) => sum + one, 0);
  return html`<svg class="weeks" viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label=${`Looks in each of the last ${weeks.length} weeks: ${count(all, "time")} in all, at most ${most} in a week.`}>
      ${weeks.map((uses, at) => {
        const tall = uses === 0 ? 2 : Math.max(5, (uses / most) * HIGH);
        return svg`<rect class=${uses === 0 ? "none" : "some"} x=${at * step + 2} y=${HIGH - tall} width=${step - 4} height=${tall} rx="2" />`;
      })}</svg>
    <div class="weeks-ends soft small"><span>Twelve weeks ago</span><span>Now</span></div>
    <details><summary>As a table</summary><table><thead><tr><th scope="col">Week from</th><th scope="col">Looks</th></tr></thead>
      <tbody>${weeks.map((uses, at) => html`<tr><td>${from(at)}</td><td>${uses}</td></tr>`)}</tbody></table></details>`;
}
