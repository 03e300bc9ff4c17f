/** `<fh-raw>`: a document as it is stored: the developer's corner, and the one place with their words. */
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, refusalOf, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { sizeOf } from "../../parts/words.ts";
import { nameOfPath, type OwnPod, type Place } from "./place.ts";

const SHOWN_MAX = 512 * 1024; // More than a browser shows without stopping.
const EDITED_MAX = 64 * 1024;
const TEXTS = /^text\/|json|xml|n-triples|n-quads|trig|sparql/;

interface Stored {
  readonly text: string;
  readonly contentType: string;
  readonly etag: string | null;
  readonly bytes: number;
}

class Raw extends Part {
  static override properties = {
    ...given("pod", "place"),
    ...state("stored", "draft", "busy", "refusal", "isCopied"),
  };
  declare pod: OwnPod;
  declare place: Place;
  declare stored: Stored | null;
  /** Null while nobody edits. */
  declare draft: string | null;
  declare busy: boolean;
  declare refusal: Refusal | null;
  declare isCopied: boolean;

  constructor() {
    super();
    this.#forget();
  }

  #forget(): void {
    Object.assign(this, { stored: null, draft: null, busy: false, refusal: null, isCopied: false });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place")) void this.#load();
  }

  async #load(): Promise<void> {
    const { place } = this;
    this.#forget();
    try {
      const response = await this.pod.fetch(this.pod.at(place.path), { headers: { accept: "*/*" } });
      if (!response.ok) throw await refusalOf(response);
      const contentType = response.headers.get("content-type") ?? "";
      const bytes = Number(response.headers.get("content-length") ?? 0);
      const isShown = TEXTS.test(contentType) && bytes <= SHOWN_MAX;
      const text = isShown ? await response.text() : "";
      if (!isShown) await response.body?.cancel();
      if (place === this.place)
        this.stored = { text, contentType, etag: response.headers.get("etag"), bytes: bytes || text.length };
    } catch (error) {
      if (place === this.place) this.refusal = toRefusal(error);
    }
  }

  async #save({ contentType, etag }: Stored, draft: string): Promise<void> {
    this.busy = true;
    this.refusal = null;
    try {
      const response = await this.pod.fetch(this.pod.at(this.place.path), {
        method: "PUT",
        headers: { "content-type": contentType, ...(etag === null ? {} : { "if-match": etag }) },
        body: draft,
      });
      if (!response.ok) throw await refusalOf(response);
      await this.#load();
      tell("Saved. What was there before is among the earlier versions.");
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    } catch (error) {
      this.refusal = toRefusal(error); // What was typed stays.
    } finally {
      this.busy = false;
    }
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.isCopied = true;
    } catch {
      const shown = this.querySelector("pre");
      if (shown) getSelection()?.selectAllChildren(shown); // Ready for the keyboard, at least.
    }
  }

  protected override render(): TemplateResult {
    const { stored, draft, refusal } = this;
    const faults = refusal?.faults.map(({ at, detail }) => `${at ? `${at}: ` : ""}${detail}`) ?? [];
    return html`${refusalBox(refusal)}
      ${faults.length > 0 ? html`<ul class="fault">${faults.map((fault) => html`<li>${fault}</li>`)}</ul>` : nothing}
      ${!stored ? (refusal ? nothing : waiting("Opening …")) : draft === null ? this.#shown(stored) : this.#editing(stored, draft)}`;
  }

  #shown(stored: Stored): TemplateResult {
    const { text, contentType, bytes } = stored;
    const canEdit = !this.place.isFolder && text !== "" && bytes <= EDITED_MAX;
    return html`<div class="head"><p class="soft">For people who build apps: the very text that is stored. ${contentType}, ${sizeOf(bytes)}.</p>
      ${
        text === ""
          ? nothing
          : html`<div class="row"><button class="second" @click=${() => this.#copy(text)}>${icon(this.isCopied ? "check" : "copy")}<span aria-live="polite">${this.isCopied ? "Copied" : "Copy"}</span></button>
            ${canEdit ? html`<button class="second" @click=${() => (this.draft = text)}>Edit</button>` : nothing}</div>`
      }</div>
      ${text === "" ? html`<p class="empty">This is no text, or too long to show.</p>` : html`<pre class="preview stored" tabindex="0" role="region" aria-label=${`Text of ${nameOfPath(this.place.path) || "your pod"}`}>${text}</pre>`}`;
  }

  #editing(stored: Stored, draft: string): TemplateResult {
    return html`<form class="stack" @submit=${(event: SubmitEvent) => {
      event.preventDefault();
      void this.#save(stored, this.draft ?? "");
    }}>
      <label class="field"><span>The text</span><textarea class="stored" rows="18" spellcheck="false" .value=${draft} @input=${(event: InputEvent) => (this.draft = (event.target as HTMLTextAreaElement).value)}></textarea></label>
      <div class="row end"><button type="button" class="second" @click=${() => (this.draft = null)}>Cancel</button>
        <button class="first" ?disabled=${this.busy}>${busyWords(this.busy, "Save", "Saving …")}</button></div>
    </form>`;
  }
}
customElements.define("fh-raw", Raw);
