/** Whatever changes who may read what, or what there is to read, is seen by the next query; nothing is asked twice first. */
import { expect } from "chai";
import { createAccess } from "../../server/access/authorize.ts";
import type { LanguageName } from "../../server/access/language.ts";
import { parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import type { Agent } from "../../server/operation.ts";
import { createQueries } from "../../server/query/endpoint.ts";
import type { Reach } from "../../server/reach.ts";
import { withChanges } from "../../server/store/changes.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { createPods, type Pod } from "../../server/store/pods.ts";
import { encodeRecord } from "../../server/store/record.ts";
import type { Transaction } from "../../server/store/store.ts";
import { acr } from "../access/acp-worlds.ts";
import { ANA, APP, as, BASE, BEN, DORA, put, SHOP } from "../access/fixture.ts";
import { UNION } from "./fixture.ts";

const rule = (path: string, whom: string, modes = "acl:Read"): string =>
  `[] a acl:Authorization; ${whom}; acl:accessTo <${path}>; acl:default <${path}>; acl:mode ${modes} .`;
const agent = (webid: string): string => `acl:agent <${webid}>`;
const said = (n: number): string => `<#it> <urn:x:says> ${n} .`;
const OWN = `${BASE}ana/groups.ttl#team`;
const FOREIGN = `${BASE}ben/groups.ttl#team`;
const NOTE = "/ana/notes/a.ttl";

interface World {
  readonly pods: ReturnType<typeof createPods>;
  reach: Reach | null;
  readonly write: (pod: "ana" | "ben", work: (transaction: Transaction) => void) => Promise<void>;
}
interface Case {
  readonly what: string;
  readonly language?: LanguageName;
  readonly who?: Agent;
  /** The lists, groups and documents besides `/ana/notes/a.ttl`, which says 1. */
  readonly begin: (transaction: Transaction) => void;
  readonly bens?: (transaction: Transaction) => void;
  readonly before: readonly string[];
  readonly change: (world: World) => Promise<void> | void;
  readonly after: readonly string[];
}
const dora = as(DORA);
const throughApp = as(DORA, { client: APP, issuer: BASE });

const cases: readonly Case[] = [
  {
    what: "a grant in a document's own list",
    begin: () => {},
    before: [],
    change: ({ write }) => write("ana", (t) => put(t, `${NOTE}.acl`, rule(NOTE, agent(DORA)))),
    after: ["1"],
  },
  {
    what: "a revocation in a document's own list",
    begin: (t) => put(t, `${NOTE}.acl`, rule(NOTE, agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, `${NOTE}.acl`, rule(NOTE, agent(SHOP)))),
    after: [],
  },
  {
    what: "a list that becomes unreadable",
    begin: (t) => put(t, `${NOTE}.acl`, rule(NOTE, agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, `${NOTE}.acl`, "no <Turtle")),
    after: [],
  },
  {
    what: "a deleted list, after which the folder's counts",
    begin(t) {
      put(t, `${NOTE}.acl`, rule(NOTE, agent(DORA)));
      put(t, "/ana/notes/.acl", rule("/ana/notes/", agent(SHOP)));
    },
    before: ["1"],
    change: ({ write }) => write("ana", (t) => t.delete("auxiliary", NOTE, "acl")),
    after: [],
  },
  {
    what: "a new list of the folder, which cuts off the one above",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, "/ana/notes/.acl", rule("/ana/notes/", agent(SHOP)))),
    after: [],
  },
  {
    what: "a member who leaves a group of this pod",
    begin(t) {
      put(t, "/ana/.acl", rule("/ana/", `acl:agentGroup <${OWN}>`));
      put(t, "/ana/groups.ttl", `<#team> vcard:hasMember <${DORA}> .`);
    },
    before: ["1"],
    change: ({ write }) =>
      write("ana", (t) => put(t, "/ana/groups.ttl", `<#team> vcard:hasMember <${SHOP}> .`)),
    after: [],
  },
  {
    what: "a group of this pod that is deleted",
    begin(t) {
      put(t, "/ana/.acl", rule("/ana/", `acl:agentGroup <${OWN}>`));
      put(t, "/ana/groups.ttl", `<#team> vcard:hasMember <${DORA}> .`);
    },
    before: ["1"],
    change: ({ write }) =>
      write("ana", (t) => {
        t.delete("resource", "/ana/", "groups.ttl");
        t.delete("body", "/ana/groups.ttl", "");
      }),
    after: [],
  },
  {
    what: "a member who leaves a group of another pod, of which this one hears nothing",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", `acl:agentGroup <${FOREIGN}>`)),
    bens: (t) => put(t, "/ben/groups.ttl", `<#team> vcard:hasMember <${DORA}> .`),
    before: ["1"],
    change: ({ write }) =>
      write("ben", (t) => put(t, "/ben/groups.ttl", `<#team> vcard:hasMember <${BEN}> .`)),
    after: [],
  },
  {
    what: "a member who joins a group of another pod",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", `acl:agentGroup <${FOREIGN}>`)),
    before: [],
    change: ({ write }) =>
      write("ben", (t) => put(t, "/ben/groups.ttl", `<#team> vcard:hasMember <${DORA}> .`)),
    after: ["1"],
  },
  {
    what: "a group whose pod has moved away",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", `acl:agentGroup <${FOREIGN}>`)),
    bens: (t) => put(t, "/ben/groups.ttl", `<#team> vcard:hasMember <${DORA}> .`),
    before: ["1"],
    change: async ({ pods }) =>
      void (await pods.change("ben", { movedTo: "https://elsewhere.example/ben/" })),
    after: [],
  },
  {
    what: "an app that is shown out by its person",
    who: throughApp,
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: (world) => void (world.reach = null),
    after: [],
  },
  {
    what: "an app that is let into another folder only",
    who: throughApp,
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: (world) => void (world.reach = { folders: ["/ana/photos/"], modes: ["read"] }),
    after: [],
  },
  {
    what: "an app that may only add from now on",
    who: throughApp,
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: (world) => void (world.reach = { folders: null, modes: ["append"] }),
    after: [],
  },
  {
    what: "an app without a share, of what is open to everybody until it is not",
    who: throughApp,
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", "acl:agentClass foaf:Agent")),
    before: ["1"],
    change: async (world) => {
      world.reach = null;
      await world.write("ana", (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))));
    },
    after: [],
  },
  {
    what: "a frozen folder",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) =>
      write("ana", (t) => t.put("restriction", "", "", encodeRecord([{ path: "/ana/notes/", since: 0 }]))),
    after: [],
  },
  {
    what: "a folder that is no longer frozen",
    begin(t) {
      put(t, "/ana/.acl", rule("/ana/", agent(DORA)));
      t.put("restriction", "", "", encodeRecord([{ path: "/ana/", since: 0 }]));
    },
    before: [],
    change: ({ write }) => write("ana", (t) => t.delete("restriction", "", "")),
    after: ["1"],
  },
  {
    what: "a new text of a document",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, NOTE, said(2))),
    after: ["2"],
  },
  {
    what: "a new document",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, "/ana/notes/b.ttl", said(2))),
    after: ["1", "2"],
  },
  {
    what: "a new document where the agent may read nothing new",
    begin: (t) => put(t, `${NOTE}.acl`, rule(NOTE, agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, "/ana/notes/b.ttl", said(2))),
    after: ["1"],
  },
  {
    what: "a deleted document",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) =>
      write("ana", (t) => {
        t.delete("resource", "/ana/notes/", "a.ttl");
        t.delete("body", NOTE, "");
      }),
    after: [],
  },
  {
    what: "a document that becomes a file of another type",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, NOTE, said(1), "image/png")),
    after: [],
  },
  {
    what: "a description",
    begin: (t) => put(t, "/ana/.acl", rule("/ana/", agent(DORA))),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, `${NOTE}.meta`, said(7))),
    after: ["1", "7"],
  },
  {
    what: "a policy of a folder above",
    language: "acp",
    begin: (t) =>
      put(t, "/ana/.acr", acr("/ana/", [], [{ allow: "acl:Read", any: [`acp:agent <${DORA}>`] }])),
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, "/ana/.acr", acr("/ana/", [], []))),
    after: [],
  },
  {
    what: "a policy that denies, added below one that allows",
    language: "acp",
    begin: (t) =>
      put(t, "/ana/.acr", acr("/ana/", [], [{ allow: "acl:Read", any: [`acp:agent <${DORA}>`] }])),
    before: ["1"],
    change: ({ write }) =>
      write("ana", (t) =>
        put(t, `${NOTE}.acr`, acr(NOTE, [{ deny: "acl:Read", any: [`acp:agent <${DORA}>`] }])),
      ),
    after: [],
  },
  {
    what: "the same place made by somebody else, where rules ask who made it",
    language: "acp",
    begin(t) {
      put(t, "/ana/.acr", acr("/ana/", [], [{ allow: "acl:Read", any: ["acp:agent acp:CreatorAgent"] }]));
      put(t, NOTE, said(1), "text/turtle", DORA);
    },
    before: ["1"],
    change: ({ write }) => write("ana", (t) => put(t, NOTE, said(1), "text/turtle", SHOP)),
    after: [],
  },
];

