/** Forms by the address of their shape: where shapes are described, read once for each page. */
import { SHAPES_NAMESPACE, sh } from "@freehold/vocab";
import { type Fetch, FreeholdError } from "../errors.ts";
import { type Graph, readDocument } from "./graph.ts";
import { type FormModel, formOf, inLanguage } from "./shape.ts";

const read = new Map<string, Promise<Graph>>();

const languagesNow = (): readonly string[] =>
  [document.documentElement.lang, ...navigator.languages].filter(Boolean);

/** Where a shape is described: ours by every server of this kind, others at their own address. */
function addressOf(shape: string, near: string): string {
  if (!shape.startsWith(SHAPES_NAMESPACE)) return shape.split("#", 1)[0] ?? shape;
  const [domain = ""] = shape.slice(SHAPES_NAMESPACE.length).split("#");
  return new URL(`/ns/shapes/${domain}`, new URL(near, location.href)).href;
}

function graphOf(fetch: Fetch, shape: string, near: string): Promise<Graph> {
  const address = addressOf(shape, near);
  const known = read.get(address);
  if (known) return known;
  const graph = readDocument(fetch, address).then((document) => document.graph);
  read.set(address, graph);
  graph.catch(() => read.delete(address)); // Try again next time.
  return graph;
}

/**
 * @param shape Address of the node shape.
 * @param near Any address at the server whose copy of the published shapes is good.
 * @throws FreeholdError `answer-invalid` where the shape is not described, or the refusal of who has it.
 */
export async function readModel(fetch: Fetch, shape: string, near: string): Promise<FormModel> {
  const model = formOf(await graphOf(fetch, shape, near), shape, languagesNow());
  if (model) return model;
  throw new FreeholdError("answer-invalid", "The form is not described where it should be", { url: shape });
}

/** What the document of a shape calls properties, by their addresses. @throws FreeholdError */
export async function propertyNames(
  fetch: Fetch,
  shape: string,
  near: string,
): Promise<ReadonlyMap<string, string>> {
  const graph = await graphOf(fetch, shape, near);
  const names = new Map<string, string>();
  for (const property of graph.subjects.keys()) {
    const path = graph.value(property, sh.path);
    const name = inLanguage(graph.objects(property, sh.name), languagesNow());
    if (path !== undefined && name !== "" && !names.has(path)) names.set(path, name);
  }
  return names;
}
