/** `<fh-host-accounts>`: who lives here, how much room each has, and what to do when something must be done about one. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { fieldsOf, given } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { busyWords, faultOf } from "../../parts/notices.ts";
import { agoOf, count, dayOf, initialOf, sizeOf } from "../../parts/words.ts";
import { gauge } from "./chart.ts";
import type { AccountRow, Accounts } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";

const GIGABYTE = 1e9;
const STATES: Readonly<Record<AccountRow["state"], readonly [label: string, icon: IconName] | null>> = {
  open: null,
  frozen: ["Frozen", "pause"],
  moved: ["Moved away", "move"],
  erased: ["Erased", "trash"],
};

const roomOf = ({ bytes, quota }: AccountRow): string => `${sizeOf(bytes)} of ${sizeOf(quota.bytes)}`;
const hereOf = ({ seen }: AccountRow): string =>
  seen === null ? "signed in nowhere" : `last here ${agoOf(seen)}`;

function badges({ state, isOperator, isYou }: AccountRow): TemplateResult {
  const shown = STATES[state];
  return html`${shown ? html`<span class="badge all">${icon(shown[1])}${shown[0]}</span>` : nothing}
    ${isOperator ? html`<span class="badge some">${icon("key")}${isYou ? "You" : "Runs the server"}</span>` : nothing}`;
}

class HostAccounts extends HostingPart<Accounts> {
  static override properties = { ...HostingPart.properties, ...given("me", "rest"), wanted: { state: true } };
  declare me: Me;
  /** Name of a pod: that account alone. */
  declare rest: string;
  declare wanted: string;

  constructor() {
    super();
    this.wanted = "";
  }

  protected override fetch(): Promise<Accounts> {
    const asked = this.rest === "" ? `q=${encodeURIComponent(this.wanted)}` : `pod=${this.rest}`;
    return ask("GET", doorOf(`accounts?${asked}`));
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("rest") && changed.get("rest") !== undefined) {
      this.answer = null;
      void this.retry();
    }
  }

  async #more(from: number): Promise<void> {
    const before = this.answer;
    const wanted = encodeURIComponent(this.wanted);
    const more = await ask<Accounts>("GET", doorOf(`accounts?q=${wanted}&from=${from}`));
    if (before) this.answer = { ...more, accounts: [...before.accounts, ...more.accounts] };
  }

  protected override render(): TemplateResult {
    return this.shown((answer) => {
      if (this.rest === "") return this.#list(answer);
      const account = answer.accounts.find(({ pod }) => pod === decodeURIComponent(this.rest));
      return account ? this.#one(account, answer.standard) : this.#none();
    });
  }

  #none(): TemplateResult {
    return html`<div class="empty">${icon("people")}<strong>There is no such account.</strong><a href="#/hosting/accounts">See all of them</a></div>`;
  }

  #list({ accounts, total, next }: Accounts): TemplateResult {
    return html`
      <form class="row host-search" role="search" @submit=${(event: SubmitEvent) => {
        this.wanted = fieldsOf(event)["wanted"] ?? "";
        void this.load();
      }}>
        <label class="hidden" for="wanted">Name</label>
        <input id="wanted" name="wanted" type="search" placeholder="Name" maxlength="100" .value=${this.wanted} />
        <button class="second">${icon("search")}Find</button>
      </form>
      <p class="soft" role="status">${count(total, "person lives", "people live")} here${this.wanted ? html` with “${this.wanted}” in the name` : nothing}.</p>
      ${accounts.length === 0 ? html`<div class="empty">${icon("people")}<strong>Nobody by that name.</strong><a href="#/hosting/invitations">Invite somebody</a></div>` : nothing}
      <ul class="rows">${accounts.map(
        (account) => html`<li><a class="row-link" href=${`#/hosting/accounts/${account.pod}`}>
          <span class="avatar">${initialOf(account.name)}</span>
          <span class="row-words"><strong>${account.name} ${badges(account)}</strong>
            <small>${account.pod}, since ${dayOf(account.created)}, ${hereOf(account)}</small>
            ${gauge(account.bytes, account.quota.bytes, roomOf(account))}
            <small>${roomOf(account)}</small></span>
          ${icon("next")}</a></li>`,
      )}</ul>
      ${next === null ? nothing : html`<button class="second wide" @click=${() => void this.#more(next)}>Show more</button>`}
    `;
  }

  #one(account: AccountRow, standard: Accounts["standard"]): TemplateResult {
    const { state } = account;
    return html`
      <article class="panel">
        <div class="asker"><span class="avatar">${initialOf(account.name)}</span>
          <span><strong>${account.name}</strong><small>Here since ${dayOf(account.created)}, ${hereOf(account)}</small></span></div>
        ${account.state === "open" && !account.isOperator ? nothing : html`<div class="row">${badges(account)}</div>`}
      </article>
      ${state === "erased" ? nothing : html`${this.#room(account, standard)} ${this.#hold(account)} ${this.#sessions(account)} ${account.isYou ? nothing : this.#erase(account)}`}
    `;
  }

  #room(account: AccountRow, standard: Accounts["standard"]): TemplateResult {
    const { pod, quota, hasOwnQuota, resources } = account;
    const path = `accounts/${pod}/quota`;
    const former = hasOwnQuota ? { ...quota } : { bytes: null };
    const set = (fields: Readonly<Record<string, unknown>>, said: string): void =>
      void this.run(
        "room",
        () => this.post(path, fields),
        said,
        () => this.post(path, former),
      );
    return html`<article class="panel">
      <h2>${icon("box")}Room</h2>
      ${gauge(account.bytes, quota.bytes, roomOf(account))}
      <p><strong>${roomOf(account)}</strong> in use, in ${count(resources, "file or folder", "files and folders")} of at most ${quota.resources.toLocaleString("en")}.</p>
      <form class="row" @submit=${(event: SubmitEvent) => {
        const bytes = Math.round(Number(fieldsOf(event)["gigabytes"]) * GIGABYTE);
        set({ bytes, resources: quota.resources }, `${account.name} has room for ${sizeOf(bytes)} now.`);
      }}>
        <label class="field"><span>Gigabytes</span><input name="gigabytes" type="number" inputmode="decimal" min="0.001" max="1000000" step="0.001" required .value=${String(Math.round(quota.bytes / 1e6) / 1e3)} />${faultOf(this.refusal, "bytes")}</label>
        <button class="second" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "room", "Set", "Setting …")}</button>
        ${hasOwnQuota ? html`<button type="button" class="quiet" ?disabled=${this.busy !== ""} @click=${() => set({ bytes: null }, `${account.name} has as much room as everybody.`)}>As everybody (${sizeOf(standard.bytes)})</button>` : html`<span class="soft">As everybody here.</span>`}
      </form>
    </article>`;
  }

  #hold({ name, pod, state }: AccountRow): TemplateResult {
    const isFrozen = state === "frozen";
    const set = (frozen: boolean) => () => this.post(`accounts/${pod}/freeze`, { frozen });
    return html`<article class="panel">
      <h2>${icon("pause")}${isFrozen ? "Frozen" : "Freeze"}</h2>
      <p>${isFrozen ? `Nobody but ${name} gets at anything in this pod.` : `Nobody but ${name} gets at anything in this pod any more, until you lift it. Nothing is deleted, and ${name} can see it in their record.`}</p>
      <div class="row"><button class="second" ?disabled=${this.busy !== ""} @click=${() => void this.run("freeze", set(!isFrozen), isFrozen ? "The pod is open again, as it was." : "The pod is frozen.", set(isFrozen))}>${busyWords(this.busy === "freeze", isFrozen ? "Lift it" : "Freeze it", "…")}</button></div>
    </article>`;
  }

  #sessions({ name, pod, sessions, isYou }: AccountRow): TemplateResult {
    return html`<article class="panel">
      <h2>${icon("out")}Sign out everywhere</h2>
      <p>${sessions === 0 ? `${name} is signed in nowhere.` : `Signed in at ${count(sessions, "place")}. ${isYou ? "All but this one are signed out." : `${name} signs in again with what they have.`}`} Apps have to ask again, too.</p>
      <div class="row"><button class="second" ?disabled=${this.busy !== ""} @click=${() => void this.run("sign-out", () => this.post(`accounts/${pod}/sign-out`), `${name} is signed out everywhere${isYou ? " else" : ""}.`)}>${busyWords(this.busy === "sign-out", "Sign out", "…")}</button></div>
    </article>`;
  }

  #erase({ name, pod }: AccountRow): TemplateResult {
    return html`<article class="panel">
      <h2>${icon("trash")}Erase</h2>
      <p>The pod and the account of ${name} go for good: with the keys of today nobody can bring them back, not from a backup either. Let ${name} take everything along before.</p>
      <form class="row" @submit=${(event: SubmitEvent) => {
        const { confirm = "" } = fieldsOf(event);
        void this.run(
          "erase",
          () => this.post(`accounts/${pod}/erase`, { confirm }),
          "It is being erased.",
        ).then((isBegun) => {
          if (isBegun) location.hash = "#/hosting/jobs";
        });
      }}>
        <label class="field"><span>Type ${pod} to erase it</span><input name="confirm" required maxlength="100" autocomplete="off" autocapitalize="off" spellcheck="false" />${faultOf(this.refusal, "confirm")}</label>
        <button class="second bad" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "erase", "Erase for good", "Beginning …")}</button>
      </form>
    </article>`;
  }
}
customElements.define("fh-host-accounts", HostAccounts);
