/**
 * Consents that come with their pod. They count only if a host that the pod's own passport names vouches for them, and the
 * passport says that the pod was there: else anybody could hand somebody an archive with grants to themselves in it. What is
 * kept is what was; nothing is signed in another host's name. What this host does from now on it signs itself.
 *
 * An archive that is older than a week may bring back what was revoked since: then its grants rest until the owner has looked.
 */
import { createHash } from "node:crypto";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Store, Transaction } from "../../store/store.ts";
import { attend } from "../attention.ts";
import type { Grants } from "../grants.ts";
import type { Grant, Usage } from "../model.ts";
import { bytesOfStatement, isObject, type SignedStatement, STATEMENT_FORMAT } from "../shared.ts";
import { isEnd } from "../states.ts";
import { putFormerHost } from "./former.ts";
import { packedIn } from "./forms.ts";
import { type Packed, type Rooted, unpacked } from "./luggage.ts";

export interface ArrivingDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly grants: Pick<Grants, "adopt">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  readonly enlist: (pod: Pod) => Promise<void>;
  /**
   * What is wrong with a host's word about a pod of this server: whether the passport is this pod's, the key is one that its
   * chain names as delegate, the signature holds, and the passport says that the pod was there. Null: nothing is.
   */
  readonly doubt: (
    pod: Pod,
    said: { readonly passport: string; readonly storage: string; readonly key: string; readonly s: string },
    bytes: Uint8Array<ArrayBuffer>,
  ) => Promise<string | null>;
}

export interface Arriving {
  readonly statement: unknown;
  /** As often as it is asked for. */
  readonly content: () => AsyncIterable<Uint8Array>;
  readonly move: Rooted;
  /** Whether all grants rest until the owner lets them go on. */
  readonly rests: boolean;
}

export interface Arrived {
  /** That are here now, and were not before. */
  readonly grants: number;
  /** Of these, those that rest until the owner lets them go on. */
  readonly resting: number;
  /** Records that were not as they must be, or had no room. */
  readonly leftOut: number;
  /** Why nothing was taken; null where it was. */
  readonly refused: string | null;
}

const PER_COMMIT = 100;
const LINE_CHARS_MAX = 524_288;
const CLOCKS_APART_MS = 300_000;
const FRESH_MS = 7 * 24 * 3_600_000;

const NOTHING = { grants: 0, resting: 0, leftOut: 0 } as const;

function statementIn(value: unknown): SignedStatement | null {
  if (!isObject(value) || !isObject(value["statement"])) return null;
  const { statement, key, s } = value as unknown as SignedStatement;
  const { format, records, receiptKeys } = statement;
  const texts = [
    statement.export,
    statement.passport,
    statement.storage,
    statement.taken,
    statement.sha256,
    key,
    s,
  ];
  const isOne =
    format === STATEMENT_FORMAT &&
    texts.every((text) => typeof text === "string" && text.length <= 2_048) &&
    Number.isSafeInteger(records) &&
    Array.isArray(receiptKeys) &&
    receiptKeys.length <= 64 &&
    receiptKeys.every((text) => typeof text === "string" && text.length <= 2_048) &&
    /^[\w-]{1,64}$/.test(statement.export) &&
    !Number.isNaN(Date.parse(statement.taken));
  return isOne ? { statement, key, s } : null;
}

async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of content) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) return;
    yield* lines;
  }
}

export type Arrive = (pod: Pod, arriving: Arriving) => Promise<Arrived>;

