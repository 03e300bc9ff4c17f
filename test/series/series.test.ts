import { grant, inspect, openPod, type Pod, revoke } from "@freehold/client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { createReplay } from "./replay.ts";

const NDJSON = "application/x-ndjson";
const MINUTE = 60_000;
const iso = (time: number): string => new Date(time).toISOString();

/** One value a minute. */
const minutes = (from: string, count: number, value = (at: number) => at): string =>
  Array.from({ length: count }, (_, at) =>
    JSON.stringify({
      time: iso(Date.parse(from) + at * MINUTE),
      value: value(at),
      sensor: "urn:meter:1",
      property: "urn:power",
    }),
  ).join("\n");

describe("time series", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let pod: Pod;
  let streams = 0;

  /** A stream of its own for each test. */
  const newStream = (): string => `home/stream${++streams}/`;
  const address = (stream: string): string => `${ana.pod}.series/${stream}`;
  const send = (stream: string, body: string, who: Person = ana, type = NDJSON) =>
    who.fetch(address(stream), { method: "POST", headers: { "content-type": type }, body });
  async function sent(stream: string, body: string, who: Person = ana) {
    const response = await send(stream, body, who);
    const answer = (await response.json()) as { stored: number; repeated: number; pages: string[] };
    expect(response.ok, JSON.stringify(answer)).to.equal(true);
    return answer;
  }
  async function range(stream: string, query: string, who: Person = ana, accept = "application/json") {
    const response = await who.fetch(`${address(stream)}?${query}`, { headers: { accept } });
    expect(response.status, await response.clone().text()).to.equal(200);
    return (await response.json()) as { time: string; value: number; count: number }[];
  }
  const journal = async () => {
    const found = await server.context.pods.find("ana");
    return server.context.journal.read(found!, 0, 100_000);
  };

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "seriesPageObservationsMax=10" });
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
  });
  after(() => server.close());

  it("become pages by batch: ordinary documents, in a folder for each month", async () => {
    const stream = newStream();
    const first = await send(stream, minutes("2026-01-31T23:45:00Z", 30));
    expect([first.status, first.headers.get("location")]).to.deep.equal([201, address(stream)]);
    const { stored, pages } = (await first.json()) as { stored: number; pages: string[] };
    expect(stored).to.equal(30);
    expect(pages.map((page) => page.slice(pod.at(stream).length))).to.deep.equal([
      "2026-01/2026-01-31T23-45-00-000Z.ttl",
      "2026-01/2026-01-31T23-55-00-000Z.ttl",
      "2026-02/2026-02-01T00-00-00-000Z.ttl",
      "2026-02/2026-02-01T00-10-00-000Z.ttl",
    ]);
    expect(await pod.list(stream)).to.have.members([
      pod.at(`${stream}2026-01/`),
      pod.at(`${stream}2026-02/`),
    ]);
    for (const [at, page] of pages.entries()) {
      const text = await (await ana.fetch(page)).text();
      expect(text.match(/ a O: /g)).to.have.length([10, 5, 10, 5][at]!);
      expect(text.includes("immutable"), "all but the last have their end").to.equal(at < 3);
    }
    const more = await sent(stream, minutes("2026-02-01T00:15:00Z", 3));
    expect(more).to.deep.equal({ stored: 3, repeated: 0, pages: [pages[3]] });
  });

  it("are found by queries like any other document", async () => {
    const stream = newStream();
    await sent(stream, minutes("2026-03-01T00:00:00Z", 25));
    const response = await ana.fetch(pod.sparql, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/sparql-results+json",
      },
      body: new URLSearchParams({
        query: `PREFIX sosa: <http://www.w3.org/ns/sosa/> PREFIX tree: <https://w3id.org/tree#>
          SELECT (COUNT(*) AS ?n) (SUM(?v) AS ?sum) { <${pod.at(stream)}#stream> tree:member ?o .
            ?o a sosa:Observation ; sosa:resultTime ?t ; sosa:hasSimpleResult ?v
            FILTER(?t < "2026-03-01T00:20:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>) }`,
        "default-graph-uri": "http://www.w3.org/ns/solid/sparql#union-default-graph",
      }).toString(),
    });
    const { results } = (await response.json()) as {
      results: { bindings: Record<string, { value: string }>[] };
    };
    expect([results.bindings[0]?.n?.value, results.bindings[0]?.sum?.value]).to.deep.equal(["20", "190"]);
  });

  it("are read for a query only where they can be of use, so that years of them stand in nobody's way", async () => {
    const small = await startServer({ FREEHOLD_LIMITS: "queryQuadsMax=3000,seriesPageObservationsMax=50" });
    try {
      const bea = await small.person("Bea");
      const months = ["2026-01", "2026-02", "2026-03", "2026-04"];
      for (const month of months)
        await bea.fetch(`${bea.pod}.series/s/`, {
          method: "POST",
          headers: { "content-type": NDJSON },
          body: minutes(`${month}-10T00:00:00Z`, 250),
        });
      const rows = async (pattern: string, endpoint = `${bea.pod}sparql`): Promise<number | string> => {
        const response = await bea.fetch(endpoint, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/csv" },
          body: new URLSearchParams({
            query: `PREFIX sosa: <http://www.w3.org/ns/sosa/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
              PREFIX foaf: <http://xmlns.com/foaf/0.1/> SELECT * { ${pattern} }`,
            "default-graph-uri": "http://www.w3.org/ns/solid/sparql#union-default-graph",
          }).toString(),
        });
        const text = await response.text();
        return response.ok ? text.trim().split("\r\n").length - 1 : /problems#([a-z-]+)/.exec(text)![1]!;
      };
      const STAR = "?o sosa:resultTime ?t ; sosa:hasSimpleResult ?v";
      const between = (from: string, to: string) =>
        `FILTER(?t >= "${from}T00:00:00Z"^^xsd:dateTime && ?t < "${to}T00:00:00Z"^^xsd:dateTime)`;
      expect(await rows(`?who foaf:name "Bea"`)).to.equal(1);
      expect(await rows(`${STAR} ${between("2026-02-01", "2026-03-01")}`)).to.equal(250);
      expect(await rows(`${STAR} FILTER(?t = "2026-03-10T00:07:00Z"^^xsd:dateTime)`)).to.equal(1);
      expect(await rows(`${STAR} ${between("2025-02-01", "2025-03-01")}`)).to.equal(0);
      expect(await rows(`${STAR} FILTER(?t >= "2026-04-10T04:00:00Z"^^xsd:dateTime)`)).to.equal(10);
      expect(await rows(STAR), "all of it is too much at once").to.equal("query-refused");
      const ofAllPods = `${small.baseUrl}.query/sparql`;
      expect(await rows(`?who foaf:name "Bea"`, ofAllPods)).to.equal(1);
      expect(await rows(`${STAR} ${between("2026-02-01", "2026-03-01")}`, ofAllPods)).to.equal(250);
    } finally {
      await small.close();
    }
  });

  it("are one entry of the journal a batch, and nothing when all of it was there", async () => {
    const stream = newStream();
    const before = (await journal()).length;
    await sent(stream, minutes("2026-03-01T00:00:00Z", 25));
    const entries = (await journal()).slice(before).map(({ entry }) => entry!);
    expect(entries.map(({ act, path, agent }) => [act, path, agent])).to.deep.equal([
      ["create", `/ana/${stream}`, ana.webid],
    ]);
    expect(entries[0]?.bytes).to.be.greaterThan(1_000);
    const again = await sent(stream, minutes("2026-03-01T00:00:00Z", 26));
    expect([again.stored, again.repeated]).to.deep.equal([1, 25]);
    const same = await sent(stream, minutes("2026-03-01T00:00:00Z", 26));
    expect([same.stored, same.repeated, same.pages]).to.deep.equal([0, 26, []]);
    expect((await journal()).slice(before).map(({ entry }) => entry?.act)).to.deep.equal([
      "create",
      "append",
    ]);
  });

  it("are stored once, however often and at the same time they are sent", async () => {
    const stream = newStream();
    const batch = minutes("2026-03-01T00:00:00Z", 25);
    const answers = await Promise.all(Array.from({ length: 5 }, () => sent(stream, batch)));
    expect(answers.reduce((sum, { stored }) => sum + stored, 0)).to.equal(25);
    expect(await range(stream, "from=2026-01-01T00:00:00Z")).to.have.length(25);
  });

  it("refuses all of a batch for one line that does not fit, or that comes too late", async () => {
    const stream = newStream();
    const wrong = await send(stream, `${minutes("2026-03-01T00:00:00Z", 5)}\n{"time":"2026-03-01"}`);
    const problem = (await wrong.json()) as { errors: { at: string; detail: string }[] };
    expect([wrong.status, problem.errors.map(({ at }) => at)]).to.deep.equal([422, ["line 6"]]);
    expect((await ana.fetch(pod.at(stream))).status, "nothing was stored").to.equal(404);

    await sent(stream, minutes("2026-03-01T01:00:00Z", 5));
    const late = await send(
      stream,
      minutes("2026-03-01T00:59:00Z", 10, () => 7),
    );
    expect(late.status).to.equal(409);
    expect(await range(stream, "from=2026-01-01T00:00:00Z")).to.have.length(5);
    for (const [type, body, status] of [
      ["text/turtle", "<> a <#x> .", 415],
      [NDJSON, "", 400],
      ["text/csv", "x,y\n1,2\n", 400],
    ] as const)
      expect((await send(stream, body, ana, type)).status, type).to.equal(status);
  });

  it("need Append to send, and Read to see: a meter that may only add reads nothing", async () => {
    const stream = newStream();
    expect((await send(stream, minutes("2026-03-01T00:00:00Z", 5), shop)).status).to.equal(403);
    await sent(stream, minutes("2026-03-01T00:00:00Z", 5));
    await grant(pod, stream, { to: shop.webid, modes: ["append"] });
    expect((await sent(stream, minutes("2026-03-01T00:05:00Z", 20), shop)).stored).to.equal(20);
    for (const query of ["", "?from=2026-01-01T00:00:00Z", "?month=2026-03"])
      expect((await shop.fetch(`${address(stream)}${query}`)).status, query).to.equal(403);
    expect((await fetch(address(stream))).status).to.equal(401);
    expect((await fetch(address(stream), { method: "POST", body: "{}" })).status).to.equal(401);
    expect((await shop.fetch(address("home/nothing/"))).status, "as what is there").to.equal(403);
    expect((await ana.fetch(address("home/nothing/"))).status).to.equal(404);
  });

  it("are shown as far as the rules of their pages go", async () => {
    const stream = newStream();
    await sent(stream, minutes("2026-01-31T23:50:00Z", 30));
    await grant(pod, `${stream}2026-02/`, { to: shop.webid, modes: ["read"] });
    const rows = await range(stream, "from=2026-01-01T00:00:00Z", shop);
    expect(rows).to.have.length(20);
    expect(rows.some(({ time }) => time < "2026-02")).to.equal(false);
    const replay = createReplay(shop.fetch, address(stream));
    expect(await replay.run()).to.have.length(20);
    expect(replay.fetched.join(" ")).not.to.include("2026-01");
    expect((await shop.fetch(`${address(stream)}?month=2026-01`)).status).to.equal(404);

    await revoke(pod, `${stream}2026-02/`, { from: shop.webid });
    expect((await shop.fetch(`${address(stream)}?from=2026-01-01T00:00:00Z`)).status).to.equal(403);
    expect((await inspect(pod, `${stream}2026-02/`)).length).to.be.greaterThan(0);
  });

  it("are replayed by a client of event streams, and gone on with where it was", async () => {
    const stream = newStream();
    await sent(stream, minutes("2026-01-31T23:00:00Z", 95));
    const replay = createReplay(ana.fetch, address(stream));
    const members = await replay.run();
    const values = (some: typeof members) => some.map(({ said }) => Number(said.get("http://www.w3.org/ns/sosa/hasSimpleResult"))); // biome-ignore format: one line
    expect(values(members)).to.deep.equal(Array.from({ length: 95 }, (_, at) => at));
    expect(new Set(members.map(({ iri }) => iri)).size).to.equal(95);
    expect(replay.fetched, "the root, two months, ten pages").to.have.length(13);
    expect(replay.context("https://w3id.org/ldes#timestampPath")).to.equal(
      "http://www.w3.org/ns/sosa/resultTime",
    );
    expect(replay.context("https://w3id.org/tree#shape")).to.match(/#ObservationShape$/);

    expect(await replay.run()).to.deep.equal([]);
    expect(replay.fetched, "and of pages only the one that may grow").to.have.length(4);
    await sent(
      stream,
      minutes("2026-02-01T01:00:00Z", 12, (at) => at + 1_000),
    );
    expect(values(await replay.run())).to.deep.equal(Array.from({ length: 12 }, (_, at) => at + 1_000));
  });

  it("say truly where what is: every member lies within the relations that lead to it", async () => {
    const stream = newStream();
    await sent(stream, minutes("2026-02-28T23:30:00Z", 60));
    const node = await (await ana.fetch(`${address(stream)}?month=2026-03`, { headers: { accept: "application/n-triples" } })).text(); // biome-ignore format: one line
    const bounds = [...node.matchAll(/value> "([^"]+)"/g)].map(([, time]) => time);
    expect(bounds).to.deep.equal([
      "2026-03-01T00:00:00Z",
      "2026-03-01T00:09:00Z",
      "2026-03-01T00:10:00Z",
      "2026-03-01T00:19:00Z",
      "2026-03-01T00:20:00Z",
      "2026-04-01T00:00:00Z",
    ]);
    const response = await ana.fetch(address(stream));
    const etag = response.headers.get("etag")!;
    expect(response.headers.get("cache-control")).to.match(/private/);
    expect((await ana.fetch(address(stream), { headers: { "if-none-match": etag } })).status).to.equal(304);
    await sent(stream, minutes("2026-04-01T00:00:00Z", 1));
    expect((await ana.fetch(address(stream), { headers: { "if-none-match": etag } })).status).to.equal(200);
  });

  it("are summed up by the hour, the day or the month", async () => {
    const stream = newStream();
    await sent(
      stream,
      minutes("2026-03-01T00:30:00Z", 60, () => 2),
    );
    const hours = await range(stream, "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&every=PT1H");
    expect(hours).to.deep.equal(
      ["2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"].map((time) => ({
        time,
        count: 30,
        sum: 60,
        mean: 2,
        min: 2,
        max: 2,
        sensor: "urn:meter:1",
        property: "urn:power",
      })),
    );
    const csv = await ana.fetch(`${address(stream)}?every=P1M`, { headers: { accept: "text/csv" } });
    expect((await csv.text()).split("\r\n")[1]).to.equal(
      "2026-03-01T00:00:00Z,60,120,2,2,2,urn:meter:1,urn:power",
    );
    expect((await ana.fetch(`${address(stream)}?from=soon`)).status).to.equal(400);
    expect(
      (await ana.fetch(`${address(stream)}?every=P1D`, { headers: { accept: "image/png" } })).status,
    ).to.equal(406);
  });

  it("are kept for as long as the owner's description says, and no longer", async () => {
    const stream = newStream();
    const old = iso(Date.now() - 40 * 86_400_000);
    const recent = iso(Date.now() - 86_400_000);
    await sent(stream, minutes(old, 20));
    await ana.fetch(pod.at(`${stream}.meta`), {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `@prefix ldes: <https://w3id.org/ldes#> . @prefix sosa: <http://www.w3.org/ns/sosa/> .
        <./#stream> ldes:retentionPolicy [ ldes:fullLogDuration "P30D"^^<http://www.w3.org/2001/XMLSchema#duration> ] ;
        sosa:madeBySensor <urn:meter:2> ; sosa:observedProperty <urn:heat> .`,
    });
    expect(await range(stream, "from=2020-01-01T00:00:00Z"), "no more shown").to.deep.equal([]);
    await sent(stream, JSON.stringify({ time: recent, value: 1 }));
    const rows = await range(stream, "from=2020-01-01T00:00:00Z");
    expect(rows).to.deep.equal([{ time: recent.replace(".000Z", "Z"), value: 1, sensor: "urn:meter:2", property: "urn:heat" }]); // biome-ignore format: one line
    expect(await pod.list(stream), "and gone").to.deep.equal([pod.at(`${stream}${recent.slice(0, 7)}/`)]);
    const replay = createReplay(ana.fetch, address(stream));
    expect(await replay.run()).to.have.length(1);
    expect(replay.context("https://w3id.org/ldes#fullLogDuration")).to.equal("PT2592000S");
  });

  it("are cleared away when nothing comes any more, too, and never from the trash again", async () => {
    const stream = newStream();
    const old = iso(Date.now() - 40 * 86_400_000);
    const { pages } = await sent(stream, minutes(old, 20));
    const keep = `<./> <https://w3id.org/ldes#retentionPolicy> [ <https://w3id.org/ldes#fullLogDuration> "P30D" ] .`;
    await pod.writeFile(`${stream}.meta`, keep, "text/turtle");
    const found = (await server.context.pods.find("ana"))!;
    const before = await server.context.store.usage(found.id);
    const { restrictions } = server.context.ldp;
    await restrictions.restrict(found, `/ana/${stream}`, "owner");
    expect(await server.context.series.sweep([found]), "what is frozen stays as it is").to.equal(0);
    await restrictions.release(found, `/ana/${stream}`, "owner");
    const entries = (await journal()).length;
    expect(await server.context.series.sweep([found])).to.equal(2);
    expect(await server.context.series.sweep([found]), "once").to.equal(0);
    for (const page of pages) expect((await ana.fetch(page)).status).to.equal(410);
    const after = await server.context.store.usage(found.id);
    expect(before.bytes - after.bytes, "the room is free again").to.be.greaterThan(2_000);
    const said = (await journal()).slice(entries).map(({ entry }) => [entry?.act, entry?.agent, entry?.path]);
    expect(said).to.deep.equal([["erase", "server", `/ana/${stream}`]]);
  });

  it("are what the page says, when its owner has written it otherwise", async () => {
    const stream = newStream();
    const { pages } = await sent(stream, minutes("2026-03-01T00:00:00Z", 5));
    const page = await (await ana.fetch(pages[0]!)).text();
    await ana.fetch(pages[0]!, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: page.replace("r: 3 ", "r: 33 ").replace(/^<#0>.*\n/m, ""),
    });
    expect((await range(stream, "from=2026-01-01T00:00:00Z")).map(({ value }) => value)).to.deep.equal([
      1, 2, 33, 4,
    ]);
    const next = await sent(stream, minutes("2026-03-01T00:05:00Z", 1));
    expect(next.pages, "what somebody else wrote is not gone on with").not.to.include(pages[0]);
  });

  it("are read by few at once, so that others have their turn", async () => {
    const stream = newStream();
    await sent(stream, minutes("2026-01-01T00:00:00Z", 3_000));
    const many = Array.from({ length: 30 }, () => ana.fetch(`${address(stream)}?every=P1D`));
    const answers = await Promise.all(many);
    const counts = Object.groupBy(answers, ({ status }) => status);
    expect(Object.keys(counts)).to.have.members(["200", "429"]);
    expect(counts[429]?.[0]?.headers.get("retry-after")).to.equal("1");
    expect(await range(stream, "every=P1D"), "and then again").to.have.length(3);
  });

  it("keep to the rules of all addresses that are the server's own", async () => {
    const options = await fetch(address("x/"), { method: "OPTIONS" });
    expect(options.headers.get("allow")).to.equal("GET, HEAD, OPTIONS, POST");
    expect(options.headers.get("accept-post")).to.equal("application/x-ndjson, text/csv");
    expect((await ana.fetch(address("x/"), { method: "PUT", body: "x" })).status).to.equal(405);
    expect((await send("x", minutes("2026-03-01T00:00:00Z", 1))).status).to.equal(400);
    expect((await send("", minutes("2026-03-01T00:00:00Z", 1))).status).to.equal(400);
    expect((await send(".journal/", minutes("2026-03-01T00:00:00Z", 1))).status).to.equal(409);
    await pod.writeFile("home/file", "x", "text/plain");
    expect((await send("home/file/", minutes("2026-03-01T00:00:00Z", 1))).status).to.equal(409);
  });

  it("count in the pod's quota, and are refused as a whole when it is full", async () => {
    const small = await startServer({ FREEHOLD_LIMITS: "podBytesMax=60000" });
    try {
      const bea = await small.person("Bea");
      const post = (body: string) =>
        bea.fetch(`${bea.pod}.series/s/`, { method: "POST", headers: { "content-type": NDJSON }, body });
      expect((await post(minutes("2026-03-01T00:00:00Z", 50))).status).to.equal(201);
      expect((await post(minutes("2026-03-02T00:00:00Z", 5_000))).status).to.equal(507);
      const rows = await (await bea.fetch(`${bea.pod}.series/s/?from=2026-01-01T00:00:00Z`)).json();
      expect(rows).to.have.length(50);
    } finally {
      await small.close();
    }
  });
});
