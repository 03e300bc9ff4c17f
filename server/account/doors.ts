/** The doors under `/.account/`: what the pages of `server/ui` ask, each an address, a verb and a function. */
import type { AccountService } from "./accounts.ts";
import { entranceDoors } from "./entrance.ts";
import { type AccountDoor, createGuards } from "./guards.ts";
import type { ConsentedApps } from "./owner.ts";
import { ownerDoors } from "./owner-doors.ts";
import { safetyDoors } from "./safety-doors.ts";

/** @param apps What the identity provider knows of apps that were let in. */
export function accountDoors(accounts: AccountService, apps: ConsentedApps): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  return [
    ...entranceDoors(accounts, apps, guards),
    ...safetyDoors(accounts, apps, guards),
    ...ownerDoors(accounts, apps, guards),
  ];
}
