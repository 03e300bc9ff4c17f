/** Who imports whom: every static, dynamic and type import of the sources, resolved to a file or an npm package. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";

export interface Import {
  /** The importing file, relative to the checkout, with `/`. */
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** A file of the checkout, `node:…`, or the name of an npm package. */
  readonly to: string;
  readonly kind: "file" | "node" | "npm";
  /** Erased before it runs. */
  readonly isType: boolean;
}

/** The workspaces: their package name leads to their folder, as npm links it. */
export const WORKSPACES: Readonly<Record<string, string>> = {
  "@freehold/vocab": "vocab",
  "@freehold/shapes": "shapes",
  "@freehold/client": "client-lib",
};

export const PRODUCT_FOLDERS: readonly string[] = ["server", "client-lib", "shapes", "vocab"];

const SPECIFIERS: readonly RegExp[] = [
  /^\s*(?:import|export)\s[^'"`;]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
  // A worker: `… ? "./x.ts" : "./x.js"`, the one way that also holds in a published package.
  /["'](\.\.?\/[\w./-]+\.ts)["']\s*:\s*["']\.\.?\/[\w./-]+\.js["']/g,
];

/** All TypeScript files of the folders, relative to the checkout, sorted. */
export function sourceFiles(root: string, folders: readonly string[]): readonly string[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .filter((path) => !path.includes("node_modules"))
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

function resolveSpecifier(root: string, from: string, specifier: string): Pick<Import, "to" | "kind"> {
  if (specifier.startsWith("."))
    return { to: normalize(join(dirname(from), specifier)).replaceAll("\\", "/"), kind: "file" };
  if (specifier.startsWith("node:") || builtinModules.includes(specifier))
    return { to: specifier, kind: "node" };
  const parts = specifier.split("/");
  const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const workspace = WORKSPACES[name];
  if (!workspace) return { to: name, kind: "npm" };
  const { exports } = JSON.parse(readFileSync(join(root, workspace, "package.json"), "utf8")) as {
    exports: Record<string, string>;
  };
  const path = exports[`.${specifier.slice(name.length)}`];
  return { to: path ? normalize(join(workspace, path)) : `${specifier} (no such export)`, kind: "file" };
}

/** @param text The file's content; comments are passed over, for they may quote code. */
export function importsOf(root: string, from: string, text: string): readonly Import[] {
  const code = text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
  const found = SPECIFIERS.flatMap((pattern) => [...code.matchAll(pattern)]);
  return [...Map.groupBy(found, ([, specifier = ""]) => specifier)].map(([specifier, matches]) => ({
    from,
    specifier,
    isType: matches.every(([text]) => /^\s*(?:import|export)\s+type\s/.test(text)),
    ...resolveSpecifier(root, from, specifier),
  }));
}

export function allImports(root: string, files: readonly string[]): readonly Import[] {
  return files.flatMap((file) => importsOf(root, file, readFileSync(join(root, file), "utf8")));
}

/** Files reachable from the entries by imports. */
export function reachable(entries: readonly string[], imports: readonly Import[]): ReadonlySet<string> {
  const next = Map.groupBy(
    imports.filter(({ kind }) => kind === "file"),
    ({ from }) => from,
  );
  const seen = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    waiting.push(...(next.get(file) ?? []).map(({ to }) => to));
  }
  return seen;
}

/** Imports of files that are not there. */
export function dangling(root: string, imports: readonly Import[]): readonly Import[] {
  return imports.filter(({ kind, to }) => kind === "file" && !existsSync(join(root, to)));
}
