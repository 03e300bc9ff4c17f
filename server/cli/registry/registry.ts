/** A zone's registry as one process has it, without a network: its store, its engine, its governance, its root. */
import { join } from "node:path";
import type { AllowUrl, SignedRootRecord, ZoneRecord } from "@freehold/client/registry";
import { openStore } from "../../context.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { createGovernedZone } from "../../registry/governed-zone.ts";
import { openOwnRoot, ownName } from "../../registry/own-root.ts";
import type { Zone } from "../../registry/port.ts";
import type { Book } from "../../registry/registrars/book.ts";
import { registrarFacts } from "../../registry/registrars/facts.ts";
import { portOrderIn } from "../../registry/root/clerk.ts";
import { createRootRelay, type RootRelay } from "../../registry/root/relay.ts";
import { createWitnessClient } from "../../registry/witness/client.ts";
import { ownPolicy, ownWitnessLine } from "../../registry/zone/cosigning.ts";
import { type ZoneKeys, zoneKeys, zonePod } from "../../registry/zone/keys.ts";
import type { PodId, Store } from "../../store/store.ts";
import { policyText, type RegistryConfig } from "./config.ts";

/** What the operator's commands are run in, and the server is made of. */
export interface Registry {
  readonly config: RegistryConfig;
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly store: Store;
  /** The zone's own. */
  readonly pod: PodId;
  readonly keys: ZoneKeys;
  readonly zone: Zone;
  /** What the root's record should say of this zone. */
  readonly record: ZoneRecord;
  readonly book: Book;
  readonly root: RootRelay;
  readonly allowUrl: AllowUrl;
  readonly folderOf: (zone: string, year: string) => string;
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly now: () => Date;
  readonly log: Log;
  /** Called when the root's record can be shown, which is before the witnesses have signed anything. */
  readonly onRoot?: (root: RootRelay) => void;
}

const STORE_KEY = "root.key"; // As in a pod server's folder: what seals the store.

/** The store of a registry's folder, and the zone's own place and keys in it; both made at the first use. */
export async function openZoneStore(
  config: Pick<RegistryConfig, "folder" | "limits" | "store" | "zone">,
  { now, log }: RegistryOptions,
): Promise<{ readonly store: Store; readonly pod: PodId; readonly keys: ZoneKeys }> {
  const { folder, limits } = config;
  const rootKeyFile = join(folder, STORE_KEY);
  const store = await openStore({ dataFolder: folder, rootKeyFile, limits, store: config.store }, log, now);
  try {
    const pod = await zonePod(store, config.zone);
    return { store, pod, keys: await zoneKeys(store, pod) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What the root's record says of a zone that is run by these settings. */
export async function zoneRecordOf(
  config: RegistryConfig,
  baseUrl: string,
  { store, keys }: Pick<Registry, "store" | "keys">,
): Promise<ZoneRecord> {
  const { zone, operator, kind, mirrors, legalKeys, escrow, policy } = config;
  const origin = config.origin ?? `${await ownName(store, baseUrl)}/${zone}`;
  return {
    operator,
    kind,
    urls: [baseUrl, ...mirrors],
    log: { origin, key: keys.log.key, url: `${baseUrl}log/${zone}/` },
    keys: [keys.zone.key],
    legalKeys,
    policy: policy.length > 0 ? policyText(policy) : await ownPolicy(keys, origin),
    status: "active",
    escrow,
  };
}

/** The line by which a policy counts the zone among its own witnesses. */
export const selfLineOf = (record: ZoneRecord, keys: ZoneKeys): Promise<string> =>
  ownWitnessLine(keys, record.log.origin);

/** A registry of one's own answers for itself; any other follows the root that its settings name. */
async function openRoot(
  config: RegistryConfig,
  {
    store,
    baseUrl,
    record,
    allowUrl,
    now,
    log,
  }: Pick<Registry, "store" | "baseUrl" | "record" | "allowUrl" | "now" | "log">,
): Promise<RootRelay> {
  if (config.root !== null)
    return createRootRelay({ url: config.root, folder: config.folder, fetch, now, log, allowUrl });
  const name = await ownName(store, baseUrl);
  const zones = { [config.zone]: record };
  const { newest, versions } = await openOwnRoot({ store, now, baseUrl, name, zones });
  return {
    newest: () => newest,
    version: (version) => versions[version - 1] ?? null,
    renew: async () => {},
  };
}

/**
 * @param baseUrl By which others reach this registry; ends in a slash.
 * @throws OperatorError, ConfigError with what to do.
 */
export async function openRegistry(
  config: RegistryConfig,
  baseUrl: string,
  options: RegistryOptions,
): Promise<Registry> {
  const { now, log } = options;
  const { folder, limits, allow } = config;
  const { store, pod, keys } = await openZoneStore(config, options);
  const closing: (() => Promise<void>)[] = [() => store.close()];
  const close = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one();
  };
  try {
    const allowed = new Set(allow);
    const allowUrl: AllowUrl = ({ origin }) => allowed.has(origin);
    const record = await zoneRecordOf(config, baseUrl, { store, keys });
    const root = await openRoot(config, { store, baseUrl, record, allowUrl, now, log });
    options.onRoot?.(root);
    const signed = (): SignedRootRecord | null => root.newest();
    const { policy, log: place } = record;
    const { zone, book } = await createGovernedZone(
      {
        name: config.zone,
        store,
        pod,
        keys,
        folder,
        now,
        log,
        limits,
        policy,
        allowUrl,
        origin: place.origin,
        ...(config.policy.length > 0 && {
          witnesses: await createWitnessClient(policy, { fetch, log, now, limits }),
        }),
        epochMsMin: config.epochMs,
        portOrder: portOrderIn(store, pod),
      },
      (own) => async () => ({
        ...registrarFacts(await own.current()),
        zoneKeys: (name) => (name === config.zone ? record.keys : (signed()?.record.zones[name]?.keys ?? [])),
        legalKeys: () => record.legalKeys,
      }),
    );
    closing.push(() => zone.close());
    await book.settle();
    return {
      config,
      baseUrl,
      store,
      pod,
      keys,
      zone,
      record,
      book,
      root,
      allowUrl,
      folderOf: (name, year) => join(folder, "registry", name, year),
      limits,
      log,
      now,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
