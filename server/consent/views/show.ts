/** Views and definitions as answers. */
import { fh, foaf, rdf, schema, sosa, vcard, xsd } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { Lru } from "../../lru.ts";
import type { Operation, Result } from "../../operation.ts";
import { negotiate, RDF_TYPES, type RdfType } from "../../rdf/media.ts";
import type { Pod } from "../../store/pods.ts";
import { definitionToSend, type ViewDefinition } from "./definitions.ts";
import type { Derived, Job } from "./derive.ts";
import { GENID_PATH } from "./pairwise.ts";
import type { Made } from "./views.ts";

const DEFINITION_TYPE = "application/json";
const HEADERS = {
  "cache-control": "private, no-cache",
  vary: "Accept, Authorization, Origin, Access-Purpose, Access-Grant",
};

const namespaceOf = (iri: string): string =>
  iri.slice(0, Math.max(iri.lastIndexOf("#"), iri.lastIndexOf("/")) + 1);
const PREFIXES: Readonly<Record<string, string>> = {
  rdf: namespaceOf(rdf.type),
  xsd: namespaceOf(xsd.date),
  schema: namespaceOf(schema.name),
  vcard: namespaceOf(vcard.fn),
  foaf: namespaceOf(foaf.name),
  sosa: namespaceOf(sosa.Observation),
  fh: namespaceOf(fh.role),
};

const ENDINGS: Readonly<Record<RdfType, string>> = {
  "text/turtle": "ttl",
  "application/ld+json": "jsonld",
  "application/n-triples": "nt",
  "application/n-quads": "nq",
  "application/trig": "trig",
};

const isKnown = ({ headers }: Operation, etag: string): boolean => {
  const known = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return known.includes("*") || known.includes(etag);
};

function answer(operation: Operation, contentType: string, etag: string, bytes: Uint8Array): Result {
  const headers = { ...HEADERS, etag };
  if (isKnown(operation, etag)) return { status: 304, headers, body: null };
  return {
    status: 200,
    headers: {
      ...headers,
      "content-type": contentType,
      "content-length": String(bytes.length),
      "x-content-type-options": "nosniff",
    },
    body: operation.method === "HEAD" ? null : bytes,
  };
}

export interface ShowingDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly run: (job: Job) => Promise<Derived>;
}

export function createShowing({ baseUrl, limits, run }: ShowingDeps) {
  /** By ETag: the same content is the same, of whichever view. */
  let spelled = new Lru<string, Uint8Array>(limits.viewsKeptBytesMax);
  return {
    forget() {
      spelled = new Lru(limits.viewsKeptBytesMax);
    },

    /** JSON unless the owner would rather see what the view gives. */
    wantsDefinition: ({ headers }: Operation): boolean =>
      negotiate(headers["accept"], [DEFINITION_TYPE, ...RDF_TYPES]) === DEFINITION_TYPE,

    definition(pod: Pod, operation: Operation, definition: ViewDefinition, version: number): Result {
      const bytes = Buffer.from(JSON.stringify(definitionToSend(definition, `${baseUrl}${pod.name}/`)));
      return answer(operation, DEFINITION_TYPE, `"${version}"`, bytes);
    },

    /**
     * @param mediaTypes Of which it may be one; null: any.
     * @throws Problem `not-acceptable`.
     */
    async view(operation: Operation, made: Made, mediaTypes: readonly string[] | null): Promise<Result> {
      const offered = RDF_TYPES.filter((type) => mediaTypes === null || mediaTypes.includes(type));
      const contentType = negotiate(operation.headers["accept"], offered);
      if (contentType === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
      const tag = `${made.hash}-${ENDINGS[contentType as RdfType]}`;
      if (contentType === "application/n-triples" || contentType === "application/n-quads")
        return answer(operation, contentType, `"${tag}"`, made.bytes);
      const known = spelled.get(tag);
      if (known) return answer(operation, contentType, `"${tag}"`, known);
      const prefixes = { ...PREFIXES, id: `${baseUrl}${GENID_PATH}` };
      const { bytes } = await run({ kind: "spell", bytes: made.bytes, contentType, prefixes });
      spelled.set(tag, bytes, bytes.length + 200);
      return answer(operation, contentType, `"${tag}"`, bytes);
    },
  };
}
