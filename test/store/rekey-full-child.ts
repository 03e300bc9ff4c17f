/** In a small disk of its own (see `rekey-full.test.ts`): fills it, gives a pod a new key, and says how that went. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn } from "../support/store.ts";

const [disk] = process.argv.slice(2) as [string];
const folder = join(disk, "data");
const limits = { diskReserveBytes: 16 * 1024 * 1024 };

function fill(file: string): void {
  const handle = openSync(file, "w");
  try {
    for (;;) writeSync(handle, Buffer.alloc(4_096, "ballast "));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(handle);
  }
}

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(() => "answered").catch((error: Error & { code?: string }) => error.code ?? error.message);

async function whatIsThere(store: Store, pod: PodId): Promise<string> {
  let [records, bytes] = [0, 0];
  await store.read(pod, async (snapshot) => {
    for await (const { value } of snapshot.all("body")) {
      records++;
      bytes += value.length;
    }
    for await (const { group } of snapshot.all("blob"))
      for await (const part of store.blobs.read(pod, group)) bytes += (part as Uint8Array).length;
  });
  return `${records} records, ${bytes} bytes`;
}

let store = await openStoreIn(folder, { limits });
const pod = await store.createPod();
for (let batch = 0; batch < 10; batch++)
  await store.write(pod, async (transaction) => {
    for (let number = 0; number < 500; number++)
      transaction.put("body", `/${batch}/${number}`, "", Buffer.alloc(3_000, number));
    transaction.record(Buffer.from(`batch ${batch}`));
  });
for (let number = 0; number < 5; number++) {
  const content = [Buffer.alloc(300_000, number)] as unknown as AsyncIterable<Uint8Array>;
  const { hash } = await store.blobs.write(pod, content, 1_000_000);
  await store.write(pod, async (transaction) => transaction.put("blob", hash, "/x", new Uint8Array()));
}
const before = await whatIsThere(store, pod);
fill(join(disk, "ballast"));
const write = (): Promise<string> =>
  codeOf(
    store.write(pod, async (transaction) => {
      for (let number = 0; number < 100; number++)
        transaction.put("body", `/large/${number}`, "", Buffer.alloc(200_000, "large"));
    }),
  );
const refused = await write();
const rekeyed = await codeOf(store.rekey(pod));
const after = await whatIsThere(store, pod);
rmSync(join(disk, "ballast"));
await store.close();
store = await openStoreIn(folder, { limits });
const reopened = await whatIsThere(store, pod);
await store.close();
writeSync(1, JSON.stringify({ before, refused, rekeyed, after, reopened }));
