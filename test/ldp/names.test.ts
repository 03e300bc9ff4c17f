import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const TURTLE = { "content-type": "text/turtle" };
const UPDATE = { "content-type": "application/sparql-update" };

describe("Names of resources", () => {
  let server: TestServer;
  let ana: Person;
  const at = (path: string) => `${ana.pod}${path}`;
  const send = (method: string, path: string, body: string, headers: Record<string, string> = TURTLE) =>
    ana.fetch(at(path), { method, headers, body, redirect: "manual" });

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
  });
  after(() => server.close());

  for (const name of [
    "ملاحظات.ttl",
    "笔记.ttl",
    "заметки.ttl",
    "σημειώσεις.ttl",
    "הערות.ttl",
    "नोट्स.ttl",
    "메모.ttl",
    "🧀 Käse & Brot (½).ttl",
    "a'b$c,d;e=f@g:h!i*j+k.ttl",
    "100%.ttl",
    "?#[].ttl",
    `${"x".repeat(251)}.ttl`,
    `${"é".repeat(125)}.ttl`,
  ]) {
    it(`such as ${name.slice(0, 30)} are kept, listed and found, by PUT and by Slug (server-slug)`, async () => {
      const encoded = encodeURIComponent(name);
      expect((await send("PUT", `names/${encoded}`, "<> <urn:x:is> 1 .")).status).to.equal(201);
      const listing = await (await ana.fetch(at("names/"))).text();
      const listed = [...listing.matchAll(/ldp:contains <([^>]+)>/g)].map(([, url = ""]) => url);
      const found = listed.find((url) => decodeURIComponent(url).endsWith(`/${name}`));
      expect(found, listing).not.to.equal(undefined);
      expect((await ana.fetch(found!)).status).to.equal(200);
      const slug = await send("POST", "slugs/", "", { ...TURTLE, slug: encoded });
      expect(slug.status).to.equal(404);
      await send("PUT", "slugs/", "");
      const made = await send("POST", "slugs/", "", { ...TURTLE, slug: encoded });
      expect(made.status).to.equal(201);
      const place = made.headers.get("location") ?? "";
      expect(new URL(place).pathname.split("/")).to.have.length(4);
      if (Buffer.byteLength(name) <= 128) expect(decodeURIComponent(place.split("/").at(-1)!)).to.equal(name);
      expect((await ana.fetch(place)).status).to.equal(200);
      await ana.fetch(place, { method: "DELETE" });
      await ana.fetch(at("slugs/"), { method: "DELETE" });
    });
  }
  it("that are those of rules are no folder's, not even on the way to a document", async () => {
    for (const ending of ["acl", "acr", "meta"]) {
      const refused = await send("PUT", `rules/x.${ending}/y/z.ttl`, "<> <urn:x:is> 1 .");
      expect(refused.status, ending).to.equal(400);
      expect(((await refused.json()) as { type: string }).type).to.match(/#path-invalid$/);
    }
    expect((await ana.fetch(at("rules/"))).status, "nothing was made").to.equal(404);
  });

  it("that are too long are refused as such, and nothing is stored", async () => {
    for (const path of [`names/${"x".repeat(256)}`, `names/${encodeURIComponent("é".repeat(128))}`])
      expect((await send("PUT", path, "")).status).to.equal(400);
    expect((await send("PUT", `names/${"x/".repeat(40)}`, "")).status, "too deep").to.equal(400);
    expect((await ana.raw("PUT", `/ana/names/${"x".repeat(8_192)}`)).status).to.equal(414);
  });

  it("of x and x/ only one comes to be, whoever is first (server-uri-trailing-slash-distinct)", async () => {
    for (let round = 0; round < 8; round++) {
      const x = `race/${round}`;
      const answers = await Promise.all([
        send("PUT", x, "<> <urn:x:is> 1 ."),
        send("PUT", `${x}/`, ""),
        send("PUT", `${x}/below.ttl`, ""),
        send("PATCH", x, "INSERT DATA { <> <urn:x:is> 2 }", UPDATE),
      ]);
      const [document, folder] = await Promise.all([
        ana.fetch(at(x), { redirect: "manual" }),
        ana.fetch(at(`${x}/`), { redirect: "manual" }),
      ]);
      expect(
        [document.status, folder.status].sort((a, b) => a - b),
        JSON.stringify(answers.map(({ status }) => status)),
      ).to.deep.equal([200, 301]);
      for (const { status } of answers) expect(status).to.be.oneOf([201, 204, 409]);
      const listing = await (await ana.fetch(at("race/"))).text();
      expect(listing.match(new RegExp(`ldp:contains <${at(x)}/?>`, "g"))).to.have.length(1);
    }
  });
});
