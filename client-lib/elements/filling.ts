/** A form while it is filled in: what stood there, what stands there now, what is wrong with it, and what that changes. */
import { rdf, xsd } from "@freehold/vocab";
import { type Graph, iri, keyOf, literal, type Term, type Triple } from "./graph.ts";
import { type Field, type FormModel, isNumber, type Way, wayOf } from "./shape.ts";

/** One value of a field. */
export interface Entry {
  /** What stood there; null for one that was added. */
  readonly was: Term | null;
  /** As it stands in the field. */
  text: string;
  language: string;
  /** Of the way `parts`: what the value is made of. */
  readonly thing: Thing | null;
  /** Empty when nothing is wrong. */
  fault: string;
}

/** A thing while it is edited. */
export interface Thing {
  /** An address, or `_:` and a label. */
  readonly id: string;
  readonly isNew: boolean;
  readonly model: FormModel;
  /** By the address of the property. */
  readonly entries: Map<string, Entry[]>;
}

const ADDRESS = /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]+$/i;
const SCRIPTS = /^(?:javascript|data|vbscript):/i; // What a page would run when somebody follows it is no address.

/** Phone numbers and mail addresses are typed as people write them. https://www.rfc-editor.org/rfc/rfc3966, rfc6068 */
function addressIn(text: string): string {
  if (/^\+?[\d\s()./-]{5,}$/.test(text)) return `tel:${text.replaceAll(/[^\d+]/g, "")}`;
  return /^[^\s@:/<>"]+@[^\s@:/<>"]+$/.test(text) ? `mailto:${text}` : text;
}

export const isAddress = (text: string): boolean => ADDRESS.test(text) && !SCRIPTS.test(text);

export const fieldsIn = (model: FormModel): readonly Field[] =>
  model.sections.flatMap(({ fields }) => fields);

const pad = (number: number): string => String(number).padStart(2, "0");

