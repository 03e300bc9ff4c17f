import { expect } from "chai";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const TERMS = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. @prefix ex: <https://example.org/>.\n";
const PATCH = "_:p a solid:InsertDeletePatch";
const BEFORE = '<#it> <https://example.org/name> "Milk"; <https://example.org/of> <#shop>.';
const INSERTS = "solid:inserts { <#it> ex:price 1. }";

/** What a patch may not be: the clause, what is wrong, and the document. */
const INVALID: readonly (readonly [clause: string, what: string, patch: string])[] = [
  ["server-patch-n3-patches", "no patch resource", "<#it> a <https://example.org/Thing>."],
  ["server-patch-n3-patches", "an empty document", ""],
  [
    "server-patch-n3-patch-identifier",
    "a literal for the patch",
    `"p" a solid:InsertDeletePatch; ${INSERTS}.`,
  ],
  [
    "server-patch-n3-deletes",
    "two deletes",
    `${PATCH}; solid:deletes { <#it> ex:name "Milk". }, { <#it> ex:of <#shop>. }.`,
  ],
  ["server-patch-n3-inserts", "two inserts", `${PATCH}; ${INSERTS}; solid:inserts { <#it> ex:price 2. }.`],
  [
    "server-patch-n3-where",
    "two conditions",
    `${PATCH}; ${INSERTS}; solid:where { ?a ex:name "Milk". }, { ?a ex:of ?b. }.`,
  ],
  [
    "server-patch-n3-formulae",
    "a formula inside a formula",
    `${PATCH}; solid:inserts { <#it> ex:says { <#it> ex:price 1. }. }.`,
  ],
  ["server-patch-n3-formulae", "an address instead of a formula", `${PATCH}; solid:inserts <#it>.`],
  [
    "server-patch-n3-single",
    "two patch resources",
    `${PATCH}; ${INSERTS}. _:q a solid:InsertDeletePatch; ${INSERTS}.`,
  ],
  ["server-patch-n3-simple-type", "no type", `_:p ${INSERTS}.`],
  ["server-patch-n3-simple-type", "only the general type", `_:p a solid:Patch; ${INSERTS}.`],
  [
    "server-patch-n3-variables",
    "a variable inserted that no condition has",
    `${PATCH}; solid:inserts { <#it> ex:price ?price. }.`,
  ],
  [
    "server-patch-n3-variables",
    "a variable deleted that no condition has",
    `${PATCH}; solid:where { <#it> ex:of ?b. }; solid:deletes { <#it> ex:name ?name. }.`,
  ],
  [
    "server-patch-n3-blank-nodes",
    "a blank node deleted",
    `${PATCH}; solid:deletes { <#it> ex:name _:any. }.`,
  ],
  [
    "server-patch-n3-blank-nodes-syntax",
    "one blank node in conditions and inserts",
    `${PATCH}; solid:where { <#it> ex:of _:b. }; solid:inserts { _:b ex:price 1. }.`,
  ],
  [
    "server-patch-n3-blank-nodes-syntax",
    "one blank node in inserts and outside",
    `_:p a solid:InsertDeletePatch; solid:inserts { _:p ex:price 1. }.`,
  ],
];

