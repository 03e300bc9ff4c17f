/** A copy is one moment of the store, sealed; loaded into another it is the same store again. Long, for all of it needs the same stores. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { StoreRefused } from "../../server/store/refused.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import {
  type Copy,
  type PodId,
  SERVER_POD,
  type Store,
  type StoredBlob,
  type StoredRow,
} from "../../server/store/store.ts";
import { listeningLog, temporaryFolder } from "../support/store.ts";

const FAR = { bytes: Number.MAX_SAFE_INTEGER, resources: Number.MAX_SAFE_INTEGER };

const ENGINES = ["memory", "sqlite"] as const;

/** A copy kept in memory, as a backup keeps it on disk. */
interface Kept extends Copy {
  readonly all: readonly StoredRow[];
}

/** @param onRow Told of each row. */
async function keep(
  store: Store,
  pods: readonly PodId[] | null = null,
  onRow: () => void = () => {},
): Promise<Kept> {
  return store.copy(pods, async (copy) => {
    const all: StoredRow[] = [];
    for await (const row of copy.rows()) {
      all.push(row);
      onRow();
    }
    const blobs: StoredBlob[] = [];
    for await (const blob of copy.blobs()) {
      const { pod, hash, bytes } = blob;
      const parts: Uint8Array[] = [];
      for await (const part of blob.content()) parts.push(part);
      expect(parts.reduce((sum, part) => sum + part.length, 0)).to.equal(bytes);
      blobs.push({
        pod,
        hash,
        bytes,
        async *content() {
          yield* parts;
        },
      });
    }
    return {
      storeId: copy.storeId,
      pods: copy.pods,
      all,
      async *rows() {
        yield* all;
      },
      async *blobs() {
        yield* blobs;
      },
    };
  });
}

