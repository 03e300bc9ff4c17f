/** The picture of a proof: from a person's own operations, through the map and the log, to those who signed. */
import type { VerifiedAnswer } from "@freehold/client/registry";
import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { count } from "./parts/words.ts";

/** What of an answer is drawn. */
export interface Drawn {
  readonly answer: VerifiedAnswer;
  /** Types of the operations, the first first; the data record last. */
  readonly operations: readonly string[];
  /** From the root of the map down: whether there is anything beside the path. */
  readonly siblings: readonly boolean[];
  /** Steps from the last entry of the log to its root. */
  readonly logSteps: number;
  /** For an absence: whether another one stands where it would be. */
  readonly endsAtAnother: boolean;
}

const WIDTH = 720;
const LEFT = 28;
const RIGHT = WIDTH - 84;
const STEP_MAX = 110; // A short path is not drawn out over the whole width.
const SHOWN_MAX = 6; // Operations that have room; those between are counted.

const bitOf = (key: Uint8Array, at: number): number => ((key[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;

/** The first and the last ones, and how many are between. */
export function shortened(operations: readonly string[]): readonly string[] {
  if (operations.length <= SHOWN_MAX) return operations;
  const between = operations.length - SHOWN_MAX + 1;
  return [...operations.slice(0, 2), `${between} more`, ...operations.slice(-(SHOWN_MAX - 3))];
}

function chain(operations: readonly string[]): SVGTemplateResult {
  const shown = shortened(operations);
  const step = (WIDTH - 2 * LEFT) / Math.max(shown.length, 4);
  return svg`<g class="chain">
    ${shown.map((name, at) => {
      const x = LEFT + at * step;
      const wide = step - 22;
      return svg`
        ${at > 0 ? svg`<path class="link" d=${`M${x - 22} 62h22`} />` : ""}
        <rect class=${name === "data" ? "box data" : "box"} x=${x} y="40" width=${wide} height="44" rx="9" />
        <text x=${x + wide / 2} y="67" text-anchor="middle">${name}</text>`;
    })}
  </g>`;
}

const stepOf = (count: number): number => Math.min(STEP_MAX, (RIGHT - LEFT) / Math.max(count, 1));
const endOf = (count: number): number => LEFT + Math.max(count, 1) * stepOf(count);

/** Beside the path's end where there is room, else below it. */
function caption(y: number, steps: number, words: string): SVGTemplateResult {
  const beside = endOf(steps) + 20;
  return beside < WIDTH / 2
    ? svg`<text class="label" x=${beside} y=${y + 5}>${words}</text>`
    : svg`<text class="label" x=${LEFT} y=${y + 44}>${words}</text>`;
}

/** A path from a leaf on the left to a root on the right; what stands beside it above or below, as the bits say. */
function path(
  y: number,
  beside: readonly { readonly isAbove: boolean; readonly isThere: boolean }[],
): SVGTemplateResult {
  const gap = stepOf(beside.length);
  const end = endOf(beside.length);
  const size = Math.max(2.2, Math.min(6, gap / 3));
  return svg`<g class="path">
    <path class="trunk" d=${`M${LEFT} ${y}H${end}`} />
    ${beside.map(({ isAbove, isThere }, at) => {
      const x = LEFT + at * gap;
      const other = y + (isAbove ? -22 : 22);
      return svg`
        <path class="twig" d=${`M${x} ${other}L${x + gap} ${y}`} />
        <circle class=${isThere ? "beside" : "beside empty"} cx=${x} cy=${other} r=${size} />
        <circle class="on" cx=${x} cy=${y} r=${size} />`;
    })}
    <circle class="root" cx=${end} cy=${y} r="9" />
  </g>`;
}

function seals(names: readonly string[]): SVGTemplateResult {
  const gap = Math.min(120, (WIDTH - 2 * LEFT) / Math.max(names.length, 1));
  return svg`<g class="seals">
    ${names.map((name, at) => {
      const x = LEFT + 34 + at * gap;
      const short = name.length > 16 ? `${name.slice(0, 15)}…` : name;
      return svg`<circle cx=${x} cy="406" r="17" /><path d=${`M${x - 7} 406l5 5 9-10`} />
        <text x=${x} y="442" text-anchor="middle">${short}</text>`;
    })}
  </g>`;
}

/** Says in a picture what the steps beside it say in words. */
export function proofPicture({
  answer,
  operations,
  siblings,
  logSteps,
  endsAtAnother,
}: Drawn): TemplateResult {
  const { headKey, epoch, kind } = answer;
  const up = siblings
    .map((isThere, depth) => ({ isThere, isAbove: bitOf(headKey, depth) === 1 }))
    .toReversed();
  const isPresent = kind === "present";
  return html`<div class="picture" tabindex="0" role="group" aria-label="The picture of the proof"><svg class="proof" viewBox=${`0 0 ${WIDTH} 460`} role="img" aria-labelledby="proof-title">
    <title id="proof-title">
      ${isPresent ? `${operations.length} signed operations` : "A place in the map where nothing stands"}, ${siblings.length}
      steps up the map, ${logSteps} steps up the log, and ${epoch.witnesses.length} witnesses
    </title>
    <text class="label" x=${LEFT} y="24">${isPresent ? "What the owner signed" : "Nothing was signed under this identifier"}</text>
    ${isPresent ? chain(operations) : svg`<rect class="box none" x=${LEFT} y="40" width="200" height="44" rx="9" /><text x=${LEFT + 100} y="67" text-anchor="middle">no passport</text>`}
    <path class="fall" d=${`M${LEFT + 40} 84V150`} />
    <text class="label" x=${LEFT + 56} y="124">${isPresent ? "sealed, so that nobody reads it in the log" : endsAtAnother ? "another passport stands where it would be" : "its place in the map is empty"}</text>
    ${path(178, up)}
    ${caption(178, siblings.length, `The map of ${count(epoch.count, "passport")}`)}
    <path class="fall" d=${`M${endOf(siblings.length)} 187V244H${LEFT}V266`} />
    ${path(
      292,
      Array.from({ length: logSteps }, () => ({ isThere: true, isAbove: true })),
    )}
    ${caption(292, logSteps, `The log of ${count(epoch.size, "entry", "entries")}: the map is its last one`)}
    <path class="fall" d=${`M${endOf(logSteps)} 301V362H${LEFT + 34}V389`} />
    <text class="label" x=${LEFT + 56} y="378">signed by the zone and by</text>
    ${seals([epoch.origin.split("/", 1)[0] ?? "", ...epoch.witnesses])}
  </svg></div>`;
}
