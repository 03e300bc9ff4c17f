/** `<fh-sheet>`: the recovery sheet, one page of paper. It says what to do and where things are, and holds no secret. */
import { html, nothing, type TemplateResult } from "lit";
import { given, Part } from "./element.ts";
import { icon, mark } from "./icons.ts";
import "./qr.ts";
import { groupsOf } from "./words.ts";

class Sheet extends Part {
  static override properties = given("name", "address", "passport", "registry", "fileName");
  declare name: string;
  /** Where the pod is, or its owner's address. */
  declare address: string;
  declare passport: string | null;
  /** Where the passport can be looked up; ends in `/`. */
  declare registry: string;
  /** Of the recovery file. */
  declare fileName: string;

  protected override render(): TemplateResult {
    const { name, address, passport, registry, fileName } = this;
    return html`<section class="print-sheet" aria-label="Recovery sheet">
      <header><span class="brand">${mark()}<span>Freehold</span></span><strong>Recovery sheet</strong></header>
      <div class="sheet-body">
        <dl>
          <div><dt>Name</dt><dd>${name}</dd></div>
          <div><dt>Address</dt><dd class="long">${address}</dd></div>
          ${passport ? html`<div><dt>Passport number</dt><dd><code class="groups">${groupsOf(passport).map((group) => html`<span>${group}</span> `)}</code></dd></div>` : nothing}
          ${passport ? html`<div><dt>Recovery file</dt><dd class="long">${fileName}</dd></div>` : nothing}
        </dl>
        ${passport ? html`<fh-qr .value=${`${registry}.registry#${passport}`} .label=${"Code that leads to the proof of this passport"}></fh-qr>` : nothing}
      </div>
      ${
        passport
          ? html`<p class="write">I keep the recovery file here: <span></span></p><p class="write">A second copy is here: <span></span></p>
            <p class="sheet-title">If this server is lost</p>
            <ol>
              <li>Open a pod at any other host, and choose “I bring a passport along”.</li>
              <li>Choose the recovery file. Its keys are used in your browser only.</li>
              <li>Bring your last download of everything in, or a backup. Your number leads to the new place.</li>
            </ol>
            <p class="sheet-title">If somebody else has the file</p>
            <p>Open Passport in your pod at once, choose your own copy, and change the keys: the other copy is worth nothing from then on.</p>`
          : html`<p>This pod has no passport. Keep a download of everything, and a backup, somewhere else than on this server.</p>`
      }
      <p class="sheet-foot">${icon("shield")}There is no secret on this sheet. Whoever finds it can look you up, and nothing more.</p>
    </section>`;
  }
}
customElements.define("fh-sheet", Sheet);
