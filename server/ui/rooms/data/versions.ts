/** `<fh-versions>`: what a file was before, to look at or to take back. */
import type { nothing } from "lit";
import { html, type TemplateResult } from "lit";
import { ask, type Refusal, refusalOf, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Item, VersionRow } from "../../parts/model.ts";
import { busyWords, refusalBox, tell } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { agoOf, sizeOf } from "../../parts/words.ts";

class Versions extends Part {
  static override properties = { ...given("item"), ...state("versions", "busy", "refusal") };
  declare item: Item;
  declare versions: readonly VersionRow[];
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.versions = [];
    this.busy = "";
    this.refusal = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("item")) void this.#load();
  }

  async #load(): Promise<void> {
    this.versions = [];
    const { path } = this.item;
    try {
      const found = await ask<{ versions: readonly VersionRow[] }>(
        "GET",
        `/.account/history?path=${encodeURIComponent(path)}`,
      );
      if (this.item.path === path) this.versions = found.versions.toSorted((a, b) => b.until - a.until);
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      await work();
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  async #download({ number }: VersionRow): Promise<void> {
    const response = await fetch(
      `/.account/history/version?path=${encodeURIComponent(this.item.path)}&number=${number}`,
    );
    if (!response.ok) throw await refusalOf(response);
    saveAs(await response.blob(), this.item.name);
  }

  async #restore({ number, until }: VersionRow): Promise<void> {
    await ask("POST", "/.account/history/restore", { path: this.item.path, number });
    tell(`${this.item.name} is again as it was ${agoOf(until)}. What it was until now is kept as well.`);
    this.dispatchEvent(new CustomEvent("gone", { bubbles: true }));
    await this.#load();
  }

  protected override render(): TemplateResult {
    if (this.versions.length === 0) return html`${refusalBox(this.refusal)}`;
    return html`<details class="versions"><summary>Earlier versions (${this.versions.length})</summary>
      ${refusalBox(this.refusal)}
      <ul class="rows">${this.versions.map((version) => this.#row(version))}</ul></details>`;
  }

  #row(version: VersionRow): TemplateResult | typeof nothing {
    const name = String(version.number);
    return html`<li class="row-plain"><span class="tile">${icon("clock")}</span>
      <span class="row-words"><strong>As it was until ${agoOf(version.until)}</strong><small>${sizeOf(version.bytes)}</small></span>
      <button class="icon-only" aria-label="Download this version" ?disabled=${this.busy !== ""} @click=${() => this.#run(`look ${name}`, () => this.#download(version))}>${icon("download")}</button>
      <button class="second small" ?disabled=${this.busy !== ""} @click=${() => this.#run(name, () => this.#restore(version))}>${busyWords(this.busy === name, "Take it back", "…")}</button></li>`;
  }
}
customElements.define("fh-versions", Versions);
