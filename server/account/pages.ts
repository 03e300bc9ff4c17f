/** The owner's pages as files: TypeScript with its types taken off, served from an allow-list under one strict policy. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { findPackageJSON, stripTypeScriptTypes } from "node:module";
import { pathToFileURL } from "node:url";
import { Problem } from "../errors.ts";
import { escapeHtml } from "../html.ts";
import type { Door, Result } from "../operation.ts";
import { type Asset, give, hash, pack } from "./assets.ts";

export { errorPage, plainPage } from "./error-page.ts";

export type PageName = "home" | "setup" | "login" | "consent" | "registry" | "vendor";

const PATHS: Readonly<Record<PageName, string>> = {
  home: "/",
  setup: "/.account/setup",
  login: "/.account/login",
  consent: "/.account/consent",
  registry: "/.registry",
  vendor: "/.vendor",
};

/** Which page talks to other servers: a vendor asks pods wherever they are. Its scripts are ours alone, as anywhere. */
const ELSEWHERE: Readonly<Partial<Record<PageName, string>>> = {
  vendor: " https: http://localhost:* http://127.0.0.1:*",
};

export interface PageDoor {
  readonly verb: "get";
  readonly path: string;
  readonly door: Door;
}

export interface Pages {
  page(name: PageName): Result;
  /** @param path Below `/.ui/`. @throws Problem `not-found` for whatever is not on the list. */
  asset(path: string, headers: Readonly<Record<string, string | undefined>>): Promise<Result>;
}

/** Packages that browsers get, with the file that the bare name means there. */
const PACKAGES: Readonly<Record<string, string>> = {
  lit: "index.js",
  "lit-html": "lit-html.js",
  "lit-element": "index.js",
  "@lit/reactive-element": "reactive-element.js",
  "@simplewebauthn/browser": "esm/index.js",
  "@scure/base": "index.js",
  canonicalize: "lib/canonicalize.js",
  n3: "browser/n3.esm.min.js",
  uplot: "dist/uPlot.esm.js",
  uqr: "dist/index.mjs",
};

/** Modules of the client library that pages name by themselves, to load no more than these. */
const CLIENT_MODULES: readonly string[] = [
  ...["dpop", "files", "form", "graph", "models", "shape", "share"].map((name) => `elements/${name}`),
  "errors",
  "query",
  "search",
  "series",
];

/** In a checkout our files are TypeScript; in a published package they are JavaScript already. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const PAGES_FOLDER = new URL("../ui/", import.meta.url);
const PAGE_FILE = /^server\/ui\/((?:[a-z0-9-]+\/)*[a-z0-9-]+\.(?:ts|js|css|svg))$/;
/** Of the client library, all but what runs in Node alone. */
const CLIENT_FILE =
  /^client-lib\/(?!(?:node|join)\.)((?:(?:passport|registry|consent|elements)\/)?[a-z0-9-]+\.(?:ts|js))$/;
const WORDS_FILE = /^(vocab|shapes)\/([a-z0-9-]+\.(?:ts|js))$/;
const NPM_FILE = /^npm\/((?:@[a-z0-9-]+\/)?[a-z0-9-]+)\/((?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_.-]+\.m?js)$/;
/** What every page of ours says about itself; pods and their content get other headers. */
export const COMMON: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

function importMap(): string {
  const imports: Record<string, string> = {
    "@freehold/client": `/.ui/client-lib/index${EXTENSION}`,
    "@freehold/client/consent": `/.ui/client-lib/consent/index${EXTENSION}`,
    "@freehold/vocab": `/.ui/vocab/index${EXTENSION}`,
    "@freehold/shapes": `/.ui/shapes/index${EXTENSION}`,
    "@freehold/client/passport": `/.ui/client-lib/passport/index${EXTENSION}`,
    "@freehold/client/registry": `/.ui/client-lib/registry/index${EXTENSION}`,
  };
  for (const name of CLIENT_MODULES)
    imports[`@freehold/client/${name}`] = `/.ui/client-lib/${name}${EXTENSION}`;
  for (const [name, main] of Object.entries(PACKAGES)) {
    imports[name] = `/.ui/npm/${name}/${main}`;
    imports[`${name}/`] = `/.ui/npm/${name}/`;
  }
  return JSON.stringify({ imports });
}

/** A package's own folder, from the name alone: what its `exports` say to Node is not what a browser needs. */
function folderOf(packageName: string): URL {
  const manifest = findPackageJSON(packageName, import.meta.url);
  if (!manifest) throw new Error(`${packageName} is not installed`);
  return new URL("./", pathToFileURL(manifest));
}

function fileOf(path: string): URL {
  const page = PAGE_FILE.exec(path)?.[1];
  if (page) return new URL(page, PAGES_FOLDER);
  const client = CLIENT_FILE.exec(path)?.[1];
  if (client) return new URL(client, folderOf("@freehold/client"));
  const [, workspace, words = ""] = WORDS_FILE.exec(path) ?? [];
  if (workspace) return new URL(words, folderOf(`@freehold/${workspace}`));
  const [, name = "", file = ""] = NPM_FILE.exec(path) ?? [];
  if (Object.hasOwn(PACKAGES, name)) return new URL(file, folderOf(name));
  throw new Problem("not-found");
}

