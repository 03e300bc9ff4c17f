/** What a recipe is given, and what it hands over. */

import type { Quad } from "../rdf/terms.ts";

export type ImportLimits = Readonly<
  Record<
    | "importBytesMax"
    | "importRecordBytesMax"
    | "importFieldBytesMax"
    | "importColumnsMax"
    | "importXmlDepthMax"
    | "importRecordsMax"
    | "importRecordsHeld"
    | "importDaysHeld"
    | "importWarningsMax"
    | "importDocumentsListed"
    | "importBatchDocuments",
    number
  >
>;

export type SourceKind = "address-book" | "bank-statement" | "order-history" | "meter-readings";

/** One thing with all that is said of it; it stands for `weight` records of the file (0: it only describes others). */
export interface ImportRecord {
  readonly subject: string;
  readonly quads: readonly Quad[];
  readonly weight: number;
}

/** A line of the file, from 1, and what is to be said about it; never a value of the file. */
export interface Remark {
  readonly line: number;
  readonly detail: string;
}

export type Reading =
  | {
      readonly kind: "document";
      readonly path: string;
      readonly shape: string;
      readonly records: readonly ImportRecord[];
    }
  /** A record that cannot be used: nothing of it is written, the next is read. */
  | { readonly kind: "skipped"; readonly remark: Remark }
  /** A record that says the same as one before. */
  | { readonly kind: "duplicate" }
  /** Something that was left out or changed in a record that is otherwise used. */
  | { readonly kind: "remark"; readonly remark: Remark };

export const skipped = (line: number, detail: string): Reading => ({
  kind: "skipped",
  remark: { line, detail },
});
export const remark = (line: number, detail: string): Reading => ({
  kind: "remark",
  remark: { line, detail },
});

export interface Source {
  /** First bytes as text, one letter a byte: enough to tell kinds of files apart. */
  readonly head: string;
  /** What a byte order mark says of the bytes: then `utf-8`; null without one. */
  readonly encoding: "utf-8" | null;
  /** The bytes of the file; UTF-16 has become UTF-8, a byte order mark is gone. May be read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface Context {
  readonly limits: ImportLimits;
  /** Keeps identifiers made from content from being guessed; the same for all imports of a pod. */
  readonly secret: string;
  /** @returns the absolute address of a path inside the pod, such as `bank/2026/03/x.ttl`. */
  readonly urlOf: (path: string) => string;
}

/** detect → read → fields → clean → id → frame → shape → place: the last seven are the recipe's own module. */
export interface Recipe {
  readonly kind: SourceKind;
  /** Grows whenever the same file would give other data. */
  readonly version: number;
  /** Looks at content, never at the file's name. @throws Problem `input-invalid` for a relative of the kind that is not supported. */
  readonly detect: (head: string) => boolean;
  /** Loads the parser on first use. */
  readonly load: () => Promise<(source: Source, context: Context) => AsyncIterable<Reading>>;
}
