/** `<fh-data>`: all that is in the pod: its folders and files, and what they say. */
import "@freehold/client/elements/files";
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { itemBadge } from "../../parts/badge.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import "./file.ts";
import { icon } from "../../parts/icons.ts";
import type { Folder, Item, Me, Overview } from "../../parts/model.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import { ownFetch } from "../../parts/pod-fetch.ts";
import { openShare } from "../../parts/share.ts";
import { agoOf, count, kindOf, sharedWith, sizeOf, spokenName } from "../../parts/words.ts";
import { hrefOf, nameOfPath, type OwnPod, ownPod, type Place, parsePlace } from "./place.ts";
import { tabs } from "./tabs.ts";

class Data extends Part {
  static override properties = {
    ...given("me", "rest", "overview"),
    ...state("folder", "file", "refusal", "isReady"),
  };
  declare me: Me;
  /** Path below the pod's root, and how it is looked at. */
  declare rest: string;
  declare overview: Overview;
  declare folder: Folder | null;
  declare file: Item | null;
  declare refusal: Refusal | null;
  /** Whether the code of the other ways to look is here. */
  declare isReady: boolean;
  #place: Place = parsePlace("");
  #pod: OwnPod | null = null;

  constructor() {
    super();
    this.rest = "";
    this.folder = null;
    this.file = null;
    this.refusal = null;
    this.isReady = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("me") as Me | undefined;
    if (!changed.has("rest") && (!changed.has("me") || before?.pod === this.me.pod)) return;
    this.#place = parsePlace(this.rest);
    this.#pod = ownPod(this.me.pod);
    this.refusal = null;
    this.file = null;
    void (this.#place.view === "files" ? this.#load() : this.#prepare());
  }

  get #path(): string {
    return `/${this.me.pod}/${this.#place.path}`;
  }

  get #folderPath(): string {
    return this.#path.slice(0, this.#path.lastIndexOf("/") + 1);
  }

  async #prepare(): Promise<void> {
    if (this.isReady) return;
    try {
      await import("./strand.ts");
      this.isReady = true;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #load(): Promise<void> {
    const path = this.#path;
    if (this.folder?.path !== this.#folderPath) this.folder = null;
    try {
      const folder = await ask<Folder>(
        "GET",
        `/.account/folder?path=${encodeURIComponent(this.#folderPath)}`,
      );
      if (path !== this.#path) return; // Somebody has gone on meanwhile.
      this.folder = folder;
      this.file = folder.items.find((item) => item.path === path) ?? null;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  #changed(): void {
    void this.#load();
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  #search(event: SubmitEvent): void {
    const text = (fieldsOf(event)["text"] ?? "").trim();
    const path = this.#place.path.slice(0, this.#place.path.lastIndexOf("/") + 1);
    location.hash = text === "" ? hrefOf(path, "files") : hrefOf(path, "search", { text });
  }

  protected override render(): TemplateResult {
    const place = this.#place;
    const isFiles = place.view === "files";
    const isOfFile = !isFiles && !place.isFolder;
    const parts = place.path.split("/").slice(0, -1);
    const isRoot = parts.length === 0;
    const up = `#/data/${parts.map((part) => `${part}/`).join("")}`;
    const shared = isOfFile
      ? place
      : { ...place, path: parts.map((part) => `${part}/`).join(""), isFolder: true };
    return html`
      ${isRoot && !isOfFile ? nothing : this.#crumbs(parts, isOfFile)}
      <div class="head">
        <h1>${isOfFile ? spokenName(nameOfPath(place.path)).replace(/\.(?:ttl|jsonld)$/, "") : isRoot ? "Your data" : nameOfPath(parts.at(-1) ?? "")}</h1>
        <div class="row">
          ${isRoot ? html`<a class="button second" href="#/trash">${icon("trash")}Trash</a>` : nothing}
          <button class="second" @click=${() => openShare(isOfFile ? this.#path : this.#folderPath)}>${icon("people")}Share</button>
        </div>
      </div>
      <form class="look" role="search" aria-label="In all that is here" @submit=${(event: SubmitEvent) => this.#search(event)}>
        <input name="text" type="search" aria-label=${isRoot ? "Look for words in your pod" : "Look for words in this folder"} placeholder="Look for …" autocomplete="off" .value=${place.words.get("text") ?? ""} />
        <button class="second">${icon("search")}<span class="hidden">Look</span></button>
      </form>
      ${tabs(shared)}
      ${refusalBox(this.refusal)}
      ${isFiles ? this.#files() : this.isReady ? html`<fh-strand .pod=${this.#pod} .place=${place}></fh-strand>` : this.refusal ? nothing : waiting("Opening …")}
      <fh-file .item=${this.file} .shared=${this.file ? sharedWith(this.file.path, this.overview.entries) : null} .up=${up} @gone=${() => this.#changed()}></fh-file>
    `;
  }

  #crumbs(parts: readonly string[], isOfFile: boolean): TemplateResult {
    return html`<nav class="crumbs" aria-label="Where you are">
      <a href="#/data/">Your pod</a>
      ${parts.map((part, place) => html`${icon("next")}<a href=${`#/data/${parts.slice(0, place + 1).join("/")}/`} aria-current=${!isOfFile && place === parts.length - 1 ? "page" : "false"}>${nameOfPath(part)}</a>`)}
    </nav>`;
  }

  #files(): TemplateResult | typeof nothing {
    const { folder } = this;
    if (!folder) return this.refusal ? nothing : waiting("Looking …");
    return html`<freehold-files light .fetch=${ownFetch} .folder=${this.#folderPath} .items=${folder.items.map((item) => ({ ...item, name: spokenName(item.name) }))}
        .linkOf=${(item: Item) => this.#hrefOf(item)} .aboutOf=${(item: Item) => aboutOf(item)}
        .badgeOf=${(item: Item) => itemBadge(item, sharedWith(item.path, this.overview.entries))}
        @changed=${(event: Event) => {
          event.stopPropagation(); // What the room tells has no details.
          this.#changed();
        }}
        @added=${({ detail }: CustomEvent<{ names: readonly string[] }>) => tell(`${count(detail.names.length, "file")} put in.`)}></freehold-files>
      ${folder.cut ? html`<p class="soft">Only the first ${count(folder.items.length, "entry", "entries")} are shown here; your apps see all of them.</p>` : nothing}`;
  }

  /** A record is opened by what it says; all else by what it is. */
  #hrefOf({ path, isFolder, contentType }: Item): string {
    const place = path.split("/").slice(2).join("/");
    return hrefOf(place, !isFolder && kindOf(contentType) === "Record" ? "table" : "files");
  }
}

function aboutOf({ isFolder, contentType, bytes, modified }: Item): string {
  return isFolder
    ? `Folder, changed ${agoOf(modified)}`
    : `${kindOf(contentType)}, ${sizeOf(bytes)}, changed ${agoOf(modified)}`;
}

customElements.define("fh-data", Data);
