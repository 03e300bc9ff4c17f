/** What follows when keys were destroyed, for whoever did that: a new backup, or what to do for one. */
import type { Context } from "../../context.ts";
import { told } from "../restore.ts";
import type { Report, TaskResult } from "../task.ts";

/** Waits for the backup that follows. @returns what to say of it; exit 1 if it could not be made. */
export async function renewal({ backups, now }: Context, report: Report): Promise<TaskResult> {
  const until = backups.keysGoneBy(now()).toISOString().slice(0, 10);
  const renewed = await backups.renewed(told(report));
  if (renewed === null)
    return {
      lines: [
        `Make a new backup now. Backups from before open only with keys from before: see that the last copy of those is gone by ${until}.`,
      ],
      exit: 0,
    };
  if (renewed.failed !== null)
    return {
      lines: [
        `But the new backup that belongs to it could not be made: ${renewed.failed}`,
        "The server tries again while it runs. Until then no backup has what was sealed anew: see to it soon.",
      ],
      exit: 1,
    };
  return {
    lines: [
      "A new backup is made, with the keys of now, and the backups of older keys beside it are gone.",
      `Have you copied any of those elsewhere? See that the last copy is gone by ${until}.`,
    ],
    exit: 0,
  };
}
