/** What grants give and do not give, asked in every way in which access is asked. Long, for it is one table of cases. */
import { expect } from "chai";
import { createAccess } from "../../server/access/authorize.ts";
import { GRANT_RULES, type GrantRule, granteeOf } from "../../server/access/grants.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Agent, Mode } from "../../server/operation.ts";
import { UNNARROWED } from "../../server/reach.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { ANA, APP, as, BASE, BEN, DORA, ISSUER, type Server, SHOP, serve, type World } from "./fixture.ts";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const DAY = 86_400_000;
const DPV = "https://w3id.org/dpv#";
const SERVICE = `${DPV}ServiceProvision`;
const DELIVERY = `${DPV}DeliveryOfGoods`;
const MARKETING = `${DPV}Marketing`;

const OWNERS = `<#o> a acl:Authorization; acl:agent <${ANA}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control .`;
const WORLD: World = {
  "/ana/": "",
  "/ana/.acl": OWNERS,
  "/ana/contacts/": "",
  "/ana/contacts/me.ttl": "<#me> a vcard:Individual; vcard:fn 'Ana' .",
  "/ana/contacts/me.ttl.meta": "<> <urn:x:is> 1 .",
  "/ana/contacts/bills.ttl": "<#b> a <https://schema.org/Invoice> .",
  "/ana/contacts-private.ttl": "<#p> <urn:x:is> 1 .",
  "/ana/orders/": "",
  "/ana/orders/1.ttl": "<#o> <urn:x:is> 1 .",
  "/ana/health/": "",
  "/ana/health/blood.ttl": "<#h> <urn:x:is> 1 .",
};

const rule = (fields: Partial<GrantRule>): GrantRule => ({
  grant: "g1",
  policy: 0,
  assignee: SHOP,
  clients: null,
  mediaTypes: null,
  types: null,
  modes: ["read"],
  targets: ["/ana/contacts/"],
  purposes: [SERVICE],
  notBefore: NOW - DAY,
  notAfter: NOW + DAY,
  ...fields,
});

interface Granted extends Server {
  put(...rules: readonly GrantRule[]): Promise<void>;
  at(time: number): void;
}

async function open(
  world: World = WORLD,
  language: "wac" | "acp" = "wac",
  reachOf: Parameters<typeof createAccess>[0]["reachOf"] = async () => UNNARROWED,
): Promise<Granted> {
  const server = await serve(world, {}, LIMITS, reachOf, language);
  const clock = { time: NOW };
  const { store, pods } = server;
  const access = createAccess({
    baseUrl: BASE,
    pods,
    store,
    limits: LIMITS,
    language,
    reachOf,
    now: () => new Date(clock.time),
  });
  return {
    ...server,
    access,
    at: (time) => void (clock.time = time),
    async put(...rules) {
      await store.write(server.ana.id, async (transaction) =>
        rules.length > 0
          ? transaction.put(...GRANT_RULES, encodeRecord(rules))
          : transaction.delete(...GRANT_RULES),
      );
    },
  };
}

const decide = (
  { store, access, ana }: Server,
  who: Agent,
  path: string,
  wanted: readonly Mode[],
  removes?: string,
) =>
  store.read(ana.id, (snapshot) => access.authorize(snapshot, ana, who, parseTarget(path), wanted, removes));

const may = async (server: Server, who: Agent, path: string, ...wanted: Mode[]): Promise<boolean> =>
  (await decide(server, who, path, wanted)).kind === "granted";

/** The same question at every door of the access layer; they must agree. */
async function readableEverywhere(server: Server, who: Agent, path: string): Promise<boolean> {
  const { store, access, ana } = server;
  return store.read(ana.id, async (snapshot) => {
    const one = (await access.authorize(snapshot, ana, who, parseTarget(path), ["read"])).kind === "granted";
    const { user } = await access.permissions(snapshot, ana, who, parseTarget(path));
    const reader = await (await access.reader(snapshot, ana, who))(path).catch(() => false);
    const classified = await access.classify(snapshot, ana, [path]);
    const set = await (await access.readable(snapshot, ana, who, classified)).made();
    const all = [one, user.includes("read"), reader, set.bits[0] === 1];
    expect(new Set(all).size, `${path}: ${all.join()}`).to.equal(1);
    return one;
  });
}

