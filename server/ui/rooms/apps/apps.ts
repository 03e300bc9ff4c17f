/** `<fh-apps>`: apps that the owner has let in: what each can do, what it read, letting it do less, and showing it out. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { abilityLists } from "../../parts/can.ts";
import "../../parts/copy.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { AppRow, Me, Overview, Reach, State } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { reachWords } from "../../parts/reach.ts";
import { agoOf, count, dayOf, hostOf, initialOf } from "../../parts/words.ts";

/** What an app did in the last days, as the journal has it. */
interface Used {
  readonly client: string;
  readonly looks: number;
  readonly changes: number;
  /** Milliseconds since 1970. */
  readonly last: number;
  readonly places: readonly {
    readonly path: string;
    readonly place: string | null;
    readonly looks: number;
    readonly changes: number;
  }[];
}

const DAYS = 90;
const PLACES = 4;
const NOTHING: Reach = { folders: [], modes: [] };

const placeOf = ({ address, client }: AppRow): string | null =>
  address ? hostOf(address) : /^https?:/.test(client) ? hostOf(client) : null;
const nameOf = (app: AppRow): string => app.name ?? placeOf(app) ?? "An app without a name";
const isResting = ({ folders, modes }: Reach): boolean => modes.length === 0 || folders?.length === 0;

class Apps extends Part {
  static override properties = {
    ...given("me", "overview", "server"),
    ...state("apps", "used", "busy", "refusal", "changing", "leaving", "chosen"),
  };
  declare me: Me;
  declare overview: Overview;
  declare server: State;
  declare apps: readonly AppRow[] | null;
  /** Null until it is known. */
  declare used: readonly Used[] | null;
  declare busy: string;
  declare refusal: Refusal | null;
  /** The app whose choice is open; empty for none. */
  declare changing: string;
  /** The app that is about to be shown out. */
  declare leaving: string;
  /** Null while the choice is not whole. */
  declare chosen: Reach | null;

  constructor() {
    super();
    this.apps = null;
    this.used = null;
    this.busy = "";
    this.refusal = null;
    this.changing = "";
    this.leaving = "";
    this.chosen = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load(async () => {});
    void ask<{ apps: readonly Used[] }>("GET", `/.account/journal/summary?days=${DAYS}`).then(
      ({ apps }) => (this.used = apps),
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  /** @returns whether it worked. */
  async #load(work: () => Promise<unknown>): Promise<boolean> {
    this.refusal = null;
    try {
      await work();
      this.apps = (await ask<{ apps: readonly AppRow[] }>("GET", "/.account/apps")).apps;
      return true;
    } catch (error) {
      this.refusal = toRefusal(error);
      return false;
    } finally {
      this.busy = "";
    }
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  async #disconnect(app: AppRow): Promise<void> {
    this.busy = app.id;
    if (await this.#load(() => ask("DELETE", `/.account/apps/${encodeURIComponent(app.id)}`))) {
      this.#changed();
      tell(`${nameOf(app)} is disconnected, from now on. It has to ask you again.`);
    }
    this.leaving = "";
  }

  #set(app: AppRow, { folders, modes }: Reach): Promise<boolean> {
    this.busy = app.id;
    return this.#load(() => ask("POST", `/.account/apps/${encodeURIComponent(app.id)}`, { folders, modes }));
  }

  async #narrow(app: AppRow, reach: Reach): Promise<void> {
    if (!(await this.#set(app, reach))) return;
    this.changing = "";
    tell(`From now on ${nameOf(app)} can ${reachWords(reach)}.`, async () => {
      if (!(await this.#set(app, app)) && this.refusal) throw this.refusal;
    });
  }

  readonly #choose = (event: Event): void => {
    const value = (event.target as HTMLElement & { readonly value: Reach | null }).value;
    if (JSON.stringify(value) !== JSON.stringify(this.chosen)) this.chosen = value;
  };

  protected override render(): TemplateResult {
    const { apps } = this;
    return html`<div class="head"><div><h1>Apps</h1><p class="soft">You let them in. Each does what you let it do, and no more.</p></div></div>
      ${refusalBox(this.refusal)}
      ${apps ? (apps.length === 0 ? this.#none() : apps.map((app) => this.#app(app))) : this.refusal ? nothing : waiting("Looking …")}
    ${apps && apps.length > 0 ? this.#how() : nothing}`;
  }

  #none(): TemplateResult {
    return html`<div class="empty">${icon("plug")}<p><strong>You have let in no app.</strong><br />An app works with what is in your pod. It sees only what you let it see.</p></div>
      ${this.#how()}`;
  }

  #how(): TemplateResult {
    return html`<section class="two">
      <article class="panel"><h2>${icon("plus")}Connect an app</h2>
        <ol class="how"><li>Open an app that works with pods like yours.</li><li>It asks where your pod is. Give it this address.</li><li>You come back here, and choose what it can do.</li></ol>
        <fh-copy .value=${this.server.baseUrl} .label=${"the address of your server"}></fh-copy></article>
      <article class="panel"><h2>${icon("device")}Programs without a screen</h2>
        <p class="soft">A backup or a home computer signs in by itself, with a name and a secret that you make for it.</p>
        <div class="row"><a class="button second" href="#/security">Connect a program</a></div></article>
    </section>`;
  }