export function createArriving(deps: ArrivingDeps): Arrive {
  const { store, grants, limits, now, log, enlist, doubt } = deps;

  async function refusalOf(
    pod: Pod,
    signed: SignedStatement | null,
    { content, move }: Arriving,
  ): Promise<string | null> {
    if (!signed) return "No host vouches for the consents in this archive";
    const { statement, key, s } = signed;
    const { passport, storage } = statement;
    if (storage !== move.from) return "The consents are of another pod than the archive";
    const doubted = await doubt(pod, { passport, storage, key, s }, bytesOfStatement(statement));
    if (doubted !== null) return doubted;
    const digest = createHash("sha256");
    for await (const chunk of content()) digest.update(chunk);
    return digest.digest("hex") === statement.sha256
      ? null
      : "The consents are not what their host vouches for";
  }

  /** What is here already stays, but for a count of uses that has gone on at the former host. @returns whether it was put. */
  async function put(transaction: Transaction, { group, item, value }: Packed): Promise<boolean> {
    const before = await transaction.get("consent", group, item);
    const isMore = group === "usage" && before && (value as Usage).count > decodeRecord<Usage>(before).count;
    if (before && !isMore) return false;
    transaction.put("consent", group, item, encodeRecord(value));
    return true;
  }

  async function takeGrant(
    transaction: Transaction,
    pod: Pod,
    grant: Grant,
    isOld: boolean,
  ): Promise<"new" | "rests" | "known" | "no-room"> {
    if (await transaction.get("consent", "grant", grant.id)) return "known";
    const rests = isOld && !isEnd(grant.state);
    const taken: Grant =
      rests && grant.state === "Active" ? { ...grant, state: "Paused", reason: "moved" } : grant;
    try {
      await grants.adopt(transaction, pod, taken);
    } catch (error) {
      if (error instanceof Problem && error.code === "conflict") return "no-room";
      throw error;
    }
    if (isEnd(taken.state)) return "known";
    const kind = "grant-moved" as const;
    const alert = { kind, grant: grant.id, agent: grant.assignee, client: null, path: null };
    await attend(transaction, alert, now().getTime(), limits);
    return rests ? "rests" : "new";
  }

  /** A host before the former one: by the same passport. */
  async function isBelieved(pod: Pod, value: unknown): Promise<boolean> {
    const signed = statementIn(value);
    if (!signed) return false;
    const { passport, storage } = signed.statement;
    const said = { passport, storage, key: signed.key, s: signed.s };
    return (await doubt(pod, said, bytesOfStatement(signed.statement))) === null;
  }

  async function takeAll(
    pod: Pod,
    signed: SignedStatement,
    { content, move, rests }: Arriving,
  ): Promise<Arrived> {
    const { statement } = signed;
    const isOld = rests || now().getTime() - Date.parse(statement.taken) > FRESH_MS;
    const counts = { grants: 0, resting: 0, leftOut: 0 };
    const latest = now().getTime() + CLOCKS_APART_MS;
    let batch: Packed[] = [];
    async function flush(): Promise<void> {
      const some = batch;
      batch = [];
      const { result } = await store.write(pod.id, async (transaction) => {
        const found = { grants: 0, resting: 0, leftOut: 0 };
        for (const packed of some) {
          if (packed.group !== "grant") await put(transaction, packed);
          else {
            const outcome = await takeGrant(transaction, pod, packed.value as Grant, isOld);
            if (outcome === "new" || outcome === "rests") found.grants += 1;
            if (outcome === "rests") found.resting += 1;
            if (outcome === "no-room") found.leftOut += 1;
          }
        }
        return found;
      });
      counts.grants += result.grants;
      counts.resting += result.resting;
      counts.leftOut += result.leftOut;
    }
    await enlist(pod); // Vendors are told of the new address.
    await store.write(pod.id, async (transaction) => putFormerHost(transaction, signed));
    for await (const line of linesOf(content())) {
      const packed = packedIn(line, latest);
      if (!packed || (packed.group === "former" && !(await isBelieved(pod, packed.value))))
        counts.leftOut += 1;
      else batch.push(unpacked(packed, move));
      if (batch.length >= PER_COMMIT) await flush();
    }
    await flush();
    log.info("consent.arrived", counts);
    return { ...counts, refused: null };
  }

  return async (pod, arriving) => {
    const signed = statementIn(arriving.statement);
    const refused = await refusalOf(pod, signed, arriving);
    if (refused !== null || !signed) return { ...NOTHING, refused };
    return takeAll(pod, signed, arriving);
  };
}
