/** `<fh-found>`: what texts of the pod say of the words that somebody looks for. */
import { type Hit, type SearchPage, search } from "@freehold/client/search";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { count, folderOfRecord, placeOf } from "../../parts/words.ts";
import { hrefOf, nameOfPath, type OwnPod, type Place } from "./place.ts";
import { kindName } from "./spoken-words.ts";

class Found extends Part {
  static override properties = { ...given("pod", "place"), ...state("page", "hits", "refusal", "busy") };
  declare pod: OwnPod;
  declare place: Place;
  declare page: SearchPage | null;
  /** Of all pages so far. */
  declare hits: readonly Hit[];
  declare refusal: Refusal | null;
  declare busy: boolean;

  constructor() {
    super();
    Object.assign(this, { page: null, hits: [], refusal: null, busy: false });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place")) void this.#look(() => this.#first());
  }

  #first(): Promise<SearchPage | null> {
    this.page = null;
    this.hits = [];
    const { words, path } = this.place;
    const type = words.get("kind");
    return search(this.pod, words.get("text") ?? "", {
      ...(path === "" ? {} : { folder: path }),
      ...(type === null ? {} : { types: [type] }),
    });
  }

  async #look(next: () => Promise<SearchPage | null>): Promise<void> {
    const { place } = this;
    this.busy = true;
    this.refusal = null;
    try {
      const page = await next();
      if (place !== this.place || !page) return;
      this.page = page;
      this.hits = [...this.hits, ...page.hits];
    } catch (error) {
      if (place === this.place) this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    const { page, hits } = this;
    if (!page) return this.refusal ? html`${refusalBox(this.refusal)}` : waiting("Looking …");
    return html`${refusalBox(this.refusal)}
      <p class="soft" role="status">${page.total === 0 ? "Nothing was found" : `${count(page.total, "thing")} found`}${page.complete ? "" : ", and more that was not looked at: try more words"}</p>
      ${this.#kinds(page)}
      ${hits.length === 0 ? html`<div class="empty">${icon("search")}<p><strong>No text has all of these words.</strong><br />Try fewer of them, or the beginning of one with a star: gard*</p></div>` : nothing}
      <ul class="rows">${hits.map((hit) => this.#hit(hit))}</ul>
      ${page.total > hits.length ? html`<button class="second wide" ?disabled=${this.busy} @click=${() => this.#look(() => page.nextPage())}>Show more</button>` : nothing}`;
  }

  #kinds({ facets }: SearchPage): TemplateResult | typeof nothing {
    const chosen = this.place.words.get("kind");
    if (facets.types.length < 2 && chosen === null) return nothing;
    const text = this.place.words.get("text") ?? "";
    return html`<ul class="chips" aria-label="Kinds">${facets.types.map(({ value, count: amount }) => {
      const isChosen = value === chosen;
      return html`<li><a class="chip" href=${hrefOf(this.place.path, "search", { text, kind: isChosen ? "" : value })} aria-current=${isChosen ? "true" : "false"}>${kindName(value)} <span>${amount}</span></a></li>`;
    })}</ul>`;
  }

  #hit({ document, subject, excerpt, types }: Hit): TemplateResult {
    const path = document.slice(this.pod.url.length);
    const thing = subject.startsWith("_:") || subject === document ? "" : subject;
    const place = placeOf(new URL(document).pathname.replace(/[^/]*$/, ""));
    return html`<li><a class="row-link" href=${hrefOf(path, "table", { thing })}>
      <span class="tile">${icon("file")}</span>
      <span class="row-words"><strong>${excerpt}</strong><small>${types.map((type) => kindName(type)).join(", ") || "Record"} in ${folderOfRecord(path) === null ? `${nameOfPath(path)}, ` : ""}${place}</small></span>
      ${icon("next")}</a></li>`;
  }
}
customElements.define("fh-found", Found);
