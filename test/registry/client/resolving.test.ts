import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMemory,
  FreeholdError,
  forgetRoot,
  type Memory,
  type ResolveOptions,
  resolve,
} from "@freehold/client";
import { fileMemory } from "@freehold/client/node";
import {
  deactivatePassport,
  generateKeyPair,
  makeHold,
  type RootRecord,
  signAsZone,
  signRootRecord,
  stateAfter,
} from "@freehold/client/registry";
import { expect } from "chai";
import { codeOf } from "../../client/codes.ts";
import { type Holder, holder, rotated } from "./people.ts";
import { closeServers, type Serving, serveZone } from "./serving.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;

describe("a client that verifies what it is told", () => {
  let now = NOON;
  let serving: Serving;
  let ana: Holder;
  let memory: Memory;

  const options = (more: Partial<ResolveOptions> = {}): ResolveOptions => ({
    resolvers: [serving.baseUrl],
    memory,
    now: () => now,
    ...more,
  });
  const podOf = async (id: string, more?: Partial<ResolveOptions>): Promise<string> =>
    (await resolve(id, options(more))).pod;
  const ruleOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return "none";
    } catch (error) {
      if (!(error instanceof FreeholdError)) throw error;
      const { rule } = error.members;
      return typeof rule === "string" ? `${error.code} ${rule}` : error.code;
    }
  };

  beforeEach(async () => {
    now = NOON;
    memory = createMemory();
    serving = await serveZone(() => now);
    ana = await holder("ana");
    await serving.zone.put(ana.id, ana.head);
    for (const name of ["ben", "cem", "dora"]) {
      const one = await holder(name);
      await serving.zone.put(one.id, one.head);
    }
    await serving.zone.publish();
  });
  afterEach(closeServers);

  it("gives where a passport leads, and what of log and witnesses stands behind it", async () => {
    const found = await resolve(ana.id.toUpperCase(), options());
    expect(found).to.deep.include({ pod: "https://pods.example.org/ana/", zone: "ch" });
    expect(found.epoch).to.deep.include({ epoch: 1, count: 4, at: NOON, witnesses: ["w0", "w1", "w2"] });
  });

  it("asks the registries of the root's record when no resolver is named, or none answers", async () => {
    const { trust } = serving.zone;
    expect(await podOf(ana.id, { resolvers: [], trust })).to.equal("https://pods.example.org/ana/");
    expect(await podOf(ana.id, { resolvers: ["http://localhost:1/"], trust })).to.equal(
      "https://pods.example.org/ana/",
    );
    expect(await codeOf(resolve(ana.id, options({ resolvers: [] })))).to.equal("input-invalid");
  });

  it("believes that there is no such passport only when that is proved", async () => {
    const nobody = await holder("nobody");
    const missing = resolve(nobody.id, options());
    const error = await missing.catch((cause: unknown) => cause as FreeholdError);
    expect(error).to.include({ code: "not-found", status: 404 });
    serving.spoil = (path, answer) =>
      path.startsWith("/v1/passports") ? { status: 404, body: "{}" } : answer;
    expect(await ruleOf(resolve(nobody.id, options()))).to.equal("passport-invalid answer");
    const other = JSON.stringify(await serving.zone.answer(nobody.id));
    serving.spoil = (path, answer) =>
      path.startsWith("/v1/passports") ? { status: 404, body: other } : answer;
    expect(await ruleOf(resolve(ana.id, options())), "hidden behind another's absence").to.equal(
      "passport-invalid identifier",
    );
  });

  it("believes a refusal no more than an answer: a bundle in a 410 or 451 is verified as any other", async () => {
    const body = JSON.stringify(await serving.zone.answer(ana.id));
    for (const status of [410, 451]) {
      serving.spoil = (path, answer) => (path.startsWith("/v1/passports") ? { status, body } : answer);
      expect(await podOf(ana.id)).to.equal("https://pods.example.org/ana/");
      serving.spoil = (path, answer) => (path.startsWith("/v1/passports") ? { status, body: "{}" } : answer);
      expect(await ruleOf(resolve(ana.id, options()))).to.equal("passport-invalid answer");
    }
  });

  it("takes no pod that a resolver has put in, and goes on to one that says the truth", async () => {
    const liar = await serveZone(() => now);
    const truth = JSON.stringify(await serving.zone.answer(ana.id));
    liar.roots = serving.roots;
    liar.spoil = (path, answer) =>
      path.startsWith("/v1/passports")
        ? { status: 200, body: truth.replaceAll("pods.example.org", "evil.example.org") }
        : answer;
    for (const resolvers of [[liar.baseUrl, serving.baseUrl], [liar.baseUrl]]) // The root's record knows another.
      expect(await podOf(ana.id, { resolvers })).to.equal("https://pods.example.org/ana/");
    await serving.close();
    expect(await ruleOf(resolve(ana.id, options({ resolvers: [liar.baseUrl] })))).to.equal(
      "passport-invalid signature",
    );
  });

  it("refuses an answer whose witnesses signed too long ago, by whatever age the reader asks for", async () => {
    now += 23 * HOUR_MS;
    expect(await podOf(ana.id)).to.equal("https://pods.example.org/ana/");
    expect(await ruleOf(resolve(ana.id, options({ maxAgeSeconds: 300 })))).to.equal(
      "passport-invalid freshness",
    );
    now += 2 * HOUR_MS;
    expect(await ruleOf(resolve(ana.id, options()))).to.equal("passport-invalid freshness");
  });

  it("refuses a state that is older than one it has seen, also after a new start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "freehold-memory-"));
    try {
      const old = JSON.stringify(await serving.zone.answer(ana.id));
      const { zone } = serving;
      await zone.put(ana.id, (await rotated(ana)).head);
      await zone.publish();
      await resolve(ana.id, options({ memory: fileMemory(folder) }));
      serving.spoil = (path, answer) =>
        path.startsWith("/v1/passports") ? { status: 200, body: old } : answer;
      expect(await podOf(ana.id), "nothing was seen").to.equal("https://pods.example.org/ana/");
      const again = fileMemory(folder);
      expect(await ruleOf(resolve(ana.id, options({ memory: again })))).to.equal("passport-invalid rollback");
      await again.set(ana.id, { aseq: 0, headHash: "x", dseq: 0, dataHash: null });
      expect((await again.get(ana.id))?.aseq, "an older state is not remembered over a newer").to.equal(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("leads nowhere while a passport is at rest, and says by whose word while its zone holds it", async () => {
    const { zone } = serving;
    const [genesis] = ana.head.auth;
    if (!genesis) throw new Error("A head has a genesis");
    const state = await stateAfter(null, genesis.op);
    const asleep = await deactivatePassport(state, ana.keys.authority);
    await zone.put(ana.id, { ...ana.head, auth: [genesis, asleep] });
    await zone.publish();
    expect(await codeOf(resolve(ana.id, options()))).to.equal("passport-deactivated");

    const awake = { ...options(), memory: createMemory() };
    const hold = makeHold(
      "hold",
      { id: ana.id, after: genesis.op },
      { case: "ZH-77", reason: "fraud" },
      new Date(now),
    );
    await zone.put(ana.id, { ...ana.head, hold: await signAsZone(hold, zone.zoneKey) });
    await zone.publish();
    const body = JSON.stringify(await zone.answer(ana.id));
    serving.spoil = (path, answer) => (path.startsWith("/v1/passports") ? { status: 451, body } : answer);
    const error = await resolve(ana.id, awake).catch((cause: unknown) => cause as FreeholdError);
    expect(error).to.include({ code: "passport-held", status: 451 });
    expect((error as FreeholdError).members).to.include({ zone: "ch", case: "ZH-77", reason: "fraud" });
    await zone.put(ana.id, { ...ana.head, hold: await signAsZone(hold, await generateKeyPair()) });
    await zone.publish();
    serving.spoil = null;
    expect(await ruleOf(resolve(ana.id, awake)), "a hold that the zone has not signed").to.equal(
      "passport-invalid signature",
    );
  });

  describe("the root's record", () => {
    const anotherKey = async (): Promise<RootRecord> => {
      const { key } = await generateKeyPair();
      const before = serving.zone.trust;
      const place = before.zones["ch"] as RootRecord["zones"][string];
      return { ...before, zones: { ch: { ...place, log: { ...place.log, key } } } };
    };

    it("is believed at the first use, and held to: another one is refused with words that say what to do", async () => {
      await resolve(ana.id, options());
      const other = await serveZone(() => now);
      const thief = await generateKeyPair();
      const record = { ...(await anotherKey()), version: 2 };
      for (const [shown, rule] of [
        [other.zone.signed, "root-fork"],
        [
          await signRootRecord({ record: { ...record, prev: "A".repeat(43) }, sigs: [] }, null, [
            serving.zone.rootKey,
          ]),
          "root-fork",
        ],
        [
          await serving.zone.nextRoot({ keys: { keys: [thief.key], threshold: 1 } }, [thief]),
          "root-threshold",
        ],
        [{ ...(await serving.zone.nextRoot({ zones: record.zones })), sigs: [] }, "root-threshold"],
      ] as const) {
        serving.roots = [serving.zone.signed, shown];
        now += 25 * HOUR_MS;
        await serving.zone.publish();
        const error = await resolve(ana.id, options()).catch((cause: unknown) => cause as FreeholdError);
        expect(error, rule).to.include({ code: "root-changed" });
        expect((error as FreeholdError).members).to.deep.equal({ rule });
        expect((error as FreeholdError).next).to.match(/forgetRoot/);
      }
      serving.roots = [other.zone.signed];
      await forgetRoot(serving.baseUrl, memory);
      expect(await ruleOf(resolve(ana.id, options())), "of another zone's keys").to.match(
        /^passport-invalid/,
      );
    });

    it("is followed to versions that the former keys have signed, through all between", async () => {
      await resolve(ana.id, options());
      const { zone } = serving;
      const second = await zone.nextRoot({ description: "A second version" });
      serving.roots = [zone.signed, second];
      now += 25 * HOUR_MS;
      await zone.publish();
      expect(await podOf(ana.id)).to.equal("https://pods.example.org/ana/");
      expect((await memory.root(serving.baseUrl))?.record.version).to.equal(2);
      serving.roots = [zone.signed];
      now += 25 * HOUR_MS;
      await zone.publish();
      expect(await ruleOf(resolve(ana.id, options())), "an older version").to.equal(
        "root-changed root-rollback",
      );
    });

    it("is asked for again when an answer does not fit it, and only then believed to have changed", async () => {
      await resolve(ana.id, options());
      const { zone } = serving;
      const place = zone.trust.zones["ch"] as RootRecord["zones"][string];
      const [only] = zone.witnesses;
      if (!only) throw new Error("There are witnesses");
      const lines = place.policy.split("\n");
      const policy = `${lines[0]}\nquorum w0\n`;
      now += HOUR_MS;
      await zone.publish({ signers: [zone.log, only] });
      expect(await ruleOf(resolve(ana.id, options()))).to.equal("passport-invalid quorum");
      now += 1;
      serving.roots = [zone.signed, await zone.nextRoot({ zones: { ch: { ...place, policy } } })];
      expect(await podOf(ana.id)).to.equal("https://pods.example.org/ana/");
    });

    it("that is given is held to from the start, whatever the resolver shows", async () => {
      const { trust } = serving.zone;
      const other = await serveZone(() => now);
      serving.roots = [other.zone.signed];
      expect(await podOf(ana.id, { trust })).to.equal("https://pods.example.org/ana/");
      expect(await ruleOf(resolve(ana.id, options({ trust: other.zone.trust })))).to.match(
        /^passport-invalid/,
      );
    });

    it("is remembered in files, and a resolver that is silent about it is held to the one that is known", async () => {
      const folder = await mkdtemp(join(tmpdir(), "freehold-memory-"));
      try {
        await resolve(ana.id, options({ memory: fileMemory(folder) }));
        expect((await readdir(join(folder, "roots"))).length).to.equal(1);
        serving.spoil = (path, answer) =>
          path.startsWith("/v1/zones") ? { status: 503, body: "{}" } : answer;
        now += 25 * HOUR_MS;
        await serving.zone.publish();
        expect(await podOf(ana.id, { memory: fileMemory(folder) })).to.equal("https://pods.example.org/ana/");
        await forgetRoot(serving.baseUrl, fileMemory(folder));
        expect((await readdir(join(folder, "roots"))).length).to.equal(0);
        expect(
          await ruleOf(resolve(ana.id, options({ memory: fileMemory(folder) }))),
          "nothing is known",
        ).to.equal("http-503");
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});
