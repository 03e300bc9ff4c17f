/** For who has a passport already and comes from another host: what its owner must sign, and then that it is taken in. */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done } from "./guards.ts";

export interface OwnerArrival {
  /** What a signed operation must name. */
  begin(): Promise<{ readonly zone: string; readonly registrar: string; readonly delegateKey: string }>;
  /** @param signed An operation, or the name of a passport that leads here already. @throws Problem for one that is not taken. */
  takeIn(pod: Pod, signed: unknown): Promise<{ readonly id: string }>;
}

export function arrivalDoors(accounts: AccountService, arrival: OwnerArrival): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods } = accounts.deps;
  return [
    {
      verb: "post",
      path: "/.account/passport/host",
      door: guards.own(async (_who, input) => {
        input.done();
        return done(await arrival.begin());
      }),
    },
    {
      verb: "post",
      path: "/.account/passport/arrival",
      door: guards.proved(async ({ account }, input) => {
        const signed = input.raw("op") ?? input.raw("passport");
        input.done();
        const pod = await pods.find(account.pod);
        if (!pod || pod.erased !== undefined)
          throw new Problem("not-found", "The pod of this account is gone");
        const { id } = await arrival.takeIn(pod, signed);
        return done({ passport: id });
      }),
    },
  ];
}
