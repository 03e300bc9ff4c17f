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
