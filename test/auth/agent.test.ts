/** One table of abuses, each refused and none of them fetching anything: long because the table is. */
import { hash, randomUUID } from "node:crypto";
import { expect } from "chai";
import type { AgentRequest } from "../../server/auth/agent.ts";
import { createReplayMemory } from "../../server/auth/replay.ts";
import { LIMITS } from "../../server/limits.ts";
import { requestToken } from "./browser.ts";
import { type ForeignIssuer, makeIssuer } from "./issuer.ts";
import {
  encode,
  type KeyPair,
  makeKey,
  makeProof,
  makeWorld,
  type ProofParts,
  problemOf,
  signJwt,
  type World,
} from "./support.ts";

const SECRET = "s".repeat(40);
const epoch = (): number => Math.floor(Date.now() / 1_000);

/** A request to Ana's private note; `headers` null leaves the field out. */
function requestOf(
  world: World,
  headers: Record<string, string | null>,
  more: Partial<AgentRequest> = {},
): AgentRequest {
  const given = Object.fromEntries(
    Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== null),
  );
  return { method: "GET", url: `${world.baseUrl}ana/private`, headers: given, ip: "192.0.2.7", ...more };
}

describe("agent: who asks", () => {
  let world: World;
  let other: ForeignIssuer;
  let key: KeyPair;
  let token: string;

  before(async () => {
    other = await makeIssuer();
    world = await makeWorld({ egressAllow: [other.origin] });
    world.accounts.credentials.set("program", {
      secretHash: hash("sha256", SECRET, "buffer"),
      webid: world.ana,
    });
    key = makeKey();
    const { body } = await requestToken(
      world.baseUrl,
      key,
      { clientId: "program", redirectUri: "", secret: SECRET },
      { grant_type: "client_credentials" },
    );
    token = body["access_token"] ?? "";
  });
  after(async () => {
    await world.close();
    await other.close();
  });

  const url = (): string => `${world.baseUrl}ana/private`;
  const proofOf = (parts: ProofParts = {}, by = key): string => makeProof(by, "GET", url(), parts);

  it("without a token it is the public, from some origin", async () => {
    expect(await world.verify(requestOf(world, { origin: "https://app.example" }))).to.deep.equal({
      webid: null,
      client: null,
      issuer: null,
      origin: "https://app.example",
    });
    expect(await world.verify(requestOf(world, { dpop: proofOf() }))).to.include({
      webid: null,
      origin: null,
    });
  });

  it("our own token is verified without fetching anything", async () => {
    const agent = await world.verify(
      requestOf(world, { authorization: `DPoP ${token}`, dpop: proofOf(), origin: "https://app.example" }),
    );
    expect(agent).to.deep.equal({
      webid: world.ana,
      client: "program",
      issuer: world.baseUrl,
      origin: "https://app.example",
    });
    expect(world.fetched).to.deep.equal([]);
  });

  for (const [what, htu] of [
    ["a query and a fragment", (base: string) => `${base}ana/private?x#y`],
    ["the default spelling of escapes", (base: string) => `${base}ana/%70rivate`],
    ["an upper-case host", (base: string) => base.replace("localhost", "LOCALHOST") + "ana/private"],
    ["dot segments", (base: string) => `${base}ana/x/../private`],
  ] as const) {
    it(`htu with ${what} names the same resource`, async () => {
      const dpop = proofOf({ claims: { htu: htu(world.baseUrl) } });
      expect(await world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop }))).to.include({
        webid: world.ana,
      });
    });
  }
  it("escapes in the address may be spelled either way", async () => {
    const request = requestOf(
      world,
      {
        authorization: `DPoP ${token}`,
        dpop: proofOf({ claims: { htu: `${world.baseUrl}ana/a%2cb%c3%a9 (1).ttl` } }),
      },
      { url: `${world.baseUrl}ana/a,b%C3%A9%20(1).ttl` },
    );
    expect(await world.verify(request)).to.include({ webid: world.ana });
  });
  it("ath, when given, is right", async () => {
    const dpop = proofOf({ claims: { ath: hash("sha256", token, "base64url") } });
    expect(await world.verify(requestOf(world, { authorization: `dpop ${token}`, dpop }))).to.include({
      webid: world.ana,
    });
  });
  for (const alg of ["RS256", "EdDSA", "ES384", "ES512", "PS256"]) {
    it(`takes proofs signed with ${alg}`, async () => {
      const mine = makeKey(alg);
      const { body } = await requestToken(
        world.baseUrl,
        mine,
        { clientId: "program", redirectUri: "", secret: SECRET },
        { grant_type: "client_credentials" },
      );
      expect(
        await world.verify(
          requestOf(world, { authorization: `DPoP ${body["access_token"]}`, dpop: proofOf({}, mine) }),
        ),
      ).to.include({ webid: world.ana });
    });
  }

  it("another issuer's token counts when the WebID names that issuer; its documents are fetched once", async () => {
    const ask = () =>
      world.verify(
        requestOf(world, {
          authorization: `DPoP ${other.token(key.thumbprint, { jti: randomUUID() })}`,
          dpop: proofOf(),
        }),
      );
    expect(await ask()).to.deep.equal({
      webid: other.webid,
      client: "https://app.example/id",
      issuer: other.issuer,
      origin: null,
    });
    await Promise.all([ask(), ask(), ask()]);
    expect(other.hits).to.deep.equal(["/.well-known/openid-configuration", "/jwks", "/kim"]);
  });
  it("untyped access tokens of other issuers count too", async () => {
    for (const typ of [undefined, "JWT"]) {
      const theirs = other.token(key.thumbprint, {}, { typ });
      expect(
        await world.verify(requestOf(world, { authorization: `DPoP ${theirs}`, dpop: proofOf() })),
      ).to.include({ webid: other.webid });
    }
  });

  describe("refuses, and fetches nothing", () => {
    type Attempt = () => Record<string, string | null>;
    const withProof =
      (parts: () => ProofParts, by?: () => KeyPair): Attempt =>
      () => ({ authorization: `DPoP ${token}`, dpop: proofOf(parts(), by?.()) });
    const withRaw =
      (dpop: () => string | null): Attempt =>
      () => ({ authorization: `DPoP ${token}`, dpop: dpop() });
    const withToken =
      (make: () => string, scheme = "DPoP"): Attempt =>
      () => ({ authorization: `${scheme} ${make()}`, dpop: proofOf() });
    const edit = (jwt: string, part: 0 | 1, change: Record<string, unknown>): string => {
      const parts = jwt.split(".");
      parts[part] = encode({
        ...JSON.parse(Buffer.from(parts[part] ?? "", "base64url").toString()),
        ...change,
      });
      return parts.join(".");
    };
    const stranger = makeKey();
    const theirs = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string =>
      other.token(key.thumbprint, claims, header);
    const { d: privatePart } = stranger.privateKey.export({ format: "jwk" }) as { d: string };
    const rsa = makeKey("RS256");

    const cases: [string, Attempt][] = [
      ["no proof", withRaw(() => null)],
      ["an empty proof", withRaw(() => "")],
      ["two proofs", withRaw(() => `${proofOf()}, ${proofOf()}`)],
      ["a proof that is no JWT", withRaw(() => "abc")],
      ["a proof of two parts", withRaw(() => proofOf().split(".").slice(0, 2).join("."))],
      ["a proof of four parts", withRaw(() => `${proofOf()}.x`)],
      [
        "a proof whose payload is a list",
        withRaw(() => signJwt({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk }, [1], key)),
      ],
      [
        "a proof that is too long",
        withProof(() => ({ claims: { filler: "x".repeat(LIMITS.dpopBytesMax) } })),
      ],
      ["a proof a minute too old", withProof(() => ({ claims: { iat: epoch() - 62 } }))],
      ["a proof from the future", withProof(() => ({ claims: { iat: epoch() + 8 } }))],
      ["a proof without iat", withProof(() => ({ claims: { iat: undefined } }))],
      ["a proof whose iat is text", withProof(() => ({ claims: { iat: String(epoch()) } }))],
      ["a proof whose iat is null", withProof(() => ({ claims: { iat: null } }))],
      ["a proof that has expired", withProof(() => ({ claims: { exp: epoch() - 1 } }))],
      ["another method", withProof(() => ({ claims: { htm: "PUT" } }))],
      ["the method in lower case", withProof(() => ({ claims: { htm: "get" } }))],
      ["no method", withProof(() => ({ claims: { htm: undefined } }))],
      ["another resource", withProof(() => ({ claims: { htu: `${world.baseUrl}ana/other` } }))],
      ["a longer address", withProof(() => ({ claims: { htu: `${url()}/` } }))],
      ["another case of the path", withProof(() => ({ claims: { htu: `${world.baseUrl}ANA/private` } }))],
      ["another server", withProof(() => ({ claims: { htu: url().replace("localhost", "evil.example") } }))],
      ["another scheme", withProof(() => ({ claims: { htu: url().replace("http:", "https:") } }))],
      ["another port", withProof(() => ({ claims: { htu: url().replace(/:\d+\//, ":1/") } }))],
      ["an address with credentials", withProof(() => ({ claims: { htu: url().replace("//", "//ana@") } }))],
      [
        "an encoded slash for a slash",
        withProof(() => ({ claims: { htu: `${world.baseUrl}ana%2Fprivate` } })),
      ],
      ["a relative address", withProof(() => ({ claims: { htu: "/ana/private" } }))],
      ["no address", withProof(() => ({ claims: { htu: undefined } }))],
      ["no jti", withProof(() => ({ claims: { jti: undefined } }))],
      ["an empty jti", withProof(() => ({ claims: { jti: "" } }))],
      ["a number as jti", withProof(() => ({ claims: { jti: 7 } }))],
      ["a huge jti", withProof(() => ({ claims: { jti: "j".repeat(257) } }))],
      ["a wrong ath", withProof(() => ({ claims: { ath: hash("sha256", "other", "base64url") } }))],
      ["an ath that is null", withProof(() => ({ claims: { ath: null } }))],
      ["no typ", withProof(() => ({ header: { typ: undefined } }))],
      ["typ JWT", withProof(() => ({ header: { typ: "JWT" } }))],
      ["typ at+jwt", withProof(() => ({ header: { typ: "at+jwt" } }))],
      [
        "alg none",
        withRaw(
          () => `${encode({ typ: "dpop+jwt", alg: "none", jwk: key.jwk })}.${proofOf().split(".")[1]}.`,
        ),
      ],
      ["alg none with a signature", withProof(() => ({ header: { alg: "none" } }))],
      ["a symmetric alg", withProof(() => ({ header: { alg: "HS256" } }))],
      ["a symmetric key", withProof(() => ({ header: { alg: "HS256", jwk: { kty: "oct", k: "AAAA" } } }))],
      ["an unknown alg", withProof(() => ({ header: { alg: "ES256K" } }))],
      ["alg by inheritance", withProof(() => ({ header: { alg: "constructor" } }))],
      ["an alg of another key type", withProof(() => ({ header: { alg: "RS256" } }))],
      ["an alg of another curve", withProof(() => ({ header: { alg: "ES384" } }))],
      ["no key", withProof(() => ({ header: { jwk: undefined } }))],
      [
        "a key's address instead of a key",
        withProof(() => ({ header: { jwk: undefined, jku: `${other.origin}/jwks` } })),
      ],
      [
        "a private key",
        withProof(
          () => ({ header: { jwk: { ...stranger.jwk, d: privatePart } } }),
          () => stranger,
        ),
      ],
      ["another person's public key", withProof(() => ({ header: { jwk: stranger.jwk } }))],
      [
        "a point that is on no curve",
        withProof(() => ({ header: { jwk: { ...key.jwk, y: key.jwk["x"] } } })),
      ],
      [
        "a small RSA key",
        withProof(() => ({
          header: { alg: "RS256", jwk: { kty: "RSA", n: encode("n".repeat(128)), e: "AQAB" } },
        })),
      ],
      [
        "a huge RSA exponent",
        withProof(
          () => ({ header: { jwk: { ...rsa.jwk, e: rsa.jwk["n"] } } }),
          () => rsa,
        ),
      ],
      ["a critical extension", withProof(() => ({ header: { crit: ["b64"], b64: false } }))],
      ["a changed payload", withRaw(() => edit(proofOf(), 1, { jti: "changed" }))],
      ["a short signature", withRaw(() => proofOf().slice(0, -8))],
      [
        "a signature of zeros",
        withRaw(() => `${proofOf().split(".").slice(0, 2).join(".")}.${encode("\0".repeat(64))}`),
      ],
      [
        "a thief's own key",
        withProof(
          () => ({}),
          () => stranger,
        ),
      ],
      ["a bound token sent as Bearer", () => ({ authorization: `Bearer ${token}`, dpop: null })],
      ["a bound token sent as Bearer with a proof", withToken(() => token, "Bearer")],
      ["Basic", () => ({ authorization: "Basic YTpi", dpop: null })],
      ["a scheme alone", () => ({ authorization: "DPoP", dpop: proofOf() })],
      ["two tokens", withToken(() => `${token} ${token}`)],
      ["an opaque token", withToken(() => "abcdef")],
      ["a huge token", withToken(() => `${token.slice(0, -10)}${"x".repeat(LIMITS.tokenBytesMax)}`)],
      [
        "a huge token in a huge proof",
        () => ({ authorization: `DPoP ${"a".repeat(60_000)}`, dpop: "b".repeat(60_000) }),
      ],
      ["an expired token", withToken(() => theirs({ exp: epoch() - 1 }))],
      ["a token without end", withToken(() => theirs({ exp: undefined }))],
      ["a token whose end is text", withToken(() => theirs({ exp: "9999999999" }))],
      ["a token from the future", withToken(() => theirs({ iat: epoch() + 3_600 }))],
      ["a token without iat", withToken(() => theirs({ iat: undefined }))],
      ["a token that is not valid yet", withToken(() => theirs({ nbf: epoch() + 3_600 }))],
      ["a token for somebody else", withToken(() => theirs({ aud: "https://shop.example" }))],
      ["a token without audience", withToken(() => theirs({ aud: undefined }))],
      ["an audience that only begins so", withToken(() => theirs({ aud: ["solid.example"] }))],
      ["a token without WebID", withToken(() => theirs({ webid: undefined }))],
      ["a WebID that is no address", withToken(() => theirs({ webid: "kim" }))],
      ["a WebID in a list", withToken(() => theirs({ webid: [other.webid] }))],
      ["a WebID with credentials", withToken(() => theirs({ webid: "https://a:b@kim.example/#me" }))],
      ["a file as WebID", withToken(() => theirs({ webid: "file:///etc/passwd" }))],
      ["an unbound token", withToken(() => theirs({ cnf: undefined }))],
      ["a token bound to another key", withToken(() => other.token(stranger.thumbprint))],
      ["a token bound by certificate", withToken(() => theirs({ cnf: { "x5t#S256": "abc" } }))],
      ["a token without issuer", withToken(() => theirs({ iss: undefined }))],
      ["an issuer with a query", withToken(() => theirs({ iss: `${other.issuer}?a` }))],
      ["an issuer that is a file", withToken(() => theirs({ iss: "file:///etc/passwd" }))],
      [
        "an ID token (Solid-OIDC)",
        withToken(() =>
          theirs({ aud: ["https://app.example/id", "solid"], azp: "https://app.example/id" }, { typ: "JWT" }),
        ),
      ],
      ["an ID token (nonce)", withToken(() => theirs({ nonce: "n" }, { typ: undefined }))],
      ["a logout token", withToken(() => theirs({}, { typ: "logout+jwt" }))],
      ["a proof as token", withToken(() => proofOf())],
      [
        "a token with alg none",
        withToken(() => `${encode({ alg: "none", typ: "at+jwt" })}.${token.split(".")[1]}.`),
      ],
      ["our token, changed", withToken(() => edit(token, 1, { webid: other.webid }))],
      ["our token with another alg", withToken(() => edit(token, 0, { alg: "HS256" }))],
      ["our token with alg none and its signature", withToken(() => edit(token, 0, { alg: "none" }))],
      ["our token with another kid", withToken(() => edit(token, 0, { kid: "../../etc/passwd" }))],
      ["our token with a kid that is no text", withToken(() => edit(token, 0, { kid: { a: 1 } }))],
      ["our token with a huge kid", withToken(() => edit(token, 0, { kid: "k".repeat(300) }))],
      [
        "our token with a key of its own",
        withToken(() =>
          signJwt(
            { alg: "ES256", typ: "at+jwt", jwk: stranger.jwk },
            JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()),
            stranger,
          ),
        ),
      ],
      ["our token with a critical extension", withToken(() => edit(token, 0, { crit: ["x"] }))],
      [
        "our name on a token of another key",
        withToken(() => theirs({ iss: world.baseUrl, webid: world.ana })),
      ],
      [
        "our name without typ",
        withToken(() => theirs({ iss: world.baseUrl, webid: world.ana }, { typ: undefined })),
      ],
    ];
    for (const [what, attempt] of cases) {
      it(what, async () => {
        const before = world.fetched.length;
        const problem = await problemOf(world.verify(requestOf(world, attempt())));
        expect(problem.code).to.equal("token-invalid");
        expect(problem.status).to.equal(401);
        expect(problem.headers["www-authenticate"]).to.match(
          /^DPoP realm="http:\/\/localhost:\d+\/", as_uri="http:\/\/localhost:\d+\/", algs="ES256 RS256 [^"]*", error="invalid_(?:token|dpop_proof)", error_description="[^"\\]+"$/,
        );
        expect(problem.headers["link"]).to.equal(
          `<${world.baseUrl}>; rel="http://openid.net/specs/connect/1.0/issuer"`,
        );
        expect(world.fetched.length, "fetches").to.equal(before);
      });
    }

    it("our own ID token", async () => {
      const { body } = await requestToken(
        world.baseUrl,
        key,
        { clientId: "program", redirectUri: "", secret: SECRET },
        { grant_type: "client_credentials" },
      );
      const problem = await problemOf(
        world.verify(requestOf(world, { authorization: `DPoP ${body["id_token"]}`, dpop: proofOf() })),
      );
      expect(problem.detail).to.equal("This is not an access token");
    });
  });

  it("a proof counts once, with whatever token", async () => {
    const dpop = proofOf();
    expect(await world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop }))).to.include({
      webid: world.ana,
    });
    const problem = await problemOf(world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop })));
    expect(problem.headers["www-authenticate"]).to.include("invalid_dpop_proof");
    await problemOf(
      world.verify(requestOf(world, { authorization: `DPoP ${other.token(key.thumbprint)}`, dpop })),
    );
  });

  it("of fifty uses of one proof at once, one counts", async () => {
    const dpop = proofOf();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () =>
        world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop })),
      ),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).to.have.lengthOf(1);
  });

  it("a refused token uses no proof up", async () => {
    const dpop = proofOf();
    await problemOf(
      world.verify(
        requestOf(world, { authorization: `DPoP ${other.token(key.thumbprint, { aud: "x" })}`, dpop }),
      ),
    );
    expect(await world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop }))).to.include({
      webid: world.ana,
    });
  });
});

