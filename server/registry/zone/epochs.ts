/**
 * A log and its map, one epoch after the other: decided, staged, locked, in tiles, cosigned, published. Knows nothing of
 * passports: whoever has changes gives keys and commitments, and the records to be written with them.
 *
 * 1. staged: all of it in the store, by compare-and-swap among the servers on one database. From here on it will happen.
 * 2. locked: this server is bound to the tree, outside backups; before that nothing of it is signed.
 * 3. tiled: the tile files are on disk.
 * 4. cosigned: the quorum of witnesses has signed.
 * 5. published: records, map and checkpoint in one transaction; only now are they seen.
 *
 * Killed between any two, the next start goes on with the same stage: the same leaves, so the same checkpoint.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { proveConsistency, type Shard } from "@freehold/client/registry";
import { OperatorError, Problem } from "../../errors.ts";
import { createTiles, type Tiles } from "../log/tiles.ts";
import type { Published } from "../port.ts";
import { createCosigning, RENEW_SECONDS } from "./cosigning.ts";
import type { EpochStep, ZoneDeps } from "./deps.ts";
import { readLeaves } from "./leaves.ts";
import { createLock, orderOf, type Tree } from "./lock.ts";
import { addPage, type BuildPage, beginProgress, NO_PROGRESS, type Progress, readProgress } from "./pages.ts";
import { type BuildEpoch, edgeOf, emptyEdge, NO_CHANGE, planEpoch } from "./plan.ts";
import { publishStage } from "./publication.ts";
import { applyRecords, decodeStage, encodeStage, type RecordWrite, type Stage } from "./stage.ts";
import { type PublishedRecord, REGISTRY, readPublished } from "./state.ts";
import { commitTurn, readTurn } from "./turn.ts";

export type EpochsDeps = Pick<
  ZoneDeps,
  | "name"
  | "store"
  | "pod"
  | "keys"
  | "folder"
  | "now"
  | "log"
  | "limits"
  | "origin"
  | "policy"
  | "witnesses"
  | "onStep"
> & {
  /** All that is here already, for a log that begins with it; see `prepareTakeover`. */
  readonly refill?: BuildPage;
};

export interface Epochs {
  /** The newest. */
  published(): Published;
  /** The same for a record that a snapshot has; never older than one that was seen before. */
  publishedOf(record: PublishedRecord): Published;
  /** @returns what stops listening. */
  onPublished(listener: (published: Published) => void): () => void;
  /**
   * Brings what `build` decides into force; one call at a time. Without leaves only its records are written, and no
   * checkpoint comes of it.
   * @param onStaged Called when it is certain to happen, whatever comes between.
   * @throws Problem `unavailable` when this server may not sign, or closes.
   */
  run(build: BuildEpoch, onStaged?: () => void): Promise<Published>;
  /** Begins the log of this year when the present one is older. */
  beginYear(build: BuildPage): Promise<void>;
  /** Renews cosignatures that are older than fifteen minutes, if that can be had at once. Costs nothing before. */
  renew(): Promise<void>;
  /** Takes note of what other servers have published, and finishes what one of them left behind. */
  refresh(): Promise<void>;
  /** Why this server may not sign; null when it may. */
  trouble(): string | null;
  close(): Promise<void>;
}

const RENEW_RETRY_MS = 60_000; // A quorum that did not come together is not asked for with every answer.
const START_MS_MAX = 2_000; // A stage without its quorum is finished after the start, for what was published can be read.

