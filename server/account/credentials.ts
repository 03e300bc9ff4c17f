/** Connected programs: an id and a secret by which a program of the owner's signs in, shown once, kept as a hash. */
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { hashSecret, newId, newSecret } from "./secret.ts";

interface CredentialRecord {
  readonly name: string;
  readonly accountId: string;
  readonly webid: WebId;
  /** SHA-256 of the secret, base64url. */
  readonly secretHash: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly expires: number | null;
}

/** What its owner sees of it. */
export interface Credential {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly expires: number | null;
}

export interface Credentials {
  /** @returns the secret, this once. @throws Problem `conflict` beyond `accountCredentialsMax`. */
  create(
    account: { readonly id: string; readonly webid: WebId },
    name: string,
    expires: number | null,
  ): Promise<Credential & { readonly secret: string }>;
  list(accountId: string): Promise<readonly Credential[]>;
  /** @throws Problem `not-found` for one that is not this account's. */
  delete(accountId: string, id: string): Promise<void>;
  /** @returns null when there is none, or it has expired. */
  find(id: string): Promise<{ readonly secretHash: Uint8Array; readonly webid: WebId } | null>;
}

const BY_ID = "id";

/** Groups: `id` holds the records; an account's id holds empty records that name its own. */
export function createCredentials(store: Store, now: () => Date, limits: Limits): Credentials {
  return {
    async create({ id: accountId, webid }, name, expires) {
      const id = `program-${newId()}`;
      const secret = newSecret();
      const created = now().getTime();
      const record: CredentialRecord = {
        name,
        accountId,
        webid,
        secretHash: hashSecret(secret).toString("base64url"),
        created,
        expires,
      };
      await store.write(SERVER_POD, async (transaction) => {
        let count = 0;
        for await (const _entry of transaction.list("credential", accountId)) count += 1;
        if (count >= limits.accountCredentialsMax) {
          throw new Problem(
            "conflict",
            `At most ${limits.accountCredentialsMax} programs can be connected; disconnect one first`,
          );
        }
        transaction.put("credential", BY_ID, id, encodeRecord(record));
        transaction.put("credential", accountId, id, new Uint8Array());
      });
      return { id, name, created, expires, secret };
    },
    list: (accountId) =>
      store.read(SERVER_POD, async (snapshot) => {
        const found: Credential[] = [];
        for await (const { item: id } of snapshot.list("credential", accountId)) {
          const entry = await snapshot.get("credential", BY_ID, id);
          if (!entry) continue;
          const { name, created, expires } = decodeRecord<CredentialRecord>(entry);
          found.push({ id, name, created, expires });
        }
        return found.sort((a, b) => a.created - b.created);
      }),
    async delete(accountId, id) {
      await store.write(SERVER_POD, async (transaction) => {
        if (!(await transaction.get("credential", accountId, id)))
          throw new Problem("not-found", "There is no such program");
        transaction.delete("credential", accountId, id);
        transaction.delete("credential", BY_ID, id);
      });
    },
    async find(id) {
      const entry = await store.read(SERVER_POD, (snapshot) => snapshot.get("credential", BY_ID, id));
      if (!entry) return null;
      const { secretHash, webid, expires } = decodeRecord<CredentialRecord>(entry);
      if (expires !== null && expires <= now().getTime()) return null;
      return { secretHash: Buffer.from(secretHash, "base64url"), webid };
    },
  };
}
