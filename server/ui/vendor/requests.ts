/** `<fh-vendor-requests>`: what the company has asked for, and asking anew. */
import {
  type Action,
  accessRequests,
  cancelRequest,
  FreeholdError,
  type Pod,
  type RequestedAccess,
  requestAccess,
} from "@freehold/client";
import { labelOf, personalDataCategories, purposes } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../parts/element.ts";
import { icon } from "../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../parts/notices.ts";
import { agoOf, hostOf } from "../parts/words.ts";
import type { Desk } from "./desk.ts";
import { badgeOf, policiesIn, stateWords, targetWords } from "./words.ts";

interface Asked {
  readonly pod: Pod;
  readonly request: RequestedAccess;
}

interface Silent {
  readonly url: string;
  readonly refusal: Refusal;
}

const DAY_MS = 86_400_000;
const OPEN: ReadonlySet<string> = new Set(["Pending", "Deferred"]);
/** What is asked for by its place; anything else is asked for by a program. */
const ACTIONS: readonly (readonly [Action, string])[] = [
  ["read", "Read it"],
  ["create", "Add to it"],
  ["modify", "Change it"],
];

const byLabel = <T extends { readonly label: string }>(terms: readonly T[]): readonly T[] =>
  terms.toSorted((one, other) => one.label.localeCompare(other.label));

class VendorRequests extends Part {
  static override properties = {
    ...given("desk"),
    ...state("asked", "silent", "busy", "refusal", "isAsking"),
  };
  declare desk: Desk;
  /** Null until they were looked for. */
  declare asked: readonly Asked[] | null;
  declare silent: readonly Silent[];
  declare busy: string;
  declare refusal: Refusal | null;
  declare isAsking: boolean;

  constructor() {
    super();
    this.asked = null;
    this.silent = [];
    this.busy = "";
    this.refusal = null;
    this.isAsking = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    const pods = await this.desk.pods();
    const found = await Promise.all(
      pods.map(async (pod): Promise<readonly Asked[] | Silent> => {
        try {
          if ("error" in pod) throw pod.error;
          return (await accessRequests(pod)).map((request) => ({ pod, request }));
        } catch (error) {
          return { url: pod.url, refusal: toRefusal(error) };
        }
      }),
    );
    this.asked = found.flatMap((one) => ("refusal" in one ? [] : one));
    this.silent = found.flatMap((one) => ("refusal" in one ? one : []));
  }

