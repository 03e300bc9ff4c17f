/** Access as an application sees it; apart from the lists, so that types of this library need none of an RDF parser. */

/** What may be done: append adds and takes nothing away; control is to decide who else may. */
export type AccessMode = "read" | "append" | "write" | "control";

/** One line of who has access: to what, and through which list. */
export interface Access {
  readonly who:
    | { readonly kind: "agent" | "group"; readonly iri: string }
    | { readonly kind: "public" | "signed-in" };
  /** Write includes append. */
  readonly modes: readonly AccessMode[];
  /** The document or folder. */
  readonly url: string;
  /** Of a folder: whether this is about the folder itself, about what is in it without a list of its own, or both. */
  readonly covers: "itself" | "contents" | "both";
  /** The access list that says so. */
  readonly via: string;
  /** Whether the list is that of a folder above. */
  readonly inherited: boolean;
  /** Whether it holds only under further conditions: certain applications or issuers. */
  readonly narrowed: boolean;
}
