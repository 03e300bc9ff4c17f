import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { Parser } from "n3";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { faultOfIri } from "../../server/rdf/bounded.ts";
import { parseText } from "../../server/rdf/parse.ts";
import { createResolver } from "../../server/rdf/resolve.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { lines, type Mutation, mutate, mutation, turtle } from "./documents.ts";
import { graphOf } from "./same-graph.ts";
import { skipWithoutVectors, vectors } from "./vectors.ts";

const HERE = "http://here.example/dir/doc?x=1#f";
const FORMATS = {
  "text/turtle": "Turtle",
  "application/n-triples": "N-Triples",
  "application/n-quads": "N-Quads",
} as const;
type Type = keyof typeof FORMATS;

/** @returns the graph a text says, or null where it is refused. */
function ours(text: string, type: Type): string | null {
  try {
    return graphOf(parseText(text, type, HERE));
  } catch (error) {
    if (error instanceof Problem && error.code === "rdf-invalid") return null;
    throw error;
  }
}

const isOfRdf11 = ({ subject, predicate, object, graph }: Quad): boolean =>
  [subject, predicate, object, graph].every((term) => {
    const { termType, value } = term as { termType: string; value: string };
    if (termType === "NamedNode") return faultOfIri(value, LIMITS.iriBytesMax) === null;
    if (term.termType !== "Literal") return termType !== "Quad";
    return !term.direction && faultOfIri(term.datatype.value, LIMITS.iriBytesMax) === null;
  });

/** What n3 says of it, less RDF 1.2 and IRIs that are none. */
function theirs(text: string, type: Type): string | null {
  try {
    const quads = new Parser({ format: FORMATS[type], baseIRI: HERE, blankNodePrefix: "_:" }).parse(text);
    return (quads as unknown as Quad[]).every(isOfRdf11) ? graphOf(quads as unknown as Quad[]) : null;
  } catch {
    return null;
  }
}

