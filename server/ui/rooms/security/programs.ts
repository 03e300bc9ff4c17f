/** `<fh-programs>`: programs that sign in for the owner by an id and a secret, which is shown once. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import "../../parts/copy.ts";
import { fieldsOf, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Program } from "../../parts/model.ts";
import { busyWords, faultOf, refusalBox, tell } from "../../parts/notices.ts";
import { withProof } from "../../parts/prove.ts";
import { dayOf } from "../../parts/words.ts";

const SPANS: readonly (readonly [title: string, days: number])[] = [
  ["For three months", 91],
  ["For a year", 365],
  ["Until I disconnect it", 0],
];

class Programs extends Part {
  static override properties = state("programs", "fresh", "adding", "busy", "refusal");
  declare programs: readonly Program[] | null;
  declare fresh: (Program & { readonly secret: string }) | null;
  declare adding: boolean;
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.programs = null;
    this.fresh = null;
    this.adding = false;
    this.busy = "";
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#run("load", async () => {});
  }

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      await work();
      this.programs = (
        await ask<{ credentials: readonly Program[] }>("GET", "/.account/credentials")
      ).credentials;
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #connect(event: SubmitEvent): void {
    const { name = "", days = "0" } = fieldsOf(event);
    const expires = Number(days) > 0 ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null;
    void this.#run("connect", async () => {
      this.fresh = await withProof(() => ask("POST", "/.account/credentials", { name, expires }));
      this.adding = false;
    });
  }

  #disconnect({ id, name }: Program): void {
    void this.#run(id, async () => {
      await ask("DELETE", `/.account/credentials/${id}`);
      if (this.fresh?.id === id) this.fresh = null;
      tell(`${name} is disconnected and cannot sign in any more.`);
    });
  }

  protected override render(): TemplateResult {
    const { programs } = this;
    return html`<section>
      <div class="head"><div><h2>Connected programs</h2><p class="soft">Scripts and tools of yours that sign in by themselves. Each can do what you can do.</p></div>
        <button class="second" @click=${() => (this.adding = !this.adding)}>${icon("plug")}Connect a program</button></div>
      ${refusalBox(this.refusal)}
      ${this.adding ? this.#form() : nothing}
      ${this.fresh ? this.#secret(this.fresh) : nothing}
      ${programs?.length === 0 && !this.adding ? html`<p class="soft">None.</p>` : nothing}
      <ul class="rows">
        ${(programs ?? []).map(
          (program) => html`<li class="row-plain"><span class="tile">${icon("plug")}</span>
            <span class="row-words"><strong>${program.name}</strong><small>since ${dayOf(program.created)}${program.expires === null ? "" : program.expires <= Date.now() ? ", ended" : `, until ${dayOf(program.expires)}`}</small></span>
            <button class="second small" ?disabled=${this.busy !== ""} @click=${() => this.#disconnect(program)}>${busyWords(this.busy === program.id, "Disconnect", "…")}</button></li>`,
        )}
      </ul>
    </section>`;
  }

  #form(): TemplateResult {
    return html`<form class="panel stack" @submit=${(event: SubmitEvent) => this.#connect(event)}>
      <label class="field"><span>What is it?</span><input name="name" required maxlength="100" autofocus autocomplete="off" placeholder="Backup on my laptop" />${faultOf(this.refusal, "name")}</label>
      <label class="field"><span>How long may it sign in?</span>
        <select name="days">${SPANS.map(([title, days]) => html`<option value=${days}>${title}</option>`)}</select></label>
      <div class="row"><button class="first" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "connect", "Connect", "Connecting …")}</button>
        <button type="button" class="second" @click=${() => (this.adding = false)}>Cancel</button></div>
    </form>`;
  }

  #secret({ name, id, secret }: Program & { readonly secret: string }): TemplateResult {
    return html`<div class="panel open" role="status">
      <h3>Give these to ${name}</h3>
      <p>The secret is shown this once. Whoever has it can do what you can do.</p>
      <p class="label">Where it signs in</p><fh-copy .value=${`${location.origin}/`} .label=${"the address of the server"}></fh-copy>
      <p class="label">Client id</p><fh-copy .value=${id} .label=${"the client id"}></fh-copy>
      <p class="label">Client secret</p><fh-copy .value=${secret} .label=${"the client secret"}></fh-copy>
      <div class="row"><button class="second" @click=${() => (this.fresh = null)}>I have copied them</button></div>
    </div>`;
  }
}
customElements.define("fh-programs", Programs);
