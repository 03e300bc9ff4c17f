/** `<fh-registry>`: the zones of the registry, and any passport, resolved and verified in the reader's own browser. */
import {
  type Absence,
  type AllowUrl,
  allowLoopback,
  allowNone,
  type Bundle,
  FreeholdError,
  groupId,
  PassportError,
  parsePolicy,
  type RootRecord,
  readId,
  type SignedTree,
  shardOf,
  trustOf,
  verifyAnswer,
  verifyCheckpoint,
  type ZoneRecord,
} from "@freehold/client/registry";
import { html, nothing, type TemplateResult } from "lit";
import { fieldsOf, Part, state } from "./parts/element.ts";
import { icon, mark } from "./parts/icons.ts";
import { busyWords, waiting } from "./parts/notices.ts";
import { agoOf, count } from "./parts/words.ts";
import { type Drawn, proofPicture } from "./proof.ts";

/** What is known of a zone's log; `why` when it could not be verified. */
interface ZoneView {
  readonly name: string;
  readonly zone: ZoneRecord;
  readonly tree: SignedTree | null;
  readonly witnesses: readonly string[];
  readonly why: string;
}

interface Shown extends Drawn {
  readonly bytes: number;
  readonly ms: number;
}

interface Trouble {
  readonly title: string;
  readonly detail: string;
  readonly next: string;
}

/** A registry on one's own machine may name addresses of it. */
const allowUrl: AllowUrl = allowLoopback(new URL(location.href)) ? allowLoopback : allowNone;

const STATUS: Readonly<Record<ZoneRecord["status"], string>> = {
  active: "at work",
  emergency: "run by an emergency operator",
  failed: "has failed",
  delisted: "delisted",
};

function troubleOf(error: unknown): Trouble {
  if (error instanceof FreeholdError)
    return { title: error.title, detail: error.detail ?? "", next: error.next ?? "" };
  if (error instanceof PassportError)
    return {
      title: "This answer does not hold",
      detail: `${error.detail} (rule ${error.rule})`,
      next: "Do not use it. Ask another server of the registry, and tell the zone's operator.",
    };
  return {
    title: "There was no answer",
    detail: error instanceof Error ? error.message : "",
    next: "Look whether you are connected, and try again.",
  };
}

async function lookAt(name: string, zone: ZoneRecord): Promise<ZoneView> {
  const shard = shardOf(name, Date.now());
  const policy = await parsePolicy(zone.policy);
  const witnesses = policy.witnesses.map((witness) => witness.name);
  const none = { name, zone, witnesses, tree: null };
  try {
    const response = await fetch(new URL(`${shard.split("/")[1]}/checkpoint`, zone.log.url));
    if (response.status === 404) return { ...none, why: "Nothing has been registered here this year." };
    if (!response.ok) return { ...none, why: `Its log answers ${response.status}.` };
    return { ...none, tree: await verifyCheckpoint(await response.text(), shard, zone), why: "" };
  } catch (error) {
    const { title, detail } = troubleOf(error);
    return { ...none, why: `${title}. ${detail}` };
  }
}

class Registry extends Part {
  static override properties = state("root", "zones", "trouble", "busy", "asked", "shown", "refused");
  declare root: RootRecord | null;
  declare zones: readonly ZoneView[] | null;
  declare trouble: Trouble | null;
  declare busy: boolean;
  declare asked: string;
  declare shown: Shown | null;
  declare refused: Trouble | null;

  constructor() {
    super();
    this.root = null;
    this.zones = null;
    this.trouble = null;
    this.busy = false;
    this.asked = decodeURIComponent(location.hash.slice(1));
    this.shown = null;
    this.refused = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    this.trouble = null;
    try {
      const { record } = await trustOf(`${location.origin}/`, { allowUrl });
      this.root = record;
      this.zones = await Promise.all(Object.entries(record.zones).map(([name, zone]) => lookAt(name, zone)));
      if (this.asked !== "") await this.#resolve(this.asked);
    } catch (error) {
      this.trouble = troubleOf(error);
    }
  }

