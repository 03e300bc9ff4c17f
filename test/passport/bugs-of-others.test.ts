/**
 * What other methods for identifiers have got wrong, tried here. The first list follows the invalid audit logs of did:plc,
 * the second the negative vectors of did:webvh's test suite; ideas only, every case is made of our own operations.
 * @see https://github.com/did-method-plc/go-didplc/tree/main/testdata
 * @see https://github.com/decentralized-identity/didwebvh-test-suite/blob/main/vectors/NEGATIVE_VECTORS.md
 */
import { base64, bech32m } from "@scure/base";
import { expect } from "chai";
import {
  applyOperation,
  type Bundle,
  deactivatePassport,
  decodeKey,
  encodeBase64url,
  encodeKey,
  idOfGenesis,
  judge,
  makeErase,
  makeHold,
  PassportError,
  type PassportId,
  readId,
  recoverPassport,
  rotatePassport,
  signAsDelegate,
  signAsZone,
  signOperation,
  stateAfter,
  unlockPassport,
  verifyBundle,
  vetoPassport,
} from "../../client-lib/passport/index.ts";
import { naiveRegistry } from "./naive-registry.ts";
import { candidate, forge, key, NOW, type Person, person } from "./people.ts";
import { samplesOf } from "./samples.ts";

const MADE = new Date(NOW);

async function refusal(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PassportError) return error.rule;
    throw error;
  }
  return "taken";
}

type Case = readonly [name: string, rule: string, work: (ana: Person) => Promise<unknown>];

const withSignature = async (ana: Person, change: (s: string) => string): Promise<unknown> => {
  const [sig] = ana.rotate.sigs;
  return applyOperation(ana.state, { ...ana.rotate, sigs: [{ k: 0, s: change(sig?.s ?? "") }] });
};

/** The signature as ASN.1 would have it: a sequence of two integers. */
function der(text: string): string {
  const raw = base64.decode(`${text.replaceAll("-", "+").replaceAll("_", "/")}==`);
  return encodeBase64url(
    new Uint8Array([0x30, 68, 0x02, 32, ...raw.subarray(0, 32), 0x02, 32, ...raw.subarray(32)]),
  );
}

const OF_PLC: readonly Case[] = [
  [
    "an operation that takes the place of one that counts already",
    "seq",
    async (ana) => {
      const now = await applyOperation(ana.state, ana.rotate);
      return applyOperation(now, (await recoverPassport(ana.state, ana.keys, MADE)).recoverOp);
    },
  ],
  [
    "the same with a number that fits and the past that it wants to undo",
    "prev",
    async (ana) => {
      const now = await applyOperation(ana.state, ana.rotate);
      const { op } = (await recoverPassport(ana.state, ana.keys, MADE)).recoverOp;
      const later = { ...op, seq: 2 };
      return applyOperation(now, await signOperation(later, { keys: op.by }, ana.keys.recovery.slice(0, 2)));
    },
  ],
  [
    "guardians who come back after they were replaced",
    "guardians",
    async (ana) => {
      const { recoverOp } = await recoverPassport(ana.state, ana.keys, MADE);
      const after = await stateAfter(ana.state, recoverOp.op);
      const old = { ...after, head: { ...after.head, recovery: ana.state.head.recovery } };
      const { op } = (await recoverPassport(old, ana.keys, MADE)).recoverOp;
      const again = { ...op, prev: after.headHash };
      return applyOperation(
        after,
        await signOperation(again, { keys: op.by }, ana.keys.recovery.slice(0, 2)),
      );
    },
  ],
  [
    "a veto that comes too late",
    "veto-of",
    async (ana) => {
      const registry = naiveRegistry(ana);
      await registry.send(await unlockPassport(ana.state, ana.keys.authority));
      const of = registry.pending?.hash ?? "";
      await registry.pass(72 * 3_600_000);
      return registry.send(await vetoPassport(registry.state!, ana.keys.authority, of));
    },
  ],
  [
    "an operation that follows one that was vetoed",
    "seq",
    async (ana) => {
      const registry = naiveRegistry(ana);
      const unlock = await unlockPassport(ana.state, ana.keys.authority);
      await registry.send(unlock);
      await registry.send(await vetoPassport(ana.state, ana.keys.authority, registry.pending?.hash ?? ""));
      const imagined = await stateAfter(ana.state, unlock.op);
      return registry.send((await rotatePassport(imagined, ana.keys, MADE)).rotateOp);
    },
  ],
  [
    "an operation of a passport that was erased",
    "beginning",
    async (ana) => {
      const registry = naiveRegistry(ana);
      const op = await makeErase({ id: ana.state.id, after: ana.state.head });
      await registry.send(await signOperation(op, ana.state.head.auth, ana.keys.authority));
      await registry.pass(72 * 3_600_000);
      return registry.send(ana.rotate);
    },
  ],
  [
    "an update of a passport that was put to rest",
    "at-rest",
    async (ana) => {
      const rest = await deactivatePassport(ana.state, ana.keys.authority);
      return applyOperation(await stateAfter(ana.state, rest.op), ana.data);
    },
  ],
  ["a signature with a line break", "signature-form", (ana) => withSignature(ana, (s) => `${s}\n`)],
  ["a signature with padding", "signature-form", (ana) => withSignature(ana, (s) => `${s}==`)],
  [
    "a signature with loose bits",
    "signature-form",
    (ana) =>
      withSignature(
        ana,
        (s) => `${s.slice(0, -1)}${{ A: "B", Q: "R", g: "h", w: "x" }[s.at(-1) ?? ""] ?? ""}`,
      ),
  ],
  ["a signature as DER", "signature-form", (ana) => withSignature(ana, der)],
  [
    "the same key twice where two are needed",
    "auth",
    async (ana) => {
      const [today] = ana.keys.authority;
      const op = { ...ana.create.op, auth: { keys: [today!.key, today!.key], threshold: 2 } };
      return applyOperation(null, await signOperation(op, op.auth, [today!]));
    },
  ],
  [
    "no key for the next time",
    "next",
    async (ana) => {
      const op = { ...ana.rotate.op, next: { hashes: [], threshold: 1 } };
      return applyOperation(ana.state, await signOperation(op, op.auth, ana.keys.next));
    },
  ],
];

