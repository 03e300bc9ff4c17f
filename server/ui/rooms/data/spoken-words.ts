/** Kinds, properties and values in the words of daily life: those of the published shapes, else the address' last part taken apart. */
import { propertyNames, readModel } from "@freehold/client/elements/models";
import { type FormModel, isNumber, spoken } from "@freehold/client/elements/shape";
import { SHAPES } from "@freehold/shapes";
import { xsd } from "@freehold/vocab";
import { html, type TemplateResult } from "lit";
import { wayWords } from "../../parts/data-words.ts";
import { dayOf, timeOf } from "../../parts/words.ts";
import { hrefOfThing, type OwnPod } from "./place.ts";
import type { Cell, Value } from "./things.ts";

/** What is known of a kind of things. */
export interface Speech {
  /** The kind, as a person would say it. */
  readonly kind: string;
  readonly model: FormModel | null;
  /** Address of the shape that the model is made of. */
  readonly shape: string;
  readonly nameOf: (property: string) => string;
}

export const kindName = (type: string | null): string =>
  type === null
    ? "Thing"
    : (SHAPES.find(({ targetClass }) => targetClass === type)?.label.en ?? spoken(type));

/**
 * @param shapes Addresses of the shapes that the folder asks for: they come before the published ones.
 */
export async function speechFor(
  pod: OwnPod,
  type: string | null,
  shapes: readonly string[],
): Promise<Speech> {
  const published = SHAPES.filter(({ targetClass }) => targetClass === type).map(({ iri }) => iri);
  for (const shape of new Set([...shapes, ...published])) {
    try {
      const [model, names] = await Promise.all([
        readModel(pod.fetch, shape, pod.url),
        propertyNames(pod.fetch, shape, pod.url),
      ]);
      if (model.type !== null && type !== null && model.type !== type) continue;
      return {
        kind: model.name,
        model,
        shape,
        nameOf: (property) => names.get(property) ?? spoken(property),
      };
    } catch {
      // A shape that cannot be read gives no words; the next one may.
    }
  }
  return { kind: kindName(type), model: null, shape: "", nameOf: spoken };
}

/** A day of every year, such as a birthday. */
const yearly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** Addresses that stand for a word, not for a page. */
const WORDS =
  /^https?:\/\/(?:schema\.org|www\.w3\.org|w3id\.org|purl\.org|qudt\.org|xmlns\.com|dbpedia\.org\/ontology)\//;

/** A value as text. */
export function textOfCell({ type, value, datatype = "" }: Cell): string {
  if (type === "bnode") return "…";
  if (type === "uri") {
    if (WORDS.test(value) || value.startsWith("urn:")) return wayWords(spoken(value));
    return value
      .replace(/^(?:tel|mailto):/, "")
      .replace(/^https?:\/\//, "")
      .replace(/\/$/, "");
  }
  if (datatype === xsd.boolean) return value === "true" || value === "1" ? "Yes" : "No";
  if (isNumber(datatype)) return Number.isFinite(Number(value)) ? number.format(Number(value)) : value;
  const [, month, date] = /^--(\d\d)-(\d\d)$/.exec(value) ?? [];
  if (month && date) return yearly.format(Date.UTC(2000, Number(month) - 1, Number(date)));
  const at = Date.parse(value);
  if (Number.isNaN(at)) return value;
  if (datatype === xsd.date) return dayOf(at);
  return datatype === xsd.dateTime ? `${dayOf(at)}, ${timeOf(at)}` : value;
}

/** A thing that is part of another, in one line: what it says itself. */
function textOfParts({ parts }: Value): string {
  const cells = [...parts]
    .filter(([property]) => !property.endsWith("#type"))
    .flatMap(([, some]) => some)
    .filter(({ type }) => type !== "bnode");
  const isMoney = cells.length === 2 && cells.some(({ value }) => /^[A-Z]{3}$/.test(value));
  return cells
    .map((cell) => (isMoney && isNumber(cell.datatype ?? "") ? sumOfMoney(cell) : textOfCell(cell)))
    .slice(0, 4)
    .join(" ");
}

const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 6 });
const sumOfMoney = ({ value }: Cell): string =>
  Number.isFinite(Number(value)) && value.includes(".") ? money.format(Number(value)) : value;

export const textOfValue = (value: Value): string =>
  value.parts.size > 0 ? textOfParts(value) || textOfCell(value.cell) : textOfCell(value.cell);

/** A value as it stands in a table: what can be followed is a link. */
export function valueShown(pod: OwnPod, value: Value): TemplateResult {
  const { cell } = value;
  const words = textOfValue(value);
  if (cell.type !== "uri" || value.parts.size > 0) return html`${words}`;
  const own = hrefOfThing(pod, cell.value);
  if (own !== null) return html`<a href=${own}>${words.split("/").at(-1)?.replace(/^.*#/, "") || words}</a>`;
  if (/^(?:https?|mailto|tel):/.test(cell.value) && !WORDS.test(cell.value))
    return html`<a href=${cell.value} target="_blank" rel="noopener noreferrer">${words}</a>`;
  return html`${words}`;
}
