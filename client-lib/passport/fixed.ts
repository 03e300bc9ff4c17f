/** What nobody can change any more: whatever follows from it is worked out once. */
import { jcs } from "./bytes.ts";

const fixed = new WeakSet<object>();

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const one of Object.values(value)) freeze(one);
}

/** @param value Parsed JSON, of which nobody else has a part yet. */
export function fix<T extends object>(value: T): T {
  freeze(value);
  fixed.add(value);
  return value;
}

/** The same function, which remembers its answers about what is fixed, and asks again about everything else. */
export function once<K extends object, V>(work: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    if (!fixed.has(key)) return work(key);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = work(key);
    known.set(key, made);
    return made;
  };
}

/** As `jcs`. */
export const canonicalText: (value: object) => string = once(jcs);
