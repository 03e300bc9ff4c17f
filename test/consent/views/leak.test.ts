/**
 * Random documents full of canaries, random grants, and everything that a vendor can get of them, byte by byte. What may be
 * there is found by a second, slower reading of what a grant says, straight from the documents.
 */
import { schema, vcard } from "@freehold/vocab";
import { expect } from "chai";
import * as fc from "fast-check";
import type { Policy } from "../../../server/consent/model.ts";
import { createViews, type Views } from "../../../server/consent/views/views.ts";
import { parseTarget } from "../../../server/iri.ts";
import { LIMITS, type Limits } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import type { Agent, Operation, Result } from "../../../server/operation.ts";
import { createQueries, type Queries } from "../../../server/query/endpoint.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import type { Quad } from "../../../server/rdf/terms.ts";
import { encodeRecord } from "../../../server/store/record.ts";
import { BANK, BASE, byOwner, createWorld, draft, policy, SHOP, shop, type World } from "../grant-fixture.ts";

const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const PLAIN = [vcard.fn, vcard.note, schema.description, "https://ex.example/ns#own"];
const LINKS = [vcard.hasEmail, vcard.hasTelephone, schema.amount, "https://ex.example/ns#part"];
const GENERIC: readonly string[] = [vcard.value, schema.value];
const limits: Limits = { ...LIMITS, viewAnswerMs: 0 };

interface Leaky {
  readonly world: World;
  readonly queries: Queries;
  readonly views: Views;
}

function createLeaky(world: World): Leaky {
  const log = createLog(
    () => undefined,
    () => new Date(world.clock.time),
  );
  const queries: Queries = createQueries({
    baseUrl: BASE,
    limits,
    log,
    access: world.access,
    changes: () => null,
    granted: (...asked) => views.graphs(...asked),
  });
  const views: Views = createViews({
    baseUrl: BASE,
    limits,
    log,
    store: world.store,
    access: world.access,
    choose: (...asked) => queries.sources.choose(...asked),
    isOwner: async () => false,
  });
  return { world, queries, views };
}

async function putDocuments({ world }: Leaky, documents: Readonly<Record<string, string>>): Promise<void> {
  const text = new TextEncoder();
  await world.write(async (transaction) => {
    for await (const { group, item } of transaction.list("resource", "/ana/a/"))
      transaction.delete("resource", group, item);
    for await (const { group, item } of transaction.list("resource", "/ana/b/"))
      transaction.delete("resource", group, item);
    const container = { kind: "container", contentType: "text/turtle", bytes: 0, created: 0, modified: 0 };
    for (const [group, item] of [
      ["/", "ana/"],
      ["/ana/", "a/"],
      ["/ana/", "b/"],
    ] as const)
      transaction.put("resource", group, item, encodeRecord(container));
    for (const [path, turtle] of Object.entries(documents)) {
      const at = path.lastIndexOf("/") + 1;
      const record = { ...container, kind: "rdf", bytes: turtle.length };
      transaction.put("resource", path.slice(0, at), path.slice(at), encodeRecord(record));
      transaction.put("body", path, "", text.encode(turtle));
    }
  });
}

/** A thing's statements in Turtle; every text is another. */
const things = fc.array(
  fc.record({
    subject: fc.nat(4),
    property: fc.constantFrom(...PLAIN, ...LINKS, ...GENERIC),
    to: fc.oneof(
      fc.record({ node: fc.nat(4) }),
      fc.record({ inner: fc.constantFrom(...PLAIN, ...GENERIC) }),
      fc.constant(null),
    ),
  }),
  { minLength: 1, maxLength: 14 },
);
const documents = fc.record({ "/ana/a/one": things, "/ana/a/two": things, "/ana/b/three": things });

let tokens = 0;
function turtleOf(statements: typeof things extends fc.Arbitrary<infer T> ? T : never): string {
  const token = (): string => `"canary${++tokens}z"`;
  return statements
    .map(({ subject, property, to }) => {
      const object = to === null ? token() : "node" in to ? `<#n${to.node}>` : `[ <${to.inner}> ${token()} ]`;
      return `<#n${subject}> <${property}> ${object} .`;
    })
    .join("\n");
}

