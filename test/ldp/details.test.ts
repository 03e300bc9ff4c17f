import { expect } from "chai";
import { PROBLEMS } from "../../server/problems.ts";
import { write } from "../doors/people.ts";
import { tell } from "../doors/wire.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const STAT = "http://www.w3.org/ns/posix/stat#";
const MEDIA = "http://www.w3.org/ns/iana/media-types/";
const ED = "https://solidproject.org/ED/protocol";
const TURTLE = { "content-type": "text/turtle" };
const FOLDER = { ...TURTLE, link: `<${LDP}BasicContainer>; rel="type"` };
const UPDATE = { "content-type": "application/sparql-update" };

describe("The Solid Protocol in detail", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const at = (path: string) => `${ana.pod}${path}`;
  const send = (
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string> = TURTLE,
  ) => ana.fetch(at(path), { method, headers, redirect: "manual", ...(body !== undefined && { body }) });

  before(async () => {
    server = await startServer();
    [ana, ben] = [await server.person("ana"), await server.person("ben")];
    await write(ana, at("notes/milk.ttl"), "<#it> <urn:x:is> 1 .");
    await write(ana, at("notes/photo.png"), "not really", "image/png");
    await write(ana, at("notes/.meta"), "<./> <urn:x:title> 'Notes' .");
  });
  after(() => server.close());

  describe("what a folder says of its members is the server's (server-protect-contained-resource-metadata)", () => {
    for (const [what, statement, clause] of [
      ["members", `<> <${LDP}contains> <milk.ttl> .`, "server-protect-containment"],
      ["a size", `<milk.ttl> <${STAT}size> 7 .`, "server-protect-contained-resource-metadata"],
      ["a time", `<milk.ttl> <${STAT}mtime> 7 .`, "server-protect-contained-resource-metadata"],
      [
        "a date",
        `<milk.ttl> <http://purl.org/dc/terms/modified> "2020-01-01T00:00:00Z" .`,
        "server-protect-contained-resource-metadata",
      ],
      [
        "a media type",
        `<milk.ttl> a <${MEDIA}image/png#Resource> .`,
        "server-protect-contained-resource-metadata",
      ],
    ] as const) {
      it(`${what}: not by PUT, POST or PATCH, and the answer names the clause`, async () => {
        const before = await (await ana.fetch(at("notes/"))).text();
        const inMeta = statement.replace("<>", "<./>").replace(/ \.$/, "");
        for (const answer of [
          await send("PUT", "notes/", statement),
          await send("PUT", "notes/new/", statement),
          await send("POST", "notes/", statement.replace("milk.ttl", "sub/milk.ttl"), {
            ...FOLDER,
            slug: "sub",
          }),
          await send("PUT", "notes/.meta", inMeta + " ."),
          await send("PATCH", "notes/.meta", `INSERT DATA { ${inMeta} }`, UPDATE),
          await send("PATCH", "notes/", `INSERT DATA { ${inMeta} }`, UPDATE),
        ]) {
          expect(answer.status, answer.url).to.equal(409);
          expect(answer.headers.get("link")).to.match(
            new RegExp(`<${ED}#server-protect-[a-z-]+>; rel="${LDP}constrainedBy"`),
          );
        }
        expect((await send("PUT", "notes/", statement)).headers.get("link")).to.include(`${ED}#${clause}>`);
        expect(await (await ana.fetch(at("notes/"))).text()).to.equal(before);
        expect((await ana.fetch(at("notes/new/"))).status).to.equal(404);
      });
    }
    it("nor does a folder become a storage by saying so (server-link-storage)", async () => {
      const body = "<./> a <http://www.w3.org/ns/pim/space#Storage> .";
      expect((await send("PUT", "notes/.meta", body)).status).to.equal(409);
    });
    it("but what a client read it may send back, and add to", async () => {
      await send("PUT", "empty/", "");
      const read = await (await ana.fetch(at("empty/"))).text();
      expect((await send("PUT", "empty/", `${read}\n<> <urn:x:title> "Empty" .`)).status).to.equal(204);
      expect(await (await ana.fetch(at("empty/"))).text()).to.include("urn:x:title");
    });
  });

  it("refusals name the clause that is against them (server-resource-constraints-advertisement)", async () => {
    for (const [method, path, body, headers, clause] of [
      ["DELETE", "notes/", undefined, {}, "server-delete-protect-nonempty-container"],
      ["PUT", "notes/milk.ttl/", "", TURTLE, "server-uri-trailing-slash-distinct"],
      ["PUT", "notes", "", TURTLE, "server-uri-trailing-slash-distinct"],
      ["PUT", "notes/milk.ttl/below.ttl", "", TURTLE, "server-uri-trailing-slash-distinct"],
      [
        "PATCH",
        "notes/milk.ttl",
        "<> a <urn:x:Patch> .",
        { "content-type": "text/n3" },
        "server-patch-n3-invalid",
      ],
    ] as const) {
      const refused = await send(method, path, body, headers);
      expect(refused.status, path).to.be.oneOf([409, 422]);
      expect(refused.headers.get("link"), path).to.include(`<${ED}#${clause}>; rel="${LDP}constrainedBy"`);
    }
  });

  it("refusals of GET and HEAD say where the storage is described (server-storage-description)", async () => {
    for (const method of ["GET", "HEAD"]) {
      for (const [who, path, status] of [
        [ana.fetch, "none", 404],
        [fetch, "notes/", 401],
        [ben.fetch, "notes/", 403],
        [ben.fetch, "none", 403],
      ] as const) {
        const refused = await who(at(path), { method });
        expect(refused.status).to.equal(status);
        expect(refused.headers.get("link")).to.include(
          `<${at(".well-known/solid")}>; rel="http://www.w3.org/ns/solid/terms#storageDescription"`,
        );
      }
    }
    const unacceptable = await ana.fetch(at("notes/"), { headers: { accept: "video/mp4" } });
    expect(unacceptable.status).to.equal(406);
    expect(unacceptable.headers.get("link")).to.include("storageDescription");
  });

  it("POST to nothing is 404 for those who may know, 405 to a document, and tells nobody else (server-post-target-not-found)", async () => {
    expect((await send("POST", "notes/none.ttl", "")).status).to.equal(404);
    const present = await send("POST", "notes/milk.ttl", "");
    expect(present.status).to.equal(405);
    expect(present.headers.get("allow")).not.to.include("POST");
    for (const who of [fetch, ben.fetch]) {
      const [one, two] = await Promise.all(
        ["notes/milk.ttl", "notes/none.ttl"].map((path) =>
          who(at(path), { method: "POST", headers: TURTLE, body: "" }),
        ),
      );
      expect(one!.status).to.equal(two!.status);
    }
  });

  it("the owner is named by the root alone (server-storage-link-owner)", async () => {
    const owner = `<${ana.webid}>; rel="http://www.w3.org/ns/solid/terms#owner"`;
    for (const method of ["GET", "HEAD"])
      expect((await ana.fetch(ana.pod, { method })).headers.get("link")).to.include(owner);
    for (const path of ["notes/", "notes/milk.ttl", ".acl"])
      expect((await ana.fetch(at(path))).headers.get("link"), path).not.to.include("terms#owner");
  });

  it("authorises before it redirects from the unused form (server-authorization-redirect, server-uri-redirect-differing)", async () => {
    for (const [path, other] of [
      ["notes", "notes/"],
      ["notes/milk.ttl/", "notes/milk.ttl"],
    ] as const) {
      const moved = await ana.fetch(at(path), { redirect: "manual" });
      expect(moved.status).to.equal(301);
      expect(moved.headers.get("location")).to.equal(at(other));
      expect((await fetch(at(path), { redirect: "manual" })).status).to.equal(401);
      expect((await ben.fetch(at(path), { redirect: "manual" })).status).to.equal(403);
    }
  });

  it("parts of a document are parts of the form that was asked for; of folders there are none (server-http)", async () => {
    await write(ana, at("parts.ttl"), "<#it> <urn:x:is> 'a long enough text' .");
    for (const accept of ["text/turtle", "application/ld+json"]) {
      const whole = await ana.fetch(at("parts.ttl"), { headers: { accept } });
      expect(whole.headers.get("accept-ranges")).to.equal("bytes");
      const text = await whole.text();
      const part = await ana.fetch(at("parts.ttl"), { headers: { accept, range: "bytes=3-9" } });
      expect(part.status).to.equal(206);
      expect(part.headers.get("content-range")).to.equal(`bytes 3-9/${Buffer.byteLength(text)}`);
      expect(part.headers.get("etag")).to.equal(whole.headers.get("etag"));
      expect(await part.text()).to.equal(text.slice(3, 10));
      const late = await ana.fetch(at("parts.ttl"), { headers: { accept, range: "bytes=9999-" } });
      expect(late.status).to.equal(416);
    }
    const folder = await ana.fetch(at("notes/"), { headers: { range: "bytes=0-3" } });
    expect(folder.status).to.equal(200);
    expect(folder.headers.get("accept-ranges")).to.equal(null);
  });

  describe("problems", () => {
    it("are explained where their type leads, to programs and to people", async () => {
      const refused = await ana.fetch(at("none"));
      const { type } = (await refused.json()) as { type: string };
      const table = await fetch(type);
      expect(table.status).to.equal(200);
      expect(table.headers.get("content-type")).to.equal("application/json");
      const { problems } = (await table.json()) as {
        problems: { type: string; status: number; next: string }[];
      };
      expect(problems.map((one) => one.type)).to.include(type);
      expect(problems).to.have.length(Object.keys(PROBLEMS).length);
      const page = await fetch(type, { headers: { accept: "text/html" } });
      expect(page.headers.get("content-type")).to.equal("text/html; charset=utf-8");
      expect(page.headers.get("content-security-policy")).to.include("default-src 'none'");
      const text = await page.text();
      for (const code of Object.keys(PROBLEMS)) expect(text).to.include(`id="${code}"`);
      expect((await fetch(type, { headers: { accept: "image/png" } })).status).to.equal(406);
      expect((await fetch(type, { method: "DELETE" })).status).to.equal(405);
    });
    it("of what is no HTTP method have the same type", async () => {
      const { host } = new URL(server.baseUrl);
      const answer = await tell(server.baseUrl, `BREW /ana/ HTTP/1.1\nHost: ${host}`);
      expect(answer.status).to.equal(405);
      expect(answer.headers["allow"]).to.include("PATCH");
      const { type } = JSON.parse(answer.body) as { type: string };
      expect((await fetch(new URL(type, server.baseUrl))).status).to.equal(200);
    });
  });

  describe("a folder whose documents change only under conditions", () => {
    before(async () => {
      await write(ana, at("careful/.keep"), "");
      const rule = `<./> <${LDP}constrainedBy> <https://w3id.org/freehold/ns#ConditionalWrites> .`;
      await write(ana, at("careful/.meta"), rule);
      await write(ana, at("careful/a.ttl"), "<> <urn:x:is> 1 .");
    });
    it("asks for them by 428, and says so beforehand", async () => {
      expect((await ana.fetch(at("careful/"))).headers.get("link")).to.include("ConditionalWrites");
      for (const method of ["PUT", "DELETE"]) {
        const refused = await send(method, "careful/a.ttl", method === "PUT" ? "" : undefined);
        expect(refused.status, method).to.equal(428);
        expect(refused.headers.get("link")).to.include(`ConditionalWrites>; rel="${LDP}constrainedBy"`);
      }
      expect(await (await ana.fetch(at("careful/a.ttl"))).text()).to.include("urn:x:is");
    });
    it("takes those who name the version they saw, what is new, and patches", async () => {
      const etag = (await ana.fetch(at("careful/a.ttl"))).headers.get("etag") ?? "";
      const put = await send("PUT", "careful/a.ttl", "<> <urn:x:is> 2 .", { ...TURTLE, "if-match": etag });
      expect(put.status).to.equal(204);
      expect((await send("PUT", "careful/b.ttl", "")).status).to.equal(201);
      expect(
        (await send("PATCH", "careful/a.ttl", "INSERT DATA { <> <urn:x:is> 3 }", UPDATE)).status,
      ).to.equal(204);
      const wrong = await send("DELETE", "careful/a.ttl", undefined, { "if-match": etag });
      expect(wrong.status).to.equal(412);
      const now = (await ana.fetch(at("careful/a.ttl"))).headers.get("etag") ?? "";
      expect((await send("DELETE", "careful/a.ttl", undefined, { "if-match": now })).ok).to.equal(true);
    });
  });
});
