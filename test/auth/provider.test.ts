/** The provider from outside, flow by flow, on a real server: long because the flows are many and share one world. */
import { hash } from "node:crypto";
import { Session } from "@inrupt/solid-client-authn-node";
import { expect } from "chai";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { WebId } from "../../server/iri.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import {
  type App,
  authorizationUrl,
  claimsOf,
  consent,
  headerOf,
  login,
  makeBrowser,
  makeVerifier,
  register,
  requestToken,
} from "./browser.ts";
import { makeKey, makeProof, makeWorld, type World } from "./support.ts";

const ID = "ana's program/1";
const SECRET = "a secret: with 100 % of signs+";
const REDIRECT = "https://app.example/callback";

describe("provider: metadata", () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
  });
  after(() => world.close());

  for (const path of [".well-known/openid-configuration", ".well-known/oauth-authorization-server"]) {
    it(`${path} says what Solid clients look for`, async () => {
      const answer = await fetch(world.baseUrl + path, { headers: { origin: "https://app.example" } });
      expect(answer.headers.get("access-control-allow-origin")).to.equal("*");
      const metadata = (await answer.json()) as Record<string, string & string[]>;
      expect(metadata["issuer"]).to.equal(world.baseUrl);
      expect(metadata["scopes_supported"]).to.include.members(["openid", "webid", "offline_access"]);
      expect(metadata["grant_types_supported"]).to.have.members([
        "authorization_code",
        "refresh_token",
        "client_credentials",
      ]);
      expect(metadata["response_types_supported"]).to.deep.equal(["code"]);
      expect(metadata["code_challenge_methods_supported"]).to.deep.equal(["S256"]);
      expect(metadata["dpop_signing_alg_values_supported"]).to.include.members(["ES256", "RS256"]);
      expect(metadata["id_token_signing_alg_values_supported"]).to.have.members(["ES256", "RS256"]);
      expect(metadata["authorization_response_iss_parameter_supported"]).to.equal(true);
      expect(metadata["claims_supported"]).to.include("webid");
      for (const [name, value] of Object.entries(metadata)) {
        if (name.endsWith("_endpoint") || name === "jwks_uri")
          expect(value, name).to.match(new RegExp(`^${world.baseUrl}.oidc/`));
      }
    });
  }

  it("addresses come from the settings, whatever the Host header says", async () => {
    const { request } = await import("node:http");
    const body = await new Promise<string>((resolve, reject) => {
      const headers = {
        host: "evil.example",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
      };
      request(`${world.baseUrl}.well-known/openid-configuration`, { headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
    expect(body).not.to.include("evil.example");
    expect(JSON.parse(body)).to.include({ token_endpoint: `${world.baseUrl}.oidc/token` });
  });

  it("the key set has an ES256 and an RS256 key, and nothing private", async () => {
    const text = await (await fetch(`${world.baseUrl}.oidc/jwks`)).text();
    const { keys } = JSON.parse(text) as { keys: Record<string, string>[] };
    expect(keys.map(({ alg }) => alg)).to.deep.equal(["ES256", "RS256"]);
    for (const key of keys) expect(key).not.to.have.any.keys("d", "p", "q", "dp", "dq", "qi", "k");
    expect(await world.provider.publicKeys()).to.have.lengthOf(2);
    for (const key of await world.provider.publicKeys())
      expect(key).not.to.have.any.keys("d", "p", "q", "dp", "dq", "qi", "k");
  });

  it("another process on the same store has the same keys", async () => {
    const other = await makeWorld({ store: world.store });
    expect(await other.provider.publicKeys()).to.deep.equal(await world.provider.publicKeys());
    await other.close();
  });

  it("preflight requests are answered for the open endpoints only", async () => {
    const preflight = (path: string) =>
      fetch(world.baseUrl + path, {
        method: "OPTIONS",
        headers: {
          origin: "https://app.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "dpop,content-type",
        },
      });
    for (const path of [
      ".oidc/token",
      ".oidc/reg",
      ".oidc/jwks",
      ".oidc/userinfo",
      ".well-known/openid-configuration",
    ]) {
      const answer = await preflight(path);
      expect(answer.status, path).to.equal(204);
      expect(answer.headers.get("access-control-allow-headers")).to.equal("dpop,content-type");
      const method = [".oidc/token", ".oidc/reg"].includes(path) ? "POST" : "GET";
      const real = await fetch(world.baseUrl + path, { method, headers: { origin: "https://app.example" } });
      expect(
        real.headers.get("access-control-allow-origin"),
        `${method} ${path}: ${real.status}`,
      ).to.be.oneOf(["*", "https://app.example"]);
    }
    expect((await preflight(".oidc/auth")).headers.get("access-control-allow-origin")).to.equal(null);
  });
});

describe("provider: client credentials", () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
    world.accounts.credentials.set(ID, { secretHash: hash("sha256", SECRET, "buffer"), webid: world.ana });
  });
  after(() => world.close());

  it("log the public client library in, and its requests are Ana's", async () => {
    const session = new Session();
    await session.login({ oidcIssuer: world.baseUrl, clientId: ID, clientSecret: SECRET, tokenType: "DPoP" });
    expect(session.info).to.include({ isLoggedIn: true, webId: world.ana });
    const answer = await session.fetch(`${world.baseUrl}ana/private%20notes?x=1`);
    expect(await answer.json()).to.include({ webid: world.ana, client: ID, issuer: world.baseUrl });
    await session.logout();
    expect(world.fetched).to.deep.equal([]);
  });

  for (const alg of ["ES256", "RS256", "EdDSA"]) {
    it(`need only grant_type, Basic and a proof (${alg}); webid and an ID token come unasked`, async () => {
      const key = makeKey(alg);
      const { status, body } = await requestToken(
        world.baseUrl,
        key,
        { clientId: ID, redirectUri: "", secret: SECRET },
        { grant_type: "client_credentials" },
      );
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(body).to.include({ token_type: "DPoP", expires_in: 3600 });
      const token = body["access_token"] ?? "";
      expect(headerOf(token)).to.include({ typ: "at+jwt", alg: "ES256" });
      const claims = claimsOf(token);
      expect(claims).to.include({ iss: world.baseUrl, aud: "solid", webid: world.ana, client_id: ID });
      expect(claims["cnf"]).to.deep.equal({ jkt: key.thumbprint });
      const keys = createRemoteJWKSet(new URL(`${world.baseUrl}.oidc/jwks`));
      await jwtVerify(token, keys, { issuer: world.baseUrl, audience: "solid", typ: "at+jwt" });
      const { payload } = await jwtVerify(body["id_token"] ?? "", keys, {
        issuer: world.baseUrl,
        audience: ID,
      });
      expect(payload).to.deep.include({
        webid: world.ana,
        azp: ID,
        aud: [ID, "solid"],
        cnf: { jkt: key.thumbprint },
      });
    });
  }

  const refused: [
    string,
    (key: ReturnType<typeof makeKey>) => Promise<{ status: number; body: Record<string, string> }>,
    number,
    string,
  ][] = [
    ["a wrong secret", (key) => ask(key, ID, `${SECRET}!`), 401, "invalid_client"],
    ["an empty secret", (key) => ask(key, ID, ""), 400, "invalid_request"],
    [
      "the stored hash as secret",
      (key) => ask(key, ID, `sha256:${hash("sha256", SECRET, "base64url")}`),
      401,
      "invalid_client",
    ],
    ["an unknown program", (key) => ask(key, "nobody", SECRET), 401, "invalid_client"],
    [
      "no proof",
      () =>
        requestToken(
          world.baseUrl,
          null,
          { clientId: ID, redirectUri: "", secret: SECRET },
          { grant_type: "client_credentials" },
        ),
      400,
      "invalid_grant",
    ],
    [
      "a proof for another address",
      (key) => ask(key, ID, SECRET, makeProof(key, "POST", `${world.baseUrl}.oidc/reg`)),
      400,
      "invalid_dpop_proof",
    ],
    [
      "another resource",
      (key) =>
        requestToken(
          world.baseUrl,
          key,
          { clientId: ID, redirectUri: "", secret: SECRET },
          { grant_type: "client_credentials", resource: "https://other.example/" },
        ),
      400,
      "invalid_target",
    ],
  ];
  const ask = (key: ReturnType<typeof makeKey>, clientId: string, secret: string, proof?: string) =>
    requestToken(
      world.baseUrl,
      key,
      { clientId, redirectUri: "", secret },
      { grant_type: "client_credentials" },
      proof,
    );
  for (const [what, attempt, status, error] of refused) {
    it(`refuse ${what}`, async () => {
      const answer = await attempt(makeKey());
      expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
      expect(answer.body["error"]).to.equal(error);
      expect(JSON.stringify(answer.body)).not.to.include("access_token");
    });
  }

  it("refuse the same proof twice, and of fifty at once all but one", async () => {
    const key = makeKey();
    const proof = makeProof(key, "POST", `${world.baseUrl}.oidc/token`);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(key, ID, SECRET, proof)));
    expect(answers.filter(({ status }) => status === 200)).to.have.lengthOf(1);
  });

  it("end with the credential", async () => {
    world.accounts.credentials.set("short", {
      secretHash: hash("sha256", SECRET, "buffer"),
      webid: world.ana,
    });
    expect((await ask(makeKey(), "short", SECRET)).status).to.equal(200);
    world.accounts.credentials.delete("short");
    expect((await ask(makeKey(), "short", SECRET)).body["error"]).to.equal("invalid_client");
  });
});

