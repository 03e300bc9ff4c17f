import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../server/errors.ts";
import { parseText } from "../../server/rdf/parse.ts";
import { applyPatch, modesOfPatch, parsePatch } from "../../server/rdf/patch.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { keyOfTriple, type Quad } from "../../server/rdf/terms.ts";
import { graphOf } from "./same-graph.ts";

const HERE = "https://ana.example/people.ttl";
const PREFIXES = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. @prefix ex: <http://e/>.\n";
const turtle = (text: string): Quad[] => parseText(PREFIXES + text, "text/turtle", HERE);
const FAMILY = turtle('<#c> ex:familyName "Garcia"; ex:givenName "Claudia". <#a> ex:familyName "Smith".');

function refusal(act: () => unknown): Problem {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("was accepted");
}
const n3 = (text: string) => parsePatch(PREFIXES + text, "text/n3", HERE);
const sparql = (text: string) =>
  parsePatch(`PREFIX ex: <http://e/>\n${text}`, "application/sparql-update", HERE);

describe("N3 Patch", () => {
  it("does the example of the specification", () => {
    const patch = n3(`_:rename a solid:InsertDeletePatch;
      solid:where   { ?person ex:familyName "Garcia". };
      solid:inserts { ?person ex:givenName "Alex". };
      solid:deletes { ?person ex:givenName "Claudia". }.`);
    expect(modesOfPatch(patch)).to.deep.equal(["read", "append", "write"]);
    expect(graphOf(applyPatch(patch, FAMILY))).to.equal(
      graphOf(turtle('<#c> ex:familyName "Garcia"; ex:givenName "Alex". <#a> ex:familyName "Smith".')),
    );
  });

  const modes: readonly (readonly [string, string, readonly string[]])[] = [
    ["inserts need Append", "solid:inserts { <a> <b> <c> }", ["append"]],
    [
      "conditions need Read",
      "solid:where { <a> <b> <c> }; solid:inserts { <a> <b> <d> }",
      ["read", "append"],
    ],
    ["deletes need Read and Write", "solid:deletes { <a> <b> <c> }", ["read", "write"]],
    [
      "a patch that does nothing needs Append, for it can create",
      "solid:inserts {}; solid:where {}",
      ["append"],
    ],
  ];
  for (const [what, body, expected] of modes) {
    it(what, () => {
      expect(modesOfPatch(n3(`<> a solid:InsertDeletePatch; ${body}.`))).to.deep.equal(expected);
    });
  }

  const invalid: readonly (readonly [string, string])[] = [
    ["no patch", "<a> <b> <c>."],
    ["nothing at all", ""],
    ["no type", "<> solid:inserts { <a> <b> <c> }."],
    ["only the type solid:Patch", "<> a solid:Patch; solid:inserts { <a> <b> <c> }."],
    [
      "two patches",
      "<p> a solid:InsertDeletePatch; solid:inserts { <a> <b> <c> }. <q> a solid:InsertDeletePatch; solid:inserts { <a> <b> <d> }.",
    ],
    ["two inserts", "<> a solid:InsertDeletePatch; solid:inserts { <a> <b> <c> }, { <a> <b> <d> }."],
    ["two deletes", "<> a solid:InsertDeletePatch; solid:deletes { <a> <b> <c> }, { <a> <b> <d> }."],
    ["two conditions", "<> a solid:InsertDeletePatch; solid:where { <a> <b> <c> }, { <a> <b> <d> }."],
    [
      "two empty inserts and one that is not",
      "<> a solid:InsertDeletePatch; solid:inserts {}, { <a> <b> <d> }.",
    ],
    ["inserts that are an IRI", "<> a solid:InsertDeletePatch; solid:inserts <a>."],
    ["inserts that are a blank node", "<> a solid:InsertDeletePatch; solid:inserts []."],
    ["inserts that are a literal", '<> a solid:InsertDeletePatch; solid:inserts "a".'],
    ["inserts that are true", "<> a solid:InsertDeletePatch; solid:inserts true."],
    [
      "conditions that are a list of formulae",
      "<> a solid:InsertDeletePatch; solid:where ({ <a> <b> <c> }).",
    ],
    ["a formula in a formula", "<> a solid:InsertDeletePatch; solid:inserts { <a> <b> { <c> <d> <e> } }."],
    ["an empty formula in a formula", "<> a solid:InsertDeletePatch; solid:inserts { <a> <b> {} }."],
    [
      "a variable that the conditions do not have, inserted",
      "<> a solid:InsertDeletePatch; solid:inserts { ?a <b> <c> }.",
    ],
    [
      "a variable that the conditions do not have, deleted",
      "<> a solid:InsertDeletePatch; solid:where { ?x <b> <c> }; solid:deletes { ?a <b> <c> }.",
    ],
    ["a blank node deleted", "<> a solid:InsertDeletePatch; solid:deletes { <a> <b> _:x }."],
    ["a blank node deleted, without label", "<> a solid:InsertDeletePatch; solid:deletes { <a> <b> [] }."],
    ["a list deleted", "<> a solid:InsertDeletePatch; solid:deletes { <a> <b> (1) }."],
    [
      "a blank node in conditions and inserts",
      "<> a solid:InsertDeletePatch; solid:where { _:x <b> <c> }; solid:inserts { _:x <d> <e> }.",
    ],
    ["a blank node in inserts and outside", "_:x a solid:InsertDeletePatch; solid:inserts { _:x <d> <e> }."],
    ["a blank node in conditions and outside", "_:x a solid:InsertDeletePatch; solid:where { <a> <d> _:x }."],
    ["a literal as a subject", '<> a solid:InsertDeletePatch; solid:inserts { "a" <b> <c> }.'],
    ["a literal as a predicate", '<> a solid:InsertDeletePatch; solid:inserts { <a> "b" <c> }.'],
    ["a blank node as a predicate", "<> a solid:InsertDeletePatch; solid:inserts { <a> _:b <c> }."],
    ["a literal as the patch", '"p" a solid:InsertDeletePatch; solid:inserts { <a> <b> <c> }.'],
    ["no N3", "<> a solid:InsertDeletePatch; solid:inserts { <a> <b> "],
    ["an address that is none", "<> a solid:InsertDeletePatch; solid:inserts { <a> <b> <c\\u0020d> }."],
    ["brackets without end", `<> a solid:InsertDeletePatch; solid:inserts ${"{".repeat(100_000)}`],
  ];
  for (const [what, text] of invalid) {
    it(`refuses ${what} with 422`, () => {
      const { code, status } = refusal(() => n3(text));
      expect([code, status]).to.deep.equal(["patch-invalid", 422]);
    });
  }

  const conflicts: readonly (readonly [string, string])[] = [
    ["conditions that do not fit", 'solid:where { ?p ex:familyName "Nobody" }; solid:inserts { ?p ex:x 1 }'],
    ["conditions that fit twice", "solid:where { ?p ex:familyName ?name }; solid:inserts { ?p ex:x 1 }"],
    ["a deletion of what is not there", 'solid:deletes { <#c> ex:givenName "Alex" }'],
    ["a deletion of which only a part is there", 'solid:deletes { <#c> ex:givenName "Claudia", "Alex" }'],
    [
      "a join that does not hold",
      "solid:where { <#c> ex:familyName ?x. <#a> ex:familyName ?x }; solid:inserts { <a> <b> ?x }",
    ],
    [
      "an insertion that becomes no triple",
      "solid:where { <#c> ex:givenName ?x }; solid:inserts { ?x <b> <c> }",
    ],
  ];
  for (const [what, body] of conflicts) {
    it(`answers ${what} with 409 and changes nothing`, () => {
      const before = FAMILY.map(keyOfTriple);
      const { code, status } = refusal(() =>
        applyPatch(n3(`<> a solid:InsertDeletePatch; ${body}.`), FAMILY),
      );
      expect([code, status]).to.deep.equal(["patch-conflict", 409]);
      expect(FAMILY.map(keyOfTriple)).to.deep.equal(before);
    });
  }

  it("a condition without variables is only a question", () => {
    const patch = n3(
      '<> a solid:InsertDeletePatch; solid:where { <#c> ex:givenName "Claudia" }; solid:inserts { <a> <b> <c> }.',
    );
    expect(applyPatch(patch, FAMILY).length).to.equal(FAMILY.length + 1);
  });

  it("blank nodes in conditions stand for anything, and do not tell solutions apart", () => {
    const patch = n3(
      "<> a solid:InsertDeletePatch; solid:where { _:someone ex:familyName _:name }; solid:inserts { <a> <b> <c> }.",
    );
    expect(applyPatch(patch, FAMILY).length).to.equal(FAMILY.length + 1);
  });

  it("inserted blank nodes are new, whatever the document calls its own", () => {
    const document = turtle("_:b1 ex:p _:x. _:x ex:p 1.");
    const patch = n3("<> a solid:InsertDeletePatch; solid:inserts { _:b1 ex:p _:x. _:x ex:p 1 }.");
    const patched = applyPatch(patch, document);
    expect(patched.length).to.equal(4);
    expect(graphOf(applyPatch(patch, patched))).to.equal(
      graphOf(turtle("_:a ex:p [ ex:p 1 ]. _:b ex:p [ ex:p 1 ]. _:c ex:p [ ex:p 1 ].")),
    );
  });

  it("a document's blank node can be bound, and what is said of it deleted", () => {
    const document = turtle('<#c> ex:address [ ex:city "Bern" ], [ ex:city "Basel" ].');
    const patch = n3(
      '<> a solid:InsertDeletePatch; solid:where { ?a ex:city "Bern" }; solid:deletes { ?a ex:city "Bern" }; solid:inserts { ?a ex:city "Thun" }.',
    );
    expect(graphOf(applyPatch(patch, document))).to.equal(
      graphOf(turtle('<#c> ex:address [ ex:city "Thun" ], [ ex:city "Basel" ].')),
    );
  });

  it("lists and nested blank nodes can be inserted into a document that does not exist", () => {
    const patch = n3("<> a solid:InsertDeletePatch; solid:inserts { <a> ex:list (1 [ ex:p 2 ]) }.");
    expect(graphOf(applyPatch(patch, []))).to.equal(graphOf(turtle("<a> ex:list (1 [ ex:p 2 ]) .")));
  });

  it("what is inserted is there, what is deleted is not, and the rest stays as it was", () => {
    const triple = fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 5 }))
      .map(([s, p, o]) => `<#${s}> ex:p${p} ${o}.`);
    const triples = fc.uniqueArray(triple, { maxLength: 12 });
    fc.assert(
      fc.property(triples, triples, triples, (kept, gone, added) => {
        const deleted = gone.filter((text) => !kept.includes(text));
        const patch = n3(
          `<> a solid:InsertDeletePatch; solid:deletes { ${deleted.join(" ")} }; solid:inserts { ${added.join(" ")} }.`,
        );
        const result = applyPatch(patch, turtle([...kept, ...deleted].join("\n")));
        expect(graphOf(result)).to.equal(graphOf(turtle([...kept, ...added].join("\n"))));
      }),
      { numRuns: 100 },
    );
  });
});

