import { expect } from "chai";
import fc from "fast-check";
import { createLexicon, emptyTerms } from "../../../server/query/index/lexicon.ts";
import { packIndex, unpackIndex } from "../../../server/query/index/pack.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import { textsOf } from "../../../server/query/index/texts.ts";
import { excerptOf, matches, parseTextQuery, scoreOf } from "../../../server/query/search/text-query.ts";
import { wordsOf } from "../../../server/query/search/words.ts";
import { literal, namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";
import { indexOf, isTrue, rowsOf } from "./fixture.ts";

describe("search: words", () => {
  const cases: readonly (readonly [says: string, text: string, words: readonly string[]])[] = [
    ["have no case", "Garden PARTY", ["garden", "party"]],
    ["nor accents", "Crème brûlée, Ærø", ["creme", "brulee", "ærø"]],
    ["however those are written", "Cre\u0300me", ["creme"]],
    ["end at punctuation", "don't e-mail: a@b.example", ["don", "t", "e", "mail", "a", "b", "example"]],
    ["may be numbers", "IMG 2026 ٣", ["img", "2026", "٣"]],
    ["are characters where there are no spaces", "東京の庭", ["東", "京", "の", "庭"]],
    ["beside others", "abc東京", ["abc", "東", "京"]],
    ["are none when they are too long", `${"x".repeat(65)} y`, ["y"]],
    ["are none in nothing", "—!?", []],
  ];
  for (const [says, text, words] of cases) it(says, () => expect(wordsOf(text)).to.deep.equal(words));
});

describe("search: what one looks for", () => {
  const text = "The Garden party of Zoë begins at noon, in the old garden.";
  const cases: readonly (readonly [says: string, query: string, found: boolean])[] = [
    ["all words must be there", "party GARDEN", true],
    ["or it does not match", "party kitchen", false],
    ["whole words", "gard", false],
    ["or beginnings", "gard*", true],
    ["a phrase", `"garden party"`, true],
    ["in its order", `"party garden"`, false],
    ["without accents", "zoe", true],
    ["words that must not be there", "garden -kitchen", true],
    ["and are", "garden -noon", false],
    ["a phrase that must not be there", `garden -"old garden"`, false],
    ["a word of several parts is a phrase", "begins-at", true],
    ["in that order", "at-begins", false],
    ["the beginning of a phrase's end", "old-gard*", true],
  ];
  for (const [says, query, found] of cases)
    it(`${says}: ${query}`, () => expect(matches(parseTextQuery(query)!, text)).to.equal(found));

  for (const query of ["", "  ", "-garden", "…", "*", '""', "x".repeat(2_000), "a ".repeat(100)])
    it(`nothing is looked for in ${JSON.stringify(query.slice(0, 20))}`, () =>
      expect(parseTextQuery(query)).to.equal(null));

  it("a text with more of the words, or less else, fits better", () => {
    const query = parseTextQuery("garden")!;
    const score = (found: string): number => scoreOf(query, found);
    expect(score("garden")).to.be.greaterThan(score("the garden of a house by the sea"));
    expect(score("garden and garden")).to.be.greaterThan(score("garden and kitchen"));
    expect(score("kitchen")).to.equal(0);
  });

  it("an excerpt shows the first place that matches, in one line", () => {
    const long = `${"before ".repeat(50)}the\nGarden ${"after ".repeat(50)}`;
    const excerpt = excerptOf(parseTextQuery("garden")!, long);
    expect(excerpt).to.match(/^… (?:before )+the Garden (?:after )+…$/);
    expect(excerpt.length).to.be.below(210);
    expect(excerptOf(parseTextQuery("garden")!, "A garden.")).to.equal("A garden.");
    expect(excerptOf(parseTextQuery(`"garden party"`)!, `${"garden ".repeat(60)}garden party`)).to.match(
      /garden party$/,
    );
    expect(excerptOf(parseTextQuery("x")!, "y".repeat(1_000)).length).to.be.below(210);
  });
});

describe("search: the index of words", () => {
  const word = fc.constantFrom("garden", "gardens", "party", "Zoë", "zoe", "a", "東京", "京", "noon");
  const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
  const query = fc
    .array(
      fc.oneof(
        word,
        word.map((one) => `${one.slice(0, 3)}*`),
        word.map((one) => `-${one}`),
        fc.tuple(word, word).map((two) => `"${two.join(" ")}"`),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => parts.join(" "));
  const none = (): void => undefined;

  it("finds what a look at each text finds, before and after more is added", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 30 }), fc.nat(30), query, (texts, early, wanted) => {
        const parsed = parseTextQuery(wanted);
        if (!parsed) return;
        const terms = createLexicon(emptyTerms());
        const add = (some: readonly string[]): void => {
          for (const one of some) {
            terms.intern(literal(one));
            terms.intern(literal(one, "en"));
            terms.intern(namedNode(`https://e.example/garden/${terms.size}`));
            terms.intern(literal(one, namedNode("https://e.example/type")));
          }
        };
        add(texts.slice(0, early));
        textsOf(terms).matching(parsed, none);
        add(texts.slice(early));
        const expected = Array.from({ length: terms.size }, (_, id) => id).filter((id) => {
          const term = terms.get(id);
          const isText =
            term.termType === "Literal" && (term.language !== "" || term.datatype.value.endsWith("string"));
          return isText && matches(parsed, term.value);
        });
        expect([...textsOf(terms).matching(parsed, none)]).to.deep.equal(expected);
      }),
    );
  });
});

