import { expect } from "chai";
import fc from "fast-check";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Agent } from "../../server/operation.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { ANA, APP, BASE, DORA, ISSUER, SHOP, serve, type World } from "./fixture.ts";
import { oracle } from "./oracle.ts";
import {
  AGENTS,
  BENS_TEAM,
  bens,
  documents,
  FOREIGN,
  FRIENDS,
  GOOD,
  OPERATIONS,
  oracleWorld,
  PLACES,
  STATES,
} from "./worlds.ts";

/** Every place, operation and agent of one world. @returns how many answers were compared, and how many were yes. */
async function compare(
  world: World,
  agents: readonly Agent[],
  places: readonly string[],
): Promise<{ asked: number; granted: number }> {
  const server = await serve(world, bens, LIMITS, async () => UNNARROWED);
  const expected = oracleWorld(world, bens);
  let asked = 0;
  let granted = 0;
  await server.store.read(server.ana.id, async (snapshot) => {
    for (const agent of agents) {
      const mayRead = await server.access.reader(snapshot, server.ana, agent);
      const classified = await server.access.classify(snapshot, server.ana, places);
      const bits = (await (await server.access.readable(snapshot, server.ana, agent, classified)).made())
        .bits;
      for (const [at, place] of places.entries()) {
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
        expect(bits[at] === 1, `class of ${place} by ${JSON.stringify(agent)}`).to.equal(read);
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
        // Many rules rather than few: most of them are incomplete in one way or another.
        fc.array(rule(place), { maxLength: 10, size: "max" }).map((rules) => rules.join("\n")),
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
