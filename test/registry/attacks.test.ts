/**
 * What somebody who lies can send: each attack is sent over HTTP by a server that lies, to the client as it comes, to a
 * witness, to a log that asks its witnesses, or to a mirror, and must be refused by the rule that is named.
 */
import { createMemory, createPassportCache, FreeholdError, resolve } from "@freehold/client";
import {
  generateKeyPair,
  type RootRecord,
  type SignedRootRecord,
  signRootRecord,
} from "@freehold/client/registry";
import { expect } from "chai";
import { LINE_ROWS, MIRROR_ROWS, PORTED_ROWS, type Row, WITNESS_ROWS } from "./attacks-on-servers.ts";
import { type AnswerWorld, ATTACKS, createAnswerWorld, type Kind, NOON } from "./client/attacks.ts";
import { closeServers, type Serving, serveZone } from "./client/serving.ts";
import { createSmallZone, type SmallZone } from "./client/small-zone.ts";

const HOUR_MS = 3_600_000;
const SEED = "answers";
const DAY_AND_HOUR_MS = 25 * HOUR_MS;

/** With a bit changed so many bytes before its end. */
function changedAt(bytes: Uint8Array, before: number): Uint8Array {
  const at = bytes.length - before;
  return Uint8Array.from(bytes).with(at, (bytes[at] ?? 0) ^ 1);
}

