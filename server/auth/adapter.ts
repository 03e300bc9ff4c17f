/** Where the provider keeps its state: table `oidc` of the server's own pod, one record for each thing it remembers. */
import { hash } from "node:crypto";
import type { Adapter, AdapterPayload } from "oidc-provider";
import type { WebId } from "../iri.ts";
import type { Reach } from "../reach.ts";
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
  readonly reach: Reach;
  readonly clientId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Points at a grant, and says what was granted. */
interface Consent extends Pointer {
  /** Absent until {@link ProviderState.noteConsent} has said it: until then the consent counts for nothing. */
  readonly app?: AppFacts;
  readonly webid?: WebId;
  readonly reach?: Reach;
}

/** What was said yes to. */
export interface Consented {
  readonly accountId: string;
  readonly webid: WebId;
  readonly clientId: string;
  readonly app: AppFacts;
  readonly reach: Reach;
}

export interface ProviderState {
  /** What the library asks for, one for each of its models. */
  readonly adapter: (model: string) => Adapter;
  /** The grant by which the account let this client in before; null when it never did. */
  readonly grantIdFor: (accountId: string, clientId: string) => Promise<string | null>;
  /** Remembers what an application is called and what it may do, beside the account's consent to it. */
  readonly noteConsent: (consented: Consented) => Promise<void>;
  /** What the person lets the application do, now; null when it has no consent. */
  readonly reachOf: (webid: string, clientId: string) => Promise<Reach | null>;
  /** Changes what an application may do, tokens that are out included. @returns false when the account has no such grant. */
  readonly narrow: (accountId: string, grantId: string, reach: Reach) => Promise<boolean>;
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
const NOTHING: Reach = { folders: [], modes: [] };

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

  async function pointersOf<T extends Pointer = Pointer>(
    transaction: Pick<Transaction, "list">,
    group: string,
  ): Promise<T[]> {
    const found: T[] = [];
    for await (const entry of transaction.list("oidc", group)) found.push(decodeRecord<T>(entry));
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

  /** By account for its list, and by WebID for the decision at every request. */
  function putConsent(transaction: Transaction, accountId: string, clientId: string, consent: Consent): void {
    const record = encodeRecord({ ...consent, accountId }); // So that all of an account's records are found by its id.
    transaction.put("oidc", `consents ${accountId}`, digest(clientId), record);
    if (consent.webid) transaction.put("oidc", `apps of ${consent.webid}`, digest(clientId), record);
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
      const group = `consents ${accountId}`;
      const before = await transaction.get("oidc", group, digest(clientId)); // A grant that is renewed keeps what was said of it.
      putConsent(transaction, accountId, clientId, {
        ...(before && decodeRecord<Consent>(before)),
        ...pointer,
      });
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
      for (const pointer of await pointersOf<Consent>(snapshot, `consents ${accountId}`)) {
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
        const consent = entry && decodeRecord<Consent>(entry);
        return consent?.reach && !isOver(consent) ? consent.id : null;
      }),
    noteConsent: ({ accountId, webid, clientId, app, reach }) =>
      write(async (transaction) => {
        const entry = await transaction.get("oidc", `consents ${accountId}`, digest(clientId));
        if (!entry) return;
        putConsent(transaction, accountId, clientId, { ...decodeRecord<Pointer>(entry), webid, app, reach });
      }),
    reachOf: (webid, clientId) =>
      store.read(SERVER_POD, async (snapshot) => {
        const entry = await snapshot.get("oidc", `apps of ${webid}`, digest(clientId));
        const consent = entry && decodeRecord<Consent>(entry);
        return consent && !isOver(consent) ? (consent.reach ?? null) : null;
      }),
    async narrow(accountId, grantId, reach) {
      const consent = (await consentsOf(accountId)).find(({ pointer }) => pointer.id === grantId);
      const clientId = consent?.payload.clientId;
      if (clientId === undefined) return false;
      let isKnown = false;
      await write(async (transaction) => {
        const entry = await transaction.get("oidc", `consents ${accountId}`, digest(clientId));
        const now = entry && decodeRecord<Consent>(entry);
        // Not one that was taken back meanwhile, nor one of which nothing was said: that counts for nothing, and still would.
        isKnown = now?.id === grantId && now.webid !== undefined;
        if (now && isKnown) putConsent(transaction, accountId, clientId, { ...now, reach });
      });
      return isKnown;
    },
    consentedApps: async (accountId) =>
      (await consentsOf(accountId)).map(({ pointer, payload }) => ({
        grantId: pointer.id,
        clientId: payload.clientId ?? "",
        name: pointer.app?.name ?? null,
        address: pointer.app?.address ?? null,
        reach: pointer.reach ?? NOTHING,
        since: (payload.iat ?? 0) * 1_000,
      })),
    async revoke(accountId, grantId) {
      const consent = (await consentsOf(accountId)).find(({ pointer }) => pointer.id === grantId);
      if (!consent) return false;
      await write(async (transaction) => {
        await removeGrant(transaction, grantId);
        remove(transaction, { model: "Grant", id: grantId });
        const item = digest(consent.payload.clientId ?? "");
        const entry = await transaction.get("oidc", `consents ${accountId}`, item); // As it is now: it may just have been said what it gives.
        const webid = entry && decodeRecord<Consent>(entry).webid;
        transaction.delete("oidc", `consents ${accountId}`, item);
        if (webid) transaction.delete("oidc", `apps of ${webid}`, item);
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