  async #run(name: string, work: () => Promise<string>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      const said = await work();
      await this.#load();
      tell(said);
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #ask(event: SubmitEvent): void {
    const fields = fieldsOf(event);
    const {
      where = "",
      places = "",
      action = "read",
      purpose = "",
      category = "",
      days = "",
      keep = "",
    } = fields;
    void this.#run("ask", async () => {
      const identity = await this.desk.identity();
      if (!identity)
        throw new FreeholdError("key-missing", "This browser has no signing key yet", {
          next: "Make one in the room Key, then ask again. What you have typed stays.",
        });
      const pod = await this.desk.open(where.trim());
      const listed = places
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
      const { notice = "", benefit = "" } = fields;
      await requestAccess(
        pod,
        {
          access: [
            {
              places: listed,
              actions: [action as Action],
              purposes: [purpose],
              until: new Date(Date.now() + Number(days) * DAY_MS),
              categories: category ? [category] : [],
              ...(keep ? { mode: "store" as const, dataLife: `P${Number(keep)}D` } : {}),
            },
          ],
          notice: notice.trim(),
          benefit: { en: benefit.trim() },
        },
        identity,
      );
      await this.desk.remember(pod);
      this.isAsking = false;
      return `${hostOf(pod.url)} has the request. The person decides when they like.`;
    });
  }

  protected override render(): TemplateResult {
    const { asked } = this;
    return html`
      <div class="head"><div><h1>Requests</h1><p class="soft">What you asked for, and what became of it.</p></div>
        ${this.isAsking ? nothing : html`<button class="first" @click=${() => (this.isAsking = true)}>${icon("plus")}Ask for access</button>`}</div>
      ${refusalBox(this.refusal)}
      ${this.isAsking ? this.#form() : nothing}
      ${this.silent.map(({ url, refusal }) => html`<div class="notice">${icon("warn")}<div><strong>${hostOf(url)} did not answer.</strong> ${refusal.title}. ${refusal.next}</div></div>`)}
      ${asked === null ? waiting("Asking the pods …") : asked.length === 0 ? this.#empty() : html`<ul class="rows">${asked.map((one) => this.#row(one))}</ul>`}
    `;
  }

  #empty(): TemplateResult {
    return html`<div class="empty">${icon("search")}<p><strong>You have asked nobody yet.</strong><br />Ask a person for what you need, by the address of their pod or their passport number.</p></div>`;
  }

  #row({ pod, request }: Asked): TemplateResult {
    const policies = policiesIn(request.document);
    const isOpen = OPEN.has(request.state);
    return html`<li class="row-plain">
      <span class="tile">${icon("person")}</span>
      <span class="row-words"><strong>${targetWords(policies, pod.url)}</strong>
        <small>${hostOf(pod.url)}${new URL(pod.url).pathname} · ${[...new Set(policies.flatMap((one) => one.purposes.map(labelOf)))].join(", ")}${policies[0]?.notAfter ? ` · until ${agoOf(policies[0].notAfter)}` : ""}</small></span>
      ${badgeOf(request.state)}
      ${request.grants.map((grant) => html`<a class="button second small" href=${`#/grants/${encodeURIComponent(grant)}`}>Open</a>`)}
      ${isOpen ? html`<button class="second small" ?disabled=${this.busy !== ""} aria-label=${`Take back: ${targetWords(policies, pod.url)}`} @click=${() => this.#run(request.id, async () => (await cancelRequest(pod, request.id), "The request is taken back."))}>${busyWords(this.busy === request.id, "Take back", "…")}</button>` : nothing}
      <span class="hidden">${stateWords(request.state)}</span>
    </li>`;
  }

  #form(): TemplateResult {
    const { busy, refusal } = this;
    return html`<form class="panel stack" @submit=${(event: SubmitEvent) => this.#ask(event)}>
      <h2>Ask for access</h2>
      <label class="field"><span>Whom</span><input name="where" required placeholder="https://pods.example/ana/ or a passport number" autocomplete="off" /><small>The address of the pod, of its owner, or a passport number.</small></label>
      <label class="field"><span>What</span><textarea name="places" rows="2" required placeholder="contacts/me.ttl"></textarea><small>Folders and files in the pod, one a line. A folder ends in a slash.</small></label>
      <div class="two">
        <label class="field"><span>To do what</span><select name="action">${ACTIONS.map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>
        <label class="field"><span>What it is about</span><select name="category"><option value="">I do not say</option>${byLabel(personalDataCategories()).map(({ iri, label }) => html`<option value=${iri}>${label}</option>`)}</select></label>
        <label class="field"><span>What for</span><select name="purpose" required><option value="">Choose …</option>${byLabel(purposes()).map(({ iri, label }) => html`<option value=${iri}>${label}</option>`)}</select></label>
        <label class="field"><span>For how many days</span><input name="days" type="number" min="1" max="395" value="90" required /></label>
      </div>
      <label class="field"><span>Days that you keep what you read</span><input name="keep" type="number" min="1" max="3650" /><small>Leave it empty if you only look.</small></label>
      <label class="field"><span>What the person gets</span><input name="benefit" required maxlength="140" placeholder="Parcels find you" /><small>One sentence, at most 140 letters.</small></label>
      <label class="field"><span>Your privacy notice</span><input name="notice" type="url" required placeholder="https://shop.example/privacy" /></label>
      ${refusal ? html`<ul>${refusal.faults.map(({ at, detail }) => html`<li class="fault">${at ? `${at}: ` : ""}${detail}</li>`)}</ul>` : nothing}
      <div class="pair"><button type="button" class="second" @click=${() => (this.isAsking = false)}>Cancel</button>
        <button class="first" ?disabled=${busy !== ""}>${busyWords(busy === "ask", "Send the request", "Sending …")}</button></div>
    </form>`;
  }
}
customElements.define("fh-vendor-requests", VendorRequests);
