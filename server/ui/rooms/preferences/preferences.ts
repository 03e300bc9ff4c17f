/** `<fh-preferences>`: what goes without asking, in six steps; for all, for a kind of company, for one; saved at once. */
import { type PodPlace, preferences, setPreferences } from "@freehold/client/consent";
import { html, nothing, svg, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { letterOf, nameOfParty } from "../../parts/asking.ts";
import { type PartyRow, partiesOf, podOf, refusalFrom, strangerOf } from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, State } from "../../parts/model.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import {
  asJson,
  CHANNELS,
  fromJson,
  KINDS,
  LEVELS,
  NEVER,
  outcomeWords,
  type Preferences,
  type Standing,
  SWITCHES,
  sumOf,
  type Tried,
  tryOut,
} from "./model.ts";

type Quiet = Preferences["campaigns"]["quiet"][number];
const FRESH_MS = 396 * 86_400_000; // As the pod has it.
const NIGHT: Quiet = { from: "20:00", until: "08:00" };

/** With somebody's step changed, or none of their own any more. */
function withStanding(
  all: Readonly<Record<string, Standing>>,
  name: string,
  value: string,
): Readonly<Record<string, Standing>> {
  const { [name]: before, ...others } = all;
  return value === ""
    ? others
    : { ...others, [name]: { level: Number(value), switches: before?.switches ?? [] } };
}

const toggled = (list: readonly string[], one: string, isIn: boolean): readonly string[] =>
  isIn ? [...list.filter((other) => other !== one), one] : list.filter((other) => other !== one);

