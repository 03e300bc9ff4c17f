/** What is erased is in no index either: not on disk, and not in what is sealed with the new key. */
import { expect } from "chai";
import { keysRotate } from "../../../server/cli/tasks/keys.ts";
import { createKeptIndexes } from "../../../server/query/index/kept.ts";
import { unpackIndex } from "../../../server/query/index/pack.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import { literal } from "../../../server/rdf/terms.ts";
import type { Pod } from "../../../server/store/pods.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";
import { UNION } from "../fixture.ts";

describe("the index of a pod, and what is erased", () => {
  let server: TestServer;
  let ana: Person;
  let pod: Pod;

  async function ask(): Promise<string[]> {
    const query = `SELECT ?o FROM <${UNION}> WHERE { ?s <urn:x:says> ?o }`;
    const response = await ana.fetch(`${ana.pod}sparql?query=${encodeURIComponent(query)}`);
    const { results } = (await response.json()) as { results: { bindings: { o: { value: string } }[] } };
    return results.bindings.map(({ o }) => o.value);
  }
  const words = (n: number): string => `word ${n}`;
  const read = () => {
    const { store, log } = server.context;
    return store.read(pod.id, (snapshot) => createKeptIndexes(store, log).read(snapshot));
  };
  /** Numbers of the words that are in the index on disk. */
  async function keptWords(): Promise<number[]> {
    for (let tries = 0; tries < 400; tries++) {
      const kept = await read();
      if (kept) {
        const numbers = Uint32Array.from(kept.documents, (_, slot) => slot + 1);
        const { terms } = createPodIndex(unpackIndex(kept.packed, numbers)).view(numbers, new Uint32Array());
        return Array.from({ length: 40 }, (_, n) => n).filter((n) => terms.find(literal(words(n))) >= 0);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("no index is kept");
  }

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "queryIndexRestMs=1" });
    ana = await server.person("Ana");
    pod = (await server.context.pods.find("ana"))!;
    for (let n = 0; n < 40; n++)
      await ana.fetch(`${ana.pod}notes/${n}.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: `<> <urn:x:says> "${words(n)}" .`,
      });
  });
  after(() => server.close());

  it("a document's words go with it, before the keys are new", async () => {
    expect(await ask()).to.have.length(40);
    expect(await keptWords()).to.have.length(40);
    await server.context.ldp.erasure.erase(pod, "/ana/notes/7.ttl", "owner");
    expect(await read()).to.equal(null);
    expect(await ask()).to.have.length(39);
    const left = await keptWords();
    expect(left).to.have.length(39);
    expect(left).to.not.include(7);
  });

  it("new keys seal no index of the time before", async () => {
    await ask();
    await keptWords();
    await ana.fetch(`${ana.pod}notes/8.ttl`, { method: "DELETE" });
    expect(await keptWords(), "until the index is made again").to.include(8);
    await keysRotate.run(server.context, { args: ["ana"], options: {} } as never, () => {});
    expect(await read()).to.equal(null);
    await ask();
    expect(await keptWords()).to.not.include(8);
  });
});