describe("provider: authorization code", () => {
  let world: World;
  let app: App;
  before(async () => {
    world = await makeWorld();
    const { body } = await register(world.baseUrl, {
      client_name: "Notes",
      redirect_uris: [REDIRECT],
      scope: "openid webid offline_access",
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
    });
    app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
  });
  after(() => world.close());

  const exchange = (
    key: ReturnType<typeof makeKey>,
    code: string,
    verifier: string,
    more: Record<string, string> = {},
  ) =>
    requestToken(world.baseUrl, key, app, {
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
      ...more,
    });

  async function codeFor(verifier: string, more: Record<string, string | null> = {}): Promise<string> {
    const back = await login(makeBrowser(world.baseUrl, "account=a1"), world.baseUrl, app, verifier, more);
    return back.searchParams.get("code") ?? "";
  }

  it("shows who asks, then gives tokens that work, bound to the application's key", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const verifier = makeVerifier();
    const start = await browser.fetch(authorizationUrl(world.baseUrl, app, verifier));
    const page = start.headers.get("location") ?? "";
    expect(page).to.match(new RegExp(`^${world.baseUrl}.account/consent\\?uid=[\\w-]+$`));
    const uid = new URL(page).searchParams.get("uid");
    const question = await (await browser.fetch(`${world.baseUrl}.oidc/interaction/${uid}`)).json();
    expect(question).to.deep.equal({
      client: { id: app.clientId, name: "Notes", uri: null, describedBy: null, policy: null, terms: null },
      webid: world.ana,
      reach: null,
      prompt: "login",
      scopes: ["openid", "webid", "offline_access"],
      redirectTo: REDIRECT,
    });
    const back = await consent(browser, world.baseUrl, page);
    expect(back.origin + back.pathname).to.equal(REDIRECT);
    expect(back.searchParams.get("iss")).to.equal(world.baseUrl);
    expect(back.searchParams.get("state")).to.equal("st");

    const key = makeKey();
    const { body } = await exchange(key, back.searchParams.get("code") ?? "", verifier);
    expect(body).to.include({ token_type: "DPoP" });
    expect(body["refresh_token"]).to.be.a("string");
    expect(headerOf(body["access_token"] ?? "")).to.include({ typ: "at+jwt" });
    const id = claimsOf(body["id_token"] ?? "");
    expect(id).to.deep.include({
      iss: world.baseUrl,
      webid: world.ana,
      sub: "a1",
      aud: [app.clientId, "solid"],
      azp: app.clientId,
      cnf: { jkt: key.thumbprint },
    });
    expect(id["iat"]).to.be.closeTo(Date.now() / 1_000, 60);
    expect(id["exp"]).to.be.greaterThan(Number(id["iat"]));
    const url = `${world.baseUrl}ana/private`;
    const answer = await fetch(url, {
      headers: { authorization: `DPoP ${body["access_token"]}`, dpop: makeProof(key, "GET", url) },
    });
    expect(await answer.json()).to.include({ webid: world.ana, client: app.clientId });
    const userinfo = `${world.baseUrl}.oidc/userinfo`;
    const who = await fetch(userinfo, {
      headers: { authorization: `DPoP ${body["access_token"]}`, dpop: makeProof(key, "GET", userinfo) },
    });
    expect(await who.json()).to.deep.equal({ sub: "a1", webid: world.ana });
    const again = await fetch(userinfo, { headers: { authorization: `Bearer ${body["access_token"]}` } });
    expect(again.status).to.equal(401);
    expect(world.fetched).to.deep.equal([]);
  });

  it("the cookies stay in /.oidc/, unseen by scripts", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    await login(browser, world.baseUrl, app, makeVerifier());
    expect([...browser.jar.keys()]).to.include("oidc-session");
    for (const [name, cookie] of browser.jar) {
      expect(cookie.path, name).to.match(/^\/\.oidc\//);
      expect(cookie.attributes.toLowerCase(), name).to.include("httponly").and.include("samesite=lax");
    }
  });

  it("a consent is remembered: the next login asks nothing", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    await login(browser, world.baseUrl, app, makeVerifier());
    const silent = await browser.fetch(
      authorizationUrl(world.baseUrl, app, makeVerifier(), { prompt: "none", scope: "openid webid" }),
    );
    expect(new URL(silent.headers.get("location") ?? "").searchParams.get("code")).to.be.a("string");
    const { clientId } = app;
    const [consented] = (await world.provider.consentedApps("a1")).filter((one) => one.clientId === clientId);
    expect(consented).to.deep.include({ name: "Notes", address: new URL(REDIRECT).origin });
    expect(consented?.since).to.be.closeTo(Date.now(), 60_000);
  });

  it("prompt=none without a session says login_required", async () => {
    const silent = await makeBrowser(world.baseUrl).fetch(
      authorizationUrl(world.baseUrl, app, makeVerifier(), { prompt: "none" }),
    );
    expect(new URL(silent.headers.get("location") ?? "").searchParams.get("error")).to.equal(
      "login_required",
    );
  });

  it("logging out of the account ends the provider's session", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    await login(browser, world.baseUrl, app, makeVerifier());
    await world.provider.signOut("a1");
    const silent = await browser.fetch(
      authorizationUrl(world.baseUrl, app, makeVerifier(), { prompt: "none" }),
    );
    expect(new URL(silent.headers.get("location") ?? "").searchParams.get("error")).to.equal(
      "login_required",
    );
  });

  it("no means no", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const start = await browser.fetch(authorizationUrl(world.baseUrl, app, makeVerifier()));
    const back = await consent(browser, world.baseUrl, start.headers.get("location") ?? "", false);
    expect(back.searchParams.get("error")).to.equal("access_denied");
    expect(back.searchParams.get("iss")).to.equal(world.baseUrl);
    expect(back.searchParams.has("code")).to.equal(false);
  });

  it("a code works once; a second use ends what the first gave", async () => {
    const verifier = makeVerifier();
    const code = await codeFor(verifier);
    const key = makeKey();
    const { body } = await exchange(key, code, verifier);
    expect((await exchange(key, code, verifier)).body["error"]).to.equal("invalid_grant");
    const refreshed = await requestToken(world.baseUrl, key, app, {
      grant_type: "refresh_token",
      refresh_token: body["refresh_token"] ?? "",
    });
    expect(refreshed.body["error"]).to.equal("invalid_grant");
  });

  it("of twenty uses of one code at once, one succeeds", async () => {
    const verifier = makeVerifier();
    const code = await codeFor(verifier);
    const key = makeKey();
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(key, code, verifier)));
    expect(answers.filter(({ status }) => status === 200)).to.have.lengthOf(1);
    for (const { status } of answers) expect(status).to.be.oneOf([200, 400]);
  });

  it("a refresh token rotates; used twice, it and its successor end", async () => {
    const verifier = makeVerifier();
    const key = makeKey();
    const { body } = await exchange(key, await codeFor(verifier), verifier);
    const first = body["refresh_token"] ?? "";
    const refresh = (token: string, by = key) =>
      requestToken(world.baseUrl, by, app, { grant_type: "refresh_token", refresh_token: token });
    expect((await refresh(first, makeKey())).body["error"], "another key").to.equal("invalid_grant");
    const second = await refresh(first);
    expect(second.status, JSON.stringify(second.body)).to.equal(200);
    expect(second.body["refresh_token"]).not.to.equal(first);
    expect(claimsOf(second.body["access_token"] ?? "")).to.include({ webid: world.ana, aud: "solid" });
    expect(claimsOf(second.body["id_token"] ?? "")).to.deep.include({
      webid: world.ana,
      cnf: { jkt: key.thumbprint },
    });
    expect((await refresh(first)).body["error"], "reuse").to.equal("invalid_grant");
    expect((await refresh(second.body["refresh_token"] ?? "")).body["error"], "its successor").to.equal(
      "invalid_grant",
    );
  });

  it("taking the consent back ends the refresh token", async () => {
    const verifier = makeVerifier();
    const key = makeKey();
    const { body } = await exchange(key, await codeFor(verifier), verifier);
    const consents = await world.provider.consentedApps("a1");
    const consented = consents.find(({ clientId }) => clientId === app.clientId);
    expect(await world.provider.revoke("somebody", consented?.grantId ?? "")).to.equal(false);
    expect(await world.provider.revoke("a1", consented?.grantId ?? "")).to.equal(true);
    const refreshed = await requestToken(world.baseUrl, key, app, {
      grant_type: "refresh_token",
      refresh_token: body["refresh_token"] ?? "",
    });
    expect(refreshed.body["error"]).to.equal("invalid_grant");
    expect(await world.provider.consentedApps("a1")).to.deep.equal([]);
  });

  const starts: [string, Record<string, string | null>, string][] = [
    ["no PKCE", { code_challenge: null, code_challenge_method: null }, "invalid_request"],
    ["plain PKCE", { code_challenge_method: "plain" }, "invalid_request"],
    ["the implicit flow", { response_type: "id_token" }, "unsupported_response_type"],
    ["another resource", { resource: "https://other.example/" }, "invalid_target"],
  ];
  for (const [what, parameters, error] of starts) {
    it(`refuses ${what} at the authorization endpoint`, async () => {
      const answer = await makeBrowser(world.baseUrl).fetch(
        authorizationUrl(world.baseUrl, app, makeVerifier(), parameters),
      );
      const location = new URL(answer.headers.get("location") ?? "", world.baseUrl);
      const parametersOf = location.hash
        ? new URLSearchParams(location.hash.slice(1))
        : location.searchParams;
      expect(parametersOf.get("error")).to.equal(error);
    });
  }
  it("never sends anybody to an address that is not registered", async () => {
    for (const redirect of [
      "https://evil.example/",
      `${REDIRECT}/../x`,
      `${REDIRECT}?a`,
      "https://app.example.evil.example/callback",
    ]) {
      const answer = await makeBrowser(world.baseUrl).fetch(
        authorizationUrl(world.baseUrl, app, makeVerifier(), { redirect_uri: redirect }),
        { headers: { accept: "text/html" } },
      );
      expect(answer.status, redirect).to.equal(400);
      expect(answer.headers.get("location")).to.equal(null);
      expect(answer.headers.get("content-security-policy"))
        .to.include("default-src 'none'")
        .and.not.include("script-src"); // What people upload has the same origin, so no script of it may run here.
      const text = await answer.text();
      expect(text).not.to.match(/<script|fonts\.|node_modules|Error:/);
    }
  });

  const exchanges: [string, (code: string, verifier: string) => Promise<{ body: Record<string, string> }>][] =
    [
      ["another verifier", (code) => exchange(makeKey(), code, makeVerifier())],
      [
        "another redirect_uri",
        (code, verifier) => exchange(makeKey(), code, verifier, { redirect_uri: "https://app.example/" }),
      ],
      [
        "no proof",
        (code, verifier) =>
          requestToken(world.baseUrl, null, app, {
            grant_type: "authorization_code",
            code,
            redirect_uri: REDIRECT,
            code_verifier: verifier,
          }),
      ],
    ];
  for (const [what, attempt] of exchanges) {
    it(`refuses a code with ${what}`, async () => {
      const verifier = makeVerifier();
      expect((await attempt(await codeFor(verifier), verifier)).body["error"]).to.equal("invalid_grant");
    });
  }

  it("a code bound to a key (dpop_jkt) is refused with another", async () => {
    const verifier = makeVerifier();
    const key = makeKey();
    const code = await codeFor(verifier, { dpop_jkt: key.thumbprint });
    expect((await exchange(makeKey(), code, verifier)).body["error"]).to.equal("invalid_grant");
  });

  it("an ID token without the webid scope does not tell the WebID", async () => {
    const verifier = makeVerifier();
    const { body } = await exchange(makeKey(), await codeFor(verifier, { scope: "openid" }), verifier);
    expect(claimsOf(body["id_token"] ?? "")).not.to.have.property("webid");
    expect(body).not.to.have.property("refresh_token");
  });

  it("logout shows a plain page, and confirms", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    await login(browser, world.baseUrl, app, makeVerifier());
    const page = await browser.fetch(`${world.baseUrl}.oidc/session/end`, {
      headers: { accept: "text/html" },
    });
    const html = await page.text();
    expect(html)
      .to.include("Log out?")
      .and.not.match(/fonts|<style|<script/);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const confirm = (value: string) =>
      browser.fetch(`${world.baseUrl}.oidc/session/end/confirm`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ xsrf: value, logout: "yes" }),
      });
    expect((await confirm("forged")).status).to.equal(400);
    expect((await confirm(xsrf)).status).to.equal(303);
    const silent = await browser.fetch(
      authorizationUrl(world.baseUrl, app, makeVerifier(), { prompt: "none" }),
    );
    expect(silent.headers.get("location")).to.include("login_required");
  });
});

