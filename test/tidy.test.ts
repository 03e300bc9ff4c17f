/** The repository's own rules, as a test: ARCHITECTURE.md says why, this file says no. Long, for it is one list. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { SETTINGS } from "../server/config.ts";
import { LIMITS } from "../server/limits.ts";
import { PROBLEMS } from "../server/problems.ts";
import {
  allImports,
  dangling,
  type Import,
  PRODUCT_FOLDERS,
  reachable,
  sourceFiles,
  WORKSPACES,
} from "./tools/imports.ts";
import { MADE, withTable } from "./tools/readme.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Imports point downhill only. A file belongs to the first row whose pattern it fits. */
const LAYERS: readonly {
  readonly name: string;
  readonly holds: RegExp;
  readonly mayImport: readonly string[];
}[] = [
  { name: "vocab", holds: /^vocab\//, mayImport: [] },
  { name: "shape library", holds: /^shapes\//, mayImport: ["vocab"] },
  { name: "client-lib", holds: /^client-lib\//, mayImport: ["vocab", "shape library"] },
  { name: "top", holds: /^server\/((main|app|context|health)\.ts|cli\/)/, mayImport: ["*"] },
  { name: "base", holds: /^server\/[^/]+\.ts$/, mayImport: ["vocab"] },
  { name: "rdf", holds: /^server\/rdf\//, mayImport: ["vocab", "base"] },
  {
    name: "port",
    holds: /^server\/store\/(store|record|pods|durable|lock|refused)\.ts$/,
    mayImport: ["vocab", "base"],
  },
  { name: "engines", holds: /^server\/store\//, mayImport: ["vocab", "base", "rdf", "port"] },
  { name: "access", holds: /^server\/access\//, mayImport: ["vocab", "base", "rdf", "port"] },
  { name: "auth", holds: /^server\/auth\//, mayImport: ["vocab", "base", "rdf", "port"] },
  {
    name: "shapes",
    holds: /^server\/shapes\//,
    mayImport: ["vocab", "base", "rdf", "port", "shape library"],
  },
  ...[
    "ldp",
    "query",
    "account",
    "import",
    "passport",
    "registry",
    "journal",
    "backup",
    "transfer",
    "notify",
    "lws",
    "series",
    "consent",
  ].map((feature) => ({
    name: feature, // Never one another: two features that must talk share a word in a lower layer.
    holds: new RegExp(`^server/${feature}/`),
    mayImport: ["vocab", "base", "rdf", "port", "access", "auth", "shapes", "shape library"],
  })),
  { name: "http", holds: /^server\/http\//, mayImport: ["vocab", "base", "rdf"] },
  { name: "ui", holds: /^server\/ui\//, mayImport: ["vocab", "shape library", "client-lib"] },
];

/** What the table above would refuse, and why it is right all the same. */
const ALLOWED: readonly { readonly from: RegExp; readonly to: RegExp; readonly why: string }[] = [
  {
    from: /^server\/(passport|registry)\//,
    to: /^client-lib\/(passport|registry)\//,
    why: "browser, command line and server share one table of rules, and one way to prove and to verify",
  },
  {
    from: /^server\/consent\//,
    to: /^client-lib\/consent\//,
    why: "vendor, browser and server share the words of consent, and how they are signed",
  },
];

/** Each npm package lives behind one folder per workspace, so that replacing it is a one-folder change. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "node:sqlite": ["server/store/"],
  pg: ["server/store/"],
  n3: ["server/rdf/", "client-lib/rdf"],
  "@rdfjs/types": ["server/rdf/", "client-lib/rdf"],
  jsonld: ["server/rdf/"],
  "oidc-provider": ["server/auth/"],
  "@simplewebauthn/server": ["server/account/"],
  "rdf-validate-shacl": ["server/shapes/"],
  "@comunica/query-sparql": ["server/query/", "client-lib/join.ts"],
  undici: ["server/safe-fetch.ts"],
  ws: ["server/notify/"],
  express: ["server/http/", "server/app.ts"],
  lit: ["server/ui/", "client-lib/elements/"],
  "@simplewebauthn/browser": ["server/ui/"],
  uplot: ["server/ui/"],
  uqr: ["server/ui/"],
  "csv-parse": ["server/import/"],
  saxes: ["server/import/"],
  "ical.js": ["server/import/"],
  "age-encryption": ["server/backup/"],
  "modern-tar": ["server/backup/"],
  yauzl: ["server/transfer/"],
  "@scure/base": ["client-lib/passport/", "client-lib/registry/", "client-lib/consent/"],
  canonicalize: ["client-lib/passport/"],
  "@inrupt/solid-client": ["client-lib/"],
  "@inrupt/solid-client-authn-node": ["client-lib/node.ts"],
};

/** Dependencies that no source file imports. */
const UNIMPORTED: Readonly<Record<string, string>> = {
  node: "the runtime itself: npm scripts find it before any other",
  "oxlint-tsgolint": "the part of oxlint that knows types",
  "axe-core": "run inside the browser by the pages' tests, as text",
};

// biome-ignore format: by kind
const TOP_LEVEL: readonly string[] = [
  "server", "shapes", "vocab", "client-lib", "test", "docker",
  "package.json", "package-lock.json", "tsconfig.json", "biome.json",
  "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md", "LICENSE",
];

/** Growth should be a decision: whoever raises a ceiling says in the commit why. */
const WEIGHT = { packagesMax: 728, megabytesMax: 240 };

const linesMax = 400;

interface Manifest {
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readManifest = (folder: string): Manifest =>
  JSON.parse(readText(join(folder, "package.json"))) as Manifest;
const layerOf = (path: string) => LAYERS.find(({ holds }) => holds.test(path));
const isTypes = (name: string): boolean => name.startsWith("@types/");

describe("the repository keeps its own rules", () => {
  const product = sourceFiles(ROOT, PRODUCT_FOLDERS);
  const tests = sourceFiles(ROOT, ["test"]);
  const imports = allImports(ROOT, product);
  const show = ({ from, specifier }: Import): string => `${from} imports ${specifier}`;

  describe("imports point downhill", () => {
    it("every source file belongs to a layer, and every import leads to a file", () => {
      expect(product.filter((path) => !layerOf(path))).to.deep.equal([]);
      expect(dangling(ROOT, imports).map(show)).to.deep.equal([]);
    });

    it("no layer imports what it may not", () => {
      const uphill = imports.filter(({ from, to, kind }) => {
        const [layer, other] = [layerOf(from), layerOf(to)];
        if (
          kind !== "file" ||
          !layer ||
          layer === other ||
          ALLOWED.some((row) => row.from.test(from) && row.to.test(to))
        )
          return false;
        return !other || !(layer.mayImport.includes("*") || layer.mayImport.includes(other.name));
      });
      expect(uphill.map(show)).to.deep.equal([]);
    });

    it("only context.ts names a storage engine", () => {
      const named = imports.filter(
        ({ from, to }) => layerOf(to)?.name === "engines" && layerOf(from)?.name !== "engines",
      );
      expect(named.filter(({ from }) => from !== "server/context.ts").map(show)).to.deep.equal([]);
    });

    it("workspaces know each other by name only: a published package has no neighbours' folders", () => {
      const homeOf = (path: string) =>
        Object.values(WORKSPACES).find((folder) => path.startsWith(`${folder}/`)) ?? "server";
      const reaching = imports.filter(
        ({ from, to, specifier }) => specifier.startsWith(".") && homeOf(from) !== homeOf(to),
      );
      expect(reaching.map(show)).to.deep.equal([]);
    });

    it("the client library runs in a browser: only node.ts knows Node", () => {
      const bound = imports.filter(
        ({ from, kind }) =>
          kind === "node" && from.startsWith("client-lib/") && from !== "client-lib/node.ts",
      );
      expect(bound.map(show)).to.deep.equal([]);
    });

    it("every exception is still needed", () => {
      const idle = ALLOWED.filter(
        (row) => !imports.some(({ from, to }) => row.from.test(from) && row.to.test(to)),
      );
      expect(idle.map(({ why }) => why)).to.deep.equal([]);
    });
  });

  describe("every npm package has one owner", () => {
    it("is imported only by its owner", () => {
      const strays = imports.filter(
        ({ from, to, kind }) =>
          (kind === "npm" || to in OWNERS) && !OWNERS[to]?.some((folder) => from.startsWith(folder)),
      );
      expect(strays.map(show)).to.deep.equal([]);
    });

    it("is declared by the workspace that imports it", () => {
      const undeclared = imports.filter(({ from, to, kind, isType }) => {
        const home = Object.values(WORKSPACES).find((folder) => from.startsWith(`${folder}/`)) ?? ".";
        const { dependencies, devDependencies } = readManifest(home);
        return kind === "npm" && !(to in { ...dependencies, ...(isType ? devDependencies : {}) });
      });
      expect(undeclared.map(show)).to.deep.equal([]);
    });

    it("is used: no dependency and no owner without an import", () => {
      const used = new Set(imports.map(({ to }) => to));
      for (const home of [".", ...Object.values(WORKSPACES)]) {
        const idle = Object.keys(readManifest(home).dependencies ?? {}).filter(
          (name) => !used.has(name) && !(name in UNIMPORTED) && !(name in WORKSPACES),
        );
        expect(idle, `dependencies of ${home}`).to.deep.equal([]);
      }
      expect(Object.keys(OWNERS).filter((name) => !used.has(name))).to.deep.equal([]);
    });

    it("is used, for tests and tools", () => {
      const texts = tests.map(readText).join("\n");
      const idle = Object.keys(readManifest(".").devDependencies ?? {}).filter(
        (name) =>
          !isTypes(name) &&
          !(name in UNIMPORTED) &&
          !texts.includes(`"${name}"`) &&
          !texts.includes(`node_modules/${name}/`),
      );
      expect(idle).to.deep.equal([]);
    });
  });

  describe("nothing lies about", () => {
    const words = new Map(
      [...product, ...tests].map((path) => [path, new Set(readText(path).match(/[\w$]+/g))]),
    );

    it("every source file is reached from a door", () => {
      const pages = globSync("server/ui/**/*.html", { cwd: ROOT }).map(readText).join("\n");
      const entries = product.filter(
        (path) =>
          path === "server/main.ts" ||
          path === "server/store/memory.ts" || // The reference that the tests hold every engine to.
          (path.startsWith("server/ui/") &&
            pages.includes(path.slice(path.lastIndexOf("/")).replace(/\.ts$/, "."))) ||
          path.startsWith("client-lib/examples/"),
      );
      const offered = Object.values(WORKSPACES).flatMap((home) =>
        Object.values(readManifest(home).exports ?? {}).map((path) => join(home, path)),
      );
      const used = reachable([...entries, ...offered], imports);
      expect(product.filter((path) => !used.has(path))).to.deep.equal([]);
    });

    it("every exported value is used by another file, or offered to others", () => {
      const offered = /^(client-lib|shapes|vocab)\//;
      const dead = product.flatMap((path) =>
        [...readText(path).matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)]
          .map((match) => match[1] ?? "")
          .filter(
            (name) =>
              !offered.test(path) && ![...words].some(([other, has]) => other !== path && has.has(name)),
          )
          .map((name) => `${path}: ${name}`),
      );
      expect(dead).to.deep.equal([]);
    });

    it("every problem is thrown", () => {
      const texts = product.filter((path) => path !== "server/problems.ts").map(readText);
      expect(
        Object.keys(PROBLEMS).filter((code) => !texts.some((text) => text.includes(`"${code}"`))),
      ).to.deep.equal([]);
    });

    it("every limit is enforced", () => {
      const used = product.filter((path) => path !== "server/limits.ts").map((path) => words.get(path));
      expect(Object.keys(LIMITS).filter((name) => !used.some((has) => has?.has(name)))).to.deep.equal([]);
    });

    it(`a file over ${linesMax} lines says in its first line why it is still one idea`, () => {
      const long = [...product, ...tests].filter((path) => {
        const text = readText(path);
        return (
          text.split("\n").length > linesMax && !/^(?:\/\/.*|\/\*(?:(?!\*\/)[\s\S])*)\blong\b/i.test(text)
        );
      });
      expect(long).to.deep.equal([]);
    });

    it("nobody left a test alone on stage", () => {
      expect(
        tests.filter((path) => /\b(?:it|describe|specify|context)\.only\(/.test(readText(path))),
      ).to.deep.equal([]);
    });
  });

  describe("the documents are true to the code", () => {
    for (const { file, name, make } of MADE) {
      it(`${file} holds the table of ${name} (npm run fix renews it)`, () => {
        const text = readText(file);
        const renewed = withTable(text, name, make(ROOT));
        expect(renewed, `${file} has a place <!-- ${name} -->`).not.to.equal(null);
        expect(text).to.equal(renewed);
      });
    }

    it("every source file they name exists", () => {
      const named = ["README.md", "ARCHITECTURE.md", "SECURITY.md"].flatMap((file) =>
        [...readText(file).matchAll(/`([\w./-]+\.ts)`/g)].map((match) => match[1] ?? ""),
      );
      const lost = named.filter(
        (path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, "server", path)),
      );
      expect(lost).to.deep.equal([]);
    });

    it("one read opens at most six files of the server", () => {
      const section =
        readText("ARCHITECTURE.md")
          .split(/^## /m)
          .find((text) => /^.*\bone read\b/i.test(text)) ?? "";
      const files = new Set([...section.matchAll(/`([\w/-]+\.ts)`/g)].map((match) => match[1]));
      expect(files.size).to.be.within(1, 6);
    });

    it("no setting is read but in config.ts", () => {
      const readers = product.filter((path) => /process\.env\.\w/.test(readText(path)));
      expect(readers).to.deep.equal([]);
      expect(Object.keys(SETTINGS).every((name) => name.startsWith("FREEHOLD_"))).to.equal(true);
    });
  });

  describe("what is committed", () => {
    const committed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
      cwd: ROOT,
      encoding: "utf8",
    })
      .split("\n")
      .filter((path) => path !== "" && existsSync(join(ROOT, path)));

    it("stands in the folders everybody knows", () => {
      const strangers = new Set(
        committed
          .map((path) => path.split("/")[0] ?? "")
          .filter((name) => !name.startsWith(".") && !TOP_LEVEL.includes(name)),
      );
      expect([...strangers]).to.deep.equal([]);
    });

    it("names no machine and no package registry", () => {
      // Written so that the pattern does not find itself.
      const traces =
        /(?<![\w.-])[/](?:work|root)[/][a-z]|[/]tmp[/][a-z]+_jobs|registry[.]npm[j]s[.]org|"resolved": *"[h]ttp|^registry *=/m;
      const found = committed.filter(
        (path) =>
          /\.(?:ts|js|json|md|ya?ml|html|css|sh|ttl|npmrc)$|\/run$|Dockerfile$/.test(path) &&
          traces.test(readText(path)),
      );
      expect(found).to.deep.equal([]);
    });
  });

  describe("what an installation brings", () => {
    const lock = JSON.parse(readText("package-lock.json")) as {
      readonly packages: Readonly<
        Record<
          string,
          { readonly dev?: boolean; readonly link?: boolean; readonly hasInstallScript?: boolean }
        >
      >;
    };
    const installed = Object.entries(lock.packages).filter(
      ([path, { dev, link }]) => path.startsWith("node_modules/") && !dev && !link,
    );

    it("runs no install script but that of the runtime", () => {
      const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
      expect(scripted.map(([path]) => path)).to.deep.equal(["node_modules/node"]);
    });

    it(`is at most ${WEIGHT.packagesMax} packages`, () => {
      expect(installed.length).to.be.at.most(WEIGHT.packagesMax);
    });

    it(`weighs at most ${WEIGHT.megabytesMax} MB, the runtime included`, () => {
      const bytesOf = (folder: string): number =>
        readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.name !== "node_modules" && !entry.isSymbolicLink())
          .reduce((sum, entry) => {
            const path = join(folder, entry.name);
            return sum + (entry.isDirectory() ? bytesOf(path) : lstatSync(path).size);
          }, 0);
      const folders = installed.map(([path]) => join(ROOT, path)).filter((path) => existsSync(path));
      expect(folders.reduce((sum, folder) => sum + bytesOf(folder), 0) / 1e6).to.be.at.most(
        WEIGHT.megabytesMax,
      );
    });
  });
});
