/** `<fh-less>`: choosing less than was asked for, with what is left before one's eyes. */
import type { DraftPolicy, PodPlace, Preview, Tier } from "@freehold/client/consent";
import { previewRequest } from "@freehold/client/consent";
import { html, nothing, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { endOf } from "../../parts/asking.ts";
import { refusalFrom } from "../../parts/consents.ts";
import { fieldWords } from "../../parts/data-words.ts";
import { given, Part, state } from "../../parts/element.ts";
import { busyWords, refusalBox } from "../../parts/notices.ts";
import { previewPanel } from "../../parts/preview.ts";
import { ALL, type Choice, coarser, fieldKey, narrowed, topFields } from "./narrowing.ts";

const DAY = 86_400_000;
const PAUSE_MS = 200; // Whoever ticks three boxes waits for one answer.

const TIMES: readonly (readonly [days: number, words: string])[] = [
  [1, "A day"],
  [7, "A week"],
  [30, "A month"],
  [180, "Half a year"],
];

const TIERS: Readonly<Record<Tier, string>> = {
  raw: "As it is",
  reduced: "Less exact",
  aggregate: "Only totals",
  tag: "Only yes or no",
};

class Less extends Part {
  static override properties = {
    ...given("pod", "request", "policies", "labels", "whole", "busy"),
    ...state("choice", "previews", "refusal"),
  };
  declare pod: PodPlace;
  declare request: string;
  declare policies: readonly DraftPolicy[];
  declare labels: readonly string[];
  /** What all of it would show. */
  declare whole: readonly Preview[];
  declare busy: boolean;
  declare choice: Choice;
  declare previews: readonly Preview[] | null;
  declare refusal: Refusal | null;
  #timer = 0;
  #asked = 0;

  constructor() {
    super();
    Object.assign(this, { choice: ALL, previews: null, refusal: null, busy: false });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.previews = this.whole;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.#timer);
  }

  get #given() {
    return narrowed(this.policies, this.whole, this.choice, Date.now());
  }

  #choose(part: Partial<Choice>): void {
    this.choice = { ...this.choice, ...part };
    this.previews = null;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#look(), PAUSE_MS);
  }

  async #look(): Promise<void> {
    const turn = ++this.#asked;
    const access = this.#given;
    try {
      const previews = access.length === 0 ? [] : await previewRequest(this.pod, this.request, access);
      if (turn !== this.#asked) return; // Something else was chosen meanwhile.
      this.previews = previews;
      this.refusal = null;
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  #toggle(set: "without" | "hidden", key: number | string, isIn: boolean): void {
    const next = new Set<number | string>(this.choice[set]);
    if (isIn) next.delete(key);
    else next.add(key);
    this.#choose({ [set]: next });
  }

  protected override render(): TemplateResult {
    const access = this.#given;
    const left = this.labels.filter((_, part) => !this.choice.without.has(part));
    return html`<div class="less">
      <h2 tabindex="-1">Give less</h2>
      <div class="less-parts">
        ${this.policies.map((_, part) => this.#part(part))}
        ${this.#times()}${this.#tiers()}
        ${this.policies.some(({ mode }) => mode !== null && mode !== "view") ? this.#tick("They only look, and keep no copy", this.choice.isLookOnly, (isOn) => this.#choose({ isLookOnly: isOn })) : nothing}
      </div>
      ${refusalBox(this.refusal)}
      ${access.length === 0 ? html`<p class="notice">Nothing is left. Then the answer is no.</p>` : previewPanel(this.previews, left, "What is left")}
      <div class="answers" role="group" aria-label="Your answer">
        <button class="second" @click=${() => this.dispatchEvent(new CustomEvent("back"))}>Back</button>
        <button class="second" ?disabled=${this.busy || access.length === 0} @click=${() => this.dispatchEvent(new CustomEvent("chosen", { detail: access }))}>${busyWords(this.busy, "Give this", "Giving …")}</button>
      </div>
    </div>`;
  }

  #tick(words: string, isOn: boolean, change: (isOn: boolean) => void): TemplateResult {
    return html`<label class="tick"><input type="checkbox" .checked=${isOn} @change=${(event: Event) => change((event.target as HTMLInputElement).checked)} /><span>${words}</span></label>`;
  }

  #part(part: number): TemplateResult {
    const isIn = !this.choice.without.has(part);
    const whole = this.whole[part];
    const fields = whole ? topFields(whole) : [];
    const isSeveral = this.policies.length > 1;
    return html`<fieldset class="ticks"><legend>${this.labels[part]}</legend>
      ${isSeveral ? this.#tick("Give this part", isIn, (isOn) => this.#toggle("without", part, isOn)) : nothing}
      ${isIn && fields.length > 1 ? html`<div class="fields">${fields.map((field) => this.#tick(fieldWords(field), !this.choice.hidden.has(fieldKey(part, field)), (isOn) => this.#toggle("hidden", fieldKey(part, field), isOn)))}</div>` : nothing}
    </fieldset>`;
  }

  #times(): TemplateResult {
    const end = endOf(this.policies) ?? Number.POSITIVE_INFINITY;
    const shorter = TIMES.filter(([days]) => Date.now() + days * DAY < end);
    return this.#select(
      "How long",
      "days",
      [
        ["", "As long as they ask"],
        ...shorter.toReversed().map(([days, words]) => [String(days), words] as const),
      ],
      (value) => this.#choose({ days: value === "" ? null : Number(value) }),
    );
  }

  #tiers(): TemplateResult {
    const [first] = this.policies;
    return this.#select(
      "How exact",
      "tier",
      [
        ["", TIERS[first?.tier ?? "raw"]],
        ...coarser(first?.tier ?? null).map((tier) => [tier, TIERS[tier]] as const),
      ],
      (value) => this.#choose({ tier: value === "" ? null : (value as Tier) }),
    );
  }

  #select(
    label: string,
    name: string,
    options: readonly (readonly [value: string, words: string])[],
    change: (value: string) => void,
  ): TemplateResult {
    return html`<label class="field"><span>${label}</span><select name=${name} @change=${(event: Event) => change((event.target as HTMLSelectElement).value)}>${options.map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>`;
  }
}
customElements.define("fh-less", Less);