describe("provider: the consent page's doors", () => {
  let world: World;
  let app: App;
  before(async () => {
    world = await makeWorld();
    const { body } = await register(world.baseUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
  });
  after(() => world.close());

  const GOOD = { "content-type": "application/json", "sec-fetch-site": "same-origin" };
  async function begin(always = "account=a1") {
    const browser = makeBrowser(world.baseUrl, always);
    const start = await browser.fetch(authorizationUrl(world.baseUrl, app, makeVerifier()));
    const uid = new URL(start.headers.get("location") ?? "").searchParams.get("uid") ?? "";
    return { browser, door: `${world.baseUrl}.oidc/interaction/${uid}` };
  }

  const cases: [string, Record<string, string>, string, number][] = [
    ["another site", { ...GOOD, "sec-fetch-site": "cross-site" }, '{"allow":true}', 403],
    ["a sister site", { ...GOOD, "sec-fetch-site": "same-site" }, '{"allow":true}', 403],
    [
      "another origin in an old browser",
      { "content-type": "application/json", origin: "https://evil.example" },
      '{"allow":true}',
      403,
    ],
    ["nobody knows where", { "content-type": "application/json" }, '{"allow":true}', 403],
    ["a form", { ...GOOD, "content-type": "text/plain" }, '{"allow":true}', 415],
    ["neither yes nor no", GOOD, '{"allow":"yes"}', 400],
    ["no JSON", GOOD, "allow", 400],
  ];
  for (const [what, headers, body, status] of cases) {
    it(`refuse an answer from ${what}`, async () => {
      const { browser, door } = await begin();
      expect((await browser.fetch(door, { method: "POST", headers, body })).status).to.equal(status);
    });
  }
  it("take an answer with our Origin from a browser without Sec-Fetch-Site", async () => {
    const { browser, door } = await begin();
    const answer = await browser.fetch(door, {
      method: "POST",
      headers: { "content-type": "application/json", origin: new URL(world.baseUrl).origin },
      body: '{"allow":true}',
    });
    expect(answer.status).to.equal(200);
  });
  it("show what an application calls itself as one line that hides nothing", async () => {
    const name = "Notes\u202e\n\u2028from   your\u200b pod" + "x".repeat(200);
    const { body } = await register(world.baseUrl, {
      client_name: name,
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const odd = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
    const start = await browser.fetch(authorizationUrl(world.baseUrl, odd, makeVerifier()));
    const uid = new URL(start.headers.get("location") ?? "").searchParams.get("uid") ?? "";
    const { client } = (await (await browser.fetch(`${world.baseUrl}.oidc/interaction/${uid}`)).json()) as {
      client: { name: string };
    };
    expect(client.name)
      .to.match(/^Notes from your podx+$/)
      .and.have.length(100);
  });
  it("say nothing to a browser that was not sent there", async () => {
    const { door } = await begin();
    const other = makeBrowser(world.baseUrl, "account=a1");
    expect((await other.fetch(door)).status).to.equal(404);
    expect(
      (await other.fetch(door, { method: "POST", headers: GOOD, body: '{"allow":true}' })).status,
    ).to.equal(404);
    expect(
      (
        await other.fetch(`${world.baseUrl}.oidc/interaction/unknown`, {
          headers: { cookie: "oidc-interaction=unknown" },
        })
      ).status,
    ).to.equal(404);
  });
  it("want a login before a yes", async () => {
    const { browser, door } = await begin("");
    expect(await (await browser.fetch(door)).json()).to.include({ webid: null, prompt: "login" });
    expect(
      (await browser.fetch(door, { method: "POST", headers: GOOD, body: '{"allow":true}' })).status,
    ).to.equal(401);
  });

  it("the owner's own pages get a short token for their key", async () => {
    const url = `${world.baseUrl}.oidc/session-token`;
    const key = makeKey();
    const ask = (headers: Record<string, string>) => fetch(url, { method: "POST", headers });
    const proof = makeProof(key, "POST", url);
    const answer = await ask({ cookie: "account=a1", "sec-fetch-site": "same-origin", dpop: proof });
    const { access_token: token, expires_in } = (await answer.json()) as Record<string, string>;
    expect(expires_in).to.equal(300);
    expect(claimsOf(token ?? "")).to.deep.include({
      webid: world.ana,
      aud: "solid",
      client_id: `${world.baseUrl}.ui/`,
      cnf: { jkt: key.thumbprint },
    });
    const target = `${world.baseUrl}ana/private`;
    const used = await fetch(target, {
      headers: { authorization: `DPoP ${token}`, dpop: makeProof(key, "GET", target) },
    });
    expect(await used.json()).to.include({ webid: world.ana, client: `${world.baseUrl}.ui/` });
    const statuses = await Promise.all([
      ask({ cookie: "account=a1", "sec-fetch-site": "same-origin", dpop: proof }),
      ask({ "sec-fetch-site": "same-origin", dpop: makeProof(key, "POST", url) }),
      ask({ cookie: "account=a1", "sec-fetch-site": "cross-site", dpop: makeProof(key, "POST", url) }),
      ask({ cookie: "account=a1", dpop: makeProof(key, "POST", url) }),
      ask({ cookie: "account=a1", "sec-fetch-site": "same-origin" }),
      ask({ cookie: "account=a1", "sec-fetch-site": "same-origin", dpop: makeProof(key, "POST", target) }),
    ]);
    expect(statuses.map(({ status }) => status)).to.deep.equal([401, 401, 403, 403, 401, 401]);
  });
});

describe("provider: registration", () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ limits: { registrationsPerIpMax: 1_000 } });
  });
  after(() => world.close());

  it("gives a confidential client a secret, and keeps only its hash", async () => {
    const { status, body } = await register(world.baseUrl, {
      client_name: "Shop",
      redirect_uris: [REDIRECT],
      scope: "openid webid offline_access",
      subject_type: "public",
    });
    expect(status, JSON.stringify(body)).to.equal(201);
    const secret = body["client_secret"] ?? "";
    expect(secret).to.have.length.greaterThan(40);
    expect(body)
      .to.include({ id_token_signed_response_alg: "ES256" })
      .and.not.have.property("registration_access_token");
    const stored: string[] = [];
    await world.store.read(SERVER_POD, async (snapshot) => {
      for await (const { value } of snapshot.all("oidc")) stored.push(Buffer.from(value).toString());
    });
    expect(stored.join()).to.include("Shop").and.not.include(secret);
    const app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT, secret };
    const verifier = makeVerifier();
    const back = await login(makeBrowser(world.baseUrl, "account=a1"), world.baseUrl, app, verifier);
    const form = {
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    };
    expect(
      (await requestToken(world.baseUrl, makeKey(), { ...app, secret: "wrong" }, form)).body["error"],
    ).to.equal("invalid_client");
    expect((await requestToken(world.baseUrl, makeKey(), app, form)).status).to.equal(200);
  });

  it("an RS256 ID token for a client that wants one", async () => {
    const { body } = await register(world.baseUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "RS256",
    });
    const app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
    const verifier = makeVerifier();
    const back = await login(makeBrowser(world.baseUrl, "account=a1"), world.baseUrl, app, verifier);
    const tokens = await requestToken(world.baseUrl, makeKey(), app, {
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    });
    const { protectedHeader } = await jwtVerify(
      tokens.body["id_token"] ?? "",
      createRemoteJWKSet(new URL(`${world.baseUrl}.oidc/jwks`)),
      { issuer: world.baseUrl, audience: app.clientId },
    );
    expect(protectedHeader.alg).to.equal("RS256");
  });

  it("no registered client can make itself somebody with client_credentials", async () => {
    const { body } = await register(world.baseUrl, {
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
    });
    const answer = await requestToken(
      world.baseUrl,
      makeKey(),
      { clientId: body["client_id"] ?? "", redirectUri: "", secret: body["client_secret"] ?? "" },
      { grant_type: "client_credentials" },
    );
    expect(answer.status).to.equal(400);
    expect(answer.body).not.to.have.property("access_token");
  });

  const redirects: [string, boolean, string?][] = [
    ["https://app.example/cb", true],
    ["http://localhost:8080/cb", true],
    ["http://127.0.0.1/cb", true],
    ["http://[::1]:9/cb", true],
    ["com.example.app:/cb", true, "native"],
    ["http://app.example/cb", false],
    ["http://192.168.1.2/cb", false],
    ["javascript:alert(1)", false],
    ["data:text/html,x", false, "native"],
    ["myapp:/cb", false, "native"],
    ["https://a:b@app.example/cb", false],
    ["https://app.example/cb#x", false],
    ["/cb", false],
    ["http://localhost.evil.example/cb", false],
  ];
  for (const [uri, isGood, type = "web"] of redirects) {
    it(`${isGood ? "takes" : "refuses"} the redirect ${uri}`, async () => {
      const { status, body } = await register(world.baseUrl, {
        redirect_uris: [uri],
        application_type: type,
        token_endpoint_auth_method: "none",
      });
      expect(status, JSON.stringify(body)).to.equal(isGood ? 201 : 400);
    });
  }

  for (const [what, metadata] of [
    ["redirects without end", { redirect_uris: Array.from({ length: 300 }, (_, at) => `${REDIRECT}/${at}`) }],
    ["a redirect of thousands of letters", { redirect_uris: [`${REDIRECT}?${"x".repeat(9_000)}`] }],
    ["a name of thousands of letters", { redirect_uris: [REDIRECT], client_name: "x".repeat(20_000) }],
  ] as const) {
    it(`refuses ${what}: anybody may register, and each is a record`, async () => {
      const { status, body } = await register(world.baseUrl, {
        ...metadata,
        token_endpoint_auth_method: "none",
      });
      expect(status).to.equal(400);
      expect(body["error"]).to.equal("invalid_client_metadata");
    });
  }

  it("is limited for one network", async () => {
    const small = await makeWorld({ limits: { registrationsPerIpMax: 3 } });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1)
      statuses.push((await register(small.baseUrl, { redirect_uris: [REDIRECT] })).status);
    expect(statuses).to.deep.equal([201, 201, 201, 429, 429]);
    await small.close();
  });

  it("what was never used is swept away", async () => {
    let time = Date.now();
    const short = await makeWorld({ now: () => new Date(time) });
    const { body } = await register(short.baseUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    expect(await short.provider.sweep()).to.equal(0);
    time += 8 * 24 * 3_600_000;
    expect(await short.provider.sweep()).to.equal(1);
    const answer = await makeBrowser(short.baseUrl).fetch(
      authorizationUrl(
        short.baseUrl,
        { clientId: body["client_id"] ?? "", redirectUri: REDIRECT },
        makeVerifier(),
      ),
    );
    expect(answer.status).to.equal(400);
    expect(await short.provider.publicKeys()).to.have.lengthOf(2);
    await short.close();
  });
});

