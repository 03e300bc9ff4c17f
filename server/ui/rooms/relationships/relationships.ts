/** `<fh-relationships>`: with whom the owner has to do, by name; behind each name what they have and what they did. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { letterOf, nameOfParty } from "../../parts/asking.ts";
import { type PartyRow, partiesOf, podOf, refusalFrom } from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, Overview, State } from "../../parts/model.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { agoOf, count } from "../../parts/words.ts";
import "./company.ts";
import "./give.ts";

const GIVE = "give";

class Relationships extends Part {
  static override properties = {
    ...given("me", "server", "overview", "rest"),
    ...state("parties", "refusal"),
  };
  declare me: Me;
  declare server: State;
  declare overview: Overview;
  declare rest: string;
  declare parties: readonly PartyRow[] | null;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.parties = null;
    this.refusal = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("rest") && this.rest === "") void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.parties = await partiesOf(podOf(this.me, this.server));
      this.refusal = null;
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  protected override render(): TemplateResult {
    const { rest } = this;
    const pod = podOf(this.me, this.server);
    if (rest === GIVE) return html`<fh-give .pod=${pod} .items=${this.overview.items}></fh-give>`;
    if (rest !== "") return html`<fh-company .pod=${pod} .who=${addressIn(rest)}></fh-company>`;
    const { parties } = this;
    return html`<div>
      <div class="head"><div><h1>Companies</h1><p class="soft">Whom you gave something, and what they did with it.</p></div>
        <a class="button second" href=${`#/relationships/${GIVE}`}>${icon("plus")}Give something</a></div>
      ${refusalBox(this.refusal)}
      ${parties ? this.#list(parties) : this.refusal ? html`<button class="second" @click=${() => this.#load()}>Try again</button>` : waiting("Looking …")}
    </div>`;
  }

  #list(parties: readonly PartyRow[]): TemplateResult {
    if (parties.length === 0)
      return html`<div class="empty">${icon("case")}<p><strong>You deal with nobody yet.</strong><br />Whoever asks you for data, or gets some, stands here.</p></div>`;
    const sorted = parties.toSorted((a, b) => b.grants - a.grants || (b.lastUse ?? 0) - (a.lastUse ?? 0));
    return html`<ul class="rows">${sorted.map(
      (party) =>
        html`<li><a class="row-link" href=${`#/relationships/${encodeURIComponent(party.id)}`}><span class="avatar">${letterOf(nameOfParty(party))}</span>
          <span class="row-words"><strong>${nameOfParty(party)}</strong><small>${factsOf(party)}</small></span>
          ${party.isBlocked ? html`<span class="badge all">${icon("lock")}Blocked</span>` : party.waiting > 0 ? html`<span class="badge some">${icon("asking")}Waits</span>` : nothing}${icon("next")}</a></li>`,
    )}</ul>`;
  }
}
customElements.define("fh-relationships", Relationships);

/** What stands in the address of the page; what is no spelling of an address is shown as it is. */
function addressIn(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

function factsOf({ grants, uses, lastUse }: PartyRow): string {
  const has = grants === 0 ? "Has nothing" : `Has ${count(grants, "thing")}`;
  const read = lastUse === null ? "never looked" : `looked ${count(uses, "time")}, last ${agoOf(lastUse)}`;
  return `${has}, ${read}`;
}