  #app(app: AppRow): TemplateResult {
    const name = nameOf(app);
    const isBusy = this.busy === app.id;
    const isOpen = this.changing === app.id;
    const folders = this.overview.items.filter(({ isFolder }) => isFolder).map(({ path }) => path);
    return html`<article class="panel app ${isResting(app) ? "resting" : ""}">
      <header><span class="avatar square" aria-hidden="true">${initialOf(name)}</span>
        <div class="row-words"><h2>${name}</h2><small>can ${reachWords(app)}</small><small>${placeOf(app) ? `from ${placeOf(app)}, ` : ""}since ${dayOf(app.since)}</small></div></header>
      ${abilityLists(app, folders)}
      ${this.#use(app)}
      ${
        this.leaving === app.id
          ? html`<div class="notice">${icon("warn")}<div class="stack"><p><strong>Disconnect ${name}?</strong> It is signed out at once, and has to ask you again. What it saved in your pod stays.</p>
              <div class="pair"><button class="second" @click=${() => (this.leaving = "")}>Keep it</button><button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#disconnect(app)}>${busyWords(isBusy, "Disconnect it", "…")}</button></div></div></div>`
          : html`<div class="row">
              <button class="second small" aria-expanded=${isOpen} aria-label=${`Change what ${name} can do`} @click=${() => (this.changing = isOpen ? "" : app.id)}>Change</button>
              ${isResting(app) ? nothing : html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Let it rest: ${name}`} @click=${() => this.#narrow(app, NOTHING)}>${icon("pause")}Let it rest</button>`}
              <button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Disconnect ${name}`} @click=${() => (this.leaving = app.id)}>Disconnect</button>
            </div>`
      }
      ${isOpen ? this.#change(app) : nothing}
    </article>`;
  }

  /** What it did lately; the journal has the rest. */
  #use({ client }: AppRow): TemplateResult | typeof nothing {
    if (!this.used) return nothing;
    const used = this.used.find((one) => one.client === client);
    if (!used) return html`<p class="soft">It has touched nothing in the last ${DAYS} days.</p>`;
    const { last, looks, changes, places } = used;
    const more = places.length - PLACES;
    return html`<div class="use">
      <p><strong>Used ${agoOf(last)}.</strong> <span class="soft">${count(looks, "look")} and ${count(changes, "change")} in ${DAYS} days.</span></p>
      <ul>${places.slice(0, PLACES).map(({ place, looks: seen, changes: made }) => html`<li>${icon("folder")}<span>${place ?? "Your pod itself"}</span><span class="soft">${[...(seen > 0 ? [count(seen, "look")] : []), ...(made > 0 ? [count(made, "change")] : [])].join(", ")}</span></li>`)}</ul>
      <p>${more > 0 ? html`<span class="soft">And ${count(more, "other place")}. </span>` : nothing}<a href=${`#/activity/?who=you&client=${encodeURIComponent(client)}`}>All that it did</a></p>
    </div>`;
  }

  #change(app: AppRow): TemplateResult {
    const { chosen } = this;
    return html`<div class="stack app-change">
      <fh-reach .reach=${{ folders: app.folders, modes: app.modes }} .pod=${this.me.pod} @chosen=${this.#choose}></fh-reach>
      <div class="pair"><button class="second" @click=${() => (this.changing = "")}>Leave it as it is</button>
        <button class="first" ?disabled=${this.busy !== "" || chosen === null} @click=${() => chosen && this.#narrow(app, chosen)}>${busyWords(this.busy === app.id, "Save", "Saving …")}</button></div>
    </div>`;
  }
}
customElements.define("fh-apps", Apps);
