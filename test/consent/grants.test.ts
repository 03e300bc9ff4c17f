import { expect } from "chai";
import { GRANT_RULES, type GrantRule } from "../../server/access/grants.ts";
import type { GrantState } from "../../server/consent/model.ts";
import { put } from "../../server/consent/records.ts";
import { latestExpiry, mayBecome, reasonForVendor } from "../../server/consent/states.ts";
import { Problem } from "../../server/errors.ts";
import { parseTarget } from "../../server/iri.ts";
import { decodeRecord } from "../../server/store/record.ts";
import {
  ANA,
  asking,
  BANK,
  byOwner,
  createWorld,
  DAY,
  draft,
  give,
  look,
  policy,
  START,
  shop,
  stateOf,
  type World,
} from "./grant-fixture.ts";

const NOTE = "/ana/notes/today.ttl";

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

const rulesIn = ({ store, pod }: World): Promise<readonly GrantRule[]> =>
  store.read(pod.id, async (snapshot) => {
    const entry = await snapshot.get(...GRANT_RULES);
    return entry ? decodeRecord<readonly GrantRule[]>(entry) : [];
  });

const mayRead = ({ store, access, pod }: World, path = NOTE, agent = shop()): Promise<boolean> =>
  store.read(
    pod.id,
    async (snapshot) =>
      (await access.authorize(snapshot, pod, agent, parseTarget(path), ["read"])).kind === "granted",
  );

const use = ({ grants, pod }: World, id: string, path = NOTE, agent = shop()) =>
  grants.use(pod, asking(path, agent), [id], look(path));

