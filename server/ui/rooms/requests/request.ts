/** `<fh-request>`: one request on one screen, with the real values; four answers of one size. */
import {
  type DraftPolicy,
  decideRequest,
  type PodPlace,
  type Preview,
  previewRequest,
  type RequestedAccess,
  type WantedAccess,
} from "@freehold/client/consent";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { capital, letterOf, nameOfParty, sayRequest, targetWords } from "../../parts/asking.ts";
import { type DecisionRow, type PartyRow, refusalFrom } from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import { busyWords, refusalBox } from "../../parts/notices.ts";
import { previewPanel } from "../../parts/preview.ts";
import "./less.ts";
import { policiesIn } from "./reading.ts";

type Answer = "defer" | "deny" | "less" | "grant";

const ANSWERS: readonly (readonly [answer: Answer, words: string])[] = [
  ["defer", "Not now"],
  ["deny", "No"],
  ["less", "Yes, less"],
  ["grant", "Yes"],
];

const PICTURES: Readonly<Record<string, IconName>> = {
  What: "box",
  Why: "asking",
  "How long": "clock",
  "They keep": "copy",
  "You get": "plus",
};

const SAID: Readonly<Record<Exclude<Answer, "less">, string>> = {
  defer: "It can wait.",
  deny: "You said no.",
  grant: "You said yes.",
};

class Request extends Part {
  static override properties = {
    ...given("pod", "request", "party", "decision"),
    ...state("previews", "busy", "refusal", "isLess"),
  };
  declare pod: PodPlace;
  declare request: RequestedAccess;
  declare party: PartyRow;
  declare decision: DecisionRow | null;
  declare previews: readonly Preview[] | null;
  declare busy: Answer | "";
  declare refusal: Refusal | null;
  /** Whether less of it is being chosen. */
  declare isLess: boolean;

  constructor() {
    super();
    Object.assign(this, { previews: null, busy: "", refusal: null, isLess: false });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("request");
    if (!changed.has("request") || before?.id === this.request.id) return;
    Object.assign(this, { previews: null, isLess: false, refusal: null });
    void this.#look();
  }

  async #look(): Promise<void> {
    const { id } = this.request;
    try {
      const previews = await previewRequest(this.pod, id);
      if (this.request.id === id) this.previews = previews;
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  async #answer(answer: Exclude<Answer, "less">, access?: readonly WantedAccess[]): Promise<void> {
    this.busy = answer;
    this.refusal = null;
    try {
      const decision =
        answer === "grant" ? { outcome: answer, ...(access && { access }) } : { outcome: answer };
      const { id } = await decideRequest(this.pod, this.request.id, decision);
      const detail = { decision: id, text: access ? "You gave less than they asked for." : SAID[answer] };
      this.dispatchEvent(new CustomEvent("answered", { bubbles: true, detail }));
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = "";
    }
  }

  get #isOpen(): boolean {
    return this.request.state === "Pending" || this.request.state === "Deferred";
  }

  protected override render(): TemplateResult {
    const { party, pod, request } = this;
    const policies = policiesIn(request.document);
    const name = nameOfParty(party);
    const who = { name, host: name === party.host ? "" : party.host };
    const saying = sayRequest(who, policies, request.document, pod.url);
    const labels = policies.map((policy) => capital(targetWords(policy, pod.url)));
    return html`<div class="asking-page">
      <a class="back" href="#/requests">${icon("back")}All requests</a>
      <div class="sheet-of" data-words>
        <div class="asker"><span class="avatar square">${letterOf(name)}</span>
          <div><h1>${saying.title}</h1>${saying.host === "" ? nothing : html`<small>${saying.host}</small>`}${this.#badge()}</div></div>
        <dl class="terms">${saying.lines.map(
          ([heading, words]) =>
            html`<div><dt>${icon(PICTURES[heading] ?? "box")}${heading}</dt><dd>${words}</dd></div>`,
        )}</dl>
        ${saying.warnings.length > 0 ? html`<p class="notice">${icon("warn")}<span>${saying.warnings.join(" ")}</span></p>` : nothing}
      </div>
      ${refusalBox(this.refusal)}
      ${this.isLess ? this.#less(policies, labels) : this.#whole(labels)}
    </div>`;
  }

  #badge(): TemplateResult {
    const { entry, isBlocked } = this.party;
    if (isBlocked) return html`<span class="badge all">${icon("lock")}Blocked</span>`;
    if (entry?.status === "active") return html`<span class="badge some">${icon("shield")}Verified</span>`;
    return html`<span class="badge">${icon("warn")}Not verified</span>`;
  }

  #whole(labels: readonly string[]): TemplateResult {
    return html`
      ${this.refusal && !this.previews ? nothing : previewPanel(this.previews, labels)}
      ${this.#isOpen ? this.#buttons() : this.#decided()}`;
  }

  #buttons(): TemplateResult {
    return html`<div class="answers" role="group" aria-label="Your answer">${ANSWERS.map(
      ([answer, words]) =>
        html`<button class="second" ?disabled=${this.busy !== "" || (answer === "less" && !this.previews)} @click=${() => (answer === "less" ? this.#startLess() : this.#answer(answer))}>${busyWords(this.busy === answer, words, "…")}</button>`,
    )}</div>`;
  }

  #startLess(): void {
    this.isLess = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("fh-less h2")?.focus());
  }

  #decided(): TemplateResult {
    const { decision } = this;
    return html`<p class="notice good">${icon("check")}<span>${decision?.explanation ?? "This is answered."} <a href=${`#/relationships/${encodeURIComponent(this.party.id)}`}>See what they have</a></span></p>`;
  }

  #less(policies: readonly DraftPolicy[], labels: readonly string[]): TemplateResult {
    return html`<fh-less .pod=${this.pod} .request=${this.request.id} .policies=${policies} .labels=${labels} .whole=${this.previews ?? []} .busy=${this.busy === "grant"}
      @back=${() => (this.isLess = false)}
      @chosen=${({ detail }: CustomEvent<readonly WantedAccess[]>) => this.#answer("grant", detail)}></fh-less>`;
  }
}
customElements.define("fh-request", Request);
