/** What somebody with less than all access may not learn from a stream, nor do to it. */
import { grant, openPod, type Pod } from "@freehold/client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const one = (time: string, value: number): string =>
  JSON.stringify({ time, value, sensor: "urn:meter:1", property: "urn:power" });

describe("time series, for whoever may do less", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let pod: Pod;
  before(async () => {
    server = await startServer();
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
  });
  after(() => server.close());

  const send = (stream: string, body: string, who: Person = ana): Promise<Response> =>
    who.fetch(`${ana.pod}.series/${stream}`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body,
    });
  async function sent(
    stream: string,
    body: string,
    who: Person = ana,
  ): Promise<{ readonly pages: string[] }> {
    const response = await send(stream, body, who);
    expect(response.ok).to.equal(true);
    return (await response.json()) as { pages: string[] };
  }

  it("a meter that may only add is told nothing of what is there: a guess is answered like any other", async () => {
    const stream = "home/guessed/";
    await sent(stream, `${one("2026-01-01T00:00:00Z", 21.5)}\n${one("2026-01-02T00:00:00Z", 7)}`);
    await grant(pod, stream, { to: shop.webid, modes: ["append"] });
    const guess = async (value: number): Promise<unknown> => {
      const response = await send(stream, one("2026-01-01T00:00:00Z", value), shop);
      return [response.status, await response.json()];
    };
    expect(await guess(21.5)).to.deep.equal(await guess(21.6));
    expect(await guess(21.6)).to.deep.equal([200, { stored: 0, repeated: 1, pages: [] }]);
    const rows = await ana.fetch(`${ana.pod}.series/${stream}?from=2026-01-01T00:00:00Z`);
    expect(await rows.json()).to.have.length(2);
    expect((await send(stream, one("2026-01-01T00:00:00Z", 21.6))).status, "who may read is told").to.equal(
      409,
    );
  });

  it("who may read one month is not told what is said of the whole stream", async () => {
    const stream = "home/said/";
    await sent(stream, `${one("2026-01-01T00:00:00Z", 1)}\n${one("2026-02-01T00:00:00Z", 2)}`);
    await pod.writeFile(
      `${stream}.meta`,
      `<./> <https://w3id.org/ldes#retentionPolicy> [ <https://w3id.org/ldes#fullLogDuration> "P99Y" ] .`,
      "text/turtle",
    );
    await grant(pod, `${stream}2026-02/`, { to: shop.webid, modes: ["read"] });
    const root = async (who: Person): Promise<string> =>
      (await who.fetch(`${ana.pod}.series/${stream}`, { headers: { accept: "text/turtle" } })).text();
    expect(await root(ana)).to.include("etentionPolicy");
    expect(await root(shop))
      .to.include("2026-02")
      .and.not.include("etentionPolicy");
  });

  it("what is kept no longer is gone, not missing: but only who may read the folder is told so", async () => {
    const stream = "home/gone/";
    const view = `${ana.pod}.series/${stream}`;
    const { pages } = await sent(stream, one("2026-01-31T00:00:00Z", 1));
    const page = pages[0]!;
    const status = async (who: Person["fetch"], url: string): Promise<number> => (await who(url)).status;
    await ana.fetch(page, { method: "DELETE" });
    expect(await status(ana.fetch, page), "no policy").to.equal(404);
    const keep = `<./> <https://w3id.org/ldes#retentionPolicy> <#p> . <#p> <https://w3id.org/ldes#startingFrom> "2026-02-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .`;
    await pod.writeFile(`${stream}.meta`, keep, "text/turtle");
    await sent(stream, one("2026-02-02T00:00:00Z", 1));
    for (const gone of [page, `${view}?month=2026-01`, `${view}?month=2020-05`]) {
      expect(await status(ana.fetch, gone), gone).to.equal(410);
      expect(await status(fetch, gone), "strangers").to.equal(401);
      expect(await status(shop.fetch, gone), "who may read none of it").to.equal(403);
    }
    const never = [
      `${view}?month=2026-03`,
      page.replace("/2026-01/2026-01-31", "/2026-02/2026-02-03"),
      page.replace(".ttl", ".txt"),
      page.replace("-31T", "-32T"),
      `${page}.meta`,
    ];
    for (const url of never) expect(await status(ana.fetch, url), url).to.equal(404);
    await grant(pod, `${stream}2026-02/`, { to: shop.webid, modes: ["read"] });
    expect(await status(shop.fetch, `${view}?month=2026-01`), "of one month only").to.equal(404);
  });

  it("who may write destroys nothing for good: for how long all is kept, only Control says", async () => {
    const stream = "home/kept/";
    const { pages } = await sent(stream, one("2026-01-01T00:00:00Z", 1));
    await grant(pod, stream, { to: shop.webid, modes: ["read", "append", "write"] });
    const ldes = "https://w3id.org/ldes#";
    const policy = `<./> <${ldes}retentionPolicy> <#p> . <#p> <${ldes}fullLogDuration> "PT1S" .`;
    const turtle = { "content-type": "text/turtle" };
    const patch = (inserts: string, where = "") =>
      `@prefix solid: <http://www.w3.org/ns/solid/terms#> . _:r a solid:InsertDeletePatch ; ${where} solid:inserts { ${inserts} } .`;
    const attempts: [string, string, Record<string, string>, string][] = [
      ["PUT", `${stream}.meta`, turtle, policy],
      ["PUT", stream, turtle, policy],
      ["PATCH", `${stream}.meta`, { "content-type": "text/n3" }, patch(policy)],
      [
        "PATCH",
        stream,
        { "content-type": "text/n3" },
        patch(`<#p> <${ldes}startingFrom> "2030-01-01T00:00:00Z" .`),
      ],
      ["POST", stream, { ...turtle, link: '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"' }, policy],
    ];
    for (const [method, name, headers, body] of attempts) {
      const response = await shop.fetch(pod.at(name), { method, headers, body });
      expect(response.status, `${method} ${name} ${await response.text()}`).to.equal(403);
    }
    const about = await shop.fetch(pod.at(`${stream}.meta`), {
      method: "PUT",
      headers: turtle,
      body: "<./> <https://schema.org/name> 'a meter' .",
    });
    expect(about.ok, "anything else may be said").to.equal(true);
    await sent(stream, one("2026-02-01T00:00:00Z", 1), shop);
    expect((await ana.fetch(pages[0]!)).status).to.equal(200);
  });
});
