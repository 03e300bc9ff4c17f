/** What an app may is what its person may, of that what the person let it do, and what everybody may: as laws. */
import { expect } from "chai";
import fc from "fast-check";
import { MODES } from "../../server/access/decide.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Mode, PUBLIC_AGENT } from "../../server/operation.ts";
import type { Reach } from "../../server/reach.ts";
import { ANA, APP, as, BASE, BEN, DORA, ISSUER, modes, type Server, serve } from "./fixture.ts";

const rule = (who: string, path: string, ...granted: string[]) =>
  `[] a acl:Authorization; ${who}; acl:accessTo <${path}>; acl:default <${path}>; acl:mode ${granted.map((mode) => `acl:${mode}`).join(", ")} .`;
const WORLD = {
  "/ana/": "",
  "/ana/.acl": rule(`acl:agent <${ANA}>`, "/ana/", "Read", "Write", "Control"),
  "/ana/notes/a.ttl": "",
  "/ana/open/.acl":
    rule(`acl:agent <${ANA}>`, "/ana/open/", "Read", "Write", "Control") +
    rule("acl:agentClass foaf:Agent", "/ana/open/", "Read"),
  "/ana/open/b.ttl": "",
  "/ana/shared/.acl": rule(`acl:agent <${BEN}>`, "/ana/shared/", "Read", "Append"),
  "/ana/shared/c.ttl": "",
};
const PATHS = [
  "/ana/",
  "/ana/notes/",
  "/ana/notes/a.ttl",
  "/ana/notesbook/x",
  "/ana/open/b.ttl",
  "/ana/shared/c.ttl",
  "/ana/notes/a.ttl.acl",
  "/ana/open/b.ttl.meta",
];

const reaches: fc.Arbitrary<Reach | null> = fc.option(
  fc.record({
    folders: fc.option(fc.subarray(["/ana/", "/ana/notes/", "/ana/open/", "/ana/shared/", "/ben/"])),
    modes: fc.subarray([...MODES]),
  }),
);

describe("narrowing: an app and its person", () => {
  let reach: Reach | null = null;
  let server: Server;
  before(async () => {
    server = await serve(WORLD, {}, LIMITS, async () => reach);
  });
  const through = (webid: string, issuer = BASE) => as(webid, { client: APP, issuer });
  const listed = async (...asked: Parameters<typeof modes>): Promise<readonly string[]> =>
    (await modes(...asked)).split(" ").filter(Boolean);

  it("the app never has more than the person, nor less than everybody", async () => {
    await fc.assert(
      fc.asyncProperty(
        reaches,
        fc.constantFrom(...PATHS),
        fc.constantFrom(ANA, BEN, DORA),
        async (given, path, who) => {
          reach = given;
          const [app, person, everybody] = await Promise.all([
            listed(server, through(who), path),
            listed(server, as(who), path),
            listed(server, PUBLIC_AGENT, path),
          ]);
          expect(person).to.include.members([...app]);
          expect(app).to.include.members([...everybody]);
        },
      ),
    );
  });

  it("what is decided, what the header tells and what a query reads are one", async () => {
    await fc.assert(
      fc.asyncProperty(
        reaches,
        fc.constantFrom(...PATHS),
        fc.constantFrom(ANA, BEN),
        async (given, path, who) => {
          reach = given;
          const agent = through(who);
          const told = await listed(server, agent, path);
          await server.store.read(server.ana.id, async (snapshot) => {
            for (const mode of MODES) {
              const target = parseTarget(path);
              const decision = await server.access.authorize(snapshot, server.ana, agent, target, [mode]);
              const isTold = told.includes(target.auxiliary === "acl" ? "control" : mode);
              expect(decision.kind === "granted", `${mode} on ${path}`).to.equal(isTold);
            }
            const mayRead = await server.access.reader(snapshot, server.ana, agent);
            expect(await mayRead(path), `reader of ${path}`).to.equal(told.includes("read"));
            const classified = await server.access.classify(snapshot, server.ana, PATHS);
            const bits = (
              await (await server.access.readable(snapshot, server.ana, agent, classified)).made()
            ).bits;
            expect(bits[PATHS.indexOf(path)] === 1, `query on ${path}`).to.equal(told.includes("read"));
          });
        },
      ),
    );
  });

  const here: Reach = { folders: ["/ana/notes/"], modes: ["read", "append"] };
  const cases: readonly (readonly [string, Reach | null, string, string, string])[] = [
    ["in its folder, what was given", here, "/ana/notes/a.ttl", ANA, "read append"],
    ["the folder itself", here, "/ana/notes/", ANA, "read append"],
    ["beside it, nothing", here, "/ana/", ANA, ""],
    ["a name that begins alike is beside it", here, "/ana/notesbook/x", ANA, ""],
    ["what everybody sees", here, "/ana/open/b.ttl", ANA, "read"],
    ["not who may, without control", here, "/ana/notes/a.ttl.acl", ANA, ""],
    [
      "write holds append, as in the lists",
      { folders: null, modes: ["write"] },
      "/ana/notes/a.ttl",
      ANA,
      "write append",
    ],
    [
      "of a guest, what the guest has",
      { folders: null, modes: MODES },
      "/ana/shared/c.ttl",
      BEN,
      "read append",
    ],
    ["of an app that nobody let in, what everybody has", null, "/ana/open/b.ttl", ANA, "read"],
    ["of an app that nobody let in, nothing else", null, "/ana/notes/a.ttl", ANA, ""],
  ];
  for (const [sentence, given, path, who, expected] of cases)
    it(`${sentence}: ${expected || "nothing"}`, async () => {
      reach = given;
      expect((await listed(server, through(who), path)).toSorted()).to.deep.equal(
        expected.split(" ").filter(Boolean).toSorted(),
      );
    });

  it("of a person who logs in elsewhere, all that the person may: we know no consents of theirs", async () => {
    reach = null;
    const own: readonly Mode[] = ["read", "write", "append", "control"];
    expect(await listed(server, through(ANA, ISSUER), "/ana/notes/a.ttl")).to.deep.equal(own);
  });

  it("a token of ours without a client is nobody's", async () => {
    reach = { folders: null, modes: MODES };
    expect(await listed(server, as(ANA, { issuer: BASE }), "/ana/notes/a.ttl")).to.deep.equal([]);
  });

  it("is asked for anew in each snapshot", async () => {
    const agent = through(ANA);
    reach = { folders: null, modes: MODES };
    expect(await listed(server, agent, "/ana/notes/a.ttl")).to.include("read");
    reach = null;
    expect(await listed(server, agent, "/ana/notes/a.ttl")).to.deep.equal([]);
  });
});
