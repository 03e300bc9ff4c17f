/** Records that are JSON inside: parsed once while they are in the cache, and kept by nobody when they only pass by. */
import { expect } from "chai";
import { decodeOnce, decodeRecord, encodeRecord } from "../../server/store/record.ts";
import type { Entry } from "../../server/store/store.ts";

const entryOf = (value: unknown): Entry => ({
  group: "/ana/",
  item: "note",
  version: 1,
  value: encodeRecord(value),
});

describe("A stored record", () => {
  it("is parsed once for as long as its entry lives", () => {
    const entry = entryOf({ kind: "rdf" });
    expect(decodeRecord(entry)).to.deep.equal({ kind: "rdf" });
    expect(decodeRecord(entry)).to.equal(decodeRecord(entry));
  });

  it("is not remembered when it is looked at once, but found when it was", () => {
    const entry = entryOf({ kind: "rdf" });
    expect(decodeOnce(entry)).to.deep.equal({ kind: "rdf" });
    expect(decodeOnce(entry), "nobody kept it").not.to.equal(decodeOnce(entry));
    const kept = decodeRecord(entry);
    expect(decodeOnce(entry)).to.equal(kept);
  });
});
