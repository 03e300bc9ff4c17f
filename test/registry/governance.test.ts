import { expect } from "chai";
import { generateKeyPair } from "../../client-lib/passport/key.ts";
import { PassportError } from "../../client-lib/passport/verify.ts";
import { firstPolicy } from "../../client-lib/registry/engagement.ts";
import {
  applyGovernance,
  createGovernance,
  type GovernanceDraft,
  readGovernance,
  type SignedGovernance,
} from "../../client-lib/registry/governance.ts";
import { governanceRules } from "../../client-lib/registry/governance-rules.ts";
import {
  type Chain,
  createChain,
  DAY,
  peopledChain,
  registrarDraft,
  sanction,
  TERMS,
  vendorDraft,
} from "./governance-cases.ts";

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "taken";
}

const statusOf = ({ state }: Chain, id = "shop") => state.vendors.get(id)?.status;
const trying = async (chain: Chain, draft: unknown): Promise<string> => {
  const before = JSON.stringify([chain.state.n, chain.state.hash, [...chain.state.vendors]]);
  const refused = await refusalOf(chain.say(draft as GovernanceDraft));
  if (refused !== "taken")
    expect(JSON.stringify([chain.state.n, chain.state.hash, [...chain.state.vendors]])).to.equal(before);
  return refused;
};

