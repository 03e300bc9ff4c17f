/** `<fh-passport>`: by what others know you, what proves it, and the file that brings it back. */

import { recoveryFileName } from "@freehold/client/passport";
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import "../../parts/copy.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me, State } from "../../parts/model.ts";
import { refusalBox, tell } from "../../parts/notices.ts";
import { dayOf, groupsOf } from "../../parts/words.ts";
import "./arrive.ts";
import { type Proved, passportCard, proofSteps } from "./card.ts";
import "./keys.ts";
import { type WaitingRow, waitingWords } from "./keys.ts";

class PassportRoom extends Part {
  static override properties = {
    ...given("me", "server"),
    ...state("proved", "why", "waits", "printing", "refusal"),
  };
  declare me: Me;
  declare server: State;
  declare proved: Proved | null;
  /** Why nothing could be proved; empty while it is being asked. */
  declare why: string;
  declare waits: WaitingRow | null;
  /** The recovery sheet is on the page. */
  declare printing: boolean;
  declare refusal: Refusal | null;
  #asked = "";

  constructor() {
    super();
    this.proved = this.waits = this.refusal = null;
    this.why = "";
    this.printing = false;
  }

  override updated(): void {
    const { passport } = this.me;
    if (!passport || passport === this.#asked) return;
    this.#asked = passport;
    void this.#prove(passport);
  }

  /** Asks the registry, and believes nothing that it cannot prove. */
  async #prove(passport: string): Promise<void> {
    this.why = "";
    try {
      const { idOf, look, provedOf, waitingFor } = await import("./holder.ts");
      const id = idOf(passport);
      const { registry } = this.server;
      this.proved = provedOf(await look(registry, id));
      const waits = await waitingFor(registry, id);
      this.waits = waits && { ...waits, until: waits.until.getTime() };
    } catch (error) {
      this.proved = null;
      const { title, next } = toRefusal(error);
      this.why = `Not proved. ${title}. ${next}`;
    }
  }

  async #note(): Promise<void> {
    this.refusal = null;
    try {
      await ask("POST", "/.account/recovery", {});
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #print(): Promise<void> {
    await import("../../parts/sheet.ts");
    this.printing = true;
    await this.updateComplete;
    window.setTimeout(() => window.print(), 200); // The code on it is drawn meanwhile.
  }

  /** To whatever the device sends things by; where there is nothing, it can be copied. */
  async #share(link: string): Promise<void> {
    try {
      await navigator.share({ title: `The passport of ${this.me.name}`, url: link });
    } catch (error) {
      if ((error as Error).name === "AbortError") return; // The person thought better of it.
      await navigator.clipboard.writeText(link).catch(() => {});
      tell("The link to your card is copied.");
    }
  }

  protected override render(): TemplateResult {
    const { me } = this;
    return html`
      <div class="head"><div><h1>Passport</h1><p class="soft">Your number for life: it leads to you at whichever host you are.</p></div></div>
      ${me.passport ? this.#passport(me.passport) : html`<div class="notice">${icon("warn")}<div><strong>This pod has no passport.</strong> Its address cannot move with you to another host.</div></div><fh-arrive .registry=${this.server.registry}></fh-arrive>`}
      <section class="panel">
        <h2>${icon("person")}Your address</h2>
        <p class="soft">Who wants to share something with you needs it, and apps ask for it when you sign in to them. It is no secret.</p>
        <fh-copy .value=${me.address} .label=${"your address"}></fh-copy>
      </section>
    `;
  }

  #passport(passport: string): TemplateResult {
    const { me, proved, waits, server } = this;
    const link = `${server.registry}.registry#${passport}`;
    return html`
      ${passportCard({ name: me.name, passport, created: me.created, link, proved, why: this.why })}
      ${waits ? html`<div class="notice bad" role="alert">${icon("clock")}<div>${waitingWords(waits)} Choose your recovery file below to end it.</div></div>` : nothing}
      ${proved?.isResting ? html`<div class="notice">${icon("pause")}<div>The passport is at rest: it leads nowhere until its owner wakes it.</div></div>` : nothing}
      ${proved?.isHeld ? html`<div class="notice bad">${icon("warn")}<div>Its zone holds this passport. The reason stands with its proof.</div></div>` : nothing}
      <section class="panel">
        <h2>${icon("globe")}Show it to others</h2>
        <p class="soft">Whoever has the number or the code finds you again and can check it without believing anybody. Nobody can give it to somebody else.</p>
        <fh-copy .value=${passport} .label=${"your passport number"} .groups=${groupsOf(passport)}></fh-copy>
        <div class="row"><button class="second" @click=${() => this.#share(link)}>${icon("out")}Share the card</button><a class="button second" href=${link} target="_blank" rel="noreferrer">${icon("eye")}See the whole proof</a></div>
        ${proved ? html`<details><summary>What was checked here</summary>${proofSteps(proved)}</details>` : nothing}
        ${this.why ? html`<div class="row"><button class="second" @click=${() => this.#prove(passport)}>Ask for the proof again</button></div>` : nothing}
      </section>
      <section class="panel">
        <h2>${icon("key")}Your recovery file</h2>
        <p>You downloaded it when this pod was set up. It holds the keys of your passport: with it you get the passport back if this server is lost; whoever finds it could act as you. This server has no copy.</p>
        ${me.recoverySaved === null ? html`<div class="notice">${icon("warn")}<div>You have not said yet that it is safe.</div></div>` : html`<p class="good">${icon("check")}Safe, as you said on ${dayOf(me.recoverySaved)}.</p>`}
        ${refusalBox(this.refusal)}
        <fh-keys .passport=${passport} .registry=${server.registry} .proved=${proved} .waits=${waits} @checked=${() => this.#note()} @moved=${() => this.#prove(passport)}></fh-keys>
        <div class="row">
          <button class="quiet" @click=${() => this.#note().then(() => tell("Good. We ask again in half a year."))}>I know where it is</button>
          <button class="quiet" @click=${() => this.#print()}>${icon("file")}Print the recovery sheet</button>
        </div>
        ${this.printing ? html`<fh-sheet .name=${me.name} .address=${me.address} .passport=${passport} .registry=${server.registry} .fileName=${recoveryFileName(passport as Parameters<typeof recoveryFileName>[0])}></fh-sheet>` : nothing}
      </section>
    `;
  }
}
customElements.define("fh-passport", PassportRoom);