async function load(path: string): Promise<Asset> {
  const file = fileOf(path);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new Problem("not-found", undefined, { cause });
  }
  const body = path.endsWith(".ts") ? Buffer.from(stripTypeScriptTypes(bytes.toString("utf8"))) : bytes;
  return pack(path, body);
}

const IMPORT = /(?:^|[;\n}])\s*(?:import|export)\b[^"'();]*?["']([^"']+)["']/g;

/**
 * @param baseUrl Ends in `/`.
 * @param registry Where passports are registered, if elsewhere: the owner's page asks there for proofs.
 */
export function createPages({
  baseUrl,
  registry = "",
}: {
  readonly baseUrl: string;
  readonly registry?: string;
}): Pages {
  const assets = new Map<string, Promise<Asset>>();
  const map = importMap();
  const { imports } = JSON.parse(map) as { readonly imports: Readonly<Record<string, string>> };
  const graphs = new Map<string, Promise<readonly string[]>>();
  const own = `${baseUrl}.ui/`;
  // Scripts, styles and pictures come from `.ui/` only: what people upload lives on the same host, and is none of these.
  const policyOf = (name: PageName): string =>
    [
      "default-src 'none'",
      `script-src ${own} 'sha256-${hash(map)}'`,
      `style-src ${own}`,
      `connect-src 'self'${name === "home" && registry !== "" ? ` ${new URL(registry).origin}` : ""}${ELSEWHERE[name] ?? ""}`,
      `img-src ${own} data:`,
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types lit-html",
    ].join("; ");

  function asset(path: string): Promise<Asset> {
    let found = assets.get(path);
    if (!found) {
      found = load(path);
      assets.set(path, found);
      found.catch(() => assets.delete(path));
    }
    return found;
  }

  /** All modules that a page will ask for, found by following its imports: fetched at once instead of one after another. */
  function graphOf(entry: string): Promise<readonly string[]> {
    let graph = graphs.get(entry);
    if (!graph) {
      graph = collect(entry);
      graphs.set(entry, graph);
      graph.catch(() => graphs.delete(entry));
    }
    return graph;
  }

  async function collect(entry: string): Promise<readonly string[]> {
    const found = new Set([entry]);
    for (const url of found) {
      const { body } = await asset(url.slice("/.ui/".length));
      for (const [, specifier = ""] of Buffer.from(body).toString("utf8").matchAll(IMPORT)) {
        const prefix = Object.keys(imports).find((name) => name.endsWith("/") && specifier.startsWith(name));
        const resolved =
          imports[specifier] ??
          (prefix ? `${imports[prefix] ?? ""}${specifier.slice(prefix.length)}` : specifier);
        if (/^(\.|\/\.ui\/)/.test(resolved)) found.add(new URL(resolved, new URL(url, baseUrl)).pathname); // A Set's loop sees what is added.
      }
    }
    return [...found];
  }

  const templates = new Map<PageName, string>();
  const preloads = new Map<PageName, string>();

  /** The page's own file, which names its first module; in a published package that is JavaScript. */
  function templateOf(name: PageName): string {
    const known = templates.get(name);
    if (known !== undefined) return known;
    const text = readFileSync(new URL(`${name}.html`, PAGES_FOLDER), "utf8").replace(
      /\.ts(?=">)/g,
      EXTENSION,
    );
    templates.set(name, text);
    return text;
  }

  function preloadOf(name: PageName, entry: string): string {
    const known = preloads.get(name);
    if (known !== undefined) return known;
    preloads.set(name, ""); // The first visitor of all goes without; the next has the list.
    graphOf(entry).then(
      (urls) =>
        preloads.set(
          name,
          urls.map((url) => `<link rel="modulepreload" href="${escapeHtml(url)}">`).join("\n"),
        ),
      () => preloads.delete(name),
    );
    return "";
  }

  return {
    page(name) {
      const template = templateOf(name);
      const entry = /src="(\/\.ui\/[^"]+)"/.exec(template)?.[1] ?? "";
      const modules = `<script type="importmap">${map}</script>\n${preloadOf(name, entry)}`;
      return {
        status: 200,
        headers: { ...COMMON, "content-security-policy": policyOf(name) },
        body: template.replace("{{modules}}", () => modules),
      };
    },
    async asset(path, headers) {
      return give(await asset(path), headers);
    },
  };
}

/** The doors of the pages, all public: what they show they ask for by the doors of `doors.ts`. */
export function pageDoors(pages: Pages): readonly PageDoor[] {
  const names = Object.keys(PATHS) as PageName[];
  return [
    ...names.map((name) => ({ verb: "get" as const, path: PATHS[name], door: async () => pages.page(name) })),
    // https://w3c.github.io/webappsec-change-password-url/
    {
      verb: "get",
      path: "/.well-known/change-password",
      door: async () => ({
        status: 302,
        headers: { location: "/#/security", "cache-control": "no-store" },
        body: null,
      }),
    },
    assetDoor(pages),
  ];
}

const assetDoor = (pages: Pages): PageDoor => ({
  verb: "get",
  path: "/.ui/{*path}",
  door: ({ url, headers }) => pages.asset(url.pathname.slice("/.ui/".length), headers),
});

/** The one page of a registry that stands alone. */
export function registryPageDoors(pages: Pages): readonly PageDoor[] {
  const paths = [PATHS.home, PATHS.registry];
  return [
    ...paths.map((path) => ({ verb: "get" as const, path, door: async () => pages.page("registry") })),
    assetDoor(pages),
  ];
}
