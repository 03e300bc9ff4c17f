/** Discovery documents: what this server is, and what a storage offers. */
import { rdf, solid, space, voidTerms } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Operation, Result } from "../operation.ts";
import { negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { blankNode, namedNode, type Quad, quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { abilityHeaders, linkHeader, natureOf } from "./headers.ts";

const PREFIXES = {
  solid: "http://www.w3.org/ns/solid/terms#",
  space: "http://www.w3.org/ns/pim/space#",
  void: "http://rdfs.org/ns/void#",
};

async function answer(quads: readonly Quad[], accept: string | undefined, url: string): Promise<Result> {
  const type = negotiate(accept, RDF_TYPES);
  if (type === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
  const body = await serializeRdf(quads, type, { baseIri: url, prefixes: PREFIXES });
  return {
    status: 200,
    headers: { "content-type": type, "cache-control": "public, max-age=300", vary: "Accept" },
    body,
  };
}

/** https://solidproject.org/TR/protocol#storage-description-resource */
export async function describeStorage(baseUrl: string, pod: Pod, operation: Operation): Promise<Result> {
  const storage = namedNode(`${baseUrl}${pod.name}/`);
  const quads = [
    quad(storage, namedNode(rdf.type), namedNode(space.Storage)),
    quad(storage, namedNode(solid.owner), namedNode(pod.owner)),
    quad(storage, namedNode(voidTerms.sparqlEndpoint), namedNode(`${baseUrl}${pod.name}/sparql`)),
  ];
  const { headers, ...result } = await answer(quads, operation.headers.accept, operation.url);
  const modified = { "last-modified": new Date(pod.created).toUTCString() };
  return { ...result, headers: { ...serviceHeaders(baseUrl, pod, operation), ...modified, ...headers } };
}

/** What the addresses say of themselves in each pod that are not its resources. */
export function serviceHeaders(
  baseUrl: string,
  pod: Pod,
  { target }: Operation,
): Readonly<Record<string, string>> {
  const nature = natureOf(target, pod.name);
  return { ...abilityHeaders(nature), link: linkHeader(baseUrl, target, nature, pod.owner) };
}

/** What a client finds at the origin before it knows any pod. */
export function describeServer(baseUrl: string, accept: string | undefined): Promise<Result> {
  const server = blankNode("server");
  const quads = [quad(server, namedNode(solid.oidcIssuer), namedNode(baseUrl))];
  return answer(quads, accept, `${baseUrl}.well-known/solid`);
}
