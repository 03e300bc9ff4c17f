import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { hashBytes } from "../../client-lib/passport/sha256.ts";

const expected = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const found = (bytes: Uint8Array): string => Buffer.from(hashBytes(bytes)).toString("hex");

describe("SHA-256 in the language itself", () => {
  it("gives the examples of FIPS 180", () => {
    const of = (text: string): string => found(new TextEncoder().encode(text));
    expect(of("abc")).to.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).to.equal(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
    expect(of("")).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  it("agrees with the platform at every length around a block's end", () => {
    for (let length = 0; length < 300; length += 1) {
      const bytes = new Uint8Array(length).fill(length % 251);
      expect(found(bytes), String(length)).to.equal(expected(bytes));
    }
  });

  it("agrees with the platform about any bytes, also those that lie inside others", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.nat(64), (bytes, skipped) => {
        const inside = bytes.subarray(Math.min(skipped, bytes.length));
        expect(found(inside)).to.equal(expected(inside));
      }),
      { seed: 256, numRuns: 300 },
    );
  });
});
