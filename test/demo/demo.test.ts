/** `freehold demo --once`, in a process of its own: what it shows, and what it leaves on the disk. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { importAll, textOf } from "../import/support.ts";
import { type Exit, freehold } from "../support/process.ts";
import { canariesOf, filesOf, PEOPLE } from "../tools/fixtures.ts";
import { createScan, filesIn, NEEDLE_BYTES_MIN, scanFolder, spellingsOf } from "./scan.ts";

const isLongEnough = (word: string): boolean => Buffer.byteLength(word) >= NEEDLE_BYTES_MIN;
const wordsOf = (kind: "personal" | "dropped"): readonly string[] => [
  ...new Set(PEOPLE.flatMap((person) => canariesOf(person)[kind]).filter(isLongEnough)),
];
const [personal, dropped] = [wordsOf("personal"), wordsOf("dropped")];

/** Not of the files, but of the people: who they are, where their pods are, what they hold. */
// biome-ignore format: by kind
const IDENTITY = [
  "Ana Dlamini", "Ben Keller", "Karoo Budget", "Limmat Energy", "keeps this pod",
  "ana/profile", "ben/profile", "/ana/bank", "/ben/bank", "/karoo/", "/limmat/",
  "profile/card", "did:dcann", "dpza1q", "dpch1q", "http://localhost",
];
/** Of any document at all. */
const FORM = ["@prefix", "schema.org", "MoneyTransfer", "w3.org/ns/auth/acl", "text/turtle", '"modified"'];

describe("freehold demo --once", function () {
  this.timeout(90_000);
  let folder: string;
  let shown: Exit;
  let left: string;
  let live: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "freehold-demo-test-"));
    const program = freehold(["demo", "--once", "--keep"], { TMPDIR: folder });
    await program.until(/Ana revokes/); // Two thousand records are in the write-ahead log by now.
    const [name = ""] = readdirSync(folder).filter((one) => one.startsWith("freehold-demo-"));
    left = join(folder, name);
    live = join(folder, "copied while it ran");
    cpSync(left, live, { recursive: true });
    shown = await program.ended;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("does every step and ends with 0", () => {
    expect([shown.code, shown.err]).to.deep.equal([0, ""]);
    expect(shown.out).to.include("Every step held").and.not.include("✘");
    const at = (text: string): number => shown.out.indexOf(text);
    const story = [
      "Ana Dlamini in South Africa opens a pod: dpza1",
      "Ben Keller in Switzerland opens a pod: dpch1",
      "Before any grant, Karoo is refused",
      "Ana lets Karoo read her bank folder",
      "┌",
      "Limmat, to whom Ana granted nothing, is refused",
      "Ana revokes",
      "Karoo asks again and is refused",
      "You have no access to this\n",
    ];
    expect(story.map(at)).to.deep.equal(story.map(at).sort((a, b) => a - b));
    expect(story.filter((text) => at(text) < 0)).to.deep.equal([]);
  });

  it("shows what was granted as a table: twenty payments, and of each four columns", () => {
    const table = /^┌[^]*^└.*$/m.exec(shown.out)?.[0].split("\n") ?? [];
    expect(table[1]).to.match(/│ date +│ whom +│ amount +│ currency +│$/);
    const rows = table.slice(3, -1);
    expect(rows).to.have.length(20);
    for (const row of rows)
      expect(row).to.match(/^│ \d+ +│ '\d{4}-\d\d-\d\d' +│ .* │ '\d+\.\d\d' +│ '(ZAR|EUR)' +│$/);
    expect(shown.out.match(/┌/g)).to.have.length(1);
  });

  it("shows after the revocation the server's reason and what to do, and not a row", () => {
    const refusal = shown.out.slice(shown.out.indexOf("Karoo asks again"));
    expect(refusal)
      .to.include("You have no access to this")
      .and.include("the owner has granted you nothing, or has taken it back")
      .and.include("Ask the owner for access.")
      .and.not.match(/┌|ZAR| {4}at /);
  });

  it("shows nothing of what the importers leave out", () => {
    expect([...createScan(dropped)(Buffer.from(shown.out))]).to.deep.equal([]);
  });

  for (const [when, where] of [
    ["at the end", () => left],
    ["while it runs, with the write-ahead log", () => live],
  ] as const) {
    describe(`the data folder ${when}`, () => {
      it("holds the data of both people", () => {
        const files = filesIn(where());
        expect(files.map((path) => path.slice(where().length + 1))).to.include.members([
          "freehold.db",
          "keyring",
        ]);
        const bytes = files
          .filter((path) => /freehold\.db/.test(path))
          .reduce((sum, path) => sum + statSync(path).size, 0);
        expect(bytes).to.be.greaterThan(2_000_000);
        if (where() === live) expect(files.some((path) => path.endsWith("freehold.db-wal"))).to.equal(true);
      });

      it(`shows none of ${personal.length + dropped.length + IDENTITY.length + FORM.length} words, however they are spelled`, () => {
        expect(scanFolder(where(), [...personal, ...dropped, ...IDENTITY, ...FORM])).to.deep.equal([]);
      });
    });
  }

  describe("the search itself", () => {
    it("finds every word where it stands in clear: in the imported documents, or in the files", async () => {
      const files = PEOPLE.flatMap((person) => Object.values(filesOf(person)));
      const documents: string[] = [];
      for (const file of files) documents.push(...(await importAll(file)).documents.map(textOf));
      const seen = createScan([...personal, ...dropped])(Buffer.from([...documents, ...files].join("\n")));
      expect([...personal, ...dropped].filter((word) => !seen.has(word))).to.deep.equal([]);
    });

    it("finds a planted word in every spelling, in any file, at its very end, and in a file's name", () => {
      const [word = ""] = personal;
      const planted = join(folder, "planted", "deep");
      mkdirSync(planted, { recursive: true });
      for (const [index, spelling] of spellingsOf(word).entries()) {
        const bytes = Buffer.concat([readFileSync(join(left, "keyring")), spelling]);
        writeFileSync(join(planted, `${index}.bin`), bytes);
      }
      writeFileSync(join(planted, `x${word}`), "");
      expect(scanFolder(join(folder, "planted"), [word])).to.have.length(spellingsOf(word).length + 1);
    });

    it("finds a Base64 word wherever it begins", () => {
      const word = PEOPLE[0]?.employer ?? "";
      for (const before of ["", "x", "xx", "xxx"])
        for (const encoding of ["base64", "base64url"] as const)
          expect([
            ...createScan([word])(Buffer.from(Buffer.from(`${before}${word} and more`).toString(encoding))),
          ]).to.deep.equal([word]);
    });
  });

  it("without --keep leaves nothing behind", async () => {
    const temporary = join(folder, "another");
    mkdirSync(temporary);
    const { code } = await freehold(["demo", "--once"], { TMPDIR: temporary }).ended;
    expect(code).to.equal(0);
    expect(readdirSync(temporary).filter((name) => name.startsWith("freehold-demo-"))).to.deep.equal([]);
  });
});
