/** kill -9 in the middle of work: whatever was acknowledged is there afterwards, and nothing has to be repaired. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn, temporaryFolder } from "../support/store.ts";

const KILLS = 20;
const WRITERS = 16;

interface Ack {
  readonly kind: "record" | "blob" | "erased";
  readonly pod: PodId;
  readonly name: string;
  readonly version: number;
}

/** Runs the writers until the kill; @returns what they were told is safe. */
async function workUntilKilled(folder: string, round: number, ms: number): Promise<Ack[]> {
  const script = new URL("./kill-child.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [script, folder, String(round), String(WRITERS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acks: Ack[] = [];
  if (!child.stdout) throw new Error("the child has no output");
  const lines = createInterface({ input: child.stdout });
  let timer: NodeJS.Timeout | undefined;
  lines.on("line", (line) => {
    if (line === "ready") timer = setTimeout(() => child.kill("SIGKILL"), ms);
    else acks.push(JSON.parse(line) as Ack);
  });
  const [[, signal]] = await Promise.all([once(child, "exit"), once(lines, "close")]);
  clearTimeout(timer);
  expect(signal, "the child did not end by itself").to.equal("SIGKILL");
  return acks;
}

async function missing(store: Store, acks: readonly Ack[]): Promise<string[]> {
  const lost: string[] = [];
  const erased = new Set(acks.filter(({ kind }) => kind === "erased").map(({ pod }) => pod));
  for (const { kind, pod, name, version } of acks) {
    if (erased.has(pod)) continue;
    const entry = await store.read(pod, (snapshot) =>
      snapshot.get(kind === "blob" ? "blob" : "body", name, ""),
    );
    // A later write, acknowledged or not, may have gone over it.
    if (!entry || entry.version < version) lost.push(`${kind} ${name}`);
    else if (kind === "blob") for await (const _ of store.blobs.read(pod, name));
    else if (!Buffer.from(entry.value).toString().startsWith(`${name} `)) lost.push(`${name} is another's`);
  }
  for (const pod of erased) {
    const code = await store
      .read(pod, async () => "still there")
      .catch((error: { code: string }) => error.code);
    if (code !== "not-found") lost.push(`erased ${pod} is ${code}`);
  }
  return lost;
}

describe("killed in the middle of work", function () {
  this.timeout(120_000);

  it(`${KILLS} times, no acknowledged write is lost`, async () => {
    const { folder, ...temporary } = await temporaryFolder();
    const acks: Ack[] = [];
    for (let round = 0; round < KILLS; round++) {
      const ms = 5 + Math.floor((295 * ((round * 7919) % KILLS)) / KILLS);
      const fresh = await workUntilKilled(folder, round, ms);
      acks.push(...fresh);
      const store = await openStoreIn(folder);
      expect(await missing(store, fresh), `after kill ${round} at ${ms} ms`).to.deep.equal([]);
      await store.close();
    }
    const store = await openStoreIn(folder);
    expect(await missing(store, acks)).to.deep.equal([]);
    await store.close();
    expect(readdirSync(join(folder, "blobs", "drafts")), "half-written files").to.deep.equal([]);
    expect(acks.filter(({ kind }) => kind === "record").length).to.be.greaterThan(1_000);
    expect(acks.filter(({ kind }) => kind === "blob").length).to.be.greaterThan(10);
    expect(acks.filter(({ kind }) => kind === "erased").length).to.be.greaterThan(3);
    await temporary.remove();
  });
});