const granted = fc.record({
  target: fc.constantFrom(
    { kind: "container", values: ["/ana/a/"] } as const,
    { kind: "resource", values: ["/ana/b/three"] } as const,
    { kind: "storage", values: ["/ana/"] } as const,
  ),
  fields: fc.subarray([...PLAIN, ...LINKS, ...GENERIC]),
  tier: fc.constantFrom("raw", "raw", "raw", "reduced", "aggregate", "tag" as const),
});

/** Texts that the grant gives, by a reading of its own: names first, then values of what only given names lead to. */
async function allowed(
  sources: Readonly<Record<string, string>>,
  { target, fields, tier }: Pick<Policy, "target" | "tier"> & { readonly fields: readonly string[] },
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (tier !== "raw") return found;
  const quads: {
    readonly from: string;
    readonly property: string;
    readonly to: string;
    readonly text: string | null;
  }[] = [];
  for (const [path, turtle] of Object.entries(sources)) {
    if (!target.values.some((place) => path === place || (place.endsWith("/") && path.startsWith(place))))
      continue;
    const nameOf = ({ termType, value }: Quad["object"]): string =>
      termType === "BlankNode" ? `_:${path} ${value}` : value;
    for (const { subject, predicate, object } of await parseRdf(
      Buffer.from(turtle),
      "text/turtle",
      BASE.slice(0, -1) + path,
    )) {
      const text = object.termType === "Literal" ? object.value : null;
      quads.push({ from: nameOf(subject), property: predicate.value, to: nameOf(object), text });
    }
  }
  const isGiven = (property: string): boolean => fields.includes(property) && !GENERIC.includes(property);
  for (const { from, property, text } of quads) {
    if (text === null) continue;
    if (isGiven(property)) found.add(text);
    if (!GENERIC.includes(property)) continue;
    const leading = quads.filter((one) => one.text === null && one.to === from);
    if (leading.length > 0 && leading.every((one) => isGiven(one.property))) found.add(text);
  }
  return found;
}

const canaries = (text: string): readonly string[] => [...new Set(text.match(/canary\d+z/g) ?? [])].sort();

async function textOf({ body }: Result): Promise<string> {
  if (body === null || typeof body === "string") return body ?? "";
  return Buffer.concat(body instanceof Uint8Array ? [body] : await Array.fromAsync(body)).toString();
}