describe("what a zone says of registrars and vendors", () => {
  it("is a chain from the policy on, which gives the same to whoever follows it", async () => {
    const chain = await peopledChain();
    const followed = createGovernance("zz");
    for (const signed of chain.records)
      await applyGovernance(followed, readGovernance(JSON.stringify(signed)), [chain.key.key]);
    expect(followed).to.deep.equal(chain.state);
    expect([
      followed.n,
      followed.policy?.version,
      followed.registrars.size,
      followed.vendors.size,
    ]).to.deep.equal([5, 1, 2, 2]);
  });

  it("goes from a warning by way of a suspension to the delisting, and back", async () => {
    const chain = await peopledChain();
    await chain.say(sanction("warn", "purpose-limitation"));
    expect([statusOf(chain), chain.state.vendors.get("shop")?.warnings]).to.deep.equal(["active", 1]);
    chain.clock.time += 14 * DAY;
    await chain.say(sanction("suspend", "purpose-limitation"));
    expect(statusOf(chain)).to.equal("suspended");
    await chain.say(sanction("delist", "purpose-limitation"));
    expect(statusOf(chain)).to.equal("delisted");
    expect(statusOf(chain, "bank")).to.equal("active");
    await chain.say(sanction("reinstate", null));
    expect([statusOf(chain), chain.state.vendors.get("shop")?.warnings]).to.deep.equal(["active", 0]);
  });

  it("delists at once only by a rule that begins there", async () => {
    const chain = await peopledChain();
    expect(await trying(chain, sanction("delist", "honest-requests"))).to.equal("ladder");
    expect(await trying(chain, sanction("delist", "no-abuse"))).to.equal("taken");
    expect(statusOf(chain)).to.equal("delisted");
  });

  it("takes a sanction back when an appeal overturns it, and that one only", async () => {
    const chain = await peopledChain();
    await chain.say(sanction("suspend", "no-resale"));
    const { record } = await chain.say(sanction("delist", "no-abuse"));
    const appeal = await chain.say({ t: "appeal", of: record.n, says: "It was somebody else" });
    await chain.say({ t: "decision", of: appeal.record.n, outcome: "overturned", says: "So it was" });
    expect(statusOf(chain)).to.equal("suspended");
    const second = await chain.say(sanction("delist", "no-abuse"));
    const again = await chain.say({ t: "appeal", of: second.record.n, says: "Not again" });
    await chain.say({ t: "decision", of: again.record.n, outcome: "upheld", says: "This time it was not" });
    expect(statusOf(chain)).to.equal("delisted");
  });

  describe("refuses", () => {
    const [extra] = ["https://bank.example/#us"];
    const registrar = async (more: object): Promise<GovernanceDraft> =>
      registrarDraft((await generateKeyPair()).key, { id: "zz.third", ...more });
    const cases: readonly (readonly [rule: string, says: string, draft: (chain: Chain) => unknown])[] = [
      ["fields", "a field too many", () => ({ ...vendorDraft({ id: "third" }), extra })],
      ["fields", "a field too few", () => ({ t: "appeal", of: 1 })],
      ["fields", "a type that is not known", () => ({ t: "pardon", of: 1 })],
      ["zone", "a record of another zone", () => ({ ...vendorDraft(), zone: "ch" })],
      ["number", "a number that leaves one out", ({ state }) => ({ ...vendorDraft(), n: state.n + 2 })],
      ["number", "a number that was", ({ state }) => ({ ...vendorDraft(), n: state.n })],
      ["prev", "another chain", () => ({ ...vendorDraft(), prev: "B".repeat(42) + "A" })],
      [
        "at",
        "a time before that of the record before",
        () => ({ ...vendorDraft(), at: "2026-11-22T11:59:59Z" }),
      ],
      ["at", "a day that does not exist", () => ({ ...vendorDraft(), at: "2026-11-31T12:00:00Z" })],
      [
        "size",
        "a record that nobody could take whole",
        () => ({ ...firstPolicy([...TERMS]), version: 2, rules: [], title: "long".repeat(20_000) }),
      ],
      [
        "policy-form",
        "a policy without rules",
        () => ({ ...firstPolicy([...TERMS]), version: 2, rules: [] }),
      ],
      [
        "policy-form",
        "a policy that gives no day to appeal",
        () => ({ ...firstPolicy([...TERMS]), version: 2, appealDays: 0 }),
      ],
      ["policy-version", "the same version again", () => firstPolicy([...TERMS])],
      ["registrar-form", "a registrar without keys", () => registrar({ keys: [] })],
      [
        "registrar-form",
        "a host with a path",
        async () =>
          registrar({ hosts: [{ key: (await generateKeyPair()).key, origins: ["https://a.example/x"] }] }),
      ],
      [
        "registrar-form",
        "a host on the own machine",
        async () =>
          registrar({ hosts: [{ key: (await generateKeyPair()).key, origins: ["http://localhost:3000"] }] }),
      ],
      [
        "registrar-own",
        "another registrar's key",
        ({ state }) => registrar({ keys: state.registrars.get("zz.alpenpod")?.record.keys }),
      ],
      ["vendor-form", "terms that are none", () => vendorDraft({ id: "third", terms: "terms-1999" })],
      ["vendor-form", "nobody to ask for erasure", () => vendorDraft({ id: "third", erasure: "" })],
      [
        "vendor-form",
        "a WebID without TLS",
        () => vendorDraft({ id: "third", webids: ["http://shop.example/#us"] }),
      ],
      [
        "vendor-own",
        "another vendor's WebID",
        () => vendorDraft({ id: "third", webids: [extra], clients: [] }),
      ],
      [
        "sanction-form",
        "a sanction of nobody",
        () => sanction("warn", "no-resale", { party: "vendor", id: "nobody" }),
      ],
      ["sanction-form", "a rule that is not about vendors", () => sanction("warn", "no-lock-in")],
      ["sanction-form", "no reason", () => ({ ...sanction("warn", "no-resale"), says: " " })],
      ["ladder", "a suspension without warning", () => sanction("suspend", "purpose-limitation")],
      ["ladder", "a delisting without suspension", () => sanction("delist", "purpose-limitation")],
      ["ladder", "to reinstate who was not sanctioned", () => sanction("reinstate", null)],
      ["appeal", "an appeal against nothing", () => ({ t: "appeal", of: 3, says: "No" })],
      [
        "decision",
        "a decision about nothing",
        () => ({ t: "decision", of: 3, outcome: "upheld", says: "No" }),
      ],
    ];
    for (const [rule, says, draft] of cases)
      it(`${says} (${rule})`, async () => {
        const chain = await peopledChain();
        expect(await trying(chain, await draft(chain))).to.equal(rule);
      });

    it("a registrar before there is a policy (policy-first)", async () => {
      const chain = await createChain();
      expect(await trying(chain, vendorDraft())).to.equal("policy-first");
    });

    it("a suspension before the days for remedy are over (ladder)", async () => {
      const chain = await peopledChain();
      await chain.say(sanction("warn", "erasure-answered"));
      chain.clock.time += 13 * DAY;
      expect(await trying(chain, sanction("suspend", "erasure-answered"))).to.equal("ladder");
      expect(await trying(chain, sanction("suspend", "data-minimisation"))).to.equal("ladder");
    });

    it("an entry that would slip out of its sanction under new names (entry-sanctioned)", async () => {
      const chain = await peopledChain();
      await chain.say(sanction("delist", "no-abuse"));
      const renamed = vendorDraft({ webids: ["https://new.example/#us"] });
      expect(await trying(chain, renamed)).to.equal("entry-sanctioned");
      expect(
        await trying(chain, vendorDraft({ webids: [...vendorDraft().webids, ...renamed.webids] })),
      ).to.equal("taken");
      expect(statusOf(chain)).to.equal("delisted");
    });

    it("an appeal that comes too late, and a second one (appeal)", async () => {
      const chain = await peopledChain();
      const { record } = await chain.say(sanction("delist", "no-abuse"));
      await chain.say({ t: "appeal", of: record.n, says: "First" });
      expect(await trying(chain, { t: "appeal", of: record.n, says: "Second" })).to.equal("appeal");
      const late = await peopledChain();
      const { record: other } = await late.say(sanction("delist", "no-abuse"));
      late.clock.time += 31 * DAY;
      expect(await trying(late, { t: "appeal", of: other.n, says: "Late" })).to.equal("appeal");
    });

    it("what the zone did not sign, or signed otherwise (zone-key, signature)", async () => {
      const chain = await peopledChain();
      const stranger = await generateKeyPair();
      const signed = await chain.sign(chain.next(sanction("delist", "no-abuse")));
      const forged: readonly (readonly [string, SignedGovernance])[] = [
        ["zone-key", { ...signed, key: stranger.key }],
        ["signature", { ...signed, s: "A".repeat(86) }],
        ["signature", { ...signed, s: `${signed.s}=` }],
        [
          "signature",
          { ...signed, record: { ...signed.record, says: "Something else" } as typeof signed.record },
        ],
      ];
      for (const [rule, one] of forged)
        expect(await refusalOf(applyGovernance(chain.state, one, [chain.key.key]))).to.equal(rule);
      expect(statusOf(chain)).to.equal("active");
    });

    it("what was said before, said again (number)", async () => {
      const chain = await peopledChain();
      const delisted = await chain.say(sanction("delist", "no-abuse"));
      await chain.say(sanction("reinstate", null));
      expect(await refusalOf(applyGovernance(chain.state, delisted, [chain.key.key]))).to.equal("number");
      expect(statusOf(chain)).to.equal("active");
    });

    it("JSON that is read in two ways (json, fields)", async () => {
      const signed = (await peopledChain()).records[0]!;
      const text = JSON.stringify(signed);
      expect(await refusalOf((async () => readGovernance(text.replace('"n":1', '"n":1,"n":2')))())).to.equal(
        "json",
      );
      expect(await refusalOf((async () => readGovernance(text.replace('"n":1', '"n":1.0')))())).to.equal(
        "json",
      );
      expect(await refusalOf((async () => readGovernance({ ...signed, more: 1 }))())).to.equal("fields");
    });

    it("an address of a registrar or a vendor, by its name and by what is wrong with it", async () => {
      const { key } = await generateKeyPair();
      const detailOf = async (draft: GovernanceDraft): Promise<string> => {
        const chain = await peopledChain();
        return chain.say(draft).then(
          () => "none",
          (error: PassportError) => error.detail,
        );
      };
      const hosts = (...origins: readonly string[]) => registrar({ hosts: [{ key, origins }] });
      expect(await detailOf(await hosts("https://pods.example.org", "http://localhost:3000"))).to.equal(
        "hosts of zz.third: http://localhost:3000 is not https",
      );
      expect(await detailOf(await hosts("https://a.example/x"))).to.contain(
        "https://a.example/x is no origin",
      );
      expect(await detailOf(await hosts())).to.contain("hosts of zz.third: one is not a key");
      const vendor = vendorDraft({ id: "third", webids: ["https://a.example/#us", "http://b.example/#us"] });
      expect(await detailOf(vendor)).to.equal("webids of third: http://b.example/#us is not https");
      expect(await detailOf(vendorDraft({ id: "third", purposes: ["x".repeat(300)] }))).to.equal(
        `purposes of third: ${"x".repeat(100)} is no absolute address`,
      );
    });

    it("something by each of the rules: none is without a case", () => {
      const tried = new Set([...cases.map(([rule]) => rule), "policy-first", "entry-sanctioned"]);
      expect(governanceRules.map(({ id }) => id).filter((id) => !tried.has(id))).to.deep.equal([]);
    });
  });
});
