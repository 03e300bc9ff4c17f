import { expect } from "chai";
import { wacAllow } from "../../server/access/wac-allow.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { PUBLIC_AGENT } from "../../server/operation.ts";
import { ANA, allows, as, BASE, BEN, DORA, modes, put, SHOP, serve } from "./fixture.ts";

const ROOT_LIST = `<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`;
const grant = (url: string, who: string, mode: string) =>
  `[] a acl:Authorization; ${who}; acl:accessTo <${url}>; acl:mode ${mode} .`;
const limited = (limits: Partial<Record<keyof typeof LIMITS, number>>) =>
  ({ ...LIMITS, ...limits }) as unknown as typeof LIMITS;

describe("authorize: owner and auxiliary resources", () => {
  it("the owner has Control with no list at all, and nothing else", async () => {
    const server = await serve({ "/ana/": "" });
    expect(await modes(server, as(ANA), "/ana/notes.ttl")).to.equal("control");
    expect(await modes(server, as(ANA), "/ana/.acl")).to.equal("read write append control");
    expect(await modes(server, PUBLIC_AGENT, "/ana/")).to.equal("");
  });

  it("nobody can write the owner's Control away", async () => {
    const server = await serve({
      "/ana/.acl": grant("/ana/", `acl:agent <${DORA}>`, "acl:Control, acl:Write"),
    });
    expect(await allows(server, as(ANA), "/ana/.acl", "write")).to.equal(true);
    expect(
      await allows(server, as(ANA, { origin: "https://app.example", client: "urn:x" }), "/ana/.acl", "write"),
    ).to.equal(true);
    expect(await allows(server, as(ANA), "/ana/", "read"), "Control is not read").to.equal(false);
  });

  it("the owner of one pod owns no other", async () => {
    const server = await serve({ "/ana/.acl": ROOT_LIST });
    expect(await modes(server, as(BEN), "/ana/")).to.equal("");
    expect(await allows(server, as(BEN), "/ana/.acl", "control")).to.equal(false);
  });

  it("a path of another pod is nothing to this one, even to its owner", async () => {
    const server = await serve({
      "/ana/.acl": `${ROOT_LIST} [] a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo </ben/x>; acl:default </ana/>; acl:mode acl:Read .`,
    });
    for (const path of ["/ben/", "/ben/x", "/ben/.acl", "/", "/anab/x"]) {
      expect(await modes(server, as(ANA), path), path).to.equal("");
      expect(await allows(server, as(ANA), path, "control"), path).to.equal(false);
    }
  });

  it("an access list needs Control, whatever is wanted of it", async () => {
    const server = await serve({
      "/ana/.acl": ROOT_LIST,
      "/ana/notes.ttl.acl": `${grant("notes.ttl", `acl:agent <${DORA}>`, "acl:Read, acl:Write")} ${grant("notes.ttl", `acl:agent <${SHOP}>`, "acl:Control")}`,
    });
    expect(await modes(server, as(DORA), "/ana/notes.ttl")).to.equal("read write append");
    expect(await modes(server, as(DORA), "/ana/notes.ttl.acl")).to.equal("");
    for (const mode of ["read", "append", "write"] as const) {
      expect(await allows(server, as(DORA), "/ana/notes.ttl.acl", mode), mode).to.equal(false);
      expect(await allows(server, as(SHOP), "/ana/notes.ttl.acl", mode), mode).to.equal(true);
      expect(await allows(server, as(SHOP), "/ana/notes.ttl", mode), mode).to.equal(false);
    }
    expect(await allows(server, as(DORA), "/ana/notes.ttl.acl"), "not even wanting nothing").to.equal(false);
  });

  it("a description has the rules of what it describes", async () => {
    const server = await serve({
      "/ana/.acl": ROOT_LIST,
      "/ana/notes.ttl.acl": grant("notes.ttl", `acl:agent <${DORA}>`, "acl:Read"),
    });
    expect(await modes(server, as(DORA), "/ana/notes.ttl.meta")).to.equal("read");
    expect(await modes(server, as(SHOP), "/ana/notes.ttl.meta")).to.equal("");
  });

  it("a list for a description or a list does not exist: nothing stored there counts", async () => {
    const server = await serve({ "/ana/.acl": ROOT_LIST });
    await server.store.write(server.ana.id, async (transaction) => {
      const list = (await transaction.get("auxiliary", "/ana/", "acl"))!;
      transaction.put("auxiliary", "/ana/notes.ttl.meta", "acl", list.value);
    });
    expect(await modes(server, as(DORA), "/ana/notes.ttl.meta")).to.equal("");
  });
});

