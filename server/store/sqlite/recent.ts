/**
 * What was written lately, kept by the writer. Nearly all commits of a busy pod were begun a few commits ago, and what they
 * read is held against what was written since: from here, and not by a look into the database for each record.
 */

/** Places kept of a pod; then its list begins anew, and older commits are held against the database. */
const PLACES_MAX = 8_192;
/** Of all pods together, each counted as one more: about 12 MB. Then all lists begin anew. */
const ALL_PLACES_MAX = 65_536;

interface Log {
  /** All that was written after this generation is in `places`. */
  from: number;
  /** By table and keys: the generation that wrote there last. */
  readonly places: Map<string, number>;
}

export interface Recent {
  /** Whether nothing was written to any of the places after a generation; null where that is too long ago. */
  isUntouched(pod: string, since: number, read: readonly { readonly place: string }[]): boolean | null;
  /** The commit that makes `generation` writes there. To be told of each. */
  note(pod: string, generation: number, written: readonly { readonly place: string }[]): void;
  /** Something else than a commit has changed the pod. */
  forget(pod: string): void;
  /** What was noted since may not have come to pass. */
  clear(): void;
}

export function createRecent(): Recent {
  const logs = new Map<string, Log>();
  let size = 0; // No less than there are.
  const clear = (): void => {
    logs.clear();
    size = 0;
  };
  return {
    isUntouched(pod, since, read) {
      const log = logs.get(pod);
      if (!log || since < log.from) return null;
      for (const { place } of read) if ((log.places.get(place) ?? 0) > since) return false;
      return true;
    },
    note(pod, generation, written) {
      if (size > ALL_PLACES_MAX) clear();
      size += written.length;
      let log = logs.get(pod);
      if (!log) {
        size++;
        log = { from: generation - 1, places: new Map() };
        logs.set(pod, log);
      }
      if (log.places.size + written.length > PLACES_MAX) {
        log.places.clear();
        log.from = generation - 1;
      }
      for (const { place } of written) log.places.set(place, generation);
    },
    forget: (pod) => void logs.delete(pod),
    clear,
  };
}
