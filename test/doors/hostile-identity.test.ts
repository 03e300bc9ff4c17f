import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Answer, expectProblem, type Login, login, tell } from "./wire.ts";

const CARD = "/ana/profile/card";

describe("Hostile identities", () => {
  let server: TestServer;
  let ana: Person;
  let owner: Login;
  let other: Login;
  let canary: Server;
  /** Whatever this server was made to fetch. */
  const fetched: string[] = [];
  const canaryPort = () => (canary.address() as AddressInfo).port;
  const url = (path: string) => server.baseUrl.slice(0, -1) + path;
  const ask = (method: string, path: string, lines: string, content = "") =>
    tell(
      server.baseUrl,
      `${method} ${path} HTTP/1.1\nHost: x\n${lines}\nContent-Length: ${Buffer.byteLength(content)}`,
      content,
    );

  before(async () => {
    canary = createServer((request, response) => {
      fetched.push(`${request.method} ${request.url}`);
      response.writeHead(200, { "content-type": "text/turtle" });
      response.end("");
    });
    await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
    server = await startServer();
    ana = await server.person("ana");
    owner = await login(server, ana);
    other = await login(server, await server.person("ben"));
  });
  after(async () => {
    canary.close();
    await server.close();
  });
  afterEach(async () => {
    expect(fetched, "nothing is fetched").to.deep.equal([]);
    expect((await fetch(url("/readyz"))).status).to.equal(200);
    const failures = server.log.filter((line) => /"level":"error"|request\.failed/.test(line));
    expect(failures, "nothing failed inside").to.deep.equal([]);
  });

  function expectRefused(answer: Answer): void {
    expectProblem(answer, 401, "token-invalid");
    expect(answer.headers["www-authenticate"]).to.match(/^DPoP .*algs="/);
  }

  describe("with a token that is none: 401, also where everybody may read", () => {
    for (const authorization of [
      "DPoP",
      "DPoP ",
      "DPoP x",
      "DPoP a.b.c",
      "DPoP a.b.c.d.e",
      `DPoP ${"a".repeat(9_000)}`,
      "Bearer abc",
      "Basic YW5hOng=",
      "Negotiate abc",
      "DPoP é",
      "DPoP eyJhbGciOiJub25lIn0.e30.",
      "DPoP DPoP x.y.z",
      "dpop x.y.z, Basic a",
    ]) {
      it(authorization.slice(0, 30), async () => {
        for (const path of [CARD, "/ana/"]) {
          const proof = await owner.key.proof("GET", url(path));
          expectRefused(await ask("GET", path, `Authorization: ${authorization}\nDPoP: ${proof}`));
        }
      });
    }
  });

  describe("with a proof that is none: 401", () => {
    const proofs: readonly (readonly [string, () => Promise<string>])[] = [
      ["none at all", async () => ""],
      ["nonsense", async () => "DPoP: x.y.z"],
      ["one that is too long", async () => `DPoP: ${"a".repeat(5_000)}`],
      ["for another method", async () => `DPoP: ${await owner.key.proof("POST", url("/ana/"))}`],
      ["for another address", async () => `DPoP: ${await owner.key.proof("GET", url(CARD))}`],
      ["for another host", async () => `DPoP: ${await owner.key.proof("GET", "https://evil.example/ana/")}`],
      ["by another's key", async () => `DPoP: ${await other.key.proof("GET", url("/ana/"))}`],
      ["for another token", async () => `DPoP: ${await owner.key.proof("GET", url("/ana/"), { ath: "x" })}`],
      ["without an id", async () => `DPoP: ${await owner.key.proof("GET", url("/ana/"), { jti: 7 })}`],
      ["unsigned", async () => `DPoP: ${new UnsecuredJWT({ htm: "GET", htu: url("/ana/") }).encode()}`],
    ];
    for (const [what, lines] of proofs) {
      it(what, async () => {
        expectRefused(await ask("GET", "/ana/", `Authorization: DPoP ${owner.token}\n${await lines()}`));
      });
    }
  });

  it("a proof works once, also for fifty who use it at the same moment", async () => {
    const lines = await owner.headers("GET", url("/ana/"));
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask("GET", "/ana/", lines)));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectRefused(answer);
    expectRefused(await ask("GET", "/ana/", lines));
  });

  it("a proof that was used to read does not write", async () => {
    const lines = await owner.headers("GET", url("/ana/new.txt"));
    expectProblem(await ask("GET", "/ana/new.txt", lines), 404);
    expectRefused(await ask("PUT", "/ana/new.txt", `${lines}\nContent-Type: text/plain`, "x"));
    expect((await ana.fetch(url("/ana/new.txt"))).status).to.equal(404);
  });

  it("the token of one person is not the proof of another", async () => {
    const proof = await other.key.proof("GET", url("/ana/"));
    expectRefused(await ask("GET", "/ana/", `Authorization: DPoP ${owner.token}\nDPoP: ${proof}`));
  });

  describe("of people and issuers that are said to live where nobody may look", () => {
    const places = (): readonly string[] => {
      const port = canaryPort();
      return [
        `http://127.0.0.1:${port}/`,
        `http://localhost:${port}/`,
        `http://2130706433:${port}/`,
        `http://0x7f.1:${port}/`,
        `http://0177.0.0.1:${port}/`,
        `http://127.1:${port}/`,
        `http://[::1]:${port}/`,
        `http://[::ffff:127.0.0.1]:${port}/`,
        `http://0.0.0.0:${port}/`,
        `https://127.0.0.1:${port}/`,
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:text/turtle,",
        "https://user:secret@127.0.0.1/",
      ];
    };
    const forge = async (issuer: string, webid: string) => {
      const { privateKey, publicKey } = await generateKeyPair("ES256");
      const jwk = await exportJWK(publicKey);
      const jkt = await (await import("jose")).calculateJwkThumbprint(jwk);
      const token = await new SignJWT({ webid, cnf: { jkt }, client_id: "https://evil.example/" })
        .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "k", jku: issuer, x5u: issuer })
        .setIssuer(issuer)
        .setAudience("solid")
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(privateKey);
      const proof = await new SignJWT({ htm: "GET", htu: url("/ana/"), jti: randomUUID() })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .setIssuedAt()
        .sign(privateKey);
      return `Authorization: DPoP ${token}\nDPoP: ${proof}`;
    };

    it("as an issuer: 401, and nobody looks", async () => {
      for (const place of places())
        expectRefused(await ask("GET", "/ana/", await forge(place, `${place}card#me`)));
    });
    it("as a WebID of this server's own issuer: 401", async () => {
      for (const place of places())
        expectRefused(await ask("GET", "/ana/", await forge(server.baseUrl, `${place}card#me`)));
    });
    it("as this server's own people: 401, for the signature is not ours", async () => {
      expectRefused(await ask("GET", "/ana/", await forge(server.baseUrl, ana.webid)));
      const strange = [
        `${server.baseUrl}ana/../ana/profile/card#me`,
        `${server.baseUrl}%00/card#me`,
        server.baseUrl,
        `${server.baseUrl}ana/.acl#me`,
        `${server.baseUrl}nobody/card#me`,
      ];
      for (const webid of strange)
        expectRefused(await ask("GET", "/ana/", await forge("https://127.0.0.1:1/", webid)));
    });
    it("in documents, access lists, queries and shapes: stored or refused, and nobody looks", async () => {
      const at = `http://127.0.0.1:${canaryPort()}/x`;
      const put = (path: string, body: string, type = "text/turtle") =>
        ana.fetch(url(path), { method: "PUT", headers: { "content-type": type }, body });
      await put("/ana/linked/a.ttl", `@prefix x: <${at}#> . <> x:a <${at}> .`);
      expect(
        (await put("/ana/linked/b.jsonld", JSON.stringify({ "@context": at }), "application/ld+json")).status,
      ).to.equal(422);
      await put("/ana/linked/.meta", `<./> <http://www.w3.org/ns/ldp#constrainedBy> <${at}#shape> .`);
      expect((await put("/ana/linked/c.ttl", "<> <a:b> 1 .")).status).to.equal(201);
      const acl = "http://www.w3.org/ns/auth/acl#";
      const list = `<#g> a <${acl}Authorization>; <${acl}agentGroup> <${at}#friends>; <${acl}accessTo> <${url("/ana/linked/a.ttl")}>; <${acl}mode> <${acl}Read> .`;
      await put("/ana/linked/a.ttl.acl", list);
      const lines = await other.headers("GET", url("/ana/linked/a.ttl"));
      expectProblem(await ask("GET", "/ana/linked/a.ttl", lines), 403);
      for (const query of [
        `SELECT * { SERVICE <${at}> { ?s ?p ?o } }`,
        `SELECT * FROM <${at}> { ?s ?p ?o }`,
        `SELECT * { GRAPH <${at}> { ?s ?p ?o } }`,
        `LOAD <${at}>`,
      ])
        await ana.fetch(`${url("/ana/sparql")}?query=${encodeURIComponent(query)}`);
      await ana.fetch(url("/ana/linked/a.ttl"), {
        method: "PATCH",
        headers: { "content-type": "application/sparql-update" },
        body: `LOAD <${at}>`,
      });
    });
    it("as a client that wants to log somebody in: refused", async () => {
      for (const place of places().filter((one) => one.startsWith("http"))) {
        const query = new URLSearchParams({
          client_id: `${place}id`,
          redirect_uri: `${place}back`,
          response_type: "code",
          scope: "openid webid",
          code_challenge: "x".repeat(43),
          code_challenge_method: "S256",
        });
        const answer = await ask("GET", `/.oidc/auth?${query}`, "Accept: */*");
        expect(answer.status).to.be.within(400, 499);
        expect(answer.headers["location"] ?? "").not.to.include("code=");
      }
    });
  });
});