describe("agent: other issuers", () => {
  const key = makeKey();
  let other: ForeignIssuer;
  let world: World;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    other = await makeIssuer();
    world = await makeWorld({ egressAllow: [other.origin], now: () => new Date(time) });
  });
  afterEach(async () => {
    await world.close();
    await other.close();
  });

  const ask = (token: string) => {
    const dpop = makeProof(key, "GET", `${world.baseUrl}ana/private`, {
      claims: { iat: Math.floor(time / 1_000) },
    });
    return world.verify(requestOf(world, { authorization: `DPoP ${token}`, dpop }));
  };
  const detailOf = async (token: string): Promise<string | undefined> => (await problemOf(ask(token))).detail;
  const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by?: KeyPair) =>
    other.token(
      key.thumbprint,
      { jti: randomUUID(), exp: Math.floor(time / 1_000) + 600, iat: Math.floor(time / 1_000), ...claims },
      header,
      by,
    );

  it("an issuer that the WebID does not name speaks for nobody", async () => {
    other.documents.set("/kim", {
      type: "text/turtle",
      body: `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> <https://login.example/>.`,
    });
    expect(await detailOf(token())).to.equal("The WebID does not name this issuer");
  });
  it("nor one that is named for another person in the same document", async () => {
    other.documents.set("/kim", {
      type: "text/turtle",
      body: `<#you> <http://www.w3.org/ns/solid/terms#oidcIssuer> <${other.issuer}>.`,
    });
    expect(await detailOf(token())).to.equal("The WebID does not name this issuer");
  });
  it("nor one that is named by text instead of by address", async () => {
    other.documents.set("/kim", {
      type: "text/turtle",
      body: `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> "${other.issuer}".`,
    });
    expect(await detailOf(token())).to.equal("The WebID does not name this issuer");
  });
  it("of a WebID that names issuers without end, only the first few count", async () => {
    const names = (count: number): string =>
      Array.from({ length: count }, (_, at) => `<https://login${at}.example/>`).join(", ");
    const say = (list: string): void =>
      void other.documents.set("/kim", {
        type: "text/turtle",
        body: `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> ${list}.`,
      });
    say(`${names(2_000)}, <${other.issuer}>`);
    expect(await detailOf(token())).to.equal("The WebID does not name this issuer");
    time += LIMITS.agentMsKept;
    say(`${names(5)}, <${other.issuer}>`);
    expect((await ask(token())).webid).to.equal(other.webid);
  });

  it("it cannot speak for Ana, whose WebID is ours", async () => {
    expect(await detailOf(token({ webid: world.ana }))).to.equal("The WebID does not name this issuer");
    expect(await detailOf(token({ webid: `${world.baseUrl}nobody/profile/card#me` }))).to.equal(
      "The WebID does not name this issuer",
    );
    expect(other.hits).not.to.include("/kim");
    expect(world.fetched.filter((url) => url.startsWith(world.baseUrl))).to.deep.equal([]);
  });

  const documents: [string, string, { status?: number; type?: string; body: string }, string][] = [
    ["no discovery", "/.well-known/openid-configuration", { status: 404, body: "{}" }, "issuer"],
    [
      "a discovery document that is no JSON",
      "/.well-known/openid-configuration",
      { body: "<html>" },
      "issuer",
    ],
    [
      "a discovery document of somebody else",
      "/.well-known/openid-configuration",
      { body: '{"issuer":"https://login.example/","jwks_uri":"https://login.example/jwks"}' },
      "issuer",
    ],
    [
      "a discovery document without keys",
      "/.well-known/openid-configuration",
      { body: '{"issuer":"x"}' },
      "issuer",
    ],
    [
      "a key set that is too long",
      "/jwks",
      { body: `{"keys":[],"x":"${"x".repeat(LIMITS.egressJwksBytesMax)}"}` },
      "jwks",
    ],
    ["a key set without keys", "/jwks", { body: "{}" }, "jwks"],
    ["a WebID that is not there", "/kim", { status: 404, body: "" }, "webid"],
    ["a WebID that is a page", "/kim", { type: "text/html", body: "<p>" }, "webid"],
    ["a WebID that is no Turtle", "/kim", { type: "text/turtle", body: "<#me> <" }, "webid"],
    [
      "a WebID that is too long",
      "/kim",
      { type: "text/turtle", body: `# ${"x".repeat(LIMITS.egressWebIdBytesMax)}` },
      "webid",
    ],
  ];
  for (const [what, path, document, kind] of documents) {
    it(`${what}: 401, and asked once in a minute`, async () => {
      other.documents.set(path, document);
      for (let n = 0; n < 4; n += 1) expect(await detailOf(token())).to.include(`The ${kind} document`);
      expect(other.hits.filter((hit) => hit === path)).to.have.lengthOf(1);
    });
  }

  it("keys that nobody may know or use are no keys", async () => {
    const { d } = other.key.privateKey.export({ format: "jwk" }) as { d: string };
    for (const change of [{ d }, { use: "enc" }, { alg: "ES384" }, { kid: "k2" }, { kty: "oct" }]) {
      const mine = await makeWorld({ egressAllow: [other.origin] });
      other.documents.set("/jwks", {
        body: JSON.stringify({ keys: [{ ...other.key.jwk, kid: "k1", ...change }] }),
      });
      const dpop = makeProof(key, "GET", `${mine.baseUrl}ana/private`);
      const problem = await problemOf(
        mine.verify(requestOf(mine, { authorization: `DPoP ${token()}`, dpop })),
      );
      expect(problem.detail, JSON.stringify(change)).to.equal("The access token's signature is wrong");
      await mine.close();
    }
  });

  it("an unknown key id is looked up again, but at most every half minute", async () => {
    await ask(token());
    const next = makeKey();
    other.documents.set("/jwks", { body: JSON.stringify({ keys: [{ ...next.jwk, kid: "k2" }] }) });
    const rotated = () => token({}, { kid: "k2" }, next);
    for (let n = 0; n < 5; n += 1) expect(await detailOf(rotated())).to.include("signature");
    const asked = () => other.hits.filter((hit) => hit === "/jwks").length;
    expect(asked()).to.equal(1);
    time += LIMITS.issuerRefetchMsMin;
    expect(await ask(rotated())).to.include({ webid: other.webid });
    for (let n = 0; n < 5; n += 1) await problemOf(ask(token({}, { kid: `invented${n}` })));
    expect(asked()).to.equal(2);
  });

  it("a verified token is believed for five minutes, then its WebID is read again", async () => {
    const same = token();
    await ask(same);
    other.documents.set("/kim", { type: "text/turtle", body: "<#me> a <#Person>." });
    time += LIMITS.agentMsKept - 1_000;
    expect(await ask(same)).to.include({ webid: other.webid });
    time += 2_000;
    expect(await detailOf(same)).to.equal("The WebID does not name this issuer");
  });

  it("a verified token ends when it says", async () => {
    const same = token({ exp: Math.floor(time / 1_000) + 10 });
    await ask(same);
    time += 11_000;
    expect(await detailOf(same)).to.equal("The access token has expired");
  });

  it("a private address is never asked unless the operator allows it", async () => {
    const strict = await makeWorld();
    const dpop = makeProof(key, "GET", `${strict.baseUrl}ana/private`);
    const problem = await problemOf(
      strict.verify(requestOf(strict, { authorization: `DPoP ${token()}`, dpop })),
    );
    expect(problem.code).to.equal("token-invalid");
    expect(other.hits).to.deep.equal([]);
    await strict.close();
  });
});

