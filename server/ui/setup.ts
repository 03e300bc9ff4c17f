/** `<fh-setup>`: from a set-up link to a pod, in three steps: what you are called, your passport's recovery file, how you sign in. */
import { type Desk, exportRecoveryFile, openPassport, recoveryFileName } from "@freehold/client/passport";
import { html, nothing, type TemplateResult } from "lit";
import { ask, Refusal, toRefusal } from "./parts/ask.ts";
import "./parts/copy.ts";
import { setUpHint } from "./login.ts";
import { Part, state } from "./parts/element.ts";
import { framed } from "./parts/frame.ts";
import { icon } from "./parts/icons.ts";
import type { State } from "./parts/model.ts";
import { busyWords, faultOf, refusalBox, waiting } from "./parts/notices.ts";
import { canUsePasskeys, makePasskey } from "./parts/passkey.ts";
import { saveAs } from "./parts/pod-fetch.ts";
import { REACHABLE_WORDS, reachableFrom } from "./parts/reachable.ts";
import { answerOf, follow } from "./parts/told.ts";
import { count, groupsOf, podNameOf, sizeOf } from "./parts/words.ts";

type Passport = Awaited<ReturnType<typeof openPassport>>;
type Step = "names" | "recovery" | "sign-in" | "bring";

const STEPS: readonly (readonly [Step, string])[] = [
  ["names", "Your name"],
  ["recovery", "Recovery file"],
  ["sign-in", "Signing in"],
];
const NAME_WAIT_MS = 350; // After the last key, before the server is asked whether the name is free.

class Setup extends Part {
  static override properties = state(
    "server",
    "desk",
    "step",
    "name",
    "pod",
    "free",
    "passport",
    "saved",
    "brings",
    "archive",
    "progress",
    "way",
    "password",
    "seen",
    "busy",
    "refusal",
  );
  declare server: State | null;
  declare desk: Desk | null;
  declare step: Step;
  declare name: string;
  declare pod: string;
  /** Whether the pod's name is free; null while that is not known. */
  declare free: boolean | null;
  declare passport: Passport | null;
  declare saved: boolean;
  /** Has a passport already, which comes along once the pod is there. */
  declare brings: boolean;
  /** A pod of another host, as a file; it is brought in when the new one is there. */
  declare archive: File | null;
  declare progress: string;
  declare way: "passkey" | "password";
  declare password: string;
  declare seen: boolean;
  declare busy: boolean;
  declare refusal: Refusal | null;
  #token = "";
  #podChosen = false;
  #timer = 0;

