/** What the identity provider must know of people: the accounts of this server, behind a port. */
import type { WebId } from "../iri.ts";

/** Who is logged in at this server's own pages. */
export interface AccountSession {
  readonly accountId: string;
  readonly webid: WebId;
}

/** A client credential that an account made for a program of its own. */
export interface AccountCredential {
  /** SHA-256 of the secret's UTF-8 bytes: the secret itself is shown once and never kept. */
  readonly secretHash: Uint8Array;
  readonly webid: WebId;
}

export interface Accounts {
  /**
   * Who the account cookie of this request belongs to.
   * @param headers Lower-cased header fields of the request.
   * @returns null without a valid session.
   */
  sessionOf(headers: Readonly<Record<string, string | undefined>>): Promise<AccountSession | null>;
  /** @returns null when there is no such account (any more). */
  webIdOf(accountId: string): Promise<WebId | null>;
  /** @returns null when there is no such credential (any more). */
  credentialOf(clientId: string): Promise<AccountCredential | null>;
}
