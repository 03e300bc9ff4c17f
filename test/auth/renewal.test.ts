/** Signing keys that change, nonces, and what a client may read before it asks: over HTTP. */
import { hash } from "node:crypto";
import { expect } from "chai";
import { createProviderKeys } from "../../server/auth/keys.ts";
import { createNonces } from "../../server/auth/nonce.ts";
import { createPerson } from "../../server/cli/people.ts";
import { LIMITS } from "../../server/limits.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { signIn } from "./app.ts";
import { type App, headerOf, requestToken } from "./browser.ts";
import { makeKey, makeProof, makeWorld, type World } from "./support.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("the provider's signing keys", () => {
  let ahead: number;
  const now = () => new Date(Date.now() + ahead);
  beforeEach(() => {
    ahead = 0;
  });
  const kidOf = async (keys: ReturnType<typeof createProviderKeys>, alg: "ES256" | "RS256") =>
    headerOf(await keys.sign({ a: 1 }, "at+jwt", alg))["kid"];

  it("are renewed after 90 days: published an hour before they sign, and gone when nothing of them is out", async () => {
    const store = createMemoryStore();
    const keys = createProviderKeys({ store, now, limits: LIMITS });
    expect(await keys.renew(), "nobody has asked for any").to.equal(false);
    const kids = async () => (await keys.publicJwks()).map(({ kid }) => kid);
    const before = await kids();
    const old = { ES256: await kidOf(keys, "ES256"), RS256: await kidOf(keys, "RS256") };
    expect(before).to.have.members([old.ES256, old.RS256]);

    ahead = 89 * DAY_MS;
    expect(await keys.renew()).to.equal(false);
    ahead = 91 * DAY_MS;
    expect(await keys.renew()).to.equal(true);
    expect(await keys.renew(), "once").to.equal(false);
    expect(await kids())
      .to.have.lengthOf(4)
      .and.include.members(before);
    expect(await kidOf(keys, "ES256"), "nobody can know the new one yet").to.equal(old.ES256);

    ahead += HOUR_MS + 1;
    expect(await kidOf(keys, "ES256")).to.not.be.oneOf(before);
    expect(await kidOf(keys, "RS256")).to.not.be.oneOf(before);
    expect(await kids(), "tokens of the old ones are out").to.include.members(before);
    await keys.renew();
    expect(await kids()).to.include.members(before);

    ahead += Math.max(LIMITS.accessTokenMsMax, LIMITS.credentialTokenMsMax);
    await keys.renew();
    expect(await kids())
      .to.have.lengthOf(2)
      .and.not.include.members(before);
    for (const jwk of await keys.publicJwks())
      expect(jwk).to.not.have.any.keys("d", "p", "q", "dp", "dq", "qi", "k");
  });

  it("are the same at another server on the same store, at once", async () => {
    const store = createMemoryStore();
    const [one, other] = [
      createProviderKeys({ store, now, limits: LIMITS }),
      createProviderKeys({ store, now, limits: LIMITS }),
    ];
    expect(await kidOf(one, "ES256")).to.equal(await kidOf(other, "ES256"));
    ahead = 91 * DAY_MS;
    expect(await Promise.all([one.renew(), other.renew()]), "one of the two renews").to.have.members([
      true,
      false,
    ]);
    ahead += 2 * HOUR_MS;
    expect(await kidOf(one, "ES256")).to.equal(await kidOf(other, "ES256"));
    expect(await one.publicJwks()).to.deep.equal(await other.publicJwks());
  });

  it("over HTTP: the key set, access tokens and ID tokens go along, and logins go on", async () => {
    const world = await makeWorld({ now });
    try {
      const app: App = { clientId: "program", redirectUri: "", secret: "s3cret" };
      world.accounts.credentials.set("program", {
        secretHash: hash("sha256", "s3cret", "buffer"),
        webid: world.ana,
      });
      const log = async () => {
        const { body } = await requestToken(world.baseUrl, makeKey(), app, {
          grant_type: "client_credentials",
        });
        return [headerOf(body["access_token"] ?? "")["kid"], headerOf(body["id_token"] ?? "")["kid"]];
      };
      const kids = async () => {
        const { keys } = (await (await fetch(`${world.baseUrl}.oidc/jwks`)).json()) as {
          keys: { kid: string }[];
        };
        return keys.map(({ kid }) => kid);
      };
      const [before, first] = [await kids(), await log()];
      expect(before).to.have.lengthOf(2).and.include.members(first);
      ahead = 91 * DAY_MS;
      await world.provider.sweep();
      expect(await kids())
        .to.have.lengthOf(4)
        .and.include.members(before);
      expect(await log()).to.deep.equal(first);
      ahead += HOUR_MS + 1;
      const second = await log();
      expect(second[0]).to.equal(second[1]).and.not.be.oneOf(before);
      expect(await kids())
        .to.have.lengthOf(4)
        .and.include.members([...before, second[0]]);
      ahead += 2 * HOUR_MS;
      await world.provider.sweep();
      expect(await kids())
        .to.have.lengthOf(2)
        .and.not.include.members(before);
      expect(await log()).to.deep.equal(second);
    } finally {
      await world.close();
    }
  });
});

