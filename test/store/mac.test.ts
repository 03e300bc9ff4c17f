/** Our own HMAC is the one that everybody else computes, for every length of key and message. */
import { createHmac } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { createMac } from "../../server/store/sealed/mac.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const latin1 = (value: Uint8Array): string => Buffer.from(value).toString("latin1");

describe("keyed hashes", () => {
  it("are HMAC-SHA-256", () => {
    fc.assert(
      fc.property(bytes(64), bytes(100), bytes(3_000), (key, first, rest) => {
        const expected = createHmac("sha256", key).update(first).update(rest).digest("binary");
        expect(createMac(key)(latin1(first), rest)).to.equal(expected);
      }),
    );
  });

  it("take text as UTF-8, whatever is in it", () => {
    fc.assert(
      fc.property(bytes(32), fc.string({ unit: "binary", maxLength: 200 }), (key, text) => {
        const expected = createHmac("sha256", key).update("\u0003", "latin1").update(text, "utf8");
        expect(createMac(key)("\u0003", text)).to.equal(expected.digest("binary"));
      }),
    );
  });

  it("of one key say nothing of another, and keep nothing of a longer message before", () => {
    const [one, other] = [createMac(Buffer.alloc(32, 1)), createMac(Buffer.alloc(32, 2))];
    const before = one("a");
    one("a", "b".repeat(10_000));
    expect(one("a")).to.equal(before);
    expect(other("a")).not.to.equal(before);
  });

  it("agree with RFC 4231, test case 2", () => {
    const mac = createMac(Buffer.from("Jefe"))("what do ya want for nothing?");
    expect(Buffer.from(mac, "latin1").toString("hex")).to.equal(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });
});
