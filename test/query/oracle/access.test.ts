/**
 * Access inside the engine: what the endpoint answers is compared with evaluation over an index that holds only what a
 * second evaluator of the rules permits. Rows, counts and errors must be the same, also right after a change of rules.
 */
import { Readable } from "node:stream";
import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import { parseTarget } from "../../../server/iri.ts";
import { LIMITS, type Limits } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import type { Agent, Operation } from "../../../server/operation.ts";
import { createQueries, type Queries, type QueriesDeps } from "../../../server/query/endpoint.ts";
import type { View } from "../../../server/query/index/view.ts";
import { createPlans } from "../../../server/query/plans.ts";
import { parseText } from "../../../server/rdf/parse.ts";
import { serializeRdf } from "../../../server/rdf/serialize.ts";
import { type Quad, quad, type Value } from "../../../server/rdf/terms.ts";
import { withChanges } from "../../../server/store/changes.ts";
import type { ChangesBetween, Transaction } from "../../../server/store/store.ts";
import { ANA, as, BASE, BEN, DORA, PREFIXES, put, type Server, SHOP, serve } from "../../access/fixture.ts";
import { oracle } from "../../access/oracle.ts";
import { UNION } from "../fixture.ts";
import { makeGraphs, makeQuery } from "./cases.ts";
import { type Chance, createChance } from "./chance.ts";
import { difference } from "./compare.ts";
import { answerBytes, type Outcome, reference, viewOf } from "./engines.ts";
import { fromJson } from "./results.ts";

const ROOT = `${BASE}ana/`;
const PLACES = ["0", "a/1", "a/b/2", "c/3"] as const;
const FOLDERS = ["", "a/", "a/b/", "c/"] as const;
const FRIENDS = "groups/friends.ttl";
const TEAM = `${BASE}ben/team.ttl`;
const PEOPLE = [null, DORA, SHOP, BEN, ANA] as const;

/** Small, so that answers are refused for what is readable, and never for what is not. */
const limits = { ...LIMITS, queryRowsMax: 40, queryOwnerRowsMax: 60 } as unknown as Limits;

type Texts = Map<string, string>; // Path in the pod, or that of an access list, to its Turtle.

const WHO = [
  "acl:agentClass foaf:Agent",
  "acl:agentClass acl:AuthenticatedAgent",
  `acl:agent <${DORA}>`,
  `acl:agent <${SHOP}>, <${BEN}>`,
  `acl:agentGroup <${ROOT}${FRIENDS}#all>`,
  `acl:agentGroup <${TEAM}#all>`,
] as const;

/** A list for a folder or a document; the owner's own rule now and then left out. */
function makeList(chance: Chance, path: string): string {
  if (chance.is(5)) return "this is <not Turtle";
  const place = `<${ROOT}${path}>`;
  const rules = Array.from({ length: chance.below(4) }, () => {
    const scope = chance.pick([
      `acl:accessTo ${place}`,
      `acl:default ${place}`,
      `acl:accessTo ${place}; acl:default ${place}`,
    ]);
    return `[] a acl:Authorization; ${chance.pick(WHO)}; ${scope}; acl:mode ${chance.pick(["acl:Read", "acl:Read", "acl:Read", "acl:Append", "acl:Control", "acl:Read, acl:Control"])} .`;
  });
  if (chance.is(80))
    rules.push(
      `[] a acl:Authorization; acl:agent <${ANA}>; acl:accessTo ${place}; acl:default ${place}; acl:mode acl:Read, acl:Control .`,
    );
  return rules.join("\n");
}

const makeGroup = (chance: Chance): string =>
  PEOPLE.filter((person) => person !== null && chance.is(40))
    .map((person) => `<#all> <http://www.w3.org/2006/vcard/ns#hasMember> <${person}> .`)
    .join("\n");

/** `d:0` of the generated queries and data is a document of the pod. */
const placed = (text: string): string =>
  text
    .replaceAll(/\bd:([0-3])\b/g, (_, at: string) => `<${ROOT}${PLACES[Number(at)]}>`)
    .replaceAll(/http:\/\/d\/([0-3])/g, (_, at: string) => `${ROOT}${PLACES[Number(at)]}`);

async function makeTexts(chance: Chance): Promise<Texts> {
  const texts: Texts = new Map();
  for (const [at, { quads }] of makeGraphs(chance).entries()) {
    const turtle = new TextDecoder().decode(await serializeRdf(quads, "text/turtle"));
    texts.set(PLACES[at]!, placed(turtle));
  }
  texts.set(FRIENDS, makeGroup(chance));
  for (const path of [...FOLDERS, ...texts.keys()])
    if (path === "" || chance.is(35)) texts.set(`${path}.acl`, makeList(chance, path));
  return texts;
}

