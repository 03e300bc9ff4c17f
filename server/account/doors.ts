/** The doors under `/.account/`: what the pages of `server/ui` ask, each an address, a verb and a function. */
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Door, DoorRequest, Mode, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService, Opening } from "./accounts.ts";
import { measurePod, parseOwnPath, readFolder } from "./contents.ts";
import { checkSameOrigin, type Input, readInput } from "./input.ts";
import { createUndos, isCard, labelOf, parseWho } from "./owner.ts";
import type { Account, Passkey } from "./records.ts";
import { newId } from "./secret.ts";
import { deviceOf, type Session } from "./sessions.ts";

export interface AccountDoor {
  readonly verb: "get" | "post" | "delete";
  /** Express 5 path. */
  readonly path: string;
  readonly door: Door;
}

interface SignedIn {
  readonly account: Account;
  readonly session: Session;
}

const NAME_MAX = 100; // Characters of a name that fits on a line.
const MODES: readonly Mode[] = ["read", "append", "write", "control"];

const done = (value: unknown = {}, headers: Record<string, string> = {}): Result =>
  json(200, value, { "cross-origin-resource-policy": "same-origin", ...headers });

const showPasskey = ({ id, name, created }: Passkey) => ({ id, name, created });

export function accountDoors(accounts: AccountService): readonly AccountDoor[] {
  const { deps, sessions, passkeys, credentials } = accounts;
  const { limits, config, now, pods, store, access } = deps;
  const undos = createUndos(now, limits);

  async function require(request: DoorRequest): Promise<SignedIn> {
    const found = await accounts.signedIn(request.headers);
    if (!found) throw new Problem("login-required");
    return found;
  }

  async function podOf(account: Account): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod) throw new Problem("not-found", "This account's pod is gone");
    return pod;
  }

  /** For strangers: same origin, and a JSON body. */
  const change =
    (run: (input: Input, request: DoorRequest) => Promise<Result>): Door =>
    async (request) => {
      checkSameOrigin(request, config.baseUrl);
      return run(await readInput(request, limits), request);
    };

  /** For who is signed in. */
  const own =
    (run: (who: SignedIn, input: Input, request: DoorRequest) => Promise<Result>): Door =>
    async (request) => {
      checkSameOrigin(request, config.baseUrl);
      return run(await require(request), await readInput(request, limits), request);
    };

  /** For who has just proved to be the person: a stolen cookie cannot change the ways to sign in. */
  const proved = (run: (who: SignedIn, input: Input, request: DoorRequest) => Promise<Result>): Door =>
    own(async (who, input, request) => {
      if (!sessions.isFresh(who.session)) throw new Problem("login-stale");
      return run(who, input, request);
    });

  const see =
    (run: (who: SignedIn, request: DoorRequest) => Promise<Result>): Door =>
    async (request) =>
      run(await require(request), request);

  /** DELETE has no content; that it comes from our own page is checked all the same. */
  const remove =
    (run: (who: SignedIn, request: DoorRequest) => Promise<Result>): Door =>
    async (request) => {
      checkSameOrigin(request, config.baseUrl);
      return run(await require(request), request);
    };

  function show({ account, session }: SignedIn) {
    return {
      name: account.name,
      pod: account.pod,
      address: account.webid,
      passport: account.passport,
      hasPassword: account.password !== null,
      passkeys: account.passkeys.map(showPasskey),
      recoverySaved: account.recoverySaved,
      created: account.created,
      fresh: sessions.isFresh(session),
    };
  }

  async function signIn(account: Account, request: DoorRequest): Promise<Result> {
    const cookie = await sessions.begin(account.id, request.headers);
    return done({ name: account.name, pod: account.pod }, { "set-cookie": cookie });
  }

  function readNames(input: Input): { readonly name: string; readonly pod: string } {
    return { name: input.text("name", 1, NAME_MAX), pod: input.text("pod", 1, 63).toLowerCase() };
  }

  const readPassword = (input: Input, field: string): string | null => {
    const value = input.raw(field) ?? null;
    if (value === null || typeof value === "string") return value;
    input.fault(field, "Send text");
    return null;
  };

  return [
    {
      verb: "get",
      path: "/.account/state",
      async door(request) {
        const who = await accounts.signedIn(request.headers);
        return done({
          baseUrl: config.baseUrl,
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
      door: change(async (input, request) => {
        accounts.countVisit(request.ip);
        await accounts.checkLink(input.text("token", 0, 100));
        return done(await deps.passport.begin());
      }),
    },
    {
      verb: "post",
      path: "/.account/setup/name",
      door: change(async (input) => {
        await accounts.checkLink(input.text("token", 0, 100));
        return done({ free: await accounts.isFree(input.text("pod", 1, 63)) });
      }),
    },
    {
      verb: "post",
      path: "/.account/setup",
      door: change(async (input, request) => {
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
      door: change(async (input, request) => {
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
      door: change(async (_input, request) => {
        const session = await sessions.find(request.headers);
        if (session) await sessions.end(session.accountId, session.id);
        return done({}, { "set-cookie": sessions.forget });
      }),
    },
    {
      verb: "post",
      path: "/.account/passkey/login-options",
      door: change(async (_input, request) => {
        accounts.countVisit(request.ip);
        return done(await passkeys.loginOptions());
      }),
    },
    {
      verb: "post",
      path: "/.account/passkey/login",
      door: change(async (input, request) =>
        signIn(await accounts.loginByPasskey(input.raw("passkey"), request.ip), request),
      ),
    },
    {
      verb: "post",
      path: "/.account/passkey/register-options",
      door: change(async (input, request) => {
        const who = await accounts.signedIn(request.headers);
        if (who && input.raw("token") === undefined) {
          if (!sessions.isFresh(who.session)) throw new Problem("login-stale");
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
    {
      verb: "post",
      path: "/.account/passkey/register",
      door: proved(async ({ account }, input, request) => {
        const { accountId, passkey } = await passkeys.register(
          "add",
          input.raw("passkey"),
          deviceOf(request.headers["user-agent"] ?? ""),
        );
        if (accountId !== account.id)
          throw new Problem("input-invalid", "The passkey was made for another account");
        await accounts.addPasskey(account, passkey);
        return done(showPasskey(passkey));
      }),
    },
    {
      verb: "delete",
      path: "/.account/passkeys/:id",
      door: remove(async ({ account, session }, { params }) => {
        if (!sessions.isFresh(session)) throw new Problem("login-stale");
        await accounts.removePasskey(account, params["id"] ?? "");
        return done();
      }),
    },
    {
      verb: "post",
      path: "/.account/password",
      door: proved(async ({ account, session }, input) => {
        const password = readPassword(input, "password");
        input.done();
        await accounts.setPassword(account, password);
        await sessions.endOthers(account.id, session.id); // Whoever knew the old one is out.
        return done();
      }),
    },
    {
      verb: "post",
      path: "/.account/recovery",
      door: own(async ({ account }) =>
        done({ recoverySaved: (await accounts.noteRecovery(account)).recoverySaved }),
      ),
    },
    {
      verb: "get",
      path: "/.account/credentials",
      door: see(async ({ account }) => done({ credentials: await credentials.list(account.id) })),
    },
    {
      verb: "post",
      path: "/.account/credentials",
      door: own(async ({ account }, input) => {
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
      door: remove(async ({ account }, { params }) => {
        await credentials.delete(account.id, params["id"] ?? "");
        return done();
      }),
    },
    {
      verb: "get",
      path: "/.account/sessions",
      door: see(async ({ account, session }) => {
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
      door: remove(async ({ account, session }, { params }) => {
        const id = params["id"] ?? "";
        await sessions.end(account.id, id);
        return done({}, id === session.id ? { "set-cookie": sessions.forget } : {});
      }),
    },
    {
      verb: "delete",
      path: "/.account/sessions",
      door: remove(async ({ account, session }) => {
        await sessions.endOthers(account.id, session.id);
        return done();
      }),
    },
    {
      verb: "get",
      path: "/.account/overview",
      door: see(async ({ account }) => {
        const pod = await podOf(account);
        const [found, root, size, everybody] = await Promise.all([
          access.overview(pod),
          readFolder(store, pod, `/${pod.name}/`, limits),
          measurePod(store, pod),
          accounts.list(),
        ]);
        const names = new Map(everybody.map(({ webid, name }) => [webid as string, name]));
        const entries = found.entries.map((entry) => ({
          ...entry,
          who: { ...entry.who, label: labelOf(entry.who, names) },
          card: isCard(pod, entry),
        }));
        return done({
          people: found.people,
          isPublic: entries.some(
            ({ who, card }) => (who.kind === "public" || who.kind === "signed-in") && !card,
          ),
          entries,
          items: root.items,
          ...size,
        });
      }),
    },
    {
      verb: "get",
      path: "/.account/folder",
      door: see(async ({ account }, { url }) => {
        const pod = await podOf(account);
        return done(
          await readFolder(
            store,
            pod,
            parseOwnPath(url.searchParams.get("path") ?? `/${pod.name}/`, pod),
            limits,
          ),
        );
      }),
    },
    {
      verb: "post",
      path: "/.account/access/revoke",
      door: own(async ({ account }, input) => {
        const pod = await podOf(account);
        const path =
          input.raw("path") === undefined
            ? null
            : parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        const who = parseWho(input.raw("who"));
        input.done();
        const change = await access.revoke(pod, who, path);
        return done({ places: change.places, undo: undos.keep(account.id, change) });
      }),
    },
    {
      verb: "post",
      path: "/.account/access/grant",
      door: own(async ({ account }, input) => {
        const pod = await podOf(account);
        const path = parseOwnPath(input.text("path", 1, limits.urlBytesMax), pod);
        const who = parseWho(input.raw("who"));
        const modes = input.list("modes").flatMap((asked) => MODES.filter((mode) => mode === asked));
        if (modes.length === 0) input.fault("modes", `Send one or more of ${MODES.join(", ")}`);
        if (who.iri === account.webid) input.fault("who", "You already have full access to your own pod");
        input.done();
        const change = await access.grant(pod, who, path, [...new Set(modes)]);
        return done({ places: change.places, undo: undos.keep(account.id, change) });
      }),
    },
    {
      verb: "post",
      path: "/.account/access/undo",
      door: own(async ({ account }, input) => {
        const id = input.text("undo", 1, 100);
        input.done();
        await undos.run(account.id, id);
        return done();
      }),
    },
  ];
}
