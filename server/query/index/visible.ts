/** Some documents of an index as one dataset, which stays as it is whatever is added and dropped later. */
import { hasTriple, openSegment, type PackedSegment } from "./segment.ts";
import type { Slots } from "./slots.ts";
import type { Id, Segment, Terms, View } from "./view.ts";

/** A segment as it is shared, and as it is read. */
export interface Part {
  readonly packed: PackedSegment;
  readonly open: Segment;
}
export const partOf = (packed: PackedSegment): Part => ({ packed, open: openSegment(packed) });

/**
 * @param scattered Triples (s, p, o, s, p, o, …) that may stand in more than one segment.
 * @param defaults By slot, 1 for a part of the default graph. @param named By slot, 1 for a named graph.
 */
export function createView(
  terms: Terms,
  slots: Slots,
  parts: readonly Part[],
  scattered: readonly Id[],
  defaults: Uint8Array,
  named: Uint8Array,
): View {
  const segments = parts.map(({ open }) => open).filter(({ length }) => length > 0);
  const countOf = (bits: Uint8Array): number => {
    let count = 0;
    for (const bit of bits) count += bit;
    return count;
  };
  const isDefault = (slot: number): boolean => defaults[slot] === 1;
  let mayRepeat: boolean | null = null;
  const findRepeated = (): boolean => {
    if (parts.some((part) => repeatsIn(part, defaults))) return true;
    for (let at = 0; at < scattered.length; at += 3) {
      const [s, p, o] = [scattered[at]!, scattered[at + 1]!, scattered[at + 2]!];
      if (parts.filter(({ open }) => hasTriple(open, s, p, o, isDefault)).length > 1) return true;
    }
    return false;
  };
  return {
    terms,
    segments: segments.sort((a, b) => b.length - a.length),
    slotCount: defaults.length,
    defaults,
    named,
    defaultCount: countOf(defaults),
    namedCount: countOf(named),
    nameOf: (slot) => slots.names[slot]!,
    slotOf: (name) => slots.named(name, (slot) => named[slot] === 1),
    get mayRepeat() {
      return (mayRepeat ??= findRepeated());
    },
  };
}

/** Whether more than one visible graph says the same. */
function repeatsIn({ packed: { repeats, spo } }: Part, visible: Uint8Array): boolean {
  for (const first of repeats) {
    let seen = 0;
    for (let row = first; row < spo.first.length; row++) {
      const isSame =
        spo.first[row] === spo.first[first] &&
        spo.second[row] === spo.second[first] &&
        spo.third[row] === spo.third[first];
      if (!isSame) break;
      if (visible[spo.graph[row]!] === 1 && ++seen > 1) return true;
    }
  }
  return false;
}
