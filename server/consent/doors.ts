/**
 * The doors of consent in each pod, in one table: what is at which address, and what it does. Each asks for itself who may
 * pass: a request or a grant is its owner's and its vendor's, and nobody else is told that there is any.
 */
import { Problem } from "../errors.ts";
import type { Operation, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Consent } from "./consent.ts";

/** What a door is given. */
export interface Call {
  readonly operation: Operation;
  readonly pod: Pod;
  /** The client's network address: for rate limits. */
  readonly ip: string;
  /** What stands in the address for `:id`; empty where there is none. */
  readonly id: string;
}

export interface ConsentDoor {
  readonly verb: "get" | "put" | "post" | "delete";
  /** Below the pod's root. */
  readonly path: string;
  readonly act: (call: Call) => Promise<Result>;
}

/** @throws Problem `login-required` for the public: strangers are told nothing else, whatever is there. */
export function namedAgent({ operation }: Call): string {
  const { webid } = operation.agent;
  if (webid === null) throw new Problem("login-required");
  return webid;
}

/** What stands in a target's path where the door's has `:id`. */
export function idOf(doorPath: string, path: string): string {
  const place = doorPath.split("/").indexOf(":id");
  return place < 0 ? "" : (path.split("/")[place + 2] ?? "");
}

export function consentDoors(consent: Consent): readonly ConsentDoor[] {
  return [...consent.doors, ...consent.receipts.doors, ...consent.views.doors];
}