describe("authorize: groups", () => {
  const list = (group: string) =>
    `${ROOT_LIST} [] a acl:Authorization; acl:agentGroup <${group}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read .`;
  const team = `<#t> vcard:hasMember <${DORA}>, "${SHOP}", [] . <#other> vcard:hasMember <${SHOP}> . <${SHOP}> vcard:hasMember <${SHOP}> .`;

  it("of this pod, though nobody but the owner may read the document", async () => {
    const server = await serve({
      "/ana/.acl": list("/ana/team.ttl#t"),
      "/ana/team.ttl": team,
      "/ana/team.ttl.acl": "",
    });
    expect(await modes(server, as(DORA), "/ana/x")).to.equal("read");
    expect(await modes(server, as(SHOP), "/ana/x"), "another group, or a member in quotes").to.equal("");
    expect(await modes(server, PUBLIC_AGENT, "/ana/x")).to.equal("");
    expect(await modes(server, as(DORA), "/ana/team.ttl"), "the document itself").to.equal("");
  });

  it("of another pod of this server", async () => {
    const server = await serve({ "/ana/.acl": list(`${BASE}ben/team.ttl#t`) }, { "/ben/team.ttl": team });
    expect(await modes(server, as(DORA), "/ana/x")).to.equal("read");
    expect(await modes(server, as(SHOP), "/ana/x")).to.equal("");
  });

  const nobody: readonly [story: string, group: string][] = [
    ["of another server", "https://elsewhere.example/team.ttl#t"],
    ["of a server whose name begins alike", "https://pods.example.evil.example/ana/team.ttl#t"],
    ["of a pod that does not exist", `${BASE}nobody/team.ttl#t`],
    ["of a document that does not exist", "/ana/none.ttl#t"],
    ["without its fragment", "/ana/team.ttl"],
    ["with a query", "/ana/team.ttl?x#t"],
    ["spelled differently", "/ana/./team%2Ettl#t"],
    ["in a folder", "/ana/#t"],
    ["in an access list", "/ana/.acl#t"],
    ["in a binary", "/ana/team.jpg#t"],
    ["in a document that is no Turtle", "/ana/broken.ttl#t"],
    ["at an address that cannot be", "/ana//x%2f..#t"],
  ];
  for (const [story, group] of nobody) {
    it(`${story}: nobody`, async () => {
      const server = await serve({
        "/ana/.acl": `${list(group)} <#t> vcard:hasMember <${DORA}> .`,
        "/ana/team.ttl": team,
        "/ana/broken.ttl": "<",
      });
      await server.store.write(server.ana.id, async (transaction) =>
        put(transaction, "/ana/team.jpg", team, "image/jpeg"),
      );
      expect(await modes(server, as(DORA), "/ana/x")).to.equal("");
      expect(await modes(server, as(ANA), "/ana/x"), "others keep theirs").to.equal(
        "read write append control",
      );
    });
  }

  it("with too many members: nobody", async () => {
    const world = {
      "/ana/.acl": list("/ana/team.ttl#t"),
      "/ana/team.ttl": `<#t> vcard:hasMember <${DORA}>, <${SHOP}> .`,
    };
    expect(await modes(await serve(world, {}, limited({ groupMembersMax: 2 })), as(DORA), "/ana/x")).to.equal(
      "read",
    );
    expect(await modes(await serve(world, {}, limited({ groupMembersMax: 1 })), as(DORA), "/ana/x")).to.equal(
      "",
    );
  });

  it("beyond the number of groups that a list may have: nobody", async () => {
    const world = { "/ana/.acl": list("/ana/a.ttl#t>, </ana/b.ttl#t"), "/ana/a.ttl": "", "/ana/b.ttl": team };
    expect(await modes(await serve(world, {}, limited({ aclGroupsMax: 2 })), as(DORA), "/ana/x")).to.equal(
      "read",
    );
    expect(await modes(await serve(world, {}, limited({ aclGroupsMax: 1 })), as(DORA), "/ana/x")).to.equal(
      "",
    );
  });

  it("a change of the group counts at once", async () => {
    const server = await serve({ "/ana/.acl": list("/ana/team.ttl#t"), "/ana/team.ttl": team });
    expect(await modes(server, as(DORA), "/ana/x")).to.equal("read");
    await server.store.write(server.ana.id, async (transaction) => put(transaction, "/ana/team.ttl", ""));
    expect(await modes(server, as(DORA), "/ana/x")).to.equal("");
  });
});

