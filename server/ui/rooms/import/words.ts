/** What is in a file from elsewhere, in the words of daily life. */
import type { IconName } from "../../parts/icons.ts";
import { count } from "../../parts/words.ts";

export type SourceKind = "address-book" | "bank-statement" | "order-history" | "meter-readings";

/** What one line of the preview says; fields that a thing does not have are missing. */
export type Row = Readonly<Record<string, string>>;

export interface Summary {
  readonly kind: SourceKind;
  readonly read: number;
  readonly written: number;
  readonly skipped: number;
  readonly duplicate: number;
}

export interface KindWords {
  readonly title: string;
  readonly icon: IconName;
  /** Where people get such a file. */
  readonly from: string;
  readonly files: string;
  readonly one: string;
  readonly many: string;
  readonly columns: readonly (readonly [field: string, title: string])[];
}

export const KINDS: Readonly<Record<SourceKind, KindWords>> = {
  "address-book": {
    title: "Address book",
    icon: "people",
    from: "In your phone or mail program: contacts, then export.",
    files: "vCard, ending in .vcf",
    one: "contact",
    many: "contacts",
    columns: [
      ["name", "Name"],
      ["telephone", "Telephone"],
      ["email", "E-mail"],
    ],
  },
  "bank-statement": {
    title: "Bank statement",
    icon: "card",
    from: "In your online banking: statements, then the format camt.053.",
    files: "camt.053, ending in .xml",
    one: "payment",
    many: "payments",
    columns: [
      ["date", "Day"],
      ["who", "With whom"],
      ["amount", "Amount"],
    ],
  },
  "order-history": {
    title: "Orders from a shop",
    icon: "box",
    from: "On the shop’s page about your account: ask for your data.",
    files: "order history, ending in .csv",
    one: "item",
    many: "items",
    columns: [
      ["date", "Day"],
      ["what", "What"],
      ["amount", "Amount"],
    ],
  },
  "meter-readings": {
    title: "Energy readings",
    icon: "clock",
    from: "On the page of whoever reads your meter: download my data.",
    files: "Green Button, ending in .xml",
    one: "reading",
    many: "readings",
    columns: [
      ["time", "Beginning"],
      ["value", "Value"],
    ],
  },
};

export const wordsOfKind = (kind: string): KindWords | null =>
  Object.hasOwn(KINDS, kind) ? KINDS[kind as SourceKind] : null;

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const plainNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

function money(amount: number, currency: string | undefined): string {
  if (!currency) return plainNumber.format(amount);
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).format(amount);
  } catch {
    return `${plainNumber.format(amount)} ${currency}`; // Not everything of three letters is a currency.
  }
}

/** What stands in the table: dates and amounts as people write them; “–” for what is not there. */
export function cellOf(row: Row, field: string): string {
  const text = row[field];
  if (text === undefined || text === "") return "–";
  if (field === "date" || field === "time") {
    const at = Date.parse(text);
    return Number.isNaN(at) ? text : (field === "date" ? day : moment).format(at);
  }
  if (field === "amount" && Number.isFinite(Number(text)))
    return money(row["direction"] === "debit" ? -Number(text) : Number(text), row["currency"]);
  if (field === "value" && Number.isFinite(Number(text))) return plainNumber.format(Number(text));
  return text;
}

export function amountOf(kind: string, amount: number): string {
  const words = wordsOfKind(kind);
  return words ? count(amount, words.one, words.many) : count(amount, "thing");
}

/** What became of an import that was taken back, in one sentence or two. */
export function takenBackWords({
  removed,
  putBack,
  kept,
}: {
  readonly removed: number;
  readonly putBack: number;
  readonly kept: number;
}): string {
  const gone = removed > 0 ? `${count(removed, "document")} went to the trash.` : "";
  const back = putBack > 0 ? `${count(putBack, "document")} ${putBack === 1 ? "is" : "are"} as before.` : "";
  const stays =
    kept > 0
      ? `${count(kept, "document")} ${kept === 1 ? "was" : "were"} changed since and ${kept === 1 ? "stays" : "stay"}.`
      : "";
  return [gone, back, stays].filter(Boolean).join(" ") || "There was nothing left of it.";
}