describe("search in SPARQL", () => {
  const index = indexOf({
    "notes/party": `<#it> a schema:Note ; schema:text "The garden party begins at noon"@en ; schema:about :garden .`,
    "notes/kitchen": `<#it> a schema:Note ; schema:text "The kitchen is old" ; schema:name "Garden of delights" .`,
    "diary/secret": `<#it> a schema:Note ; schema:text "A secret garden" .`,
    "diary/copy": `<#it> a schema:Note ; schema:text "A secret garden" ; schema:keywords "garden", 7, "garden"@en .`,
  });
  const [PARTY, KITCHEN, SECRET, COPY] = [1, 2, 3, 4];
  const all = [PARTY, KITCHEN, SECRET, COPY] as const;
  type Case = readonly [says: string, visible: readonly number[], query: string, rows: readonly string[]];
  const cases: readonly Case[] = [
    [
      "finds texts of a property",
      all,
      `SELECT ?note ?text { ?note schema:text ?text . ?text fh:matches "garden" }`,
      [
        "diary/copy#it | A secret garden",
        "diary/secret#it | A secret garden",
        "notes/party#it | The garden party begins at noon",
      ],
    ],
    [
      "whichever comes first",
      all,
      `SELECT ?note { ?text fh:matches "old kitch*" . ?note schema:text ?text }`,
      ["notes/kitchen#it"],
    ],
    [
      "nothing of what may not be read",
      [PARTY, KITCHEN],
      `SELECT ?note { ?note ?property ?text . ?text fh:matches "garden" }`,
      ["notes/kitchen#it", "notes/party#it"],
    ],
    [
      "nor where only the text is asked for",
      [PARTY, KITCHEN],
      `SELECT ?text { ?text fh:matches "garden" }`,
      ["Garden of delights", "The garden party begins at noon"],
    ],
    [
      "each text once, though several documents say it",
      [SECRET, COPY],
      `SELECT ?text { ?text fh:matches "secret" }`,
      ["A secret garden"],
    ],
    [
      "strings with a language and without",
      all,
      `SELECT ?text (LANG(?text) AS ?language) { ?s schema:keywords ?text . ?text fh:matches "garden" }`,
      ["garden | ", "garden | en"],
    ],
    [
      "in a graph",
      all,
      `SELECT ?document ?text { GRAPH ?document { ?text fh:matches "garden -secret" } }`,
      [
        "diary/copy | garden",
        "diary/copy | garden",
        "notes/kitchen | Garden of delights",
        "notes/party | The garden party begins at noon",
      ],
    ],
    [
      "in one graph",
      all,
      `SELECT ?text { GRAPH :notes\\/kitchen { ?text fh:matches "garden" } }`,
      ["Garden of delights"],
    ],
    [
      "as a function",
      all,
      `SELECT ?note { ?note schema:text ?text FILTER(fh:matches(?text, "garden") && !fh:matches(?text, "secret")) }`,
      ["notes/party#it"],
    ],
    [
      "of what is computed, too",
      [PARTY],
      `SELECT ?text { BIND("a computed garden" AS ?text) FILTER(fh:matches(?text, "garden")) }`,
      ["a computed garden"],
    ],
    [
      "with words from the data",
      [KITCHEN, COPY],
      `SELECT ?name { ?copy schema:keywords ?word . FILTER(LANG(?word) = "en") ?it schema:name ?name FILTER(fh:matches(?name, ?word)) }`,
      ["Garden of delights"],
    ],
    [
      "where it is optional",
      [PARTY, KITCHEN],
      `SELECT ?note ?text { ?note a schema:Note OPTIONAL { ?note schema:text ?text . ?text fh:matches "kitchen" } }`,
      ["notes/kitchen#it | The kitchen is old", "notes/party#it | -"],
    ],
    [
      "what an optional part binds",
      [PARTY, KITCHEN],
      `SELECT ?note ?name { ?note a schema:Note OPTIONAL { ?note schema:name ?name } FILTER(!BOUND(?name) || fh:matches(?name, "garden")) }`,
      ["notes/kitchen#it | Garden of delights", "notes/party#it | -"],
    ],
    [
      "what is not there",
      all,
      `SELECT ?note { ?note a schema:Note FILTER NOT EXISTS { ?note ?p ?text . ?text fh:matches "garden" } }`,
      [],
    ],
    [
      "through a path",
      [PARTY],
      `SELECT ?text { :notes\\/party\\#it schema:name|schema:text ?text . ?text fh:matches "noon" }`,
      ["The garden party begins at noon"],
    ],
    ["nothing for nothing", all, `SELECT ?text { ?text fh:matches "" }`, []],
    ["nothing for what is no text", all, `SELECT ?s { ?s schema:about ?o . ?o fh:matches "garden" }`, []],
    [
      "the best first",
      all,
      `SELECT DISTINCT ?text { ?text fh:matches "garden" } ORDER BY DESC(fh:score(?text, "garden")) ?text LIMIT 3`,
      ["garden", "garden", "A secret garden"],
    ],
    [
      "why",
      [PARTY],
      `SELECT ?excerpt { ?s schema:text ?text . ?text fh:matches "noon" BIND(fh:excerpt(?text, "noon") AS ?excerpt) }`,
      ["The garden party begins at noon"],
    ],
    [
      "a count",
      all,
      `SELECT (COUNT(?text) AS ?count) { ?note schema:text ?text . ?text fh:matches "garden" }`,
      ["3"],
    ],
  ];
  for (const [says, visible, query, rows] of cases)
    it(says, () =>
      expect(rowsOf(index, visible, query)).to.deep.equal(
        [...rows].sort((a, b) => (says === "the best first" ? 0 : a < b ? -1 : 1)),
      ),
    );

  it("ASK", () => {
    expect(isTrue(index, [SECRET], `ASK { ?text fh:matches "secret" }`)).to.equal(true);
    expect(isTrue(index, [PARTY], `ASK { ?text fh:matches "secret" }`)).to.equal(false);
  });

  it("gives what a look at every text gives", () => {
    const word = fc.constantFrom(
      "garden",
      "party",
      "gard*",
      "-old",
      "secret",
      `"secret garden"`,
      "noon",
      "of",
    );
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.subarray([...all], { minLength: 1 }),
        (words, visible) => {
          const wanted = words.join(" ").replaceAll('"', '\\"');
          const found = rowsOf(
            index,
            visible,
            `SELECT ?s ?p ?text { ?s ?p ?text . ?text fh:matches "${wanted}" }`,
          );
          // A query that is computed cannot be looked up.
          const looked = rowsOf(
            index,
            visible,
            `SELECT ?s ?p ?text { ?s ?p ?text FILTER(fh:matches(?text, CONCAT("${wanted}", ""))) }`,
          );
          expect(found).to.deep.equal(looked);
        },
      ),
    );
  });

  it("is kept with the quads, once somebody has searched", () => {
    const query = `SELECT ?text { ?text fh:matches "gard*" }`;
    const fresh = indexOf({
      one: `<#it> schema:text "A garden" .`,
      two: `<#it> schema:text "Two gardens", "none" .`,
    });
    expect(fresh.share().texts).to.equal(null);
    const rows = rowsOf(fresh, [1, 2], query);
    expect(rows).to.deep.equal(["A garden", "Two gardens"]);
    const shared = fresh.share();
    expect(shared.texts!.ids.length).to.equal(5);
    const unpacked = unpackIndex(packIndex(shared), shared.numbers)!;
    expect(unpacked.texts).to.deep.equal(shared.texts);
    for (const base of [shared, unpacked]) {
      const other = createPodIndex(base);
      expect(rowsOf(other, [2], query)).to.deep.equal(["Two gardens"]);
      other.add({ number: 3, graph: "https://pod.example/ana/three", quads: [sentence("A third garden")] });
      expect(rowsOf(other, [1, 3], query)).to.deep.equal(["A garden", "A third garden"]);
      other.drop([1]);
      // What follows on what was searched is made with its words.
      const next = other.share();
      expect(next.texts!.ids.length).to.equal(6);
      expect(rowsOf(createPodIndex(next), [2, 3], query)).to.deep.equal(["A third garden", "Two gardens"]);
    }
  });

  it("goes with the pod: documents that are added and dropped", () => {
    const changing = createPodIndex();
    const add = (number: number, text: string): void =>
      changing.add({
        number,
        graph: `https://pod.example/ana/${number}`,
        quads: [sentence(text)],
      });
    add(1, "first garden");
    expect(rowsOf(changing, [1], `SELECT ?t { ?t fh:matches "garden" }`)).to.deep.equal(["first garden"]);
    add(2, "second garden");
    expect(rowsOf(changing, [1, 2], `SELECT ?t { ?t fh:matches "garden" }`)).to.deep.equal([
      "first garden",
      "second garden",
    ]);
    changing.drop([1]);
    changing.compact();
    expect(rowsOf(changing, [2], `SELECT ?t { ?t fh:matches "garden" }`)).to.deep.equal(["second garden"]);
  });
});

const sentence = (text: string): Quad =>
  quad(namedNode("https://pod.example/ana/x"), namedNode("https://schema.org/text"), literal(text));
