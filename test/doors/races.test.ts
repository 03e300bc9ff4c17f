import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { setAccess, write } from "./people.ts";
import { expectNoDrafts, expectProblem, login, openWire, stateOf } from "./wire.ts";

const ROUNDS = 60;
const ASK = `sparql?query=${encodeURIComponent("SELECT ?o { GRAPH ?g { ?s <urn:x:secret> ?o } }")}`;
const turtle = { "content-type": "text/turtle" };

describe("Many at once", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const all = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => make(index)));

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
  });
  after(async () => {
    await expectNoDrafts(server);
    await server.close();
  });
  afterEach(() => {
    // That a reader came too late for a file is noted, and then answered with the newer one.
    const failures = server.log.filter(
      (line) => /"level":"error"|request\.failed/.test(line) && !line.includes("store.blob.missing"),
    );
    expect(failures, "nothing failed inside").to.deep.equal([]);
  });

  describe("when access is taken away", () => {
    it("nothing that is asked for afterwards is answered, by reading or by query", async () => {
      await write(ana, url("diary/day.ttl"), "<> <urn:x:secret> 'hidden' .");
      let answered = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await setAccess(ana, url("diary/"), [{ to: ben.webid, modes: ["Read"] }]);
        let isRevoked = false;
        const readers = all(3, async (index) => {
          for (let last = false; !last; ) {
            last = isRevoked; // One more after the answer to the revocation has come.
            const path = index === 0 && round % 5 === 0 ? ASK : index === 1 ? "diary/" : "diary/day.ttl";
            // Else a query finds nothing where nothing is open.
            const response = await ben.fetch(url(path), { headers: { prefer: "handling=strict" } });
            const text = await response.text();
            if (last) expect(response.status, path).to.equal(403);
            if (response.status === 403) expect(text).not.to.match(/hidden|day\.ttl/);
            else answered++;
          }
        });
        await new Promise((resolve) => setTimeout(resolve, round % 7));
        await setAccess(ana, url("diary/"), []);
        isRevoked = true;
        await readers;
      }
      expect(answered, "they did read before").to.be.greaterThan(ROUNDS);
    });

    it("nothing changes any more, whatever was under way", async () => {
      await write(ana, url("board/note.ttl"));
      for (let round = 0; round < ROUNDS; round++) {
        await setAccess(ana, url("board/"), [{ to: ben.webid, modes: ["Read", "Write"] }]);
        await write(ana, url("board/note.ttl"), "<> <urn:x:is> 0 .");
        const writers = all(6, (index) =>
          ben.fetch(url("board/note.ttl"), {
            method: "PUT",
            headers: turtle,
            body: `<> <urn:x:is> ${index + 1} .`,
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, round % 4));
        await setAccess(ana, url("board/"), []);
        const { headers } = await ana.fetch(url("board/note.ttl"));
        for (const { status } of await writers) expect(status).to.be.oneOf([204, 403]);
        expect((await ana.fetch(url("board/note.ttl"))).headers.get("etag")).to.equal(headers.get("etag"));
      }
    });

    it("an upload that was allowed when it began is refused at its end, and leaves no file", async () => {
      await ana.fetch(url("uploads/"), { method: "PUT", headers: turtle });
      await setAccess(ana, url("uploads/"), [{ to: ben.webid, modes: ["Write"] }]);
      const before = await stateOf(server, "ana");
      const bens = await login(server, ben);
      const wire = await openWire(server.baseUrl);
      const lines = await bens.headers("PUT", url("uploads/big.bin"));
      wire.send(
        `PUT /ana/uploads/big.bin HTTP/1.1\nHost: x\n${lines}\nContent-Type: application/octet-stream\nContent-Length: 600000\n\n`.replaceAll(
          "\n",
          "\r\n",
        ),
      );
      wire.send(new Uint8Array(300_000));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await setAccess(ana, url("uploads/"), []);
      wire.send(new Uint8Array(300_000));
      expectProblem(await wire.answer(), 403, "forbidden");
      wire.end();
      expect((await ana.fetch(url("uploads/big.bin"))).status).to.equal(404);
      expect((await stateOf(server, "ana")).files).to.deep.equal(before.files);
    });

    it("a deleted document's access list does not wait for its successor", async () => {
      for (let round = 0; round < 20; round++) {
        await write(ana, url("reborn.ttl"), "<> <urn:x:is> 'first' .");
        await setAccess(ana, url("reborn.ttl"), [{ to: "public", modes: ["Read"] }]);
        await Promise.all([
          ana.fetch(url("reborn.ttl"), { method: "DELETE" }),
          setAccess(ana, url("reborn.ttl"), [{ to: "public", modes: ["Read"] }]).catch(() => {}),
        ]);
        if ((await ana.fetch(url("reborn.ttl"))).status === 404) {
          await write(ana, url("reborn.ttl"), "<> <urn:x:is> 'second' .");
          expect((await fetch(url("reborn.ttl"))).status).to.equal(401);
        }
        await ana.fetch(url("reborn.ttl"), { method: "DELETE" });
      }
    });
  });

  describe("on one document", () => {
    it("of twenty who saw the same version, exactly one replaces it", async () => {
      for (let round = 0; round < 15; round++) {
        await write(ana, url("one.ttl"), `<> <urn:x:round> ${round} .`);
        const etag = (await ana.fetch(url("one.ttl"))).headers.get("etag") ?? "";
        const methods = ["PUT", "PATCH", "DELETE"];
        const responses = await all(20, async (index) => {
          const method = methods[index % (round % 3 === 0 ? 3 : 2)] ?? "PUT";
          return ana.fetch(url("one.ttl"), {
            method,
            headers: {
              "if-match": etag,
              "content-type": method === "PATCH" ? "application/sparql-update" : "text/turtle",
            },
            ...(method !== "DELETE" && {
              body:
                method === "PATCH" ? `INSERT DATA { <> <urn:x:by> ${index} }` : `<> <urn:x:by> ${index} .`,
            }),
          });
        });
        const statuses = responses.map(({ status }) => status);
        expect(statuses.filter((status) => status === 204 || status === 205)).to.have.length(1);
        for (const status of statuses) expect(status).to.be.oneOf([204, 205, 412, 404]);
      }
    });
    it("of twenty who create, exactly one does", async () => {
      for (let round = 0; round < 15; round++) {
        const responses = await all(20, (index) =>
          ana.fetch(url(`made-${round}.ttl`), {
            method: "PUT",
            headers: { ...turtle, "if-none-match": "*" },
            body: `<> <urn:x:by> ${index} .`,
          }),
        );
        const winner = responses.findIndex(({ status }) => status === 201);
        expect(responses.filter(({ status }) => status === 412)).to.have.length(19);
        expect(await (await ana.fetch(url(`made-${round}.ttl`))).text()).to.include(` ${winner} .`);
      }
    });
    it("a large binary is read whole, in one version or the other, while it is replaced", async () => {
      const content = (letter: string) => letter.repeat(700_000);
      await write(ana, url("big.txt"), content("a"), "text/plain");
      const done = new AbortController();
      const readers = all(4, async () => {
        const seen = new Set<string>();
        while (!done.signal.aborted) {
          const text = await (await ana.fetch(url("big.txt"))).text();
          expect(text.length).to.equal(700_000);
          expect(text).to.equal(content(text[0] ?? ""));
          seen.add(text[0] ?? "");
        }
        return seen;
      });
      for (let round = 0; round < 12; round++)
        await write(ana, url("big.txt"), content("abcdef"[round % 6] ?? ""), "text/plain");
      done.abort();
      await readers;
    });
  });

  describe("in one folder", () => {
    it("twenty who post under one name get twenty addresses", async () => {
      await ana.fetch(url("box/"), { method: "PUT", headers: turtle });
      const responses = await all(20, (index) =>
        ana.fetch(url("box/"), {
          method: "POST",
          headers: { ...turtle, slug: "letter.ttl" },
          body: `<> <urn:x:by> ${index} .`,
        }),
      );
      const places = responses.map(({ headers }) => headers.get("location") ?? "");
      expect(new Set(places).size).to.equal(20);
      for (const [index, place] of places.entries())
        expect(await (await ana.fetch(place)).text()).to.include(` ${index} .`);
    });
    it("a child and the end of its folder: never a child without a folder", async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const folder = url(`fleeting-${round}/`);
        await ana.fetch(folder, { method: "PUT", headers: turtle });
        const [put, gone] = await Promise.all([
          ana.fetch(`${folder}child.ttl`, { method: "PUT", headers: turtle, body: "" }),
          ana.fetch(folder, { method: "DELETE" }),
        ]);
        expect(put.status).to.equal(201);
        expect(gone.status).to.be.oneOf([205, 409]);
        expect((await ana.fetch(`${folder}child.ttl`)).status).to.equal(200);
        expect(await (await ana.fetch(folder)).text()).to.include("child.ttl");
        expect(await (await ana.fetch(ana.pod)).text()).to.include(`fleeting-${round}/`);
      }
    });
    it("the last child's end and the folder's end", async () => {
      for (let round = 0; round < 20; round++) {
        const folder = url(`ending-${round}/`);
        await write(ana, `${folder}child.ttl`);
        const [child, gone] = await Promise.all([
          ana.fetch(`${folder}child.ttl`, { method: "DELETE" }),
          ana.fetch(folder, { method: "DELETE" }),
        ]);
        expect(child.status).to.equal(205);
        expect((await ana.fetch(folder)).status).to.equal(gone.status === 205 ? 404 : 200);
      }
    });
    it("a document and a folder of one name: one of them", async () => {
      for (let round = 0; round < 20; round++) {
        const [document, folder] = await Promise.all([
          ana.fetch(url(`either-${round}`), { method: "PUT", headers: turtle, body: "" }),
          ana.fetch(url(`either-${round}/child.ttl`), { method: "PUT", headers: turtle, body: "" }),
        ]);
        expect([document.status, folder.status]).to.have.members([201, 409]);
      }
    });
    it("hundred writers to one folder do not stand in each other's way", async () => {
      const responses = await all(100, (index) =>
        ana.fetch(url(`crowd/${index}.ttl`), { method: "PUT", headers: turtle, body: "" }),
      );
      expect(new Set(responses.map(({ status }) => status))).to.deep.equal(new Set([201]));
      const listing = await (await ana.fetch(url("crowd/"))).text();
      for (let index = 0; index < 100; index++) expect(listing).to.include(`/crowd/${index}.ttl>`);
    });
  });
});
