/** A zone's own pod in the store, and the keys in it: made once, the same for all servers on one database. */

import { randomBytes } from "node:crypto";
import { type KeyPair, keyPairOfSeed } from "@freehold/client/passport";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import { type PodId, SERVER_POD, type Store } from "../../store/store.ts";

export interface ZoneKeys {
  /** Signs checkpoints. */
  readonly log: KeyPair;
  /** Cosigns them with a time: the zone is a witness of itself, so that freshness needs nobody else. */
  readonly witness: KeyPair;
  /** Signs holds, ports that are taken in, and records of governance. */
  readonly zone: KeyPair;
}

interface PodRecord {
  readonly pod: PodId;
}

/** The pod that holds everything of a zone; made at its first use. */
export async function zonePod(store: Store, name: string): Promise<PodId> {
  const found = await store.read(SERVER_POD, (snapshot) => snapshot.get("setting", "registry", name));
  if (found) return decodeRecord<PodRecord>(found).pod;
  const made = await store.createPod();
  const { result } = await store.write(SERVER_POD, async (transaction) => {
    const other = await transaction.get("setting", "registry", name);
    if (other) return decodeRecord<PodRecord>(other).pod;
    transaction.put("setting", "registry", name, encodeRecord({ pod: made } satisfies PodRecord));
    return made;
  });
  if (result !== made) await store.erasePod(made); // Another server was sooner.
  return result;
}

const NAMES = ["log", "witness", "zone"] as const;

/** Made at the first use, and never again: whoever trusts the zone has them in the root's record. */
export async function zoneKeys(store: Store, pod: PodId): Promise<ZoneKeys> {
  const { result } = await store.write(pod, async (transaction) => {
    const found = await transaction.get("registry", "zone", "keys");
    if (found) return decodeRecord<Record<(typeof NAMES)[number], string>>(found);
    const [log = "", witness = "", zone = ""] = NAMES.map(() => randomBytes(32).toString("base64url"));
    const seeds = { log, witness, zone };
    transaction.put("registry", "zone", "keys", encodeRecord(seeds));
    return seeds;
  });
  const pair = (seed: string): Promise<KeyPair> =>
    keyPairOfSeed(new Uint8Array(Buffer.from(seed, "base64url")));
  return { log: await pair(result.log), witness: await pair(result.witness), zone: await pair(result.zone) };
}
