/**
 * A mirror of a zone: its log (a *blind* mirror), and under contract its passports (a *state* mirror), each held against the
 * zone's own signed map. It answers like the zone, takes no operations, and drops everybody when it has not heard from its
 * source for a week, for what is erased there must not live on here.
 */
import { join } from "node:path";
import { decodeLeaf, type RootRecord, readLeaves, type Shard } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import { type PodId, SERVER_POD, type Store } from "../../store/store.ts";
import type { Published, Zone } from "../port.ts";
import type { Fetch } from "../root/wire.ts";
import { createFinder } from "../zone/find.ts";
import { zonePod } from "../zone/keys.ts";
import type { PublishedRecord } from "../zone/state.ts";
import { replicaSource } from "./replicas.ts";
import { presentLog } from "./source.ts";
import { createStateCopy, type StateCopy } from "./state.ts";
import { openTreeCopy, SourceRefused, type TreeCopy } from "./tree.ts";

export interface MirrorDeps {
  readonly zone: string;
  /** Where it is copied from; ends in a slash. Null: from the log's own address. */
  readonly source: string | null;
  /** Given by the zone's operator; null makes a blind mirror. */
  readonly secret: string | null;
  readonly store: Store;
  readonly folder: string;
  readonly record: () => RootRecord;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly log: Log;
  readonly limits: Limits;
  readonly progress?: (stage: "log" | "passports", done: number, total: number) => void;
}

export interface Mirror {
  /** The zone as it is mirrored. A blind one knows its log and nobody in it. */
  readonly zone: Zone;
  readonly isBlind: boolean;
  /** Whether there is a whole copy, of now or of before. */
  isReady(): boolean;
  /** Copies what is new. @throws SourceRefused, PassportError, Error: what was copied before is served on. */
  sync(): Promise<Published>;
  /** Drops everybody when the source has been silent for a week. @returns whether it did. */
  expire(): Promise<boolean>;
}

const SILENT_MS_MAX = 7 * 86_400_000;
const CHECKPOINT_AGE_SECONDS_MAX = 86_400;
const TRIES_MAX = 5; // The zone goes on while it is copied.
const SEEN = "mirror-seen";

export async function createMirror(deps: MirrorDeps): Promise<Mirror> {
  const { zone: name, store, folder, now, log, fetch } = deps;
  const isBlind = deps.secret === null;
  let pod: PodId = await zonePod(store, name);
  const listeners = new Set<(published: Published) => void>();
  const copies = new Map<Shard, TreeCopy>();
  const copyOfState = (): StateCopy | null =>
    deps.secret === null
      ? null
      : createStateCopy({
          store,
          pod,
          replicas: replicaSource(fetch, deps.source ?? "", deps.secret),
          progress: (done, total) => deps.progress?.("passports", done, total),
        });
  let state = copyOfState();

  const place = () => {
    const found = deps.record().zones[name];
    if (!found) throw new Problem("unavailable", `The root's record names no zone ${name}`);
    return found;
  };

  async function copyOf(shard: Shard): Promise<TreeCopy> {
    const known = copies.get(shard) ?? (await openTreeCopy(folder, shard, now));
    copies.set(shard, known);
    return known;
  }

  async function seen(): Promise<void> {
    await store.write(SERVER_POD, async (transaction) =>
      transaction.put("setting", SEEN, name, encodeRecord({ at: now().getTime() })),
    );
  }

  async function keepEvidence(copy: TreeCopy, text: string): Promise<void> {
    const ours = copy.published()?.checkpoint;
    const path = join(folder, "evidence", `${copy.shard.replace("/", "-")}-${now().getTime()}.json`);
    await makeFolder(join(folder, "evidence"));
    await writeDurably(
      path,
      Buffer.from(`${JSON.stringify({ shard: copy.shard, checkpoints: [ours, text] }, null, 2)}\n`),
    );
    log.error("registry.split-view", { zone: name, shard: copy.shard });
  }

  async function round(): Promise<Published | null> {
    const { source, text, tree } = await presentLog(
      fetch,
      name,
      place(),
      now().getTime(),
      CHECKPOINT_AGE_SECONDS_MAX,
      {
        ...(deps.source !== null && { urlOf: (year: number) => `${deps.source}log/${name}/${year}/` }),
      },
    );
    const copy = await copyOf(source.shard);
    const published = await copy
      .bringTo(source, { text, tree }, (done, total) => deps.progress?.("log", done, total))
      .catch(async (error: unknown) => {
        if (error instanceof SourceRefused && error.kind === "other-history") await keepEvidence(copy, text);
        throw error;
      });
    if (state && !(await state.bring(copy, published))) return null;
    await copy.show(published);
    newest = published;
    await seen();
    for (const listener of listeners) listener(published);
    return published;
  }

  let newest: Published | null = null;
  for (const year of [now().getUTCFullYear() - 1, now().getUTCFullYear()])
    newest = (await copyOf(`${name}/${year}`)).published() ?? newest;

  const published = (): Published => {
    if (!newest) throw new Problem("unavailable", "This mirror has copied nothing yet");
    return newest;
  };
  const describe = (record: PublishedRecord): Published => {
    const { shard, rootLeaf, size, logRoot, checkpoint, at } = record;
    if (newest?.shard === shard && newest.size === size) return newest;
    const path = { index: size - 1, path: record.logPath };
    return { zone: name, shard, rootLeaf, log: path, size, logRoot, checkpoint, at };
  };
  let finder = createFinder({ store, pod, now, publishedOf: describe });
  const nobody = (): never => {
    throw new Problem("not-supported", `This mirror has the log of ${name} and none of its passports`);
  };
  const noOperations = async (): Promise<never> => {
    const { urls } = place();
    throw new Problem("not-supported", `A mirror takes no operations: send it to ${urls[0]}`, {
      members: { zone: name, send: urls[0] },
    });
  };

  return {
    isBlind,
    isReady: () => newest !== null,
    async sync() {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const done = await round();
        if (done) return done;
      }
      throw new SourceRefused("forged", "The source has not given all passports that its log names");
    },
    async expire() {
      const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", SEEN, name));
      const at = entry ? decodeRecord<{ readonly at: number }>(entry).at : null;
      if (at === null || isBlind || now().getTime() - at < SILENT_MS_MAX) return false;
      await store.write(SERVER_POD, async (transaction) => {
        transaction.delete("setting", "registry", name);
        transaction.delete("setting", SEEN, name);
      });
      await store.erasePod(pod); // Its key first: nothing of anybody can be read any more.
      pod = await zonePod(store, name);
      finder = createFinder({ store, pod, now, publishedOf: describe });
      state = copyOfState();
      log.warn("registry.mirror-dropped", { zone: name });
      return true;
    },
    zone: {
      name,
      shard: () => published().shard,
      published,
      onPublished(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      find: (id) => (isBlind ? nobody() : finder.find(id)),
      findAll: (ids) => (isBlind ? nobody() : finder.findAll(ids)),
      submit: noOperations,
      operation: async () => null,
      govern: noOperations,
      async *leaves(from, to) {
        const { shard, size } = published();
        const copy = await copyOf(shard);
        for await (const entry of readLeaves(copy.fetchTile, from, Math.min(to, size), size))
          yield decodeLeaf(entry);
      },
      replicas: nobody,
      replicasOf: nobody,
      tick: async () => {},
      close: async () => {},
    },
  };
}

/** Where the log files of a zone and a year are, in a mirror's folder as in a zone's. */
export const mirrorFolderOf =
  (folder: string) =>
  (zone: string, year: string): string =>
    join(folder, "registry", zone, year);
