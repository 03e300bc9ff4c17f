import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { importFile } from "../../server/import/import-file.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { BASE, importAll, importBatches, inPieces, recordsIn, refusalOf } from "./support.ts";

const CAMT = 'xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"';
const ESPI = 'xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi"';
/** Letters that a file may hold and an IRI may not, or that turn a line around. */
const ODD_LETTERS = [
  "\u0001",
  "\u001b",
  "\u007f",
  "\u0085",
  "\u202e",
  "\ufffe",
  "<",
  ">",
  '"',
  "{",
  "|",
  "\\",
  "^",
  "`",
];
const HEADER = "Order ID,Order Date,Currency,Unit Price,Total Owed,Product Name";
const ROW = "1,2026-03-02T10:15:00Z,EUR,1.00,1.00,Kettle";
const booking = (reference: string): string =>
  `<Ntry><Amt Ccy="CHF">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef></Ntry>\n`;
const statement = (inside: string): string =>
  `<Document ${CAMT}><S><Stmt>\n<Acct><Id><IBAN>CH9300762011623852957</IBAN></Id></Acct>\n${inside}</Stmt></S></Document>`;

const laughs = `<?xml version="1.0"?>
<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Document ${CAMT}>&c;</Document>`;
const elsewhere = `<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document ${CAMT}/>`;

/** Files that must be refused as a whole, with the code and, where there is one, the line. */
const REFUSED: readonly [why: string, content: string | Uint8Array, detail: RegExp, at?: RegExp][] = [
  ["nothing", "", /empty/],
  ["a picture", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]), /no text/],
  ["an archive", Buffer.from("PK\u0003\u0004rest", "latin1"), /unpack/],
  ["a gzip file", Buffer.from([0x1f, 0x8b, 8, 0]), /unpack/],
  ["prose", "Dear diary, today nothing happened.", /not known/],
  ["JSON", '{"BEGIN": "VCARD"}', /not known/],
  ["a billion laughs", laughs, /document type/, /^2:/],
  ["a document type that points to a file", elsewhere, /document type/, /^1:/],
  ["an entity of nobody's", statement("&xxe;"), /not well-formed/, /^3:/],
  ["XML that breaks off", `<Document ${CAMT}><Stmt>`, /not well-formed/],
  ["XML with a NUL", statement(`${" ".repeat(70_000)}<Ntry>\u0000</Ntry>`), /not well-formed/, /^3:/],
  ["XML nested too deep", statement("<a>".repeat(10_000)), /nested at most 64/, /^3:/],
  [
    "XML with a million attributes",
    statement(`<Ntry ${Array.from({ length: 5_000 }, (_, place) => `a${place}="1"`).join(" ")}/>`),
    /at most 200 attributes/,
  ],
  [
    "XML with an attribute without end",
    statement(`<Ntry a="${"x".repeat(100_000)}"/>`),
    /attribute is too large/,
  ],
  ["XML with a name without end", statement(`<${"n".repeat(3_000_000)}`), /too large|not well-formed/],
  ["XML with a text without end", statement(`<Ntry>${"x".repeat(3_000_000)}`), /too large|not well-formed/],
  ["XML with a comment without end", statement(`<!-- ${"x".repeat(3_000_000)}`), /too large|not well-formed/],
  [
    "XML in an encoding of nobody's",
    `<?xml version="1.0" encoding="KLINGON"?><Document ${CAMT}/>`,
    /KLINGON/,
    /^1:/,
  ],
  [
    "XML whose bytes are not what it says",
    Buffer.concat([Buffer.from(statement("<Ntry>\n<Nm>")), Buffer.from([0xc3, 0x28])]),
    /not UTF-8/,
    /^4:/,
  ],
  ["a feed with nothing in it", `<feed ${ESPI}></feed>`, /no records/],
  ["a table with only its header", HEADER, /no records/],
  [
    "a table with a million columns",
    `${HEADER}\n${"x,".repeat(400_000)}`,
    /at most 200 columns|cannot be read on/,
    /^2:/,
  ],
  [
    "a table with a row without end",
    `${HEADER}\n${ROW}\n"${"x".repeat(3_000_000)}`,
    /cannot be read on/,
    /^3:/,
  ],
  [
    "a table whose bytes are no UTF-8",
    Buffer.concat([Buffer.from(`${HEADER}\n${ROW}\n2,`), Buffer.from([0xff])]),
    /not UTF-8/,
    /^3:/,
  ],
  ["a table with a NUL", `${HEADER}\n${ROW.replace("Kettle", "Ket\u0000tle")}`, /no text/],
  ["a card without end", `BEGIN:VCARD\nFN:${"x".repeat(3_000_000)}`, /None/],
];