const bundle = (ana: Person, auth: readonly unknown[], data: unknown = null): Bundle =>
  ({ id: ana.state.id, head: { auth, data } }) as unknown as Bundle;
const placed = async (ana: Person, url: string, webid = ana.data.op.webid): Promise<unknown> =>
  applyOperation(
    ana.state,
    await signAsDelegate({ ...ana.data.op, webid, storage: [{ id: "#pod", url }] }, ana.host),
  );

const OF_WEBVH: readonly Case[] = [
  [
    "one guardian named twice, so that one is a majority",
    "recovery",
    async (ana) => {
      const [hash = ""] = ana.state.head.recovery.hashes;
      const op = { ...ana.create.op, recovery: { hashes: [hash, hash], threshold: 2, delay: "P7D" } };
      return applyOperation(null, await signOperation(op, op.auth, ana.keys.authority));
    },
  ],
  [
    "guardians of whom none is needed",
    "recovery",
    async (ana) => {
      const op = { ...ana.create.op, recovery: { ...ana.create.op.recovery, threshold: 0 } };
      return applyOperation(null, await signOperation(op, op.auth, ana.keys.authority));
    },
  ],
  [
    "a genesis that is not the identifier's",
    "identifier",
    async (ana) => {
      const op = { ...ana.create.op, nonce: encodeBase64url(new Uint8Array(16)) };
      const create = await signOperation(op, op.auth, ana.keys.authority);
      return verifyBundle(bundle(ana, [create]), ana.state.id);
    },
  ],
  [
    "a passport that takes over another's identifier on its way",
    "same-passport",
    async (ana) => {
      const bea = await person("bea");
      const op = { ...ana.rotate.op, id: bea.state.id };
      const rotate = await signOperation(op, op.auth, ana.keys.next);
      return verifyBundle(bundle(ana, [ana.create, rotate]), ana.state.id);
    },
  ],
  [
    "a rotation that leaves its keys out",
    "fields",
    async (ana) => {
      const { auth: _, ...op } = ana.rotate.op;
      return applyOperation(ana.state, forge({ ...ana.rotate, op }));
    },
  ],
  [
    "a rotation that keeps today's keys instead of those that were promised",
    "pre-rotation",
    async (ana) => {
      const op = { ...ana.rotate.op, auth: ana.state.head.auth };
      return applyOperation(ana.state, await signOperation(op, op.auth, ana.keys.authority));
    },
  ],
  [
    "a key of another kind",
    "auth",
    async (ana) => {
      const raw = decodeKey(ana.keys.authority[0]!.key)!;
      const x25519 = encodeKey(raw).replace("z6Mk", "z6LS");
      const op = { ...ana.create.op, auth: { keys: [x25519], threshold: 1 } };
      return applyOperation(null, forge({ op, sigs: ana.create.sigs }));
    },
  ],
  [
    "a signature that names another key than the one that made it",
    "signature",
    async () => {
      const bea = await person("bea", { authority: 3, next: 3, recovery: 3 });
      const [first, second, third] = bea.create.sigs;
      return applyOperation(null, {
        ...bea.create,
        sigs: [
          { k: 0, s: second!.s },
          { k: 1, s: first!.s },
          { k: 2, s: third!.s },
        ],
      });
    },
  ],
  ["a place that climbs", "url", (ana) => placed(ana, "https://pods.example.org/../../etc/")],
  ["a place that climbs in disguise", "url", (ana) => placed(ana, "https://pods.example.org/%2e%2e/etc/")],
  ["a number in disguise for a host", "url", (ana) => placed(ana, "https://127%2E0%2E0%2E1/ana/")],
  ["a number of another base for a host", "url", (ana) => placed(ana, "https://0x7f000001/ana/")],
  ["a port in disguise", "url", (ana) => placed(ana, "https://pods.example.org%3a8443/ana/")],
  ["a fragment that hides in a host", "url", (ana) => placed(ana, "https://pods.example.org#@evil.example/")],
  [
    "a WebID with a host that ends elsewhere",
    "url",
    (ana) => placed(ana, "https://pods.example.org/ana/", ["https://pods.example.org\\@evil.example/#me"]),
  ],
  [
    "times that run backwards",
    "moved",
    async (ana) => {
      const move = {
        from: "https://a.example/",
        to: "https://b.example/",
        at: "2026-03-02T00:00:00Z",
        redirectUntil: "2026-03-01T00:00:00Z",
      };
      return applyOperation(ana.state, await signAsDelegate({ ...ana.data.op, moved: [move] }, ana.host));
    },
  ],
  [
    "a time that is still to come",
    "hold-time",
    async (ana) => {
      const why = { case: "zz/1", reason: "fraud" } as const;
      const op = makeHold(
        "hold",
        { id: ana.state.id, after: ana.state.head },
        why,
        new Date(NOW + 86_400_000),
      );
      return naiveRegistry(ana).send(await signAsZone(op, await key("zone zz")));
    },
  ],
  [
    "an operation of a version that does not exist yet",
    "version",
    async (ana) => {
      const op = { ...ana.rotate.op, v: 2 } as unknown as typeof ana.rotate.op;
      return applyOperation(ana.state, await signOperation(op, op.auth, ana.keys.next));
    },
  ],
  [
    "a sponsorship that was given to somebody else",
    "sponsored",
    async (ana) => {
      const bea = await person("bea");
      const { facts } = ana;
      return applyOperation(null, { ...ana.create, sponsor: bea.create.sponsor! }, { registry: facts });
    },
  ],
];