class PreferencesRoom extends Part {
  static override properties = {
    ...given("me", "server"),
    ...state("now", "parties", "tried", "busy", "refusal"),
  };
  declare me: Me;
  declare server: State;
  declare now: Preferences | null;
  declare parties: readonly PartyRow[];
  /** By step, what it would have made of the last requests. */
  declare tried: readonly (readonly Tried[])[];
  declare busy: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    Object.assign(this, { now: null, parties: [], tried: [], busy: false, refusal: null });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  get #pod(): PodPlace {
    return podOf(this.me, this.server);
  }

  async #load(): Promise<void> {
    try {
      const pod = this.#pod;
      const [now, parties] = await Promise.all([preferences(pod), partiesOf(pod)]);
      this.parties = parties;
      this.now = fromJson(now);
      this.refusal = null;
      await this.#try();
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  async #try(): Promise<void> {
    const { now } = this;
    if (!now) return;
    this.tried = await Promise.all(
      LEVELS.map((_, level) => tryOut(this.#pod, { ...now, everybody: { ...now.everybody, level } })),
    );
  }

  async #put(next: Preferences): Promise<void> {
    this.now = fromJson(await setPreferences(this.#pod, asJson(next)));
    await this.#try();
  }

  async #save(part: Partial<Preferences>, text = "Saved."): Promise<void> {
    const before = this.now;
    if (!before) return;
    this.busy = true;
    this.refusal = null;
    try {
      await this.#put({ ...before, ...part });
      tell(text, () => this.#put(before));
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = false;
      this.requestUpdate(); // What was refused is shown as it still is.
    }
  }

  protected override render(): TemplateResult {
    const { now } = this;
    return html`<div>
      <div class="head"><div><h1>Your rules</h1><p class="soft">What goes without asking you. All else waits for you under <a href="#/requests">Requests</a>.</p></div></div>
      ${refusalBox(this.refusal)}
      ${now ? this.#all(now) : this.refusal ? html`<button class="second" @click=${() => this.#load()}>Try again</button>` : waiting("Looking …")}
    </div>`;
  }

  #all(now: Preferences): TemplateResult {
    return html`
      ${this.#unconfirmed(now)}
      ${this.#levels(now)}
      <p class="notice good">${icon("shield")}<span>Some things are always asked: your health, your children, and whoever you never dealt with.</span></p>
      ${this.#lastRequests(now)}
      <section class="two">${this.#switches(now)}${this.#never(now)}</section>
      ${this.#kinds(now)}
      ${this.#companies(now)}
      ${this.#calling(now)}`;
  }

  /** Nothing goes by itself before somebody has said so, nor long after. */
  #unconfirmed({ everybody }: Preferences): TemplateResult | typeof nothing {
    const { level, switches, confirmed = 0 } = everybody;
    if (confirmed === 0)
      return html`<p class="notice">${icon("asking")}<span><strong>You have not chosen yet.</strong> Until you do, you are asked each time.</span></p>`;
    if (Date.now() - confirmed <= FRESH_MS) return nothing;
    return html`<div class="notice">${icon("clock")}<div><strong>You chose this more than a year ago.</strong> It gives nothing new until you say it still holds.
      <div class="row"><button class="second" ?disabled=${this.busy} @click=${() => this.#save({ everybody: { level, switches } })}>It still holds</button></div></div></div>`;
  }

  #levels({ everybody }: Preferences): TemplateResult {
    return html`<section><h2 id="levels">How open are you?</h2><div class="levels" role="radiogroup" aria-labelledby="levels">
      ${LEVELS.map(({ name, words, example }, level) => {
        const sum = sumOf(this.tried[level] ?? []);
        return html`<label class="choice level"><input type="radio" name="level" value=${level} .checked=${everybody.confirmed !== 0 && everybody.level === level} ?disabled=${this.busy} @change=${() => this.#save({ everybody: { level, switches: everybody.switches } }, level < everybody.level ? "Saved. What your rules gave shrinks with them." : "Saved.")} />
          ${ladder(level)}
          <span><strong>${level} · ${name}</strong><span class="words">${words}</span><small>${example}</small>${sum === "" ? nothing : html`<small class="sum">Your last requests: ${sum}</small>`}</span></label>`;
      })}</div></section>`;
  }

  #lastRequests({ everybody }: Preferences): TemplateResult | typeof nothing {
    const tried = this.tried[everybody.level] ?? [];
    if (tried.length === 0) return nothing;
    return html`<details class="panel"><summary>If your last ${tried.length === 1 ? "request" : `${tried.length} requests`} came today</summary>
      <ul class="plain">${tried.map(({ explanation, outcome }) => html`<li><span class="badge ${outcome === "grant" || outcome === "narrow" ? "some" : ""}">${outcomeWords(outcome)}</span> ${explanation}</li>`)}</ul></details>`;
  }

  #tick(
    words: string,
    about: string,
    isOn: boolean,
    change: (isOn: boolean) => void,
    isOff = false,
  ): TemplateResult {
    return html`<label class="tick"><input type="checkbox" .checked=${isOn} ?disabled=${this.busy || isOff} @change=${(event: Event) => change((event.target as HTMLInputElement).checked)} /><span><strong>${words}</strong>${about === "" ? nothing : html`<small>${about}</small>`}</span></label>`;
  }

  #switches({ everybody }: Preferences): TemplateResult {
    const { level, switches } = everybody;
    return html`<article class="panel"><h2>${icon("plus")}Also, if you like</h2><p class="soft">${everybody.confirmed === 0 ? "First choose a step above." : "Each by itself. Closed stays closed."}</p>
      ${SWITCHES.map(([name, words, about]) => this.#tick(words, about, switches.includes(name), (isOn) => void this.#save({ everybody: { level, switches: toggled(switches, name, isOn) } }), everybody.confirmed === 0))}</article>`;
  }

  #never({ never }: Preferences): TemplateResult {
    return html`<article class="panel"><h2>${icon("lock")}Never</h2><p class="soft">Whoever asks for this is told no.</p>
      <div class="nevers">${NEVER.map(([kind, address, words]) => this.#tick(words, "", never[kind].includes(address), (isOn) => void this.#save({ never: { ...never, [kind]: toggled(never[kind], address, isOn) } })))}</div></article>`;
  }

  #select(label: string, value: string, none: string, change: (value: string) => void): TemplateResult {
    return html`<select aria-label=${label} ?disabled=${this.busy} .value=${value} @change=${(event: Event) => change((event.target as HTMLSelectElement).value)}><option value="" ?selected=${value === ""}>${none}</option>${LEVELS.map(({ name }, level) => html`<option value=${level} ?selected=${value === String(level)}>${level} · ${name}</option>`)}</select>`;
  }

  #kinds({ vendorCategories }: Preferences): TemplateResult {
    return html`<section><h2>For a kind of company</h2><ul class="rows">${KINDS.map(
      ([kind, words]) =>
        html`<li class="row-plain ruled"><span class="row-words"><strong>${words}</strong></span>${this.#select(`Rule for ${words}`, String(vendorCategories[kind]?.level ?? ""), "Like all", (value) => void this.#save({ vendorCategories: withStanding(vendorCategories, kind, value) }))}</li>`,
    )}</ul></section>`;
  }

  #companies({ vendors, vendorKinds, blocked }: Preferences): TemplateResult | typeof nothing {
    const ids = new Set([...this.parties.map(({ id }) => id), ...Object.keys(vendors)]);
    if (ids.size === 0) return nothing;
    const parties = [...ids].map((id) => this.parties.find((party) => party.id === id) ?? strangerOf(id));
    return html`<section><h2>For one company</h2><ul class="rows">${parties.map((party) => {
      const { id } = party;
      const name = nameOfParty(party);
      const kind = vendorKinds[id]?.[0] ?? "";
      return html`<li class="row-plain ruled"><span class="avatar">${letterOf(name)}</span><span class="row-words"><strong>${name}</strong>${blocked.includes(id) ? html`<small>Blocked: always no</small>` : nothing}</span>
        <select aria-label=${`What ${name} is`} ?disabled=${this.busy} @change=${(event: Event) => void this.#save({ vendorKinds: kindsWith(vendorKinds, id, (event.target as HTMLSelectElement).value) })}><option value="" ?selected=${kind === ""}>No kind</option>${KINDS.map(([one, words]) => html`<option value=${one} ?selected=${kind === one}>${words}</option>`)}</select>
        ${this.#select(`Rule for ${name}`, String(vendors[id]?.level ?? ""), "Like its kind", (value) => void this.#save({ vendors: withStanding(vendors, id, value) }))}</li>`;
    })}</ul></section>`;
  }

  #calling({ campaigns }: Preferences): TemplateResult {
    const [quiet] = campaigns.quiet;
    const save = (part: Partial<Preferences["campaigns"]>): void => {
      const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const { confirmed: _before, ...rest } = campaigns as Preferences["campaigns"] & { confirmed?: number };
      void this.#save({ campaigns: { ...rest, timeZone, ...part } });
    };
    const time = (label: string, name: keyof Quiet): TemplateResult =>
      html`<label class="field"><span>${label}</span><input type="time" .value=${quiet?.[name] ?? ""} ?disabled=${this.busy} @change=${(event: Event) => save({ quiet: [{ ...(quiet ?? NIGHT), [name]: (event.target as HTMLInputElement).value || NIGHT[name] }] })} /></label>`;
    return html`<section><h2>How they may speak to you</h2><p class="soft">No tick means not at all. What can wait comes once a week, or when five wait.</p>
      <article class="panel"><div class="channels">${CHANNELS.map(([name, words]) => this.#tick(words, "", campaigns.channels.includes(name), (isOn) => save({ channels: toggled(campaigns.channels, name, isOn) })))}</div>
        <div class="hours">${time("Quiet from", "from")}${time("Quiet until", "until")}
          <label class="field"><span>At most a week</span><input type="number" min="0" max="100" .value=${campaigns.maxPerWeek === null ? "" : String(campaigns.maxPerWeek)} ?disabled=${this.busy} @change=${(
            event: Event,
          ) => {
            const { value } = event.target as HTMLInputElement;
            save({ maxPerWeek: value === "" ? null : Number(value) });
          }} /></label></div>
        ${quiet ? html`<button class="second small" ?disabled=${this.busy} @click=${() => save({ quiet: [] })}>No quiet hours</button>` : nothing}</article></section>`;
  }
}
customElements.define("fh-preferences", PreferencesRoom);

function kindsWith(
  all: Readonly<Record<string, readonly string[]>>,
  id: string,
  kind: string,
): Readonly<Record<string, readonly string[]>> {
  const { [id]: _before, ...others } = all;
  return kind === "" ? others : { ...others, [id]: [kind] };
}

/** Five steps, as many of them filled as are gone. */
const ladder = (level: number): TemplateResult =>
  html`<svg class="ladder" viewBox="0 0 50 30" aria-hidden="true">${[1, 2, 3, 4, 5].map((step) => svg`<rect class=${step <= level ? "gone" : "left"} x=${(step - 1) * 10 + 1} y=${30 - step * 6} width="8" height=${step * 6} rx="1.5" />`)}</svg>`;
