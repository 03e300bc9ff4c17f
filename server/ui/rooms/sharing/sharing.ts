/** `<fh-sharing>`: who has access to what, by person, by app and by item; the pod as others see it; groups; and taking back with one tap. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Me, Overview, Who } from "../../parts/model.ts";
import { busyWords, refusalBox, tell } from "../../parts/notices.ts";
import { openShare } from "../../parts/share.ts";
import { count, initialOf, scopeOf } from "../../parts/words.ts";
import "./by-app.ts";
import "./by-item.ts";
import { byPerson, type TakeBack } from "./by-person.ts";
import "./groups.ts";
import "./preview.ts";

/** What stands in the address after the room, and what it is called. */
const VIEWS: readonly (readonly [name: string, title: string, icon: IconName])[] = [
  ["people", "People", "people"],
  ["apps", "Apps", "plug"],
  ["items", "Files", "folder"],
  ["as", "See as", "eye"],
  ["groups", "Groups", "person"],
];

class Sharing extends Part {
  static override properties = { ...given("overview", "me", "rest"), ...state("busy", "refusal") };
  declare overview: Overview;
  declare me: Me;
  declare rest: string;
  /** What is being taken back at this moment. */
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.rest = "";
    this.busy = "";
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#changed(); // What others or other pages did since the last look.
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  /** @param path null for all places. */
  async #revoke({ label, kind, iri }: Who, path: string | null): Promise<void> {
    this.busy = JSON.stringify([kind, iri, path]);
    this.refusal = null;
    try {
      const who = { kind, iri };
      const { undo } = await ask<{ undo: string }>(
        "POST",
        "/.account/access/revoke",
        path === null ? { who } : { who, path },
      );
      this.#changed();
      tell(
        `${label} can no longer see ${path === null ? "any of it" : scopeOf({ path, inherited: false })}.`,
        async () => {
          await ask("POST", "/.account/access/undo", { undo });
          this.#changed();
        },
      );
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  readonly #takeBack: TakeBack = (who, path, words) => {
    const busy = this.busy === JSON.stringify([who.kind, who.iri, path]);
    const what = path === null ? "everything" : scopeOf({ path, inherited: false });
    return html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`${words}: ${what}, from ${who.label}`} @click=${() => this.#revoke(who, path)}>${busyWords(busy, words, "…")}</button>`;
  };

  protected override render(): TemplateResult {
    const [view = "", ...rest] = this.rest.split("/");
    const shown = VIEWS.some(([name]) => name === view) ? view : "people";
    const open = this.overview.entries.filter(({ card }) => !card);
    const isClosed = open.length === 0 && this.overview.consents.length === 0;
    return html`
      <div class="head"><div><h1>Who can see what</h1>
        <p class="soft">${isClosed ? "Nobody but you, for now." : html`<strong>${count(this.overview.people, "person", "people")}</strong> by name or through a group. Taking something back works at once.`}</p></div>
        <button class="first" @click=${() => openShare()}>${icon("plus")}Share something</button></div>
      <nav class="views" aria-label="Ways to look at it">${VIEWS.map(([name, title, picture]) => html`<a href=${`#/sharing/${name}`} aria-current=${name === shown ? "page" : "false"}>${icon(picture)}${title}</a>`)}</nav>
      ${refusalBox(this.refusal)}
      ${this.#view(shown, rest.join("/"), isClosed)}
    `;
  }

  #view(shown: string, rest: string, isClosed: boolean): TemplateResult {
    const { me, overview } = this;
    if (shown === "apps")
      return html`<fh-by-app .overview=${overview} .takeBack=${this.#takeBack}></fh-by-app>`;
    if (shown === "items")
      return html`<fh-by-item .me=${me} .overview=${overview} .rest=${rest} .takeBack=${this.#takeBack}></fh-by-item>`;
    if (shown === "as") return html`<fh-preview .me=${me} .overview=${overview} .rest=${rest}></fh-preview>`;
    if (shown === "groups") return html`<fh-groups .me=${me} .overview=${overview}></fh-groups>`;
    return html`
      ${isClosed ? html`<div class="empty">${icon("lock")}<p><strong>Your gate is closed.</strong><br />Share a folder with somebody, and they appear here, with a button that takes it back.</p></div>` : nothing}
      ${byPerson(overview, this.#takeBack)}
      ${this.#always()}`;
  }

  #always(): TemplateResult {
    const card = this.overview.entries.some((entry) => entry.card && entry.who.kind === "public");
    const inbox = this.overview.entries.find((entry) => entry.card && entry.who.kind === "signed-in");
    return html`<section>
      <h2>Always</h2>
      <ul class="rows">
        <li class="row-plain"><span class="avatar">${initialOf(this.me.name)}</span><span class="row-words"><strong>You</strong><small>see and change everything. This cannot be taken from you, not even by you.</small></span></li>
        ${card ? html`<li class="row-plain"><span class="tile">${icon("card")}</span><span class="row-words"><strong>Everyone can see your card</strong><small>Your name, your address and where to find you, so that others can share with you.</small></span></li>` : nothing}
        ${inbox ? html`<li class="row-plain"><span class="tile">${icon("people")}</span><span class="row-words"><strong>Anyone signed in can leave you a notice</strong><small>It comes into your inbox. Only you can read what is there.</small></span>${this.#takeBack(inbox.who, inbox.path, "Take back")}</li>` : nothing}
      </ul>
    </section>`;
  }
}
customElements.define("fh-sharing", Sharing);