describe("authorize: rule and act belong together", () => {
  it("a list that changes under a transaction makes it run again, and then deny", async () => {
    const server = await serve({
      "/ana/.acl": `${ROOT_LIST} ${grant("/ana/", `acl:agent <${DORA}>`, "acl:Write")}`,
      "/ana/": "",
    });
    const decisions: string[] = [];
    const { result } = await server.store.write(server.ana.id, async (transaction) => {
      const { kind } = await server.access.authorize(
        transaction,
        server.ana,
        as(DORA),
        parseTarget("/ana/"),
        ["write"],
      );
      decisions.push(kind);
      if (decisions.length === 1)
        await server.store.write(server.ana.id, async (other) => put(other, "/ana/.acl", ROOT_LIST));
      if (kind === "granted") transaction.put("body", "/ana/x", "", new Uint8Array([1]));
      return kind;
    });
    expect(decisions).to.deep.equal(["granted", "denied"]);
    expect(result).to.equal("denied");
    expect(
      await server.store.read(server.ana.id, (snapshot) => snapshot.get("body", "/ana/x", "")),
      "the write did not happen",
    ).to.equal(null);
  });

  it("a list that appears nearer makes it run again too", async () => {
    const server = await serve({
      "/ana/.acl": `${ROOT_LIST} [] a acl:Authorization; acl:agent <${DORA}>; acl:default <./>; acl:mode acl:Write .`,
    });
    const decisions: string[] = [];
    await server.store.write(server.ana.id, async (transaction) => {
      const { kind } = await server.access.authorize(
        transaction,
        server.ana,
        as(DORA),
        parseTarget("/ana/a/b.ttl"),
        ["write"],
      );
      decisions.push(kind);
      if (decisions.length === 1)
        await server.store.write(server.ana.id, async (other) => put(other, "/ana/a/.acl", ""));
      transaction.put("body", "/ana/x", "", new Uint8Array([1]));
    });
    expect(decisions).to.deep.equal(["granted", "denied"]);
  });
});

describe("reader: many paths, one agent", () => {
  it("agrees with authorize before and after it loads all lists at once", async () => {
    const world: Record<string, string> = {
      "/ana/.acl": ROOT_LIST,
      "/ana/open/.acl": `[] a acl:Authorization; acl:agentClass foaf:Agent; acl:default <./>; acl:mode acl:Read .`,
    };
    for (let index = 0; index < 200; index++) {
      if (index % 3 === 0)
        world[`/ana/open/${index}.ttl.acl`] = grant(
          `/ana/open/${index}.ttl`,
          `acl:agent <${DORA}>`,
          "acl:Read",
        );
      if (index % 5 === 0)
        world[`/ana/shut/${index}.ttl.acl`] = grant(
          `/ana/shut/${index}.ttl`,
          `acl:agent <${DORA}>`,
          "acl:Control",
        );
    }
    const server = await serve(world);
    await server.store.read(server.ana.id, async (snapshot) => {
      for (const who of [PUBLIC_AGENT, as(DORA), as(ANA)]) {
        const mayRead = await server.access.reader(snapshot, server.ana, who);
        const pathsOf = (index: number): readonly string[] => [
          `/ana/open/${index}.ttl`,
          `/ana/shut/${index}.ttl`,
          `/ana/shut/${index}.ttl.acl`,
          `/ana/open/${index}.ttl.meta`,
          `/ben/${index}.ttl`,
        ];
        const all = Array.from({ length: 200 }, (_, index) => pathsOf(index)).flat();
        const classified = await server.access.classify(snapshot, server.ana, all);
        const bits = (await (await server.access.readable(snapshot, server.ana, who, classified)).made())
          .bits;
        let readable = 0;
        for (let index = 0; index < 200; index++) {
          for (const path of pathsOf(index)) {
            const { kind } = await server.access.authorize(snapshot, server.ana, who, parseTarget(path), [
              "read",
            ]);
            expect(await mayRead(path), path).to.equal(kind === "granted");
            expect(bits[all.indexOf(path)] === 1, `${path} by its class`).to.equal(kind === "granted");
            if (kind === "granted") readable++;
          }
        }
        expect(readable).to.be.within(200, 900);
      }
    });
  });
});

describe("WAC-Allow", () => {
  it("lists the modes of the agent and of the public in one order", () => {
    expect(wacAllow({ user: ["control", "append", "read", "write"], public: ["read"] })).to.equal(
      'user="read write append control",public="read"',
    );
    expect(wacAllow({ user: [], public: [] })).to.equal('user="",public=""');
  });

  it("the public's modes do not hang on who asks", async () => {
    const server = await serve({
      "/ana/.acl": `${ROOT_LIST} ${grant("/ana/", "acl:agentClass foaf:Agent", "acl:Read")}`,
    });
    const permissions = await server.store.read(server.ana.id, (snapshot) =>
      server.access.permissions(snapshot, server.ana, as(ANA), parseTarget("/ana/")),
    );
    expect(wacAllow(permissions)).to.equal('user="read write append control",public="read"');
  });
});
