/** Erasing for good, for the owner's page: a document, a folder, or the pod with its account. */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { parseOwnPath } from "./contents.ts";
import { type AccountDoor, createGuards, done } from "./guards.ts";

/** What is shown once to the owner: whoever has it can show to others what was erased and when. */
type OpenedReceipt = { readonly receipt: object; readonly address: string; readonly salt: string };

/** `server/transfer/` does this. */
export interface OwnerErasure {
  erase(pod: Pod, path: string, by: "owner"): Promise<OpenedReceipt>;
  erasePod(pod: Pod): Promise<OpenedReceipt>;
}

/** @param record Notes that the owner erased something, not what. */
export function erasureDoors(
  accounts: AccountService,
  erasure: OwnerErasure,
  record: (pod: Pod) => Promise<void>,
): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, limits } = accounts.deps;
  return [
    {
      verb: "post",
      path: "/.account/erase",
      door: guards.proved(async ({ account }, input) => {
        const pod = await pods.find(account.pod);
        if (!pod || pod.erased !== undefined)
          throw new Problem("not-found", "The pod of this account is gone");
        const path = input.raw("path") === null ? null : input.text("path", 1, limits.urlBytesMax);
        const confirmed = input.text("confirm", 1, 100);
        // A tap in the wrong place is no wish to lose everything.
        if (confirmed !== (path === null ? pod.name : "erase"))
          input.fault("confirm", path === null ? "Type the name of your pod" : 'Send "erase"');
        input.done();
        if (path !== null) {
          const own = parseOwnPath(path, pod);
          await record(pod);
          return done({ ...(await erasure.erase(pod, own, "owner")) });
        }
        return done({ ...(await erasure.erasePod(pod)) }, { "set-cookie": accounts.sessions.forget });
      }),
    },
  ];
}
