/** A passport as a card: whose it is, its number, and what was proved of it here. */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { icon } from "../../parts/icons.ts";
import "../../parts/qr.ts";
import { agoOf, count, dayOf, groupsOf } from "../../parts/words.ts";

/** What the browser has proved of a passport. */
export interface Proved {
  readonly zone: string;
  readonly registrar: string;
  readonly locks: readonly string[];
  readonly isResting: boolean;
  readonly isHeld: boolean;
  /** Operations that its owner has signed since it was made. */
  readonly operations: number;
  /** Entries in the log of its zone. */
  readonly size: number;
  /** When the witnesses signed, in milliseconds since 1970. */
  readonly at: number;
  readonly witnesses: readonly string[];
  readonly leadsTo: readonly string[];
}

export interface Card {
  readonly name: string;
  readonly passport: string;
  readonly created: number;
  /** Where anybody can check it. */
  readonly link: string;
  readonly proved: Proved | null;
  /** Why nothing is proved; empty while it is being asked. */
  readonly why: string;
}

const WAVES = 9;

/** Fine lines, as on paper that is hard to copy; from the number, so that no two cards are alike. */
function lines(passport: string): readonly SVGTemplateResult[] {
  return Array.from({ length: WAVES }, (_, place) => {
    const seed = passport.charCodeAt(passport.length - 1 - place) % 32;
    const y = 8 + place * 11;
    const bend = 6 + (seed % 13);
    return svg`<path d=${`M-10 ${y}C60 ${y - bend} 110 ${y + bend} 170 ${y}S280 ${y - bend} 340 ${y}S420 ${y + bend} 480 ${y}`} />`;
  });
}

export function passportCard({ name, passport, created, link, proved, why }: Card): TemplateResult {
  return html`<article class="pass" aria-label="Your passport">
    <svg class="lines" viewBox="0 0 400 110" preserveAspectRatio="none" aria-hidden="true">${lines(passport)}</svg>
    <p class="pass-top"><span>Data passport</span><span>${passport.slice(2, 4).toUpperCase()}</span></p>
    <div class="pass-body">
      <div>
        <h2>${name}</h2>
        <dl>
          <div class="number"><dt>Number</dt><dd><code>${groupsOf(passport).join(" ")}</code></dd></div>
          <div><dt>Here since</dt><dd>${dayOf(created)}</dd></div>
          ${proved ? html`<div><dt>Kept by</dt><dd>${proved.registrar}</dd></div><div><dt>Locks</dt><dd>${proved.locks.length > 0 ? "closed" : "open"}</dd></div>` : nothing}
        </dl>
      </div>
      <fh-qr .value=${link} .label=${"Code that leads to the proof of this passport"}></fh-qr>
    </div>
    <p class=${proved || why === "" ? "pass-proof" : "pass-proof not"} role="status">${
      proved
        ? html`${icon("check")}<span>Proved in this browser. ${count(proved.witnesses.length, "witness", "witnesses")} signed ${agoOf(proved.at)}.</span>`
        : why === ""
          ? html`${icon("clock")}<span>Asking for the proof …</span>`
          : html`${icon("warn")}<span>${why}</span>`
    }</p>
  </article>`;
}

/** The same in steps, for who wants to know what was checked. */
export function proofSteps(proved: Proved): TemplateResult {
  const steps = [
    "The number is the fingerprint of the first thing that was signed with its keys.",
    `${count(proved.operations, "signed step")} since then, each by the keys that the one before allows.`,
    `They stand in the public log of ${proved.zone}, among ${proved.size.toLocaleString("en")} entries.`,
    "Nobody can show somebody else another passport under this number without being found out.",
  ];
  return html`<ol class="proved">${steps.map((step) => html`<li>${icon("check")}<span>${step}</span></li>`)}</ol>
    <p class="label">Signed by</p>
    <ul class="seals">${proved.witnesses.map((witness) => html`<li>${icon("shield")}${witness}</li>`)}</ul>`;
}
