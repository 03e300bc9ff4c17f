/** The root of a registry of one's own: its record names the zones of this server, and follows them when they change. */

import { randomBytes } from "node:crypto";
import {
  hashOfRootRecord,
  jcs,
  type KeyPair,
  keyPairOfSeed,
  type RootRecord,
  type SignedRootRecord,
  servicesOf,
  signRootRecord,
  type ZoneRecord,
} from "@freehold/client/registry";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { ownPolicy } from "./zone/cosigning.ts";

/** Table `setting`, group "registry", item "root", of the server's own records. */
interface OwnRootRecord {
  /** 32 bytes each, base64url: signs the record; signs checkpoints of the root's own log, and cosigns them. */
  readonly seed: string;
  readonly logSeed: string;
  readonly witnessSeed: string;
  /** All versions, the oldest first. */
  readonly versions: readonly SignedRootRecord[];
}

/**
 * What the logs of this server are called: made once, for an address may change and a log's name may not. The digits keep
 * servers apart that begin at the same address, as on people's own machines.
 */
export async function ownName(store: Store, baseUrl: string): Promise<string> {
  const { result } = await store.write(SERVER_POD, async (transaction) => {
    const entry = await transaction.get("setting", "registry", "name");
    if (entry) return decodeRecord<{ readonly name: string }>(entry).name;
    const name = `${new URL(baseUrl).host}/log-${randomBytes(4).toString("hex")}`;
    transaction.put("setting", "registry", "name", encodeRecord({ name }));
    return name;
  });
  return result;
}

export interface OwnRoot {
  readonly newest: SignedRootRecord;
  readonly versions: readonly SignedRootRecord[];
  readonly key: KeyPair;
}

/** What may change from version to version; number, time and what follows from the zones aside. */
const contentOf = ({ keys, zones, root }: RootRecord): string => jcs({ keys, zones, root });

const pairOf = (seed: string): Promise<KeyPair> =>
  keyPairOfSeed(new Uint8Array(Buffer.from(seed, "base64url")));

export interface OwnRootDeps {
  readonly store: Store;
  readonly now: () => Date;
  /** Ends in a slash. */
  readonly baseUrl: string;
  /** By {@link ownName}. */
  readonly name: string;
  readonly zones: Readonly<Record<string, ZoneRecord>>;
}

/** Made at the first use. A zone that is new, or has another address, makes the next version. */
export async function openOwnRoot({ store, now, baseUrl, name, zones }: OwnRootDeps): Promise<OwnRoot> {
  const { result } = await store.write(SERVER_POD, async (transaction) => {
    const entry = await transaction.get("setting", "registry", "root");
    const seed = (): string => randomBytes(32).toString("base64url");
    const stored: OwnRootRecord = entry
      ? decodeRecord<OwnRootRecord>(entry)
      : { seed: seed(), logSeed: seed(), witnessSeed: seed(), versions: [] };
    const key = await pairOf(stored.seed);
    const logKey = await pairOf(stored.logSeed);
    const witness = await pairOf(stored.witnessSeed);
    const before = stored.versions.at(-1)?.record ?? null;
    const origin = `${name}/root`;
    const record: RootRecord = {
      v: 1,
      version: (before?.version ?? 0) + 1,
      prev: before && (await hashOfRootRecord(before)),
      publication: now()
        .toISOString()
        .replace(/\.\d+Z$/, "Z"),
      description: `The registry of ${baseUrl}, which answers for itself alone`,
      keys: { keys: [key.key], threshold: 1 },
      services: servicesOf(zones),
      zones,
      root: {
        urls: [baseUrl],
        log: { origin, key: logKey.key, url: `${baseUrl}log/root/` },
        policy: await ownPolicy({ witness }, origin),
        keys: [key.key],
      },
    };
    if (before && contentOf(before) === contentOf(record)) return { stored, key };
    const signed = await signRootRecord({ record, sigs: [] }, before?.keys ?? null, [key]);
    const after = { ...stored, versions: [...stored.versions, signed] };
    transaction.put("setting", "registry", "root", encodeRecord(after));
    return { stored: after, key };
  });
  const { versions } = result.stored;
  const newest = versions.at(-1);
  if (!newest) throw new Error("A root has a first version");
  return { newest, versions, key: result.key };
}
