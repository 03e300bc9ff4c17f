/** The four packages as strangers get them: built, packed, installed outside the repository, and run there. Needs a package registry. */
import { execFile, spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { buildPackages } from "./tools/build.ts";

const ROOT = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const startMsMax = 20_000;

/** Walks all modules of the first page as a browser would. @returns those that do not arrive as JavaScript. */
async function lostScripts(baseUrl: string): Promise<readonly string[]> {
  const html = await (await fetch(baseUrl, { headers: { accept: "text/html" } })).text();
  const { imports } = JSON.parse(
    /<script type="importmap"[^>]*>([^<]+)/.exec(html)?.[1] ?? '{"imports":{}}',
  ) as {
    imports: Readonly<Record<string, string>>;
  };
  const resolveBare = (name: string): string => {
    const prefix = Object.keys(imports).find(
      (key) => key === name || (key.endsWith("/") && name.startsWith(key)),
    );
    return prefix ? imports[prefix] + name.slice(prefix.length) : name;
  };
  const waiting = [...html.matchAll(/<script[^>]+src="([^"]+)"/g)].map(
    ([, src = ""]) => new URL(src, baseUrl).href,
  );
  expect(waiting, "scripts of the first page").not.to.deep.equal([]);
  const seen = new Set<string>();
  const lost: string[] = [];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (seen.has(url)) continue;
    seen.add(url);
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok || !/javascript/.test(answer.headers.get("content-type") ?? ""))
      lost.push(`${answer.status} ${url}`);
    for (const [, name = ""] of text.matchAll(
      /(?:^|[;\n}])\s*(?:import|export)\b(?:[^"'();]*?\bfrom)?\s*["']([^"']+)["']/g,
    )) {
      waiting.push(new URL(/^\.{0,2}\//.test(name) ? name : resolveBare(name), url).href);
    }
  }
  return lost;
}

describe("the packed packages", () => {
  const home = mkdtempSync(join(tmpdir(), "freehold-packed-"));
  const server = join(home, "node_modules/freehold/server/main.js");
  const node = async (...args: readonly string[]): Promise<string> =>
    (await run(process.execPath, args, { cwd: home })).stdout.trim();

  before(async () => {
    const folders = await buildPackages(ROOT);
    for (const folder of folders) await run("npm", ["pack", "--pack-destination", home], { cwd: folder });
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const tarballs = globSync("*.tgz", { cwd: home }).map((name) => `./${name}`);
    expect(tarballs).to.have.length(4);
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...tarballs], {
      cwd: home,
      maxBuffer: 1e8,
    });
  });

  after(() => rmSync(home, { recursive: true, force: true }));

  it("hold JavaScript and its types, and no TypeScript that Node would have to strip", () => {
    for (const name of ["freehold", "@freehold/client", "@freehold/shapes", "@freehold/vocab"]) {
      const files = globSync("**/*", { cwd: join(home, "node_modules", name) });
      expect(files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).to.deep.equal([]);
      expect(files.some((path) => path.endsWith(".d.ts"))).to.equal(true);
      expect(files).to.include("LICENSE");
    }
  });

  it("have manifests for strangers: nothing of the checkout, types before code", () => {
    for (const name of ["freehold", "@freehold/client", "@freehold/shapes", "@freehold/vocab"]) {
      const manifest = JSON.parse(
        readFileSync(join(home, "node_modules", name, "package.json"), "utf8"),
      ) as Record<string, unknown>;
      expect(manifest).not.to.have.any.keys(
        "private",
        "scripts",
        "devDependencies",
        "workspaces",
        "allowScripts",
      );
      for (const target of Object.values((manifest.exports ?? {}) as Record<string, unknown>)) {
        if (typeof target === "object" && target) expect(Object.keys(target)[0]).to.equal("types");
      }
    }
  });

  it("let a program use the client, the shapes and the words", async () => {
    const program = `
      import * as client from "@freehold/client";
      import { SHAPES } from "@freehold/shapes";
      import * as vocab from "@freehold/vocab";
      console.log(Object.keys(client).length > 0, SHAPES.length > 0, Object.keys(vocab).length > 0);`;
    expect(await node("--input-type=module", "--eval", program)).to.equal("true true true");
  });

  it("give the shapes their files", async () => {
    const program = `
      import { readFileSync } from "node:fs";
      import { SHAPES } from "@freehold/shapes";
      console.log(SHAPES.every(({ file }) => readFileSync(file).length > 0));`;
    expect(await node("--input-type=module", "--eval", program)).to.equal("true");
  });

  it("say their version", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await node(server, "--version")).to.include(version);
  });

  it("run a server that answers, keeps its data in the given folder, and stops when told", async () => {
    const env = { ...process.env, FREEHOLD_PORT: "0", FREEHOLD_DATA: join(home, "data") };
    const child = spawn(process.execPath, [server, "start"], {
      cwd: home,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise((done) => child.once("exit", done));
    try {
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (output += text));
      const address = async (): Promise<string> => {
        for (
          const until = Date.now() + startMsMax;
          Date.now() < until;
          await new Promise((done) => setTimeout(done, 50))
        ) {
          const found = /http:\/\/localhost:\d+\//.exec(output)?.[0];
          if (found) return found;
          if (child.exitCode !== null) break;
        }
        throw new Error(`No address was printed:\n${output}`);
      };
      const baseUrl = await address();
      expect((await fetch(`${baseUrl}healthz`)).status).to.equal(200);
      expect((await fetch(`${baseUrl}readyz`)).status).to.equal(200);
      const lost = await lostScripts(baseUrl);
      expect(lost).to.deep.equal([]);
      expect(globSync("**/*", { cwd: join(home, "data") })).not.to.deep.equal([]);
    } finally {
      child.kill("SIGTERM");
    }
    expect(await ended).to.equal(0);
  });
});
