/** `<fh-storage>`: how full the pod is, drawn, and what fills it. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { given, Part } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Usage } from "../../parts/model.ts";
import { count, sizeOf } from "../../parts/words.ts";

const NEARLY_FULL = 0.9;
const SHOWN_LEAST = 0.6; // Percent: what is there at all can be seen.

class Storage extends Part {
  static override properties = given("usage");
  /** Null until it is known. */
  declare usage: Usage | null;

  constructor() {
    super();
    this.usage = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { usage } = this;
    if (!usage) return nothing;
    const { bytes, trash, versions, quota, resources } = usage;
    const parts = [
      { name: "Files and records", bytes: Math.max(0, bytes - trash - versions), kind: "now" },
      { name: "Earlier versions", bytes: versions, kind: "earlier" },
      { name: "Trash", bytes: trash, kind: "trash" },
    ];
    const share = (part: number): number =>
      part === 0 ? 0 : Math.max(SHOWN_LEAST, (part / quota.bytes) * 100);
    const isFull = bytes > quota.bytes * NEARLY_FULL || resources > quota.resources * NEARLY_FULL;
    return html`<article class="panel">
      <div class="head"><h2>${icon("box")}Room</h2><p class="soft"><strong>${sizeOf(bytes)}</strong> of ${sizeOf(quota.bytes)} in use</p></div>
      <svg class="gauge" viewBox="0 0 100 3" preserveAspectRatio="none" role="img" aria-label=${`${sizeOf(bytes)} of ${sizeOf(quota.bytes)} in use`}>
        ${parts.map(({ kind, bytes: part }, place) => svg`<rect class=${kind} x=${parts.slice(0, place).reduce((sum, before) => sum + share(before.bytes), 0)} width=${share(part)} height="3" />`)}
      </svg>
      <ul class="legend">
        ${parts.map(({ kind, name, bytes: part }) => html`<li><span class="dot ${kind}"></span>${name} <strong>${sizeOf(part)}</strong></li>`)}
      </ul>
      ${isFull ? html`<div class="notice">${icon("warn")}<div><strong>Your pod is nearly full.</strong> ${count(resources, "file or folder", "files and folders")} of at most ${count(quota.resources, "one", "of them")}. Empty the trash, delete something, or ask whoever runs the server for more room.</div></div>` : nothing}
      ${trash > 0 ? html`<div class="row"><a class="button second" href="#/trash">${icon("trash")}Look into the trash</a></div>` : nothing}
    </article>`;
  }
}
customElements.define("fh-storage", Storage);
