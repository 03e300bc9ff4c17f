/** All kinds of files that can be read, each told by its content. */
import type { Recipe } from "./reading.ts";
import { isOrderHistory } from "./recipes/orders-fields.ts";
import { refuse } from "./source.ts";

/** Bank messages of the same family that say something else. */
const OTHER_BANK_MESSAGE = /tech:xsd:(camt|pain|pacs)\.(\d{3})\.\d{3}\.\d{2}/;
const CAMT_053 = /urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d{2})\b/;
const VERSIONS: ReadonlySet<string> = new Set([
  "02",
  "03",
  "04",
  "05",
  "06",
  "07",
  "08",
  "09",
  "10",
  "11",
  "12",
  "13",
]);

const RECIPES: readonly Recipe[] = [
  {
    kind: "address-book",
    version: 1,
    detect: (head) => /^\s*BEGIN:VCARD\s*$/im.test(head.slice(0, 1_000)),
    load: async () => (await import("./recipes/contacts.ts")).readContacts,
  },
  {
    kind: "bank-statement",
    version: 1,
    detect: (head) => {
      const found = CAMT_053.exec(head)?.[1];
      const other = found ? null : OTHER_BANK_MESSAGE.exec(head);
      if (other)
        refuse(`This is a bank message of the kind ${other[1]}.${other[2]}; choose a statement, camt.053`);
      if (found && !VERSIONS.has(found)) refuse(`Version .${found} of camt.053 is not known`);
      return found !== undefined;
    },
    load: async () => (await import("./recipes/bank.ts")).readBank,
  },
  {
    kind: "meter-readings",
    version: 1,
    detect: (head) => head.includes("http://naesb.org/espi"),
    load: async () => (await import("./recipes/meters.ts")).readMeters,
  },
  {
    kind: "order-history",
    version: 1,
    detect: isOrderHistory,
    load: async () => (await import("./recipes/orders.ts")).readOrders,
  },
];

/** @throws Problem `input-invalid` for a file of no kind that is known. */
export function recipeFor(head: string): Recipe {
  return (
    RECIPES.find(({ detect }) => detect(head)) ??
    refuse(
      "This kind of file is not known; choose an address book (vCard), a bank statement (camt.053), an order history or meter readings (Green Button)",
    )
  );
}
