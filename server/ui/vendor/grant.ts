/** `<fh-vendor-grant>`: one grant: what it allows, asking under it, its receipts, and being told of changes. */
import {
  accessGrant,
  countersign,
  endGrant,
  type GrantedAccess,
  nativeOf,
  type Pod,
  queryUnder,
  type Receipt,
  type Reconciliation,
  type Row,
  receipts,
  reconcile,
} from "@freehold/client";
import { labelOf } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../parts/element.ts";
import { icon } from "../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../parts/notices.ts";
import { saveAs } from "../parts/pod-fetch.ts";
import { agoOf, count, dayOf, hostOf, timeOf } from "../parts/words.ts";
import { chartOf } from "./chart.ts";
import type { Desk } from "./desk.ts";
import "./listening.ts";
import { csvOf } from "./table-file.ts";
import { badgeOf, targetWords } from "./words.ts";

const ROWS_MAX = 5_000; // A page is for looking; whoever wants all of it takes the library.
const ROWS_SHOWN = 100;
const RECEIPTS_SHOWN = 50;
const FIRST_QUERY = "SELECT ?thing ?property ?value WHERE { ?thing ?property ?value } LIMIT 50";

interface Answer {
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  readonly isCut: boolean;
  readonly ms: number;
}

class VendorGrant extends Part {
  static override properties = {
    ...given("desk", "address"),
    ...state("pod", "grant", "answer", "kept", "reckoning", "busy", "refusal", "shown"),
  };
  declare desk: Desk;
  declare address: string;
  declare pod: Pod | null;
  declare grant: GrantedAccess | null;
  declare answer: Answer | null;
  declare kept: readonly Receipt[] | null;
  declare reckoning: Reconciliation | null;
  declare busy: string;
  declare refusal: Refusal | null;
  declare shown: number;
  #calling = new AbortController();

  constructor() {
    super();
    this.pod = this.grant = this.answer = this.kept = this.reckoning = this.refusal = null;
    this.busy = "";
    this.shown = ROWS_SHOWN;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#run("open", async () => {
      this.pod = await this.desk.podOf(this.address);
      await this.desk.remember(this.pod);
      await this.#look(this.pod);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#calling.abort();
  }

