/** The published shapes and the checks beside them. Nothing is read when this is imported. */
import { dpv, fh, foaf, lws, odrl, qudt, SHAPES_NAMESPACE, schema, sosa, vcard } from "@freehold/vocab";

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
  define("preferences", "PreferencePolicy", odrl.Set, "Standing preferences", "Dauerhafte Vorgaben"),
  define("preferences", "OptInLevel", fh.OptInLevel, "Opt-in level", "Stufe der Zustimmung"),
  define(
    "preferences",
    "CommunicationPreference",
    fh.CommunicationPreference,
    "How to reach you",
    "Wie man dich erreicht",
  ),
  define("consent", "AccessRequest", lws.AccessRequest, "Request for access", "Anfrage"),
  define("consent", "AccessGrant", lws.AccessGrant, "Access given", "Freigabe"),
  define(
    "consent",
    "AccessPolicy",
    lws.AccessPolicy,
    "One thing asked for or given",
    "Ein Punkt einer Anfrage oder Freigabe",
  ),
  define("consent", "ConsentRecord", dpv.ConsentRecord, "Consent record", "Einwilligung"),
  define("consent", "ConsentReceipt", dpv.ConsentReceipt, "Consent receipt", "Einwilligungsbeleg"),
  define("consent", "Decision", fh.Decision, "Decision", "Entscheidung"),
  define("consent", "UsageReceipt", fh.UsageReceipt, "Usage receipt", "Nutzungsbeleg"),
  define("consent", "Delegation", fh.Delegation, "Delegation", "Vertretung"),
]);

/** @returns the shape of that name. @throws Error for a name that is not in {@link SHAPES}: a mistake of ours. */
export function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((shape) => shape.name === name);
  if (!shape) throw new Error(`There is no shape named ${name}`);
  return shape;
}
