/** One-time links by which the first account (and each invited one) is opened. Only their hash is kept. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type Entry, SERVER_POD, type Store, type Transaction } from "../store/store.ts";
import { hashSecret, newSecret } from "./secret.ts";

interface LinkRecord {
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** Pods that a set-up by this link began and did not finish: it may go on with these, nobody else may. */
  readonly begun: readonly string[];
  /** That of a server's first start: whoever opens the first account with it runs the server. */
  readonly isFirst?: true;
  /** Of an invitation: for whom it is, and since when, in milliseconds since 1970. */
  readonly name?: string;
  readonly created?: number;
}

/** What the link is for; nothing said, it lives for `setupLinkMsMax`. */
export interface LinkWish {
  readonly isFirst?: true;
  /** For whom it is: then it is an invitation, and in the list of them. */
  readonly name?: string;
  /** How long it lives, in milliseconds. */
  readonly ms?: number;
}

export interface Invitation {
  /** Names it in lists; the link cannot be found from it. */
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly expires: number;
}

export interface SetupLinks {
  /** @returns the token, which is not kept. @throws Problem `conflict` when there are too many invitations. */
  create(wish?: LinkWish): Promise<{ readonly token: string; readonly id: string; readonly expires: number }>;
  /** Those that still work, the newest first. */
  invitations(): Promise<readonly Invitation[]>;
  /** Takes an invitation back. @returns whether there was one. */
  withdraw(id: string): Promise<boolean>;
  /** @returns the pods that a set-up by this link began. @throws Problem `setup-link-invalid` */
  check(token: string): Promise<readonly string[]>;
  /** Remembers that `pod` is being made by this link, so that a set-up that broke off can go on. */
  note(token: string, pod: string): Promise<void>;
  /** The pod was not made after all: this link has no claim to its name. */
  forget(token: string, pod: string): Promise<void>;
  /**
   * Uses the link up, in the transaction that opens the account.
   * @returns whether it was that of the server's first start.
   * @throws Problem `setup-link-invalid`
   */
  use(transaction: Transaction, token: string): Promise<{ readonly isFirst: boolean }>;
}

const GROUP = "setup-link";
const INVITATIONS_MAX = 500; // More are a list that nobody looks through.

/** Links live for `setupLinkMsMax` and are used up in the transaction that opens the account. */
export function createSetupLinks(store: Store, now: () => Date, limits: Limits): SetupLinks {
  const itemOf = (token: string): string => hashSecret(token).toString("base64url");

  function live(entry: Entry | null): LinkRecord {
    const record = entry && decodeRecord<LinkRecord>(entry);
    if (!record || record.expires <= now().getTime()) throw new Problem("setup-link-invalid");
    return record;
  }

  return {
    async create({ isFirst, name, ms = limits.setupLinkMsMax } = {}) {
      const token = newSecret();
      const at = now().getTime();
      const expires = at + ms;
      await store.write(SERVER_POD, async (transaction) => {
        const begun: string[] = [];
        let invited = 0;
        for await (const entry of transaction.list("account", GROUP)) {
          const record = decodeRecord<LinkRecord>(entry);
          if (record.expires > at) {
            if (record.name !== undefined) invited += 1;
            continue;
          }
          begun.push(...record.begun); // What a dead link left half done, the new one may finish.
          transaction.delete("account", GROUP, entry.item);
        }
        if (name !== undefined && invited >= INVITATIONS_MAX)
          throw new Problem("conflict", `There are ${INVITATIONS_MAX} invitations; take some back first`);
        const record: LinkRecord = {
          expires,
          begun,
          ...(isFirst && { isFirst }),
          ...(name !== undefined && { name, created: at }),
        };
        transaction.put("account", GROUP, itemOf(token), encodeRecord(record));
      });
      return { token, id: itemOf(token), expires };
    },
    invitations: () =>
      store.read(SERVER_POD, async (snapshot) => {
        const found: Invitation[] = [];
        for await (const entry of snapshot.list("account", GROUP)) {
          const { name, expires, created = 0 } = decodeRecord<LinkRecord>(entry);
          if (name !== undefined && expires > now().getTime())
            found.push({ id: entry.item, name, created, expires });
        }
        return found.sort((a, b) => b.created - a.created);
      }),
    async withdraw(id) {
      const { result } = await store.write(SERVER_POD, async (transaction) => {
        const entry = await transaction.get("account", GROUP, id);
        if (!entry || decodeRecord<LinkRecord>(entry).name === undefined) return false;
        transaction.delete("account", GROUP, id);
        return true;
      });
      return result;
    },
    check: async (token) =>
      live(await store.read(SERVER_POD, (snapshot) => snapshot.get("account", GROUP, itemOf(token)))).begun,
    async note(token, pod) {
      await store.write(SERVER_POD, async (transaction) => {
        const record = live(await transaction.get("account", GROUP, itemOf(token)));
        if (record.begun.includes(pod)) return;
        transaction.put(
          "account",
          GROUP,
          itemOf(token),
          encodeRecord({ ...record, begun: [...record.begun, pod] }),
        );
      });
    },
    async forget(token, pod) {
      await store.write(SERVER_POD, async (transaction) => {
        const entry = await transaction.get("account", GROUP, itemOf(token));
        if (!entry) return;
        const record = decodeRecord<LinkRecord>(entry);
        const begun = record.begun.filter((name) => name !== pod);
        transaction.put("account", GROUP, itemOf(token), encodeRecord({ ...record, begun }));
      });
    },
    async use(transaction, token) {
      const { isFirst } = live(await transaction.get("account", GROUP, itemOf(token)));
      transaction.delete("account", GROUP, itemOf(token));
      return { isFirst: isFirst === true };
    },
  };
}
