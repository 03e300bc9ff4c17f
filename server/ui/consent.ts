/** `<fh-consent>`: an app asks to act for a person. Who asks, who you are, and two answers of equal size. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./parts/ask.ts";
import { abilityLists } from "./parts/can.ts";
import { Part, state } from "./parts/element.ts";
import { framed } from "./parts/frame.ts";
import { icon } from "./parts/icons.ts";
import type { Folder, Reach, State } from "./parts/model.ts";
import { busyWords, refusalBox, waiting } from "./parts/notices.ts";
import { USUAL } from "./parts/reach.ts";
import "./parts/sign-in.ts";
import { hostOf, initialOf } from "./parts/words.ts";

interface Interaction {
  readonly client: {
    readonly id: string;
    readonly name: string | null;
    readonly uri: string | null;
    /** Where it describes itself; null when it registered itself, and nobody vouches for what it says. */
    readonly describedBy: string | null;
    readonly policy: string | null;
    readonly terms: string | null;
  };
  /** Address of who is signed in, or null. */
  readonly webid: string | null;
  readonly prompt: string;
  /** Where the answer goes: the one address that the app cannot make up. */
  readonly redirectTo: string | null;
  readonly scopes: readonly string[];
  /** What it may do already; null when it is new. */
  readonly reach: Reach | null;
}

class Consent extends Part {
  static override properties = state("server", "interaction", "refusal", "busy", "chosen", "folders");
  declare server: State | null;
  declare interaction: Interaction | null;
  declare refusal: Refusal | null;
  declare busy: "" | "allow" | "refuse";
  /** Null while the choice is not whole. */
  declare chosen: Reach | null;
  /** Paths of the folders in the person's pod. */
  declare folders: readonly string[];
  readonly #door =
    `/.oidc/interaction/${encodeURIComponent(new URLSearchParams(location.search).get("uid") ?? "none")}`;

  constructor() {
    super();
    this.server = null;
    this.interaction = null;
    this.refusal = null;
    this.busy = "";
    this.chosen = USUAL;
    this.folders = [];
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
      if (this.server.account) await this.#lookAround(this.server.account.pod);
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  /** The names of what the app would not get say more than that there is something. */
  async #lookAround(pod: string): Promise<void> {
    const folder = ask<Folder>("GET", `/.account/folder?path=${encodeURIComponent(`/${pod}/`)}`);
    const items = await folder.then((found) => found.items).catch(() => []);
    this.folders = items.filter(({ isFolder }) => isFolder).map(({ path }) => path);
  }

  async #answer(allow: boolean): Promise<void> {
    this.busy = allow ? "allow" : "refuse";
    this.refusal = null;
    try {
      const answer = allow ? { allow, ...this.chosen } : { allow };
      location.assign((await ask<{ location: string }>("POST", this.#door, answer)).location);
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

  readonly #choose = (event: Event): void => {
    const value = (event.target as HTMLElement & { readonly value: Reach | null }).value;
    if (JSON.stringify(value) !== JSON.stringify(this.chosen)) this.chosen = value;
  };

  /** Who says that the app is what it says. */
  #vouching({ client }: Interaction): TemplateResult {
    if (client.describedBy === null)
      return html`<div class="notice">${icon("warn")}<div><strong>It registered itself; nobody vouches for it.</strong> Its name is only what it calls itself.</div></div>`;
    const page = (address: string | null, words: string) =>
      address === null
        ? nothing
        : html` <a href=${address} target="_blank" rel="noopener noreferrer">${words}</a>.`;
    return html`<p class="small soft">${hostOf(client.describedBy)} says what this app is.${page(client.policy, "What it does with your data")}${page(client.terms, "Its terms")}</p>`;
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
      ${this.#vouching(interaction)}
      <ul class="facts">
        <li>${icon("card")}<div><strong>It learns who you are</strong><small>Your address: <span class="address">${server.account.address}</span></small></div></li>
        ${interaction.scopes.includes("offline_access") ? html`<li>${icon("clock")}<div><strong>It wants to stay connected</strong><small>Also while you are away, until you disconnect it or do not use it for two weeks.</small></div></li>` : nothing}
        <li>${icon("key")}<div><strong>It does not get your password or passkey</strong><small>Allow only apps that you know.</small></div></li>
      </ul>
      <fh-reach .reach=${interaction.reach ?? USUAL} .pod=${server.account.pod} @chosen=${this.#choose}></fh-reach>
      ${this.chosen === null ? nothing : html`<section class="panel" aria-live="polite" aria-label=${`What ${name} gets`}><h2>If you allow this, ${name}</h2>${abilityLists(this.chosen, this.folders)}</section>`}
      <p class="small soft">Your answer goes to <strong>${host}</strong>, and to nobody else. You can change it at any time.</p>
      <p class="small soft">This holds on this server. Where others keep their data elsewhere, the app can do there what they let you do.</p>
      ${refusalBox(this.refusal)}
      <div class="pair">
        <button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#answer(false)}>${busyWords(this.busy === "refuse", "Not now", "Going back …")}</button>
        <button class="second" ?disabled=${this.busy !== "" || this.chosen === null} @click=${() => this.#answer(true)}>${busyWords(this.busy === "allow", "Allow", "Connecting …")}</button>
      </div>
      <p class="small soft center">Signed in as ${server.account.name}.</p>
    `);
  }
}
customElements.define("fh-consent", Consent);
