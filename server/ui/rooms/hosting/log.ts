/** `<fh-host-log>`: what the server noted of itself since it started. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import { dayOf, timeOf } from "../../parts/words.ts";
import type { LogLine } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { detailsOf } from "./words.ts";

const LEVELS: readonly (readonly [least: LogLine["level"], words: string])[] = [
  ["info", "Everything"],
  ["warn", "Warnings"],
  ["error", "Mistakes"],
];
const PICTURES: Readonly<Record<LogLine["level"], readonly [icon: IconName, words: string]>> = {
  info: ["file", "Note"],
  warn: ["eye", "Warning"],
  error: ["warn", "Mistake"],
};

class HostLog extends HostingPart<readonly LogLine[]> {
  static override properties = { ...HostingPart.properties, ...state("least") };
  declare least: LogLine["level"];

  constructor() {
    super();
    this.least = "info";
  }

  protected override async fetch(): Promise<readonly LogLine[]> {
    return (await ask<{ lines: readonly LogLine[] }>("GET", doorOf(`log?least=${this.least}`))).lines;
  }

  #choose(least: LogLine["level"]): void {
    this.least = least;
    void this.load();
  }

  protected override render(): TemplateResult {
    return this.shown(
      (lines) => html`
      <div class="row" role="group" aria-label="Which lines">
        ${LEVELS.map(([least, words]) => html`<button class="second small host-level" aria-pressed=${this.least === least ? "true" : "false"} @click=${() => this.#choose(least)}>${words}</button>`)}
        <button class="quiet small" @click=${() => void this.load()}>Look again</button>
      </div>
      <p class="soft">The last lines since the server started. Names, places and contents are left out; all of it is where the server writes its log.</p>
      ${lines.length === 0 ? html`<div class="empty">${icon("check")}<strong>Nothing of that kind.</strong></div>` : nothing}
      <ol class="rows host-log">${lines.map((line) => {
        const [picture, words] = PICTURES[line.level];
        return html`<li class="row-plain ${line.level}"><span class="tile">${icon(picture)}<span class="hidden">${words}</span></span>
          <span class="row-words"><code>${line.event}</code><small>${detailsOf(line)}</small></span>
          <time class="soft" datetime=${new Date(line.at).toISOString()} title=${dayOf(line.at)}>${timeOf(line.at)}</time></li>`;
      })}</ol>`,
    );
  }
}
customElements.define("fh-host-log", HostLog);
