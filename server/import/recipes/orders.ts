/**
 * Order history of a large shop: the table `Retail.OrderHistory` of its data export, in both of its header variants.
 * One row is one item of one shipment, so an order is spread over rows; its items may have been sent apart. The columns
 * about shipments repeat the whole shipment's sums on every row and are never added up.
 */
import { shapeNamed } from "@freehold/shapes";
import { fh, schema } from "@freehold/vocab";
import { oneLine, plain, redact, stableHash } from "../clean.ts";
import { readCsv } from "../csv.ts";
import { add, type Decimal, multiply, parseLocalDecimal, ZERO } from "../decimal.ts";
import { boolean, dateTime, decimal, describe, integer, ref, text } from "../frame.ts";
import { type Context, type ImportRecord, type Reading, type Source, skipped } from "../reading.ts";
import { refuse } from "../source.ts";
import { FIELDS, type Field } from "./orders-fields.ts";

const SHAPE = shapeNamed("Order").iri;

/** What the export writes where it knows nothing. */
const NOTHING = /^(?:not available|not applicable|n\/a|null|none)$/i;

const STATUSES: Readonly<Record<string, string>> = {
  closed: schema.OrderDelivered,
  delivered: schema.OrderDelivered,
  cancelled: schema.OrderCancelled,
  canceled: schema.OrderCancelled,
  shipped: schema.OrderInTransit,
  returned: schema.OrderReturned,
};

interface Item {
  readonly row: number;
  readonly key: string;
  readonly product: string;
  readonly productId: string | null;
  readonly serialNumber: string | null;
  readonly quantity: number;
  readonly price: Decimal;
  readonly gift: boolean;
  readonly shipped: string | null;
}

interface Order {
  readonly number: string;
  readonly date: string;
  readonly seller: string;
  readonly currency: string;
  status: string;
  readonly items: Item[];
  readonly keys: Set<string>;
}

/** `2026-03-02T10:15:00Z`, or `03/14/2021 10:22:33 UTC` in older exports. @returns xsd:dateTime in UTC, or null. */
function timeOf(written: string | null): string | null {
  const american = /^(\d{2})\/(\d{2})\/(\d{4})(?: (\d{2}:\d{2}:\d{2}))?(?: UTC)?$/.exec(written ?? "");
  const iso = american
    ? `${american[3]}-${american[1]}-${american[2]}T${american[4] ?? "00:00:00"}Z`
    : (written ?? "");
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(iso)) return null;
  const time = new Date(iso);
  if (
    Number.isNaN(time.getTime()) ||
    (iso.endsWith("Z") && time.toISOString().slice(0, 10) !== iso.slice(0, 10))
  )
    return null;
  return `${time.toISOString().slice(0, 19)}Z`;
}

type Values = (field: Field) => string | null;

/** @returns the item, or what is wrong with the row. */
function itemOf(row: number, value: Values, secret: string): Item | string {
  const product = redact(oneLine(value("product"), 500));
  if (!product) return "the row names no product";
  const quantity = /^\d{1,6}$/.test(value("quantity") ?? "") ? Number(value("quantity")) : 1;
  let price = parseLocalDecimal(value("paid") ?? "");
  if (!price) {
    const unit = parseLocalDecimal(value("unitPrice") ?? "");
    const tax = parseLocalDecimal(value("unitTax") ?? "0");
    if (!unit || !tax) return "the row has no amount that can be read";
    price = multiply(add(unit, tax), { units: BigInt(quantity), scale: 0 });
  }
  const productId = /^[A-Z0-9]{4,20}$/.exec(value("productId") ?? "")?.[0] ?? null;
  const shipped = timeOf(value("shipped"));
  const serialNumber = redact(oneLine(value("serialNumber"), 100));
  // What tells one line of an order from another: the parcel's number does, but it need not be kept.
  const parts = [
    productId ?? product,
    value("shipped") ?? "",
    value("parcel") ?? "",
    serialNumber ?? "",
    `${quantity}`,
    value("paid") ?? "",
    value("unitPrice") ?? "",
  ];
  const gift = [value("giftMessage"), value("giftSender"), value("giftRecipient")].some(
    (said) => said !== null,
  );
  return {
    row,
    key: stableHash(secret, ["order-item", ...parts], 12),
    product,
    productId,
    serialNumber,
    quantity,
    price,
    gift,
    shipped,
  };
}

