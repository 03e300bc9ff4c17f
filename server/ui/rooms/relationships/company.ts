/** `<fh-company>`: one of those the owner has to do with: who it is, what it has, how often it looked, and the ways to end it. */
import {
  accessGrants,
  type DraftPolicy,
  type GrantedAccess,
  giveAccess,
  type PodPlace,
  pauseGrant,
  preferences,
  resumeGrant,
  revokeGrant,
  setPreferences,
  type WantedAccess,
} from "@freehold/client/consent";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { keepWords, letterOf, nameOfParty, untilWords, whatWords, whyWords } from "../../parts/asking.ts";
import { assigneeOf, type PartyRow, partiesOf, refusalFrom, strangerOf } from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import { agoOf, count, dayOf } from "../../parts/words.ts";
import { type Look, looksOf, weeksChart } from "./looks.ts";
import "./receipts.ts";

const STATES: Readonly<Record<string, string>> = {
  Active: "Works",
  Paused: "Rests",
  Revoked: "Taken back",
  Expired: "Ran out",
  Exhausted: "Used up",
  Superseded: "Replaced",
};

/** Why something rests or ended, where that is not plain. */
const REASONS: Readonly<Record<string, string>> = {
  vendor: "They gave it back.",
  preference: "Your rules became tighter.",
  unused: "Nobody used it for long.",
  unsigned: "They did not sign in time.",
  delisted: "They were struck off the public list.",
  moved: "It came from your old home.",
  "unusual-amount": "They read far more than usual.",
  "unknown-client": "They came with an app you do not know.",
  honey: "They looked where nobody should.",
};

const isStanding = ({ state: now }: GrantedAccess): boolean => now === "Active" || now === "Paused";

class Company extends Part {
  static override properties = {
    ...given("pod", "who"),
    ...state("party", "grants", "looks", "busy", "refusal", "ending"),
  };
  declare pod: PodPlace;
  /** Address of whoever it is. */
  declare who: string;
  declare party: PartyRow | null;
  declare grants: readonly GrantedAccess[];
  declare looks: readonly Look[];
  declare busy: string;
  declare refusal: Refusal | null;
  /** What is about to end; null for all, with the company blocked. */
  declare ending: GrantedAccess | "all" | null;

