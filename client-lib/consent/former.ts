/**
 * Hosts that a pod has had before: what each said of the consents that it kept when the pod left it. By its keys are signed
 * the receipts that came along. A statement is signed by the key that the passport's own chain names as delegate, so
 * whoever has the passport can check it, also when that host is gone.
 */
import { type Bytes, decodeBase64url, jcs, tagged } from "../passport/bytes.ts";
import { verifySignature } from "../passport/key.ts";
import type { Passport } from "../passport/verify.ts";

export const STATEMENT_FORMAT = "freehold-consents/1";

/** What a host says of the consents of a pod, when it takes them along. */
export interface ConsentStatement {
  readonly format: typeof STATEMENT_FORMAT;
  /** Id of the export that it is in. */
  readonly export: string;
  readonly passport: string;
  /** Root of the pod there, ends in `/`. */
  readonly storage: string;
  /** UTC. */
  readonly taken: string;
  /** Of the file of records. */
  readonly records: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** By these that host signs receipts: addresses that end in a Multikey. */
  readonly receiptKeys: readonly string[];
}

export interface SignedStatement {
  readonly statement: ConsentStatement;
  /** A delegate of the passport, as a Multikey. */
  readonly key: string;
  /** Ed25519 over {@link bytesOfStatement}, base64url. */
  readonly s: string;
}

/** The bytes that are signed: for this purpose only, whatever else the key signs. */
export const bytesOfStatement = (statement: ConsentStatement): Bytes =>
  tagged("DCANN-consents-v1", jcs(statement));

/** Whether a host that a passport names, and at which it says it was, has signed this. */
export async function isVouchedFor(
  { statement, key, s }: SignedStatement,
  { id, delegates, data }: Pick<Passport, "id" | "delegates" | "data">,
): Promise<boolean> {
  const signature = decodeBase64url(s, 64);
  const places = [
    ...(data?.moved ?? []).map(({ from }) => from),
    ...(data?.storage ?? []).map(({ url }) => url),
  ];
  return (
    signature !== null &&
    statement.format === STATEMENT_FORMAT &&
    statement.passport === id &&
    delegates.includes(key) &&
    places.includes(statement.storage) &&
    (await verifySignature(key, signature, bytesOfStatement(statement)))
  );
}
