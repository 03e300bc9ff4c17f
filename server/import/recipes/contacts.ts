/** Address books in vCard 2.1, 3.0 and 4.0: one document for each person. Photos and keys are left out. */
import { shapeNamed } from "@freehold/shapes";
import { schema, vcard } from "@freehold/vocab";
import type { Quad } from "../../rdf/terms.ts";
import {
  countryCode,
  dayOf,
  email,
  oneLine,
  plain,
  redact,
  stableHash,
  telephone,
  webAddress,
} from "../clean.ts";
import { date, describe, monthDay, ref, text } from "../frame.ts";
import { type Context, type Reading, remark, type Source, skipped } from "../reading.ts";
import { type Card, type CardProperty, readCards } from "../vcard.ts";

const SHAPE = shapeNamed("Contact").iri;

const NAME_MAX = 200;

/** A type of number as vCard in RDF calls it; a number that is nothing special is a voice number. */
function phoneTypes(types: readonly string[]): readonly string[] {
  const kinds = [
    types.includes("cell")
      ? vcard.Cell
      : types.includes("fax")
        ? vcard.Fax
        : types.includes("pager")
          ? vcard.Pager
          : vcard.Voice,
  ];
  return [...kinds, ...placeTypes(types)];
}

const placeTypes = (types: readonly string[]): readonly string[] => [
  ...(types.includes("home") ? [vcard.Home] : []),
  ...(types.includes("work") ? [vcard.Work] : []),
];

/** `19880412`, `1988-04-12`, `--0412`, `--04-12`; a time of day is left aside. */
function birthday(written: string): ReturnType<typeof date> {
  const yearless = /^--(\d{2})-?(\d{2})/.exec(written);
  if (yearless)
    return dayOf(`2000-${yearless[1]}-${yearless[2]}`) ? monthDay(`--${yearless[1]}-${yearless[2]}`) : null;
  return date(dayOf(written.replace(/^(\d{4})(\d{2})(\d{2})/, "$1-$2-$3")));
}

/** Nodes of one kind, each with its own address in the document: `#phone-1`, `#phone-2`. */
function points(
  properties: readonly CardProperty[],
  iriOf: (place: number) => string,
  valueOf: (property: CardProperty) => string | null,
  typesOf: (types: readonly string[]) => readonly string[],
): { readonly iris: readonly string[]; readonly quads: readonly Quad[]; readonly lost: number } {
  const met = new Set<string>();
  const quads: Quad[] = [];
  const iris: string[] = [];
  let lost = 0;
  for (const property of properties) {
    const value = valueOf(property);
    if (value === null) lost += 1;
    else if (!met.has(value)) {
      met.add(value);
      const iri = iriOf(iris.length + 1);
      iris.push(iri);
      quads.push(...describe(iri, typesOf(property.types), { [vcard.value]: ref(value) }));
    }
  }
  return { iris, quads, lost };
}

function addressQuads(iri: string, { parts, types }: CardProperty): readonly Quad[] {
  const [box, extended, street, locality, region, code, country] = parts.map((part) =>
    oneLine(part, NAME_MAX),
  );
  const lines = [street, extended, box].filter((line) => line).join(", ");
  const quads = describe(iri, [], {
    [vcard["street-address"]]: text(lines),
    [vcard.locality]: text(locality),
    [vcard.region]: text(region),
    [vcard["postal-code"]]: text(code),
    [vcard["country-name"]]: text(country),
    [schema.addressCountry]: text(country ? countryCode(country) : null),
  });
  return quads.length === 0 ? [] : [...describe(iri, [vcard.Address, ...placeTypes(types)], {}), ...quads];
}

const groupKind = /^group$/i;

