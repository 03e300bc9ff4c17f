/** `<fh-receipts>`: the receipts of what was given: whether their numbers are without a gap, and all of them as a file. */
import { type Json, type PodPlace } from "@freehold/client/consent";
import { html, nothing, type TemplateResult } from "lit";
import type { Refusal } from "../../parts/ask.ts";
import { refusalFrom } from "../../parts/consents.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords, refusalBox } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { count } from "../../parts/words.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Checked {
  /** How many uses the pod counted. */
  readonly uses: number;
  /** Receipts of uses that are here. */
  readonly kept: number;
  /** Numbers that are missing among those that are kept. */
  readonly missing: number;
}

/** Every receipt of a grant, page by page. @throws FreeholdError */
async function receiptsOf(
  pod: PodPlace,
  grant: string,
): Promise<{ readonly uses: number; readonly all: readonly Json[] }> {
  const all: Json[] = [];
  let uses = 0;
  for (let url: string | null = `${grant}/receipts`; url !== null; ) {
    const response: Response = await pod.fetch(url, { headers: { accept: "application/ld+json" } });
    if (!response.ok) throw new Error(`The pod answered ${response.status}`);
    const page = (await response.json()) as Json;
    uses = Number(page["fh:uses"] ?? 0);
    all.push(...((page["as:items"] as { readonly "@list": readonly Json[] })["@list"] ?? []));
    const next = (page["as:next"] as { readonly "@id"?: string } | undefined)?.["@id"];
    url = next !== undefined && new URL(next).origin === new URL(pod.url).origin ? next : null;
  }
  return { uses, all };
}

/** Uses are numbered from one; the oldest may be gone, but none in between. */
export function checkNumbers(uses: number, all: readonly Json[]): Checked {
  const numbers = all
    .map(({ "dct:identifier": name }) => (typeof name === "string" ? /\.(\d+)$/.exec(name)?.[1] : undefined))
    .filter((number) => number !== undefined)
    .map(Number);
  const first = numbers.length === 0 ? uses + 1 : Math.min(...numbers);
  return { uses, kept: numbers.length, missing: uses - first + 1 - new Set(numbers).size };
}

class Receipts extends Part {
  static override properties = {
    ...given("pod", "grants"),
    ...state("checked", "busy", "refusal"),
  };
  declare pod: PodPlace;
  declare grants: readonly Named[];
  declare checked: ReadonlyMap<string, Checked>;
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    Object.assign(this, { checked: new Map(), busy: "", refusal: null });
  }

  async #take(grant: string, use: "check" | "file"): Promise<void> {
    this.busy = `${use} ${grant}`;
    this.refusal = null;
    try {
      const { uses, all } = await receiptsOf(this.pod, grant);
      this.checked = new Map([...this.checked, [grant, checkNumbers(uses, all)]]);
      if (use === "file")
        saveAs(new Blob([JSON.stringify(all, null, 2)], { type: "application/ld+json" }), "receipts.json");
    } catch (error) {
      this.refusal = refusalFrom(error);
    } finally {
      this.busy = "";
    }
  }

  protected override render(): TemplateResult {
    return html`<section><h2>Receipts</h2><p class="soft">Each look has a number and a receipt. So nobody can hide one.</p>
      ${refusalBox(this.refusal)}
      <ul class="rows">${this.grants.map((grant) => this.#row(grant))}</ul></section>`;
  }

  #row({ id, name }: Named): TemplateResult {
    const found = this.checked.get(id);
    const isBusy = (use: string): boolean => this.busy === `${use} ${id}`;
    return html`<li class="row-plain receipts"><span class="row-words"><strong>${name}</strong>${found ? resultOf(found) : nothing}</span>
      <span class="row"><button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Check the receipts: ${name}`} @click=${() => this.#take(id, "check")}>${busyWords(isBusy("check"), "Check", "…")}</button>
      <button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Save the receipts: ${name}`} @click=${() => this.#take(id, "file")}>${busyWords(isBusy("file"), html`${icon("download")}Save`, "…")}</button></span></li>`;
  }
}
customElements.define("fh-receipts", Receipts);

function resultOf({ uses, missing }: Checked): TemplateResult {
  if (missing > 0)
    return html`<small class="fault">${count(missing, "number is", "numbers are")} missing of ${uses}. Ask whoever runs the server.</small>`;
  return html`<small class="good">${uses === 0 ? "They have not looked yet." : `${count(uses, "look")}, and no number is missing.`}</small>`;
}