describe("agent: strict and lenient settings", () => {
  it("ath is required when the operator says so", async () => {
    const other = await makeIssuer();
    const world = await makeWorld({ egressAllow: [other.origin], ath: "required" });
    const key = makeKey();
    const token = other.token(key.thumbprint);
    const ask = (claims: Record<string, unknown>) =>
      world.verify(
        requestOf(world, {
          authorization: `DPoP ${token}`,
          dpop: makeProof(key, "GET", `${world.baseUrl}ana/private`, { claims }),
        }),
      );
    expect((await problemOf(ask({}))).detail).to.equal("The proof is for another access token");
    expect(await ask({ ath: hash("sha256", token, "base64url") })).to.include({ webid: other.webid });
    await world.close();
    await other.close();
  });

  it("with Bearer on, unbound tokens count, and bound ones still need their proof", async () => {
    const other = await makeIssuer();
    const world = await makeWorld({ egressAllow: [other.origin], bearer: true });
    const ask = (token: string) => world.verify(requestOf(world, { authorization: `Bearer ${token}` }));
    expect(await ask(other.token("", { cnf: undefined }))).to.include({ webid: other.webid });
    const problem = await problemOf(ask(other.token("abc")));
    expect(problem.detail).to.equal("The access token is bound to a key and needs a proof");
    expect(problem.headers["www-authenticate"]).to.include(", Bearer realm=");
    await world.close();
    await other.close();
  });
});

