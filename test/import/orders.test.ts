import { fh, schema } from "@freehold/vocab";
import { expect } from "chai";
import { importAll, quadsOf, recordsIn, refusalOf, textOf, valuesOf } from "./support.ts";

const DEFAULTS: Readonly<Record<string, string>> = {
  Website: "shop.example",
  "Order ID": "303-1234567-7654321",
  "Order Date": "2026-03-02T10:15:00Z",
  Currency: "EUR",
  "Unit Price": "10.00",
  "Unit Price Tax": "2.00",
  "Total Owed": "12.00",
  "Shipment Item Subtotal": "99.00",
  ASIN: "B012345678",
  Quantity: "1",
  "Payment Instrument Type": "Visa - 4111111111111111",
  "Order Status": "Closed",
  "Ship Date": "2026-03-04T08:30:00Z",
  "Shipping Address": "Secret Street 5",
  "Carrier Name & Tracking Number": "ParcelCo(T1)",
  "Product Name": "Kettle",
  "Gift Message": "Not Available",
  "Gift Sender Name": "Not Available",
  "Item Serial Number": "Not Available",
};
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const table = (rows: readonly Readonly<Record<string, string>>[], separator = ","): string =>
  [Object.keys(DEFAULTS), ...rows.map((row) => Object.values({ ...DEFAULTS, ...row }))]
    .map((values) => values.map(quote).join(separator))
    .join("\r\n");

async function orders(content: string | Uint8Array) {
  const { documents, run } = await importAll(content);
  return { run, orders: recordsIn(documents) };
}
async function orderOf(row: Readonly<Record<string, string>>) {
  const {
    orders: [order],
    run,
  } = await orders(table([row]));
  if (!order) throw new Error("There is no order");
  return { order, run };
}

