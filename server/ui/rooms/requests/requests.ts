/** `<fh-requests>`: what waits for an answer, what somebody should look at, and what was answered lately. */
import { accessRequests, type PodPlace, type RequestedAccess, undoDecision } from "@freehold/client/consent";
import { html, nothing, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { letterOf, nameOfParty, whatWords } from "../../parts/asking.ts";
import {
  type AttentionRow,
  assigneeOf,
  attentionOf,
  type DecisionRow,
  decisionsOf,
  dismissAttention,
  type PartyRow,
  partiesOf,
  podOf,
  refusalFrom,
  strangerOf,
} from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, State } from "../../parts/model.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import { agoOf, count, placeOf } from "../../parts/words.ts";
import { policiesIn } from "./reading.ts";
import "./request.ts";

const ANSWERED_SHOWN = 12;

const STATES: Readonly<Record<string, string>> = {
  Granted: "Yes",
  Denied: "No",
  Canceled: "Taken back by them",
  Expired: "No answer in time",
};

class Requests extends Part {
  static override properties = {
    ...given("me", "server", "rest"),
    ...state("requests", "decisions", "parties", "attention", "busy", "refusal"),
  };
  declare me: Me;
  declare server: State;
  declare rest: string;
  declare requests: readonly RequestedAccess[] | null;
  declare decisions: readonly DecisionRow[];
  declare parties: ReadonlyMap<string, PartyRow>;
  declare attention: readonly AttentionRow[];
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    Object.assign(this, {
      requests: null,
      decisions: [],
      parties: new Map(),
      attention: [],
      busy: "",
      refusal: null,
    });
    this.addEventListener("answered", (event) => {
      const { decision, text } = (event as CustomEvent<{ decision: string; text: string }>).detail;
      location.hash = "#/requests";
      void this.#load();
      tell(text, () => this.#takeBack(decision));
    });
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
      const [requests, decisions, parties, attention] = await Promise.all([
        accessRequests(pod),
        decisionsOf(pod),
        partiesOf(pod),
        attentionOf(pod),
      ]);
      this.decisions = decisions;
      this.parties = new Map(parties.map((party) => [party.id, party]));
      this.attention = attention;
      this.requests = requests;
      this.refusal = null;
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  async #takeBack(decision: string): Promise<void> {
    await undoDecision(this.#pod, decision);
    await this.#load();
  }

  async #undo(decision: DecisionRow): Promise<void> {
    this.busy = decision.id;
    try {
      await this.#takeBack(decision.id);
      tell("It waits for your answer again.");
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = "";
    }
  }