/** Where n3 and the grammar differ: each with the smallest example, what we say of it, and which texts it may concern. */
const DISAGREEMENTS: readonly {
  readonly reason: string;
  readonly takenBy: "us" | "n3";
  readonly example: string;
  readonly type?: Type;
  readonly concerns: RegExp;
}[] = [
  {
    reason: "`^^` stands behind a string only (RDFLiteral [128s]); n3 passes over it before any IRI",
    takenBy: "n3",
    example: "<a> ^^<b> <c> .",
    concerns: /\^\^/,
  },
  {
    reason: "dots may follow each other in a prefix or label (PN_PREFIX [167s], BLANK_NODE_LABEL [141s])",
    takenBy: "us",
    example: "@prefix a..b: <x> . _:c..d a..b:e 1 .",
    concerns: /\.\./,
  },
  {
    reason: "a colon in the query or fragment makes no scheme (RFC 3986 section 4.2: path-noscheme)",
    takenBy: "us",
    example: "<a?b:c> <d#e:f> <g> .",
    concerns: /<[^<>:]*[?#/][^<>]*:/,
  },
  {
    reason: "no white space is needed where two tokens cannot be taken for one (section 6.1)",
    takenBy: "us",
    example: "@prefix a: <x> . <s> a:p (1a:b 1-1 1.5.5) .",
    concerns: /[0-9]/,
  },
  {
    reason:
      "no white space is needed behind a dot either: a local name cannot begin with one (PN_LOCAL [168s])",
    takenBy: "us",
    example: "@prefix a: <x> . <s> a:p a:.a:q a:r a:s .",
    concerns: /:\./,
  },
  {
    reason: "a token is as long as it can be: `true.x:` is a prefix, as `a.x:` is (PN_PREFIX [167s])",
    takenBy: "us",
    example: "@prefix true.x: <x> . <s> <p> true.x:y .",
    concerns: /\b(?:true|false)\./,
  },
  {
    reason:
      "`@prefix` ends where its letters do, as a language tag would (LANGTAG [144s]); n3 wants white space or a colon",
    takenBy: "us",
    example: "@prefixé:<x:> . <a> <b> é:c .",
    concerns: /@(?:prefix|base)[^\sa-zA-Z:<]/,
  },
  {
    reason: "U+1680 and U+FEFF are letters (PN_CHARS_BASE [163s]), not the white space behind a keyword",
    takenBy: "n3",
    example: "PREFIX\ufeffe: <x:>",
    concerns: /[\u1680\ufeff]/,
  },
  {
    reason: "U+1680 and U+FEFF are letters, so a name may go on with them where n3 sees a keyword end",
    takenBy: "us",
    example: "prefix a\u1680: <x:> <s> a\u1680:b <c> .",
    concerns: /[\u1680\ufeff]/,
  },
  {
    reason: "a byte order mark is left out with the bytes; in the text it is a letter (PN_CHARS_BASE [163s])",
    takenBy: "n3",
    example: "\ufeff<a> <b> <c> .",
    concerns: /^\ufeff/,
  },
  {
    reason:
      "a statement does not end within a bracket, behind a semicolon neither (blankNodePropertyList [14])",
    takenBy: "n3",
    example: "<a> <b> [ <c> <d> ; .",
    concerns: /\[[^]*;\s*(?:#[^\n\r]*\s*)*\./,
  },
  {
    reason: "Turtle 1.1 has no versions",
    takenBy: "n3",
    example: 'VERSION "1.1" <a> <b> <c> .',
    concerns: /version/i,
  },
  {
    reason: "a base without an authority has a path all the same (RFC 3986 section 5.2.3)",
    takenBy: "us",
    example: "@base <urn:x:y> . <z> <p> <q> .",
    concerns: /base\s*<(?![a-z][a-z0-9+.-]*:\/\/[^/])/i,
  },
  {
    reason: "a statement of N-Triples is one line (ntriplesDoc [1])",
    takenBy: "n3",
    example: "<x:a> <x:b>\n<x:c> .",
    type: "application/n-triples",
    concerns: /[\n\r]/,
  },
  {
    reason: "a line of N-Triples is one statement (ntriplesDoc [1])",
    takenBy: "n3",
    example: "<x:a> <x:b> <x:c> . <x:a> <x:b> <x:d> .",
    type: "application/n-triples",
    concerns: /\.[^\n\r]*\./,
  },
];

function expectAgreement(text: string, type: Type): void {
  const [us, them] = [ours(text, type), theirs(text, type)];
  if (us === them) return;
  const excused = DISAGREEMENTS.some(
    (row) =>
      (row.type === undefined || type !== "text/turtle") &&
      row.concerns.test(text) &&
      (row.takenBy === "us" ? us !== null : us === null),
  );
  if (!excused) expect({ text, graph: us }).to.deep.equal({ text, graph: them });
}

/** The W3C's documents of a suite, but those too long to compare thousands of times. */
function documentsOf(suite: string, ending: string): string[] {
  const folder = vectors(suite);
  if (!folder) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(ending) && name !== "manifest.ttl");
  const texts = names.map((name) => readFileSync(join(folder, name), "utf8"));
  return texts.filter((text) => text.length < 3_000);
}

describe("the scanner and n3 say the same", () => {
  it("of every document the grammar makes, and takes it", () => {
    fc.assert(
      fc.property(turtle, (text) => {
        expect(ours(text, "text/turtle")).to.not.equal(null);
        expectAgreement(text, "text/turtle");
      }),
      { numRuns: 500 },
    );
  });

  it("of N-Quads and N-Triples", () => {
    fc.assert(
      fc.property(lines, (text) => {
        expect(ours(text, "application/n-quads")).to.not.equal(null);
        expectAgreement(text, "application/n-quads");
        expectAgreement(text, "application/n-triples");
      }),
      { numRuns: 500 },
    );
  });

  it("of documents somebody broke", () => {
    fc.assert(
      fc.property(turtle, mutation, (text, how) => expectAgreement(mutate(text, how), "text/turtle")),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(lines, mutation, (text, how) => expectAgreement(mutate(text, how), "application/n-quads")),
      { numRuns: 500 },
    );
  });

  for (const [suite, ending, type] of [
    ["rdf-turtle", ".ttl", "text/turtle"],
    ["rdf-n-triples", ".nt", "application/n-triples"],
    ["rdf-n-quads", ".nq", "application/n-quads"],
  ] as const) {
    it(`of the W3C's documents, broken: ${suite}`, function () {
      skipWithoutVectors(this, suite);
      const texts = documentsOf(suite, ending);
      const broken = (which: number, how: Mutation): string => mutate(texts[which % texts.length]!, how);
      fc.assert(
        fc.property(fc.nat(), mutation, (which, how) => expectAgreement(broken(which, how), type)),
        { numRuns: 1_000 },
      );
    });
  }

  for (const { reason, takenBy, example, type = "text/turtle", concerns } of DISAGREEMENTS) {
    it(`but not: ${reason}`, () => {
      expect(concerns.test(example)).to.equal(true);
      expect(ours(example, type)).to.not.equal(theirs(example, type));
      expect(ours(example, type) !== null).to.equal(takenBy === "us");
    });
  }
});

describe("a keyword with an at sign ends where its letters do", () => {
  it("so a prefix may follow at once, if it does not go on as a language tag would", () => {
    expect(ours("@prefixé:<x:>.é:a<b>é:c.", "text/turtle")).to.equal(
      "<x:a> <http://here.example/dir/b> <x:c> ",
    );
    expect(ours("@prefixe:<x:>.", "text/turtle")).to.equal(null);
    expect(ours("@prefix-e:<x:>.", "text/turtle")).to.equal(null);
  });
});

describe("the place of a mistake", () => {
  // biome-ignore format: a table
  const places: readonly (readonly [string, string, string])[] = [
    ["an escape in the middle of a string", '<a> <b>\r\n "x\\q" .', "2:4"],
    ["an escape in the middle of an address", "<a> <b>\n<c\\u00zz> .", "2:3"],
    ["half a character, escaped", '<a> <b> "😀\\uD800" .', "1:12"],
    ["a bracket that nobody opened", "<a> <b> [ <c> 1 ] ] .", "1:19"],
    ["a list that nobody closed", "<a> <b> ( 1\n2\n. ", "3:1"],
    ["the end", "<a> <b>\n", "2:1"],
    ["a subject that is a literal", '"a" <b> <c> .', "1:1"],
    ["a language tag too long", '<a> <b> "x"@abcdefghi .', "1:12"],
    ["a language as a datatype", '<a> <b> "x"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .', "1:14"],
    ["a reference that is none", "<a> <1:b> <c> .", "1:5"],
  ];
  for (const [what, text, place] of places) {
    it(what, () => {
      expect(() => parseText(text, "text/turtle", HERE))
        .to.throw(Problem)
        .with.nested.property("errors[0].at", place);
    });
  }
});

describe("relative references", () => {
  const resolve = createResolver("http://a/b/c/d;p?q");
  // https://www.rfc-editor.org/rfc/rfc3986#section-5.4
  // biome-ignore format: a table
  const examples: Readonly<Record<string, string>> = {
    "g:h": "g:h", g: "http://a/b/c/g", "./g": "http://a/b/c/g", "g/": "http://a/b/c/g/", "/g": "http://a/g", "//g": "http://g",
    "?y": "http://a/b/c/d;p?y", "g?y": "http://a/b/c/g?y", "#s": "http://a/b/c/d;p?q#s", "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s", ";x": "http://a/b/c/;x", "g;x": "http://a/b/c/g;x", "g;x?y#s": "http://a/b/c/g;x?y#s",
    "": "http://a/b/c/d;p?q", ".": "http://a/b/c/", "./": "http://a/b/c/", "..": "http://a/b/", "../": "http://a/b/",
    "../g": "http://a/b/g", "../..": "http://a/", "../../": "http://a/", "../../g": "http://a/g", "../../../g": "http://a/g",
    "../../../../g": "http://a/g", "/./g": "http://a/g", "/../g": "http://a/g", "g.": "http://a/b/c/g.", ".g": "http://a/b/c/.g",
    "g..": "http://a/b/c/g..", "..g": "http://a/b/c/..g", "./../g": "http://a/b/g", "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h", "g/../h": "http://a/b/c/h", "g;x=1/./y": "http://a/b/c/g;x=1/y", "g;x=1/../y": "http://a/b/c/y",
    "g?y/./x": "http://a/b/c/g?y/./x", "g?y/../x": "http://a/b/c/g?y/../x", "g#s/./x": "http://a/b/c/g#s/./x",
    "g#s/../x": "http://a/b/c/g#s/../x", "http:g": "http:g",
  };
  for (const [reference, iri] of Object.entries(examples)) {
    it(`<${reference}>`, () => expect(resolve(reference)).to.equal(iri));
  }

  it("agree with how the web resolves plain paths", () => {
    const segment = fc.constantFrom("a", "..", ".", "b.c", "", "...", ".d");
    const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join("/"));
    fc.assert(
      fc.property(path, path, (base, reference) => {
        fc.pre(!reference.startsWith("//")); // That is an authority.
        const root = new URL(`http://e/${base}`).href; // The web takes the dots out of a base first.
        expect(createResolver(root)(reference)).to.equal(new URL(reference, root).href);
      }),
    );
  });
});

describe("twice the document takes about twice the time", () => {
  const limits = { ...LIMITS, rdfQuadsMax: 10_000_000, literalBytesMax: 1e9, iriBytesMax: 1e9 };
  const time = (text: string, type: Type): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 7; round++) {
      const { user, system } = process.cpuUsage();
      try {
        parseText(text, type, HERE, limits);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
      const after = process.cpuUsage();
      best = Math.min(best, after.user + after.system - user - system);
    }
    return best;
  };
  const shapes: readonly (readonly [string, (count: number) => string, Type?])[] = [
    ["escapes", (count) => `<a> <b> "${"\\n\\u0041".repeat(count)}" .`],
    ["quotes in a long string", (count) => `<a> <b> """${'""\\"'.repeat(count)}""" .`],
    ["long strings left open", (count) => `<a> <b> ${"'''a' ".repeat(count)}`],
    ["dots in a name", (count) => `<a> <b> _:a${".".repeat(count * 4)} .`],
    ["dots in a prefix", (count) => "a.".repeat(count * 2)],
    ["one word after another", (count) => `<a> <b> (${"true".repeat(count)} ) .`],
    ["numbers side by side", (count) => `<a> <b> (${".5-1".repeat(count)} ) .`],
    ["parts of a path", (count) => `<a> <b> <${"a/../".repeat(count)}x> .`],
    ["new prefixes", (count) => "prefix a:<b> ".repeat(count)],
    ["new bases", (count) => "base <../a/b>".repeat(count)],
    ["items", (count) => `<a> <b> (${"() [] ".repeat(count)}) .`],
    [
      "names that share one place",
      (count) => `<a> <b> ${Array.from({ length: count }, (_, at) => `<${at}xyz>`).join()} .`,
    ],
    ["semicolons", (count) => `<a> <b> <c> ${";".repeat(count * 4)} .`],
    ["comments", (count) => "#\n".repeat(count * 2)],
    ["lines", (count) => "_:a <x:b> _:c .\n".repeat(count), "application/n-triples"],
  ];
  for (const [what, make, type = "text/turtle"] of shapes) {
    it(what, function () {
      this.timeout(60_000);
      this.retries(3); // Other work on the same machine is not what is measured.
      const [once, twice] = [make(20_000), make(40_000)];
      time(once, type);
      const short = time(once, type);
      expect(time(twice, type)).to.be.below(Math.max(2.5 * short, short + 3_000));
    });
  }

  it("nothing is deep: a million brackets are refused at the limit, and as many as allowed take no stack", () => {
    const deep = (count: number): string => `<a> <b> ${"[ <c> (".repeat(count)}${") ]".repeat(count)} .`;
    expect(() => parseText(deep(500_000), "text/turtle", HERE)).to.throw(Problem);
    const unlimited = { ...limits, turtleDepthMax: Number.POSITIVE_INFINITY };
    expect(parseText(deep(100_000).replace("()", "(1)"), "text/turtle", HERE, unlimited).length).to.be.above(
      300_000,
    );
  });
});