describe("order histories", () => {
  it("one row per item of a shipment: rows of one order are one order, and shipments' sums are not added", async () => {
    const { orders: found, run } = await orders(
      table([
        { ASIN: "B000000001", "Carrier Name & Tracking Number": "ParcelCo(T1)" },
        { "Order ID": "404-0000000-0000000", "Total Owed": "5.00" },
        { ASIN: "B000000002", "Carrier Name & Tracking Number": "ParcelCo(T2)", "Total Owed": "8.50" },
      ]),
    );
    expect(found).to.have.length(2);
    expect([run.read, run.written]).to.deep.equal([3, 3]);
    const [first] = found;
    expect(first && valuesOf(first, schema.value, "total")).to.deep.equal(["20.50"]);
    expect(first && valuesOf(first, schema.orderedItem, "it")).to.have.length(2);
    expect(first && textOf(first)).not.to.contain("99.00");
  });

  it("the same thing in two parcels is two lines; the same row twice is one", async () => {
    const {
      orders: [order],
      run,
    } = await orders(table([{}, { "Carrier Name & Tracking Number": "ParcelCo(T2)" }, {}]));
    expect(order && valuesOf(order, schema.price)).to.deep.equal(["12.00", "12.00"]);
    expect([run.written, run.duplicate]).to.deep.equal([2, 1]);
  });

  it("reads both variants of the header, in any order, with a byte order mark, by comma, semicolon or tab", async () => {
    const renamed = (text: string): string =>
      text
        .replace("Total Owed", "Total Amount")
        .replace("Payment Instrument Type", "Payment Method Type")
        .replace('"Quantity"', '"Original Quantity"');
    const variants = [
      table([{ Quantity: "2" }]),
      renamed(table([{ Quantity: "2" }])),
      `\ufeff${table([{ Quantity: "2" }])}`,
      table([{ Quantity: "2" }], ";"),
      table([{ Quantity: "2" }], "\t"),
    ];
    const texts = await Promise.all(variants.map(async (text) => (await orders(text)).orders.map(textOf)));
    for (const found of texts) expect(found).to.have.length(1);
    expect(texts[0]?.[0]).to.contain("schema:orderQuantity 2");
    const bodies = texts.map((found) => found[0]?.replaceAll(/imports\/[^>]+/g, ""));
    expect(new Set(bodies).size, "all variants give the same").to.equal(1);
  });

  it("sentinels are nothing: neither text nor gift", async () => {
    const { order } = await orderOf({
      "Ship Date": "Not Available",
      "Item Serial Number": "Not Applicable",
      "Gift Message": "Not Available",
    });
    expect(textOf(order)).not.to.match(/Not A|shippedOn|gift|serialNumber/);
  });

  it("a gift is marked, and nothing of what was written to whom is kept", async () => {
    const { order } = await orderOf({ "Gift Message": "With love\nto Zoë", "Gift Sender Name": "Ana" });
    expect(valuesOf(order, fh.gift)).to.deep.equal(["true"]);
    expect(textOf(order)).not.to.match(/love|Zoë|Ana/);
  });

  it("how it was paid, where it went and which parcel it was are left out", async () => {
    const { order } = await orderOf({});
    expect(textOf(order)).not.to.match(/Visa|4111|Secret|ParcelCo/);
  });

  const money: readonly [written: string, value: string][] = [
    ["12.00", "12.00"],
    ["1,234.50", "1234.50"],
    ["1.234,50", "1234.50"],
    ["12,5", "12.5"],
    ["R 1 299,00", "1299.00"],
    ["CHF 1'299.00", "1299.00"],
    ["€12.00", "12.00"],
    ["1,234,567", "1234567.0"],
    ["1.234", "1234.0"],
    ["0.125", "0.125"],
    ["-4.90", "-4.90"],
  ];
  for (const [written, value] of money) {
    it(`${written} is ${value}`, async () =>
      expect(valuesOf((await orderOf({ "Total Owed": written })).order, schema.price)).to.deep.equal([
        value,
      ]));
  }

  it("without a total, price and tax are multiplied, exactly", async () => {
    const { order } = await orderOf({
      "Total Owed": "Not Available",
      "Unit Price": "0.10",
      "Unit Price Tax": "0.20",
      Quantity: "3",
    });
    expect(valuesOf(order, schema.value, "total")).to.deep.equal(["0.90"]);
  });

  it("dates of old exports are American", async () => {
    expect(
      valuesOf((await orderOf({ "Order Date": "03/14/2021 10:22:33 UTC" })).order, schema.orderDate),
    ).to.deep.equal(["2021-03-14T10:22:33Z"]);
    expect(
      valuesOf((await orderOf({ "Order Date": "2021-03-14T10:22:33.125+02:00" })).order, schema.orderDate),
    ).to.deep.equal(["2021-03-14T08:22:33Z"]);
  });

  it("a cancelled order is one, with nothing to pay", async () => {
    const { order } = await orderOf({ "Order Status": "Cancelled", Quantity: "0", "Total Owed": "0" });
    expect([
      valuesOf(order, schema.orderStatus),
      valuesOf(order, schema.orderQuantity),
      valuesOf(order, schema.price),
    ]).to.deep.equal([[schema.OrderCancelled], ["0"], ["0.0"]]);
  });

  it("formulas, quotes, line breaks and markup stay text", async () => {
    for (const name of [
      '=HYPERLINK("http://evil.example","x")',
      "@SUM(A1)",
      "Pan\nwith lid",
      "<script>alert(1)</script>",
      '"quoted" \\ back',
      "}> . <#x> <y> <z> .",
    ]) {
      const { order } = await orderOf({ "Product Name": name });
      const names = quadsOf(order).filter(
        (quad) => quad.predicate.value === schema.name && quad.subject.value.includes("#product"),
      );
      expect(names.map((quad) => quad.object.value)).to.deep.equal([name.replaceAll("\n", " ")]);
      expect(quadsOf(order).map((quad) => quad.subject.value)).not.to.include("#x");
    }
  });

  it("rows that cannot be used are named by line, also after a quoted line break; the others are written", async () => {
    const text = `${table([{ "Product Name": "Pan\nwith\nlid" }, { "Order ID": "A", "Order Date": "soon" }, { "Order ID": "B", Currency: "euro" }, { "Order ID": "", "Product Name": "x" }, { "Order ID": "C", "Product Name": "" }])}\r\n"short","row"\r\n`;
    const { run } = await orders(text);
    expect(run.warnings).to.deep.equal([
      { line: 5, detail: "the row has no date that can be read" },
      { line: 6, detail: "the row has no currency that can be read" },
      { line: 7, detail: "the row has no order number that can be read" },
      { line: 8, detail: "the row names no product" },
      { line: 9, detail: "the row has 2 columns, the header 19" },
    ]);
    expect([run.read, run.written, run.skipped]).to.deep.equal([6, 1, 5]);
  });

  it("refuses a table that ends inside quotes", async () => {
    const problem = await refusalOf(`${table([{}])}\r\n"never closed`);
    expect(problem.code).to.equal("input-invalid");
    expect(problem.detail).to.match(/cannot be read on/);
  });

  it("refuses more rows than can be held", async () => {
    const rows = Array.from({ length: 12 }, (_, place) => ({ "Order ID": `O-${place}` }));
    expect((await refusalOf(table(rows), { limits: { importRecordsHeld: 10 } })).detail).to.match(
      /at most 10 rows/,
    );
  });
});
