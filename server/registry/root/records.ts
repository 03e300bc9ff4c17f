/** All versions of the root's record, as whoever follows the root needs them: the root's own, or a copy that a zone keeps. */
import {
  type AllowUrl,
  type RootRecord,
  readRootRecord,
  type SignedRootRecord,
  verifyRootRecord,
} from "@freehold/client/registry";
import type { Snapshot } from "../../store/store.ts";
import type { RecordWrite } from "../zone/stage.ts";
import { getRecord, recordOf } from "./ledger.ts";

const GROUP = "root-record"; // item: version, or "newest"

interface Newest {
  readonly version: number;
}

export const readVersion = (snapshot: Snapshot, version: number): Promise<SignedRootRecord | null> =>
  getRecord<SignedRootRecord>(snapshot, GROUP, String(version));

export async function readNewest(snapshot: Snapshot): Promise<SignedRootRecord | null> {
  const newest = await getRecord<Newest>(snapshot, GROUP, "newest");
  return newest && readVersion(snapshot, newest.version);
}

/** The records that make `signed` the newest. */
export const recordsOfVersion = (signed: SignedRootRecord): readonly RecordWrite[] => [
  recordOf(GROUP, String(signed.record.version), signed),
  recordOf(GROUP, "newest", { version: signed.record.version } satisfies Newest),
];

/**
 * The next version after what is known, held against it.
 * @returns null where it is known already.
 * @throws PassportError
 */
export async function nextVersion(
  newest: SignedRootRecord | null,
  source: string | object,
  allowUrl?: AllowUrl,
): Promise<SignedRootRecord | null> {
  const options = allowUrl ? { allowUrl } : {};
  const pinned: RootRecord | null = newest?.record ?? null;
  const trusted = await verifyRootRecord(source, pinned, options);
  return trusted === pinned ? null : readRootRecord(source, options);
}
