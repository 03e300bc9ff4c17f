/** `<fh-activity>`: what was done in the pod and who looked, newest first: drawn, filtered, told day by day, as a file, and checked. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, refusalOf, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Activity, ActivityRow, Me } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { count, dayOf } from "../../parts/words.ts";
import { chart } from "./chart.ts";
import "./check.ts";
import { type Bucket, barsOf, type Filter, type FilterName, filterIn, queryOf, type Unit } from "./days.ts";
import { days } from "./entry.ts";

interface Sum {
  readonly looks: number;
  readonly refused: number;
}

interface Summary {
  readonly from: number;
  readonly cut: boolean;
  readonly times: readonly Bucket[];
  readonly people: readonly (Sum & {
    readonly who: { readonly kind: string; readonly iri: string | null; readonly label: string };
  })[];
  readonly purposes: readonly { readonly purpose: string; readonly label: string }[];
  readonly places: readonly { readonly path: string; readonly place: string | null }[];
}

const DAYS: Readonly<Record<Unit, number>> = { day: 30, week: 182 };
const DAY_MS = 86_400_000;

const spanOf = ({ from, to }: Filter): string => (from && to ? `${from}-${to}` : from ? `${from}-` : "");

class ActivityRoom extends Part {
  static override properties = {
    ...given("me"),
    ...state("rows", "next", "busy", "filter", "refusal", "summary", "unit"),
  };
  declare me: Me;
  declare rows: readonly ActivityRow[] | null;
  /** From where on there may be more; null at the beginning of all. */
  declare next: number | null;
  declare busy: "" | "more" | "file";
  declare filter: Filter;
  declare refusal: Refusal | null;
  declare summary: Summary | null;
  declare unit: Unit;
  /** Counts the questions: an answer to an earlier one is passed over. */
  #asked = 0;
  readonly #moved = (): void => {
    const [, rest = ""] = /^#\/activity\/?(.*)$/.exec(location.hash) ?? [];
    if (location.hash.startsWith("#/activity")) void this.#choose(filterIn(rest), false);
  };

  constructor() {
    super();
    this.rows = null;
    this.next = null;
    this.busy = "";
    this.filter = filterIn(location.hash.replace(/^#\/activity\/?/, ""));
    this.refusal = null;
    this.summary = null;
    this.unit = "day";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", this.#moved);
    void this.#sum();
    this.#moved();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.#moved);
  }

  /** @param isByHand The address has to follow; without a jump to the top, for somebody is in the middle of choosing. */
  async #choose(filter: Filter, isByHand = true): Promise<void> {
    this.filter = filter;
    if (isByHand) history.replaceState(null, "", `#/activity/?${queryOf(filter)}`);
    this.rows = null;
    this.next = null;
    await this.#more();
  }

  async #more(): Promise<void> {
    const mine = ++this.#asked;
    this.busy = "more";
    this.refusal = null;
    try {
      const from = this.next === null ? "" : `&before=${this.next}`;
      const { entries, next } = await ask<Activity>(
        "GET",
        `/.account/journal?${queryOf(this.filter)}${from}`,
      );
      if (mine !== this.#asked) return;
      this.rows = [...(this.rows ?? []), ...entries];
      this.next = next;
    } catch (error) {
      if (mine === this.#asked) this.refusal = toRefusal(error);
    } finally {
      if (mine === this.#asked) this.busy = "";
    }
  }

  async #sum(): Promise<void> {
    try {
      this.summary = await ask<Summary>("GET", `/.account/journal/summary?days=${DAYS[this.unit]}`);
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  #count(unit: Unit): void {
    this.unit = unit;
    void this.#sum();
  }

  async #save(): Promise<void> {
    this.busy = "file";
    this.refusal = null;
    try {
      const response = await fetch(`/.account/journal/file?${queryOf(this.filter)}`);
      if (!response.ok) throw await refusalOf(response);
      saveAs(await response.blob(), `${this.me.pod}-activity.csv`);
      tell("The list is saved. Any program for tables opens it.");
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #set(changed: Partial<Record<FilterName, string>>): void {
    const filter: Partial<Record<FilterName, string>> = { ...this.filter, ...changed };
    for (const name of Object.keys(filter) as FilterName[]) if (!filter[name]) delete filter[name];
    void this.#choose(filter);
  }

  protected override render(): TemplateResult {
    return html`
      <div class="head"><div><h1>Who looked at what</h1><p class="soft">Every look by others is written down before they get an answer. So is every try that was refused.</p></div></div>
      ${refusalBox(this.refusal)}
      ${this.summary ? this.#chart(this.summary) : waiting("Adding up …")}
      <section>
        ${this.#filters()}
        ${this.rows ? this.#found(this.rows) : this.refusal ? nothing : waiting("Looking …")}
        <div class="row">
          ${this.next === null ? nothing : html`<button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#more()}>${busyWords(this.busy === "more", "Show earlier", "Looking …")}</button>`}
          ${this.rows?.length ? html`<button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#save()}>${busyWords(this.busy === "file", html`${icon("download")}Save this list as a file`, "Saving …")}</button>` : nothing}
        </div>
      </section>
      <fh-journal-check .me=${this.me}></fh-journal-check>
    `;
  }

  #chart(summary: Summary): TemplateResult {
    const bars = barsOf(summary.times, summary.from, Date.now(), this.unit);
    return html`<article class="panel">
      <div class="head"><h2>${icon("eye")}Looks by others</h2>
        <div class="choice" role="group" aria-label="Count by">
          ${(["day", "week"] as const).map((unit) => html`<button class="quiet small" aria-pressed=${this.unit === unit} @click=${() => this.#count(unit)}>${unit === "day" ? "By day" : "By week"}</button>`)}
        </div></div>
      ${summary.cut ? html`<p class="small soft">There is more than can be added up in one go. This begins on ${dayOf(summary.from)}.</p>` : nothing}
      ${chart(bars, ({ from, to }) => this.#set({ by: "others", from: String(from), to: String(to) }))}
    </article>`;
  }

  #select(
    name: string,
    title: string,
    value: string,
    options: readonly (readonly [value: string, words: string])[],
    chosen: (value: string) => void,
  ): TemplateResult {
    const all = options.some(([known]) => known === value)
      ? options
      : [...options, [value, "As chosen"] as const];
    return html`<label class="field"><span>${title}</span>
      <select name=${name} @change=${(event: Event) => chosen((event.target as HTMLSelectElement).value)}>
        ${all.map(([known, words]) => html`<option value=${known} ?selected=${known === value} .selected=${known === value}>${words}</option>`)}
      </select></label>`;
  }

  #filters(): TemplateResult {
    const { filter, summary } = this;
    const today = new Date(new Date().setHours(0, 0, 0, 0)).getTime();
    const people = (summary?.people ?? []).map(
      ({ who }) => [who.kind === "person" ? (who.iri ?? "") : who.kind, who.label] as const,
    );
    const span = spanOf(filter);
    const named = filter.from && filter.to ? [[span, dayOf(Number(filter.from))] as const] : [];
    return html`<div class="filters" role="group" aria-label="What to show">
      ${this.#select("who", "Who", filter.who ?? (filter.by ? "others" : ""), [["others", "Everybody else"], ["", "Everybody, and you"], ["you", "Only you"], ...people], (value) => this.#set(value === "others" ? { by: "others", who: "" } : { by: "", who: value }))}
      ${this.#select(
        "what",
        "What",
        filter.refused ? "refused" : (filter.what ?? ""),
        [
          ["", "All of it"],
          ["looks", "Looks"],
          ["changes", "Changes"],
          ["refused", "What was refused"],
        ],
        (value) =>
          this.#set(value === "refused" ? { refused: "only", what: "" } : { refused: "", what: value }),
      )}
      ${this.#select("place", "Where", filter.place ?? "", [["", "Everywhere"], ...(summary?.places ?? []).map(({ path, place }) => [path, place ?? path] as const)], (value) => this.#set({ place: value }))}
      ${this.#select("purpose", "What for", filter.purpose ?? "", [["", "Anything"], ...(summary?.purposes ?? []).map(({ purpose, label }) => [purpose, label] as const)], (value) => this.#set({ purpose: value }))}
      ${this.#select(
        "when",
        "When",
        span,
        [
          ["", "At any time"],
          [`${today}-`, "Today"],
          [`${today - 6 * DAY_MS}-`, "The last 7 days"],
          [`${today - 29 * DAY_MS}-`, "The last 30 days"],
          ...named,
        ],
        (value) => {
          const [from = "", to = ""] = value.split("-");
          this.#set({ from, to });
        },
      )}
      ${filter.client ? html`<button class="quiet small" @click=${() => this.#set({ client: "" })}>${icon("close")}Not only one app</button>` : nothing}
    </div>`;
  }

  #found(rows: readonly ActivityRow[]): TemplateResult {
    if (rows.length === 0) {
      const isUsual = queryOf(this.filter) === queryOf({ by: "others" });
      return html`<div class="empty">${icon("eye")}<p><strong>${this.next !== null ? "Nothing so far back." : isUsual ? "Nobody else has looked." : "Nothing fits."}</strong><br />${isUsual ? "As soon as somebody does, it stands here." : "Choose less above, and more will show."}</p></div>`;
    }
    return html`<p class="soft" role="status">${count(rows.length, "entry", "entries")} shown</p>${days(rows)}`;
  }
}
customElements.define("fh-activity", ActivityRoom);