const shop = as(SHOP);

describe("access by a grant", () => {
  it("reads what it names, with all below a folder, and nothing beside it", async () => {
    const server = await open();
    for (const path of ["/ana/contacts/", "/ana/contacts/me.ttl", "/ana/contacts/me.ttl.meta"])
      expect(await readableEverywhere(server, shop, path), path).to.equal(false);
    await server.put(rule({}));
    for (const path of ["/ana/contacts/", "/ana/contacts/me.ttl", "/ana/contacts/me.ttl.meta"])
      expect(await readableEverywhere(server, shop, path), path).to.equal(true);
    for (const path of [
      "/ana/",
      "/ana/contacts-private.ttl",
      "/ana/health/",
      "/ana/health/blood.ttl",
      "/ana/.acl",
      "/ana/contacts/.acl",
      "/ana/contacts/me.ttl.acl",
    ])
      expect(await readableEverywhere(server, shop, path), path).to.equal(false);
  });

  it("says by which grant, and for which purpose, and says nothing where the lists suffice", async () => {
    const server = await open();
    await server.put(rule({}));
    expect(await decide(server, shop, "/ana/contacts/me.ttl", ["read"])).to.deep.equal({
      kind: "granted",
      grants: ["g1"],
      purpose: SERVICE,
      policies: new Map([["g1", [0]]]),
      beyondRules: ["read"],
      until: NOW + DAY,
    });
    const listed = await open({
      ...WORLD,
      "/ana/.acl": `${OWNERS} <#s> a acl:Authorization; acl:agent <${SHOP}>; acl:default <./>; acl:mode acl:Read .`,
    });
    await listed.put(rule({}));
    expect(await decide(listed, shop, "/ana/contacts/me.ttl", ["read"])).to.deep.equal({ kind: "granted" });
  });

  it("is for its assignee alone: not for others, not for the public, not for whoever names it", async () => {
    const server = await open();
    await server.put(rule({}));
    const path = "/ana/contacts/me.ttl";
    for (const who of [as(DORA), as(BEN), as(null), as(null, { grant: "g1" }), as(DORA, { grant: "g1" })])
      expect(await readableEverywhere(server, who, path)).to.equal(false);
  });

  it("counts by the clock, both ends included, and a clock that goes back is no way in", async () => {
    const server = await open();
    await server.put(rule({ notBefore: NOW, notAfter: NOW + 1_000 }));
    for (const [time, is] of [
      [NOW - 1, false],
      [NOW, true],
      [NOW + 1_000, true],
      [NOW + 1_001, false],
      [NOW + 500, true],
      [Number.NaN, false],
    ] as const) {
      server.at(time);
      expect(await readableEverywhere(server, shop, "/ana/contacts/me.ttl"), String(time)).to.equal(is);
    }
  });

  it("ends with the record, in the next snapshot", async () => {
    const server = await open();
    await server.put(rule({}));
    expect(await readableEverywhere(server, shop, "/ana/contacts/me.ttl")).to.equal(true);
    await server.put();
    expect(await readableEverywhere(server, shop, "/ana/contacts/me.ttl")).to.equal(false);
  });

  it("is for its clients only", async () => {
    const server = await open();
    await server.put(rule({ clients: [APP] }));
    const path = "/ana/contacts/me.ttl";
    expect(await readableEverywhere(server, as(SHOP, { client: APP }), path)).to.equal(true);
    for (const client of [null, "https://other.example/id", ""])
      expect(await readableEverywhere(server, as(SHOP, { client }), path)).to.equal(false);
  });

  it("may be for media types and for classes, and then shows no folder: it would list all the rest", async () => {
    const server = await open();
    const card = "/ana/contacts/me.ttl";
    const bills = "/ana/contacts/bills.ttl";
    await server.put(rule({ types: ["http://www.w3.org/2006/vcard/ns#Individual"] }));
    expect(await readableEverywhere(server, shop, card)).to.equal(true);
    for (const path of [bills, "/ana/contacts/", `${card}.meta`, "/ana/contacts/none.ttl"])
      expect(await readableEverywhere(server, shop, path), path).to.equal(false);
    await server.put(rule({ mediaTypes: ["image/jpeg"] }));
    for (const path of [card, bills, "/ana/contacts/"])
      expect(await readableEverywhere(server, shop, path), path).to.equal(false);
    await server.put(rule({ mediaTypes: ["text/turtle"] }));
    expect(await readableEverywhere(server, shop, card)).to.equal(true);
    expect(await readableEverywhere(server, shop, "/ana/contacts/")).to.equal(false);
    await server.put(rule({ types: ["https://www.w3.org/ns/lws#Container"] }));
    expect(await readableEverywhere(server, shop, "/ana/contacts/")).to.equal(true);
    expect(await readableEverywhere(server, shop, card)).to.equal(false);
  });

  it("a folder, or the whole pod, does not reach into views and consents", async () => {
    const server = await open({ ...WORLD, "/ana/.views/": "", "/ana/.views/v1": "<#v> <urn:x:is> 1 ." });
    await server.put(rule({ targets: ["/ana/"] }));
    expect(await readableEverywhere(server, shop, "/ana/health/blood.ttl")).to.equal(true);
    expect(await may(server, shop, "/ana/.views/v1", "read")).to.equal(false);
    expect(await may(server, shop, "/ana/.consent/grants/g1", "read")).to.equal(false);
    await server.put(rule({ targets: ["/ana/.views/v1"] }));
    expect(await may(server, shop, "/ana/.views/v1", "read")).to.equal(true);
    expect(await may(server, shop, "/ana/.views/v2", "read")).to.equal(false);
    expect(await may(server, as(ANA), "/ana/.views/v1", "read")).to.equal(true);
    const { store, access, ana } = server;
    const allowed = (who: Agent) =>
      store.read(ana.id, (snapshot) => access.permissions(snapshot, ana, who, parseTarget("/ana/.views/v1")));
    expect(await allowed(shop)).to.deep.equal({ user: ["read"], public: [] });
    expect(await allowed(as(ANA))).to.deep.equal({ user: ["read"], public: [] });
    expect(await allowed(as(DORA))).to.deep.equal({ user: [], public: [] });
    const { views } = await store.read(ana.id, (snapshot) => access.views(snapshot, ana, shop));
    expect(views).to.deep.equal([{ id: "v1", grant: "g1" }]);
    expect(
      (await store.read(ana.id, (snapshot) => access.views(snapshot, ana, as(DORA)))).views,
    ).to.deep.equal([]);
  });

  it("no list lets anybody into views and consents", async () => {
    const server = await open({
      ...WORLD,
      "/ana/.acl": `${OWNERS} <#all> a acl:Authorization; acl:agentClass foaf:Agent; acl:default <./>; acl:mode acl:Read .`,
    });
    expect(await may(server, shop, "/ana/health/blood.ttl", "read")).to.equal(true);
    expect(await may(server, shop, "/ana/.views/v1", "read")).to.equal(false);
    expect(await may(server, shop, "/ana/.consent/requests/r", "read")).to.equal(false);
  });

  it("never gives Control, whatever its record says", async () => {
    const server = await open();
    await server.put(
      rule({ modes: ["read", "write", "append", "control"], targets: ["/ana/"], removes: true }),
    );
    for (const path of ["/ana/", "/ana/contacts/me.ttl", "/ana/.acl", "/ana/contacts/me.ttl.acl"]) {
      expect(await may(server, shop, path, "control"), path).to.equal(false);
      expect(await may(server, shop, path.endsWith(".acl") ? path : `${path}.acl`, "read")).to.equal(false);
    }
  });

  it("what cannot be read as rules, or is of another pod, gives nothing", async () => {
    const server = await open();
    await server.put(rule({ targets: ["/ben/", "contacts/", "/", "/ana"] }));
    for (const path of Object.keys(WORLD))
      expect(await may(server, shop, path, "read"), path).to.equal(false);
    await server.put(rule({ targets: [], purposes: [] }), rule({ modes: [], targets: ["/ana/"] }));
    for (const path of Object.keys(WORLD))
      expect(await may(server, shop, path, "read"), path).to.equal(false);
  });
});

