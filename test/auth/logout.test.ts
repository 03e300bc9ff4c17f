/** Logging out by way of an app: asked, confirmed, and sent back to where the app said when it registered. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type LetIn, letIn, REDIRECT, signIn } from "./app.ts";
import { type App, authorizationUrl, type Browser, makeVerifier, register } from "./browser.ts";
import { makeKey, signJwt } from "./support.ts";

const AFTER = "https://app.example/bye";

describe("logout that an app asks for (OpenID Connect RP-Initiated Logout)", () => {
  let server: TestServer;
  let ana: Person;
  let browser: Browser;
  let mine: App;
  let app: LetIn;

  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS:
        "registrationsPerIpMax=1000,authorizationsPerIpMax=1000,loginsPerAccountMax=1000,loginsPerIpMax=1000",
    });
    ana = await server.person("Ana");
    const { body } = await register(server.baseUrl, {
      client_name: "Notes",
      redirect_uris: [REDIRECT],
      post_logout_redirect_uris: [AFTER],
      token_endpoint_auth_method: "none",
    });
    mine = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
  });
  after(() => server.close());
  beforeEach(async () => {
    browser = await signIn(server, "Ana");
    app = await letIn(server, browser, {}, mine);
  });

  const ask = (parameters: Record<string, string>) =>
    browser.fetch(`${server.baseUrl}.oidc/session/end?${new URLSearchParams(parameters).toString()}`);
  const hint = () => app.tokens["id_token"] ?? "";
  /** Whether a login of the app goes through without a question. */
  async function isSignedIn(): Promise<boolean> {
    const url = authorizationUrl(server.baseUrl, mine, makeVerifier(), { prompt: "none" });
    const answer = await browser.fetch(url);
    return new URL(answer.headers.get("location") ?? "").searchParams.has("code");
  }
  async function confirm(page: string): Promise<Response> {
    const secret = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? "";
    return browser.fetch(`${server.baseUrl}.oidc/session/end/confirm`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ xsrf: secret, logout: "yes" }),
    });
  }

  const ways: readonly (readonly [string, () => Record<string, string>])[] = [
    ["its ID token", () => ({ id_token_hint: hint() })],
    ["its name", () => ({ client_id: mine.clientId })],
    ["both", () => ({ id_token_hint: hint(), client_id: mine.clientId })],
  ];
  for (const [what, named] of ways)
    it(`of an app that says ${what}, asks the person, ends the sign-in, and goes back with the state`, async () => {
      expect(await isSignedIn()).to.equal(true);
      const page = await ask({ ...named(), post_logout_redirect_uri: AFTER, state: "s7" });
      const text = await page.text();
      expect(page.status, text).to.equal(200);
      expect(text)
        .to.include("Log out?")
        .and.not.match(/<script/);
      expect(await isSignedIn(), "nothing has happened yet").to.equal(true);
      const back = await confirm(text);
      expect(back.headers.get("location")).to.equal(`${AFTER}?state=s7`);
      expect(await isSignedIn()).to.equal(false);
    });

  it("is for the sign-in: what the app may do stays until the person takes it back", async () => {
    await confirm(await (await ask({ id_token_hint: hint() })).text());
    expect((await app.send("GET", `${ana.pod}profile/card`)).status).to.equal(200);
  });

  it("without the page's own secret nothing happens", async () => {
    await ask({ id_token_hint: hint() });
    expect((await confirm("")).status).to.equal(400);
    expect(await isSignedIn()).to.equal(true);
  });

  const bad: readonly (readonly [string, () => Record<string, string>])[] = [
    [
      "to an address that is not listed",
      () => ({ id_token_hint: hint(), post_logout_redirect_uri: "https://evil.example/" }),
    ],
    [
      "to an address below the listed one",
      () => ({ id_token_hint: hint(), post_logout_redirect_uri: `${AFTER}/x` }),
    ],
    ["to the address for logins", () => ({ id_token_hint: hint(), post_logout_redirect_uri: REDIRECT })],
    [
      "with an ID token that somebody else signed",
      () => ({
        id_token_hint: signJwt(
          { alg: "ES256" },
          { iss: server.baseUrl, aud: mine.clientId, sub: "x" },
          makeKey(),
        ),
        post_logout_redirect_uri: AFTER,
      }),
    ],
    [
      "with an access token as hint",
      () => ({ id_token_hint: app.tokens["access_token"] ?? "", post_logout_redirect_uri: AFTER }),
    ],
    [
      "with another app's name beside the ID token",
      () => ({ id_token_hint: hint(), client_id: ana.credentials.id }),
    ],
    ["with nonsense as hint", () => ({ id_token_hint: "nonsense", post_logout_redirect_uri: AFTER })],
    ["for an app that is not there", () => ({ client_id: "nobody", post_logout_redirect_uri: AFTER })],
  ];
  for (const [what, parameters] of bad)
    it(`${what}: 400, nobody is sent anywhere, and the sign-in stays`, async () => {
      const answer = await ask(parameters());
      expect([answer.status, answer.headers.get("location")], await answer.text()).to.deep.equal([400, null]);
      expect(await isSignedIn()).to.equal(true);
    });
});
