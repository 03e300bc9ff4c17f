/** Stores of earlier versions, committed as they were: this version opens them and finds everything. */

import { hash } from "node:crypto";
import { chmodSync, cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createPods } from "../../server/store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../../server/store/record.ts";
import { type PodId, type Store, TABLES, type Table } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const GOLDEN = new URL("../golden/", import.meta.url).pathname;

function fingerprint(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file} ${hash("sha256", readFileSync(file))}`);
}

/** All records of all tables, with all files. */
async function everything(store: Store, pod: PodId): Promise<string[]> {
  const found: string[] = [];
  const blobs = new Set<string>();
  await store.read(pod, async (snapshot) => {
    for (const table of Object.keys(TABLES) as Table[]) {
      for await (const { group, item, version, value } of snapshot.all(table)) {
        found.push(`${table} ${group} ${item} ${version} ${Buffer.from(value).toString("hex")}`);
        if (table === "blob") blobs.add(group);
      }
    }
  });
  for (const name of blobs) {
    const parts: Uint8Array[] = [];
    for await (const part of store.blobs.read(pod, name)) parts.push(part as Uint8Array);
    found.push(`file ${name} ${Buffer.concat(parts).length}`);
  }
  for (const { number, entry } of await store.journal.read(pod, 0, 1_000))
    found.push(`entry ${number} ${entry && Buffer.from(entry).toString()}`);
  return found.sort();
}

describe("a store of an earlier version", () => {
  for (const name of readdirSync(GOLDEN).sort()) {
    describe(`golden/${name}`, () => {
      let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
      let folder: string;
      const before = fingerprint(join(GOLDEN, name));
      beforeEach(async () => {
        temporary = await temporaryFolder();
        folder = join(temporary.folder, "data");
        cpSync(join(GOLDEN, name), folder, { recursive: true });
        chmodSync(join(folder, "root.key"), 0o600); // Version control keeps no such bits.
      });
      afterEach(async () => {
        expect(fingerprint(join(GOLDEN, name)), "the committed files").to.deep.equal(before);
        await temporary.remove();
      });

      it("is opened, read to the last byte, written to, rekeyed, and opened again", async () => {
        const events: string[] = [];
        let store = await openStoreIn(folder, {}, events);
        const ana = await createPods(store, () => new Date()).find("ana");
        expect(ana?.name).to.equal("ana");
        const pod = ana?.id as PodId;
        const found = await everything(store, pod);
        const photo = await store.read(pod, (snapshot) =>
          snapshot.get("resource", "/ana/photos/", "large.bin"),
        );
        const record = photo && decodeRecord<ResourceRecord>(photo);
        expect(record?.bytes).to.equal(300_000);
        expect(found).to.include(`file ${record?.blob} 300000`);
        expect(found.filter((line) => line.startsWith("body ")).length, "documents").to.be.greaterThan(1);
        expect((await store.journal.verify(pod, [])).faults).to.deep.equal([]);

        await store.rekey(pod);
        expect(await everything(store, pod), "after a rekey").to.deep.equal(found);
        await store.write(pod, async (transaction) =>
          transaction.put("setting", "", "new", Buffer.from("new")),
        );
        const again = await store.blobs.write(
          pod,
          [Buffer.from("another file")] as unknown as AsyncIterable<Uint8Array>,
          100,
        );
        await store.write(pod, async (transaction) =>
          transaction.put("blob", again.hash, "/x", new Uint8Array()),
        );
        await store.rotateRootKey();
        const written = await everything(store, pod);
        expect(written.length).to.equal(found.length + 3);
        await store.close();

        store = await openStoreIn(folder, {}, events);
        expect(await everything(store, pod)).to.deep.equal(written);
        await store.close();
        expect(events).to.deep.equal([]);
      });

      it("finds equal files by their old names", async () => {
        const store = await openStoreIn(folder);
        const pod = (await createPods(store, () => new Date()).find("ana"))?.id as PodId;
        const photo = await store.read(pod, (snapshot) =>
          snapshot.get("resource", "/ana/photos/", "large.bin"),
        );
        const name = photo && decodeRecord<ResourceRecord>(photo).blob;
        const parts: Uint8Array[] = [];
        for await (const part of store.blobs.read(pod, String(name))) parts.push(part as Uint8Array);
        const uploaded = await store.blobs.write(
          pod,
          parts as unknown as AsyncIterable<Uint8Array>,
          1_000_000,
        );
        expect(uploaded.hash).to.equal(name);
        await store.close();
      });
    });
  }
});
