/** What the pages say can be read by a child of twelve: short sentences, short words, and none of the trade's. */
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { gradeOf, type ScreenText, sentencesOf, wordCount, wordsOf } from "../tools/screen-words.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Words of the trade that no screen says, outside the developer's corner. */
const TRADE =
  /\b(?:RDF|ACL|SPARQL|WebID|IRI|URI|URL|triple|literal|Turtle|JSON|JSON-LD|SHACL|OIDC|DPoP|DID|token|endpoint|metadata|namespace|predicate)s?\b/;
/** The developer's corner: pages for those who write programs, and for those who run servers. */
const CORNER =
  /^server\/ui\/(?:data-browser|registry|proof|vendor)\.ts$|^server\/ui\/vendor\/|^server\/ui\/rooms\/hosting\/|^server\/ui\/rooms\/data\/raw\.ts$/;

const wordsMax = 30;
const gradeMax = 6; // A child of twelve, with a year to spare.

const files = globSync("server/ui/**/*.ts", { cwd: ROOT }).toSorted();
const texts: readonly ScreenText[] = files.flatMap((file) =>
  wordsOf(file, readFileSync(resolve(ROOT, file), "utf8")),
);

describe("the words of all screens", () => {
  it("are found in the templates, with what is read out", () => {
    expect(
      wordsOf(
        "x",
        'html`<p>Good <b>day</b>, ${name}.</p><button aria-label="Close it">${icon("x")}</button>${list.map((a) => html`<li>Each one</li>`)}`',
      ),
    ).to.deep.equal([
      { file: "x", text: "Close it" },
      { file: "x", text: "Good day , …." },
      { file: "x", text: "Each one" },
    ]);
    expect(texts.length).to.be.above(200);
  });

  it("have no word of the trade", () => {
    expect(texts.filter(({ file, text }) => !CORNER.test(file) && TRADE.test(text))).to.deep.equal([]);
  });

  it(`have no sentence of more than ${wordsMax} words`, () => {
    const long = texts.flatMap(({ file, text }) =>
      sentencesOf(text)
        .filter((sentence) => wordCount(sentence) > wordsMax)
        .map((sentence) => `${file}: ${sentence}`),
    );
    expect(long).to.deep.equal([]);
  });

  it(`can be read at school grade ${gradeMax}, file by file`, () => {
    const hard = [...Map.groupBy(texts, ({ file }) => file)]
      .map(([file, some]) => ({ file, sentences: some.flatMap(({ text }) => sentencesOf(text)) }))
      .filter(({ sentences }) => sentences.length >= 5)
      .map(({ file, sentences }) => ({ file, grade: Math.round(gradeOf(sentences) * 10) / 10 }))
      .filter(({ grade }) => grade > gradeMax);
    expect(hard).to.deep.equal([]);
  });

  it("would notice a hard text", () => {
    expect(
      gradeOf([
        "Notwithstanding the aforementioned stipulations, administrators may retroactively deauthorise delegated identifiers.",
      ]),
    ).to.be.above(gradeMax + 5);
    expect(gradeOf(["You can take it back at any time.", "It is gone at once."])).to.be.below(4);
  });
});
