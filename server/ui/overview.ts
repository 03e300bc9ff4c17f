/** `<fh-overview>`: the first room. How many can see your data, what there is, and what to do next. */
import { html, nothing, type TemplateResult } from "lit";
import "./copy.ts";
import { given, Part } from "./element.ts";
import { type IconName, icon } from "./icons.ts";
import type { Item, Me, Overview } from "./model.ts";
import { scene } from "./scene.ts";
import { openShare } from "./share.ts";
import "./storage.ts";
import { count, groupsOf, kindOf, sharedWith, sizeOf } from "./words.ts";

const REMINDER_MS = 180 * 86_400_000; // Twice a year is often enough to look whether a file is still there.

/** Whether to ask about the recovery file. */
function wantsReminder(me: Me, now: number = Date.now()): boolean {
  return me.passport !== null && (me.recoverySaved === null || now - me.recoverySaved > REMINDER_MS);
}

export function badge({ label, level }: ReturnType<typeof sharedWith>): TemplateResult {
  const picture: IconName = level === "private" ? "lock" : level === "all" ? "globe" : "people";
  return html`<span class="badge ${level}">${icon(picture)}${label}</span>`;
}

const MEANING: Readonly<Record<string, string>> = {
  inbox: "What others leave for you",
  profile: "Your public card",
  settings: "What your apps remember about your pod",
};

class OverviewRoom extends Part {
  static override properties = given("me", "overview", "welcome");
  declare me: Me;
  declare overview: Overview;
  declare welcome: boolean;

  protected override render(): TemplateResult {
    const { me, overview } = this;
    const open = overview.entries.filter(({ card }) => !card);
    const isOpen = overview.people > 0 || overview.isPublic || open.length > 0;
    return html`
      ${this.welcome ? html`<div class="notice good" role="status">${icon("check")}<div><strong>Your pod is ready, ${me.name}.</strong> Everything in it is closed to others until you share it.</div></div>` : nothing}
      <section class="hero ${isOpen ? "open" : ""}">
        <div class="hero-words">
          <h1><b>${overview.people}</b> ${overview.people === 1 ? "person" : "people"} can see your data</h1>
          <p>${this.#sentence(open.length)}</p>
          <div class="row">
            <a class="button second" href="#/access">${icon("eye")}Who can see what</a>
            <button class="first" @click=${() => openShare()}>${icon("plus")}Share something</button>
          </div>
        </div>
        ${scene(isOpen)}
      </section>
      ${wantsReminder(me) ? this.#reminder() : nothing}
      <section>
        <div class="head"><h2>In your pod</h2><p class="soft">${count(overview.resources, "file or folder", "files and folders")}, ${sizeOf(overview.bytes)}</p></div>
        <ul class="rows">${overview.items.map((item) => this.#row(item))}</ul>
      </section>
      <fh-storage></fh-storage>
      <section class="two">
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
      </section>
    `;
  }

  #sentence(shared: number): TemplateResult {
    if (this.overview.isPublic)
      return html`<strong class="warn">Some of it is open to everyone on the web.</strong> Look whether you mean it to be.`;
    if (this.overview.people === 0 && shared === 0)
      return html`Only your card is public: your name, your address, and where to find you.`;
    return html`You have shared ${count(new Set(this.overview.entries.filter(({ card }) => !card).map(({ path }) => path)).size, "place")}. You can take it back at any time.`;
  }

  #reminder(): TemplateResult {
    const words =
      this.me.recoverySaved === null
        ? "You have not said yet that your recovery file is safe."
        : "It is half a year since you looked after your recovery file.";
    return html`<div class="notice">${icon("key")}<div><strong>Where is your recovery file?</strong> ${words} <a href="#/you">Check it now</a></div></div>`;
  }

  #row(item: Item): TemplateResult {
    const shared = sharedWith(item.path, this.overview.entries);
    const about = item.isFolder
      ? (MEANING[item.name] ?? "Folder")
      : `${kindOf(item.contentType)}, ${sizeOf(item.bytes)}`;
    const place = item.path.split("/").slice(2).join("/");
    return html`<li><a class="row-link" href=${`#/data/${place}`}>
      <span class="tile">${icon(item.isFolder ? "folder" : item.contentType.startsWith("image/") ? "picture" : "file")}</span>
      <span class="row-words"><strong>${item.name}</strong><small>${about}</small></span>
      ${item.name === "profile" && shared.level === "private" ? html`<span class="badge some">${icon("card")}Card is public</span>` : badge(shared)}
      ${icon("next")}
    </a></li>`;
  }
}
customElements.define("fh-overview", OverviewRoom);