  constructor() {
    super();
    Object.assign(this, {
      server: null,
      desk: null,
      step: "names",
      name: "",
      pod: "",
      free: null,
      passport: null,
      saved: false,
      brings: false,
      archive: null,
      progress: "",
    });
    Object.assign(this, { way: "passkey", password: "", seen: false, busy: false, refusal: null });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
    history.replaceState(null, "", location.pathname); // The token stays out of the history and of what is copied.
    void this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      this.server = await ask<State>("GET", "/.account/state");
      if (!this.server.passkeys || !canUsePasskeys()) this.way = "password";
      this.desk = await ask<Desk>("POST", "/.account/setup/begin", { token: this.#token });
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  #setName(name: string): void {
    this.name = name;
    if (!this.#podChosen) this.#setPod(podNameOf(name));
  }

  #setPod(pod: string): void {
    this.pod = pod;
    this.free = null;
    window.clearTimeout(this.#timer);
    if (pod) this.#timer = window.setTimeout(() => void this.#checkPod(pod), NAME_WAIT_MS);
  }

  async #checkPod(pod: string): Promise<void> {
    const { free } = await ask<{ free: boolean }>("POST", "/.account/setup/name", {
      token: this.#token,
      pod,
    }).catch(() => ({ free: null }));
    if (this.pod === pod) this.free = free;
  }

  /** Goes on with what the person filled in; the keys are made once, whatever is corrected later. */
  async #toRecovery(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.refusal = null;
    this.busy = true;
    try {
      await this.#checkPod(this.pod);
      if (this.free === false)
        throw new Refusal("taken", "This address is taken", "", "Choose another name for your pod.", [
          { at: "/pod", detail: "This one is taken" },
        ]);
      if (!this.passport && this.desk) this.passport = await openPassport(this.desk, new Date());
      this.step = "recovery";
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  #saveFile(passport: Passport): void {
    saveAs(
      new Blob([exportRecoveryFile(passport.file)], { type: "application/json" }),
      recoveryFileName(passport.id),
    );
    this.saved = true;
    void import("./parts/sheet.ts");
  }

  async #finish(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.busy = true;
    this.refusal = null;
    const fields = { token: this.#token, name: this.name, pod: this.pod };
    try {
      const proof =
        this.way === "passkey" ? { passkey: await makePasskey(fields) } : { password: this.password };
      await ask("POST", "/.account/setup", {
        ...fields,
        ...proof,
        createOp: this.brings ? null : (this.passport?.createOp ?? null),
        recoverySaved: this.saved,
      });
      if (this.archive) await this.#bring(this.archive);
      else this.#enter();
    } catch (error) {
      this.refusal = toRefusal(error);
      if (this.refusal.of("name") || this.refusal.of("pod")) this.step = "names";
      this.busy = false;
    }
  }

  #enter(): void {
    location.replace(this.brings ? "/#/passport" : "/#/home/welcome");
  }

  /** The pod is there and its owner is signed in: from here on everything can be tried again, now or later. */
  async #bring(archive: File): Promise<void> {
    this.step = "bring";
    this.busy = true;
    this.refusal = null;
    this.progress = `Sending ${sizeOf(archive.size)} …`;
    try {
      const headers = { "content-type": "application/zip" };
      const init = { method: "POST", body: archive, headers };
      const response = await answerOf("/.account/import?present=keep", init);
      await follow(
        response,
        ({ done, total }) => {
          if (done !== undefined)
            this.progress = `Unpacking: ${count(done, "entry", "entries")}${total ? ` of ${total.toLocaleString("en")}` : ""} …`;
        },
        "Try again: what is there already stays.",
      );
      this.#enter();
    } catch (error) {
      this.refusal = toRefusal(error);
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    if (this.step === "bring") return framed(this.#bringing());
    if (!this.server || !this.desk) {
      if (!this.refusal) return framed(waiting("Checking your set-up link …"));
      const account = this.server?.account;
      return framed(html`<h1>${account ? `You already have a pod, ${account.name}` : "This link cannot be used"}</h1>
        ${account ? nothing : refusalBox(this.refusal)}
        ${this.server?.setUpNeeded ? setUpHint() : html`<a class="button first wide" href="/">${account ? "Open your pod" : "Sign in instead"}</a>`}`);
    }
    const at = STEPS.findIndex(([step]) => step === this.step);
    const steps = html`<ol class="steps" aria-label="Steps">
      ${STEPS.map(([, title], place) => html`<li aria-current=${place === at ? "step" : "false"} class=${place < at ? "done" : ""}><span>${title}</span></li>`)}
    </ol>`;
    const content = {
      names: () => this.#names(),
      recovery: () => this.#recovery(),
      "sign-in": () => this.#signIn(),
      bring: () => this.#bringing(),
    }[this.step];
    return framed(html`${steps}${content()}`);
  }

  #names(): TemplateResult {
    const host = new URL(this.server?.baseUrl ?? location.href).host;
    const hint =
      this.free === null
        ? ""
        : this.free
          ? `${this.pod} is free`
          : `${this.pod} cannot be used: taken, or not made of letters a–z, digits and hyphens`;
    return html`
      <h1>Welcome home</h1>
      <p class="soft">This makes your pod: a place on the web for your data, which only you can open until you decide otherwise.</p>
      ${refusalBox(this.refusal)}
      <form class="stack" @submit=${(event: SubmitEvent) => this.#toRecovery(event)}>
        <label class="field"><span>What shall we call you?</span>
          <input name="name" required autofocus autocomplete="name" maxlength="100" .value=${this.name}
            @input=${(event: InputEvent) => this.#setName((event.target as HTMLInputElement).value)} />
          <small>People with whom you share something see this name.</small>
          ${faultOf(this.refusal, "name")}
        </label>
        <label class="field"><span>Address of your pod</span>
          <span class="prefixed"><span aria-hidden="true">${host}/</span>
            <input name="pod" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="63" pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?" .value=${this.pod}
              title="Letters a to z, digits, and hyphens between them"
              @input=${(event: InputEvent) => {
                this.#podChosen = true;
                this.#setPod((event.target as HTMLInputElement).value.toLowerCase());
              }} /></span>
          <small class=${this.free === false ? "fault" : this.free ? "good" : ""} aria-live="polite">${hint || "Short is good: you may want to say it aloud."}</small>
        </label>
        ${this.#where()}
        <button class="first wide" ?disabled=${this.busy}>${busyWords(this.busy, "Go on", "Making your keys …")}</button>
      </form>
      ${this.#before()}`;
  }

  /** Where the pod can be reached, said before anybody gives the address to others. */
  #where(): TemplateResult {
    const address = this.server?.baseUrl ?? location.href;
    const reach = reachableFrom(address);
    const [title, about] = REACHABLE_WORDS[reach];
    return html`<div class="notice ${reach === "web" ? "good" : ""}">${icon(reach === "here" ? "device" : reach === "nearby" ? "home" : "globe")}<div>
      <strong>Reachable from: ${title}.</strong> <span>${about}</span>
      ${
        reach === "web"
          ? nothing
          : html`<details><summary>How it becomes reachable from everywhere</summary><ol class="small">
              <li>Get an address with https that leads to this computer.</li>
              <li>Start the server with <code>FREEHOLD_BASE_URL=https://your.address/</code>.</li>
              <li>Better do so first: the address of a pod changes with it.</li></ol></details>`
      }</div></div>`;
  }

