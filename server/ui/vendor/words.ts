/** Requests and grants in the words of the page for companies. */

import type { Json } from "@freehold/client/consent";
import { type DraftPolicy, readAccess } from "@freehold/client/consent";
import { html, type TemplateResult } from "lit";

const STATES: Readonly<Record<string, readonly [words: string, look: "private" | "some" | "all"]>> = {
  Pending: ["Waits", "some"],
  Deferred: ["Not now", "some"],
  Granted: ["Granted", "private"],
  Denied: ["Refused", "all"],
  Canceled: ["Taken back", "all"],
  Expired: ["Over", "all"],
  Active: ["Active", "private"],
  Paused: ["Rests", "some"],
  Revoked: ["Revoked", "all"],
  Exhausted: ["Used up", "all"],
  Superseded: ["Replaced", "all"],
};

export const stateWords = (name: string): string => STATES[name]?.[0] ?? name;

export function badgeOf(name: string): TemplateResult {
  const [words, look] = STATES[name] ?? [name, "some"];
  return html`<span class="badge ${look}">${words}</span>`;
}

/** @param document A request as the pod shows it. */
export function policiesIn(document: Json): readonly DraftPolicy[] {
  const names = ["@context", "type", "storage", "issued", "access"];
  const stated = Object.fromEntries(names.map((name) => [name, document[name]]));
  return readAccess(stated, "AccessRequest").draft?.policies ?? [];
}

/** Places as paths within the pod: `contacts/me.ttl, notes/`. */
export function targetWords(policies: readonly DraftPolicy[], podUrl: string): string {
  const places = policies.flatMap(({ target: { kind, values } }) =>
    kind === "storage"
      ? ["the whole pod"]
      : values.map((value) => (value.startsWith(podUrl) ? value.slice(podUrl.length) : value)),
  );
  return [...new Set(places)].join(", ") || "something in the pod";
}