describe("what a grant lets change", () => {
  const cases: readonly (readonly [
    what: string,
    given: Partial<GrantRule>,
    path: string,
    mode: Mode,
    removes: string | undefined,
    is: boolean,
  ])[] = [
    ["create adds to a folder", { modes: ["append"] }, "/ana/contacts/", "append", undefined, true],
    [
      "create makes what is not there",
      { modes: ["append"] },
      "/ana/contacts/new.ttl",
      "write",
      undefined,
      true,
    ],
    [
      "create adds nothing to what is there",
      { modes: ["append"] },
      "/ana/contacts/me.ttl",
      "append",
      undefined,
      false,
    ],
    ["create changes nothing", { modes: ["append"] }, "/ana/contacts/me.ttl", "write", undefined, false],
    [
      "create removes nothing",
      { modes: ["append"] },
      "/ana/contacts/me.ttl",
      "write",
      "/ana/contacts/me.ttl",
      false,
    ],
    ["create reads nothing", { modes: ["append"] }, "/ana/contacts/me.ttl", "read", undefined, false],
    ["modify changes", { modes: ["write"] }, "/ana/contacts/me.ttl", "write", undefined, true],
    ["modify adds to what is there", { modes: ["write"] }, "/ana/contacts/me.ttl", "append", undefined, true],
    ["modify makes nothing", { modes: ["write"] }, "/ana/contacts/", "append", undefined, false],
    [
      "modify makes nothing by its name",
      { modes: ["write"] },
      "/ana/contacts/new.ttl",
      "write",
      undefined,
      false,
    ],
    [
      "modify removes nothing",
      { modes: ["write"] },
      "/ana/contacts/me.ttl",
      "write",
      "/ana/contacts/me.ttl",
      false,
    ],
    [
      "modify empties no folder",
      { modes: ["write"] },
      "/ana/contacts/",
      "write",
      "/ana/contacts/me.ttl",
      false,
    ],
    [
      "delete removes",
      { modes: [], removes: true },
      "/ana/contacts/me.ttl",
      "write",
      "/ana/contacts/me.ttl",
      true,
    ],
    [
      "delete takes it out of its folder",
      { modes: [], removes: true },
      "/ana/contacts/",
      "write",
      "/ana/contacts/me.ttl",
      true,
    ],
    [
      "delete changes nothing",
      { modes: [], removes: true },
      "/ana/contacts/me.ttl",
      "write",
      undefined,
      false,
    ],
    [
      "delete of one document removes no other",
      { modes: [], removes: true, targets: ["/ana/contacts/me.ttl"] },
      "/ana/contacts/",
      "write",
      "/ana/contacts/bills.ttl",
      false,
    ],
    [
      "what a folder says of itself is the owner's",
      { modes: ["write", "append"] },
      "/ana/contacts/",
      "write",
      undefined,
      false,
    ],
    [
      "descriptions are the owner's",
      { modes: ["write", "append"] },
      "/ana/contacts/.meta",
      "write",
      undefined,
      false,
    ],
    [
      "and are not added to",
      { modes: ["write", "append"] },
      "/ana/contacts/me.ttl.meta",
      "append",
      undefined,
      false,
    ],
    [
      "nor removed",
      { modes: ["write"], removes: true },
      "/ana/contacts/me.ttl.meta",
      "write",
      "/ana/contacts/me.ttl",
      false,
    ],
  ];
  for (const [what, given, path, mode, removes, is] of cases)
    it(what, async () => {
      const server = await open();
      await server.put(rule(given));
      expect((await decide(server, shop, path, [mode], removes)).kind).to.equal(is ? "granted" : "denied");
    });

  it("lists and grants together: each gives what it gives", async () => {
    const server = await open({
      ...WORLD,
      "/ana/.acl": `${OWNERS} <#s> a acl:Authorization; acl:agent <${SHOP}>; acl:default <./>; acl:mode acl:Read .`,
    });
    await server.put(rule({ modes: ["write"] }));
    expect(await decide(server, shop, "/ana/contacts/me.ttl", ["read", "write"])).to.deep.equal({
      kind: "granted",
      grants: ["g1"],
      purpose: SERVICE,
      policies: new Map([["g1", [0]]]),
      beyondRules: ["write"],
      until: NOW + DAY,
    });
    expect(await may(server, shop, "/ana/health/blood.ttl", "read")).to.equal(true);
    expect(await may(server, shop, "/ana/health/blood.ttl", "read", "write")).to.equal(false);
  });
});

