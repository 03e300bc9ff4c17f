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
}

export interface SetupLinks {
  /** @returns the token, which is not kept. */
  create(): Promise<string>;
  /** @returns the pods that a set-up by this link began. @throws Problem `setup-link-invalid` */
  check(token: string): Promise<readonly string[]>;
  /** Remembers that `pod` is being made by this link, so that a set-up that broke off can go on. */
  note(token: string, pod: string): Promise<void>;
  /** Uses the link up, in the transaction that opens the account. @throws Problem `setup-link-invalid` */
  use(transaction: Transaction, token: string): Promise<void>;
}

const GROUP = "setup-link";

/** Links live for `setupLinkMsMax` and are used up in the transaction that opens the account. */
export function createSetupLinks(store: Store, now: () => Date, limits: Limits): SetupLinks {
  const itemOf = (token: string): string => hashSecret(token).toString("base64url");

  function live(entry: Entry | null): LinkRecord {
    const record = entry && decodeRecord<LinkRecord>(entry);
    if (!record || record.expires <= now().getTime()) throw new Problem("setup-link-invalid");
    return record;
  }

  return {
    async create() {
      const token = newSecret();
      const at = now().getTime();
      await store.write(SERVER_POD, async (transaction) => {
        const begun: string[] = [];
        for await (const entry of transaction.list("account", GROUP)) {
          const record = decodeRecord<LinkRecord>(entry);
          if (record.expires > at) continue;
          begun.push(...record.begun); // What a dead link left half done, the new one may finish.
          transaction.delete("account", GROUP, entry.item);
        }
        transaction.put(
          "account",
          GROUP,
          itemOf(token),
          encodeRecord({ expires: at + limits.setupLinkMsMax, begun }),
        );
      });
      return token;
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
    async use(transaction, token) {
      live(await transaction.get("account", GROUP, itemOf(token)));
      transaction.delete("account", GROUP, itemOf(token));
    },
  };
}
