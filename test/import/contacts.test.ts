import { schema, vcard } from "@freehold/vocab";
import { expect } from "chai";
import { importAll, recordsIn, refusalOf, textOf, valuesOf } from "./support.ts";

const card = (...lines: readonly string[]): string => `BEGIN:VCARD\r\n${lines.join("\r\n")}\r\nEND:VCARD\r\n`;

/** The one contact that a card gives. */
async function contactOf(content: string | Uint8Array) {
  const { documents, run } = await importAll(content);
  const [document] = recordsIn(documents);
  if (!document) throw new Error("There is no contact");
  return { document, run, warnings: run.warnings.map(({ detail }) => detail) };
}

describe("address books", () => {
  const names: readonly [why: string, content: string | Uint8Array, name: string][] = [
    [
      "3.0, with escaped letters",
      card("VERSION:3.0", "FN:Müller\\, Zoë\\; Dr.", "N:Müller;Zoë;;;"),
      "Müller, Zoë; Dr.",
    ],
    ["4.0", card("VERSION:4.0", "FN:Σοφία Παπαδάκη"), "Σοφία Παπαδάκη"],
    [
      "2.1, quoted-printable in UTF-8",
      card("VERSION:2.1", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB M=C3=BCller"),
      "Zoë Müller",
    ],
    [
      "2.1, quoted-printable in ISO-8859-1",
      card("VERSION:2.1", "FN;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Zo=EB"),
      "Zoë",
    ],
    [
      "2.1, with a soft line break inside a letter",
      card("VERSION:2.1", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=", "=AB"),
      "Zoë",
    ],
    [
      "2.1, the short form of the parameter",
      card("VERSION:2.1", "FN;QUOTED-PRINTABLE;CHARSET=UTF-8:Zo=C3=AB"),
      "Zoë",
    ],
    [
      "2.1, bytes of Windows-1252 and no encoding named",
      Buffer.from(card("VERSION:2.1", "FN:Zo\u00eb"), "latin1"),
      "Zoë",
    ],
    ["a comma in 2.1 is a comma", card("VERSION:2.1", "FN:Zoë, the second"), "Zoë, the second"],
    [
      "a line folded between the bytes of a letter",
      Buffer.concat([
        Buffer.from("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zo"),
        Buffer.from([0xc3]),
        Buffer.from("\r\n "),
        Buffer.from([0xab]),
        Buffer.from("\r\nEND:VCARD\r\n"),
      ]),
      "Zoë",
    ],
    ["a name only in parts", card("VERSION:3.0", "N:Müller;Zoë;;;"), "Zoë Müller"],
    [
      "a firm without a person",
      card("VERSION:3.0", "ORG:Bäckerei Sommer;Filiale"),
      "Bäckerei Sommer, Filiale",
    ],
    ["letters that were decomposed", card("VERSION:4.0", "FN:Zoe\u0308"), "Zoë"],
    ["a byte order mark before it", `\ufeff${card("VERSION:3.0", "FN:Zoë")}`, "Zoë"],
    ["UTF-16", Buffer.from(`\ufeff${card("VERSION:3.0", "FN:Zoë 🥐")}`, "utf16le"), "Zoë 🥐"],
    ["line feeds without carriage returns", card("VERSION:3.0", "FN:Zoë").replaceAll("\r", ""), "Zoë"],
    ["lower case", "begin:vcard\nversion:3.0\nfn:Zoë\nend:vcard\n", "Zoë"],
  ];
  for (const [why, content, name] of names) {
    it(`${why}: ${name}`, async () =>
      expect(valuesOf((await contactOf(content)).document, vcard.fn)).to.deep.equal([name]));
  }

  it("grouped properties count like others, and their labels are nobody's name", async () => {
    const { document } = await contactOf(
      card(
        "VERSION:3.0",
        "FN:Zoë",
        "item1.TEL;type=CELL:+41 44 555 01 01",
        "item1.X-ABLabel:_$!<Mobile>!$_",
        "item2.EMAIL:zoe@mail.example",
      ),
    );
    expect(valuesOf(document, vcard.value)).to.have.members(["tel:+41445550101", "mailto:zoe@mail.example"]);
    expect(textOf(document)).to.contain("a vcard:Cell").and.not.to.contain("Mobile");
  });

  it("bare words of 2.1 are types", async () => {
    const { document } = await contactOf(card("VERSION:2.1", "FN:Zoë", "TEL;HOME;FAX:044 555 01 01"));
    expect(textOf(document)).to.contain("a vcard:Fax, vcard:Home");
  });

  it("leaves out photos and keys, says so, and never parses them", async () => {
    const photo = `PHOTO;ENCODING=b;TYPE=JPEG:${"A".repeat(200_000)}`;
    const { document, warnings } = await contactOf(
      card("VERSION:3.0", photo, "FN:Zoë", "KEY:data:application/pgp-keys;base64,AAAA"),
    );
    expect(warnings).to.deep.equal(["a photo was left out", "a binary part was left out"]);
    expect(textOf(document)).not.to.contain("AAAA");
  });

  it("knows a country by its name in many languages, and keeps what was written", async () => {
    for (const [written, code] of [
      ["Suid-Afrika", "ZA"],
      ["Schweiz", "CH"],
      ["Suisse", "CH"],
      ["España", "ES"],
      ["za", "ZA"],
      ["Griechenland", "GR"],
      ["Middle Earth", undefined],
    ] as const) {
      const { document } = await contactOf(
        card("VERSION:3.0", "FN:Zoë", `ADR;TYPE=HOME:;;Street 1;Town;;8001;${written}`),
      );
      expect(valuesOf(document, schema.addressCountry), written).to.deep.equal(code ? [code] : []);
      expect(valuesOf(document, vcard["country-name"])).to.deep.equal([written]);
    }
  });

  it("a birthday may lack its year, and one that does not exist is left out with a remark", async () => {
    const of = async (written: string) => contactOf(card("VERSION:4.0", "FN:Zoë", `BDAY:${written}`));
    expect(valuesOf((await of("19880412")).document, vcard.bday)).to.deep.equal(["1988-04-12"]);
    expect(valuesOf((await of("--0229")).document, vcard.bday)).to.deep.equal(["--02-29"]);
    const wrong = await of("1988-02-30");
    expect(valuesOf(wrong.document, vcard.bday)).to.deep.equal([]);
    expect(wrong.warnings).to.have.length(1);
  });

  it("drops web pages that are scripts, numbers that cannot be dialled, and addresses without @", async () => {
    const { document, warnings } = await contactOf(
      card(
        "VERSION:3.0",
        "FN:Zoë",
        "URL:javascript:alert(1)",
        "TEL:ask Urs",
        "EMAIL:nobody",
        "URL:contacts.example/zoë",
      ),
    );
    expect(textOf(document)).not.to.match(/javascript|alert|Urs|nobody/);
    expect(valuesOf(document, vcard.hasURL)).to.deep.equal(["https://contacts.example/zo%C3%AB"]);
    expect(warnings).to.deep.equal(["3 of its numbers, addresses or dates cannot be used and were left out"]);
  });

  it("a note that holds a card number keeps only its end", async () => {
    const { document } = await contactOf(
      card("VERSION:3.0", "FN:Bank", "NOTE:Visa 4111 1111 1111 1111\\, thru 12/28"),
    );
    expect(valuesOf(document, vcard.note)).to.deep.equal(["Visa …1111, thru 12/28"]);
  });

  it("a bad card does not stop those after it, and the remark names its line but not its content", async () => {
    const content = Buffer.concat([
      Buffer.from(card("VERSION:3.0", "FN:Good")),
      Buffer.from("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bad "),
      Buffer.from([0xff, 0xfe]),
      Buffer.from("\r\nEND:VCARD\r\n"),
      Buffer.from(card("VERSION:3.0", "FN:Large", `NOTE:${"x".repeat(70_000)}`)),
      Buffer.from(card("VERSION:3.0", "FN:Unknown", "FN;CHARSET=KLINGON:x")),
      Buffer.from(card("VERSION:3.0", "FN:Last")),
    ]);
    const { run, documents } = await importAll(content);
    expect(recordsIn(documents).flatMap((document) => valuesOf(document, vcard.fn))).to.deep.equal([
      "Good",
      "Last",
    ]);
    expect(run.warnings).to.deep.equal([
      { line: 7, detail: "the bytes are not UTF-8" },
      { line: 12, detail: "a field is too large" },
      { line: 17, detail: "the bytes are not in the encoding that is named" },
    ]);
    expect([run.read, run.written, run.skipped]).to.deep.equal([5, 2, 3]);
  });

  it("a card inside a card, and one that never ends, are nobody", async () => {
    const { run, documents } = await importAll(
      `BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Outer\r\nAGENT:\r\nBEGIN:VCARD\r\nFN:Inner\r\nEND:VCARD\r\nEND:VCARD\r\nBEGIN:VCARD\r\nFN:Open`,
    );
    expect(recordsIn(documents).flatMap((document) => valuesOf(document, vcard.fn))).to.deep.equal(["Outer"]);
    expect(run.warnings).to.deep.equal([{ line: 9, detail: "the card does not end" }]);
  });

  it("names like those of JavaScript's own objects do no harm", async () => {
    const { document } = await contactOf(
      card(
        "VERSION:3.0",
        "FN:Zoë",
        "__proto__:x",
        "CONSTRUCTOR;__proto__=x:y",
        "TEL;__proto__=1;TYPE=constructor:+41445550101",
      ),
    );
    expect(valuesOf(document, vcard.value)).to.deep.equal(["tel:+41445550101"]);
    expect(({} as Record<string, unknown>).x).to.equal(undefined);
  });

  it("refuses a file of nothing but bad cards, naming each line", async () => {
    const problem = await refusalOf(card("VERSION:3.0", "TEL:+1") + card("VERSION:3.0", "NOTE:x"));
    expect(problem.code).to.equal("input-invalid");
    expect(problem.errors).to.deep.equal([
      { detail: "the card has no name", at: "1:1" },
      { detail: "the card has no name", at: "5:1" },
    ]);
  });
});
