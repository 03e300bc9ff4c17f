/** A zone that a passport has left, and that goes on serving what was: its keys and witnesses are still good. */
import {
  createMemory,
  createPassportCache,
  type Fetch,
  type ResolveOptions,
  resolve,
} from "@freehold/client";
import {
  allowLoopback,
  encodeBase64url,
  makeData,
  mapLeafPreimage,
  type PassportError,
  type PortedAnswer,
  portedCommit,
  portedKeyOf,
  portPassport,
  rotatePassport,
  sha256,
  signOperation,
  unlockPassport,
  verifyBundle,
  verifyPorted,
} from "@freehold/client/registry";
import { expect } from "chai";
import type { ServedRegistry } from "../../../server/cli/registry/serve.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import { createRemoteLink } from "../../../server/passport/remote.ts";
import { withZone } from "../../../server/registry/root/ceremony.ts";
import { bundleOf } from "../../../server/registry/root/clerk.ts";
import { createSafeSend, type SendOptions } from "../../../server/safe-fetch.ts";
import { codeOf } from "../../client/codes.ts";
import { openTestStore } from "../../support/store.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS, type Owner } from "../federation/world.ts";

const OLD = "https://old.example.org/ana/";
const NEW = "https://new.example.org/ana/";

describe("a zone that goes on serving a passport that has left it", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  let owner: Owner;
  let liar: ServedRegistry;
  const asked: string[] = [];

  const leadTo = async (zone: "ch" | "za", url: string): Promise<void> => {
    const { head, dseq } = await world.state(zone, owner.id);
    const data = makeData({
      id: owner.id,
      aseq: head.seq,
      dseq: dseq + 1,
      webid: [`${url}#me`],
      storage: [{ id: "#pod", url }],
    });
    await world.zones[zone].zone.submit(await signOperation(data, head.auth, owner.keys.authority));
  };

  const later = async (ms: number): Promise<void> => {
    world.turn(ms);
    await world.tick();
    await liar.zone.tick(); // It signs anew, and asks the root for nothing.
  };

  before(async () => {
    world = await createFederation();
    owner = await world.open("ch");
    world.turn(31 * DAY_MS);
    await world.tick();
    await leadTo("ch", OLD);
    const first = await world.state("ch", owner.id);
    await world.zones.ch.zone.submit(await unlockPassport(first, owner.keys.authority, ["port"]));
    world.turn(73 * HOUR_MS);
    await world.tick();
    liar = await world.fork("ch"); // All that the zone has, its keys too: from here on it hears of nothing.
    const { bundle } = await world.ask("ch", owner.id);
    const port = await portPassport(await world.state("ch", owner.id), owner.keys.authority, "za");
    const { status } = await world.post(`${world.zones.za.baseUrl}v1/ports`, { operations: [port], bundle });
    expect(status).to.equal(202);
    await world.tick();
    await later(5 * DAY_MS + HOUR_MS);
    await leadTo("za", NEW);
  });
  beforeEach(() => asked.splice(0));
  after(() => world.dispose());

  const isIndex = (url: string): boolean => url.includes("/v1/ported/");
  /** The network, where the zone `ch` is the liar. */
  const lying: Fetch = async (input, init) => {
    asked.push(input);
    return fetch(input.replace(world.zones.ch.baseUrl, liar.baseUrl), init);
  };
  const without =
    (status: number | null): Fetch =>
    async (input, init) => {
      if (!isIndex(input)) return lying(input, init);
      asked.push(input);
      if (status === null) throw new TypeError("fetch failed");
      return new Response("{}", { status });
    };
  const options = (change: Partial<ResolveOptions> = {}): ResolveOptions => ({
    resolvers: [world.zones.ch.baseUrl],
    now: () => world.now(),
    memory: createMemory(),
    fetch: lying,
    ...change,
  });

  it("is not believed by who reads for the first time: the root's index says where the passport is", async () => {
    const found = await resolve(owner.id, options());
    expect([found.zone, found.pod, found.ported]).to.deep.equal(["za", NEW, "yes"]);
  });

  it("costs one request to the index for each passport and day, with several resolvers and times too", async () => {
    const given = options();
    for (let time = 0; time < 3; time += 1) await resolve(owner.id, given);
    expect(asked.filter(isIndex).length).to.equal(1);
    await later(DAY_MS + HOUR_MS);
    expect((await resolve(owner.id, given)).zone).to.equal("za");
    expect(asked.filter(isIndex).length).to.equal(2);
  });

  it("is asked for a passport that is at home, and then that is known", async () => {
    const home = await world.open("za");
    const { head } = await world.state("za", home.id);
    const data = makeData({
      id: home.id,
      aseq: head.seq,
      dseq: 1,
      webid: [`${NEW}#me`],
      storage: [{ id: "#pod", url: NEW }],
    });
    await world.zones.za.zone.submit(await signOperation(data, head.auth, home.keys.authority));
    const found = await resolve(home.id, options({ resolvers: [world.zones.za.baseUrl] }));
    expect([found.zone, found.ported]).to.deep.equal(["za", "no"]);
  });

  it("is believed where the root cannot be asked, and the reader is told", async () => {
    for (const status of [null, 503, 404, 200]) {
      const found = await resolve(owner.id, options({ fetch: without(status) }));
      expect([found.zone, found.pod, found.ported], String(status)).to.deep.equal(["ch", OLD, "unknown"]);
    }
  });

  it("is not believed where the root cannot be asked any more, but was", async () => {
    const given = options();
    await resolve(owner.id, given);
    await later(2 * DAY_MS);
    const found = await resolve(owner.id, { ...given, fetch: without(503) });
    expect([found.zone, found.pod, found.ported]).to.deep.equal(["za", NEW, "unknown"]);
  });

  it("keeps nobody's cache for longer than a day", async () => {
    const memory = createMemory();
    const cache = createPassportCache(options({ memory, fetch: without(503) }));
    const kept = await cache.resolve(owner.id);
    expect([kept.pod, kept.ported]).to.deep.equal([OLD, "unknown"]);
    let isRoot = false;
    const late = createPassportCache(
      options({ fetch: (input, init) => (isRoot ? lying : without(503))(input, init) }),
    );
    await late.resolve(owner.id);
    isRoot = true;
    await later(DAY_MS + HOUR_MS);
    const found = await late.resolve(owner.id);
    expect([found.zone, found.pod, found.ported]).to.deep.equal(["za", NEW, "yes"]);
  });

  it("is not believed by a server of pods either", async () => {
    const now = (): Date => new Date(world.now());
    const log = createLog(() => {}, now, "error");
    const egressAllow = [world.root, world.zones.ch, world.zones.za, liar].map(
      ({ baseUrl }) => new URL(baseUrl).origin,
    );
    const safe = createSafeSend({ egressAllow, limits: LIMITS, log });
    const opened = await openTestStore("memory", { now });
    const link = createRemoteLink({
      store: opened.store,
      now,
      registry: world.zones.ch.baseUrl,
      registrar: "ch.local",
      zones: ["ch"],
      send: Object.assign(
        (url: string, sending: SendOptions) =>
          safe(url.replace(world.zones.ch.baseUrl, liar.baseUrl), sending),
        { check: (url: string, kind: string) => safe.check(url, kind) },
      ),
      allowUrl: allowLoopback,
    });
    expect((await link.find(owner.id))?.data?.op.storage[0]?.url).to.equal(NEW);
    expect((await link.find(owner.id))?.state.zone, "remembered").to.equal("za");
    await opened.dispose();
  });

  it("is not asked for an absence in the place of the zone that has the passport", async () => {
    const deaf: Fetch = async (input, init) =>
      input.startsWith(world.zones.za.baseUrl) ? new Response("{}", { status: 503 }) : lying(input, init);
    expect(await codeOf(resolve(owner.id, options({ fetch: deaf })))).to.equal("http-503");
  });

  it("cannot have what was verified of the root's index taken for something else", async () => {
    const { id } = await world.open("ch");
    const key = await portedKeyOf(id);
    const { body } = await world.get(`${world.root.baseUrl}v1/ported/${encodeBase64url(key)}`);
    const { proof, checkpoint } = body as unknown as PortedAnswer;
    /** The root of a map that has this one key, in a zone of the forger's choice: written where anybody may write a name. */
    const root = encodeBase64url(await sha256(mapLeafPreimage(key, await portedCommit(key, "za"))));
    const line = `— ${root} ${btoa("anything")}\n`;
    const honest = { ...body, checkpoint: checkpoint + line };
    const freshness = { now: world.now() };
    expect(await verifyPorted(honest, id, world.trust(), freshness)).to.equal("ch");
    const { shard, rootLeaf, log } = proof;
    const { epoch, count } = rootLeaf;
    const words = [shard, epoch, count, rootLeaf.root, log.index, ...log.path].join(" ");
    const [before = "", after = ""] = `${words}\n${checkpoint}${line}`.split(` ${root} `);
    const [name, last] = [before.slice(0, before.lastIndexOf(" ")), before.split(" ").at(-1)];
    const at = name.lastIndexOf(" ");
    const forged = {
      ...body,
      zone: "za",
      proof: {
        shard: name.slice(0, at),
        rootLeaf: { epoch: name.slice(at + 1), count: last, root },
        log: { index: after.slice(0, -1), path: [] },
        map: [],
        end: null,
      },
      checkpoint: "",
    };
    const said = await verifyPorted(forged, id, world.trust(), freshness).catch(
      (error: PassportError) => error.rule,
    );
    expect(said).to.equal("answer");
  });

  it("cannot stop a reader by an answer of the index that has something else in it", async () => {
    const key = encodeBase64url(await portedKeyOf(owner.id));
    const { body } = await world.get(`${world.root.baseUrl}v1/ported/${key}`);
    const { proof } = body as unknown as PortedAnswer;
    const odd: readonly object[] = [
      { rootLeaf: { ...proof.rootLeaf, epoch: "1" } },
      { rootLeaf: { ...proof.rootLeaf, count: -1 } },
      { rootLeaf: { ...proof.rootLeaf, epoch: null } },
      { log: { ...proof.log, index: "0" } },
      { log: { ...proof.log, path: [1] } },
      { map: [null] },
      { shard: "root/2026/" },
      { shard: "ch/2026" },
    ];
    for (const change of odd) {
      const said = await verifyPorted({ ...body, proof: { ...proof, ...change } }, owner.id, world.trust(), {
        now: world.now(),
      }).catch((error: PassportError) => error.rule);
      expect(said, JSON.stringify(change)).to.be.oneOf(["answer", "zone"]);
    }
  });

  it("cannot spoil what a reader remembers, by a chain that went on there with the same keys", async () => {
    const { published, findings } = await liar.zone.find(owner.id);
    if (findings.kind !== "present") return expect.fail("it has gone");
    const { state } = await verifyBundle(bundleOf({ published, findings }), owner.id);
    const { rotateOp } = await rotatePassport(state, owner.keys, new Date(world.now()));
    await liar.zone.submit(rotateOp);
    const given = options();
    for (const _ of [1, 2]) expect((await resolve(owner.id, given)).pod).to.equal(NEW);
    return undefined;
  });

  it("keeps no cache once the root has given the zone to somebody else", async () => {
    const home = await world.open("ch");
    const { head } = await world.state("ch", home.id);
    const storage = [{ id: "#pod", url: OLD }];
    const op = makeData({ id: home.id, aseq: head.seq, dseq: 1, webid: [`${OLD}#me`], storage });
    await world.zones.ch.zone.submit(await signOperation(op, head.auth, home.keys.authority));
    const cache = createPassportCache({ ...options({ fetch: globalThis.fetch }), validMs: 0 });
    expect((await cache.resolve(home.id)).pod).to.equal(OLD);
    const { ch } = world.trust().zones;
    if (!ch) return expect.fail("there is no such zone");
    await world.change(withZone("ch", { ...ch, status: "failed" }));
    await later(DAY_MS + HOUR_MS);
    expect(await codeOf(cache.resolve(home.id))).to.equal("passport-invalid");
    return undefined;
  });
});
