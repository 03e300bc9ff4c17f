/** The root's record: what a client trusts, and what it refuses to be told. */
import { expect } from "chai";
import { encodeBase64url } from "../../../client-lib/passport/bytes.ts";
import { allowLoopback, PassportError, type Signer } from "../../../client-lib/passport/index.ts";
import type { RootRecord, SignedRootRecord, ZoneRecord } from "../../../client-lib/registry/model.ts";
import {
  followRootRecord,
  hashOfRootRecord,
  servicesOf,
  signRootRecord,
  verifyRootRecord,
} from "../../../client-lib/registry/root.ts";
import { key } from "../../passport/people.ts";
import { firstRecord, zoneNamed } from "../root-records.ts";

const NAMES = ["ann", "ben", "cem", "dora", "eve"];

const holders = (...names: readonly string[]): Promise<readonly Signer[]> =>
  Promise.all(names.map((name) => key(`root-${name}`)));

const signed = async (
  record: RootRecord,
  before: RootRecord | null,
  ...names: readonly string[]
): Promise<SignedRootRecord> =>
  signRootRecord({ record, sigs: [] }, before?.keys ?? null, await holders(...names));

const next = async (before: RootRecord, change: Partial<RootRecord> = {}): Promise<RootRecord> => ({
  ...before,
  version: before.version + 1,
  prev: await hashOfRootRecord(before),
  ...change,
});

async function ruleOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "none";
}

