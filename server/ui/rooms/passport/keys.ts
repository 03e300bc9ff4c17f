/**
 * `<fh-keys>`: what the owner of a passport can do with the recovery file. It is read in this browser and forgotten with the
 * page; only what its keys have signed is sent. Fires `checked` when a file is whole, `moved` when the passport has changed.
 */
import { recoveryFileName } from "@freehold/client/passport";
import type { ImportedFile } from "@freehold/client/registry";
import { html, nothing, type TemplateResult } from "lit";
import { offline, Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { agoOf, dayOf, timeOf } from "../../parts/words.ts";
import type { Proved } from "./card.ts";
import type * as Holder from "./holder.ts";
import type { NewKeys, Outcome, Power } from "./holder.ts";

/** What waits at the registry. */
export interface WaitingRow {
  readonly hash: string;
  readonly type: string;
  readonly until: number;
}

const MEANING: Readonly<Record<string, string>> = {
  rotate: "Your passport gets other recovery keys.",
  recover: "Somebody with recovery keys takes your passport over.",
  unlock: "The locks of your passport open.",
  port: "Your passport moves to another zone.",
  erase: "Your passport is erased for good.",
};

/** What waits, what it means and until when, in words; also where there is no file at hand. */
export function waitingWords({ type, until }: WaitingRow): TemplateResult {
  return html`<strong>${MEANING[type] ?? "Your passport changes."}</strong> It counts on ${dayOf(until)} at ${timeOf(until)}, ${agoOf(until)}. Whoever has the keys of today can end it until then.`;
}

class Keys extends Part {
  static override properties = {
    ...given("passport", "registry", "proved", "waits"),
    ...state("file", "power", "fresh", "sure", "last", "busy", "refusal"),
  };
  declare passport: string;
  /** Where the passport is registered; ends in `/`. */
  declare registry: string;
  declare proved: Proved | null;
  declare waits: WaitingRow | null;
  declare file: ImportedFile | null;
  declare power: Power;
  /** New keys that were made and not sent. */
  declare fresh: NewKeys | null;
  /** The person says that the new file is safe. */
  declare sure: boolean;
  /** The recovery file that counts from now on: to be kept in place of the others. */
  declare last: string | null;
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.file = this.fresh = this.last = this.refusal = null;
    this.waits = this.proved = null;
    this.power = "none";
    this.sure = false;
    this.busy = "";
  }

  async #run(busy: string, work: (holder: typeof Holder) => Promise<void>): Promise<void> {
    this.busy = busy;
    this.refusal = null;
    const holder = await import("./holder.ts").catch(() => null);
    try {
      if (!holder) throw offline();
      await work(holder);
    } catch (error) {
      this.refusal = toRefusal(holder ? holder.refusalOfStep(error) : error);
    } finally {
      this.busy = "";
    }
  }

  #open(chosen: File | undefined): void {
    if (!chosen) return;
    this.#forget();
    void this.#run("check", async ({ idOf, look, openFile, powerOf }) => {
      const file = await openFile(await chosen.text());
      if (file.file.passport !== this.passport) {
        throw new Refusal("file", "This file belongs to another passport", "", "Choose the one of this pod.");
      }
      this.file = file;
      this.dispatchEvent(new CustomEvent("checked", { bubbles: true }));
      tell("The file is whole, and it is the right one. We ask again in half a year.");
      this.power = await powerOf(file, await look(this.registry, idOf(this.passport)));
    });
  }

  #forget(): void {
    this.file = this.fresh = this.last = this.refusal = null;
    this.sure = false;
  }

  #moved(outcome: Outcome, done: string): void {
    if (outcome.kind === "done") tell(done);
    else if (outcome.kind === "waits")
      tell(`It counts ${agoOf(outcome.until)}. Until then you can end it here.`);
    else tell("The registry has had this very step before, and it never counted. Change the keys first.");
    this.dispatchEvent(new CustomEvent("moved", { bubbles: true }));
  }

  #lock(isClosed: boolean): void {
    void this.#run("lock", async ({ setLocks }) => {
      if (!this.file) return;
      const outcome = await setLocks(this.registry, this.file, isClosed);
      this.#moved(outcome, isClosed ? "The locks are closed." : "The locks are open.");
    });
  }

  #end(hash: string): void {
    void this.#run("end", async ({ endWaiting }) => {
      if (this.file)
        this.#moved(await endWaiting(this.registry, this.file, hash), "It has ended, and never counted.");
    });
  }

  #save(text: string): void {
    const name = recoveryFileName(this.passport as Parameters<typeof recoveryFileName>[0]);
    saveAs(new Blob([text], { type: "application/json" }), name);
  }

  #make(): void {
    void this.#run("make", async ({ makeNewKeys }) => {
      if (!this.file || this.power === "none") return;
      this.fresh = await makeNewKeys(this.registry, this.file, this.power);
      this.sure = false;
      this.#save(this.fresh.both);
    });
  }

  #send({ signed, file, both }: NewKeys): void {
    void this.#run("send", async ({ openFile, saysNow, send, speakAgain }) => {
      if (!this.file) return;
      const before = await saysNow(this.registry, this.file);
      const outcome = await send(this.registry, signed);
      this.fresh = null;
      if (outcome.kind === "done") {
        this.last = file;
        this.file = await openFile(file);
        this.power = "all";
        await speakAgain(this.registry, file, before);
      } else if (outcome.kind === "waits") this.file = await openFile(both);
      this.#moved(outcome, "The new keys are in force. Whoever had the former ones is out.");
    });
  }

  protected override render(): TemplateResult {
    const { file, busy } = this;
    return html`
      ${refusalBox(this.refusal)}
      ${busy === "check" ? waiting("Checking the file, in this browser only …") : nothing}
      <div class="row">
        <label class=${file ? "button second" : "button first"}>${icon("search")}${file ? "Choose another file" : "Check the file"}<input class="hidden" type="file" accept="application/json,.json" ?disabled=${busy !== ""} @change=${(
          event: Event,
        ) => {
          const input = event.target as HTMLInputElement;
          this.#open(input.files?.[0]);
          input.value = "";
        }} /></label>
        ${file ? html`<button class="second" @click=${() => this.#forget()}>Put the file away</button>` : nothing}
      </div>
      ${file ? this.#desk() : nothing}
    `;
  }

  #desk(): TemplateResult {
    const { power, proved, waits, busy } = this;
    const isClosed = (proved?.locks.length ?? 0) > 0;
    return html`<div class="keys-open">
      <p class="good">${icon("check")}The file is open in this page only, and forgotten when you leave it. Nothing secret is sent.</p>
      ${waits ? html`<div class="row"><button class="second bad" ?disabled=${busy !== "" || power !== "all"} @click=${() => this.#end(waits.hash)}>${busyWords(busy === "end", "End what waits", "Ending it …")}</button></div>` : nothing}
      ${power === "none" ? html`<div class="notice">${icon("warn")}<div>The keys in this file can do nothing any more: they were changed since. Choose the newest file.</div></div>` : nothing}
      ${
        power === "all"
          ? html`<ul class="rows"><li class="row-plain"><span class="tile">${icon("lock")}</span>
            <span class="row-words"><strong>${isClosed ? "The locks are closed" : "The locks are open"}</strong><small>${isClosed ? "Nobody can take your passport to another registrar or zone. To open them takes three days." : "Your passport can go to another registrar or zone. Close them when it has arrived."}</small></span>
            <button class="second small" ?disabled=${busy !== ""} @click=${() => this.#lock(!isClosed)}>${busyWords(busy === "lock", isClosed ? "Open" : "Close", "…")}</button></li></ul>`
          : nothing
      }
      ${power === "none" ? nothing : this.#change(power)}
    </div>`;
  }

  #change(power: "all" | "recover"): TemplateResult {
    const { fresh, last, busy } = this;
    if (last)
      return html`<div class="notice good" role="status">${icon("check")}<div><strong>Keep the newest file, and destroy the others.</strong> They open nothing any more.
        <div class="row"><button class="first" @click=${() => this.#save(last)}>${icon("download")}Download the newest file</button></div></div></div>`;
    const isBack = power === "recover";
    return html`<section class="panel stack">
      <h3>${icon("key")}${isBack ? "Get the passport back" : "Change the keys"}</h3>
      <p class="soft">${isBack ? "The recovery keys in this file are right. They give your passport new keys; this waits, so that its owner could end what a thief began." : "If somebody may have seen the file: the keys that were promised take over, and whoever has the former ones is out at once."}</p>
      ${
        fresh
          ? html`<p>The new file is among your downloads. It holds the keys of before and of after, so nothing is lost whatever happens.</p>
            <label class="tick"><input type="checkbox" .checked=${this.sure} @change=${(event: Event) => (this.sure = (event.target as HTMLInputElement).checked)} /><span>I have put the new file in a safe place</span></label>
            <div class="row"><button class="first" ?disabled=${!this.sure || busy !== ""} @click=${() => this.#send(fresh)}>${busyWords(busy === "send", "Put the new keys in force", "Sending what they signed …")}</button>
              <button class="second" ?disabled=${busy !== ""} @click=${() => this.#save(fresh.both)}>Download it again</button>
              <button class="second" ?disabled=${busy !== ""} @click=${() => (this.fresh = null)}>Not now</button></div>`
          : html`<div class="row"><button class="second" ?disabled=${busy !== ""} @click=${() => this.#make()}>${busyWords(busy === "make", "Make new keys", "Making them …")}</button></div>`
      }
    </section>`;
  }
}
customElements.define("fh-keys", Keys);
