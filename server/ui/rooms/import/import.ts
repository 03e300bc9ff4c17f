/** `<fh-import>`: files from a bank, a shop, a telephone or a meter: looked at first, brought in, and taken back whole. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { ask, Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { answerOf, follow, type Progress } from "../../parts/told.ts";
import { agoOf, count, placeOf, sizeOf } from "../../parts/words.ts";
import { amountOf, cellOf, KINDS, type Row, type Summary, takenBackWords, wordsOfKind } from "./words.ts";

interface Remark {
  readonly line: number;
  readonly detail: string;
}

interface Preview extends Summary {
  readonly bytes: number;
  readonly documents: number;
  readonly remarks: readonly Remark[];
  readonly remarksLeftOut: number;
  readonly folders: readonly string[];
  readonly rows: readonly Row[];
}

interface Done extends Summary {
  /** Of the import's own document; null when there was nothing new. */
  readonly path: string | null;
}

interface Earlier {
  readonly path: string;
  readonly kind: string;
  readonly name: string;
  readonly started: number;
  readonly written: number;
}

interface TakenBack {
  readonly removed: number;
  readonly putBack: number;
  readonly kept: number;
  readonly keptPaths: readonly string[];
}

const AGAIN = "Try once more: nothing of the file was kept.";
const HEADERS = { "content-type": "application/octet-stream" };

/** How much of a file is new: three lengths in one bar. */
function shares({ written, duplicate, skipped }: Summary): TemplateResult {
  const parts = [
    ["new", written],
    ["known", duplicate],
    ["out", skipped],
  ] as const;
  const all = Math.max(1, written + duplicate + skipped);
  let from = 0;
  return html`<svg class="shares" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    ${parts.map(([name, amount]) => {
      const wide = (100 * amount) / all;
      from += wide;
      return svg`<rect class=${name} x=${from - wide} y="0" width=${wide} height="4" />`;
    })}
  </svg>`;
}

/** The lines that are wrong belong to the file, not to fields of a form. */
function aboutFile(refusal: Refusal): Refusal {
  if (refusal.code !== "input-invalid") return refusal;
  const lines = refusal.faults
    .slice(0, 3)
    .map(({ detail, at = "" }) => (/^[1-9]/.test(at) ? `line ${at.split(":")[0]}: ${detail}` : ""))
    .filter(Boolean);
  const detail = [refusal.detail, ...lines].filter((text, place, all) => text && all.indexOf(text) === place);
  return new Refusal(
    refusal.code,
    "This file cannot be read",
    detail.join("; "),
    "Choose another file: what can be read stands below.",
  );
}

