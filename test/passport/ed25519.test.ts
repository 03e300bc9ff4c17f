/**
 * Which of the signatures that implementations of Ed25519 disagree about are valid here, for ever: 914 edge cases with
 * keys and commitments of small order, with components of small order, and with encodings that are not canonical.
 * @see https://c2sp.org/CCTV/ed25519
 */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { decodeBase64url, sameBytes, utf8 } from "../../client-lib/passport/bytes.ts";
import { decodeKey, encodeBase64url, encodeKey, verifySignature } from "../../client-lib/passport/index.ts";
import { skip } from "../support/skip.ts";
import { key } from "./people.ts";

const FOLDER =
  process.env["FREEHOLD_VECTORS"] ?? new URL("../../../shared/vectors", import.meta.url).pathname;

/** How many of the cases have a flag, and whether one flag alone is enough to refuse them. */
const FLAGS = {
  low_order_A: [526, "refused"],
  low_order_R: [586, "refused"],
  low_order_residue: [583, "refused"],
  non_canonical_A: [226, "refused"],
  non_canonical_R: [316, "refused"],
  low_order_component_A: [774, "accepted"],
  low_order_component_R: [665, "accepted"],
  reencoded_k: [146, "accepted"],
} as const;
type Flag = keyof typeof FLAGS;

/** All that are valid. A case that joins or leaves this list splits the readers of passports in two. */
const ACCEPTED: readonly number[] = [
  7, 29, 50, 117, 139, 161, 182, 249, 305, 411, 425, 438, 465, 473, 481, 489, 497, 511, 525, 538, 565, 573,
  581, 589, 597, 611, 625, 638, 665, 673, 681, 689, 697, 711, 725, 738, 765, 773, 781, 789, 797, 832, 899,
];

interface Case {
  readonly number: number;
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  readonly flags: readonly Flag[] | null;
}

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

describe("the accept-set of Ed25519", () => {
  let cases: readonly Case[] = [];
  before(function () {
    try {
      cases = JSON.parse(readFileSync(`${FOLDER}/ed25519/ed25519vectors.json`, "utf8")) as Case[];
    } catch {
      skip(this, "the vectors are not on this machine: name their folder in FREEHOLD_VECTORS");
    }
  });

  it("is 43 of 914 edge cases", async () => {
    const accepted: number[] = [];
    for (const { number, key: raw, sig, msg } of cases)
      if (await verifySignature(encodeKey(hex(raw)), hex(sig), utf8(msg))) accepted.push(number);
    expect(cases.length).to.equal(914);
    expect(accepted).to.deep.equal(ACCEPTED);
  });

  it("follows from five of eight flags", () => {
    const counts = Object.fromEntries(
      Object.keys(FLAGS).map((flag) => [
        flag,
        cases.filter(({ flags }) => flags?.includes(flag as Flag)).length,
      ]),
    );
    expect(counts).to.deep.equal(
      Object.fromEntries(Object.entries(FLAGS).map(([flag, [count]]) => [flag, count])),
    );
    const allowed = cases.filter(({ flags }) => !(flags ?? []).some((flag) => FLAGS[flag][1] === "refused"));
    expect(allowed.map(({ number }) => number)).to.deep.equal(ACCEPTED);
  });

  it("refuses keys that are not canonical or of small order already where they are read", () => {
    for (const { key: raw, flags } of cases) {
      const isUnsound = (flags ?? []).some((flag) => flag === "low_order_A" || flag === "non_canonical_A");
      expect(decodeKey(encodeKey(hex(raw))) === null, raw).to.equal(isUnsound);
    }
  });
});

describe("a signature", () => {
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

  it("is not valid with the order of the group added to its scalar", async () => {
    const [pair, bytes] = [await key("ana"), utf8("DCANN-op-v1\0{}")];
    const signature = await pair.sign(bytes);
    expect(await verifySignature(pair.key, signature, bytes)).to.equal(true);
    let scalar = signature.subarray(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + ORDER;
    const other = signature.slice();
    for (let index = 32; index < 64; index += 1, scalar >>= 8n) other[index] = Number(scalar & 255n);
    expect(sameBytes(other, signature)).to.equal(false);
    expect(await verifySignature(pair.key, other, bytes)).to.equal(false);
  });

  it("is not valid with any single bit changed", async () => {
    const [pair, bytes] = [await key("ana"), utf8("DCANN-op-v1\0{}")];
    const signature = await pair.sign(bytes);
    for (let bit = 0; bit < 512; bit += 1) {
      const other = signature.slice();
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await verifySignature(pair.key, other, bytes), `bit ${bit}`).to.equal(false);
    }
  });

  it("has one spelling: not base64, not padded, not broken into lines, not with loose bits, not DER", async () => {
    const text = encodeBase64url(await (await key("ana")).sign(utf8("x")));
    expect(decodeBase64url(text, 64)?.length).to.equal(64);
    const loose = `${text.slice(0, -1)}${{ A: "B", Q: "R", g: "h", w: "x" }[text.at(-1) ?? ""]}`;
    for (const other of [
      `${text}==`,
      `${text}\n`,
      ` ${text}`,
      loose,
      `+${text.slice(1)}`,
      text.slice(0, -1),
      `${text}A`,
    ])
      expect(decodeBase64url(other, 64), other).to.equal(null);
  });
});
