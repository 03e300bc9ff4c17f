/** A store that says which pods were committed to: for whoever waits for changes. */
import { GRANT_RULES } from "../access/grants.ts";
import { type Committed, type PodId, type Store, TABLES } from "../store/store.ts";

/** An engine whose database other processes commit to, and that hears of it. */
interface Shared {
  readonly onChange: (heard: (pod: PodId | null, generation: number) => void) => () => void;
}

export interface Hinting {
  readonly store: Store;
  /** Whether others commit to the same store. */
  readonly isShared: boolean;
  /**
   * To be called once. Called after each commit, before whoever made it goes on; it must return at once.
   * @param heard Is also told whether what consents permit was written, or perhaps was.
   */
  onCommit(heard: (pod: PodId | null, areGrantsNew: boolean) => void): void;
}

const isOfGrants = ({ table, group, item }: NonNullable<Committed<unknown>["writes"]>[number]): boolean =>
  table === TABLES[GRANT_RULES[0]] && group === GRANT_RULES[1] && item === GRANT_RULES[2];

/** Wraps a store. A commit that nobody waits for costs one call. */
export function withHints(engine: Store): Hinting {
  let tell: (pod: PodId | null, areGrantsNew: boolean) => void = () => {};
  let stop: () => void = () => {};
  const isShared = "onChange" in engine;
  return {
    isShared,
    store: {
      ...engine,
      async write(pod, work) {
        const committed = await engine.write(pod, work);
        tell(pod, committed.writes?.some(isOfGrants) ?? false);
        return committed;
      },
      async erasePod(pod) {
        await engine.erasePod(pod);
        tell(pod, true);
      },
      async close() {
        stop();
        await engine.close();
      },
    },
    onCommit(heard) {
      tell = heard;
      if (isShared) stop = (engine as Store & Shared).onChange((pod) => heard(pod, true));
    },
  };
}
