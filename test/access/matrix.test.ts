import { expect } from "chai";
import fc from "fast-check";
import { parentOf, parseTarget } from "../../server/iri.ts";
import type { Agent, Mode } from "../../server/operation.ts";
import { ANA, APP, as, BASE, BEN, DORA, ISSUER, PREFIXES, SHOP, serve, type World } from "./fixture.ts";
import { type OracleWorld, oracle } from "./oracle.ts";

const FRIENDS = `${BASE}ana/groups/friends.ttl#all`;
const BENS_TEAM = `${BASE}ben/private/team.ttl#all`;
const FOREIGN = "https://elsewhere.example/groups#all";
const GOOD = "https://good.example";
const EVIL = "https://evil.example";

const documents: World = {
  "/ana/": "",
  "/ana/groups/": "",
  "/ana/groups/friends.ttl": `<#all> a vcard:Group; vcard:hasMember <${DORA}>, "${SHOP}" .`,
  "/ana/notes/": "",
  "/ana/notes/2026/": "",
  "/ana/notes/2026/today.ttl": "<> a foaf:Document .",
  "/ana/photo.jpg": "",
};
const bens: World = {
  "/ben/private/team.ttl": `<#all> vcard:hasMember <${SHOP}> .`,
  "/ben/.acl": `[] a acl:Authorization; acl:agent <${BEN}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`,
};

const OWNER = `[] a acl:Authorization; acl:agent <${ANA}>; acl:accessTo </ana/>; acl:default </ana/>; acl:mode acl:Read, acl:Write, acl:Control .`;
const NOTES = "acl:accessTo </ana/notes/>; acl:default </ana/notes/>";
const all = (url: string, what: string) =>
  `[] a acl:Authorization; acl:accessTo <${url}>; acl:default <${url}>; ${what} .`;

/** Each a state of the pod's access lists. */
const STATES: Readonly<Record<string, World>> = {
  "no list at all": {},
  "the owner's at the root": { "/ana/.acl": OWNER },
  "the root is public": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read")}`,
  },
  "an empty list cuts off what is above": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read")}`,
    "/ana/notes/.acl": "",
  },
  "a list that is not Turtle": { "/ana/.acl": OWNER, "/ana/notes/.acl": "this is <not Turtle" },
  "for the folder, not for what is in it": {
    "/ana/.acl": OWNER,
    "/ana/notes/.acl": `[] a acl:Authorization; acl:agent <${DORA}>; acl:accessTo </ana/notes/>; acl:mode acl:Read, acl:Append .`,
  },
  "for what is in the folder, not for the folder": {
    "/ana/.acl": OWNER,
    "/ana/notes/.acl": `[] a acl:Authorization; acl:agent <${DORA}>; acl:default </ana/notes/>; acl:mode acl:Read, acl:Write .`,
  },
  "a document's own list": {
    "/ana/.acl": OWNER,
    "/ana/notes/2026/today.ttl.acl": `[] a acl:Authorization; acl:agentClass acl:AuthenticatedAgent; acl:accessTo <today.ttl>; acl:mode acl:Read . [] a acl:Authorization; acl:agent <${SHOP}>; acl:accessTo <today.ttl>; acl:mode acl:Append .`,
  },
  "a document's list about another document": {
    "/ana/.acl": OWNER,
    "/ana/notes/2026/today.ttl.acl": `[] a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo </ana/photo.jpg>; acl:mode acl:Read .`,
  },
  "control for others": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Control`)}`,
  },
  "a list without the owner": {
    "/ana/.acl": all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Read, acl:Write, acl:Control`),
  },
  "groups of three places": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentGroup <${FRIENDS}>, <${FOREIGN}>, <${BASE}ana/.acl#x>, <urn:x>; acl:mode acl:Read`)} ${all("/ana/", `acl:agentGroup <${BENS_TEAM}>; acl:mode acl:Append`)}`,
  },
  "an agent from an origin": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:origin <${GOOD}>; acl:mode acl:Read, acl:Write`)}`,
  },
  "an origin for everybody who is named": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>, <${SHOP}>; acl:origin <https://third.example>; acl:mode acl:Read`)} ${all("/ana/", `acl:origin <${GOOD}/>; acl:mode acl:Read`)}`,
  },
  "an origin and nobody": {
    "/ana/.acl": all("/ana/", `acl:origin <${GOOD}>; acl:mode acl:Read, acl:Control`),
  },
  "a client condition": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Read; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ]`)}`,
  },
  "an issuer and a client": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentClass acl:AuthenticatedAgent; acl:mode acl:Read; acl:condition [ a acl:Condition, acl:IssuerCondition; acl:issuer <${ISSUER}> ], [ a acl:ClientCondition; acl:clientClass foaf:Agent ]`)}`,
  },
  "conditions nobody knows": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agentClass foaf:Agent; acl:mode acl:Read; acl:condition [ a <urn:x#TimeCondition> ]`)} ${all("/ana/", `acl:agent <${DORA}>; acl:mode acl:Write; acl:condition <urn:elsewhere>`)} ${all("/ana/", `acl:agent <${SHOP}>; acl:mode acl:Append; acl:condition "text"`)}`,
  },
  "modes and classes nobody knows": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode <urn:x#Sell>, acl:Access")} ${all("/ana/", "acl:agentClass <urn:x#Friends>; acl:mode acl:Read")}`,
  },
  "incomplete rules": {
    "/ana/.acl": `${OWNER} [] acl:agentClass foaf:Agent; acl:accessTo </ana/>; acl:default </ana/>; acl:mode acl:Read . ${all("/ana/", "acl:mode acl:Read")} ${all("/ana/", "acl:agentClass foaf:Agent")} [] a acl:Authorization; acl:agentClass foaf:Agent; acl:mode acl:Read .`,
  },
  "names in quotes": {
    "/ana/.acl": `${OWNER} ${all("/ana/", `acl:agent "${DORA}"; acl:mode acl:Read`)} [] a acl:Authorization; acl:agent <${DORA}>; acl:accessTo "${BASE}ana/"; acl:mode acl:Read .`,
  },
  "three lists in a row, no union": {
    "/ana/.acl": `${OWNER} ${all("/ana/", "acl:agentClass foaf:Agent; acl:mode acl:Read, acl:Write")}`,
    "/ana/notes/.acl": `[] a acl:Authorization; ${NOTES}; acl:agent <${DORA}>; acl:mode acl:Read .`,
    "/ana/notes/2026/.acl": all("/ana/notes/2026/", `acl:agent <${SHOP}>; acl:mode acl:Append`),
  },
};

