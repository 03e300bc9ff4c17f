import { expect } from "chai";
import { utf8 } from "../../client-lib/passport/bytes.ts";
import {
  type Bundle,
  decodeKey,
  encodeKey,
  exportRecoveryFile,
  generatePassportKeys,
  hashOfKey,
  hashOfOperation,
  importRecoveryFile,
  JsonError,
  keyPairOfSeed,
  makeData,
  makeRecoveryFile,
  PassportError,
  type PassportId,
  parseStrictJson,
  readSigned,
  refuseRollback,
  remember,
  type Seen,
  seenOf,
  signAsDelegate,
  signOperation,
  verifyBundle,
} from "../../client-lib/passport/index.ts";
import { GOLDEN_BUNDLE, GOLDEN_CREATE, GOLDEN_DATA, GOLDEN_ID, GOLDEN_ROTATE } from "./golden.ts";
import { key, person } from "./people.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

async function ruleOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "none";
}

describe("passport bundle", () => {
  it("of the design's example holds: made by another program", async () => {
    const passport = await verifyBundle(GOLDEN_BUNDLE, GOLDEN_ID);
    expect(passport.state.head.seq).to.equal(1);
    expect(passport.data?.storage).to.deep.equal([{ id: "#pod", url: "https://alice.zuripod.example/" }]);
  });

  it("has the sizes and hashes of the design's example", async () => {
    const sizes = [GOLDEN_CREATE, GOLDEN_ROTATE, GOLDEN_DATA].map(
      (text) => JSON.stringify(JSON.parse(text)).length,
    );
    expect(sizes).to.deep.equal([818, 750, 708]);
    expect(await hashOfOperation(readSigned(GOLDEN_CREATE).op)).to.equal(
      "A9UPJNDToaj9P65zgMXxDnn2M09OB7jxPCz-YBjpRk4",
    );
    expect(await hashOfKey("z6MkepKCHVwQtFB3ReaJGfB3YTE9kRRW6wnLgjTGVesDFLTq")).to.equal(
      "L_iGA8W82oOcbwsoXu64NacUjM63EGFWpAErwwtO2co",
    );
  });

  const golden = JSON.parse(GOLDEN_BUNDLE) as Bundle;
  const change = (work: (bundle: Bundle) => void): Bundle => {
    const copy = structuredClone(golden);
    work(copy);
    return copy;
  };
  type Loose = { head: { auth: Record<string, unknown>[]; data: Record<string, unknown> } };
  const set = (work: (bundle: Loose) => void) => change(work as unknown as (bundle: Bundle) => void);

  const tampered: readonly (readonly [string, Bundle | string, string])[] = [
    [
      "another pod",
      set(
        ({ head }) =>
          ((head.data.op as { storage: { url: string }[] }).storage[0]!.url = "https://evil.example/"),
      ),
      "signature",
    ],
    ["the rotation left out", set(({ head }) => void head.auth.pop()), "aseq"],
    ["the rotation twice", set(({ head }) => void head.auth.push(head.auth[1]!)), "seq"],
    ["no genesis", set(({ head }) => void head.auth.shift()), "bundle"],
    ["an empty chain", set(({ head }) => (head.auth = [])), "bundle"],
    ["a rotate as the data record", set(({ head }) => (head.data = head.auth[1]!)), "bundle"],
    [
      "another zone in the genesis",
      set(({ head }) => ((head.auth[0]!.op as { zone: string }).zone = "za")),
      "signature",
    ],
    [
      "another id around it",
      { ...golden, id: "dpzz1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgy9v9vu6" as PassportId },
      "identifier",
    ],
    [
      "a field nobody knows",
      set(({ head }) => ((head.auth[1]!.op as { note: string }).note = "x")),
      "fields",
    ],
    ["a repeated name", GOLDEN_BUNDLE.replace('"ttl":3600', '"ttl":60,"ttl":3600'), "json"],
    ["a number with a fraction", GOLDEN_BUNDLE.replace('"ttl":3600', '"ttl":3600.0'), "json"],
    ["the end cut off", GOLDEN_BUNDLE.slice(0, -1), "json"],
    ["a list", "[]", "bundle"],
  ];
  for (const [name, bundle, rule] of tampered) {
    it(`is refused with ${name}`, async () => {
      expect(await ruleOf(() => verifyBundle(bundle, GOLDEN_ID))).to.equal(rule);
    });
  }

  it("of one person is refused for another", async () => {
    const [ana, bea] = [await person("ana"), await person("bea")];
    const bundle = { id: bea.state.id, head: { auth: [bea.create], data: bea.data } };
    expect(await ruleOf(() => verifyBundle(bundle, ana.state.id))).to.equal("identifier");
    expect(await ruleOf(() => verifyBundle({ ...bundle, id: ana.state.id }, ana.state.id))).to.equal(
      "identifier",
    );
  });

  it("whose data an authority key signed holds as well", async () => {
    const ana = await person("ana");
    const data = await signOperation(ana.data.op, ana.create.op.auth, ana.keys.authority);
    expect(
      (await verifyBundle({ id: ana.state.id, head: { auth: [ana.create], data } }, ana.state.id)).data,
    ).to.deep.equal(ana.data.op);
  });

  it("without data holds, and leads nowhere", async () => {
    const ana = await person("ana");
    const passport = await verifyBundle(
      { id: ana.state.id, head: { auth: [ana.create, ana.rotate], data: null } },
      ana.state.id,
    );
    expect([passport.data, passport.state.head.seq]).to.deep.equal([null, 1]);
  });
});