/** Rule and code of a refusal; "none" where nothing was refused. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (!(error instanceof FreeholdError)) throw error;
    const { rule } = error.members;
    return typeof rule === "string" ? `${error.code} ${rule}` : error.code;
  }
}

describe("whoever lies about passports", function () {
  this.timeout(60_000);
  const refused: Row[] = [];
  const clock = { now: NOON };
  let serving: Serving;
  let world: AnswerWorld;

  before(async () => {
    serving = await serveZone(() => clock.now, "ch", SEED);
    const { baseUrl } = serving;
    const fork = () => createSmallZone({ now: () => clock.now, url: baseUrl, seed: SEED });
    world = await createAnswerWorld(serving.zone, clock, fork);
  });
  beforeEach(() => {
    clock.now = NOON;
    serving.spoil = null;
    serving.roots = [serving.zone.signed];
  });
  after(closeServers);

  const answers: readonly Row[] = ATTACKS.map(({ kind, name, rule, make }) => ({
    kind,
    name,
    rule: `passport-invalid ${rule}`,
    async run() {
      const { id, answer, now, seen, maxAgeSeconds, root } = await make(world);
      const memory = createMemory();
      if (seen) await memory.set(id, seen);
      if (root) serving.roots = [serving.zone.signed, root];
      const status = /"absence":/.test(answer) ? 404 : 200;
      serving.spoil = (path, honest) =>
        path.startsWith("/v1/passports/") ? { status, body: answer } : honest;
      const options = { resolvers: [serving.baseUrl], memory, now: () => now };
      return refusalOf(resolve(id, { ...options, ...(maxAgeSeconds && { maxAgeSeconds }) }));
    },
  }));

  /** What the resolver shows for the root's record: oldest first. A pin of the first version is there already. */
  const ROOTS: readonly (readonly [
    kind: Kind,
    name: string,
    rule: string,
    show: (zone: SmallZone) => Promise<readonly unknown[]>,
  ])[] = [
    [
      "split-view",
      "another first version",
      "root-fork",
      async () => [(await createSmallZone({ now: () => NOON })).signed],
    ],
    [
      "forged",
      "a second version that follows from something else",
      "root-fork",
      async ({ signed, rootKey, trust }) => {
        const record: RootRecord = { ...trust, version: 2, prev: "A".repeat(43) };
        return [signed, await signRootRecord({ record, sigs: [] }, null, [rootKey])];
      },
    ],
    [
      "forged",
      "a second version by keys of its own",
      "root-threshold",
      async (zone) => {
        const thief = await generateKeyPair();
        return [zone.signed, await zone.nextRoot({ keys: { keys: [thief.key], threshold: 1 } }, [thief])];
      },
    ],
    [
      "forged",
      "a second version that nobody has signed",
      "root-threshold",
      async (zone) => [zone.signed, { ...(await zone.nextRoot({ description: "Ours" })), sigs: [] }],
    ],
    [
      "tampered",
      "a second version changed after it was signed",
      "root-signature",
      async (zone) => {
        const next = await zone.nextRoot({ description: "Signed" });
        return [zone.signed, { ...next, record: { ...next.record, description: "Changed" } }];
      },
    ],
    [
      "replayed",
      "the second version in place of the third",
      "root-gap",
      async (zone) => {
        const second = await zone.nextRoot({ description: "Second" });
        const third = { ...second.record, version: 4 };
        return [zone.signed, second, second, { ...second, record: third }];
      },
    ],
    [
      "mis-encoded",
      "a record with a field that nobody knows",
      "root-form",
      async ({ signed }) => [{ ...signed, record: { ...signed.record, trust: "all" } }],
    ],
    ["mis-encoded", "a word for a record", "root-form", async () => ["trust me"]],
  ];

  const roots: readonly Row[] = [
    ...ROOTS.map(([kind, name, rule, show]) => ({
      kind,
      name: `for the root's record, ${name}`,
      rule: `root-changed ${rule}`,
      async run() {
        const memory = createMemory();
        const options = { resolvers: [serving.baseUrl], memory, now: () => clock.now };
        await resolve(world.ana.id, options);
        serving.roots = (await show(serving.zone)) as SignedRootRecord[];
        clock.now += DAY_AND_HOUR_MS;
        await serving.zone.publish();
        const found = await refusalOf(resolve(world.ana.id, options));
        clock.now = NOON;
        await serving.zone.publish();
        return found;
      },
    })),
    {
      kind: "stale",
      name: "for the root's record, the first version after the second",
      rule: "root-changed root-rollback",
      async run() {
        const memory = createMemory();
        const options = { resolvers: [serving.baseUrl], memory, now: () => clock.now };
        serving.roots = [serving.zone.signed, await serving.zone.nextRoot({ description: "Second" })];
        await resolve(world.ana.id, options);
        serving.roots = [serving.zone.signed];
        clock.now += DAY_AND_HOUR_MS;
        await serving.zone.publish();
        const found = await refusalOf(resolve(world.ana.id, options));
        clock.now = NOON;
        await serving.zone.publish();
        return found;
      },
    },
  ];

  /** What the files of the log are, to a cache that follows them. */
  const FEEDS: readonly (readonly [
    kind: Kind,
    name: string,
    lie: (zone: SmallZone) => Promise<(path: string, body: string | Uint8Array) => string | Uint8Array>,
  ])[] = [
    [
      "tampered",
      "another epoch in its newest leaf",
      async () => (path, body) => (path.includes("/tile/") ? changedAt(body as Uint8Array, 41) : body),
    ],
    [
      "tampered",
      "another map in its newest leaf",
      async () => (path, body) => (path.includes("/tile/") ? changedAt(body as Uint8Array, 1) : body),
    ],
    [
      "split-view",
      "another log, signed by the zone and all its witnesses",
      async () => {
        const fork = await world.fork([world.before]);
        while (fork.size() <= serving.zone.size()) await fork.publish();
        return (path, body) => {
          if (path.endsWith("/checkpoint")) return fork.checkpoint();
          const file = /\/\d{4}\/(tile\/.+)$/.exec(path)?.[1];
          return (file !== undefined && fork.file(file)) || body;
        };
      },
    ],
  ];

  const feeds: readonly Row[] = FEEDS.map(([kind, name, lie]) => ({
    kind,
    name: `for the log of changes, ${name}`,
    rule: "log-forked",
    async run() {
      const options = { resolvers: [serving.baseUrl], memory: createMemory(), now: () => clock.now };
      const cache = createPassportCache({ ...options, validMs: 0 });
      await cache.resolve(world.ana.id);
      await serving.zone.publish();
      const change = await lie(serving.zone);
      serving.spoil = (path, answer) =>
        path.startsWith("/log/") ? { status: 200, body: change(path, answer.body) } : answer;
      return refusalOf(cache.resolve(world.ana.id));
    },
  }));

  it("is not confused with who says the truth", async () => {
    const options = { resolvers: [serving.baseUrl], memory: createMemory(), now: () => clock.now };
    expect((await resolve(world.ana.id, options)).pod).to.equal("https://pods.example.org/ana/");
    expect(await refusalOf(resolve(world.gone.id, options))).to.equal("not-found");
    expect(await refusalOf(resolve(world.held.id, options))).to.equal("passport-held");
  });

  const suites: readonly (readonly [who: string, rows: readonly Row[]])[] = [
    ["is refused by a client that asks for a passport", answers],
    ["is refused by a client that asks for the root's record", roots],
    ["is refused by a client that follows a log", feeds],
    ["is refused by a client that asks who has left a zone", PORTED_ROWS],
    ["is refused by a witness", WITNESS_ROWS],
    ["is refused by a log that asks its witnesses", LINE_ROWS],
    ["is refused by a mirror", MIRROR_ROWS],
  ];
  for (const [who, rows] of suites)
    describe(who, () => {
      for (const row of rows)
        it(`${row.kind}: ${row.name} (${row.rule})`, async () => {
          expect(await row.run()).to.equal(row.rule);
          refused.push(row);
        });
    });

  const all = suites.flatMap(([, rows]) => rows);
  const kinds: readonly Kind[] = ["tampered", "forged", "mis-encoded", "stale", "replayed", "split-view"];
  const counts = kinds.map((kind) => `${all.filter((row) => row.kind === kind).length} ${kind}`).join(", ");
  describe("altogether", () => {
    it(`is refused in ${all.length} ways: ${counts}`, () => {
      expect(refused.length).to.equal(all.length).and.to.be.at.least(60);
      expect(new Set(all.map(({ kind, name }) => `${kind} ${name}`)).size, "no row twice").to.equal(
        all.length,
      );
      for (const kind of kinds)
        expect(refused.filter((row) => row.kind === kind).length, kind).to.be.at.least(5);
    });
  });
});
