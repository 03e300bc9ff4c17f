/** What the root tells zones at its desk, and zones' clerks do: whatever comes between, nothing that was ordered is lost. */
import {
  hashOfOperation,
  portPassport,
  rotatePassport,
  type Signed,
  sponsorOperation,
} from "@freehold/client/registry";
import { expect } from "chai";
import type { DeskNews } from "../../../server/registry/root/model.ts";
import { createPostponed } from "../../../server/registry/root/postponed.ts";
import { zonePod } from "../../../server/registry/zone/keys.ts";
import { NOW } from "../../passport/people.ts";
import { listeningLog, openTestStore } from "../../support/store.ts";
import {
  createFederation,
  DAY_MS,
  type FederationWorld,
  HOUR_MS,
  type Leaving,
  type Owner,
} from "./world.ts";

const MINUTE_MS = 60_000;

describe("the root's desk and a zone's clerk", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  before(async () => {
    world = await createFederation();
  });
  after(() => world.dispose());

  /** Somebody who has asked to go to `za`, and whose days of waiting have all but begun. */
  async function leaving(): Promise<Leaving & { readonly port: Signed }> {
    const some = await world.unlocked();
    const port = await portPassport(some.state, some.owner.keys.authority, "za");
    const sponsored = await sponsorOperation(port, "za", world.zones.za.keys.zone);
    const { status } = await world.post(`${world.root.baseUrl}v1/ports`, {
      operations: [sponsored],
      bundle: some.bundle,
    });
    expect(status).to.equal(202);
    return { ...some, port };
  }
  const standing = async (port: Signed): Promise<unknown> => {
    const { body } = await world.get(`${world.root.baseUrl}v1/ports/${await hashOfOperation(port.op)}`);
    return (body["standing"] as { readonly state?: unknown } | undefined)?.state;
  };
  const kindIn = async (zone: "ch" | "za", { id }: Owner): Promise<string> =>
    (await world.zones[zone].zone.find(id)).findings.kind;

  /** An operation in the root's inbox that the zone `za` has not heard of. */
  async function rotating(): Promise<{ readonly owner: Owner; readonly rotateOp: Signed }> {
    const owner = await world.open("za");
    const { bundle } = await world.ask("za", owner.id);
    const state = await world.state("za", owner.id);
    const { rotateOp } = await rotatePassport(state, owner.keys, new Date(world.now()));
    const posted = await world.post(`${world.root.baseUrl}v1/inbox`, { operation: rotateOp, bundle });
    expect(posted.status).to.equal(202);
    return { owner, rotateOp };
  }
  /** What `za` keeps to try again. */
  const postponed = (): Promise<readonly string[]> => {
    const { store, pod } = world.zones.za;
    return store.read(pod, async (snapshot) => {
      const found: string[] = [];
      for await (const { item } of snapshot.list("registry", "desk-postponed")) found.push(item);
      return found;
    });
  };

  it("keeps what a passport is until the gaining zone has fetched the order, though it has fetched the notice", async () => {
    const { owner, port } = await leaving();
    await world.zones.za.tick(); // It has the notice, and says so when it asks the next time.
    world.turn(5 * DAY_MS + HOUR_MS);
    await world.root.tick();
    expect(await standing(port)).to.equal("ordered");
    await world.zones.za.tick();
    expect(await kindIn("za", owner)).to.equal("present");
  });

  describe("when a zone's clock is behind, so that what it is shown is of the future", () => {
    let late: Leaving & { readonly port: Signed };
    before(async () => {
      late = await leaving();
      await world.tick();
      world.turn(5 * DAY_MS + HOUR_MS);
      world.apart("ch", 2 * MINUTE_MS);
      await world.zones.ch.zone.tick(); // Signed two minutes from now: near enough for the root …
      world.apart("za", -4 * MINUTE_MS); // … and not for the zone, that can talk with the root all the same.
      await world.root.tick();
      await world.zones.za.tick();
    });
    after(() => {
      world.apart("ch", 0);
      world.apart("za", 0);
    });

    it("has not got what was ordered, and says so", async () => {
      expect(await standing(late.port)).to.equal("ordered");
      expect(await kindIn("za", late.owner)).to.equal("absent");
      expect(world.events).to.include("registry.news-postponed");
    });

    it("goes on with what comes after it", async () => {
      const { owner, rotateOp } = await rotating();
      await world.zones.za.tick();
      expect((await world.state("za", owner.id)).head.seq).to.equal(1);
      const { body } = await world.get(`${world.root.baseUrl}v1/inbox/${await hashOfOperation(rotateOp.op)}`);
      expect(body["standing"]).to.have.property("state", "included");
      expect(await kindIn("za", late.owner)).to.equal("absent");
    });

    it("takes it in when it can, though the root has forgotten it: after a restart, and weeks later", async () => {
      await world.zones.za.tick(); // It says that it has fetched all: the root keeps nothing of it any more.
      await world.stop("ch");
      await world.stop("za");
      world.apart("za", 0);
      world.turn(20 * DAY_MS);
      await world.start("za");
      await world.zones.za.tick();
      expect(await kindIn("za", late.owner)).to.equal("present");
      const { answer } = await world.ask("za", late.owner.id);
      expect(answer.kind).to.equal("present");
      expect(await postponed()).to.deep.equal([]);
    });
  });
});

describe("news that a clerk could not heed", () => {
  const HASH = "A".repeat(43);
  const OTHER = "B".repeat(43);
  const inboxNews = (seq: number, hash: string, due: number): DeskNews => ({
    seq,
    kind: "inbox",
    hash,
    operation: {} as Signed,
    due,
  });

  it("are tried again ever more seldom, until they are due and no longer, and hold up nothing", async () => {
    let at = NOW;
    const events: string[] = [];
    const tried: string[] = [];
    const opened = await openTestStore("memory", { now: () => new Date(at) });
    try {
      const { store } = opened;
      const pod = await zonePod(store, "za");
      const deps = { zone: "za", store, pod, now: () => new Date(at), log: listeningLog(events) };
      const act = async (news: DeskNews): Promise<void> => {
        if (news.kind !== "inbox") return;
        tried.push(`${news.seq}`);
        if (news.hash === HASH) throw new Error("not now");
      };
      const postponed = createPostponed(deps, act);
      await postponed.heed(inboxNews(1, HASH, NOW + DAY_MS));
      await postponed.heed(inboxNews(2, OTHER, NOW + DAY_MS));
      await postponed.retry();
      expect(tried).to.deep.equal(["1", "2"]);
      for (; at < NOW + 60_000; at += 500) await postponed.retry();
      expect(tried.length).to.be.within(6, 9); // After 1, 2, 4, 8, 16 and 32 seconds.
      await postponed.heed(inboxNews(3, HASH, NOW + DAY_MS)); // Newer news of the same.
      tried.length = 0;
      for (; at < NOW + HOUR_MS; at += 10_000) await postponed.retry();
      expect(new Set(tried)).to.deep.equal(new Set(["3"]));
      expect(tried.length).to.be.within(12, 24);
      tried.length = 0;
      at = NOW + 20_000; // The clock was ahead.
      await createPostponed(deps, act).retry();
      await postponed.retry();
      expect(tried).to.deep.equal(["3", "3"]);
      expect(events).to.not.include("registry.news-refused");
      at = NOW + DAY_MS;
      await postponed.retry();
      expect(events.at(-1)).to.equal("registry.news-refused");
      tried.length = 0;
      at += DAY_MS;
      await postponed.retry();
      await createPostponed(deps, act).retry();
      expect(tried).to.deep.equal([]);
    } finally {
      await opened.dispose();
    }
  });
});
