/** What is worked out once of an operation that was read: only because nobody can change it any more. */
import { expect } from "chai";
import {
  decodeKey,
  generateKeyPair,
  hashOfOperation,
  idOfGenesis,
  readSigned,
  type Signed,
} from "../../client-lib/passport/index.ts";
import { GOLDEN_CREATE } from "./golden.ts";

describe("an operation that was read", () => {
  it("cannot be changed after it was hashed, in no part", async () => {
    const signed = readSigned(GOLDEN_CREATE);
    await hashOfOperation(signed.op);
    const { op, sigs } = signed as unknown as {
      op: Record<string, unknown>;
      sigs: readonly { s: string }[];
    };
    for (const change of [
      () => (op["registrar"] = "ch.other"),
      () => ((op["auth"] as { threshold: number }).threshold = 2),
      () => (op["locks"] as string[]).pop(),
      () => ((sigs[0] as { s: string }).s = ""),
    ])
      expect(change).to.throw(TypeError);
  });

  it("has the hash and the identifier of the same operation as a plain value", async () => {
    const { op } = readSigned(GOLDEN_CREATE);
    const plain = JSON.parse(GOLDEN_CREATE) as Signed;
    for (let times = 0; times < 2; times += 1) {
      expect(await hashOfOperation(op)).to.equal(await hashOfOperation(plain.op));
      expect(await idOfGenesis(op as never)).to.equal(await idOfGenesis(plain.op as never));
    }
  });

  it("as a plain value is hashed anew each time, for that may have changed", async () => {
    const { op } = JSON.parse(GOLDEN_CREATE) as { op: { registrar: string } };
    const before = await hashOfOperation(op as never);
    op.registrar = "ch.other";
    expect(await hashOfOperation(op as never)).not.to.equal(before);
  });
});

describe("a key that was decoded", () => {
  it("is nobody's to change: whoever asks again has it as it is", async () => {
    const { key } = await generateKeyPair();
    const first = decodeKey(key);
    const kept = first?.slice();
    first?.fill(0);
    expect(decodeKey(key)).to.deep.equal(kept);
  });
});
