/** A Dockerfile as its builder reads it: stages, instructions, and which files of the context reach it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export interface Instruction {
  readonly line: number;
  readonly name: string;
  readonly rest: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

export type Variables = Readonly<Record<string, string>>;

// biome-ignore format: by kind
const KNOWN = new Set([
  "ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
]);

/** `$NAME` and `${NAME}`. @throws Error for one that has no value. */
export function expand(text: string, variables: Variables): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
    const value = variables[braced ?? bare ?? ""];
    if (value === undefined) throw new Error(`Nothing says what ${braced ?? bare} is`);
    return value;
  });
}

function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  type Open = { readonly line: number; text: string };
  let open: Open | null = null;
  for (const [index, whole] of text.split("\n").entries()) {
    if (/^\s*(?:#|$)/.test(whole)) continue; // Also between the lines of one instruction.
    const line: Open = open ?? { line: index + 1, text: "" };
    line.text += whole.replace(/\\$/, "");
    open = whole.endsWith("\\") ? line : null;
    if (open) continue;
    const [, name = "", rest = ""] = /^\s*(\S+)\s+(.*)$/s.exec(line.text) ?? [];
    if (!KNOWN.has(name)) throw new Error(`line ${line.line}: no instruction that is known: ${line.text}`);
    found.push({ line: line.line, name, rest: rest.trim() });
  }
  if (open) throw new Error("The last instruction does not end");
  return found;
}

/** @throws Error for what is no Dockerfile, or has an instruction that is not known here. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { image: string; name: string | null; instructions: Instruction[] }[] = [];
  const defaults: Record<string, string> = {};
  for (const instruction of instructionsOf(text)) {
    const { name, rest, line } = instruction;
    if (name === "FROM") {
      const [, image = "", as = null] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(expand(rest, defaults)) ?? [];
      stages.push({ image, name: as, instructions: [] });
    } else if (stages.length === 0) {
      const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(rest) ?? [];
      if (name !== "ARG" || key === "")
        throw new Error(`line ${line}: nothing but ARG may stand before FROM`);
      defaults[key] = value;
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** A pattern of a `.dockerignore`. @see https://docs.docker.com/build/concepts/context/#dockerignore-files */
function patternOf(pattern: string): RegExp {
  const text = pattern
    .replace(/^\/|\/$/g, "")
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**/", "\u0001")
    .replaceAll("**", "\u0002")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]")
    .replaceAll("\u0001", "(?:.*/)?")
    .replaceAll("\u0002", ".*");
  return new RegExp(`^${text}(?:/.*)?$`);
}

/** The files that the builder is given: the last pattern that fits a path decides. */
export function contextOf(folder: string, ignore: string): readonly string[] {
  const patterns = ignore
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ keeps: line.startsWith("!"), pattern: patternOf(line.replace(/^!/, "")) }));
  const isKept = (path: string): boolean =>
    patterns.findLast(({ pattern }) => pattern.test(path))?.keeps ?? true;
  const files: string[] = [];
  const walk = (inside: string): void => {
    for (const entry of readdirSync(join(folder, inside), { withFileTypes: true })) {
      const path = inside === "" ? entry.name : `${inside}/${entry.name}`;
      if (entry.name === ".git" || entry.name === "node_modules") continue; // Many, and what they are of is looked at below.
      if (entry.isDirectory()) walk(path);
      else if (isKept(path)) files.push(path);
    }
  };
  if (isKept("server/node_modules/any") || isKept("node_modules/any"))
    throw new Error("What is installed here would be copied into the image");
  walk("");
  return files;
}