describe("what a grant is for", () => {
  const path = "/ana/contacts/me.ttl";
  const read = (server: Server, purpose?: string, grant?: string) =>
    decide(
      server,
      as(SHOP, { ...(purpose !== undefined && { purpose }), ...(grant !== undefined && { grant }) }),
      path,
      ["read"],
    );

  it("a narrower purpose will do, a broader or another will not", async () => {
    const server = await open();
    await server.put(rule({ purposes: [SERVICE] }));
    expect((await read(server, SERVICE)).kind).to.equal("granted");
    expect(await read(server, `${DPV}RequestedServiceProvision`)).to.include({
      kind: "granted",
      purpose: `${DPV}RequestedServiceProvision`,
    });
    for (const other of [
      MARKETING,
      `${DPV}Purpose`,
      "",
      "ServiceProvision",
      `${SERVICE}, ${MARKETING}`,
      `${SERVICE} `,
    ])
      expect(await read(server, other), other).to.deep.equal({
        kind: "denied",
        missing: ["read"],
        purposes: { isStated: true, accepted: [SERVICE] },
      });
  });

  it("of several, one must be named; and only this agent's are told", async () => {
    const server = await open();
    await server.put(
      rule({ grant: "g1", purposes: [DELIVERY] }),
      rule({ grant: "g2", purposes: [MARKETING] }),
      rule({ grant: "g3", purposes: [`${DPV}FraudPreventionAndDetection`], assignee: DORA }),
      rule({ grant: "g4", purposes: [`${DPV}ResearchAndDevelopment`], targets: ["/ana/health/"] }),
    );
    expect(await read(server)).to.deep.equal({
      kind: "denied",
      missing: ["read"],
      purposes: { isStated: false, accepted: [DELIVERY, MARKETING] },
    });
    expect(await read(server, MARKETING)).to.deep.include({ kind: "granted", grants: ["g2"] });
    expect(await read(server, undefined, "g1")).to.deep.include({ kind: "granted", grants: ["g1"] });
    expect(await read(server, MARKETING, "g1")).to.deep.include({ kind: "denied" });
    for (const grant of ["g3", "g4", "none", ""])
      expect(await read(server, undefined, grant), grant).to.deep.equal({
        kind: "denied",
        missing: ["read"],
      });
  });

  it("one and the same purpose need not be named; any of its grants will do", async () => {
    const server = await open();
    await server.put(rule({ grant: "g1" }), rule({ grant: "g2", targets: [path] }));
    expect(await read(server)).to.deep.include({ kind: "granted", grants: ["g2", "g1"] });
  });

  it("what is remembered of one vendor is not told to another", async () => {
    const server = await open();
    const { store, access, ana } = server;
    await server.put(
      rule({ grant: "g1", targets: ["/ana/orders/"] }),
      rule({ grant: "g2", assignee: DORA, targets: ["/ana/health/"] }),
      rule({ grant: "g3", assignee: BEN }),
    );
    const paths = ["/ana/orders/1.ttl", path, "/ana/health/blood.ttl"];
    const seen = await store.read(ana.id, async (snapshot) => {
      const classified = await access.classify(snapshot, ana, paths);
      const sets = new Map<string, string>();
      for (const who of [SHOP, DORA, BEN, SHOP]) {
        const set = await access.readable(snapshot, ana, as(who), classified);
        const before = sets.get(set.key);
        const { bits } = await set.made();
        if (before !== undefined) expect(bits.join(""), who).to.equal(before);
        sets.set(set.key, bits.join(""));
      }
      return [...sets.values()];
    });
    expect(seen).to.deep.equal(["100", "001", "010"]);
  });

  it("queries and lists of what may be read ask only when it matters", async () => {
    const server = await open();
    const { store, access, ana } = server;
    await server.put(
      rule({ grant: "g1", purposes: [DELIVERY], targets: ["/ana/orders/"] }),
      rule({ grant: "g2", purposes: [MARKETING] }),
    );
    const paths = ["/ana/orders/1.ttl", path, "/ana/health/blood.ttl"];
    const reading = (who: Agent) =>
      store.read(ana.id, async (snapshot) => {
        const classified = await access.classify(snapshot, ana, paths);
        const set = await access.readable(snapshot, ana, who, classified);
        const { bits, grants, question } = await set.made();
        return { bits: [...bits].join(""), grants: [...grants.values()], question, purpose: set.purpose };
      });
    expect(await reading(shop)).to.deep.equal({
      bits: "000",
      grants: [],
      question: { isStated: false, accepted: [DELIVERY, MARKETING] },
      purpose: undefined,
    });
    expect(await reading(as(SHOP, { purpose: MARKETING }))).to.deep.equal({
      bits: "010",
      grants: ["g2"],
      question: null,
      purpose: MARKETING,
    });
    expect((await reading(as(SHOP, { purpose: `${DPV}HumanResourceManagement` }))).question).to.deep.equal({
      isStated: true,
      accepted: [DELIVERY, MARKETING],
    });
    expect(await reading(as(DORA))).to.deep.include({ bits: "000", question: null });
    await store.read(ana.id, async (snapshot) => {
      const reader = await access.reader(snapshot, ana, shop);
      expect(await reader("/ana/health/blood.ttl")).to.equal(false);
      const refused = await reader(path).catch((error: { code: string }) => error.code);
      expect(refused).to.equal("purpose-required");
      const named = await access.reader(snapshot, ana, as(SHOP, { purpose: MARKETING }));
      expect(await named(path)).to.equal(true);
      expect([named.grants(), named.purpose]).to.deep.equal([["g2"], MARKETING]);
    });
  });
});