describe("root record", () => {
  let first: RootRecord;
  before(async () => {
    const keys = (await holders(...NAMES)).map((pair) => pair.key);
    first = await firstRecord(
      { ch: await zoneNamed("ch"), za: await zoneNamed("za") },
      { keys, threshold: 3 },
    );
  });

  it("signed by three of five is believed on first use, and its next version by whoever has it", async () => {
    const start = await signed(first, null, "ann", "cem", "eve");
    const trusted = await verifyRootRecord(JSON.stringify(start), null);
    expect(trusted).to.deep.equal(first);
    const second = await next(first, {
      description: "One zone less",
      zones: { ch: first.zones["ch"] as ZoneRecord },
    });
    const fit = { ...second, services: servicesOf(second.zones) };
    const after = await verifyRootRecord(await signed(fit, first, "ben", "dora", "ann"), trusted);
    expect(Object.keys(after.zones)).to.deep.equal(["ch"]);
  });

  it("is signed by one holder after the other, each in a place of their own", async () => {
    let paper: SignedRootRecord = { record: first, sigs: [] };
    for (const name of ["eve", "ann", "ben"]) {
      expect(await ruleOf(verifyRootRecord(paper, null))).to.equal("root-threshold");
      paper = await signRootRecord(JSON.parse(JSON.stringify(paper)), null, await holders(name));
    }
    expect(paper.sigs.map(({ k }) => k)).to.deep.equal([0, 1, 4]);
    expect(await ruleOf(verifyRootRecord(paper, null))).to.equal("none");
    await signRootRecord(paper, null, [await key("a stranger")]).then(
      () => expect.fail("a stranger signed"),
      (error: Error) => expect(error.message).to.match(/not one of the keys/),
    );
  });

  it("is refused when too few sign, when one signature is bad, and when one holder counts twice", async () => {
    expect(await ruleOf(verifyRootRecord(await signed(first, null, "ann", "ben"), null))).to.equal(
      "root-threshold",
    );
    const good = await signed(first, null, "ann", "ben", "cem");
    const [a, b] = good.sigs as [SignedRootRecord["sigs"][number], SignedRootRecord["sigs"][number]];
    const forged = { ...good, sigs: [a, b, { k: 2, s: encodeBase64url(new Uint8Array(64)) }] };
    expect(await ruleOf(verifyRootRecord(forged, null))).to.equal("root-signature");
    expect(await ruleOf(verifyRootRecord({ ...good, sigs: [a, b, { ...b }] }, null))).to.equal("root-form");
    expect(await ruleOf(verifyRootRecord({ ...good, sigs: [a, b, { k: 3, s: b.s }] }, null))).to.equal(
      "root-signature",
    );
    const changed = { ...good, record: { ...first, description: "Another" } };
    expect(await ruleOf(verifyRootRecord(changed, null))).to.equal("root-signature");
  });

  it("of a later version needs the keys of the version before, whatever it says of its own", async () => {
    const mallory = await Promise.all(["m1", "m2", "m3"].map((name) => key(`root-${name}`)));
    const taken = await next(first, { keys: { keys: mallory.map((pair) => pair.key), threshold: 1 } });
    const byMallory = await signRootRecord({ record: taken, sigs: [] }, taken.keys, mallory);
    expect(await ruleOf(verifyRootRecord(byMallory, null))).to.equal("none"); // First use believes whoever comes first.
    expect(await ruleOf(verifyRootRecord(byMallory, first))).to.equal("root-threshold");
    const asOwn = { ...byMallory, own: byMallory.sigs };
    expect(await ruleOf(verifyRootRecord(asOwn, first))).to.equal("root-signature");
    expect(await ruleOf(verifyRootRecord({ ...asOwn, sigs: [] }, first))).to.equal("root-threshold");
  });

  it("hands over to new keys only when old and new ones sign", async () => {
    const heirs = await Promise.all(["h1", "h2"].map((name) => key(`root-${name}`)));
    const record = await next(first, { keys: { keys: heirs.map((pair) => pair.key), threshold: 2 } });
    const old = await holders("ann", "ben", "cem");
    const half = await signRootRecord({ record, sigs: [] }, first.keys, old);
    expect(await ruleOf(verifyRootRecord(half, first))).to.equal("root-threshold");
    const { own: _, ...without } = half;
    expect(await ruleOf(verifyRootRecord(without, first))).to.equal("root-threshold");
    const whole = await signRootRecord(half, first.keys, heirs);
    expect(await ruleOf(verifyRootRecord(whole, first))).to.equal("none");
    expect(await ruleOf(verifyRootRecord(whole, null))).to.equal("none");
  });

  it("never goes back, never forks, and leaves no version out", async () => {
    const second = await next(first, { description: "second" });
    const other = await next(first, { description: "another second" });
    const third = await next(second, { description: "third" });
    const by = ["ann", "ben", "cem"];
    expect(await ruleOf(verifyRootRecord(await signed(first, null, ...by), second))).to.equal(
      "root-rollback",
    );
    expect(await ruleOf(verifyRootRecord(await signed(other, first, ...by), second))).to.equal("root-fork");
    expect(await ruleOf(verifyRootRecord(await signed(third, second, ...by), other))).to.equal("root-fork");
    const newest = await signed(third, second, ...by);
    expect(await ruleOf(verifyRootRecord(newest, first))).to.equal("root-gap");
    const kept = new Map([[2, await signed(second, first, ...by)]]);
    const asked: number[] = [];
    const fetchVersion = async (version: number): Promise<object> => {
      asked.push(version);
      return kept.get(version) ?? expect.fail(`version ${version} was asked for`);
    };
    expect((await followRootRecord(first, newest, fetchVersion)).description).to.equal("third");
    expect(asked).to.deep.equal([2]);
    kept.set(2, await signed(other, first, ...by));
    expect(await ruleOf(followRootRecord(first, newest, fetchVersion))).to.equal("root-fork");
    kept.set(2, newest);
    expect(await ruleOf(followRootRecord(first, newest, fetchVersion))).to.equal("root-gap");
  });

  const ch = (): ZoneRecord => first.zones["ch"] as ZoneRecord;
  const withZone = (change: Partial<ZoneRecord>): Partial<RootRecord> => ({
    zones: { ...first.zones, ch: { ...ch(), ...change } },
  });
  const flaws: readonly (readonly [string, () => Partial<RootRecord> | Record<string, unknown>])[] = [
    ["another v", () => ({ v: 2 })],
    ["a version of zero", () => ({ version: 0 })],
    ["a first version with a predecessor", () => ({ prev: encodeBase64url(new Uint8Array(32)) })],
    ["a later version without one", () => ({ version: 2, prev: null })],
    ["a time with parts of a second", () => ({ publication: "2026-11-22T00:00:00.5Z" })],
    ["a day that does not exist", () => ({ publication: "2026-02-30T00:00:00Z" })],
    ["a field that nobody knows", () => ({ extra: true })],
    [
      "services that say something else than zones",
      () => ({ services: [[["ch"], ["https://evil.example/"]]] }),
    ],
    ["a threshold of none", () => ({ keys: { ...first.keys, threshold: 0 } })],
    ["a threshold that nobody reaches", () => ({ keys: { ...first.keys, threshold: 6 } })],
    ["a key twice", () => ({ keys: { keys: [first.keys.keys[0], first.keys.keys[0]], threshold: 2 } })],
    ["a zone of three letters", () => ({ zones: { che: ch() } })],
    ["an address without TLS", () => withZone({ urls: ["http://r1.ch.example/"] })],
    ["an address of a number", () => withZone({ urls: ["https://10.0.0.1/"] })],
    ["an address that is no folder", () => withZone({ urls: ["https://r1.ch.example"] })],
    ["an origin with a space", () => withZone({ log: { ...ch().log, origin: "log ch" } })],
    ["an origin with a plus", () => withZone({ log: { ...ch().log, origin: "log+ch" } })],
    ["a key that is none", () => withZone({ log: { ...ch().log, key: "z6Mk" } })],
    ["a zone without keys", () => withZone({ keys: [] })],
    ["a status that is none", () => withZone({ status: "fine" as ZoneRecord["status"] })],
    ["a policy without its line's end", () => withZone({ policy: "quorum none" })],
    [
      "two zones with one log key",
      () => withZone({ log: { ...ch().log, key: (first.zones["za"] as ZoneRecord).log.key } }),
    ],
    ["two zones with one origin", () => withZone({ log: { ...ch().log, origin: "log.za.example" } })],
    ["a zone with the root's log", () => withZone({ log: first.root.log })],
  ];
  for (const [what, change] of flaws) {
    it(`with ${what} is refused, whoever signed it`, async () => {
      const changed = { ...first, ...change() } as RootRecord;
      const record = "services" in change() ? changed : { ...changed, services: servicesOf(changed.zones) };
      const paper = await signRootRecord({ record, sigs: [] }, null, await holders("ann"));
      expect(await ruleOf(verifyRootRecord(paper, null))).to.equal("root-form");
    });
  }

  it("is read as strictly as operations are: no repeated names, no fractions", async () => {
    const text = JSON.stringify(await signed(first, null, "ann", "ben", "cem"));
    const twice = text.replace('"version":1', '"version":1,"version":1');
    expect(await ruleOf(verifyRootRecord(twice, null))).to.equal("root-form");
    expect(await ruleOf(verifyRootRecord(text.replace('"version":1', '"version":1.0'), null))).to.equal(
      "root-form",
    );
    expect(await ruleOf(verifyRootRecord("[]", null))).to.equal("root-form");
  });

  it("may name this machine's own addresses where that is allowed, and nowhere else", async () => {
    const change = withZone({ urls: ["http://localhost:1234/"] });
    const record = { ...first, ...change, services: servicesOf(change.zones ?? {}) };
    const paper = await signed(record, null, "ann", "ben", "cem");
    expect(await ruleOf(verifyRootRecord(paper, null))).to.equal("root-form");
    expect(await ruleOf(verifyRootRecord(paper, null, { allowUrl: allowLoopback }))).to.equal("none");
  });
});
