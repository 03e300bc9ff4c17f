/** Micro benchmark of the embedded store: `node test/bench/store.ts`. Figures of one machine, one moment: compare ratios. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { temporaryFolder } from "../support/store.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function show(
  name: string,
  count: number,
  started: { time: bigint; cpu: NodeJS.CpuUsage },
  unit = "op",
): void {
  const wall = Number(process.hrtime.bigint() - started.time) / 1000;
  const { user, system } = process.cpuUsage(started.cpu);
  const rate = Math.round((count / wall) * 1e6);
  print(
    `${name.padEnd(44)} ${(wall / count).toFixed(2).padStart(9)} µs/${unit} ${String(rate).padStart(9)} /s ${((user + system) / count).toFixed(1).padStart(8)} µs CPU`,
  );
}
const start = (): { time: bigint; cpu: NodeJS.CpuUsage } => ({
  time: process.hrtime.bigint(),
  cpu: process.cpuUsage(),
});

async function reads(store: Store, pod: PodId, suffix = ""): Promise<void> {
  const times = 200_000;
  const three = (): Promise<unknown> =>
    store.read(pod, async (snapshot) => {
      await snapshot.get("resource", "/ana/notes/", "n1.ttl");
      await snapshot.get("auxiliary", "/ana/notes/n1.ttl", "acl");
      return snapshot.get("body", "/ana/notes/n1.ttl", "");
    });
  for (let n = 0; n < 20_000; n++) await three();
  let begun = start();
  for (let n = 0; n < times; n++) await three();
  show(`cached read() with 3 gets${suffix}`, times, begun);
  begun = start();
  for (let n = 0; n < times; n++) await store.read(pod, async () => null);
  show(`read() with nothing in it${suffix}`, times, begun);
  await store.read(pod, async (snapshot) => {
    const inside = start();
    for (let n = 0; n < times; n++) await snapshot.get("body", "/ana/notes/n1.ttl", "");
    show(`cached get${suffix}`, times, inside);
  });
}

async function puts(store: Store, pod: PodId, writers: number, kind: "new" | "over"): Promise<void> {
  const value = randomBytes(1024);
  const until = Date.now() + 3_000;
  const begun = start();
  let count = 0;
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; Date.now() < until; n++) {
        const path = `/ana/${kind}/${writer}-${kind === "new" ? `${Date.now()}-${n}` : n % 16}.ttl`;
        await store.write(pod, async (transaction) => {
          await transaction.get("body", path, "");
          transaction.put("body", path, "", value);
        });
        count++;
      }
    }),
  );
  show(`durable puts of 1 KB, ${kind}, ${writers} writers`, count, begun);
}

async function list(store: Store, pod: PodId): Promise<void> {
  const members = 10_000;
  for (let from = 0; from < members; from += 1_000) {
    await store.write(pod, async (transaction) => {
      for (let n = from; n < from + 1_000; n++)
        transaction.put("resource", "/ana/big/", `m${n}.ttl`, randomBytes(150));
    });
  }
  for (const name of ["list of 10,000, first", "list of 10,000, cached"]) {
    const begun = start();
    await store.read(pod, async (snapshot) => {
      for await (const _ of snapshot.list("resource", "/ana/big/"));
    });
    show(name, 1, begun);
  }
}

async function blobs(store: Store, pod: PodId, mib: number): Promise<void> {
  const chunk = randomBytes(64 * 1024);
  const size = mib * 1024 * 1024;
  async function* content(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < size; sent += chunk.length) yield chunk;
  }
  const times = Math.max(1, Math.round(400 / mib));
  let begun = process.hrtime.bigint();
  let hash = "";
  for (let n = 0; n < times; n++) ({ hash } = await store.blobs.write(pod, content(), size));
  const seconds = (): number => Number(process.hrtime.bigint() - begun) / 1e9;
  const rate = (): string => `${Math.round((size * times) / 1e6 / seconds())} MB/s`;
  print(`blob write, ${mib} MiB`.padEnd(44) + rate());
  begun = process.hrtime.bigint();
  for (let n = 0; n < times; n++) for await (const _ of store.blobs.read(pod, hash));
  print(`blob read, ${mib} MiB`.padEnd(44) + rate());
}

async function main(): Promise<void> {
  const temporary = await temporaryFolder();
  const { folder } = temporary;
  const log = createLog(
    () => {},
    () => new Date(),
  );
  const open = (): Promise<Store> =>
    openSqliteStore({
      folder,
      rootKeyFile: join(folder, "root.key"),
      limits: LIMITS,
      log,
      now: () => new Date(),
    });
  let store = await open();
  const pod = await store.createPod();
  await store.write(pod, async (transaction) => {
    transaction.put("resource", "/ana/notes/", "n1.ttl", randomBytes(200));
    transaction.put("body", "/ana/notes/n1.ttl", "", randomBytes(1024));
  });
  await reads(store, pod);
  await list(store, pod);
  for (const writers of [1, 16, 64])
    for (const kind of ["new", "over"] as const) await puts(store, pod, writers, kind);
  await blobs(store, pod, 10);
  await blobs(store, pod, 100);
  await store.close();

  const begun = start();
  store = await open();
  show("open", 1, begun);
  const cold = start();
  await store.read(pod, async (snapshot) => {
    for (let n = 0; n < 10_000; n++) await snapshot.get("resource", "/ana/big/", `m${n}.ttl`);
  });
  show("uncached get, one snapshot", 10_000, cold);
  const first = start();
  await store.read(pod, async (snapshot) => {
    for await (const _ of snapshot.list("resource", "/ana/big/"));
  });
  show("list of 10,000, records known", 1, first);
  print(`memory: ${Math.round(process.memoryUsage.rss() / 1e6)} MB resident`);
  await store.close();
  await temporary.remove();
}

await main();
