/** What a cache bounded by weight keeps, and what it lets go. */
import { expect } from "chai";
import { Lru } from "../server/lru.ts";

describe("a cache bounded by weight", () => {
  it("lets go what was used longest ago, and as much as it takes", () => {
    const cache = new Lru<string, string>(3);
    for (const name of ["a", "b", "c"]) cache.set(name, name, 1);
    cache.get("a");
    cache.set("d", "d", 2);
    expect(["a", "b", "c", "d"].map((name) => cache.get(name))).to.deep.equal([
      "a",
      undefined,
      undefined,
      "d",
    ]);
  });

  it("keeps nothing that is heavier than all of it, nor what was there by that name", () => {
    const cache = new Lru<string, string>(3);
    cache.set("a", "a", 1);
    cache.set("a", "heavy", 4);
    expect(cache.get("a")).to.equal(undefined);
  });

  it("counts the weight of what is replaced once", () => {
    const cache = new Lru<string, number>(2);
    for (let time = 0; time < 10; time += 1) cache.set("a", time, 1);
    cache.set("b", 0, 1);
    expect([cache.get("a"), cache.get("b")]).to.deep.equal([9, 0]);
  });

  it("of many keeps what is asked for all the time, and what came last", () => {
    const cache = new Lru<number, number>(1_000);
    for (let name = 0; name < 10_000; name += 1) {
      cache.set(name, name, 1);
      cache.get(0);
    }
    expect(cache.get(0)).to.equal(0);
    for (let name = 9_001; name < 10_000; name += 1) expect(cache.get(name)).to.equal(name);
    expect(cache.get(8_999)).to.equal(undefined);
  });

  it("is empty once it is cleared", () => {
    const cache = new Lru<string, string>(2);
    cache.set("a", "a", 2);
    cache.clear();
    cache.set("b", "b", 2);
    expect([cache.get("a"), cache.get("b")]).to.deep.equal([undefined, "b"]);
  });
});
