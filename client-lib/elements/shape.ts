/** What a SHACL shape asks for, as the fields of a form: in the reader's language, in the shape's order, with its limits. */
import { rdf, rdfs, sh, xsd } from "@freehold/vocab";
import type { Graph, Term } from "./graph.ts";

/** How a value is given. */
export type Way =
  | "line"
  | "lines"
  | "number"
  | "date"
  | "moment"
  | "time"
  | "yes-no"
  | "choice"
  | "address"
  | "parts";

export interface Choice {
  readonly term: Term;
  readonly label: string;
}

export interface Field {
  /** Address of the property. */
  readonly path: string;
  readonly name: string;
  readonly about: string;
  /** What to say when a value does not fit. */
  readonly message: string;
  readonly way: Way;
  /** Addresses of the datatypes that a text may have; the first that fits is taken. */
  readonly datatypes: readonly string[];
  readonly choices: readonly Choice[];
  /** Languages that texts may be in; empty where the shape does not say. */
  readonly languages: readonly string[];
  readonly pattern: { readonly source: string; readonly flags: string } | null;
  readonly charactersMin: number;
  readonly charactersMax: number;
  readonly least: number | null;
  readonly most: number | null;
  readonly valuesMin: number;
  readonly valuesMax: number;
  /** What a value of the way `parts` is made of. */
  readonly parts: FormModel | null;
}

export interface Section {
  /** Empty for fields that stand in no group. */
  readonly title: string;
  readonly fields: readonly Field[];
}

/** A form, before anything stands in it. */
export interface FormModel {
  readonly name: string;
  readonly about: string;
  /** Class of a thing that is made with it; null where the shape names none. */
  readonly type: string | null;
  readonly sections: readonly Section[];
}

const DEPTH_MAX = 4; // Forms within forms deeper than this are no longer filled in by people.
const LONG = 1_000; // A text that may have more characters gets more than a line.

const NUMBERS: ReadonlySet<string> = new Set([
  xsd.integer,
  xsd.decimal,
  xsd.double,
  ...["float", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt"].map(
    (name) => xsd.integer.replace("integer", name),
  ),
]);

export const isNumber = (datatype: string): boolean => NUMBERS.has(datatype);

const WAYS: Readonly<Record<string, Way>> = {
  [xsd.date]: "date",
  [xsd.dateTime]: "moment",
  [`${xsd.date.slice(0, -"date".length)}time`]: "time",
  [xsd.boolean]: "yes-no",
};

export const wayOf = (datatype: string): Way => WAYS[datatype] ?? (NUMBERS.has(datatype) ? "number" : "line");

/** Words of the trade, in those of daily life. */
const DAILY: Readonly<Record<string, string>> = {
  url: "web page",
  uri: "address",
  iri: "address",
  webid: "address",
};

