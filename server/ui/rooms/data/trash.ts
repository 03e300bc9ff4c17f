/** `<fh-trash>`: what was deleted, to be brought back until it goes for good. */
import { html, nothing, type TemplateResult } from "lit";
import { ask, type Refusal, toRefusal } from "../../parts/ask.ts";
import { Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import type { BroughtBack, Trash, TrashRow } from "../../parts/model.ts";
import { busyWords, refusalBox, tell, waiting } from "../../parts/notices.ts";
import { withProof } from "../../parts/prove.ts";
import { agoOf, count, kindOf, nameIn, placeOf, sizeOf } from "../../parts/words.ts";

function aboutOf({ kind, contentType, bytes, deleted }: TrashRow): string {
  const what =
    kind === "folder"
      ? "Folder"
      : kind === "document"
        ? `${kindOf(contentType ?? "")}, ${sizeOf(bytes)}`
        : kind === "access list"
          ? "Who could see it"
          : "What was noted about it";
  return `${what}, deleted ${agoOf(deleted)}`;
}

/** Brings back what was deleted last at a path. @returns where it is now; null when the trash has nothing of it. */
export async function restoreLatest(path: string): Promise<string | null> {
  const { items } = await ask<Trash>("GET", "/.account/trash");
  const [latest] = items
    .filter((item) => item.path === path && (item.kind === "document" || item.kind === "folder"))
    .sort((a, b) => b.deleted - a.deleted);
  if (!latest) return null;
  const body = { id: latest.id, rename: false };
  return (await ask<BroughtBack>("POST", "/.account/trash/restore", body)).path;
}

class TrashRoom extends Part {
  static override properties = state("trash", "busy", "sure", "refusal");
  declare trash: Trash | null;
  declare busy: string;
  /** What would go for good: an id, or `all`. */
  declare sure: string;
  declare refusal: Refusal | null;

  constructor() {
    super();
    this.trash = null;
    this.busy = "";
    this.sure = "";
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.trash = await ask<Trash>("GET", "/.account/trash");
    } catch (error) {
      this.refusal = toRefusal(error);
    }
  }

  async #run(name: string, work: () => Promise<string>): Promise<void> {
    this.busy = name;
    this.refusal = null;
    try {
      tell(await work());
      this.sure = "";
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
      await this.#load();
    } catch (error) {
      this.refusal = toRefusal(error);
    } finally {
      this.busy = "";
    }
  }

  #restore({ id, path }: TrashRow): void {
    void this.#run(id, async () => {
      const { path: place, private: isPrivate } = await ask<BroughtBack>("POST", "/.account/trash/restore", {
        id,
        rename: true,
      });
      const back =
        place === path
          ? `${nameIn(path)} is back where it was.`
          : `${nameIn(path)} is back, as ${nameIn(place)}, for there is another one now.`;
      return isPrivate
        ? `${back} Only you can see it now: who may see what was changed since. Share it again if you like.`
        : back;
    });
  }

  #purge({ id, path }: TrashRow): void {
    void this.#run(id, async () => {
      await withProof(() => ask("POST", "/.account/trash/purge", { id }));
      return `${nameIn(path)} is gone for good.`;
    });
  }

  #empty(): void {
    void this.#run("all", async () => {
      await withProof(() => ask("POST", "/.account/trash/empty", {}));
      return "The trash is empty.";
    });
  }

  protected override render(): TemplateResult {
    const { trash } = this;
    return html`
      <nav class="crumbs" aria-label="Where you are"><a href="#/data/">Your pod</a>${icon("next")}<a href="#/trash" aria-current="page">Trash</a></nav>
      <div class="head"><div><h1>Trash</h1><p class="soft">What you or your apps deleted stays here for 30 days. Nobody else sees it.</p></div>
        ${trash && trash.items.length > 0 ? html`<button class="quiet bad" @click=${() => (this.sure = "all")}>${icon("trash")}Empty it</button>` : nothing}</div>
      ${refusalBox(this.refusal)}
      ${this.sure === "all" ? this.#question("Empty the trash?", "Nothing in it can be brought back then.", "Empty it", () => this.#empty()) : nothing}
      ${trash ? this.#list(trash) : this.refusal ? nothing : waiting("Looking …")}
    `;
  }

  #list({ items, cut }: Trash): TemplateResult {
    if (items.length === 0)
      return html`<div class="empty">${icon("trash")}<p><strong>Nothing in here.</strong><br />What is deleted waits here for 30 days, in case it was a mistake.</p></div>`;
    return html`<ul class="rows">${items.map((item) => this.#row(item))}</ul>
      ${cut ? html`<p class="soft">Only ${count(items.length, "entry", "entries")} are shown here.</p>` : nothing}`;
  }

  #row(item: TrashRow): TemplateResult {
    const { id, path, kind } = item;
    if (this.sure === id)
      return html`<li class="row-plain">${this.#question(`Erase ${nameIn(path)}?`, "It cannot be brought back then.", "Erase it", () => this.#purge(item))}</li>`;
    return html`<li class="row-plain">
      <span class="tile">${icon(kind === "folder" ? "folder" : kind === "access list" ? "people" : "file")}</span>
      <span class="row-words"><strong>${nameIn(path)}</strong><small>${aboutOf(item)}, from ${placeOf(path.slice(0, path.replace(/\/$/, "").lastIndexOf("/") + 1))}; goes for good ${agoOf(item.until)}</small></span>
      <button class="icon-only" ?disabled=${this.busy !== ""} aria-label=${`Erase ${nameIn(path)} for good`} title="Erase for good" @click=${() => (this.sure = id)}>${icon("trash")}</button>
      <button class="second small" ?disabled=${this.busy !== ""} @click=${() => this.#restore(item)}>${busyWords(this.busy === id, "Bring back", "…")}</button>
    </li>`;
  }

  #question(title: string, text: string, yes: string, act: () => void): TemplateResult {
    return html`<div class="notice bad"><div><strong>${title}</strong> ${text}
      <div class="row"><button class="second" @click=${() => (this.sure = "")}>Keep it</button>
      <button class="second bad" ?disabled=${this.busy !== ""} @click=${act}>${busyWords(this.busy !== "", yes, "Erasing …")}</button></div></div></div>`;
  }
}
customElements.define("fh-trash", TrashRoom);
