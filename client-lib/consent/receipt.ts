/** What both sides do alike with a receipt: tell whether two are the same, and whose signatures they have. */
import { jcs } from "../passport/bytes.ts";
import type { Json } from "../passport/form.ts";

const unsigned = (document: Json): string => jcs({ ...document, proof: undefined });

/** Whether two documents say the same, whoever signed them. */
export function isSameDocument(one: Json, other: Json): boolean {
  try {
    return unsigned(one) === unsigned(other);
  } catch {
    return false; // What JSON cannot say is the same as nothing.
  }
}
