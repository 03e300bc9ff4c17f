/**
 * `<shacl-form>`: a form made of a SHACL shape, that edits a thing in a document or adds one.
 * ```html
 * <shacl-form shape="https://w3id.org/freehold/shapes/contacts#ContactShape" folder="https://pod.example/ana/contacts/"></shacl-form>
 * ```
 */
import { rdf } from "@freehold/vocab";
import { html, nothing, type TemplateResult } from "lit";
import { errorOf, FreeholdError, fetchOk } from "../errors.ts";
import { patchOf, turtleOf } from "./changes.ts";
import { drawing } from "./drawings.ts";
import { FreeholdElement, refusalNotice, waitingLine } from "./element.ts";
import {
  checkThing,
  type Entry,
  newEntry,
  newThing,
  openThing,
  placeFault,
  type Thing,
  triplesOf,
  wayOfEntry,
} from "./filling.ts";
import { keyOf, type ReadDocument, readDocument, type Triple } from "./graph.ts";
import { readModel } from "./models.ts";
import type { Field, FormModel } from "./shape.ts";

const INPUTS: Readonly<Record<string, string>> = {
  number: "text", // What is no number must reach us, to be told so.
  date: "date",
  moment: "datetime-local",
  time: "time",
  address: "text",
  line: "text",
};

function exampleFor({ path }: Field): string {
  if (/phone/i.test(path)) return "+41 …";
  return /mail/i.test(path) ? "name@…" : "https://…";
}

/** What `saved` tells. */
export interface Saved {
  /** Address of the document. */
  readonly document: string;
  readonly thing: string;
  /** Whether the document was made. */
  readonly created: boolean;
}

const randomName = (): string => crypto.randomUUID().slice(0, 13);

/** A file's name after what the thing is called. */
function slugOf(triples: readonly Triple[], id: string): string {
  const name = triples.find(({ subject, object }) => subject === id && object.kind === "literal");
  const slug = (name?.object.value ?? "")
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  return slug === "" ? randomName() : `${slug}-${randomName().slice(0, 4)}`;
}

export class ShaclForm extends FreeholdElement {
  static override properties = {
    shape: { type: String },
    shapes: { type: String },
    document: { type: String },
    folder: { type: String },
    thing: { type: String },
    isAdding: { type: Boolean, attribute: "add" },
    model: { attribute: false },
    fetch: { attribute: false },
    filled: { state: true },
    refusal: { state: true },
    busy: { state: true },
  };
  /** Address of the node shape. */
  declare shape: string;
  /** Address of the document that describes it, where that is not its own. */
  declare shapes: string;
  /** Address of the document to edit. */
  declare document: string;
  /** Address of the folder that a new document goes to; without `document`. */
  declare folder: string;
  /** Which thing of the document; the first that the shape is for, unless said. */
  declare thing: string;
  /** Whether a thing is added to the document. */
  declare isAdding: boolean;
  /** The form itself, for who made one without a shape. */
  declare model: FormModel | null;
  declare filled: Thing | null;
  declare refusal: FreeholdError | null;
  declare busy: boolean;
  #read: ReadDocument | null = null;
  #before: readonly Triple[] = [];
  #turn = 0;

  constructor() {
    super();
    Object.assign(this, {
      shape: "",
      shapes: "",
      document: "",
      folder: "",
      thing: "",
      isAdding: false,
      model: null,
      filled: null,
      refusal: null,
      busy: false,
    });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    const asked = ["shape", "shapes", "document", "folder", "thing", "isAdding", "model"];
    if (asked.some((name) => changed.has(name)) || (changed.has("fetch") && !this.filled)) void this.#open();
  }

  #mint = (): string => `${this.#read?.url ?? ""}#${randomName()}`;

