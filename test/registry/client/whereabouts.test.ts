/** A reader who remembers that a passport is at home, while it goes to another zone and its home is no more to be reached. */
import { createMemory, type Fetch, type ResolveOptions, resolve } from "@freehold/client";
import {
  allowLoopback,
  makeData,
  type PassportId,
  portPassport,
  signOperation,
} from "@freehold/client/registry";
import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import { createLog } from "../../../server/log.ts";
import { createRemoteLink, type RemoteLink } from "../../../server/passport/remote.ts";
import { createSafeSend } from "../../../server/safe-fetch.ts";
import { codeOf } from "../../client/codes.ts";
import { openTestStore, type TestStore } from "../../support/store.ts";
import { createFederation, DAY_MS, type FederationWorld, HOUR_MS } from "../federation/world.ts";

const POD = "https://ana.example.org/";

describe("a reader who remembers that a passport was at home", function () {
  this.timeout(60_000);
  let world: FederationWorld;
  let id: PassportId;
  let opened: TestStore;
  let link: RemoteLink;
  /** As the zone of birth answers without a proof of where else: its own map has nobody by that name. */
  let absence: string;
  const memories = [0, 1, 2, 3].map(() => createMemory());
  const asked: string[] = [];

  const listening: Fetch = async (input, init) => {
    asked.push(input);
    return fetch(input, init);
  };
  const options = (reader: number, change: Partial<ResolveOptions> = {}): ResolveOptions => ({
    resolvers: [home],
    now: () => world.now(),
    memory: memories[reader] as ReturnType<typeof createMemory>,
    fetch: listening,
    ...change,
  });
  const isIndex = (url: string): boolean => url.includes("/v1/ported/");
  let home: string;

  before(async () => {
    world = await createFederation();
    home = world.zones.ch.baseUrl;
    const { owner, state } = await world.unlocked();
    id = owner.id;
    const data = makeData({
      id,
      aseq: state.head.seq,
      dseq: 1,
      webid: [`${POD}#me`],
      storage: [{ id: "#pod", url: POD }],
    });
    await world.zones.ch.zone.submit(await signOperation(data, state.head.auth, owner.keys.authority));
    const { bundle } = await world.ask("ch", id);
    const port = await portPassport(state, owner.keys.authority, "za");
    const { status } = await world.post(`${world.zones.za.baseUrl}v1/ports`, { operations: [port], bundle });
    expect(status).to.equal(202);
    await world.tick();
    world.turn(5 * DAY_MS - HOUR_MS);
    await world.tick();

    const now = (): Date => new Date(world.now());
    opened = await openTestStore("memory", { now });
    const egressAllow = [world.root, world.zones.ch, world.zones.za].map(
      ({ baseUrl }) => new URL(baseUrl).origin,
    );
    link = createRemoteLink({
      store: opened.store,
      now,
      registry: home,
      registrar: "ch.local",
      zones: ["ch"],
      send: createSafeSend({ egressAllow, limits: LIMITS, log: createLog(() => {}, now, "error") }),
      allowUrl: allowLoopback,
    });
    for (const reader of memories.keys())
      expect(await resolve(id, options(reader))).to.include({ zone: "ch", ported: "no" });
    expect((await link.find(id))?.state.zone).to.equal("ch");

    world.turn(2 * HOUR_MS);
    await world.tick();
    const left = await fetch(`${home}v1/passports/${id}`, { redirect: "manual" });
    expect(left.status).to.equal(307);
    absence = await left.text();
    await world.stop("ch");
  });
  beforeEach(() => asked.splice(0));
  after(async () => {
    await opened?.dispose();
    await world.dispose();
  });

  it("asks the root's index anew when the zone of birth cannot be reached", async () => {
    expect(await resolve(id, options(0))).to.include({ zone: "za", pod: POD, ported: "yes" });
    expect(asked.filter(isIndex).length).to.equal(1);
    asked.splice(0);
    expect((await resolve(id, options(0))).zone).to.equal("za");
    expect(asked.filter(isIndex), "now that is remembered").to.deep.equal([]);
  });

  it("asks it anew when the zone of birth says that there is no such passport", async () => {
    const saying: Fetch = async (input, init) =>
      input.startsWith(`${home}v1/passports/`)
        ? new Response(absence, { status: 404, headers: { "content-type": "application/json" } })
        : listening(input, init);
    expect(await resolve(id, options(1, { fetch: saying }))).to.include({ zone: "za", pod: POD });
  });

  it("says that nobody can be reached when the root cannot be, either", async () => {
    const cutOff: Fetch = async (input, init) => {
      if (input.startsWith(world.root.baseUrl)) throw new TypeError("fetch failed");
      return listening(input, init);
    };
    expect(await codeOf(resolve(id, options(2, { fetch: cutOff })))).to.equal("unreachable");
  });

  it("asks it no more often for a passport that is at home and found there", async () => {
    await world.start("ch");
    const other = await world.open("ch");
    const given = options(3);
    for (const _ of [1, 2]) expect(await codeOf(resolve(other.id, given))).to.equal("pod-unknown");
    expect(asked.filter(isIndex).length).to.equal(1);
    await world.stop("ch");
  });

  it("asks it anew as a server of pods, too", async () => {
    expect((await link.find(id))?.state.zone).to.equal("za");
  });
});
