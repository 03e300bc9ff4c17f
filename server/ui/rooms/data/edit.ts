/** `<fh-edit>`: a thing in a form made of its shape, or of what it says itself; and a new one for the folder. */
import "@freehold/client/elements/form";
import type { Saved } from "@freehold/client/elements/form";
import { readDocument } from "@freehold/client/elements/graph";
import { type FormModel, formLike } from "@freehold/client/elements/shape";
import { rdf } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import type { VersionRow } from "../../parts/model.ts";
import { refusalBox, tell, waiting } from "../../parts/notices.ts";
import { podFetch } from "../../parts/pod-fetch.ts";
import { hrefOf, type OwnPod, type Place } from "./place.ts";
import { speechFor } from "./spoken-words.ts";

/** What the form is made of, and what it is for. */
interface Opened {
  readonly title: string;
  readonly model: FormModel;
  readonly document: string;
  readonly folder: string;
  readonly thing: string;
}

class Edit extends Part {
  static override properties = { ...given("pod", "place", "shapes"), ...state("opened", "refusal") };
  declare pod: OwnPod;
  declare place: Place;
  declare shapes: readonly string[];
  declare opened: Opened | null;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.opened = null;
    this.refusal = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place") || changed.has("shapes")) void this.#open();
  }

  async #open(): Promise<void> {
    const { place } = this;
    this.opened = null;
    this.refusal = null;
    try {
      const opened = place.view === "add" ? await this.#forNew() : await this.#forThing();
      if (place === this.place) this.opened = opened;
    } catch (error) {
      if (place === this.place) this.refusal = toRefusal(error);
    }
  }

  async #forNew(): Promise<Opened> {
    const { model } = await speechFor(this.pod, null, this.shapes);
    if (!model) throw new Error("This folder does not say what its records are like; let an app add to it");
    const url = this.pod.at(this.place.path);
    const { isFolder } = this.place;
    return {
      title: `New: ${model.name.toLowerCase()}`,
      model,
      document: isFolder ? "" : url,
      folder: isFolder ? url : "",
      thing: "",
    };
  }

  async #forThing(): Promise<Opened> {
    const document = this.pod.at(this.place.path);
    const { graph } = await readDocument(this.pod.fetch, document);
    const thing = this.place.words.get("thing") ?? [...graph.subjects.keys()][0] ?? document;
    const speech = await speechFor(this.pod, graph.value(thing, rdf.type) ?? null, this.shapes);
    const model = speech.model ?? formLike(graph, thing, speech.nameOf);
    return { title: `Edit: ${speech.kind.toLowerCase()}`, model, document, folder: "", thing };
  }

  /** Undone by what the pod keeps of earlier versions. */
  #saved({ document, thing, created }: Saved): void {
    const path = new URL(document).pathname;
    const changed = (): void => void this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    const back = hrefOf(document.slice(this.pod.url.length), "table", { thing });
    const above = hrefOf(this.place.path, "table");
    tell(created ? "Added." : "Saved.", async () => {
      if (created) {
        await podFetch("DELETE", path);
        location.hash = above;
      } else {
        const { versions } = await ask<{ versions: readonly VersionRow[] }>(
          "GET",
          `/.account/history?path=${encodeURIComponent(path)}`,
        );
        const latest = versions.toSorted((a, b) => b.until - a.until)[0];
        if (!latest) throw new Error("Nothing is kept of what was there before.");
        await ask("POST", "/.account/history/restore", { path, number: latest.number });
        location.hash = `${back}&again=${latest.number}`; // Another address, so that it is read again.
      }
      changed();
    });
    location.hash = back;
    changed();
  }

  protected override render(): TemplateResult {
    const { opened } = this;
    if (!opened) return this.refusal ? html`${refusalBox(this.refusal)}` : waiting("Opening the form …");
    return html`<div class="panel"><h2>${opened.title}</h2>
      <shacl-form light .fetch=${this.pod.fetch} .model=${opened.model} .document=${opened.document} .folder=${opened.folder}
        .thing=${opened.thing} .isAdding=${this.place.view === "add"}
        @saved=${({ detail }: CustomEvent<Saved>) => this.#saved(detail)} @cancelled=${() => history.back()}></shacl-form>
      ${opened.model.sections.length === 0 ? html`<p class="empty">There is nothing to fill in.</p>` : nothing}
    </div>`;
  }
}
customElements.define("fh-edit", Edit);
