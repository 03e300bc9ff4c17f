/** How blank nodes are called on their way between documents and the evaluation of WHERE. */

/** Blank nodes of documents keep their labels behind the document's number; all others are fresh ones. */
const LABEL = /^([0-9]+)\.(.*)$/s;
export const labelOf = (document: number, label: string): string => `${document}.${label}`;
/** @returns null for a blank node that is none of a document. */
export function readLabel(label: string): { readonly document: number; readonly label: string } | null {
  const found = LABEL.exec(label);
  return found && { document: Number(found[1]), label: found[2]! };
}