describe("provider: behind a proxy with TLS", () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ baseUrl: "https://pod.example/" });
    world.accounts.credentials.set(ID, { secretHash: hash("sha256", SECRET, "buffer"), webid: world.ana });
  });
  after(() => world.close());

  it("addresses and cookies are those of the public address", async () => {
    const { body } = await register(world.localUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    const app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
    const url = authorizationUrl(world.localUrl, app, makeVerifier());
    const answer = await fetch(url, { redirect: "manual" });
    expect(answer.headers.get("location")).to.match(/^https:\/\/pod\.example\/\.account\/consent\?uid=/);
    const cookies = answer.headers.getSetCookie().filter((line) => !line.includes("1970"));
    for (const line of cookies)
      expect(line)
        .to.match(/; secure/i)
        .and.not.match(/domain=/i);
    // No sister host can plant a login of its own here, and have it allowed in this browser.
    const interaction = cookies.filter((line) => line.startsWith("__Host-oidc-interaction"));
    expect(interaction).to.have.length(2);
    for (const line of interaction) expect(line).to.match(/; path=\/;/);
    expect(
      cookies.filter((line) => /^__Secure-oidc-resume.*; path=\/\.oidc\/auth\//.test(line)),
    ).to.have.length(2);
    expect(cookies).to.have.length(4);
  });

  it("a proof names the public address", async () => {
    const ask = async (htu: string) => {
      const key = makeKey();
      const app = { clientId: ID, redirectUri: "", secret: SECRET };
      const proof = makeProof(key, "POST", htu);
      return requestToken(world.localUrl, key, app, { grant_type: "client_credentials" }, proof);
    };
    const good = await ask("https://pod.example/.oidc/token");
    expect(good.status, JSON.stringify(good.body)).to.equal(200);
    expect(claimsOf(good.body["access_token"] ?? "")).to.include({ iss: "https://pod.example/" });
    expect((await ask(`${world.localUrl}.oidc/token`)).status).to.equal(400);
  });

  it("other spellings of its paths are no way around a budget", async () => {
    const small = await makeWorld({ limits: { registrationsPerIpMax: 1 } });
    const post = (path: string) =>
      fetch(small.baseUrl + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ redirect_uris: [REDIRECT] }),
      });
    expect((await post(".oidc/reg")).status).to.equal(201);
    for (const path of [
      ".oidc/reg",
      ".oidc/reg/",
      ".oidc/%72eg",
      ".oidc/REG",
      ".oidc//reg",
      ".oidc/reg?a",
      ".oidc/x/../reg",
    ]) {
      expect((await post(path)).status, path).to.be.oneOf([404, 405, 429]);
    }
    await small.close();
  });
});

