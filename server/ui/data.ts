/** `<fh-data>`: the folders and files of the pod, to look at, take out, put in and take away. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { fieldsOf, given, Part, state } from "./element.ts";
import "./file.ts";
import { icon } from "./icons.ts";
import type { AccessEntry, Folder, Item } from "./model.ts";
import { refusalBox, tell, waiting } from "./notices.ts";
import { badge } from "./overview.ts";
import { podFetch } from "./pod-fetch.ts";
import { openShare } from "./share.ts";
import { agoOf, count, kindOf, sharedWith, sizeOf } from "./words.ts";

class Data extends Part {
  static override properties = {
    ...given("pod", "rest", "entries"),
    ...state("folder", "file", "refusal", "progress", "naming"),
  };
  declare pod: string;
  /** Path below the pod's root; a file when it does not end in a slash. */
  declare rest: string;
  declare entries: readonly AccessEntry[];
  declare folder: Folder | null;
  declare file: Item | null;
  declare refusal: Refusal | null;
  declare progress: string;
  declare naming: boolean;

  constructor() {
    super();
    this.rest = "";
    this.folder = null;
    this.file = null;
    this.refusal = null;
    this.progress = "";
    this.naming = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("rest") && !changed.has("pod")) return;
    this.refusal = null;
    void this.#load();
  }

  get #path(): string {
    return `/${this.pod}/${this.rest}`;
  }

  get #folderPath(): string {
    return this.#path.slice(0, this.#path.lastIndexOf("/") + 1);
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

  /** Never writes over what is there: a second file of the same name is refused. */
  async #upload(files: FileList | null): Promise<void> {
    const chosen = [...(files ?? [])];
    this.refusal = null;
    try {
      for (const [place, file] of chosen.entries()) {
        this.progress = `Putting in ${file.name} (${place + 1} of ${chosen.length}) …`;
        const content = { body: file, contentType: file.type || "application/octet-stream" };
        await podFetch("PUT", `${this.#folderPath}${encodeURIComponent(file.name)}`, content, {
          "if-none-match": "*",
        });
      }
      if (chosen.length > 0) tell(`${count(chosen.length, "file")} put in.`);
    } catch (error) {
      const refusal = toRefusal(error);
      this.refusal =
        refusal.code === "precondition-failed"
          ? toRefusal(
              new Error("There is a file of this name here already; rename yours, or delete that one first"),
            )
          : refusal;
    } finally {
      this.progress = "";
      this.#changed();
    }
  }

  async #makeFolder(event: SubmitEvent): Promise<void> {
    const name = (fieldsOf(event)["name"] ?? "").trim();
    if (!name) return;
    this.refusal = null;
    try {
      await podFetch(
        "PUT",
        `${this.#folderPath}${encodeURIComponent(name)}/`,
        { body: new Blob([]), contentType: "text/turtle" },
        { "if-none-match": "*" },
      );
      this.naming = false;
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.#changed();
    }
  }

  protected override render(): TemplateResult {
    const parts = this.rest.split("/").slice(0, -1);
    const isRoot = parts.length === 0;
    return html`
      ${
        isRoot
          ? nothing
          : html`<nav class="crumbs" aria-label="Where you are">
        <a href="#/data/" aria-current=${isRoot ? "page" : "false"}>Your pod</a>
        ${parts.map((part, place) => html`${icon("next")}<a href=${`#/data/${parts.slice(0, place + 1).join("/")}/`} aria-current=${place === parts.length - 1 ? "page" : "false"}>${decodeURIComponent(part)}</a>`)}
      </nav>`
      }
      <div class="head">
        <h1>${isRoot ? "Your data" : decodeURIComponent(parts.at(-1) ?? "")}</h1>
        <div class="row">
          ${isRoot ? html`<a class="button second" href="#/trash">${icon("trash")}Trash</a>` : nothing}
          <button class="second" @click=${() => openShare(this.#folderPath)}>${icon("people")}Share</button>
          <button class="second" @click=${() => (this.naming = true)}>${icon("plus")}New folder</button>
          <label class="button first">${icon("upload")}Put files in<input class="hidden" type="file" multiple @change=${(
            event: Event,
          ) => {
            const input = event.target as HTMLInputElement;
            void this.#upload(input.files).then(() => (input.value = ""));
          }} /></label>
        </div>
      </div>
      ${refusalBox(this.refusal)}
      ${this.progress ? waiting(this.progress) : nothing}
      ${
        this.naming
          ? html`<form class="inline panel" @submit=${(event: SubmitEvent) => this.#makeFolder(event)}>
              <label class="field"><span>Name of the new folder</span><input name="name" required maxlength="80" autofocus autocomplete="off" /></label>
              <div class="row"><button class="first">Make it</button><button type="button" class="second" @click=${() => (this.naming = false)}>Cancel</button></div>
            </form>`
          : nothing
      }
      ${this.folder ? this.#list(this.folder) : this.refusal ? nothing : waiting("Looking …")}
      <fh-file .item=${this.file} .shared=${this.file ? sharedWith(this.file.path, this.entries) : null} .up=${`#/data/${parts.map((part) => `${part}/`).join("")}`} @gone=${() => this.#changed()}></fh-file>
    `;
  }

  #list({ items, cut }: Folder): TemplateResult {
    if (items.length === 0) {
      return html`<div class="empty">${icon("folder")}<p><strong>Nothing in here yet.</strong><br />Put files in, or let an app do it for you.</p></div>`;
    }
    return html`<ul class="rows">${items.map((item) => this.#row(item))}</ul>
      ${cut ? html`<p class="soft">Only the first ${count(items.length, "entry", "entries")} are shown here; your apps see all of them.</p>` : nothing}`;
  }

  #row(item: Item): TemplateResult {
    const place = item.path.split("/").slice(2).join("/");
    const about = item.isFolder
      ? `Folder, changed ${agoOf(item.modified)}`
      : `${kindOf(item.contentType)}, ${sizeOf(item.bytes)}, changed ${agoOf(item.modified)}`;
    return html`<li><a class="row-link" href=${`#/data/${place}`}>
      <span class="tile">${icon(item.isFolder ? "folder" : item.contentType.startsWith("image/") ? "picture" : "file")}</span>
      <span class="row-words"><strong>${item.name}</strong><small>${about}</small></span>
      ${badge(sharedWith(item.path, this.entries))}
      ${icon("next")}
    </a></li>`;
  }
}
customElements.define("fh-data", Data);
