/**
 * Sealed rows as bytes. A part is "FHRW" format(1), then rows, each beginning with its kind; numbers are big-endian:
 *
 *   1 pod      pod(16) generation(8) usage-bytes(8) usage-resources(8) head-number(8) head-hash(32)
 *   2 record   table(2) group-key(16) item-key(16) version(8) length(4) sealed
 *   3 journal  number(8) leaf(32) length(4) sealed; length 0xFFFFFFFF: forgotten
 *   4 pod goes on, at the beginning of a part: pod(16)
 *
 * Records and entries belong to the pod before them.
 */
import assert from "node:assert/strict";
import { OperatorError } from "../errors.ts";
import type { PodId, StoredRow } from "../store/store.ts";

const MAGIC = Buffer.from("FHRW\u0001", "latin1");
const KIND = { pod: 1, record: 2, journal: 3, continued: 4 } as const;
const FORGOTTEN = 0xffff_ffff;
/** How much is gathered before a part is closed; one row may go beyond it. */
const PART_BYTES = 4 * 1024 * 1024;

function u64(buffer: Buffer, value: number, at: number): void {
  buffer.writeBigUInt64BE(BigInt(value), at);
}

function encode(row: StoredRow): readonly Uint8Array[] {
  switch (row.kind) {
    case "pod": {
      const head = Buffer.alloc(81);
      head[0] = KIND.pod;
      head.write(row.pod, 1, "hex");
      u64(head, row.generation, 17);
      u64(head, row.usage.bytes, 25);
      u64(head, row.usage.resources, 33);
      u64(head, row.head.number, 41);
      head.set(row.head.hash, 49);
      return [head];
    }
    case "record": {
      const head = Buffer.alloc(47);
      head[0] = KIND.record;
      head.writeUInt16BE(row.table, 1);
      head.set(row.groupKey, 3);
      head.set(row.itemKey, 19);
      u64(head, row.version, 35);
      head.writeUInt32BE(row.sealed.length, 43);
      return [head, row.sealed];
    }
    default: {
      const head = Buffer.alloc(45);
      head[0] = KIND.journal;
      u64(head, row.number, 1);
      head.set(row.leaf, 9);
      head.writeUInt32BE(row.sealed?.length ?? FORGOTTEN, 41);
      return row.sealed ? [head, row.sealed] : [head];
    }
  }
}

/** Rows, pod by pod, as parts of a few MiB. */
export async function* encodeRows(rows: AsyncIterable<StoredRow>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [MAGIC];
  let bytes = MAGIC.length;
  let pod: PodId | null = null;
  for await (const row of rows) {
    if (row.kind !== "pod") {
      assert(row.pod === pod, "a pod's rows follow it");
      if (pieces.length === 1) {
        const mark = Buffer.alloc(17);
        mark[0] = KIND.continued;
        mark.write(pod, 1, "hex");
        pieces.push(mark);
        bytes += mark.length;
      }
    }
    ({ pod } = row);
    for (const piece of encode(row)) {
      pieces.push(piece);
      bytes += piece.length;
    }
    if (bytes < PART_BYTES) continue;
    yield Buffer.concat(pieces, bytes);
    pieces = [MAGIC];
    bytes = MAGIC.length;
  }
  if (pieces.length > 1) yield Buffer.concat(pieces, bytes);
}

/** @throws OperatorError for a part that another program wrote, or a newer one. */
export function* decodeRows(part: Buffer): Generator<StoredRow> {
  if (part.length < MAGIC.length || !part.subarray(0, 4).equals(MAGIC.subarray(0, 4)))
    throw new OperatorError("The backup's rows are not in a format that is known here.");
  if (part[4] !== MAGIC[4])
    throw new OperatorError("The backup was written by a newer Freehold. Run that version or a newer one.");
  let pod: PodId | null = null;
  let at = MAGIC.length;
  const number = (): number => {
    at += 8;
    return Number(part.readBigUInt64BE(at - 8));
  };
  const slice = (bytes: number): Buffer => {
    if (at + bytes > part.length) throw new OperatorError("The backup's rows are cut short.");
    at += bytes;
    return part.subarray(at - bytes, at);
  };
  while (at < part.length) {
    const kind = slice(1)[0];
    if (kind === KIND.pod || kind === KIND.continued) {
      pod = slice(16).toString("hex") as PodId;
      if (kind === KIND.continued) continue;
      const [generation, bytes, resources, head] = [number(), number(), number(), number()];
      yield {
        kind: "pod",
        pod,
        generation,
        usage: { bytes, resources },
        head: { number: head, hash: slice(32) },
      };
      continue;
    }
    if (pod === null) throw new OperatorError("The backup's rows begin without their pod.");
    if (kind === KIND.record) {
      const table = slice(2).readUInt16BE(0);
      const [groupKey, itemKey, version] = [slice(16), slice(16), number()];
      yield {
        kind: "record",
        pod,
        table,
        groupKey,
        itemKey,
        version,
        sealed: slice(slice(4).readUInt32BE(0)),
      };
    } else if (kind === KIND.journal) {
      const [entry, leaf] = [number(), slice(32)];
      const length = slice(4).readUInt32BE(0);
      yield {
        kind: "journal",
        pod,
        number: entry,
        leaf,
        sealed: length === FORGOTTEN ? null : slice(length),
      };
    } else throw new OperatorError(`The backup has rows of an unknown kind (${kind}). Run a newer Freehold.`);
  }
}
