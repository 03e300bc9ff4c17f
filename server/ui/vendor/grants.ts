/** `<fh-vendor-grants>`: what people gave the company, how long it lasts, and how much of it is used up. */
import { accessGrants, type GrantedAccess, type Pod } from "@freehold/client";
import { labelOf } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../parts/ask.ts";
import { given, Part, state } from "../parts/element.ts";
import { icon } from "../parts/icons.ts";
import { waiting } from "../parts/notices.ts";
import { agoOf, count, hostOf } from "../parts/words.ts";
import type { Desk } from "./desk.ts";
import "./grant.ts";
import { badgeOf, targetWords } from "./words.ts";

interface Given {
  readonly pod: Pod;
  readonly grant: GrantedAccess;
  /** Answers that came to this browser. */
  readonly uses: number;
}

class VendorGrants extends Part {
  static override properties = { ...given("desk"), ...state("given", "silent") };
  declare desk: Desk;
  /** Null until they were looked for. */
  declare given: readonly Given[] | null;
  declare silent: readonly { readonly url: string; readonly refusal: Refusal }[];

  constructor() {
    super();
    this.given = null;
    this.silent = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    const pods = await this.desk.pods();
    const found = await Promise.all(
      pods.map(async (pod) => {
        try {
          if ("error" in pod) throw pod.error;
          const grants = await accessGrants(pod);
          return await Promise.all(
            grants.map(async (grant) => ({
              pod,
              grant,
              uses: (await this.desk.ledger.uses(grant.id)).length,
            })),
          );
        } catch (error) {
          return { url: pod.url, refusal: toRefusal(error) };
        }
      }),
    );
    this.given = found.flatMap((one) => ("refusal" in one ? [] : one));
    this.silent = found.flatMap((one) => ("refusal" in one ? one : []));
  }

  protected override render(): TemplateResult {
    const { given: all } = this;
    return html`
      <div class="head"><div><h1>Grants</h1><p class="soft">What people gave you. They can take it back at any time.</p></div></div>
      ${this.silent.map(({ url, refusal }) => html`<div class="notice">${icon("warn")}<div><strong>${hostOf(url)} did not answer.</strong> ${refusal.title}. ${refusal.next}</div></div>`)}
      ${
        all === null
          ? waiting("Asking the pods …")
          : all.length === 0
            ? html`<div class="empty">${icon("check")}<p><strong>Nobody has given you anything yet.</strong><br />A request that is granted appears here.</p></div>`
            : html`<ul class="rows">${all.map((one) => this.#row(one))}</ul>`
      }
    `;
  }

  #row({ pod, grant, uses }: Given): TemplateResult {
    const [first] = grant.policies;
    const purposes = [...new Set(grant.policies.flatMap((one) => one.purposes.map(labelOf)))].join(", ");
    const max = first?.queriesMax ?? null;
    return html`<li><a class="row-link" href=${`#/grants/${encodeURIComponent(grant.id)}`}>
      <span class="tile">${icon("person")}</span>
      <span class="row-words"><strong>${targetWords(grant.policies, pod.url)}</strong>
        <small>${hostOf(pod.url)}${new URL(pod.url).pathname} · ${purposes}${first?.notAfter ? ` · until ${agoOf(first.notAfter)}` : ""}</small>
        <small>${max === null ? `${count(uses, "answer")} so far` : `${uses} of ${count(max, "answer")} used`}</small></span>
      ${badgeOf(grant.state)}${grant.reason === null ? nothing : html`<span class="hidden">${grant.reason}</span>`}
      ${icon("next")}</a></li>`;
  }
}
customElements.define("fh-vendor-grants", VendorGrants);
