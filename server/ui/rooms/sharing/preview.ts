/** `<fh-preview>`: the pod as somebody else sees it. The server decides, as it would if they asked; nothing of it is counted as a look of theirs. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Folder, Item, Me, Mode, Overview, Who } from "../../parts/model.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { kindOf, sameWho, sizeOf, verbsOf } from "../../parts/words.ts";

interface Seen extends Omit<Folder, "items"> {
  readonly who: Who;
  /** What they may do with the folder itself. */
  readonly modes: readonly Mode[];
  readonly items: readonly (Item & { readonly modes: readonly Mode[] })[];
}

const ANYBODY: readonly Who[] = [
  { kind: "public", iri: null, label: "Everyone on the web" },
  { kind: "signed-in", iri: null, label: "Anyone who is signed in" },
];

/** As it stands in an address after `as/`. */
const keyOf = ({ kind, iri }: Who): string => (iri === null ? kind : `${kind}~${encodeURIComponent(iri)}`);

const canSee = (modes: readonly Mode[]): boolean => modes.includes("read");

class Preview extends Part {
  static override properties = {
    ...given("me", "overview", "rest"),
    ...state("seen", "refusal", "address"),
  };
  declare me: Me;
  declare overview: Overview;
  /** `public/photos/`: who looks, and where; empty at the beginning. */
  declare rest: string;
  declare seen: Seen | null;
  declare refusal: Refusal | null;
  #keepsFocus = false;

  constructor() {
    super();
    this.rest = "";
    this.seen = null;
    this.refusal = null;
  }

  get #key(): string {
    return this.rest.split("/")[0] || "public";
  }

  get #place(): string {
    return this.rest.includes("/") ? this.rest.slice(this.rest.indexOf("/") + 1) : "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("rest") || changed.has("overview")) void this.#look();
  }

  protected override updated(): void {
    if (!this.#keepsFocus) return;
    this.#keepsFocus = false;
    this.querySelector("select")?.focus({ preventScroll: true });
  }

  async #look(): Promise<void> {
    this.refusal = null;
    const asked = this.rest;
    const [kind = "public", iri = ""] = this.#key.split("~");
    const query = new URLSearchParams({ as: kind, path: `/${this.me.pod}/${this.#place}` });
    if (iri) query.set("who", decodeURIComponent(iri));
    try {
      const seen = await ask<Seen>("GET", `/.account/access/preview?${query.toString()}`);
      if (asked === this.rest) this.seen = seen;
    } catch (error) {
      if (asked === this.rest) this.refusal = toRefusal(error);
    }
  }

  get #people(): readonly Who[] {
    const all = [...this.overview.entries, ...this.overview.consents].map(({ who }) => who);
    const named = all.filter(({ kind }) => kind === "person");
    return [
      ...ANYBODY,
      ...named.filter((who, place) => named.findIndex((other) => sameWho(other, who)) === place),
    ];
  }

  readonly #choose = (event: Event): void => {
    this.#keepsFocus = true;
    location.hash = `#/sharing/as/${(event.target as HTMLSelectElement).value}/${this.#place}`;
  };

  protected override render(): TemplateResult {
    const { seen } = this;
    const people = this.#people;
    const isKnown = people.some((who) => keyOf(who) === this.#key);
    return html`<section>
      <div class="head"><h2>See it as somebody else</h2><p class="soft">This is what they get when they come here. They do not hear of it.</p></div>
      <label class="field"><span>As whom</span><select name="as" @change=${this.#choose}>
        ${people.map((who) => html`<option value=${keyOf(who)} ?selected=${keyOf(who) === this.#key}>${who.label}</option>`)}
        ${isKnown || !seen ? nothing : html`<option value=${this.#key} selected>${seen.who.label}</option>`}
      </select></label>
      ${refusalBox(this.refusal)}
      ${seen ? this.#folder(seen) : this.refusal ? nothing : waiting("Looking with their eyes …")}
    </section>`;
  }

  #folder(seen: Seen): TemplateResult {
    const shown = seen.items.filter(({ modes }) => modes.length > 0);
    const hidden = seen.items.length - shown.length;
    const parts = this.#place.split("/").filter(Boolean);
    const to = (depth: number): string =>
      `#/sharing/as/${this.#key}/${parts
        .slice(0, depth)
        .map((part) => `${part}/`)
        .join("")}`;
    return html`<article class="panel glass">
      <nav class="crumbs" aria-label="Where they look"><a href=${to(0)} aria-current=${parts.length === 0 ? "page" : "false"}>Your pod</a>${parts.map((part, place) => html`${icon("next")}<a href=${to(place + 1)} aria-current=${place === parts.length - 1 ? "page" : "false"}>${decodeURIComponent(part)}</a>`)}</nav>
      ${
        canSee(seen.modes)
          ? html`<p class="soft">${icon("eye")} They can ${verbsOf(seen.modes)} this folder.</p>`
          : html`<p class="soft">${icon("lock")} They cannot list this folder. ${shown.length > 0 ? "Of what is in it, they reach this if they know where it is:" : nothing}</p>`
      }
      ${
        shown.length > 0
          ? html`<ul class="rows">${shown.map((item) => this.#row(item))}</ul>`
          : html`<div class="empty">${icon("lock")}<p><strong>They see nothing here.</strong></p></div>`
      }
      ${hidden > 0 ? html`<p class="small soft">${hidden} more in this folder ${hidden === 1 ? "is" : "are"} hidden from them.</p>` : nothing}
      ${seen.cut ? html`<p class="small soft">This folder is long. Only its first part is shown.</p>` : nothing}
    </article>`;
  }

  #row({ name, path, isFolder, contentType, bytes, modes }: Seen["items"][number]): TemplateResult {
    const about = isFolder ? "Folder" : `${kindOf(contentType)}, ${sizeOf(bytes)}`;
    const words = html`<span class="tile">${icon(isFolder ? "folder" : contentType.startsWith("image/") ? "picture" : "file")}</span>
      <span class="row-words"><strong>${name}</strong><small>${about} · can ${verbsOf(modes)}</small></span>`;
    const place = path.split("/").slice(2).join("/");
    return html`<li>${isFolder ? html`<a class="row-link" href=${`#/sharing/as/${this.#key}/${place}`}>${words}${icon("next")}</a>` : html`<div class="row-plain">${words}</div>`}</li>`;
  }
}
customElements.define("fh-preview", Preview);
