/** Answers that are kept for as long as the log says nothing of them. */
import { createMemory, createPassportCache, type ResolveOptions } from "@freehold/client";
import { expect } from "chai";
import { codeOf } from "../../client/codes.ts";
import { type Holder, holder, leading } from "./people.ts";
import { closeServers, type Serving, serveZone } from "./serving.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;

describe("a cache that the log keeps true", () => {
  let now = NOON;
  let serving: Serving;
  let ana: Holder;
  const options = (): ResolveOptions => ({
    resolvers: [serving.baseUrl],
    memory: createMemory(),
    now: () => now,
  });

  beforeEach(async () => {
    now = NOON;
    serving = await serveZone(() => now);
    ana = await holder("ana");
    await serving.zone.put(ana.id, ana.head);
    await serving.zone.publish();
  });
  afterEach(closeServers);

  const asks = (part: string): number => serving.asked.filter((path) => path.includes(part)).length;

  it("asks once, and again only when the log says that something has changed", async () => {
    const cache = createPassportCache({ ...options(), validMs: 1_000 });
    for (let time = 0; time < 5; time += 1)
      expect((await cache.resolve(ana.id)).pod).to.equal("https://pods.example.org/ana/");
    expect([asks("/v1/passports"), asks("checkpoint")]).to.deep.equal([1, 0]);

    const { zone } = serving;
    const other = await holder("eve");
    await zone.put(other.id, other.head);
    await zone.publish();
    now += 2_000;
    await cache.resolve(ana.id);
    expect([asks("/v1/passports"), asks("checkpoint")], "somebody else's change").to.deep.equal([1, 1]);

    await zone.put(ana.id, await leading(ana, "https://new.example.org/ana/"));
    await zone.publish();
    expect((await cache.resolve(ana.id)).pod, "within the time that was chosen").to.equal(
      "https://pods.example.org/ana/",
    );
    now += 2_000;
    expect((await cache.resolve(ana.id)).pod).to.equal("https://new.example.org/ana/");
    expect([asks("/v1/passports"), cache.counts().changed]).to.deep.equal([2, 1]);
  });

  it("follows a log over many epochs and tiles, and knows at once who was erased", async () => {
    const cache = createPassportCache({ ...options(), validMs: 0 });
    const { zone } = serving;
    await cache.resolve(ana.id);
    const crowd = await Promise.all(Array.from({ length: 6 }, (_, index) => holder(`p${index}`)));
    for (let round = 0; round < 60; round += 1) {
      for (const one of crowd) await zone.put(one.id, one.head);
      if (round % 7 === 0) await zone.publish();
      if (round % 21 === 0)
        expect((await cache.resolve(ana.id)).pod).to.equal("https://pods.example.org/ana/");
    }
    await zone.publish();
    expect(zone.size()).to.be.above(256);
    expect((await cache.resolve(ana.id)).epoch.at).to.equal(now);
    expect(asks("/v1/passports")).to.equal(1);
    await zone.remove(ana.id);
    await zone.publish();
    expect(await codeOf(cache.resolve(ana.id))).to.equal("not-found");
    expect(asks("/v1/passports")).to.equal(2);
    expect(await codeOf(cache.resolve(ana.id)), "the absence is kept, too").to.equal("not-found");
    expect(asks("/v1/passports")).to.equal(2);
    await zone.put(ana.id, ana.head);
    await zone.publish();
    expect((await cache.resolve(ana.id)).pod, "and ends when it does").to.equal(
      "https://pods.example.org/ana/",
    );
  });

  it("calls a log that was rewritten by its name, though zone and witnesses sign it", async () => {
    const cache = createPassportCache({ ...options(), validMs: 0 });
    await cache.resolve(ana.id);
    await serving.zone.publish();
    await cache.resolve(ana.id);
    await serving.zone.publish();
    serving.spoil = (path, answer) => {
      if (!path.includes("/tile/")) return answer;
      const bytes = Uint8Array.from(answer.body as Uint8Array);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      return { ...answer, body: bytes };
    };
    expect(await codeOf(cache.resolve(ana.id))).to.equal("log-forked");
  });

  it("goes on with what was proved lately while nobody answers, and not a day longer", async () => {
    const cache = createPassportCache({ ...options(), validMs: 0 });
    await cache.resolve(ana.id);
    await serving.close();
    now += 20 * HOUR_MS;
    expect((await cache.resolve(ana.id)).pod).to.equal("https://pods.example.org/ana/");
    now += 5 * HOUR_MS;
    expect(await codeOf(cache.resolve(ana.id))).to.equal("unreachable");
  });

  it("forgets what was not asked for longest when it is full", async () => {
    const cache = createPassportCache({ ...options(), validMs: HOUR_MS, entriesMax: 2 });
    const [ben, cem] = [await holder("ben2"), await holder("cem2")];
    for (const one of [ben, cem]) await serving.zone.put(one.id, one.head);
    await serving.zone.publish();
    for (const { id } of [ana, ben, cem]) await cache.resolve(id);
    expect(cache.counts().entries).to.equal(2);
    cache.forget(cem.id);
    expect(cache.counts().entries).to.equal(1);
  });
});
