/** Staying safe: passkeys, password, recovery file, connected programs, and where one is signed in. */
import { Problem } from "../errors.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, done, type Guards, NAME_MAX, readPassword } from "./guards.ts";
import type { ConsentedApps } from "./owner.ts";
import { deviceOf } from "./sessions.ts";

/** Doors to ways of signing in; those that add or change one want a fresh proof. */
export function safetyDoors(
  accounts: AccountService,
  apps: ConsentedApps,
  guards: Guards,
): readonly AccountDoor[] {
  const { deps, sessions, passkeys, credentials } = accounts;
  const { now } = deps;

  return [
    {
      verb: "post",
      path: "/.account/passkey/register",
      door: guards.proved(async ({ account }, input, request) => {
        const { accountId, passkey } = await passkeys.register(
          "add",
          input.raw("passkey"),
          deviceOf(request.headers["user-agent"] ?? ""),
        );
        if (accountId !== account.id)
          throw new Problem("input-invalid", "The passkey was made for another account");
        await accounts.addPasskey(account, passkey);
        return done({ id: passkey.id, name: passkey.name, created: passkey.created });
      }),
    },
    {
      verb: "delete",
      path: "/.account/passkeys/:id",
      door: guards.remove(async (who, { params }) => {
        guards.requireProof(who);
        await accounts.removePasskey(who.account, params["id"] ?? "");
        return done();
      }),
    },
    {
      verb: "post",
      path: "/.account/password",
      door: guards.proved(async ({ account, session }, input) => {
        const password = readPassword(input, "password");
        input.done();
        await accounts.setPassword(account, password);
        await sessions.endOthers(account.id, session.id); // Whoever knew the old one is out, …
        await apps.signOut(account.id); // … also where an app signed them in.
        return done();
      }),
    },
    {
      verb: "post",
      path: "/.account/recovery",
      door: guards.own(async ({ account }) =>
        done({ recoverySaved: (await accounts.noteRecovery(account)).recoverySaved }),
      ),
    },
    {
      verb: "get",
      path: "/.account/credentials",
      door: guards.see(async ({ account }) => done({ credentials: await credentials.list(account.id) })),
    },
    {
      verb: "post",
      path: "/.account/credentials",
      door: guards.proved(async ({ account }, input) => {
        const name = input.text("name", 1, NAME_MAX);
        const expires = input.moment("expires");
        if (expires !== null && expires <= now().getTime())
          input.fault("expires", "Choose a day in the future");
        input.done();
        return done(await credentials.create(account, name, expires));
      }),
    },
    {
      verb: "delete",
      path: "/.account/credentials/:id",
      door: guards.remove(async ({ account }, { params }) => {
        await credentials.delete(account.id, params["id"] ?? "");
        return done();
      }),
    },
    {
      verb: "get",
      path: "/.account/sessions",
      door: guards.see(async ({ account, session }) => {
        const list = await sessions.list(account.id);
        return done({
          sessions: list.map(({ id, device, created, seen }) => ({
            id,
            device,
            created,
            seen,
            current: id === session.id,
          })),
        });
      }),
    },
    {
      verb: "delete",
      path: "/.account/sessions/:id",
      door: guards.remove(async ({ account, session }, { params }) => {
        const id = params["id"] ?? "";
        await sessions.end(account.id, id);
        await apps.signOut(account.id); // Sign-ins by way of apps do not say in which browser they are.
        return done({}, id === session.id ? { "set-cookie": sessions.forget } : {});
      }),
    },
    {
      verb: "delete",
      path: "/.account/sessions",
      door: guards.remove(async ({ account, session }) => {
        await sessions.endOthers(account.id, session.id);
        await apps.signOut(account.id);
        return done();
      }),
    },
  ];
}
