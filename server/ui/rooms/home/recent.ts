/** The last looks by others, in a few lines, and how many there were this week. */
import { html, svg, type TemplateResult } from "lit";
import { icon } from "../../parts/icons.ts";
import type { ActivityRow } from "../../parts/model.ts";
import { agoOf, count, deedPlace, initialOf } from "../../parts/words.ts";

/** Sums of quarters of an hour, as the journal gives them. */
export interface Week {
  readonly times: readonly (readonly [start: number, looks: number, refused: number])[];
}

const DAY_MS = 86_400_000;
export const WEEK_DAYS = 7;

/** Looks on each of the last seven days, today last. */
export function lookedAt({ times }: Week, now: number = Date.now()): readonly number[] {
  const end = new Date(now).setHours(24, 0, 0, 0);
  const looks = Array.from({ length: WEEK_DAYS }, () => 0);
  for (const [start, seen] of times) {
    const day = WEEK_DAYS - Math.ceil((end - start) / DAY_MS);
    if (day >= 0 && day < WEEK_DAYS) looks[day] = (looks[day] ?? 0) + seen;
  }
  return looks;
}

/** Seven small bars; what they say stands beside them. */
export function spark(looks: readonly number[]): TemplateResult {
  const most = Math.max(1, ...looks);
  return html`<svg class="spark" viewBox="0 0 70 24" aria-hidden="true">${looks.map((amount, day) => {
    const height = Math.max(1.5, (amount / most) * 24);
    return svg`<rect x=${day * 10 + 1} y=${24 - height} width="8" height=${height} rx="1.5" class=${amount === 0 ? "none" : "some"} />`;
  })}</svg>`;
}

export function recentLooks(rows: readonly ActivityRow[]): TemplateResult {
  const told = rows.flatMap((row) => (row.erased ? [] : [row]));
  return html`<section>
    <div class="head"><h2>Who looked lately</h2><a href="#/activity">All of it</a></div>
    ${
      told.length === 0
        ? html`<p class="panel quiet-words">${icon("eye")}<span>Nobody else has looked. As soon as somebody does, it stands here.</span></p>`
        : html`<ul class="rows">${told.map(
            ({ who, did, place, path, time, refused, count: times, app }) => html`<li class="row-plain">
              <span class="avatar" aria-hidden="true">${who.kind === "person" ? initialOf(who.label) : icon(who.kind === "operator" ? "shield" : "globe")}</span>
              <span class="row-words"><strong>${who.label}</strong><small>${did} ${deedPlace(place, path)}${times > 1 ? `, ${count(times, "time")}` : ""}${app ? ` with ${app}` : ""}, ${agoOf(time)}</small></span>
              ${refused ? html`<span class="badge some">${icon("lock")}Refused</span>` : ""}</li>`,
          )}</ul>`
    }
  </section>`;
}
