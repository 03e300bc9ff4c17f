/** Long work, spans of time and the log in the words of whoever runs the server. */
import { count, sizeOf } from "../../parts/words.ts";
import type { Job, LogLine } from "./model.ts";

const WORK: Readonly<Record<string, string>> = {
  backup: "Backup",
  "backup keys": "Backup of the keys",
  "verify-backup": "Check of a backup",
  restore: "Bringing a pod back",
  scrub: "Check of all that is stored",
  erase: "Erasing",
  export: "Export of a pod",
  import: "Import into a pod",
  "keys rotate": "New keys",
  "keys rotate-root": "New root key",
  migrate: "Move to another database",
};

const WHO: Readonly<Record<string, string>> = {
  "command line": "from the command line",
  "hosting page": "from these pages",
  owner: "by somebody for their own pod",
  clock: "by the clock",
};

export const workOf = ({ what }: Job): string => WORK[what] ?? what;
export const byOf = ({ by }: Job): string => WHO[by] ?? by;

/** How far it is: `Documents, 12 of 40`. */
export function progressOf({ progress }: Job): string {
  if (!progress) return "Beginning …";
  const { stage, done, total, unit } = progress;
  const amount = (of: number): string => (unit === "bytes" ? sizeOf(of) : of.toLocaleString("en"));
  return total === null ? `${stage}, ${amount(done)}` : `${stage}, ${amount(done)} of ${amount(total)}`;
}

/** `day`, `3 days`, `12 hours`: between `every` and a full stop. */
export function spanOf(ms: number): string {
  const hours = Math.round(ms / 3_600_000);
  if (hours < 1) return count(Math.max(1, Math.round(ms / 60_000)), "minute");
  if (hours % 24 === 0) return hours === 24 ? "day" : hours === 168 ? "week" : count(hours / 24, "day");
  return hours === 1 ? "hour" : count(hours, "hour");
}

/** How long something has been going on: `3 days`. */
export function lastedOf(ms: number): string {
  if (ms < 1_000) return "less than a second";
  if (ms < 60_000) return count(Math.max(0, Math.round(ms / 1_000)), "second");
  if (ms < 3_600_000) return count(Math.round(ms / 60_000), "minute");
  if (ms < 2 * 86_400_000) return count(Math.round(ms / 3_600_000), "hour");
  return count(Math.round(ms / 86_400_000), "day");
}

/** `status 500, 12 ms`. */
export const detailsOf = ({ fields }: LogLine): string =>
  Object.entries(fields)
    .map(([name, value]) => (name === "ms" ? `${value} ms` : `${name} ${value}`))
    .join(", ");