describe("memory against rollback", () => {
  const at = async (steps: "old" | "new" | "rotated" | "forked") => {
    const ana = await person("ana");
    const { id } = ana.state;
    const later = await signAsDelegate({ ...ana.data.op, dseq: 2, ttl: 60 }, ana.host);
    const fork = await signAsDelegate({ ...ana.data.op, ttl: 61 }, ana.host);
    const head = { old: ana.data, new: later, rotated: null, forked: fork }[steps];
    return verifyBundle(
      { id, head: { auth: steps === "rotated" ? [ana.create, ana.rotate] : [ana.create], data: head } },
      id,
    );
  };
  const seen = async (steps: Parameters<typeof at>[0]): Promise<Seen> => seenOf(await at(steps));

  const cases: readonly (readonly [string, Parameters<typeof at>[0], Parameters<typeof at>[0], string])[] = [
    ["the same again", "old", "old", "none"],
    ["a newer data record", "old", "new", "none"],
    ["an older data record", "new", "old", "rollback"],
    ["another record with the same number", "old", "forked", "rollback"],
    ["a rotation", "new", "rotated", "none"],
    ["the time before a rotation", "rotated", "new", "rollback"],
  ];
  for (const [name, before, after, rule] of cases) {
    it(`${rule === "none" ? "allows" : "refuses"} ${name}`, async () => {
      const known = await seen(before);
      const now = await at(after);
      expect(await ruleOf(() => refuseRollback(now, known))).to.equal(rule);
    });
  }

  it("keeps the highest data number through a rotation without data", async () => {
    expect(remember(await at("rotated"), await seen("new"))).to.include({ aseq: 1, dseq: 2 });
  });
});

