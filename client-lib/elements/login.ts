/**
 * `<freehold-login>`: signs somebody in at the server of their pod, and gives the page a `fetch` in their name.
 * ```html
 * <freehold-login app-name="Garden diary"></freehold-login>
 * <script>document.querySelector("freehold-login").addEventListener("session", ({ detail }) => detail.fetch("…"));</script>
 * ```
 */
import { html, nothing, type TemplateResult } from "lit";
import type { FreeholdError } from "../errors.ts";
import { drawing } from "./drawings.ts";
import { FreeholdElement, refusalNotice, waitingLine } from "./element.ts";
import { resume, type Session, signIn } from "./session.ts";

export class FreeholdLogin extends FreeholdElement {
  static override properties = {
    issuer: { type: String },
    clientId: { type: String, attribute: "client-id" },
    appName: { type: String, attribute: "app-name" },
    redirect: { type: String },
    isKept: { type: Boolean, attribute: "keep" },
    session: { state: true },
    refusal: { state: true },
    busy: { state: true },
  };
  /** What stands in the field at first. */
  declare issuer: string;
  declare clientId: string;
  declare appName: string;
  declare redirect: string;
  declare isKept: boolean;
  /** Null while nobody is signed in. */
  declare session: Session | null;
  declare refusal: FreeholdError | null;
  declare busy: string;

  constructor() {
    super();
    Object.assign(this, {
      issuer: "",
      clientId: "",
      appName: "",
      redirect: "",
      isKept: false,
      session: null,
      refusal: null,
      busy: "Looking whether you are signed in …",
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#resume();
  }

  async #resume(): Promise<void> {
    if (this.session) return;
    try {
      const session = await resume();
      if (session) this.#begin(session);
    } catch (error) {
      this.refusal = this.refuse(error);
    } finally {
      this.busy = "";
    }
  }

  #begin(session: Session): void {
    this.session = session;
    this.tell("session", session);
  }

  async #signIn(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const issuer = this.renderRoot.querySelector("input")?.value ?? "";
    if (issuer.trim() === "") return;
    this.issuer = issuer;
    this.refusal = null;
    this.busy = "Going to your pod …";
    const { clientId, appName, redirect, isKept } = this;
    try {
      await signIn(issuer, { clientId, redirect, isKept, ...(appName === "" ? {} : { name: appName }) });
    } catch (error) {
      this.refusal = this.refuse(error);
    } finally {
      this.busy = "";
    }
  }

  async #signOut(): Promise<void> {
    await this.session?.end();
    this.session = null;
    this.tell("session", null);
  }

  protected override render(): TemplateResult {
    const { session } = this;
    if (session)
      return html`<div class="row" part="signed-in">${drawing("person")}
        <span>Signed in as <strong>${new URL(session.webid).host}${new URL(session.webid).pathname}</strong></span>
        <button class="second" part="sign-out" @click=${() => this.#signOut()}>Sign out</button></div>`;
    return html`<form class="stack" part="form" @submit=${(event: SubmitEvent) => this.#signIn(event)}>
      ${refusalNotice(this.refusal)}
      <label class="field" part="field"><span>Where your pod is</span>
        <input part="input" name="issuer" required autocomplete="url" inputmode="url" spellcheck="false" placeholder="https://…" .value=${this.issuer} />
        <small>The address of the server that you sign in at.</small></label>
      ${this.busy ? waitingLine(this.busy) : nothing}
      <button class="first" part="sign-in" ?disabled=${this.busy !== ""}>Sign in</button>
    </form>`;
  }
}
customElements.define("freehold-login", FreeholdLogin);
