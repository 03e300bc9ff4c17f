/** `<fh-copy>`: a value that is meant to be passed on, with a button that copies it. */
import { html, type TemplateResult } from "lit";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";

class Copy extends Part {
  static override properties = { ...given("value", "label", "groups"), ...state("done") };
  /** What is copied. */
  declare value: string;
  /** What it is, for the button's name. */
  declare label: string;
  /** How it is shown, when not as it is: pieces that can be compared one by one. */
  declare groups: readonly string[];
  declare done: boolean;

  constructor() {
    super();
    this.value = "";
    this.label = "";
    this.groups = [];
    this.done = false;
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.value);
    } catch {
      this.#select(); // Without leave to write the clipboard, the text is at least ready for the keyboard.
      return;
    }
    this.done = true;
    window.setTimeout(() => (this.done = false), 2_500);
  }

  #select(): void {
    const shown = this.querySelector("code");
    if (shown) getSelection()?.selectAllChildren(shown);
  }

  protected override render(): TemplateResult {
    const shown =
      this.groups.length > 0 ? this.groups.map((group) => html`<span>${group}</span> `) : this.value;
    return html`<div class="copy">
      <code class=${this.groups.length > 0 ? "groups" : ""} @click=${() => this.#select()}>${shown}</code>
      <button class="second" aria-label=${`Copy ${this.label}`} @click=${() => this.#copy()}>
        ${this.done ? icon("check") : icon("copy")}<span aria-live="polite">${this.done ? "Copied" : "Copy"}</span>
      </button>
    </div>`;
  }
}
customElements.define("fh-copy", Copy);
