/** `<fh-leave>`: taking everything along, bringing it in, freezing, moving and erasing the pod. One button each. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { withProof } from "../../parts/prove.ts";
import { answerOf, follow } from "../../parts/told.ts";
import { agoOf, count, sizeOf } from "../../parts/words.ts";

type Busy = "" | "export" | "import" | "freeze" | "move" | "erase";

interface Restriction {
  readonly path: string;
  readonly since: number;
}

interface Moved {
  readonly movedTo: string | null;
  /** Whether the passport leads to the new place, or its owner must sign that. */
  readonly passport: "updated" | "owner-must-sign" | "none";
}

interface Imported {
  readonly documents?: number;
  readonly files?: number;
}

/** The whole answer, telling how much has come. */
async function gather(response: Response, told: (bytes: number) => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    parts.push(part.value);
    bytes += part.value.length;
    told(bytes);
  }
  return new Blob(parts, { type: response.headers.get("content-type") ?? "" });
}

const STEPS: readonly (readonly [icon: IconName, words: string])[] = [
  ["download", "Download everything here"],
  ["upload", "Bring it in at the new host"],
  ["card", "Bring your passport along there"],
  ["move", "Say here where you are"],
];

/** The way to another host, in the order in which nothing can get lost. */
function moveSteps(): TemplateResult {
  return html`<span class="move-steps" role="list">${STEPS.map(
    ([picture, words], place) =>
      html`<span role="listitem"><span class="tile">${icon(picture)}</span><span><strong>${place + 1}.</strong> ${words}</span></span>`,
  )}</span>`;
}

class Rights extends Part {
  static override properties = {
    ...given("me"),
    ...state("frozen", "movedTo", "busy", "progress", "failed", "refusal", "moving", "sure", "passport"),
  };
  declare me: Me;
  declare frozen: readonly Restriction[] | null;
  declare movedTo: string | null;
  declare busy: Busy;
  declare progress: string;
  /** What the refusal is about. */
  declare failed: Busy;
  declare refusal: Refusal | null;
  declare moving: boolean;
  /** What became of the passport when the move was said here. */
  declare passport: Moved["passport"] | null;
  /** Asked whether to erase everything. */
  declare sure: boolean;

  constructor() {
    super();
    this.frozen = null;
    this.movedTo = null;
    this.busy = "";
    this.progress = "";
    this.failed = "";
    this.refusal = null;
    this.moving = false;
    this.sure = false;
    this.passport = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#run("", () => this.#load());
  }

