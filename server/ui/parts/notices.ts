/** How the pages say things: refusals, passing messages with an undo, and waiting. */
import { html, nothing, type TemplateResult } from "lit";
import type { Refusal } from "./ask.ts";
import { Part, state } from "./element.ts";
import { icon } from "./icons.ts";

/** A refusal, with what to do next. Read out at once. */
export function refusalBox(refusal: Refusal | null): TemplateResult | typeof nothing {
  if (!refusal) return nothing;
  const detail = refusal.faults.length > 0 ? "" : refusal.detail;
  return html`<div class="notice bad" role="alert">
    ${icon("warn")}
    <div><strong>${refusal.title}.</strong> ${detail ? html`${detail}. ` : nothing}<span>${refusal.next}</span></div>
  </div>`;
}

/** What is wrong with one field, beside the field. */
export function faultOf(refusal: Refusal | null, field: string): TemplateResult | typeof nothing {
  const text = refusal?.of(field);
  return text ? html`<small class="fault" id=${`${field}-fault`}>${text}</small>` : nothing;
}

/** A button's words while it works, so that every wait shows. */
export function busyWords(busy: boolean, idle: string | TemplateResult, working: string): TemplateResult {
  return busy
    ? html`<span class="spinner" aria-hidden="true"></span><span role="status">${working}</span>`
    : html`${idle}`;
}

export function waiting(words: string): TemplateResult {
  return html`<p class="waiting" role="status"><span class="spinner" aria-hidden="true"></span>${words}</p>`;
}

interface Message {
  readonly text: string;
  readonly undo: (() => Promise<void>) | null;
}

const SHOWN_MS = 12_000; // Long enough to read, find the button and press it.

/** One passing message at the foot of the page. `<fh-toast>` stands once in a page. */
class Toast extends Part {
  static override properties = state("message", "busy");
  declare message: Message | null;
  declare busy: boolean;
  #timer = 0;

  constructor() {
    super();
    this.message = null;
    this.busy = false;
  }

  show(text: string, undo: (() => Promise<void>) | null = null): void {
    window.clearTimeout(this.#timer);
    this.message = { text, undo };
    this.#timer = window.setTimeout(() => (this.message = null), SHOWN_MS);
  }

  async #undo(undo: () => Promise<void>): Promise<void> {
    window.clearTimeout(this.#timer);
    this.busy = true;
    try {
      await undo();
      this.show("Undone.");
    } catch (error) {
      this.show(error instanceof Error ? error.message : "This could not be undone.");
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    const { message } = this;
    return html`<div class="toast-place" role="status" aria-live="polite">
      ${
        message
          ? html`<div class="toast">
            <span>${message.text}</span>
            ${
              message.undo
                ? html`<button class="quiet" ?disabled=${this.busy} @click=${() => message.undo && this.#undo(message.undo)}>Undo</button>`
                : nothing
            }
            <button class="icon-only" aria-label="Close this message" @click=${() => (this.message = null)}>${icon("close")}</button>
          </div>`
          : nothing
      }
    </div>`;
  }
}
customElements.define("fh-toast", Toast);

/** @param undo Takes back what the message tells of. */
export function tell(text: string, undo: (() => Promise<void>) | null = null): void {
  document.querySelector<Toast>("fh-toast")?.show(text, undo);
}
