/** Passports in a mirror's store, each held against the zone's map: as the zone keeps them, so that the same code answers. */

import { hash } from "node:crypto";
import {
  type AuthorityOperation,
  type DataOperation,
  type HoldOperation,
  headRecordText,
  isExactly,
  isHash,
  isObject,
  isPassportId,
  isWhole,
  OPERATION_BYTES_MAX,
  type PassportId,
  type Shard,
  type Signed,
  textOfOperation,
} from "@freehold/client/registry";
import { commitOf, headKeyOf } from "../log/hash.ts";
import type { Replica } from "../port.ts";
import type { RecordWrite } from "../zone/stage.ts";
import { encodeHead, type HeadFields, type HeadParts } from "../zone/state.ts";

/** A passport that fits its own key and opening; whether the map has its commitment is the next question. */
export interface ReadReplica {
  /** base64url. */
  readonly headKey: string;
  readonly commit: string;
  readonly id: PassportId;
  readonly record: RecordWrite;
}

const TIME_MAX = 8.64e15; // The last that a date can be.

export const REPLICA_CHARACTERS_MAX = 256 * 4 * OPERATION_BYTES_MAX;

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const hashOf = (op: Parameters<typeof textOfOperation>[0]): string =>
  hash("sha256", textOfOperation(op), "base64url");

/** What follows from a chain that somebody else has judged. */
function walk(auth: readonly Signed<AuthorityOperation>[]): {
  readonly keysSince: number;
  readonly zone: string;
  readonly deactivated: boolean;
} {
  let [keysSince, zone, deactivated, delegate] = [0, "", false, ""];
  for (const { op } of auth) {
    if (op.t === "create") zone = op.zone;
    if (op.t === "port") zone = op.to;
    if (op.t === "rotate" || op.t === "recover" || op.delegate.key !== delegate) keysSince = op.seq;
    delegate = op.delegate.key;
    deactivated = op.t === "deactivate" || (deactivated && op.t !== "reactivate");
  }
  return { keysSince, zone, deactivated };
}

function isHead(value: unknown): value is HeadParts {
  if (!isObject(value) || !Array.isArray(value["auth"]) || value["auth"].length === 0) return false;
  const operations: unknown[] = [
    ...value["auth"],
    ...(value["data"] === null ? [] : [value["data"]]),
    ...(value["hold"] === undefined ? [] : [value["hold"]]),
  ];
  return operations.every((one) => isObject(one) && isObject(one["op"]));
}

/** The newest operation stands in the map by its hash; those before it by that, one after the other. */
const isChain = (auth: readonly Signed<AuthorityOperation>[]): boolean =>
  auth.every(({ op }, index) => {
    const before = auth[index - 1];
    return op.seq === index && op.prev === (before ? hashOf(before.op) : null);
  });

const isPending = (value: unknown, id: string): boolean =>
  isExactly(value, ["hash", "type", "at", "effectiveAt", "signed"]) &&
  isHash(value["hash"]) &&
  isWhole(value["at"], 0, TIME_MAX) &&
  isWhole(value["effectiveAt"], 0, TIME_MAX) &&
  isObject(value["signed"]) &&
  isObject(value["signed"]["op"]) &&
  value["signed"]["op"]["t"] === value["type"] &&
  value["signed"]["op"]["id"] === id &&
  value["hash"] === hashOf(value["signed"]["op"] as unknown as Parameters<typeof hashOf>[0]);

/** @returns null for what is no passport, or says it is another one. */
export function readReplica(shard: Shard, replica: Replica): ReadReplica | null {
  const { id, head, opening, created, updated, createdAt, authSince, vetoedAt, pending } = replica;
  if (!isPassportId(id) || !isHead(head) || !isHash(opening)) return null;
  const times: readonly unknown[] = [created, updated, createdAt ?? 0, authSince ?? 0, vetoedAt ?? 0];
  if (!times.every((time) => isWhole(time, 0, TIME_MAX))) return null;
  if (pending !== null && !isPending(pending, id)) return null;
  const { auth, data, hold } = head as HeadParts & {
    readonly data: Signed<DataOperation> | null;
    readonly hold?: Signed<HoldOperation>;
  };
  const last = auth.at(-1)?.op;
  if (!last || !isChain(auth)) return null;
  const key = headKeyOf(shard, id);
  const headHash = hashOf(last);
  const dataHash = data ? hashOf(data.op) : null;
  const held = hold ? hashOf(hold.op) : null;
  const dseq = data?.op.dseq ?? 0;
  const text = headRecordText({
    a: headHash,
    aseq: last.seq,
    d: dataHash,
    dseq,
    ...(held !== null && { h: held }),
  });
  const commit = encode(commitOf(Buffer.from(opening, "base64url"), key, text));
  const fields: HeadFields = {
    id,
    headKey: encode(key),
    opening,
    commit,
    headHash,
    aseq: last.seq,
    dseq,
    dataHash,
    ...walk(auth),
    hold: held,
    registrar: last.registrar,
    created,
    updated,
    createdAt,
    authSince,
    vetoedAt,
    taken: [],
    spoken: [],
    pending,
  };
  return {
    headKey: fields.headKey,
    commit,
    id,
    record: { group: "head", item: id, value: encodeHead(fields, JSON.stringify(head)) },
  };
}