/** Long lines, for each is one patch. Names are the anchors of the clauses. */
describe("N3 Patch of the Solid Protocol", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = () => `${ana.pod}patched/it.ttl`;
  const patch = (body: string, { fetch }: Pick<Person, "fetch"> = ana, target = url()) =>
    fetch(target, { method: "PATCH", headers: { "content-type": "text/n3" }, body: TERMS + body });
  /** As sorted N-Triples, with blank nodes nameless and the document's address left out. */
  const statements = async (): Promise<readonly string[]> => {
    const text = await (await ana.fetch(url(), { headers: { accept: "application/n-triples" } })).text();
    return text
      .replaceAll(url(), "")
      .replaceAll("https://example.org/", "")
      .replaceAll(/_:\w+/g, "_:")
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  };
  const UNCHANGED = ['<#it> <name> "Milk" .', "<#it> <of> <#shop> ."];

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
  });
  after(() => server.close());
  beforeEach(() => write(ana, url(), BEFORE));

  for (const [clause, what, body] of INVALID)
    it(`${clause}, server-patch-n3-invalid: ${what} is refused with 422, and nothing changes`, async () => {
      const response = await patch(body);
      expect(response.status).to.equal(422);
      expect(((await response.json()) as { type: string }).type).to.match(/#patch-invalid$/);
      expect(await statements()).to.deep.equal(UNCHANGED);
    });

  it("server-patch-n3-accept, server-patch-n3-patch-identifier: a document of RDF takes it, under an address or a blank node", async () => {
    for (const name of ["_:p", "<>", "<#patch>", "<https://example.org/patch>"]) {
      await write(ana, url(), BEFORE);
      expect((await patch(`${name} a solid:InsertDeletePatch; ${INSERTS}.`)).status, name).to.equal(204);
      expect(await statements()).to.deep.equal([
        ...UNCHANGED,
        '<#it> <price> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .',
      ]);
    }
    for (const [type, body] of [
      ["application/ld+json", '{ "@id": "#it", "https://example.org/name": "Milk" }'],
      ["application/n-triples", `<${ana.pod}patched/other#it> <https://example.org/name> "Milk" .`],
    ] as const) {
      const other = `${ana.pod}patched/other`;
      await write(ana, other, body, type);
      expect((await patch(`${PATCH}; ${INSERTS}.`, ana, other)).status, type).to.equal(204);
      await ana.fetch(other, { method: "DELETE" });
    }
  });

  it("server-patch-n3-advertise: Accept-Patch names it, on what takes patches and on what refuses one", async () => {
    for (const response of [
      await ana.fetch(url()),
      await ana.fetch(url(), { method: "HEAD" }),
      await ana.fetch(url(), { method: "OPTIONS" }),
      await ana.fetch(ana.pod),
      await ana.fetch(url(), {
        method: "PATCH",
        headers: { "content-type": "application/json-patch+json" },
        body: "[]",
      }),
    ])
      expect((response.headers.get("accept-patch") ?? "").split(/,\s*/), String(response.status)).to.include(
        "text/n3",
      );
  });

  describe("server-n3-patch-where, server-n3-patch-insert, server-n3-patch-delete: what each part needs", () => {
    const WHERE = 'solid:where { ?it ex:name "Milk". }';
    const DELETES = 'solid:deletes { <#it> ex:name "Milk". }';
    const cases = [
      [
        "inserts",
        INSERTS,
        { Append: 204, Read: 403, Write: 204, "Read and Append": 204, "Read and Write": 204 },
      ],
      [
        "conditions and inserts",
        `${WHERE}; ${INSERTS}`,
        { Append: 403, Read: 403, Write: 403, "Read and Append": 204, "Read and Write": 204 },
      ],
      [
        "deletes",
        DELETES,
        { Append: 403, Read: 403, Write: 403, "Read and Append": 403, "Read and Write": 204 },
      ],
      [
        "all three",
        `${WHERE}; ${DELETES}; ${INSERTS}`,
        { Append: 403, Read: 403, Write: 403, "Read and Append": 403, "Read and Write": 204 },
      ],
    ] as const;
    for (const [what, parts, expected] of cases)
      it(what, async () => {
        for (const [modes, status] of Object.entries(expected)) {
          await write(ana, url(), BEFORE);
          const granted = modes.split(" and ") as ("Read" | "Append" | "Write")[];
          await setAccess(ana, url(), [{ to: ben.webid, modes: granted }]);
          expect((await patch(`${PATCH}; ${parts}.`, ben)).status, modes).to.equal(status);
          if (status === 403) expect(await statements()).to.deep.equal(UNCHANGED);
        }
      });
  });

  it("server-patch-n3-semantics: the one mapping of the conditions goes into deletes and inserts, and the rest stays", async () => {
    const response = await patch(
      `${PATCH}; solid:where { ?it ex:name ?name. ?it ex:of <#shop>. };
       solid:deletes { ?it ex:name ?name. }; solid:inserts { ?it ex:called ?name. ?it ex:price [ ex:sum 1 ], [ ex:sum 2 ]. }.`,
    );
    expect(response.status).to.equal(204);
    expect(await statements()).to.deep.equal(
      [
        '<#it> <called> "Milk" .',
        "<#it> <of> <#shop> .",
        "<#it> <price> _: .",
        "<#it> <price> _: .",
        '_: <sum> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .',
        '_: <sum> "2"^^<http://www.w3.org/2001/XMLSchema#integer> .',
      ].sort(),
    );
  });

  it("server-patch-n3-semantics: what is not there yet begins empty", async () => {
    const target = `${ana.pod}patched/new.ttl`;
    expect((await patch(`${PATCH}; ${INSERTS}.`, ana, target)).status).to.equal(201);
    expect(await (await ana.fetch(target)).text()).to.include("price");
  });

  it("server-patch-n3-semantics: a blank node inserted is a new one each time", async () => {
    for (const sum of [1, 1])
      expect(
        (await patch(`${PATCH}; solid:inserts { <#it> ex:price _:b. _:b ex:sum ${sum}. }.`)).status,
      ).to.equal(204);
    expect((await statements()).filter((line) => line.startsWith("_:"))).to.have.length(2);
  });

  for (const [clause, what, body] of [
    [
      "server-patch-n3-semantics-no-mapping",
      "conditions that nothing fits",
      `solid:where { ?it ex:name "Bread". }; ${INSERTS}`,
    ],
    [
      "server-patch-n3-semantics-no-mapping",
      "conditions that fit twice",
      `solid:where { <#it> ?anything ?b. }; ${INSERTS}`,
    ],
    [
      "server-patch-n3-semantics-deletions-non-empty-all-triples",
      "a deletion of what is not there",
      `solid:deletes { <#it> ex:name "Bread". }; ${INSERTS}`,
    ],
    [
      "server-patch-n3-semantics-deletions-non-empty-all-triples",
      "a deletion of which one statement is there",
      `solid:deletes { <#it> ex:name "Milk", "Bread". }; ${INSERTS}`,
    ],
    [
      "server-patch-n3-semantics-deletions-non-empty-all-triples",
      "a deletion in a document that is not there",
      'solid:deletes { <#it> ex:name "Milk". }',
    ],
  ] as const)
    it(`${clause}: ${what} is a conflict, 409, and nothing changes`, async () => {
      const isAbsent = what.endsWith("document that is not there");
      const target = isAbsent ? `${ana.pod}patched/absent.ttl` : url();
      expect((await patch(`${PATCH}; ${body}.`, ana, target)).status).to.equal(409);
      if (isAbsent) expect((await ana.fetch(target)).status).to.equal(404);
      else expect(await statements()).to.deep.equal(UNCHANGED);
    });
});
