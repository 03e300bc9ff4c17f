/**
 * `<freehold-files>`: what is in a folder, to be opened and added to.
 * ```html
 * <freehold-files folder="https://pod.example/ana/photos/"></freehold-files>
 * ```
 */
import { html, nothing, type TemplateResult } from "lit";
import { errorOf, FreeholdError } from "../errors.ts";
import { drawing } from "./drawings.ts";
import { FreeholdElement, refusalNotice, waitingLine } from "./element.ts";
import type { Listed } from "./listing.ts";

export type { Listed } from "./listing.ts";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

function aboutOf({ isFolder, bytes, modified }: Listed): string {
  const size =
    bytes < 1_000
      ? `${bytes} bytes`
      : bytes < 1e6
        ? `${number.format(bytes / 1e3)} kB`
        : `${number.format(bytes / 1e6)} MB`;
  return `${isFolder ? "Folder" : size}${modified > 0 ? `, changed ${day.format(modified)}` : ""}`;
}

export class FreeholdFiles<Item extends Listed = Listed> extends FreeholdElement {
  static override properties = {
    folder: { type: String },
    isReadOnly: { type: Boolean, attribute: "read-only" },
    fetch: { attribute: false },
    items: { attribute: false },
    linkOf: { attribute: false },
    aboutOf: { attribute: false },
    badgeOf: { attribute: false },
    found: { state: true },
    refusal: { state: true },
    progress: { state: true },
    isNaming: { state: true },
  };
  /** Address of the folder; ends in `/`. */
  declare folder: string;
  declare isReadOnly: boolean;
  /** What is in it, for who knows already; otherwise the folder is asked. */
  declare items: readonly Item[] | null;
  /** Where a click on an item leads; without it, `open` is told. */
  declare linkOf: ((item: Item) => string) | null;
  /** The words below an item's name. */
  declare aboutOf: (item: Item) => string;
  /** What stands at the end of an item's row. */
  declare badgeOf: ((item: Item) => TemplateResult) | null;
  declare found: readonly Listed[] | null;
  declare refusal: FreeholdError | null;
  declare progress: string;
  declare isNaming: boolean;

  constructor() {
    super();
    Object.assign(this, {
      folder: "",
      isReadOnly: false,
      items: null,
      linkOf: null,
      aboutOf,
      badgeOf: null,
      found: null,
      refusal: null,
      progress: "",
      isNaming: false,
    });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("folder")) {
      this.found = null;
      this.refusal = null;
      this.isNaming = false;
    }
    if (this.folder !== "" && this.items === null && (changed.has("folder") || changed.has("fetch")))
      void this.load();
  }

  get #address(): string {
    return new URL(this.folder, location.href).href;
  }

  /** Asks the folder again. */
  async load(): Promise<void> {
    const address = this.#address;
    try {
      const { listFolder } = await import("./listing.ts");
      const found = await listFolder(this.fetch, address);
      if (address === this.#address) this.found = found;
    } catch (error) {
      this.refusal = this.refuse(error);
    }
  }

  #changed(): void {
    this.tell("changed", { folder: this.#address });
    if (this.items === null) void this.load();
  }

  /** @throws FreeholdError */
  async #put(address: string, body: Blob, contentType: string): Promise<void> {
    const response = await this.fetch(address, {
      method: "PUT",
      headers: { "content-type": contentType, "if-none-match": "*" }, // Never over what is there.
      body,
    });
    if (!response.ok) throw await errorOf(response);
  }

  async #upload(input: HTMLInputElement): Promise<void> {
    const chosen = [...(input.files ?? [])];
    const folder = this.#address;
    const names: string[] = [];
    this.refusal = null;
    try {
      for (const [place, file] of chosen.entries()) {
        this.progress = `Putting in ${file.name} (${place + 1} of ${chosen.length}) …`;
        const type = file.type || "application/octet-stream";
        await this.#put(`${folder}${encodeURIComponent(file.name)}`, file, type);
        names.push(file.name);
      }
    } catch (error) {
      this.refusal = this.#refusalOf(error, "file");
    } finally {
      this.progress = "";
      input.value = "";
      if (names.length > 0) this.tell("added", { folder, names });
      this.#changed();
    }
  }

  async #makeFolder(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = (form.elements.namedItem("name") as HTMLInputElement).value.trim();
    if (name === "") return;
    this.refusal = null;
    try {
      await this.#put(`${this.#address}${encodeURIComponent(name)}/`, new Blob([]), "text/turtle");
      this.isNaming = false;
    } catch (error) {
      this.refusal = this.#refusalOf(error, "folder");
    } finally {
      this.#changed();
    }
  }

  #refusalOf(error: unknown, what: string): FreeholdError {
    const refusal = this.refuse(error);
    if (refusal.status !== 412) return refusal;
    return new FreeholdError(refusal.code, `There is a ${what} of this name here already`, {
      next: "Rename yours, or delete that one first.",
    });
  }

  #open(event: Event, item: Item): void {
    if (this.linkOf) return;
    event.preventDefault();
    this.tell("open", item);
  }

  protected override render(): TemplateResult {
    const items = this.items ?? (this.found as readonly Item[] | null);
    return html`<div class="stack" part="files">
      ${this.isReadOnly ? nothing : this.#tools()}
      ${refusalNotice(this.refusal)}
      ${this.progress ? waitingLine(this.progress) : nothing}
      ${this.isNaming ? this.#naming() : nothing}
      ${items ? this.#list(items) : this.refusal ? nothing : waitingLine("Looking …")}
    </div>`;
  }

  #tools(): TemplateResult {
    return html`<div class="row end" part="tools">
      <button class="second" part="new-folder" @click=${() => (this.isNaming = true)}>${drawing("plus")}New folder</button>
      <label class="button first" part="upload">${drawing("upload")}Put files in<input class="hidden" type="file" multiple @change=${(event: Event) => this.#upload(event.target as HTMLInputElement)} /></label>
    </div>`;
  }

  #naming(): TemplateResult {
    return html`<form class="inline panel" part="naming" @submit=${(event: SubmitEvent) => this.#makeFolder(event)}>
      <label class="field"><span>Name of the new folder</span><input name="name" required maxlength="80" autofocus autocomplete="off" /></label>
      <div class="row"><button class="first">Make it</button><button type="button" class="second" @click=${() => (this.isNaming = false)}>Cancel</button></div>
    </form>`;
  }

  #list(items: readonly Item[]): TemplateResult {
    if (items.length === 0)
      return html`<div class="empty" part="empty">${drawing("folder")}<p><strong>Nothing in here yet.</strong><br />${this.isReadOnly ? nothing : "Put files in, or let an app do it for you."}</p></div>`;
    return html`<ul class="rows" part="list">${items.map(
      (
        item,
      ) => html`<li><a class="row-link" part="item" href=${this.linkOf?.(item) ?? item.path} @click=${(event: Event) => this.#open(event, item)}>
        <span class="tile">${drawing(item.isFolder ? "folder" : item.contentType.startsWith("image/") ? "picture" : "file")}</span>
        <span class="row-words"><strong>${item.name}</strong><small>${this.aboutOf(item)}</small></span>
        ${this.badgeOf?.(item) ?? nothing}
        ${drawing("next")}
      </a></li>`,
    )}</ul>`;
  }
}
customElements.define("freehold-files", FreeholdFiles);
