/** `<fh-table>`: the things of one kind, a row each; one alone is shown whole. */
import type { FormModel } from "@freehold/client/elements/shape";
import { rdf } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { count } from "../../parts/words.ts";
import { hrefOf, type OwnPod, type Place } from "./place.ts";
import { kindName, type Speech, speechFor, textOfValue, valueShown } from "./spoken-words.ts";
import {
  countOf,
  describe,
  type Kind,
  kindsIn,
  nameOfThing,
  type Scope,
  type Thing,
  thingsOf,
} from "./things.ts";

const PAGE = 25;
const COLUMNS_MAX = 6; // More do not fit a screen; one thing alone shows all.

interface Shown {
  readonly kinds: readonly Kind[];
  readonly kind: Kind;
  readonly speech: Speech;
  readonly things: readonly Thing[];
  readonly total: number;
  /** A thing that was asked for by its address. */
  readonly one: Thing | null;
}

/** Properties that have a column: the shape's, in its order, then those that most things have. */
function columnsOf(things: readonly Thing[], model: FormModel | null): readonly string[] {
  const counted = new Map<string, number>();
  for (const { values } of things)
    for (const property of values.keys()) counted.set(property, (counted.get(property) ?? 0) + 1);
  counted.delete(rdf.type);
  const ordered = (model?.sections ?? []).flatMap(({ fields }) => fields.map(({ path }) => path));
  const rest = [...counted]
    .filter(([property]) => !ordered.includes(property))
    .sort(([, a], [, b]) => b - a)
    .map(([property]) => property);
  return [...ordered.filter((property) => counted.has(property)), ...rest];
}

class Table extends Part {
  static override properties = {
    ...given("pod", "place", "shapes"),
    ...state("shown", "refusal", "isEmpty"),
  };
  declare pod: OwnPod;
  declare place: Place;
  declare shapes: readonly string[];
  declare shown: Shown | null;
  declare refusal: Refusal | null;
  declare isEmpty: boolean;
  #turn = 0;

  constructor() {
    super();
    this.shown = null;
    this.refusal = null;
    this.isEmpty = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place") || changed.has("shapes")) void this.#load();
  }

