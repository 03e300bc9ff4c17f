/** `<fh-share>`: the dialog that gives somebody access, and says in one sentence what that will mean. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { AccessEntry, Item, Mode } from "./model.ts";
import { busyWords, faultOf, refusalBox, tell } from "./notices.ts";
import { hostOf, placeOf, scopeOf, verbsOf } from "./words.ts";

const LEVELS: readonly (readonly [name: string, title: string, modes: readonly Mode[]])[] = [
  ["see", "See it", ["read"]],
  ["add", "See it, and add to it", ["read", "append"]],
  ["change", "See it, add to it and change it", ["read", "write"]],
];

class Share extends Part {
  static override properties = {
    ...given("entries", "items", "pod"),
    ...state("path", "kind", "address", "level", "busy", "refusal"),
  };
  declare entries: readonly AccessEntry[];
  /** What there is to choose from, when the place is not given. */
  declare items: readonly Item[];
  declare pod: string;
  declare path: string;
  declare kind: "person" | "public";
  declare address: string;
  declare level: string;
  declare busy: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    Object.assign(this, {
      entries: [],
      items: [],
      pod: "",
      path: "",
      kind: "person",
      address: "",
      level: "see",
      busy: false,
      refusal: null,
    });
  }

  open(path: string | null): void {
    Object.assign(this, {
      path: path ?? "",
      kind: "person",
      address: "",
      level: "see",
      refusal: null,
    });
    void this.updateComplete.then(() => this.querySelector("dialog")?.showModal());
  }

  #close(): void {
    this.querySelector("dialog")?.close();
  }

  get #modes(): readonly Mode[] {
    if (this.kind === "public") return ["read"]; // Letting the whole web write is not a slip that a page should offer.
    return LEVELS.find(([name]) => name === this.level)?.[2] ?? ["read"];
  }

  #subject(): string {
    if (this.kind === "public") return "Everyone on the web";
    return URL.canParse(this.address) ? `Whoever has this address at ${hostOf(this.address)}` : "The person";
  }

  async #share(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.busy = true;
    this.refusal = null;
    const who = { kind: this.kind, iri: this.kind === "person" ? this.address.trim() : null };
    try {
      const { undo } = await ask<{ undo: string }>("POST", "/.account/access/grant", {
        path: this.path,
        who,
        modes: this.#modes,
      });
      this.#close();
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      tell(`Shared: ${placeOf(this.path)}.`, async () => {
        await ask("POST", "/.account/access/undo", { undo });
        this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      });
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    const isListed = this.items.some(({ path }) => path === this.path);
    const isFolder = this.path.endsWith("/");
    return html`<dialog aria-labelledby="share-title">
      <form class="stack" @submit=${(event: SubmitEvent) => this.#share(event)}>
        <div class="dialog-head"><h2 id="share-title">Share something</h2>
          <button type="button" class="icon-only" aria-label="Close" @click=${() => this.#close()}>${icon("close")}</button></div>
        ${refusalBox(this.refusal)}
        <label class="field"><span>What</span>
          <select name="path" required .value=${this.path} @change=${(event: Event) => (this.path = (event.target as HTMLSelectElement).value)}>
            <option value="" ?selected=${this.path === ""}>Choose …</option>
            ${isListed || this.path === "" ? nothing : html`<option value=${this.path} selected>${placeOf(this.path)}</option>`}
            ${this.items.map(({ path, name, isFolder }) => html`<option value=${path} ?selected=${path === this.path}>${name}${isFolder ? " (folder)" : ""}</option>`)}
          </select></label>
        <fieldset class="choices">
          <legend>With whom</legend>
          ${this.#who("person", "A person", "Somebody whose address you know.", "person")}
          ${this.#who("public", "Everyone", "The whole web, without signing in. Search engines too.", "globe")}
        </fieldset>
        ${
          this.kind === "person"
            ? html`<label class="field"><span>Their address</span>
                <input name="address" type="url" required autocomplete="off" spellcheck="false" placeholder="https://…" .value=${this.address}
                  @input=${(event: InputEvent) => (this.address = (event.target as HTMLInputElement).value)} />
                <small>They find it on the first page of their own pod, and can send it to you.</small>
                ${faultOf(this.refusal, "who")}</label>
              <label class="field"><span>They may</span>
                <select name="level" @change=${(event: Event) => (this.level = (event.target as HTMLSelectElement).value)}>
                  ${LEVELS.map(([name, title]) => html`<option value=${name} ?selected=${name === this.level}>${title}</option>`)}
                </select></label>`
            : nothing
        }
        ${this.path === "" ? nothing : html`<p class="summary ${this.kind === "public" ? "warn" : ""}" aria-live="polite">${this.#subject()} will be able to ${verbsOf(this.#modes)} <strong>${scopeOf({ path: this.path, inherited: isFolder })}</strong>.</p>`}
        <div class="pair">
          <button type="button" class="second" @click=${() => this.#close()}>Not now</button>
          <button class="first" ?disabled=${this.busy}>${busyWords(this.busy, "Share", "Sharing …")}</button>
        </div>
      </form>
    </dialog>`;
  }

  #who(kind: "person" | "public", title: string, about: string, picture: "person" | "globe"): TemplateResult {
    return html`<label class="choice"><input type="radio" name="kind" .checked=${this.kind === kind} @change=${() => (this.kind = kind)} />${icon(picture)}
      <span><strong>${title}</strong><small>${about}</small></span></label>`;
  }
}
customElements.define("fh-share", Share);

/** @param path What to share; the dialog offers the folders of the pod without it. */
export function openShare(path: string | null = null): void {
  document.querySelector<Share>("fh-share")?.open(path);
}
