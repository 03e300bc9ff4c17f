/** For programs on a server: logs in with client credentials, as vendors and scripts do. */
import { Session } from "@inrupt/solid-client-authn-node";
import { type Fetch, FreeholdError } from "./errors.ts";

export interface LoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Renews the login for as long as the program runs; without it a program ends when its work is done. */
  readonly keepAlive?: boolean;
}

export interface Login {
  /** Sends requests as whoever has logged in, each with a proof of its own. */
  readonly fetch: Fetch;
  readonly webid: string;
  logout(): Promise<void>;
}

/** @throws FreeholdError `login-failed` with the issuer's reason. */
export async function login({
  issuer,
  clientId,
  clientSecret,
  keepAlive = false,
}: LoginOptions): Promise<Login> {
  const session = new Session({ keepAlive });
  let cause: unknown;
  try {
    await session.login({ oidcIssuer: issuer, clientId, clientSecret, tokenType: "DPoP" });
  } catch (error) {
    cause = error;
  }
  const { isLoggedIn, webId } = session.info;
  if (!isLoggedIn || webId === undefined) {
    throw new FreeholdError("login-failed", "The login was refused", {
      url: issuer,
      detail: (cause as Error | undefined)?.message,
      next: "Check issuer, client identifier and secret; make new ones on the account page if they are lost.",
      cause,
    });
  }
  return { webid: webId, fetch: (input, init) => session.fetch(input, init), logout: () => session.logout() };
}
