/** `<fh-host-invitations>`: one-time links by which named people open a pod here. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import "../../parts/copy.ts";
import { fieldsOf, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords, faultOf } from "../../parts/notices.ts";
import { agoOf, dayOf, timeOf } from "../../parts/words.ts";
import type { Invitation } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { qrOf } from "./qr.ts";

/** What was just made: the link is nowhere else. */
interface Made {
  readonly name: string;
  readonly link: string;
  readonly expires: number;
  readonly picture: TemplateResult;
}

const DAYS: readonly (readonly [days: string, words: string])[] = [
  ["1", "One day"],
  ["7", "A week"],
  ["30", "A month"],
];

class HostInvitations extends HostingPart<readonly Invitation[]> {
  static override properties = { ...HostingPart.properties, ...state("made", "asking") };
  declare made: Made | null;
  /** The invitation that is about to be taken back. */
  declare asking: string;

  constructor() {
    super();
    this.made = null;
    this.asking = "";
  }

  protected override async fetch(): Promise<readonly Invitation[]> {
    return (await ask<{ invitations: readonly Invitation[] }>("GET", doorOf("invitations"))).invitations;
  }

  #invite(event: SubmitEvent): void {
    const { name = "", days = "7" } = fieldsOf(event);
    const form = event.target as HTMLFormElement;
    const work = async (): Promise<void> => {
      const fields = { name, days: Number(days) };
      const { link, expires } = (await this.post("invitations", fields)) as Pick<Made, "link" | "expires">;
      this.made = { name, link, expires, picture: await qrOf(link, `The link for ${name}, for a camera`) };
      form.reset();
    };
    void this.run("invite", work, `The link for ${name} is ready.`);
  }

  protected override render(): TemplateResult {
    return this.shown(
      (invitations) => html`
      ${this.made ? this.#made(this.made) : nothing}
      <form class="panel stack" @submit=${(event: SubmitEvent) => this.#invite(event)}>
        <h2>${icon("plus")}Invite somebody</h2>
        <div class="pair">
          <label class="field"><span>Their name</span><input name="name" required maxlength="100" autocomplete="off" />${faultOf(this.refusal, "name")}</label>
          <label class="field"><span>It works for</span><select name="days">${DAYS.map(([days, words]) => html`<option value=${days} ?selected=${days === "7"}>${words}</option>`)}</select></label>
        </div>
        <p class="soft">You get a link that opens one pod, once. Whoever has the link can use it, so give it to nobody else.</p>
        <div class="row"><button class="first" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "invite", "Make the link", "Making …")}</button></div>
      </form>
      <section><h2>Open invitations</h2>
        ${invitations.length === 0 ? html`<div class="empty">${icon("people")}<strong>Nobody is invited at the moment.</strong></div>` : nothing}
        <ul class="rows">${invitations.map((invitation) => this.#row(invitation))}</ul>
      </section>`,
    );
  }

  #made({ name, link, expires, picture }: Made): TemplateResult {
    return html`<article class="panel open host-made">
      <div class="stack">
        <h2>${icon("check")}For ${name}</h2>
        <p>Give ${name} this link, or let them point their camera at the picture. It works once, until ${dayOf(expires)}, ${timeOf(expires)}. <strong>It is shown only now.</strong></p>
        <fh-copy .value=${link} .label=${`the link for ${name}`}></fh-copy>
        <div class="row"><button class="second" @click=${() => (this.made = null)}>Done</button></div>
      </div>
      ${picture}
    </article>`;
  }

  #row({ id, name, created, expires }: Invitation): TemplateResult {
    const isAsking = this.asking === id;
    return html`<li class="row-plain"><span class="avatar">${name.slice(0, 1).toUpperCase()}</span>
      <span class="row-words"><strong>${name}</strong><small>${isAsking ? "The link stops working at once." : `Made ${agoOf(created)}, works until ${dayOf(expires)}`}</small></span>
      ${
        isAsking
          ? html`<button class="second small bad" ?disabled=${this.busy !== ""} @click=${() => void this.run(id, () => this.post(`invitations/${id}/withdraw`), `The link for ${name} opens nothing any more.`)}>${busyWords(this.busy === id, "Take it back", "…")}</button>
            <button class="quiet small" @click=${() => (this.asking = "")}>Keep it</button>`
          : html`<button class="second small" aria-label=${`Take back the invitation of ${name}`} @click=${() => (this.asking = id)}>Take back</button>`
      }</li>`;
  }
}
customElements.define("fh-host-invitations", HostInvitations);
