/** The published shapes and the checks beside them. Nothing is read when this is imported. */
import { fh, foaf, qudt, SHAPES_NAMESPACE, schema, sosa, vcard } from "@freehold/vocab";

export { CHECKS, type Check, type CheckQuad, type CheckTerm, type Finding, runChecks } from "./checks.ts";
export { cardNumbersIn, ibansIn, isGtin, isIban, passesLuhn } from "./numbers.ts";

export interface Label {
  readonly en: string;
  readonly de: string;
}

export interface Shape {
  /** `Order`: the shape's `sh:codeIdentifier`. */
  readonly name: string;
  /** `https://w3id.org/freehold/shapes/commerce#OrderShape`; never changes its meaning. */
  readonly iri: string;
  /** The Turtle file of the shape's domain, which may hold other shapes too. */
  readonly file: URL;
  /** What a thing of this shape is: its `rdf:type`. */
  readonly targetClass: string;
  readonly label: Label;
}

const define = (domain: string, name: string, targetClass: string, en: string, de: string): Shape =>
  Object.freeze({
    name,
    iri: `${SHAPES_NAMESPACE}${domain}#${name}Shape`,
    file: new URL(`./${domain}.ttl`, import.meta.url),
    targetClass,
    label: Object.freeze({ en, de }),
  });

/** In the order in which an owner would look for them. */
export const SHAPES: readonly Shape[] = Object.freeze([
  define("profile", "PersonProfile", foaf.Person, "Profile", "Profil"),
  define("profile", "PostalAddress", vcard.Address, "Address", "Anschrift"),
  define("profile", "ContactPoint", vcard.Voice, "Phone or email", "Telefon oder E-Mail"),
  define("profile", "Passport", fh.Passport, "Passport", "Pass"),
  define("contacts", "Contact", vcard.Individual, "Contact", "Kontakt"),
  define("commerce", "Order", schema.Order, "Order", "Bestellung"),
  define("commerce", "OrderItem", schema.OrderItem, "Item", "Artikel"),
  define("commerce", "BankTransaction", schema.MoneyTransfer, "Payment", "Zahlung"),
  define("commerce", "MonetaryAmount", schema.MonetaryAmount, "Amount of money", "Geldbetrag"),
  define("iot", "Observation", sosa.Observation, "Reading", "Messwert"),
  define("iot", "QuantityValue", qudt.QuantityValue, "Value and unit", "Wert und Einheit"),
  define("iot", "Sensor", sosa.Sensor, "Meter", "Zähler"),
  define("imports", "ImportRun", fh.ImportRun, "Import", "Einfuhr"),
]);

/** @returns the shape of that name. @throws Error for a name that is not in {@link SHAPES}: a mistake of ours. */
export function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((shape) => shape.name === name);
  if (!shape) throw new Error(`There is no shape named ${name}`);
  return shape;
}
