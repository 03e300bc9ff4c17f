/** `<fh-prove>`: asks a person who has been signed in for a while to show again that it is them. */
import { html, type TemplateResult } from "lit";
import { Refusal } from "./ask.ts";
import { given, Part } from "./element.ts";
import { icon } from "./icons.ts";
import type { Me } from "./model.ts";
import "./sign-in.ts";

class Prove extends Part {
  static override properties = given("me", "passkeys");
  declare me: Me;
  declare passkeys: boolean;
  #settle: ((proved: boolean) => void) | null = null;

  ask(): Promise<boolean> {
    this.querySelector("dialog")?.showModal();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  #done(proved: boolean): void {
    this.#settle?.(proved);
    this.#settle = null;
    this.querySelector("dialog")?.close();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="prove-title" @close=${() => this.#done(false)}>
      <div class="dialog-head"><h2 id="prove-title">Is it you, ${this.me.name}?</h2>
        <button class="icon-only" aria-label="Close" @click=${() => this.#done(false)}>${icon("close")}</button></div>
      <p class="soft">You signed in a while ago. Ways to sign in change only right after you have shown that it is you.</p>
      <fh-sign-in .passkeys=${this.passkeys} .me=${this.me} @signed-in=${(event: Event) => {
        event.stopPropagation();
        this.#done(true);
      }}></fh-sign-in>
    </dialog>`;
  }
}
customElements.define("fh-prove", Prove);

/** Does something that needs a fresh proof, asking for one when the server does. @throws Refusal */
export async function withProof<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "login-stale") throw error;
    const proved = await document.querySelector<Prove>("fh-prove")?.ask();
    if (!proved) throw error;
    return work();
  }
}
