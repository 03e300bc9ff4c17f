import { expect } from "chai";
import { parseRdf } from "../../server/rdf/parse.ts";
import { keyOfTriple } from "../../server/rdf/terms.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const parse = async (document: unknown): Promise<string[]> =>
  (
    await parseRdf(
      new TextEncoder().encode(JSON.stringify(document)),
      "application/ld+json",
      "https://ana.example/doc",
    )
  ).map(keyOfTriple);

const cases: readonly (readonly [string, unknown, readonly string[]])[] = [
  [
    "relative addresses",
    { "@id": "#me", "http://e/p": { "@id": "x" } },
    ["<https://ana.example/doc#me> <http://e/p> <https://ana.example/x>"],
  ],
  [
    "numbers and booleans",
    { "@id": "", "http://e/p": [1, 1.5, true, 1e21] },
    [
      `<https://ana.example/doc> <http://e/p> "1"^^${XSD}integer`,
      `<https://ana.example/doc> <http://e/p> "1.5E0"^^${XSD}double`,
      `<https://ana.example/doc> <http://e/p> "true"^^${XSD}boolean`,
      `<https://ana.example/doc> <http://e/p> "1.0E21"^^${XSD}double`,
    ],
  ],
  [
    "languages",
    { "@id": "", "http://e/p": { "@value": "hoi", "@language": "nl" } },
    ['<https://ana.example/doc> <http://e/p> "hoi"@nl'],
  ],
  [
    "types",
    { "@id": "", "@type": "http://e/T" },
    ["<https://ana.example/doc> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/T>"],
  ],
  [
    "what points the other way",
    { "@id": "", "@reverse": { "http://e/p": { "@id": "http://e/a" } } },
    ["<http://e/a> <http://e/p> <https://ana.example/doc>"],
  ],
  [
    "JSON in a literal, in canonical form",
    { "@id": "", "http://e/p": { "@value": { b: [1], a: "x" }, "@type": "@json" } },
    [
      '<https://ana.example/doc> <http://e/p> "{"a":"x","b":[1]}"^^http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON',
    ],
  ],
  ["properties without meaning are not RDF", { "@id": "", name: "Ana" }, []],
];

describe("JSON-LD", () => {
  for (const [what, document, expected] of cases) {
    it(`reads ${what}`, async () => {
      expect(await parse(document)).to.have.members(expected as string[]);
    });
  }

  it("reads lists, also in lists, and empty ones", async () => {
    const triples = await parse({ "@id": "", "http://e/p": { "@list": [1, { "@list": [] }] } });
    expect(triples.length).to.equal(5);
    expect(triples.filter((triple) => triple.endsWith("#nil>")).length).to.equal(2);
  });

  it("flattens inner graphs: a document is one graph, and nobody else's", async () => {
    const triples = await parse({
      "@id": "http://e/g",
      "@graph": [{ "@id": "_:x", "http://e/p": 1 }],
      "http://e/q": { "@id": "_:x" },
    });
    expect(triples).to.have.members([`_:x <http://e/p> "1"^^${XSD}integer`, "<http://e/g> <http://e/q> _:x"]);
  });

  it("keeps one blank node one, and two two", async () => {
    const triples = await parse([
      { "http://e/p": {} },
      { "http://e/p": {} },
      { "@id": "_:g1", "http://e/p": { "@id": "_:g1" } },
    ]);
    expect(new Set(triples.flatMap((triple) => triple.match(/_:\S+/g) ?? [])).size).to.equal(5);
  });

  for (const [context, expected] of [
    ["https://schema.org/", "http://schema.org/name"],
    ["https://www.w3.org/ns/activitystreams", "https://www.w3.org/ns/activitystreams#name"],
  ] as const) {
    it(`knows ${context} without fetching it`, async () => {
      expect((await parse({ "@context": context, "@id": "", name: "Ana" })).join()).to.include(expected);
    });
  }

  it("knows the contexts of containers, Linked Data Platform and Linked Web Storage", async () => {
    const platform = { "@context": "http://www.w3.org/ns/ldp", "@id": "", inbox: "http://e/in/" };
    expect(await parse(platform)).to.deep.equal([
      "<https://ana.example/doc> <http://www.w3.org/ns/ldp#inbox> <http://e/in/>",
    ]);
    const storage = { "@context": "https://www.w3.org/ns/lws/v1", id: "", type: "Container", size: 3 };
    expect(await parse(storage)).to.deep.equal([
      "<https://ana.example/doc> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/ns/lws#Container>",
      `<https://ana.example/doc> <https://schema.org/size> "3"^^${XSD}long`,
    ]);
  });

  it("knows the contexts of notifications and its own", async () => {
    const contexts = ["https://www.w3.org/ns/solid/notifications-context/v1", "https://w3id.org/freehold/ns"];
    const triples = await parse({ "@context": contexts, id: "", topic: "http://e/t", "foaf:name": "Ana" });
    expect(triples).to.have.members([
      "<https://ana.example/doc> <http://www.w3.org/ns/solid/notifications#topic> <http://e/t>",
      `<https://ana.example/doc> <http://xmlns.com/foaf/0.1/name> "Ana"^^${XSD}string`,
    ]);
  });

  const strangers: readonly (readonly [string, unknown])[] = [
    ["by name", { "@context": "https://evil.example/context", a: 1 }],
    ["among others", { "@context": ["https://schema.org/", "https://evil.example/context"], a: 1 }],
    ["by import", { "@context": { "@version": 1.1, "@import": "https://evil.example/context" }, a: 1 }],
    [
      "in the scope of a term",
      { "@context": { t: { "@id": "http://e/t", "@context": "https://evil.example/context" } }, t: { x: 1 } },
    ],
    ["relative to the document", { "@context": "context.jsonld", a: 1 }],
  ];
  for (const [how, document] of strangers) {
    it(`fetches no context, ${how}, and says which is missing`, async () => {
      const fetched: unknown[] = [];
      const original = globalThis.fetch;
      globalThis.fetch = async (url) => {
        fetched.push(url);
        throw new Error("fetched");
      };
      try {
        const error = await parse(document).then(
          () => null,
          (error: { code: string; detail: string }) => error,
        );
        expect(error?.code).to.equal("context-unknown");
        expect(error?.detail).to.match(/evil\.example\/context|ana\.example\/context\.jsonld/);
      } finally {
        globalThis.fetch = original;
      }
      expect(fetched).to.deep.equal([]);
    });
  }
});