function toRecord(order: Order, path: string, rows: number, { urlOf }: Context): ImportRecord {
  const url = urlOf(path);
  const it = `${url}#it`;
  const total = order.items.reduce((sum, { price }) => add(sum, price), ZERO);
  const quads = [
    ...describe(it, [schema.Order], {
      [schema.orderNumber]: text(order.number),
      [schema.orderDate]: dateTime(order.date),
      [schema.seller]: ref(`${url}#seller`),
      [schema.orderStatus]: ref(STATUSES[order.status.toLowerCase()] ?? schema.OrderProcessing),
      [schema.priceCurrency]: text(order.currency),
      [schema.totalPaymentDue]: ref(`${url}#total`),
      [schema.orderedItem]: order.items.map(({ key }) => ref(`${url}#item-${key}`)),
    }),
    ...describe(`${url}#seller`, [schema.Organization], { [schema.name]: text(order.seller) }),
    ...describe(`${url}#total`, [schema.MonetaryAmount], {
      [schema.value]: decimal(total),
      [schema.currency]: text(order.currency),
    }),
    ...order.items.flatMap((item) => [
      ...describe(`${url}#item-${item.key}`, [schema.OrderItem], {
        [schema.orderedItem]: ref(`${url}#product-${item.key}`),
        [schema.orderQuantity]: integer(item.quantity),
        [schema.price]: decimal(item.price),
        [fh.gift]: item.gift ? boolean(true) : null,
        [fh.shippedOn]: dateTime(item.shipped),
      }),
      ...describe(`${url}#product-${item.key}`, [schema.Product], {
        [schema.name]: text(item.product),
        [schema.productID]: text(item.productId),
        [schema.serialNumber]: text(item.serialNumber),
      }),
    ]),
  ];
  return { subject: it, quads, weight: rows };
}

/** Rows of one order may be far apart, so orders are held until the end: at most `importRecordsHeld` rows. */
export async function* readOrders(source: Source, context: Context): AsyncGenerator<Reading> {
  const { limits, secret } = context;
  const orders = new Map<string, Order>();
  let columns: ReadonlyMap<Field, number> | null = null;
  let width = 0;
  let held = 0;

  for await (const { line, values } of readCsv(source, limits)) {
    if (columns === null) {
      const names = values.map((name) => name.trim().toLowerCase());
      columns = new Map(
        FIELDS.map(({ field, names: aliases }) => [field, names.findIndex((name) => aliases.includes(name))]),
      );
      width = values.length;
      continue;
    }
    const known = columns;
    const value: Values = (field) => {
      const written = plain(values[known.get(field) ?? -1]);
      return written === null || NOTHING.test(written) ? null : written;
    };
    if (values.length !== width) {
      yield skipped(line, `the row has ${values.length} columns, the header ${width}`);
      continue;
    }
    if (values.some((text) => text.length > limits.importFieldBytesMax)) {
      yield skipped(line, "a field is too large");
      continue;
    }
    const number = redact(oneLine(value("order"), 60));
    const date = timeOf(value("date"));
    const currency = /^[A-Z]{3}$/.exec(value("currency") ?? "")?.[0];
    if (!number || !date || !currency) {
      yield skipped(
        line,
        `the row has no ${number ? (date ? "currency" : "date") : "order number"} that can be read`,
      );
      continue;
    }
    const item = itemOf(held, value, secret);
    if (typeof item === "string") {
      yield skipped(line, item);
      continue;
    }
    held += 1;
    if (held > limits.importRecordsHeld)
      refuse(`One file has at most ${limits.importRecordsHeld} rows: split it by year`, line);
    const seller = redact(oneLine(value("seller"), 200)) ?? "shop";
    const key = JSON.stringify([seller, number, currency]); // The same number in two currencies is two payments.
    let order = orders.get(key);
    if (!order) {
      order = { number, date, seller, currency, status: value("status") ?? "", items: [], keys: new Set() };
      orders.set(key, order);
    }
    if (order.keys.has(item.key)) {
      yield { kind: "duplicate" };
      continue;
    }
    order.keys.add(item.key);
    order.items.push(item);
  }

  for (const [key, order] of orders) {
    const id = stableHash(secret, ["order", key], 20);
    const path = `orders/${order.date.slice(0, 4)}/${id}.ttl`;
    orders.delete(key); // Its rows are free as soon as it is written.
    yield {
      kind: "document",
      path,
      shape: SHAPE,
      records: [toRecord(order, path, order.items.length, context)],
    };
  }
}