for (const [method, cases] of [
  ["did:plc", OF_PLC],
  ["did:webvh", OF_WEBVH],
] as const) {
  describe(`what ${method} has learnt`, () => {
    for (const [name, rule, work] of cases) {
      it(`refuses ${name}`, async () => {
        const ana = await person("ana");
        expect(await refusal(() => work(ana))).to.equal(rule);
      });
    }
  });
}

describe("identifiers that are not what they seem", () => {
  const id = async (): Promise<PassportId> => idOfGenesis((await person("ana")).create.op);
  const tricks: readonly (readonly [string, (id: string) => string])[] = [
    ["a path", (at) => `did:dcann:../../${at}`],
    ["a path in disguise", (at) => `did:dcann:..%2f${at}`],
    ["a fragment", (at) => `${at}#sign`],
    ["a query", (at) => `did:dcann:${at}?versionTime=2026-01-01T00:00:00Z`],
    ["a line break", (at) => `${at}\n`],
    ["a zero byte", (at) => `${at}\u0000`],
    ["escaped letters", (at) => at.replace("d", "%64")],
    ["a letter that looks the same", (at) => at.replace("p", "\u0440")],
    ["a wide letter", (at) => at.replace("d", "\uff44")],
    ["a letter that becomes another in lower case", (at) => at.toUpperCase().replace(/[K]/, "\u212a")],
    ["a DID in upper case", (at) => `DID:DCANN:${at}`],
    ["another method", (at) => `did:plc:${at}`],
    ["the method twice", (at) => `did:dcann:did:dcann:${at}`],
    [
      "a digest under another version",
      (at) => {
        const bytes = bech32m.fromWords(bech32m.decode(at as `${string}1${string}`).words);
        bytes[0] = 2;
        return bech32m.encode(at.slice(0, 4), bech32m.toWords(bytes));
      },
    ],
  ];
  for (const [name, trick] of tricks) {
    it(`are refused with ${name}`, async () => {
      const text = await id();
      expect(trick(text)).not.to.equal(text);
      expect(readId(trick(text)).kind).to.equal("broken");
    });
  }
});

describe("an operation taken from one passport", () => {
  it("counts for no other one, whatever it is", async () => {
    const [ana, bea] = [await person("ana"), await person("bea")];
    const theirs = await samplesOf(bea);
    for (const { type, signed } of await samplesOf(ana)) {
      if (type === "create") continue;
      const there = theirs.find((one) => one.type === type)!;
      const verdict = await judge(candidate(signed, there.state, there.facts));
      expect(verdict.kind === "broken" && verdict.rule.id, type).to.equal("same-passport");
    }
  });
});
