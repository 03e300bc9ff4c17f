/** An answer that was given before is given again only while it is still the right one, for whoever asks. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { N3, setAccess, write } from "./people.ts";

describe("An answer to everybody", () => {
  let server: TestServer;
  let ana: Person;
  let page: string;

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
  });
  after(() => server.close());

  /** Three times, so that the last ones are the answer of before. */
  async function get(headers: Record<string, string> = {}, url = page) {
    let answer = { status: 0, text: "", etag: "", type: "", wacAllow: "" };
    for (let time = 0; time < 3; time++) {
      const response = await fetch(url, { headers, redirect: "manual" });
      const header = (name: string): string => response.headers.get(name) ?? "";
      answer = {
        status: response.status,
        text: await response.text(),
        etag: header("etag"),
        type: header("content-type"),
        wacAllow: header("wac-allow"),
      };
    }
    return answer;
  }

  beforeEach(async () => {
    await ana.fetch(`${ana.pod}open/page.ttl`, { method: "DELETE" });
    await write(ana, `${ana.pod}open/page.ttl`);
    await setAccess(ana, `${ana.pod}open/`, [{ to: "public", modes: ["Read"] }]);
    page = `${ana.pod}open/page.ttl`;
    expect((await get()).status).to.equal(200);
  });

  it("follows each write", async () => {
    for (let number = 2; number < 6; number++) {
      await write(ana, page, `<> <urn:x:is> ${number} .`);
      expect((await get()).text).to.equal(`<> <urn:x:is> ${number} .`);
    }
  });

  it("follows a patch, also of the description of its folder", async () => {
    const body = `${N3} <http://www.w3.org/ns/solid/terms#inserts> { <> <urn:x:is> 77 } .`;
    await ana.fetch(page, { method: "PATCH", headers: { "content-type": "text/n3" }, body });
    expect((await get()).text).to.contain("77");
    const listed = await get({ accept: "text/turtle" }, `${ana.pod}open/`);
    await write(ana, `${ana.pod}open/other.ttl`);
    const after = await get({ accept: "text/turtle" }, `${ana.pod}open/`);
    expect(listed.text).not.to.contain("other.ttl");
    expect(after.text).to.contain("other.ttl");
  });

  it("ends with the access that it was given under", async () => {
    await setAccess(ana, `${ana.pod}open/`, []);
    expect((await get()).status).to.equal(401);
    await setAccess(ana, `${ana.pod}open/`, [{ to: "public", modes: ["Read", "Append"] }]);
    expect((await get()).wacAllow).to.contain('public="read append"');
    await setAccess(ana, page, [{ to: "signed-in", modes: ["Read"] }]);
    expect((await get()).status).to.equal(401);
    await ana.fetch(`${page}.acl`, { method: "DELETE" });
  });

  it("ends where the pod is restored", async () => {
    const { store, pods } = server.context;
    const pod = await pods.find("ana");
    if (!pod) throw new Error("no pod");
    const held = await store.copy([pod.id], async (copy) => ({
      storeId: copy.storeId,
      pods: copy.pods,
      rows: structuredClone(await Array.fromAsync(copy.rows())),
    }));
    const generation = (): Promise<number> => store.read(pod.id, async (snapshot) => snapshot.generation);
    for (let n = 0; n < 9; n++) await write(ana, page, `<> <urn:x:is> 1 , ${n} .`);
    expect((await get()).text).to.equal("<> <urn:x:is> 1 , 8 .");
    const before = await generation();
    await store.load({
      ...held,
      async *rows() {
        yield* held.rows;
      },
      async *blobs() {},
    });
    expect(await generation()).to.be.above(before); // It never comes twice.
    expect((await get()).text).to.equal("<> <urn:x:is> 1 .");
  });

  it("is never given after an answer to whoever closed or changed it, however many ask meanwhile", async () => {
    const state = { isDone: false };
    const asking = Array.from({ length: 6 }, async () => {
      while (!state.isDone) await (await fetch(page)).text();
    });
    const beside = (async () => {
      for (let n = 0; !state.isDone; n++) await write(ana, `${ana.pod}beside.ttl`, `<> <urn:x:is> ${n} .`);
    })();
    for (let round = 0; round < 12; round++) {
      await setAccess(ana, `${ana.pod}open/`, []);
      const closed = await Promise.all(Array.from({ length: 5 }, () => fetch(page)));
      expect(closed.map(({ status }) => status)).to.deep.equal([401, 401, 401, 401, 401]);
      await write(ana, page, `<> <urn:x:is> "round ${round}" .`);
      await setAccess(ana, `${ana.pod}open/`, [{ to: "public", modes: ["Read"] }]);
      const texts = await Promise.all(Array.from({ length: 5 }, async () => (await fetch(page)).text()));
      for (const text of texts) expect(text).to.equal(`<> <urn:x:is> "round ${round}" .`);
    }
    state.isDone = true;
    await Promise.all([...asking, beside]);
  });

  it("ends with the document", async () => {
    await ana.fetch(page, { method: "DELETE" });
    expect((await get()).status).to.equal(404);
  });

  it("is one for each format, and none where more is asked for", async () => {
    expect((await get({ accept: "text/turtle" })).type).to.equal("text/turtle");
    expect((await get({ accept: "application/ld+json" })).type).to.equal("application/ld+json");
    expect((await get({ accept: "image/png" })).status).to.equal(406);
    const { etag } = await get();
    expect((await get({ "if-none-match": etag })).status).to.equal(304);
    expect((await get({ "if-match": '"none"' })).status).to.equal(412);
    expect((await get({ range: "bytes=0-1" })).status).to.equal(206);
    expect((await get({}, `${page}?a=b`)).status).to.equal(200);
  });

  it("is not for who has logged in, nor for the page of another origin", async () => {
    const mine = await ana.fetch(page);
    expect(mine.headers.get("wac-allow")).to.contain('user="read write append control"');
    const crossed = await fetch(page, { headers: { origin: "https://app.example" } });
    expect(crossed.headers.get("access-control-allow-origin")).to.equal("https://app.example");
    const plain = await fetch(page);
    expect(plain.headers.get("access-control-allow-origin")).to.equal(null);
    expect(plain.headers.get("wac-allow")).to.contain('user="read"');
  });

  it("has a number of its own each time, and HEAD the same fields", async () => {
    const [one, other] = [await fetch(page), await fetch(page)];
    expect(one.headers.get("x-request-id")).not.to.equal(other.headers.get("x-request-id"));
    const head = await fetch(page, { method: "HEAD" });
    for (const name of ["etag", "content-length", "link", "wac-allow", "vary", "content-type", "allow"])
      expect(head.headers.get(name)).to.equal(other.headers.get(name));
  });
});
