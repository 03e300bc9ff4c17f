/** Long, for it is one list: the clauses of two specifications, in their order. */
import { expect } from "chai";
import { Parser, type Quad } from "n3";
import { CONDITION_TYPES } from "../../server/access/acl.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const TURTLE = { "content-type": "text/turtle" };
const NOTE = '<#it> <https://schema.org/name> "Milk" .';
const RDF = ["text/turtle", "application/ld+json"] as const;

/** Rows of a Link header: relation → targets. */
function linksOf({ headers }: Response): Map<string, string[]> {
  const links = new Map<string, string[]>();
  for (const [, target = "", relation = ""] of (headers.get("link") ?? "").matchAll(
    /<([^>]*)>;\s*rel="([^"]*)"/g,
  ))
    links.set(relation, [...(links.get(relation) ?? []), target]);
  return links;
}

/** Names are those of the anchors in the Solid Protocol and in Web Access Control. */
describe("The Solid Protocol, clause by clause", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const put = (path: string, body = NOTE, headers: Record<string, string> = TURTLE) =>
    ana.fetch(url(path), { method: "PUT", headers, body });
  const patch = (path: string, body: string) =>
    ana.fetch(url(path), { method: "PATCH", headers: { "content-type": "application/sparql-update" }, body });
  const get = (path: string, headers: Record<string, string> = {}) =>
    ana.fetch(url(path), { headers, redirect: "manual" });
  const parse = (text: string, baseIRI: string): Quad[] => new Parser({ baseIRI }).parse(text);

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    await put("notes/milk.ttl");
    await put("notes/photo.png", "not really", { "content-type": "image/png" });
    await put("notes/.meta", "<./> <http://purl.org/dc/terms/title> 'Notes' .");
    await put("notes/milk.ttl.meta", "<milk.ttl> <http://purl.org/dc/terms/title> 'Milk' .");
    await put("opened/x.ttl");
    await setAccess(ana, url("opened/"), [{ to: "public", modes: ["Read", "Append"] }]);
  });
  after(() => server.close());

  const KINDS = [
    ["a document", "notes/milk.ttl"],
    ["a binary", "notes/photo.png"],
    ["a folder", "notes/"],
    ["the root", ""],
    ["an access list", ".acl"],
    ["a description", "notes/milk.ttl.meta"],
    ["a folder's description", "notes/.meta"],
    ["the storage's description", ".well-known/solid"],
  ] as const;

  for (const [what, path] of KINDS) {
    describe(`${what} answers`, () => {
      it("HEAD with the headers of GET and nothing else (server-safe-methods)", async () => {
        const [head, full] = [await ana.fetch(url(path), { method: "HEAD" }), await get(path)];
        expect(head.status).to.equal(200);
        const fields = ({ headers }: Response) =>
          [...headers].filter(
            ([name]) => !["date", "x-request-id", "connection", "keep-alive"].includes(name),
          );
        expect(fields(head)).to.deep.equal(fields(full));
        expect(Number(head.headers.get("content-length"))).to.equal((await full.arrayBuffer()).byteLength);
        expect(await head.text()).to.equal("");
      });
      it("GET, HEAD and OPTIONS with Allow and what it accepts, in step (server-allow-methods, server-accept-headers)", async () => {
        for (const method of ["GET", "HEAD", "OPTIONS"]) {
          const { headers } = await ana.fetch(url(path), { method });
          const allow = (headers.get("allow") ?? "").split(", ");
          expect(allow, method).to.include.members(["GET", "HEAD", "OPTIONS"]);
          for (const one of ["PUT", "POST", "PATCH"])
            expect(headers.has(`accept-${one.toLowerCase()}`), `${method}: ${one}`).to.equal(
              allow.includes(one),
            );
          if (allow.includes("PATCH")) expect(headers.get("accept-patch")).to.include("text/n3");
        }
      });
      it("with the storage's description (server-storage-description)", async () => {
        for (const method of ["GET", "HEAD", "OPTIONS"]) {
          const links = linksOf(await ana.fetch(url(path), { method }));
          expect(links.get("http://www.w3.org/ns/solid/terms#storageDescription")).to.deep.equal([
            url(".well-known/solid"),
          ]);
        }
      });
      it("with Last-Modified (server-last-modified-includes)", async () => {
        expect(Date.parse((await get(path)).headers.get("last-modified") ?? "")).to.be.closeTo(
          Date.now(),
          60_000,
        );
      });
      it("with 405 and Allow to what cannot be done (server-method-not-allowed)", async () => {
        const allow = ((await get(path)).headers.get("allow") ?? "").split(", ");
        for (const method of ["PUT", "POST", "PATCH", "DELETE"].filter((one) => !allow.includes(one))) {
          const refused = await ana.fetch(url(path), { method, headers: TURTLE, body: "" });
          expect(refused.status, method).to.equal(405);
          expect(refused.headers.get("allow")).to.equal(allow.join(", "));
        }
      });
      it("other origins, on success and refusal (server-cors)", async () => {
        for (const [send, init] of [
          [ana.fetch, {}],
          [fetch, {}],
          [ana.fetch, { method: "POST", headers: {} }],
          [ana.fetch, { headers: { accept: "video/mp4" } }],
          [fetch, { method: "OPTIONS" }],
        ] as const) {
          const { headers } = await send(url(path), {
            ...init,
            headers: { ...("headers" in init && init.headers), origin: "https://app.example" },
          });
          expect(headers.get("access-control-allow-origin")).to.equal("https://app.example");
          expect(headers.get("vary")).to.match(/\bOrigin\b/);
          const exposed = (headers.get("access-control-expose-headers") ?? "*").toLowerCase().split(", ");
          const hidden = [...headers.keys()].filter(
            (name) =>
              !exposed.includes(name) &&
              !/^(access-control-|cache-control|content-security-policy|x-content-type-options|cross-origin-|referrer-policy|date|connection|keep-alive|transfer-encoding)/.test(
                name,
              ),
          );
          if (init !== undefined && !("method" in init && init.method === "OPTIONS"))
            expect(hidden, "all headers of ours are exposed (server-cors-aceh)").to.deep.equal([]);
        }
      });
    });
  }

  describe("formats", () => {
    for (const [what, path] of KINDS.filter(([, path]) => !path.endsWith(".png"))) {
      it(`${what} comes as Turtle and as JSON-LD (server-representation-turtle-jsonld)`, async () => {
        for (const accept of RDF) {
          const response = await get(path, { accept });
          expect(response.status).to.equal(200);
          expect(response.headers.get("content-type")).to.equal(accept);
        }
        expect((await get(path, { accept: "video/mp4" })).status).to.equal(406);
        expect((await get(path, { accept: "*/*" })).headers.get("content-type")).to.equal("text/turtle");
      });
    }
    it("what came as JSON-LD comes back as Turtle", async () => {
      const body = JSON.stringify({ "@id": "#it", "https://schema.org/name": "Bread" });
      await put("notes/bread.jsonld", body, { "content-type": "application/ld+json" });
      expect(await (await get("notes/bread.jsonld", { accept: "text/turtle" })).text()).to.include("Bread");
      expect(await (await get("notes/bread.jsonld")).text()).to.equal(body);
    });
    it("content without a type is refused with 400 by each method (server-content-type-missing)", async () => {
      for (const [method, path] of [
        ["PUT", "notes/untyped"],
        ["POST", "notes/"],
        ["PATCH", "notes/milk.ttl"],
      ] as const) {
        const body = new TextEncoder().encode("x");
        expect((await ana.fetch(url(path), { method, body })).status).to.equal(400);
      }
    });
  });

  describe("folders", () => {
    it("describe their members (server-contained-resource-metadata)", async () => {
      const listing = parse(await (await get("notes/")).text(), url("notes/"));
      const saysOf = (name: string, predicate: string) =>
        listing.filter(
          ({ subject, predicate: { value } }) => subject.value === url(name) && value === predicate,
        );
      expect(saysOf("notes/photo.png", "http://www.w3.org/ns/posix/stat#size")[0]?.object.value).to.equal(
        "10",
      );
      expect(saysOf("notes/photo.png", "http://purl.org/dc/terms/modified")).to.have.length(1);
      expect(saysOf("notes/", "http://purl.org/dc/terms/title")[0]?.object.value).to.equal("Notes");
      expect(saysOf("notes/", `${LDP}contains`).map(({ object }) => object.value)).to.include.members([
        url("notes/milk.ttl"),
        url("notes/photo.png"),
      ]);
      expect(JSON.stringify(listing)).not.to.match(/\.acl|\.meta/);
    });
    it("say what they are (server-basic-container, server-link-storage)", async () => {
      expect(linksOf(await get("notes/")).get("type")).to.include.members([
        `${LDP}BasicContainer`,
        `${LDP}Container`,
      ]);
      expect(linksOf(await get("notes/milk.ttl")).get("type")).to.deep.equal([`${LDP}Resource`]);
      const root = linksOf(await get(""));
      expect(root.get("type")).to.include("http://www.w3.org/ns/pim/space#Storage");
      expect(root.get("http://www.w3.org/ns/solid/terms#owner")).to.deep.equal([ana.webid]);
      expect(linksOf(await get("notes/")).get("type")).not.to.include(
        "http://www.w3.org/ns/pim/space#Storage",
      );
    });
    it("are made with all folders above, by PUT and PATCH (server-put-patch-intermediate-containers)", async () => {
      await put("made/by/put.ttl");
      await patch("made/also/by/patch.ttl", "INSERT DATA { <> <urn:x:is> 1 }");
      for (const [folder, member] of [
        ["", "made/"],
        ["made/", "by/"],
        ["made/", "also/"],
        ["made/also/", "by/"],
        ["made/also/by/", "patch.ttl"],
      ] as const)
        expect(await (await get(folder)).text()).to.include(url(`${folder}${member}`));
    });
    it("do not let their listing be written, by whatever door (server-protect-containment)", async () => {
      const forged = `<./> <${LDP}contains> <./forged.ttl> .`;
      const size = "<./milk.ttl> <http://www.w3.org/ns/posix/stat#size> 1 .";
      for (const statement of [forged, size, `<./> a <${LDP}Resource> .`]) {
        if (statement === forged) expect((await put("notes/", statement)).status).to.equal(409);
        expect((await put("notes/.meta", statement)).status, statement).to.equal(409);
        for (const path of ["notes/", "notes/.meta"])
          expect((await patch(path, `INSERT DATA { ${statement} }`)).status, path).to.equal(409);
      }
      expect(await (await get("notes/")).text()).not.to.include("forged");
    });
    it("do not lose members by it", async () => {
      expect(
        (await patch("notes/", `DELETE DATA { <./> <${LDP}contains> <./milk.ttl> }`)).status,
      ).to.be.oneOf([204, 409]);
      expect(await (await get("notes/")).text()).to.include("milk.ttl");
    });
    it("take PUT of what is there already, and tell its version truly", async () => {
      const again = await ana.fetch(url("notes/"), {
        method: "PUT",
        headers: { ...TURTLE, link: `<${LDP}BasicContainer>; rel="type"` },
      });
      expect(again.status).to.equal(204);
      const told = again.headers.get("etag");
      if (told !== null) expect(told).to.equal((await get("notes/")).headers.get("etag"));
    });
    it("keep what they say about themselves in their description, in the same words", async () => {
      await put("described/", "<> <http://purl.org/dc/terms/title> 'Mine' .");
      for (const path of ["described/", "described/.meta"]) {
        const statements = parse(await (await get(path)).text(), url(path));
        const title = statements.find(
          ({ predicate }) => predicate.value === "http://purl.org/dc/terms/title",
        );
        expect(title?.subject.value, path).to.equal(url("described/"));
      }
      await patch("described/", "INSERT DATA { <> <urn:x:is> 1 }");
      const own = parse(await (await get("described/.meta")).text(), url("described/.meta"));
      expect(new Set(own.map(({ subject }) => subject.value))).to.deep.equal(new Set([url("described/")]));
    });
    it("have the version and conditions of their representation, whoever changed it", async () => {
      await put("versions/a.ttl");
      const seen = new Set<string>();
      const step = async (change: () => Promise<Response>, what: string) => {
        expect((await change()).status, what).to.be.oneOf([201, 204, 205]);
        const etag = (await get("versions/")).headers.get("etag") ?? "";
        expect(seen.has(etag), `a new ETag after ${what}`).to.equal(false);
        seen.add(etag);
      };
      await step(() => put("versions/.meta", "<./> <urn:x:is> 1 ."), "a description");
      await step(() => put("versions/b.ttl"), "a member");
      await step(() => ana.fetch(url("versions/.meta"), { method: "DELETE" }), "the end of the description");
      await step(() => put("versions/b.ttl"), "a member's change");
      await step(() => ana.fetch(url("versions/b.ttl"), { method: "DELETE" }), "a member's end");
      for (const method of ["PUT", "PATCH", "DELETE"] as const) {
        await put("versions/", "<> <urn:x:is> 2 .");
        await ana.fetch(url("versions/a.ttl"), { method: "DELETE" });
        const { headers } = await get("versions/");
        const send = (etag: string) =>
          ana.fetch(url("versions/"), {
            method,
            headers: {
              "if-match": etag,
              "content-type": method === "PATCH" ? "application/sparql-update" : "text/turtle",
            },
            ...(method === "PATCH" && { body: "INSERT DATA { <> <urn:x:is> 3 }" }),
          });
        expect((await send('"older-ttl"')).status, method).to.equal(412);
        expect((await send(headers.get("etag") ?? "")).status, method).to.equal(
          method === "DELETE" ? 205 : 204,
        );
      }
    });
    it("that are not there take no POST: 404 (server-post-target-not-found)", async () => {
      expect(
        (await ana.fetch(url("nowhere/"), { method: "POST", headers: TURTLE, body: NOTE })).status,
      ).to.equal(404);
    });
    it("give new members an address directly in themselves (server-post-container-create-resource)", async () => {
      const made = await ana.fetch(url("notes/"), { method: "POST", headers: TURTLE, body: NOTE });
      expect(made.status).to.equal(201);
      expect(made.headers.get("location")).to.match(/\/notes\/[^/]+$/);
      expect(linksOf(made).get("acl")).to.deep.equal([`${made.headers.get("location")}.acl`]);
      expect(made.headers.get("allow")).to.include("PUT");
    });
    it("cannot be one with a document, in either order (server-uri-trailing-slash-distinct)", async () => {
      await put("both");
      expect((await put("both/", "")).status).to.equal(409);
      await put("two/", "");
      expect((await put("two")).status).to.equal(409);
      expect((await get("two")).status).to.equal(301);
      const named = await ana.fetch(ana.pod, {
        method: "POST",
        headers: { ...TURTLE, slug: "two" },
        body: "",
      });
      expect(named.headers.get("location")).not.to.equal(url("two"));
    });
    it("deleted without their slash: 308 to it (server-representation-write-redirect)", async () => {
      await put("three/", "");
      const moved = await ana.fetch(url("three"), { method: "DELETE", redirect: "manual" });
      expect(moved.status).to.equal(308);
      expect(moved.headers.get("location")).to.equal(url("three/"));
      expect((await ana.fetch(url("three/"), { method: "DELETE" })).status).to.equal(205);
      expect((await ana.fetch(url("three"), { method: "DELETE" })).status).to.equal(404);
    });
    it("receive notices as an inbox does (server-ldn)", async () => {
      const notice = JSON.stringify({ "@id": "", "https://schema.org/name": "Hello" });
      const type = { "content-type": "application/ld+json" };
      const sent = await ben.fetch(url("opened/"), { method: "POST", headers: type, body: notice });
      expect(sent.status).to.equal(201);
      const place = sent.headers.get("location") ?? "";
      expect(await (await get("opened/", { accept: "application/ld+json" })).text()).to.include(
        new URL(place).pathname.split("/").pop(),
      );
      expect((await ana.fetch(place, { headers: { accept: "application/ld+json" } })).status).to.equal(200);
      expect((await fetch(url("opened/"), { method: "OPTIONS" })).headers.get("accept-post")).to.include(
        "application/ld+json",
      );
    });
  });

  describe("auxiliaries", () => {
    it("are named by their subject, and name it (server-link-auxiliary-type, client-link-describes)", async () => {
      for (const path of ["notes/milk.ttl", "notes/photo.png", "notes/", ""]) {
        for (const method of ["GET", "HEAD"]) {
          const links = linksOf(await ana.fetch(url(path), { method }));
          expect(links.get("acl")).to.deep.equal([url(`${path}.acl`)]);
          expect(links.get("describedby")).to.deep.equal([url(`${path}.meta`)]);
        }
      }
      expect(linksOf(await get("notes/.meta")).get("describes")).to.deep.equal([url("notes/")]);
      expect(linksOf(await get("notes/.meta")).get("acl")).to.deep.equal([url("notes/.acl")]);
    });
    it("tell which conditions count in access lists (wac server-link-condition)", async () => {
      for (const method of ["GET", "HEAD", "OPTIONS"])
        expect(
          linksOf(await ana.fetch(url(".acl"), { method })).get("http://www.w3.org/ns/auth/acl#condition"),
        ).to.deep.equal(CONDITION_TYPES);
      expect(linksOf(await get("")).has("http://www.w3.org/ns/auth/acl#condition")).to.equal(false);
    });
    it("of nothing are not there and cannot be made (server-auxiliary-resources-management)", async () => {
      for (const path of ["none.ttl.acl", "none.ttl.meta", "none/.acl", "none/.meta"]) {
        expect((await get(path)).status, path).to.equal(404);
        expect((await put(path, "")).status, path).to.equal(404);
        expect((await patch(path, "INSERT DATA { <> <urn:x:is> 1 }")).status, path).to.equal(404);
        expect((await ana.fetch(url(path), { method: "DELETE" })).status, path).to.equal(404);
      }
      expect((await get("none/")).status).to.equal(404);
    });
    it("are made, changed and deleted (server-put-patch-auxiliary-resource)", async () => {
      await put("subject.ttl");
      expect((await get("subject.ttl.acl")).status, "404 without a representation").to.equal(404);
      expect((await put("subject.ttl.meta", "<> <urn:x:is> 1 .")).status).to.equal(201);
      expect((await put("subject.ttl.meta", "<> <urn:x:is> 2 .")).status).to.equal(204);
      expect((await patch("subject.ttl.meta", "INSERT DATA { <> <urn:x:is> 3 }")).status).to.equal(204);
      await setAccess(ana, url("subject.ttl"), [{ to: "public", modes: ["Read"] }]);
      expect((await fetch(url("subject.ttl.meta"))).status, "the rules of its subject").to.equal(200);
      expect((await fetch(url("subject.ttl.acl"))).status).to.equal(401);
      expect((await ana.fetch(url("subject.ttl.meta"), { method: "DELETE" })).status).to.equal(205);
      expect((await get("subject.ttl.meta")).status).to.equal(404);
    });
    it("end with their subject, folders too (server-delete-remove-auxiliary-resource)", async () => {
      for (const path of ["ending.ttl", "ending/"]) {
        const make = () => put(path, "");
        await make();
        await put(`${path}.meta`, "<> <urn:x:is> 1 .");
        await setAccess(ana, url(path), [{ to: "public", modes: ["Read"] }]);
        await ana.fetch(url(path), { method: "DELETE" });
        expect((await get(`${path}.meta`)).status).to.equal(404);
        await make();
        expect((await fetch(url(path))).status, "the old list is not in force").to.equal(401);
        expect((await get(`${path}.acl`)).status).to.equal(404);
      }
    });
    it("have no auxiliaries of their own", async () => {
      for (const path of [".acl.acl", ".meta.acl", "notes/milk.ttl.meta.meta"])
        expect((await get(path)).status).to.equal(400);
    });
    it("a list that is no RDF is refused, and the old one stays (wac bad-acl)", async () => {
      await setAccess(ana, url("opened/"), [{ to: "public", modes: ["Read", "Append"] }]);
      for (const [body, type, status] of [
        ["nonsense", "text/turtle", 400],
        ["{}", "application/json", 415],
      ] as const)
        expect((await put("opened/.acl", body, { "content-type": type })).status).to.equal(status);
      expect((await put(".acl", "")).status, "the root's needs Control for the owner").to.equal(422);
      expect(
        (await patch(".acl", "DELETE WHERE { ?s <http://www.w3.org/ns/auth/acl#mode> ?o }")).status,
      ).to.equal(422);
      expect((await fetch(url("opened/x.ttl"))).status).to.equal(200);
      expect((await get("")).status).to.equal(200);
    });
  });

  describe("WAC-Allow", () => {
    it("says who may do what, to those who may read (wac server-wac-allow)", async () => {
      for (const method of ["GET", "HEAD"]) {
        const allow = (await ben.fetch(url("opened/x.ttl"), { method })).headers.get("wac-allow");
        expect(allow).to.equal('user="read append",public="read append"');
      }
      expect((await get("opened/x.ttl")).headers.get("wac-allow")).to.match(
        /user="read write append control",public="read append"/,
      );
    });
  });

  describe("conditions", () => {
    it("hold for GET and HEAD, too", async () => {
      const { headers } = await get("notes/milk.ttl");
      const etag = headers.get("etag") ?? "";
      const modified = headers.get("last-modified") ?? "";
      for (const method of ["GET", "HEAD"]) {
        const ask = async (conditions: Record<string, string>) =>
          (await ana.fetch(url("notes/milk.ttl"), { method, headers: conditions })).status;
        expect(await ask({ "if-none-match": etag })).to.equal(304);
        expect(await ask({ "if-none-match": `W/${etag}, "x"` })).to.equal(304);
        expect(await ask({ "if-none-match": '"x"', "if-modified-since": modified })).to.equal(200);
        expect(await ask({ "if-modified-since": modified })).to.equal(304);
        expect(await ask({ "if-match": etag })).to.equal(200);
        expect(await ask({ "if-match": '"x"' })).to.equal(412);
        expect(await ask({ "if-match": `W/${etag}` }), "weak is not equal").to.equal(412);
        expect(await ask({ "if-unmodified-since": "Thu, 01 Jan 2026 00:00:00 GMT" })).to.equal(412);
      }
    });
    it("304 repeats what caches need, and nothing about content", async () => {
      const full = await get("notes/milk.ttl");
      const again = await get("notes/milk.ttl", { "if-none-match": full.headers.get("etag") ?? "" });
      for (const name of ["etag", "cache-control", "vary", "last-modified", "link", "wac-allow"])
        expect(again.headers.get(name), name).to.equal(full.headers.get(name));
      expect(again.headers.has("content-type")).to.equal(false);
    });
    it("a client that read any form of a version may replace it", async () => {
      await put("forms.ttl");
      const json = await get("forms.ttl", { accept: "application/ld+json" });
      const headers = { ...TURTLE, "if-match": json.headers.get("etag") ?? "" };
      expect((await put("forms.ttl", NOTE, headers)).status).to.equal(204);
      expect((await put("forms.ttl", NOTE, headers)).status).to.equal(412);
    });
    it("ranges are of GET alone, and of the version that If-Range names", async () => {
      const head = await ana.fetch(url("notes/photo.png"), {
        method: "HEAD",
        headers: { range: "bytes=0-1" },
      });
      expect(head.status).to.equal(200);
      expect(head.headers.get("content-length")).to.equal("10");
      const etag = head.headers.get("etag") ?? "";
      expect((await get("notes/photo.png", { range: "bytes=0-1", "if-range": etag })).status).to.equal(206);
      expect((await get("notes/photo.png", { range: "bytes=0-1", "if-range": '"x"' })).status).to.equal(200);
    });
  });

  describe("refusals", () => {
    it("are problem documents for programs, and pages for people", async () => {
      for (const [path, send, status] of [
        ["notes/", fetch, 401],
        ["notes/", ben.fetch, 403],
        ["none.ttl", ana.fetch, 404],
        ["a//b", fetch, 400],
      ] as const) {
        for (const accept of [
          undefined,
          "*/*",
          "application/json",
          "text/turtle",
          "application/ld+json, */*;q=0.1",
          "application/problem+json",
        ]) {
          const response = await send(url(path), accept === undefined ? {} : { headers: { accept } });
          expect(response.status).to.equal(status);
          expect(response.headers.get("content-type"), accept).to.equal("application/problem+json");
          expect((await response.json()) as object).to.include.keys(
            "type",
            "title",
            "status",
            "next",
            "requestId",
          );
        }
        const page = await send(url(path), {
          headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
        });
        expect(page.status).to.equal(status);
        expect(page.headers.get("content-type")).to.match(/^text\/html/);
        expect(page.headers.get("content-security-policy")).to.include("default-src 'none'");
        expect(await page.text()).not.to.match(/<script/);
      }
    });
    it("401 says how to log in, and that nobody did (rs-401, rs-as-uri, rs-dpop-challenge)", async () => {
      const { headers } = await fetch(url("notes/"));
      expect(headers.get("www-authenticate"))
        .to.match(/^UMA as_uri="[^"]+", ticket="[^"]+", DPoP /)
        .and.include(`as_uri="${server.baseUrl}"`)
        .and.include('algs="');
      expect(headers.get("link"), "the issuer and the storage")
        .to.include(`<${server.baseUrl}>; rel="http://openid.net/specs/connect/1.0/issuer"`)
        .and.include(
          `<${url(".well-known/solid")}>; rel="http://www.w3.org/ns/solid/terms#storageDescription"`,
        );
    });
    it("a patch of what is no RDF is refused, and nothing changes", async () => {
      expect((await patch("notes/photo.png", "INSERT DATA { <> <urn:x:is> 1 }")).status).to.equal(409);
      expect(await (await get("notes/photo.png")).text()).to.equal("not really");
    });
    it("a PUT that says folder at an address that is none", async () => {
      const headers = { ...TURTLE, link: `<${LDP}BasicContainer>; rel="type"` };
      expect((await put("no-slash", "", headers)).status).to.equal(400);
    });
  });

  it("a storage says of itself that it is one (server-storage-description-resource)", async () => {
    const response = await fetch(url(".well-known/solid"));
    const statements = parse(await response.text(), url(".well-known/solid"));
    expect(
      statements.some(
        ({ subject, object }) =>
          subject.value === ana.pod && object.value === "http://www.w3.org/ns/pim/space#Storage",
      ),
    ).to.equal(true);
    expect((await put(".well-known/solid")).status).to.equal(405);
  });
  it("apps of other origins may ask the server what it is", async () => {
    const { status, headers } = await fetch(`${server.baseUrl}.well-known/solid`, {
      headers: { origin: "https://app.example" },
    });
    expect(status).to.equal(200);
    expect(headers.get("access-control-allow-origin")).to.equal("https://app.example");
  });
  it("what is written tells its version, its lists and what may be done next", async () => {
    await write(ana, url("told.ttl"));
    const response = await put("told.ttl");
    expect(response.headers.get("etag")).to.equal((await get("told.ttl")).headers.get("etag"));
    expect(linksOf(response).get("acl")).to.deep.equal([url("told.ttl.acl")]);
    expect(response.headers.get("allow")).to.include("DELETE");
  });
});
