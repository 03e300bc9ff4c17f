import { bech32, bech32m } from "@scure/base";
import { expect } from "chai";
import fc from "fast-check";
import {
  didOf,
  groupId,
  idOfGenesis,
  type PassportId,
  PassportIdError,
  parsePassportId,
  parseTypedId,
  readId,
  readSigned,
  zoneOf,
} from "../../client-lib/passport/index.ts";
import { GOLDEN_CREATE, GOLDEN_ID } from "./golden.ts";

const hintOf = (text: string): string => {
  const reading = readId(text);
  return reading.kind === "broken" ? reading.hint : "none";
};

describe("passport identifier", () => {
  it("is the hash of the genesis, as another program computed it", async () => {
    const { op } = readSigned(GOLDEN_CREATE);
    expect(await idOfGenesis(op as { zone: string } & typeof op)).to.equal(GOLDEN_ID);
    expect(zoneOf(GOLDEN_ID)).to.equal("ch");
  });

  it("changes with every byte of the genesis", async () => {
    const { op } = readSigned(GOLDEN_CREATE) as unknown as { op: { zone: string } };
    expect(await idOfGenesis({ ...op, nonce: "WxoTguv86RwyqXrWUeeNKw" } as typeof op)).to.not.equal(
      GOLDEN_ID,
    );
    expect((await idOfGenesis({ ...op, zone: "zz" })).slice(0, 5)).to.equal("dpzz1");
  });

  it("is shown in fours and read back with any spaces", () => {
    expect(groupId(GOLDEN_ID)).to.equal("dpch1 qquc j280 2nag rsht 74gt kfns mzp7 5h8g euv2 qutw gyxw c2vv");
    expect(parseTypedId(` ${groupId(GOLDEN_ID)}\n`)).to.equal(GOLDEN_ID);
  });

  it("is accepted in upper case, as QR codes like it, and as a DID; canonical is lower", () => {
    expect(parsePassportId(GOLDEN_ID.toUpperCase())).to.equal(GOLDEN_ID);
    expect(parsePassportId(didOf(GOLDEN_ID))).to.equal(GOLDEN_ID);
    expect(didOf(GOLDEN_ID)).to.equal(`did:dcann:${GOLDEN_ID}`);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ["one wrong character", `${GOLDEN_ID.slice(0, 30)}q${GOLDEN_ID.slice(31)}`, "checksum: character 31?"],
    ["another zone", GOLDEN_ID.replace("dpch", "dpza"), "checksum"],
    ["one wrong letter of the zone", GOLDEN_ID.replace("dpch", "dpcz"), "checksum: character 4?"],
    ["mixed case", GOLDEN_ID.replace("q", "Q"), "case: all lower or all upper, not mixed"],
    ["a dropped character", GOLDEN_ID.slice(0, -1), "length: 53 characters, not 52"],
    ["neighbours swapped", GOLDEN_ID.replace("nagr", "angr"), "checksum"],
    ["a letter bech32 does not have", GOLDEN_ID.replace("kfns", "kfbs"), "alphabet: character 28"],
    [
      "another prefix",
      GOLDEN_ID.replace("dpch1", "bcch1"),
      "prefix: an identifier begins with dp, a zone of two characters, and 1",
    ],
    ["a space", GOLDEN_ID.replace("qquc", "qqu "), "alphabet: character 9"],
    ["nothing", "", "length: 53 characters, not 0"],
    ["another DID method", "did:web:example.org", "length: 53 characters, not 19"],
    [
      "a version that is not known",
      bech32m.encode("dpch", bech32m.toWords(new Uint8Array(26).fill(1))),
      "version: 1 is not known",
    ],
    [
      "loose bits at the end",
      bech32m.encode("dpch", [...bech32m.toWords(new Uint8Array(26)).slice(0, -1), 1]),
      "padding: bits that must be zero are not",
    ],
    ["the older checksum", bech32.encode("dpch", bech32.toWords(new Uint8Array(26))), "checksum"],
  ];
  for (const [name, text, hint] of refused) {
    it(`refuses ${name}`, () => {
      expect(hintOf(text)).to.equal(hint);
      expect(() => parsePassportId(text)).to.throw(PassportIdError);
    });
  }

  it("never hints at the right character, only at the place", () => {
    expect(hintOf(`${GOLDEN_ID.slice(0, 30)}q${GOLDEN_ID.slice(31)}`)).to.not.contain(GOLDEN_ID[30]!);
  });

  it("catches every change of one to four characters", () => {
    const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const change = fc.record({
      at: fc.integer({ min: 5, max: 52 }),
      to: fc.constantFrom(...Array.from(alphabet)),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const text = changes.reduce(
          (id, { at, to }) => id.slice(0, at) + to + id.slice(at + 1),
          GOLDEN_ID as string,
        );
        return text === GOLDEN_ID || readId(text).kind === "broken";
      }),
    );
  });

  it("goes from any genesis to an identifier of its zone and back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z0-9]{2}$/), fc.string(), async (zone, nonce) => {
        const id: PassportId = await idOfGenesis({ zone, nonce: nonce.toWellFormed() } as { zone: string });
        const reading = readId(id.toUpperCase());
        expect(reading.kind === "id" && reading.id).to.equal(id);
        expect(zoneOf(id)).to.equal(zone);
      }),
      { numRuns: 50 },
    );
  });
});
