/** A store that says which pods were committed to: for whoever waits for changes. */
import type { PodId, Store } from "../store/store.ts";

/** An engine whose database other processes commit to, and that hears of it. */
interface Shared {
  readonly onChange: (heard: (pod: PodId | null, generation: number) => void) => () => void;
}

export interface Hinting {
  readonly store: Store;
  /** Whether others commit to the same store. */
  readonly isShared: boolean;
  /** To be called once. Called after each commit, before whoever made it goes on; it must return at once. */
  onCommit(heard: (pod: PodId | null) => void): void;
}

/** Wraps a store. A commit that nobody waits for costs one call. */
export function withHints(engine: Store): Hinting {
  let tell: (pod: PodId | null) => void = () => {};
  let stop: () => void = () => {};
  const isShared = "onChange" in engine;
  return {
    isShared,
    store: {
      ...engine,
      async write(pod, work) {
        const committed = await engine.write(pod, work);
        tell(pod);
        return committed;
      },
      async erasePod(pod) {
        await engine.erasePod(pod);
        tell(pod);
      },
      async close() {
        stop();
        await engine.close();
      },
    },
    onCommit(heard) {
      tell = heard;
      if (isShared) stop = (engine as Store & Shared).onChange((pod) => heard(pod));
    },
  };
}
