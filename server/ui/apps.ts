/** `<fh-apps>`: apps that the owner has let in, and showing them out. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "./ask.ts";
import { Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { AppRow } from "./model.ts";
import { busyWords, refusalBox, tell } from "./notices.ts";
import { dayOf, hostOf } from "./words.ts";

const placeOf = ({ address, client }: AppRow): string | null =>
  address ? hostOf(address) : /^https?:/.test(client) ? hostOf(client) : null;
const nameOf = (app: AppRow): string => app.name ?? placeOf(app) ?? "An app without a name";

class Apps extends Part {
  static override properties = state("apps", "busy", "refusal");
  declare apps: readonly AppRow[];
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.apps = [];
    this.busy = "";
    this.refusal = null;
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
      tell(`${nameOf(app)} is disconnected. What it has open ends within minutes; it has to ask you again.`);
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.apps.length === 0 && !this.refusal) return nothing;
    return html`<section>
      <div class="head"><h2>Apps</h2><p class="soft">You let them in; they can do what you can do</p></div>
      ${refusalBox(this.refusal)}
      <ul class="rows">
        ${this.apps.map(
          (app) => html`<li class="row-plain"><span class="tile">${icon("plug")}</span>
            <span class="row-words"><strong>${nameOf(app)}</strong><small>${placeOf(app) ? `from ${placeOf(app)}, ` : ""}since ${dayOf(app.since)}</small></span>
            <button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Disconnect ${nameOf(app)}`} @click=${() => this.#disconnect(app)}>${busyWords(this.busy === app.id, "Disconnect", "…")}</button></li>`,
        )}
      </ul>
    </section>`;
  }
}
customElements.define("fh-apps", Apps);
