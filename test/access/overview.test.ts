import { expect } from "chai";
import { ANA, APP, BASE, BEN, DORA, type Server, SHOP, serve } from "./fixture.ts";

const ROOT_LIST = `<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`;
const grant = (url: string, who: string, mode: string) =>
  `[] a acl:Authorization; ${who}; acl:accessTo <${url}>; acl:mode ${mode} .`;
const overview = (server: Server) =>
  server.store.read(server.ana.id, (snapshot) => server.access.overview(snapshot, server.ana));

describe("overview: who can see what", () => {
  it("a new pod: the owner, and the public card", async () => {
    const server = await serve({
      "/ana/.acl": ROOT_LIST,
      "/ana/profile/card.acl": grant("card", "acl:agentClass foaf:Agent", "acl:Read"),
    });
    const { entries, counts } = await overview(server);
    expect(counts).to.deep.equal({ agents: 0, publicPaths: 0, signedInPaths: 0 });
    expect(entries).to.deep.equal([
      {
        who: { kind: "agent", iri: ANA },
        path: "/ana/",
        modes: ["read", "write", "control"],
        inherited: false,
        via: "/ana/.acl",
        apps: [],
        issuers: [],
      },
      {
        who: { kind: "agent", iri: ANA },
        path: "/ana/",
        modes: ["read", "write", "control"],
        inherited: true,
        via: "/ana/.acl",
        apps: [],
        issuers: [],
      },
      {
        who: { kind: "public" },
        path: "/ana/profile/card",
        modes: ["read"],
        inherited: false,
        via: "/ana/profile/card.acl",
        apps: [],
        issuers: [],
      },
    ]);
  });

  it("counts each person once, members of groups too, and only those who can see", async () => {
    const server = await serve({
      "/ana/.acl": `${ROOT_LIST} ${grant("/ana/", `acl:agent <${DORA}>`, "acl:Read")}`,
      "/ana/a.ttl.acl": `${grant("a.ttl", `acl:agent <${DORA}>`, "acl:Control")} ${grant("a.ttl", "acl:agentGroup <team.ttl#t>", "acl:Read")}`,
      "/ana/b.ttl.acl": grant("b.ttl", "acl:agent <urn:only-adds>", "acl:Append"),
      "/ana/profile/card.acl": grant("card", "acl:agent <urn:only-card>", "acl:Read"),
      "/ana/c.ttl.acl": `${grant("c.ttl", "acl:agentClass acl:AuthenticatedAgent", "acl:Read")} ${grant("c.ttl", "acl:agentClass foaf:Agent", "acl:Append")}`,
      "/ana/team.ttl": `<#t> vcard:hasMember <${SHOP}>, <${DORA}>, <${ANA}> .`,
    });
    const { entries, counts } = await overview(server);
    expect(counts).to.deep.equal({ agents: 2, publicPaths: 0, signedInPaths: 1 });
    expect(entries.find(({ who }) => who.kind === "group")?.who).to.deep.equal({
      kind: "group",
      iri: `${BASE}ana/team.ttl#t`,
      members: [DORA, SHOP, ANA].sort(),
    });
  });

  it("says with which apps and issuers, and leaves out what grants nothing", async () => {
    const server = await serve({
      "/ana/.acl": ROOT_LIST,
      "/ana/a.ttl.acl": `[] a acl:Authorization; acl:accessTo <a.ttl>; acl:mode acl:Read; acl:agent <${DORA}>; acl:origin <https://app.example>; acl:condition [ a acl:ClientCondition; acl:client <${APP}> ], [ a acl:IssuerCondition; acl:issuer <urn:i> ] .`,
      "/ana/b.ttl.acl": `[] a acl:Authorization; acl:accessTo <b.ttl>; acl:mode acl:Read; acl:agent <urn:b>; acl:condition [ a <urn:x#Moon> ] .`,
      "/ana/c.ttl.acl": "not < Turtle",
    });
    const { entries, counts } = await overview(server);
    expect(entries.find(({ path }) => path === "/ana/a.ttl"))
      .to.include({ inherited: false })
      .and.to.deep.include({ apps: ["https://app.example", APP], issuers: ["urn:i"] });
    expect(entries.map(({ path }) => path))
      .to.not.include.members(["/ana/b.ttl"])
      .and.not.include.members(["/ana/c.ttl"]);
    expect(counts.agents).to.equal(1);
  });

  it("does not show the members of a group in another pod that this owner may not read", async () => {
    const team = `<#t> vcard:hasMember <${DORA}> .`;
    const open = grant("team.ttl", `acl:agent <${ANA}>`, "acl:Read");
    const ana = {
      "/ana/.acl": `${ROOT_LIST} ${grant("/ana/", `acl:agentGroup <${BASE}ben/team.ttl#t>, <https://elsewhere.example/#t>`, "acl:Read")}`,
    };
    const hidden = await overview(
      await serve(ana, {
        "/ben/team.ttl": team,
        "/ben/.acl": grant("/ben/", `acl:agent <${BEN}>`, "acl:Control"),
      }),
    );
    expect(JSON.stringify(hidden)).to.not.include(DORA);
    expect(hidden.counts.agents).to.equal(0);
    const shown = await overview(await serve(ana, { "/ben/team.ttl": team, "/ben/team.ttl.acl": open }));
    expect(
      shown.entries.filter(({ who }) => who.kind === "group").map(({ who }) => who.members),
    ).to.deep.equal([[DORA], []]);
    expect(shown.counts.agents).to.equal(1);
  });
});
