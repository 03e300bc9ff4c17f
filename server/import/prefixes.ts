/** The prefixes that documents of each shape use: what is declared is what is needed. */
import { shapeNamed } from "@freehold/shapes";
import { NAMESPACE } from "@freehold/vocab";

const ALL = {
  dcterms: "http://purl.org/dc/terms/",
  fh: NAMESPACE,
  prov: "http://www.w3.org/ns/prov#",
  qudt: "http://qudt.org/schema/qudt/",
  schema: "https://schema.org/",
  sosa: "http://www.w3.org/ns/sosa/",
  unit: "http://qudt.org/vocab/unit/",
  vcard: "http://www.w3.org/2006/vcard/ns#",
  xsd: "http://www.w3.org/2001/XMLSchema#",
} as const;

const pick = (...names: readonly (keyof typeof ALL)[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, ALL[name]]));

/** By the shape's IRI. */
export const PREFIXES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [shapeNamed("Contact").iri]: pick("prov", "schema", "vcard", "xsd"),
  [shapeNamed("BankTransaction").iri]: pick("dcterms", "fh", "prov", "schema", "xsd"),
  [shapeNamed("Order").iri]: pick("fh", "prov", "schema", "xsd"),
  [shapeNamed("Observation").iri]: pick("fh", "prov", "qudt", "schema", "sosa", "unit", "xsd"),
  [shapeNamed("Sensor").iri]: pick("fh", "prov", "schema", "sosa"),
  [shapeNamed("ImportRun").iri]: pick("fh", "prov", "schema", "xsd"),
};
