/** The process of `broken-disk.test.ts`: fills its disk, and tells as JSON what it was answered. */
import { setTimeout } from "node:timers/promises";
import type { Problem } from "../../server/errors.ts";
import { openStoreIn } from "../support/store.ts";

const [folder = "", reserve = ""] = process.argv.slice(2);
const events: string[] = [];
const limits = { diskReserveBytes: Number(reserve) };
const store = await openStoreIn(folder, { limits }, events);
const [pod, other] = [await store.createPod(), await store.createPod()];
const answer = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "ok").catch((error: Problem) => error.code ?? String(error));

const put = (name: string): Promise<string> =>
  answer(
    store.write(pod, async (transaction) => transaction.put("body", name, "", Buffer.alloc(100_000, name))),
  );
async function* large(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < 300; n++) yield Buffer.alloc(100_000);
}

/** More than the reserve: so much room inside the database is as good as room on the disk. */
const DELETED = 130;

const writes: Record<string, number> = {};
const acknowledged: string[] = [];
for (let n = 0; n < 300; n++) {
  const told = await put(`record ${n}`);
  writes[told] = (writes[told] ?? 0) + 1;
  if (told === "ok") acknowledged.push(`record ${n}`);
}
let lost = 0;
for (const name of acknowledged)
  if (!(await store.read(pod, (snapshot) => snapshot.get("body", name, "")))) lost++;
const check = await answer(store.check());
const upload = await answer(store.blobs.write(pod, large(), 1e9));
let deletions = 0;
for (const name of acknowledged.slice(0, DELETED)) {
  const told = await answer(store.write(pod, async (transaction) => transaction.delete("body", name, "")));
  if (told === "ok") deletions++;
}
await setTimeout(1_100); // The writer looks for room once a second.
const again = await put("again");
const erasure = await answer(store.erasePod(other));
await store.close();
const reopened = await openStoreIn(folder, { limits });
const afterReopening = await answer(
  reopened.read(pod, (snapshot) => snapshot.get("body", acknowledged.at(-1) ?? "", "")),
);
await reopened.close();
process.stdout.write(
  JSON.stringify({ writes, lost, check, upload, deletions, again, erasure, afterReopening, events }),
);