describe("SPARQL Update as a patch", () => {
  it("does what client libraries send: several statements, each on what the one before left", async () => {
    const patch = sparql(`DELETE DATA { <#c> ex:givenName "Claudia" . };
      # and now the new name
      INSERT DATA { <#c> ex:givenName "Alex"@en , 'Al\\'s' ; a ex:Person . [ ex:p 1.5, true ] ex:q -1 }`);
    expect(modesOfPatch(patch)).to.deep.equal(["append", "write"]);
    const result = applyPatch(patch, FAMILY);
    expect(graphOf(result)).to.equal(
      graphOf(
        turtle(
          '<#c> ex:familyName "Garcia"; ex:givenName "Alex"@en, "Al\'s"; a ex:Person. <#a> ex:familyName "Smith". [ ex:p 1.5, true ] ex:q -1 .',
        ),
      ),
    );
    expect((await serializeRdf(result, "text/turtle")).length).to.be.above(0);
  });

  it("DELETE DATA of what is not there changes nothing and tells nothing", () => {
    expect(applyPatch(sparql("DELETE DATA { <#c> ex:givenName 'Nobody' }"), FAMILY).length).to.equal(
      FAMILY.length,
    );
  });

  it("DELETE/INSERT … WHERE works on every solution, and with $ for ?", () => {
    const result = applyPatch(
      sparql(
        "DELETE { $p ex:familyName ?n } INSERT { ?p ex:name ?n . [] ex:of ?p } WHERE { ?p ex:familyName ?n }",
      ),
      FAMILY,
    );
    expect(graphOf(result)).to.equal(
      graphOf(
        turtle(
          '<#c> ex:givenName "Claudia"; ex:name "Garcia". <#a> ex:name "Smith". [] ex:of <#a>. [] ex:of <#c>.',
        ),
      ),
    );
  });

  it("DELETE WHERE deletes what it finds", () => {
    expect(graphOf(applyPatch(sparql("DELETE WHERE { <#c> ?p ?o }"), FAMILY))).to.equal(
      graphOf(turtle('<#a> ex:familyName "Smith".')),
    );
  });

  it("INSERT … WHERE needs Read, for its answer tells", () => {
    expect(modesOfPatch(sparql("INSERT { <a> <b> ?o } WHERE { <#c> ex:givenName ?o }"))).to.deep.equal([
      "read",
      "append",
    ]);
  });

  it("an empty update is a patch that does nothing", () => {
    expect(modesOfPatch(sparql("# nothing"))).to.deep.equal(["append"]);
  });

  it("BASE is kept, and prefixes may come between statements", () => {
    const patch = sparql(
      "BASE <http://other/> INSERT DATA { <a> ex:p 1 }; PREFIX o: <http://o/> INSERT DATA { o:x ex:p 1 };",
    );
    expect(applyPatch(patch, []).map(({ subject }) => subject.value)).to.deep.equal([
      "http://other/a",
      "http://o/x",
    ]);
  });

  const refused: readonly (readonly [string, string, string | undefined])[] = [
    ["graphs", "INSERT DATA { GRAPH <g> { <a> <b> <c> } }", "2:15"],
    ["filters", "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o . FILTER(?o > 1) }", undefined],
    ["optional patterns", "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o . OPTIONAL { ?s ?p ?o } }", "2:40"],
    ["groups", "DELETE { ?s ?p ?o } WHERE { { ?s ?p ?o } }", "2:29"],
    ["paths", "DELETE { ?s <b> ?o } WHERE { ?s <a>/<b> ?o }", "2:36"],
    ["LOAD", "LOAD <http://evil.example/>", "2:1"],
    ["CLEAR", "CLEAR DEFAULT", "2:1"],
    ["WITH", "WITH <g> DELETE { <a> <b> <c> } WHERE {}", "2:1"],
    ["USING", "DELETE { <a> <b> <c> } USING <g> WHERE {}", "2:24"],
    ["queries", "SELECT * { ?s ?p ?o }", undefined],
    ["variables in INSERT DATA", "INSERT DATA { <a> <b> ?c }", undefined],
    ["blank nodes in DELETE DATA", "DELETE DATA { <a> <b> _:c }", undefined],
    ["blank nodes in DELETE WHERE", "DELETE WHERE { <a> <b> _:c }", undefined],
    ["blank nodes in DELETE", "DELETE { <a> <b> [] } WHERE { <a> <b> ?c }", undefined],
    ["half a triple", "INSERT DATA { <a> <b>\n   <c> . <d> }", "3:14"],
    ["an unknown prefix", "INSERT DATA { <a> <b> no:x }", "2:23"],
    ["a missing separator", "INSERT DATA { <a> <b> <c> } INSERT DATA { <a> <b> <d> }", "2:29"],
    ["an open brace", "INSERT DATA { <a> <b> <c>", "2:26"],
    ["N3 that is no SPARQL", "INSERT DATA { <a> => <b> }", "2:19"],
    ["an address that looks like one of our variables", "INSERT DATA { <variable:x> <b> <c> }", "2:15"],
  ];
  for (const [what, text, place] of refused) {
    it(`refuses ${what}, and says where`, () => {
      const { code, errors } = refusal(() => sparql(text));
      expect(code).to.equal("patch-invalid");
      if (place !== undefined) expect(errors.map(({ at }) => at)).to.deep.equal([place]);
    });
  }

  it("refuses other languages", () => {
    expect(refusal(() => parsePatch("", "application/json-patch+json", HERE)).code).to.equal(
      "unsupported-media-type",
    );
  });
});

