import { dcterms, fh, schema } from "@freehold/vocab";
import { expect } from "chai";
import { importAll, recordsIn, refusalOf, textOf, valuesOf } from "./support.ts";

const IBAN = "CH9300762011623852957";

const statement = (
  entries: string,
  { version = "08", account = `<IBAN>${IBAN}</IBAN>`, more = "" } = {},
): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>
<Stmt><Id>S</Id><Acct><Id>${account}</Id></Acct>
${entries}
</Stmt>${more}</BkToCstmrStmt></Document>`;

interface Entry {
  readonly amount?: string;
  readonly direction?: string;
  readonly day?: string;
  readonly reference?: string | null;
  readonly more?: string;
  readonly details?: string;
}
const entry = ({
  amount = '<Amt Ccy="CHF">12.40</Amt>',
  direction = "DBIT",
  day = "2026-03-02",
  reference = "R1",
  more = "",
  details = "",
}: Entry = {}): string =>
  `<Ntry>${amount}<CdtDbtInd>${direction}</CdtDbtInd>${more}<BookgDt><Dt>${day}</Dt></BookgDt>${reference === null ? "" : `<AcctSvcrRef>${reference}</AcctSvcrRef>`}${details && `<NtryDtls>${details}</NtryDtls>`}</Ntry>\n`;

async function payments(content: string | Uint8Array) {
  const { documents, run } = await importAll(content);
  return { run, payments: recordsIn(documents) };
}
const amounts = (documents: Awaited<ReturnType<typeof payments>>["payments"]): readonly string[] =>
  documents.flatMap((document) => valuesOf(document, schema.value));

describe("bank statements", () => {
  const named = (version: string): string =>
    version < "08"
      ? "<Cdtr><Nm>Bäckerei Sommer</Nm></Cdtr>"
      : "<Cdtr><Pty><Nm>Bäckerei Sommer</Nm></Pty></Cdtr>";
  for (const version of ["02", "04", "06", "08", "10", "13"]) {
    it(`version .${version}: amount, direction, days, names and message`, async () => {
      const details = `<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><RltdPties>${named(version)}<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>Gipfeli &amp; </Ustrd><Ustrd>Kaffee ☕</Ustrd></RmtInf></TxDtls>`;
      const {
        payments: [payment],
      } = await payments(
        statement(entry({ details, more: version < "04" ? "<Sts>BOOK</Sts>" : "<Sts><Cd>BOOK</Cd></Sts>" }), {
          version,
        }),
      );
      if (!payment) throw new Error("There is no payment");
      const value = (predicate: string): string | undefined => valuesOf(payment, predicate)[0];
      expect([value(schema.value), value(schema.currency), value(fh.direction)]).to.deep.equal([
        "12.40",
        "CHF",
        fh.debit,
      ]);
      expect([value(fh.counterpartyName), value(fh.remittance)]).to.deep.equal([
        "Bäckerei Sommer",
        "Gipfeli & Kaffee ☕",
      ]);
      expect([value(fh.bookingDate), value(dcterms.identifier)]).to.deep.equal(["2026-03-02", "R1"]);
      expect(value(fh.accountRef)).to.match(/^2957-[0-9a-f]{16}$/);
      expect(value(fh.counterpartyRef)).to.match(/^3000-[0-9a-f]{16}$/);
      expect(payment.path).to.match(/^\/ana\/bank\/2957-[0-9a-f]{6}\/2026\/03\/[0-9a-f]{20}\.ttl$/);
      expect(textOf(payment)).not.to.contain(IBAN).and.not.to.contain("DE89370400440532013000");
    });
  }

  it("namespaces may have any prefix", async () => {
    const { payments: found } = await payments(
      statement(entry())
        .replaceAll(/<(\/?)([A-Z])/g, "<$1b:$2")
        .replace("xmlns=", "xmlns:b="),
    );
    expect(amounts(found)).to.deep.equal(["12.40"]);
  });

  it("a batch is its payments, in both ways of saying their amounts", async () => {
    const newer =
      '<TxDtls><Amt Ccy="CHF">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls><TxDtls><Amt Ccy="CHF">2.40</Amt></TxDtls>';
    const older =
      '<TxDtls><AmtDtls><TxAmt><Amt Ccy="CHF">10.00</Amt></TxAmt></AmtDtls></TxDtls><TxDtls><AmtDtls><TxAmt><Amt Ccy="CHF">2.40</Amt></TxAmt></AmtDtls></TxDtls>';
    for (const details of [newer, older]) {
      const { payments: found, run } = await payments(statement(entry({ details })));
      expect(amounts(found)).to.deep.equal(["10.00", "2.40"]);
      expect(found.flatMap((payment) => valuesOf(payment, dcterms.identifier))).to.deep.equal([
        "R1/1",
        "R1/2",
      ]);
      expect(run.read).to.equal(2);
    }
  });

  it("a batch without amounts, or in another currency, stays one payment", async () => {
    for (const details of [
      "<TxDtls></TxDtls><TxDtls></TxDtls>",
      '<TxDtls><Amt Ccy="EUR">10.00</Amt></TxDtls><TxDtls><Amt Ccy="EUR">2.40</Amt></TxDtls>',
    ]) {
      expect(amounts((await payments(statement(entry({ details })))).payments)).to.deep.equal(["12.40"]);
    }
  });

  it("one detail in a foreign currency does not change what the account paid", async () => {
    const details =
      '<TxDtls><AmtDtls><InstdAmt><Amt Ccy="EUR">11.00</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">11.00</Amt></TxAmt></AmtDtls></TxDtls>';
    const {
      payments: [payment],
    } = await payments(statement(entry({ details })));
    expect(payment && [valuesOf(payment, schema.value), valuesOf(payment, schema.currency)]).to.deep.equal([
      ["12.40"],
      ["CHF"],
    ]);
  });

  it("money that comes in is from the payer; a reversal is marked and still names the other side", async () => {
    const parties =
      "<TxDtls><RltdPties><Dbtr><Pty><Nm>Payer</Nm></Pty></Dbtr><Cdtr><Pty><Nm>Payee</Nm></Pty></Cdtr></RltdPties></TxDtls>";
    const cases = [
      { direction: "CRDT", more: "", name: "Payer", reversal: [] },
      { direction: "DBIT", more: "", name: "Payee", reversal: [] },
      { direction: "CRDT", more: "<RvslInd>true</RvslInd>", name: "Payee", reversal: ["true"] },
      { direction: "DBIT", more: "<RvslInd>1</RvslInd>", name: "Payer", reversal: ["true"] },
    ];
    for (const { direction, more, name, reversal } of cases) {
      const {
        payments: [payment],
      } = await payments(statement(entry({ direction, more, details: parties })));
      expect(payment && valuesOf(payment, fh.counterpartyName), `${direction} ${more}`).to.deep.equal([name]);
      expect(payment && valuesOf(payment, fh.reversal)).to.deep.equal(reversal);
      expect(payment && valuesOf(payment, fh.direction)).to.deep.equal([
        direction === "CRDT" ? fh.credit : fh.debit,
      ]);
    }
  });

  it("several statements: each booking belongs to its own account, and what is repeated is met before", async () => {
    const more = `<Stmt><Acct><Id><Othr><Id>407-991 2345</Id></Othr></Id></Acct>${entry()}</Stmt><Stmt><Acct><Id><IBAN>${IBAN}</IBAN></Id></Acct>${entry()}${entry({ reference: "R2" })}</Stmt>`;
    const { payments: found, run } = await payments(statement(entry(), { more }));
    expect(found.map((payment) => valuesOf(payment, fh.accountRef)[0]?.slice(0, 4))).to.deep.equal([
      "2957",
      "2345",
      "2957",
    ]);
    expect([run.read, run.written, run.duplicate]).to.deep.equal([4, 3, 1]);
  });

  it("two equal coffees without a reference are two payments; the same statement twice is still two", async () => {
    const coffees = entry({ reference: null }) + entry({ reference: "NOTPROVIDED" });
    const more = `<Stmt><Acct><Id><IBAN>${IBAN}</IBAN></Id></Acct>${coffees}</Stmt>`;
    const { run } = await payments(statement(coffees, { more }));
    expect([run.written, run.duplicate]).to.deep.equal([2, 2]);
  });

  it("what is not yet booked waits for the next statement", async () => {
    const { run } = await payments(
      statement(
        entry() +
          entry({ reference: "R2", more: "<Sts>PDNG</Sts>" }) +
          entry({ reference: "R3", more: "<Sts><Cd>INFO</Cd></Sts>" }),
      ),
    );
    expect([run.written, run.skipped]).to.deep.equal([1, 2]);
    expect(run.warnings.map(({ line }) => line)).to.deep.equal([5, 6]);
  });

  it("card and account numbers in messages and references keep only their end", async () => {
    const details = `<TxDtls><RltdPties><Cdtr><Pty><Nm>4111 1111 1111 1111</Nm></Pty></Cdtr></RltdPties><RmtInf><Ustrd>Card 5500000000000004 from CH93 0076 2011 6238 5295 7 RENT</Ustrd></RmtInf></TxDtls>`;
    const {
      payments: [payment],
    } = await payments(statement(entry({ details, reference: "4111111111111111" })));
    if (!payment) throw new Error("There is no payment");
    expect(valuesOf(payment, fh.remittance)).to.deep.equal(["Card …0004 from …2957 RENT"]);
    expect(valuesOf(payment, fh.counterpartyName)).to.deep.equal(["…1111"]);
    expect(textOf(payment)).not.to.match(/4111 ?1111|55000000|0076/);
  });

  it("a fee of the bank is marked", async () => {
    const code =
      "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd><AddtlNtryInf>Account fee</AddtlNtryInf>";
    const {
      payments: [payment],
    } = await payments(statement(entry({ more: code })));
    expect(
      payment && [
        valuesOf(payment, fh.feeKind),
        valuesOf(payment, fh.bankTxCode),
        valuesOf(payment, fh.remittance),
      ],
    ).to.deep.equal([["CHRG"], ["PMNT-MDOP-CHRG"], ["Account fee"]]);
  });

  const bad: readonly [why: string, entry: string, detail: RegExp][] = [
    ["no amount", entry({ amount: "" }), /no amount/],
    ["an amount in words", entry({ amount: '<Amt Ccy="CHF">twelve</Amt>' }), /no amount/],
    ["an amount without a currency", entry({ amount: "<Amt>12.40</Amt>" }), /no amount/],
    ["a negative amount", entry({ amount: '<Amt Ccy="CHF">-12.40</Amt>' }), /no amount/],
    ["not a number", entry({ amount: '<Amt Ccy="CHF">NaN</Amt>' }), /no amount/],
    ["an endless number", entry({ amount: `<Amt Ccy="CHF">${"9".repeat(5_000)}</Amt>` }), /no amount/],
    ["no direction", entry({ direction: "BOTH" }), /came or went/],
    ["a day that does not exist", entry({ day: "2026-02-30" }), /no date/],
    ["a path instead of a day", entry({ day: "../../../acl" }), /no date/],
    [
      "too large",
      entry({ details: `<TxDtls><RmtInf>${"<Ustrd>x</Ustrd>".repeat(40_000)}</RmtInf></TxDtls>` }),
      /too large/,
    ],
  ];
  for (const [why, wrong, detail] of bad) {
    it(`a booking with ${why} is left out, and the next is read`, async () => {
      const { run, payments: found } = await payments(
        statement(wrong + entry({ reference: "R9", amount: '<Amt Ccy="CHF">1.00</Amt>' })),
      );
      expect(amounts(found)).to.deep.equal(["1.00"]);
      expect(run.warnings).to.have.length(1);
      expect(run.warnings[0]?.detail).to.match(detail);
      expect(run.warnings[0]?.line).to.equal(4);
    });
  }

  it("honours the encoding that the document declares", async () => {
    const text = statement(
      entry({ details: "<TxDtls><RmtInf><Ustrd>Gipfeli für Zoë</Ustrd></RmtInf></TxDtls>" }),
    ).replace("UTF-8", "ISO-8859-1");
    const {
      payments: [payment],
    } = await payments(Buffer.from(text, "latin1"));
    expect(payment && valuesOf(payment, fh.remittance)).to.deep.equal(["Gipfeli für Zoë"]);
    const wide = Buffer.from(
      `\ufeff${statement(entry({ details: "<TxDtls><RmtInf><Ustrd>Zoë 🥐</Ustrd></RmtInf></TxDtls>" })).replace("UTF-8", "UTF-16")}`,
      "utf16le",
    );
    const {
      payments: [other],
    } = await payments(wide);
    expect(other && valuesOf(other, fh.remittance)).to.deep.equal(["Zoë 🥐"]);
  });

  it("tells other bank messages and unknown versions apart", async () => {
    expect((await refusalOf(statement("").replace("camt.053.001.08", "camt.054.001.08"))).detail).to.match(
      /camt\.054.*camt\.053/,
    );
    expect((await refusalOf(statement("").replace("camt.053.001.08", "camt.053.001.99"))).detail).to.match(
      /\.99/,
    );
  });

  it("refuses a statement that does not say of which account", async () => {
    const problem = await refusalOf(statement(entry(), { account: "" }));
    expect([problem.code, problem.errors[0]?.at]).to.deep.equal(["input-invalid", "3:1"]);
  });
});