  get #root(): string {
    return `/${this.me.pod}/`;
  }

  async #load(): Promise<void> {
    this.frozen = (
      await ask<{ restrictions: readonly Restriction[] }>("GET", "/.account/restrictions")
    ).restrictions;
    this.movedTo = (await ask<{ movedTo: string | null }>("GET", "/.account/moved")).movedTo;
  }

  async #run(busy: Busy, work: () => Promise<void>): Promise<void> {
    this.busy = busy;
    this.refusal = null;
    this.progress = "";
    try {
      await work();
    } catch (error) {
      this.failed = busy;
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
      this.progress = "";
    }
  }

  async #export(): Promise<void> {
    const response = await withProof(() => answerOf("/.account/export", {}));
    const name =
      /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "pod.zip";
    const content = await gather(response, (bytes) => (this.progress = `Packing: ${sizeOf(bytes)} so far …`));
    saveAs(content, name);
    tell(`Everything is in ${name}: your files, who may see them, and the record of what happened.`);
  }

  async #import(file: File | undefined): Promise<void> {
    if (!file) return;
    this.progress = `Sending ${sizeOf(file.size)} …`;
    const headers = { "content-type": "application/zip" };
    const response = await withProof(() =>
      answerOf("/.account/import?present=keep", { method: "POST", body: file, headers }),
    );
    const { documents = 0, files = 0 } = await follow<Imported>(
      response,
      ({ done, total }) => {
        if (done !== undefined)
          this.progress = `Unpacking: ${count(done, "entry", "entries")}${total ? ` of ${total}` : ""} …`;
      },
      "Bring the same file in again: what is there already stays.",
    );
    tell(`${count(documents + files, "file")} brought in. What was here already stayed as it was.`);
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  async #freeze(restricted: boolean): Promise<void> {
    const set = (wanted: boolean) =>
      ask<{ restrictions: readonly Restriction[] }>("POST", "/.account/restrictions", {
        path: this.#root,
        restricted: wanted,
      });
    this.frozen = (await set(restricted)).restrictions;
    tell(
      restricted
        ? "Frozen: nobody but you can see or change anything. What you granted is kept for later."
        : "Open again, just as it was before.",
      async () => {
        this.frozen = (await set(!restricted)).restrictions;
      },
    );
  }

  async #move(to: string | null): Promise<void> {
    const { movedTo, passport } = await withProof(() => ask<Moved>("POST", "/.account/moved", { to }));
    this.movedTo = movedTo;
    this.passport = to === null ? null : passport;
    this.moving = false;
    tell(
      to === null ? "Your pod is here again." : "From now on, whoever asks here is sent to the new place.",
    );
  }

  async #erase(confirm: string): Promise<void> {
    this.progress = "Destroying the key, then everything that it opened …";
    const receipt = await withProof(() => ask<object>("POST", "/.account/erase", { path: null, confirm }));
    const text = new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" });
    saveAs(text, `erased-${this.me.pod}.json`);
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  protected override render(): TemplateResult {
    return html`<div class="head"><div><h1>Take along or leave</h1><p class="soft">Your rights by law; here, each is a button.</p></div></div>
      ${this.failed === "" ? refusalBox(this.refusal) : nothing}
      <div class="two">${this.#take()} ${this.#bring()} ${this.#leave()} ${this.#pause()} ${this.#forget()}</div>`;
  }

  #card(
    kind: Busy,
    picture: IconName,
    title: string,
    text: string | TemplateResult,
    act: TemplateResult,
  ): TemplateResult {
    return html`<article class=${`panel leave-${kind}`}>
      <h2>${icon(picture)}${title}</h2><p class="soft">${text}</p>
      ${this.failed === kind ? refusalBox(this.refusal) : nothing}
      ${this.busy === kind && this.progress ? waiting(this.progress) : nothing}
      ${act}
    </article>`;
  }

  #take(): TemplateResult {
    return this.#card(
      "export",
      "download",
      "Take everything with you",
      "One file with all that is in your pod, who may see it, and the record of what happened. Any other host can take it.",
      html`<div class="row"><button class="first" ?disabled=${this.busy !== ""} @click=${() => this.#run("export", () => this.#export())}>${busyWords(this.busy === "export", "Download everything", "Packing …")}</button></div>`,
    );
  }

  #bring(): TemplateResult {
    return this.#card(
      "import",
      "upload",
      "Bring a pod in",
      "A file from another host, or one that you downloaded here. Nothing that is here is written over.",
      html`<div class="row"><label class="button second">${icon("search")}Choose the file<input class="hidden" type="file" accept=".zip,application/zip" ?disabled=${this.busy !== ""} @change=${(
        event: Event,
      ) => {
        const input = event.target as HTMLInputElement;
        const file = input.files?.[0];
        void this.#run("import", () => this.#import(file)).then(() => (input.value = ""));
      }} /></label></div>`,
    );
  }

  #pause(): TemplateResult {
    const whole = this.frozen?.find(({ path }) => path === this.#root);
    return this.#card(
      "freeze",
      "pause",
      whole ? "Your pod is frozen" : "Freeze your pod",
      whole
        ? html`Since ${agoOf(whole.since)} nobody but you sees or changes anything. What you granted waits.`
        : "Nobody but you sees or changes anything until you open it again. Nothing is deleted, and what you granted is kept.",
      html`<div class="row"><button class=${whole ? "first" : "second"} ?disabled=${this.busy !== "" || !this.frozen} @click=${() => this.#run("freeze", () => this.#freeze(!whole))}>${busyWords(this.busy === "freeze", whole ? "Open it again" : "Freeze it", "…")}</button></div>`,
    );
  }

  #forget(): TemplateResult {
    const { pod } = this.me;
    const form = html`<form class="stack" @submit=${(event: SubmitEvent) => {
      const { name = "" } = fieldsOf(event);
      void this.#run("erase", () => this.#erase(name));
    }}>
      <label class="field"><span>To be sure, type <strong>${pod}</strong></span><input name="name" required autocomplete="off" pattern=${pod} /></label>
      <div class="row"><button type="button" class="second" @click=${() => (this.sure = false)}>Keep everything</button><button class="second bad" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "erase", "Erase it for good", "Erasing …")}</button></div>
    </form>`;
    return this.#card(
      "erase",
      "trash",
      "Erase your pod",
      "All of it, with earlier versions, the trash and your account, for good: nobody can bring it back, we neither. You get a signed receipt. Download everything first if you may want it again.",
      this.sure
        ? form
        : html`<div class="row"><button class="second bad" @click=${() => (this.sure = true)}>Erase everything</button></div>`,
    );
  }

  #leave(): TemplateResult {
    const { movedTo } = this;
    const form = html`<form class="stack" @submit=${(event: SubmitEvent) => {
      const { to = "" } = fieldsOf(event);
      void this.#run("move", () => this.#move(to));
    }}>
      <label class="field"><span>Address of your pod at the new host</span><input name="to" type="url" required placeholder="https://" /></label>
      <div class="row"><button class="first" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "move", "Send everybody there", "…")}</button><button type="button" class="second" @click=${() => (this.moving = false)}>Cancel</button></div>
    </form>`;
    const back = html`<div class="row"><button class="second" ?disabled=${this.busy !== ""} @click=${() => this.#run("move", () => this.#move(null))}>${busyWords(this.busy === "move", "It is here again", "…")}</button></div>`;
    const begin = html`<div class="row"><button class="second" @click=${() => (this.moving = true)}>I have moved</button></div>`;
    return this.#card(
      "move",
      "move",
      movedTo ? "Your pod has moved" : "Move to another host",
      movedTo
        ? html`Whoever asks here is sent to <strong>${movedTo}</strong>. ${this.passport === "updated" ? "Your passport leads there, too." : this.passport === "owner-must-sign" ? html`Your passport does not yet: open Passport at the new host and bring it along with your recovery file.` : nothing}`
        : html`${moveSteps()}What you have granted comes along and goes on at the new host, under its address; links to the old address are sent on from here. Your passport’s number stays the same.`,
      movedTo ? back : this.moving ? form : begin,
    );
  }
}
customElements.define("fh-leave", Rights);
