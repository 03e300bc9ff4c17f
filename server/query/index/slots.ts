/** The graphs of an index: each document that was read has a slot, and keeps it until the index is compacted. */
import type { Id } from "./view.ts";

const NONE = -1;
/** Document numbers are given one after another, so slots are found by pages of them. */
const PAGE_BITS = 6;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
const ROOM_AT_FIRST = 64;

/** Columns by slot, and the way back from document numbers and names. Grows; a slot is never reused. */
export class Slots {
  count = 0;
  /** Documents that are not dropped, and their quads. */
  liveCount = 0;
  liveQuads = 0;
  /** The number of the document. */
  numbers: Uint32Array;
  /** The id of its name. */
  names: Uint32Array;
  /** How many quads it has. */
  quads: Uint32Array;
  /** 1 until it is dropped. */
  live: Uint8Array;
  /** By number, the slot and one; 0: none. */
  readonly #pages = new Map<number, Uint32Array>();
  #page: Uint32Array = new Uint32Array(PAGE_MASK + 1);
  #pageNumber = NONE;
  /** The newest slot of each name, and for each slot the one before it; made when somebody asks for a name. */
  #newest: Map<Id, number> | null = null;
  #before: number[] = [];

  constructor(room: number = ROOM_AT_FIRST) {
    this.numbers = new Uint32Array(room);
    this.names = new Uint32Array(room);
    this.quads = new Uint32Array(room);
    this.live = new Uint8Array(room);
  }

  get byteCount(): number {
    const BYTES_OF_NAME = 32;
    const BYTES_OF_PAGE = (PAGE_MASK + 1) * 4 + 150;
    const names = this.#newest ? this.count * BYTES_OF_NAME : 0;
    return this.numbers.length * 13 + this.#pages.size * BYTES_OF_PAGE + names;
  }

  /** @returns -1 for a document that is not here, or not any more. */
  slotOf(number: number): number {
    const page = number >>> PAGE_BITS;
    if (page !== this.#pageNumber) {
      const found = this.#pages.get(page);
      if (!found) return NONE;
      this.#page = found;
      this.#pageNumber = page;
    }
    return this.#page[number & PAGE_MASK]! - 1;
  }

  #setSlot(number: number, slot: number): void {
    const page = number >>> PAGE_BITS;
    let found = this.#pages.get(page);
    if (!found) this.#pages.set(page, (found = new Uint32Array(PAGE_MASK + 1)));
    found[number & PAGE_MASK] = slot + 1;
  }

  add(number: number, name: Id, quads: number): number {
    if (this.slotOf(number) !== NONE) throw new Error("a document is added once");
    if (this.count === this.numbers.length) this.#grow();
    const slot = this.count++;
    this.numbers[slot] = number;
    this.names[slot] = name;
    this.quads[slot] = quads;
    this.live[slot] = 1;
    this.liveCount++;
    this.liveQuads += quads;
    this.#setSlot(number, slot);
    if (this.#newest) this.#link(this.#newest, slot);
    return slot;
  }

  /** @param slot One that is live. */
  setQuads(slot: number, quads: number): void {
    this.liveQuads += quads - this.quads[slot]!;
    this.quads[slot] = quads;
  }

  /** A slot whose document is gone already, but whose quads are still there. */
  addDead(name: Id, quads: number): void {
    const NUMBER_OF_NONE = 0;
    this.add(NUMBER_OF_NONE, name, quads);
    this.drop(NUMBER_OF_NONE);
  }

  drop(number: number): void {
    const slot = this.slotOf(number);
    if (slot === NONE) return;
    this.#setSlot(number, NONE);
    this.live[slot] = 0;
    this.liveCount--;
    this.liveQuads -= this.quads[slot]!;
  }

  /** @returns the newest slot of this name that `isMeant`; -1 when there is none. */
  named(name: Id, isMeant: (slot: number) => boolean): number {
    if (this.#newest === null) {
      this.#newest = new Map();
      for (let slot = 0; slot < this.count; slot++) this.#link(this.#newest, slot);
    }
    let slot = this.#newest.get(name) ?? NONE;
    while (slot !== NONE && !isMeant(slot)) slot = this.#before[slot]!;
    return slot;
  }

  #link(newest: Map<Id, number>, slot: number): void {
    const name = this.names[slot]!;
    this.#before[slot] = newest.get(name) ?? NONE;
    newest.set(name, slot);
  }

  #grow(): void {
    const room = this.count * 2;
    const [numbers, names, quads, live] = [this.numbers, this.names, this.quads, this.live];
    this.numbers = new Uint32Array(room);
    this.names = new Uint32Array(room);
    this.quads = new Uint32Array(room);
    this.live = new Uint8Array(room);
    this.numbers.set(numbers);
    this.names.set(names);
    this.quads.set(quads);
    this.live.set(live);
  }
}