describe("DPoP nonces", () => {
  it("are good for two to three minutes, whichever server gave them", async () => {
    let at = 1_000_000_000_000;
    const [one, other] = [1, 2].map(() =>
      createNonces(
        async () => Buffer.alloc(32, 7),
        () => new Date(at),
      ),
    );
    const stranger = createNonces(
      async () => Buffer.alloc(32, 8),
      () => new Date(at),
    );
    for (let offset = 0; offset < 60_000; offset += 7_000) {
      at = 1_000_000_000_000 + offset;
      const nonce = (await one?.current()) ?? "";
      expect(nonce).to.match(/^[\w-]{22}$/);
      expect(await stranger.isGood(nonce)).to.equal(false);
      for (const [later, isGood] of [
        [0, true],
        [119_000, true],
        [180_000, false],
      ] as const) {
        at = 1_000_000_000_000 + offset + later;
        expect(await other?.isGood(nonce), `${offset} + ${later}`).to.equal(isGood);
      }
      for (const wrong of [
        undefined,
        null,
        7,
        "",
        `${nonce}=`,
        nonce.slice(1),
        nonce.toUpperCase(),
        "ä".repeat(22),
      ])
        expect(await one?.isGood(wrong), String(wrong)).to.equal(false);
    }
  });

  describe("where the operator wants them", () => {
    let world: World;
    const key = makeKey();
    let token: string;
    before(async () => {
      world = await makeWorld({ dpopNonce: true });
      world.accounts.credentials.set("program", {
        secretHash: hash("sha256", "s3cret", "buffer"),
        webid: world.ana,
      });
    });
    after(() => world.close());

    const askToken = (claims: Record<string, unknown>) => {
      const url = `${world.baseUrl}.oidc/token`;
      return fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          authorization: `Basic ${btoa("program:s3cret")}`,
          dpop: makeProof(key, "POST", url, { claims }),
        },
        body: "grant_type=client_credentials",
      });
    };
    const ask = (claims: Record<string, unknown>) => {
      const url = `${world.baseUrl}ana/private`;
      return fetch(url, {
        headers: { authorization: `DPoP ${token}`, dpop: makeProof(key, "GET", url, { claims }) },
      });
    };

    it("the token endpoint asks for one, and takes it", async () => {
      const first = await askToken({});
      expect([first.status, ((await first.json()) as { error: string }).error]).to.deep.equal([
        400,
        "use_dpop_nonce",
      ]);
      expect(first.headers.get("access-control-expose-headers")).to.match(/DPoP-Nonce/);
      const second = await askToken({ nonce: first.headers.get("dpop-nonce") });
      expect(second.status).to.equal(200);
      token = ((await second.json()) as { access_token: string }).access_token;
    });

    it("a pod asks for one, takes it, and takes each proof once all the same", async () => {
      const first = await ask({});
      expect(first.status).to.equal(401);
      expect(first.headers.get("www-authenticate")).to.match(/^DPoP realm=.* error="use_dpop_nonce"/);
      const nonce = first.headers.get("dpop-nonce");
      expect(nonce).to.match(/^[\w-]{22}$/);
      expect((await ask({ nonce })).status).to.equal(200);
      expect((await ask({ nonce })).status, "another proof with the same nonce").to.equal(200);
      const claims = { nonce, jti: "once" };
      expect((await ask(claims)).status).to.equal(200);
      expect((await ask(claims)).status, "a replay").to.equal(401);
    });

    for (const [what, nonce] of [
      ["one that was made up", "A".repeat(22)],
      ["one that is no text", 7],
      ["none", undefined],
    ] as const)
      it(`${what} is answered with a good one`, async () => {
        const answer = await ask({ nonce });
        expect(answer.status).to.equal(401);
        expect(answer.headers.get("www-authenticate")).to.match(/error="use_dpop_nonce"/);
        expect((await ask({ nonce: answer.headers.get("dpop-nonce") })).status).to.equal(200);
      });

    it("a wrong proof is told nothing of nonces", async () => {
      const answer = await ask({ htm: "PUT" });
      expect(answer.headers.get("www-authenticate")).to.match(/error="invalid_dpop_proof"/);
      expect(answer.headers.get("dpop-nonce")).to.equal(null);
    });
  });

  it("by FREEHOLD_DPOP_NONCE=on, on a whole server: the owner's own pages learn it from the first refusal", async () => {
    const server = await startServer({ FREEHOLD_DPOP_NONCE: "on" });
    try {
      await createPerson(server.context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
      const browser = await signIn(server, "Ana");
      const key = makeKey();
      const door = `${server.baseUrl}.oidc/session-token`;
      const given = await browser.fetch(door, {
        method: "POST",
        headers: { dpop: makeProof(key, "POST", door), "sec-fetch-site": "same-origin" },
      });
      const { access_token: token } = (await given.json()) as { access_token: string };
      const url = `${server.baseUrl}ana/`;
      const ask = (claims: Record<string, unknown>) =>
        fetch(url, {
          headers: {
            authorization: `DPoP ${token}`,
            dpop: makeProof(key, "GET", url, { claims }),
            origin: "https://app.example",
          },
        });
      const first = await ask({});
      expect(first.status).to.equal(401);
      expect(first.headers.get("access-control-expose-headers")).to.match(/DPoP-Nonce/);
      expect(((await first.json()) as { type: string }).type).to.match(/#token-invalid$/);
      expect((await ask({ nonce: first.headers.get("dpop-nonce") })).status).to.equal(200);
      const userinfo = `${server.baseUrl}.oidc/userinfo`;
      const who = (claims: Record<string, unknown>) =>
        fetch(userinfo, {
          headers: { authorization: `DPoP ${token}`, dpop: makeProof(key, "GET", userinfo, { claims }) },
        });
      const refused = await who({});
      expect([refused.status, ((await refused.json()) as { error: string }).error]).to.deep.equal([
        401,
        "use_dpop_nonce",
      ]);
      expect((await who({ nonce: refused.headers.get("dpop-nonce") })).status).to.equal(200);
    } finally {
      await server.close();
    }
  });

  it("are off unless the operator says otherwise", async () => {
    const world = await makeWorld();
    try {
      expect(world.provider.nonces).to.equal(null);
    } finally {
      await world.close();
    }
  });
});