async function upload(store: Store, pod: PodId, text: string): Promise<string> {
  const content = [Buffer.from(text)] as unknown as AsyncIterable<Uint8Array>;
  const { hash } = await store.blobs.write(pod, content, 10_000_000);
  await store.write(pod, async (transaction) => {
    for (const path of ["/one", "/two"]) transaction.put("blob", hash, path, new Uint8Array());
  });
  return hash;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function everything(store: Store, pod: PodId): Promise<unknown> {
  const found: string[] = [];
  const generation = await store.read(pod, async (snapshot) => {
    for (const table of ["resource", "blob", "setting"] as const)
      for await (const { group, item, version, value } of snapshot.all(table))
        found.push(`${table} ${group} ${item} ${version} ${Buffer.from(value).toString()}`);
    return snapshot.generation;
  });
  const blobs: string[] = [];
  for (const line of found.filter((name) => name.startsWith("blob ")))
    blobs.push(await textOf(store.blobs.read(pod, line.split(" ")[1] as string)));
  const journal = (await store.journal.read(pod, 0, 10_000)).map(
    ({ number, leaf, entry }) =>
      `${number} ${Buffer.from(leaf).toString("hex")} ${entry && Buffer.from(entry).toString()}`,
  );
  const { number, hash } = await store.journal.head(pod);
  return {
    generation,
    found: found.sort(),
    blobs: blobs.sort(),
    journal,
    head: `${number} ${Buffer.from(hash).toString("hex")}`,
    usage: { ...(await store.usage(pod)) },
    faults: (await store.journal.verify(pod, [])).faults,
  };
}

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(() => "answered").catch((error: Error & { code?: string }) => error.code ?? error.message);

for (const engine of ENGINES) {
  describe(`copies of the ${engine} engine`, () => {
    let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
    let store: Store;
    let ana: PodId;
    let ben: PodId;
    const events: string[] = [];
    const root = Buffer.alloc(32, 5);
    const opened: Store[] = [];
    let folders = 0;

    /** A store with the same root key, and with this keyring if it is given. */
    async function openAnother(kind: (typeof ENGINES)[number], keyring?: Uint8Array): Promise<Store> {
      let other: Store;
      if (kind === "memory") other = createMemoryStore(keyring ? { keys: { root, keyring } } : {});
      else {
        other = await openSqliteStore({
          folder: join(temporary.folder, `${folders++}`),
          rootKeyFile: join(temporary.folder, "root.key"),
          limits: { ...LIMITS, diskReserveBytes: 4_096 },
          log: listeningLog(events),
          now: () => new Date(),
          ...(keyring ? { keyring } : {}),
        });
      }
      opened.push(other);
      return other;
    }

    beforeEach(async () => {
      temporary = await temporaryFolder();
      writeFileSync(join(temporary.folder, "root.key"), root, { mode: 0o600 });
      events.length = 0;
      store = await openAnother(engine, engine === "memory" ? await firstKeyring() : undefined);
      [ana, ben] = [await store.createPod(), await store.createPod()];
      for (const pod of [ana, ben, SERVER_POD]) {
        for (let number = 0; number < 300; number++) {
          await store.write(pod, async (transaction) => {
            transaction.put("resource", `/${number % 3}/`, `${number}`, Buffer.from(`${number} of ${pod}`));
            transaction.record(Buffer.from(`wrote ${number}`));
            transaction.use({ bytes: 10, resources: 1 }, FAR);
          });
        }
        await upload(store, pod, `picture of ${pod} `.repeat(30_000));
        await upload(store, pod, "");
      }
      await store.journal.forget(ana, [1, 2, 150]);
      await store.write(ana, async (transaction) => transaction.delete("resource", "/0/", "0"));
    });
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
      await temporary.remove();
    });

    /** A keyring that the root key of this test opens, from a store that was nothing but made. */
    async function firstKeyring(): Promise<Uint8Array> {
      const made = await openAnother("sqlite");
      return made.keyring();
    }

    for (const other of ENGINES) {
      it(`loaded into an empty store (${other}) are the same to all who look`, async () => {
        const copy = await keep(store);
        expect(new Set(copy.pods)).to.deep.equal(new Set([SERVER_POD, ana, ben]));
        const restored = await openAnother(other, await store.keyring());
        const loaded = await restored.load(copy);
        expect({ pods: loaded.pods, blobs: loaded.blobs, left: loaded.left }).to.deep.equal({
          pods: 3,
          blobs: 6,
          left: [],
        });
        expect(loaded.rows).to.equal(copy.all.length - 3);
        for (const pod of [SERVER_POD, ana, ben]) {
          const before = await everything(store, pod);
          expect(await everything(restored, pod)).to.deep.equal(before);
          expect((before as { faults: unknown[] }).faults).to.deep.equal([]);
        }
        const { generation } = await restored.write(ana, async (transaction) => {
          transaction.put("resource", "/0/", "new", Buffer.from("new"));
          transaction.record(Buffer.from("after"));
        });
        expect(generation).to.equal(
          ((await everything(store, ana)) as { generation: number }).generation + 1,
        );
        expect((await restored.journal.verify(ana, [await store.journal.head(ana)])).faults).to.deep.equal(
          [],
        );
      });
    }

    it("say nothing without the keyring", async () => {
      const copy = await keep(store);
      const bytes = Buffer.concat(
        copy.all.flatMap((row) => (row.kind === "pod" || !row.sealed ? [] : [row.sealed])),
      );
      expect(bytes.length).to.be.greaterThan(10_000);
      expect(bytes.includes(" of "), "a value").to.equal(false);
      expect(bytes.includes("wrote"), "an entry").to.equal(false);
      for await (const blob of copy.blobs())
        expect((await textOf(blob.content())).includes("picture")).to.equal(false);
    });

    it("take the place of what a pod holds, and of nothing else; versions never go back", async () => {
      const copy = await keep(store, [ana]);
      const before = (await everything(store, ana)) as Record<string, unknown>;
      const benBefore = await everything(store, ben);
      await store.write(ana, async (transaction) => {
        transaction.put("resource", "/0/", "later", Buffer.from("later"));
        transaction.delete("resource", "/1/", "1");
        transaction.record(Buffer.from("later"));
      });
      await upload(store, ana, "later");
      const { generation } = (await everything(store, ana)) as { generation: number };
      expect((await store.load(copy)).pods).to.equal(1);
      const after = (await everything(store, ana)) as Record<string, unknown>;
      expect({ ...after, generation: 0 }).to.deep.equal({ ...before, generation: 0 });
      expect(after.generation).to.equal(generation + 1);
      expect(await everything(store, ben)).to.deep.equal(benBefore);
    });

    it("of an erased pod stay erased, and the others are loaded", async () => {
      const copy = await keep(store);
      await store.erasePod(ana);
      const loaded = await store.load(copy);
      expect(loaded.left).to.deep.equal([ana]);
      expect(loaded.pods).to.equal(2);
      expect(await codeOf(everything(store, ana))).to.equal("not-found");
      const restored = await openAnother("sqlite", await store.keyring());
      expect((await restored.load(copy)).left).to.deep.equal([ana]);
      expect(await codeOf(everything(restored, ana))).to.equal("not-found");
      expect(await everything(restored, ben)).to.deep.equal({
        ...((await everything(store, ben)) as object),
        generation: ((await everything(restored, ben)) as { generation: number }).generation,
      });
    });

    it("from before a rekey are left out: their key is destroyed", async () => {
      const copy = await keep(store, [ana, ben]);
      await store.rekey(ana);
      const before = await everything(store, ana);
      expect((await store.load(copy)).left).to.deep.equal([ana]);
      expect(await everything(store, ana)).to.deep.equal(before);
    });

    it("of another store are refused, and change nothing", async () => {
      const copy = await keep(store);
      const stranger = createMemoryStore();
      const refused = await stranger.load(copy).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(StoreRefused);
      expect(await codeOf(everything(stranger, ana))).to.equal("not-found");
    });

    it("of pods that are not there are not found", async () => {
      expect(await codeOf(keep(store, [ana, "ab".repeat(16) as PodId]))).to.equal("not-found");
    });

    it("are of one moment, while writes go on", async () => {
      const state = { isDone: false, writes: 0 };
      const writer = async (number: number): Promise<void> => {
        while (!state.isDone) {
          await store.write(ana, async (transaction) => {
            const [from, to] = [
              await transaction.get("setting", "sum", `a${number}`),
              await transaction.get("setting", "sum", `b${number}`),
            ];
            const amount = Number(Buffer.from(from?.value ?? Buffer.from("0")).toString());
            const other = Number(Buffer.from(to?.value ?? Buffer.from("0")).toString());
            transaction.put("setting", "sum", `a${number}`, Buffer.from(String(amount - 1)));
            transaction.put("setting", "sum", `b${number}`, Buffer.from(String(other + 1)));
            transaction.record(Buffer.from(`moved ${number}`));
            transaction.use({ bytes: 0, resources: 1 }, FAR);
          });
          state.writes++;
          if (engine === "memory") await nextTurn();
        }
      };
      const writing = Promise.all(Array.from({ length: 16 }, (_, number) => writer(number)));
      const copies: Kept[] = [];
      while (copies.length < 5 || state.writes < 200) copies.push(await keep(store));
      state.isDone = true;
      await writing;
      for (const copy of copies) {
        const own = copy.all.find((row) => row.kind === "pod" && row.pod === ana) as StoredRow & {
          kind: "pod";
        };
        const entries = copy.all.filter((row) => row.kind === "journal" && row.pod === ana);
        expect(entries, "the head is the last entry").to.have.length(own.head.number);
        expect(own.usage.resources, "each entry used one").to.equal(own.head.number);
        const restored = await openAnother("memory", await store.keyring());
        await restored.load(copy);
        let sum = 0;
        await restored.read(ana, async (snapshot) => {
          for await (const { value } of snapshot.list("setting", "sum"))
            sum += Number(Buffer.from(value).toString());
        });
        expect(sum).to.equal(0);
        expect((await restored.journal.verify(ana, [])).faults).to.deep.equal([]);
      }
    });

    if (engine === "sqlite") {
      it("hold the files that they name: deleted and erased meanwhile, they are copied, and gone afterwards", async () => {
        const folder = join(temporary.folder, "0");
        const hash = await upload(store, ana, "soon deleted ".repeat(1_000));
        const seen = await store.copy([ana, ben], async (copy) => {
          await store.write(ana, async (transaction) => {
            for (const path of ["/one", "/two"]) transaction.delete("blob", hash, path);
          });
          await store.blobs.release(ana, hash);
          await store.erasePod(ben);
          const found: string[] = [];
          for await (const blob of copy.blobs()) {
            expect((await textOf(blob.content())).length).to.be.greaterThan(0);
            found.push(blob.hash);
          }
          return found;
        });
        expect(seen).to.include(hash);
        expect(existing(join(folder, "blobs", ana))).not.to.include(hash);
        for (let tries = 0; tries < 50 && existing(join(folder, "blobs", ben)).length > 0; tries++)
          await nextTurn();
        expect(existing(join(folder, "blobs", ben))).to.deep.equal([]);
      });

      it("cut short while they are loaded leave no half pod; loaded again they are whole", async () => {
        const copy = await keep(store);
        const broken: Copy = {
          ...copy,
          async *rows() {
            for (const [index, row] of copy.all.entries()) {
              if (index === copy.all.length - 10) throw new Error("the disk was pulled out");
              yield row;
            }
          },
        };
        const keyring = await store.keyring();
        const restored = await openAnother("sqlite", keyring);
        const folder = `${folders - 1}`;
        expect(await codeOf(restored.load(broken))).to.match(/pulled out/);
        expect(await codeOf(everything(restored, ana))).to.equal("unavailable");
        expect(await codeOf(restored.copy(null, async () => null))).to.equal("unavailable");
        await restored.close();
        opened.splice(opened.indexOf(restored), 1);
        folders = Number(folder);
        const again = await openAnother("sqlite", keyring);
        expect(await codeOf(everything(again, ana)), "after a restart too").to.equal("unavailable");
        await again.load(copy);
        for (const pod of [SERVER_POD, ana, ben])
          expect(await everything(again, pod)).to.deep.equal(await everything(store, pod));
      });

      it("take the place of a pod that is damaged, and of one whose records cannot be found there is none", async () => {
        const copy = await keep(store, [ana]);
        const before = (await everything(store, ana)) as object;
        const keyring = await store.keyring();
        const damaged = await openAnother("sqlite", keyring);
        const folder = join(temporary.folder, `${folders - 1}`);
        await damaged.load(copy);
        await damaged.close();
        const db = new DatabaseSync(join(folder, "freehold.db"));
        db.prepare(
          "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE pod_id = ? LIMIT 3)",
        ).run(Buffer.from(ana, "hex"));
        db.close();
        opened.splice(opened.indexOf(damaged), 1);
        folders--;
        const again = await openAnother("sqlite", keyring);
        expect(await codeOf(keep(again, [ana]))).to.equal("unavailable");
        expect(await codeOf(again.rekey(ana))).to.equal("unavailable");
        await again.load(copy);
        const after = (await everything(again, ana)) as { readonly generation: number };
        expect(after).to.deep.equal({ ...before, generation: after.generation });
      });

      it("keep nobody waiting: others have their turn every few hundred records", async () => {
        let isDone = false;
        let turn = 0;
        const watch = (): void => {
          turn++;
          if (!isDone) setImmediate(watch);
        };
        for (let batch = 0; batch < 10; batch++)
          await store.write(ana, async (transaction) => {
            for (let number = 0; number < 1_000; number++)
              transaction.put("resource", `/many/${batch}/`, `${number}`, Buffer.alloc(400, number));
          });
        const keyring = await store.keyring();
        setImmediate(watch);
        const inTurn = new Map<number, number>();
        const copy = await keep(store, null, () => inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1));
        isDone = true;
        expect(Math.max(...inTurn.values())).to.be.at.most(500);
        const restored = await openAnother("sqlite", keyring);
        await restored.load(copy);
        expect(await everything(restored, ana)).to.deep.equal(await everything(store, ana));
      });
    }
  });
}

function existing(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).length > 0)
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