describe("nothing hidden leaves by a view", function () {
  this.timeout(120_000);
  let leaky: Leaky;
  before(async () => {
    leaky = createLeaky(await createWorld());
  });
  after(async () => {
    await leaky.views.close();
    await leaky.queries.close();
  });

  const operation = (path: string, agent: Agent, query = ""): Operation => ({
    id: "r",
    method: "GET",
    target: parseTarget(path),
    url: BASE.slice(0, -1) + path,
    query,
    agent,
    headers: { accept: query === "" ? "text/turtle" : "*/*" },
    body: null,
  });
  async function ask(agent: Agent, sparql: string): Promise<string> {
    const { world, queries } = leaky;
    const asked = operation("/ana/sparql", agent, `query=${encodeURIComponent(sparql)}`);
    const request = await queries.parse(asked);
    return world.store.read(world.pod.id, async (snapshot) => {
      const result = await queries.answer(snapshot, world.pod, asked, request);
      return JSON.stringify(result.headers) + (await textOf(result));
    });
  }

  async function revokeAll(): Promise<void> {
    const { world } = leaky;
    await world.write(async (transaction) => {
      for (const { id, state } of await world.grants.list(transaction))
        if (state === "Active") await world.grants.revoke(transaction, world.pod, id, byOwner);
    });
  }

  it("whatever the documents are and whatever is granted: all of that, and not a byte more", async () => {
    const { world, views } = leaky;
    await fc.assert(
      fc.asyncProperty(documents, granted, async (made, wanted) => {
        const sources = Object.fromEntries(
          Object.entries(made).map(([path, statements]) => [path, turtleOf(statements)]),
        );
        await putDocuments(leaky, sources);
        await revokeAll(); // What a failure left.
        const [own, other] = await world.write(async (transaction) => [
          await world.grants.create(transaction, world.pod, draft([policy(wanted)]), byOwner),
          await world.grants.create(
            transaction,
            world.pod,
            draft([policy(wanted)], { assignee: BANK, controller: BANK }),
            byOwner,
          ),
        ]);
        const id = own.views[0]!;
        const view = `${BASE}ana/.views/${id}`;
        const agent = shop({ grant: own.id });
        const shown = await world.store.read(world.pod.id, async (snapshot) => {
          const { graphs } = await views.graphs(snapshot, world.pod, agent);
          const bytes = await Promise.all(graphs.map((graph) => graph.bytes()));
          const result = await views.show(snapshot, world.pod, operation(`/ana/.views/${id}`, agent));
          return {
            bytes: Buffer.concat(bytes).toString(),
            page: await textOf(result),
            headers: result.headers,
          };
        });
        const expected = [...(await allowed(sources, wanted))].sort();
        expect(canaries(shown.bytes)).to.deep.equal(expected);
        expect(canaries(shown.page)).to.deep.equal(expected);
        const seen = [shown.bytes, shown.page, JSON.stringify(shown.headers)];
        for (const sparql of [
          `SELECT * FROM <${UNION}> { ?s ?p ?o } ORDER BY ?o`,
          "SELECT * { GRAPH ?g { ?s ?p ?o } }",
          `SELECT ?p (COUNT(*) AS ?n) (GROUP_CONCAT(STR(?o)) AS ?all) FROM <${UNION}> { ?s ?p ?o } GROUP BY ?p`,
          `SELECT * FROM <${UNION}> { ?s (!<https://none.example/>)* ?o }`,
          `CONSTRUCT { ?s ?p ?o } FROM <${UNION}> WHERE { ?s ?p ?o FILTER regex(str(?o), "canary") }`,
          `SELECT * FROM <${BASE}ana/a/one> FROM NAMED <${BASE}ana/b/three> { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }`,
          `DESCRIBE <${view}>`,
        ])
          seen.push(await ask(agent, sparql));
        for (const text of seen) {
          for (const canary of canaries(text)) expect(expected).to.include(canary);
          for (const source of [/ana\/[ab]/, /three/, /#n\d/]) expect(text).not.to.match(source);
        }
        // What another was granted is not there, nor a name that this other knows.
        const names = (text: string): ReadonlySet<string> => new Set(text.match(/genid\/[\w-]{22}/g) ?? []);
        const theirs = await world.store.read(world.pod.id, async (snapshot) => {
          const bank = { ...agent, webid: BANK as Agent["webid"], grant: other.id };
          const { graphs } = await views.graphs(snapshot, world.pod, bank);
          return Buffer.concat(await Promise.all(graphs.map((graph) => graph.bytes()))).toString();
        });
        expect(names(theirs).isDisjointFrom(names(seen.join("\n")))).to.equal(true);
        expect(seen.join("\n")).not.to.include(other.views[0]!);
        await revokeAll();
        expect(canaries(await ask(shop(), `SELECT * FROM <${UNION}> { ?s ?p ?o }`))).to.deep.equal([]);
      }),
      { numRuns: 100 },
    );
  });

  it("an answer is the same, whatever happens to what is hidden", async () => {
    const { world, views } = leaky;
    const source = (hidden: string): Readonly<Record<string, string>> => ({
      "/ana/a/one": `<#n1> <${vcard.fn}> "shown" ; <${vcard.note}> "${hidden}" . ${hidden.length % 2 ? `<#n2> <${vcard.note}> "x" .` : ""}`,
      ...(hidden.length > 3 && { "/ana/a/two": `<#n3> <${vcard.note}> "${hidden}" .` }),
    });
    await putDocuments(leaky, source("a"));
    const grant = await world.write((transaction) =>
      world.grants.create(
        transaction,
        world.pod,
        draft([policy({ target: { kind: "container", values: ["/ana/a/"] }, fields: [vcard.fn] })]),
        byOwner,
      ),
    );
    const agent = shop({ grant: grant.id });
    const all = async (): Promise<readonly unknown[]> => {
      const shown = await world.store.read(world.pod.id, async (snapshot) => {
        const result = await views.show(
          snapshot,
          world.pod,
          operation(`/ana/.views/${grant.views[0]}`, agent),
        );
        return [result.headers, await textOf(result)];
      });
      return [
        shown,
        await ask(agent, `SELECT * FROM <${UNION}> { ?s ?p ?o }`),
        await ask(agent, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"),
      ];
    };
    const first = await all();
    for (const hidden of ["b", "bb", "ccc", "dddd", "eeeee"]) {
      await putDocuments(leaky, source(hidden));
      expect(await all()).to.deep.equal(first);
    }
    expect(SHOP).to.equal(grant.assignee);
  });
});
