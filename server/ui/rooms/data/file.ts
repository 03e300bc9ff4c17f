/** `<fh-file>`: one file in a dialog. What it is, what is in it, and taking it out or away. */
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../../parts/ask.ts";
import { badge } from "../../parts/badge.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Item } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { podFetch, saveAs } from "../../parts/pod-fetch.ts";
import { openShare } from "../../parts/share.ts";
import { restoreLatest } from "./trash.ts";
import "./versions.ts";
import { dayOf, kindOf, placeOf, type sharedWith, sizeOf } from "../../parts/words.ts";

const TEXT_BYTES_MAX = 256 * 1024; // More than anybody reads in a dialog.
const PICTURE_BYTES_MAX = 8 * 1024 * 1024;
const PICTURES = /^image\/(png|jpeg|gif|webp|avif)$/; // Not those that can hold scripts.
const TEXTS = /^text\/|json|xml|^application\/(n-triples|n-quads|trig|sparql)/;

type Preview =
  | { readonly kind: "picture"; readonly url: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none"; readonly why: string };

function dataUrlOf(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === "string" ? reader.result : "");
    reader.onerror = () => reject(reader.error ?? new Error("The file cannot be read"));
    reader.readAsDataURL(content);
  });
}

async function previewOf({ path, contentType, bytes }: Item): Promise<Preview> {
  const type = contentType.split(";")[0]?.trim() ?? "";
  if (PICTURES.test(type) && bytes <= PICTURE_BYTES_MAX) {
    const content = await (await podFetch("GET", path)).blob();
    return { kind: "picture", url: await dataUrlOf(new Blob([content], { type })) };
  }
  if (TEXTS.test(type) && bytes <= TEXT_BYTES_MAX)
    return { kind: "text", text: await (await podFetch("GET", path)).text() };
  return {
    kind: "none",
    why: bytes > TEXT_BYTES_MAX ? "It is too large to show here." : "It cannot be shown here.",
  };
}

class FileDialog extends Part {
  static override properties = {
    ...given("item", "shared", "up"),
    ...state("preview", "busy", "sure", "refusal"),
  };
  declare item: Item | null;
  declare shared: ReturnType<typeof sharedWith> | null;
  /** Where closing leads. */
  declare up: string;
  declare preview: Preview | null;
  declare busy: "" | "download" | "delete";
  declare sure: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.item = null;
    this.shared = null;
    this.up = "#/data/";
    this.preview = null;
    this.busy = "";
    this.sure = false;
    this.refusal = null;
  }

  protected override updated(changed: Map<string, unknown>): void {
    const former = changed.get("item") as Item | null | undefined;
    if (!changed.has("item") || former?.path === this.item?.path) return;
    const dialog = this.querySelector("dialog");
    this.preview = null;
    this.refusal = null;
    this.sure = false;
    if (!this.item) return dialog?.close();
    if (!dialog?.open) dialog?.showModal();
    const { path } = this.item;
    previewOf(this.item).then(
      (preview) => this.item?.path === path && (this.preview = preview),
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  async #run(kind: "download" | "delete", work: (item: Item) => Promise<void>): Promise<void> {
    if (!this.item) return;
    this.busy = kind;
    this.refusal = null;
    try {
      await work(this.item);
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  async #download({ path, name }: Item): Promise<void> {
    saveAs(await (await podFetch("GET", path)).blob(), name);
  }

  async #delete({ path, name }: Item): Promise<void> {
    await podFetch("DELETE", path);
    location.hash = this.up;
    tell(`${name} is in the trash, for 30 days.`, async () => {
      await restoreLatest(path);
      this.dispatchEvent(new CustomEvent("gone"));
    });
    this.dispatchEvent(new CustomEvent("gone"));
  }

  protected override render(): TemplateResult {
    const { item, shared } = this;
    return html`<dialog class="wide-dialog" aria-labelledby="file-title" @close=${() => this.item && ((location.hash = this.up))}>
      ${
        item
          ? html`
            <div class="dialog-head"><h2 id="file-title">${item.name}</h2>
              <button class="icon-only" aria-label="Close" @click=${() => (location.hash = this.up)}>${icon("close")}</button></div>
            <p class="soft">${kindOf(item.contentType)} · ${sizeOf(item.bytes)} · changed ${dayOf(item.modified)} · ${placeOf(item.path.slice(0, item.path.lastIndexOf("/") + 1))}</p>
            ${shared ? html`<p>${badge(shared)}</p>` : nothing}
            ${refusalBox(this.refusal)}
            ${this.#preview(item)}
            <fh-versions .item=${item}></fh-versions>
            ${this.sure ? this.#question(item) : this.#actions(item)}`
          : nothing
      }
    </dialog>`;
  }

  #preview(item: Item): TemplateResult | typeof nothing {
    const { preview } = this;
    if (!preview) return this.refusal ? nothing : waiting("Opening …");
    if (preview.kind === "picture") return html`<img class="preview" src=${preview.url} alt=${item.name} />`;
    if (preview.kind === "none") return html`<p class="empty">${preview.why}</p>`;
    const text = html`<pre class="preview" tabindex="0">${preview.text}</pre>`;
    return kindOf(item.contentType) === "Record"
      ? html`<details><summary>A record made by an app; show it as it is stored</summary>${text}</details>`
      : text;
  }

  #actions(item: Item): TemplateResult {
    return html`<div class="row end">
      <button class="quiet bad" @click=${() => (this.sure = true)}>${icon("trash")}Delete</button>
      <button class="second" @click=${() => openShare(item.path)}>${icon("people")}Share</button>
      <button class="first" ?disabled=${this.busy !== ""} @click=${() => this.#run("download", (file) => this.#download(file))}>
        ${busyWords(this.busy === "download", html`${icon("download")}Download`, "Fetching …")}</button>
    </div>`;
  }

  #question({ name }: Item): TemplateResult {
    return html`<div class="notice bad"><div><strong>Delete ${name}?</strong> You can bring it back from the trash for 30 days.
      <div class="row"><button class="second" @click=${() => (this.sure = false)}>Keep it</button>
      <button class="second bad" ?disabled=${this.busy !== ""} @click=${() => this.#run("delete", (file) => this.#delete(file))}>${busyWords(this.busy === "delete", "Delete it", "Deleting …")}</button></div></div></div>`;
  }
}
customElements.define("fh-file", FileDialog);
