import { expect } from "chai";
import { generateKeyPair } from "../../client-lib/passport/key.ts";
import { firstPolicy, type GovernanceDraft, type SignedGovernance } from "../../client-lib/registry/index.ts";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { type Book, createBook } from "../../server/registry/registrars/book.ts";
import { registrarFacts } from "../../server/registry/registrars/facts.ts";
import { createFollower, type GovernanceSource } from "../../server/registry/vendors/follow.ts";
import { createVendorRegister } from "../../server/registry/vendors/register.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { SERVER_POD, type Store } from "../../server/store/store.ts";
import { DAY, registrarDraft, sanction, TERMS, vendorDraft } from "./governance-cases.ts";

const US = ["https://shop.example/card#us"] as const;
const delisting = sanction("delist", "no-abuse");

/** A zone's book on a store of its own; the log is a list of hashes. */
async function openBook(store: Store, govern?: (hash: Uint8Array) => Promise<void>) {
  const signer = await generateKeyPair();
  const clock = { time: Date.UTC(2026, 10, 22, 12) };
  const logged: string[] = [];
  const pod = await store.createPod();
  const open = (): Book =>
    createBook({
      zone: "zz",
      store,
      pod,
      signer,
      now: () => new Date(clock.time),
      govern: govern ?? (async (hash) => void logged.push(Buffer.from(hash).toString("base64url"))),
    });
  return { book: open(), open, signer, clock, logged };
}

const newStore = (): Store => createMemoryStore({ limits: LIMITS, now: () => new Date() });
const say = async (book: Book, drafts: readonly GovernanceDraft[]): Promise<void> => {
  for (const draft of drafts) await book.add(draft);
};
const PEOPLE: readonly GovernanceDraft[] = [firstPolicy([...TERMS]), vendorDraft()];

async function ruleOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error.members["rule"];
    throw error;
  }
  return "taken";
}

describe("a zone's book of registrars and vendors", () => {
  it("logs each record once and in order, and tells of it only then", async () => {
    const { book, logged } = await openBook(newStore());
    const told: number[] = [];
    book.onChange(() => told.push(logged.length));
    await book.add(PEOPLE[0]!);
    await book.add(PEOPLE[1]!);
    expect(told).to.deep.equal([1, 2]);
    expect(new Set(logged).size).to.equal(2);
    expect((await book.records(0)).map(({ record }) => [record.n, record.t])).to.deep.equal([
      [1, "policy"],
      [2, "vendor"],
    ]);
    expect((await book.records(1)).length).to.equal(1);
  });

  it("refuses what would break a rule, by its name, and says nothing", async () => {
    const { book } = await openBook(newStore());
    expect(await ruleOf(book.add(vendorDraft()))).to.equal("policy-first");
    await say(book, PEOPLE);
    expect(await ruleOf(book.add(sanction("delist", "purpose-limitation")))).to.equal("ladder");
    expect((await book.records(0)).length).to.equal(2);
  });

  it("keeps the order when many speak at once", async () => {
    const { book } = await openBook(newStore());
    await say(book, PEOPLE);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        book.add(vendorDraft({ id: `v${at}`, webids: [`https://v${at}.example/#us`], clients: [] })),
      ),
    );
    const records = await book.records(0);
    expect(records.map(({ record }) => record.n)).to.deep.equal(
      Array.from({ length: 22 }, (_, at) => at + 1),
    );
  });

  it("shows nothing that is not in the log, and logs after a restart what a crash kept from it", async () => {
    const store = newStore();
    let isUp = true;
    const seen: string[] = [];
    const { book, open } = await openBook(store, async (hash) => {
      if (!isUp) throw new Problem("unavailable");
      seen.push(Buffer.from(hash).toString("hex"));
    });
    await say(book, PEOPLE);
    isUp = false;
    await book.add(delisting).then(
      () => expect.fail("It was not logged"),
      () => {},
    );
    expect((await book.records(0)).length).to.equal(2);
    isUp = true;
    const again = open();
    await again.settle();
    expect([(await again.records(0)).length, seen.length]).to.deep.equal([3, 3]);
    expect((await again.current()).vendors.get("shop")?.status).to.equal("delisted");
  });

  it("says to the engine who may sponsor, how much, and from where", async () => {
    const { book } = await openBook(newStore());
    const [key, host] = [await generateKeyPair(), await generateKeyPair()];
    await book.add(PEOPLE[0]!);
    await book.add(
      registrarDraft(key.key, {
        hosts: [{ key: host.key, origins: ["https://pods.example"] }],
        createPerDay: 7,
      }),
    );
    const facts = async () => {
      const known = registrarFacts(await book.current());
      const name = "zz.alpenpod";
      return [known.registrarKeys(name), known.createPerDayMax(name), known.storageOrigins(host.key)];
    };
    expect(await facts()).to.deep.equal([[key.key], 7, ["https://pods.example"]]);
    const nobody = registrarFacts(await book.current());
    expect([
      nobody.registrarKeys("zz.nobody"),
      nobody.createPerDayMax("zz.nobody"),
      nobody.storageOrigins(key.key),
    ]).to.deep.equal([[], 0, []]);
    const of = { party: "registrar", id: "zz.alpenpod" } as const;
    await book.add(sanction("suspend", "sponsorship", of));
    expect(await facts()).to.deep.equal([[], 7, ["https://pods.example"]]); // Its people are still hosted.
    await book.add(sanction("delist", "sponsorship", of));
    expect(await facts()).to.deep.equal([[], 7, []]);
  });
});

