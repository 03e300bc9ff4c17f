/** `<fh-settings>`: name, how the pages look, how days are written, and what is kept. Each choice holds at once. */
import { html, nothing, type TemplateResult } from "lit";
import {
  chooseLight,
  chooseRegion,
  type Light,
  lightNow,
  REGIONS,
  type Region,
  regionNow,
} from "../../parts/appearance.ts";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { busyWords, faultOf, refusalBox, tell } from "../../parts/notices.ts";
import { count, spellDays } from "../../parts/words.ts";

interface Kept {
  readonly trashMs: number;
  readonly versionMs: number;
  readonly versions: number;
}

const LIGHTS: readonly (readonly [light: Light, title: string, about: string])[] = [
  ["system", "As the device", "Dark when your device is dark."],
  ["light", "Light", "Paper and ink."],
  ["dark", "Dark", "Easy on the eyes at night."],
];
const EXAMPLE = Date.UTC(2026, 1, 28, 12); // A day whose month and day cannot be mixed up.
const DAY_MS = 86_400_000;

const written = (region: Region): string =>
  new Intl.DateTimeFormat(region, {
    day: "numeric",
    month: region === "en-CA" || region === "de-CH" ? "2-digit" : "long",
    year: "numeric",
  }).format(EXAMPLE);

class Settings extends Part {
  static override properties = { ...given("me"), ...state("light", "region", "kept", "busy", "refusal") };
  declare me: Me;
  declare light: Light;
  declare region: Region;
  declare kept: Kept | null;
  declare busy: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.light = lightNow();
    this.region = regionNow();
    this.kept = null;
    this.busy = false;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    ask<Kept>("GET", "/.account/safekeeping").then(
      (kept) => (this.kept = kept),
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  async #name(name: string): Promise<void> {
    await ask("POST", "/.account/name", { name });
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  async #rename(event: SubmitEvent): Promise<void> {
    const { name = "" } = fieldsOf(event);
    const before = this.me.name;
    if (name.trim() === before) return;
    this.busy = true;
    this.refusal = null;
    try {
      await this.#name(name);
      tell(`From now on you are ${name.trim()}.`, () => this.#name(before));
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  #light(light: Light): void {
    const before = this.light;
    const choose = (one: Light): void => {
      this.light = one;
      chooseLight(one);
    };
    choose(light);
    tell("This device shows it so from now on.", async () => choose(before));
  }

  #region(region: Region): void {
    const before = this.region;
    const choose = (one: Region): void => {
      this.region = one;
      chooseRegion(one);
      spellDays(one);
    };
    choose(region);
    tell(`Days are written like ${written(region)} now.`, async () => choose(before));
  }

  protected override render(): TemplateResult {
    const { me, kept } = this;
    return html`
      <div class="head"><div><h1>Settings</h1><p class="soft">Each choice holds at once, and can be taken back.</p></div></div>
      ${refusalBox(this.refusal)}
      <section class="panel">
        <h2>${icon("person")}Your name</h2>
        <form class="stack" @submit=${(event: SubmitEvent) => this.#rename(event)}>
          <label class="field"><span>What shall we call you?</span>
            <input name="name" required maxlength="100" autocomplete="name" .value=${me.name} />
            <small>It stands on your card, which everybody can see. Your address stays as it is.</small>${faultOf(this.refusal, "name")}</label>
          <div class="row"><button class="second" ?disabled=${this.busy}>${busyWords(this.busy, "Save", "Saving …")}</button></div>
        </form>
      </section>
      <section class="panel">
        <h2>${icon("eye")}Light and dark</h2>
        <fieldset class="choices"><legend class="hidden">Light and dark, on this device</legend>
          ${LIGHTS.map(
            ([light, title, about]) =>
              html`<label class="choice"><input type="radio" name="light" .checked=${this.light === light} @change=${() => this.#light(light)} /><span><strong>${title}</strong><small>${about}</small></span></label>`,
          )}
        </fieldset>
        <p class="soft small">For this device alone.</p>
      </section>
      <section class="panel">
        <h2>${icon("clock")}How days are written</h2>
        <label class="field"><span>For example</span>
          <select @change=${(event: Event) => this.#region((event.target as HTMLSelectElement).value as Region)}>
            ${REGIONS.map((region) => html`<option value=${region} ?selected=${region === this.region}>${written(region)}</option>`)}
          </select></label>
        <p class="soft small">For this device alone.</p>
      </section>
      <section class="panel">
        <h2>${icon("trash")}What is kept</h2>
        ${
          kept
            ? html`<p>What you delete stays in the <a href="#/trash">trash</a> for ${count(Math.round(kept.trashMs / DAY_MS), "day")}. Of each document, up to ${count(kept.versions, "earlier version")} ${kept.versions === 1 ? "is" : "are"} kept, for ${count(Math.round(kept.versionMs / DAY_MS), "day")}.</p>
              <p class="soft small">Whoever runs this server decides how long.</p>`
            : nothing
        }
      </section>
      <section>
        <h2>Elsewhere</h2>
        <ul class="rows">
          ${this.#link("preferences", "sliders", "Your rules", "Who may ask you for something, and how often")}
          ${this.#link("security", "shield", "Security", "How you sign in, new keys, and the last backup")}
          ${this.#link("leave", "move", "Take along or leave", "Export, move or erase your pod")}
        </ul>
      </section>
    `;
  }

  #link(room: string, picture: "sliders" | "shield" | "move", title: string, about: string): TemplateResult {
    return html`<li><a class="row-link" href=${`#/${room}`}><span class="tile">${icon(picture)}</span><span class="row-words"><strong>${title}</strong><small>${about}</small></span>${icon("next")}</a></li>`;
  }
}
customElements.define("fh-settings", Settings);
