/**
 * An index as bytes: the terms, and the quads in one order as differences, compressed. The other orders are sorted anew
 * when it is opened, which takes less time than reading them would.
 *
 * Layout: magic, version, seed, how many terms, quads and slots (4 bytes each), then each part as the length of its zstd
 * frame, its own length (4 bytes each), and the frame; at the end the words of the texts, if anybody searched. Numbers are little-endian; ids are below 2^31.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PackedTerms } from "./lexicon.ts";
import { sharedIds } from "./memory.ts";
import type { SharedIndex } from "./pod-index.ts";
import { packSorted } from "./segment.ts";
import type { PackedTexts } from "./texts.ts";

const MAGIC = 0x4648_5149;
const VERSION = 1;
const HEADER_BYTES = 24;
const PART_HEADER_BYTES = 8;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** How a column is written: as it is, or as what each differs from the one before. */
type Coding = "plain" | "rising" | "differing";

/**
 * All lowest bytes, then all second ones, and so on, as many as the largest number has: each of these runs is much alike,
 * and no byte says how many follow, so that reading them is quick.
 */
function encodeColumn(column: Uint32Array, coding: Coding): Uint8Array {
  const { length } = column;
  const written = new Uint32Array(length);
  let all = 0;
  let before = 0;
  for (let at = 0; at < length; at++) {
    const id = column[at]!;
    const difference = id - before;
    before = id;
    let value = id;
    if (coding === "rising") value = difference;
    // A sign would fill a number to its end: 0, -1, 1, -2, 2, … become 0, 1, 2, 3, 4, …
    else if (coding === "differing") value = difference < 0 ? -2 * difference - 1 : difference * 2;
    written[at] = value;
    all |= value;
  }
  const planes = all === 0 ? 0 : Math.ceil((32 - Math.clz32(all)) / 8);
  const bytes = new Uint8Array(length * planes);
  for (let plane = 0; plane < planes; plane++)
    for (let at = 0; at < length; at++) bytes[plane * length + at] = written[at]! >>> (plane * 8);
  return bytes;
}

function decodeColumn(bytes: Uint8Array, length: number, coding: Coding): Uint32Array {
  const column = sharedIds(length);
  for (let from = 0, shift = 0; from < bytes.length; from += length, shift += 8)
    for (let at = 0; at < length; at++) column[at]! |= bytes[from + at]! << shift;
  let before = 0;
  if (coding === "rising")
    for (let at = 0; at < length; at++) {
      before += column[at]!;
      column[at] = before;
    }
  else if (coding === "differing")
    for (let at = 0; at < length; at++) {
      const value = column[at]!;
      before += (value >>> 1) ^ -(value & 1);
      column[at] = before;
    }
  return column;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Its document numbers are not in it: whoever keeps the bytes keeps beside them which document each slot is. */
export function packIndex({ terms, segment, texts, names }: SharedIndex): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(VERSION, 4);
  const { spo } = segment;
  for (const [at, number] of [terms.seed, terms.ends.length, spo.first.length, names.length].entries())
    header.writeUInt32LE(number, 8 + at * 4);
  const parts = [
    terms.heap,
    encodeColumn(terms.ends, "rising"),
    terms.types,
    terms.kinds,
    bytesOf(terms.numbers),
    bytesOf(terms.table),
    encodeColumn(spo.first, "rising"),
    encodeColumn(spo.second, "plain"),
    encodeColumn(spo.third, "differing"),
    encodeColumn(spo.graph, "differing"),
    encodeColumn(names, "differing"),
  ];
  return Buffer.concat([header, ...framed(parts), ...(texts ? packTexts(texts) : [])]);
}

const framed = (parts: readonly Uint8Array[]): readonly Uint8Array[] =>
  parts.flatMap((part) => {
    const frame = zstdCompressSync(part, LEVEL);
    return [twoNumbers(frame.length, part.length), frame];
  });

function twoNumbers(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(first, 0);
  bytes.writeUInt32LE(second, 4);
  return bytes;
}

/** After all else, where there are any: how many words and ids, then their parts. */
const packTexts = ({ heap, ends, idEnds, ids }: PackedTexts): readonly Uint8Array[] => [
  twoNumbers(ends.length, ids.length),
  ...framed([
    heap,
    encodeColumn(ends, "rising"),
    encodeColumn(idEnds, "rising"),
    encodeColumn(ids, "differing"),
  ]),
];

/**
 * @param bytes What {@link packIndex} made.
 * @param numbers By slot, the number that its document has now; 0 where it is gone, or has another version.
 * @returns null for bytes of another version of this format: the index is then made from the documents.
 */
export function unpackIndex(bytes: Uint8Array, numbers: Uint32Array): SharedIndex | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEADER_BYTES || buffer.readUInt32LE(0) !== MAGIC || buffer.readUInt32LE(4) !== VERSION)
    return null;
  const [termCount, quadCount, slotCount] = [12, 16, 20].map((at) => buffer.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  if (numbers.length !== slotCount) throw new Error("a number for each slot, and no other");
  let from = HEADER_BYTES;
  const next = (): Buffer => {
    const frameBytes = buffer.readUInt32LE(from);
    const length = buffer.readUInt32LE(from + 4);
    const frame = buffer.subarray(from + PART_HEADER_BYTES, from + PART_HEADER_BYTES + frameBytes);
    from += PART_HEADER_BYTES + frameBytes;
    return zstdDecompressSync(frame, { chunkSize: Math.max(64, length + 1) }); // In one piece.
  };
  const heap = next();
  const ends = decodeColumn(next(), termCount, "rising");
  const [types, kinds, numberBytes, table] = [next(), next(), aligned(next()), aligned(next())];
  const terms: PackedTerms = {
    heap,
    ends,
    types,
    kinds,
    numbers: new Float64Array(numberBytes.buffer, numberBytes.byteOffset, termCount),
    table: new Uint32Array(table.buffer, table.byteOffset, table.length / 4),
    seed: buffer.readUInt32LE(8),
  };
  const segment = packSorted({
    subject: decodeColumn(next(), quadCount, "rising"),
    predicate: decodeColumn(next(), quadCount, "plain"),
    object: decodeColumn(next(), quadCount, "differing"),
    graph: decodeColumn(next(), quadCount, "differing"),
  });
  const names = decodeColumn(next(), slotCount, "differing");
  const quads = sharedIds(names.length);
  const { graphStarts, firstSlot } = segment;
  for (let at = 0; at < graphStarts.length - 1; at++)
    quads[firstSlot + at] = graphStarts[at + 1]! - graphStarts[at]!;
  let texts: PackedTexts | null = null;
  const unpackTexts = (): PackedTexts | null => {
    if (from >= buffer.length) return null;
    const [words, ids] = [buffer.readUInt32LE(from), buffer.readUInt32LE(from + 4)];
    from += PART_HEADER_BYTES;
    return {
      heap: next(),
      ends: decodeColumn(next(), words, "rising"),
      idEnds: decodeColumn(next(), words, "rising"),
      ids: decodeColumn(next(), ids, "differing"),
    };
  };
  return {
    terms,
    segment,
    numbers,
    names,
    quads,
    get texts() {
      return (texts ??= unpackTexts()); // When somebody searches.
    },
  };
}

/** Wider numbers begin at a multiple of their size. */
const aligned = (bytes: Uint8Array): Uint8Array =>
  bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
