import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  combine,
  type Federated,
  grant,
  joinPods,
  nativeOf,
  openPod,
  type Pod,
  queryAll,
  queryTogether,
  type Row,
  revoke,
} from "@freehold/client";
import { login } from "@freehold/client/node";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const NAMES = ["Ana", "Bea", "Cem", "Dora", "Eli", "Finn", "Gül", "Hugo", "Ida", "Jo"] as const;

/** What each bought: the person's place in the list, in cents that no double can hold. */
const ordersOf = (person: number): string => `
  @prefix schema: <https://schema.org/> .
  <#1> a schema:Order ; schema:seller <urn:shop> ; schema:orderDate "2026-0${(person % 9) + 1}-01"^^<http://www.w3.org/2001/XMLSchema#date> ;
    schema:category "bread" ; schema:price ${person}.10 .
  <#2> a schema:Order ; schema:seller <urn:shop> ; schema:orderDate "2026-0${(person % 9) + 1}-02"^^<http://www.w3.org/2001/XMLSchema#date> ;
    schema:category "${person % 2 === 0 ? "milk" : "bread"}" ; schema:price 0.20 .`;

const ORDERS = `PREFIX schema: <https://schema.org/>
  SELECT ?order ?price ?date { ?order schema:seller <urn:shop> ; schema:price ?price ; schema:orderDate ?date }`;
const TOTALS = `PREFIX schema: <https://schema.org/>
  SELECT ?category (COUNT(*) AS ?orders) (SUM(?price) AS ?sum) (MIN(?date) AS ?first) (MAX(?price) AS ?most)
  { ?order schema:seller <urn:shop> ; schema:category ?category ; schema:price ?price ; schema:orderDate ?date }
  GROUP BY ?category`;

