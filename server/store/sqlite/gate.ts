/**
 * Copies, rekeys and loads keep out of each other's way: a copy of rows sealed with two keys would fit no keyring, and a row
 * that is loaded while its pod is sealed anew would be left behind. Many copies may go on at once, and many rekeys; one load.
 */
export interface Gate {
  /** Waits until no work of another kind goes on, and until its turn. @returns what leaves. */
  enter(kind: "copy" | "rekey" | "load"): Promise<() => void>;
}

export function createGate(): Gate {
  const waiting: { readonly kind: string; readonly begin: () => void }[] = [];
  let inside = 0;
  let now = "";

  function admit(): void {
    for (
      let first = waiting[0];
      first && (inside === 0 || (first.kind === now && now !== "load"));
      first = waiting[0]
    ) {
      waiting.shift();
      now = first.kind;
      inside++;
      first.begin();
    }
  }

  return {
    enter: (kind) =>
      new Promise((resolve) => {
        let isInside = true;
        const leave = (): void => {
          if (isInside) inside--;
          isInside = false;
          admit();
        };
        waiting.push({ kind, begin: () => resolve(leave) });
        admit();
      }),
  };
}