describe("what stands above a grant", () => {
  const path = "/ana/contacts/me.ttl";

  it("a frozen place is frozen for the vendor, too", async () => {
    const server = await open();
    await server.put(rule({}));
    const freeze = (place: string) =>
      server.store.write(server.ana.id, async (transaction) =>
        transaction.put("restriction", "", "", encodeRecord([{ path: place, since: 0 }])),
      );
    await freeze("/ana/contacts/");
    expect(await readableEverywhere(server, shop, path)).to.equal(false);
    expect(await decide(server, shop, path, ["read"])).to.deep.include({ kind: "denied", restricted: true });
    expect(await decide(server, as(DORA), path, ["read"])).to.not.have.property("restricted");
    await server.put(rule({ targets: ["/ana/.views/v1"] }));
    const views = () =>
      server.store.read(server.ana.id, (snapshot) => server.access.views(snapshot, server.ana, shop));
    expect((await views()).views).to.have.length(1);
    await freeze("/ana/");
    expect((await views()).views).to.deep.equal([]);
    expect(await may(server, shop, "/ana/.views/v1", "read")).to.equal(false);
  });

  it("an app that its person let do less has no more by a grant", async () => {
    const within = async () => ({ folders: ["/ana/orders/"], modes: ["read"] as const });
    const server = await open(WORLD, "wac", within);
    const app = as(BEN, { client: APP, issuer: BASE });
    await server.put(rule({ targets: ["/ana/"], modes: ["read", "write"], assignee: BEN }));
    expect(await readableEverywhere(server, app, "/ana/orders/1.ttl")).to.equal(true);
    expect(await readableEverywhere(server, app, path)).to.equal(false);
    expect(await may(server, app, "/ana/orders/1.ttl", "write")).to.equal(false);
    expect(await decide(server, app, path, ["read"])).to.deep.include({ narrowed: true });
    const views = await server.store.read(server.ana.id, (snapshot) =>
      server.access.views(snapshot, server.ana, app),
    );
    expect(views.views).to.deep.equal([]);
    const gone = await open(WORLD, "wac", async () => null);
    await gone.put(rule({ targets: ["/ana/"], assignee: BEN }));
    expect(await readableEverywhere(gone, app, path)).to.equal(false);
    expect(await readableEverywhere(gone, as(BEN, { client: APP, issuer: ISSUER }), path)).to.equal(true);
  });

  it("works beside policies as beside lists", async () => {
    const owner = `<> acp:accessControl <#c>; acp:memberAccessControl <#c> . <#c> acp:apply <#p> . <#p> a acp:Policy; acp:allow acl:Read, acl:Write, acl:Control; acp:anyOf <#m> . <#m> acp:agent <${ANA}> .`;
    const { "/ana/.acl": _, ...rest } = WORLD;
    const server = await open({ ...rest, "/ana/.acr": owner }, "acp");
    expect(await readableEverywhere(server, shop, path)).to.equal(false);
    await server.put(rule({}));
    expect(await readableEverywhere(server, shop, path)).to.equal(true);
    expect(await readableEverywhere(server, shop, "/ana/health/blood.ttl")).to.equal(false);
    expect(await readableEverywhere(server, shop, "/ana/contacts/me.ttl.acr")).to.equal(false);
  });
});

