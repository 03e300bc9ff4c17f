/** `<fh-by-app>`: what goes out by way of apps: yours, and those that others may use to see something of yours. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { AppRow, Overview } from "../../parts/model.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { reachWords } from "../../parts/reach.ts";
import { hostOf } from "../../parts/words.ts";
import { consentRow, entryRow, type TakeBack } from "./by-person.ts";

class ByApp extends Part {
  static override properties = { ...given("overview", "takeBack"), ...state("apps", "refusal") };
  declare overview: Overview;
  declare takeBack: TakeBack;
  declare apps: readonly AppRow[] | null;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.apps = null;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void ask<{ apps: readonly AppRow[] }>("GET", "/.account/apps").then(
      ({ apps }) => (this.apps = apps),
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  protected override render(): TemplateResult {
    return html`<section>
        <div class="head"><h2>Your own apps</h2><p class="soft">They act in your name, as far as you let them.</p></div>
        ${refusalBox(this.refusal)}
        ${this.apps ? this.#own(this.apps) : this.refusal ? nothing : waiting("Looking …")}
      </section>
      ${this.#others()}`;
  }

  #own(apps: readonly AppRow[]): TemplateResult {
    if (apps.length === 0)
      return html`<div class="empty">${icon("plug")}<p><strong>You have let in no app.</strong><br />When one asks, you choose what it can do.</p></div>`;
    return html`<ul class="rows">${apps.map((app) => {
      const name = app.name ?? hostOf(app.address ?? app.client);
      return html`<li><a class="row-link" href="#/apps"><span class="tile">${icon("plug")}</span><span class="row-words"><strong>${name}</strong><small>can ${reachWords(app)}</small></span>${icon("next")}</a></li>`;
    })}</ul>`;
  }

  /** What is open to others only by way of an app. */
  #others(): TemplateResult | typeof nothing {
    const { entries, consents } = this.overview;
    const apps = [...new Set([...entries, ...consents].flatMap((entry) => entry.apps))];
    if (apps.length === 0) return nothing;
    return html`<section>
      <div class="head"><h2>Apps of others</h2><p class="soft">Somebody else sees something of yours, but only with this app.</p></div>
      ${apps.map(
        (
          app,
        ) => html`<article class="panel person"><header><span class="tile">${icon("plug")}</span><div class="row-words"><h3>${hostOf(app)}</h3><small class="address">${app}</small></div></header>
          <ul>${entries.filter((entry) => entry.apps.includes(app)).map((entry) => entryRow(entry, this.takeBack))}
            ${consents.filter((consent) => consent.apps.includes(app)).map(consentRow)}</ul></article>`,
      )}
    </section>`;
  }
}
customElements.define("fh-by-app", ByApp);
