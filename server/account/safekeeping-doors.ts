/** The owner's name, what is kept and for how long, when the last backup was made, and a new key for the whole pod. */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done, NAME_MAX, type SignedIn } from "./guards.ts";
import { told } from "./told.ts";

/** When backups of this server were made and proved; nothing of what is in them. Milliseconds, since 1970 where moments. */
export interface LastBackup {
  /** 0: by hand only. */
  readonly everyMs: number;
  readonly made: number | null;
  readonly proved: number | null;
}

/** `context.ts` does this. */
export interface OwnerSafekeeping {
  /** Null where the server keeps none by itself. */
  lastBackup(): Promise<LastBackup | null>;
  /** Seals all of the pod anew and destroys its former key. */
  rekey(pod: Pod, report: (progress: object) => void): Promise<void>;
  /** In the public card; nothing where the owner has none here. */
  rename(pod: Pod, name: string): Promise<void>;
}

const REKEY_MS_MIN = 3_600_000; // All of a pod is written anew, and a backup made: more often would be an attack.

export function safekeepingDoors(
  accounts: AccountService,
  safekeeping: OwnerSafekeeping,
): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, limits, log, now } = accounts.deps;
  /** By pod: when its key was last replaced from this page. */
  const rekeyed = new Map<string, number>();

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod || pod.erased !== undefined) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }

  return [
    {
      verb: "get",
      path: "/.account/safekeeping",
      door: guards.see(async () =>
        done({
          backup: await safekeeping.lastBackup(),
          trashMs: limits.trashMsKept,
          versionMs: limits.versionMsKept,
          versions: limits.versionsMax,
        }),
      ),
    },
    {
      verb: "post",
      path: "/.account/name",
      door: guards.own(async (who, input) => {
        const name = input.text("name", 1, NAME_MAX);
        input.done();
        await safekeeping.rename(await podOf(who), name);
        return done({ name: (await accounts.rename(who.account, name)).name });
      }),
    },
    {
      verb: "post",
      path: "/.account/keys",
      door: guards.proved(async (who, input, request) => {
        input.done();
        const pod = await podOf(who);
        const at = now().getTime();
        const wait = (rekeyed.get(pod.id) ?? Number.NEGATIVE_INFINITY) + REKEY_MS_MIN - at;
        if (wait > 0)
          throw new Problem("too-many-requests", "The key was changed within the last hour", {
            headers: { "retry-after": String(Math.ceil(wait / 1_000)) },
          });
        rekeyed.set(pod.id, at);
        return {
          status: 200,
          headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
          body: told(
            async (report) => {
              await safekeeping.rekey(pod, report);
              return {};
            },
            (cause) => log.error("keys.failed", { id: request.id, cause }),
          ),
        };
      }),
    },
  ];
}
