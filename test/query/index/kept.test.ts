import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createKeptIndexes, type KeptIndex, type KeptIndexes } from "../../../server/query/index/kept.ts";
import { packIndex, unpackIndex } from "../../../server/query/index/pack.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import { literal, namedNode, quad } from "../../../server/rdf/terms.ts";
import { type PodId, TABLES, type Table, type Transaction } from "../../../server/store/store.ts";
import { ENGINES, listeningLog, openTestStore, type TestStore } from "../../support/store.ts";

const bytes = new Uint8Array([1]);
const secret = "Ana's secret, said in no other words";

function indexOf(count: number, generation = 0): KeptIndex {
  const index = createPodIndex();
  for (let number = 1; number <= count; number++) {
    const graph = `https://ana.example/${number}`;
    index.add({
      number,
      graph,
      quads: [quad(namedNode(graph), namedNode("urn:x:says"), literal(`${secret} ${number}`))],
    });
  }
  const shared = index.share();
  const documents = Array.from({ length: count }, (_, at) => ({
    path: `/ana/${at + 1}`,
    version: `${at + 1}.0`,
    kind: "rdf" as const,
    ...(at === 1 && {
      page: { first: 1_700_000_000_000, last: 1_700_000_000_500.5, count: 7, isOpen: true },
    }),
  }));
  return {
    packed: packIndex(shared),
    generation,
    documents,
    slots: shared.numbers.map((number) => number - 1),
  };
}

/** All bytes of all files below a folder. */
const bytesIn = (folder: string): { readonly path: string; readonly bytes: Buffer }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: readFileSync(path) }));

