import { expect } from "chai";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { acpOracle } from "./acp-oracle.ts";
import { ACP_AGENTS, ACP_STATES, acpDocuments, acpWorld, CREATORS, contextOf } from "./acp-worlds.ts";
import { DOORS, type Kind } from "./door-table.ts";
import { BASE, put, serve, type World } from "./fixture.ts";
import { oracle } from "./oracle.ts";
import { AGENTS, bens, documents, oracleWorld, STATES } from "./worlds.ts";

/** In either language; rules stand at `….acl` or `….acr`. */
const placesOf = (ending: ".acl" | ".acr"): Readonly<Record<string, Kind>> => ({
  "/ana/": "root",
  [`/ana/${ending}`]: "root-rules",
  "/ana/.meta": "description",
  "/ana/photo.jpg": "document",
  "/ana/new.ttl": "nothing",
  "/ana/notes/": "folder",
  [`/ana/notes/${ending}`]: "rules",
  "/ana/notes/new.ttl": "nothing",
  "/ana/notes/2026/": "folder",
  "/ana/notes/2026/.meta": "description",
  "/ana/notes/2026/today.ttl": "document",
  "/ana/notes/2026/today.ttl.meta": "description",
  [`/ana/notes/2026/today.ttl${ending}`]: "rules",
});

type May = (
  path: string,
  mode: "read" | "append" | "write" | "control",
  agent: (typeof AGENTS)[string],
) => boolean;

/** Every door at every place for every agent, in one state of the rules. @returns how many cells, and how many were yes. */
async function compare(
  world: World,
  language: "wac" | "acp",
  agents: typeof AGENTS,
  may: May,
): Promise<{ cells: number; granted: number }> {
  const server = await serve(world, bens, LIMITS, async () => UNNARROWED, language);
  await server.store.write(server.ana.id, async (transaction) => {
    for (const [path, creator] of Object.entries(CREATORS))
      put(transaction, path, world[path] ?? "", "text/turtle", creator);
  });
  let cells = 0;
  let granted = 0;
  await server.store.read(server.ana.id, async (snapshot) => {
    for (const [path, kind] of Object.entries(placesOf(server.access.language.ending))) {
      const target = parseTarget(path);
      for (const door of DOORS) {
        if (!door.kinds.includes(kind)) continue;
        const needs = await door.needs(snapshot, target, door.prepared(`${BASE}${path.slice(1)}`));
        for (const [name, agent] of Object.entries(agents)) {
          let ours = true;
          for (const need of needs)
            ours &&=
              (await server.access.authorize(snapshot, server.ana, agent, need.target, need.modes)).kind ===
              "granted";
          const theirs = door
            .byText(path, kind)
            .every(([where, mode]) => may(`${BASE}${where.slice(1)}`, mode, agent));
          cells++;
          if (theirs) granted++;
          if (ours !== theirs)
            expect.fail(`${door.name} ${path} by ${name}: server ${ours}, specification ${theirs}`);
        }
      }
    }
  });
  return { cells, granted };
}

describe("every door, every kind of resource, every rule, every agent", () => {
  let cells = 0;
  let granted = 0;

  describe("Web Access Control", () => {
    for (const [state, lists] of Object.entries(STATES))
      it(state, async () => {
        const world = { ...documents, ...lists };
        const expected = oracleWorld(world, bens);
        const seen = await compare(world, "wac", AGENTS, (url, mode, agent) =>
          oracle(expected, url, mode, agent),
        );
        cells += seen.cells;
        granted += seen.granted;
      });
    it("are more than 10,000 cells, a fair share of them yes", () => {
      expect(cells).to.be.greaterThan(10_000);
      expect(granted / cells).to.be.within(0.05, 0.8);
      cells = 0;
      granted = 0;
    });
  });

  describe("Access Control Policy", () => {
    for (const [state, rules] of Object.entries(ACP_STATES))
      it(state, async () => {
        const world = { ...acpDocuments, ...rules };
        const expected = acpWorld(world);
        const seen = await compare(world, "acp", ACP_AGENTS, (url, mode, agent) =>
          acpOracle(expected, url, mode, contextOf(agent, url)),
        );
        cells += seen.cells;
        granted += seen.granted;
      });
    it("are more than 10,000 cells, a fair share of them yes", () => {
      expect(cells).to.be.greaterThan(10_000);
      expect(granted / cells).to.be.within(0.05, 0.8);
    });
  });
});
