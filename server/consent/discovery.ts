/**
 * Where access can be asked for: in the description of each storage, and in every answer that says no. It hangs on the
 * address alone, so it tells nothing of what is there. https://w3c.github.io/lws-protocol/lws10-core/#access-discovery
 */
import { type Problem, withHeaders } from "../errors.ts";
import { ACCESS_PROFILE, REQUEST_SERVICE } from "./shared.ts";

/** Below the root of each pod. */
export const REQUESTS_PATH = ".consent/requests";
export const GRANTS_PATH = ".consent/grants";
const ENDPOINTS = { AccessRequestService: REQUESTS_PATH, AccessGrantService: GRANTS_PATH } as const;

/** One of the services of a storage. */
interface Service {
  /** Local name in the vocabulary of LWS. */
  readonly type: string;
  readonly serviceEndpoint: string;
  readonly conformsTo: readonly string[];
}

/** @param storage Root of the pod; ends in `/`. */
export function consentServices(storage: string): readonly Service[] {
  return Object.entries(ENDPOINTS).map(([type, path]) => ({
    type,
    serviceEndpoint: `${storage}${path}`,
    conformsTo: [ACCESS_PROFILE],
  }));
}

/** A refusal says where to ask. @param storage Root of the pod; ends in `/`. */
export function withRequestService(error: Problem, storage: string): Problem {
  if (error.status !== 401 && error.status !== 403) return error;
  return withHeaders(error, {
    link: `<${storage}${ENDPOINTS.AccessRequestService}>; rel="${REQUEST_SERVICE}"`,
  });
}
