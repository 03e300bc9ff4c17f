/** The owner's own pod as it was: how full it is, earlier versions, the trash; and places that are frozen for all others. */
import type { Restrictions } from "../access/restriction.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { By, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Usage } from "../store/store.ts";
import type { AccountService } from "./accounts.ts";
import { parseOwnPath } from "./contents.ts";
import { type AccountDoor, createGuards, done, type SignedIn } from "./guards.ts";

/** `server/ldp/` does this. */
export interface Kept {
  readonly quota: {
    usage(
      pod: Pod,
    ): Promise<Usage & { readonly quota: Usage; readonly trash: number; readonly versions: number }>;
  };
  readonly keeping: {
    versions(
      pod: Pod,
      path: string,
    ): Promise<readonly { readonly number: number; readonly bytes: number; readonly until: number }[]>;
    readVersion(pod: Pod, path: string, number: number): Promise<Result>;
    restoreVersion(pod: Pod, path: string, number: number, by: By): Promise<void>;
    trash(pod: Pod, most: number): Promise<{ readonly items: readonly unknown[]; readonly cut: boolean }>;
    restore(
      pod: Pod,
      id: string,
      rename: boolean,
      by: By,
    ): Promise<{ readonly path: string; readonly isPrivate: boolean }>;
    purge(pod: Pod, id: string, by: By): Promise<void>;
    empty(pod: Pod, by: By): Promise<number>;
  };
  readonly restrictions: Restrictions;
}

const ID_MAX = 100;

/** A document, a folder, or what belongs to one, in the owner's pod only. */
function parsePlace(text: string, pod: Pod): string {
  const target = parseTarget(text);
  if (target.pod !== pod.name) throw new Problem("not-found", "There is no such place in your pod");
  return target.path;
}

function toNumber(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Problem("input-invalid", "Send the number of a version");
  return number;
}

/** What cannot be undone wants a fresh proof of who it is. */
export function keptDoors(
  accounts: AccountService,
  { quota, keeping, restrictions }: Kept,
): readonly AccountDoor[] {
  const { limits, pods } = accounts.deps;
  const guards = createGuards(accounts);

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }
  const placeIn = (url: URL, pod: Pod): string => parsePlace(url.searchParams.get("path") ?? "/", pod);

  return [
    {
      verb: "get",
      path: "/.account/usage",
      door: guards.see(async (who) => done(await quota.usage(await podOf(who)))),
    },
    {
      verb: "get",
      path: "/.account/history",
      door: guards.see(async (who, { url }) => {
        const pod = await podOf(who);
        const path = placeIn(url, pod);
        return done({ path, versions: await keeping.versions(pod, path) });
      }),
    },
    {
      verb: "get",
      path: "/.account/history/version",
      door: guards.see(async (who, { url }) => {
        const pod = await podOf(who);
        return keeping.readVersion(pod, placeIn(url, pod), toNumber(url.searchParams.get("number")));
      }),
    },
    {
      verb: "post",
      path: "/.account/history/restore",
      door: guards.own(async (who, input) => {
        const pod = await podOf(who);
        const path = parsePlace(input.text("path", 1, limits.urlBytesMax), pod);
        const number = toNumber(input.raw("number"));
        input.done();
        await keeping.restoreVersion(pod, path, number, "owner");
        return done({ path });
      }),
    },
    {
      verb: "get",
      path: "/.account/trash",
      door: guards.see(async (who) => done(await keeping.trash(await podOf(who), limits.trashRowsMax))),
    },
    {
      verb: "post",
      path: "/.account/trash/restore",
      door: guards.own(async (who, input) => {
        const id = input.text("id", 1, ID_MAX);
        const rename = input.flag("rename");
        input.done();
        const { path, isPrivate } = await keeping.restore(await podOf(who), id, rename, "owner");
        return done({ path, private: isPrivate });
      }),
    },
    {
      verb: "post",
      path: "/.account/trash/purge",
      door: guards.proved(async (who, input) => {
        const id = input.text("id", 1, ID_MAX);
        input.done();
        await keeping.purge(await podOf(who), id, "owner");
        return done();
      }),
    },
    {
      verb: "post",
      path: "/.account/trash/empty",
      door: guards.proved(async (who) => done({ purged: await keeping.empty(await podOf(who), "owner") })),
    },
    {
      verb: "get",
      path: "/.account/restrictions",
      door: guards.see(async (who) => done({ restrictions: await restrictions.list(await podOf(who)) })),
    },
    {
      verb: "post",
      path: "/.account/restrictions",
      door: guards.own(async (who, input) => {
        const pod = await podOf(who);
        const path = parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        const isRestricted = input.raw("restricted");
        if (typeof isRestricted !== "boolean") input.fault("restricted", "Send true or false");
        input.done();
        const list = isRestricted
          ? await restrictions.restrict(pod, path, "owner")
          : await restrictions.release(pod, path, "owner");
        return done({ restrictions: list });
      }),
    },
  ];
}