describe("recovery file", () => {
  it("brings every key back", async () => {
    const ana = await person("ana");
    const text = exportRecoveryFile(
      await makeRecoveryFile(ana.state.id, 0, ana.keys, new Date("2026-03-01T12:00:00.123Z")),
    );
    const { file, keys } = await importRecoveryFile(text);
    expect(file).to.include({ passport: ana.state.id, made: "2026-03-01T12:00:00Z", version: 1 });
    expect(keys.authority.map(({ key }) => key)).to.deep.equal(ana.create.op.auth.keys);
    expect(file.keys.filter(({ role }) => role === "recovery").map(({ hash }) => hash)).to.deep.equal(
      ana.create.op.recovery.hashes,
    );
    expect(keys.next[0]?.key).to.equal(ana.rotate.op.auth.keys[0]);
  });

  it("holds five keys with different secrets by default", async () => {
    const keys = await generatePassportKeys();
    const all = [...keys.authority, ...keys.next, ...keys.recovery];
    expect([all.length, new Set(all.map(({ seed }) => String(seed))).size]).to.deep.equal([5, 5]);
  });

  const broken: readonly (readonly [string, (text: string) => string])[] = [
    [
      "that is damaged in a secret",
      (text) =>
        text.replace(/"secret": "(.)/, (_, first: string) => `"secret": "${first === "A" ? "B" : "A"}`),
    ],
    ["that is cut off", (text) => text.slice(0, 200)],
    ["of another program", (text) => text.replace("dcann-recovery", "other")],
    ["of a later version", (text) => text.replace('"version": 1', '"version": 3')],
    [
      "with another passport's checksum",
      (text) => text.replace(/"dpzz1(.)/, (_, first: string) => `"dpzz1${first === "q" ? "p" : "q"}`),
    ],
  ];
  for (const [name, breakIt] of broken) {
    it(`${name} is refused`, async () => {
      const ana = await person("ana");
      const text = exportRecoveryFile(await makeRecoveryFile(ana.state.id, 0, ana.keys, new Date(0)));
      expect(await ruleOf(() => importRecoveryFile(breakIt(text)))).to.equal("recovery-file");
    });
  }
});

describe("strict JSON", () => {
  for (const text of [
    '{"a":1,"a":2}',
    "1.0",
    "1e3",
    "-0",
    "01",
    "9007199254740992",
    '"\\ud800"',
    '"\ud800"',
    '{"__proto__":1}',
    "[1,]",
    "{,}",
    "nul",
    "",
    "1 2",
    '"\n"',
    "\u00a01",
    `${"[".repeat(18)}${"]".repeat(18)}`,
    "'a'",
    "+1",
    "NaN",
    '"\\x41"',
  ]) {
    it(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      expect(() => parseStrictJson(text)).to.throw(JsonError);
    });
  }

  it("reads what is left like any other parser", () => {
    for (const text of [
      '{"a":[1,-2,true,false,null,"\\u00e9\\n/\\/"],"b":{}}',
      " [ ] ",
      '""',
      "0",
      "-9007199254740991",
      '"\\ud83d\\ude00"',
    ]) {
      expect(parseStrictJson(text), text).to.deep.equal(JSON.parse(text));
    }
  });

  it("takes a long string without running out of stack", () => {
    const text = JSON.stringify('\\"x'.repeat(200_000));
    expect(parseStrictJson(text)).to.equal(JSON.parse(text));
  });
});

describe("Ed25519 as passports verify it", () => {
  it("spells every key in one way", async () => {
    const ana = await key("ana");
    const raw = decodeKey(ana.key)!;
    expect(encodeKey(raw)).to.equal(ana.key);
    for (const text of [
      ana.key.toUpperCase(),
      `${ana.key} `,
      `z1${ana.key.slice(1)}`,
      ana.key.slice(1),
      `z6Mk${"0".repeat(44)}`,
    ])
      expect(decodeKey(text), text).to.equal(null);
    expect(decodeKey(encodeKey(new Uint8Array(32).fill(255)))).to.equal(null);
  });

  it("gives the public key and signature of RFC 8032, test 1", async () => {
    const pair = await keyPairOfSeed(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
    expect(toHex(decodeKey(pair.key)!)).to.equal(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
    expect(toHex(await pair.sign(utf8("")))).to.match(/^e5564300c360ac72/);
  });
});

describe("making operations", () => {
  it("refuses a signer who is not one of the keys", async () => {
    const ana = await person("ana");
    await signOperation(ana.create.op, ana.create.op.auth, [ana.host]).then(
      () => expect.fail("signed"),
      (error: Error) => expect(error.message).to.contain("not one of the keys"),
    );
  });

  it("fills in what a data record may leave open", () => {
    expect(makeData({ id: GOLDEN_ID, aseq: 0, dseq: 1, webid: [], storage: [] })).to.deep.include({
      oidc: null,
      moved: [],
      keys: [],
      ttl: 3600,
    });
  });
});
