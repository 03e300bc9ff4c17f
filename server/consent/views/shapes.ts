/** What our published shapes are of, and which properties they name: read once, from the shapes themselves. */
import { readFile } from "node:fs/promises";
import { SHAPES } from "@freehold/shapes";
import { sh } from "@freehold/vocab";
import { parseRdf } from "../../rdf/parse.ts";
import { keyOf, type Quad } from "../../rdf/terms.ts";
import type { ShapeFields } from "./project.ts";

const NESTED_DEEP = 3;
const files = new Map<string, Promise<ReadonlyMap<string, readonly Quad[]>>>();

async function read(file: URL, iri: string): Promise<ReadonlyMap<string, readonly Quad[]>> {
  const quads = await parseRdf(await readFile(file), "text/turtle", iri.split("#", 1)[0]!);
  return Map.groupBy(quads, ({ subject }) => keyOf(subject));
}

/** @returns null for a shape that is none of ours: then nothing is of it. */
export async function shapeFields(iri: string, deep = 0): Promise<ShapeFields | null> {
  const shape = SHAPES.find((one) => one.iri === iri);
  if (!shape || deep > NESTED_DEEP) return null;
  let file = files.get(shape.file.href);
  if (!file) files.set(shape.file.href, (file = read(shape.file, iri)));
  const about = await file;
  const values = (key: string, name: string) =>
    (about.get(key) ?? []).filter(({ predicate }) => predicate.value === name).map(({ object }) => object);
  const properties = new Map<string, ShapeFields | null>();
  for (const property of values(`<${iri}>`, sh.property)) {
    const [path] = values(keyOf(property), sh.path);
    const [node] = values(keyOf(property), sh.node);
    if (path?.termType === "NamedNode")
      properties.set(path.value, node ? await shapeFields(node.value, deep + 1) : null);
  }
  const classes = values(`<${iri}>`, sh.targetClass).map(({ value }) => value);
  return { classes: classes.length > 0 ? classes : [shape.targetClass], properties };
}
