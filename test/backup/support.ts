/** What a store holds, said so that two stores can be compared: every record, file, journal, as its owner would find it. */
import { createHash } from "node:crypto";
import type { Context } from "../../server/context.ts";
import { type PodId, SERVER_POD, type Store, TABLES, type Table } from "../../server/store/store.ts";

export type Held = ReadonlyMap<string, string>;

const digest = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("base64url").slice(0, 16);

async function holdingsOf(
  store: Store,
  pod: PodId,
  name: string,
  left: readonly string[],
): Promise<[string, string][]> {
  const held: [string, string][] = [];
  const blobs = new Set<string>();
  await store.read(pod, async (snapshot) => {
    for (const table of Object.keys(TABLES) as Table[]) {
      if (left.includes(table)) continue;
      for await (const { group, item, value } of snapshot.all(table)) {
        held.push([`${name} ${table} ${group} ${item}`, digest(value)]);
        if (table === "blob") blobs.add(group);
      }
    }
  });
  for (const hash of blobs) {
    const content = createHash("sha256");
    for await (const piece of store.blobs.read(pod, hash)) content.update(piece as Buffer);
    held.push([`${name} file ${hash}`, content.digest("hex")]);
  }
  for (const { number, entry } of await store.journal.read(pod, 0, 10_000))
    held.push([`${name} journal ${number}`, entry ? digest(entry) : "forgotten"]);
  return held;
}

/** @param left Tables of the server's own records that a restore empties on purpose. */
export async function heldBy(
  { store, pods }: Pick<Context, "store" | "pods">,
  left: readonly string[] = ["session"],
): Promise<Held> {
  const held = await holdingsOf(store, SERVER_POD, "server", left);
  for (const { id, name, erased } of await pods.list())
    if (erased === undefined) held.push(...(await holdingsOf(store, id, name, [])));
  return new Map(held);
}

/** What differs, in words. */
export function differences(before: Held, after: Held): readonly string[] {
  return [
    ...[...before].flatMap(([what, is]) =>
      after.get(what) === is ? [] : [`${what} ${after.has(what) ? "differs" : "is missing"}`],
    ),
    ...[...after.keys()].filter((what) => !before.has(what)).map((what) => `${what} is new`),
  ];
}
