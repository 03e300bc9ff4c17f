/**
 * The part of YAML that the files in docker/ keep to: blocks of maps and lists, flow lists, plain and quoted scalars, comments.
 * Stricter than YAML: what could be read in two ways is refused.
 * @see https://yaml.org/spec/1.2.2/
 */
export type Yaml = string | null | readonly Yaml[] | { readonly [name: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const PLAIN = /^[^\s"'&*!|>%@`{}[\],#:?-](?:[^#:]|:(?=\S)|(?<=\S)#)*$|^-(?=[\w.-])[^#:]*$|^[?:-](?=\S).*$/;
const KEY = /^(?:"((?:[^"\\]|\\.)*)"|([\w./-]+)):(?:\s+(.*))?$/;

function fail(line: Line, why: string): never {
  throw new Error(`line ${line.number}: ${why}: ${line.text}`);
}

/** Without what follows a `#` that begins a comment. */
function withoutComment(text: string): string {
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if (quote) {
      if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") {
      if (at === 0 || /[\s,[:]/.test(text[at - 1] ?? "")) quote = letter;
    } else if (letter === "#" && (at === 0 || /\s/.test(text[at - 1] ?? ""))) return text.slice(0, at);
  }
  return text;
}

function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((whole, index) => {
    const bare = withoutComment(whole).trimEnd();
    const line = { number: index + 1, indent: bare.length - bare.trimStart().length, text: bare.trimStart() };
    if (/^\s*\t/.test(whole)) fail(line, "a tab in the indentation");
    return line.text === "" ? [] : [line];
  });
}

/** The parts of a flow list: commas in quotes do not count. */
const partsOf = (text: string): readonly string[] =>
  text.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^,"'])+/g) ?? [];

function scalarOf(line: Line, text: string): Yaml {
  if (text.startsWith("[")) {
    if (!text.endsWith("]")) fail(line, "a list that does not end on its line");
    const inside = text.slice(1, -1).trim();
    return inside === "" ? [] : partsOf(inside).map((part) => scalarOf(line, part.trim()));
  }
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (text.startsWith("'")) {
    if (!/^'[^']*'$/.test(text)) fail(line, "a quote that does not end");
    return text.slice(1, -1);
  }
  if (/^(?:y|yes|n|no|on|off)$/i.test(text))
    fail(line, "a word that some read as true or false, without quotes");
  if (/^\d+:\d+/.test(text)) fail(line, "two numbers that some read as one, without quotes");
  if (!PLAIN.test(text)) fail(line, "a scalar that needs quotes");
  return text === "null" || text === "~" ? null : text;
}

/** @throws Error that names the line. */
export function parseYaml(text: string): Yaml {
  const lines = linesOf(text);
  let at = 0;

  function valueAfter(line: Line, rest: string | undefined): Yaml {
    if (rest !== undefined && rest !== "") return scalarOf(line, rest);
    const next = lines[at];
    return next && next.indent > line.indent ? block(next.indent) : null;
  }

  function list(indent: number): readonly Yaml[] {
    const items: Yaml[] = [];
    for (let line = lines[at]; line?.indent === indent; line = lines[at]) {
      if (!line.text.startsWith("- ")) fail(line, "no item of the list that it stands in");
      const inner = line.text.slice(2).trimStart();
      const inside = { ...line, indent: indent + line.text.length - inner.length, text: inner };
      if (KEY.test(inner)) {
        lines[at] = inside;
        items.push(block(inside.indent));
      } else {
        at += 1;
        items.push(scalarOf(line, inner));
      }
    }
    return items;
  }

  function map(indent: number): Yaml {
    const members: Record<string, Yaml> = {};
    for (let line = lines[at]; line?.indent === indent; line = lines[at]) {
      const [, quoted, plain, rest] = KEY.exec(line.text) ?? [];
      const key = quoted ?? plain;
      if (key === undefined) fail(line, "neither name and value nor an item");
      if (Object.hasOwn(members, key)) fail(line, "the same name twice");
      at += 1;
      members[key] = valueAfter(line, rest);
    }
    return members;
  }

  function block(indent: number): Yaml {
    const first = lines[at];
    const found = first?.text.startsWith("- ") ? list(indent) : map(indent);
    const next = lines[at];
    if (next && next.indent > indent) fail(next, "further in than what it could belong to");
    return found;
  }

  const first = lines[0];
  const found = first ? block(first.indent) : null;
  const left = lines[at];
  if (left) fail(left, "further out than the first line");
  return found;
}
