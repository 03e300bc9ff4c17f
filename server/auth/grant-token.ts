/**
 * Short-lived tokens that stand for one grant and nothing else, for clients that exchange a credential for a token. Whoever
 * holds one may do what the grant still permits at that moment: it cannot be more than the grant, and not for long.
 * @see https://docs.kantarainitiative.org/uma/wg/rec-oauth-uma-grant-2.0.html#seek-authorization-section
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { WebId } from "../iri.ts";
import type { Agent } from "../operation.ts";
import { SERVER_POD, type Store } from "../store/store.ts";

const PREFIX = "fhg";
/** Seconds: as long as a client needs to use what it asked for, and to ask again costs it little. */
export const GRANT_TOKEN_SECONDS = 300;

interface Stated {
  readonly webid: WebId;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly grant: string;
  /** Of the token that was exchanged for it. */
  readonly purpose: string | null;
  /** Its pod's name. */
  readonly pod: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface GrantTokens {
  /** @param agent Who asked, proved by a token that is bound to a key. */
  issue(agent: Agent & { readonly webid: WebId }, grant: string, pod: string): Promise<string>;
  /** @returns what it stands for; null for what is no such token, is not of this server, or has ended. */
  verify(token: string): Promise<Omit<Stated, "until"> | null>;
}

export const isGrantToken = (token: string): boolean => token.startsWith(`${PREFIX}.`);

export function createGrantTokens(store: Store, now: () => Date): GrantTokens {
  let known: Promise<Uint8Array> | null = null;

  /** One for all servers on a store, made by the first that needs it. */
  async function makeSecret(): Promise<Uint8Array> {
    const { result } = await store.write(SERVER_POD, async (transaction) => {
      const found = await transaction.get("setting", "grant-token", "");
      if (found) return found.value;
      const fresh = randomBytes(32);
      transaction.put("setting", "grant-token", "", fresh);
      return fresh;
    });
    return result;
  }
  function secret(): Promise<Uint8Array> {
    known ??= makeSecret().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  }
  async function seal(stated: string): Promise<Buffer> {
    return createHmac("sha256", await secret())
      .update(stated)
      .digest();
  }

  return {
    async issue({ webid, client, issuer, purpose = null }, grant, pod) {
      const until = now().getTime() + GRANT_TOKEN_SECONDS * 1_000;
      const stated = Buffer.from(
        JSON.stringify({ webid, client, issuer, grant, purpose, pod, until } satisfies Stated),
      ).toString("base64url");
      return `${PREFIX}.${stated}.${(await seal(stated)).toString("base64url")}`;
    },
    async verify(token) {
      const [prefix, stated = "", sealed = "", ...rest] = token.split(".");
      if (prefix !== PREFIX || rest.length > 0) return null;
      const [given, right] = [Buffer.from(sealed, "base64url"), await seal(stated)];
      if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
      const { until, ...what } = JSON.parse(Buffer.from(stated, "base64url").toString("utf8")) as Stated;
      return until > now().getTime() ? what : null;
    },
  };
}
