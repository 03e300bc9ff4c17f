/** What a type search asks for: a conjunction of disjunctions, however it was sent. */
import { readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import { parseIri } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Operation } from "../operation.ts";
import { mediaTypeOf } from "../rdf/media.ts";
import { LWS_TYPE } from "./description.ts";

/** By relation; each group is an OR, all groups are an AND. */
export interface Filter {
  readonly types: readonly (readonly string[])[];
  /** Whether it asks for a relation that is not indexed, so that nothing fits. */
  readonly isEmpty: boolean;
}

export interface Search {
  readonly filter: Filter;
  /** Path after which the page begins; empty for the first. */
  readonly after: string;
}

const CURSOR = "cursor";
const NESTING_BYTES = 16; // What brackets and quotes may add for each address.

/** @throws Problem `bad-request` for more than is answered: never narrowed in silence. */
function toFilter(
  relations: readonly (readonly [name: string, groups: readonly (readonly string[])[]])[],
  limits: Limits,
): Filter {
  const asked = relations.map(([name, groups]) => ({
    name,
    groups: groups
      .map((group) => [...new Set(group.filter((one) => one !== "").map((one) => parseIri(one)))])
      .filter((group) => group.length > 0), // Empty groups are ignored.
  }));
  const values = asked.flatMap(({ groups }) => groups.flat());
  const characters = values.reduce((sum, value) => sum + value.length, 0);
  if (values.length > limits.searchValuesMax || characters > limits.searchCharactersMax)
    throw new Problem(
      "bad-request",
      `A filter has at most ${limits.searchValuesMax} addresses and ${limits.searchCharactersMax} characters`,
    );
  return {
    types: asked.flatMap(({ name, groups }) => (name === "type" ? groups : [])),
    isEmpty: asked.some(({ name, groups }) => name !== "type" && groups.length > 0),
  };
}

interface Cursor {
  readonly types: readonly (readonly string[])[];
  readonly after: string;
}

/** An opaque page: what was asked for, and where it goes on. Access is decided anew for each. */
export function cursorOf(types: Cursor["types"], after: string): string {
  return `${CURSOR}=${Buffer.from(JSON.stringify({ types, after } satisfies Cursor)).toString("base64url")}`;
}

/** @throws Problem `not-found` for a page that is none of ours. */
function parseCursor(text: string, limits: Limits): Search {
  try {
    const { types, after } = JSON.parse(Buffer.from(text, "base64url").toString()) as Cursor;
    if (typeof after !== "string") throw new TypeError("after");
    return { filter: toFilter([["type", groupsOf(types)]], limits), after };
  } catch (cause) {
    throw new Problem("not-found", "There is no such page; begin with the first", { cause });
  }
}

function groupsOf(value: unknown): string[][] {
  if (!Array.isArray(value)) throw new Problem("bad-request", "A relation has an array of addresses");
  return value.map((group: unknown) => {
    const all: unknown[] = Array.isArray(group) ? group : [group];
    if (!all.every((one) => typeof one === "string"))
      throw new Problem("bad-request", "A group is an address or an array of addresses");
    return all;
  });
}

async function parseBody(operation: Operation, limits: Limits): Promise<Search> {
  if (mediaTypeOf(operation.headers["content-type"]) !== LWS_TYPE)
    throw new Problem("unsupported-media-type", `Send ${LWS_TYPE}`, {
      headers: { "accept-post": LWS_TYPE },
    });
  const bytesMax = limits.searchCharactersMax * 4 + limits.searchValuesMax * NESTING_BYTES;
  const bytes = await readBody(operation.body, bytesMax);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Problem("bad-request", "This is not JSON", { cause });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new Problem("bad-request", "A filter is an object");
  const relations = Object.entries(body)
    .filter(([name]) => name !== "@context")
    .map(([name, value]) => [name, groupsOf(value)] as const);
  return { filter: toFilter(relations, limits), after: "" };
}

/**
 * The filter of a GET or POST; both say the same.
 * @throws Problem `bad-request`, `unsupported-media-type`, `not-found` for a page that is none.
 * @see https://w3c.github.io/lws-protocol/lws10-searchindex/#request-equivalence-errors
 */
export async function parseSearch(operation: Operation, limits: Limits): Promise<Search> {
  if (operation.method === "POST") return parseBody(operation, limits);
  const parameters = new URLSearchParams(operation.query);
  const cursor = parameters.get(CURSOR);
  if (cursor !== null) return parseCursor(cursor, limits);
  const relations = [...parameters].map(([name, value]) => [name, [value.split(",")]] as const);
  return { filter: toFilter(relations, limits), after: "" };
}