  /** Reads shape and document, and fills the form. */
  async #open(): Promise<void> {
    const turn = (this.#turn += 1);
    this.filled = null;
    this.refusal = null;
    const near = this.document || this.folder;
    if (near === "" || (this.shape === "" && !this.model)) return;
    try {
      const [model, read] = await Promise.all([
        this.model ?? readModel(this.fetch, this.shape, this.shapes || near),
        this.document === "" ? null : readDocument(this.fetch, new URL(this.document, location.href).href),
      ]);
      if (turn !== this.#turn) return; // Something else was asked for meanwhile.
      this.#read = read;
      if (read && !this.isAdding) {
        const id = this.thing || this.#firstIn(read, model);
        this.filled = openThing(read.graph, id, model, this.#mint);
        this.#before = triplesOf(openThing(read.graph, id, model, this.#mint));
      } else {
        this.filled = newThing(
          read ? this.#mint() : "#it",
          model,
          read ? this.#mint : () => `#${randomName()}`,
        );
        this.#before = [];
      }
    } catch (error) {
      if (turn === this.#turn) this.refusal = this.refuse(error);
    }
  }

  #firstIn({ graph, url }: ReadDocument, { type }: FormModel): string {
    for (const subject of graph.subjects.keys())
      if (type !== null && graph.objects(subject, rdf.type).some(({ value }) => value === type))
        return subject;
    throw new FreeholdError("not-found", "There is nothing of this kind in the document", { url });
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { filled } = this;
    if (!filled || this.busy) return;
    this.refusal = null;
    if (checkThing(filled)) {
      this.requestUpdate();
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
      return;
    }
    this.busy = true;
    try {
      const saved = this.#read ? await this.#patch(this.#read, filled) : await this.#create(filled);
      this.tell("saved", saved);
    } catch (error) {
      const refusal = this.refuse(error);
      const left = refusal.errors.filter(
        ({ at = "", detail }) => !placeFault(filled, this.#placeOf(at), detail),
      );
      this.refusal =
        refusal.errors.length > 0 && left.length === 0 ? placed(refusal) : withDetail(refusal, left);
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    } finally {
      this.busy = false;
    }
  }

  /** Things of a document that is yet to be made have no whole address here. */
  #placeOf(at: string): string {
    return this.#read ? at : at.replace(/^\S*(?=#)/, "");
  }

  async #patch(read: ReadDocument, filled: Thing): Promise<Saved> {
    const after = triplesOf(filled);
    const kept = new Set([filled.id, ...after.flatMap(({ subject, object }) => [subject, object.value])]);
    const gone = new Set(this.#before.map(({ subject }) => subject).filter((id) => !kept.has(id)));
    const before = [...this.#before, ...[...gone].flatMap((id) => allOf(read, id, gone, filled.id))];
    const patch = patchOf(read.graph, before, after);
    const saved: Saved = { document: read.url, thing: filled.id, created: false };
    if (patch === null) return saved;
    await fetchOk(this.fetch, read.url, {
      method: "PATCH",
      headers: { "content-type": "text/n3", ...(read.etag === null ? {} : { "if-match": read.etag }) },
      body: patch,
    });
    return saved;
  }

  async #create(filled: Thing): Promise<Saved> {
    const triples = triplesOf(filled);
    const folder = new URL(this.folder, location.href);
    const url = new URL(`${slugOf(triples, filled.id)}.ttl`, folder).href;
    const response = await this.fetch(url, {
      method: "PUT",
      headers: { "content-type": "text/turtle", "if-none-match": "*" },
      body: turtleOf(triples),
    });
    if (!response.ok) throw await errorOf(response);
    return { document: url, thing: `${url}${filled.id}`, created: true };
  }

  protected override render(): TemplateResult | typeof nothing {
    const { filled } = this;
    if (!filled)
      return this.refusal ? html`${refusalNotice(this.refusal)}` : waitingLine("Opening the form …");
    return html`<form class="stack" part="form" novalidate @submit=${(event: SubmitEvent) => this.#save(event)}>
      ${filled.model.about ? html`<p class="soft" part="about">${filled.model.about}</p>` : nothing}
      ${refusalNotice(this.refusal)}
      ${this.#sections(filled, this.own)}
      <div class="row end" part="buttons">
        <button type="button" class="second" part="cancel" @click=${() => this.tell("cancelled", null)}>Cancel</button>
        <button class="first" part="save" ?disabled=${this.busy}>${this.busy ? "Saving …" : "Save"}</button>
      </div>
    </form>`;
  }

  #sections({ model, entries }: Thing, id: string): readonly (TemplateResult | readonly TemplateResult[])[] {
    return model.sections.map(({ title, fields }, place) => {
      const shown = fields.map((field, at) => this.#field(field, entries, `${id}-${place}-${at}`));
      return title === ""
        ? shown
        : html`<fieldset class="form-section" part="section"><legend>${title}</legend>${shown}</fieldset>`;
    });
  }

  #field(field: Field, all: Map<string, Entry[]>, id: string): TemplateResult {
    const entries = all.get(field.path) ?? [];
    const change = (next: Entry[]): void => {
      all.set(field.path, next);
      this.requestUpdate();
    };
    const add = (): void => {
      change([...entries, newEntry(field, this.#read ? this.#mint : () => `#${randomName()}`)]);
      const place = `${id}-${entries.length}`;
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#${place}`)?.focus());
    };
    const canAdd = entries.length < field.valuesMax;
    const canRemove = entries.length > 1 || field.way === "parts";
    return html`<div class="field" part="field">
      ${field.way === "parts" ? html`<span class="label" part="label">${field.name}</span>` : html`<label class="label" part="label" for=${`${id}-0`}>${field.name}${field.valuesMin > 0 ? html` <small>(needed)</small>` : nothing}</label>`}
      ${field.about ? html`<small id=${`${id}-about`}>${field.about}</small>` : nothing}
      ${entries.map(
        (entry, place) => html`<div class="value" part="value">
        ${this.#value(field, entry, `${id}-${place}`, id, place, entries.length)}
        ${
          canRemove
            ? html`<button type="button" class="icon-only" aria-label=${`Remove ${field.name}${entries.length > 1 ? ` ${place + 1}` : ""}`} @click=${() => change(entries.filter((other) => other !== entry))}>${drawing("close")}</button>`
            : nothing
        }</div>
        ${entry.fault ? html`<small class="fault" part="fault" id=${`${id}-${place}-fault`}>${entry.fault}</small>` : nothing}`,
      )}
      ${canAdd && (field.valuesMax > 1 || entries.length === 0) ? html`<div><button type="button" class="quiet small" part="add" @click=${add}>${drawing("plus")}${entries.length === 0 ? `Add ${field.name.toLowerCase()}` : "Add another"}</button></div>` : nothing}
    </div>`;
  }

  #value(
    field: Field,
    entry: Entry,
    id: string,
    fieldId: string,
    place: number,
    total: number,
  ): TemplateResult {
    const way = wayOfEntry(field, entry);
    const name = total > 1 ? `${field.name} ${place + 1}` : field.name;
    const label = total > 1 ? name : nothing; // One alone has the label that is seen.
    const described = [
      ...(field.about ? [`${fieldId}-about`] : []),
      ...(entry.fault ? [`${id}-fault`] : []),
    ].join(" ");
    const isWrong = entry.fault ? "true" : "false";
    const take = (event: Event): void => {
      entry.text = (event.target as HTMLInputElement).value;
    };
    if (way === "parts" && entry.thing)
      return html`<fieldset class="parts" part="parts" id=${id} tabindex="-1" aria-label=${name} aria-invalid=${isWrong}>${this.#sections(entry.thing, id)}</fieldset>`;
    if (way === "choice" || way === "yes-no") {
      const options =
        way === "choice"
          ? field.choices.map(({ term, label }) => [keyOf(term), label] as const)
          : ([
              ["true", "Yes"],
              ["false", "No"],
            ] as const);
      return html`<select part="input" id=${id} aria-label=${label} aria-invalid=${isWrong} aria-describedby=${described || nothing} @change=${take}>
        <option value="" ?selected=${entry.text === ""}>${field.valuesMin > 0 ? "Choose …" : "None"}</option>
        ${options.map(([value, label]) => html`<option value=${value} ?selected=${value === entry.text}>${label}</option>`)}
      </select>`;
    }
    if (way === "lines")
      return html`<textarea part="input" id=${id} rows="4" aria-label=${label} aria-invalid=${isWrong} aria-describedby=${described || nothing} .value=${entry.text} @input=${take}></textarea>`;
    const input = html`<input part="input" id=${id} type=${INPUTS[way] ?? "text"} inputmode=${way === "number" ? "decimal" : way === "address" ? "url" : "text"}
      step=${way === "moment" ? "1" : nothing} autocomplete="off" placeholder=${way === "address" ? exampleFor(field) : nothing}
      aria-label=${label} aria-invalid=${isWrong} aria-describedby=${described || nothing} aria-required=${field.valuesMin > 0 ? "true" : "false"}
      .value=${entry.text} @input=${take} />`;
    const isSpoken = entry.language !== "" || field.languages.length > 0;
    return isSpoken ? html`${input}${this.#language(field, entry, name)}` : input;
  }

  #language(field: Field, entry: Entry, name: string): TemplateResult {
    const languages = [...new Set([entry.language, ...field.languages, "en", "de", "fr", "es"])].filter(
      Boolean,
    );
    return html`<select class="language" part="language" aria-label=${`Language of ${name}`} @change=${(
      event: Event,
    ) => {
      entry.language = (event.target as HTMLSelectElement).value;
    }}>${languages.map((language) => html`<option value=${language} ?selected=${language === entry.language}>${language}</option>`)}</select>`;
  }
}

/** All that a document says of a part that is taken away; nothing, where somebody else still names it. */
function allOf(
  { graph, url }: ReadDocument,
  id: string,
  gone: ReadonlySet<string>,
  whole: string,
): readonly Triple[] {
  if (!id.startsWith("_:") && !id.startsWith(`${url}#`)) return [];
  const isNamed = [...graph.subjects].some(
    ([subject, properties]) =>
      subject !== whole &&
      !gone.has(subject) &&
      [...properties.values()].flat().some(({ value, kind }) => kind !== "literal" && value === id),
  );
  if (isNamed) return [];
  return [...(graph.subjects.get(id) ?? [])].flatMap(([predicate, objects]) =>
    objects.map((object) => ({ subject: id, predicate, object })),
  );
}

/** All of it stands beside fields already. */
const placed = ({ code }: FreeholdError): FreeholdError =>
  new FreeholdError(code, "Something is not right yet", {
    next: "Look at what is marked. Nothing was saved.",
  });

function withDetail(refusal: FreeholdError, left: readonly { readonly detail: string }[]): FreeholdError {
  if (left.length === 0) return refusal;
  return new FreeholdError(refusal.code, refusal.title, {
    detail: left.map(({ detail }) => detail).join(" "),
    ...(refusal.next === undefined ? {} : { next: refusal.next }),
  });
}

customElements.define("shacl-form", ShaclForm);
