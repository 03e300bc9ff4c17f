/** What a command loads: a key that is printed, or a record that is signed, needs no store, no server and no pods. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MAIN, startProgram } from "../support/process.ts";

const HEAVY =
  /^server\/(?:context|app|store\/sqlite|rdf\/parse|account\/accounts)\.ts$|node_modules\/express\//;

describe("commands that need no server", function () {
  this.timeout(30_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-loading-"));
    const listing = `import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) { console.error("loads " + url); return next(url, context); } });`;
    await writeFile(join(folder, "listing.mjs"), listing);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** The files that a command loads, as they are called in the repository. */
  async function loadedBy(...words: readonly string[]): Promise<readonly string[]> {
    const { code, err } = await startProgram(["--import", join(folder, "listing.mjs"), MAIN, ...words]).ended;
    expect(code, err).to.be.oneOf([0, 4]);
    const root = new URL("..", new URL("..", import.meta.url)).href;
    return [...err.matchAll(/^loads (\S+)$/gm)].map(([, url = ""]) => url.replace(root, ""));
  }

  for (const words of ["registry --help", "registry witness key", "registry root show", "passport --help"])
    it(`freehold ${words} loads none`, async () => {
      const rest = words.endsWith("--help") ? [] : ["--folder", join(folder, "nothing")];
      const loaded = await loadedBy(...words.split(" "), ...rest);
      expect(loaded).to.include("server/main.ts");
      expect(loaded.filter((file) => HEAVY.test(file))).to.deep.equal([]);
    });

  it("freehold registry show does, for it opens the store", async () => {
    await loadedBy("registry", "init", "zz", "A test", "--folder", join(folder, "zone"));
    const loaded = await loadedBy("registry", "show", "--folder", join(folder, "zone"));
    expect(loaded).to.include.members(["server/context.ts", "server/store/sqlite.ts"]);
  });
});
