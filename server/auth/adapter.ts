/** Where the provider keeps its state: table `oidc` of the server's own pod, one record for each thing it remembers. */
import { hash } from "node:crypto";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type Entry, SERVER_POD, type Store, type Transaction } from "../store/store.ts";

interface Stored {
  readonly payload: AdapterPayload;
  /** Milliseconds since 1970; null lasts for ever. */
  readonly expires: number | null;
}

/** Something that points at records; it lives as long as the youngest of them. */
interface Pointer {
  readonly model: string;
  readonly id: string;
  readonly expires: number | null;
}

/** What an application is called and where it is, as its person saw it when they let it in. */
export interface AppFacts {
  /** What it calls itself. */
  readonly name: string | null;
  /** Where its answers go: what it cannot make up. */
  readonly address: string | null;
}

/** An application that an account has let in. */
export interface ConsentedApp extends AppFacts {
  readonly grantId: string;
  readonly clientId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Points at a grant. */
interface Consent extends Pointer {
  readonly app?: AppFacts;
}

export interface ProviderState {
  /** What the library asks for, one for each of its models. */
  readonly adapter: (model: string) => Adapter;
  /** The grant by which the account let this client in before; null when it never did. */
  readonly grantIdFor: (accountId: string, clientId: string) => Promise<string | null>;
  /** Remembers what an application is called, beside the account's consent to it. */
  readonly noteApp: (accountId: string, clientId: string, app: AppFacts) => Promise<void>;
  /** Applications that the account has let in. */
  readonly consentedApps: (accountId: string) => Promise<readonly ConsentedApp[]>;
  /** Takes a consent back, and every code and refresh token with it. @returns false when the account has no such grant. */
  readonly revoke: (accountId: string, grantId: string) => Promise<boolean>;
  /** Ends all of the account's sessions here; its consents stay. To be called when it logs out of our own pages. */
  readonly signOut: (accountId: string) => Promise<void>;
  /** Removes all that names the account, expired or not, logins under way included: for one that is closed. */
  readonly forget: (accountId: string) => Promise<void>;
  /** Removes what has expired; to be called about hourly. @returns how many records. */
  readonly sweep: () => Promise<number>;
}

export interface ProviderStateDependencies {
  readonly store: Store;
  readonly now: () => Date;
  /** Thrown when a code or refresh token is used twice at the same moment. */
  readonly alreadyUsed: () => Error;
  /** Changes what is kept of a client, or throws: the last look at a registration. */
  readonly prepareClient: (metadata: AdapterPayload) => AdapterPayload;
}

const UNUSED_CLIENT_MS = 7 * 24 * 3_600_000; // Registered and never used: programs register again when they need to.
const USED_CLIENT_MS = 365 * 24 * 3_600_000;
const SWEEP_BATCH = 500;

const digest = (text: string): string => hash("sha256", text, "base64url"); // Ids may be whole URLs; items are short.

/** What the library remembers, and an index by account over it, for the owner's page. */
export function createProviderState({
  store,
  now,
  alreadyUsed,
  prepareClient,
}: ProviderStateDependencies): ProviderState {
  const at = (): number => now().getTime();
  const isOver = ({ expires }: { readonly expires: number | null }): boolean =>
    expires !== null && expires <= at();

  const point = (transaction: Transaction, group: string, pointer: Pointer): void =>
    transaction.put("oidc", group, digest(`${pointer.model} ${pointer.id}`), encodeRecord(pointer));

  async function pointersOf(transaction: Pick<Transaction, "list">, group: string): Promise<Pointer[]> {
    const found: Pointer[] = [];
    for await (const entry of transaction.list("oidc", group)) found.push(decodeRecord<Pointer>(entry));
    return found;
  }

  function read(entry: Entry | null): AdapterPayload | undefined {
    if (!entry) return undefined;
    const stored = decodeRecord<Stored>(entry);
    return isOver(stored) ? undefined : structuredClone(stored.payload); // The library changes what it is given.
  }

  async function upsertClient(transaction: Transaction, id: string, payload: AdapterPayload): Promise<void> {
    const stored: Stored = { payload: prepareClient(payload), expires: at() + UNUSED_CLIENT_MS };
    transaction.put("oidc", "Client", digest(id), encodeRecord(stored));
  }

  /** A code was issued: the client is alive. */
  async function touchClient(transaction: Transaction, clientId: string): Promise<void> {
    const entry = await transaction.get("oidc", "Client", digest(clientId));
    if (!entry) return;
    const stored = decodeRecord<Stored>(entry);
    transaction.put(
      "oidc",
      "Client",
      digest(clientId),
      encodeRecord({ ...stored, expires: at() + USED_CLIENT_MS }),
    );
  }

  async function indexRecord(
    transaction: Transaction,
    pointer: Pointer,
    payload: AdapterPayload,
  ): Promise<void> {
    const { model } = pointer;
    const { grantId, accountId, clientId, uid } = payload;
    if (model === "AuthorizationCode" && clientId) await touchClient(transaction, clientId);
    if (grantId && model !== "Interaction") point(transaction, `grant ${grantId}`, pointer);
    if (model === "Session" && uid) transaction.put("oidc", "uid", digest(uid), encodeRecord(pointer));
    if (model === "Session" && accountId) point(transaction, `sessions ${accountId}`, pointer);
    if (model === "Grant" && accountId && clientId) {
      transaction.put("oidc", `consents ${accountId}`, digest(clientId), encodeRecord(pointer));
    }
  }

  const remove = (transaction: Transaction, { model, id }: Pick<Pointer, "model" | "id">): void =>
    transaction.delete("oidc", model, digest(id));

  async function removeGrant(transaction: Transaction, grantId: string): Promise<void> {
    for (const pointer of await pointersOf(transaction, `grant ${grantId}`)) {
      remove(transaction, pointer);
      transaction.delete("oidc", `grant ${grantId}`, digest(`${pointer.model} ${pointer.id}`));
    }
  }

  const write = async (work: (transaction: Transaction) => Promise<void>): Promise<void> => {
    await store.write(SERVER_POD, work);
  };
  const get = (model: string, id: string): Promise<Entry | null> =>
    store.read(SERVER_POD, (snapshot) => snapshot.get("oidc", model, digest(id)));

  const adapter = (model: string): Adapter => ({
    find: async (id) => read(await get(model, id)),
    async findByUid(uid) {
      const pointer = await get("uid", uid);
      return pointer ? read(await get(model, decodeRecord<Pointer>(pointer).id)) : undefined;
    },
    findByUserCode: async () => undefined, // The device flow is off.
    upsert: (id, payload, expiresIn) =>
      write(async (transaction) => {
        if (model === "Client") return upsertClient(transaction, id, payload);
        const expires = expiresIn === undefined ? null : at() + expiresIn * 1_000;
        const stored: Stored = { payload, expires };
        transaction.put("oidc", model, digest(id), encodeRecord(stored));
        await indexRecord(transaction, { model, id, expires }, payload);
      }),
    consume: (id) =>
      write(async (transaction) => {
        const entry = await transaction.get("oidc", model, digest(id));
        const stored = entry && decodeRecord<Stored>(entry);
        // Of two that come at once the transaction lets one through: the other runs again and sees this.
        if (!stored || stored.payload.consumed) throw alreadyUsed();
        const payload = { ...stored.payload, consumed: Math.floor(at() / 1_000) };
        transaction.put("oidc", model, digest(id), encodeRecord({ ...stored, payload }));
      }),
    destroy: (id) => write(async (transaction) => remove(transaction, { model, id })),
    revokeByGrantId: (grantId) => write((transaction) => removeGrant(transaction, grantId)),
  });

  /** The account's consents that still hold. */
  const consentsOf = (accountId: string): Promise<{ pointer: Consent; payload: AdapterPayload }[]> =>
    store.read(SERVER_POD, async (snapshot) => {
      const consents: { pointer: Consent; payload: AdapterPayload }[] = [];
      for (const pointer of await pointersOf(snapshot, `consents ${accountId}`)) {
        const payload = read(await snapshot.get("oidc", "Grant", digest(pointer.id)));
        if (payload) consents.push({ pointer, payload });
      }
      return consents;
    });

  return {
    adapter,
    grantIdFor: (accountId, clientId) =>
      store.read(SERVER_POD, async (snapshot) => {
        const entry = await snapshot.get("oidc", `consents ${accountId}`, digest(clientId));
        const pointer = entry && decodeRecord<Pointer>(entry);
        return pointer && !isOver(pointer) ? pointer.id : null;
      }),
    noteApp: (accountId, clientId, app) =>
      write(async (transaction) => {
        const entry = await transaction.get("oidc", `consents ${accountId}`, digest(clientId));
        if (!entry) return;
        const consent: Consent = { ...decodeRecord<Pointer>(entry), app };
        transaction.put("oidc", `consents ${accountId}`, digest(clientId), encodeRecord(consent));
      }),
    consentedApps: async (accountId) =>
      (await consentsOf(accountId)).map(({ pointer, payload }) => ({
        grantId: pointer.id,
        clientId: payload.clientId ?? "",
        name: pointer.app?.name ?? null,
        address: pointer.app?.address ?? null,
        since: (payload.iat ?? 0) * 1_000,
      })),
    async revoke(accountId, grantId) {
      const consent = (await consentsOf(accountId)).find(({ pointer }) => pointer.id === grantId);
      if (!consent) return false;
      await write(async (transaction) => {
        await removeGrant(transaction, grantId);
        remove(transaction, { model: "Grant", id: grantId });
        transaction.delete("oidc", `consents ${accountId}`, digest(consent.payload.clientId ?? ""));
      });
      return true;
    },
    signOut: (accountId) =>
      write(async (transaction) => {
        for (const pointer of await pointersOf(transaction, `sessions ${accountId}`)) {
          remove(transaction, pointer);
          transaction.delete("oidc", `sessions ${accountId}`, digest(`${pointer.model} ${pointer.id}`));
        }
      }),
    async forget(accountId) {
      const found: { group: string; item: string }[] = [];
      await store.read(SERVER_POD, async (snapshot) => {
        for await (const { group, item, value } of snapshot.all("oidc"))
          if (group.includes(accountId) || Buffer.from(value).includes(accountId))
            found.push({ group, item });
      });
      for (let start = 0; start < found.length; start += SWEEP_BATCH)
        await write(async (transaction) => {
          for (const { group, item } of found.slice(start, start + SWEEP_BATCH))
            transaction.delete("oidc", group, item);
        });
    },
    async sweep() {
      const over: { group: string; item: string }[] = [];
      await store.read(SERVER_POD, async (snapshot) => {
        for await (const entry of snapshot.all("oidc")) {
          const { expires } = decodeRecord<{ expires?: number | null }>(entry);
          if (expires !== undefined && isOver({ expires }))
            over.push({ group: entry.group, item: entry.item });
        }
      });
      for (let start = 0; start < over.length; start += SWEEP_BATCH) {
        const batch = over.slice(start, start + SWEEP_BATCH);
        await write(async (transaction) => {
          for (const { group, item } of batch) {
            const entry = await transaction.get("oidc", group, item); // It may have been renewed meanwhile.
            const expires = entry && decodeRecord<{ expires?: number | null }>(entry).expires;
            if (typeof expires === "number" && isOver({ expires })) transaction.delete("oidc", group, item);
          }
        });
      }
      return over.length;
    },
  };
}
