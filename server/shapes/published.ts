/** The published shapes as documents of this server: forms are made of them, also where their own addresses cannot be reached. */
import { readFile } from "node:fs/promises";
import { SHAPES } from "@freehold/shapes";
import { SHAPES_NAMESPACE } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Door } from "../operation.ts";
import { negotiate, RDF_TYPES, type RdfType } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";

/** Shapes never change while a server runs. */
const KEPT = "public, max-age=3600";

const documentOf = (iri: string): string => iri.split("#", 1)[0] ?? iri;

/**
 * `GET /ns/shapes/{domain}`: for everybody, in the RDF format of their choice. The addresses in it are those that shapes
 * are known by, not this one.
 * @throws Problem `not-found`, `not-acceptable`.
 */
export function publishedShapesDoor(): Door {
  const files = new Map(SHAPES.map(({ iri, file }) => [documentOf(iri), file]));
  const written = new Map<string, Promise<Uint8Array>>();

  async function write(address: string, file: URL, type: RdfType): Promise<Uint8Array> {
    const bytes = await readFile(file);
    return type === "text/turtle" ? bytes : serializeRdf(await parseRdf(bytes, "text/turtle", address), type);
  }

  return async ({ headers, params }) => {
    const address = `${SHAPES_NAMESPACE}${params["domain"] ?? ""}`;
    const file = files.get(address);
    if (!file) throw new Problem("not-found", "There are no published shapes of this name");
    const type = negotiate(headers.accept, RDF_TYPES) as RdfType | null;
    if (type === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
    const key = `${type} ${address}`;
    let body = written.get(key);
    if (!body) {
      body = write(address, file, type);
      written.set(key, body);
      body.catch(() => written.delete(key)); // Try again next time.
    }
    return {
      status: 200,
      headers: { "content-type": type, vary: "Accept", "cache-control": KEPT, "content-location": address },
      body: await body,
    };
  };
}