/** Queries that fail, each in its way. */
const FAULTS = [
  "SELECT * { ?s ?p }",
  "SELECT * { ?s ?p ?o . FILTER (<http://e/none>(?o)) }",
  "SELECT * { ?a ?b ?c . ?d ?e ?f }",
  "SELECT ?g { GRAPH ?g { ?s ?p ?o } }",
  "SELECT * { SERVICE <http://e/> { ?s ?p ?o } }",
] as const;

interface Asked {
  readonly text: string;
  readonly who: Agent;
}
type Told = Outcome | { readonly kind: "problem"; readonly code: string; readonly detail: string };

const isGraphText = (text: string): boolean => /^\s*CONSTRUCT/m.test(text);
const read = (text: string, body: string): Outcome =>
  isGraphText(text)
    ? { kind: "graph", quads: parseText(body, "application/n-triples", BASE) }
    : fromJson(body);

async function told(work: () => Promise<Outcome>): Promise<Told> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: "problem", code: error.code, detail: error.detail ?? "" };
  }
}

/** Asks an endpoint for all or for what the agent may read, as JSON or N-Triples. */
function ask(server: Server, queries: Queries, { text, who }: Asked): Promise<Told> {
  return told(async () => {
    const operation: Operation = {
      id: "test",
      method: "GET",
      target: parseTarget("/ana/sparql"),
      url: `${ROOT}sparql`,
      query: `query=${encodeURIComponent(text)}&default-graph-uri=${encodeURIComponent(UNION)}`,
      agent: who,
      headers: { accept: isGraphText(text) ? "application/n-triples" : "application/sparql-results+json" },
      body: null,
    };
    const request = await queries.parse(operation);
    const { body } = await server.store.read(server.ana.id, (snapshot) =>
      queries.answer(snapshot, server.ana, operation, request),
    );
    const whole =
      body instanceof Readable || Symbol.asyncIterator in Object(body)
        ? Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>))
        : body;
    return read(text, typeof whole === "string" ? whole : new TextDecoder().decode(whole as Uint8Array));
  });
}

const plans = createPlans(limits);

/** The same query over an index of its own. */
function evaluate(view: View, { text, who }: Asked): Promise<Told> {
  return told(async () => {
    const planned = plans.get(text, `${ROOT}sparql`, who.webid !== ANA);
    const rowsMax = who.webid === ANA ? limits.queryOwnerRowsMax : limits.queryRowsMax;
    const contentType = isGraphText(text) ? "application/n-triples" : "application/sparql-results+json";
    const bytesMax = limits.queryResultBytesMax;
    const { bytes } = await answerBytes(planned, view, contentType, 20_000, { rowsMax, bytesMax });
    return read(text, new TextDecoder().decode(bytes));
  });
}

function unlike(found: Told, expected: Told, isReduced: boolean): string | null {
  if (found.kind !== "problem" && expected.kind !== "problem")
    return difference(found, expected, { isReduced });
  const [left, right] = [found, expected].map((each) =>
    each.kind === "problem" ? `${each.code}: ${each.detail}` : `an answer: ${each.kind}`,
  );
  return left === right ? null : `${left}\n--- and not ---\n${right}`;
}

