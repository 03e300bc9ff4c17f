/** Forms of shapes, and what they change of a document: the parts that need no browser. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { patchOf, turtleOf } from "../../client-lib/elements/changes.ts";
import {
  checkThing,
  fieldsIn,
  newThing,
  openThing,
  placeFault,
  triplesOf,
} from "../../client-lib/elements/filling.ts";
import { createGraph, iri, literal, readGraph, type Term } from "../../client-lib/elements/graph.ts";
import { formLike, formOf, spoken } from "../../client-lib/elements/shape.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { applyPatch, parsePatch } from "../../server/rdf/patch.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { arrange } from "../../server/ui/rooms/data/force.ts";
import { hrefOf, parsePlace } from "../../server/ui/rooms/data/place.ts";

const DOCUMENT = "https://pod.example/ana/a.ttl";
const VCARD = "http://www.w3.org/2006/vcard/ns#";

/** As a browser gets it. */
async function graphOf(turtle: string, url = DOCUMENT) {
  const quads = await parseRdf(new TextEncoder().encode(turtle), "text/turtle", url);
  const text = new TextDecoder().decode(await serializeRdf(quads, "application/ld+json"));
  return { quads, graph: readGraph(JSON.parse(text)) };
}

async function modelOf(name: string, domain: string) {
  const iri = `https://w3id.org/freehold/shapes/${domain}`;
  const file = readFileSync(new URL(`../../shapes/${domain}.ttl`, import.meta.url), "utf8");
  const model = formOf((await graphOf(file, iri)).graph, `${iri}#${name}Shape`, ["en"]);
  if (!model) throw new Error(`no model of ${name}`);
  return model;
}

let made = 0;
const mint = (): string => `${DOCUMENT}#new-${(made += 1)}`;

