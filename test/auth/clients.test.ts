import { EVENTS, Session } from "@inrupt/solid-client-authn-node";
import { expect } from "chai";
import {
  type App,
  authorizationUrl,
  consent,
  login,
  makeBrowser,
  makeVerifier,
  requestToken,
} from "./browser.ts";
import { type ForeignIssuer, makeIssuer } from "./issuer.ts";
import { makeKey, makeWorld, type World } from "./support.ts";

const CONTEXT = ["https://www.w3.org/ns/solid/oidc-context.jsonld"];

describe("clients that describe themselves by a document", () => {
  let site: ForeignIssuer; // Any web server.
  let world: World;
  let app: App;
  beforeEach(async () => {
    site = await makeIssuer();
    world = await makeWorld({ egressAllow: [site.origin] });
    app = { clientId: `${site.origin}/id`, redirectUri: `${site.origin}/callback` };
    put({});
  });
  afterEach(async () => {
    await world.close();
    await site.close();
  });

  const put = (change: Record<string, unknown>, path = "/id"): void => {
    const document = {
      "@context": CONTEXT,
      client_id: `${site.origin}/id`,
      client_name: "Notes",
      client_uri: `${site.origin}/`,
      redirect_uris: [`${site.origin}/callback`],
      scope: "openid webid offline_access",
      grant_types: ["refresh_token", "authorization_code"],
      logo_uri: "https://tracker.example/logo.png",
      ...change,
    };
    site.documents.set(path, { type: "application/ld+json", body: JSON.stringify(document) });
  };
  const start = (browser = makeBrowser(world.baseUrl, "account=a1"), more = {}) =>
    browser.fetch(authorizationUrl(world.baseUrl, app, makeVerifier(), more));

  it("log in, get tokens, and refresh them", async () => {
    const verifier = makeVerifier();
    const back = await login(makeBrowser(world.baseUrl, "account=a1"), world.baseUrl, app, verifier);
    const key = makeKey();
    const { body } = await requestToken(world.baseUrl, key, app, {
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      redirect_uri: app.redirectUri,
      code_verifier: verifier,
    });
    expect(body, JSON.stringify(body)).to.include({ token_type: "DPoP" });
    const again = await requestToken(world.baseUrl, key, app, {
      grant_type: "refresh_token",
      refresh_token: body["refresh_token"] ?? "",
    });
    expect(again.status).to.equal(200);
    expect(site.hits, "one fetch for the whole conversation").to.deep.equal(["/id"]);
  });

  it("are shown by their own name", async () => {
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const uid = new URL((await start(browser)).headers.get("location") ?? "").searchParams.get("uid");
    const question = (await (
      await browser.fetch(`${world.baseUrl}.oidc/interaction/${uid}`)
    ).json()) as Record<string, unknown>;
    expect(question["client"]).to.deep.equal({
      id: app.clientId,
      name: "Notes",
      uri: `${site.origin}/`,
      describedBy: site.origin,
      policy: null,
      terms: null,
    });
  });

  it("show pages about themselves that are their own, and no others", async () => {
    put({ policy_uri: `${site.origin}/privacy`, tos_uri: "https://elsewhere.example/terms" });
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const uid = new URL((await start(browser)).headers.get("location") ?? "").searchParams.get("uid");
    const answer = await browser.fetch(`${world.baseUrl}.oidc/interaction/${uid}`);
    const { client } = (await answer.json()) as { client: Record<string, unknown> };
    expect(client).to.include({ describedBy: site.origin, policy: `${site.origin}/privacy`, terms: null });
  });

  const bad: [string, () => void][] = [
    ["of another client", () => put({ client_id: `${site.origin}/other` })],
    ["without a client_id", () => put({ client_id: undefined })],
    ["without redirect_uris", () => put({ redirect_uris: undefined })],
    ["with no redirect_uris", () => put({ redirect_uris: [] })],
    [
      "with an unsafe redirect",
      () => put({ redirect_uris: [`${site.origin}/callback`, "http://192.168.0.1/"] }),
    ],
    ["with another redirect", () => put({ redirect_uris: ["https://other.example/"] })],
    ["that is no JSON", () => site.documents.set("/id", { body: "<html>" })],
    ["that is a list", () => site.documents.set("/id", { body: "[]" })],
    ["that is too long", () => put({ filler: "x".repeat(9_000) })],
    ["that is not there", () => site.documents.delete("/id")],
  ];
  for (const [what, change] of bad) {
    it(`a document ${what} is refused`, async () => {
      change();
      const answer = await start();
      expect(answer.status).to.equal(400);
      expect(answer.headers.get("location")).to.equal(null);
    });
  }

  it("a document cannot give itself more than an application may have", async () => {
    put({
      token_endpoint_auth_method: "client_secret_basic",
      client_secret: "x",
      grant_types: ["client_credentials", "implicit"],
      scope: "openid webid admin",
      dpop_bound_access_tokens: false,
    });
    const answer = await requestToken(
      world.baseUrl,
      makeKey(),
      { ...app, secret: "x" },
      { grant_type: "client_credentials" },
    );
    expect(answer.body).not.to.have.property("access_token");
    expect((await start()).headers.get("location")).to.include(".account/consent");
  });

  it("spellings of one address are not two clients", async () => {
    for (const id of [
      `${site.origin}/x/../id`,
      `${site.origin}/id#a`,
      site.origin.replace("//", "//a@") + "/id",
      `${site.origin.toUpperCase()}/id`,
    ]) {
      app = { ...app, clientId: id };
      expect((await start()).status, id).to.equal(400);
    }
    expect(site.hits).to.deep.equal([]);
  });

  it("are not fetched from private addresses", async () => {
    const strict = await makeWorld();
    const browser = makeBrowser(strict.baseUrl);
    for (const clientId of [
      app.clientId,
      "https://127.0.0.1/id",
      "https://localhost/id",
      "https://[::1]/id",
      "https://169.254.169.254/latest",
    ]) {
      const answer = await browser.fetch(
        authorizationUrl(strict.baseUrl, { ...app, clientId }, makeVerifier()),
        { headers: { accept: "application/json" } },
      );
      expect(answer.status, clientId).to.equal(400);
      expect(await answer.text()).not.to.match(/ECONN|BLOCKED|127\.0\.0\.1:/);
    }
    expect(site.hits).to.deep.equal([]);
    await strict.close();
  });
});

describe("the public client library", () => {
  it("registers itself, logs in by authorization code, and reads as Ana", async () => {
    const world = await makeWorld();
    const redirect = "http://localhost:9/callback";
    const session = new Session({ keepAlive: false });
    let tokens: unknown = null;
    session.events.on(EVENTS.NEW_TOKENS, (given) => {
      tokens = given;
    });
    const browser = makeBrowser(world.baseUrl, "account=a1");
    const asked = await new Promise<string>((resolve, reject) => {
      session
        .login({
          oidcIssuer: world.baseUrl,
          redirectUrl: redirect,
          clientName: "Library",
          handleRedirect: resolve,
        })
        .catch(reject);
    });
    const page = await browser.fetch(asked);
    const back = await consent(browser, world.baseUrl, page.headers.get("location") ?? "");
    const info = await session.handleIncomingRedirect(back.href);
    expect(info).to.include({ isLoggedIn: true, webId: world.ana });
    expect(tokens).not.to.equal(null);
    const answer = await session.fetch(`${world.baseUrl}ana/private`);
    expect(await answer.json()).to.include({ webid: world.ana, issuer: world.baseUrl });
    await session.logout({ logoutType: "app" });
    await world.close();
  });
});
