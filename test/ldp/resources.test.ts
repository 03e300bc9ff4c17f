/** One story, though long: what a client sees of documents, binaries, folders and patches, on one server with two people. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const TURTLE = { "content-type": "text/turtle" };
const NOTE = '<#it> <https://schema.org/name> "Milk".';

describe("Resources of a pod", () => {
  let server: TestServer;
  let ana: Person;
  let stranger: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const put = (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = TURTLE,
  ) => ana.fetch(url(path), { method: "PUT", headers, body });

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    stranger = await server.person("ben");
  });
  after(() => server.close());

  describe("documents", () => {
    it("are created by PUT with 201 and come back as the very bytes that were sent", async () => {
      const body = `# a comment that parsing would lose\n${NOTE}`;
      const created = await put("notes/milk.ttl", body);
      expect(created.status).to.equal(201);
      const read = await ana.fetch(url("notes/milk.ttl"));
      expect(read.status).to.equal(200);
      expect(read.headers.get("content-type")).to.equal("text/turtle");
      expect(await read.text()).to.equal(body);
      expect(read.headers.get("etag")).to.equal(created.headers.get("etag"));
    });

    it("are replaced by PUT with 204 and get a new ETag", async () => {
      const first = await put("notes/again.ttl", NOTE);
      const second = await put("notes/again.ttl", NOTE);
      expect(second.status).to.equal(204);
      expect(second.headers.get("etag")).not.to.equal(first.headers.get("etag"));
    });

    it("are readable as JSON-LD, with an ETag of that form", async () => {
      await put("notes/json.ttl", NOTE);
      const turtle = await ana.fetch(url("notes/json.ttl"));
      const json = await ana.fetch(url("notes/json.ttl"), { headers: { accept: "application/ld+json" } });
      expect(json.headers.get("content-type")).to.equal("application/ld+json");
      expect(JSON.stringify(await json.json())).to.include("Milk");
      expect(json.headers.get("etag")).not.to.equal(turtle.headers.get("etag"));
    });

    it("that are not valid RDF are refused with line and column, and nothing is stored", async () => {
      const refused = await put("notes/broken.ttl", "<#a> <#b> .\n");
      expect(refused.status).to.equal(400);
      const problem = (await refused.json()) as { type: string; errors: { at: string }[] };
      expect(problem.type).to.match(/rdf-invalid$/);
      expect(problem.errors[0]?.at).to.match(/^\d+:\d+$/);
      expect((await ana.fetch(url("notes/broken.ttl"))).status).to.equal(404);
    });

    it("need a Content-Type", async () => {
      const refused = await ana.fetch(url("notes/untyped"), {
        method: "PUT",
        body: new TextEncoder().encode("x"),
      });
      expect(refused.status).to.equal(400);
    });

    it("are answered with 304 and without content when unchanged", async () => {
      const { headers } = await put("notes/cached.ttl", NOTE);
      const again = await ana.fetch(url("notes/cached.ttl"), {
        headers: { "if-none-match": headers.get("etag") ?? "" },
      });
      expect(again.status).to.equal(304);
      expect(await again.text()).to.equal("");
    });

    it("with If-Match of an older version are refused with 412 and stay", async () => {
      const first = await put("notes/match.ttl", NOTE);
      await put("notes/match.ttl", '<#it> <#is> "newer".');
      const late = await put("notes/match.ttl", '<#it> <#is> "lost".', {
        ...TURTLE,
        "if-match": first.headers.get("etag") ?? "",
      });
      expect(late.status).to.equal(412);
      expect(await (await ana.fetch(url("notes/match.ttl"))).text())
        .to.include("newer")
        .and.not.include("lost");
    });

    it("are not overwritten under If-None-Match: *", async () => {
      await put("notes/once.ttl", NOTE);
      expect((await put("notes/once.ttl", NOTE, { ...TURTLE, "if-none-match": "*" })).status).to.equal(412);
    });

    it("are gone after DELETE, with their access list and description", async () => {
      await put("notes/gone.ttl", NOTE);
      await put("notes/gone.ttl.meta", "<gone.ttl> <https://schema.org/name> 'x'.");
      expect((await ana.fetch(url("notes/gone.ttl"), { method: "DELETE" })).status).to.equal(205);
      expect((await ana.fetch(url("notes/gone.ttl"))).status).to.equal(404);
      await put("notes/gone.ttl", NOTE);
      expect((await ana.fetch(url("notes/gone.ttl.meta"))).status).to.equal(404);
    });

    it("and folders cannot share a name", async () => {
      await put("notes/either", NOTE);
      expect((await put("notes/either/child.ttl", NOTE)).status).to.equal(409);
      expect((await ana.fetch(url("notes/either/"), { method: "PUT", headers: TURTLE })).status).to.equal(
        409,
      );
    });

    it("lead from the unused form with a slash to the used one, for those who may read it", async () => {
      await put("notes/slashed.ttl", NOTE);
      const response = await ana.fetch(url("notes/slashed.ttl/"), { redirect: "manual" });
      expect(response.status).to.equal(301);
      expect(response.headers.get("location")).to.equal(url("notes/slashed.ttl"));
    });
  });

  describe("binaries", () => {
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251);

    for (const [size, what] of [
      [1_000, "small"],
      [300_000, "large"],
    ] as const) {
      it(`of ${what} size come back unchanged, whole and in ranges`, async () => {
        const content = bytes.slice(0, size);
        expect(
          (await put(`files/${what}.bin`, content, { "content-type": "application/octet-stream" })).status,
        ).to.equal(201);
        const whole = await ana.fetch(url(`files/${what}.bin`));
        expect(new Uint8Array(await whole.arrayBuffer())).to.deep.equal(content);
        const part = await ana.fetch(url(`files/${what}.bin`), { headers: { range: "bytes=10-19" } });
        expect(part.status).to.equal(206);
        expect(part.headers.get("content-range")).to.equal(`bytes 10-19/${size}`);
        expect(new Uint8Array(await part.arrayBuffer())).to.deep.equal(content.slice(10, 20));
        const tail = await ana.fetch(url(`files/${what}.bin`), { headers: { range: "bytes=-5" } });
        expect(new Uint8Array(await tail.arrayBuffer())).to.deep.equal(content.slice(-5));
        const beyond = await ana.fetch(url(`files/${what}.bin`), { headers: { range: `bytes=${size}-` } });
        expect(beyond.status).to.equal(416);
      });
    }

    it("that a browser could run are served inert", async () => {
      await put("files/page.html", "<script>alert(1)</script>", { "content-type": "text/html" });
      const { headers } = await ana.fetch(url("files/page.html"));
      expect(headers.get("content-security-policy")).to.include("sandbox");
      expect(headers.get("x-content-type-options")).to.equal("nosniff");
      expect(headers.get("content-disposition")).to.equal("attachment");
    });

    it("are not available as something else", async () => {
      await put("files/photo.png", "not really", { "content-type": "image/png" });
      expect(
        (await ana.fetch(url("files/photo.png"), { headers: { accept: "text/turtle" } })).status,
      ).to.equal(406);
    });
  });

  describe("folders", () => {
    it("come into being with what is put into them, and list it", async () => {
      await put("deep/er/still/leaf.ttl", NOTE);
      const listing = await (await ana.fetch(url("deep/er/"))).text();
      expect(listing)
        .to.match(/contains/)
        .and.to.include("still/")
        .and.not.include("leaf.ttl");
    });

    it("show a new ETag after each change below them", async () => {
      await put("watched/a.ttl", NOTE);
      const before = (await ana.fetch(url("watched/"))).headers.get("etag");
      await put("watched/b.ttl", NOTE);
      const after = await ana.fetch(url("watched/"));
      expect(after.headers.get("etag")).not.to.equal(before);
      expect(await after.text()).to.include("b.ttl");
    });

    it("take new members by POST, named after the Slug when it is free", async () => {
      await ana.fetch(url("posted/"), { method: "PUT", headers: TURTLE });
      const post = (slug: string) =>
        ana.fetch(url("posted/"), { method: "POST", headers: { ...TURTLE, slug }, body: NOTE });
      const first = await post("milk.ttl");
      expect(first.status).to.equal(201);
      expect(first.headers.get("location")).to.equal(url("posted/milk.ttl"));
      const second = await post("milk.ttl");
      expect(second.headers.get("location")).to.match(/\/posted\/milk-[0-9a-f]{16}\.ttl$/);
      expect(await (await ana.fetch(second.headers.get("location") ?? "")).text()).to.equal(NOTE);
    });

    for (const slug of [
      "x.acl",
      "../up",
      "a/b",
      "%2e%2e%2fup",
      ".",
      "..",
      "\u202etxt",
      "x.acl.meta",
      "l".repeat(400),
    ]) {
      it(`take no harm from the Slug ${JSON.stringify(slug.slice(0, 20))}`, async () => {
        await ana.fetch(url("slugs/"), { method: "PUT", headers: TURTLE });
        const response = await ana.fetch(url("slugs/"), {
          method: "POST",
          headers: { ...TURTLE, slug: encodeURIComponent(slug) },
          body: NOTE,
        });
        expect(response.status).to.equal(201);
        const location = response.headers.get("location") ?? "";
        expect(location.startsWith(url("slugs/"))).to.equal(true);
        expect(location.slice(url("slugs/").length))
          .not.to.match(/\/|\.acl$|\.meta$/)
          .and.not.equal("");
      });
    }

    it("are made inside folders by POST with their Link", async () => {
      const link = '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"';
      const response = await ana.fetch(ana.pod, {
        method: "POST",
        headers: { ...TURTLE, slug: "album", link },
      });
      expect(response.status).to.equal(201);
      expect(response.headers.get("location")).to.equal(url("album/"));
    });

    it("that do not exist take no POST", async () => {
      expect(
        (await ana.fetch(url("nowhere/"), { method: "POST", headers: TURTLE, body: NOTE })).status,
      ).to.equal(404);
    });

    it("are deleted only when empty", async () => {
      await put("full/member.ttl", NOTE);
      expect((await ana.fetch(url("full/"), { method: "DELETE" })).status).to.equal(409);
      await ana.fetch(url("full/member.ttl"), { method: "DELETE" });
      expect((await ana.fetch(url("full/"), { method: "DELETE" })).status).to.equal(205);
      expect((await ana.fetch(url("full/"))).status).to.equal(404);
    });

    it("do not let their listing be written", async () => {
      await put("listed/a.ttl", NOTE);
      const forged = await ana.fetch(url("listed/"), {
        method: "PUT",
        headers: TURTLE,
        body: "<> <http://www.w3.org/ns/ldp#contains> <forged.ttl>.",
      });
      expect(forged.status).to.equal(409);
      expect(await (await ana.fetch(url("listed/"))).text()).not.to.include("forged");
    });

    it("and the root itself cannot be deleted, nor its access list", async () => {
      for (const target of [ana.pod, `${ana.pod}.acl`]) {
        const refused = await ana.fetch(target, { method: "DELETE" });
        expect(refused.status, target).to.equal(405);
        expect(refused.headers.get("allow")).not.to.include("DELETE");
      }
    });
  });

  describe("patches", () => {
    const patch = (path: string, body: string, type = "text/n3") =>
      ana.fetch(url(path), { method: "PATCH", headers: { "content-type": type }, body });
    const n3 = (text: string) =>
      `@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; ${text} .`;

    it("change exactly what they say", async () => {
      await put("patched/a.ttl", '<#it> <#name> "old", "kept".');
      const response = await patch(
        "patched/a.ttl",
        n3('solid:deletes { <#it> <#name> "old" }; solid:inserts { <#it> <#name> "new" }'),
      );
      expect(response.status).to.equal(204);
      const text = await (await ana.fetch(url("patched/a.ttl"))).text();
      expect(text).to.include("new").and.include("kept").and.not.include("old");
    });

    it("that delete what is not there are refused with 409, and nothing changes", async () => {
      await put("patched/b.ttl", '<#it> <#name> "here".');
      const response = await patch(
        "patched/b.ttl",
        n3('solid:deletes { <#it> <#name> "absent" }; solid:inserts { <#it> <#name> "never" }'),
      );
      expect(response.status).to.equal(409);
      expect(await (await ana.fetch(url("patched/b.ttl"))).text()).not.to.include("never");
    });

    it("that are no valid N3 Patch are refused with 422", async () => {
      expect((await patch("patched/c.ttl", n3("solid:inserts { ?x <#y> 1 }"))).status).to.equal(422);
    });

    it("in SPARQL Update create a document", async () => {
      const response = await patch(
        "patched/new.ttl",
        'INSERT DATA { <#it> <#name> "made" }',
        "application/sparql-update",
      );
      expect(response.status).to.equal(201);
      expect(await (await ana.fetch(url("patched/new.ttl"))).text()).to.include("made");
    });

    it("of twenty clients at once are all kept", async () => {
      await put("patched/counter.ttl", "<#it> <#has> 0.");
      const inserts = Array.from({ length: 20 }, (_, index) =>
        patch("patched/counter.ttl", n3(`solid:inserts { <#it> <#has> ${index + 1} }`)),
      );
      const statuses = (await Promise.all(inserts)).map(({ status }) => status);
      expect(statuses).to.deep.equal(Array.from({ length: 20 }, () => 204));
      const text = await (
        await ana.fetch(url("patched/counter.ttl"), { headers: { accept: "application/n-triples" } })
      ).text();
      expect(text.trim().split("\n")).to.have.length(21);
    });

    it("in another format are refused and told the right ones", async () => {
      const response = await patch("patched/a.ttl", "{}", "application/json-patch+json");
      expect(response.status).to.equal(415);
      expect(response.headers.get("accept-patch")).to.include("text/n3");
    });
  });

  describe("the profile", () => {
    it("is what a stranger sees, and nothing else", async () => {
      expect((await fetch(url("profile/card"))).status).to.equal(200);
      for (const path of [
        "",
        "profile/",
        "inbox/",
        "settings/",
        "settings/privateTypeIndex.ttl",
        "notes/milk.ttl",
        "nothing-here",
        ".acl",
      ]) {
        expect((await fetch(url(path))).status, `anonymous ${path}`).to.equal(401);
        expect((await stranger.fetch(url(path))).status, `Ben ${path}`).to.equal(403);
      }
    });

    it("keeps its log-in service whoever writes it", async () => {
      const body = `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> <https://evil.example/>.`;
      const refused = await ana.fetch(url("profile/card"), {
        method: "PATCH",
        headers: { "content-type": "application/sparql-update" },
        body: `INSERT DATA { ${body} }`,
      });
      expect(refused.status).to.equal(409);
      expect(await (await fetch(url("profile/card"))).text()).not.to.include("evil.example");
      expect((await ana.fetch(url("profile/card"), { method: "DELETE" })).status).to.equal(409);
    });
  });

  describe("paths", () => {
    for (const path of [
      "%2e%2e/etc",
      "a//b",
      "a/%2Fb",
      "a%5Cb",
      "a%00b",
      "bad%zz",
      "x.acl.acl",
      "trailing.",
      "folder.acl/",
    ]) {
      it(`such as ${path} are refused`, async () => {
        const response = await ana.raw("GET", `/ana/${path}`);
        expect(response.status).to.equal(400);
      });
    }

    it("mean the same however they are spelt", async () => {
      await put("na%C3%AFve%20file.ttl", NOTE);
      expect((await ana.fetch(url("na%c3%afve%20file.ttl"))).status).to.equal(200);
    });
  });

  it("say how they may be used", async () => {
    const { headers } = await ana.fetch(ana.pod);
    const link = headers.get("link") ?? "";
    for (const part of [
      'rel="acl"',
      "pim/space#Storage",
      "solid/terms#storageDescription",
      "solid/terms#owner",
      "solid/sparql#endpoint",
      "ldp#BasicContainer",
    ]) {
      expect(link).to.include(part);
    }
    expect(headers.get("wac-allow"))
      .to.match(/user="[^"]*read[^"]*write/)
      .and.to.match(/public=""/);
    expect(headers.get("accept-patch")).to.include("text/n3").and.include("application/sparql-update");
    expect(headers.get("last-modified")).to.match(/GMT$/);
  });

  it("answer a preflight without login, for a day's work in one", async () => {
    const response = await fetch(url("notes/milk.ttl"), {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "dpop",
      },
    });
    expect(response.status).to.equal(204);
    expect(response.headers.get("access-control-allow-origin")).to.equal("https://app.example");
    expect(response.headers.get("access-control-allow-methods")).to.include("PATCH");
    expect(Number(response.headers.get("access-control-max-age"))).to.be.greaterThan(600);
  });

  it("refuse unknown methods with a problem document", async () => {
    const response = await ana.raw("BREW", "/ana/notes/");
    expect([405, 501]).to.include(response.status);
    expect(response.headers["content-type"]).to.equal("application/problem+json");
  });
});