  #before(): TemplateResult {
    const { archive } = this;
    return html`<details class="panel" ?open=${archive !== null}><summary>I have had a pod before</summary><div class="stack">
      <p><strong>From another host:</strong> choose the file with everything that you downloaded there. It is brought in as soon as this pod is ready.</p>
      ${archive ? html`<p class="good" role="status">${icon("check")}${archive.name}, ${sizeOf(archive.size)}</p>` : nothing}
      <div class="row"><label class="button second">${icon("upload")}${archive ? "Choose another file" : "Choose the file"}<input class="hidden" type="file" accept=".zip,application/zip" @change=${(
        event: Event,
      ) => {
        this.archive = (event.target as HTMLInputElement).files?.[0] ?? null;
      }} /></label>
        ${archive ? html`<button class="quiet" @click=${() => (this.archive = null)}>Leave it out</button>` : nothing}</div>
      <p><strong>From a backup of a whole server:</strong> whoever runs this server brings it back before anybody opens a pod here, with <code>freehold restore</code> and the backup, its keys and the passphrase. Everybody’s pods are there again then, and this page is not needed.</p>
    </div></details>`;
  }

  #bringing(): TemplateResult {
    const { archive } = this;
    return html`<h1>${this.refusal ? "Your pod is ready" : "Bringing everything in"}</h1>
      ${this.refusal ? html`${refusalBox(this.refusal)}<p>The pod is open, and you are signed in. Only the file is missing.</p>` : html`<p class="soft">Your pod is open already. Keep this page open until it is done.</p>`}
      ${this.busy ? waiting(this.progress) : nothing}
      ${
        this.refusal && archive
          ? html`<div class="pair"><button class="second" @click=${() => this.#enter()}>Go on without</button><button class="first" @click=${() => this.#bring(archive)}>Try again</button></div>`
          : nothing
      }`;
  }

  #recovery(): TemplateResult | typeof nothing {
    const { passport } = this;
    if (!passport) return nothing;
    return html`
      <h1>Your passport</h1>
      <p class="soft">This number is yours for good: it leads to you even when your pod moves to another host. Its keys were made just now, in this browser.</p>
      <fh-copy .value=${passport.id} .label=${"your passport number"} .groups=${groupsOf(passport.id)}></fh-copy>
      <div class="panel">
        <h2>${icon("key")}Keep your recovery file safe</h2>
        <p>The file holds your passport’s keys. With it you can always get your passport back. Nobody else has a copy, not even this server.</p>
        <button class=${this.saved ? "second wide" : "first wide"} @click=${() => this.#saveFile(passport)}>
          ${this.saved ? icon("check") : icon("download")}${this.saved ? "Download it again" : "Download the recovery file"}
        </button>
        <p class="small soft" role="status">${this.saved ? "Downloaded. Put it where you keep your most important papers: a USB stick, a safe, a password manager." : ""}</p>
      </div>
      ${this.saved ? this.#paper(passport) : nothing}
      <div class="pair">
        <button class="second" @click=${() => (this.step = "names")}>Back</button>
        <button class=${this.saved ? "first" : "second"} ?disabled=${!this.saved} @click=${() => {
          this.brings = false;
          this.step = "sign-in";
        }}>Go on</button>
      </div>
      <p class="center small"><button class="quiet small" @click=${() => {
        this.brings = true;
        this.step = "sign-in";
      }}>I bring a passport along</button></p>`;
  }

  /** The sheet is on the page from the moment it may be printed, for what is printed is what is on the page. */
  #paper(passport: Passport): TemplateResult {
    const address = new URL(`${this.pod}/`, this.server?.baseUrl ?? location.href).href;
    return html`<details class="panel"><summary>Print a recovery sheet</summary>
      <p class="small soft">One page for the folder with your papers: your name, your number, and what to do if this server is lost. There is no secret on it.</p>
      <fh-sheet .name=${this.name} .address=${address} .passport=${passport.id} .registry=${this.server?.registry ?? ""} .fileName=${recoveryFileName(passport.id)}></fh-sheet>
      <div class="row"><button class="second" @click=${() => window.print()}>${icon("file")}Print it</button></div>
    </details>`;
  }

  #signIn(): TemplateResult {
    const least = this.server?.passwordCharactersMin ?? 15;
    const length = Array.from(this.password).length;
    const possible = this.server?.passkeys === true && canUsePasskeys();
    const pick = (way: "passkey" | "password") => () => {
      this.way = way;
      this.refusal = null;
    };
    return html`
      <h1>How will you sign in?</h1>
      ${refusalBox(this.refusal)}
      <form class="stack" @submit=${(event: SubmitEvent) => this.#finish(event)}>
        <fieldset class="choices">
          <legend class="hidden">Way to sign in</legend>
          ${
            possible
              ? html`<label class="choice"><input type="radio" name="way" ?checked=${this.way === "passkey"} @change=${pick("passkey")} />${icon("finger")}
                  <span><strong>With a passkey</strong><small>Your fingerprint, face or the PIN of this device. Nothing to remember, nothing to steal.</small></span></label>`
              : html`<p class="small soft">Passkeys need an address with https, or localhost.</p>`
          }
          <label class="choice"><input type="radio" name="way" ?checked=${this.way === "password"} @change=${pick("password")} />${icon("key")}
            <span><strong>With a password</strong><small>A few words of your own, at least ${least} characters.</small></span></label>
        </fieldset>
        ${
          this.way === "password"
            ? html`<input class="hidden" name="username" autocomplete="username" tabindex="-1" aria-hidden="true" .value=${this.pod} />
              <label class="field"><span>Password</span>
                <span class="with-button"><input name="password" required minlength=${least} maxlength="1024" autocomplete="new-password" type=${this.seen ? "text" : "password"} .value=${this.password}
                  @input=${(event: InputEvent) => (this.password = (event.target as HTMLInputElement).value)} />
                  <button type="button" class="icon-only" aria-pressed=${this.seen} aria-label="Show the password" @click=${() => (this.seen = !this.seen)}>${icon("eye")}</button></span>
                <small aria-live="polite" class=${length >= least ? "good" : ""}>${length === 0 ? "Four words that nobody would put together work well." : length < least ? `${length} of ${least} characters` : "Long enough"}</small>
                ${faultOf(this.refusal, "password")}
              </label>`
            : nothing
        }
        <div class="pair">
          <button type="button" class="second" ?disabled=${this.busy} @click=${() => (this.step = "recovery")}>Back</button>
          <button class="first" ?disabled=${this.busy}>${busyWords(this.busy, this.way === "passkey" ? "Make a passkey" : "Open my pod", this.way === "passkey" ? "Waiting for your device …" : "Opening your pod …")}</button>
        </div>
      </form>`;
  }
}
customElements.define("fh-setup", Setup);