async function open({ language = "wac", begin, bens }: Case) {
  const { store, changes } = withChanges(createMemoryStore());
  const pods = createPods(store, () => new Date(0));
  const ana = await pods.create("ana", parseWebId(ANA));
  const ben = await pods.create("ben", parseWebId(BEN));
  const world: World = {
    pods,
    reach: { folders: null, modes: ["read"] },
    async write(pod, work) {
      await store.write((pod === "ana" ? ana : ben).id, async (transaction) => work(transaction));
    },
  };
  const access = createAccess({
    baseUrl: BASE,
    pods,
    store,
    limits: LIMITS,
    language,
    reachOf: async () => world.reach,
  });
  const log = createLog(
    () => {},
    () => new Date(),
  );
  const queries = createQueries({
    baseUrl: BASE,
    limits: LIMITS,
    log,
    access,
    changes,
  });
  await world.write("ana", (transaction) => {
    put(transaction, "/ana/", "");
    put(transaction, "/ana/notes/", "");
    put(transaction, NOTE, said(1));
    begin(transaction);
  });
  await world.write("ben", (transaction) => {
    put(transaction, "/ben/", "");
    bens?.(transaction);
  });
  async function ask(pod: Pod, who: Agent): Promise<readonly string[]> {
    const query = `SELECT ?n FROM <${UNION}> { ?s <urn:x:says> ?n } ORDER BY ?n`;
    const operation = {
      id: "test",
      method: "GET" as const,
      target: parseTarget(`/${pod.name}/sparql`),
      url: `${BASE}${pod.name}/sparql`,
      query: `query=${encodeURIComponent(query)}`,
      agent: who,
      headers: {},
      body: null,
    };
    const request = await queries.parse(operation);
    const { body } = await store.read(pod.id, (snapshot) =>
      queries.answer(snapshot, pod, operation, request),
    );
    const { results } = JSON.parse(Buffer.from(body as Uint8Array).toString()) as {
      results: { bindings: { n: { value: string } }[] };
    };
    return results.bindings.map(({ n }) => n.value);
  }
  return { world, ask: (who: Agent) => ask(ana, who), close: () => queries.close() };
}

describe("the next query sees", () => {
  for (const one of cases)
    it(one.what, async () => {
      const { who = dora, before, change, after } = one;
      const { world, ask, close } = await open(one);
      try {
        expect(await ask(who)).to.deep.equal(before);
        await ask(as(SHOP)); // Somebody else's answer is remembered too.
        expect(await ask(who)).to.deep.equal(before);
        await change(world);
        expect(await ask(who)).to.deep.equal(after);
        expect(await ask(who)).to.deep.equal(after);
      } finally {
        await close();
      }
    });
});
