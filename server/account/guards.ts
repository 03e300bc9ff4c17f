/** Who may use a door of the accounts: everybody on our own pages, who is signed in, or who has just proved it. */
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Door, DoorRequest, Result } from "../operation.ts";
import { requireSameOrigin } from "../same-origin.ts";
import type { AccountService } from "./accounts.ts";
import { type Input, readInput } from "./input.ts";
import type { Account } from "./records.ts";
import type { Session } from "./sessions.ts";

export interface AccountDoor {
  readonly verb: "get" | "post" | "delete";
  /** Express 5 path. */
  readonly path: string;
  readonly door: Door;
}

export const NAME_MAX = 100; // Characters of a name that fits on a line.

export interface SignedIn {
  readonly account: Account;
  readonly session: Session;
}

type Act = (input: Input, request: DoorRequest) => Promise<Result>;
type OwnAct = (who: SignedIn, input: Input, request: DoorRequest) => Promise<Result>;
type OwnLook = (who: SignedIn, request: DoorRequest) => Promise<Result>;

export interface Guards {
  /** A change by anybody, from our own pages. */
  change(run: Act): Door;
  /** A change by who is signed in. */
  own(run: OwnAct): Door;
  /** A change by who has just proved to be the person: a stolen cookie cannot make itself at home. */
  proved(run: OwnAct): Door;
  /** A look by who is signed in. */
  see(run: OwnLook): Door;
  /** DELETE has no content; that it comes from our own page is checked all the same. */
  remove(run: OwnLook): Door;
  /** A look by who runs the server; nobody else finds anything here. */
  operator(run: OwnLook): Door;
  /** What somebody who runs the server does. */
  operate(run: OwnAct): Door;
  /** The same, right after they have proved to be the person. */
  operateProved(run: OwnAct): Door;
  /** @throws Problem `login-stale` when the last proof is too long ago. */
  requireProof(who: SignedIn): void;
}

/** The few ways in which a door of the accounts may be open; each door takes one of them. */
export function createGuards(accounts: AccountService): Guards {
  const { deps, sessions } = accounts;
  const { limits, config } = deps;

  async function whoIs(request: DoorRequest): Promise<SignedIn> {
    const found = await accounts.signedIn(request.headers);
    if (!found) throw new Problem("login-required");
    return found;
  }

  function requireProof({ session }: SignedIn): void {
    if (!sessions.isFresh(session)) throw new Problem("login-stale");
  }

  const change =
    (run: Act): Door =>
    async (request) => {
      requireSameOrigin(request, config.baseUrl);
      return run(await readInput(request, limits), request);
    };

  const see =
    (run: OwnLook): Door =>
    async (request) =>
      run(await whoIs(request), request);

  const own = (run: OwnAct): Door =>
    change(async (input, request) => run(await whoIs(request), input, request));

  /** @throws Problem `not-found`, for whoever is none. */
  function requireOperator({ account }: SignedIn): void {
    if (account.isOperator !== true) throw new Problem("not-found");
  }

  const operate = (run: OwnAct): Door =>
    own(async (who, input, request) => {
      requireOperator(who);
      return run(who, input, request);
    });

  return {
    change,
    see,
    own,
    requireProof,
    operator: (run) =>
      see(async (who, request) => {
        requireOperator(who);
        return run(who, request);
      }),
    operate,
    operateProved: (run) =>
      operate(async (who, input, request) => {
        requireProof(who);
        return run(who, input, request);
      }),
    proved: (run) =>
      own(async (who, input, request) => {
        requireProof(who);
        return run(who, input, request);
      }),
    remove: (run) => async (request) => {
      requireSameOrigin(request, config.baseUrl);
      return see(run)(request);
    },
  };
}

/** The answer to something that worked; for no other origin to read. */
export function done(value: unknown = {}, headers: Readonly<Record<string, string>> = {}): Result {
  return json(200, value, { "cross-origin-resource-policy": "same-origin", ...headers });
}

/** A password as it was sent, not trimmed; null when there is none. */
export function readPassword(input: Input, field: string): string | null {
  const value = input.raw(field) ?? null;
  if (value === null || typeof value === "string") return value;
  input.fault(field, "Send text");
  return null;
}
