/**
 * Makes the four npm packages in `dist/`: JavaScript and types, since Node strips no types inside node_modules.
 * The checkout itself runs without any of this.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, extname, join, resolve } from "node:path";

interface Package {
  /** Folder in `dist/`. */
  readonly name: string;
  /** Where its package.json stands in the checkout, and which folder holds its code. */
  readonly home: string;
  readonly code: string;
  /** Where the code lies in the package: the server keeps its folder, for `bin` and `../package.json` hold in both. */
  readonly inside: string;
}

const PACKAGES: readonly Package[] = [
  { name: "vocab", home: "vocab", code: "vocab", inside: "." },
  { name: "shapes", home: "shapes", code: "shapes", inside: "." },
  { name: "client", home: "client-lib", code: "client-lib", inside: "." },
  { name: "freehold", home: ".", code: "server", inside: "server" },
];

const COMPILER_OPTIONS = {
  noEmit: false,
  allowImportingTsExtensions: false,
  rewriteRelativeImportExtensions: true,
  declaration: true,
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const toJs = (path: string): string => path.replace(/\.ts$/, ".js");
const toTypes = (path: string): string => path.replace(/\.ts$/, ".d.ts");

/** The published manifest: paths of JavaScript, types first, and nothing that only the checkout needs. */
function manifestOf(source: Manifest): Manifest {
  const {
    private: _private,
    scripts: _scripts,
    devDependencies: _dev,
    workspaces: _workspaces,
    allowScripts: _allow,
    ...kept
  } = source;
  const exports = Object.entries(source.exports ?? {}).map(([name, path]) =>
    path.endsWith(".ts") ? [name, { types: toTypes(path), default: toJs(path) }] : [name, path],
  );
  const bin = Object.entries(source.bin ?? {}).map(([name, path]) => [name, toJs(path)]);
  return {
    ...kept,
    ...(exports.length > 0
      ? { exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" } }
      : {}),
    ...(bin.length > 0
      ? { bin: Object.fromEntries(bin), files: ["server", "CHANGELOG.md", "SECURITY.md"] }
      : {}),
  };
}

/** A command needs its first line and its mode, whatever the compiler kept of them. */
function makeExecutable(path: string): void {
  const text = readFileSync(path, "utf8");
  if (!text.startsWith("#!")) writeFileSync(path, `#!/usr/bin/env node\n${text}`);
  chmodSync(path, 0o755);
}

/**
 * Builds all packages anew.
 * @param root The checkout.
 * @returns the package folders, each ready for `npm pack`.
 * @throws when the compiler finds an error; its words are on stderr.
 */
export async function buildPackages(root: string): Promise<readonly string[]> {
  const dist = resolve(root, "dist");
  const compiled = join(dist, "compiled");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);

  const settings = {
    extends: "../tsconfig.json",
    compilerOptions: { ...COMPILER_OPTIONS, rootDir: "..", outDir: "compiled" },
    include: PACKAGES.map(({ code }) => `../${code}`),
    exclude: ["../node_modules"],
  };
  writeFileSync(join(dist, "tsconfig.json"), JSON.stringify(settings));
  execFileSync(
    process.execPath,
    [resolve(root, "node_modules/typescript/bin/tsc"), "-p", join(dist, "tsconfig.json")],
    { stdio: "inherit" },
  );

  const folders = PACKAGES.map(({ name, home, code, inside }) => {
    const folder = join(dist, name);
    const target = join(folder, inside);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(compiled, code), target);
    // Everything that is no TypeScript (shapes, contexts, styles, pictures) goes along as it is.
    cpSync(resolve(root, code), target, {
      recursive: true,
      filter: (path) =>
        extname(path) !== ".ts" && !/[/\\](?:node_modules|examples|package\.json)$/.test(path),
    });
    const manifest = manifestOf(
      JSON.parse(readFileSync(resolve(root, home, "package.json"), "utf8")) as Manifest,
    );
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const path of Object.values(manifest.bin ?? {})) makeExecutable(join(folder, path));
    for (const file of ["LICENSE", ...(home === "." ? ["README.md", "CHANGELOG.md", "SECURITY.md"] : [])]) {
      if (existsSync(resolve(root, file))) copyFileSync(resolve(root, file), join(folder, file));
    }
    return folder;
  });
  rmSync(compiled, { recursive: true });
  rmSync(join(dist, "tsconfig.json"));
  return folders;
}
