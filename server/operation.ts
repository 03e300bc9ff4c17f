/** The words every door shares: who asks, for what, and what the answer is. */
import type { Readable } from "node:stream";
import type { Target, WebId } from "./iri.ts";

/** @see https://solidproject.org/TR/wac#access-modes */
export type Mode = "read" | "append" | "write" | "control";

export type Method = "GET" | "HEAD" | "OPTIONS" | "PUT" | "POST" | "PATCH" | "DELETE";

/** Who asks, proved; `webid` null is the public. */
export interface Agent {
  readonly webid: WebId | null;
  /** Client application (`client_id` or `azp`). */
  readonly client: string | null;
  readonly issuer: string | null;
  /** The `Origin` header of the request, for `acl:origin`. */
  readonly origin: string | null;
  /** What for, as the agent says: the address of a DPV purpose. It never gives access, and may be what a consent asks for. */
  readonly purpose?: string;
  /** The consent that it wants to make use of, where it has several: the id of a grant. */
  readonly grant?: string;
  /** Proved by a token that stands for that grant and for nothing else: whatever else this agent may, it may not now. */
  readonly isOnlyGrant?: true;
}

export const PUBLIC_AGENT: Agent = Object.freeze({ webid: null, client: null, issuer: null, origin: null });

/** Who acts on a pod without a request to it: its owner on the account page, or whoever runs the server. */
export type By = "owner" | "operator";

/** A request to a pod, parsed once: nothing after `http/parse.ts` looks at raw HTTP. */
export interface Operation {
  readonly id: string;
  readonly method: Method;
  readonly target: Target;
  /** Absolute URL of the target, canonical, without query. */
  readonly url: string;
  /** Raw query string without `?`; empty when there is none. */
  readonly query: string;
  readonly agent: Agent;
  /** Lower-cased header fields, joined by `, ` where repeated. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The request's content, unread; null when there is none. */
  readonly body: Readable | null;
}

/** The answer, before anybody wrote it to a socket. */
export interface Result {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array> | null;
  /** Of a query's answer, for the journal: how much it tells, and of how much. Rows are null where it is too long to be known beforehand. */
  readonly extent?: Extent;
  /**
   * Called when it begins to be sent, with what breaks it off.
   * @returns what is called when it is out, or broken off.
   */
  readonly whileSent?: (end: () => void) => () => void;
}

/** How much an answer tells, and by which consents. */
export interface Extent {
  readonly rows: number | null;
  readonly documents: number;
  /** Ids of the grants by which something of it could be read; none where the rules alone allow all of it. */
  readonly grants?: readonly string[];
  /** For which those grants are used. */
  readonly purpose?: string | undefined;
  /** Canonical paths of documents that were named, as far as grants let them be read. */
  readonly paths?: readonly string[];
  /** SHA-256 of what was asked, hex. */
  readonly questionHash?: string;
}

/** A request to one of the server's own doors (accounts, registry, health): no pod, no access list. */
export interface DoorRequest {
  readonly id: string;
  readonly method: string;
  /** Absolute, canonical, with query. */
  readonly url: URL;
  /** Values of the route's `:name` parts. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's address: for rate limits. */
  readonly ip: string;
  readonly body: Readable | null;
}

/** What a door of the server's own does. */
export type Door = (request: DoorRequest) => Promise<Result>;
