/** Everything that can be wrong with a token, a proof or a login, one row each: long, for it is one table of attacks on one server. */
import { createHmac, hash, randomUUID } from "node:crypto";
import { request } from "node:http";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type LetIn, letIn, REDIRECT, sender, signIn } from "./app.ts";
import {
  type App,
  authorizationUrl,
  type Browser,
  claimsOf,
  consent,
  headerOf,
  login,
  makeVerifier,
  register,
  requestToken,
} from "./browser.ts";
import { type ForeignIssuer, makeIssuer } from "./issuer.ts";
import { encode, type KeyPair, makeKey, makeProof, signJwt } from "./support.ts";

type Json = Record<string, unknown>;
/** Which of the two a 401 complains of. */
type Blame = "invalid_dpop_proof" | "invalid_token";

const PROOF: Blame = "invalid_dpop_proof";
const TOKEN: Blame = "invalid_token";
const TURTLE = "<#a> <#b> 1.";

describe("token abuse: nothing of it opens anything", () => {
  let server: TestServer;
  let base: string;
  let ana: Person;
  let kim: ForeignIssuer;
  let evil: ForeignIssuer;
  let app: LetIn;
  let other: LetIn;
  let browser: Browser;
  let key: KeyPair;
  let rsa: KeyPair;
  let stranger: KeyPair;
  let token: string;
  let count = 0;

  const now = (): number => Math.floor(Date.now() / 1_000);
  const place = (): string => `/ana/abuse-${count}.ttl`;
  const url = (): string => base.slice(0, -1) + place();

  before(async () => {
    [kim, evil] = [await makeIssuer(), await makeIssuer()];
    server = await startServer({
      FREEHOLD_EGRESS_ALLOW: `${kim.origin},${evil.origin}`,
      FREEHOLD_LIMITS: "registrationsPerIpMax=10000,authorizationsPerIpMax=10000,egressFetchesPerIpMax=10000",
    });
    base = server.baseUrl;
    ana = await server.person("Ana");
    await server.person("Ben");
    browser = await signIn(server, "Ana");
    app = await letIn(server, browser);
    other = await letIn(server, browser);
    ({ key } = app);
    [rsa, stranger] = [makeKey("RS256"), makeKey()];
    token = app.tokens["access_token"] ?? "";
    // Kim, who logs in elsewhere, may write here: what is refused is refused for the token alone.
    const acl = await (await ana.fetch(`${ana.pod}.acl`)).text();
    const rule = `${acl}\n<#kim> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${kim.webid}>; <http://www.w3.org/ns/auth/acl#accessTo> <${ana.pod}>; <http://www.w3.org/ns/auth/acl#default> <${ana.pod}>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>, <http://www.w3.org/ns/auth/acl#Write>.`;
    const put = await ana.fetch(`${ana.pod}.acl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: rule,
    });
    expect(put.status, await put.text()).to.be.oneOf([200, 204, 205]);
  });
  after(async () => {
    await server.close();
    await kim.close();
    await evil.close();
  });
  beforeEach(() => {
    count += 1;
  });

  interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: string;
  }

  /** Sends exactly these fields, doubled ones included. */
  function send(
    method: string,
    path: string,
    fields: readonly (readonly [string, string])[],
    body = TURTLE,
  ): Promise<Answer> {
    const { hostname, port } = new URL(base);
    const named = fields.some(([name]) => name.toLowerCase() === "host");
    const headers = [
      ...(named ? [] : ["Host", new URL(base).host]),
      ...fields.flat(),
      ...(method === "GET"
        ? []
        : ["Content-Type", "text/turtle", "Content-Length", String(Buffer.byteLength(body))]),
    ];
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, method, path, headers, setHost: false }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      });
      sent.on("error", reject);
      sent.end(method === "GET" ? undefined : body);
    });
  }

  const codeOf = ({ body }: Answer): string =>
    (JSON.parse(body) as { type: string }).type.split("#")[1] ?? "";

  /** The document that the request would have made is not there, and no document of anybody was fetched for it. */
  async function nothingDone(hits: number): Promise<void> {
    expect((await ana.fetch(url(), { method: "HEAD" })).status, "nothing was written").to.equal(404);
    expect(evil.hits.length, "nothing was fetched from where the attacker said").to.equal(hits);
  }

  /** PUT with these fields, and exactly this refusal. */
  async function refused(
    fields: readonly (readonly [string, string])[],
    expected: Blame | readonly [number, string],
    method = "PUT",
  ): Promise<void> {
    const hits = evil.hits.length;
    const answer = await send(method, place(), fields);
    const [status, code] = typeof expected === "string" ? [401, "token-invalid"] : expected;
    expect([answer.status, codeOf(answer)], answer.body).to.deep.equal([status, code]);
    expect(answer.headers["content-type"]).to.match(/^application\/problem\+json/);
    if (status === 401) {
      const challenge = String(answer.headers["www-authenticate"]);
      expect(challenge).to.match(
        /^(?:UMA as_uri="[^"]+", ticket="[^"]+", )?DPoP realm="[^"]+", as_uri="[^"]+", algs="[^"]+"/,
      );
      if (typeof expected === "string") expect(challenge).to.include(`error="${expected}"`);
    }
    expect(answer.body, "the token is not told back").to.not.include(token.slice(-20));
    await nothingDone(hits);
  }

  const good = (claims: Json = {}, header: Json = {}, by = key, method = "PUT"): string =>
    makeProof(by, method, url(), { claims: { ath: hash("sha256", token, "base64url"), ...claims }, header });
  const fieldsOf = (proof: string, access = token): [string, string][] => [
    ["Authorization", `DPoP ${access}`],
    ["DPoP", proof],
  ];

  it("(the good ones do open: of this server's person, and of one who logs in elsewhere)", async () => {
    expect((await send("PUT", place(), fieldsOf(good()))).status).to.equal(201);
    count += 1;
    const kims = kim.token(key.thumbprint);
    expect((await send("PUT", place(), fieldsOf(good({ ath: undefined }), kims))).status).to.equal(201);
    count += 1;
    const own = await server.context.identity.provider.signing.sign(claimsOf(token), "at+jwt");
    expect((await send("PUT", place(), fieldsOf(good({ ath: undefined }), own))).status).to.equal(201);
  });

  describe("a proof", () => {
    const raw = (header: unknown, claims: unknown, by = key): string => signJwt(header, claims, by);
    const header = (): Json => ({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk });
    const claims = (): Json => ({ jti: randomUUID(), htm: "PUT", htu: url(), iat: now() });
    /** HS256, with what everybody knows as the secret. */
    const mac = (alg: string): string => {
      const signed = `${encode({ ...header(), alg })}.${encode(claims())}`;
      return `${signed}.${createHmac("sha256", JSON.stringify(key.jwk)).update(signed).digest("base64url")}`;
    };
    const cut = (proof: string, parts: number): string => proof.split(".").slice(0, parts).join(".");
    const at = (): string => base.slice(0, -1);

    const rows: readonly (readonly [string, () => string])[] = [
      // Header.
      ["without typ", () => good({}, { typ: undefined })],
      ["of typ JWT", () => good({}, { typ: "JWT" })],
      ["of typ at+jwt", () => good({}, { typ: "at+jwt" })],
      ["of typ DPOP+JWT, in capitals", () => good({}, { typ: "DPOP+JWT" })],
      ["of typ application/dpop+jwt", () => good({}, { typ: "application/dpop+jwt" })],
      ["whose typ is a list", () => good({}, { typ: ["dpop+jwt"] })],
      [
        "with alg none and no signature",
        () => `${encode({ ...header(), alg: "none" })}.${encode(claims())}.`,
      ],
      ["with alg none and a signature", () => good({}, { alg: "none" })],
      ["with alg NonE", () => good({}, { alg: "NonE" })],
      ["with HS256 and the public key as the secret", () => mac("HS256")],
      ["with HS512", () => mac("HS512")],
      ["with an oct key of its own", () => good({}, { alg: "HS256", jwk: { kty: "oct", k: "c2VjcmV0" } })],
      ["without alg", () => good({}, { alg: undefined })],
      ["whose alg is a list", () => good({}, { alg: ["ES256"] })],
      ["whose alg is __proto__", () => good({}, { alg: "__proto__" })],
      ["whose alg is toString", () => good({}, { alg: "toString" })],
      ["with another curve's alg", () => good({}, { alg: "ES384" })],
      ["with RS256 for an EC key", () => good({}, { alg: "RS256" })],
      ["with ES256 for an RSA key", () => good({}, { alg: "ES256", jwk: rsa.jwk }, rsa)],
      ["without a key", () => good({}, { jwk: undefined })],
      ["whose key is null", () => good({}, { jwk: null })],
      ["whose key is a text", () => good({}, { jwk: JSON.stringify(key.jwk) })],
      ["whose key is a list", () => good({}, { jwk: [key.jwk] })],
      ["with a private key", () => good({}, { jwk: { ...key.jwk, d: "AA" } })],
      ["with an empty private member", () => good({}, { jwk: { ...key.jwk, d: null } })],
      ["with a key that is no point of the curve", () => good({}, { jwk: { ...key.jwk, y: key.jwk["x"] } })],
      ["with half a key", () => good({}, { jwk: { ...key.jwk, y: undefined } })],
      ["with a key of another curve", () => good({}, { jwk: { ...key.jwk, crv: "P-384" } })],
      [
        "with a weak RSA key",
        () => good({}, { alg: "RS256", jwk: { kty: "RSA", e: "AQAB", n: "q".repeat(100) } }, rsa),
      ],
      [
        "with an RSA key of exponent one",
        () => good({}, { alg: "RS256", jwk: { ...rsa.jwk, e: "AQ" } }, rsa),
      ],
      ["with somebody else's key and its own signature", () => good({}, { jwk: stranger.jwk })],
      ["with its own key and somebody else's signature", () => raw(header(), claims(), stranger)],
      [
        "that points to a key set (jku) instead",
        () => good({}, { jwk: undefined, jku: `${evil.origin}/jwks` }, evil.key),
      ],
      [
        "that points to a certificate (x5u) instead",
        () => good({}, { jwk: undefined, x5u: `${evil.origin}/cert` }, evil.key),
      ],
      ["that brings a certificate (x5c) instead", () => good({}, { jwk: undefined, x5c: ["MIIB"] })],
      [
        "that names a key of this server (kid) instead",
        () => good({}, { jwk: undefined, kid: headerOf(token)["kid"] }),
      ],
      ["with a critical extension", () => good({}, { crit: ["exp"] })],
      ["with a critical extension, an empty list", () => good({}, { crit: [] })],
      ["with an unencoded payload (b64)", () => good({}, { b64: false })],
      ["whose header is a list", () => raw([header()], claims())],
      ["whose header is no JSON", () => `${encode("{typ:")}.${cut(good(), 3).split(".").slice(1).join(".")}`],
      // Claims.
      ["without htm", () => good({ htm: undefined })],
      ["for another method", () => good({ htm: "GET" })],
      ["for the method in small letters", () => good({ htm: "put" })],
      ["for two methods", () => good({ htm: ["PUT"] })],
      ["for the method with a space", () => good({ htm: "PUT " })],
      ["without htu", () => good({ htu: undefined })],
      ["whose htu is a list", () => good({ htu: [url()] })],
      ["whose htu is a number", () => good({ htu: 1 })],
      ["for the path alone", () => good({ htu: place() })],
      ["for another document", () => good({ htu: `${at()}/ana/other.ttl` })],
      ["for the folder", () => good({ htu: `${at()}/ana/` })],
      ["for the same with a slash behind", () => good({ htu: `${url()}/` })],
      ["for the path in capitals", () => good({ htu: url().replace("/ana/", "/ANA/") })],
      ["for the path with an encoded slash", () => good({ htu: url().replace("/ana/", "/ana%2f") })],
      ["for the path encoded twice", () => good({ htu: url().replace("abuse", "%2561buse") })],
      ["for the path with two slashes", () => good({ htu: url().replace("/ana/", "//ana/") })],
      ["for the path as a query", () => good({ htu: `${at()}/?${place()}` })],
      ["for the path as a fragment", () => good({ htu: `${at()}/#${place()}` })],
      ["for another host", () => good({ htu: `https://evil.example${place()}` })],
      ["for this host by number", () => good({ htu: url().replace("localhost", "127.0.0.1") })],
      [
        "for a host that begins alike",
        () => good({ htu: url().replace("localhost", "localhost.evil.example") }),
      ],
      ["for this host behind a user name", () => good({ htu: url().replace("localhost", "evil@localhost") })],
      ["for another port", () => good({ htu: url().replace(/:\d+/, ":1") })],
      ["for no port", () => good({ htu: url().replace(/:\d+/, "") })],
      ["for https", () => good({ htu: url().replace("http:", "https:") })],
      ["for a websocket", () => good({ htu: url().replace("http:", "ws:") })],
      ["without iat", () => good({ iat: undefined })],
      ["whose iat is a text", () => good({ iat: String(now()) })],
      ["whose iat is null", () => good({ iat: null })],
      ["whose iat is in milliseconds", () => good({ iat: Date.now() })],
      ["that is two minutes old", () => good({ iat: now() - 120 })],
      ["from a minute ahead", () => good({ iat: now() + 60 })],
      ["from before 1970", () => good({ iat: -1 })],
      [
        "whose iat is without end",
        () =>
          raw(header(), "{}").replace(
            /\.[^.]+\./,
            `.${encode(`{"jti":"x","htm":"PUT","htu":"${url()}","iat":1e999}`)}.`,
          ),
      ],
      ["that has expired", () => good({ exp: now() - 1 })],
      ["whose exp is a text", () => good({ exp: "tomorrow" })],
      ["without jti", () => good({ jti: undefined })],
      ["with an empty jti", () => good({ jti: "" })],
      ["with a number as jti", () => good({ jti: 7 })],
      ["with a jti without end", () => good({ jti: "j".repeat(257) })],
      ["for another access token", () => good({ ath: hash("sha256", "another", "base64url") })],
      ["for this token, in hex", () => good({ ath: hash("sha256", token, "hex") })],
      ["whose ath is empty", () => good({ ath: "" })],
      ["whose ath is null", () => good({ ath: null })],
      // The claim that counts is the last, and it is the wrong one.
      ["that says htm twice", () => doubled("htm", "GET")],
      ["that says htu twice", () => doubled("htu", "https://evil.example/")],
      ["that says iat twice", () => doubled("iat", 1)],
      // Form.
      ["of nothing", () => " "],
      ["of one part", () => cut(good(), 1)],
      ["of two parts", () => cut(good(), 2)],
      ["of two parts and a dot", () => `${cut(good(), 2)}.`],
      ["of four parts", () => `${good()}.AAAA`],
      ["of five parts, as if encrypted", () => `${good()}.AAAA.AAAA`],
      [
        "in JSON form",
        () => JSON.stringify({ payload: encode(claims()), protected: encode(header()), signature: "AA" }),
      ],
      ["with padding", () => `${good()}==`],
      ["with a space in it", () => good().replace(".", ". ")],
      ["in quotes", () => `"${good()}"`],
      ["with a scheme before it", () => `DPoP ${good()}`],
      ["whose claims are a list", () => raw(header(), [claims()])],
      ["whose claims are null", () => raw(header(), "null")],
      ["whose claims are no JSON", () => raw(header(), "{")],
      ["whose claims were changed", () => swap(good(), 1, (it) => ({ ...it, jti: randomUUID() }))],
      ["whose header was changed", () => swap(good(), 0, (it) => ({ ...it, kid: "x" }))],
      ["with an empty signature of the right length", () => `${cut(good(), 2)}.${encode("\0".repeat(64))}`],
      ["with a signature cut short", () => good().slice(0, -4)],
      [
        "with a signature in DER",
        () => `${cut(good(), 2)}.${Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1]).toString("base64url")}`,
      ],
      ["with another proof's signature", () => `${cut(good(), 2)}.${good().split(".")[2] ?? ""}`],
      ["that is too long", () => good({ filler: "x".repeat(4_096) })],
      ["that is an access token", () => token],
      ["of another key than the token's", () => good({}, {}, stranger)],
    ];

    function doubled(claim: string, wrong: unknown): string {
      const body = JSON.stringify(claims());
      return raw(header(), `${body.slice(0, -1)},${JSON.stringify(claim)}:${JSON.stringify(wrong)}}`);
    }

    for (const [what, make] of rows)
      it(`${what}: 401`, () => refused(fieldsOf(make()), what.startsWith("of another key") ? TOKEN : PROOF));

    it("that is missing: 401", () => refused([["Authorization", `DPoP ${token}`]], PROOF));
    it("twice in one field: 401", () => refused(fieldsOf(`${good()}, ${good()}`), PROOF));
    it("twice, in two fields: 401", () => refused([...fieldsOf(good()), ["DPoP", good()]], PROOF));
    it("twice the same, in two fields: 401", () => {
      const proof = good();
      return refused([...fieldsOf(proof), ["dpop", proof]], PROOF);
    });
    it("behind an empty one: 401", () =>
      refused(
        [
          ["Authorization", `DPoP ${token}`],
          ["DPoP", ""],
          ["DPoP", good()],
        ],
        PROOF,
      ));
  });

  function swap(jwt: string, part: number, change: (value: Json) => Json): string {
    const parts = jwt.split(".");
    parts[part] = encode(change(JSON.parse(Buffer.from(parts[part] ?? "", "base64url").toString()) as Json));
    return parts.join(".");
  }

  describe("a proof, used again", () => {
    const used = async (): Promise<string> => {
      const proof = good();
      expect((await send("PUT", place(), fieldsOf(proof))).status).to.equal(201);
      return proof;
    };
    const again = async (fields: readonly (readonly [string, string])[], blame = PROOF): Promise<void> => {
      const before = await (await ana.fetch(url())).text();
      const answer = await send("PUT", place(), fields, "<#changed> <#b> 2.");
      expect([answer.status, codeOf(answer)]).to.deep.equal([401, "token-invalid"]);
      expect(String(answer.headers["www-authenticate"])).to.include(`error="${blame}"`);
      expect(await (await ana.fetch(url())).text(), "nothing was written").to.equal(before);
    };

    it("as it was: 401", async () => again(fieldsOf(await used())));
    it("with its jti in a new proof: 401", async () => {
      const { jti } = claimsOf(await used());
      return again(fieldsOf(good({ jti })));
    });
    it("with another token of the same key: 401", async () => {
      const proof = good({ ath: undefined });
      expect((await send("PUT", place(), fieldsOf(proof))).status).to.equal(201);
      const twin = await server.context.identity.provider.signing.sign(
        { ...claimsOf(token), jti: "twin" },
        "at+jwt",
      );
      return again(fieldsOf(proof, twin));
    });
    it("after the server has seen many others: 401", async () => {
      const proof = await used();
      await Promise.all(
        Array.from({ length: 100 }, () => send("GET", place(), fieldsOf(good({}, {}, key, "GET")))),
      );
      return again(fieldsOf(proof));
    });
    it("of fifty at once, one counts", async () => {
      const proof = good();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => send("PUT", place(), fieldsOf(proof))),
      );
      const counts = Object.groupBy(answers, ({ status }) => String(status));
      expect([counts["201"]?.length, counts["401"]?.length]).to.deep.equal([1, 49]);
    });
  });

  describe("an access token", () => {
    const ours = (claims: Json, typ = "at+jwt", alg: "ES256" | "RS256" = "ES256"): Promise<string> => {
      const all: Json = { ...claimsOf(token), ...claims };
      for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
      return server.context.identity.provider.signing.sign(all, typ, alg);
    };
    const forged = (header: Json, claims: Json = {}, by = stranger): string =>
      signJwt({ ...headerOf(token), ...header }, { ...claimsOf(token), ...claims }, by);
    const publicKey = async (): Promise<string> =>
      JSON.stringify((await server.context.identity.provider.publicKeys())[0]);
    const kims = (claims: Json = {}, header: Json = {}, by?: KeyPair): string =>
      kim.token(key.thumbprint, claims, header, by);
    const impostor = (claims: Json = {}): string => evil.token(key.thumbprint, claims);

    const rows: readonly (readonly [string, () => string | Promise<string>])[] = [
      // Signed by us, and wrong all the same.
      ["without iss", () => ours({ iss: undefined })],
      ["whose iss is a list", () => ours({ iss: [base] })],
      ["whose iss is a relative address", () => ours({ iss: "/" })],
      ["without aud", () => ours({ aud: undefined })],
      ["for another audience", () => ours({ aud: "https://other.example/" })],
      ["for this server, but not for Solid", () => ours({ aud: base })],
      ["for an audience that begins alike", () => ours({ aud: "solid.example" })],
      ["for Solid in capitals", () => ours({ aud: "SOLID" })],
      ["whose aud is an object", () => ours({ aud: { solid: true } })],
      ["for many others", () => ours({ aud: ["a", "b"] })],
      ["without exp", () => ours({ exp: undefined })],
      ["that has expired", () => ours({ exp: now() - 1 })],
      ["whose exp is a text", () => ours({ exp: String(now() + 600) })],
      ["whose exp is null", () => ours({ exp: null })],
      ["without iat", () => ours({ iat: undefined })],
      ["from the future", () => ours({ iat: now() + 600 })],
      ["whose iat is a text", () => ours({ iat: String(now()) })],
      ["that is not valid yet", () => ours({ nbf: now() + 600 })],
      ["whose nbf is a text", () => ours({ nbf: "0" })],
      ["without webid", () => ours({ webid: undefined })],
      ["whose webid is empty", () => ours({ webid: "" })],
      ["whose webid is a list", () => ours({ webid: [ana.webid] })],
      ["whose webid is no address", () => ours({ webid: "ana" })],
      ["whose webid is a mailbox", () => ours({ webid: "mailto:ana@example.org" })],
      ["whose webid is another's document", () => ours({ webid: `${ana.pod}notes#me` })],
      ["of a person of this server who is not there", () => ours({ webid: `${base}nobody/profile/card#me` })],
      [
        "of another person of this server, for an app that she did not let in",
        () => ours({ webid: `${base}ben/profile/card#me` }),
      ],
      ["of a person whose WebID does not name us", () => ours({ webid: kim.webid })],
      ["without cnf", () => ours({ cnf: undefined })],
      ["whose cnf is empty", () => ours({ cnf: {} })],
      ["whose cnf is null", () => ours({ cnf: null })],
      ["whose cnf is a text", () => ours({ cnf: key.thumbprint })],
      ["whose jkt is a list", () => ours({ cnf: { jkt: [key.thumbprint] } })],
      ["that is bound to another key", () => ours({ cnf: { jkt: stranger.thumbprint } })],
      ["that is bound to a certificate", () => ours({ cnf: { "x5t#S256": key.thumbprint } })],
      ["that is bound to a key given whole", () => ours({ cnf: { jwk: key.jwk } })],
      ["that names no client", () => ours({ client_id: undefined, azp: undefined })],
      ["of a client that nobody let in", () => ours({ client_id: "unknown", azp: "unknown" })],
      ["of a client that is a number", () => ours({ client_id: 7, azp: undefined })],
      ["of typ JWT", () => ours({}, "JWT")],
      ["of typ dpop+jwt", () => ours({}, "dpop+jwt")],
      ["of typ logout+jwt", () => ours({}, "logout+jwt")],
      ["of typ id_token", () => ours({}, "id_token+jwt")],
      // Not signed by us.
      [
        "with alg none and no signature",
        () => `${encode({ ...headerOf(token), alg: "none" })}.${token.split(".")[1] ?? ""}.`,
      ],
      ["with alg none and its signature", () => swap(token, 0, (it) => ({ ...it, alg: "none" }))],
      ["with its signature cut off", () => token.split(".").slice(0, 2).join(".")],
      ["with an empty signature", () => `${token.split(".").slice(0, 2).join(".")}.`],
      [
        "with a signature of zeros",
        () => `${token.split(".").slice(0, 2).join(".")}.${encode("\0".repeat(64))}`,
      ],
      [
        "with HS256 and our public key as the secret",
        async () => {
          const signed = `${encode({ ...headerOf(token), alg: "HS256" })}.${encode(claimsOf(token))}`;
          return `${signed}.${createHmac("sha256", await publicKey())
            .update(signed)
            .digest("base64url")}`;
        },
      ],
      ["with RS256 in place of ES256", () => swap(token, 0, (it) => ({ ...it, alg: "RS256" }))],
      [
        "with the id of our other key",
        async () => {
          const kids = (await server.context.identity.provider.publicKeys()).map(({ kid }) => kid);
          return swap(token, 0, (it) => ({ ...it, kid: kids.find((kid) => kid !== it["kid"]) }));
        },
      ],
      ["of another WebID, changed", () => swap(token, 1, (it) => ({ ...it, webid: kim.webid }))],
      ["of a longer life, changed", () => swap(token, 1, (it) => ({ ...it, exp: now() + 86_400 }))],
      [
        "of another key, changed",
        () => swap(token, 1, (it) => ({ ...it, cnf: { jkt: stranger.thumbprint } })),
      ],
      ["signed by somebody, with our key's id", () => forged({})],
      ["signed by somebody, without a key id", () => forged({ kid: undefined })],
      ["that brings its own key (jwk)", () => forged({ jwk: stranger.jwk })],
      [
        "that points to a key set (jku)",
        () => forged({ jku: `${evil.origin}/jwks`, kid: "k1" }, {}, evil.key),
      ],
      ["that points to a certificate (x5u)", () => forged({ x5u: `${evil.origin}/cert` })],
      ["that brings a certificate (x5c)", () => forged({ x5c: ["MIIB"] })],
      ["whose key id is a path", () => forged({ kid: "../../../../dev/null" })],
      ["whose key id is a question to a database", () => forged({ kid: "' OR 1=1 --" })],
      ["whose key id is an address", () => forged({ kid: `${evil.origin}/jwks` })],
      ["whose key id is an object", () => forged({ kid: { kid: "k1" } })],
      ["whose key id is without end", () => forged({ kid: "k".repeat(1_000) })],
      ["with a critical extension", () => forged({ crit: ["x"] })],
      ["with an unencoded payload", () => forged({ b64: false })],
      ["whose header is no JSON", () => `${encode("{")}.${token.split(".").slice(1).join(".")}`],
      [
        "whose claims are a list",
        () => `${token.split(".")[0] ?? ""}.${encode([claimsOf(token)])}.${token.split(".")[2] ?? ""}`,
      ],
      ["that is not a JWT", () => "0123456789abcdef"],
      ["of four parts", () => `${token}.AAAA`],
      ["that is too long", () => `${token}${"A".repeat(8_192)}`],
      // Of other issuers.
      ["of an issuer that the WebID does not name", () => impostor({ webid: kim.webid })],
      ["of an issuer elsewhere, for a person of this server", () => impostor({ webid: ana.webid })],
      ["of an issuer elsewhere that says it is we", () => impostor({ iss: base, webid: ana.webid })],
      ["of an issuer elsewhere that says it is Kim's", () => impostor({ iss: kim.issuer, webid: kim.webid })],
      ["of Kim's issuer with a key that is not its own", () => kims({}, {}, stranger)],
      ["of Kim's issuer with a key id that it does not have", () => kims({}, { kid: "k2" })],
      ["of Kim's issuer for another audience", () => kims({ aud: "https://other.example/" })],
      ["of Kim's issuer that has expired", () => kims({ exp: now() - 1 })],
      ["of Kim's issuer without cnf", () => kims({ cnf: undefined })],
      ["of Kim's issuer for another key", () => kims({ cnf: { jkt: stranger.thumbprint } })],
      ["of Kim's issuer that is an ID token", () => kims({ nonce: "n" }, { typ: "JWT" })],
      [
        "of Kim's issuer that is an ID token, by its audience",
        () => kims({ aud: ["https://app.example/id", "solid"] }, { typ: undefined }),
      ],
      ["of Kim's issuer for Ana", () => kims({ webid: ana.webid })],
      [
        "of Kim's issuer for another person of its own document",
        () => kims({ webid: kim.webid.replace("#me", "#you") }),
      ],
      ["whose issuer has a query", () => kims({ iss: `${kim.issuer}?x=1` })],
      ["whose issuer has a fragment", () => kims({ iss: `${kim.issuer}#x` })],
      ["whose issuer has a user name", () => kims({ iss: kim.issuer.replace("http://", "http://u:p@") })],
      ["whose issuer is a file", () => kims({ iss: "file:///etc/passwd" })],
      ["whose issuer is at a private address", () => kims({ iss: "http://127.0.0.1:1/" })],
      ["whose issuer is at the cloud's own address", () => kims({ iss: "http://169.254.169.254/" })],
      ["whose issuer is spelled otherwise", () => kims({ iss: kim.issuer.slice(0, -1) })],
      ["whose issuer is without end", () => kims({ iss: `${kim.issuer}${"x".repeat(1_025)}` })],
    ];
    for (const [what, make] of rows)
      it(`${what}: 401`, async () => {
        // What points to the impostor's own documents may read those: that they are not believed is what counts.
        const isImpostor = what.startsWith("of an issuer");
        const hits = evil.hits.length;
        await refused(fieldsOf(good({ ath: undefined }), await make()), TOKEN).catch((error: Error) => {
          if (!isImpostor || !/was fetched/.test(error.message)) throw error;
        });
        if (!isImpostor) expect(evil.hits.length).to.equal(hits);
      });

    it("that is an ID token of ours: 401", () =>
      refused(fieldsOf(good({ ath: undefined }), app.tokens["id_token"] ?? ""), TOKEN));
    it("that is a refresh token: 401", () =>
      refused(fieldsOf(good({ ath: undefined }), app.tokens["refresh_token"] ?? ""), TOKEN));
    it("that is another app's, with this app's proof: 401", () =>
      refused(fieldsOf(good({ ath: undefined }), other.tokens["access_token"] ?? ""), TOKEN));
    it("that is a client's id and secret: 401", () =>
      refused(
        [
          ["Authorization", `DPoP ${btoa("id:secret")}`],
          ["DPoP", good({ ath: undefined })],
        ],
        TOKEN,
      ));
  });

  describe("a request", () => {
    const bound = (): readonly [string, string] => ["Authorization", `Bearer ${token}`];
    const login: readonly [number, string] = [401, "login-required"];
    const rows: readonly (readonly [
      string,
      () => readonly (readonly [string, string])[],
      Blame | readonly [number, string],
    ])[] = [
      ["that takes the token down to Bearer", () => [bound()], TOKEN],
      ["that takes it down to Bearer, with the proof", () => [bound(), ["DPoP", good()]], TOKEN],
      [
        "with bearer in small letters",
        () => [
          ["Authorization", `bearer ${token}`],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      ["with Basic", () => [["Authorization", `Basic ${btoa("ana:a long password of Ana")}`]], TOKEN],
      [
        "with a scheme that nobody knows",
        () => [
          ["Authorization", `Token ${token}`],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with a scheme and no token",
        () => [
          ["Authorization", "DPoP"],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with a token and no scheme",
        () => [
          ["Authorization", token],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with an empty Authorization",
        () => [
          ["Authorization", ""],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with two tokens in one field",
        () => [
          ["Authorization", `DPoP ${token}, DPoP ${token}`],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with two schemes in one field",
        () => [
          ["Authorization", `DPoP ${token}, Bearer ${token}`],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      [
        "with two Authorization fields",
        () => [...fieldsOf(good()), ["Authorization", `DPoP ${token}`]],
        [400, "bad-request"],
      ],
      [
        "with a bad Authorization behind the good one",
        () => [...fieldsOf(good()), ["authorization", "Bearer x"]],
        [400, "bad-request"],
      ],
      [
        "with the token as a parameter",
        () => [
          ["Authorization", `DPoP token="${token}"`],
          ["DPoP", good()],
        ],
        TOKEN,
      ],
      ["with a proof and no token", () => [["DPoP", good()]], login],
      ["with the account's cookie alone", () => [["Cookie", browser.cookies("/")]], login],
      ["with the token as a cookie", () => [["Cookie", `access_token=${token}; dpop=${good()}`]], login],
      [
        "with the WebID as a field",
        () => [
          ["On-Behalf-Of", ana.webid],
          ["X-User", ana.webid],
          ["From", ana.webid],
        ],
        login,
      ],
      [
        "whose token stands in Proxy-Authorization",
        () => [
          ["Proxy-Authorization", `DPoP ${token}`],
          ["DPoP", good()],
        ],
        login,
      ],
      [
        "whose token stands in X-Original-Authorization",
        () => [
          ["X-Original-Authorization", `DPoP ${token}`],
          ["DPoP", good()],
        ],
        login,
      ],
      [
        "that says by Host that the proof is for here",
        () => [["Host", "evil.example"], ...fieldsOf(good({ htu: `http://evil.example${place()}` }))],
        PROOF,
      ],
      [
        "that says it by X-Forwarded-Host",
        () => [
          ["X-Forwarded-Host", "evil.example"],
          ["X-Forwarded-Proto", "https"],
          ...fieldsOf(good({ htu: `https://evil.example${place()}` })),
        ],
        PROOF,
      ],
      [
        "that says it by Forwarded",
        () => [
          ["Forwarded", "host=evil.example;proto=https"],
          ...fieldsOf(good({ htu: `https://evil.example${place()}` })),
        ],
        PROOF,
      ],
      [
        "that says it by X-Original-URL",
        () => [["X-Original-URL", "/ana/other.ttl"], ...fieldsOf(good({ htu: `${base}ana/other.ttl` }))],
        PROOF,
      ],
      [
        "that says by X-HTTP-Method-Override that it is another",
        () => [["X-HTTP-Method-Override", "GET"], ...fieldsOf(good({ htm: "GET" }))],
        PROOF,
      ],
      [
        "with two Hosts",
        () => [["Host", new URL(base).host], ["Host", "evil.example"], ...fieldsOf(good())],
        [400, "bad-request"],
      ],
      [
        "whose content is chunked in a way of its own",
        () => [["Transfer-Encoding", "xchunked"], ...fieldsOf(good())],
        [400, "bad-request"],
      ],
    ];
    for (const [what, make, expected] of rows)
      it(`${what}: ${typeof expected === "string" ? 401 : expected[0]}`, () => refused(make(), expected));

    it("whose address is absolute and elsewhere is for here, and its proof, too: 401", async () => {
      const fields = fieldsOf(good({ htu: `http://evil.example${place()}` }));
      const answer = await send("PUT", `http://evil.example${place()}`, fields);
      expect(answer.status).to.equal(401);
      await nothingDone(evil.hits.length);
    });
    it("with the token in the address: 401", async () => {
      const answer = await send("PUT", `${place()}?access_token=${token}`, [["DPoP", good()]]);
      expect([answer.status, codeOf(answer)]).to.deep.equal([401, "login-required"]);
      await nothingDone(evil.hits.length);
    });
    it("with more header fields than a request has: 431", async () => {
      const fields = Array.from({ length: 101 }, (_, n): [string, string] => [`X-${n}`, "x"]);
      expect((await send("PUT", place(), [...fields, ...fieldsOf(good())])).status).to.equal(431);
      await nothingDone(evil.hits.length);
    });
    it("whose proof was made for GET, at every other method: 401", async () => {
      for (const method of ["PUT", "POST", "PATCH", "DELETE"])
        await refused(fieldsOf(good({ htm: "GET" })), PROOF, method);
    });
  });

  describe("the token endpoint", () => {
    interface Code {
      readonly code: string;
      readonly verifier: string;
    }
    const NO_CODE: Code = { code: "", verifier: "" };
    const newCode = async (): Promise<Code> => {
      const verifier = makeVerifier();
      const back = await login(browser, base, app.app, verifier);
      return { code: back.searchParams.get("code") ?? "", verifier };
    };
    const body = ({ code, verifier }: Code, more: Json = {}): Record<string, string> => {
      const all = {
        grant_type: "authorization_code",
        code,
        code_verifier: verifier,
        redirect_uri: REDIRECT,
        ...more,
      };
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    };
    const endpoint = (): string => `${base}.oidc/token`;
    const proof = (claims: Json = {}, header: Json = {}, by = key): string =>
      makeProof(by, "POST", endpoint(), { claims, header });

    const rows: readonly (readonly [
      string,
      number,
      string,
      (code: Code) => Promise<{ status: number; body: Record<string, string> }>,
    ])[] = [
      [
        "a code with another verifier",
        400,
        "invalid_grant",
        (code) => requestToken(base, key, app.app, body(code, { code_verifier: makeVerifier() })),
      ],
      [
        "a code without a verifier",
        400,
        "invalid_grant",
        (code) => requestToken(base, key, app.app, body(code, { code_verifier: undefined })),
      ],
      [
        "a code with its challenge as verifier",
        400,
        "invalid_grant",
        (code) =>
          requestToken(
            base,
            key,
            app.app,
            body(code, { code_verifier: hash("sha256", code.verifier, "base64url") }),
          ),
      ],
      [
        "a code with a short verifier",
        400,
        "invalid_request",
        (code) => requestToken(base, key, app.app, body(code, { code_verifier: "short" })),
      ],
      [
        "a code for another address",
        400,
        "invalid_grant",
        (code) => requestToken(base, key, app.app, body(code, { redirect_uri: "https://evil.example/" })),
      ],
      [
        "a code without the address",
        400,
        "invalid_request",
        (code) => requestToken(base, key, app.app, body(code, { redirect_uri: undefined })),
      ],
      [
        "a code of another app",
        400,
        "invalid_grant",
        (code) => requestToken(base, key, other.app, body(code)),
      ],
      [
        "a code of an app that is not there",
        401,
        "invalid_client",
        (code) => requestToken(base, key, { ...app.app, clientId: "nobody" }, body(code)),
      ],
      [
        "a code that was made up",
        400,
        "invalid_grant",
        (code) => requestToken(base, key, app.app, body({ ...code, code: "A".repeat(43) })),
      ],
      [
        "a code without a proof",
        400,
        "invalid_grant",
        (code) => requestToken(base, null, app.app, body(code)),
      ],
      [
        "a code with a proof for another endpoint",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), makeProof(key, "POST", `${base}.oidc/reg`)),
      ],
      [
        "a code with a proof for GET",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({ htm: "GET" })),
      ],
      [
        "a code with an old proof",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({ iat: now() - 3_600 })),
      ],
      [
        "a code with a proof of alg none",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({}, { alg: "none" })),
      ],
      [
        "a code with a proof of HS256",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({}, { alg: "HS256" })),
      ],
      [
        "a code with a proof that somebody else signed",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({}, { jwk: key.jwk }, stranger)),
      ],
      [
        "a code with a proof without jti",
        400,
        "invalid_dpop_proof",
        (code) => requestToken(base, key, app.app, body(code), proof({ jti: undefined })),
      ],
      [
        "a refresh token in place of a code",
        400,
        "invalid_grant",
        (code) =>
          requestToken(base, key, app.app, body({ ...code, code: app.tokens["refresh_token"] ?? "" })),
      ],
      [
        "a code in place of a refresh token",
        400,
        "invalid_grant",
        ({ code }) => requestToken(base, key, app.app, { grant_type: "refresh_token", refresh_token: code }),
      ],
      [
        "an access token in place of a refresh token",
        400,
        "invalid_grant",
        () => requestToken(base, key, app.app, { grant_type: "refresh_token", refresh_token: token }),
      ],
      [
        "a refresh token of another key",
        400,
        "invalid_grant",
        () =>
          requestToken(base, stranger, app.app, {
            grant_type: "refresh_token",
            refresh_token: app.tokens["refresh_token"] ?? "",
          }),
      ],
      [
        "a refresh token without a proof",
        400,
        "invalid_grant",
        () =>
          requestToken(base, null, app.app, {
            grant_type: "refresh_token",
            refresh_token: app.tokens["refresh_token"] ?? "",
          }),
      ],
      [
        "a refresh token of another app",
        400,
        "invalid_grant",
        () =>
          requestToken(base, key, other.app, {
            grant_type: "refresh_token",
            refresh_token: app.tokens["refresh_token"] ?? "",
          }),
      ],
      [
        "a person's password",
        400,
        "unsupported_grant_type",
        () =>
          requestToken(base, key, app.app, {
            grant_type: "password",
            username: "ana",
            password: "a long password of Ana",
          }),
      ],
      [
        "nothing (client_credentials) for an app that registered itself",
        400,
        "invalid_request",
        () => requestToken(base, key, app.app, { grant_type: "client_credentials" }),
      ],
      [
        "a token for a token",
        400,
        "unsupported_grant_type",
        () =>
          requestToken(base, key, app.app, {
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token: token,
          }),
      ],
      [
        "a program's id with a wrong secret",
        401,
        "invalid_client",
        () =>
          requestToken(
            base,
            key,
            { clientId: ana.credentials.id, redirectUri: "", secret: "wrong" },
            { grant_type: "client_credentials" },
          ),
      ],
      [
        "a program's id without a secret",
        401,
        "invalid_client",
        () =>
          requestToken(
            base,
            key,
            { clientId: ana.credentials.id, redirectUri: "" },
            { grant_type: "client_credentials" },
          ),
      ],
      [
        "a program's token for another audience",
        400,
        "invalid_target",
        () =>
          requestToken(
            base,
            key,
            { clientId: ana.credentials.id, redirectUri: "", secret: ana.credentials.secret },
            { grant_type: "client_credentials", resource: "https://other.example/" },
          ),
      ],
    ];
    for (const [what, status, error, ask] of rows)
      it(`gives nothing for ${what}: ${status} ${error}`, async () => {
        const answer = await ask(ask.length > 0 ? await newCode() : NO_CODE);
        expect([answer.status, answer.body["error"]], JSON.stringify(answer.body)).to.deep.equal([
          status,
          error,
        ]);
        expect(answer.body).to.not.have.any.keys("access_token", "id_token", "refresh_token");
      });

    it("a code used twice is refused, and ends what the first use gave", async () => {
      const code = await newCode();
      const first = await requestToken(base, key, app.app, body(code));
      expect(first.status).to.equal(200);
      const second = await requestToken(base, key, app.app, body(code));
      expect([second.status, second.body["error"]]).to.deep.equal([400, "invalid_grant"]);
      const refresh = { grant_type: "refresh_token", refresh_token: first.body["refresh_token"] ?? "" };
      expect((await requestToken(base, key, app.app, refresh)).body["error"]).to.equal("invalid_grant");
    });

    it("an old refresh token is refused, and ends the newest of its family", async () => {
      const mine = await letIn(server, browser);
      const use = (refresh_token: string) =>
        requestToken(base, mine.key, mine.app, { grant_type: "refresh_token", refresh_token });
      const first = mine.tokens["refresh_token"] ?? "";
      const second = await use(first);
      const third = await use(second.body["refresh_token"] ?? "");
      expect([second.status, third.status]).to.deep.equal([200, 200]);
      expect(second.body["refresh_token"]).to.not.equal(first);
      expect((await use(first)).body["error"]).to.equal("invalid_grant");
      expect((await use(third.body["refresh_token"] ?? "")).body["error"]).to.equal("invalid_grant");
    });

    it("a refresh gives no scope that was not consented to", async () => {
      const mine = await letIn(server, browser);
      const answer = await requestToken(base, mine.key, mine.app, {
        grant_type: "refresh_token",
        refresh_token: mine.tokens["refresh_token"] ?? "",
        scope: "openid webid offline_access profile",
      });
      expect([answer.status, answer.body["error"]]).to.deep.equal([400, "invalid_scope"]);
    });

    it("a revoked refresh token gives nothing, and only its own app can revoke it", async () => {
      const mine = await letIn(server, browser);
      const refresh_token = mine.tokens["refresh_token"] ?? "";
      const revoke = (by: App) =>
        fetch(`${base}.oidc/token/revocation`, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ client_id: by.clientId, token: refresh_token }),
        });
      await revoke(other.app);
      const still = await requestToken(base, mine.key, mine.app, {
        grant_type: "refresh_token",
        refresh_token,
      });
      expect(still.status).to.equal(200);
      const next = still.body["refresh_token"] ?? "";
      await fetch(`${base}.oidc/token/revocation`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ client_id: mine.app.clientId, token: next }),
      });
      const after = await requestToken(base, mine.key, mine.app, {
        grant_type: "refresh_token",
        refresh_token: next,
      });
      expect(after.body["error"]).to.equal("invalid_grant");
    });
  });

  describe("the authorization endpoint", () => {
    /** Ends at the app, with an error in place of a code. */
    const atApp: readonly (readonly [string, Record<string, string | null>, string])[] = [
      [
        "without a challenge (PKCE)",
        { code_challenge: null, code_challenge_method: null },
        "invalid_request",
      ],
      ["with a plain challenge", { code_challenge_method: "plain" }, "invalid_request"],
      ["with a challenge of no known method", { code_challenge_method: "S512" }, "invalid_request"],
      ["with a challenge and no method", { code_challenge_method: null }, "invalid_request"],
      ["with a challenge that is none", { code_challenge: "short" }, "invalid_request"],
      ["for a token without a code", { response_type: "token" }, "unsupported_response_type"],
      [
        "for an ID token without a code",
        { response_type: "id_token", nonce: "n" },
        "unsupported_response_type",
      ],
      ["for a code and a token", { response_type: "code token", nonce: "n" }, "unsupported_response_type"],
      ["for another audience", { resource: "https://other.example/" }, "invalid_target"],
      ["with a request object", { request: "eyJhbGciOiJub25lIn0.e30." }, "request_not_supported"],
      [
        "with a request somewhere else",
        { request_uri: "https://evil.example/request" },
        "request_uri_not_supported",
      ],
      [
        "silently, by a browser that is not signed in to the app's grant",
        { prompt: "none", max_age: "0" },
        "login_required",
      ],
    ];
    for (const [what, parameters, error] of atApp)
      it(`sends a request ${what} back with ${error} and no code`, async () => {
        const answer = await browser.fetch(authorizationUrl(base, app.app, makeVerifier(), parameters));
        const location = new URL(answer.headers.get("location") ?? "", base);
        expect(location.origin + location.pathname, location.href).to.equal(REDIRECT);
        const said = new URLSearchParams(location.search || location.hash.slice(1));
        expect(said.get("error"), location.href).to.equal(error);
        expect(said.get("iss")).to.equal(base);
        expect(said.get("state")).to.equal("st");
        expect(said.get("code")).to.equal(null);
        expect(location.href).to.not.match(/access_token|id_token=/);
      });

    /** Ends here: nobody is sent anywhere. */
    const here: readonly (readonly [string, Record<string, string | null>])[] = [
      ["an address that is not listed", { redirect_uri: "https://evil.example/callback" }],
      ["an address below the listed one", { redirect_uri: `${REDIRECT}/more` }],
      ["the listed address with a query", { redirect_uri: `${REDIRECT}?to=evil` }],
      ["the listed address with a fragment", { redirect_uri: `${REDIRECT}#x` }],
      ["the listed address in capitals", { redirect_uri: REDIRECT.toUpperCase() }],
      ["the listed address by http", { redirect_uri: REDIRECT.replace("https", "http") }],
      [
        "the listed address with a user name",
        { redirect_uri: REDIRECT.replace("https://", "https://evil@") },
      ],
      [
        "the listed address on a host that begins alike",
        { redirect_uri: REDIRECT.replace("app.example", "app.example.evil") },
      ],
      ["the listed address, climbing", { redirect_uri: `${REDIRECT}/../evil` }],
      ["a script", { redirect_uri: "javascript:alert(1)" }],
      ["no address", { redirect_uri: null }],
      ["an app that is not there", { client_id: "nobody" }],
      ["no app", { client_id: null }],
      ["our own pages as the app", { client_id: "OWN" }],
    ];
    for (const [what, parameters] of here)
      it(`sends nobody anywhere for ${what}: 400`, async () => {
        const own =
          parameters["client_id"] === "OWN" ? { ...parameters, client_id: `${base}.ui/` } : parameters;
        const answer = await browser.fetch(authorizationUrl(base, app.app, makeVerifier(), own));
        expect(answer.status).to.equal(400);
        expect(answer.headers.get("location")).to.equal(null);
        expect(await answer.text()).to.not.match(/<script|javascript:/i);
      });

    it("hands the state back as it came, and adds no header by it", async () => {
      const state = `a&code=stolen#"><script>\r\nSet-Cookie: x=1`;
      const verifier = makeVerifier();
      const back = await login(browser, base, app.app, verifier, { state });
      expect(back.searchParams.get("state")).to.equal(state);
      expect(back.searchParams.getAll("code")).to.have.lengthOf(1);
      expect(back.searchParams.get("iss")).to.equal(base);
    });

    it("says a parameter twice: 400, and nobody is sent anywhere", async () => {
      const twice = `${authorizationUrl(base, app.app, makeVerifier())}&redirect_uri=https%3A%2F%2Fevil.example%2F`;
      const answer = await browser.fetch(twice);
      expect([answer.status, answer.headers.get("location")]).to.deep.equal([400, null]);
    });

    it("a yes in another person's browser is not this person's", async () => {
      const start = await browser.fetch(authorizationUrl(base, app.app, makeVerifier()));
      const page = start.headers.get("location") ?? "";
      const bens = await signIn(server, "Ben");
      let refusal = "";
      await consent(bens, base, page).catch((error: Error) => (refusal = error.message));
      expect(refusal).to.match(/^Refused: 404/);
    });

    it("an app that registers to be trusted without a person is nobody", async () => {
      const { body } = await register(base, {
        redirect_uris: [REDIRECT],
        grant_types: ["client_credentials"],
      });
      const mine = {
        clientId: body["client_id"] ?? "",
        redirectUri: "",
        secret: body["client_secret"] ?? "",
      };
      const answer = await requestToken(base, key, mine, { grant_type: "client_credentials" });
      expect([answer.status, answer.body["error"]]).to.deep.equal([400, "invalid_grant"]);
      expect(answer.body).to.not.have.any.keys("access_token", "id_token");
    });

    for (const [what, metadata] of [
      ["that sends people to a script", { redirect_uris: ["javascript:alert(1)"] }],
      ["that sends people to an address without TLS", { redirect_uris: ["http://app.example/cb"] }],
      ["that sends people to an address with a fragment", { redirect_uris: ["https://app.example/cb#x"] }],
      ["without an address", { redirect_uris: [] }],
      [
        "for a flow without codes",
        { redirect_uris: [REDIRECT], response_types: ["token"], grant_types: ["implicit"] },
      ],
      [
        "with a key set of its own to fetch",
        {
          redirect_uris: [REDIRECT],
          jwks_uri: "http://169.254.169.254/jwks",
          token_endpoint_auth_method: "private_key_jwt",
        },
      ],
      ["with more text than a document", { redirect_uris: [REDIRECT], client_name: "x".repeat(9_000) }],
    ] as const)
      it(`takes no registration ${what}: 400`, async () => {
        const { status, body } = await register(base, metadata);
        expect(status, JSON.stringify(body)).to.equal(400);
        expect(body["client_id"]).to.equal(undefined);
      });
  });

  it("(and the good token still opens, after all of this)", async () => {
    expect((await sender(key, token)("GET", `${ana.pod}profile/card`)).status).to.equal(200);
  });
});
