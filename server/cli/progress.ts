/** Where a long task is: a bar on a terminal, a line now and then in a log. */
import type { Progress, Report } from "./task.ts";

const BAR_CHARS = 24;
const BAR_MS_MIN = 80;
const LINE_MS_MIN = 5_000;
const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1.2 GB`, in powers of 1000. */
/** How many pods of people: what the server keeps for itself beside them, its own zones' too, is nobody's pod. */
export const podsInWords = (pods: number): string => `${pods} ${pods === 1 ? "pod" : "pods"}`;

export function bytesInWords(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

const inWords = (amount: number, unit: Progress["unit"]): string =>
  unit === "bytes" ? bytesInWords(amount) : amount.toLocaleString("en-US");

function describe({ stage, done, total, unit }: Progress, seconds: number): string {
  const share = total ? ` ${String(Math.floor((100 * Math.min(done, total)) / total)).padStart(3)} %` : "";
  const amount = total === null ? inWords(done, unit) : `${inWords(done, unit)} of ${inWords(total, unit)}`;
  const rate = seconds > 0.5 && unit === "bytes" ? `, ${bytesInWords(done / seconds)}/s` : "";
  return `${stage}:${share} ${amount}${rate}`;
}

/**
 * @param out A terminal gets one line that changes; anything else a line when a stage begins or ends, and every 5 s.
 * @returns what shows a progress, and what clears the line at the end.
 */
export function createProgress(
  out: { readonly isTTY?: boolean | undefined; readonly columns?: number; write(text: string): unknown },
  clock: () => number = () => performance.now(),
): { readonly report: Report; end(this: void): void } {
  let stage: string | null = null;
  let began = 0;
  let shown = Number.NEGATIVE_INFINITY;
  let hasBar = false;
  return {
    report(progress) {
      const now = clock();
      const isNew = progress.stage !== stage;
      const isDone = progress.total !== null && progress.done >= progress.total;
      if (isNew) [stage, began] = [progress.stage, now];
      if (!isNew && !isDone && now - shown < (out.isTTY ? BAR_MS_MIN : LINE_MS_MIN)) return;
      shown = now;
      const text = describe(progress, (now - began) / 1_000);
      if (!out.isTTY) {
        out.write(`${text}\n`);
        return;
      }
      const full = progress.total
        ? Math.floor((BAR_CHARS * Math.min(progress.done, progress.total)) / progress.total)
        : 0;
      const bar = progress.total ? `[${"#".repeat(full)}${"-".repeat(BAR_CHARS - full)}] ` : "";
      out.write(
        `${isNew && hasBar ? "\n" : ""}\r\u001B[2K${`${bar}${text}`.slice(0, (out.columns ?? 80) - 1)}`,
      );
      hasBar = true;
    },
    end() {
      if (hasBar) out.write("\n");
      hasBar = false;
    },
  };
}
