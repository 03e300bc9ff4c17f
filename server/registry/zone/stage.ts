/** An epoch between its decision and its publication: whoever finds one in the store can finish it, and only as it is. */
import type { Entry, Transaction } from "../../store/store.ts";
import { REGISTRY } from "./state.ts";

/** A record that is written, or removed, with the publication. */
export interface RecordWrite {
  readonly group: string;
  readonly item: string;
  readonly value: Uint8Array | null;
}

export interface StageFields {
  /** What compare-and-swap looks at; see `epochs.ts`. */
  readonly turn: number;
  readonly shard: string;
  /** Leaves before, and with these. */
  readonly from: number;
  readonly size: number;
  /** base64url. */
  readonly logRoot: string;
  readonly frontier: readonly string[];
  readonly rootLeaf: { readonly epoch: number; readonly count: number; readonly root: string };
  readonly logPath: readonly string[];
  /** The text that is signed. */
  readonly body: string;
}

export interface Stage extends StageFields {
  /** Encoded, in their order; the last is the root leaf. */
  readonly leaves: readonly Uint8Array[];
  readonly records: readonly RecordWrite[];
}

interface Header extends StageFields {
  readonly leafBytes: readonly number[];
  /** Bytes of the value; null removes. */
  readonly writes: readonly (readonly [group: string, item: string, bytes: number | null])[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Four bytes for the length of the header, the header, then all bytes that it tells the lengths of. */
export function encodeStage({ leaves, records, ...fields }: Stage): Uint8Array {
  const header: Header = {
    ...fields,
    leafBytes: leaves.map((leaf) => leaf.length),
    writes: records.map(({ group, item, value }) => [group, item, value && value.length]),
  };
  const text = encoder.encode(JSON.stringify(header));
  const parts = [...leaves, ...records.flatMap(({ value }) => (value ? [value] : []))];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, ...parts]);
}

export function decodeStage({ value }: Pick<Entry, "value">): Stage {
  const textBytes = new DataView(value.buffer, value.byteOffset).getUint32(0);
  const { leafBytes, writes, ...fields } = JSON.parse(
    decoder.decode(value.subarray(4, 4 + textBytes)),
  ) as Header;
  let at = 4 + textBytes;
  const take = (bytes: number): Uint8Array => value.subarray(at, (at += bytes));
  const leaves = leafBytes.map(take);
  const records = writes.map(([group, item, bytes]) => ({
    group,
    item,
    value: bytes === null ? null : take(bytes),
  }));
  return { ...fields, leaves, records };
}

export function applyRecords(transaction: Transaction, records: readonly RecordWrite[]): void {
  for (const { group, item, value } of records) {
    if (value) transaction.put(REGISTRY, group, item, value);
    else transaction.delete(REGISTRY, group, item);
  }
}