function* toReadings(card: Card, context: Context, seen: Set<string>): Generator<Reading> {
  const all = (name: string): readonly CardProperty[] =>
    card.properties.filter((property) => property.name === name);
  const first = (name: string, lettersMax = NAME_MAX): string | null =>
    oneLine(all(name)[0]?.parts.join(" "), lettersMax);
  if (groupKind.test(first("kind") ?? first("x-addressbookserver-kind") ?? "")) {
    yield skipped(card.line, "the card is a list of people, not a person");
    return;
  }
  const [familyName, givenName] = (all("n")[0]?.parts ?? []).map((part) => redact(oneLine(part, NAME_MAX)));
  const organization = redact(oneLine(all("org")[0]?.parts.filter(Boolean).join(", "), NAME_MAX));
  const name =
    redact(first("fn", 400)) ??
    redact(oneLine([givenName, familyName].filter(Boolean).join(" "), 400)) ??
    organization ??
    first("email");
  if (!name) {
    yield skipped(card.line, "the card has no name");
    return;
  }
  const uid = first("uid");
  const content = ["fn", "tel", "email", "adr"].map((property) =>
    JSON.stringify(all(property).map(({ parts }) => parts)),
  );
  const id = stableHash(context.secret, uid ? ["contact", uid] : ["contact", ...content], 20);
  if (seen.has(id)) {
    yield { kind: "duplicate" };
    return;
  }
  seen.add(id);

  const path = `contacts/${id}.ttl`;
  const url = context.urlOf(path);
  const written = (property: CardProperty): string => property.parts.join(" ");
  const phones = points(
    all("tel"),
    (place) => `${url}#phone-${place}`,
    (property) => telephone(written(property)),
    phoneTypes,
  );
  const emails = points(
    all("email"),
    (place) => `${url}#email-${place}`,
    (property) => email(written(property)),
    (types) => [vcard.Email, ...placeTypes(types)],
  );
  const addresses = all("adr")
    .map((property, index) => ({
      iri: `${url}#address-${index + 1}`,
      quads: addressQuads(`${url}#address-${index + 1}`, property),
    }))
    .filter(({ quads }) => quads.length > 0);
  const pages = all("url").map((property) => webAddress(written(property)));
  const birth = all("bday")[0];
  const bday = birth ? birthday(written(birth)) : null;
  const quads = [
    ...describe(`${url}#it`, [vcard.Individual], {
      [vcard.fn]: text(name),
      [vcard["given-name"]]: text(givenName),
      [vcard["family-name"]]: text(familyName),
      [vcard.nickname]: all("nickname").flatMap(({ parts }) =>
        parts.map((part) => text(redact(oneLine(part, NAME_MAX)))),
      ),
      [vcard.bday]: bday,
      [vcard.hasTelephone]: phones.iris.map(ref),
      [vcard.hasEmail]: emails.iris.map(ref),
      [vcard.hasAddress]: addresses.map(({ iri }) => ref(iri)),
      [vcard.hasURL]: pages.map(ref),
      [vcard["organization-name"]]: text(organization),
      [vcard.title]: text(redact(first("title"))),
      [vcard.category]: all("categories").flatMap(({ parts }) =>
        parts.map((part) => text(redact(oneLine(part, NAME_MAX)))),
      ),
      [vcard.note]: text(redact(plain(all("note").map(written).join("\n"))?.slice(0, 5_000) ?? null)),
    }),
    ...phones.quads,
    ...emails.quads,
    ...addresses.flatMap(({ quads }) => quads),
  ];
  const lost =
    phones.lost + emails.lost + pages.filter((page) => page === null).length + (birth && !bday ? 1 : 0);
  const remarks = [
    ...card.remarks,
    ...(lost > 0 ? [`${lost} of its numbers, addresses or dates cannot be used and were left out`] : []),
  ];
  for (const detail of remarks) yield remark(card.line, detail);
  yield { kind: "document", path, shape: SHAPE, records: [{ subject: `${url}#it`, quads, weight: 1 }] };
}

export async function* readContacts(source: Source, context: Context): AsyncGenerator<Reading> {
  const seen = new Set<string>();
  for await (const card of readCards(source, context.limits)) {
    if (card.kind === "bad") yield skipped(card.line, card.detail);
    else yield* toReadings(card, context, seen);
  }
}
