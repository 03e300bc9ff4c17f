/** The engine's words for RDF, as RDF/JS has them: wider than our own (they allow what no document of ours holds). */
import type SHACLValidator from "rdf-validate-shacl";

export type Dataset = ConstructorParameters<typeof SHACLValidator>[0];
export type DatasetQuad = Parameters<Dataset["add"]>[0];
export type DatasetTerm = Parameters<SHACLValidator["validateNode"]>[1];
