/** "Request access": what a person sees at a closed door, and how they ask. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

describe("a closed door in a browser", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let cookie: string;
  const html = { accept: "text/html", "sec-fetch-mode": "navigate" };

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    await ana.fetch(`${ana.pod}notes/today.ttl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<#it> <https://schema.org/name> 1 .",
    });
    const entered = await fetch(`${server.baseUrl}.account/login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.baseUrl.slice(0, -1) },
      body: JSON.stringify({ pod: "ben", password: "a long password of Ben" }),
    });
    expect(entered.status, await entered.clone().text()).to.equal(200);
    cookie = (entered.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
  });
  after(() => server.close());

  const linkIn = (page: string): string =>
    /href="([^"]*request-access[^"]*)"/.exec(page)?.[1]?.replaceAll("&#38;", "&") ?? "";
  const form = (
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> =>
    fetch(`${server.baseUrl}.account/request-access`, {
      method: "POST",
      headers: {
        cookie,
        origin: server.baseUrl.slice(0, -1),
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
      body: new URLSearchParams(fields),
    });
  const good = {
    for: "/ana/notes/today.ttl",
    purpose: "https://w3id.org/dpv#ServiceProvision",
    reason: "We plan the party together",
    days: "7",
  };

  it("offers to ask, the same for what is there and what is not", async () => {
    const pages = await Promise.all(
      ["notes/today.ttl", "notes/nothing.ttl"].map(async (path) => {
        const response = await fetch(`${ana.pod}${path}`, { headers: html });
        expect(response.status).to.equal(401);
        const page = await response.text();
        expect(page).to.include("Request access").and.not.include("<script");
        return linkIn(page);
      }),
    );
    expect(pages).to.deep.equal([
      "/.account/request-access?for=%2Fana%2Fnotes%2Ftoday.ttl",
      "/.account/request-access?for=%2Fana%2Fnotes%2Fnothing.ttl",
    ]);
    const forbidden = await ben.fetch(`${ana.pod}notes/today.ttl`, { headers: html });
    expect([forbidden.status, linkIn(await forbidden.text())]).to.deep.equal([403, pages[0]]);
    const absent = await ana.fetch(`${ana.pod}notes/nothing.ttl`, { headers: html });
    expect([absent.status, linkIn(await absent.text())]).to.deep.equal([404, ""]);
  });

  it("says to sign in first, and then shows a form without scripts", async () => {
    const url = `${server.baseUrl}.account/request-access?for=%2Fana%2Fnotes%2Ftoday.ttl`;
    expect(await (await fetch(url)).text())
      .to.include("Sign in")
      .and.not.include("<form");
    const response = await fetch(url, { headers: { cookie } });
    const page = await response.text();
    expect(page).to.include("<form").and.include(`${ana.pod}notes/today.ttl`).and.not.include("<script");
    expect(response.headers.get("content-security-policy"))
      .to.include("form-action 'self'")
      .and.include("default-src 'none'");
    const odd = await fetch(
      `${server.baseUrl}.account/request-access?for=${encodeURIComponent('/ana/a"><b>.ttl')}`,
      { headers: { cookie } },
    );
    expect(await odd.text()).to.not.include("<b>");
    for (const place of [
      "",
      "/",
      "/ana/.journal/",
      "/ana/.consent/requests",
      "//evil.example/",
      "/.account/state",
    ])
      expect(
        (
          await fetch(`${server.baseUrl}.account/request-access?for=${encodeURIComponent(place)}`, {
            headers: { cookie },
          })
        ).status,
        place,
      ).to.equal(404);
  });

  it("asks, and opens when the owner says yes", async () => {
    expect((await form(good)).status).to.equal(200);
    const { items } = (await (await ana.fetch(`${ana.pod}.consent/requests`)).json()) as {
      readonly items: readonly { readonly id: string; readonly benefit: unknown }[];
    };
    expect(items).to.have.length(1);
    expect(items[0]?.benefit).to.deep.equal([{ "@value": good.reason, "@language": "en" }]);
    expect((await ben.fetch(`${ana.pod}notes/today.ttl`)).status).to.equal(403);
    await ana.fetch(`${items[0]?.id}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"outcome":"grant"}',
    });
    expect((await ben.fetch(`${ana.pod}notes/today.ttl`)).status).to.equal(200);
    expect((await ben.fetch(`${ana.pod}notes/`)).status, "and nothing else").to.equal(403);
  });

  it("takes no form from elsewhere, from nobody, or that says something else", async () => {
    expect((await form(good, { origin: "https://evil.example" })).status).to.equal(403);
    expect((await form(good, { origin: "null" })).status).to.equal(403);
    expect((await form(good, { cookie: "" })).status).to.equal(401);
    expect((await form({ ...good, reason: "x".repeat(141) })).status).to.equal(400);
    expect((await form({ ...good, reason: "two\nlines" })).status).to.equal(400);
    expect((await form({ ...good, purpose: "https://w3id.org/dpv#Purpose" })).status).to.equal(400);
    expect((await form({ ...good, days: "9999" })).status).to.equal(400);
    expect((await form({ ...good, for: "/nobody/x" })).status).to.equal(404);
    expect((await form({ ...good, for: "/ana/.consent/" })).status).to.equal(404);
    expect((await form({ ...good, reason: "x".repeat(5_000) })).status).to.equal(413);
  });
});
