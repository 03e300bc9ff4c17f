interface Held<V> {
  readonly value: V;
  readonly weight: number;
  /** When it was put last, as `#puts` counts: so many others at most are younger. */
  put: number;
}

/** A cache bounded by weight: what has not been used for long goes first. */
export class Lru<K, V> {
  readonly #entries = new Map<K, Held<V>>();
  readonly #weightMax: number;
  #weight = 0;
  #puts = 0;

  /** @param weightMax Sum of all weights, in whatever unit `set` is given: bytes, or 1 each. */
  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get(key: K): V | undefined {
    const found = this.#entries.get(key);
    if (!found) return undefined;
    // A Map keeps insertion order: put back, it is the youngest. One of the youngest eighth stays where it is, for what
    // everybody asks for would be moved at each request, and a large Map is slow with many gaps.
    if (this.#puts - found.put > this.#entries.size / 8) {
      this.#entries.delete(key);
      this.#put(key, found);
    }
    return found.value;
  }

  /** Something heavier than the whole cache is not kept. */
  set(key: K, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.#weightMax) return;
    this.#put(key, { value, weight, put: 0 });
    this.#weight += weight;
    if (this.#weight <= this.#weightMax) return; // To ask for the oldest is to pass all gaps before it.
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#weightMax) break;
      this.delete(oldest);
    }
  }

  #put(key: K, held: Held<V>): void {
    held.put = ++this.#puts;
    this.#entries.set(key, held);
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }

  delete(key: K): void {
    const found = this.#entries.get(key);
    if (!found) return;
    this.#entries.delete(key);
    this.#weight -= found.weight;
  }
}
