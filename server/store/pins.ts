/**
 * Which blobs may not be removed although no record names them (yet): the uploads between their last byte and their commit.
 *
 * `release` is called for two reasons: an upload whose transaction never happened, and a commit that dropped a use.
 * Only the first gives back a pin, and the call does not say which it is. So dropped uses are counted as well: a
 * release first settles a dropped use, then a pin. The sums are right in any order of concurrent callers.
 */
export interface Pins {
  /** An upload has ended, or a commit that names the blob has begun. */
  add(key: string): void;
  /** A committed record names the blob now. */
  used(key: string): void;
  /** A committed transaction deleted a record that named the blob. */
  dropped(key: string): void;
  /** Settles one dropped use, or else gives back one pin. */
  released(key: string): void;
  /** True while an upload or a commit needs the file. Pins of callers that never came back end after `pinMsMax`. */
  has(key: string): boolean;
}

interface Count {
  pins: number;
  dropped: number;
  /** Milliseconds since 1970 of the youngest pin. */
  at: number;
}

export function createPins(now: () => Date, pinMsMax: number): Pins {
  const counts = new Map<string, Count>();

  function change(key: string, by: (count: Count) => void): void {
    const count = counts.get(key) ?? { pins: 0, dropped: 0, at: 0 };
    by(count);
    if (count.pins === 0 && count.dropped === 0) counts.delete(key);
    else counts.set(key, count);
  }

  return {
    add: (key) =>
      change(key, (count) => {
        count.pins++;
        count.at = now().getTime();
      }),
    used: (key) => change(key, (count) => void (count.pins = Math.max(0, count.pins - 1))),
    dropped: (key) => change(key, (count) => void count.dropped++),
    released: (key) =>
      change(key, (count) => {
        if (count.dropped > 0) count.dropped--;
        else count.pins = Math.max(0, count.pins - 1);
      }),
    has(key) {
      const count = counts.get(key);
      if (!count) return false;
      if (now().getTime() - count.at <= pinMsMax) return count.pins > 0;
      counts.delete(key);
      return false;
    },
  };
}
