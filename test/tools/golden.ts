/**
 * Makes a small store of the present format, to be committed: later versions must open it (test/store/golden.test.ts).
 * Run by hand, once per format: `node test/tools/golden.ts test/golden/2`
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { WebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { createPods } from "../../server/store/pods.ts";
import { encodeDocument, encodeRecord } from "../../server/store/record.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import { listeningLog } from "../support/store.ts";

const FAR = { bytes: Number.MAX_SAFE_INTEGER, resources: Number.MAX_SAFE_INTEGER };
const TIME = Date.UTC(2026, 0, 1);

const folder = process.argv[2];
if (!folder || existsSync(folder)) throw new Error("name a folder that is not there yet");

const store = await openSqliteStore({
  folder,
  rootKeyFile: join(folder, "root.key"),
  limits: { ...LIMITS, diskReserveBytes: 4_096 },
  log: listeningLog([]),
  now: () => new Date(TIME),
});
const pod = await createPods(store, () => new Date(TIME)).create(
  "ana",
  "https://ana.example/card#me" as WebId,
);

/** A document with its row in the listing, its access list, and an entry of the journal. */
async function document(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const at = path.lastIndexOf("/") + 1;
  await store.write(pod.id, async (transaction) => {
    const record = {
      kind: "rdf",
      contentType: "text/turtle",
      bytes: bytes.length,
      created: TIME,
      modified: TIME,
    };
    transaction.put("resource", path.slice(0, at), path.slice(at), encodeRecord(record));
    transaction.put("body", path, "", bytes);
    transaction.put(
      "auxiliary",
      path,
      "acl",
      encodeDocument({ contentType: "text/turtle", modified: TIME, bytes }),
    );
    transaction.record(Buffer.from(JSON.stringify({ act: "write", path })));
    transaction.use({ bytes: 2 * bytes.length, resources: 1 }, FAR);
  });
}

for (let number = 1; number <= 8; number++)
  await document(`/ana/notes/${number}.ttl`, `<> <urn:title> "Note ${number}".`);
const { hash, bytes } = await store.blobs.write(
  pod.id,
  [Buffer.alloc(300_000, "large ")] as unknown as AsyncIterable<Uint8Array>,
  1_000_000,
);
await store.write(pod.id, async (transaction) => {
  const record = {
    kind: "binary",
    contentType: "image/png",
    bytes,
    created: TIME,
    modified: TIME,
    blob: hash,
  };
  transaction.put("resource", "/ana/photos/", "large.bin", encodeRecord(record));
  transaction.put("blob", hash, "/ana/photos/large.bin", new Uint8Array());
  transaction.put("version", "/ana/notes/1.ttl", "1", Buffer.from('<> <urn:title> "Note one".'));
  transaction.record(Buffer.from(JSON.stringify({ act: "write", path: "/ana/photos/large.bin" })));
  transaction.use({ bytes, resources: 1 }, FAR);
});
await store.rekey(pod.id); // So that it has a second version of its content key.
await document("/ana/notes/last.ttl", '<> <urn:title> "After the rekey".');
await store.journal.forget(pod.id, [3]);
await store.close();
for (const name of ["lock.db", "reserve"]) rmSync(join(folder, name), { force: true });
