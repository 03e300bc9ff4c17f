/** Long work for a page: what happens as lines, so that it can show how far it is. */
import { setTimeout as later } from "node:timers/promises";
import { Problem } from "../errors.ts";
import { PROBLEMS } from "../problems.ts";

const TELL_MS = 250; // How often a page hears how far it is.

/**
 * `{"progress":…}` now and then, at the end `{"result":…}` or `{"problem":…}`.
 * @param failed Told of what is our own mistake.
 */
export async function* told(
  run: (report: (progress: object) => void) => Promise<object>,
  failed: (cause: string) => void,
): AsyncGenerator<Uint8Array> {
  let latest: object | null = null;
  // Goes on when nobody listens any more: an import that is done is better than half of one.
  const running: Promise<object> = run((progress) => (latest = progress)).then(
    (result) => ({ result }),
    (error: unknown) => {
      if (!(error instanceof Problem)) failed(String((error as Error).stack ?? error)); // Our own mistake.
      const problem = error instanceof Problem ? error : new Problem("internal", undefined, { cause: error });
      const { code, detail } = problem;
      return { problem: { code, detail, ...PROBLEMS[code] } };
    },
  );
  const line = (value: object): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);
  for (;;) {
    const pause = new AbortController();
    const outcome = await Promise.race([
      running,
      later(TELL_MS, null, { signal: pause.signal }).catch(() => null),
    ]);
    pause.abort();
    if (outcome !== null) return yield line(outcome);
    if (latest !== null) yield line({ progress: latest });
  }
}