/** `hasTelephone` → `Telephone`, `given-name` → `Given name`: the last part of an address, as a person would say it. */
export function spoken(address: string): string {
  const last = decodeURIComponentSafe(/[^#/:]*$/.exec(address.replace(/[#/]$/, ""))?.[0] || address);
  const words = last
    .replaceAll(/[-_.]+/g, " ")
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .trim()
    .split(/\s+/)
    .filter((word, place, all) => !(place === 0 && all.length > 1 && /^has$/i.test(word)))
    .map((word) => DAILY[word.toLowerCase()] ?? (/^\p{Lu}{2,}$/u.test(word) ? word : word.toLowerCase()))
    .join(" ");
  return words === "" ? last : `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The text in the first of the languages that there is; one without a language, or any, where there is none. */
export function inLanguage(terms: readonly Term[], languages: readonly string[]): string {
  const texts = terms.filter((term) => term.kind === "literal");
  const of = (wanted: string) =>
    texts.find(({ language }) => language.toLowerCase().split("-")[0] === wanted.toLowerCase().split("-")[0]);
  const found = languages.map(of).find((term) => term !== undefined) ?? of("en") ?? of("") ?? texts[0];
  return found?.value ?? "";
}

/** A shape and all that it is made of by `sh:and`. */
function partsOf(shapes: Graph, shape: string): readonly string[] {
  const [list] = shapes.objects(shape, sh.and);
  return [shape, ...shapes.list(list).map(({ value }) => value)];
}

/** What a property's own constraints and those of its `sh:or` say of the type of its values. */
function datatypesOf(shapes: Graph, property: string): readonly string[] {
  const own = shapes.objects(property, sh.datatype);
  const among = shapes
    .list(shapes.objects(property, sh.or)[0])
    .flatMap(({ value }) => shapes.objects(value, sh.datatype));
  return [...own, ...among].map(({ value }) => value);
}

const ADDRESSES: ReadonlySet<string> = new Set([sh.IRI, sh.BlankNodeOrIRI]);

function numberOf(shapes: Graph, property: string, ...constraints: readonly string[]): number | null {
  for (const constraint of constraints) {
    const value = Number(shapes.value(property, constraint) ?? Number.NaN);
    if (!Number.isNaN(value)) return value;
  }
  return null;
}

function fieldOf(shapes: Graph, property: string, languages: readonly string[], depth: number): Field | null {
  const path = shapes.objects(property, sh.path)[0];
  if (path?.kind !== "iri" || shapes.value(property, sh.deactivated) === "true") return null;
  const datatypes = datatypesOf(shapes, property);
  const nested = shapes.value(property, sh.node);
  const parts = nested && depth < DEPTH_MAX ? formOf(shapes, nested, languages, depth + 1) : null;
  const choices = shapes.list(shapes.objects(property, sh.in)[0]).map((term) => ({
    term,
    label:
      term.kind === "literal"
        ? term.value
        : inLanguage(shapes.objects(term.value, rdfs.label), languages) || spoken(term.value),
  }));
  const charactersMax = numberOf(shapes, property, sh.maxLength) ?? Number.POSITIVE_INFINITY;
  const isAddress =
    ADDRESSES.has(shapes.value(property, sh.nodeKind) ?? "") || shapes.objects(property, sh.class).length > 0;
  const own = shapes.value(property, sh.pattern);
  const text = charactersMax > LONG && charactersMax < Number.POSITIVE_INFINITY ? "lines" : "line";
  const first = datatypes[0] === undefined ? text : wayOf(datatypes[0]);
  return {
    path: path.value,
    name: inLanguage(shapes.objects(property, sh.name), languages) || spoken(path.value),
    about: inLanguage(shapes.objects(property, sh.description), languages),
    message: inLanguage(shapes.objects(property, sh.message), languages),
    way:
      choices.length > 0
        ? "choice"
        : parts
          ? "parts"
          : isAddress
            ? "address"
            : first === "line"
              ? text
              : first,
    datatypes,
    choices,
    languages: shapes.list(shapes.objects(property, sh.languageIn)[0]).map(({ value }) => value),
    pattern: own === undefined ? null : { source: own, flags: shapes.value(property, sh.flags) ?? "" },
    charactersMin: numberOf(shapes, property, sh.minLength) ?? 0,
    charactersMax,
    least: numberOf(shapes, property, sh.minInclusive, sh.minExclusive),
    most: numberOf(shapes, property, sh.maxInclusive, sh.maxExclusive),
    valuesMin: numberOf(shapes, property, sh.minCount) ?? 0,
    valuesMax: numberOf(shapes, property, sh.maxCount) ?? Number.POSITIVE_INFINITY,
    parts,
  };
}

/**
 * @param shape Address of the node shape.
 * @param languages Of the reader, the dearest first.
 * @returns null when the document does not describe the shape.
 */
export function formOf(
  shapes: Graph,
  shape: string,
  languages: readonly string[],
  depth = 0,
): FormModel | null {
  if (!shapes.subjects.has(shape)) return null;
  const owners = partsOf(shapes, shape);
  const placed = owners
    .flatMap((owner) => shapes.objects(owner, sh.property))
    .map(({ value: property }) => ({
      field: fieldOf(shapes, property, languages, depth),
      order: numberOf(shapes, property, sh.order) ?? Number.POSITIVE_INFINITY,
      group: shapes.value(property, sh.group) ?? "",
    }))
    .filter((one): one is typeof one & { readonly field: Field } => one.field !== null)
    .sort((a, b) => (a.order === b.order ? 0 : a.order - b.order));
  // A property may be described twice, each time with other constraints: a form has one field of it.
  const single = placed.filter(
    ({ field }, place) => placed.findIndex((other) => other.field.path === field.path) === place,
  );
  const orderOf = (group: string): number =>
    group === "" ? Number.POSITIVE_INFINITY : (numberOf(shapes, group, sh.order) ?? Number.POSITIVE_INFINITY);
  const groups = [...Map.groupBy(single, ({ group }) => group)];
  const sections = groups
    .toSorted(([a], [b]) => (orderOf(a) === orderOf(b) ? 0 : orderOf(a) - orderOf(b)))
    .map(([group, members]) => ({
      title: group === "" ? "" : inLanguage(shapes.objects(group, rdfs.label), languages),
      fields: members.map(({ field }) => field),
    }));
  return {
    name: inLanguage(shapes.objects(shape, sh.name), languages) || spoken(shape).replace(/ shape$/, ""),
    about: inLanguage(shapes.objects(shape, sh.description), languages),
    type: owners.map((owner) => shapes.value(owner, sh.targetClass)).find(Boolean) ?? classOf(shapes, shape),
    sections,
  };
}

/** A shape that is a class itself is for its members. https://www.w3.org/TR/shacl/#implicit-targetClass */
const classOf = (shapes: Graph, shape: string): string | null =>
  shapes.objects(shape, rdf.type).some(({ value }) => value === rdfs.Class) ? shape : null;

/** A form for a thing that no shape is known for: what it says of itself, each property a field. */
export function formLike(graph: Graph, thing: string, nameOf: (address: string) => string): FormModel {
  return plain(graph, thing, nameOf, 0);
}

function plain(graph: Graph, thing: string, nameOf: (address: string) => string, depth: number): FormModel {
  const properties = [...(graph.subjects.get(thing) ?? [])].filter(([path]) => path !== rdf.type);
  const fields = properties.map(([path, values]): Field => {
    const [first] = values;
    const isPart =
      first !== undefined &&
      first.kind !== "literal" &&
      depth < DEPTH_MAX &&
      (first.kind === "blank" || graph.subjects.has(first.value)) &&
      first.value !== thing;
    return {
      ...PLAIN,
      path,
      name: nameOf(path),
      way: isPart
        ? "parts"
        : first?.kind === "literal"
          ? first.value.includes("\n") || first.value.length > LONG
            ? "lines"
            : wayOf(first.datatype)
          : "address",
      datatypes: first?.kind === "literal" ? [first.datatype] : [],
      parts: isPart ? plain(graph, first.value, nameOf, depth + 1) : null,
    };
  });
  const type = graph.value(thing, rdf.type) ?? null;
  return { name: type === null ? "Thing" : nameOf(type), about: "", type, sections: [{ title: "", fields }] };
}

const PLAIN: Omit<Field, "path" | "name" | "way" | "datatypes" | "parts"> = {
  about: "",
  message: "",
  choices: [],
  languages: [],
  pattern: null,
  charactersMin: 0,
  charactersMax: Number.POSITIVE_INFINITY,
  least: null,
  most: null,
  valuesMin: 0,
  valuesMax: Number.POSITIVE_INFINITY,
};
