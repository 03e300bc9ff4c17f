/** How the owner's pod is, as far as its owner may know: backups, the journal, room on the disk, and who waits for an answer. */
import { statfs } from "node:fs/promises";
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done } from "./guards.ts";

/** `server/backup/` does this. */
interface Backups {
  readonly settings: { readonly folder: string; readonly everyMs: number };
  list(folder: string): Promise<
    readonly {
      readonly what: string;
      readonly time: number;
      readonly proof: { readonly time: string } | null;
    }[]
  >;
  state(): Promise<{ readonly failed: number | null }>;
}

export interface HealthDeps {
  readonly backups: Backups;
  readonly dataFolder: string;
  readonly journalLength: (pod: Pod) => Promise<number>;
  /** How many requests for access nobody has answered. */
  readonly waiting: (pod: Pod) => Promise<number>;
}

const FREE_SHARE_MIN = 0.1;
const FREE_BYTES_MIN = 1_000_000_000;

/** Says nothing of how large the disk is: that is for whoever runs the server. */
async function diskOf(folder: string): Promise<"fine" | "low" | "unknown"> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return bavail / blocks < FREE_SHARE_MIN && bavail * bsize < FREE_BYTES_MIN ? "low" : "fine";
  } catch {
    return "unknown";
  }
}

/** When a backup was made that has this pod in it, and whether it was opened again; no places, names or reasons. */
async function backupOf(backups: Backups, pod: Pod) {
  const { settings } = backups;
  if (settings.folder === "") return { byItself: false, at: null, proved: null, failed: false };
  const shelved = await backups.list(settings.folder).catch(() => []);
  const ours = shelved.filter(({ what }) => what === "all" || what === `pod-${pod.name}`);
  const proofs = ours.flatMap(({ proof }) => (proof ? [Date.parse(proof.time)] : []));
  return {
    byItself: settings.everyMs > 0,
    at: ours.length === 0 ? null : Math.max(...ours.map(({ time }) => time)),
    proved: proofs.length === 0 ? null : Math.max(...proofs),
    failed: (await backups.state()).failed !== null,
  };
}

export function podHealthDoors(accounts: AccountService, deps: HealthDeps): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  return [
    {
      verb: "get",
      path: "/.account/health",
      door: guards.see(async ({ account }) => {
        const pod = await accounts.deps.pods.find(account.pod);
        if (!pod) throw new Problem("not-found", "The pod of this account is gone");
        const [backup, disk, entries, waiting] = await Promise.all([
          backupOf(deps.backups, pod),
          diskOf(deps.dataFolder),
          deps.journalLength(pod),
          deps.waiting(pod),
        ]);
        return done({ backup, disk, journal: { entries, checked: account.journalChecked ?? null }, waiting });
      }),
    },
  ];
}
