/** `<fh-apps>`: apps that the owner has let in, letting them do less, and showing them out. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { AppRow, Reach } from "./model.ts";
import { busyWords, refusalBox, tell } from "./notices.ts";
import { reachWords } from "./reach.ts";
import { dayOf, hostOf } from "./words.ts";

const placeOf = ({ address, client }: AppRow): string | null =>
  address ? hostOf(address) : /^https?:/.test(client) ? hostOf(client) : null;
const nameOf = (app: AppRow): string => app.name ?? placeOf(app) ?? "An app without a name";

class Apps extends Part {
  static override properties = { ...given("pod"), ...state("apps", "busy", "refusal", "changing", "chosen") };
  /** Name of the owner's pod. */
  declare pod: string;
  declare apps: readonly AppRow[];
  declare busy: string;
  declare refusal: Refusal | null;
  /** The app whose row is open; empty for none. */
  declare changing: string;
  /** Null while the choice is not whole. */
  declare chosen: Reach | null;

  constructor() {
    super();
    this.apps = [];
    this.busy = "";
    this.refusal = null;
    this.changing = "";
    this.chosen = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load(async () => {});
  }

  async #load(work: () => Promise<unknown>): Promise<void> {
    this.refusal = null;
    try {
      await work();
      this.apps = (await ask<{ apps: readonly AppRow[] }>("GET", "/.account/apps")).apps;
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #disconnect(app: AppRow): void {
    this.busy = app.id;
    void this.#load(async () => {
      await ask("DELETE", `/.account/apps/${encodeURIComponent(app.id)}`);
      tell(`${nameOf(app)} is disconnected, from now on. It has to ask you again.`);
    });
  }

  #narrow(app: AppRow): void {
    const { chosen } = this;
    if (!chosen) return;
    this.busy = app.id;
    void this.#load(async () => {
      await ask("POST", `/.account/apps/${encodeURIComponent(app.id)}`, { ...chosen });
      this.changing = "";
      tell(`From now on ${nameOf(app)} can ${reachWords(chosen)}.`);
    });
  }

  readonly #choose = (event: Event): void => {
    const value = (event.target as HTMLElement & { readonly value: Reach | null }).value;
    if (JSON.stringify(value) !== JSON.stringify(this.chosen)) this.chosen = value;
  };

  #change(app: AppRow): TemplateResult {
    return html`<div class="stack app-change">
      <fh-reach .reach=${{ folders: app.folders, modes: app.modes }} .pod=${this.pod} @chosen=${this.#choose}></fh-reach>
      <div class="pair"><button class="second" @click=${() => (this.changing = "")}>Leave it as it is</button>
        <button class="first" ?disabled=${this.busy !== "" || this.chosen === null} @click=${() => this.#narrow(app)}>${busyWords(this.busy === app.id, "Save", "Saving …")}</button></div>
    </div>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.apps.length === 0 && !this.refusal) return nothing;
    return html`<section>
      <div class="head"><h2>Apps</h2><p class="soft">You let them in. Each does what you let it do, and no more</p></div>
      ${refusalBox(this.refusal)}
      <ul class="rows">
        ${this.apps.map(
          (app) => html`<li class="row-plain app"><span class="tile">${icon("plug")}</span>
            <span class="row-words"><strong>${nameOf(app)}</strong><small>can ${reachWords(app)}</small><small>${placeOf(app) ? `from ${placeOf(app)}, ` : ""}since ${dayOf(app.since)}</small></span>
            <button class="second small" aria-expanded=${this.changing === app.id} aria-label=${`Change what ${nameOf(app)} can do`} @click=${() => (this.changing = this.changing === app.id ? "" : app.id)}>Change</button>
            <button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Disconnect ${nameOf(app)}`} @click=${() => this.#disconnect(app)}>${busyWords(this.busy === app.id, "Disconnect", "…")}</button>
            ${this.changing === app.id ? this.#change(app) : nothing}</li>`,
        )}
      </ul>
    </section>`;
  }
}
customElements.define("fh-apps", Apps);