describe("a grant", () => {
  let world: World;
  const turn = (to: "pause" | "resume" | "revoke" | "undo", id: string) =>
    world.write((transaction) => world.grants[to](transaction, world.pod, id, byOwner));

  beforeEach(async () => {
    world = await createWorld();
  });

  it("is Active from the start, with rules, a journal entry, and nothing of Control", async () => {
    const grant = await give(world, draft([policy({ actions: ["read", "modify", "create", "delete"] })]));
    expect(grant).to.include({ state: "Active", assigner: ANA, issued: START, reason: null });
    expect(grant.id).to.match(/^[\w-]{22}$/);
    expect(await rulesIn(world)).to.deep.equal([
      {
        grant: grant.id,
        policy: 0,
        assignee: "https://shop.example/#us",
        clients: null,
        mediaTypes: null,
        types: null,
        modes: ["read", "write", "append"],
        removes: true,
        targets: ["/ana/notes/"],
        purposes: ["https://w3id.org/dpv#CommunicationForCustomerCare"],
        notBefore: START,
        notAfter: START + 30 * DAY,
      },
    ]);
    expect(world.deeds).to.have.length(1);
    expect(world.deeds[0]).to.include({
      act: "grant",
      agent: ANA,
      grant: `https://pods.example/ana/.consent/grants/${grant.id}`,
    });
    expect(world.told).to.deep.equal([{ grant: grant.id, before: null, after: "Active" }]);
  });

  it("lets the vendor in, and nobody else", async () => {
    await give(world);
    expect(await mayRead(world)).to.equal(true);
    expect(await mayRead(world, "/ana/notes/deep/er.ttl")).to.equal(true);
    expect(await mayRead(world, "/ana/diary.ttl")).to.equal(false);
    expect(await mayRead(world, NOTE, shop({ webid: BANK as never }))).to.equal(false);
    expect(await mayRead(world, NOTE, shop({ webid: null }))).to.equal(false);
  });

  describe("ends, at the latest after 13 months of the calendar", () => {
    for (const [issued, last] of [
      ["2026-11-22T12:00:00Z", "2027-12-22T12:00:00.000Z"],
      ["2026-01-31T08:30:00Z", "2027-02-28T08:30:00.000Z"],
      ["2027-01-31T00:00:00Z", "2028-02-29T00:00:00.000Z"],
      ["2026-12-31T23:59:59Z", "2028-01-31T23:59:59.000Z"],
    ] as const)
      it(`${issued} → ${last}`, () =>
        expect(new Date(latestExpiry(Date.parse(issued))).toISOString()).to.equal(last));

    for (const [name, notAfter, code] of [
      ["the last moment", latestExpiry(START), "done"],
      ["a millisecond later", latestExpiry(START) + 1, "input-invalid"],
      ["now", START, "input-invalid"],
      ["never", Number.POSITIVE_INFINITY, "input-invalid"],
      ["no number", Number.NaN, "input-invalid"],
      ["nothing at all", undefined as never, "input-invalid"],
    ] as const)
      it(`${name}: ${code}`, async () => {
        expect(await codeOf(give(world, draft([policy(), policy({ notAfter })])))).to.equal(code);
        expect(await rulesIn(world)).to.have.length(code === "done" ? 2 : 0);
      });
  });

  for (const [name, target] of [
    ["another pod", { kind: "container", values: ["/ben/notes/"] }],
    ["the whole server", { kind: "storage", values: ["/"] }],
    ["a folder that is named as a document", { kind: "resource", values: ["/ana/notes/"] }],
    ["a document that is named as a folder", { kind: "container", values: ["/ana/notes"] }],
    ["one of the places", { kind: "container", values: ["/ana/notes/", "/ben/"] }],
  ] as const)
    it(`is not of ${name}`, async () =>
      expect(await codeOf(give(world, draft([policy({ target })])))).to.equal("input-invalid"));

  it("gives nothing of its target where it only gives a view of it", async () => {
    for (const narrowed of [
      { tier: "tag" },
      { fields: ["https://schema.org/email"] },
      { dataFrom: 0 },
    ] as const) {
      const grant = await give(world, draft([policy({ ...narrowed, actions: ["read", "modify"] })]));
      const own = (await rulesIn(world)).filter((rule) => rule.grant === grant.id);
      expect(own.flatMap(({ targets }) => targets)).to.deep.equal([`/ana/.views/${grant.views[0]}`]);
      expect(own.flatMap(({ modes }) => modes)).to.deep.equal(["read"]);
    }
    expect(await mayRead(world)).to.equal(false);
  });

  it("is over by the clock alone, and again before it was made", async () => {
    const { id } = await give(world);
    world.clock.time = START + 30 * DAY;
    expect(await mayRead(world)).to.equal(true);
    expect(await stateOf(world, id)).to.equal("Active");
    world.clock.time += 1;
    expect(await mayRead(world)).to.equal(false);
    expect(await stateOf(world, id)).to.equal("Expired");
    expect(await codeOf(use(world, id))).to.equal("forbidden");
    world.clock.time = START - 1;
    expect(await mayRead(world)).to.equal(false);
    expect(await codeOf(use(world, id))).to.equal("forbidden");
  });

  it("that was seen to have expired stays so, whatever the clock says", async () => {
    const { id } = await give(world);
    world.clock.time = START + 31 * DAY;
    expect(await world.grants.sweep()).to.equal(1);
    world.clock.time = START + DAY;
    expect(await stateOf(world, id)).to.equal("Expired");
    expect(await mayRead(world)).to.equal(false);
    expect(world.deeds.at(-1)).to.include({ act: "lapse", agent: "server" });
    expect(await world.grants.sweep()).to.equal(0);
  });

  it("rests and goes on as often as its owner likes", async () => {
    const { id } = await give(world);
    for (let times = 0; times < 3; times++) {
      expect((await turn("pause", id)).state).to.equal("Paused");
      expect(await mayRead(world)).to.equal(false);
      expect(await codeOf(use(world, id))).to.equal("grant-paused");
      expect((await turn("resume", id)).state).to.equal("Active");
      expect(await mayRead(world)).to.equal(true);
    }
    expect(world.deeds.map(({ act }) => act).join(" ")).to.equal(
      "grant pause resume pause resume pause resume",
    );
  });

  it("is revoked once and for all", async () => {
    const { id } = await give(world);
    expect(await turn("revoke", id)).to.include({ state: "Revoked", reason: "owner" });
    expect(await turn("revoke", id)).to.include({ state: "Revoked" });
    expect(world.deeds.map(({ act }) => act)).to.deep.equal(["grant", "revoke"]);
    expect(await mayRead(world)).to.equal(false);
    expect(await codeOf(use(world, id))).to.equal("forbidden");
    expect(await codeOf(turn("pause", id))).to.equal("conflict");
    expect(await codeOf(turn("resume", id))).to.equal("conflict");
  });

  it("that is gone leaves the rules of others as they were, and none leaves no record", async () => {
    const one = await give(world);
    const other = await give(world, draft([policy()], { assignee: BANK }));
    await turn("revoke", one.id);
    expect((await rulesIn(world)).map(({ grant }) => grant)).to.deep.equal([other.id]);
    await turn("pause", other.id);
    const left = await world.store.read(world.pod.id, (snapshot) => snapshot.get(...GRANT_RULES));
    expect(left).to.equal(null);
    expect(await mayRead(world, NOTE, shop({ webid: "https://stranger.example/#me" as never }))).to.equal(
      false,
    );
  });

  it("leads only from state to state as the table says", () => {
    const states: readonly GrantState[] = [
      "Active",
      "Paused",
      "Revoked",
      "Expired",
      "Exhausted",
      "Superseded",
    ];
    for (const from of states)
      for (const to of states)
        if (!["Active", "Paused"].includes(from) || from === to)
          expect(mayBecome(from, to), `${from} → ${to}`).to.equal(false);
    expect(mayBecome("Paused", "Active")).to.equal(true);
    expect(mayBecome("Paused", "Exhausted")).to.equal(false);
  });

  it("that is unknown is not found", async () =>
    expect(await codeOf(turn("revoke", "x".repeat(22)))).to.equal("not-found"));

  describe("may be undone while nothing flows", () => {
    it("and then it never was of use", async () => {
      const { id } = await give(world, draft([policy()], { heldUntil: START + DAY }));
      expect(await mayRead(world)).to.equal(false);
      expect(await codeOf(use(world, id))).to.equal("forbidden");
      expect(await turn("undo", id)).to.include({ state: "Revoked", reason: "undone" });
      world.clock.time = START + 2 * DAY;
      expect(await mayRead(world)).to.equal(false);
    });
    it("else it flows from then on", async () => {
      const { id } = await give(world, draft([policy()], { heldUntil: START + DAY }));
      world.clock.time = START + DAY;
      expect(await mayRead(world)).to.equal(true);
      expect(await codeOf(use(world, id))).to.equal("done");
      expect(await codeOf(turn("undo", id))).to.equal("conflict");
    });
    it("and not where nothing was held", async () => {
      const { id } = await give(world);
      expect(await codeOf(turn("undo", id))).to.equal("conflict");
    });
  });

  it("takes the place of another in one moment", async () => {
    const old = await give(world);
    const { id } = await give(
      world,
      draft([policy({ target: { kind: "resource", values: [NOTE] } })]),
      old.id,
    );
    expect(await stateOf(world, old.id)).to.equal("Superseded");
    expect((await rulesIn(world)).map(({ grant }) => grant)).to.deep.equal([id]);
    expect(await mayRead(world)).to.equal(true);
    expect(await mayRead(world, "/ana/notes/other.ttl")).to.equal(false);
  });

  it("takes the place of nobody else's, and of none that has ended", async () => {
    const banks = await give(world, draft([policy()], { assignee: BANK }));
    expect(await codeOf(give(world, draft(), banks.id))).to.equal("conflict");
    const old = await give(world);
    await turn("revoke", old.id);
    expect(await codeOf(give(world, draft(), old.id))).to.equal("conflict");
    expect(await stateOf(world, banks.id)).to.equal("Active");
    expect(await rulesIn(world)).to.have.length(1);
  });

  describe("answers its request once", () => {
    const request = "r".repeat(22);
    const asked = (decision: string | null) => draft([policy()], { request, decision });
    it("also where two say yes at the same time", async () => {
      const both = await Promise.all([codeOf(give(world, asked("d1"))), codeOf(give(world, asked("d2")))]);
      expect(both.toSorted()).to.deep.equal(["conflict", "done"]);
      expect(await rulesIn(world)).to.have.length(1);
    });
    it("with several grants of one decision", async () => {
      await give(world, asked("d1"));
      await give(world, asked("d1"));
      expect(await rulesIn(world)).to.have.length(2);
      expect(await codeOf(give(world, asked(null)))).to.equal("conflict");
    });
    it("and anew once what was given is over", async () => {
      const { id } = await give(world, asked(null));
      expect(await codeOf(give(world, asked(null)))).to.equal("conflict");
      await turn("revoke", id);
      expect(await codeOf(give(world, asked(null)))).to.equal("done");
    });
  });

  it("is one of a bounded number", async () => {
    world = await createWorld({ grantsActiveMax: 2 });
    const first = await give(world);
    await give(world);
    expect(await codeOf(give(world))).to.equal("conflict");
    await turn("pause", first.id);
    await give(world);
    expect(await codeOf(turn("resume", first.id))).to.equal("conflict");
    expect(await rulesIn(world)).to.have.length(2);
  });

  it("rests after 90 days without use, by the sweep or at the next use", async () => {
    const end = policy({ notAfter: latestExpiry(START) });
    const swept = await give(world, draft([end]));
    const used = await give(world, draft([end]));
    world.clock.time = START + 90 * DAY;
    await use(world, used.id);
    expect(await world.grants.sweep()).to.equal(0);
    world.clock.time += 1;
    expect(await world.grants.sweep()).to.equal(1);
    expect(await stateOf(world, swept.id)).to.equal("Paused");
    world.clock.time += 90 * DAY;
    expect(await codeOf(use(world, used.id))).to.equal("grant-paused");
    expect(await stateOf(world, used.id)).to.equal("Paused");
    await turn("resume", used.id);
    expect(await codeOf(use(world, used.id))).to.equal("done");
  });

  it("rests where the vendor does not countersign within seven days", async () => {
    const grant = await give(world, draft([policy()], { request: "r".repeat(22) }));
    const signed = await give(world, draft([policy()], { request: "s".repeat(22) }));
    const unasked = await give(world);
    await world.write(async (transaction) => put(transaction, "countersigned", signed.id, { at: START }));
    world.clock.time = START + 7 * DAY;
    expect(await codeOf(use(world, grant.id))).to.equal("done");
    world.clock.time += 1;
    expect(await codeOf(use(world, grant.id))).to.equal("grant-paused");
    expect(await codeOf(use(world, signed.id))).to.equal("done");
    expect(await codeOf(use(world, unasked.id))).to.equal("done");
    const reason = await world.store.read(
      world.pod.id,
      async (snapshot) => (await world.grants.get(snapshot, grant.id))?.reason,
    );
    expect(reason).to.equal("unsigned");
  });

  it("does not tell its vendor what gave it away", () => {
    for (const reason of ["honey", "unusual-amount", "unknown-client"])
      expect(reasonForVendor(reason)).to.equal("owner");
    expect(reasonForVendor("unused")).to.equal("unused");
    expect(reasonForVendor(null)).to.equal(null);
  });
});
