/** Exports and imports by owners, where whoever runs the server sees that they run; not of which pod. */
import type { Jobs } from "../jobs.ts";
import type { Transfer } from "./transfer.ts";

const STAGES = { check: "Checking", documents: "Documents", access: "Access lists" } as const;

async function* watchedContent(
  content: AsyncIterable<Uint8Array>,
  jobs: Jobs,
  begin: (report: (done: number, total: number) => void) => void,
): AsyncGenerator<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  jobs
    .watch("export", "owner", (report) => {
      begin((done, total) =>
        report({ stage: "Exporting", done, total: Math.max(done, total), unit: "items" }),
      );
      return promise;
    })
    .catch(() => {}); // Whoever reads the content is told.
  try {
    yield* content;
    resolve();
  } catch (error) {
    reject(error);
    throw error;
  } finally {
    resolve(); // Whoever hangs up in the middle ends it, too.
  }
}

/** The same, but that it can be watched. */
export function watchedTransfer(
  transfer: Transfer,
  jobs: Jobs,
): Pick<Transfer, "exportPod" | "importUpload" | "moves"> {
  return {
    moves: transfer.moves,
    exportPod(pod) {
      let tell = (_done: number, _total: number): void => {};
      const { fileName, content } = transfer.exportPod(pod, ({ done, total }) => tell(done, total));
      return { fileName, content: watchedContent(content, jobs, (report) => (tell = report)) };
    },
    async importUpload(pod, content, options) {
      const run = await transfer.importUpload(pod, content, options);
      return (report) =>
        jobs.watch("import", "owner", (watch) =>
          run((progress) => {
            report(progress);
            const { stage, done, total } = progress;
            watch({ stage: STAGES[stage], done, total, unit: "items" });
          }),
        );
    },
  };
}