  constructor() {
    super();
    Object.assign(this, { party: null, grants: [], looks: [], busy: "", refusal: null, ending: null });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("who") || changed.get("who") === this.who) return;
    this.party = null;
    void this.#load();
  }

  async #load(): Promise<void> {
    const { who, pod } = this;
    try {
      const [parties, grants, looks] = await Promise.all([
        partiesOf(pod, who),
        accessGrants(pod),
        looksOf(who),
      ]);
      if (this.who !== who) return;
      this.grants = grants.filter(({ document }) => assigneeOf(document) === who);
      this.looks = looks;
      this.party = parties[0] ?? strangerOf(who);
      this.refusal = null;
    } catch (error) {
      this.refusal = refusalFrom(error);
    }
  }

  async #do(name: string, work: () => Promise<unknown>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      await work();
      await this.#load();
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = "";
    }
  }

  #rest(grant: GrantedAccess): Promise<void> {
    return this.#do(grant.id, async () => {
      await pauseGrant(this.pod, grant.id);
      tell("It rests. Nothing flows.", async () => {
        await resumeGrant(this.pod, grant.id);
        await this.#load();
      });
    });
  }

  #goOn(grant: GrantedAccess): Promise<void> {
    return this.#do(grant.id, async () => {
      await resumeGrant(this.pod, grant.id);
      tell("It goes on.", async () => {
        await pauseGrant(this.pod, grant.id);
        await this.#load();
      });
    });
  }

  #ask(ending: GrantedAccess | "all"): void {
    this.ending = ending;
    void this.updateComplete.then(() => this.querySelector("dialog")?.showModal());
  }

  #end(): Promise<void> {
    const { ending, who, pod } = this;
    this.querySelector("dialog")?.close();
    if (ending === "all") return this.#block();
    if (ending === null) return Promise.resolve();
    return this.#do(ending.id, async () => {
      await revokeGrant(pod, ending.id);
      tell("Taken back. They get nothing more.", async () => {
        await giveAccess(pod, who, { ...termsAgain(ending), access: accessAgain(ending.policies) });
        await this.#load();
      });
    });
  }

  #block(): Promise<void> {
    const { who, pod } = this;
    return this.#do("block", async () => {
      const before = await preferences(pod);
      await setPreferences(pod, { ...before, blocked: [...blockedIn(before), who] });
      for (const grant of this.grants.filter(isStanding)) await revokeGrant(pod, grant.id);
      tell("Blocked. They are told no, whatever they ask.", () => this.#unblock());
    });
  }

  async #unblock(): Promise<void> {
    const before = await preferences(this.pod);
    await setPreferences(this.pod, {
      ...before,
      blocked: blockedIn(before).filter((one) => one !== this.who),
    });
    await this.#load();
  }

  protected override render(): TemplateResult {
    const { party } = this;
    if (!party)
      return html`<div><h1>Company</h1>${refusalBox(this.refusal)}${this.refusal ? html`<button class="second" @click=${() => this.#load()}>Try again</button>` : waiting("Looking …")}</div>`;
    const standing = this.grants.filter(isStanding);
    const ended = this.grants.filter((one) => !isStanding(one)).toReversed();
    return html`<div>
      <a class="back" href="#/relationships">${icon("back")}All companies</a>
      ${this.#head(party)}
      ${refusalBox(this.refusal)}
      <section><h2>What they have</h2>
        ${standing.length === 0 ? html`<p class="soft">They have nothing of yours now.</p>` : standing.map((grant) => this.#grant(grant))}
        ${ended.length > 0 ? html`<details><summary>${count(ended.length, "thing")} that ended</summary><ul class="rows">${ended.map((grant) => this.#ended(grant))}</ul></details>` : nothing}
      </section>
      ${this.#looks(party)}
      ${this.grants.length > 0 ? html`<fh-receipts .pod=${this.pod} .grants=${this.grants.map(({ id, policies }) => ({ id, name: whatWords(policies, this.pod.url) }))}></fh-receipts>` : nothing}
      <section><h2>If you want no more of them</h2><div class="row">
        ${party.isBlocked ? html`<button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#do("block", () => this.#unblock())}>Let them ask again</button>` : html`<button class="second bad" ?disabled=${this.busy !== ""} @click=${() => this.#ask("all")}>${icon("lock")}Block them</button>`}
        <a class="button second" href="#/preferences">${icon("sliders")}Rules for them</a></div></section>
      ${this.#dialog(party)}
    </div>`;
  }

  #head(party: PartyRow): TemplateResult {
    const name = nameOfParty(party);
    const { entry } = party;
    const isVerified = entry?.status === "active";
    const newest = this.grants.at(-1)?.document ?? {};
    const notice = typeof newest["notice"] === "string" ? newest["notice"] : "";
    return html`<div class="panel company"><div class="asker"><span class="avatar square">${letterOf(name)}</span>
        <div><h1>${name}</h1>${name === party.host ? nothing : html`<small>${party.host}</small>`}
          <span class="badge ${isVerified ? "some" : ""}">${icon(isVerified ? "shield" : "warn")}${isVerified ? "Verified" : entry ? `Struck off: ${entry.says ?? entry.status}` : "Not verified"}</span>
          ${party.isBlocked ? html`<span class="badge all">${icon("lock")}Blocked</span>` : nothing}</div></div>
      <p class="soft address small">${party.id}</p>
      ${/^https?:/.test(notice) ? html`<p><a href=${notice} rel="noreferrer noopener" target="_blank">What they promise about your data</a></p>` : nothing}
      ${party.waiting > 0 ? html`<p><a href="#/requests">They wait for ${count(party.waiting, "answer")} from you</a></p>` : nothing}
    </div>`;
  }

  #grant(grant: GrantedAccess): TemplateResult {
    const { policies, state: now, reason } = grant;
    const what = whatWords(policies, this.pod.url);
    const isBusy = this.busy !== "";
    const why = REASONS[reason ?? ""];
    return html`<article class="panel grant"><div class="head"><h3>${what}</h3>
        <span class="badge ${now === "Active" ? "some" : "all"}">${icon(now === "Active" ? "check" : "pause")}${STATES[now]}</span></div>
      <ul class="facts-line"><li>${whyWords(policies)}</li><li>${untilWords(policies)}</li><li>${keepWords(policies)}</li></ul>
      ${now === "Paused" && why ? html`<p class="notice">${icon("warn")}<span>${why}</span></p>` : nothing}
      ${grant.document["decidedBy"] === "policy" ? html`<p class="soft small">Your rules gave this.</p>` : nothing}
      <div class="row">
        ${
          now === "Active"
            ? html`<button class="second" ?disabled=${isBusy} aria-label=${`Let it rest: ${what}`} @click=${() => this.#rest(grant)}>${icon("pause")}Let it rest</button>`
            : html`<button class="second" ?disabled=${isBusy} aria-label=${`Go on: ${what}`} @click=${() => this.#goOn(grant)}>${icon("check")}Go on</button>`
        }
        <button class="second bad" ?disabled=${isBusy} aria-label=${`Take back: ${what}`} @click=${() => this.#ask(grant)}>${icon("close")}Take back</button></div>
    </article>`;
  }

  #ended({ policies, state: now, reason, document }: GrantedAccess): TemplateResult {
    const changed = Date.parse(String(document["changed"]));
    return html`<li class="row-plain"><span class="tile">${icon("close")}</span><span class="row-words"><strong>${whatWords(policies, this.pod.url)}</strong>
      <small>${STATES[now]} ${agoOf(changed)}. ${REASONS[reason ?? ""] ?? ""}</small></span></li>`;
  }

  #looks({ uses, firstUse, lastUse, weeks = [] }: PartyRow): TemplateResult {
    return html`<section><h2>How often they looked</h2>
      ${
        uses === 0 || firstUse === null || lastUse === null
          ? html`<p class="soft">They have not looked yet.</p>`
          : html`<article class="panel"><p><strong>${count(uses, "time")}</strong> since ${dayOf(firstUse)}, last ${agoOf(lastUse)}.</p>${weeksChart(weeks)}</article>`
      }
      ${
        this.looks.length === 0
          ? nothing
          : html`<ul class="rows">${this.looks.map(
              ({ time, words, isRefused }) =>
                html`<li class="row-plain"><span class="tile">${icon(isRefused ? "lock" : "eye")}</span><span class="row-words"><strong>${words}</strong><small>${agoOf(time)}</small></span>${isRefused ? html`<span class="badge some">${icon("lock")}Refused</span>` : nothing}</li>`,
            )}</ul>`
      }</section>`;
  }

  #dialog(party: PartyRow): TemplateResult {
    const name = nameOfParty(party);
    const isAll = this.ending === "all";
    const often =
      party.lastUse === null
        ? "They never looked at anything."
        : `They looked ${count(party.uses, "time")} in all, last ${agoOf(party.lastUse)}.`;
    return html`<dialog aria-labelledby="end-title" @close=${() => (this.ending = null)}>
      <div class="dialog-head"><h2 id="end-title">${isAll ? `Block ${name}?` : "Take it back?"}</h2></div>
      <p>${often}</p>
      <p>${isAll ? "All they have ends now. They are told no, whatever they ask." : "It ends now."} What they copied stays with them. Ask them to delete it.</p>
      <div class="pair"><button class="second" @click=${() => this.querySelector("dialog")?.close()}>Keep it</button>
        <button class="second bad" @click=${() => this.#end()}>${isAll ? "Block them" : "Take it back"}</button></div>
    </dialog>`;
  }
}
customElements.define("fh-company", Company);

const blockedIn = (document: Readonly<Record<string, unknown>>): readonly string[] =>
  (document["blocked"] ?? []) as readonly string[];

/** What a grant said of its vendor, to be said again. */
function termsAgain({ document }: GrantedAccess) {
  const texts = (document["benefit"] ?? []) as readonly Readonly<Record<string, string>>[];
  return {
    ...(typeof document["notice"] === "string" && { notice: document["notice"] }),
    ...(texts.length > 0 && {
      benefit: Object.fromEntries(texts.map((one) => [one["@language"], one["@value"]])) as Record<
        string,
        string
      >,
    }),
  };
}

const accessAgain = (policies: readonly DraftPolicy[]): readonly WantedAccess[] =>
  policies.map(({ notBefore, notAfter, tier, mode, necessity, ...rest }) => ({
    ...rest,
    until: new Date(notAfter ?? Date.now()),
    ...(notBefore !== null && { from: new Date(notBefore) }),
    ...(tier !== null && { tier }),
    ...(mode !== null && { mode }),
    ...(necessity !== null && { necessity }),
  }));