  async #look(pod: Pod): Promise<void> {
    this.grant = await accessGrant(pod, this.address);
    const found: Receipt[] = [];
    for await (const receipt of receipts(pod, this.address)) {
      found.push(receipt);
      if (found.length >= RECEIPTS_SHOWN) break;
    }
    this.kept = found;
  }

  async #run(name: string, work: () => Promise<unknown>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      await work();
    } catch (error) {
      if ((error as Error | null)?.name !== "AbortError") this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #query(event: SubmitEvent): void {
    const { sparql = "", purpose = "" } = fieldsOf(event);
    const { pod, address, desk } = this;
    if (!pod) return;
    this.#calling = new AbortController();
    const { signal } = this.#calling;
    void this.#run("query", async () => {
      this.answer = null;
      this.shown = ROWS_SHOWN;
      const began = performance.now();
      const names = new Set<string>();
      const rows: Row[] = [];
      const basis = { grant: address, ledger: desk.ledger, ...(purpose && { purpose }) };
      let isCut = false;
      for await (const row of queryUnder(pod, basis, sparql, { signal })) {
        isCut = rows.length >= ROWS_MAX;
        if (isCut) break;
        for (const name of Object.keys(row)) names.add(name);
        rows.push(row);
      }
      this.answer = { names: [...names], rows, isCut, ms: performance.now() - began };
      await this.#look(pod);
    });
  }

  protected override render(): TemplateResult {
    const { grant, pod } = this;
    if (!grant || !pod)
      return html`<h1>A grant</h1>${refusalBox(this.refusal)}${this.refusal ? nothing : waiting("Opening …")}<p><a href="#/grants">All grants</a></p>`;
    return html`
      <nav class="crumbs" aria-label="Where you are"><a href="#/grants">Grants</a>${icon("next")}<a href=${location.hash} aria-current="page">${hostOf(pod.url)}</a></nav>
      <div class="head"><div><h1>${targetWords(grant.policies, pod.url)}</h1><p class="soft">${pod.url}</p></div>${badgeOf(grant.state)}</div>
      ${refusalBox(this.refusal)}
      ${this.#terms(grant, pod)} ${this.#editor(grant)} ${this.#receipts(pod)}
      <fh-vendor-listening .desk=${this.desk} .pod=${pod} .grant=${grant}></fh-vendor-listening>
    `;
  }

  #terms(grant: GrantedAccess, pod: Pod): TemplateResult {
    const uses = (this.kept ?? []).filter(({ kind }) => kind === "use").length;
    return html`<section class="panel">
      <h2>${icon("card")}What it allows</h2>
      ${grant.policies.map(
        ({
          actions,
          purposes,
          notAfter,
          tier,
          mode,
          dataLife,
          queriesMax,
          frequency,
          target,
        }) => html`<dl class="terms">
          <div><dt>To</dt><dd>${actions.join(", ")} ${targetWords([{ target } as GrantedAccess["policies"][number]], pod.url)}</dd></div>
          <div><dt>For</dt><dd>${purposes.map(labelOf).join(", ")}</dd></div>
          ${notAfter === null ? nothing : html`<div><dt>Until</dt><dd>${agoOf(notAfter)}</dd></div>`}
          <div><dt>How fine</dt><dd>${tier ?? "raw"}, ${mode ?? "view"}${dataLife === null ? "" : `, kept ${dataLife}`}</dd></div>
          ${queriesMax === null ? nothing : html`<div><dt>Answers</dt><dd><meter min="0" max=${queriesMax} value=${Math.min(uses, queriesMax)}></meter> ${uses} of ${queriesMax}</dd></div>`}
          ${frequency === null ? nothing : html`<div><dt>At most</dt><dd>${count(frequency.count, "answer")} in ${frequency.per / 3_600_000} hours</dd></div>`}
        </dl>`,
      )}
      ${grant.reason === null ? nothing : html`<p class="soft">${grant.reason}</p>`}
      ${grant.state === "Active" || grant.state === "Paused" ? html`<div class="row"><button class="second bad" ?disabled=${this.busy !== ""} @click=${() => this.#giveBack(pod)}>${busyWords(this.busy === "end", "Give it back", "Giving it back …")}</button></div>` : nothing}
    </section>`;
  }

  #giveBack(pod: Pod): void {
    void this.#run("end", async () => {
      await endGrant(pod, this.address);
      await this.#look(pod);
      tell("Given back. Nothing more can be read with it.");
    });
  }

  #editor(grant: GrantedAccess): TemplateResult {
    const purposes = [...new Set(grant.policies.flatMap((one) => one.purposes))];
    return html`<section>
      <h2>Ask</h2>
      <form class="panel stack" @submit=${(event: SubmitEvent) => this.#query(event)}>
        <label class="field"><span>Query, in SPARQL</span><textarea class="code" name="sparql" rows="8" spellcheck="false" required @keydown=${this.#send}>${FIRST_QUERY}</textarea><small>Ctrl and Enter sends it.</small></label>
        ${purposes.length > 1 ? html`<label class="field"><span>What for</span><select name="purpose">${purposes.map((one) => html`<option value=${one}>${labelOf(one)}</option>`)}</select></label>` : nothing}
        <div class="row"><button class="first" ?disabled=${this.busy !== ""}>${busyWords(this.busy === "query", "Ask", "Asking …")}</button>
          ${this.busy === "query" ? html`<button type="button" class="second" @click=${() => this.#calling.abort()}>Stop</button>` : nothing}</div>
      </form>
      ${this.answer ? this.#answer(this.answer) : nothing}
    </section>`;
  }

  readonly #send = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    (event.target as HTMLTextAreaElement).form?.requestSubmit();
  };

  #answer(answer: Answer): TemplateResult {
    const { names, rows, isCut, ms } = answer;
    if (rows.length === 0)
      return html`<div class="empty">${icon("search")}<p><strong>No answer.</strong><br />Nothing that you may see fits the query.</p></div>`;
    return html`
      <div class="head"><p class="soft">${isCut ? `The first ${count(rows.length, "row")}` : count(rows.length, "row")} in ${Math.round(ms)} ms</p>
        <button class="second small" @click=${() => saveAs(new Blob([csvOf(names, rows)], { type: "text/csv" }), "answer.csv")}>${icon("download")}As a table file</button></div>
      ${chartOf(names, rows)}
      <div class="wide-table" tabindex="0" role="region" aria-label="The answer"><table>
        <thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, this.shown).map((row) => html`<tr>${names.map((name) => this.#cell(row[name]))}</tr>`)}</tbody>
      </table></div>
      ${rows.length > this.shown ? html`<button class="second wide" @click=${() => (this.shown += ROWS_SHOWN)}>Show more</button>` : nothing}`;
  }

  #cell(cell: Row[string]): TemplateResult {
    const value = nativeOf(cell);
    const isNumber = typeof value === "number";
    return html`<td class=${isNumber ? "number" : ""}>${value instanceof Date ? cell?.value.slice(0, 19).replace("T", " ") : (cell?.value ?? "")}</td>`;
  }

  #receipts(pod: Pod): TemplateResult {
    const { kept, reckoning } = this;
    const sign = (): Promise<void> =>
      this.#run("sign", async () => {
        const identity = await this.desk.identity();
        if (identity) await countersign(pod, this.address, identity);
        else location.hash = "#/key";
        this.reckoning = identity && (await reconcile(pod, this.address, this.desk.ledger, identity));
      });
    const reckon = (): Promise<void> =>
      this.#run("reckon", async () => {
        this.reckoning = await reconcile(
          pod,
          this.address,
          this.desk.ledger,
          (await this.desk.identity()) ?? undefined,
        );
      });
    return html`<section>
      <div class="head"><h2>Receipts</h2><div class="row">
        <button class="second small" ?disabled=${this.busy !== ""} @click=${sign}>${busyWords(this.busy === "sign", "Sign the consent", "Signing …")}</button>
        <button class="second small" ?disabled=${this.busy !== ""} @click=${reckon}>${busyWords(this.busy === "reckon", "Compare with my notes", "Comparing …")}</button></div></div>
      ${reckoning ? this.#reckoned(reckoning) : nothing}
      ${
        kept === null
          ? waiting("Fetching …")
          : html`<ul class="rows">${kept.map(({ id, kind, document }) => {
              const stamp = document["as:published"] ?? document["dct:created"];
              const at = typeof stamp === "string" ? Date.parse(stamp) : Number.NaN;
              const when = Number.isNaN(at) ? "" : `${dayOf(at)}, ${timeOf(at)}`;
              return html`<li class="row-plain"><span class="tile">${icon(kind === "consent" ? "check" : "eye")}</span><span class="row-words"><strong>${kind === "consent" ? "The consent itself" : "An answer"}</strong><small>${when}</small></span>
                <button class="second small" aria-label=${`Save the receipt of ${when}`} @click=${() => saveAs(new Blob([JSON.stringify(document, null, 2)], { type: "application/ld+json" }), `${id.split("/").at(-1) ?? "receipt"}.json`)}>Save</button></li>`;
            })}</ul>${kept.length >= RECEIPTS_SHOWN ? html`<p class="soft">The first ${RECEIPTS_SHOWN}. All of them: <code>freehold vendor receipts</code>.</p>` : nothing}`
      }
    </section>`;
  }

  #reckoned(found: Reconciliation): TemplateResult {
    const rows: readonly (readonly [string, number])[] = [
      ["Both know of", found.matched],
      ["Only the pod knows of", found.onlyPod.length],
      ["Only this browser knows of", found.onlyVendor.length],
      ["They disagree about", found.differing.length],
      ["Not signed by the pod's server", found.unsigned.length],
    ];
    return html`<div class="notice ${found.agrees ? "good" : "bad"}" role="status">${icon(found.agrees ? "check" : "warn")}<div>
      <strong>${found.agrees ? "Your notes and the receipts agree." : "Your notes and the receipts differ."}</strong>
      ${rows.map(([words, amount]) => html`<br />${words}: ${count(amount, "answer")}`)}
      <br />Consent signed by both: ${found.isCountersigned ? "yes" : "no"}</div></div>`;
  }
}
customElements.define("fh-vendor-grant", VendorGrant);