describe("provider: nobody there", () => {
  it("a token of a WebID that cannot be is refused, not answered as a bad request", async () => {
    const world = await makeWorld();
    const strange = `${world.baseUrl}ana//card#me` as WebId;
    world.accounts.credentials.set(ID, { secretHash: hash("sha256", SECRET, "buffer"), webid: strange });
    const key = makeKey();
    const app = { clientId: ID, redirectUri: "", secret: SECRET };
    const { body } = await requestToken(world.baseUrl, key, app, { grant_type: "client_credentials" });
    const url = `${world.baseUrl}ana/private`;
    const headers = { authorization: `DPoP ${body["access_token"]}`, dpop: makeProof(key, "GET", url) };
    expect((await fetch(url, { headers })).status).to.equal(401);
    await world.close();
  });

  it("revoking a refresh token ends it, and its proof of consent", async () => {
    const world = await makeWorld();
    const { body } = await register(world.baseUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    const app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
    const verifier = makeVerifier();
    const back = await login(makeBrowser(world.baseUrl, "account=a1"), world.baseUrl, app, verifier);
    const key = makeKey();
    const code = back.searchParams.get("code") ?? "";
    const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier };
    const tokens = await requestToken(world.baseUrl, key, app, form);
    const token = tokens.body["refresh_token"] ?? "";
    const revoke = await fetch(`${world.baseUrl}.oidc/token/revocation`, {
      method: "POST",
      body: new URLSearchParams({ token, client_id: app.clientId }),
    });
    expect(revoke.status).to.equal(200);
    const again = await requestToken(world.baseUrl, key, app, {
      grant_type: "refresh_token",
      refresh_token: token,
    });
    expect(again.body["error"]).to.equal("invalid_grant");
    await world.close();
  });

  it("an account that is gone gets no token", async () => {
    const world = await makeWorld();
    const { body } = await register(world.baseUrl, {
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    const app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
    world.accounts.people.set("b1", `${world.baseUrl}ben/profile/card#me` as WebId);
    const verifier = makeVerifier();
    const back = await login(makeBrowser(world.baseUrl, "account=b1"), world.baseUrl, app, verifier);
    world.accounts.people.delete("b1");
    const answer = await requestToken(world.baseUrl, makeKey(), app, {
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    });
    expect(answer.status).to.equal(400);
    expect(answer.body).not.to.have.property("access_token");
    await world.close();
  });
});
