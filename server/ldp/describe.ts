/** Discovery documents: what this server is, and what a storage offers. */
import { dcterms, fh, lws, notify, rdf, sd, solid, space, voidTerms } from "@freehold/vocab";
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
  notify: "http://www.w3.org/ns/solid/notifications#",
};

/** A way to be told of changes. https://solid.github.io/notifications/protocol#subscription-service-data-model */
export interface SubscriptionService {
  readonly id: string;
  /** Local names in the vocabulary of notifications; features of other vocabularies are addresses. */
  readonly channelType: string;
  readonly feature: readonly string[];
}

/** Something else that the storage offers. https://w3c.github.io/lws-protocol/lws10-core/#storage-description-data-model */
export interface StorageService {
  /** Local name in the vocabulary of LWS. */
  readonly type: string;
  readonly serviceEndpoint: string;
  readonly conformsTo: readonly string[];
}

const LWS = "https://www.w3.org/ns/lws#";
const JSON_LD = "application/ld+json";
const NOTIFICATIONS_CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";

async function answer(quads: readonly Quad[], accept: string | undefined, url: string): Promise<Result> {
  const type = negotiate(accept, RDF_TYPES);
  if (type === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
  return described(type, await serializeRdf(quads, type, { baseIri: url, prefixes: PREFIXES }));
}

function described(type: string, body: Uint8Array | string): Result {
  return {
    status: 200,
    headers: { "content-type": type, "cache-control": "public, max-age=300", vary: "Accept" },
    body,
  };
}

const notifyIri = (name: string): string => (name.includes(":") ? name : `${PREFIXES.notify}${name}`);

function storageServiceQuads(
  storage: ReturnType<typeof namedNode>,
  services: readonly StorageService[],
): Quad[] {
  return services.flatMap(({ type, serviceEndpoint, conformsTo }) => {
    const service = blankNode(type);
    return [
      quad(storage, namedNode(lws.service), service),
      quad(service, namedNode(rdf.type), namedNode(`${LWS}${type}`)),
      quad(service, namedNode(lws.serviceEndpoint), namedNode(serviceEndpoint)),
      ...conformsTo.map((profile) => quad(service, namedNode(dcterms.conformsTo), namedNode(profile))),
    ];
  });
}

function serviceQuads(
  subject: ReturnType<typeof namedNode>,
  services: readonly SubscriptionService[],
): Quad[] {
  return services.flatMap(({ id, channelType, feature }) => {
    const service = namedNode(id);
    return [
      quad(subject, namedNode(notify.subscription), service),
      quad(service, namedNode(notify.channelType), namedNode(notifyIri(channelType))),
      ...feature.map((one) => quad(service, namedNode(notify.feature), namedNode(notifyIri(one)))),
    ];
  });
}

/**
 * The same as JSON with the members that the protocol names, for clients that look for these and nothing else.
 * https://solid.github.io/notifications/protocol#description-resource-data-model
 */
function asDataModel(
  baseUrl: string,
  pod: Pod,
  url: string,
  services: readonly SubscriptionService[],
  others: readonly StorageService[],
): string {
  const id = `${baseUrl}${pod.name}/`;
  const storage = {
    id,
    type: space.Storage,
    [solid.owner]: { id: pod.owner },
    [voidTerms.sparqlEndpoint]: { id: `${id}sparql` },
    [SPARQL_ENDPOINT]: { id: `${id}sparql` },
    [fh.search]: { id: `${id}search` },
    [lws.service]: others.map(({ type, serviceEndpoint, conformsTo }) => ({
      type: `${LWS}${type}`,
      [lws.serviceEndpoint]: { id: serviceEndpoint },
      [dcterms.conformsTo]: conformsTo.map((profile) => ({ id: profile })),
    })),
  };
  return JSON.stringify({
    "@context": [NOTIFICATIONS_CONTEXT],
    id: url,
    subscription: services,
    "@included": [
      { ...storage, subscription: services.map((one) => one.id) },
      {
        id: `${id}sparql-update`,
        type: sd.Service,
        [sd.endpoint]: { id: `${id}sparql-update` },
        [sd.supportedLanguage]: { id: sd.SPARQL11Update },
      },
    ],
  });
}

/** https://jeswr.github.io/solid-sparql-query/#discovery */
const SPARQL_ENDPOINT = "http://www.w3.org/ns/solid/sparql#endpoint";

/**
 * What the storage is, and how to be told of changes in it.
 * https://solidproject.org/TR/protocol#storage-description-resource https://solid.github.io/notifications/protocol#discovery
 */
export async function describeStorage(
  baseUrl: string,
  pod: Pod,
  operation: Operation,
  services: readonly SubscriptionService[] = [],
  others: readonly StorageService[] = [],
): Promise<Result> {
  const storage = namedNode(`${baseUrl}${pod.name}/`);
  const update = namedNode(`${baseUrl}${pod.name}/sparql-update`);
  const quads = [
    quad(storage, namedNode(rdf.type), namedNode(space.Storage)),
    quad(storage, namedNode(solid.owner), namedNode(pod.owner)),
    quad(storage, namedNode(voidTerms.sparqlEndpoint), namedNode(`${baseUrl}${pod.name}/sparql`)),
    quad(storage, namedNode(SPARQL_ENDPOINT), namedNode(`${baseUrl}${pod.name}/sparql`)),
    quad(storage, namedNode(fh.search), namedNode(`${baseUrl}${pod.name}/search`)),
    // https://www.w3.org/TR/sparql11-service-description/
    quad(update, namedNode(rdf.type), namedNode(sd.Service)),
    quad(update, namedNode(sd.endpoint), update),
    quad(update, namedNode(sd.supportedLanguage), namedNode(sd.SPARQL11Update)),
    ...storageServiceQuads(storage, others),
    ...serviceQuads(storage, services),
    ...serviceQuads(namedNode(operation.url), services),
  ];
  const { headers, ...result } =
    negotiate(operation.headers.accept, RDF_TYPES) === JSON_LD
      ? described(JSON_LD, asDataModel(baseUrl, pod, operation.url, services, others))
      : await answer(quads, operation.headers.accept, operation.url);
  const modified = { "last-modified": new Date(pod.created).toUTCString() };
  return { ...result, headers: { ...serviceHeaders(baseUrl, pod, operation), ...modified, ...headers } };
}

/** What the addresses say of themselves in each pod that are not its resources. */
function serviceHeaders(baseUrl: string, pod: Pod, { target }: Operation): Readonly<Record<string, string>> {
  const nature = natureOf(target, pod.name);
  return { ...abilityHeaders(nature), link: linkHeader(baseUrl, target, nature, pod.owner) };
}

/** The answer of such an address, with what it says of itself. */
export function asService(baseUrl: string, pod: Pod, operation: Operation, result: Result): Result {
  const { link, ...headers } = serviceHeaders(baseUrl, pod, operation);
  const links = [link ?? "", result.headers["link"] ?? ""].flat().filter((one) => one !== "");
  return { ...result, headers: { ...headers, ...result.headers, link: links.join(", ") } };
}

/**
 * What a client finds at the origin before it knows any pod. Some clients look at the first subject only: there is one.
 * @param gateway Where Inrupt's clients ask how to be told of changes.
 */
export function describeServer(
  baseUrl: string,
  accept: string | undefined,
  gateway: string,
): Promise<Result> {
  const server = blankNode("server");
  const quads = [
    quad(server, namedNode(solid.oidcIssuer), namedNode(baseUrl)),
    quad(server, namedNode(solid.notificationGateway), namedNode(gateway)),
  ];
  return answer(quads, accept, `${baseUrl}.well-known/solid`);
}