describe("ways in which others have failed", () => {
  const path = "/ana/contacts/me.ttl";

  it("a grant that is emptied, by its end, its pause or its revocation, lets nobody in, least of all everybody", async () => {
    const list = `${OWNERS} <#g> a acl:Authorization; acl:agentGroup <${granteeOf(BASE, "ana", "g1")}>; acl:default <./>; acl:accessTo <./>; acl:mode acl:Read, acl:Write .`;
    const server = await open({ ...WORLD, "/ana/.acl": list });
    for (const rules of [
      [],
      [rule({ notAfter: NOW - 1 })],
      [rule({ targets: [] })],
      [rule({ clients: [] })],
      [rule({ types: [] })],
      [rule({ purposes: [] })],
    ]) {
      await server.put(...rules);
      for (const who of [shop, as(DORA), as(null), as(SHOP, { client: APP })])
        expect(await readableEverywhere(server, who, path), JSON.stringify(rules)).to.equal(false);
    }
  });

  it("the group of a grant in a stored list never has a member, whatever document somebody puts at its address", async () => {
    const group = granteeOf(BASE, "ana", "g1");
    const list = `${OWNERS} <#g> a acl:Authorization; acl:agentGroup <${group}>; acl:default <./>; acl:accessTo <./>; acl:mode acl:Read, acl:Write, acl:Control .`;
    const server = await open({
      ...WORLD,
      "/ana/.acl": list,
      "/ana/.consent/grants/g1": `<#grantee> a vcard:Group; vcard:hasMember <${DORA}>, <${SHOP}> .`,
    });
    await server.put(rule({ targets: ["/ana/orders/"] }));
    for (const who of [shop, as(DORA)]) {
      expect(await readableEverywhere(server, who, path)).to.equal(false);
      expect(await may(server, who, "/ana/.acl", "read")).to.equal(false);
    }
  });

  it("an edit of the list that names one grant's group at more places widens no grant", async () => {
    const widened = `${OWNERS} <#g> a acl:Authorization; acl:agentGroup <${granteeOf(BASE, "ana", "g1")}>, <${granteeOf(BASE, "ana", "g2")}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write .`;
    const server = await open({ ...WORLD, "/ana/health/.acl": widened });
    await server.put(rule({ grant: "g1" }), rule({ grant: "g2", assignee: DORA, targets: ["/ana/orders/"] }));
    for (const who of [shop, as(DORA)])
      expect(await readableEverywhere(server, who, "/ana/health/blood.ttl")).to.equal(false);
    expect(await may(server, shop, path, "write")).to.equal(false);
    expect(await readableEverywhere(server, as(DORA), path)).to.equal(false);
    expect(await readableEverywhere(server, shop, path)).to.equal(true);
  });

  it("the owner keeps everything, whatever grants there are and are not", async () => {
    const server = await open();
    for (const rules of [[rule({ targets: ["/ana/"], modes: ["read", "write"], removes: true })], []]) {
      await server.put(...rules);
      for (const place of ["/ana/", path])
        expect(await may(server, as(ANA), place, "read", "write", "append", "control"), place).to.equal(true);
      expect(await may(server, as(ANA), "/ana/.acl", "read", "write")).to.equal(true);
    }
    // Who is also an assignee is the owner all the same, and no purpose is asked for.
    await server.put(rule({ assignee: ANA }), rule({ assignee: ANA, purposes: [MARKETING] }));
    expect(await decide(server, as(ANA), path, ["read"])).to.deep.equal({ kind: "granted" });
  });
});

