/** `<fh-share>`: the dialog in which `<freehold-share>` stands, and which gives access through the account's own door, so that it can be undone. */
import { FreeholdError } from "@freehold/client/errors";
import "@freehold/client/elements/share";
import type { FreeholdShare, Undo, Wish } from "@freehold/client/elements/share";
import { html, nothing, type TemplateResult } from "lit";
import { ask, Refusal } from "./ask.ts";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { AccessEntry, Item } from "./model.ts";
import { tell } from "./notices.ts";
import { mayOpen, openingOf } from "./opening.ts";
import { placeOf } from "./words.ts";

class Share extends Part {
  static override properties = { ...given("entries", "items", "pod"), ...state("path", "question") };
  declare entries: readonly AccessEntry[];
  /** What there is to choose from, when the place is not given. */
  declare items: readonly Item[];
  declare pod: string;
  declare path: string;
  /** What would be opened, while the person is asked about it. */
  declare question: TemplateResult | null;

  constructor() {
    super();
    Object.assign(this, { entries: [], items: [], pod: "", path: "", question: null });
  }

  open(path: string | null): void {
    this.path = path ?? "";
    const form = this.querySelector<FreeholdShare>("freehold-share");
    form?.clear();
    if (form) form.address = this.path;
    void this.updateComplete.then(() => this.querySelector("dialog")?.showModal());
  }

  #close(): void {
    this.querySelector("dialog")?.close();
  }

  /** Asks first where a slip would cost much. @throws FreeholdError when the answer is no. */
  async #consider(address: string, who: { kind: string; iri: string | null }): Promise<void> {
    const isYes = await mayOpen(
      await openingOf(address, who),
      who.kind === "public" ? "everyone" : "this person",
      (question) => {
        this.question = question;
        void this.updateComplete.then(() => this.querySelector<HTMLElement>(".opening button")?.focus());
      },
    );
    if (!isYes)
      throw new FreeholdError("kept", "Nothing was shared", {
        next: "Choose something else, or close this.",
      });
  }

  readonly #give = async ({ address, to, modes }: Wish): Promise<Undo> => {
    const who = to === "public" ? { kind: "public", iri: null } : { kind: "person", iri: to };
    try {
      await this.#consider(address, who);
      const { undo } = await ask<{ undo: string }>("POST", "/.account/access/grant", {
        path: address,
        who,
        modes,
      });
      return async () => {
        await ask("POST", "/.account/access/undo", { undo });
        this.#changed();
      };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, title, detail, next, faults } = error;
      throw new FreeholdError(code, title, { detail, next, errors: faults });
    }
  };

  #changed(): void {
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  #shared({ detail }: CustomEvent<{ readonly address: string; readonly undo: Undo | null }>): void {
    this.#close();
    this.#changed();
    tell(`Shared: ${placeOf(detail.address)}.`, detail.undo);
  }

  protected override render(): TemplateResult {
    const places = this.items.map(({ path, name, isFolder }) => ({ address: path, name, isFolder }));
    const { question } = this;
    return html`<dialog aria-labelledby="share-title" @close=${() => this.querySelector(".opening")?.dispatchEvent(new Event("opening-left"))}>
      <div class="dialog-head"><h2 id="share-title">Share something</h2>
        <button type="button" class="icon-only" aria-label="Close" @click=${() => this.#close()}>${icon("close")}</button></div>
      ${question ?? nothing}
      <freehold-share ?hidden=${question !== null} light .places=${places} .name=${this.path === "" ? "" : placeOf(this.path)} .give=${this.#give}
        @shared=${(event: CustomEvent) => this.#shared(event)} @cancelled=${() => this.#close()}></freehold-share>
    </dialog>`;
  }
}
customElements.define("fh-share", Share);

/** @param path What to share; the dialog offers the folders of the pod without it. */
export function openShare(path: string | null = null): void {
  document.querySelector<Share>("fh-share")?.open(path);
}
