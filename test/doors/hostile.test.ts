/** Long, for it is one list: messages that no client sends, each against the same server, which must still stand. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import {
  expectNoDrafts,
  expectNothingInside,
  expectProblem,
  expectState,
  type Login,
  login,
  openWire,
  stateOf,
  tell,
} from "./wire.ts";

const CARD = "/ana/profile/card";

describe("Hostile messages", () => {
  let server: TestServer;
  let ana: Person;
  let owner: Login;
  let stored: Awaited<ReturnType<typeof stateOf>>;
  const host = () => new URL(server.baseUrl).host;
  const url = (path: string) => server.baseUrl.slice(0, -1) + path;
  /** A request of the owner, who may do everything, so that nothing is refused for want of access. */
  const own = async (method: string, path: string, more = "", content = "") =>
    tell(
      server.baseUrl,
      `${method} ${path} HTTP/1.1\nHost: ${host()}\n${await owner.headers(method, url(path))}${more && `\n${more}`}`,
      content,
    );
  const ask = (head: string, content = "") => tell(server.baseUrl, head, content);

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "headersMsMax=600,requestMsMax=1500" });
    ana = await server.person("ana");
    owner = await login(server, ana);
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

  describe("that are no HTTP", () => {
    for (const [what, text, status] of [
      ["nonsense", "hello there\r\n\r\n", 405],
      ["an unknown method", "BREW /ana/ HTTP/1.1\r\nHost: x\r\n\r\n", 405],
      ["a TLS handshake", "\u0016\u0003\u0001\u0002\r\n\r\n", 405],
      ["HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
      ["a version of the future", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400],
      ["a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400],
      ["a folded header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n", 400],
      ["a NUL in a header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: a\u0000b\r\n\r\n", 400],
      ["a lone CR", "GET / HTTP/1.1\rHost: x\r\r", 400],
    ] as const) {
      it(`${what}: ${status}, and the connection ends`, async () => {
        const wire = await openWire(server.baseUrl);
        wire.send(Buffer.from(text, "latin1"));
        const answer = await wire.answer();
        expectProblem(answer, status);
        if (status === 405) expect(answer.headers["allow"]).to.include("GET");
        await wire.closed;
      });
    }
  });

  describe("whose end is not where it seems", () => {
    for (const [what, lines, body] of [
      ["length and chunks", "Content-Length: 5\nTransfer-Encoding: chunked", "0\r\n\r\n"],
      ["two lengths", "Content-Length: 5\nContent-Length: 6", "hello!"],
      ["a list of lengths", "Content-Length: 5, 6", "hello!"],
      ["a negative length", "Content-Length: -5", "hello"],
      ["a length with a sign", "Content-Length: +5", "hello"],
      ["a length in hexadecimal", "Content-Length: 0x5", "hello"],
      ["chunks of an unknown size", "Transfer-Encoding: chunked", "zz\r\nhello\r\n0\r\n\r\n"],
      ["chunks of a huge size", "Transfer-Encoding: chunked", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"],
      ["chunks without their end", "Transfer-Encoding: chunked", "5\r\nhelloXX0\r\n\r\n"],
      ["a coding that hides chunks", "Transfer-Encoding: xchunked", "5\r\nhello\r\n0\r\n\r\n"],
      ["chunks twice", "Transfer-Encoding: chunked, chunked", "5\r\nhello\r\n0\r\n\r\n"],
      ["chunks before another coding", "Transfer-Encoding: chunked, gzip", "5\r\nhello\r\n0\r\n\r\n"],
      ["compressed chunks", "Transfer-Encoding: gzip, chunked", "5\r\nhello\r\n0\r\n\r\n"],
      ["chunks in two fields", "Transfer-Encoding: identity\nTransfer-Encoding: chunked", "0\r\n\r\n"],
    ] as const) {
      it(`${what}: refused, and what follows is no second request`, async () => {
        const wire = await openWire(server.baseUrl);
        const head = `PUT /ana/smuggled.txt HTTP/1.1\r\nHost: ${host()}\r\n${await owner.headers("PUT", url("/ana/smuggled.txt"))}\r\nContent-Type: text/plain\r\n${lines}\r\n\r\n`;
        wire.send(head.replace(/\r?\n/g, "\r\n"));
        wire.send(`${body}GET /version HTTP/1.1\r\nHost: x\r\n\r\n`);
        expectProblem(await wire.answer(), 400);
        const second = await wire.answer().then(
          ({ body: text }) => text,
          () => "",
        );
        expect(second).not.to.include('"freehold"');
        wire.end();
      });
    }

    it("pipelined requests are answered in their order", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send(
        `GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /ana/ HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      expect((await wire.answer()).body).to.include("freehold");
      expectProblem(await wire.answer(), 401);
      expect((await wire.answer()).body).to.include("ok");
      wire.end();
    });
  });

  describe("of unusual size", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1`).join("\n");

    it("with a long address: 414, or 431 when it fills the head", async () => {
      expectProblem(await ask(`GET /ana/${"a".repeat(9_000)} HTTP/1.1\nHost: x`), 414, "uri-too-long");
      expectProblem(await ask(`GET /ana/?${"a".repeat(9_000)} HTTP/1.1\nHost: x`), 414);
      expectProblem(await ask(`GET /healthz?${"a".repeat(9_000)} HTTP/1.1\nHost: x`), 414);
      expectProblem(await ask(`GET /ana/${"a".repeat(20_000)} HTTP/1.1\nHost: x`), 431);
    });
    it("with a long header: 431", async () => {
      expectProblem(await ask(`GET ${CARD} HTTP/1.1\nHost: x\nX-A: ${"a".repeat(20_000)}`), 431);
    });
    it("with too many headers: 431, so that none is left out in silence", async () => {
      expectProblem(await ask(`GET ${CARD} HTTP/1.1\nHost: x\n${many(150)}`), 431, "headers-too-large");
      const late = `${many(100)}\nIf-None-Match: *\nContent-Type: text/plain\nContent-Length: 2`;
      expectProblem(await own("PUT", "/ana/late.txt", late, "hi"), 431);
      expect((await ask(`GET ${CARD} HTTP/1.1\nHost: x\n${many(99)}`)).status).to.equal(200);
    });
    it("with long chunk extensions: refused", async () => {
      const content = `1;${"a".repeat(40_000)}\r\nx\r\n0\r\n\r\n`;
      const more = "Content-Type: text/plain\nTransfer-Encoding: chunked";
      expectProblem(await own("PUT", "/ana/extended.txt", more, content), 413);
    });
  });

  describe("with headers twice", () => {
    for (const [what, lines, status] of [
      ["two hosts", "Host: evil.example", 400],
      ["two tokens", "Authorization: DPoP AAAA.BBBB.CCCC", 400],
      ["two schemes", "Authorization: Basic YTpi", 400],
    ] as const) {
      it(`${what}: ${status}`, async () => {
        const answer = await own("GET", CARD, lines);
        expectProblem(answer, status);
      });
    }
    it("two proofs: 401", async () => {
      const proof = await owner.key.proof("GET", url(CARD));
      const answer = await own("GET", CARD, `DPoP: ${proof}`);
      expectProblem(answer, 401, "token-invalid");
      expect(answer.headers["www-authenticate"]).to.include("invalid_dpop_proof");
    });
    it("two content types: refused", async () => {
      const more = "Content-Type: text/turtle\nContent-Type: text/html\nContent-Length: 2";
      expectProblem(await own("PUT", "/ana/two.ttl", more, "hi"), 415);
    });
  });

  describe("that say who is addressed", () => {
    it("without Host: 400; with any other: the address is the server's own all the same", async () => {
      expectProblem(await ask(`GET ${CARD} HTTP/1.1\nX-A: 1`), 400);
      const answer = await ask(`GET ${CARD} HTTP/1.1\nHost: evil.example\nX-Forwarded-Host: evil.example`);
      expect(answer.status).to.equal(200);
      expect(JSON.stringify(answer)).not.to.include("evil.example");
      const discovery = await ask("GET /.well-known/openid-configuration HTTP/1.1\nHost: evil.example");
      expect(discovery.body).to.include(server.baseUrl).and.not.include("evil.example");
      const account = await ask("GET /.account/state HTTP/1.1\nHost: evil.example");
      expect(account.body).not.to.include("evil.example");
    });
    it("in absolute form: the path counts, and no other origin", async () => {
      const answer = await ask(`GET http://evil.example:99${CARD} HTTP/1.1\nHost: x`);
      expect(answer.status).to.equal(200);
      expect(JSON.stringify(answer)).not.to.include("evil.example");
      expectProblem(await ask("GET http://evil.example/ana/notes HTTP/1.1\nHost: x"), 401);
      expect((await ask("GET http://evil.example/version HTTP/1.1\nHost: x")).body).to.include("freehold");
      expect((await ask("GET http://evil.example HTTP/1.1\nHost: x")).headers["content-type"]).to.match(
        /html/,
      );
    });
    for (const target of [
      "//evil.example/ana/",
      "ftp://evil.example/ana/",
      "/ana/#me",
      "/ana/b%C3",
      "/ana/é",
    ]) {
      it(`as ${target}: 400`, async () => {
        expectProblem(await own("GET", target), 400);
      });
    }
    it("as *: only OPTIONS", async () => {
      const answer = await ask("OPTIONS * HTTP/1.1\nHost: x");
      expect(answer.status).to.equal(204);
      expect(answer.headers["allow"]).to.include("PATCH");
      expect((await ask("GET * HTTP/1.1\nHost: x")).status).to.equal(400);
    });
  });

  describe("with a path that could mean two things", () => {
    for (const path of [
      "/ana/../ben/",
      "/ana/./x",
      "/ana/%2e%2e/x",
      "/ana/%2E./x",
      "/ana/..%2fx",
      "/ana/a%2Fb",
      "/ana/a%5cb",
      "/ana/a\\b",
      "/ana/a%00b",
      "/ana/a%0ab",
      "/ana/%c0%ae%c0%ae/x",
      "/ana/%c0%afx",
      "/ana/%ed%a0%80",
      "/ana/e%CC%81",
      "/ana/x.",
      "/ana/x./y",
      "/ana//x",
      "/ana/x%",
      "/ana/%u002e/x",
      "/ana/x.acl/",
      "/ana/x.meta.acl",
      `/ana/${"a".repeat(256)}`,
      `/ana/${"a/".repeat(40)}`,
    ]) {
      it(`${path.slice(0, 40)}: refused for reading and writing`, async () => {
        expectProblem(await own("GET", path), 400, "path-invalid");
        expectProblem(await own("PUT", path, "Content-Type: text/plain\nContent-Length: 2", "hi"), 400);
      });
    }
    for (const path of [
      "/ana/sparql",
      "/ana/.well-known/solid",
      "/ana/sparql/x",
      "/ana/.well-known/x.ttl",
      "/ana/.journal/1",
      "/ana/.journal/x/",
      "/ana/%2Ejournal/1",
    ]) {
      it(`${path} is the server's own: nothing is stored there`, async () => {
        for (const method of ["PUT", "PATCH", "DELETE"]) {
          const answer = await own(method, path, "Content-Type: text/turtle\nContent-Length: 0");
          expectProblem(answer, 405);
          expect(answer.headers["allow"]).not.to.match(/PUT|PATCH|DELETE/);
        }
      });
    }
    it("a door's name in other letters is no door", async () => {
      for (const path of ["/HEALTHZ", "/healthz/", "/.ACCOUNT/state", "/V1/help"])
        expectProblem(await ask(`GET ${path} HTTP/1.1\nHost: x`), 404);
      for (const path of ["/ana/SPARQL", "/ana/sparql/", "/ana/.well-known/SOLID"])
        expectProblem(await ask(`GET ${path} HTTP/1.1\nHost: x`), 401);
    });
  });

  describe("with methods that no resource has", () => {
    for (const method of ["TRACE", "PROPFIND", "MKCOL", "LOCK", "QUERY", "COPY", "REPORT"]) {
      it(`${method}: 405 with Allow everywhere`, async () => {
        for (const path of ["/ana/", CARD, "/", "/healthz", "/nobody/x", "/.account/state", "/v1/ops"]) {
          const answer = await ask(`${method} ${path} HTTP/1.1\nHost: x\nCookie: secret=1`);
          expectProblem(answer, 405, "method-not-allowed");
          expect(answer.headers["allow"]).to.match(/GET|POST/);
          expect(answer.body).not.to.include("secret=1");
        }
      });
    }
    it("a header that names another method changes nothing", async () => {
      const answer = await own("GET", CARD, "X-HTTP-Method-Override: DELETE\nX-Method-Override: DELETE");
      expect(answer.status).to.equal(200);
    });
    it("CONNECT is not answered with a tunnel", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n");
      const answer = await wire.answer("CONNECT");
      expectProblem(answer, 405, "method-not-allowed");
      expect(answer.headers["allow"]).to.include("PATCH");
      await wire.closed;
    });
    it("Upgrade is ignored", async () => {
      const answer = await ask(`GET ${CARD} HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket`);
      expect(answer.status).to.equal(200);
    });
  });

  describe("with Expect", () => {
    const put = async (lines: string) =>
      `PUT /ana/expected.txt HTTP/1.1\r\nHost: ${host()}\r\n${(await owner.headers("PUT", url("/ana/expected.txt"))).replace("\n", "\r\n")}\r\nContent-Type: text/plain\r\n${lines}\r\n\r\n`;

    it("of something unknown: 417", async () => {
      expectProblem(await ask(`GET ${CARD} HTTP/1.1\nHost: x\nExpect: a-miracle`), 417);
    });
    it("of leave to send: none for strangers, and the connection ends", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send(
        "PUT /ana/x.txt HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
      );
      const answer = await wire.answer();
      expectProblem(answer, 401);
      expect(answer.headers["connection"]).to.equal("close");
      await wire.closed;
    });
    it("of leave to send too much: 413 before a byte has come", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send(await put("Content-Length: 999999999\r\nExpect: 100-continue"));
      expectProblem(await wire.answer(), 413);
      await wire.closed;
    });
  });

  describe("that come slowly, or stop", () => {
    it("a head that does not end is cut off with 408", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      expectProblem(await wire.answer(), 408, "request-timeout");
      await wire.closed;
    });
    it("content that does not end is cut off with 408, and what came is dropped", async () => {
      const wire = await openWire(server.baseUrl);
      wire.send(
        `PUT /ana/slow.bin HTTP/1.1\r\nHost: ${host()}\r\n${(await owner.headers("PUT", url("/ana/slow.bin"))).replace("\n", "\r\n")}\r\nContent-Type: application/octet-stream\r\nContent-Length: 900000\r\n\r\n`,
      );
      wire.send(new Uint8Array(400_000));
      expectProblem(await wire.answer(), 408, "request-timeout");
      await wire.closed;
    });
    it("a client that hangs up in the middle leaves nothing behind", async () => {
      for (const lines of ["Content-Length: 900000", "Transfer-Encoding: chunked"]) {
        const wire = await openWire(server.baseUrl);
        wire.send(
          `PUT /ana/gone.bin HTTP/1.1\r\nHost: ${host()}\r\n${(await owner.headers("PUT", url("/ana/gone.bin"))).replace("\n", "\r\n")}\r\nContent-Type: application/octet-stream\r\n${lines}\r\n\r\n`,
        );
        wire.send(lines.startsWith("T") ? `61a80\r\n${"x".repeat(400_000)}\r\n` : new Uint8Array(400_000));
        await new Promise((resolve) => setTimeout(resolve, 100));
        wire.end();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect((await ana.fetch(url("/ana/gone.bin"))).status).to.equal(404);
    });
    it("many idle connections do not keep others out", async () => {
      const wires = await Promise.all(Array.from({ length: 200 }, () => openWire(server.baseUrl)));
      for (const wire of wires) wire.send("GET / HTTP/1.1\r\nHost: x\r\n");
      expect((await fetch(url(CARD))).status).to.equal(200);
      for (const wire of wires) wire.end();
    });
  });

  it("a connection goes on after a refusal, also of small content that nobody read", async () => {
    const wire = await openWire(server.baseUrl);
    for (const path of ["/ana/x.txt", "/ana/a//b", "/nobody/x", "/healthz"]) {
      wire.send(
        `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`,
      );
      expect((await wire.answer()).status).to.be.within(400, 405);
    }
    for (const path of ["/ana/", "/ana/a//b", "/nobody/"]) {
      wire.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await wire.answer()).status).to.be.within(400, 404);
    }
    wire.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await wire.answer()).status).to.equal(200);
    wire.end();
  });

  describe("with conditions and ranges that make no sense", () => {
    const conditions = [
      "If-Match: nonsense",
      'If-Match: W/"1"',
      'If-Match: "a", "b", "c"',
      "If-Match:",
      `If-Match: ${'"x",'.repeat(2_000)}`,
    ];
    for (const condition of conditions) {
      it(`${condition.slice(0, 30)}: 412 for every method`, async () => {
        for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
          const type = method === "PATCH" ? "application/sparql-update" : "text/turtle";
          const content = method === "PATCH" ? "INSERT DATA { <a:b> <a:b> <a:b> }" : "";
          const more = `${condition}\nContent-Type: ${type}\nContent-Length: ${content.length}`;
          expectProblem(await own(method, "/ana/profile/", more, content), 412);
        }
      });
    }
    for (const [range, status] of [
      ["bytes=0-0", 206],
      ["bytes=-1", 206],
      ["bytes=0-999999999999999", 206],
      ["bytes=999999-", 416],
      ["bytes=-0", 416],
      ["bytes=5-2", 416],
      ["bytes=0-1,2-3,4-5", 200],
      [`bytes=${"0-0,".repeat(1_000)}0-0`, 200],
      ["bytes=a-b", 200],
      ["bytes=-", 200],
      ["lines=1-2", 200],
      ["bytes=99999999999999999999-", 200],
    ] as const) {
      it(`Range: ${range.slice(0, 30)} is answered with ${status}`, async () => {
        const answer = await ask(`GET ${CARD} HTTP/1.1\nHost: x\nRange: ${range}`);
        expect(answer.status).to.equal(status);
        if (status === 416) {
          expectProblem(answer, 416);
          expect(answer.headers["content-range"]).to.match(/^bytes \*\/\d+$/);
        }
      });
    }
    it("dates that are none are left out of account", async () => {
      for (const name of ["If-Modified-Since", "If-Unmodified-Since"])
        expect((await ask(`GET ${CARD} HTTP/1.1\nHost: x\n${name}: yesterday`)).status).to.equal(200);
    });
  });

  describe("that bring a browser's belongings", () => {
    it("cookies open nothing in a pod", async () => {
      const response = await fetch(url("/.account/login"), {
        method: "POST",
        headers: { "content-type": "application/json", origin: new URL(server.baseUrl).origin },
        body: JSON.stringify({ pod: "ana", password: "a long password of ana" }),
      });
      const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
      expect(cookie).to.match(/.+=.+/);
      for (const [method, path] of [
        ["GET", "/ana/"],
        ["GET", "/ana/.acl"],
        ["DELETE", CARD],
        ["GET", "/ana/settings/"],
      ])
        expectProblem(await ask(`${method} ${path} HTTP/1.1\nHost: x\nCookie: ${cookie}`), 401);
    });
    it("no answer of a pod sets one, and no account door answers another origin", async () => {
      expect((await ask(`GET ${CARD} HTTP/1.1\nHost: x`)).headers).not.to.have.property("set-cookie");
      for (const path of ["/.account/state", "/.account/overview", "/.oidc/session-token"]) {
        const preflight = await ask(
          `OPTIONS ${path} HTTP/1.1\nHost: x\nOrigin: https://evil.example\nAccess-Control-Request-Method: POST`,
        );
        expect(preflight.status).to.equal(204);
        const answer = await ask(`GET ${path} HTTP/1.1\nHost: x\nOrigin: https://evil.example`);
        for (const { headers } of [preflight, answer])
          expect(headers).not.to.have.any.keys(
            "access-control-allow-origin",
            "access-control-allow-credentials",
          );
      }
    });
  });

  it("a request id that is no id is not repeated", async () => {
    for (const id of ["<script>", "a".repeat(100), "a b", 'x","level":"error'])
      expect(
        (await ask(`GET /healthz HTTP/1.1\nHost: x\nX-Request-Id: ${id}`)).headers["x-request-id"],
      ).not.to.equal(id);
    expectNothingInside(await ask("GET /nowhere HTTP/1.1\nHost: x"));
  });
});