describe("a token that stands for one grant", () => {
  const path = "/ana/contacts/me.ttl";

  it("has that grant, what everybody has, and nothing else that its agent has", async () => {
    const server = await open({
      ...WORLD,
      "/ana/.acl": `${OWNERS} <#s> a acl:Authorization; acl:agent <${SHOP}>; acl:default <./>; acl:mode acl:Read, acl:Control .`,
      "/ana/health/.acl": `${OWNERS} <#all> a acl:Authorization; acl:agentClass foaf:Agent; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read .`,
    });
    await server.put(rule({}), rule({ grant: "g2", targets: ["/ana/orders/"] }));
    const token = as(SHOP, { grant: "g1", isOnlyGrant: true });
    expect(await readableEverywhere(server, token, path)).to.equal(true);
    expect(await readableEverywhere(server, token, "/ana/health/blood.ttl"), "open to all").to.equal(true);
    expect(await readableEverywhere(server, token, "/ana/orders/1.ttl"), "by another grant").to.equal(false);
    expect(await readableEverywhere(server, token, "/ana/contacts-private.ttl"), "by a list").to.equal(false);
    expect(await readableEverywhere(server, token, "/ana/.acl")).to.equal(false);
    expect(await readableEverywhere(server, shop, "/ana/contacts-private.ttl"), "without it").to.equal(true);
  });

  it("not even the owner's own has the owner's power", async () => {
    const server = await open();
    await server.put(rule({ assignee: ANA }));
    const token = as(ANA, { grant: "g1", isOnlyGrant: true });
    for (const place of ["/ana/.acl", "/ana/health/blood.ttl", "/ana/.views/v1"])
      expect(await may(server, token, place, "read"), place).to.equal(false);
    expect(await may(server, token, "/ana/", "control")).to.equal(false);
  });
});

describe("the owner's overview", () => {
  it("says what consents give, until when and for what, and counts who sees something by one", async () => {
    const server = await open();
    const { store, access, ana } = server;
    await server.put(
      rule({ clients: [APP] }),
      rule({ grant: "g2", assignee: DORA, modes: [], removes: true, targets: ["/ana/orders/"] }),
      rule({ grant: "g3", assignee: BEN, notAfter: NOW - 1 }),
    );
    const { consents, counts, entries } = await store.read(ana.id, (snapshot) =>
      access.overview(snapshot, ana),
    );
    expect(consents).to.deep.equal([
      {
        grant: "g1",
        agent: SHOP,
        path: "/ana/contacts/",
        modes: ["read"],
        purposes: [SERVICE],
        apps: [APP],
        until: NOW + DAY,
      },
      {
        grant: "g2",
        agent: DORA,
        path: "/ana/orders/",
        modes: ["write"],
        purposes: [SERVICE],
        apps: [],
        until: NOW + DAY,
      },
    ]);
    expect(counts.agents, "who may only remove sees nothing").to.equal(1);
    expect(entries.every(({ who }) => who.iri === ANA)).to.equal(true);
  });
});