/** A moment as fields of the browser take it: on the clock of whoever reads. */
function localMoment(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  const day = `${String(at.getFullYear()).padStart(4, "0")}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** The way of one value: what is there already may be of another type than new ones would be. */
export function wayOfEntry(field: Field, { was, thing }: Pick<Entry, "was" | "thing">): Way {
  if (thing) return "parts";
  if (was === null) return field.way;
  if (field.way === "choice") return "choice";
  if (was.kind !== "literal") return "address";
  const own = wayOf(was.datatype);
  if (own === "date" && !/^\d{4}-\d\d-\d\d$/.test(was.value)) return "line";
  if (own === "moment" && localMoment(was.value) === "") return "line";
  return own === "line" && field.way === "lines" ? "lines" : own;
}

/** What stands in the field for a value, as long as nobody changed it. */
export function textOf(way: Way, was: Term | null): string {
  if (was === null) return "";
  if (way === "moment") return localMoment(was.value);
  if (way === "choice") return keyOf(was);
  if (way === "yes-no") return String(was.value === "true" || was.value === "1");
  return way === "address" ? was.value.replace(/^(?:tel|mailto):/, "") : was.value;
}

function entryFor(field: Field, was: Term | null, thing: Thing | null): Entry {
  const way = wayOfEntry(field, { was, thing });
  return {
    was,
    text: textOf(way, was),
    language: was?.kind === "literal" ? was.language : (field.languages[0] ?? ""),
    thing,
    fault: "",
  };
}

/** @param mint Gives the address of a thing that is made with another. */
export function newEntry(field: Field, mint: () => string): Entry {
  const thing = field.parts ? newThing(mint(), field.parts, mint) : null;
  return entryFor(field, null, thing);
}

export function newThing(id: string, model: FormModel, mint: () => string): Thing {
  const entries = new Map<string, Entry[]>();
  for (const field of fieldsIn(model)) {
    const isWanted = field.way !== "parts" || field.valuesMin > 0;
    entries.set(field.path, isWanted ? [newEntry(field, mint)] : []);
  }
  return { id, isNew: true, model, entries };
}

/** What a document says of a thing, in the fields of a form. */
export function openThing(graph: Graph, id: string, model: FormModel, mint: () => string): Thing {
  const entries = new Map<string, Entry[]>();
  for (const field of fieldsIn(model)) {
    const found = graph.objects(id, field.path).map((was) => {
      const isHere = was.kind !== "literal" && graph.subjects.has(was.value) && was.value !== id;
      const parts = field.parts && isHere ? openThing(graph, was.value, field.parts, mint) : null;
      return entryFor(field, was, parts);
    });
    const isWanted = field.way !== "parts" || field.valuesMin > 0;
    entries.set(field.path, found.length > 0 || !isWanted ? found : [newEntry(field, mint)]);
  }
  return { id, isNew: false, model, entries };
}

const isEmpty = (entry: Entry): boolean =>
  entry.thing ? [...entry.thing.entries.values()].flat().every(isEmpty) : entry.text.trim() === "";

function datatypeFor({ datatypes, way }: Field, text: string): string {
  if (way === "number" && datatypes.length > 1)
    return (
      datatypes.find((type) => (/^[+-]?\d+$/.test(text) ? type === xsd.integer : type === xsd.decimal)) ??
      datatypes[0] ??
      xsd.decimal
    );
  return datatypes[0] ?? xsd.string;
}

/** The value that an entry stands for; null for none. */
function termOf(field: Field, entry: Entry): Term | null {
  const { was, language } = entry;
  if (isEmpty(entry)) return null;
  if (entry.thing) return iri(entry.thing.id);
  const way = wayOfEntry(field, entry);
  const isSame = was !== null && entry.text === textOf(way, was);
  if (isSame && (was.kind !== "literal" || was.language === language)) return was;
  const text = way === "lines" ? entry.text : entry.text.trim();
  if (way === "choice") return field.choices.find(({ term }) => keyOf(term) === text)?.term ?? was;
  if (way === "address") return iri(addressIn(text));
  if (way === "moment") return literal(new Date(text).toISOString().replace(".000Z", "Z"), xsd.dateTime);
  if (language !== "") return literal(text, xsd.string, language);
  return literal(
    text,
    was?.kind === "literal" && wayOf(was.datatype) === way ? was.datatype : datatypeFor(field, text),
  );
}

/** All that a filled-in form says. Things of which nothing is left are not in it. */
export function triplesOf({ id, isNew, model, entries }: Thing): readonly Triple[] {
  const triples: Triple[] = [];
  if (isNew && model.type !== null)
    triples.push({ subject: id, predicate: rdf.type, object: iri(model.type) });
  for (const field of fieldsIn(model)) {
    for (const entry of entries.get(field.path) ?? []) {
      const object = termOf(field, entry);
      if (object === null) continue;
      triples.push({ subject: id, predicate: field.path, object });
      if (entry.thing) triples.push(...triplesOf(entry.thing));
    }
  }
  return triples;
}

function matches({ source, flags }: NonNullable<Field["pattern"]>, text: string): boolean {
  try {
    return new RegExp(source, `u${flags.replaceAll(/[^ims]/g, "")}`).test(text);
  } catch {
    return true; // The server knows its own patterns.
  }
}

/** What is wrong with one value, in a sentence; empty when nothing is, as far as can be told here. */
function faultOf(field: Field, entry: Entry): string {
  const term = termOf(field, entry);
  if (term === null || entry.thing || (entry.was !== null && keyOf(term) === keyOf(entry.was))) return "";
  const say = (otherwise: string): string => field.message || otherwise;
  const { value } = term;
  if (term.kind !== "literal") {
    if (!isAddress(value)) return say("Give a whole address, such as https://example.org/.");
  } else {
    if (isNumber(term.datatype) && !Number.isFinite(Number(value))) return say("Give a number.");
    if (/[/#]integer$/i.test(term.datatype) && !/^[+-]?\d+$/.test(value)) return say("Give a whole number.");
    if (field.least !== null && Number(value) < field.least) return say(`Give at least ${field.least}.`);
    if (field.most !== null && Number(value) > field.most) return say(`Give at most ${field.most}.`);
  }
  const { length } = Array.from(value); // As SHACL counts: code points.
  if (length < field.charactersMin) return say(`Give at least ${field.charactersMin} characters.`);
  if (length > field.charactersMax) return say(`Give at most ${field.charactersMax} characters.`);
  if (field.pattern && !matches(field.pattern, value)) return say("This is not written as it should be.");
  return "";
}

/** Notes beside each value what is wrong with it. @returns whether anything is. */
export function checkThing(thing: Thing): boolean {
  let isWrong = false;
  for (const field of fieldsIn(thing.model)) {
    const entries = thing.entries.get(field.path) ?? [];
    for (const entry of entries) {
      entry.fault = faultOf(field, entry);
      if (entry.thing && !isEmpty(entry) && checkThing(entry.thing)) isWrong = true;
    }
    const filled = entries.filter((entry) => !isEmpty(entry)).length;
    const [first] = entries;
    if (filled < field.valuesMin && first && first.fault === "")
      first.fault =
        field.message || (field.valuesMin === 1 ? "This is needed." : `Give at least ${field.valuesMin}.`);
    if (entries.some(({ fault }) => fault !== "")) isWrong = true;
  }
  return isWrong;
}

/**
 * Puts what the server found beside the value it is about.
 * @param at As the server says it: the thing, a space, and the property.
 * @returns whether there is a field for it.
 */
export function placeFault(thing: Thing, at: string, detail: string): boolean {
  const space = at.lastIndexOf(" ");
  const [focus, path] = space < 0 ? [at, ""] : [at.slice(0, space), at.slice(space + 1)];
  const isAbout = thing.id === focus || (thing.id.startsWith("_:") && !URL.canParse(focus));
  const entries = isAbout ? (thing.entries.get(path) ?? []) : [];
  const entry = entries.find(({ fault, text }) => fault === "" && text !== "") ?? entries[0];
  if (entry) {
    entry.fault = detail;
    return true;
  }
  return [...thing.entries.values()]
    .flat()
    .some((other) => other.thing !== null && placeFault(other.thing, at, detail));
}
