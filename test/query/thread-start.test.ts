/** What a query thread loads before it can answer: each module is paid for by whoever asks first. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { startThread } from "../../server/query/thread.ts";

const START = join(import.meta.dirname, "../../server/query/start.ts");
const COMPILED = join(import.meta.dirname, "../../node_modules/.cache/freehold-query");
const WORKER = join(import.meta.dirname, "../../server/query/worker.ts");
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;

/** All that is loaded with a file, without what is imported only when it is needed. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    if (name.startsWith(".")) loadedWith(join(dirname(file), name), found);
    else found.add(name);
  }
  return found;
}

describe("a query thread", () => {
  it("begins with what Node itself has, and keeps what it compiled beside the code, for the next", async () => {
    expect([...loadedWith(START)]).to.deep.equal([START, "node:module", "node:path"]);
    const log = createLog(
      () => undefined,
      () => new Date(0),
    );
    await (await startThread(LIMITS, log)).end();
    const files = readdirSync(COMPILED, { recursive: true });
    expect(files.length).to.be.greaterThan(40);
  });

  it("starts with its own engine alone: no package, no parser of documents, not the other engine", () => {
    const loaded = [...loadedWith(WORKER)];
    expect(loaded.filter((name) => name.endsWith(".ts"))).to.have.length.within(40, 100);
    expect(loaded.filter((name) => !name.endsWith(".ts") && !name.startsWith("node:"))).to.deep.equal([
      "@freehold/vocab",
    ]);
    for (const name of ["rdf/parse.ts", "rdf/jsonld.ts", "query/comunica.ts", "query/engine/explain.ts"])
      expect(loaded.filter((path) => path.endsWith(`server/${name}`))).to.deep.equal([]);
  });
});
