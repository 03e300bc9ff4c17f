/** A zone on a real store and a real folder, with a clock that tests turn, and people who have passports in it. */
import {
  type DataOperation,
  type PassportId,
  type RootRecord,
  type Signed,
  servicesOf,
  signAsDelegate,
  type VerifiedAnswer,
  verifyAnswer,
} from "@freehold/client/registry";
import { LIMITS, type Limits } from "../../../server/limits.ts";
import { absenceOf, type Present, type Zone } from "../../../server/registry/port.ts";
import { ownPolicy } from "../../../server/registry/zone/cosigning.ts";
import type { ZoneDeps, ZoneFacts } from "../../../server/registry/zone/deps.ts";
import { type ZoneKeys, zoneKeys, zonePod } from "../../../server/registry/zone/keys.ts";
import { createZone } from "../../../server/registry/zone/zone.ts";
import { createMemoryStore } from "../../../server/store/memory.ts";
import type { PodId, Store } from "../../../server/store/store.ts";
import { HOST, key, NOW, type Person } from "../../passport/people.ts";
import { listeningLog, openStoreIn, temporaryFolder } from "../../support/store.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const ORIGIN = "log.zz.example";

export interface World {
  readonly store: Store;
  readonly folder: string;
  readonly pod: PodId;
  readonly keys: ZoneKeys;
  readonly events: string[];
  /** The zone's clock, in milliseconds since 1970. */
  now(): number;
  turn(ms: number): void;
  /** Opens the zone; of a world there is one at a time, but where a test wants two servers. */
  open(some?: Partial<ZoneDeps>): Promise<Zone>;
  trust(): RootRecord;
  /** What the zone says of a passport, verified as every client does. */
  ask(zone: Zone, id: PassportId): Promise<VerifiedAnswer>;
  dispose(): Promise<void>;
}

export interface WorldOptions {
  readonly engine?: "memory" | "sqlite";
  /** One that is there already; it stays. */
  readonly folder?: string;
  /** One that is open already; it is closed with the world. */
  readonly store?: Store;
  readonly limits?: Partial<Limits>;
  readonly policy?: (own: string, keys: ZoneKeys) => Promise<string>;
  readonly facts?: Partial<ZoneFacts>;
  readonly name?: string;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { name = "zz" } = options;
  const temporary = options.folder ? null : await temporaryFolder();
  const folder = options.folder ?? temporary?.folder ?? "";
  const inMemory = (): Store => createMemoryStore({ limits: { ...LIMITS, ...options.limits } });
  const store = options.store ?? (options.engine === "sqlite" ? await openStoreIn(folder) : inMemory());
  const pod = await zonePod(store, name);
  const keys = await zoneKeys(store, pod);
  const own = await ownPolicy(keys, ORIGIN);
  const policy = (await options.policy?.(own, keys)) ?? own;
  const events: string[] = [];
  const zones: Zone[] = [];
  const [registrar, legal] = [await key("registrar"), await key("legal")];
  let time = NOW;

  const facts: ZoneFacts = {
    registrarKeys: (by) => (by === "local" || by === "gaining" ? [registrar.key] : []),
    createPerDayMax: () => null,
    storageOrigins: () => [HOST],
    zoneKeys: (zone) => (zone === name ? [keys.zone.key] : []),
    legalKeys: () => [legal.key],
    ...options.facts,
  };

  const trust = (): RootRecord => {
    const record: RootRecord["zones"][string] = {
      operator: "The test",
      kind: "private",
      urls: ["https://zz.example/"],
      log: { origin: ORIGIN, key: keys.log.key, url: "https://zz.example/log/zz/" },
      keys: [keys.zone.key],
      legalKeys: [legal.key],
      policy,
      status: "active",
      escrow: null,
    };
    const { urls, log } = record;
    return {
      v: 1,
      version: 1,
      prev: null,
      publication: "2026-03-01T12:00:00Z",
      description: "The test's own root",
      keys: { keys: [keys.zone.key], threshold: 1 },
      services: servicesOf({ [name]: record }),
      zones: { [name]: record },
      root: { urls, log: { ...log, origin: "root.example" }, policy, keys: [keys.zone.key] },
    };
  };

  return {
    store,
    folder,
    pod,
    keys,
    events,
    now: () => time,
    turn: (ms) => void (time += ms),
    async open(some = {}) {
      const zone = await createZone({
        name,
        store,
        pod,
        keys,
        folder,
        now: () => new Date(time),
        log: listeningLog(events),
        limits: { ...LIMITS, ...options.limits },
        origin: ORIGIN,
        policy,
        facts: async () => facts,
        epochMsMin: 0,
        ...some,
      });
      if (!some.onStep) zones.push(zone); // One that died is not closed.
      return zone;
    },
    trust,
    async ask(zone, id) {
      const { published, findings } = await zone.find(id);
      const { shard, rootLeaf, log, checkpoint } = published;
      const source =
        findings.kind === "present"
          ? {
              id,
              head: JSON.parse(findings.head) as object,
              proof: { shard, rootLeaf, log, opening: findings.opening, map: findings.map },
              checkpoint,
            }
          : absenceOf(published, findings);
      return verifyAnswer(source, id, trust(), { now: time, maxAgeSeconds: HOUR_MS / 1_000 });
    },
    async dispose() {
      for (const zone of zones) await zone.close();
      await store.close();
      await temporary?.remove();
    },
  };
}

/** @throws Error for a passport that is not there. */
export async function present(zone: Zone, { state }: Pick<Person, "state">): Promise<Present> {
  const { findings } = await zone.find(state.id);
  if (findings.kind !== "present") throw new Error(`The passport is ${findings.kind}`);
  return findings;
}

/** The next data record of a person, by the host. */
export async function dataAfter(
  zone: Zone,
  who: Person,
  url = "https://pods.example.org/elsewhere/",
): Promise<Signed<DataOperation>> {
  const { state } = await present(zone, who);
  const storage = [{ id: "#pod", url }];
  const op = { ...who.data.op, aseq: state.head.seq, dseq: state.dseq + 1, storage, keys: [] };
  return signAsDelegate(op, who.host);
}