  async #resolve(typed: string): Promise<void> {
    this.asked = typed;
    this.shown = null;
    this.refused = null;
    const reading = readId(typed.replace(/\s+/g, ""));
    if (reading.kind === "broken") {
      this.refused = {
        title: "This is not a passport's identifier",
        detail: `Look at its ${reading.hint}`,
        next: "Compare it with the card or the code it was copied from, group by group.",
      };
      return;
    }
    this.busy = true;
    try {
      this.shown = await this.#verified(reading.id);
      history.replaceState(null, "", `#${reading.id}`);
    } catch (error) {
      this.refused = troubleOf(error);
    } finally {
      this.busy = false;
    }
  }

  async #verified(id: Parameters<typeof verifyAnswer>[1]): Promise<Shown> {
    if (!this.root) throw new Error("The registry's root is not known yet");
    const response = await fetch(`/v1/passports/${id}`, { headers: { accept: "application/json" } });
    const text = await response.text();
    // A refusal carries its proof among the members of the problem.
    const answer = JSON.parse(text) as Partial<Bundle & Absence> & { readonly title?: string };
    if (answer.proof === undefined && answer.absence === undefined)
      throw new FreeholdError("answer-invalid", answer.title ?? `The registry answers ${response.status}`, {
        next: "There is no proof with this answer, so nothing can be said of it here.",
      });
    const { head, proof, absence, checkpoint } = answer;
    const started = performance.now();
    const verified = await verifyAnswer(
      { id, ...(absence ? { absence } : { head, proof }), checkpoint },
      id,
      this.root,
      { allowUrl },
    );
    const ms = performance.now() - started;
    const map = (absence ?? proof)?.map ?? [];
    const operations = [...(head?.auth.map(({ op }) => op.t) ?? []), ...(head?.data ? ["data"] : [])];
    return {
      answer: verified,
      operations,
      siblings: map.map((hash) => hash !== ""),
      logSteps: (absence ?? proof)?.log.path.length ?? 0,
      endsAtAnother: (absence?.end ?? null) !== null,
      bytes: text.length,
      ms,
    };
  }

  #zone({ name, zone, tree, witnesses, why }: ZoneView): TemplateResult {
    return html`<li class="card zone">
      <h3><span class="code">${name}</span> ${zone.operator}</h3>
      <p class="soft">${zone.kind} · ${STATUS[zone.status]}</p>
      ${
        tree
          ? html`<dl class="facts">
              <div><dt>Entries in its log</dt><dd>${tree.size.toLocaleString("en")}</dd></div>
              <div><dt>Last checkpoint</dt><dd>${agoOf(tree.at)}</dd></div>
              <div><dt>Witnesses</dt><dd>${witnesses.map(
                (witness) =>
                  html`<span class=${tree.witnesses.includes(witness) ? "seal" : "seal none"}>${icon(tree.witnesses.includes(witness) ? "check" : "clock")}${witness}</span> `,
              )}</dd></div>
            </dl>`
          : html`<p class="warn">${why}</p>`
      }
    </li>`;
  }

  #found(shown: Shown): TemplateResult {
    const { answer } = shown;
    const { epoch } = answer;
    const isPresent = answer.kind === "present";
    const data = isPresent ? answer.passport.data : null;
    const state = isPresent ? answer.passport.state : null;
    return html`<section class="card found" aria-live="polite">
      <h2>${icon(isPresent ? "check" : "close")} ${isPresent ? "This passport holds" : "There is no such passport"}</h2>
      <p class="soft">Checked in this browser in ${shown.ms.toFixed(0)} ms, from ${shown.bytes.toLocaleString("en")} bytes that prove it alone.</p>
      ${
        state
          ? html`<dl class="facts">
              <div><dt>Identifier</dt><dd><code>${groupId(answer.id)}</code></dd></div>
              <div><dt>Leads to</dt><dd>${data?.storage.map(({ url }) => html`<a href=${url} rel="noreferrer">${url}</a> `) ?? "nowhere at present"}</dd></div>
              <div><dt>Registrar</dt><dd>${state.head.registrar}</dd></div>
              <div><dt>Locked against</dt><dd>${state.head.locks.join(" and ") || "nothing"}</dd></div>
              ${answer.kind === "present" && answer.isDeactivated ? html`<div><dt>State</dt><dd>switched off by its owner</dd></div>` : nothing}
              ${answer.kind === "present" && answer.hold ? html`<div><dt>Held</dt><dd>by the zone: ${answer.hold.reason}, case ${answer.hold.case}</dd></div>` : nothing}
            </dl>`
          : nothing
      }
      ${proofPicture(shown)}
      <ol class="checked">
        ${this.#steps(shown).map((step) => html`<li>${icon("check")}<span>${step}</span></li>`)}
      </ol>
      <p class="soft">Witnesses signed ${agoOf(epoch.at)}.</p>
    </section>`;
  }

  #steps({ answer, operations, siblings, logSteps }: Shown): readonly string[] {
    const { epoch, zone } = answer;
    const depth = siblings.length;
    const last = [
      `The map is the last of ${epoch.size.toLocaleString("en")} entries in the log of ${zone}, by ${count(logSteps, "step")}.`,
      `The zone has signed that log, and so have ${epoch.witnesses.join(", ")}.`,
    ];
    if (answer.kind === "absent")
      return [
        `The place of this identifier in the map has nothing of it, by ${count(depth, "step")} from the top.`,
        ...last,
      ];
    return [
      "The identifier is the hash of the first operation.",
      `${count(operations.length, "operation")}, each signed by the keys that the one before allows.`,
      `Sealed together, they are what the map has for this identifier, by ${count(depth, "step")}.`,
      ...last,
    ];
  }

  protected override render(): TemplateResult {
    return html`<header class="top">
        <a class="brand" href="/">${mark()}<span>Freehold</span></a>
        <p class="soft">The registry of passports</p>
      </header>
      <main class="room registry">
        <section class="lead">
          <h1>Ask where a passport leads, and believe nobody</h1>
          <p class="soft">Every answer carries its own proof. This page checks it here, on your device.</p>
          <form class="ask" @submit=${(event: SubmitEvent) => this.#resolve(fieldsOf(event)["id"] ?? "")}>
            <label class="field"><span>Passport</span>
              <input name="id" required autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="dpzz1 …" .value=${this.asked}></label>
            <button class="first" ?disabled=${this.busy || !this.root}>${busyWords(this.busy, "Look it up", "Checking …")}</button>
          </form>
          ${troubleBox(this.refused)}
        </section>
        ${this.shown ? this.#found(this.shown) : nothing}
        <section>
          <h2>Zones</h2>
          ${troubleBox(this.trouble)}
          ${this.trouble ? html`<button class="second" @click=${() => this.#load()}>Try again</button>` : nothing}
          ${
            this.zones
              ? html`<ul class="zones">${this.zones.map((zone) => this.#zone(zone))}</ul>
                <p class="soft">By version ${this.root?.version} of the root's record, made ${this.root ? agoOf(Date.parse(this.root.publication)) : ""}.</p>`
              : this.trouble
                ? nothing
                : waiting("Asking the zones …")
          }
        </section>
      </main>`;
  }
}

function troubleBox(trouble: Trouble | null): TemplateResult | typeof nothing {
  if (!trouble) return nothing;
  return html`<div class="notice bad" role="alert">${icon("warn")}
    <div><strong>${trouble.title}.</strong> ${trouble.detail}${trouble.detail ? "." : ""} <span>${trouble.next}</span></div></div>`;
}
customElements.define("fh-registry", Registry);
