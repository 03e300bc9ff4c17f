/** `<fh-you>`: by what others know you, and the file that brings it back. */

import { html, nothing, type TemplateResult } from "lit";
import { ask, Refusal, toRefusal } from "./ask.ts";
import "./copy.ts";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { Me } from "./model.ts";
import { refusalBox, tell, waiting } from "./notices.ts";
import "./rights.ts";
import { dayOf, groupsOf } from "./words.ts";

class You extends Part {
  static override properties = { ...given("me"), ...state("busy", "refusal") };
  declare me: Me;
  declare busy: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.busy = false;
    this.refusal = null;
  }

  /** The file is read here and goes nowhere: the server only learns that all is well. */
  async #check(chosen: File | undefined): Promise<void> {
    if (!chosen) return;
    this.busy = true;
    this.refusal = null;
    try {
      const { importRecoveryFile } = await import("@freehold/client/passport"); // Twice a year is no reason to load it each time.
      const { file } = await importRecoveryFile(await chosen.text()).catch((error: unknown) => {
        throw new Refusal(
          "file",
          "This is not a whole recovery file",
          error instanceof Error ? error.message : "",
          "Choose the file that you downloaded when your pod was set up.",
        );
      });
      if (file.passport !== this.me.passport)
        throw new Refusal("file", "This file belongs to another passport", "", "Choose the one of this pod.");
      await this.#note();
      tell("The file is whole, and it is the right one. We ask again in half a year.");
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  async #note(): Promise<void> {
    try {
      await ask("POST", "/.account/recovery", {});
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  protected override render(): TemplateResult {
    const { me } = this;
    return html`
      <div class="head"><div><h1>${me.name}</h1><p class="soft">Here since ${dayOf(me.created)}</p></div></div>
      <section class="panel">
        <h2>${icon("card")}Your address</h2>
        <p class="soft">Who wants to share something with you needs it, and apps ask for it when you sign in to them. It is no secret.</p>
        <fh-copy .value=${me.address} .label=${"your address"}></fh-copy>
      </section>
      ${me.passport ? this.#passport(me.passport) : html`<div class="notice">${icon("warn")}<div><strong>This pod has no passport.</strong> Its address cannot move with you to another host.</div></div>`}
      <fh-rights .me=${me}></fh-rights>
    `;
  }

  #passport(passport: string): TemplateResult {
    const { recoverySaved } = this.me;
    return html`
      <section class="panel">
        <h2>${icon("globe")}Your passport</h2>
        <p class="soft">This number stays yours when your pod moves to another host. Whoever knows it finds you again, and nobody can give it to somebody else.</p>
        <fh-copy .value=${passport} .label=${"your passport number"} .groups=${groupsOf(passport)}></fh-copy>
      </section>
      <section class="panel">
        <h2>${icon("key")}Your recovery file</h2>
        <p>You downloaded it when this pod was set up. It holds the keys of your passport: with it you get the passport back if this server is lost; whoever finds it could act as you. This server has no copy.</p>
        ${recoverySaved === null ? html`<div class="notice">${icon("warn")}<div>You have not said yet that it is safe.</div></div>` : html`<p class="good">${icon("check")}Safe, as you said on ${dayOf(recoverySaved)}.</p>`}
        ${refusalBox(this.refusal)}
        ${this.busy ? waiting("Checking the file, in this browser only …") : nothing}
        <div class="row">
          <label class="button first">${icon("search")}Check the file<input class="hidden" type="file" accept="application/json,.json" @change=${(event: Event) => this.#check((event.target as HTMLInputElement).files?.[0])} /></label>
          <button class="second" @click=${() => this.#note().then(() => tell("Good. We ask again in half a year."))}>I know where it is</button>
        </div>
      </section>
    `;
  }
}
customElements.define("fh-you", You);
