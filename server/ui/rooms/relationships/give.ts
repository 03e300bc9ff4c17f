/** `<fh-give>`: giving somebody something unasked, with the real values before one's eyes. */
import {
  giveAccess,
  type PodPlace,
  type Preview,
  previewAccess,
  revokeGrant,
  type Tier,
  type WantedAccess,
} from "@freehold/client/consent";
import { html, nothing, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { refusalFrom } from "../../parts/consents.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Item } from "../../parts/model.ts";
import { busyWords, refusalBox, tell } from "../../parts/notices.ts";
import { previewPanel } from "../../parts/preview.ts";
import { purposeWords } from "../../parts/purpose-words.ts";

const DAY = 86_400_000;
const DPV = "https://w3id.org/dpv#";
const PURPOSES = [
  "RequestedServiceProvision",
  "DeliveryOfGoods",
  "CommunicationForCustomerCare",
  "Personalisation",
  "AcademicResearch",
].map((name) => `${DPV}${name}`);
const TIMES: readonly (readonly [days: number, words: string])[] = [
  [7, "A week"],
  [30, "A month"],
  [180, "Half a year"],
  [365, "A year"],
];
const TIERS: readonly (readonly [tier: Tier, words: string])[] = [
  ["raw", "As it is"],
  ["reduced", "Less exact"],
  ["aggregate", "Only totals"],
  ["tag", "Only yes or no"],
];

class Give extends Part {
  static override properties = {
    ...given("pod", "items"),
    ...state("previews", "isLooking", "busy", "refusal"),
  };
  declare pod: PodPlace;
  declare items: readonly Item[];
  declare previews: readonly Preview[] | null;
  declare isLooking: boolean;
  declare busy: boolean;
  declare refusal: Refusal | null;
  #asked = 0;

  constructor() {
    super();
    Object.assign(this, { previews: null, isLooking: false, busy: false, refusal: null });
  }

  #wish(fields: Readonly<Record<string, string>>): {
    readonly to: string;
    readonly access: readonly WantedAccess[];
  } {
    const root = new URL(this.pod.url).pathname;
    const access = {
      places: [fields["place"]?.slice(root.length) ?? ""],
      purposes: [fields["purpose"] ?? ""],
      until: new Date(Date.now() + Number(fields["days"]) * DAY),
      tier: fields["tier"] as Tier,
    };
    return { to: fields["to"]?.trim() ?? "", access: [access] };
  }

  async #look(form: HTMLFormElement): Promise<void> {
    const turn = ++this.#asked;
    const fields = Object.fromEntries(new FormData(form)) as Record<string, string>;
    const { to, access } = this.#wish(fields);
    this.previews = null;
    this.isLooking = URL.canParse(to) && fields["place"] !== "";
    if (!this.isLooking) return;
    try {
      const previews = await previewAccess(this.pod, to, { access });
      if (turn !== this.#asked) return; // Something else was chosen meanwhile.
      this.previews = previews;
      this.refusal = null;
    } catch (error) {
      if (turn !== this.#asked) return;
      this.isLooking = false;
      this.refusal = refusalFrom(error);
    }
  }

  async #give(event: SubmitEvent): Promise<void> {
    const { to, access } = this.#wish(fieldsOf(event));
    this.busy = true;
    this.refusal = null;
    const { pod } = this;
    try {
      const { id } = await giveAccess(pod, to, { access });
      location.hash = `#/relationships/${encodeURIComponent(to)}`;
      tell("Given.", async () => {
        await revokeGrant(pod, id);
        location.hash = "#/relationships";
      });
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    return html`<div>
      <a class="back" href="#/relationships">${icon("back")}All companies</a>
      <h1>Give something</h1>
      ${refusalBox(this.refusal)}
      <form class="stack panel" @submit=${(event: SubmitEvent) => this.#give(event)} @change=${(event: Event) => this.#look((event.target as HTMLInputElement).form as HTMLFormElement)}>
        <label class="field"><span>To whom</span><input name="to" type="url" required autocomplete="off" spellcheck="false" placeholder="https://…" /><small>Their address, as they sent it to you.</small></label>
        <label class="field"><span>What</span><select name="place" required><option value="">Choose …</option>${this.items.map(({ path, name, isFolder }) => html`<option value=${path}>${name}${isFolder ? " (folder)" : ""}</option>`)}</select></label>
        <label class="field"><span>What for</span><select name="purpose">${PURPOSES.map((one) => html`<option value=${one}>To ${purposeWords(one)}</option>`)}</select></label>
        <div class="pair">
          <label class="field"><span>How long</span><select name="days">${TIMES.map(([days, words]) => html`<option value=${days} ?selected=${days === 30}>${words}</option>`)}</select></label>
          <label class="field"><span>How exact</span><select name="tier">${TIERS.map(([tier, words]) => html`<option value=${tier}>${words}</option>`)}</select></label></div>
        ${this.isLooking ? previewPanel(this.previews, []) : nothing}
        <button class="first" ?disabled=${this.busy}>${busyWords(this.busy, "Give it", "Giving …")}</button>
      </form></div>`;
  }
}
customElements.define("fh-give", Give);
