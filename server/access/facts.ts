/** What a grant may ask of a resource beside its place: of which media type it is, and of which classes. */
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { mediaTypeOf } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { ownTypes } from "../rdf/types.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import type { GrantRule } from "./grants.ts";

/** What a rule may ask of a resource beside its place. */
export interface Facts {
  readonly isContainer: boolean;
  readonly mediaType: string;
  types(): Promise<readonly string[]>;
}

const LWS = "https://www.w3.org/ns/lws#";
const LDP = "http://www.w3.org/ns/ldp#";
const CONTAINER_TYPES: readonly string[] = [`${LWS}Container`, `${LDP}Container`, `${LDP}BasicContainer`];
const DOCUMENT_TYPES: readonly string[] = [`${LWS}DataResource`];

/** Classes are kept as long as the store keeps the entries of the documents that say them. @param origin No slash at the end. */
export function createFacts(origin: string, limits: Limits) {
  const typesOf = new WeakMap<Entry, Promise<readonly string[]>>();

  async function derive(body: Entry, path: string, contentType: string): Promise<readonly string[]> {
    const url = `${origin}${path}`;
    return parseRdf(body.value, contentType, url, limits).then(
      (quads) => ownTypes(quads, url),
      () => [],
    );
  }

  /** Null for what is not there: then nothing is known of it that a rule could ask for. */
  async function factsOf(snapshot: Snapshot, path: string): Promise<Facts | null> {
    const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
    if (!entry) return null;
    const { kind, contentType } = decodeRecord<ResourceRecord>(entry);
    const isContainer = kind === "container";
    return {
      isContainer,
      mediaType: mediaTypeOf(contentType),
      async types() {
        if (isContainer) return CONTAINER_TYPES;
        const body = kind === "rdf" ? await snapshot.get("body", path, "") : null;
        if (!body) return DOCUMENT_TYPES;
        let types = body.version > 0 ? typesOf.get(body) : undefined;
        if (!types) typesOf.set(body, (types = derive(body, path, contentType)));
        return [...DOCUMENT_TYPES, ...(await types)];
      },
    };
  }

  /**
   * Those of some rules that give a resource. A folder lists all that is in it: who was granted one kind of content was not
   * granted that; nor what is said about it elsewhere, in its description.
   */
  async function fitting(
    rules: readonly GrantRule[],
    isAuxiliary: boolean,
    facts: () => Promise<Facts | null>,
  ): Promise<readonly GrantRule[]> {
    const asks = rules.some(({ mediaTypes, types }) => mediaTypes !== null || types !== null);
    if (!asks) return rules;
    const found = isAuxiliary ? null : await facts();
    const own = found && rules.some(({ types }) => types !== null) ? await found.types() : [];
    return rules.filter(({ mediaTypes, types }) => {
      if (mediaTypes === null && types === null) return true;
      if (!found) return false; // Views among them: what such a rule gives of one is in the view already.
      if (mediaTypes !== null && (found.isContainer || !mediaTypes.includes(found.mediaType))) return false;
      return types === null || types.some((type) => own.includes(type));
    });
  }

  return { factsOf, fitting };
}