describe("what a client may read before it asks for anything", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
    await server.person("Ana");
  });
  after(() => server.close());
  const get = async (path: string) => {
    const answer = await fetch(`${server.baseUrl}${path}`);
    return {
      status: answer.status,
      headers: answer.headers,
      body: (await answer.json()) as Record<string, unknown>,
    };
  };

  for (const path of ["", "/ana/", "/ana/notes/a.ttl", "/nobody/x"])
    it(`of the resource ${path || "/"}: who gives tokens for it, and how they are shown (RFC 9728)`, async () => {
      const { status, headers, body } = await get(`.well-known/oauth-protected-resource${path}`);
      expect(status).to.equal(200);
      expect(headers.get("access-control-allow-origin")).to.be.oneOf(["*", null]);
      expect(headers.get("content-type")).to.match(/^application\/json/);
      expect(body).to.deep.include({
        resource: server.baseUrl.slice(0, -1) + (path || "/"),
        authorization_servers: [server.baseUrl],
        bearer_methods_supported: [],
        dpop_bound_access_tokens_required: true,
      });
      expect(body["scopes_supported"]).to.include("webid");
      expect(body["dpop_signing_alg_values_supported"])
        .to.include("ES256")
        .and.not.include("none")
        .and.not.include("HS256");
    });

  it("not of what no resource can be", async () => {
    expect((await get(".well-known/oauth-protected-resource/ana/?x=1")).status).to.equal(404);
    expect((await get(".well-known/oauth-protected-resource/ana/a%2fb")).status).to.equal(400);
  });

  it("of the provider, in both documents the same (RFC 8414, OpenID discovery)", async () => {
    const [one, other] = [
      await get(".well-known/openid-configuration"),
      await get(".well-known/oauth-authorization-server"),
    ];
    expect(one.body).to.deep.equal(other.body);
    expect(one.body).to.deep.include({
      issuer: server.baseUrl,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ["S256"],
      response_types_supported: ["code"],
      end_session_endpoint: `${server.baseUrl}.oidc/session/end`,
    });
    expect(one.body["scopes_supported"]).to.include("webid");
    expect(one.body["grant_types_supported"]).to.have.members([
      "authorization_code",
      "refresh_token",
      "client_credentials",
    ]);
    expect(one.body["id_token_signing_alg_values_supported"]).to.have.members(["ES256", "RS256"]);
  });
});
