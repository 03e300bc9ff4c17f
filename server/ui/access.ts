/** `<fh-access>`: who has access to what, by person, and taking it back with one tap. */
import { html, nothing, type TemplateResult } from "lit";
import "./activity.ts";
import "./apps.ts";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { given, Part, state } from "./element.ts";
import { type IconName, icon } from "./icons.ts";
import type { AccessEntry, Me, Overview, Who } from "./model.ts";
import { busyWords, refusalBox, tell } from "./notices.ts";
import { openShare } from "./share.ts";
import { count, hostOf, initialOf, sameWho, scopeOf, verbsOf } from "./words.ts";

interface Group {
  readonly title: string;
  readonly about: string;
  readonly kinds: readonly Who["kind"][];
  readonly icon: IconName;
}

const GROUPS: readonly Group[] = [
  {
    title: "Open to all",
    about: "On the whole web",
    kinds: ["public", "signed-in"],
    icon: "globe",
  },
  { title: "People", about: "Whom you have named", kinds: ["person"], icon: "person" },
  { title: "Groups", about: "Whoever is on a list", kinds: ["group"], icon: "people" },
];

class Access extends Part {
  static override properties = { ...given("overview", "me"), ...state("busy", "refusal") };
  declare overview: Overview;
  declare me: Me;
  /** What is being taken back at this moment. */
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.busy = "";
    this.refusal = null;
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

  protected override render(): TemplateResult {
    const open = this.overview.entries.filter(({ card }) => !card);
    const card = this.overview.entries.some((entry) => entry.card && entry.who.kind === "public");
    const inbox = this.overview.entries.find((entry) => entry.card && entry.who.kind === "signed-in");
    return html`
      <div class="head"><div><h1>Who can see what</h1>
        <p class="soft">${open.length === 0 ? "Nobody but you, for now." : html`<strong>${count(this.overview.people, "person", "people")}</strong> by name or through a group. Taking something back works at once.`}</p></div>
        <button class="first" @click=${() => openShare()}>${icon("plus")}Share something</button></div>
      ${refusalBox(this.refusal)}
      ${open.length === 0 ? html`<div class="empty">${icon("lock")}<p><strong>Your gate is closed.</strong><br />Share a folder with somebody, and they appear here, with a button that takes it back.</p></div>` : nothing}
      ${GROUPS.map((group) => this.#group(group, open))}
      <fh-apps .pod=${this.me.pod}></fh-apps>
      <fh-activity></fh-activity>
      <section>
        <h2>Always</h2>
        <ul class="rows">
          <li class="row-plain"><span class="avatar">${initialOf(this.me.name)}</span><span class="row-words"><strong>You</strong><small>see and change everything. This cannot be taken from you.</small></span></li>
          ${card ? html`<li class="row-plain"><span class="tile">${icon("card")}</span><span class="row-words"><strong>Everyone can see your card</strong><small>Your name, your address and where to find you, so that others can share with you.</small></span></li>` : nothing}
          ${inbox ? html`<li class="row-plain"><span class="tile">${icon("people")}</span><span class="row-words"><strong>Anyone signed in can leave you a notice</strong><small>It comes into your inbox. Only you can read what is there.</small></span>${this.#button(inbox.who, inbox.path, "Take back")}</li>` : nothing}
        </ul>
      </section>
    `;
  }

  #group(
    { title, about, kinds, icon: picture }: Group,
    open: readonly AccessEntry[],
  ): TemplateResult | typeof nothing {
    const entries = open.filter(({ who }) => kinds.includes(who.kind));
    const people = entries
      .map(({ who }) => who)
      .filter((who, place, all) => all.findIndex((other) => sameWho(other, who)) === place);
    if (people.length === 0) return nothing;
    return html`<section>
      <div class="head"><h2>${title}</h2><p class="soft">${about}</p></div>
      ${people.map((who) =>
        this.#person(
          who,
          entries.filter((entry) => sameWho(entry.who, who)),
          picture,
        ),
      )}
    </section>`;
  }

  #person(who: Who, entries: readonly AccessEntry[], picture: IconName): TemplateResult {
    const members = entries.find(({ members }) => members !== null)?.members ?? null;
    return html`<article class="panel person ${who.kind === "public" ? "open" : ""}">
      <header>
        <span class="avatar">${who.kind === "person" ? initialOf(who.label) : icon(picture)}</span>
        <div class="row-words"><strong>${who.label}</strong>
          ${who.iri ? html`<small class="address">${who.iri}</small>` : nothing}
          ${members === null ? nothing : html`<small>${count(members, "person", "people")} on the list now</small>`}
        </div>
      </header>
      <ul>
        ${entries.map(
          (entry) => html`<li>
            <span>can ${verbsOf(entry.modes)} <strong>${scopeOf(entry)}</strong>${entry.apps.length > 0 ? html`, only with ${entry.apps.map(hostOf).join(", ")}` : nothing}</span>
            ${this.#button(who, entry.path, "Take back")}
          </li>`,
        )}
        ${entries.length > 1 ? html`<li><span class="soft">All of this</span>${this.#button(who, null, "Take all back")}</li>` : nothing}
      </ul>
    </article>`;
  }

  #button(who: Who, path: string | null, words: string): TemplateResult {
    const busy = this.busy === JSON.stringify([who.kind, who.iri, path]);
    const what = path === null ? "everything" : scopeOf({ path, inherited: false });
    return html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`${words}: ${what}, from ${who.label}`} @click=${() => this.#revoke(who, path)}>${busyWords(busy, words, "…")}</button>`;
  }
}
customElements.define("fh-access", Access);
