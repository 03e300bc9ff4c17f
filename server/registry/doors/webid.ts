/**
 * WebIDs that no host owns: `/v1/id/{id}` describes `#me` from what the registry knows, and `/v1/id/{id}/pod/…` leads to
 * wherever the pod is now, so that links of this form are never stale.
 */
import { type DataOperation, didDocument, didOf, type PassportId } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Door, Result } from "../../operation.ts";
import { negotiate } from "../../rdf/media.ts";
import { serializeRdf } from "../../rdf/serialize.ts";
import { namedNode, type Quad, quad } from "../../rdf/terms.ts";
import type { Present } from "../port.ts";
import { bundleText } from "./answer.ts";
import { placeAt } from "./dereference.ts";
import { DID_PREFIXES } from "./did.ts";
import { cached, idOf, inDidWords } from "./door.ts";
import { type Atlas, findPresent, refuseHeld, urlOfZone } from "./find.ts";

const RDF = ["text/turtle", "application/ld+json"] as const;
/** A controlled identifier document: what W3C Linked Web Storage reads. https://www.w3.org/TR/cid-1.0/ */
const CID = "application/cid";
const RENDERINGS = [...RDF, CID];

const FOAF = "http://xmlns.com/foaf/0.1/";
const OWL = "http://www.w3.org/2002/07/owl#";
const RDFS = "http://www.w3.org/2000/01/rdf-schema#";
const SPACE = "http://www.w3.org/ns/pim/space#";
const SOLID = "http://www.w3.org/ns/solid/terms#";
const TYPE = namedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");
const PREFIXES = { foaf: FOAF, owl: OWL, rdfs: RDFS, space: SPACE, solid: SOLID };
const CONTEXTS = ["https://www.w3.org/ns/cid/v1", "https://www.w3.org/ns/lws/v1"];

const withoutFragment = (iri: string): string => iri.split("#", 1)[0] ?? iri;

/** What Solid applications look for in a profile, and where the rest of it is. */
function profileQuads(document: string, id: PassportId, data: DataOperation | null): readonly Quad[] {
  const me = namedNode(`${document}#me`);
  const to = (predicate: string, iri: string): Quad => quad(me, namedNode(predicate), namedNode(iri));
  return [
    quad(me, TYPE, namedNode(`${FOAF}Agent`)),
    to(`${OWL}sameAs`, didOf(id)),
    ...(data?.storage ?? []).map(({ url }) => to(`${SPACE}storage`, url)),
    ...(data?.oidc ? [to(`${SOLID}oidcIssuer`, data.oidc)] : []),
    ...(data?.webid ?? [])
      .filter((webid) => withoutFragment(webid) !== document)
      .map((webid) => to(`${RDFS}seeAlso`, withoutFragment(webid))),
  ];
}

/** The identifier of such a document is the address that it is read at, or the WebID in it. */
function controlledIdentifier(document: string, id: PassportId, data: DataOperation | null): object {
  const did = didOf(id);
  const { "@context": _, id: __, ...rest } = didDocument(id, data);
  const renamed = JSON.parse(JSON.stringify(rest).replaceAll(`"${did}#`, `"${document}#`)) as {
    readonly alsoKnownAs?: readonly string[];
    readonly verificationMethod?: readonly object[];
  };
  const me = `${document}#me`;
  return {
    "@context": CONTEXTS,
    ...renamed,
    id: me,
    alsoKnownAs: [did, ...(renamed.alsoKnownAs ?? []).filter((webid) => webid !== me)],
    verificationMethod: (renamed.verificationMethod ?? []).map((method) => ({ ...method, controller: me })),
  };
}

export interface WebIdDeps extends Atlas {
  /** Ends in a slash. */
  readonly baseUrl: string;
}

/** @returns the door of WebID documents, and that of places in pods. */
export function createWebIdDoors(deps: WebIdDeps): { readonly document: Door; readonly place: Door } {
  /** @throws Problem `gone`, `held`. */
  async function inUse(id: PassportId, path: string): Promise<Present | Result> {
    const spot = await findPresent(deps, id, path);
    if (!spot.finding) return spot.result;
    const { finding, published } = spot;
    if (finding.hold) refuseHeld(spot, bundleText(finding, published), urlOfZone(deps, published.zone));
    if (!finding.deactivated) return finding;
    const detail = "The owner of this passport has put it to rest";
    throw new Problem("gone", detail, { members: inDidWords(null, 410, detail, { deactivated: true }) });
  }

  return {
    async document(request) {
      const type = negotiate(request.headers["accept"], RENDERINGS);
      if (!type) {
        const detail = `Ask for one of ${RENDERINGS.join(", ")}`;
        throw new Problem("not-acceptable", detail, {
          members: inDidWords("REPRESENTATION_NOT_SUPPORTED", 406, detail),
        });
      }
      const id = idOf(request.params["id"] ?? "");
      const found = await inUse(id, `v1/id/${id}`);
      if (!("kind" in found)) return { ...found, headers: { ...found.headers, vary: "Accept" } };
      const data = found.data?.op ?? null;
      const document = `${deps.baseUrl}v1/id/${id}`;
      const etag = `"${found.commit}.${RENDERINGS.indexOf(type)}"`;
      const more = {
        vary: "Accept",
        link: `<${deps.baseUrl}v1/passports/${id}>; rel="describedby"; type="application/json"`,
      };
      if (type === CID)
        return cached(request, etag, type, JSON.stringify(controlledIdentifier(document, id, data)), more);
      const options = { prefixes: { ...PREFIXES, did: DID_PREFIXES["did"] ?? "" }, baseIri: document };
      const text = await serializeRdf(profileQuads(document, id, data), type, options);
      return cached(request, etag, type, text, more);
    },

    async place(request) {
      const { pathname, search } = request.url;
      const id = idOf(request.params["id"] ?? "");
      // The address itself, for what the router decoded cannot be told from what never was encoded.
      const rest = /^\/v1\/id\/[^/]+\/pod\/(.*)$/.exec(pathname)?.[1];
      if (rest === undefined) throw new Problem("path-invalid");
      const found = await inUse(id, `v1/id/${id}/pod/${rest}${search}`);
      if (!("kind" in found)) return found;
      const storage = found.data?.op.storage.find(({ id: name }) => name === "#pod");
      if (!storage) throw new Problem("not-found", "This passport names no pod just now");
      const url = placeAt(storage.url, rest);
      if (url === null) throw new Problem("path-invalid");
      return {
        status: 307,
        headers: { location: `${url}${search}`, "cache-control": "public, max-age=60" },
        body: null,
      };
    },
  };
}
