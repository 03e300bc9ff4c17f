/**
 * Passports as they were kept before there was a log: here, whole, by the pod's server itself. Each is handed to the registry
 * as it stands, so that nobody who has seen it is led back, and is then kept like any other.
 */
import type { AuthorityOperation, DataOperation, PassportId, Signed } from "@freehold/client/passport";
import type { Head } from "@freehold/client/registry";
import type { Log } from "../log.ts";
import { decodeRecord } from "../store/record.ts";
import { SERVER_POD, type Snapshot, type Store } from "../store/store.ts";
import { putHosted } from "./hosted.ts";

/** Table `passport`, group "", item = id. */
interface FormerRecord {
  readonly id: PassportId;
  /** Number of authority operations. */
  readonly length: number;
  readonly dseq: number;
  readonly data: Signed<DataOperation> | null;
  readonly pod: string | null;
  readonly made: number;
}

/** A passport that is to begin in a log with what it had become. */
export interface Former {
  readonly id: PassportId;
  readonly head: Head;
  /** Of the newest data record; those of before are gone. */
  readonly dseq: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

const FORMER_AT_ONCE = 100;

/** Table `operation`, group = id: authority operations by number; of data records, hashes. */
async function chainOf(
  snapshot: Snapshot,
  { id, length }: FormerRecord,
): Promise<Signed<AuthorityOperation>[]> {
  const chain: Signed<AuthorityOperation>[] = [];
  for (let seq = 0; seq < length; seq += 1) {
    const entry = await snapshot.get("operation", id, `a${String(seq).padStart(9, "0")}`);
    if (!entry) throw new Error("A passport's chain has a gap");
    chain.push(decodeRecord(entry));
  }
  return chain;
}

async function adoptOne(
  store: Store,
  record: FormerRecord,
  adopt: (former: Former) => Promise<boolean>,
): Promise<boolean> {
  const { id, dseq, data, pod, made } = record;
  const auth = await store.read(SERVER_POD, (snapshot) => chainOf(snapshot, record));
  if (!(await adopt({ id, head: { auth, data }, dseq, created: made }))) return false;
  await store.write(SERVER_POD, async (transaction) => {
    if (!(await transaction.get("passport", "", id))) return; // Another server was sooner.
    for await (const { item } of transaction.list("operation", id)) transaction.delete("operation", id, item);
    transaction.delete("passport", "", id);
    if (pod !== null) putHosted(transaction, { id, pod, made, said: data?.op ?? null, link: null });
  });
  return true;
}

/**
 * Safe to run again at every start: what was adopted is there no more.
 * @param adopt Resolves when the passport is in a published checkpoint, or was in it already; false for one that
 * belongs elsewhere, which is left as it is.
 */
export async function adoptFormer(
  store: Store,
  log: Log,
  adopt: (former: Former) => Promise<boolean>,
): Promise<void> {
  const records = await store.read(SERVER_POD, async (snapshot) => {
    const found: FormerRecord[] = [];
    for await (const entry of snapshot.list("passport", "")) found.push(decodeRecord<FormerRecord>(entry));
    return found;
  });
  let adopted = 0;
  let left = 0;
  for (let at = 0; at < records.length; at += FORMER_AT_ONCE) {
    const some = records.slice(at, at + FORMER_AT_ONCE);
    const outcomes = await Promise.allSettled(some.map((record) => adoptOne(store, record, adopt)));
    const taken = outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value).length;
    adopted += taken;
    left += some.length - taken;
  }
  if (adopted > 0) log.info("passport.adopted", { passports: adopted });
  if (left > 0) log.warn("passport.not-adopted", { passports: left }); // Of a zone that is not served here any more.
}
