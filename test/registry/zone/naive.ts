/** The map of a log by a second, slower idea of it: all keys at hand, and the tree made of them each time. */
import { createHash } from "node:crypto";
import type { Leaf } from "@freehold/client/registry";
import { expect } from "chai";
import type { Zone } from "../../../server/registry/port.ts";

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const bit = (key: string, depth: number): string =>
  (Number.parseInt(key.slice(2 * (depth >> 3), 2 * (depth >> 3) + 2), 16) >> (7 - (depth & 7))) % 2 === 1
    ? "1"
    : "0";

function rootOf(keys: ReadonlyMap<string, Uint8Array>, depth = 0): Buffer {
  const [first] = keys;
  if (!first) return Buffer.alloc(32);
  if (keys.size === 1) return sha256(Buffer.of(2), Buffer.from(first[0], "hex"), first[1]);
  const [left, right] = ["0", "1"].map(
    (side) => new Map([...keys].filter(([key]) => bit(key, depth) === side)),
  );
  return sha256(Buffer.of(3), rootOf(left ?? new Map(), depth + 1), rootOf(right ?? new Map(), depth + 1));
}

export interface Replay {
  /** Keys in the map at the end. */
  readonly count: number;
  readonly epochs: number;
}

/** Goes through the public log alone, and holds every root leaf against the map that the leaves before it make. */
export async function replay(zone: Zone): Promise<Replay> {
  const keys = new Map<string, Uint8Array>();
  let epochs = 0;
  let last: Leaf["kind"] | null = null;
  for await (const leaf of zone.leaves(0, zone.published().size)) {
    last = leaf.kind;
    if (leaf.kind === "set") keys.set(Buffer.from(leaf.headKey).toString("hex"), leaf.commit);
    if (leaf.kind === "delete") keys.delete(Buffer.from(leaf.headKey).toString("hex"));
    if (leaf.kind !== "root") continue;
    epochs += 1;
    expect([leaf.epoch, leaf.count]).to.deep.equal([epochs, keys.size]);
    expect(Buffer.from(leaf.root).toString("hex")).to.equal(rootOf(keys).toString("hex"));
  }
  expect(last).to.equal("root");
  return { count: keys.size, epochs };
}
