/** `<fh-overview>`: the first room. How many can see your data, how the pod is, who looked, and what to do next. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { itemBadge } from "../../parts/badge.ts";
import "../../parts/copy.ts";
import { given, Part, state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Activity, Item, Me, Overview, Usage } from "../../parts/model.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { scene } from "../../parts/scene.ts";
import { openShare } from "../../parts/share.ts";
import { count, groupsOf, kindOf, sharedWith, sizeOf } from "../../parts/words.ts";
import { ROOMS } from "../rooms.ts";
import { accessAt } from "../sharing/effective.ts";
import { type Health, healthPanel } from "./health.ts";
import { lookedAt, recentLooks, spark, WEEK_DAYS, type Week } from "./recent.ts";
import "./storage.ts";

/** What the room asks for beside what every room is given. */
interface Told {
  readonly health: Health;
  readonly usage: Usage;
  readonly looks: Activity;
  readonly week: Week;
}

const MEANING: Readonly<Record<string, string>> = {
  inbox: "What others leave for you",
  profile: "Your public card",
  settings: "What your apps remember about your pod",
  groups: "Your lists of people",
};
/** What a pod has from its first day. */
const FROM_THE_START: ReadonlySet<string> = new Set(["inbox", "profile", "settings"]);
const NEW_MS = 30 * 86_400_000; // After that the first steps are no news.
const RECENT = 4;
const AGAIN_MS = 20_000; // Often enough that nobody wonders, and little work for the server.

const hasRoom = (name: string): boolean => ROOMS.some((room) => room.name === name);

