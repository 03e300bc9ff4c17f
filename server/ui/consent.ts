/** `<fh-consent>`: an app asks to act for a person. Who asks, who you are, and two answers of equal size. */
import { html, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { Part, state } from "./element.ts";
import { framed } from "./frame.ts";
import { icon } from "./icons.ts";
import type { State } from "./model.ts";
import { busyWords, refusalBox, waiting } from "./notices.ts";
import "./sign-in.ts";
import { hostOf, initialOf } from "./words.ts";

interface Interaction {
  readonly client: { readonly id: string; readonly name: string | null; readonly uri: string | null };
  /** Address of who is signed in, or null. */
  readonly webid: string | null;
  readonly prompt: string;
  /** Where the answer goes: the one address that the app cannot make up. */
  readonly redirectTo: string | null;
}

class Consent extends Part {
  static override properties = state("server", "interaction", "refusal", "busy");
  declare server: State | null;
  declare interaction: Interaction | null;
  declare refusal: Refusal | null;
  declare busy: "" | "allow" | "refuse";
  readonly #door =
    `/.oidc/interaction/${encodeURIComponent(new URLSearchParams(location.search).get("uid") ?? "none")}`;

  constructor() {
    super();
    this.server = null;
    this.interaction = null;
    this.refusal = null;
    this.busy = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      [this.interaction, this.server] = await Promise.all([
        ask<Interaction>("GET", this.#door),
        ask<State>("GET", "/.account/state"),
      ]);
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #answer(allow: boolean): Promise<void> {
    this.busy = allow ? "allow" : "refuse";
    this.refusal = null;
    try {
      location.assign((await ask<{ location: string }>("POST", this.#door, { allow })).location);
    } catch (error) {
      this.refusal = toRefusal(error);
      this.busy = "";
    }
  }

  /** The name is only what the app calls itself; where the answer goes is what can be trusted. */
  #client({ client, redirectTo }: Interaction): { readonly name: string; readonly host: string } {
    const place = [redirectTo, client.uri, client.id].find(
      (address) => address !== null && /^https?:/.test(address),
    );
    const host = place ? hostOf(place) : "an address it does not tell";
    return { name: client.name?.trim() || (place ? host : "An app without a name"), host };
  }

  protected override render(): TemplateResult {
    const { interaction, server } = this;
    if (!interaction || !server) {
      if (!this.refusal) return framed(waiting("Opening …"));
      return framed(html`<h1>This request has ended</h1>${refusalBox(this.refusal)}
        <p class="soft">Go back to the app and sign in from there again. Nothing was shared.</p>
        <a class="button second wide" href="/">Open your pod</a>`);
    }
    const { name, host } = this.#client(interaction);
    const asker = html`<div class="asker"><span class="avatar square" aria-hidden="true">${initialOf(name)}</span>
      <div><strong>${name}</strong><small>from ${host}</small></div></div>`;
    if (!server.account) {
      return framed(html`${asker}<h1>Sign in to go on</h1>
        <p class="soft">${name} would like to connect to your pod. First, show that it is you; your password stays here.</p>
        <fh-sign-in .passkeys=${server.passkeys} @signed-in=${() => this.#load()}></fh-sign-in>`);
    }
    return framed(html`
      ${asker}
      <h1>Connect ${name} to your pod?</h1>
      <ul class="facts">
        <li>${icon("eye")}<div><strong>It can do what you can do</strong><small>See, add and change what is in your pod, until you sign out of it.</small></div></li>
        <li>${icon("card")}<div><strong>It learns who you are</strong><small>Your address: <span class="address">${server.account.address}</span></small></div></li>
        <li>${icon("key")}<div><strong>It does not get your password or passkey</strong><small>Allow only apps that you know.</small></div></li>
      </ul>
      ${refusalBox(this.refusal)}
      <div class="pair">
        <button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#answer(false)}>${busyWords(this.busy === "refuse", "Not now", "Going back …")}</button>
        <button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#answer(true)}>${busyWords(this.busy === "allow", "Allow", "Connecting …")}</button>
      </div>
      <p class="small soft center">Signed in as ${server.account.name}.</p>
    `);
  }
}
customElements.define("fh-consent", Consent);
