/** Who is signed in: a random token in a cookie, of which the store keeps only the hash. */
import type { Limits } from "../limits.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { hashSecret, newSecret } from "./secret.ts";

interface SessionRecord {
  /** Milliseconds since 1970, all three: begun, last used (to the hour), last proved by passkey or password. */
  readonly created: number;
  readonly seen: number;
  readonly proved: number;
  /** In words for its owner, such as `Firefox on Linux`. */
  readonly device: string;
}

export interface Session extends SessionRecord {
  readonly accountId: string;
  /** Names the session in lists; the token cannot be found from it. */
  readonly id: string;
}

type Headers = Readonly<Record<string, string | undefined>>;

export interface Sessions {
  /** Ends the session that came with the request, if any, and begins a new one. @returns the `Set-Cookie` value. */
  begin(accountId: string, headers: Headers): Promise<string>;
  find(headers: Headers): Promise<Session | null>;
  list(accountId: string): Promise<readonly Session[]>;
  /** Idempotent. */
  end(accountId: string, id: string): Promise<void>;
  endOthers(accountId: string, keep: string): Promise<void>;
  /** `Set-Cookie` value that makes the browser forget. */
  readonly forget: string;
  /** Was the person's identity proved within `freshLoginMsMax`? */
  isFresh(session: Session): boolean;
}

const TOKEN = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const SEEN_STEP_MS = 3_600_000; // Writing "last used" at every request would make every read a write.

/** `__Host-` keeps other hosts from setting it. Cookies ignore ports, so servers on one machine need their own names. */
export function cookieName(baseUrl: string): string {
  const { protocol, port } = new URL(baseUrl);
  return protocol === "https:" ? "__Host-freehold" : `freehold${port && `-${port}`}`;
}

/** What a browser says of itself, in the words of a person. */
export function deviceOf(userAgent: string): string {
  const find = (table: readonly (readonly [RegExp, string])[]): string | undefined =>
    table.find(([sign]) => sign.test(userAgent))?.[1];
  const browser = find([
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrom(e|ium)\//, "Chrome"],
    [/Safari\//, "Safari"],
  ]);
  const system = find([
    [/iPhone/, "iPhone"],
    [/iPad/, "iPad"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "Mac"],
    [/Linux/, "Linux"],
  ]);
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? "A program";
}

/**
 * Sessions in the store; they end after `sessionIdleMsMax` without use and after `sessionMsMax` in any case.
 */
export function createSessions(store: Store, baseUrl: string, now: () => Date, limits: Limits): Sessions {
  const name = cookieName(baseUrl);
  const attributes = `Path=/; HttpOnly; SameSite=Strict${baseUrl.startsWith("https:") ? "; Secure" : ""}`;

  function tokenOf(headers: Headers): { readonly accountId: string; readonly id: string } | null {
    for (const part of (headers["cookie"] ?? "").split(";")) {
      const [key = "", value = ""] = part.trim().split("=", 2);
      const [, accountId, secret] = (key === name && TOKEN.exec(value)) || [];
      if (accountId && secret) return { accountId, id: hashSecret(secret).toString("base64url") };
    }
    return null;
  }

  const isAlive = ({ created, seen }: SessionRecord): boolean => {
    const at = now().getTime();
    return at - created < limits.sessionMsMax && at - seen < limits.sessionIdleMsMax;
  };

  const list = (accountId: string): Promise<readonly Session[]> =>
    store.read(SERVER_POD, async (snapshot) => {
      const sessions: Session[] = [];
      for await (const entry of snapshot.list("session", accountId)) {
        sessions.push({ ...decodeRecord<SessionRecord>(entry), accountId, id: entry.item });
      }
      return sessions.sort((a, b) => b.seen - a.seen);
    });

  async function end(accountId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await store.write(SERVER_POD, async (transaction) => {
      for (const id of ids) transaction.delete("session", accountId, id);
    });
  }

  return {
    forget: `${name}=; ${attributes}; Max-Age=0`,
    isFresh: ({ proved }) => now().getTime() - proved < limits.freshLoginMsMax,
    async begin(accountId, headers) {
      const secret = newSecret();
      const at = now().getTime();
      const former = tokenOf(headers);
      const sessions = await list(accountId);
      const record: SessionRecord = {
        created: at,
        seen: at,
        proved: at,
        device: deviceOf(headers["user-agent"] ?? ""),
      };
      const outlived = sessions.filter(
        (session, place) => !isAlive(session) || place >= limits.accountSessionsMax - 1,
      );
      await store.write(SERVER_POD, async (transaction) => {
        if (former) transaction.delete("session", former.accountId, former.id);
        for (const { id } of outlived) transaction.delete("session", accountId, id);
        transaction.put("session", accountId, hashSecret(secret).toString("base64url"), encodeRecord(record));
      });
      return `${name}=${accountId}.${secret}; ${attributes}; Max-Age=${Math.floor(limits.sessionMsMax / 1_000)}`;
    },
    async find(headers) {
      const token = tokenOf(headers);
      if (!token) return null;
      const entry = await store.read(SERVER_POD, (snapshot) =>
        snapshot.get("session", token.accountId, token.id),
      );
      const record = entry && decodeRecord<SessionRecord>(entry);
      if (!record || !isAlive(record)) return null;
      const at = now().getTime();
      if (at - record.seen > SEEN_STEP_MS) {
        await store.write(SERVER_POD, async (transaction) => {
          const still = await transaction.get("session", token.accountId, token.id);
          if (still)
            transaction.put("session", token.accountId, token.id, encodeRecord({ ...record, seen: at }));
        });
      }
      return { ...record, ...token };
    },
    list: async (accountId) => (await list(accountId)).filter(isAlive),
    end: (accountId, id) => end(accountId, [id]),
    endOthers: async (accountId, keep) =>
      end(
        accountId,
        (await list(accountId)).map(({ id }) => id).filter((id) => id !== keep),
      ),
  };
}
