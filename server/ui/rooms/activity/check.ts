/** `<fh-journal-check>`: is the record whole? Reads all of it on the server, and holds it against marks that were kept elsewhere. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { ask, Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { busyWords, refusalBox, tell } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { answerOf, follow, type Progress } from "../../parts/told.ts";
import { agoOf, count, dayOf } from "../../parts/words.ts";

interface Report {
  readonly entries: number;
  readonly forgotten: number;
  readonly heads: number;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** Time of the first entry, in ms since 1970; null where there is none, or it was erased. */
  readonly since: number | null;
  /** How many marks of the owner's own were looked at. */
  readonly given: number;
}

interface Checked {
  readonly at: number;
  readonly isSound: boolean;
}

const MARK_BYTES_MAX = 60_000; // What the server takes in one go.

/** A chain of links: whole, or with one that is open. */
function links(isSound: boolean): TemplateResult {
  const at = [0, 1, 2, 3, 4, 5, 6];
  return html`<svg class="links ${isSound ? "sound" : "broken"}" viewBox="0 0 224 40" aria-hidden="true">
    ${at.map((place) => {
      const x = 6 + place * 30;
      if (!isSound && place === 3)
        return svg`<path class="gap" d=${`M${x + 14} 9h-3a11 11 0 0 0 0 22h3M${x + 22} 9h3a11 11 0 0 1 0 22h-3`} />`;
      return svg`<rect x=${x} y="9" width="36" height="22" rx="11" />`;
    })}
  </svg>`;
}

class JournalCheck extends Part {
  static override properties = {
    ...given("me"),
    ...state("checked", "progress", "report", "refusal", "busy"),
  };
  declare me: Me;
  /** When it was checked last; null: never, or not known yet. */
  declare checked: Checked | null;
  declare progress: Progress | null;
  declare report: Report | null;
  declare refusal: Refusal | null;
  declare busy: "" | "check" | "mark";

  constructor() {
    super();
    this.checked = null;
    this.progress = null;
    this.report = null;
    this.refusal = null;
    this.busy = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void ask<{ journal: { checked: Checked | null } }>("GET", "/.account/health").then(
      ({ journal }) => (this.checked = journal.checked),
      () => {}, // Then the panel says nothing of when.
    );
  }

  async #check(heads: unknown = []): Promise<void> {
    this.busy = "check";
    this.refusal = null;
    this.report = null;
    this.progress = null;
    try {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ heads });
      this.report = await follow<Report>(
        await answerOf("/.account/journal/verify", { method: "POST", headers, body }),
        (progress) => (this.progress = progress),
        "Try again in a moment.",
      );
      this.checked = { at: Date.now(), isSound: this.report.faults.length === 0 };
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  async #keep(): Promise<void> {
    this.busy = "mark";
    this.refusal = null;
    try {
      const mark = await ask<object>("GET", "/.account/journal/head");
      const day = new Date().toISOString().slice(0, 10);
      saveAs(
        new Blob([JSON.stringify(mark, null, 2)], { type: "application/json" }),
        `${this.me.pod}-record-mark-${day}.json`,
      );
      tell("The mark is saved. Keep it away from this server.");
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  async #against(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    try {
      if (file.size > MARK_BYTES_MAX) throw new SyntaxError();
      await this.#check(JSON.parse(await file.text()) as unknown);
    } catch {
      this.report = null;
      this.refusal = new Refusal(
        "mark",
        "This file is not a mark",
        "A mark is a small file that you saved on this page",
        "Choose another file.",
      );
    }
  }

  #result(report: Report): TemplateResult {
    const { entries, faults, warnings, since, forgotten, heads } = report;
    const isSound = faults.length === 0;
    const own = report.given > 0 ? `, ${count(report.given, "of them", "of them")} yours` : "";
    return html`<div class="verdict ${isSound ? "good" : "bad"}" role=${isSound ? "status" : "alert"}>
      ${links(isSound)}
      ${
        isSound
          ? html`<p><strong>${count(entries, "entry", "entries")}, unbroken${since === null ? nothing : html` since ${dayOf(since)}`}.</strong>
              ${heads > 0 ? html`${count(heads, "signed mark")} fit${heads === 1 ? "s" : nothing}${own}.` : nothing}
              ${forgotten > 0 ? html`${count(forgotten, "entry", "entries")} say nothing any more, for you erased what they were about.` : nothing}</p>`
          : html`<p><strong>The record is not what it was.</strong> ${count(faults.length, "thing")} ${faults.length === 1 ? "is" : "are"} wrong.</p>
              <ol class="todo"><li>Take a copy of your pod now, under <a href="#/leave">Take along or leave</a>.</li>
                <li>Keep your marks, and do not save new ones over them.</li>
                <li>Ask whoever runs the server what happened. A backup may still hold the record as it was.</li></ol>
              <details><summary>What was found</summary><ul class="found">${faults.map((fault) => html`<li>${fault}</li>`)}</ul></details>`
      }
      ${warnings.length > 0 ? html`<details><summary>${count(warnings.length, "thing")} to know</summary><ul class="found">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></details>` : nothing}
    </div>`;
  }

  #last(): TemplateResult {
    const { checked } = this;
    if (!checked) return html`You have not checked it yet.`;
    return html`Checked ${agoOf(checked.at)}: ${checked.isSound ? "nothing was wrong" : html`<strong class="warn">something was wrong</strong>`}.`;
  }

  protected override render(): TemplateResult {
    const { busy } = this;
    const done = (this.progress?.done ?? 0) / Math.max(1, this.progress?.total ?? 1);
    return html`<article class="panel check">
      <h2>${icon("shield")}Is this record whole?</h2>
      <p class="soft">Each entry is tied to the one before it. If somebody changes one, or takes one out, the check finds it. ${this.#last()}</p>
      ${refusalBox(this.refusal)}
      ${this.report ? this.#result(this.report) : nothing}
      ${
        busy === "check"
          ? html`<label class="field"><span>${done > 0 ? `${Math.floor(done * 100)} percent read` : "Reading …"}</span>
        <progress max="1" .value=${done}></progress></label>`
          : nothing
      }
      <div class="row">
        <button class="first" ?disabled=${busy !== ""} @click=${() => this.#check()}>${busyWords(busy === "check", html`${icon("check")}Check it now`, "Checking …")}</button>
        <button class="second" ?disabled=${busy !== ""} @click=${() => this.#keep()}>${busyWords(busy === "mark", html`${icon("download")}Save a mark`, "Saving …")}</button>
        <label class="button second">${icon("upload")}Check against a saved mark<input class="hidden" type="file" accept="application/json,.json" ?disabled=${busy !== ""} @change=${(event: Event) => this.#against(event)} /></label>
      </div>
      <p class="small soft">A mark is a small signed file that says how the record stood on a day. Keep one elsewhere. Then not even the server's own people can change the past without you seeing it.</p>
    </article>`;
  }
}
customElements.define("fh-journal-check", JournalCheck);