describe("a pod server that follows what is said of vendors", () => {
  /** @param edit What is made of the source's answers on the way. */
  async function following(
    edit: (records: readonly SignedGovernance[], after: number) => readonly object[] = (records) => records,
    store: Store = newStore(),
  ) {
    const zone = await openBook(newStore());
    await say(zone.book, PEOPLE);
    const lines: string[] = [];
    let isUp = true;
    const source = (): GovernanceSource => ({
      zone: "zz",
      keys: async () => [zone.signer.key],
      async records(after) {
        if (!isUp) throw new Problem("fetch-failed");
        return edit(await zone.book.records(after), after);
      },
    });
    const open = () => {
      const register = createVendorRegister();
      const follower = createFollower({
        store,
        sources: [source()],
        limits: LIMITS,
        log: createLog(
          (line) => lines.push(line),
          () => new Date(),
        ),
        changed: (governance) => void register.put(governance),
      });
      return { follower, status: () => register.find(US)?.status ?? null };
    };
    return { ...zone, open, lines, store, down: () => (isUp = false), up: () => (isUp = true) };
  }

  it("knows of a delisting as soon as it asks, and of a reinstatement", async () => {
    const { book, open } = await following();
    const { follower, status } = open();
    expect([await follower.ask(), status()]).to.deep.equal([2, "active"]);
    await book.add(delisting);
    expect([await follower.ask(), status()]).to.deep.equal([1, "delisted"]);
    await book.add(sanction("reinstate", null));
    expect([await follower.ask(), await follower.ask(), status()]).to.deep.equal([1, 0, "active"]);
  });

  it("remembers it across a start without the registry, which delists nobody by being away", async () => {
    const world = await following();
    const first = world.open();
    await first.follower.ask();
    world.down();
    expect([await first.follower.ask(), first.status()]).to.deep.equal([0, "active"]);
    world.up();
    await world.book.add(delisting);
    await first.follower.ask();
    world.down();
    const second = world.open();
    await second.follower.load();
    expect([await second.follower.ask(), second.status()]).to.deep.equal([0, "delisted"]);
    expect(world.lines.some((line) => line.includes("governance.unreachable"))).to.equal(true);
  });

  it("catches up on all that happened while it was away", async () => {
    const { book, clock, open } = await following();
    const { follower, status } = open();
    await follower.ask();
    await book.add(sanction("warn", "data-minimisation"));
    clock.time += 20 * DAY;
    await say(book, [sanction("suspend", "data-minimisation"), sanction("delist", "data-minimisation")]);
    expect([await follower.ask(), status()]).to.deep.equal([3, "delisted"]);
  });

  describe("changes nothing for", () => {
    const forged: readonly (readonly [
      says: string,
      edit: (records: readonly SignedGovernance[]) => readonly object[],
    ])[] = [
      ["a record that is not signed", (records) => records.map((one) => ({ ...one, s: "A".repeat(86) }))],
      ["a record without signature", (records) => records.map(({ record, key }) => ({ record, key }))],
      [
        "another number",
        (records) => records.map((one) => ({ ...one, record: { ...one.record, n: one.record.n + 1 } })),
      ],
      [
        "another vendor's name in it",
        (records) => records.map((one) => ({ ...one, record: { ...one.record, says: "x" } })),
      ],
      ["what is no record", () => [{}]],
      ["a text", () => ["delist" as unknown as object]],
    ];
    for (const [says, edit] of forged)
      it(says, async () => {
        let isForged = false;
        const { book, open, lines } = await following((records) => (isForged ? edit(records) : records));
        const { follower, status } = open();
        await follower.ask();
        await book.add(delisting);
        isForged = true;
        expect([await follower.ask(), status()]).to.deep.equal([0, "active"]);
        expect(lines.some((line) => line.includes("governance.refused"))).to.equal(true);
        isForged = false;
        expect([await follower.ask(), status()]).to.deep.equal([1, "delisted"]); // The true one still counts.
      });

    it("an older status, sent again", async () => {
      let replayed: readonly SignedGovernance[] | null = null;
      const { book, open } = await following((records) => replayed ?? records);
      const { follower, status } = open();
      await book.add(delisting);
      await book.add(sanction("reinstate", null));
      await follower.ask();
      replayed = (await book.records(2)).slice(0, 1);
      expect([await follower.ask(), status()]).to.deep.equal([0, "active"]);
    });

    it("a run with a record left out", async () => {
      let isCut = false;
      const { book, open } = await following((records) => (isCut ? records.slice(1) : records));
      const { follower, status } = open();
      await follower.ask();
      await say(book, [sanction("warn", "no-retaliation"), delisting]);
      isCut = true;
      expect([await follower.ask(), status()]).to.deep.equal([0, "active"]);
    });

    it("a record by a key that is none of the zone's", async () => {
      const stranger = await openBook(newStore());
      await say(stranger.book, [...PEOPLE, delisting]);
      const store = newStore();
      const register = createVendorRegister();
      const follower = createFollower({
        store,
        sources: [
          {
            zone: "zz",
            keys: async () => [(await generateKeyPair()).key],
            records: (after) => stranger.book.records(after),
          },
        ],
        limits: LIMITS,
        log: createLog(
          () => {},
          () => new Date(),
        ),
        changed: (governance) => void register.put(governance),
      });
      expect([await follower.ask(), register.find(US)]).to.deep.equal([0, null]);
    });
  });

  it("is told at once where the book is in the same process", async () => {
    const { book, signer } = await openBook(newStore());
    await say(book, PEOPLE);
    const register = createVendorRegister();
    const store = newStore();
    let heard = (): void => {};
    const known = new Promise<void>((done) => (heard = done));
    const follower = createFollower({
      store,
      sources: [
        {
          zone: "zz",
          keys: async () => [signer.key],
          records: (after) => book.records(after),
          onChange: (listener) => book.onChange(listener),
        },
      ],
      limits: { governancePollMs: 3_600_000 },
      log: createLog(
        () => {},
        () => new Date(),
      ),
      changed(governance) {
        register.put(governance);
        if (register.find(US)?.status === "delisted") heard();
      },
    });
    follower.begin();
    await book.add(delisting);
    await known;
    await follower.close();
    const kept = await store.read(SERVER_POD, (snapshot) =>
      snapshot.get("registry", "follow/zz", "0000000003"),
    );
    expect(kept).not.to.equal(null);
  });
});
