/**
 * `<freehold-share>`: gives somebody access, and says in one sentence what that will mean.
 * ```html
 * <freehold-share address="https://pod.example/ana/photos/" name="photos"></freehold-share>
 * ```
 */
import { html, nothing, type TemplateResult } from "lit";
import type { FreeholdError } from "../errors.ts";
import { drawing } from "./drawings.ts";
import { FreeholdElement, refusalNotice } from "./element.ts";

/** What is to be given. */
export interface Wish {
  /** Of the document or folder. */
  readonly address: string;
  /** A person's address, or `public`. */
  readonly to: string;
  readonly modes: readonly ("read" | "append" | "write")[];
}

/** Takes back what was given. */
export type Undo = () => Promise<void>;

/** Something that can be shared. */
export interface Place {
  readonly address: string;
  readonly name: string;
  readonly isFolder: boolean;
}

interface Level {
  readonly name: string;
  readonly title: string;
  /** Between `will be able to` and the place. */
  readonly verbs: string;
  readonly modes: Wish["modes"];
}

const LEVELS: readonly [Level, ...Level[]] = [
  { name: "see", title: "See it", verbs: "see", modes: ["read"] },
  { name: "add", title: "See it, and add to it", verbs: "see and add to", modes: ["read", "append"] },
  {
    name: "change",
    title: "See it, add to it and change it",
    verbs: "see, add to and change",
    modes: ["read", "write"],
  },
];

export class FreeholdShare extends FreeholdElement {
  static override properties = {
    address: { type: String },
    name: { type: String },
    places: { attribute: false },
    give: { attribute: false },
    fetch: { attribute: false },
    kind: { state: true },
    person: { state: true },
    level: { state: true },
    busy: { state: true },
    refusal: { state: true },
  };
  /** Of what is shared. */
  declare address: string;
  /** What it is called; the last part of its address, unless said. */
  declare name: string;
  /** What there is to choose from; no choice is offered without. */
  declare places: readonly Place[];
  /** Gives it in another way than by access lists. @returns what takes it back, if anything does. */
  declare give: ((wish: Wish) => Promise<Undo | null>) | null;
  declare kind: "person" | "public";
  declare person: string;
  declare level: string;
  declare busy: boolean;
  declare refusal: FreeholdError | null;

  constructor() {
    super();
    Object.assign(this, { address: "", name: "", places: [], give: null });
    this.clear();
  }

  /** As if nothing had been typed. */
  clear(): void {
    Object.assign(this, { kind: "person", person: "", level: "see", busy: false, refusal: null });
  }

  #levelNow(): Level {
    if (this.kind === "public") return LEVELS[0]; // Letting the whole web write is not a slip that a page should offer.
    return LEVELS.find(({ name }) => name === this.level) ?? LEVELS[0];
  }

  #subject(): string {
    if (this.kind === "public") return "Everyone on the web";
    return URL.canParse(this.person)
      ? `Whoever has this address at ${new URL(this.person).host}`
      : "The person";
  }

  /** What is shared, with what is in it. */
  #scope(): string {
    const known = this.places.find(({ address }) => address === this.address);
    const name = known?.name || this.name || lastOf(this.address);
    return this.address.endsWith("/") && name !== "your whole pod" ? `${name} and all that is in it` : name;
  }

  async #share(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    this.refusal = null;
    const wish: Wish = {
      address: this.address,
      to: this.kind === "public" ? "public" : this.person.trim(),
      modes: this.#levelNow().modes,
    };
    try {
      const give = this.give ?? (await this.#byLists());
      const undo = await give(wish);
      this.tell("shared", { ...wish, undo });
    } catch (error) {
      this.refusal = this.refuse(error);
    } finally {
      this.busy = false;
    }
  }

  async #byLists(): Promise<(wish: Wish) => Promise<Undo>> {
    const { giveAccess } = await import("./sharing.ts");
    return (wish) => giveAccess(this.fetch, { ...wish, address: new URL(wish.address, location.href).href });
  }

  protected override render(): TemplateResult {
    const fault = this.refusal?.errors.find(({ at }) => at === "/who")?.detail;
    return html`<form class="stack" part="form" @submit=${(event: SubmitEvent) => this.#share(event)}>
      ${refusalNotice(this.refusal)}
      ${this.places.length > 0 ? this.#places() : nothing}
      <fieldset class="choices" part="choices">
        <legend>With whom</legend>
        ${this.#who("person", "A person", "Somebody whose address you know.", "person")}
        ${this.#who("public", "Everyone", "The whole web, without signing in. Search engines too.", "globe")}
      </fieldset>
      ${
        this.kind === "person"
          ? html`<label class="field" part="field"><span>Their address</span>
              <input part="input" name="address" type="url" required autocomplete="off" spellcheck="false" placeholder="https://…" .value=${this.person}
                @input=${(event: InputEvent) => (this.person = (event.target as HTMLInputElement).value)} />
              <small>They find it on the first page of their own pod, and can send it to you.</small>
              ${fault ? html`<small class="fault" part="fault">${fault}</small>` : nothing}</label>
            <label class="field" part="field"><span>They may</span>
              <select part="input" name="level" @change=${(event: Event) => (this.level = (event.target as HTMLSelectElement).value)}>
                ${LEVELS.map(({ name, title }) => html`<option value=${name} ?selected=${name === this.level}>${title}</option>`)}
              </select></label>`
          : nothing
      }
      ${this.address === "" ? nothing : html`<p class="summary ${this.kind === "public" ? "warn" : ""}" part="summary" aria-live="polite">${this.#subject()} will be able to ${this.#levelNow().verbs} <strong>${this.#scope()}</strong>.</p>`}
      <div class="pair" part="buttons">
        <button type="button" class="second" part="cancel" @click=${() => this.tell("cancelled", null)}>Not now</button>
        <button class="first" part="share" ?disabled=${this.busy}>${this.busy ? html`<span class="spinner" aria-hidden="true"></span><span role="status">Sharing …</span>` : "Share"}</button>
      </div>
    </form>`;
  }

  #places(): TemplateResult {
    const isListed = this.places.some(({ address }) => address === this.address);
    return html`<label class="field" part="field"><span>What</span>
      <select part="input" name="path" required .value=${this.address} @change=${(event: Event) => (this.address = (event.target as HTMLSelectElement).value)}>
        <option value="" ?selected=${this.address === ""}>Choose …</option>
        ${isListed || this.address === "" ? nothing : html`<option value=${this.address} selected>${this.name || lastOf(this.address)}</option>`}
        ${this.places.map(({ address, name, isFolder }) => html`<option value=${address} ?selected=${address === this.address}>${name}${isFolder ? " (folder)" : ""}</option>`)}
      </select></label>`;
  }

  #who(kind: "person" | "public", title: string, about: string, picture: "person" | "globe"): TemplateResult {
    return html`<label class="choice"><input type="radio" name="kind" .checked=${this.kind === kind} @change=${() => (this.kind = kind)} />${drawing(picture)}
      <span><strong>${title}</strong><small>${about}</small></span></label>`;
  }
}

function lastOf(address: string): string {
  const name = address.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

customElements.define("freehold-share", FreeholdShare);
