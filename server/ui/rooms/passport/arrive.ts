/** `<fh-arrive>`: somebody who has a passport already makes this server its host. Its keys sign here, in the browser. */
import { recoveryFileName } from "@freehold/client/passport";
import type { ImportedFile } from "@freehold/client/registry";
import { html, nothing, type TemplateResult } from "lit";
import { ask, offline, type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords, refusalBox, tell } from "../../parts/notices.ts";
import { saveAs } from "../../parts/pod-fetch.ts";
import { withProof } from "../../parts/prove.ts";
import { groupsOf } from "../../parts/words.ts";
import type * as Holder from "./holder.ts";
import type { Host, NewKeys } from "./holder.ts";

class Arrive extends Part {
  static override properties = {
    ...given("registry"),
    ...state("file", "fresh", "sure", "busy", "refusal"),
  };
  /** Where passports are registered; ends in `/`. */
  declare registry: string;
  declare file: ImportedFile | null;
  declare fresh: NewKeys | null;
  declare sure: boolean;
  declare busy: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.file = this.fresh = this.refusal = null;
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

  #save(file: ImportedFile, text: string): void {
    saveAs(new Blob([text], { type: "application/json" }), recoveryFileName(file.file.passport));
  }

  #choose(chosen: File | undefined): void {
    if (!chosen) return;
    void this.#run("read", async ({ makeNewKeys, openFile }) => {
      this.file = null;
      const file = await openFile(await chosen.text());
      const host = await ask<Host>("POST", "/.account/passport/host", {});
      this.fresh = await makeNewKeys(this.registry, file, "all", {
        delegateKey: host.delegateKey,
        registrar: host.registrar,
      });
      this.file = file;
      this.sure = false;
    });
  }

  #send(file: ImportedFile, { signed, file: last }: NewKeys): void {
    void this.#run("send", async () => {
      await withProof(() => ask("POST", "/.account/passport/arrival", { op: signed }));
      this.#save(file, last);
      tell("Your passport leads here now. The newest recovery file is among your downloads: keep that one.");
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    });
  }

  protected override render(): TemplateResult {
    const { file, fresh, busy } = this;
    return html`<section class="panel stack">
      <h2>${icon("move")}Bring a passport along</h2>
      <p>If you have a passport from another host, make this server its host. The keys of its recovery file sign that in this browser; nothing secret is sent.</p>
      ${refusalBox(this.refusal)}
      ${
        file && fresh
          ? html`<p class="label">Passport number</p><p><code>${groupsOf(file.file.passport).join(" ")}</code></p>
            <p>This puts new keys in force, and the former host is out at once. Download the new recovery file first: it holds the keys of before and of after.</p>
            <div class="row"><button class=${this.sure ? "second" : "first"} @click=${() => {
              this.#save(file, fresh.both);
              this.sure = true;
            }}>${icon("download")}Download the new recovery file</button></div>
            <div class="row"><button class=${this.sure ? "first" : "second"} ?disabled=${!this.sure || busy !== ""} @click=${() => this.#send(file, fresh)}>${busyWords(busy === "send", "Make this server its host", "Telling the registry …")}</button>
              <button class="second" ?disabled=${busy !== ""} @click=${() => (this.file = this.fresh = null)}>Not now</button></div>`
          : html`<div class="row"><label class="button first">${icon("search")}${busyWords(busy === "read", "Choose the recovery file", "Reading it, in this browser only …")}<input class="hidden" type="file" accept="application/json,.json" ?disabled=${busy !== ""} @change=${(
              event: Event,
            ) => {
              const input = event.target as HTMLInputElement;
              this.#choose(input.files?.[0]);
              input.value = "";
            }} /></label></div>`
      }
      ${busy === "" ? nothing : html`<p class="small soft">Do not close this page.</p>`}
    </section>`;
  }
}
customElements.define("fh-arrive", Arrive);
