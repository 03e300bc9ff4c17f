/** All that a use of a grant comes to; long, for each way in which it can be refused has a test. */
import { expect } from "chai";
import { listAttention } from "../../server/consent/attention.ts";
import type { Policy } from "../../server/consent/model.ts";
import { findReceipt, put, receiptId } from "../../server/consent/records.ts";
import type { Extent } from "../../server/consent/usage.ts";
import { Problem } from "../../server/errors.ts";
import { parseTarget } from "../../server/iri.ts";
import type { Agent } from "../../server/operation.ts";
import {
  asking,
  BANK,
  byOwner,
  CARE,
  createWorld,
  DAY,
  draft,
  give,
  look,
  policy,
  SHOP_APP,
  START,
  shop,
  stateOf,
  type World,
} from "./grant-fixture.ts";

const NOTE = "/ana/notes/today.ttl";
const OTHER = "/ana/files/a.ttl";
const MINUTE = 60_000;

interface Got {
  readonly status: number;
  readonly wait?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

describe("a use of a grant", () => {
  let world: World;

  beforeEach(async () => {
    world = await createWorld();
  });

  /** What comes of it: 200, or the refusal's status. */
  async function use(
    ids: string | readonly string[],
    path = NOTE,
    rest: Partial<Extent> = {},
    agent: Agent = shop(),
  ): Promise<Got> {
    const { grants, pod } = world;
    try {
      const { headers } = await grants.use(pod, asking(path, agent), [ids].flat(), look(path, rest));
      return { status: 200, headers };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { status: error.status, wait: error.headers["retry-after"] };
    }
  }
  const usageOf = (id: string) =>
    world.store.read(world.pod.id, (snapshot) => world.grants.usage(snapshot, id));
  const reasonOf = (id: string) =>
    world.store.read(world.pod.id, async (snapshot) => (await world.grants.get(snapshot, id))?.reason);
  const alerts = () => world.store.read(world.pod.id, listAttention);
  const mayRead = (path: string) =>
    world.store.read(
      world.pod.id,
      async (snapshot) =>
        (await world.access.authorize(snapshot, world.pod, shop(), parseTarget(path), ["read"])).kind ===
        "granted",
    );
  const resume = (id: string) =>
    world.write((transaction) => world.grants.resume(transaction, world.pod, id, byOwner));

  it("is counted, recorded and receipted, and the answer says where", async () => {
    const { id } = await give(world);
    const { headers } = await use(id, NOTE, { bytes: 17 });
    expect(headers).to.deep.equal({
      link: `<https://pods.example/ana/.consent/receipts/${id}.1>; rel="https://w3id.org/freehold/ns#usageReceipt"`,
    });
    expect(await usageOf(id)).to.include({ count: 1, firstUse: START, lastUse: START });
    const receipt = await world.store.read(world.pod.id, (snapshot) =>
      findReceipt(snapshot, receiptId(id, 1)),
    );
    expect(receipt).to.deep.equal({
      id: `${id}.1`,
      grant: id,
      actor: "https://shop.example/#us",
      client: SHOP_APP,
      purpose: CARE,
      act: "look",
      queryHash: null,
      targets: ["https://pods.example/ana/notes/today.ttl"],
      documents: 1,
      rows: null,
      bytes: 17,
      status: 200,
      published: START,
    });
    expect(world.deeds.at(-1)).to.include({
      act: "look",
      agent: "https://shop.example/#us",
      path: NOTE,
      purpose: CARE,
      grant: `https://pods.example/ana/.consent/grants/${id}`,
      status: 200,
      bytes: 17,
    });
  });

  it("of a grant for viewing may not be kept by anything on the way", async () => {
    const { id } = await give(world, draft([policy({ mode: "view" })]));
    expect((await use(id)).headers).to.include({ "cache-control": "no-store" });
  });

  it("is nobody's but the vendor's, whatever ids are named", async () => {
    const { id } = await give(world);
    expect((await use(id, NOTE, {}, shop({ webid: BANK as never }))).status).to.equal(403);
    expect((await use("x".repeat(22))).status).to.equal(403);
    expect((await use([])).status).to.equal(403);
    expect((await usageOf(id)).count).to.equal(0);
  });

  it("whose grant was revoked since it was decided about gets nothing, and leaves nothing", async () => {
    const { id } = await give(world);
    expect(await mayRead(NOTE)).to.equal(true);
    await world.write((transaction) => world.grants.revoke(transaction, world.pod, id, byOwner));
    expect((await use(id)).status).to.equal(403);
    expect((await usageOf(id)).count).to.equal(0);
    expect(world.deeds.map(({ act }) => act)).to.deep.equal(["grant", "revoke"]);
  });

  it("many at once are counted one by one", async () => {
    const { id } = await give(world, draft([policy({ queriesMax: 60 })]));
    const all = await Promise.all(Array.from({ length: 100 }, () => use(id)));
    expect(all.filter(({ status }) => status === 200)).to.have.length(60);
    expect(new Set(all.flatMap(({ headers }) => headers?.["link"] ?? [])).size).to.equal(60);
    expect((await usageOf(id)).count).to.equal(60);
    expect(await stateOf(world, id)).to.equal("Exhausted");
  });

  describe("with a budget", () => {
    it("gets the last answer, and then the grant is exhausted", async () => {
      const { id } = await give(world, draft([policy({ queriesMax: 2 })]));
      expect((await use(id)).status).to.equal(200);
      expect(await stateOf(world, id)).to.equal("Active");
      expect((await use(id)).status).to.equal(200);
      expect(await stateOf(world, id)).to.equal("Exhausted");
      expect(await mayRead(NOTE)).to.equal(false);
      expect((await use(id)).status).to.equal(403);
      expect((await usageOf(id)).count).to.equal(2);
    });
    it("uses up one policy, and the others go on", async () => {
      const files: Policy = policy({ target: { kind: "container", values: ["/ana/files/"] } });
      const { id } = await give(world, draft([policy({ queriesMax: 1 }), files]));
      expect((await use(id)).status).to.equal(200);
      expect(await mayRead(NOTE)).to.equal(false);
      expect(await mayRead(OTHER)).to.equal(true);
      expect((await use(id)).status).to.equal(429);
      expect((await use(id, OTHER)).status).to.equal(200);
      expect(await stateOf(world, id)).to.equal("Active");
    });
    it("of none at all is no access", async () => {
      const { id } = await give(world, draft([policy({ queriesMax: 0 })]));
      expect(await mayRead(NOTE)).to.equal(false);
      expect((await use(id)).status).to.equal(429);
    });
  });

  describe("with a frequency", () => {
    it("waits as long as it says, and never is there more in any stretch of that length", async () => {
      const { id } = await give(world, draft([policy({ frequency: { count: 2, per: MINUTE } })]));
      expect((await use(id)).status).to.equal(200);
      world.clock.time += 50_000;
      expect((await use(id)).status).to.equal(200);
      expect(await use(id)).to.deep.equal({ status: 429, wait: "10" });
      world.clock.time += 10_000;
      expect((await use(id)).status).to.equal(200);
      expect(await use(id)).to.deep.equal({ status: 429, wait: "50" });
      expect((await usageOf(id)).count).to.equal(3);
    });
    it("is no freer when the clock goes back", async () => {
      const { id } = await give(world, draft([policy({ frequency: { count: 1, per: MINUTE } })]));
      world.clock.time += 10 * MINUTE;
      expect((await use(id)).status).to.equal(200);
      world.clock.time -= 5 * MINUTE;
      expect((await use(id)).status).to.equal(429);
    });
    it("holds for each policy by itself, where what is named says which", async () => {
      const often = policy({ target: { kind: "container", values: ["/ana/files/"] } });
      const seldom = policy({ frequency: { count: 1, per: DAY } });
      const { id } = await give(world, draft([seldom, often]));
      expect((await use(id)).status).to.equal(200);
      expect((await use(id)).status).to.equal(429);
      for (let times = 0; times < 5; times++) expect((await use(id, OTHER)).status).to.equal(200);
      const query = { act: "query", paths: [] } as const;
      expect((await use(id, "/ana/sparql", query)).status, "a query is of all").to.equal(429);
    });
    it("of hundreds is kept in few numbers, and never too freely", async () => {
      world = await createWorld({ grantUsesPerMinuteMax: 100_000 });
      const { id } = await give(world, draft([policy({ frequency: { count: 300, per: 1_000_000 } })]));
      const uses: number[] = [];
      for (let step = 0; step < 1_200; step++) {
        world.clock.time += 1_000;
        if ((await use(id)).status === 200) uses.push(world.clock.time);
      }
      for (const at of uses)
        expect(uses.filter((one) => one > at - 1_000_000 && one <= at).length).to.be.at.most(300);
      expect(uses.length, "300, and with the first that are over some more").to.be.above(450);
      expect((await usageOf(id)).policies[0]?.recent.length).to.be.at.most(64);
    });
  });

  it("of a look needs one grant of several, and counts that", async () => {
    const spent = await give(world, draft([policy({ frequency: { count: 1, per: DAY } })]));
    const free = await give(world);
    await use(spent.id);
    expect((await use([spent.id, free.id])).status).to.equal(200);
    expect((await usageOf(spent.id)).count).to.equal(1);
    expect((await usageOf(free.id)).count).to.equal(1);
  });

  it("of a query counts all of them, or none", async () => {
    const one = await give(world, draft([policy({ frequency: { count: 1, per: DAY } })]));
    const other = await give(world);
    const query: Partial<Extent> = {
      act: "query",
      paths: [],
      documents: 3,
      rows: 7,
      queryHash: "ab".repeat(32),
    };
    const { headers } = await use([one.id, other.id], "/ana/sparql", query);
    expect(headers?.["link"]?.split(", ")).to.have.length(2);
    expect((await use([one.id, other.id], "/ana/sparql", query)).status).to.equal(429);
    expect((await usageOf(one.id)).count).to.equal(1);
    expect((await usageOf(other.id)).count).to.equal(1);
    const receipt = await world.store.read(world.pod.id, (snapshot) =>
      findReceipt(snapshot, receiptId(other.id, 1)),
    );
    expect(receipt).to.include({ act: "query", documents: 3, rows: 7, queryHash: "ab".repeat(32) });
  });

  it("keeps the newest receipts, and knows how many there were", async () => {
    world = await createWorld({ receiptsPerGrantMax: 3 });
    const { id } = await give(world);
    for (let times = 0; times < 5; times++) await use(id);
    const kept = await world.store.read(world.pod.id, async (snapshot) => {
      const found: number[] = [];
      for (let number = 1; number <= 5; number++)
        if (await findReceipt(snapshot, receiptId(id, number))) found.push(number);
      return found;
    });
    expect(kept).to.deep.equal([3, 4, 5]);
    expect((await usageOf(id)).count).to.equal(5);
  });

  it("too many in a minute must wait, and nothing is written", async () => {
    world = await createWorld({ grantUsesPerMinuteMax: 5 });
    const { id } = await give(world);
    for (let times = 0; times < 5; times++) expect((await use(id)).status).to.equal(200);
    expect((await use(id)).status).to.equal(429);
    expect((await usageOf(id)).count).to.equal(5);
  });

  describe("to write", () => {
    const write = (id: string, agent = shop()): Promise<number> =>
      world
        .write(async (transaction) => {
          transaction.put("body", OTHER, "", new Uint8Array([1]));
          const extent = look(OTHER, { act: "write", documents: 0 });
          await world.grants.useIn(transaction, world.pod, asking(OTHER, agent), [id], extent);
        })
        .then(
          () => 200,
          (error: unknown) => (error instanceof Problem ? error.status : 500),
        );
    const isWritten = async () =>
      (await world.store.read(world.pod.id, (snapshot) => snapshot.get("body", OTHER, ""))) !== null;

    it("belongs to the write's own commit, has a receipt, and uses up no reads", async () => {
      const adding = policy({
        actions: ["create", "read"],
        target: { kind: "container", values: ["/ana/files/"] },
        queriesMax: 1,
      });
      const { id } = await give(world, draft([adding]));
      expect(await write(id)).to.equal(200);
      expect(await usageOf(id)).to.deep.include({ count: 1, days: [] });
      expect(await stateOf(world, id)).to.equal("Active");
      expect(await isWritten()).to.equal(true);
      expect(
        world.deeds.map(({ act }) => act),
        "the write's entry is the write's",
      ).to.deep.equal(["grant"]);
    });
    it("that must not be leaves no byte, and the grant rests all the same", async () => {
      const adding = policy({ actions: ["create"], target: { kind: "container", values: ["/ana/files/"] } });
      const { id } = await give(world, draft([adding]));
      world.clock.time += DAY;
      await write(id);
      await world.write(async (transaction) => transaction.delete("body", OTHER, ""));
      expect(await write(id, shop({ client: "https://evil.example/app" }))).to.equal(403);
      expect(await isWritten()).to.equal(false);
      await new Promise((done) => setTimeout(done, 20));
      expect(await stateOf(world, id)).to.equal("Paused");
      expect(await alerts()).to.have.length(1);
    });
  });

  describe("by another application than before", () => {
    const evil = shop({ client: "https://evil.example/app" });
    it("makes the grant rest, and the owner is told", async () => {
      const { id } = await give(world);
      await use(id);
      expect((await use(id, NOTE, {}, evil)).status).to.equal(403);
      expect(await stateOf(world, id)).to.equal("Paused");
      expect(await reasonOf(id)).to.equal("unknown-client");
      expect(await alerts()).to.have.length(1);
      expect((await alerts())[0]).to.include({
        kind: "unknown-client",
        grant: id,
        client: evil.client,
        count: 1,
      });
      expect(world.deeds.map(({ act }) => act)).to.deep.equal(["grant", "look", "pause", "alarm"]);
      expect(world.logged.join("")).to.include('"event":"consent.alarm"').and.not.to.include("evil");
      expect((await use(id)).status).to.equal(403);
    });
    it("is usual once the owner has let it go on", async () => {
      const { id } = await give(world);
      await use(id);
      await use(id, NOTE, {}, evil);
      await resume(id);
      expect((await use(id, NOTE, {}, evil)).status).to.equal(200);
      expect((await use(id, NOTE, {}, shop({ client: null }))).status, "none is another").to.equal(403);
    });
    it("is as good as the first where the grant names both", async () => {
      const clients = [SHOP_APP, "https://evil.example/app"];
      const { id } = await give(world, draft([policy({ clients })]));
      await use(id);
      expect((await use(id, NOTE, {}, evil)).status).to.equal(200);
    });
  });

  describe("of ten times what is usual", () => {
    async function usual(reads: number): Promise<string> {
      const { id } = await give(world);
      for (let day = 0; day < 5; day++) {
        await use(id, NOTE, { documents: reads });
        world.clock.time += DAY;
      }
      return id;
    }
    it("makes the grant rest before a byte of it is told", async () => {
      const id = await usual(20);
      expect((await use(id, NOTE, { documents: 200 })).status).to.equal(200);
      expect((await use(id, NOTE, { documents: 1 })).status).to.equal(403);
      expect(await reasonOf(id)).to.equal("unusual-amount");
      expect((await usageOf(id)).count).to.equal(6);
      expect((await alerts())[0]).to.include({ kind: "unusual-amount", reads: 201, usual: 20 });
    });
    it("is nothing while it is little", async () => {
      const id = await usual(1);
      expect((await use(id, NOTE, { documents: 100 })).status).to.equal(200);
      expect((await use(id)).status).to.equal(403);
    });
    it("is not known of a grant of the first days", async () => {
      const { id } = await give(world);
      expect((await use(id, NOTE, { documents: 9_000 })).status).to.equal(200);
    });
    it("that the owner let pass is not held against the vendor again that day, but the next ten times are", async () => {
      const id = await usual(20);
      await use(id, NOTE, { documents: 150 });
      expect((await use(id, NOTE, { documents: 51 })).status).to.equal(403);
      await resume(id);
      expect((await use(id, NOTE, { documents: 200 })).status).to.equal(200);
      expect((await use(id, NOTE, { documents: 1 })).status).to.equal(403);
    });
    it("on one day raises what is usual by one day's worth only", async () => {
      const id = await usual(20);
      await use(id, NOTE, { documents: 200 });
      world.clock.time += DAY;
      expect(
        (await use(id, NOTE, { documents: 201 })).status,
        "the median of 20, 20, 20, 20, 20, 200",
      ).to.equal(403);
    });
  });

  describe("of a place that nobody with good reason reads", () => {
    const TRAP = "/ana/notes/passwords.txt";
    beforeEach(() =>
      world.write(async (transaction) => put(transaction, "honey", "", { paths: [TRAP], changed: START })),
    );
    it("is answered as any other, and the grant rests from then on", async () => {
      const { id } = await give(world);
      const plain = await use(id);
      const trapped = await use(id, TRAP);
      expect(trapped.status).to.equal(200);
      expect(Object.keys(trapped.headers ?? {})).to.deep.equal(Object.keys(plain.headers ?? {}));
      expect(await stateOf(world, id)).to.equal("Paused");
      expect(await reasonOf(id)).to.equal("honey");
      expect((await alerts())[0]).to.include({ kind: "honey", path: TRAP, grant: id });
      expect((await use(id)).status).to.equal(403);
    });
    it("raises the alarm also with the last use that there was", async () => {
      const { id } = await give(world, draft([policy({ queriesMax: 1 })]));
      await use(id, TRAP);
      expect(await stateOf(world, id)).to.equal("Exhausted");
      expect(await alerts()).to.have.length(1);
    });
    it("is counted with others where there are very many to look at", async () => {
      world = await createWorld({ attentionMax: 2 });
      await world.write(async (transaction) =>
        put(transaction, "honey", "", { paths: [TRAP], changed: START }),
      );
      for (let times = 0; times < 4; times++) {
        const { id } = await give(world);
        await use(id, TRAP);
      }
      const found = (await alerts()).map(({ agent, count }) => [agent, count]);
      expect(found).to.have.deep.members([
        [shop().webid, 1],
        [shop().webid, 1],
        ["*", 2],
      ]);
    });
    it("does not count for a query of all that is there", async () => {
      const { id } = await give(world);
      await use(id, "/ana/sparql", { act: "query", paths: [], documents: 50 });
      expect(await stateOf(world, id)).to.equal("Active");
    });
  });
});
