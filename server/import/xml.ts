/** Streaming XML: one small tree for each record element, never the whole document. No DTD, so no entities of others. */
import type { SaxesAttributeNS, SaxesTagNS } from "saxes";
import type { ImportLimits, Source } from "./reading.ts";
import { decodeText, refuse } from "./source.ts";

export interface XmlNode {
  /** Local name. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly text: string;
}

export interface XmlRecord {
  readonly node: XmlNode;
  /** Where the element begins. */
  readonly line: number;
  /** Set when the element was larger than `importRecordBytesMax`; the node is then not whole. */
  readonly tooLarge: boolean;
}

/** An element that has begun and not yet ended. */
interface Open {
  readonly node: {
    readonly name: string;
    readonly attributes: Record<string, string>;
    readonly children: XmlNode[];
    text: string;
  };
  readonly line: number;
  readonly isRecord: boolean;
}

const paths = new Map<string, { readonly steps: readonly string[]; readonly attribute: string | null }>();

/** Paths are written in recipes, so there are few of them. */
function parsePath(path: string) {
  let parsed = paths.get(path);
  if (!parsed) {
    const [elements = "", attribute = null] = path.split("@");
    parsed = { steps: elements.split("/").filter(Boolean), attribute };
    paths.set(path, parsed);
  }
  return parsed;
}

/** All nodes at a path of local names such as `NtryDtls/TxDtls`. */
export function at(node: XmlNode, path: string): readonly XmlNode[] {
  let found: readonly XmlNode[] = [node];
  for (const step of parsePath(path).steps)
    found = found.flatMap(({ children }) => children.filter(({ name }) => name === step));
  return found;
}

function firstText(
  node: XmlNode,
  steps: readonly string[],
  depth: number,
  attribute: string | null,
): string | null {
  if (depth === steps.length)
    return (attribute === null ? node.text : (node.attributes[attribute] ?? "")).trim() || null;
  for (const child of node.children) {
    const text = child.name === steps[depth] ? firstText(child, steps, depth + 1, attribute) : null;
    if (text) return text;
  }
  return null;
}

/** The first text at the first of several paths that has any; `@name` at the end of a path is an attribute. */
export function textAt(node: XmlNode, ...paths: readonly string[]): string | null {
  for (const path of paths) {
    const { steps, attribute } = parsePath(path);
    const text = firstText(node, steps, 0, attribute);
    if (text) return text;
  }
  return null;
}

/** What the byte order mark says, else the XML declaration; UTF-8 without either. */
const encodingOf = ({ head, encoding }: Source): string =>
  encoding ?? /^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1] ?? "utf-8";

/**
 * @param names Local names of the elements that are records. A record inside a record is handed over first, and is no
 *   child of the outer one.
 * @throws Problem `input-invalid` (with the line) for what is not well-formed, a document type, too deep, or too large.
 */
export async function* readXml(
  source: Source,
  names: ReadonlySet<string>,
  limits: ImportLimits,
): AsyncGenerator<XmlRecord> {
  const { SaxesParser } = await import("saxes");
  const parser = new SaxesParser({ xmlns: true, position: true });
  const done: XmlRecord[] = [];
  const stack: Open[] = [];
  const sizes: number[] = []; // Letters so far, one for each record that is open.
  let attributes = 0;
  let lastEvent = 0;

  const stop = (detail: string, cause?: unknown): never => refuse(detail, parser.line, cause);
  const grow = (letters: number): void => {
    lastEvent = parser.position;
    if (sizes.length > 0) sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + letters;
  };
  const isKept = (): boolean => sizes.length > 0 && (sizes.at(-1) ?? 0) <= limits.importRecordBytesMax;

  parser.on("error", (error) => stop("The XML is not well-formed", error));
  parser.on("doctype", () => stop("The XML has a document type, which is not accepted"));
  parser.on("attribute", ({ value }) => {
    attributes += 1;
    if (attributes > limits.importColumnsMax)
      stop(`An element has at most ${limits.importColumnsMax} attributes`);
    if (value.length > limits.importFieldBytesMax) stop("An attribute is too large");
  });
  parser.on("opentag", (tag: SaxesTagNS) => {
    attributes = 0;
    if (stack.length >= limits.importXmlDepthMax)
      stop(`Elements are nested at most ${limits.importXmlDepthMax} deep`);
    const isRecord = names.has(tag.local);
    if (isRecord) sizes.push(0);
    const node: Open["node"] = { name: tag.local, attributes: {}, children: [], text: "" };
    if (isKept()) {
      for (const { local, value } of Object.values(tag.attributes as Record<string, SaxesAttributeNS>)) {
        node.attributes[local] = value;
        grow(local.length + value.length);
      }
    }
    grow(tag.local.length + 32); // An empty element takes room too.
    stack.push({ node, line: parser.line, isRecord });
  });
  const hear = (text: string): void => {
    lastEvent = parser.position;
    if (!/\S/.test(text)) return; // Indentation between elements.
    grow(text.length);
    const open = stack.at(-1);
    if (open && isKept()) open.node.text += text;
  };
  parser.on("text", hear);
  parser.on("cdata", hear);
  parser.on("closetag", () => {
    lastEvent = parser.position;
    const open = stack.pop();
    if (open?.isRecord) {
      done.push({ node: open.node, line: open.line, tooLarge: !isKept() });
      sizes.pop();
    } else if (open && isKept()) stack.at(-1)?.node.children.push(open.node);
  });

  for await (const chunk of decodeText(source.bytes, encodingOf(source))) {
    parser.write(chunk);
    if (parser.position - lastEvent > limits.importRecordBytesMax) stop("A piece of the file is too large");
    yield* done.splice(0);
  }
  parser.close();
  yield* done.splice(0);
}
