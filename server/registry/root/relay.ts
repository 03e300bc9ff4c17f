/** The root's record as a zone or a mirror hands it on: followed from version to version, and kept beside its own data. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AllowUrl,
  followRootRecord,
  ROOT_RECORD_BYTES_MAX,
  readRootRecord,
  type SignedRootRecord,
} from "@freehold/client/registry";
import type { Log } from "../../log.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";
import { type Fetch, getText } from "./wire.ts";

/** Whoever asks this server for the root's record is given what it knows. */
export interface RootRelay {
  /** Null before it was reached for the first time. */
  newest(this: void): SignedRootRecord | null;
  version(this: void, version: number): SignedRootRecord | null;
  /** Looks for a newer one. Never throws: what was known goes on. */
  renew(): Promise<void>;
}

export interface RootRelayDeps {
  /** The root's address; ends in a slash. */
  readonly url: string;
  /** Where versions are kept, in a file `root-records.json`. */
  readonly folder: string;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly log: Log;
  readonly allowUrl?: AllowUrl;
}

const AGAIN_MS = 60_000; // A zone that is listed anew is known of everywhere within minutes.
const FIRST_MS = 2_000; // Until it was reached once: a root whose witnesses follow it by its record comes up with them.

async function readKept(path: string): Promise<readonly SignedRootRecord[]> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as readonly SignedRootRecord[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The first version that is shown is believed, for the operator named the address; from then on each must follow. */
export async function createRootRelay(deps: RootRelayDeps): Promise<RootRelay> {
  const { url, folder, fetch, now, log, allowUrl } = deps;
  const path = join(folder, "root-records.json");
  const versions = new Map<number, SignedRootRecord>();
  for (const one of await readKept(path)) versions.set(one.record.version, one);
  let newest: SignedRootRecord | null = [...versions.values()].at(-1) ?? null;
  let asked = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    const options = allowUrl ? { allowUrl } : {};
    /** What was read on the way from the known version to the newest. */
    const read = new Map<number, SignedRootRecord>();
    const get = async (query: string): Promise<string> => {
      const text = await getText(fetch, `${url}v1/zones${query}`, { bytesMax: ROOT_RECORD_BYTES_MAX });
      const signed = readRootRecord(text, options);
      read.set(signed.record.version, signed);
      return text;
    };
    const found = await followRootRecord(
      newest?.record ?? null,
      await get(""),
      (version) => get(`?version=${version}`),
      options,
    );
    if (found.version === newest?.record.version) return;
    for (const [version, signed] of read) if (version <= found.version) versions.set(version, signed);
    newest = versions.get(found.version) ?? newest;
    const all = [...versions.values()].sort((one, other) => one.record.version - other.record.version);
    await makeFolder(folder);
    await writeDurably(path, Buffer.from(JSON.stringify(all)));
    log.info("registry.root-followed", { version: found.version });
  }

  const relay: RootRelay = {
    newest: () => newest,
    version: (version) => versions.get(version) ?? null,
    async renew() {
      const at = now().getTime();
      const isDue = asked < at - (newest ? AGAIN_MS : FIRST_MS) || asked > at; // Its clock was ahead.
      if (!asking && isDue) {
        asked = at;
        asking = ask()
          .catch((error: unknown) => log.warn("registry.root-not-followed", { cause: String(error) }))
          .finally(() => {
            asking = null;
          });
      }
      await asking;
    },
  };
  await relay.renew();
  return relay;
}
