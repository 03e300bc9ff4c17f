/** The process that `rekey-kill.test.ts` kills: it gives a pod one new key after the other, and writes meanwhile. */
import { writeSync } from "node:fs";
import type { PodId } from "../../server/store/store.ts";
import { openPostgresIn, openStoreIn } from "../support/store.ts";

const [folder, pod, round, database] = process.argv.slice(2) as [string, PodId, string, string?];

function say(line: unknown): void {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(line)}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error; // A busy listener has not emptied the pipe yet.
    }
  }
}

const store = await (database ? openPostgresIn(database, folder) : openStoreIn(folder));

async function rekeys(): Promise<void> {
  for (;;) {
    await store.rekey(pod);
    say({ kind: "rekeyed" });
  }
}

async function records(writer: number): Promise<void> {
  for (let number = 0; ; number++) {
    const name = `/${round}/${writer}/${number % 20}`;
    await store.write(pod, async (transaction) => {
      transaction.put("body", name, "", Buffer.from(`${name} ${number}`));
      transaction.record(Buffer.from(name));
    });
    say({ kind: "record", name, number });
  }
}

async function blobs(): Promise<void> {
  for (let number = 0; ; number++) {
    const text = `${round} ${number} `.repeat(2_000);
    const content = [Buffer.from(text)] as unknown as AsyncIterable<Uint8Array>;
    const { hash } = await store.blobs.write(pod, content, 1_000_000);
    await store.write(pod, async (transaction) => transaction.put("blob", hash, "/x", new Uint8Array()));
    say({ kind: "blob", name: hash, number });
  }
}

async function roots(): Promise<void> {
  for (;;) {
    await store.rotateRootKey();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

say({ kind: "ready" });
await Promise.all([rekeys(), records(0), records(1), blobs(), ...(database ? [] : [roots()])]);
