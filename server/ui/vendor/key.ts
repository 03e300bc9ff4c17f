/** `<fh-vendor-key>`: by what the company is known, and the key that it signs with. */
import type { SigningIdentity } from "@freehold/client";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../parts/ask.ts";
import "../parts/copy.ts";
import { given, Part, state } from "../parts/element.ts";
import { icon } from "../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../parts/notices.ts";
import { type Desk, publicHalf } from "./desk.ts";

class VendorKey extends Part {
  static override properties = { ...given("desk"), ...state("identity", "busy", "refusal") };
  declare desk: Desk;
  /** Undefined until the browser has looked. */
  declare identity: SigningIdentity | null | undefined;
  declare busy: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.busy = false;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#run(() => this.desk.identity());
  }

  async #run(work: () => Promise<SigningIdentity | null>): Promise<void> {
    this.busy = true;
    this.refusal = null;
    try {
      this.identity = await work();
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  async #make(): Promise<void> {
    await this.#run(() => this.desk.makeKey());
    if (this.identity && !this.refusal) tell("The key is made, and its public half stands on your card.");
  }

  protected override render(): TemplateResult {
    const { identity } = this;
    return html`
      <div class="head"><div><h1>Your key</h1><p class="soft">People see who asks because every request is signed.</p></div></div>
      ${refusalBox(this.refusal)}
      <section class="panel">
        <h2>${icon("card")}Known as</h2>
        <fh-copy .value=${this.desk.webid} .label=${"your company's address"}></fh-copy>
      </section>
      <section class="panel">
        <h2>${icon("key")}Signing key</h2>
        ${identity === undefined && !this.refusal ? waiting("Looking …") : nothing}
        ${
          identity
            ? html`<p>It was made in this browser and cannot be taken out of it. Its public half stands on your card:</p>
              <fh-copy .value=${identity.verificationMethod} .label=${"the key's address"}></fh-copy>
              <details><summary>What the card says of it</summary><pre tabindex="0">${publicHalf(identity)}</pre></details>`
            : nothing
        }
        ${
          identity === null
            ? html`<p>There is none in this browser yet. On another computer, or in a program, make another one: your card can have several.</p>
              <div class="row"><button class="first" ?disabled=${this.busy} @click=${() => this.#make()}>${busyWords(this.busy, "Make a key", "Making a key …")}</button></div>`
            : nothing
        }
      </section>
      <section class="panel">
        <h2>${icon("plug")}From a program</h2>
        <p>The same from the command line, with a key of its own: <code>freehold vendor init</code>, then <code>request</code>, <code>wait</code>, <code>query</code>, <code>receipts</code> and <code>reconcile</code>. The library is <code>@freehold/client</code>.</p>
        <p><a href="/.api">All addresses of this server</a></p>
      </section>
    `;
  }
}
customElements.define("fh-vendor-key", VendorKey);
