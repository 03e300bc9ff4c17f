/** `<fh-vendor-listening>`: being told of changes under a grant, here while the page is open, or by messages to an address. */
import { type Change, type GrantedAccess, type Pod, under, watch, watchByWebhook } from "@freehold/client";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../parts/ask.ts";
import { fieldsOf, given, Part, state } from "../parts/element.ts";
import { icon } from "../parts/icons.ts";
import { busyWords, refusalBox, tell } from "../parts/notices.ts";
import { ownFetch } from "../parts/pod-fetch.ts";
import { timeOf } from "../parts/words.ts";
import type { Desk, KeptWebhook } from "./desk.ts";

const CHANGES_SHOWN = 20;

const DID: Readonly<Record<string, string>> = {
  Begin: "Listening to",
  Update: "Changed",
  Create: "New",
  Delete: "Gone",
  Add: "Something came into",
  Remove: "Something left",
};

class VendorListening extends Part {
  static override properties = {
    ...given("desk", "pod", "grant"),
    ...state("changes", "webhooks", "isListening", "busy", "refusal"),
  };
  declare desk: Desk;
  declare pod: Pod;
  declare grant: GrantedAccess;
  declare changes: readonly (Change & { readonly at: number })[];
  declare webhooks: readonly KeptWebhook[];
  declare isListening: boolean;
  declare busy: boolean;
  declare refusal: Refusal | null;
  #listening = new AbortController();

  constructor() {
    super();
    this.changes = [];
    this.webhooks = [];
    this.isListening = false;
    this.busy = false;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#listening.abort();
  }

  async #load(): Promise<void> {
    this.webhooks = (await this.desk.webhooks()).filter(({ pod }) => pod === this.pod.url);
  }

  /** Documents and folders that the grant names: what there is to listen to. */
  get #places(): readonly string[] {
    const all = this.grant.policies.flatMap(({ target: { kind, values } }) =>
      kind === "resource" || kind === "container" ? values : kind === "storage" ? [this.pod.url] : [],
    );
    return [...new Set(all)].map((one) => one.slice(this.pod.url.length));
  }

  async #listen(place: string): Promise<void> {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.isListening = true;
    this.refusal = null;
    try {
      for await (const change of watch(under(this.pod, { grant: this.grant.id }), place, { signal }))
        this.changes = [{ ...change, at: Date.now() }, ...this.changes].slice(0, CHANGES_SHOWN);
    } catch (error) {
      if (!signal.aborted) this.refusal = toRefusal(error);
    } finally {
      this.isListening = false;
    }
  }

  async #run(work: () => Promise<string>): Promise<void> {
    this.busy = true;
    this.refusal = null;
    try {
      tell(await work());
      await this.#load();
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  #send(event: SubmitEvent): void {
    const { place = "", sendTo = "" } = fieldsOf(event);
    void this.#run(async () => {
      const { id } = await watchByWebhook(under(this.pod, { grant: this.grant.id }), place, sendTo);
      await this.desk.keep({ id, pod: this.pod.url, place, sendTo });
      return "From now on each change is told to that address.";
    });
  }

  #end(webhook: KeptWebhook): void {
    void this.#run(async () => {
      const response = await ownFetch(webhook.id, {
        method: "DELETE",
        headers: { "access-grant": this.grant.id },
      });
      if (!response.ok && response.status !== 404) throw new Error(`The pod answered ${response.status}`);
      await this.desk.drop(webhook);
      return "Nothing more is told to that address.";
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    const places = this.#places;
    if (places.length === 0 || this.grant.state !== "Active") return nothing;
    const options = places.map((place) => html`<option value=${place}>${place || "the whole pod"}</option>`);
    return html`<section>
      <div class="head"><h2>Changes</h2>
        <button class="second small" @click=${() => (this.isListening ? this.#listening.abort() : void this.#listen(places[0] ?? ""))}>${this.isListening ? "Stop listening" : "Listen now"}</button></div>
      ${refusalBox(this.refusal)}
      ${this.changes.length > 0 ? html`<ul class="rows" aria-live="polite">${this.changes.map(({ type, object, at }) => html`<li class="row-plain"><span class="tile">${icon("clock")}</span><span class="row-words"><strong>${DID[type] ?? type} ${object.startsWith(this.pod.url) ? object.slice(this.pod.url.length) || "the pod" : object}</strong><small>${timeOf(at)}</small></span></li>`)}</ul>` : nothing}
      <ul class="rows">${this.webhooks.map((webhook) => html`<li class="row-plain"><span class="tile">${icon("plug")}</span><span class="row-words"><strong>${webhook.sendTo}</strong><small>is told of ${webhook.place || "the whole pod"}</small></span><button class="second small" ?disabled=${this.busy} aria-label=${`End: ${webhook.sendTo}`} @click=${() => this.#end(webhook)}>End</button></li>`)}</ul>
      <form class="panel stack" @submit=${(event: SubmitEvent) => this.#send(event)}>
        <h3>Have a server told</h3>
        <label class="field"><span>What to listen to</span><select name="place">${options}</select></label>
        <label class="field"><span>Address of your server</span><input name="sendTo" type="url" required placeholder="https://shop.example/changes" /><small>It is asked once whether it wants this, then told that something changed, never what.</small></label>
        <div class="row"><button class="second" ?disabled=${this.busy}>${busyWords(this.busy, "Tell this address", "Arranging it …")}</button></div>
      </form>
    </section>`;
  }
}
customElements.define("fh-vendor-listening", VendorListening);