const AGENTS: Readonly<Record<string, Agent>> = {
  "the public": as(null),
  "a page of another site": as(null, { origin: EVIL }),
  "an app without a person": as(null, { client: APP, issuer: ISSUER }),
  "the owner": as(ANA),
  "the owner in a strange app": as(ANA, { origin: EVIL, client: "https://strange.example/id", issuer: BASE }),
  dora: as(DORA),
  "dora from the good origin": as(DORA, { origin: GOOD }),
  "dora from another origin": as(DORA, { origin: EVIL }),
  "dora on the server's own page": as(DORA, { origin: BASE.slice(0, -1) }),
  "dora from an origin of nothing": as(DORA, { origin: "null" }),
  "dora with the app": as(DORA, { client: APP, issuer: "https://other.example/" }),
  "dora with the app and the issuer": as(DORA, { client: APP, issuer: ISSUER }),
  "dora with another app": as(DORA, { client: `${APP}2`, issuer: `${ISSUER}x` }),
  "the shop": as(SHOP),
  "the shop from the good origin": as(SHOP, { origin: GOOD, issuer: ISSUER }),
  ben: as(BEN),
};

/** Each operation is a list of modes wanted somewhere; creating and deleting concern the folder too. */
const OPERATIONS: Readonly<
  Record<string, (path: string) => readonly (readonly [path: string, mode: Mode])[]>
> = {
  read: (path) => [[path, "read"]],
  append: (path) => [[path, "append"]],
  write: (path) => [[path, "write"]],
  control: (path) => [[path, "control"]],
  create: (path) => [
    [parentOf(path) ?? path, "append"],
    [path, "write"],
  ],
  delete: (path) => [
    [parentOf(path) === "/" ? path : (parentOf(path) ?? path), "write"],
    [path, "write"],
  ],
};

const PLACES = [
  "/ana/",
  "/ana/photo.jpg",
  "/ana/notes/",
  "/ana/notes/new.ttl",
  "/ana/notes/2026/",
  "/ana/notes/2026/today.ttl",
  "/ana/notes/2026/today.ttl.meta",
  "/ana/notes/2026/today.ttl.acl",
  "/ana/notes/.acl",
  "/ana/.acl",
  "/ana/.meta",
  "/ana/notes/not/there/yet/",
];

function oracleWorld(...worlds: readonly World[]): OracleWorld {
  const entries = worlds.flatMap((world) => Object.entries(world));
  const texts = entries
    .filter(([path]) => !path.endsWith("/"))
    .map(([path, text]) => [`${BASE}${path.slice(1)}`, PREFIXES + text]);
  return {
    documents: Object.fromEntries(texts),
    root: `${BASE}ana/`,
    owner: ANA,
    ownOrigin: BASE.slice(0, -1),
  };
}