describe("files that mean harm, or are broken", () => {
  for (const [why, content, detail, at] of REFUSED) {
    it(`${why}: refused, and nothing is written`, async () => {
      const { problem, pod, batches } = await importBatches(content);
      expect(problem?.code).to.equal("input-invalid");
      expect(problem?.detail).to.match(detail);
      if (at) expect(problem?.errors[0]?.at).to.match(at);
      expect([pod.size, batches.length]).to.deep.equal([0, 0]);
    });
  }

  it("a file over the limit is refused while it comes, not after", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${HEADER}\n`);
      for (;;) {
        sent += 1;
        yield Buffer.from(`${ROW}\n`.repeat(100));
      }
    }
    const problem = await refusalOf(endless(), { limits: { importBytesMax: 200_000 } });
    expect(problem.code).to.equal("body-too-large");
    expect(sent).to.be.below(100);
  });

  it("a reader that stops early closes the file", async () => {
    let isClosed = false;
    async function* file(): AsyncGenerator<Uint8Array> {
      try {
        yield* inPieces(
          statement(Array.from({ length: 2_000 }, (_, place) => booking(`R${place}`)).join("")),
        );
      } finally {
        isClosed = true;
      }
    }
    const options = {
      name: "x",
      content: file(),
      pod: { name: "ana", url: "https://pods.example/ana/", secret: "s" },
      now: () => new Date(0),
      limits: LIMITS,
    };
    for await (const document of importFile(options)) if (document.shape !== null) break;
    expect(isClosed).to.equal(true);
  });

  it("a line with ten thousand parameters takes no time", async () => {
    const started = performance.now();
    const { run } = await importAll(
      `BEGIN:VCARD\nFN:A\nEND:VCARD\nBEGIN:VCARD\nVERSION:2.1\nFN${";a".repeat(30_000)}:B\nEND:VCARD\n`,
    );
    expect(run.warnings.map(({ detail }) => detail)).to.deep.equal([
      "what stands before a colon is too long",
    ]);
    expect(performance.now() - started).to.be.below(1_000);
  });

  it("more records than the limit are refused", async () => {
    const many = statement(Array.from({ length: 30 }, (_, place) => booking(`R${place}`)).join(""));
    expect((await refusalOf(many, { limits: { importRecordsMax: 20 } })).detail).to.match(
      /at most 20 records/,
    );
  });

  it("a file that breaks off after some was written says so, and leaves a record by which it can be taken back", async () => {
    const many = `${statement(Array.from({ length: 1_000 }, (_, place) => booking(`R${place}`)).join("")).slice(0, -40)}<broken`;
    const { problem, pod } = await importBatches(many, {
      limits: { importBatchDocuments: 100 },
      pieceBytes: 500,
    });
    expect(problem?.detail).to.match(/not well-formed/);
    const runs = [...pod.values()].filter(({ path, shape }) => path.includes("/imports/") && shape !== null);
    expect(runs).to.have.length(1);
    const text = Buffer.from(runs[0]?.bytes ?? "").toString();
    expect(text).to.contain("The import stopped before the end");
    for (const { path } of recordsIn(pod.values())) expect(text).to.contain(path);
    expect(recordsIn(pod.values()).length).to.be.greaterThan(0);
  });

  it("remarks are counted beyond their limit, not kept", async () => {
    const rows = Array.from({ length: 300 }, (_, place) => `${place},soon,EUR,1,1,x`).join("\n");
    const { run } = await importAll(`${HEADER}\n${ROW}\n${rows}`);
    expect([run.skipped, run.warnings.length, run.warningsLeftOut]).to.deep.equal([
      300,
      LIMITS.importWarningsMax,
      300 - LIMITS.importWarningsMax,
    ]);
  });

  it("names and values that look like paths or Turtle never leave their place", async () => {
    for (const name of [
      "../../../.acl",
      "x.acl",
      "/ben/secret",
      "#it> <#x> <#y> . <#z",
      "\u202egnp.exe",
      "a\u0000b",
    ].filter((text) => !text.includes("\u0000"))) {
      const { documents } = await importAll(
        `${HEADER}\n${JSON.stringify(name)},2026-03-02T10:15:00Z,EUR,1.00,1.00,${JSON.stringify(name)}`,
      );
      expect(recordsIn(documents).map(({ path }) => path)).to.satisfy((paths: string[]) =>
        paths.every((path) => /^\/ana\/orders\/2026\/[0-9a-f]{20}\.ttl$/.test(path)),
      );
    }
  });

  it("no input makes anything but a refusal or documents: random damage to real files", async () => {
    const files = [
      statement(booking("R1") + booking("R2")),
      `${HEADER}\n${ROW}\n${ROW}`,
      "BEGIN:VCARD\nVERSION:3.0\nFN:Zoë\nTEL:+41445550101\nEND:VCARD\n",
    ];
    let state = 7;
    const chance = (max: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % max;
    };
    for (const file of files) {
      for (let round = 0; round < 150; round += 1) {
        const bytes = Buffer.from(file);
        for (let hit = 0; hit < 3; hit += 1) bytes[chance(bytes.length)] = chance(256);
        await importBatches(bytes); // Throws for anything that is no Problem.
      }
    }
  });
});

describe("importing a large file", function () {
  this.timeout(120_000);
  const HEAP_MB = 96; // The documents of 60,000 bookings are larger than this.

  /** @returns how many documents came of it, or the code of the error that ended the thread. */
  function importLarge(bookings: number, hoard: boolean): Promise<number | string> {
    const worker = new Worker(new URL("./large-worker.ts", import.meta.url), {
      workerData: { bookings, hoard },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    return new Promise((resolve) => {
      worker.once("message", resolve);
      worker.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)));
    });
  }

  it(`holds only what it needs: 60,000 bookings in a heap of ${HEAP_MB} MB`, async () => {
    expect(await importLarge(60_000, false)).to.equal(60_001);
  });

  it("would be noticed if it held on to what it made", async () => {
    expect(await importLarge(100_000, true)).to.equal("ERR_WORKER_OUT_OF_MEMORY");
  });
});

describe("letters that no address has", () => {
  for (const letter of ODD_LETTERS) {
    it(`a card with ${JSON.stringify(letter)} in every address gives documents that can be read again`, async () => {
      const odd = `a${letter}b`;
      const card = `BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Kim\r\nUID:${odd}\r\nEMAIL:${odd}@example.org\r\nURL:https://example.org/${odd}\r\nTEL:${odd}\r\nEND:VCARD\r\n`;
      const { documents } = await importAll(card);
      for (const { bytes, path } of documents) {
        const quads = await parseRdf(bytes, "text/turtle", `${BASE}${path}`);
        const mailboxes = quads.filter(({ object }) => object.value.startsWith("mailto:"));
        expect(mailboxes.map(({ object }) => object.value)).to.deep.equal([]);
      }
    });
  }
});