  get #scope(): Scope {
    return { pod: this.pod, url: this.pod.at(this.place.path) };
  }

  get #offset(): number {
    const page = Number(this.place.words.get("page") ?? "1");
    return Number.isInteger(page) && page > 0 ? (page - 1) * PAGE : 0;
  }

  async #load(): Promise<void> {
    const turn = (this.#turn += 1);
    const { words } = this.place;
    const scope = this.#scope;
    this.refusal = null;
    try {
      const kinds = await kindsIn(scope);
      const asked = words.get("kind");
      const kind = kinds.find(({ type }) => type === asked) ?? (await this.#firstOf(kinds));
      if (turn !== this.#turn) return;
      this.isEmpty = !kind;
      if (!kind) return void (this.shown = null);
      const sort = words.get("sort") ?? "";
      const id = words.get("thing");
      const [speech, things, total, found] = await Promise.all([
        speechFor(this.pod, kind.type, this.shapes),
        thingsOf(scope, {
          type: kind.type,
          sort: sort.replace(/^-/, ""),
          isDescending: sort.startsWith("-"),
          words: words.get("has") ?? "",
          offset: this.#offset,
          limit: PAGE,
        }),
        countOf(scope, { type: kind.type, words: words.get("has") ?? "" }),
        id === null ? [] : describe(scope, [{ document: id.split("#", 1)[0] ?? id, id }]),
      ]);
      if (turn !== this.#turn) return;
      const alone = things.length === 1 && total === 1 && !words.has("has") ? (things[0] ?? null) : null;
      const one = found.find(({ values }) => values.size > 0) ?? alone;
      const type = one?.values.get(rdf.type)?.[0]?.cell.value ?? kind.type;
      const own = type === kind.type ? speech : await speechFor(this.pod, type, this.shapes);
      if (turn === this.#turn) this.shown = { kinds, kind, speech: one ? own : speech, things, total, one };
    } catch (error) {
      if (turn === this.#turn) this.refusal = toRefusal(error);
    }
  }

  /** What the folder is for comes first, however little of it there is. */
  async #firstOf(kinds: readonly Kind[]): Promise<Kind | undefined> {
    for (const shape of this.shapes) {
      const { model } = await speechFor(this.pod, null, [shape]);
      const kind = model && kinds.find(({ type }) => type === model.type);
      if (kind) return kind;
    }
    return kinds[0];
  }

  /** The address of this table with other words; from another page of it, one begins anew. */
  #href(words: Readonly<Record<string, string>>): string {
    const { path, words: now } = this.place;
    const kept = Object.fromEntries(["kind", "sort", "has"].map((name) => [name, now.get(name) ?? ""]));
    return hrefOf(path, "table", { ...kept, ...words });
  }

  protected override render(): TemplateResult {
    const { shown } = this;
    if (!shown)
      return html`${refusalBox(this.refusal)}${this.isEmpty ? this.#nothing() : this.refusal ? nothing : waiting("Looking …")}`;
    return html`${refusalBox(this.refusal)}${shown.one ? this.#one(shown, shown.one) : this.#many(shown)}`;
  }

  #nothing(): TemplateResult {
    return html`<div class="empty">${icon("box")}<p><strong>No records in here.</strong><br />Files such as pictures and texts stand under Files.</p>${this.#add()}</div>`;
  }

  #add(): TemplateResult | typeof nothing {
    if (this.shapes.length === 0) return nothing;
    return html`<a class="button second" href=${hrefOf(this.place.path, "add")}>${icon("plus")}Add one</a>`;
  }

  #kinds({ kinds, kind }: Shown): TemplateResult | typeof nothing {
    if (kinds.length < 2) return nothing;
    return html`<ul class="chips" aria-label="Kinds">${kinds.map(
      ({ type, count: amount }) =>
        html`<li><a class="chip" href=${hrefOf(this.place.path, "table", { kind: type ?? "" })} aria-current=${type === kind.type ? "true" : "false"}>${kindName(type)} <span>${amount}</span></a></li>`,
    )}</ul>`;
  }

  #many(shown: Shown): TemplateResult {
    const { things, speech, total } = shown;
    const columns = columnsOf(things, speech.model).slice(0, COLUMNS_MAX);
    const has = this.place.words.get("has") ?? "";
    return html`${this.#kinds(shown)}
      <div class="head">
        <form class="filter" role="search" aria-label="In this table" @submit=${(event: SubmitEvent) => (location.hash = this.#href({ has: (fieldsOf(event)["has"] ?? "").trim() }))}>
          <input name="has" type="search" aria-label="Only those with these words" placeholder="Only those with …" .value=${has} autocomplete="off" />
          <button class="second">${icon("search")}<span class="hidden">Look</span></button>
        </form>${this.#add()}
      </div>
      ${things.length === 0 ? html`<p class="empty">Nothing here has these words.</p>` : this.#rows(shown, columns)}
      ${this.#pages(total)}`;
  }

  #rows({ things, speech }: Shown, columns: readonly string[]): TemplateResult {
    const sort = this.place.words.get("sort") ?? "";
    return html`<div class="scroller" tabindex="0" role="region" aria-label=${`Table: ${speech.kind}`}>
      <table class="things">
        <thead><tr>${columns.map((column) => {
          const isSorted = sort.replace(/^-/, "") === column;
          const next = sort === column ? `-${column}` : column;
          return html`<th scope="col" aria-sort=${isSorted ? (sort.startsWith("-") ? "descending" : "ascending") : "none"}><a href=${this.#href({ sort: next })}>${speech.nameOf(column)}${isSorted ? html`<span aria-hidden="true"> ${sort.startsWith("-") ? "↓" : "↑"}</span>` : nothing}</a></th>`;
        })}</tr></thead>
        <tbody>${things.map(
          (thing) =>
            html`<tr>${columns.map(
              (column, place) =>
                html`<td>${place === 0 ? html`<a href=${this.#hrefOne(thing)}>${this.#textOf(thing, column)}</a>` : this.#cell(thing, column)}</td>`,
            )}</tr>`,
        )}</tbody>
      </table>
    </div>`;
  }

  /** What a row is opened by. */
  #textOf(thing: Thing, property: string): string {
    return (thing.values.get(property) ?? []).map(textOfValue).join(", ") || nameOfThing(thing);
  }

  #cell({ values }: Thing, property: string): TemplateResult {
    const found = values.get(property) ?? [];
    return html`${found.map((value, place) => html`${place > 0 ? ", " : nothing}${valueShown(this.pod, value)}`)}`;
  }

  #hrefOne({ document, id }: Thing): string {
    return hrefOf(document.slice(this.pod.url.length), "table", { thing: id });
  }

  #one({ kinds, speech, total }: Shown, thing: Thing): TemplateResult {
    const { path, isFolder } = this.place;
    const document = thing.document.slice(this.pod.url.length);
    const properties = columnsOf([thing], speech.model);
    const isAmong = total > 1 || isFolder || kinds.length > 1;
    return html`<article class="panel thing">
      <div class="head"><div><p class="soft">${speech.kind}</p><h2>${nameOfThing(thing)}</h2></div>
        <a class="button first" href=${hrefOf(document, "edit", { thing: thing.id })}>Edit</a></div>
      <dl>${properties.map((property) => html`<div><dt>${speech.nameOf(property)}</dt><dd>${this.#cell(thing, property)}</dd></div>`)}</dl>
      ${isAmong && this.place.words.has("thing") ? html`<p><a href=${hrefOf(path, "table")}>All that is in here</a></p>` : nothing}
    </article>${isFolder ? this.#add() : nothing}`;
  }

  #pages(total: number): TemplateResult {
    const page = this.#offset / PAGE + 1;
    const last = Math.max(1, Math.ceil(total / PAGE));
    return html`<div class="head pages"><p class="soft" role="status">${count(total, "record")}${last > 1 ? `, page ${page} of ${last}` : ""}</p>
      ${
        last > 1
          ? html`<nav class="row" aria-label="Pages">
        ${page > 1 ? html`<a class="button second" href=${this.#href({ page: String(page - 1) })}>${icon("back")}Before</a>` : nothing}
        ${page < last ? html`<a class="button second" href=${this.#href({ page: String(page + 1) })}>Next${icon("next")}</a>` : nothing}</nav>`
          : nothing
      }</div>`;
  }
}
customElements.define("fh-table", Table);
