/** What the owner says a view is: where it looks, what it takes from there, and how fine. Nobody else sees it. */

import { Problem, type ProblemDetail } from "../../errors.ts";
import { parseIri, parseTarget } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot, Transaction } from "../../store/store.ts";
import { TIERS, type Tier } from "../model.ts";

/** Kept as JSON in table `consent`, group "view". */
export interface ViewDefinition {
  /** Chosen by the owner. */
  readonly name: string;
  readonly title: string | null;
  /** Canonical paths of documents, and of folders with all below them. */
  readonly places: readonly string[];
  /** A CONSTRUCT over all of them together; null: all that they say. */
  readonly construct: string | null;
  readonly shapes: readonly string[] | null;
  readonly types: readonly string[] | null;
  readonly fields: readonly string[] | null;
  /** Milliseconds since 1970. */
  readonly dataFrom: number | null;
  readonly dataTo: number | null;
  /** The finest in which it is given. Of a CONSTRUCT, what the owner says its answer is already. */
  readonly tier: Tier;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly changed: number;
}

const GROUP = "view";
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const TITLE_CHARS_MAX = 140;
const LIST_MAX = 64;
const MEMBERS: ReadonlySet<string> = new Set([
  "@context",
  "id",
  "type",
  "title",
  "places",
  "construct",
  "shapes",
  "types",
  "fields",
  "from",
  "to",
  "tier",
  "created",
  "changed",
]);

/** @throws Problem `path-invalid` for what is no name of a definition. */
export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new Problem("path-invalid", "A view's name has 1 to 63 letters a-z, digits and inner hyphens");
}

export async function findDefinition(snapshot: Snapshot, name: string) {
  const entry = NAME.test(name) ? await snapshot.get("consent", GROUP, name) : null;
  return entry && { definition: decodeRecord<ViewDefinition>(entry), version: entry.version };
}

export async function listDefinitions(snapshot: Snapshot): Promise<readonly ViewDefinition[]> {
  const found: ViewDefinition[] = [];
  for await (const entry of snapshot.list("consent", GROUP)) found.push(decodeRecord<ViewDefinition>(entry));
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws Problem `conflict` for one too many. */
export async function putDefinition(
  transaction: Transaction,
  definition: ViewDefinition,
  { viewsMax }: Limits,
): Promise<void> {
  const isNew = (await transaction.get("consent", GROUP, definition.name)) === null;
  if (isNew && (await listDefinitions(transaction)).length >= viewsMax)
    throw new Problem("conflict", `A pod has at most ${viewsMax} views of its owner's`);
  transaction.put("consent", GROUP, definition.name, encodeRecord(definition));
}

export function dropDefinition(transaction: Transaction, name: string): void {
  transaction.delete("consent", GROUP, name);
}

/** Collects what is wrong, so that all of it is told at once. */
function createReading(content: Readonly<Record<string, unknown>>) {
  const errors: ProblemDetail[] = [];
  const wrong = (member: string, detail: string): null => {
    errors.push({ detail, at: `/${member}` });
    return null;
  };
  const text = (member: string, charsMax: number): string | null => {
    const value = content[member] ?? null;
    if (value === null) return null;
    return typeof value === "string" && value.length > 0 && value.length <= charsMax
      ? value
      : wrong(member, `A text of at most ${charsMax} characters`);
  };
  return {
    errors,
    wrong,
    text,
    list: (member: string, check: (value: string) => string): readonly string[] | null => {
      const value = content[member] ?? null;
      if (value === null) return null;
      if (!Array.isArray(value) || value.length === 0 || value.length > LIST_MAX)
        return wrong(member, `A list of 1 to ${LIST_MAX}`);
      try {
        return [
          ...new Set((value as unknown[]).map((one) => check(typeof one === "string" ? one : ""))),
        ].sort();
      } catch (error) {
        return wrong(member, error instanceof Problem ? (error.detail ?? error.message) : String(error));
      }
    },
    moment: (member: string): number | null => {
      const value = text(member, 64);
      if (value === null) return null;
      const instant = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
      return Number.isNaN(instant) ? wrong(member, "A time such as 2026-11-22T10:00:00Z") : instant;
    },
  };
}

/**
 * @param baseUrl Canonical, ends in `/`.
 * @throws Problem `input-invalid` with all that is wrong.
 */
export function parseDefinition(
  content: Readonly<Record<string, unknown>>,
  place: { readonly baseUrl: string; readonly pod: Pod; readonly name: string; readonly now: number },
  { queryTextBytesMax }: Limits,
): ViewDefinition {
  const { baseUrl, pod, name, now } = place;
  const root = `/${pod.name}/`;
  const { errors, wrong, text, list, moment } = createReading(content);
  for (const member of Object.keys(content))
    if (!MEMBERS.has(member)) wrong(member, "Nothing is known of this");
  const placeOf = (address: string): string => {
    const target = parseTarget(address.startsWith(baseUrl) ? address.slice(baseUrl.length - 1) : address);
    if (!target.path.startsWith(root) || target.auxiliary)
      throw new Problem("path-invalid", "A document or a folder of this pod");
    return target.path;
  };
  const tier = text("tier", 16) ?? "raw";
  if (!TIERS.includes(tier as Tier)) wrong("tier", `One of ${TIERS.join(", ")}`);
  const definition: ViewDefinition = {
    name,
    title: text("title", TITLE_CHARS_MAX),
    places: list("places", placeOf) ?? [root],
    construct: text("construct", queryTextBytesMax),
    shapes: list("shapes", parseIri),
    types: list("types", parseIri),
    fields: list("fields", parseIri),
    dataFrom: moment("from"),
    dataTo: moment("to"),
    tier: tier as Tier,
    created: now,
    changed: now,
  };
  if (errors.length > 0)
    throw new Problem("input-invalid", errors.map(({ detail, at }) => `${at}: ${detail}`).join("; "), {
      errors,
    });
  return definition;
}

const moment = (at: number | null): string | undefined =>
  at === null ? undefined : new Date(at).toISOString();

/** As the owner wrote it, and can send it again. @param url Of the pod's root. */
export function definitionToSend(definition: ViewDefinition, url: string) {
  const { name, title, places, construct, shapes, types, fields, dataFrom, dataTo, tier } = definition;
  const origin = new URL(url).origin;
  return {
    id: `${url}.views/${name}`,
    type: "View",
    ...(title !== null && { title }),
    places: places.map((path) => origin + path),
    ...(construct !== null && { construct }),
    ...(shapes && { shapes }),
    ...(types && { types }),
    ...(fields && { fields }),
    ...(dataFrom !== null && { from: moment(dataFrom) }),
    ...(dataTo !== null && { to: moment(dataTo) }),
    tier,
    created: moment(definition.created),
    changed: moment(definition.changed),
  };
}
