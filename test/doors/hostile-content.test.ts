/** Long, for it is one list: content that no client sends, each against the same server, which must store nothing. */
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import {
  type Answer,
  expectNoDrafts,
  expectProblem,
  expectState,
  type Login,
  login,
  openWire,
  stateOf,
} from "./wire.ts";

const MIB = 1024 * 1024;
const blobBytesMax = MIB; // Less than by default, so that the tests need not send 100 MiB.

describe("Hostile content", () => {
  let server: TestServer;
  let ana: Person;
  let owner: Login;
  let stored: Awaited<ReturnType<typeof stateOf>>;
  const url = (path: string) => server.baseUrl.slice(0, -1) + path;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: `blobBytesMax=${blobBytesMax}` });
    ana = await server.person("ana");
    owner = await login(server, ana);
    await ana.fetch(url("/ana/taken.ttl"), {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<#it> <#is> 1 .",
    });
  });
  beforeEach(async () => void (stored = await stateOf(server, "ana")));
  afterEach(async () => {
    await expectState(server, "ana", stored);
    expect((await fetch(url("/readyz"))).status, "the server still answers").to.equal(200);
    const failures = server.log.filter((line) => /"level":"error"|request\.failed/.test(line));
    expect(failures, "nothing failed inside").to.deep.equal([]);
  });
  after(async () => {
    await expectNoDrafts(server);
    await server.close();
  });

  async function send(
    method: string,
    path: string,
    lines: readonly string[],
    content: string | Uint8Array,
    framing: "declared" | "chunked" = "declared",
  ): Promise<Answer> {
    const bytes = Buffer.from(content as string, "utf8");
    const wire = await openWire(server.baseUrl);
    try {
      const head = [
        `${method} ${path} HTTP/1.1`,
        `Host: ${new URL(server.baseUrl).host}`,
        ...(path.startsWith("/ana/") ? (await owner.headers(method, url(path))).split("\n") : []),
        ...lines,
        framing === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes.length}`,
      ];
      wire.send(`${head.join("\r\n")}\r\n\r\n`);
      if (framing === "declared") wire.send(bytes);
      else {
        for (let at = 0; at < bytes.length; at += 65_536) {
          const part = bytes.subarray(at, at + 65_536);
          wire.send(`${part.length.toString(16)}\r\n`);
          wire.send(part);
          wire.send("\r\n");
        }
        wire.send("0\r\n\r\n");
      }
      return await wire.answer();
    } finally {
      wire.end();
    }
  }
  const put = (path: string, type: string, content: string | Uint8Array) =>
    send("PUT", path, [`Content-Type: ${type}`], content);

  describe("of more bytes than a door takes is refused with 413, declared or not:", () => {
    const own = ["Content-Type: application/json", "Origin: http://localhost"];
    const doors: readonly (readonly [string, string, readonly string[], number])[] = [
      ["PUT", "/ana/big.ttl", ["Content-Type: text/turtle"], LIMITS.rdfBytesMax],
      ["PUT", "/ana/big.jsonld", ["Content-Type: application/ld+json"], LIMITS.rdfBytesMax],
      ["PUT", "/ana/big/", ["Content-Type: text/turtle"], LIMITS.rdfBytesMax],
      ["PUT", "/ana/big.bin", ["Content-Type: application/octet-stream"], blobBytesMax],
      ["PUT", "/ana/taken.ttl.acl", ["Content-Type: text/turtle"], LIMITS.aclBytesMax],
      ["PUT", "/ana/taken.ttl.meta", ["Content-Type: text/turtle"], LIMITS.aclBytesMax],
      ["POST", "/ana/", ["Content-Type: text/turtle", "Slug: big"], LIMITS.rdfBytesMax],
      ["POST", "/ana/", ["Content-Type: image/png", "Slug: big"], blobBytesMax],
      ["PATCH", "/ana/taken.ttl", ["Content-Type: text/n3"], LIMITS.patchBytesMax],
      ["PATCH", "/ana/taken.ttl", ["Content-Type: application/sparql-update"], LIMITS.patchBytesMax],
      ["POST", "/ana/sparql", ["Content-Type: application/sparql-query"], LIMITS.queryTextBytesMax],
      [
        "POST",
        "/ana/sparql",
        ["Content-Type: application/x-www-form-urlencoded"],
        LIMITS.queryTextBytesMax * 4,
      ],
      ["POST", "/v1/ops", ["Content-Type: application/json"], 64 * 1024],
      ["POST", "/v1/resolve", ["Content-Type: application/json"], 1024 * 1024],
      ["POST", "/.account/login", own, LIMITS.accountBodyBytesMax],
      ["POST", "/.account/setup", own, LIMITS.accountBodyBytesMax],
    ];
    for (const [method, path, lines, bytesMax] of doors) {
      for (const framing of ["declared", "chunked"] as const) {
        it(`${method} ${path} ${lines[0]}, ${framing}`, async () => {
          const here = lines.map((line) => line.replace("http://localhost", new URL(server.baseUrl).origin));
          const answer = await send(method, path, here, "#".repeat(bytesMax + 1), framing);
          expectProblem(answer, 413, "body-too-large");
        });
      }
    }
    for (const path of ["/.oidc/token", "/.oidc/reg"]) {
      it(`POST ${path}`, async () => {
        const answer = await send("POST", path, ["Content-Type: application/json"], "x".repeat(2 * MIB));
        expect(answer.status).to.be.within(400, 413);
        expect(answer.body).not.to.match(/ {4}at /);
      });
    }
    it("a document that grew by patches", async () => {
      const insert = (index: number) =>
        ana.fetch(url("/ana/growing.ttl"), {
          method: "PATCH",
          headers: { "content-type": "application/sparql-update" },
          body: `INSERT DATA { <#it> <#is> "${index}${"x".repeat(900_000)}" }`,
        });
      const statuses: number[] = [];
      for (let index = 0; index < 5; index++) statuses.push((await insert(index)).status);
      expect(statuses).to.deep.equal([201, 204, 204, 204, 413]);
      const turtle = await ana.fetch(url("/ana/growing.ttl"), {
        headers: { accept: "application/n-triples" },
      });
      expect(turtle.status, "what is there can still be read").to.equal(200);
      await ana.fetch(url("/ana/growing.ttl"), { method: "DELETE" });
      stored = await stateOf(server, "ana");
    });
    it("a million chunks of one byte cost no more memory than their bytes", async () => {
      const wire = await openWire(server.baseUrl);
      const head = `PUT /ana/crumbs.ttl HTTP/1.1\nHost: x\n${await owner.headers("PUT", url("/ana/crumbs.ttl"))}\nContent-Type: text/turtle\nTransfer-Encoding: chunked\n\n`;
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      let most = before;
      const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
      wire.send(head.replaceAll("\n", "\r\n"));
      const crumbs = Buffer.from("1\r\n#\r\n".repeat(100_000));
      for (let index = 0; index < 10; index++) {
        if (!wire.socket.write(crumbs)) await new Promise((resolve) => wire.socket.once("drain", resolve));
      }
      wire.send("zz\r\n"); // And then it breaks.
      expectProblem(await wire.answer(), 400);
      clearInterval(timer);
      wire.end();
      expect((most - before) / MIB).to.be.lessThan(150);
    });
  });

  describe("that nests too deep is refused before a parser sees it:", () => {
    const deep = 20_000;
    for (const [what, method, path, type, content, status] of [
      ["lists in Turtle", "PUT", "/ana/deep.ttl", "text/turtle", `<a:b> <a:b> ${"(".repeat(deep)}`, 400],
      [
        "blank nodes in Turtle",
        "PUT",
        "/ana/deep.ttl",
        "text/turtle",
        `<a:b> <a:b> ${"[<a:b> ".repeat(deep)}`,
        400,
      ],
      ["arrays in JSON-LD", "PUT", "/ana/deep.jsonld", "application/ld+json", "[".repeat(deep), 400],
      ["objects in JSON-LD", "PUT", "/ana/deep.jsonld", "application/ld+json", '{"a:b":'.repeat(deep), 400],
      ["formulae in N3", "PATCH", "/ana/taken.ttl", "text/n3", `<> <a:b> ${"{".repeat(deep)}`, 422],
      ["lists in N3", "PATCH", "/ana/taken.ttl", "text/n3", `<> <a:b> ${"(".repeat(deep)}`, 422],
      [
        "groups in an update",
        "PATCH",
        "/ana/taken.ttl",
        "application/sparql-update",
        `INSERT DATA ${"{".repeat(deep)}`,
        422,
      ],
      [
        "lists in an update",
        "PATCH",
        "/ana/taken.ttl",
        "application/sparql-update",
        `INSERT DATA { <a:b> <a:b> ${"(".repeat(deep)} }`,
        422,
      ],
      [
        "groups in a query",
        "POST",
        "/ana/sparql",
        "application/sparql-query",
        `SELECT * ${"{".repeat(deep)}`,
        400,
      ],
      [
        "signs in a query",
        "POST",
        "/ana/sparql",
        "application/sparql-query",
        `SELECT * { FILTER(${"!".repeat(deep)}true) }`,
        400,
      ],
      ["arrays in an operation", "POST", "/v1/ops", "application/json", "[".repeat(1_500), 400],
      [
        "an access list",
        "PUT",
        "/ana/taken.ttl.acl",
        "text/turtle",
        `<a:b> <a:b> ${"[<a:b> ".repeat(deep)}`,
        400,
      ],
    ] as const) {
      it(what, async () => {
        const started = performance.now();
        expectProblem(await send(method, path, [`Content-Type: ${type}`], content), status);
        expect(performance.now() - started).to.be.lessThan(1_500);
      });
    }
  });

  describe("that is not what it says is refused:", () => {
    const turtle = '<#it> <#name> "Zoë" .';
    const utf16 = Buffer.from(`\ufeff${turtle}`, "utf16le");
    for (const [what, path, type, content, status] of [
      ["bytes that are no UTF-8", "/ana/a.ttl", "text/turtle", Buffer.from(turtle, "latin1"), 400],
      [
        "a surrogate written as UTF-8",
        "/ana/a.ttl",
        "text/turtle",
        Buffer.from('<#a> <#b> "\xed\xa0\x80" .', "latin1"),
        400,
      ],
      [
        "an overlong letter",
        "/ana/a.ttl",
        "text/turtle",
        Buffer.from('<#a> <#b> "\xc1\x81" .', "latin1"),
        400,
      ],
      ["UTF-16", "/ana/a.ttl", "text/turtle", utf16, 400],
      ["another charset by name", "/ana/a.ttl", "text/turtle; charset=utf-16", utf16, 415],
      ["Latin-1 by name", "/ana/a.ttl", 'text/turtle; charset="ISO-8859-1"', turtle, 415],
      ["JSON-LD in UTF-16", "/ana/a.jsonld", "application/ld+json", Buffer.from("{}", "utf16le"), 400],
      ["JSON-LD without content", "/ana/a.jsonld", "application/ld+json", "", 400],
      ["JSON that is none", "/ana/a.jsonld", "application/ld+json", "{'a': 1}", 400],
      [
        "JSON-LD with a context from elsewhere",
        "/ana/a.jsonld",
        "application/ld+json",
        '{"@context":"http://127.0.0.1:9/c","a":1}',
        422,
      ],
      ["a folder of text", "/ana/folder/", "text/plain", "x", 415],
      ["an access list of JSON", "/ana/taken.ttl.acl", "application/json", "{}", 415],
      ["a description of HTML", "/ana/taken.ttl.meta", "text/html", "<p>", 415],
      ["no media type at all", "/ana/a.ttl", "turtle", turtle, 415],
      ["a media type with a line in it", "/ana/a.ttl", "text/tur tle", turtle, 415],
      ["an empty media type", "/ana/a.ttl", "", turtle, 400],
    ] as const) {
      it(what, async () => {
        expectProblem(await put(path, type, content), status);
      });
    }
    it("compressed content", async () => {
      for (const [method, path] of [
        ["PUT", "/ana/a.ttl"],
        ["POST", "/ana/"],
        ["POST", "/ana/sparql"],
        ["POST", "/v1/ops"],
      ] as const) {
        const answer = await send(method, path, ["Content-Type: text/turtle", "Content-Encoding: gzip"], "x");
        expectProblem(answer, 415);
        expect(answer.headers["accept-encoding"]).to.equal("identity");
      }
    });
    it("a part of a resource", async () => {
      const lines = ["Content-Type: text/plain", "Content-Range: bytes 0-1/10"];
      expectProblem(await send("PUT", "/ana/part.txt", lines, "hi"), 400);
    });
    it("a patch that is no UTF-8", async () => {
      const bad = Buffer.from('INSERT DATA { <#a> <#b> "\xff" }', "latin1");
      const answer = await send("PATCH", "/ana/taken.ttl", ["Content-Type: application/sparql-update"], bad);
      expectProblem(answer, 400);
    });
    it("a document of several graphs, or with addresses that no document may hold", async () => {
      expectProblem(await put("/ana/a.nq", "application/n-quads", "<a:a> <a:a> <a:a> <a:g> ."), 400);
      expectProblem(await put("/ana/a.ttl", "text/turtle", "<a:a> <a:b> <http://a b> ."), 400);
      expectProblem(await put("/ana/a.ttl", "text/turtle", `<a:a> <a:b> <a:${"x".repeat(9_000)}> .`), 400);
      expectProblem(await put("/ana/a.ttl", "text/turtle", `<a:a> <a:b> "${"x".repeat(1_100_000)}" .`), 400);
    });
    it("more statements than a document may have", async () => {
      const many = Array.from({ length: LIMITS.rdfQuadsMax + 1 }, (_, index) => `<> <a:b> ${index} .`);
      expectProblem(await put("/ana/a.ttl", "text/turtle", many.join("\n")), 400);
    });
  });

  describe("that a browser would run is served inert, whatever it is called:", () => {
    for (const [type, isAttached] of [
      ["text/html", true],
      ["Text/HTML; charset=utf-8", true],
      ["application/xhtml+xml", true],
      ["image/svg+xml", true],
      ["application/xml", true],
      ["text/xsl", true],
      ["application/rss+xml", true],
      ["application/pdf", true],
      ["text/javascript", true],
      ["multipart/related; boundary=x", true],
      ["message/rfc822", true],
      ["text/plain", false],
      ["image/png", false],
      ["application/octet-stream", false],
      ["text/turtle", false],
    ] as const) {
      it(type, async () => {
        const content = type === "text/turtle" ? "# <script>alert(1)</script>" : "<script>alert(1)</script>";
        await put("/ana/active.png", type, content);
        for (const init of [{}, { headers: { range: "bytes=0-3" } }, { method: "HEAD" }]) {
          const { headers } = await ana.fetch(url("/ana/active.png"), init);
          expect(headers.get("content-security-policy")).to.match(/default-src 'none'; sandbox/);
          expect(headers.get("x-content-type-options")).to.equal("nosniff");
          expect(headers.get("content-disposition")).to.equal(isAttached ? "attachment" : null);
        }
        await ana.fetch(url("/ana/active.png"), { method: "DELETE" });
        stored = await stateOf(server, "ana");
      });
    }
  });

  it("a mark of byte order is kept, and does no harm", async () => {
    const content = Buffer.from("\ufeff<#it> <#is> 1 .");
    expect((await put("/ana/bom.ttl", "text/turtle", content)).status).to.equal(201);
    expect(Buffer.from(await (await ana.fetch(url("/ana/bom.ttl"))).arrayBuffer())).to.deep.equal(content);
    const json = await ana.fetch(url("/ana/bom.ttl"), { headers: { accept: "application/ld+json" } });
    expect(await json.text()).to.include("/ana/bom.ttl#it");
    await ana.fetch(url("/ana/bom.ttl"), { method: "DELETE" });
    stored = await stateOf(server, "ana");
  });

  it("leave to send is given to who may send, and the content is stored", async () => {
    const wire = await openWire(server.baseUrl);
    const lines = await owner.headers("PUT", url("/ana/asked.txt"));
    wire.send(
      `PUT /ana/asked.txt HTTP/1.1\nHost: x\n${lines}\nContent-Type: text/plain\nContent-Length: 5\nExpect: 100-continue\n\n`.replaceAll(
        "\n",
        "\r\n",
      ),
    );
    expect((await wire.answer()).status).to.equal(100);
    wire.send("hello");
    expect((await wire.answer()).status).to.equal(201);
    wire.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await wire.answer()).status, "and the connection goes on").to.equal(200);
    wire.end();
    expect(await (await ana.fetch(url("/ana/asked.txt"))).text()).to.equal("hello");
    await ana.fetch(url("/ana/asked.txt"), { method: "DELETE" });
    stored = await stateOf(server, "ana");
  });

  describe("named by a Slug", () => {
    for (const slug of [
      "x.acl",
      "x.acl.",
      "x.acl.acl.",
      "x.meta.acl..",
      "x.ACL.",
      ".acl",
      "..",
      "../../ben/x",
      "%2e%2e%2fx",
      "%252e%252e",
      "a%00b.ttl",
      "a\\b",
      "%E2%80%A8.acl",
      "a%E2%80%A8.acl",
      "e%CC%81",
      "%F0%9F%92%A9".repeat(60),
      "%ED%A0%80",
      "%",
      " ",
      "sparql",
      ".well-known",
      "taken.ttl",
      "x/",
      `${"a".repeat(126)}.acl`,
      `${"a".repeat(124)}.acl.`,
    ]) {
      it(`${JSON.stringify(slug.slice(0, 24))} becomes a document in the folder, and nothing else`, async () => {
        const before = await (await ana.fetch(url("/ana/taken.ttl"))).text();
        for (const link of ["", 'Link: <http://www.w3.org/ns/ldp#BasicContainer>; rel="type"']) {
          const lines = ["Content-Type: text/turtle", `Slug: ${slug}`, ...(link ? [link] : [])];
          const answer = await send("POST", "/ana/", lines, link ? "" : "<> <a:b> <#c> .");
          expect(answer.status, answer.body).to.equal(201);
          const location = answer.headers["location"] ?? "";
          expect(new URL(location).href, "one spelling").to.equal(location);
          expect(location).to.match(
            link ? /^http:\/\/localhost:\d+\/ana\/[^/]+\/$/ : /^http:\/\/localhost:\d+\/ana\/[^/]+$/,
          );
          expect(location).not.to.match(/\.(acl|meta)\/?$|\/sparql\/?$/);
          expect((await ana.fetch(location)).status).to.equal(200);
          expect(await (await ana.fetch(url("/ana/"))).text()).to.include(
            location.replace(/\/$/, "").split("/").pop(),
          );
          expect((await ana.fetch(location, { method: "DELETE" })).status).to.equal(205);
        }
        expect(await (await ana.fetch(url("/ana/taken.ttl"))).text()).to.equal(before);
        stored = await stateOf(server, "ana");
      });
    }
  });

  it("an access list belongs to its subject, whatever signs are in the name", async () => {
    const path = "/ana/a%E2%80%A8b.ttl";
    await put(path, "text/turtle", "<> <a:b> 1 .");
    const list = `<#me> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agentClass> <http://xmlns.com/foaf/0.1/Agent>; <http://www.w3.org/ns/auth/acl#accessTo> <${url(path)}>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read> .`;
    expect((await put(`${path}.acl`, "text/turtle", list)).status).to.equal(201);
    expect((await fetch(url(path))).status).to.equal(200);
    expect(await (await ana.fetch(url("/ana/"))).text()).not.to.include(".acl");
    expect((await ana.fetch(url(`${path}.acl`), { method: "DELETE" })).status).to.equal(205);
    expect((await fetch(url(path))).status).to.equal(401);
    await ana.fetch(url(path), { method: "DELETE" });
    stored = await stateOf(server, "ana");
  });
});