describe("access inside the engine", () => {
  const WORLDS = 20;
  const EPOCHS = 10;
  const CASES = 50;

  it(`${(WORLDS * EPOCHS * CASES).toLocaleString("en-US")} cases of data, rules, agents and queries: as if there were nothing else`, async function () {
    this.timeout(600_000);
    const log = createLog(
      () => {},
      () => new Date(),
    );
    const counts = { answers: 0, open: 0, filled: 0, problems: 0, hidden: 0 };
    for (let world = 0; world < WORLDS; world++) {
      const chance = createChance(7_000_000 + world);
      const server = await serve({}, {}, limits);
      const { store, changes } = withChanges(server.store);
      const texts = await makeTexts(chance);
      const bens = new Map([
        ["team.ttl", makeGroup(chance)],
        [
          ".acl",
          `[] a acl:Authorization; acl:agent <${BEN}>; acl:default <${BASE}ben/>; acl:accessTo <${BASE}ben/>; acl:mode acl:Read .`,
        ],
      ]);
      const write = (transaction: Transaction, path: string, text: string): void =>
        put(transaction, `/${path}`, text);
      await store.write(server.ana.id, async (transaction) => {
        for (const folder of [...FOLDERS, "groups/"]) write(transaction, `ana/${folder}`, "");
        for (const [path, text] of texts) write(transaction, `ana/${path}`, text);
      });
      await store.write(server.ben.id, async (transaction) => {
        write(transaction, "ben/", "");
        for (const [path, text] of bens) write(transaction, `ben/${path}`, text);
      });
      const deps = (access: QueriesDeps["access"], known: ChangesBetween): QueriesDeps => ({
        baseUrl: BASE,
        limits,
        log,
        access,
        changes: known,
      });
      const wrapped = { ...server, store };
      const queries = createQueries(deps(server.access, changes));
      const seesAll: QueriesDeps["access"] = {
        ...server.access,
        readable: async (_snapshot, _pod, _agent, { paths }) => ({
          key: "all",
          made: async () => ({
            bits: new Uint8Array(paths.length).fill(1),
            grants: new Map(),
            question: null,
          }),
        }),
      };
      const all = createQueries({ ...deps(seesAll, () => null), limits: { ...LIMITS } });
      try {
        for (let epoch = 0; epoch < EPOCHS; epoch++) {
          if (epoch > 0) {
            if (chance.is(25)) {
              bens.set("team.ttl", makeGroup(chance));
              await store.write(server.ben.id, async (transaction) =>
                write(transaction, "ben/team.ttl", bens.get("team.ttl")!),
              );
            } else {
              const path = chance.is(30)
                ? FRIENDS
                : `${chance.pick([...FOLDERS, ...PLACES.slice(0, 2)])}.acl`;
              texts.set(path, path === FRIENDS ? makeGroup(chance) : makeList(chance, path.slice(0, -4)));
              await store.write(server.ana.id, async (transaction) =>
                write(transaction, `ana/${path}`, texts.get(path)!),
              );
            }
          }
          const graphs = new Map<string, Quad[]>();
          const names = await ask(wrapped, all, { text: "SELECT ?g { GRAPH ?g {} }", who: as(ANA) });
          if (names.kind !== "rows") throw new Error(JSON.stringify(names));
          for (const row of names.rows) graphs.set(row.get("g")!.value, []);
          const everything = await ask(wrapped, all, {
            text: "SELECT * { GRAPH ?g { ?s ?p ?o } }",
            who: as(ANA),
          });
          if (everything.kind !== "rows") throw new Error(JSON.stringify(everything));
          for (const row of everything.rows) {
            const [g, s, p, o] = ["g", "s", "p", "o"].map((name) => row.get(name)!) as [
              Value,
              Quad["subject"],
              Quad["predicate"],
              Value,
            ];
            graphs.get(g.value)!.push(quad(s, p, o));
          }
          const documents = Object.fromEntries([
            ...[...texts].map(([path, text]) => [`${ROOT}${path}`, PREFIXES + text]),
            ...[...bens].map(([path, text]) => [`${BASE}ben/${path}`, PREFIXES + text]),
          ]) as Record<string, string>;
          const rules = { documents, root: ROOT, owner: ANA, ownOrigin: BASE.slice(0, -1) };
          const views = new Map<string, View>();
          for (let at = 0; at < CASES; at++) {
            const who = as(chance.pick(PEOPLE));
            const generated = chance.is(6) ? null : makeQuery(chance);
            const text = placed(generated ? (generated.whole ?? generated.text) : chance.pick(FAULTS));
            const permitted = [...graphs].filter(([name]) => oracle(rules, name, "read", who));
            const key = permitted.map(([name]) => name).join(" ");
            const own = permitted.map(([name, quads]) => ({ name, quads, isDefault: true, isNamed: true }));
            const view = views.get(key) ?? viewOf(own);
            views.set(key, view);
            const [found, expected] = [
              await ask(wrapped, queries, { text, who }),
              await evaluate(view, { text, who }),
            ];
            const fault = unlike(found, expected, generated?.isReduced ?? false);
            // More than one answer may be right: which of two blank nodes is the least, for one.
            const isOpen =
              fault !== null &&
              found.kind !== "problem" &&
              expected.kind !== "problem" &&
              (await reference.open(own)(text, `${ROOT}sparql`)).kind === "refused";
            if (isOpen) counts.open++;
            if (fault !== null && !isOpen)
              throw new Error(
                `world ${world}, epoch ${epoch}, case ${at}, ${who.webid}\n${text}\n${key}\n${fault}`,
              );
            counts.answers++;
            if (found.kind === "problem") counts.problems++;
            else if (found.kind !== "rows" || found.rows.length > 0) counts.filled++;
            if (permitted.length < graphs.size) counts.hidden++;
          }
        }
      } finally {
        await Promise.all([queries.close(), all.close()]);
      }
    }
    expect(counts.answers).to.equal(WORLDS * EPOCHS * CASES);
    expect(counts.open, "answers that are open").to.be.below(counts.answers / 500);
    expect(counts.filled, "answers with something in them").to.be.above(counts.answers / 4);
    expect(counts.problems, "refused queries").to.be.above(counts.answers / 50);
    expect(counts.hidden, "cases in which something was hidden").to.be.above(counts.answers / 4);
  });
});