describe("one question to many pods", function () {
  this.timeout(60_000);
  let servers: readonly TestServer[];
  let people: readonly Person[];
  let vendor: { readonly webid: string; readonly fetch: Person["fetch"] };
  let resolvers: readonly string[];
  const strays: Server[] = [];

  /** A server of which only the address is real. */
  async function stray(
    answer: (url: string, times: number) => readonly [number, string] | null,
  ): Promise<string> {
    let times = 0;
    const server = createServer((request, response) => {
      times += 1;
      const said = answer(request.url ?? "", times);
      if (said)
        response
          .writeHead(said[0], { "content-type": "application/sparql-results+json", "retry-after": "0" })
          .end(said[1]);
    });
    strays.push(server);
    await new Promise<void>((done) => server.listen(0, "localhost", done));
    return `http://localhost:${(server.address() as AddressInfo).port}/`;
  }
  const asPod = async (url: string): Promise<Pod> => ({
    ...(await openPod(people[0]!.pod, { fetch: vendor.fetch })),
    url,
    sparql: `${url}sparql`,
    fetch,
  });
  const opened = (): Promise<Pod[]> =>
    Promise.all(people.map(({ pod }) => openPod(pod, { fetch: vendor.fetch })));
  const statesOf = ({ sources }: Pick<Federated, "sources">): readonly string[] =>
    sources.map(({ state }) => state);

  before(async () => {
    const home = await startServer();
    const other = await startServer({ FREEHOLD_EGRESS_ALLOW: home.baseUrl.slice(0, -1) });
    servers = [home, other];
    resolvers = servers.map(({ baseUrl }) => baseUrl);
    const shop = await home.person("Shop");
    // The vendor has an account on one server; the other learns from its WebID whom to believe.
    vendor = await login({
      issuer: home.baseUrl,
      clientId: shop.credentials.id,
      clientSecret: shop.credentials.secret,
    });
    people = await Promise.all(
      NAMES.map((name, at) => (at % 2 === 0 ? home : other).person(name === "Gül" ? "Guel" : name)),
    );
    for (const [at, person] of people.entries()) {
      const pod = await openPod(person.pod, { fetch: person.fetch });
      await pod.writeFile("orders/shop.ttl", ordersOf(at), "text/turtle");
      await pod.writeFile(
        "orders/other.ttl",
        ordersOf(at).replaceAll("urn:shop", "urn:rival"),
        "text/turtle",
      );
      await grant(pod, "orders/shop.ttl", { to: vendor.webid, modes: ["read"] });
    }
  });
  after(async () => {
    for (const one of strays) one.close().closeAllConnections();
    for (const server of servers ?? []) await server.close();
  });

  it("two servers, ten pods, one vendor's query, and a revocation in between", async () => {
    const passports = people.map(({ passport }) => passport);
    const ask = () => queryAll<"order" | "price">(passports, ORDERS, { fetch: vendor.fetch, resolvers });

    const before = ask();
    const rows = await Array.fromAsync(before);
    expect(statesOf(before)).to.deep.equal(passports.map(() => "answered"));
    expect(rows).to.have.length(20);
    expect(new Set(rows.map(({ pod }) => pod.passport?.id))).to.deep.equal(new Set(passports));
    for (const { pod, row } of rows)
      expect(row.order?.value).to.match(new RegExp(`^${pod.url}orders/shop.ttl#`));

    const dora = people[3]!;
    await revoke(await openPod(dora.pod, { fetch: dora.fetch }), "orders/shop.ttl", { from: vendor.webid });

    const after = ask();
    const left = await Array.fromAsync(after);
    expect(left, "nine pods are not spoiled by the tenth").to.have.length(18);
    expect(left.filter(({ row }) => row.order?.value.startsWith(dora.pod))).to.deep.equal([]);
    expect(after.sources.filter(({ state }) => state !== "answered")).to.have.length(1);
    expect(after.sources[3]).to.include({ where: dora.passport, state: "failed", rows: 0 });
    expect(after.sources[3]?.error).to.include({ code: "forbidden", status: 403 });

    await grant(await openPod(dora.pod, { fetch: dora.fetch }), "orders/shop.ttl", {
      to: vendor.webid,
      modes: ["read"],
    });
    expect(await Array.fromAsync(ask())).to.have.length(20);
  });

  it("adds up what the pods counted, to the cent", async () => {
    const totals = await combine(
      queryAll<"category" | "orders" | "sum" | "first" | "most">(await opened(), TOTALS),
      {
        merge: { orders: "sum", sum: "sum", first: "min", most: "max" },
        orderBy: [{ by: "sum", descending: true }],
      },
    );
    expect(
      totals.map(({ category, orders, sum, first, most }) =>
        [category, orders, sum, first, most].map((cell) => cell?.value.replace(/(?<=\.\d+?)0+$/, "")),
      ),
    ).to.deep.equal([
      ["bread", "15", "47.0", "2026-01-01", "9.1"],
      ["milk", "5", "1.0", "2026-01-02", "0.2"],
    ]);
  });

  it("finds the first of all among the first of each", async () => {
    const rows = await combine(queryAll(await opened(), `${ORDERS} ORDER BY DESC(?price) LIMIT 3`), {
      orderBy: [{ by: "price", descending: true }],
      limit: 3,
    });
    expect(rows.map(({ price }) => nativeOf(price))).to.deep.equal([9.1, 8.1, 7.1]);
  });

  it("asks a pod that is named twice only once, or everything would count twice", async () => {
    const ana = people[0]!;
    const answers = queryAll([ana.passport, ana.webid, ana.pod], ORDERS, { fetch: vendor.fetch, resolvers });
    expect(await Array.fromAsync(answers)).to.have.length(2);
    expect([...statesOf(answers)].sort()).to.deep.equal(["answered", "repeated", "repeated"]);
  });

  it("tells for each pod why it gave nothing, and gives the rest", async () => {
    const mute = await stray(() => null);
    const broken = await stray(() => [
      200,
      '{"results":{"bindings":[{"price":{"type":"literal","value":"1"}}',
    ]);
    const answers = queryAll(
      [
        people[0]!.pod,
        "http://localhost:1/nobody/",
        "dpch1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgyxwc2vv",
        "nonsense",
        await asPod(mute),
        await asPod(broken),
      ],
      ORDERS,
      { fetch: vendor.fetch, resolvers, silenceMsMax: 1_500 },
    );
    const rows = await Array.fromAsync(answers);
    expect(rows.filter(({ pod }) => pod.url === people[0]!.pod)).to.have.length(2);
    expect(answers.sources.map(({ error }) => error?.code)).to.deep.equal([
      undefined,
      "unreachable",
      "not-found",
      "input-invalid",
      "unreachable",
      "answer-invalid",
    ]);
    expect(answers.sources[5], "a row came, and is known to be of half an answer").to.include({
      rows: 1,
      state: "failed",
    });
  });

  it("counts nothing of a pod that broke off", async () => {
    const half = await stray(() => [200, '{"results":{"bindings":[{"n":{"type":"literal","value":"1"}}']);
    const whole = await stray(() => [200, '{"results":{"bindings":[{"n":{"type":"literal","value":"1"}}]}}']);
    const answers = queryAll([await asPod(half), await asPod(whole)], "SELECT ?n {}");
    expect(await combine(answers, {})).to.have.length(1);
    expect(statesOf(answers)).to.deep.equal(["failed", "answered"]);
  });

  it("comes again to a server that is busy, and gives up in the end", async () => {
    const empty = '{"results":{"bindings":[]}}';
    const busy = await stray((_, times) => (times < 3 ? [503, "{}"] : [200, empty]));
    const full = await stray(() => [503, "{}"]);
    const answers = queryAll([await asPod(busy), await asPod(full)], "SELECT * {}");
    expect(await Array.fromAsync(answers)).to.deep.equal([]);
    expect(statesOf(answers)).to.deep.equal(["answered", "failed"]);
    expect(answers.sources[1]?.error?.status).to.equal(503);
  });

  it("keeps to two queries at once on one server, and to none after the loop was left", async () => {
    let [now, most, sent] = [0, 0, 0];
    const slow: Person["fetch"] = async (url, init) => {
      sent += 1;
      most = Math.max(most, (now += 1));
      await new Promise((done) => setTimeout(done, 20));
      try {
        return await vendor.fetch(url, init);
      } finally {
        now -= 1;
      }
    };
    const ofOneServer = (await opened())
      .filter((_, at) => at % 2 === 0)
      .map((pod) => ({ ...pod, fetch: slow }));
    const unasked = queryAll(ofOneServer, ORDERS);
    expect([sent, ...statesOf(unasked)]).to.deep.equal([0, ...ofOneServer.map(() => "waiting")]);
    await Array.fromAsync(queryAll(ofOneServer, ORDERS));
    expect([most, sent]).to.deep.equal([2, ofOneServer.length]);

    const left = queryAll(ofOneServer, ORDERS);
    for await (const _ of left) break;
    await new Promise((done) => setTimeout(done, 200));
    expect(sent, "those that had no turn yet were not asked").to.be.below(ofOneServer.length * 2);
  });

  it("can be called off", async () => {
    const stop = AbortSignal.abort();
    const all = Array.fromAsync(queryAll(await opened(), ORDERS, { signal: stop }));
    expect(await all.catch((error: Error) => error.name)).to.equal("AbortError");
  });

  describe("together", () => {
    /** All pods, asked as one who counts what is sent. */
    async function counted(): Promise<{ readonly pods: readonly Pod[]; readonly sent: string[] }> {
      const sent: string[] = [];
      const fetchCounted: Person["fetch"] = (url, init) => (
        sent.push(new URL(url).pathname), vendor.fetch(url, init)
      );
      return { pods: (await opened()).map((pod) => ({ ...pod, fetch: fetchCounted })), sent };
    }

    it("asks each server once for all its pods, and has the same totals", async () => {
      const { pods, sent } = await counted();
      const merge = { orders: "sum", sum: "sum", first: "min", most: "max" } as const;
      const orderBy = [{ by: "category" }];
      const each = await combine(queryAll(pods, TOTALS), { merge, orderBy });
      sent.length = 0;
      const answers = queryTogether(pods, TOTALS);
      const all = await combine(answers, { merge, orderBy });
      expect(all.map(({ sum, orders }) => [Number(sum?.value), orders?.value])).to.deep.equal(
        each.map(({ sum, orders }) => [Number(sum?.value), orders?.value]),
      );
      expect(sent).to.deep.equal(["/.query/sparql", "/.query/sparql"]);
      expect(statesOf(answers)).to.deep.equal(pods.map(() => "answered"));
    });

    it("asks of the pods that are named, and of no others", async () => {
      const { pods } = await counted();
      expect(await Array.fromAsync(queryTogether(pods.slice(0, 3), ORDERS))).to.have.length(6);
    });

    it("asks pod by pod where a server cannot do so", async () => {
      const old = await stray((url) =>
        url.startsWith("/.query")
          ? [404, "{}"]
          : [200, '{"results":{"bindings":[{"n":{"type":"literal","value":"1"}}]}}'],
      );
      const [one, two] = [await asPod(old), { ...(await asPod(old)), sparql: `${old}other/sparql` }];
      const answers = queryTogether([one, two], "SELECT ?n {}");
      expect((await Array.fromAsync(answers)).map(({ pod }) => pod?.sparql)).to.have.members([
        one.sparql,
        two.sparql,
      ]);
      expect(statesOf(answers)).to.deep.equal(["answered", "answered"]);
    });

    it("tells of pods that a server left out, and counts nothing of a server that broke off", async () => {
      const row = '{"n":{"type":"literal","value":"1"}}';
      const partly = createServer((_, response) => {
        const { port } = partly.address() as AddressInfo;
        const headers = { "freehold-left-out": `http://localhost:${port}/lost/` };
        response.writeHead(200, headers).end(`{"results":{"bindings":[${row}]}}`);
      });
      strays.push(partly);
      await new Promise<void>((done) => partly.listen(0, "localhost", done));
      const base = `http://localhost:${(partly.address() as AddressInfo).port}/`;
      const pods = [await asPod(`${base}lost/`), await asPod(`${base}found/`), await asPod(await stray(() => [200, `{"results":{"bindings":[${row}`]))]; // biome-ignore format: one line
      const answers = queryTogether(pods, "SELECT ?n {}");
      expect(await combine(answers, {})).to.have.length(1);
      expect(answers.sources.map(({ error }) => error?.code)).to.deep.equal(["unavailable", undefined, "answer-invalid"]); // biome-ignore format: one line
    });
  });

  it("joins across pods and servers, in sight only of what each pod lets be seen", async () => {
    const [ana, bea] = [people[0]!, people[1]!];
    const friend = `<${ana.webid}> <http://xmlns.com/foaf/0.1/knows> <${bea.webid}> .`;
    const own = await openPod(ana.pod, { fetch: ana.fetch });
    await own.writeFile("friends.ttl", friend, "text/turtle");
    const pods = (await opened()).slice(0, 2);
    const FRIENDS = `SELECT ?name { <${ana.webid}> <http://xmlns.com/foaf/0.1/knows> ?friend .
      ?friend <http://xmlns.com/foaf/0.1/name> ?name }`;
    const rows = (): Promise<Row[]> => Array.fromAsync(joinPods(pods, FRIENDS));
    expect(await rows(), "not granted yet").to.deep.equal([]);
    await grant(own, "friends.ttl", { to: vendor.webid, modes: ["read"] });
    expect(await rows()).to.deep.equal([{ name: { type: "literal", value: "Bea" } }]);
    expect(
      await codeOf(
        Array.fromAsync(joinPods([...pods, await asPod(await stray(() => [403, "{}"]))], FRIENDS)),
      ),
    ).to.equal("http-403");
    expect(
      await codeOf(
        Array.fromAsync(joinPods(pods, `SELECT * { SERVICE <http://localhost:1/sparql> { ?s ?p ?o } }`)),
      ),
    ).to.equal("input-invalid");
  });
});
