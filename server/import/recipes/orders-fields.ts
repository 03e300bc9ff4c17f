/** Columns of the order history by all names they have had. Columns that are not here are never looked at. */

export type Field =
  | "seller"
  | "order"
  | "date"
  | "currency"
  | "unitPrice"
  | "unitTax"
  | "paid"
  | "productId"
  | "quantity"
  | "status"
  | "shipped"
  | "parcel"
  | "product"
  | "giftMessage"
  | "giftSender"
  | "giftRecipient"
  | "serialNumber";

interface Column {
  readonly field: Field;
  /** In lower case. */
  readonly names: readonly string[];
  readonly required: boolean;
}

/**
 * Left out on purpose: how it was paid, addresses, the buyer's network address, purchase order numbers. Gift texts and
 * parcel numbers are only looked at: for whether it was a gift, and to tell equal lines apart.
 */
export const FIELDS: readonly Column[] = [
  { field: "seller", names: ["website"], required: false },
  { field: "order", names: ["order id"], required: true },
  { field: "date", names: ["order date"], required: true },
  { field: "currency", names: ["currency"], required: true },
  { field: "unitPrice", names: ["unit price"], required: true },
  { field: "unitTax", names: ["unit price tax"], required: false },
  { field: "paid", names: ["total owed", "total amount"], required: true },
  { field: "productId", names: ["asin"], required: false },
  { field: "quantity", names: ["quantity", "original quantity"], required: false },
  { field: "status", names: ["order status"], required: false },
  { field: "shipped", names: ["ship date"], required: false },
  { field: "parcel", names: ["carrier name & tracking number"], required: false },
  { field: "product", names: ["product name"], required: true },
  { field: "giftMessage", names: ["gift message"], required: false },
  { field: "giftSender", names: ["gift sender name"], required: false },
  {
    field: "giftRecipient",
    names: ["gift recipient contact details", "gift recipient contact"],
    required: false,
  },
  { field: "serialNumber", names: ["item serial number"], required: false },
];

/** Whether a header row has all columns that must be there. */
export function isOrderHistory(head: string): boolean {
  const header = (head.split(/\r?\n/, 1)[0] ?? "").slice(0, 16_384);
  const names = new Set(
    header.split(/[,;\t]/).map((name) => name.trim().replaceAll('"', "").trim().toLowerCase()),
  );
  return FIELDS.every(
    ({ required, names: aliases }) => !required || aliases.some((alias) => names.has(alias)),
  );
}
