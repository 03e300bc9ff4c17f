/** Giving access where rules are access lists: one more rule, beside those that hold. https://solidproject.org/TR/wac */
import { acl, foaf, rdf } from "@freehold/vocab";
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";
import { linkTo, parseLinks } from "../links.ts";
import { patchOf, turtleOf } from "./changes.ts";
import { createGraph, iri, type ReadDocument, readDocument, type Triple } from "./graph.ts";
import type { Undo, Wish } from "./share.ts";

const FOLDERS_MAX = 64; // Deeper than any server allows.
const MODES: Readonly<Record<Wish["modes"][number], string>> = {
  read: acl.Read,
  append: acl.Append,
  write: acl.Write,
};

async function listAddressOf(fetch: Fetch, url: string): Promise<string> {
  const response = await fetchOk(fetch, url, { method: "HEAD" });
  const found = linkTo(parseLinks(response.headers.get("link"), url), "acl");
  if (found !== null) return found;
  throw new FreeholdError("answer-invalid", "The server does not say who may share this", { url });
}

async function listAt(fetch: Fetch, url: string): Promise<ReadDocument | null> {
  try {
    return await readDocument(fetch, url);
  } catch (error) {
    if (error instanceof FreeholdError && error.status === 404) return null;
    throw error;
  }
}

/** Where a rule of a place counts. */
const placesOf = (url: string): readonly string[] =>
  url.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];

/** What folders above hand down, as rules of the place's own: whoever has access keeps it. */
async function handedDown(fetch: Fetch, url: string): Promise<readonly Triple[]> {
  let above = url;
  for (let level = 0; level < FOLDERS_MAX; level += 1) {
    above = new URL(above.endsWith("/") ? "../" : "./", above).href;
    const list = await listAt(fetch, await listAddressOf(fetch, above));
    if (!list) {
      if (new URL(above).pathname === "/") break;
      continue;
    }
    const rules = [...list.graph.subjects].filter(([rule]) =>
      list.graph.objects(rule, acl.default).some(({ value }) => value === above),
    );
    return rules.flatMap(([, properties], place) => {
      const subject = `#rule-${place + 1}`;
      const said = [...properties]
        .filter(([predicate]) => predicate !== acl.accessTo && predicate !== acl.default)
        .flatMap(([predicate, objects]) =>
          objects
            .filter(({ kind }) => kind !== "blank") // Nothing of access lists has a node without an address.
            .map((object) => ({ subject, predicate, object })),
        );
      return [...said, ...placesOf(url).map((predicate) => ({ subject, predicate, object: iri(url) }))];
    });
  }
  throw new FreeholdError("answer-invalid", "There is no access list for this", { url });
}

function ruleOf(subject: string, { address, to, modes }: Wish): readonly Triple[] {
  const who =
    to === "public"
      ? { subject, predicate: acl.agentClass, object: iri(foaf.Agent) }
      : { subject, predicate: acl.agent, object: iri(to) };
  return [
    { subject, predicate: rdf.type, object: iri(acl.Authorization) },
    who,
    ...placesOf(address).map((predicate) => ({ subject, predicate, object: iri(address) })),
    ...modes.map((mode) => ({ subject, predicate: acl.mode, object: iri(MODES[mode]) })),
  ];
}

/** @returns what takes it back. @throws FreeholdError `forbidden` for who may not share, `precondition-failed` when somebody else changed the list. */
export async function giveAccess(fetch: Fetch, wish: Wish): Promise<Undo> {
  const address = await listAddressOf(fetch, wish.address);
  const list = await listAt(fetch, address);
  const name = `#shared-${crypto.randomUUID().slice(0, 8)}`;
  if (list) {
    const rule = ruleOf(`${address}${name}`, wish);
    const change = async (before: readonly Triple[], after: readonly Triple[], etag: string | null) =>
      fetchOk(fetch, address, {
        method: "PATCH",
        headers: { "content-type": "text/n3", ...(etag === null ? {} : { "if-match": etag }) },
        body: patchOf(createGraph([]), before, after) ?? "",
      });
    await change([], rule, list.etag);
    return async () => void (await change(rule, [], null));
  }
  const rules = [...(await handedDown(fetch, wish.address)), ...ruleOf(name, wish)];
  const made = await fetchOk(fetch, address, {
    method: "PUT",
    headers: { "content-type": "text/turtle", "if-none-match": "*" },
    body: turtleOf(rules),
  });
  const etag = made.headers.get("etag");
  return async () =>
    void (await fetchOk(fetch, address, {
      method: "DELETE",
      ...(etag === null ? {} : { headers: { "if-match": etag } }),
    }));
}