/** Settles what was left by a crash, as far as this server can by itself, and publishes the first checkpoint of a new log. */
export async function createEpochs(deps: EpochsDeps): Promise<Epochs> {
  const { name, store, pod, now, log, origin } = deps;
  const folder = join(deps.folder, "registry", name);
  const lock = createLock(folder);
  const listeners = new Set<(published: Published) => void>();
  const logs = new Map<string, Tiles>();
  const others = new WeakMap<PublishedRecord, Published>();
  let newest: { readonly record: PublishedRecord; readonly published: Published } | null = null;
  /** Milliseconds since 1970: before that nobody looks whether cosignatures are to be renewed. */
  let renewAt = 0;
  /** The newest turn whose tiles are in this server's folder. */
  let followed = 0;
  /** The turn of a stage that was there at the last look. */
  let stagedBefore: number | null = null;
  let trouble: string | null = null;
  let turn: Promise<void> = Promise.resolve();
  /** Those that have or want the turn. */
  let waiting = 0;
  let isClosed = false;

  /** Also when that is further away than it can be: then the clock was ahead when they were made. */
  const isRenewalDue = (at: number): boolean =>
    at >= renewAt || (renewAt < Infinity && renewAt - at > 2 * RENEW_SECONDS * 1_000);
  const step = async (at: EpochStep): Promise<void> => deps.onStep?.(at);
  const yearOf = (text: string): string => text.slice(text.lastIndexOf("/") + 1);
  const originOf = (shard: Shard): string => `${origin}/${yearOf(shard)}`;
  const shardNow = (): Shard => `${name}/${now().getUTCFullYear()}`;
  const tilesOf = (year: string): Tiles => {
    const known = logs.get(year) ?? createTiles(join(folder, year));
    logs.set(year, known);
    return known;
  };
  const treeOf = ({ shard, size, logRoot }: Pick<PublishedRecord, "shard" | "size" | "logRoot">): Tree => ({
    origin: originOf(shard),
    size,
    root: logRoot,
  });
  const cosigning = await createCosigning({
    ...deps,
    prove: (tree, from) => proveConsistency(tilesOf(yearOf(tree.origin)).fetch, from, tree.size),
  });

  /** One after the other: an epoch, a renewal, a new year. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const before = turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    turn = promise;
    waiting += 1;
    try {
      await before;
      if (isClosed) throw new Problem("unavailable", "The registry is closing");
      return await work();
    } finally {
      waiting -= 1;
      resolve();
    }
  }

  const describe = (record: PublishedRecord): Published => {
    const { shard, rootLeaf, size, logRoot, checkpoint, at } = record;
    const proof = { index: size - 1, path: record.logPath };
    return { zone: name, shard, rootLeaf, log: proof, size, logRoot, checkpoint, at };
  };

  function show(record: PublishedRecord, published: Published): Published {
    if (newest?.record.turn !== record.turn) renewAt = record.at + RENEW_SECONDS * 1_000;
    newest = { record, published };
    for (const listener of listeners) listener(published);
    return published;
  }

  function publishedOf(record: PublishedRecord): Published {
    if (newest?.record.turn === record.turn) return newest.published;
    if (!newest || newest.record.turn < record.turn) return show(record, describe(record));
    const known = others.get(record) ?? describe(record);
    others.set(record, known);
    return known;
  }

  /** Makes the tile files of what the store has already: another server's work, or a folder that was lost. */
  const bringTiles = (shard: Shard, size: number): Promise<void> =>
    tilesOf(yearOf(shard)).bringTo(size, (from, to) =>
      store.read(pod, (snapshot) => readLeaves(snapshot, shard, from, to)),
    );

  function refuse(held: Tree, tree: Tree | null): never {
    const has = tree ? `${tree.size} leaves of ${tree.origin}` : "nothing";
    trouble =
      `The store knows ${has}, but this server has bound itself to ${held.size} of ${held.origin} (${join(folder, "lock")}). ` +
      "It was brought back from a copy, or is another one. Bring back the newer store, or let an emergency operator " +
      "continue from a mirror with a log of another name: signing this one again would make two logs of one name.";
    log.error("registry.behind-lock", { zone: name, cause: trouble });
    throw new Problem("unavailable", trouble);
  }

  /** What this server is bound to, what is published, and what is staged, brought together. */
  async function settle(): Promise<void> {
    if (trouble !== null) throw new Problem("unavailable", trouble);
    const { record, staged } = await store.read(pod, async (snapshot) => {
      const { isStaged } = await readTurn(snapshot);
      const entry = isStaged ? await snapshot.get(REGISTRY, "epoch", "staged") : null;
      return { record: await readPublished(snapshot), staged: entry && decodeStage(entry) };
    });
    const held = await lock.read();
    const tree = record && treeOf(record);
    const isBehind = held && (!tree || !["same", "newer"].includes(orderOf(tree, held)));
    if (isBehind && !(staged && orderOf(treeOf(staged), held) === "same")) refuse(held, tree);
    if (record) await follow(record);
    if (staged) await finish(staged, null);
  }

  /** What another server has published, or this one before it was started: its tiles, and the lock. */
  async function follow(record: PublishedRecord): Promise<void> {
    const [held, tree] = [await lock.read(), treeOf(record)];
    await bringTiles(record.shard, record.size);
    if (!held || orderOf(held, tree) === "older") await lock.forward(tree);
    if (!(await isServed(record))) await tilesOf(yearOf(record.shard)).writeCheckpoint(record.checkpoint);
    followed = record.turn;
    publishedOf(record);
  }

  /** Whether the file `checkpoint` is of this tree already: perhaps with cosignatures that are newer than the store's. */
  async function isServed({ shard, turn, checkpoint }: PublishedRecord): Promise<boolean> {
    if (followed === turn) return true;
    const body = checkpoint.slice(0, checkpoint.indexOf("\n\n") + 1);
    const served = await readFile(join(folder, yearOf(shard), "checkpoint"), "utf8").catch(() => "");
    return served.startsWith(`${body}\n`);
  }

  /** From the stage on everything follows from it. */
  async function finish(stage: Stage, blocks: readonly RecordWrite[] | null): Promise<Published> {
    const { shard } = stage;
    const tree = treeOf(stage);
    await bringTiles(shard, stage.from);
    await lock.forward(tree);
    await step("locked");
    await tilesOf(yearOf(shard)).append(stage.from, stage.leaves);
    await step("tiled");
    const whole = await cosigning.gather(tree, stage.body);
    const note = await cosigning.light(whole);
    await step("cosigned");
    const record = await publishStage(store, pod, now().getTime(), stage, blocks, note);
    if (record.size === stage.size) followed = record.turn;
    await step("published");
    await tilesOf(yearOf(shard)).writeCheckpoint(note, whole);
    return publishedOf(record);
  }

  async function epoch(build: BuildEpoch, onStaged?: () => void): Promise<Published> {
    for (;;) {
      await settle();
      const made = await store.read(pod, async (snapshot) => {
        const { turn, isStaged } = await readTurn(snapshot);
        if (isStaged) return "other" as const;
        if (await readProgress(snapshot)) return "filling" as const;
        const record = await readPublished(snapshot);
        const edge = record ? edgeOf(record) : emptyEdge(shardNow());
        const change = await build(snapshot, { shard: edge.shard, size: edge.size, epoch: edge.epoch + 1 });
        if (!change) return null;
        const isSilent = change.set.length + change.delete.length + change.governance.length === 0;
        if (isSilent && record) return { turn, records: change.records };
        return planEpoch(snapshot, turn, edge, originOf(edge.shard), change, deps.limits);
      });
      if (made === null) break;
      if (made === "other") continue;
      if (made === "filling") {
        await fillOn();
        continue;
      }
      await step("begun");
      if (!("stage" in made)) {
        const isDone = await commitTurn(store, pod, made.turn, false, (transaction) =>
          applyRecords(transaction, made.records),
        );
        if (isDone) break;
      } else if (await stageUp(made.stage)) {
        onStaged?.();
        await step("staged");
        return finish(made.stage, made.blocks);
      }
    }
    return published();
  }

  const stageUp = (stage: Stage): Promise<boolean> =>
    commitTurn(store, pod, stage.turn, true, (transaction) =>
      transaction.put(REGISTRY, "epoch", "staged", encodeStage(stage)),
    );

  /** While a new log is made nothing is added to the old one, by whatever clock: what is in the new one must stay true. */
  async function fillOn(): Promise<void> {
    if (!deps.refill) throw new Problem("unavailable", "The log of a new year is being made");
    await fill(deps.refill, (_, progress) => progress !== null);
  }

  /** @param isNeeded Whether a new log is to be made, by what is published and how far it is. */
  async function fill(
    build: BuildPage,
    isNeeded: (record: PublishedRecord | null, progress: Progress | null) => boolean,
  ): Promise<void> {
    for (;;) {
      await settle();
      if (isRenewalDue(now().getTime())) await renew(); // What is there is answered with for as long as this takes.
      const made = await store.read(pod, async (snapshot) => {
        const before = await readProgress(snapshot);
        if (!isNeeded(await readPublished(snapshot), before)) return null;
        const { turn } = await readTurn(snapshot);
        const progress = before ?? beginProgress(shardNow());
        const { edge, cursor, isDone } = progress;
        if (!isDone) return { turn, progress, page: await build(snapshot, edge.shard, cursor) };
        const change = { ...NO_CHANGE, records: [NO_PROGRESS] };
        return planEpoch(snapshot, turn, edge, originOf(edge.shard), change, deps.limits);
      });
      if (!made) return;
      await step("begun");
      if ("page" in made) await addPage(store, pod, made.turn, made.progress, made.page);
      else if (await stageUp(made.stage)) {
        await step("staged");
        await finish(made.stage, made.blocks);
      }
    }
  }

  async function renew(): Promise<void> {
    if (!newest || trouble !== null) return;
    const at = now().getTime();
    const { found, isStaged } = await store.read(pod, async (snapshot) => ({
      found: await readPublished(snapshot),
      isStaged: (await readTurn(snapshot)).isStaged,
    }));
    // A cosignature says that there is nothing newer: so nobody signs what another server has gone on from.
    if (found && found.turn !== newest.record.turn) await follow(found);
    if (isStaged) return;
    const { record, published: before } = newest;
    const asOf = await cosigning.asOf(before.checkpoint);
    renewAt = asOf === null ? at : (asOf + RENEW_SECONDS) * 1_000;
    if (!isRenewalDue(at)) return;
    renewAt = at + RENEW_RETRY_MS;
    const body = before.checkpoint.slice(0, before.checkpoint.indexOf("\n\n") + 1);
    const whole = await cosigning.once(treeOf(record), body);
    if (whole === null || newest.record !== record) return;
    const note = await cosigning.light(whole);
    await tilesOf(yearOf(record.shard)).writeCheckpoint(note, whole);
    show(record, { ...before, checkpoint: note });
    renewAt = at + RENEW_SECONDS * 1_000;
  }

  const published = (): Published => {
    if (!newest) throw new Problem("unavailable", "Nothing has been published yet");
    return newest.published;
  };

  /**
   * A log begins with the empty map, or with all that is here already. One that was published before is shown, also while
   * it cannot go on.
   */
  async function begin(): Promise<void> {
    const { record, progress } = await store.read(pod, async (snapshot) => ({
      record: await readPublished(snapshot),
      progress: await readProgress(snapshot),
    }));
    if (record) publishedOf(record);
    const beginning = alone(async () => {
      if (record) await settle();
      else if (progress && deps.refill) await fill(deps.refill, (found) => found === null);
      else await epoch(async (_, { size }) => (size > 0 ? null : NO_CHANGE));
    }).catch((error: unknown) => {
      if (!record && trouble !== null) throw new OperatorError(trouble, { cause: error });
      if (trouble === null && !isClosed) throw error;
    });
    if (!record) return beginning;
    const isLate = pause(START_MS_MAX, true, { ref: false });
    const failed = (error: unknown): void =>
      log.error("registry.start-failed", { zone: name, cause: String(error) });
    if (await Promise.race([beginning, isLate])) beginning.catch(failed);
  }
  await begin();

  return {
    published,
    publishedOf,
    onPublished(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    run: (build, onStaged) => alone(() => epoch(build, onStaged)),
    beginYear: (build) =>
      alone(() => {
        const year = yearOf(shardNow());
        return fill(build, (record) => record !== null && yearOf(record.shard) < year);
      }),
    async renew() {
      if (waiting === 0 && !isClosed && isRenewalDue(now().getTime())) await alone(renew);
    },
    async refresh() {
      const { record, turn, isStaged } = await store.read(pod, async (snapshot) => ({
        record: await readPublished(snapshot),
        ...(await readTurn(snapshot)),
      }));
      if (!record || waiting > 0 || isClosed || trouble !== null) return;
      // Whoever staged it finishes it; who finds it again the next time takes it that nobody does.
      const isLeft = isStaged && turn === stagedBefore;
      stagedBefore = isStaged ? turn : null;
      if (isLeft) await alone(settle);
      else if (record.turn !== followed) await alone(() => follow(record));
    },
    trouble: () => trouble,
    async close() {
      isClosed = true;
      cosigning.close();
      await turn;
    },
  };
}
