/**
 * What kinds of data a target holds, as far as this pod knows it by itself: from the shape, the fields that are asked for, and
 * what the owner said lies in a folder. What a vendor calls it is added, and never believed alone.
 */
import { fh, foaf, SHAPES_NAMESPACE, schema, vcard } from "@freehold/vocab";
import type { Policy } from "../model.ts";
import type { Preferences } from "./preferences.ts";

const PD = "https://w3id.org/dpv/pd#";
const pd = (names: string): readonly string[] => names.split(" ").map((name) => PD + name);

const SHAPE_KINDS: Readonly<Record<string, readonly string[]>> = {
  [`${SHAPES_NAMESPACE}profile#PersonProfileShape`]: pd("Name BirthDate Language Contact Profile"),
  [`${SHAPES_NAMESPACE}profile#PostalAddressShape`]: pd("PhysicalAddress"),
  [`${SHAPES_NAMESPACE}profile#ContactPointShape`]: pd("Contact"),
  [`${SHAPES_NAMESPACE}contacts#ContactShape`]: pd("Acquaintance Name Contact BirthDate"),
  [`${SHAPES_NAMESPACE}commerce#OrderShape`]: pd("Purchase"),
  [`${SHAPES_NAMESPACE}commerce#OrderItemShape`]: pd("Purchase"),
  [`${SHAPES_NAMESPACE}commerce#BankTransactionShape`]: pd("Transaction BankAccount"),
};

/** Fields that say what they hold wherever they stand. */
const FIELD_KINDS: Readonly<Record<string, readonly string[]>> = {
  [foaf.name]: pd("Name"),
  [foaf.givenName]: pd("Name"),
  [foaf.familyName]: pd("Name"),
  [foaf.mbox]: pd("EmailAddress"),
  [foaf.phone]: pd("TelephoneNumber"),
  [vcard.fn]: pd("Name"),
  [vcard.hasName]: pd("Name"),
  [vcard["given-name"]]: pd("Name"),
  [vcard["family-name"]]: pd("Name"),
  [vcard.bday]: pd("BirthDate"),
  [vcard.email]: pd("EmailAddress"),
  [vcard.hasEmail]: pd("EmailAddress"),
  [vcard.tel]: pd("TelephoneNumber"),
  [vcard.hasTelephone]: pd("TelephoneNumber"),
  [vcard.hasAddress]: pd("PhysicalAddress"),
  [vcard["street-address"]]: pd("Street"),
  [vcard.locality]: pd("Locality"),
  [vcard["postal-code"]]: pd("PostalCode"),
  [vcard.region]: pd("Region"),
  [vcard["country-name"]]: pd("Country"),
  [schema.orderNumber]: pd("Purchase"),
  [schema.orderDate]: pd("Purchase"),
  [schema.orderedItem]: pd("Purchase"),
  [schema.knowsLanguage]: pd("Language"),
  [fh.accountRef]: pd("BankAccount"),
};

/** What the owner said of a place: the nearest word above it, null where there is none. */
function wordOn(path: string, holds: Preferences["holds"]): readonly string[] | null {
  let nearest = "";
  for (const place of Object.keys(holds)) {
    const isAbove = place === path || (place.endsWith("/") && path.startsWith(place));
    if (isAbove && place.length > nearest.length) nearest = place;
  }
  return nearest === "" ? null : (holds[nearest] ?? null);
}

/** With every word below it, for a folder is given with all in it. */
function kindsBelow(path: string, holds: Preferences["holds"]): readonly string[] | null {
  const own = wordOn(path, holds);
  if (!own || !path.endsWith("/")) return own;
  const below = Object.entries(holds).filter(([place]) => place !== path && place.startsWith(path));
  return [...own, ...below.flatMap(([, kinds]) => kinds)];
}

/**
 * @returns every kind of data that the owner said lies in the places that are named, whichever of its fields are asked for:
 * the name of a doctor, asked for in the folder of illnesses, is no mere name.
 */
export function kindsAround({ target }: Policy, holds: Preferences["holds"]): readonly string[] {
  if (target.kind === "view" || target.kind === "shape") return [];
  return [...new Set(target.values.flatMap((path) => wordOn(path, holds) ?? []))];
}

/**
 * @returns every kind of data that the policy's target may hold, what the vendor calls it included, or null when nobody but
 * the vendor knows.
 */
export function kindsOf(policy: Policy, holds: Preferences["holds"]): readonly string[] | null {
  const { target, fields, categories } = policy;
  const kinds = new Set(categories);
  const add = (found: readonly string[] | null | undefined): boolean => {
    for (const kind of found ?? []) kinds.add(kind);
    return found !== null && found !== undefined && found.length > 0;
  };
  if (target.values.length === 0 || target.kind === "view") return null; // Who made the view knows; the owner is asked.
  if (fields && fields.length > 0) {
    // No more than these is given, of whatever it is; where one of them could hold anything, all is unknown.
    const known = fields.map((field) => Object.hasOwn(FIELD_KINDS, field) && add(FIELD_KINDS[field]));
    return known.every(Boolean) ? [...kinds] : null;
  }
  const known = target.values.map((value) => {
    if (target.kind === "shape") return Object.hasOwn(SHAPE_KINDS, value) && add(SHAPE_KINDS[value]);
    return add(kindsBelow(value, holds));
  });
  return known.every(Boolean) ? [...kinds] : null;
}
