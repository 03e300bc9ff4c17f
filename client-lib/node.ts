/** For programs on a server: logs in with client credentials, as vendors and scripts do. */
import { EVENTS, Session } from "@inrupt/solid-client-authn-node";
import { type Fetch, FreeholdError } from "./errors.ts";

/** Client credentials, as the account page gives them. */
export interface LoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Somebody who has logged in. */
export interface Login {
  /** Sends requests as whoever has logged in, each with a proof of its own; logs in again when the login has run out. */
  readonly fetch: Fetch;
  readonly webid: string;
  logout(): Promise<void>;
}

interface Begun {
  readonly session: Session;
  readonly webid: string;
  readonly hasEnded: () => boolean;
}

async function begin({ issuer, clientId, clientSecret }: LoginOptions): Promise<Begun> {
  const session = new Session({ keepAlive: false });
  let ended = false;
  session.events.on(EVENTS.SESSION_EXPIRED, () => (ended = true));
  // A program that has done its work must end, and not wait until its login does.
  session.events.on(EVENTS.TIMEOUT_SET, (timer: unknown) => (timer as NodeJS.Timeout).unref());
  let cause: unknown;
  try {
    await session.login({ oidcIssuer: issuer, clientId, clientSecret, tokenType: "DPoP" });
  } catch (error) {
    cause = error;
  }
  const { isLoggedIn, webId: webid } = session.info;
  if (isLoggedIn && webid !== undefined) return { session, webid, hasEnded: () => ended };
  throw new FreeholdError("login-failed", "The login was refused", {
    url: issuer,
    detail: (cause as Error | undefined)?.message,
    next: "Check issuer, client identifier and secret; make new ones on the account page if they are lost.",
    cause,
  });
}

/**
 * Logs in without anybody at the keyboard.
 * @throws FreeholdError `login-failed` with the issuer's reason; later also from `fetch`, if a renewal is refused.
 */
export async function login(options: LoginOptions): Promise<Login> {
  const first = await begin(options);
  let current = Promise.resolve(first);
  let isOut = false;
  const renewed = async (): Promise<Begun> => {
    const known = current;
    const begun = await known;
    if (!begun.hasEnded() || isOut) return begun;
    if (known === current) {
      current = begin(options); // Whoever asks meanwhile waits for this one.
      current.catch(() => (current = known)); // The next request tries again.
    }
    return current;
  };
  return {
    webid: first.webid,
    fetch: async (input, init) => (await renewed()).session.fetch(input, init),
    async logout() {
      isOut = true;
      await (await current).session.logout();
    },
  };
}
