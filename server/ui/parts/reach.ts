/** `<fh-reach>`: what a person lets an app do, and where: for the question of a new app, and for changing one's mind. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "./ask.ts";
import { given, Part, state } from "./element.ts";
import { icon } from "./icons.ts";
import type { Folder, Item, Mode, Reach } from "./model.ts";
import { count, nameIn, verbsOf } from "./words.ts";

/** What a plain yes means: all that the person may, but not deciding who else may. */
export const USUAL: Reach = { folders: null, modes: ["read", "append", "write"] };

const DEEDS: readonly (readonly [Mode, string, string])[] = [
  ["read", "See", "Open what is there."],
  ["append", "Add", "Put in new things, and change nothing."],
  ["write", "Change", "Write over things and delete them."],
  ["control", "Decide who else may see it", "Few apps need this."],
];
const ALL: readonly Mode[] = DEEDS.map(([mode]) => mode);

type Where = "everywhere" | "folders" | "nowhere";

const list = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** `see, add to and change everything you can`, `see notes and photos`; what stands after `can`. */
export function reachWords({ folders, modes }: Reach): string {
  if (modes.length === 0 || folders?.length === 0) return "know who you are, and nothing else";
  const names = (folders ?? []).map(nameIn);
  const shown = names.length > 4 ? [...names.slice(0, 3), count(names.length - 3, "other folder")] : names;
  const where = folders === null ? "everything you can" : list.format(shown);
  return `${verbsOf(modes)} ${where}`;
}

class ReachChoice extends Part {
  static override properties = { ...given("reach", "pod"), ...state("items", "where", "picked", "modes") };
  /** Where the choice begins. */
  declare reach: Reach;
  /** Name of the person's pod. */
  declare pod: string;
  declare items: readonly Item[];
  declare where: Where;
  declare picked: ReadonlySet<string>;
  declare modes: ReadonlySet<Mode>;

  constructor() {
    super();
    this.items = [];
    this.where = "everywhere";
    this.picked = new Set();
    this.modes = new Set();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { folders, modes } = this.reach;
    const isNothing = modes.length === 0 || folders?.length === 0;
    this.where = isNothing ? "nowhere" : folders === null ? "everywhere" : "folders";
    this.picked = new Set(folders ?? []);
    this.modes = new Set(isNothing ? USUAL.modes : modes);
    void ask<Folder>("GET", `/.account/folder?path=${encodeURIComponent(`/${this.pod}/`)}`).then(
      ({ items }) => (this.items = items.filter(({ isFolder }) => isFolder)),
      () => {}, // Then only what was chosen before can be chosen.
    );
  }

  /** What is chosen now; null when it is not a whole choice yet. */
  get value(): Reach | null {
    if (this.where === "nowhere") return { folders: [], modes: [] };
    const modes = ALL.filter((mode) => this.modes.has(mode));
    if (modes.length === 0 || (this.where === "folders" && this.picked.size === 0)) return null;
    return { folders: this.where === "folders" ? [...this.picked].sort() : null, modes };
  }

  protected override updated(): void {
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  #toggle<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
    const next = new Set(set);
    if (!next.delete(value)) next.add(value);
    return next;
  }

  protected override render(): TemplateResult {
    return html`
      <fieldset class="choices">
        <legend>Where</legend>
        ${this.#place("everywhere", "Everywhere", "All that you can see yourself, also what others share with you.", "globe")}
        ${this.#place("folders", "Only in some folders", "You choose them.", "folder")}
        ${this.where === "folders" ? this.#folders() : nothing}
        ${this.#place("nowhere", "Nowhere", "It learns who you are, and nothing else.", "lock")}
      </fieldset>
      ${this.where === "nowhere" ? nothing : this.#deeds()}
    `;
  }

  #place(where: Where, title: string, about: string, picture: "globe" | "folder" | "lock"): TemplateResult {
    return html`<label class="choice"><input type="radio" name="where" value=${where} .checked=${this.where === where} @change=${() => (this.where = where)} />${icon(picture)}
      <span><strong>${title}</strong><small>${about}</small></span></label>`;
  }

  #folders(): TemplateResult {
    const listed = new Set(this.items.map(({ path }) => path));
    const others = [...this.picked].filter((path) => !listed.has(path));
    const rows = [
      ...this.items.map(({ path, name }) => ({ path, name })),
      ...others.map((path) => ({ path, name: nameIn(path) })),
    ];
    return html`<div class="ticks" role="group" aria-label="Folders">
      ${rows.length === 0 ? html`<p class="soft">There are no folders in your pod yet.</p>` : nothing}
      ${rows.map(
        ({
          path,
          name,
        }) => html`<label class="tick"><input type="checkbox" name="folder" value=${path} .checked=${this.picked.has(path)}
          @change=${() => (this.picked = this.#toggle(this.picked, path))} /><span>${name}</span></label>`,
      )}
    </div>`;
  }

  #deeds(): TemplateResult {
    const shares = this.modes.has("control");
    return html`<fieldset class="choices">
      <legend>What it may do there</legend>
      <div class="ticks">
        ${DEEDS.map(([mode, title, about]) => {
          const isImplied = (shares && mode !== "control") || (mode === "append" && this.modes.has("write"));
          return html`<label class="tick"><input type="checkbox" name="mode" value=${mode} ?disabled=${isImplied} .checked=${isImplied || this.modes.has(mode)}
            @change=${() => (this.modes = this.#toggle(this.modes, mode))} /><span><strong>${title}</strong><small>${about}</small></span></label>`;
        })}
      </div>
    </fieldset>`;
  }
}
customElements.define("fh-reach", ReachChoice);
