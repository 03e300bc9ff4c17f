/** Where a DID URL leads within a document: to a part of it, or to a place at a service. */
import type { DidDocument, Service } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { inDidWords } from "./door.ts";

/** What a DID URL names beside the passport. */
export type Leads =
  | { readonly kind: "document" }
  | { readonly kind: "fragment"; readonly fragment: string }
  | {
      readonly kind: "service";
      readonly service: string | null;
      readonly serviceType: string | null;
      readonly relativeRef: string | null;
    };

export function leadsOf(parameters: ReadonlyMap<string, string>, fragment: string): Leads {
  const [service = null, serviceType = null, relativeRef = null] = [
    parameters.get("service"),
    parameters.get("serviceType"),
    parameters.get("relativeRef"),
  ];
  if (service !== null || serviceType !== null) return { kind: "service", service, serviceType, relativeRef };
  if (relativeRef !== null) invalid("relativeRef is a place at a service: name it by service");
  return fragment === "" ? { kind: "document" } : { kind: "fragment", fragment };
}

function invalid(detail: string): never {
  throw new Problem("bad-request", detail, { members: inDidWords("INVALID_DID_URL", 400, detail) });
}

/**
 * The address of a place at a storage.
 * @param place A relative reference: never another host, and never above the storage.
 * @returns null for what would lead out of it.
 */
export function placeAt(base: string, place: string): string | null {
  const local = place.replace(/^\/+/, "");
  // A colon in the first segment would make it an absolute address.
  const url = URL.canParse(`./${local}`, base) ? new URL(`./${local}`, base) : null;
  // Encoded dots and slashes are what they are to some servers, and a way up to others.
  const isHidden = /%2e|%2f|%5c|%25(?:2e|2f|5c)/i.test(
    url?.pathname.slice(new URL(base).pathname.length) ?? "",
  );
  return url?.href.startsWith(base) && !isHidden ? url.href : null;
}

/** @throws Problem `not-found`. */
export function partOf(document: DidDocument, fragment: string): object {
  const id = `${document.id}#${fragment}`;
  const parts = [...(document.verificationMethod ?? []), ...(document.service ?? [])];
  return parts.find((part) => part.id === id) ?? missing("The document has no such part");
}

/** A service is named whole, by its fragment, or by the fragment's bare name. */
function idOfService(document: DidDocument, name: string): string {
  if (name.startsWith("did:")) return name;
  return `${document.id}#${name.replace(/^#/, "")}`;
}

/** @throws Problem `not-found` for a service that is not there, `bad-request` for a place that is none. */
export function placeOf(
  document: DidDocument,
  { service, serviceType, relativeRef }: Extract<Leads, { kind: "service" }>,
): { readonly service: Service; readonly url: string } {
  const wanted = service === null ? null : idOfService(document, service);
  const found = (document.service ?? []).find(
    ({ id, type }) =>
      (wanted === null || id === wanted) && (serviceType === null || [type].flat().includes(serviceType)),
  );
  if (!found) return missing("The document has no such service");
  if (relativeRef === null) return { service: found, url: found.serviceEndpoint };
  const url = placeAt(found.serviceEndpoint, relativeRef);
  return url === null ? invalid("relativeRef leads out of the service") : { service: found, url };
}

function missing(detail: string): never {
  throw new Problem("not-found", detail, { members: inDidWords("NOT_FOUND", 404, detail) });
}
