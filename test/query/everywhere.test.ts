import { expect } from "chai";
import { createAccess } from "../../server/access/authorize.ts";
import { Problem } from "../../server/errors.ts";
import { parseWebId } from "../../server/iri.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { createQueries } from "../../server/query/endpoint.ts";
import { withChanges } from "../../server/store/changes.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods } from "../../server/store/pods.ts";
import { as, BASE, DORA, put, SHOP } from "../access/fixture.ts";
import { setAccess, write } from "../doors/people.ts";
import type { Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { UNION } from "./fixture.ts";

const P = "https://schema.org/";
const ALL = `FROM <${UNION}>`;
interface Answer {
  readonly boolean?: boolean;
  readonly results: { readonly bindings: readonly Readonly<Record<string, { readonly value: string }>>[] };
}

describe("one query over all pods of the server", () => {
  let server: TestServer;
  let shop: Person;
  const people: Person[] = [];
  const endpoint = (): string => `${server.baseUrl}.query/sparql`;

  before(async () => {
    server = await startServer();
    shop = await server.person("Shop");
    for (const [at, name] of ["Ana", "Ben", "Cleo", "Dora"].entries()) {
      const person = await server.person(name);
      people.push(person);
      const orders = Array.from(
        { length: 3 },
        (_, n) => `<#o${n}> <${P}price> ${at * 10 + n}.50 ; <${P}orderNumber> "${name}-${n}" .`,
      );
      await write(person, `${person.pod}orders.ttl`, orders.join("\n"));
      await write(person, `${person.pod}diary.ttl`, `<#it> <${P}text> "secret of ${name}" .`);
      if (name !== "Dora")
        await setAccess(person, `${person.pod}orders.ttl`, [{ to: shop.webid, modes: ["Read"] }]);
    }
  });
  after(() => server.close());

  const ask = (
    who: Fetch,
    query: string,
    more = "",
    headers: Record<string, string> = {},
  ): Promise<Response> => who(`${endpoint()}?query=${encodeURIComponent(query)}${more}`, { headers });
  async function rows(who: Fetch, query: string, more = ""): Promise<Answer["results"]["bindings"]> {
    const response = await ask(who, query, more);
    expect(response.status, await response.clone().text()).to.equal(200);
    return ((await response.json()) as Answer).results.bindings;
  }
  const values = async (who: Fetch, query: string, name: string, more = ""): Promise<string[]> =>
    (await rows(who, query, more)).map((row) => row[name]?.value ?? "");

  it("adds up, sorts and cuts off what all pods have, exactly", async () => {
    const [sum] = await rows(
      shop.fetch,
      `SELECT (COUNT(*) AS ?n) (SUM(?p) AS ?sum) (AVG(?p) AS ?avg) (MIN(?p) AS ?min) (MAX(?p) AS ?max) ${ALL} { ?o <${P}price> ?p }`,
    );
    expect(
      Object.fromEntries(Object.entries(sum!).map(([name, { value }]) => [name, Number(value)])),
    ).to.deep.equal({
      n: 9,
      sum: 103.5,
      avg: 11.5,
      min: 0.5,
      max: 22.5,
    });
    expect(
      await values(
        shop.fetch,
        `SELECT ?n ${ALL} { ?o <${P}price> ?p ; <${P}orderNumber> ?n } ORDER BY DESC(?p) LIMIT 4`,
        "n",
      ),
    ).to.deep.equal(["Cleo-2", "Cleo-1", "Cleo-0", "Ben-2"]);
  });

  it("says whose each row is, by the name of its graph or of its pod", async () => {
    const graphs = await values(
      shop.fetch,
      `SELECT DISTINCT ?g { GRAPH ?g { ?o <${P}price> ?p } } ORDER BY ?g`,
      "g",
    );
    expect(graphs).to.deep.equal(people.slice(0, 3).map(({ pod }) => `${pod}orders.ttl`));
    const found = await rows(
      shop.fetch,
      `SELECT ?pod (SUM(?p) AS ?sum) { GRAPH ?g { ?o <${P}price> ?p } GRAPH <${server.baseUrl}.query/pods> { ?g <http://purl.org/dc/terms/isPartOf> ?pod } } GROUP BY ?pod ORDER BY ?pod`,
    );
    expect(found.map(({ pod, sum }) => [pod?.value, Number(sum?.value)])).to.deep.equal([
      [people[0]!.pod, 4.5],
      [people[1]!.pod, 34.5],
      [people[2]!.pod, 64.5],
    ]);
  });

  it("sees nothing but what each pod lets the asker read", async () => {
    const all = `SELECT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } }`;
    const text = await (await ask(shop.fetch, all)).text();
    expect(text).to.not.include("secret of").and.not.include("Dora-");
    expect(
      await values(shop.fetch, `SELECT ?o FROM <${people[0]!.pod}diary.ttl> { ?s ?p ?o }`, "o"),
    ).to.deep.equal([]);
    // Of a pod that granted nothing, not even what everybody may read.
    expect(text).to.not.include(`${people[3]!.pod}profile/card`);
    expect(await rows(fetch, all)).to.deep.equal([]);
    const ana = await (await ask(people[0]!.fetch, all)).text();
    expect(ana).to.include("secret of Ana").and.not.include("secret of Ben").and.not.include("Ben-");
  });

  it("asks only the pods that are named, and a name of nothing is nothing", async () => {
    const count = `SELECT (COUNT(*) AS ?n) ${ALL} { ?o <${P}price> ?p }`;
    const named = (...pods: string[]): string =>
      pods.map((pod) => `&pod=${encodeURIComponent(pod)}`).join("");
    expect(await values(shop.fetch, count, "n", named(people[0]!.pod, people[1]!.pod))).to.deep.equal(["6"]);
    expect(await values(shop.fetch, count, "n", named(people[3]!.pod))).to.deep.equal(["0"]);
    expect(
      await values(
        shop.fetch,
        count,
        "n",
        named(`${server.baseUrl}nobody/`, "https://elsewhere.example/ana/"),
      ),
    ).to.deep.equal(["0"]);
  });

  it("ranges over the documents that are named, in whatever pods they are", async () => {
    const from = people.map(({ pod }) => `FROM <${pod}orders.ttl>`).join(" ");
    expect(
      await values(shop.fetch, `SELECT (COUNT(*) AS ?n) ${from} { ?o <${P}price> ?p }`, "n"),
    ).to.deep.equal(["9"]);
    expect(await values(shop.fetch, `SELECT ?o { ?o <${P}price> ?p }`, "o")).to.deep.equal([]);
  });

  it("is told of every change in every pod by the next query", async () => {
    const count = (): Promise<string[]> =>
      values(shop.fetch, `SELECT (COUNT(*) AS ?n) ${ALL} { ?o <${P}price> ?p }`, "n");
    const [, ben, , dora] = people;
    await setAccess(ben!, `${ben!.pod}orders.ttl`, []);
    expect(await count()).to.deep.equal(["6"]);
    await setAccess(dora!, `${dora!.pod}orders.ttl`, [{ to: shop.webid, modes: ["Read"] }]);
    expect(await count()).to.deep.equal(["9"]);
    await write(dora!, `${dora!.pod}orders.ttl`, `<#o0> <${P}price> 1 .`);
    expect(await count()).to.deep.equal(["7"]);
    await setAccess(dora!, `${dora!.pod}orders.ttl`, []);
    await setAccess(ben!, `${ben!.pod}orders.ttl`, [{ to: shop.webid, modes: ["Read"] }]);
    expect(await count()).to.deep.equal(["9"]);
  });

  it("is written in the journal of each pod that it was answered from, and in no other", async () => {
    const purpose = "test of receipts";
    const response = await ask(shop.fetch, `SELECT * ${ALL} { ?o <${P}price> ?p }`, "", {
      "access-purpose": purpose,
    });
    expect(response.status).to.equal(200);
    await response.text();
    await server.context.journal.flush();
    for (const [at, person] of people.entries()) {
      const pod = (await server.context.pods.find(person.pod.slice(server.baseUrl.length, -1)))!;
      const { number } = await server.context.store.journal.head(pod.id);
      const entries = await server.context.store.journal.read(pod.id, 0, number);
      const queries = entries.filter(({ entry }) => {
        const text = entry ? Buffer.from(entry).toString() : "";
        return text.includes('"query"') && text.includes(shop.webid);
      });
      // Dora had granted something for a while, in the test before.
      if (at !== 3) expect(queries.length, person.pod).to.be.above(0);
    }
  });

  it("answers an unchanged question with 304, and describes itself", async () => {
    const query = `SELECT ?n ${ALL} { ?o <${P}orderNumber> ?n }`;
    const first = await ask(shop.fetch, query);
    const etag = first.headers.get("etag")!;
    expect((await ask(shop.fetch, query, "", { "if-none-match": etag })).status).to.equal(304);
    expect((await ask(people[0]!.fetch, query, "", { "if-none-match": etag })).status).to.equal(200);
    const described = await (await fetch(endpoint())).text();
    expect(described).to.include(endpoint()).and.not.include(people[0]!.pod);
  });

  it("refuses what a pod's own endpoint refuses, and bad credentials", async () => {
    for (const [query, status] of [
      ["SELECT", 400],
      ["CLEAR ALL", 400],
      [`SELECT * { SERVICE <${people[0]!.pod}sparql> { ?s ?p ?o } }`, 400],
    ] as const)
      expect((await ask(shop.fetch, query)).status).to.equal(status);
    expect(
      (await ask(fetch, "ASK {}", "", { authorization: "DPoP nonsense", dpop: "nonsense" })).status,
    ).to.equal(401);
    expect((await fetch(endpoint(), { method: "PUT", body: "x" })).status).to.equal(405);
  });

  it("leaves out a pod that was closed for good", async () => {
    const [, , cleo] = people;
    await server.context.pods.change("cleo", { movedTo: "https://elsewhere.example/cleo/" });
    const graphs = await values(shop.fetch, `SELECT DISTINCT ?g { GRAPH ?g { ?o <${P}price> ?p } }`, "g");
    expect(graphs.some((graph) => graph.startsWith(cleo!.pod))).to.equal(false);
    expect(graphs.length).to.equal(2);
  });
});

describe("one query over very many pods", () => {
  const rule = (path: string, whom: string): string =>
    `[] a acl:Authorization; acl:agent <${whom}>; acl:accessTo <${path}>; acl:default <${path}>; acl:mode acl:Read .`;
  const COUNT = `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?s <urn:x:n> ?o }`;

  async function open(count: number, options: Partial<Record<keyof Limits, number>> = {}) {
    const limits = { ...LIMITS, ...options } as Limits;
    const { store, changes } = withChanges(createMemoryStore());
    const pods = createPods(store, () => new Date(0));
    const broken = new Set<string>();
    const access = createAccess({ baseUrl: BASE, pods, store, limits, reachOf: async () => null });
    const log: string[] = [];
    const queries = createQueries({
      baseUrl: BASE,
      limits,
      log: createLog(
        (line) => log.push(line),
        () => new Date(),
      ),
      access,
      changes,
      pods,
      store: {
        read: (pod, work) =>
          broken.has(pod) ? Promise.reject(new Problem("unavailable")) : store.read(pod, work),
      },
    });
    for (let n = 0; n < count; n++) {
      const root = `/p${n}/`;
      const pod = await pods.create(`p${n}`, parseWebId(`${BASE}p${n}/profile/card#me`));
      await store.write(pod.id, async (transaction) => {
        put(transaction, root, "");
        put(transaction, `${root}.acl`, rule(root, DORA) + rule(root, SHOP));
        for (let at = 0; at < 5; at++) put(transaction, `${root}d${at}.ttl`, `<> <urn:x:n> ${n} .`);
      });
    }
    async function ask(
      query: string,
      headers: Record<string, string> = {},
      who = DORA,
      named: string[] = [],
    ) {
      const chosen = named.map((name) => `&pod=${encodeURIComponent(`${BASE}${name}/`)}`);
      const parameters = `query=${encodeURIComponent(query)}${chosen.join("")}`;
      const asked = {
        id: "t",
        method: "GET" as const,
        url: `${BASE}.query/sparql`,
        headers,
        agent: as(who),
        query: parameters,
        body: null,
      };
      const { result, pods: told } = await queries.everywhere!.answer(asked, await queries.parse(asked));
      const { results } = JSON.parse(Buffer.from(result.body as Uint8Array).toString()) as Answer;
      return { n: results.bindings[0]?.["n"]?.value, told, headers: result.headers };
    }
    const podOf = async (name: string) => (await pods.find(name))!.id;
    return { ask, broken, podOf, log, close: () => queries.close() };
  }

  it("tells each of them, once", async () => {
    const { ask, close } = await open(60);
    try {
      const { n, told } = await ask(COUNT);
      expect(n).to.equal("300");
      expect(told.map(({ pod, extent }) => `${pod.name} ${extent.documents}`).sort()).to.deep.equal(
        Array.from({ length: 60 }, (_, at) => `p${at} 6`).sort(), // With the folder; its rules are for who has Control.
      );
    } finally {
      await close();
    }
  });

  it("leaves out a pod that cannot be read, and says so; strictly, nobody is answered", async () => {
    const { ask, broken, podOf, close } = await open(3);
    try {
      broken.add(await podOf("p1"));
      const { n, told, headers } = await ask(COUNT);
      expect([n, told.length, headers["freehold-left-out"]]).to.deep.equal(["10", 2, "*"]);
      const some = await ask(COUNT, {}, DORA, ["p0", "p1"]);
      expect([some.n, some.headers["freehold-left-out"]], "to whoever knows it").to.deep.equal([
        "5",
        `${BASE}p1/`,
      ]);
      const error = await ask(COUNT, { prefer: "handling=strict" }).then(
        () => null,
        (thrown: Problem) => thrown.code,
      );
      expect(error).to.equal("unavailable");
      broken.clear();
      const again = await ask(COUNT);
      expect(again.n).to.equal("15");
      expect(again.headers).to.not.have.property("freehold-left-out");
    } finally {
      await close();
    }
  });

  it("is refused when what says which document is where does not fit, and nothing is missing afterwards", async () => {
    const isPartOf = "<http://purl.org/dc/terms/isPartOf>";
    const withPods = `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?s <urn:x:n> ?o GRAPH <${BASE}.query/pods> { ?d ${isPartOf} ?pod } }`;
    const outcomes = new Set<string>();
    for (const queryQuadsMax of [120, 135, 180]) {
      const { ask, close } = await open(3, { queryQuadsMax });
      try {
        const answer = (query: string): Promise<string> =>
          ask(query).then(
            ({ n }) => `${n}`,
            (error: Problem) => error.code,
          );
        const [before, both, after] = [await answer(COUNT), await answer(withPods), await answer(COUNT)];
        outcomes.add([before, both, after].join());
      } finally {
        await close();
      }
    }
    const allowed = ["15,270,15", "15,query-refused,15", "query-refused,query-refused,query-refused"];
    expect(allowed).to.include.members([...outcomes]);
    expect([...outcomes]).to.include("15,query-refused,15");
  });

  it("is refused when they are too many, or too much, with the way out", async () => {
    for (const [options, expected] of [
      [{ queryPodsMax: 2 }, /at most 2 pods.*parameter pod/],
      [{ queryQuadsMax: 12 }, /at most 12 statements.*parameter pod/],
    ] as const) {
      const { ask, close } = await open(3, options);
      try {
        const error = await ask(COUNT).then(
          () => null,
          (thrown: Problem) => thrown,
        );
        expect(error?.code).to.equal("query-refused");
        expect(error?.detail).to.match(expected);
      } finally {
        await close();
      }
    }
  });
});