/** Every place, operation and agent of one world. @returns how many answers were compared, and how many were yes. */
async function compare(
  world: World,
  agents: readonly Agent[],
  places: readonly string[],
): Promise<{ asked: number; granted: number }> {
  const server = await serve(world, bens);
  const expected = oracleWorld(world, bens);
  let asked = 0;
  let granted = 0;
  await server.store.read(server.ana.id, async (snapshot) => {
    for (const agent of agents) {
      const mayRead = await server.access.reader(snapshot, server.ana, agent);
      for (const place of places) {
        for (const [operation, needs] of Object.entries(OPERATIONS)) {
          let ours = true;
          for (const [path, mode] of needs(place)) {
            const decision = await server.access.authorize(snapshot, server.ana, agent, parseTarget(path), [
              mode,
            ]);
            ours &&= decision.kind === "granted";
          }
          const theirs = needs(place).every(([path, mode]) =>
            oracle(expected, `${BASE}${path.slice(1)}`, mode, agent),
          );
          asked++;
          if (theirs) granted++;
          if (ours !== theirs)
            expect.fail(
              `${operation} ${place} by ${JSON.stringify(agent)}: server ${ours}, specification ${theirs}`,
            );
        }
        const read = oracle(expected, `${BASE}${place.slice(1)}`, "read", agent);
        expect(await mayRead(place), `reader of ${place} by ${JSON.stringify(agent)}`).to.equal(read);
        const { user } = await server.access.permissions(snapshot, server.ana, agent, parseTarget(place));
        expect(user.includes("read"), `permissions on ${place} by ${JSON.stringify(agent)}`).to.equal(read);
      }
    }
  });
  return { asked, granted };
}

describe("access matrix: the server and an independent evaluator agree", () => {
  for (const [state, lists] of Object.entries(STATES)) {
    it(state, async () => {
      const { asked } = await compare({ ...documents, ...lists }, Object.values(AGENTS), PLACES);
      expect(asked).to.equal(Object.keys(AGENTS).length * PLACES.length * Object.keys(OPERATIONS).length);
    });
  }

  it("random trees of lists", async function () {
    this.timeout(60_000);
    const containers = ["/ana/", "/ana/notes/", "/ana/notes/2026/"];
    const subject = fc.constantFrom(
      "acl:agentClass foaf:Agent",
      "acl:agentClass acl:AuthenticatedAgent",
      "acl:agentClass <urn:x>",
      `acl:agent <${DORA}>`,
      `acl:agent <${SHOP}>, <${ANA}>`,
      `acl:agentGroup <${FRIENDS}>`,
      `acl:agentGroup <${BENS_TEAM}>, <${FOREIGN}>`,
      `acl:origin <${GOOD}>`,
      `acl:origin "${GOOD}"`,
      `acl:agent <${DORA}>; acl:origin <${GOOD}>, <https://third.example>`,
    );
    const mode = fc.constantFrom(
      "acl:Read",
      "acl:Append",
      "acl:Write",
      "acl:Control",
      "acl:Access",
      "<urn:x#Sell>",
    );
    const condition = fc.constantFrom(
      "",
      "",
      "",
      `; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ]`,
      `; acl:condition [ a acl:IssuerCondition; acl:issuerClass foaf:Agent ]`,
      `; acl:condition [ a acl:IssuerCondition; acl:issuer <${ISSUER}> ], [ a acl:ClientCondition; acl:client <${APP}> ]`,
      `; acl:condition [ a acl:ClientCondition, <urn:x#Moon>; acl:client <${APP}> ]`,
      `; acl:condition [ acl:client <${APP}> ]`,
    );
    const rule = (place: string) =>
      fc
        .tuple(
          fc.constantFrom("a acl:Authorization; ", "a acl:Authorization; ", "a acl:Authorization; ", ""),
          fc.subarray([
            `acl:accessTo <${place}>; `,
            `acl:default <${place}>; `,
            "acl:accessTo </ana/photo.jpg>; ",
          ]),
          fc.uniqueArray(subject, { minLength: 0, maxLength: 2 }),
          fc.uniqueArray(mode, { minLength: 1, maxLength: 3 }),
          condition,
        )
        .map(
          ([type, places, subjects, modes, extra]) =>
            `[] ${type}${places.join("")}${subjects.map((one) => `${one}; `).join("")}acl:mode ${modes.join(", ")}${extra} .`,
        );
    const list = (place: string) =>
      fc.option(
        fc.array(rule(place), { maxLength: 4 }).map((rules) => rules.join("\n")),
        { nil: null, freq: 2 },
      );
    const places = [...containers, "/ana/photo.jpg", "/ana/notes/2026/today.ttl"];
    const worlds = fc
      .tuple(...places.map(list))
      .map(
        (texts) =>
          Object.fromEntries(
            places.flatMap((place, index) =>
              texts[index] === null ? [] : [[`${place}.acl`, texts[index] as string]],
            ),
          ) as World,
      );
    let granted = 0;
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(
        worlds,
        fc.subarray(Object.values(AGENTS), { minLength: 2, maxLength: 5 }),
        async (lists, agents) => {
          const result = await compare({ ...documents, ...lists }, agents, PLACES);
          granted += result.granted;
          asked += result.asked;
        },
      ),
      { numRuns: 300 },
    );
    expect(granted / asked, "a share of yes that shows the trees are no desert").to.be.within(0.05, 0.8);
  });
});