for (const engine of ENGINES) {
  describe(`indexes that are kept, ${engine}`, () => {
    let opened: TestStore;
    let kept: KeptIndexes;
    let pod: PodId;
    const events: string[] = [];
    const read = () => opened.store.read(pod, (snapshot) => kept.read(snapshot));
    const mark = () => opened.store.read(pod, (snapshot) => kept.mark(snapshot));

    before(async () => {
      opened = await openTestStore(engine);
    });
    after(() => opened.dispose());
    beforeEach(async () => {
      kept = createKeptIndexes(opened.store, listeningLog(events));
      pod = await opened.store.createPod();
      events.length = 0;
    });

    it("come back as they were, with the document that each graph was made of", async () => {
      expect(await read()).to.equal(null);
      expect(await kept.keep(pod, await mark(), indexOf(3))).to.equal(true);
      const found = (await read())!;
      expect(found.documents).to.deep.equal(indexOf(3).documents);
      expect(
        Array.from(found.slots, (place) => found.documents[place]!).map(
          ({ path, version }) => `${path} ${version}`,
        ),
      ).to.deep.equal(["/ana/1 1.0", "/ana/2 2.0", "/ana/3 3.0"]);
      // The second document has another version by now.
      const index = createPodIndex(unpackIndex(found.packed, Uint32Array.of(7, 0, 9)));
      expect([...index.numbers()]).to.deep.equal([7, 9]);
      const view = index.view(Uint32Array.of(7, 9), new Uint32Array());
      expect(view.terms.find(literal(`${secret} 3`))).to.be.at.least(0);
      expect(view.defaultCount).to.equal(2);
    });

    it("take the place of the one before, and leave no file behind", async () => {
      for (const count of [1, 2, 2, 3])
        expect(await kept.keep(pod, await mark(), indexOf(count))).to.equal(true);
      expect((await read())!.documents).to.have.length(3);
      await opened.store.read(pod, async (snapshot) => {
        const uses = await Array.fromAsync(snapshot.all("blob"));
        expect(uses.map(({ item }) => item)).to.deep.equal(["index"]);
      });
    });

    it("are not kept when all was forgotten since they were made: what was erased does not come back", async () => {
      const before = await mark();
      await kept.forget(pod);
      expect(await kept.keep(pod, before, indexOf(1))).to.equal(false);
      expect(await read()).to.equal(null);
      const between = await mark();
      expect(await kept.keep(pod, between, indexOf(1))).to.equal(true);
      expect(await kept.keep(pod, between, indexOf(2)), "another was kept meanwhile").to.equal(false);
      expect((await read())!.documents).to.have.length(1);
      await kept.forget(pod);
      expect(await read()).to.equal(null);
      await opened.store.read(pod, async (snapshot) =>
        expect(await Array.fromAsync(snapshot.all("blob"))).to.deep.equal([]),
      );
    });

    it("list the documents of the pod as long as nothing at all was committed since", async () => {
      const { store } = opened;
      const list = () => store.read(pod, (snapshot) => kept.list(snapshot));
      const stand = () =>
        store.read(pod, async (snapshot) => [await kept.mark(snapshot), snapshot.generation] as const);
      const commit = (write: (transaction: Transaction) => void) =>
        store.write(pod, async (transaction) => write(transaction));
      async function keep(count: number): Promise<void> {
        const [before, generation] = await stand();
        await kept.keep(pod, before, indexOf(count, generation));
      }
      expect(await list()).to.equal(null);
      for (const count of [2, 2, 0]) {
        await keep(count);
        expect(await list(), "the same index is listed again").to.deep.equal(indexOf(count).documents);
      }
      await commit((transaction) => transaction.record(bytes));
      expect(await list(), "an entry of the journal is nothing that was written").to.have.length(0);
      for (const table of Object.keys(TABLES) as Table[]) {
        if (table === "index" || table === "blob" || table === "head") continue;
        await commit((transaction) => transaction.put(table, "g", "i", bytes));
        expect(await list(), `put in ${table}`).to.equal(null);
        await keep(1);
        expect(await list()).to.have.length(1);
        await commit((transaction) => transaction.delete(table, "g", "i"));
        expect(await list(), `deleted from ${table}`).to.equal(null);
        await keep(2);
        expect(await list()).to.have.length(2);
      }
      for (const number of [1, 2, 3])
        await commit((transaction) => transaction.put("head", "", `${number}`, bytes));
      expect(await list(), "the journal's head was signed").to.have.length(2);
      await commit((transaction) => transaction.put("stamp", "/ana/", "", bytes));
      await commit((transaction) => transaction.put("head", "", "4", bytes));
      expect(await list(), "and something else was written").to.equal(null);
      await keep(2);
      const [before, generation] = await stand();
      await commit((transaction) => transaction.put("auxiliary", "/ana/", "acl", bytes));
      expect(await kept.keep(pod, before, indexOf(3, generation))).to.equal(true);
      expect(await list(), "written between the look and the keeping").to.equal(null);
      await keep(3);
      await kept.forget(pod);
      expect(await list(), "forgotten").to.equal(null);
    });

    it("forget a pod that is gone without a word", async () => {
      await opened.store.erasePod(pod);
      await kept.forget(pod);
    });

    if (engine !== "memory" && engine !== "postgres") {
      it("say nothing in clear, and are made anew when they are damaged", async () => {
        await kept.keep(pod, await mark(), indexOf(50));
        const files = bytesIn(opened.folder!);
        for (const { bytes } of files) {
          expect(bytes.includes(secret)).to.equal(false);
          expect(bytes.includes("/ana/17")).to.equal(false);
        }
        const blobs = files.filter(({ path }) => path.includes("blob"));
        expect(blobs, "the index is a file").not.to.deep.equal([]);
        for (const { path, bytes } of blobs) {
          bytes[bytes.length - 20]! ^= 1;
          writeFileSync(path, bytes);
        }
        expect(await read()).to.equal(null);
        expect(events).to.include("query.index-unreadable");
        expect(await kept.keep(pod, await mark(), indexOf(51))).to.equal(true);
        expect((await read())!.documents).to.have.length(51);
      });
    }
  });
}
