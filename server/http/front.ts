/**
 * Ahead of the router: nearly all requests are for what stands in pods, and to hold each against a list of doors costs as
 * much as to answer it. Only the way is shorter: what answers is the same handler that the router has for the same route.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface FrontDeps {
  /** By method: what answers for all addresses of pods that are not in `own`. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** First segments of addresses that are the server's own. */
  readonly doors: ReadonlySet<string>;
  /** Segments after a pod's name that have routes of their own. */
  readonly own: ReadonlySet<string>;
  /** What every message is held against first. @throws Problem. */
  readonly check: (request: IncomingMessage) => void;
  readonly refuse: (request: IncomingMessage, response: ServerResponse, error: unknown) => void;
  /** Whatever is not plainly in a pod. */
  readonly router: RequestListener;
}

/** The first segment as a pod's name is written, and the one after it as it came. */
const IN_POD = /^\/([a-z0-9-]+)\/([^/?]*)/;

export function createFront({ handlers, doors, own, check, refuse, router }: FrontDeps): RequestListener {
  return (request, response) => {
    const handler = handlers.get(request.method ?? "");
    const found = handler && IN_POD.exec(request.url ?? "");
    if (!found || doors.has(found[1] ?? "") || own.has(found[2] ?? "")) return router(request, response);
    try {
      check(request);
    } catch (error) {
      return refuse(request, response, error);
    }
    void handler(request, response);
  };
}
