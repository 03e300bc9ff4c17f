/** `<fh-safekeeping>`: when the last backup was made and proved, and a new key for the whole pod. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { Part, state } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { withProof } from "../../parts/prove.ts";
import { answerOf, follow, type Progress } from "../../parts/told.ts";
import { agoOf } from "../../parts/words.ts";

interface Safekeeping {
  readonly backup: {
    readonly everyMs: number;
    readonly made: number | null;
    readonly proved: number | null;
  } | null;
}

class SafekeepingPart extends Part {
  static override properties = state("found", "sure", "busy", "progress", "refusal");
  declare found: Safekeeping | null;
  declare sure: boolean;
  declare busy: boolean;
  declare progress: Progress;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.found = this.refusal = null;
    this.sure = this.busy = false;
    this.progress = {};
  }

  override connectedCallback(): void {
    super.connectedCallback();
    ask<Safekeeping>("GET", "/.account/safekeeping").then(
      (found) => (this.found = found),
      (error: unknown) => (this.refusal = toRefusal(error)),
    );
  }

  async #rekey(): Promise<void> {
    this.busy = true;
    this.refusal = null;
    this.progress = {};
    try {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
      const response = await withProof(() => answerOf("/.account/keys", init));
      await follow(
        response,
        (progress) => (this.progress = progress),
        "Nothing is lost: look here again in a while, and change it once more if you are not sure.",
      );
      this.sure = false;
      tell("Your pod is sealed with a new key, and the former one is destroyed.");
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    const { done, total } = this.progress;
    return html`<section>
      <h2>Key and backups</h2>
      ${refusalBox(this.refusal)}
      <ul class="rows">
        ${this.found ? this.#backup(this.found) : nothing}
        <li class="row-plain"><span class="tile">${icon("lock")}</span>
          <span class="row-words"><strong>The key of your pod</strong><small>All of your data is sealed with it on this server’s disk. With a new one, nothing that was erased can be read from that disk any more.</small></span>
          ${this.sure ? nothing : html`<button class="second small" @click=${() => (this.sure = true)}>Change it</button>`}</li>
      </ul>
      ${
        this.sure
          ? html`<div class="panel stack"><p>Everything in your pod is sealed anew and the former key is destroyed. Nothing of yours changes, and you can go on meanwhile. It cannot be undone; there is no need to.</p>
            ${this.busy ? html`${waiting(total ? `Sealing anew: ${done ?? 0} of ${total} …` : "Sealing anew …")}${total ? html`<progress class="wide" aria-label="How far it is" max=${total} .value=${Math.min(done ?? 0, total)}></progress>` : nothing}` : nothing}
            <div class="row"><button class="first" ?disabled=${this.busy} @click=${() => this.#rekey()}>${busyWords(this.busy, "Seal it with a new key", "Sealing …")}</button>
              <button class="second" ?disabled=${this.busy} @click=${() => (this.sure = false)}>Not now</button></div></div>`
          : nothing
      }
    </section>`;
  }

  #backup({ backup }: Safekeeping): TemplateResult {
    const [picture, title, about] = wordsOfBackup(backup);
    return html`<li class="row-plain"><span class="tile">${icon(picture)}</span>
      <span class="row-words"><strong>${title}</strong><small>${about}</small></span></li>`;
  }
}
customElements.define("fh-safekeeping", SafekeepingPart);

/** What is known of the backups of this server, which whoever runs it makes. */
export function wordsOfBackup(
  backup: Safekeeping["backup"],
  now: number = Date.now(),
): readonly [picture: IconName, title: string, about: string] {
  if (!backup)
    return [
      "warn",
      "This server makes no backups by itself",
      "Download everything now and then, or ask whoever runs it.",
    ];
  if (backup.made === null)
    return ["clock", "The first backup has not been made yet", "Whoever runs this server can make one now."];
  const proved =
    backup.proved === null
      ? "None has been proved yet."
      : `The last one that was restored and checked: ${agoOf(backup.proved, now)}.`;
  const isLate = backup.everyMs > 0 && now - backup.made > 3 * backup.everyMs;
  return [isLate ? "warn" : "check", `Last backup: ${agoOf(backup.made, now)}`, proved];
}
