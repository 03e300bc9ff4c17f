/** Coming in: what the server says of itself, opening an account, signing in and out. */
import type { DoorRequest, Result } from "../operation.ts";
import type { AccountService, Opening } from "./accounts.ts";
import { type AccountDoor, done, type Guards, NAME_MAX, readPassword, type SignedIn } from "./guards.ts";
import type { Input } from "./input.ts";
import type { ConsentedApps } from "./owner.ts";
import type { Account } from "./records.ts";
import { newId } from "./secret.ts";
import { deviceOf } from "./sessions.ts";

/** Doors for who is not signed in yet, and for signing out. */
export function entranceDoors(
  accounts: AccountService,
  apps: ConsentedApps,
  guards: Guards,
): readonly AccountDoor[] {
  const { deps, sessions, passkeys } = accounts;
  const { limits, config } = deps;

  function show({ account, session }: SignedIn) {
    return {
      name: account.name,
      pod: account.pod,
      address: account.webid,
      passport: account.passport,
      hasPassword: account.password !== null,
      passkeys: account.passkeys.map(({ id, name, created }) => ({ id, name, created })),
      recoverySaved: account.recoverySaved,
      created: account.created,
      isOperator: account.isOperator === true,
      fresh: sessions.isFresh(session),
    };
  }

  async function signIn(account: Account, request: DoorRequest): Promise<Result> {
    const former = await sessions.find(request.headers);
    // The same browser in other hands: no app may go on as whoever was there before.
    if (former && former.accountId !== account.id) await apps.signOut(former.accountId);
    const cookie = await sessions.begin(account.id, request.headers);
    return done({ name: account.name, pod: account.pod }, { "set-cookie": cookie });
  }

  function readNames(input: Input): { readonly name: string; readonly pod: string } {
    return { name: input.text("name", 1, NAME_MAX), pod: input.text("pod", 1, 63).toLowerCase() };
  }

  return [
    {
      verb: "get",
      path: "/.account/state",
      async door(request) {
        const who = await accounts.signedIn(request.headers);
        return done({
          baseUrl: config.baseUrl,
          registry: config.registry || config.baseUrl,
          setUpNeeded: await accounts.isEmpty(),
          signUp: config.signUp,
          passkeys: passkeys.possible,
          passwordCharactersMin: limits.passwordCharactersMin,
          account: who && show(who),
        });
      },
    },
    {
      verb: "post",
      path: "/.account/setup/begin",
      door: guards.change(async (input, request) => {
        accounts.countVisit(request.ip);
        await accounts.checkLink(input.text("token", 0, 100));
        return done(await deps.passport.begin());
      }),
    },
    {
      verb: "post",
      path: "/.account/setup/name",
      door: guards.change(async (input) => {
        await accounts.checkLink(input.text("token", 0, 100));
        return done({ free: await accounts.isFree(input.text("pod", 1, 63)) });
      }),
    },
    {
      verb: "post",
      path: "/.account/setup",
      door: guards.change(async (input, request) => {
        accounts.countVisit(request.ip);
        const token = input.text("token", 0, 100);
        await accounts.checkLink(token); // Before anything costs time.
        const password = readPassword(input, "password");
        const createOp = input.raw("createOp") ?? null;
        const names = readNames(input);
        input.done();
        const passkey = input.raw("passkey")
          ? await passkeys.register(
              "set-up",
              input.raw("passkey"),
              deviceOf(request.headers["user-agent"] ?? ""),
            )
          : null;
        const opening: Opening = {
          ...names,
          password,
          passkey,
          createOp,
          recoverySaved: input.flag("recoverySaved"),
        };
        return signIn(await accounts.openByLink(token, opening), request);
      }),
    },
    {
      verb: "post",
      path: "/.account/login",
      door: guards.change(async (input, request) => {
        const pod = input.text("pod", 1, 63).toLowerCase();
        const password = readPassword(input, "password") ?? "";
        if (Buffer.byteLength(password) > limits.passwordBytesMax)
          input.fault("password", `Use at most ${limits.passwordBytesMax} bytes`);
        input.done();
        return signIn(await accounts.loginByPassword(pod, password, request.ip), request);
      }),
    },
    {
      verb: "post",
      path: "/.account/logout",
      door: guards.change(async (_input, request) => {
        const session = await sessions.find(request.headers);
        if (session) {
          await sessions.end(session.accountId, session.id);
          await apps.signOut(session.accountId);
        }
        return done({}, { "set-cookie": sessions.forget });
      }),
    },
    {
      verb: "post",
      path: "/.account/passkey/login-options",
      door: guards.change(async (_input, request) => {
        accounts.countVisit(request.ip);
        return done(await passkeys.loginOptions());
      }),
    },
    {
      verb: "post",
      path: "/.account/passkey/login",
      door: guards.change(async (input, request) =>
        signIn(await accounts.loginByPasskey(input.raw("passkey"), request.ip), request),
      ),
    },
    {
      verb: "post",
      path: "/.account/passkey/register-options",
      door: guards.change(async (input, request) => {
        const who = await accounts.signedIn(request.headers);
        if (who && input.raw("token") === undefined) {
          guards.requireProof(who);
          return done(await passkeys.registerOptions("add", who.account));
        }
        accounts.countVisit(request.ip);
        const names = readNames(input);
        const token = input.text("token", 0, 100);
        input.done();
        await accounts.checkLink(token);
        return done(await passkeys.registerOptions("set-up", { id: newId(), ...names, passkeys: [] }));
      }),
    },
  ];
}
