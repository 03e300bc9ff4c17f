/** `<fh-by-item>`: folder by folder, who can see what is there, and because of what. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { badge } from "../../parts/badge.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Folder, Item, Me, Overview } from "../../parts/model.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { openShare } from "../../parts/share.ts";
import { count, dayOf, initialOf, nameIn, placeOf, sharedWith, verbsOf } from "../../parts/words.ts";
import type { TakeBack } from "./by-person.ts";
import { accessAt, consentsAt, type Found, openBelow } from "./effective.ts";

class ByItem extends Part {
  static override properties = {
    ...given("me", "overview", "rest", "takeBack"),
    ...state("folder", "refusal"),
  };
  declare me: Me;
  declare overview: Overview;
  /** Path within the pod. */
  declare rest: string;
  declare takeBack: TakeBack;
  declare folder: Folder | null;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.rest = "";
    this.folder = null;
    this.refusal = null;
  }

  get #path(): string {
    return `/${this.me.pod}/${this.rest}`;
  }

  /** A document is shown in its folder. */
  get #folderPath(): string {
    return this.#path.slice(0, this.#path.lastIndexOf("/") + 1);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("rest") && this.folder?.path !== this.#folderPath) void this.#load();
  }

  async #load(): Promise<void> {
    this.folder = null;
    this.refusal = null;
    const path = this.#folderPath;
    try {
      const folder = await ask<Folder>("GET", `/.account/folder?path=${encodeURIComponent(path)}`);
      if (path === this.#folderPath) this.folder = folder;
    } catch (error) {
      if (path === this.#folderPath) this.refusal = toRefusal(error);
    }
  }

  protected override render(): TemplateResult {
    const parts = this.rest.split("/").filter(Boolean);
    const to = (depth: number): string =>
      `#/sharing/items/${parts.slice(0, depth).join("/")}${depth > 0 ? "/" : ""}`;
    return html`<section>
      <nav class="crumbs" aria-label="Where you are"><a href=${to(0)} aria-current=${parts.length === 0 ? "page" : "false"}>Your pod</a>${parts.map(
        (part, place) => {
          const isLast = place === parts.length - 1;
          const address = isLast && !this.rest.endsWith("/") ? `#/sharing/items/${this.rest}` : to(place + 1);
          return html`${icon("next")}<a href=${address} aria-current=${isLast ? "page" : "false"}>${decodeURIComponent(part)}</a>`;
        },
      )}</nav>
      ${this.#here()}
      ${refusalBox(this.refusal)}
      ${this.folder ? this.#inside(this.folder) : this.refusal ? nothing : waiting("Opening …")}
    </section>`;
  }

  #here(): TemplateResult {
    const path = this.#path;
    const found = accessAt(path, this.overview);
    const consents = consentsAt(path, this.overview.consents);
    const below = openBelow(path, this.overview);
    const name = this.rest === "" ? "your whole pod" : nameIn(path);
    return html`<article class="panel person ${found.some(({ entry }) => entry.who.kind === "public" && !entry.card) ? "open" : ""}">
      <div class="head"><h2>${icon(path.endsWith("/") ? "folder" : "file")}Who sees ${name}</h2>
        <button class="second small" @click=${() => openShare(path)}>${icon("plus")}Share it</button></div>
      <ul>
        <li><span class="avatar small" aria-hidden="true">${initialOf(this.me.name)}</span><span class="row-words"><strong>You</strong><small>see and change it. This stays so, whatever you share.</small></span></li>
        ${found.map((one) => this.#who(one))}
        ${consents.map(
          ({ who, modes, purposes, until }) =>
            html`<li><span class="avatar small" aria-hidden="true">${initialOf(who.label)}</span><span class="row-words"><strong>${who.label}</strong><small>can ${verbsOf(modes)} it${purposes.length > 0 ? ` for ${purposes.join(", ")}` : ""}, until ${dayOf(until)}. You said yes to this.</small></span><a class="button second small" href="#/relationships">Look at it</a></li>`,
        )}
        ${found.length + consents.length === 0 ? html`<li><span class="tile small">${icon("lock")}</span><span class="row-words"><strong>Nobody else</strong></span></li>` : nothing}
      </ul>
      ${below > 0 ? html`<p class="small soft">${count(below, "place")} inside ${below === 1 ? "is" : "are"} shared apart from that.</p>` : nothing}
    </article>`;
  }

  #who({ entry, isDirect }: Found): TemplateResult {
    const { who, modes, path, card } = entry;
    const folder = `#/sharing/items/${path.split("/").slice(2).join("/")}`;
    const why = card
      ? "as with every pod, so that others find you"
      : isDirect
        ? "you shared just this"
        : html`because you shared <a href=${folder}>${placeOf(path)}</a>`;
    return html`<li><span class="avatar small" aria-hidden="true">${who.kind === "person" ? initialOf(who.label) : icon(who.kind === "group" ? "people" : "globe")}</span>
      <span class="row-words"><strong>${who.label}</strong><small>can ${verbsOf(modes)} it, ${why}</small></span>
      ${isDirect && !card ? this.takeBack(who, path, "Take back") : nothing}</li>`;
  }

  #inside({ items, cut }: Folder): TemplateResult {
    if (items.length === 0) return html`<p class="soft">Nothing is in this folder.</p>`;
    return html`<ul class="rows">${items.map((item) => this.#item(item))}</ul>
      ${cut ? html`<p class="small soft">This folder is long. Only its first part is shown.</p>` : nothing}`;
  }

  #item({ name, path, isFolder, contentType }: Item): TemplateResult {
    const found = accessAt(path, this.overview).map(({ entry }) => entry);
    const consents = consentsAt(path, this.overview.consents).length;
    const below = openBelow(path, this.overview);
    const about = [
      ...(below > 0 ? [`${count(below, "place")} inside shared`] : []),
      ...(consents > 0 ? [`${count(consents, "yes", "yeses")} of yours`] : []),
    ];
    const place = path.split("/").slice(2).join("/");
    return html`<li><a class="row-link" href=${`#/sharing/items/${place}`} aria-current=${path === this.#path ? "true" : "false"}>
      <span class="tile">${icon(isFolder ? "folder" : contentType.startsWith("image/") ? "picture" : "file")}</span>
      <span class="row-words"><strong>${name}</strong>${about.length > 0 ? html`<small>${about.join(", ")}</small>` : nothing}</span>
      ${found.some(({ card }) => card) ? html`<span class="badge some">${icon("card")}Card is public</span>` : badge(sharedWith(path, found))}
      ${icon("next")}</a></li>`;
  }
}
customElements.define("fh-by-item", ByItem);
