/**
 * How long storage keeps the event loop, while everything goes on at once. Three figures for each kind of load: the longest
 * single call into SQLite on the main thread; the longest turn by the main thread's own processor time, whatever filled it
 * (sealing, but also collecting garbage, and this bench); and the longest delay by the clock, in which everything else
 * that the machine does shows as well: so the first two have a goal.
 */
import { randomBytes } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { StatementSync } from "node:sqlite";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../server/errors.ts";
import { encodeRecord } from "../../server/store/record.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { temporaryFolder } from "../support/store.ts";
import type { Figure } from "./scale.ts";
import { openBenchStore } from "./scale-store.ts";

const BIG = "/ana/big/";
const LARGE_BYTES = 4 * 1024 * 1024; // The largest document (`rdfBytesMax`).
const PACED_PER_TICK = 8;
const TICK_MS = 4;

async function fill(store: Store, pod: PodId, members: number): Promise<void> {
  const record = encodeRecord({
    kind: "rdf",
    contentType: "text/turtle",
    bytes: 123,
    created: 1,
    modified: 1,
  });
  for (let from = 0; from < members; from += 2_000) {
    await store.write(pod, async (transaction) => {
      for (let n = from; n < from + 2_000; n++) transaction.put("resource", BIG, `m${n}.ttl`, record);
    });
  }
}

/** Times every call into SQLite on this thread. @returns the longest since it was asked last, in milliseconds. */
function watchCalls(): () => number {
  let longest = 0;
  for (const name of ["get", "all", "run"] as const) {
    const original = StatementSync.prototype[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(StatementSync.prototype, name, {
      value(this: StatementSync, ...args: unknown[]): unknown {
        const started = performance.now();
        try {
          return original.apply(this, args);
        } finally {
          longest = Math.max(longest, performance.now() - started);
        }
      },
    });
  }
  return () => {
    const found = longest;
    longest = 0;
    return found;
  };
}

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Turn by turn. @returns ends it, and says what the longest took of the processor, in milliseconds. */
function watchTurns(): () => number {
  let longest = 0;
  let before = cpuMs();
  let isOver = false;
  function look(): void {
    const now = cpuMs();
    longest = Math.max(longest, now - before);
    before = now;
    if (!isOver) setTimeout(look, 1);
  }
  look();
  return () => {
    isOver = true;
    return longest;
  };
}

type Load = readonly [string, (store: Store, pod: PodId) => Promise<unknown>];

const LOADS: readonly Load[] = [
  ["nothing but the writes", () => sleep(2_000)],
  [
    "a listing of all members",
    (store, pod) =>
      store.read(pod, async (snapshot) => {
        for await (const _ of snapshot.list("resource", BIG));
      }),
  ],
  [
    "all records of a table",
    (store, pod) =>
      store.read(pod, async (snapshot) => {
        for await (const _ of snapshot.all("resource"));
      }),
  ],
  [
    "pages of 1,000",
    async (store, pod) => {
      for (let after: string | null = null, pages = 0; pages < 50; pages++) {
        const from: string | null = after;
        ({ next: after } = await store.read(pod, (snapshot) => snapshot.page("resource", BIG, from, 1_000)));
        if (after === null) break;
      }
    },
  ],
  [
    "a transaction that asks whether the folder is empty",
    (store, pod) =>
      store
        .write(pod, async (transaction) => {
          for await (const _ of transaction.list("resource", BIG)) throw new Problem("container-not-empty");
        })
        .catch(() => {}),
  ],
  [
    "a transaction of 10,000 puts",
    async (store, pod) => {
      for (let round = 0; round < 5; round++)
        await store.write(pod, async (transaction) => {
          for (let n = 0; n < 10_000; n++) {
            transaction.put("setting", "many", `${n}`, randomBytes(200));
            if (n % 100 === 0) await nextTurn(); // Whoever makes them takes turns as well.
          }
        });
    },
  ],
  [
    "documents of 4 MiB, written and read cold",
    async (store, pod) => {
      const value = randomBytes(LARGE_BYTES);
      for (let n = 0; n < 20; n++)
        await store.write(pod, async (transaction) => transaction.put("body", `/ana/large-${n}`, "", value));
      for (let n = 0; n < 20; n++)
        await store.read(pod, (snapshot) => snapshot.get("body", `/ana/large-${n}`, ""));
    },
  ],
  [
    "files of 100 MiB, uploaded and read",
    async (store, pod) => {
      const chunk = randomBytes(64 * 1024);
      async function* content(): AsyncGenerator<Uint8Array> {
        for (let sent = 0; sent < 1_600; sent++) {
          yield chunk;
          if (sent % 8 === 0) await nextTurn(); // As they come from a socket.
        }
      }
      const { hash } = await store.blobs.write(pod, content(), 200 * 1024 * 1024);
      for await (const _ of store.blobs.read(pod, hash));
    },
  ],
];

/** With writes going on all the while. */
export async function measureLoop(isSmall: boolean): Promise<readonly Figure[]> {
  const temporary = await temporaryFolder();
  const store = await openBenchStore(temporary.folder);
  const value = randomBytes(1_024);
  const longestCall = watchCalls();
  let isOver = false;
  try {
    const pod = await store.createPod();
    await fill(store, pod, isSmall ? 20_000 : 200_000);
    const writes = (async () => {
      const running = new Set<Promise<unknown>>();
      // oxlint-disable-next-line no-unmodified-loop-condition -- at the end of all loads
      for (let n = 0; !isOver; ) {
        for (let k = 0; k < PACED_PER_TICK; k++, n++) {
          const write = store.write(pod, async (transaction) =>
            transaction.put("body", `/ana/w${n}`, "", value),
          );
          running.add(write);
          void write.finally(() => running.delete(write));
        }
        await sleep(TICK_MS);
      }
      await Promise.all(running);
    })();
    const figures: Figure[] = [];
    for (const [name, load] of LOADS) {
      await sleep(200);
      const delay = monitorEventLoopDelay({ resolution: 1 });
      const endTurns = watchTurns();
      longestCall();
      delay.enable();
      await load(store, pod);
      await sleep(20);
      delay.disable();
      figures.push(
        { what: `${name}: longest call`, value: longestCall(), unit: "ms", most: 20 },
        { what: `${name}: longest turn`, value: endTurns(), unit: "ms CPU", most: 20 },
        { what: `${name}: longest delay, 99 % below`, value: delay.percentile(99) / 1e6, unit: "ms" },
        { what: `${name}: longest delay`, value: delay.max / 1e6, unit: "ms" },
      );
    }
    isOver = true;
    await writes;
    return figures;
  } finally {
    isOver = true;
    await store.close();
    await temporary.remove();
  }
}