describe("forms of shapes", () => {
  it("have the shape's groups, order, names and limits, in the reader's language", async () => {
    const model = await modelOf("Contact", "contacts");
    expect([model.name, model.type]).to.deep.equal(["Contact", `${VCARD}Individual`]);
    expect(model.sections.map(({ title }) => title)).to.deep.equal(["Name", "How to reach them", "More"]);
    const [name] = fieldsIn(model);
    expect(name).to.include({
      name: "Full name",
      way: "line",
      valuesMin: 1,
      valuesMax: 1,
      charactersMax: 500,
    });
    const ways = Object.fromEntries(fieldsIn(model).map((field) => [field.name, field.way]));
    expect(ways).to.include({ Phone: "address", Birthday: "date", Note: "line" });
    const german = await modelOf("Observation", "iot");
    expect(fieldsIn(german).find(({ way }) => way === "parts")?.parts?.name).to.equal("Value and unit");
  });

  it("refuse what can be told here, and nothing that only the server knows", async () => {
    const model = await modelOf("Contact", "contacts");
    const thing = newThing("#it", model, mint);
    expect(checkThing(thing)).to.equal(true);
    expect(thing.entries.get(`${VCARD}fn`)?.[0]?.fault).to.equal("Give one name.");
    for (const [property, text, isWrong] of [
      ["fn", "Ana", false],
      ["hasURL", "javascript:alert(1)", true],
      ["hasURL", "ftp://x.example/", true],
      ["hasURL", "https://x.example/", false],
      ["hasTelephone", "by the door", true],
      ["hasTelephone", "+41 21 555 01 42", false],
      ["hasEmail", "ana@example.org", false],
      ["hasTelephone", "tel:+41215550142", false],
      ["note", "Card 4111 1111 1111 1111", false],
    ] as const) {
      const [entry] = thing.entries.get(`${VCARD}${property}`) ?? [];
      if (entry) entry.text = text;
      expect(checkThing(thing), text).to.equal(isWrong);
    }
    const said = triplesOf(thing).map(({ object }) => object.value);
    expect(said).to.include.members(["tel:+41215550142", "mailto:ana@example.org"]);
    expect(placeFault(thing, `#it ${VCARD}note`, "no card numbers")).to.equal(true);
    expect(thing.entries.get(`${VCARD}note`)?.[0]?.fault).to.equal("no card numbers");
    expect(placeFault(thing, `#other ${VCARD}note`, "…")).to.equal(false);
  });

  it("change what was changed and leave the rest, also within things that have no address", async () => {
    const { quads, graph } = await graphOf(`@prefix v: <${VCARD}> .
      <#it> v:fn "Ana"@en ; v:bday "--04-12" ; v:hasAddress [ v:locality "Bern" ; v:code "3000" ], [ v:locality "Genf" ; v:code "1200" ] .`);
    const model = formLike(graph, `${DOCUMENT}#it`, spoken);
    const thing = openThing(graph, `${DOCUMENT}#it`, model, mint);
    const before = triplesOf(thing);
    expect(patchOf(graph, before, triplesOf(thing)), "nothing was changed").to.equal(null);
    const address = thing.entries.get(`${VCARD}hasAddress`)?.[1]?.thing;
    const [town] = address?.entries.get(`${VCARD}locality`) ?? [];
    if (town) town.text = 'Genève "la\\belle"\n';
    const patch = patchOf(graph, before, triplesOf(thing)) ?? "";
    const after = applyPatch(parsePatch(patch, "text/n3", DOCUMENT), quads);
    const texts = [...after].map(({ object }) => object.value).toSorted();
    expect(texts).to.include.members(["Ana", "--04-12", "Bern", "3000", 'Genève "la\\belle"', "1200"]);
    expect(texts).to.not.include("Genf");
    expect([...after]).to.have.length(quads.length);
  });

  const MORE = "<http://xmlns.com/foaf/0.1/Agent> ; a <x:all> . <x:b> <x:c> <x:d";
  for (const [what, object] of [
    ["an address that ends early", iri(`https://eve.example/#me> , ${MORE}`)],
    ["an address with a space", iri("https://eve.example/a b")],
    ["an address that is spelled with backslashes", iri("https://eve.example/\\u003E")],
    ["a language that ends early", literal("hello", undefined, `en . ${MORE}`)],
    ["a datatype that ends early", literal("1", `x:y> , ${MORE}`)],
  ] satisfies readonly (readonly [string, Term])[])
    it(`say nothing by ${what}`, () => {
      const triples = [{ subject: "#it", predicate: `${VCARD}related`, object }];
      expect(() => turtleOf(triples)).to.throw("cannot be written");
      expect(() => patchOf(createGraph([]), [], triples)).to.throw("cannot be written");
    });

  for (const [address, words] of [
    ["http://www.w3.org/2006/vcard/ns#hasTelephone", "Telephone"],
    ["http://www.w3.org/2006/vcard/ns#given-name", "Given name"],
    ["https://schema.org/OrderDelivered", "Order delivered"],
    ["https://example.org/words#VATNumber", "VAT number"],
    ["http://www.w3.org/2006/vcard/ns#hasURL", "Web page"],
    ["https://example.org/%E0%A4%A", "%e0%a4%a"],
    ["urn:x", "X"],
  ] as const)
    it(`say ${words} for ${address}`, () => expect(spoken(address)).to.equal(words));
});

describe("a map of links", () => {
  it("is the same every time, within its frame, with nobody on top of another", () => {
    const ids = Array.from({ length: 30 }, (_, place) => `n${place}`);
    const links = ids.slice(1).map((to, place) => ({ from: ids[Math.floor(place / 3)] ?? "", to }));
    const frame = { width: 400, height: 500 };
    const spots = arrange(ids, links, frame);
    expect(arrange(ids, links, frame)).to.deep.equal(spots);
    for (const { x, y } of spots) {
      expect(x).to.be.within(0, frame.width);
      expect(y).to.be.within(0, frame.height);
    }
    const distances = spots.flatMap((a, place) =>
      spots.slice(place + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y)),
    );
    expect(Math.min(...distances)).to.be.above(8);
    expect(arrange(["alone"], [], frame)).to.deep.equal([{ id: "alone", x: 200, y: 250 }]);
  });
});

describe("places in the Data room", () => {
  it("come back from an address as they went in", () => {
    const href = hrefOf("a%20b/c.ttl", "table", { thing: "https://pod.example/x#it", sort: "" });
    const place = parsePlace(href.slice("#/data/".length));
    expect([place.path, place.view, place.isFolder]).to.deep.equal(["a%20b/c.ttl", "table", false]);
    expect([...place.words]).to.deep.equal([
      ["view", "table"],
      ["thing", "https://pod.example/x#it"],
    ]);
    expect(parsePlace("").isFolder).to.equal(true);
    expect(parsePlace("photos/?view=nonsense").view).to.equal("files");
  });
});
