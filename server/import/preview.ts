/** What a file would become, before anything is written: how many things, where they would go, and the first of them as rows. */
import { fh, rdf, schema, sosa, vcard } from "@freehold/vocab";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import { type ImportOptions, importFile } from "./import-file.ts";
import type { ImportRun } from "./import-run.ts";
import type { Remark, SourceKind } from "./reading.ts";

const ROWS_SHOWN = 8;
const REMARKS_SHOWN = 20;
const VALUES_SHOWN = 3; // Of one field: an order may have fifty things in it.

/** Alternatives, each a way from the thing to a value. */
type Ways = readonly (readonly string[])[];

/** What of each kind of thing is shown in a row. */
const SHOWN: Readonly<Record<SourceKind, { readonly type: string; readonly fields: Record<string, Ways> }>> =
  {
    "address-book": {
      type: vcard.Individual,
      fields: {
        name: [[vcard.fn]],
        telephone: [[vcard.hasTelephone, vcard.value]],
        email: [[vcard.hasEmail, vcard.value]],
      },
    },
    "bank-statement": {
      type: schema.MoneyTransfer,
      fields: {
        date: [[fh.bookingDate]],
        who: [[fh.counterpartyName], [fh.remittance]],
        direction: [[fh.direction]],
        amount: [[schema.amount, schema.value]],
        currency: [[schema.amount, schema.currency]],
      },
    },
    "order-history": {
      type: schema.Order,
      fields: {
        date: [[schema.orderDate]],
        what: [[schema.orderedItem, schema.orderedItem, schema.name]],
        amount: [[schema.totalPaymentDue, schema.value]],
        currency: [[schema.totalPaymentDue, schema.currency]],
      },
    },
    "meter-readings": {
      type: sosa.Observation,
      fields: { time: [[schema.startTime]], value: [[sosa.hasSimpleResult]] },
    },
  };

export type PreviewRow = Readonly<Record<string, string>>;

export interface Preview {
  readonly kind: SourceKind;
  readonly bytes: number;
  /** `read` = `written` + `skipped` + `duplicate`. */
  readonly read: number;
  readonly written: number;
  readonly skipped: number;
  readonly duplicate: number;
  readonly documents: number;
  readonly remarks: readonly Remark[];
  readonly remarksLeftOut: number;
  /** Folders right under the pod's root that documents would go to, such as `/ana/bank/`. */
  readonly folders: readonly string[];
  /** The first things, each as its fields in words; what a thing does not say is left out. */
  readonly rows: readonly PreviewRow[];
}

/** What people call it: a telephone number without its scheme, the last word of a name. */
function wordsOf({ termType, value }: Quad["object"]): string {
  if (termType !== "NamedNode") return value;
  return /^(?:tel|mailto):(.*)$/.exec(value)?.[1] ?? /[^#/]*$/.exec(value)?.[0] ?? value;
}

function follow(quads: readonly Quad[], subject: string, way: readonly string[]): readonly string[] {
  let nodes: readonly Quad["object"][] = quads
    .filter((one) => one.subject.value === subject && one.predicate.value === way[0])
    .map(({ object }) => object);
  for (const property of way.slice(1)) {
    const from = new Set(nodes.map(({ value }) => value));
    nodes = quads
      .filter((one) => from.has(one.subject.value) && one.predicate.value === property)
      .map(({ object }) => object);
  }
  return nodes.map(wordsOf);
}

/** @param most How many more rows there is room for. */
function rowsIn(quads: readonly Quad[], kind: SourceKind, most: number): readonly PreviewRow[] {
  const { type, fields } = SHOWN[kind];
  return quads
    .filter(({ predicate, object }) => predicate.value === rdf.type && object.value === type)
    .slice(0, most)
    .map(({ subject }) => {
      const row: Record<string, string> = {};
      for (const [field, ways] of Object.entries(fields)) {
        const values = ways.map((way) => follow(quads, subject.value, way)).find((found) => found.length > 0);
        if (values) row[field] = values.slice(0, VALUES_SHOWN).join(", ");
      }
      return row;
    });
}

export const remarksShown = ({ warnings, warningsLeftOut }: ImportRun) => ({
  remarks: warnings.slice(0, REMARKS_SHOWN),
  remarksLeftOut: warningsLeftOut + Math.max(0, warnings.length - REMARKS_SHOWN),
});

/** Reads the whole file and writes nothing. @throws Problem as {@link importFile} does. */
export async function previewFile(options: ImportOptions): Promise<Preview> {
  const documents = importFile(options);
  const origin = new URL(options.pod.url).origin;
  const folders = new Set<string>();
  /** The first documents, by their shape, which says what is in them once the kind of file is known. */
  const first: (readonly Quad[])[] = [];
  for (;;) {
    const next = await documents.next();
    if (next.done) {
      const { kind, bytes, read, written, skipped, duplicate } = next.value;
      const rows: PreviewRow[] = [];
      for (const quads of first) rows.push(...rowsIn(quads, kind, ROWS_SHOWN - rows.length));
      return {
        kind,
        bytes,
        read,
        written,
        skipped,
        duplicate,
        documents: next.value.documents,
        ...remarksShown(next.value),
        folders: [...folders],
        rows,
      };
    }
    const { path, bytes, contentType } = next.value;
    const [, pod = "", folder = ""] = path.split("/");
    if (folder !== "imports") folders.add(`/${pod}/${folder}/`);
    if (first.length < 2 * ROWS_SHOWN && !path.endsWith("/"))
      first.push(await parseRdf(bytes, contentType, origin + path));
  }
}