describe("replay memory", () => {
  let time = 0;
  const make = (more: Partial<Parameters<typeof createReplayMemory>[0]> = {}) =>
    createReplayMemory({
      retentionMs: 1_000,
      capacity: 10,
      perPayerMax: 4,
      now: () => new Date(time),
      ...more,
    });
  const admit = (memory: ReturnType<typeof make>, jti: string, payer = "ana"): boolean =>
    memory.admit("key", jti, [payer]);

  it("remembers for the whole retention, whenever in a generation the proof came", () => {
    for (let offset = 0; offset < 2_000; offset += 50) {
      time = 0;
      const memory = make();
      time = offset;
      expect(admit(memory, "a")).to.equal(true);
      for (let later = 0; later <= 1_000; later += 50) {
        time = offset + later;
        expect(admit(memory, "a"), `${offset} + ${later}`).to.equal(false);
        expect(memory.has("key", "a")).to.equal(true);
      }
    }
  });
  it("a full memory refuses instead of forgetting", () => {
    time = 0;
    const memory = make();
    for (let n = 0; n < 10; n += 1) expect(admit(memory, `j${n}`, `payer${n % 3}`)).to.equal(true);
    expect(() => admit(memory, "one more", "ben"))
      .to.throw()
      .with.property("code", "too-many-requests");
    expect(admit(memory, "j0")).to.equal(false);
    time = 2_000;
    expect(admit(memory, "one more", "ben")).to.equal(true);
  });
  it("a flood hits the flooder alone", () => {
    time = 0;
    const memory = make();
    for (let n = 0; n < 4; n += 1) admit(memory, `j${n}`);
    expect(() => admit(memory, "j4"))
      .to.throw()
      .with.property("code", "too-many-requests");
    expect(admit(memory, "j4", "ben")).to.equal(true);
  });
  it("the same jti of two keys is two proofs", () => {
    time = 0;
    const memory = make();
    expect(memory.admit("key", "a", ["x"])).to.equal(true);
    expect(memory.admit("other", "a", ["x"])).to.equal(true);
  });
});
