/** Lists of requests, grants and decisions: page by page, as containers. https://w3c.github.io/lws-protocol/lws10-core/#pagination */
import { Problem } from "../errors.ts";
import type { Operation, Result } from "../operation.ts";
import { CONTEXTS, type Json, LWS } from "./shared.ts";
import { answerDocument } from "./wire.ts";

const PAGE = 100;

/** What is listed says where. https://w3c.github.io/lws-protocol/lws10-core/#containment */
export const listedIn = ({ url }: Pick<Operation, "url">): Readonly<Record<string, string>> => ({
  link: `<${LWS}DataResource>; rel="type", <${url.slice(0, url.lastIndexOf("/"))}>; rel="up"`,
});

/**
 * @param items In their order; of each the name by which a page goes on after it.
 * @throws Problem `not-found` for a page that is none, `not-acceptable`.
 */
export function answerList<T extends { readonly id: string }>(
  operation: Operation,
  items: readonly T[],
  describe: (item: T) => Json,
): Promise<Result> {
  const parameters = new URLSearchParams(operation.query);
  const after = parameters.get("after");
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0)
    throw new Problem("not-found", "There is no such page; begin with the first");
  const page = items.slice(from, from + PAGE);
  const last = page.at(-1);
  parameters.set("after", last?.id ?? "");
  const next = last && from + PAGE < items.length ? `${operation.url}?${parameters.toString()}` : null;
  const list = {
    "@context": CONTEXTS,
    id: operation.url,
    type: "Container",
    totalItems: items.length,
    items: page.map((item) => describe(item)),
    ...(next !== null && { next }),
  };
  const links = [
    `<${LWS}Container>; rel="type"`,
    `<${new URL("../", operation.url).href}>; rel="up"`,
    ...(next === null ? [] : [`<${next}>; rel="next"`]),
  ];
  return answerDocument(operation, list, null, { link: links.join(", ") });
}
