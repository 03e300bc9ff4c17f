/** `<fh-strand>`: what a folder or a document holds, as a table, in time, as a map of links, or as it is stored. */
import { html, nothing, type TemplateResult } from "lit";
import { given, Part, state } from "../../parts/element.ts";
import type { OwnPod, Place } from "./place.ts";
import "./edit.ts";
import "./links.ts";
import "./raw.ts";
import "./search.ts";
import "./table.ts";
import "./timeline.ts";

class Strand extends Part {
  static override properties = { ...given("pod", "place"), ...state("shapes") };
  declare pod: OwnPod;
  declare place: Place;
  /** Addresses of the shapes that the folder asks for; null while that is not known. */
  declare shapes: readonly string[] | null;

  constructor() {
    super();
    this.shapes = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("place")) return;
    const before = changed.get("place") as Place | undefined;
    if (this.#folderOf(before?.path) !== this.#folderOf(this.place.path)) void this.#ask();
  }

  #folderOf(path: string | undefined): string | undefined {
    return path?.slice(0, path.lastIndexOf("/") + 1);
  }

  /** What does not say what it asks for asks for nothing: then the published shapes give the words. */
  async #ask(): Promise<void> {
    const folder = this.#folderOf(this.place.path) ?? "";
    this.shapes = null;
    const response = await this.pod.fetch(`${this.pod.url}${folder}`, { method: "HEAD" }).catch(() => null);
    if (folder !== this.#folderOf(this.place.path)) return;
    const asked = /<([^>]*)>\s*;\s*rel="http:\/\/www\.w3\.org\/ns\/ldp#constrainedBy"/g;
    this.shapes = [...(response?.headers.get("link") ?? "").matchAll(asked)].map(([, shape = ""]) => shape);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { pod, place, shapes } = this;
    if (place.view === "search") return html`<fh-found .pod=${pod} .place=${place}></fh-found>`;
    if (place.view === "raw") return html`<fh-raw .pod=${pod} .place=${place}></fh-raw>`;
    if (place.view === "links") return html`<fh-links .pod=${pod} .place=${place}></fh-links>`;
    if (place.view === "timeline") return html`<fh-timeline .pod=${pod} .place=${place}></fh-timeline>`;
    if (shapes === null) return nothing;
    return place.view === "table"
      ? html`<fh-table .pod=${pod} .place=${place} .shapes=${shapes}></fh-table>`
      : html`<fh-edit .pod=${pod} .place=${place} .shapes=${shapes}></fh-edit>`;
  }
}
customElements.define("fh-strand", Strand);
