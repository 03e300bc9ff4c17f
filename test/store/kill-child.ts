/** The process that `kill.test.ts` kills: writers that say what was acknowledged, in lines that one write call hands over. */
import { writeSync } from "node:fs";
import { openStoreIn } from "../support/store.ts";

const [folder = "", round = "", writers = ""] = process.argv.slice(2);

function say(line: unknown): void {
  for (;;) {
    try {
      writeSync(1, `${typeof line === "string" ? line : JSON.stringify(line)}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error; // A busy listener has not emptied the pipe yet.
    }
  }
}

const store = await openStoreIn(folder);
const pod = await store.createPod();

async function records(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const name = `${round}/${writer}/${n % 40}`;
    const { generation } = await store.write(pod, async (transaction) => {
      await transaction.get("body", name, "");
      transaction.put("body", name, "", Buffer.from(`${name} ${"x".repeat(1_000)}`));
      transaction.put("stamp", `${round}/`, "", Buffer.from(String(n)));
    });
    say({ kind: "record", pod, name, version: generation });
  }
}

async function blobs(): Promise<void> {
  for (let n = 0; ; n++) {
    const { hash } = await store.blobs.write(
      pod,
      [Buffer.alloc(300_000, `${round} ${n}`)] as unknown as AsyncIterable<Uint8Array>,
      1_000_000,
    );
    const { generation } = await store.write(pod, async (transaction) =>
      transaction.put("blob", hash, "", new Uint8Array()),
    );
    say({ kind: "blob", pod, name: hash, version: generation });
  }
}

async function erasures(): Promise<void> {
  for (;;) {
    const shortLived = await store.createPod();
    await store.write(shortLived, async (transaction) => {
      for (let n = 0; n < 100; n++) transaction.put("body", `${n}`, "", Buffer.alloc(500));
    });
    await store.erasePod(shortLived);
    say({ kind: "erased", pod: shortLived, name: "", version: 0 });
  }
}

say("ready");
await Promise.all([
  ...Array.from({ length: Number(writers) }, (_, writer) => records(writer)),
  blobs(),
  erasures(),
]);
