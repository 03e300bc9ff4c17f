/** `<fh-activity>`: what was done in the pod and who looked, newest first, day by day. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { Part, state } from "./element.ts";
import { type IconName, icon } from "./icons.ts";
import type { Activity, ActivityRow } from "./model.ts";
import { busyWords, refusalBox, waiting } from "./notices.ts";
import { count, dayOf, initialOf, sizeOf, timeOf } from "./words.ts";

type Filter = "others" | "all";

const PICTURES: Readonly<Record<string, IconName>> = {
  operator: "shield",
  server: "home",
  several: "people",
  anonymous: "globe",
};

const isByOthers = (row: ActivityRow): boolean =>
  !row.erased && row.who.kind !== "you" && row.who.kind !== "server";

class ActivityRoom extends Part {
  static override properties = state("rows", "next", "total", "busy", "filter", "refusal");
  declare rows: readonly ActivityRow[] | null;
  /** From where on there is more; null at the beginning of all. */
  declare next: number | null;
  declare total: number;
  declare busy: boolean;
  declare filter: Filter;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.rows = null;
    this.next = null;
    this.total = 0;
    this.busy = false;
    this.filter = "others";
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#more();
  }

  async #more(): Promise<void> {
    this.busy = true;
    this.refusal = null;
    try {
      const from = this.next === null ? "" : `?before=${this.next}`;
      const { entries, next, total } = await ask<Activity>("GET", `/.account/journal${from}`);
      this.rows = [...(this.rows ?? []), ...entries];
      this.next = next;
      this.total = total;
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    return html`<section>
      <div class="head"><div><h2>What happened</h2><p class="soft">Who looked, who changed something, and who tried to. Nobody without the server's own keys can change an entry, or take one out, unnoticed.</p></div>
        <div class="choice" role="group" aria-label="What to show">
          ${this.#choice("others", "By others")}${this.#choice("all", "Everything")}
        </div></div>
      ${refusalBox(this.refusal)}
      ${this.rows ? this.#days(this.rows) : this.refusal ? nothing : waiting("Looking …")}
      ${this.next === null ? nothing : html`<button class="second wide" ?disabled=${this.busy} @click=${() => this.#more()}>${busyWords(this.busy, "Show earlier", "Looking …")}</button>`}
    </section>`;
  }

  #choice(filter: Filter, words: string): TemplateResult {
    return html`<button class="quiet small" aria-pressed=${this.filter === filter} @click=${() => (this.filter = filter)}>${words}</button>`;
  }

  #days(rows: readonly ActivityRow[]): TemplateResult {
    const shown = rows.filter((row) => this.filter === "all" || isByOthers(row));
    if (shown.length === 0)
      return html`<div class="empty">${icon("eye")}<p><strong>${this.filter === "others" ? "Nobody else has looked." : "Nothing has happened yet."}</strong><br />As soon as somebody does, it stands here.</p></div>`;
    const days = Map.groupBy(shown, (row) => (row.erased ? "" : dayOf(row.time)));
    return html`${[...days].map(([day, some]) => html`<h3 class="day">${day || "No longer known when"}</h3><ul class="rows">${some.map((row) => this.#row(row))}</ul>`)}`;
  }

  #row(row: ActivityRow): TemplateResult {
    if (row.erased)
      return html`<li class="row-plain"><span class="tile">${icon("trash")}</span><span class="row-words"><strong>Erased</strong><small>What stood here was about something that you erased for good.</small></span></li>`;
    const { who, did, place, count: times, rows, documents, bytes, app, purpose, refused, time } = row;
    const picture = PICTURES[who.kind];
    const facts = [
      timeOf(time),
      ...(times > 1 ? [count(times, "time")] : []),
      ...(app ? [`with ${app}`] : []),
      ...(purpose ? [`for ${purpose}`] : []),
      ...(rows === null ? [] : [`${count(rows, "answer")} from ${count(documents ?? 0, "file")}`]),
      ...(bytes ? [sizeOf(bytes)] : []),
    ];
    return html`<li class="row-plain">
      ${picture ? html`<span class="tile">${icon(picture)}</span>` : html`<span class="avatar">${initialOf(who.label)}</span>`}
      <span class="row-words"><strong>${who.label} ${did} ${place ?? "your pod"}</strong><small>${facts.join(" · ")}</small></span>
      ${refused ? html`<span class="badge some">${icon("lock")}Refused</span>` : nothing}
    </li>`;
  }
}
customElements.define("fh-activity", ActivityRoom);
