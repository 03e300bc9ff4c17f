/** `<fh-security>`: ways to sign in, where you are signed in, and programs that act for you. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, SessionRow, State } from "../../parts/model.ts";
import { busyWords, faultOf, refusalBox, tell } from "../../parts/notices.ts";
import { canUsePasskeys, makePasskey } from "../../parts/passkey.ts";
import "./programs.ts";
import "./safekeeping.ts";
import { withProof } from "../../parts/prove.ts";
import { agoOf, dayOf } from "../../parts/words.ts";

class Security extends Part {
  static override properties = {
    ...given("me", "server"),
    ...state("sessions", "busy", "refusal", "changing"),
  };
  declare me: Me;
  declare server: State;
  declare sessions: readonly SessionRow[];
  declare busy: string;
  declare refusal: Refusal | null;
  declare changing: boolean;

  constructor() {
    super();
    this.sessions = [];
    this.busy = "";
    this.refusal = null;
    this.changing = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.sessions = (await ask<{ sessions: readonly SessionRow[] }>("GET", "/.account/sessions")).sessions;
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #run(name: string, work: () => Promise<unknown>, said: string): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      await withProof(work);
      tell(said);
      this.changing = false;
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      await this.#load();
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #addPasskey(): void {
    const work = async () => ask("POST", "/.account/passkey/register", { passkey: await makePasskey() });
    void this.#run("add", work, "The passkey is ready. Use it the next time you sign in.");
  }

  #setPassword(event: SubmitEvent): void {
    const { password = "" } = fieldsOf(event);
    void this.#run(
      "password",
      () => ask("POST", "/.account/password", { password }),
      "The new password holds from now on. You were signed out everywhere else.",
    );
  }

  protected override render(): TemplateResult {
    return html`
      <div class="head"><div><h1>Security</h1><p class="soft">How you get in, where you are in, and what gets in for you.</p></div></div>
      ${refusalBox(this.refusal)}
      ${this.#ways()} ${this.#places()}
      <fh-programs></fh-programs>
      <fh-safekeeping></fh-safekeeping>
    `;
  }

  #ways(): TemplateResult {
    const { me, server } = this;
    const isLast = me.passkeys.length + Number(me.hasPassword) === 1;
    return html`<section>
      <div class="head"><h2>Ways to sign in</h2>
        ${server.passkeys && canUsePasskeys() ? html`<button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#addPasskey()}>${busyWords(this.busy === "add", html`${icon("plus")}Add a passkey`, "Waiting for your device …")}</button>` : nothing}
      </div>
      <ul class="rows">
        ${me.passkeys.map(
          ({ id, name, created }) => html`<li class="row-plain"><span class="tile">${icon("finger")}</span>
            <span class="row-words"><strong>Passkey</strong><small>made with ${name}, ${dayOf(created)}</small></span>
            <button class="second small" ?disabled=${isLast || this.busy !== ""} title=${isLast ? "Your only way to sign in" : ""} @click=${() => this.#run(id, () => ask("DELETE", `/.account/passkeys/${id}`), "That passkey opens nothing here any more.")}>${busyWords(this.busy === id, "Remove", "…")}</button></li>`,
        )}
        <li class="row-plain"><span class="tile">${icon("key")}</span>
          <span class="row-words"><strong>Password</strong><small>${me.hasPassword ? `for the pod name ${me.pod}` : "not used; a passkey is safer"}</small></span>
          ${me.hasPassword && !isLast ? html`<button class="quiet bad small" ?disabled=${this.busy !== ""} @click=${() => this.#run("password", () => ask("POST", "/.account/password", { password: null }), "The password is gone; your passkeys stay.")}>Remove</button>` : nothing}
          <button class="second small" @click=${() => (this.changing = !this.changing)}>${me.hasPassword ? "Change" : "Set one"}</button></li>
      </ul>
      ${
        this.changing
          ? html`<form class="panel stack" @submit=${(event: SubmitEvent) => this.#setPassword(event)}>
            <input class="hidden" name="username" autocomplete="username" tabindex="-1" aria-hidden="true" .value=${me.pod} />
            <label class="field"><span>New password</span><input name="password" type="password" required minlength=${server.passwordCharactersMin} maxlength="1024" autocomplete="new-password" />
              <small>At least ${server.passwordCharactersMin} characters; four words of your own work well.</small>${faultOf(this.refusal, "password")}</label>
            <div class="row"><button class="first" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "password", "Save it", "Saving …")}</button>
              <button type="button" class="second" @click=${() => (this.changing = false)}>Cancel</button></div>
          </form>`
          : nothing
      }
    </section>`;
  }

  #places(): TemplateResult {
    const others = this.sessions.filter(({ current }) => !current);
    const end = (path: string, said: string) => () => this.#run(path, () => ask("DELETE", path), said);
    return html`<section>
      <div class="head"><h2>Where you are signed in</h2>
        ${others.length > 0 ? html`<button class="second" ?disabled=${this.busy !== ""} @click=${end("/.account/sessions", "Signed out everywhere but here.")}>Sign out everywhere else</button>` : nothing}
      </div>
      <ul class="rows">
        ${this.sessions.map(
          ({
            id,
            device,
            seen,
            current,
          }) => html`<li class="row-plain"><span class="tile">${icon("device")}</span>
            <span class="row-words"><strong>${device}</strong><small>${current ? "here, now" : `last used ${agoOf(seen)}`}</small></span>
            ${current ? nothing : html`<button class="second small" ?disabled=${this.busy !== ""} @click=${end(`/.account/sessions/${id}`, `${device} is signed out.`)}>Sign out</button>`}</li>`,
        )}
      </ul>
    </section>`;
  }
}
customElements.define("fh-security", Security);