class OverviewRoom extends Part {
  static override properties = { ...given("me", "overview", "rest"), ...state("told", "refusal") };
  declare me: Me;
  declare overview: Overview;
  /** `welcome` right after the pod was set up. */
  declare rest: string;
  declare told: Told | null;
  declare refusal: Refusal | null;
  #timer = 0;
  /** The numbers are others' doing too: they are asked for again while somebody looks. */
  readonly #again = (): void => {
    if (document.visibilityState === "visible")
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  };

  constructor() {
    super();
    this.told = null;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(this.#again, AGAIN_MS);
    document.addEventListener("visibilitychange", this.#again);
    if (this.hasUpdated) this.#again(); // Somebody comes back from another room.
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#again);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("overview")) void this.#load();
  }

  async #load(): Promise<void> {
    try {
      const [health, usage, looks, week] = await Promise.all([
        ask<Health>("GET", "/.account/health"),
        ask<Usage>("GET", "/.account/usage"),
        ask<Activity>("GET", `/.account/journal?by=others&limit=${RECENT}`),
        ask<Week>("GET", `/.account/journal/summary?days=${WEEK_DAYS}`),
      ]);
      this.told = { health, usage, looks, week };
      this.refusal = null;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  protected override render(): TemplateResult {
    const { me, overview, told } = this;
    const open = overview.entries.filter(({ card }) => !card);
    const isOpen = overview.people > 0 || overview.isPublic || open.length > 0;
    return html`
      ${this.rest === "welcome" ? html`<div class="notice good" role="status">${icon("check")}<div><strong>Your pod is ready, ${me.name}.</strong> Everything in it is closed to others until you share it.</div></div>` : nothing}
      <section class="hero ${isOpen ? "open" : ""}">
        <div class="hero-words">
          <h1><b>${overview.people}</b> ${overview.people === 1 ? "person" : "people"} can see your data</h1>
          <p>${this.#sentence(open.length)}</p>
          <div class="row">
            <a class="button second" href="#/sharing">${icon("eye")}Who can see what</a>
            <button class="first" @click=${() => openShare()}>${icon("plus")}Share something</button>
          </div>
        </div>
        ${scene(isOpen)}
      </section>
      ${this.#figures(told)}
      ${refusalBox(this.refusal)}
      ${told && told.health.waiting > 0 && hasRoom("requests") ? this.#waiting(told.health.waiting) : nothing}
      ${this.#firstSteps(open.length)}
      ${told ? html`${recentLooks(told.looks.entries)}${healthPanel(told.health, me)}` : this.refusal ? nothing : waiting("Looking …")}
      <section>
        <div class="head"><h2>In your pod</h2><p class="soft">${count(overview.resources, "file or folder", "files and folders")}, ${sizeOf(overview.bytes)}</p></div>
        <ul class="rows">${overview.items.map((item) => this.#row(item))}</ul>
      </section>
      <fh-storage .usage=${told?.usage ?? null}></fh-storage>
      ${this.#addresses()}
    `;
  }

  #sentence(shared: number): TemplateResult {
    if (this.overview.isPublic)
      return html`<strong class="warn">Some of it is open to everyone on the web.</strong> Look whether you mean it to be.`;
    if (this.overview.people === 0 && shared === 0)
      return html`Only your card is public: your name, your address, and where to find you.`;
    const places = new Set(this.overview.entries.filter(({ card }) => !card).map(({ path }) => path)).size;
    if (places === 0) return html`You said yes to a request. You can end it at any time.`;
    return html`You have shared ${count(places, "place")}. You can take it back at any time.`;
  }

  /** The pod at a glance: each number leads to where it comes from. */
  #figures(told: Told | null): TemplateResult {
    const { apps, bytes } = this.overview;
    const quota = told ? ` of ${sizeOf(told.usage.quota.bytes)}` : "";
    const looks = told ? lookedAt(told.week) : [];
    const all = looks.reduce((sum, amount) => sum + amount, 0);
    const refused = told ? told.week.times.reduce((sum, [, , denied]) => sum + denied, 0) : 0;
    return html`<ul class="figures">
      <li><a href="#/apps">${icon("plug")}<span><strong>${count(apps, "app")}</strong><small>${apps === 0 ? "let in so far" : "let in by you"}</small></span></a></li>
      <li><a href="#/activity">${all > 0 ? spark(looks) : icon("eye")}<span><strong>${told ? count(all, "look") : "…"}</strong><small>by others in seven days${refused > 0 ? `, ${refused} refused` : ""}</small></span></a></li>
      <li><a href="#/data">${icon("box")}<span><strong>${sizeOf(bytes)}${quota}</strong><small>in use</small></span></a></li>
    </ul>`;
  }

  #waiting(amount: number): TemplateResult {
    return html`<a class="notice good waiting-link" href="#/requests">${icon("people")}<div><strong>${count(amount, "request")} ${amount === 1 ? "waits" : "wait"} for your answer.</strong> Nothing is given until you say yes.</div>${icon("next")}</a>`;
  }

  /** What a person with a new pod does first; what is done is ticked off. */
  #firstSteps(shared: number): TemplateResult | typeof nothing {
    const { overview, me } = this;
    const hasData = overview.items.some(({ name }) => !FROM_THE_START.has(name));
    const isNew = Date.now() - me.created < NEW_MS;
    if (!isNew || (hasData && overview.apps > 0 && shared > 0)) return nothing;
    return html`<section>
      <div class="head"><h2>First steps</h2></div>
      <div class="steps-cards">
        ${this.#step("upload", "Bring something in", "Contacts, a calendar, photos: what you have elsewhere.", hasRoom("import") ? "#/import" : "#/data", hasData)}
        ${this.#step("plug", "Connect an app", "It asks, and you choose what it can see.", "#/apps", overview.apps > 0)}
        ${this.#step("people", "Share with your family", "A folder, with those you name, for as long as you like.", "#/sharing", shared > 0)}
      </div>
    </section>`;
  }

  #step(picture: IconName, title: string, about: string, address: string, isDone: boolean): TemplateResult {
    return html`<a class="panel step ${isDone ? "done" : ""}" href=${address}><span class="tile">${icon(isDone ? "check" : picture)}</span><span><strong>${title}</strong><small>${isDone ? "Done" : about}</small></span></a>`;
  }

  #addresses(): TemplateResult {
    const { me } = this;
    return html`<section class="two">
      <article class="panel">
        <h2>${icon("card")}Your address</h2>
        <p class="soft">Give it to those who want to share something with you.</p>
        <fh-copy .value=${me.address} .label=${"your address"}></fh-copy>
      </article>
      ${
        me.passport
          ? html`<article class="panel">
              <h2>${icon("globe")}Your passport</h2>
              <p class="soft">Yours for good, wherever your pod lives.</p>
              <fh-copy .value=${me.passport} .label=${"your passport number"} .groups=${groupsOf(me.passport)}></fh-copy>
            </article>`
          : nothing
      }
    </section>`;
  }

  #row(item: Item): TemplateResult {
    const inside = this.overview.entries.filter(
      ({ path }) => path !== item.path && path.startsWith(item.path),
    );
    const here = accessAt(item.path, this.overview).map(({ entry }) => entry);
    const shared = sharedWith(item.path, [...here, ...inside]);
    const about = item.isFolder
      ? (MEANING[item.name] ?? "Folder")
      : `${kindOf(item.contentType)}, ${sizeOf(item.bytes)}`;
    const place = item.path.split("/").slice(2).join("/");
    return html`<li><a class="row-link" href=${`#/data/${place}`}>
      <span class="tile">${icon(item.isFolder ? "folder" : item.contentType.startsWith("image/") ? "picture" : "file")}</span>
      <span class="row-words"><strong>${item.name}</strong><small>${about}</small></span>
      ${itemBadge(item, shared)}
      ${icon("next")}
    </a></li>`;
  }
}
customElements.define("fh-overview", OverviewRoom);