  async #dismiss({ id }: AttentionRow): Promise<void> {
    try {
      await dismissAttention(this.#pod, id);
      this.attention = this.attention.filter((one) => one.id !== id);
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  #partyOf(request: RequestedAccess): PartyRow {
    const id = assigneeOf(request.document);
    return this.parties.get(id) ?? strangerOf(id);
  }

  protected override render(): TemplateResult {
    const { requests, rest } = this;
    if (!requests)
      return html`<div><h1>Requests</h1>${refusalBox(this.refusal)}${this.refusal ? html`<button class="second" @click=${() => this.#load()}>Try again</button>` : waiting("Looking …")}</div>`;
    if (rest !== "") {
      const request = requests.find(({ id }) => id.endsWith(`/${rest}`));
      if (!request) return this.#gone();
      return html`<fh-request .pod=${this.#pod} .request=${request} .party=${this.#partyOf(request)} .decision=${this.decisions.find((one) => one.request === request.id) ?? null}></fh-request>`;
    }
    return this.#list(requests);
  }

  #gone(): TemplateResult {
    return html`<div><h1>This request is gone</h1><p class="soft">They may have taken it back.</p><p><a class="button second" href="#/requests">See all requests</a></p></div>`;
  }

  #list(requests: readonly RequestedAccess[]): TemplateResult {
    const now = requests.filter((one) => one.state === "Pending");
    const later = requests.filter((one) => one.state === "Deferred");
    const done = requests.filter((one) => one.state !== "Pending" && one.state !== "Deferred");
    return html`<div>
      <div class="head"><div><h1>Requests${now.length > 0 ? html` <span class="badge all">${count(now.length, "waits", "wait")}</span>` : nothing}</h1>
        <p class="soft">Nobody gets anything until you say yes, or your rules do.</p></div>
        <a class="button second" href="#/preferences">${icon("sliders")}Your rules</a></div>
      ${refusalBox(this.refusal)}
      ${this.attention.length > 0 ? this.#alerts() : nothing}
      ${
        now.length === 0
          ? html`<div class="empty">${icon("asking")}<p><strong>Nothing waits for you.</strong><br />When somebody asks for your data, it stands here.</p></div>`
          : html`<section><h2>Waiting for you</h2>${this.#rows(now)}</section>`
      }
      ${later.length > 0 ? html`<section><h2>Can wait</h2><p class="soft">These end after 30 days. No answer is never a yes.</p>${this.#rows(later)}</section>` : nothing}
      ${done.length > 0 ? html`<section><h2>Answered lately</h2><ul class="rows">${done.slice(0, ANSWERED_SHOWN).map((one) => this.#answered(one))}</ul></section>` : nothing}
    </div>`;
  }

  #rows(requests: readonly RequestedAccess[]): TemplateResult {
    return html`<ul class="rows">${requests.map((request) => {
      const party = this.#partyOf(request);
      const policies = policiesIn(request.document);
      const received = Date.parse(String(request.document["received"]));
      return html`<li><a class="row-link" href=${`#/requests/${request.id.split("/").at(-1) ?? ""}`}><span class="avatar">${letterOf(nameOfParty(party))}</span>
        <span class="row-words"><strong>${nameOfParty(party)}</strong><small>${whatWords(policies, this.#pod.url)} · ${agoOf(received)}</small></span>${icon("next")}</a></li>`;
    })}</ul>`;
  }

  #answered(request: RequestedAccess): TemplateResult {
    const party = this.#partyOf(request);
    const decision = this.decisions.find((one) => one.request === request.id);
    const less = decision?.outcome === "narrow" && request.state === "Granted" ? "Yes, less" : null;
    const answer = less ?? STATES[request.state] ?? request.state;
    const isOpen = decision?.undoUntil !== undefined && Date.parse(decision.undoUntil) > Date.now();
    const isGiven = request.state === "Granted";
    return html`<li class="row-plain answered"><span class="tile">${icon(isGiven ? "check" : "close")}</span>
      <span class="row-words"><strong>${nameOfParty(party)}: ${answer}</strong><small>${decision?.explanation ?? ""}</small>${decision ? html`<small>${agoOf(Date.parse(decision.at))}</small>` : nothing}
        ${decision?.decidedBy === "policy" ? html`<span class="badge some">${icon("sliders")}By your rules</span>` : nothing}</span>
      ${isOpen && decision && request.state !== "Canceled" ? html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Undo: ${nameOfParty(party)}`} @click=${() => this.#undo(decision)}>Undo</button>` : nothing}
      ${isGiven ? html`<a class="button quiet icon-only" href=${`#/relationships/${encodeURIComponent(party.id)}`} aria-label=${`See what ${nameOfParty(party)} has`}>${icon("next")}</a>` : nothing}</li>`;
  }

  #alerts(): TemplateResult {
    return html`<section><h2>Look at this</h2>${this.attention.map((alert) => {
      const party =
        alert.agent === null || alert.agent === "*"
          ? null
          : (this.parties.get(alert.agent) ?? strangerOf(alert.agent));
      return html`<div class="notice">${icon("warn")}<div><strong>${alertWords(alert, party ? nameOfParty(party) : "Somebody")}</strong>
        <p>${nextWords(alert)} <span class="soft">${agoOf(Date.parse(alert.at))}</span></p>
        <div class="row">${party ? html`<a class="button second" href=${`#/relationships/${encodeURIComponent(party.id)}`}>Look closer</a>` : nothing}
          <button class="second" @click=${() => this.#dismiss(alert)}>I have seen it</button></div></div></div>`;
    })}</section>`;
  }
}
customElements.define("fh-requests", Requests);

/** What happened, in one sentence. */
function alertWords({ kind, reads, usual, target, count: times }: AttentionRow, name: string): string {
  const place = target === null ? "a place you watch" : placeOf(new URL(target).pathname);
  switch (kind) {
    case "unusual-amount":
      return `${name} read far more than usual: ${reads ?? "many"} files in a day, where ${usual ?? "few"} are usual.`;
    case "unknown-client":
      return `${name} came with an app that you do not know.`;
    case "honey":
      return `${name} looked at ${place}${times > 1 ? `, ${times} times` : ""}.`;
    case "vendor-delisted":
      return `${name} was struck off the public list of companies.`;
    case "vendor-reinstated":
      return `${name} is back on the public list of companies.`;
    default:
      return `What you gave ${name} came along from your old home.`;
  }
}

function nextWords({ kind, grant }: AttentionRow): string {
  if (kind === "vendor-reinstated") return "What you gave them goes on.";
  if (kind === "grant-moved") return "It rests until you let it go on.";
  return grant === null && kind !== "vendor-delisted" ? "Nothing was given." : "What they have rests now.";
}