describe("patches take bounded time", () => {
  const big = turtle(
    Array.from({ length: 5_000 }, (_, at) => `<#${at}> ex:p ${at % 7}; ex:q <#${(at + 1) % 5_000}>.`).join(
      "\n",
    ),
  );
  const hostile: readonly (readonly [string, () => unknown])[] = [
    [
      "a cross product",
      () => applyPatch(sparql("DELETE { ?a ex:p ?d } WHERE { ?a ex:p ?b . ?c ex:p ?d . ?e ex:p ?f }"), big),
    ],
    [
      "a cross product in N3",
      () =>
        applyPatch(
          n3(
            "<> a solid:InsertDeletePatch; solid:where { ?a ex:q ?b. ?b ex:q ?c. ?d ex:p 9 . ?e ex:q ?f }; solid:inserts { <a> <b> <c> }.",
          ),
          big,
        ),
    ],
    [
      "more solutions than a patch has",
      () => applyPatch(sparql("DELETE WHERE { ?s ?p ?o . ?s ?q ?r }"), big),
    ],
    [
      "a thousand questions",
      () =>
        applyPatch(
          sparql(
            Array.from({ length: 1_000 }, () => "INSERT { <a> <b> ?o } WHERE { ?s ex:none ?o }").join(";"),
          ),
          big,
        ),
    ],
    ["a million statements", () => sparql("INSERT DATA {};".repeat(50_000))],
    [
      "thousands of conditions",
      () =>
        applyPatch(
          sparql(
            `DELETE { <a> <b> <c> } WHERE { ${Array.from({ length: 5_000 }, (_, at) => `?s${at} ex:p ?o${at}.`).join(" ")} }`,
          ),
          big,
        ),
    ],
    ["a million braces", () => sparql("{".repeat(1_000_000))],
    ["a million quotes", () => sparql('"'.repeat(999_999))],
  ];
  for (const [what, act] of hostile) {
    it(what, () => {
      const started = performance.now();
      let problem: Problem | null = null;
      try {
        act();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        problem = error;
      }
      expect(performance.now() - started).to.be.below(4_000);
      expect(problem?.code).to.be.oneOf(["patch-invalid", "patch-conflict"]);
    });
  }
});
