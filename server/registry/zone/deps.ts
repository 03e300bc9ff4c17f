/** What a zone is made of: everything that it does not decide itself is handed over. */
import type { AllowUrl, PassportId, PublicKey } from "@freehold/client/passport";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { PodId, Store } from "../../store/store.ts";
import type { ZoneKeys } from "./keys.ts";

/** Whom the zone knows at one moment: asked for once per batch, then used for all operations in it. */
export interface ZoneFacts {
  /** Keys of a registrar that may sponsor now; empty for one that is not accredited, or suspended. */
  registrarKeys(name: string): readonly PublicKey[];
  /** How many passports it may open in a day (UTC); null without bound. The zone counts. */
  createPerDayMax(name: string): number | null;
  /** Origins that a host's delegate key may name as storage; empty for a host that is not known. */
  storageOrigins(delegate: PublicKey): readonly string[];
  /** Keys by which a zone of the root's record signs holds and ports that it takes in; empty for one that is not there. */
  zoneKeys(zone: string): readonly PublicKey[];
  /** Who may sign an erasure or a hold of this zone beside it. */
  legalKeys(): readonly PublicKey[];
}

/** The root's word that a passport may come here from another zone. */
export interface PortOrder {
  /** Where it may go. */
  readonly to: string;
  /** Hash of the port operation that it is about. */
  readonly hash: string;
  /** Hash of the unlock before it, which the zone that is left would not take: it counts with the port. */
  readonly unlock?: string;
}

/** A checkpoint that wants cosignatures. */
export interface CosignRequest {
  readonly origin: string;
  readonly size: number;
  /** The checkpoint as a signed note: the zone's own signature, and its own cosignature. */
  readonly note: string;
  /** Consistency from a smaller size that a witness saw last, by the tiles: what `add-checkpoint` carries. */
  readonly prove: (from: number) => Promise<readonly Uint8Array[]>;
  readonly signal: AbortSignal;
}

/**
 * Asks all witnesses of the policy but the zone itself, and answers with what came: signature lines of a signed note,
 * each ending in a line feed. Never throws for a witness that is away. May answer as soon as the quorum can be met.
 */
export type AskWitnesses = (request: CosignRequest) => Promise<readonly string[]>;

export interface ZoneDeps {
  /** Two characters, such as `ch`. */
  readonly name: string;
  readonly store: Store;
  /** The zone's own pod in the store, by `zonePod(store, name)`. */
  readonly pod: PodId;
  /** By `zoneKeys(store, pod)`. */
  readonly keys: ZoneKeys;
  /** The data folder: tiles and the lock file are in `registry/{zone}/` of it, and in no backup. */
  readonly folder: string;
  readonly now: () => Date;
  readonly log: Log;
  readonly limits: Limits;
  /** Origin of the log without the year: that of the root's record. */
  readonly origin: string;
  /** Witnesses and quorum, in C2SP tlog-policy syntax, without the `log` line. `ownPolicy(…)` for a zone that has no others. */
  readonly policy: string;
  /** Without: nobody but the zone itself cosigns. */
  readonly witnesses?: AskWitnesses;
  /** @param at Milliseconds since 1970. */
  readonly facts: (at: number) => Promise<ZoneFacts>;
  /** Origins that passports may name although they are private or without TLS. */
  readonly allowUrl?: AllowUrl;
  /** Milliseconds between the beginnings of two epochs: 0 embedded, 200 in a registry of its own. */
  readonly epochMsMin: number;
  /** The root's order to take in a passport of another zone; null when there is none. Without: no passport comes. */
  readonly portOrder?: (id: PassportId) => Promise<PortOrder | null>;
  /** For tests: called between the steps of an epoch; what it throws is as if the process died there. */
  readonly onStep?: (step: EpochStep) => void | Promise<void>;
}

/** Where a crash may come between. */
export type EpochStep = "begun" | "staged" | "locked" | "tiled" | "cosigned" | "published";