class ImportRoom extends Part {
  static override properties = {
    ...given("me"),
    ...state("file", "preview", "finished", "taken", "earlier", "cut", "busy", "progress", "over", "refusal"),
  };
  declare me: Me;
  /** What was chosen; kept until something else is. */
  declare file: File | null;
  declare preview: Preview | null;
  declare finished: Done | null;
  /** What became of an import that was just taken back, where something stayed. */
  declare taken: TakenBack | null;
  declare earlier: readonly Earlier[] | null;
  declare cut: boolean;
  /** `read`, `run`, or the path of the import that is taken back. */
  declare busy: string;
  declare progress: Progress & { readonly words: string };
  /** Something is held above the place where it can be dropped. */
  declare over: boolean;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.file = this.preview = this.finished = this.taken = this.earlier = this.refusal = null;
    this.cut = this.over = false;
    this.busy = "";
    this.progress = { words: "" };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#run("", () => this.#list());
  }

  async #list(): Promise<void> {
    const { imports, cut } = await ask<{ imports: readonly Earlier[]; cut: boolean }>(
      "GET",
      "/.account/imports",
    );
    this.earlier = imports;
    this.cut = cut;
  }

  async #run(busy: string, work: () => Promise<void>): Promise<void> {
    this.busy = busy;
    this.refusal = null;
    this.progress = { words: "" };
    try {
      await work();
    } catch (error) {
      this.refusal = aboutFile(toRefusal(error));
    } finally {
      this.busy = "";
    }
  }

  #address(path: string, file: File): string {
    return `/.account/${path}?name=${encodeURIComponent(file.name)}`;
  }

  #choose(file: File | null | undefined): void {
    if (!file || this.busy !== "") return;
    this.file = file;
    this.preview = this.finished = this.taken = null;
    void this.#run("read", async () => {
      if (/\.zip$/i.test(file.name))
        throw new Refusal(
          "archive",
          "This is a packed file",
          "A whole pod is brought in under “Take along or leave”",
          "Of any other packed file, unpack it first and choose one of the files in it.",
        );
      this.progress = { words: `Reading ${file.name}, ${sizeOf(file.size)} …` };
      const response = await answerOf(this.#address("imports/preview", file), {
        method: "POST",
        body: file,
        headers: HEADERS,
      });
      this.preview = (await response.json()) as Preview;
    });
  }

  #bring(file: File): void {
    void this.#run("run", async () => {
      this.progress = { words: `Sending ${sizeOf(file.size)} …` };
      const expected = this.preview?.documents ?? 0;
      const response = await answerOf(this.#address("imports", file), {
        method: "POST",
        body: file,
        headers: HEADERS,
      });
      this.finished = await follow<Done>(
        response,
        ({ done = 0 }) =>
          (this.progress = {
            done,
            total: expected,
            words: `Writing: ${count(done, "document")}${expected > 0 ? ` of about ${expected.toLocaleString("en")}` : ""} …`,
          }),
        AGAIN,
      );
      this.preview = null;
      this.#changed();
      await this.#list();
    });
  }

  #undo(path: string): void {
    void this.#run(path, async () => {
      const response = await answerOf("/.account/imports/undo", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ path }),
      });
      const taken = await follow<TakenBack>(
        response,
        ({ done = 0, total }) =>
          (this.progress = {
            done,
            total: total ?? 0,
            words: `Taking back: ${done} of ${total ?? 0} documents …`,
          }),
        "Tap Undo again: what is taken back already stays so.",
      );
      if (this.finished?.path === path) this.finished = null;
      this.taken = taken.kept > 0 ? taken : null;
      tell(takenBackWords(taken));
      this.#changed();
      await this.#list();
    });
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  protected override render(): TemplateResult {
    return html`<section class="import">
      <div class="head"><div><h1>Bring data in</h1><p class="soft">Choose a file that a bank, a shop, your telephone or your meter gave you. You see what is in it before anything is kept.</p></div></div>
      ${this.#drop()}
      ${refusalBox(this.refusal)}
      ${this.refusal?.code === "archive" ? html`<p><a href="#/leave">Bring a whole pod in</a></p>` : nothing}
      ${this.busy !== "" && this.progress.words ? this.#waiting() : nothing}
      ${this.preview && this.file ? this.#look(this.preview, this.file) : nothing}
      ${this.finished ? this.#told(this.finished) : nothing}
      ${this.taken ? this.#stayed(this.taken) : nothing}
      ${this.#before()}
      ${this.#known()}
    </section>`;
  }

  #drop(): TemplateResult {
    const over = (isOver: boolean) => (event: DragEvent) => {
      event.preventDefault();
      this.over = isOver;
    };
    return html`<div class=${this.over ? "drop over" : "drop"}
      @dragover=${over(true)} @dragenter=${over(true)} @dragleave=${over(false)}
      @drop=${(event: DragEvent) => {
        over(false)(event);
        this.#choose(event.dataTransfer?.files[0]);
      }}>
      <svg class="tray" viewBox="0 0 120 80" aria-hidden="true">
        <path class="sheet-back" d="M44 8h26l12 12v34H44z" /><path class="fold" d="M70 8v12h12" />
        <path class="lines" d="M51 28h23M51 35h23M51 42h14" />
        <path class="arrow" d="M63 50v16M57 60l6 6 6-6" />
        <path class="box" d="M18 50h20l6 10h38l6-10h20v22H18z" />
      </svg>
      <label class="button first">${icon("upload")}${this.file ? "Choose another file" : "Choose a file"}<input class="hidden" type="file" ?disabled=${this.busy !== ""} @change=${(
        event: Event,
      ) => {
        const input = event.target as HTMLInputElement;
        this.#choose(input.files?.[0]);
        input.value = ""; // The same file may be chosen again.
      }} /></label>
      <p class="soft small">or drop it here</p>
    </div>`;
  }

  #waiting(): TemplateResult {
    const { words, done, total } = this.progress;
    return html`<div class="panel">${waiting(words)}${total ? html`<progress aria-label="How far it is" max=${total} .value=${Math.min(done ?? 0, total)}></progress>` : nothing}</div>`;
  }

  #look(preview: Preview, file: File): TemplateResult {
    const { kind, written, duplicate, skipped, rows, folders, documents } = preview;
    const words = KINDS[kind];
    return html`<article class="panel preview-panel" aria-live="polite">
      <h2>${icon(words.icon)}${words.title}</h2>
      <p class="soft">${file.name}, ${sizeOf(preview.bytes)}. Nothing is kept yet.</p>
      ${shares(preview)}
      <dl class="counts">
        <div><dt><span class="dot new"></span>New</dt><dd>${amountOf(kind, written)}</dd></div>
        <div><dt><span class="dot known"></span>Known already</dt><dd>${amountOf(kind, duplicate)}</dd></div>
        <div><dt><span class="dot out"></span>Left out</dt><dd>${amountOf(kind, skipped)}</dd></div>
      </dl>
      ${rows.length > 0 ? this.#table(words.columns, rows, written) : nothing}
      ${this.#remarks(preview)}
      ${
        written > 0
          ? html`<p>${count(documents, "document")} will be in ${folders.map((path) => html`<strong>${placeOf(path)}</strong> `)}of your pod, where only you see ${documents === 1 ? "it" : "them"} unless you have shared that folder.</p>`
          : html`<p>All of it is in your pod already.</p>`
      }
      <div class="row">
        ${written > 0 ? html`<button class="first" ?disabled=${this.busy !== ""} @click=${() => this.#bring(file)}>${busyWords(this.busy === "run", `Bring ${amountOf(kind, written)} in`, "Bringing it in …")}</button>` : nothing}
        <button class="second" ?disabled=${this.busy !== ""} @click=${() => (this.file = this.preview = null)}>Leave it</button>
      </div>
    </article>`;
  }

  #table(
    columns: readonly (readonly [string, string])[],
    rows: readonly Row[],
    written: number,
  ): TemplateResult {
    return html`<div class="table" role="region" aria-label="The first of them" tabindex="0"><table>
      <caption class="soft small">${rows.length < written ? `The first ${rows.length}` : "All of it"}</caption>
      <thead><tr>${columns.map(([, title]) => html`<th scope="col">${title}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${columns.map(([field]) => html`<td class=${field}>${cellOf(row, field)}</td>`)}</tr>`)}</tbody>
    </table></div>`;
  }

  #remarks({ remarks, remarksLeftOut }: Preview): TemplateResult | typeof nothing {
    if (remarks.length === 0) return nothing;
    return html`<details><summary>What is left out or changed, and why</summary>
      <ul class="remarks">${remarks.map(({ line, detail }) => html`<li>${line > 0 ? `Line ${line.toLocaleString("en")}: ` : ""}${detail}</li>`)}
        ${remarksLeftOut > 0 ? html`<li>and ${remarksLeftOut.toLocaleString("en")} more</li>` : nothing}</ul></details>`;
  }

  #told({ kind, written, duplicate, skipped, path }: Done): TemplateResult {
    const others = [
      duplicate > 0 ? `${amountOf(kind, duplicate)} ${duplicate === 1 ? "was" : "were"} known already` : "",
      skipped > 0 ? `${amountOf(kind, skipped)} left out` : "",
    ].filter(Boolean);
    return html`<div class="notice good" role="status">${icon("check")}<div>
      <strong>${amountOf(kind, written)} brought in.</strong> ${others.length > 0 ? `${others.join(", ")}.` : nothing}
      ${path ? html`<div class="row"><button class="second small" ?disabled=${this.busy !== ""} @click=${() => this.#undo(path)}>Undo all of it</button></div>` : nothing}
    </div></div>`;
  }

  #stayed({ kept, keptPaths }: TakenBack): TemplateResult {
    return html`<div class="notice" role="status">${icon("warn")}<div><strong>${count(kept, "document")} stayed,</strong> for ${kept === 1 ? "it was" : "they were"} changed since. Delete by hand what you do not want.
      <ul>${keptPaths.map((path) => html`<li><a href=${`#/data/${path.split("/").slice(2, -1).join("/")}/`}>${placeOf(path)}</a></li>`)}</ul>
      ${kept > keptPaths.length ? html`<p>and ${(kept - keptPaths.length).toLocaleString("en")} more</p>` : nothing}</div></div>`;
  }

  #before(): TemplateResult | typeof nothing {
    const { earlier } = this;
    if (!earlier) return this.refusal ? nothing : waiting("Looking for earlier imports …");
    if (earlier.length === 0) return nothing;
    return html`<section><h2>Earlier imports</h2>
      <ul class="rows">${earlier.map(
        ({ path, kind, name, started, written }) => html`<li class="row-plain">
          <span class="tile">${icon(wordsOfKind(kind)?.icon ?? "file")}</span>
          <span class="row-words"><strong>${name}</strong><small>${amountOf(kind, written)}, ${agoOf(started)}</small></span>
          <button class="second small" aria-label=${`Undo the import of ${name}`} ?disabled=${this.busy !== ""} @click=${() => this.#undo(path)}>${busyWords(this.busy === path, "Undo", "…")}</button></li>`,
      )}</ul>
      <p class="soft small">Undo moves what an import made to the trash, and what it added to something is taken out again. What you have changed since stays.${this.cut ? " Older imports are in the folder imports of your data." : ""}</p>
    </section>`;
  }

  #known(): TemplateResult {
    return html`<section><h2>What can be read</h2>
      <ul class="kinds">${Object.values(KINDS).map(
        ({ title, icon: picture, from, files }) => html`<li class="panel">
          <h3>${icon(picture)}${title}</h3><p class="soft">${from}</p><p class="small">${files}</p></li>`,
      )}</ul>
      <p class="soft small">Any other file can be kept as it is, in <a href="#/data">Data</a>. A whole pod of another host comes in under <a href="#/leave">Take along or leave</a>.</p>
    </section>`;
  }
}
customElements.define("fh-import", ImportRoom);
