/**
 * A vendor's desk: what this browser keeps for it. Its key (made here, and not to be taken out), the pods that it asked, its
 * webhooks, and a note of each answer that it got, which the pods' receipts must agree with.
 */
import {
  describeKey,
  type Fetch,
  fetchOk,
  type Ledger,
  openPod,
  type Pod,
  type SigningIdentity,
  type Use,
  verificationMethodOf,
} from "@freehold/client";
import { multikeyOf } from "@freehold/client/consent";
import { ownFetch } from "../parts/pod-fetch.ts";

/** A webhook as it is remembered, so that it can be ended. */
export interface KeptWebhook {
  readonly id: string;
  readonly pod: string;
  readonly place: string;
  readonly sendTo: string;
}

interface KeptKey {
  readonly webid: string;
  readonly multikey: string;
  readonly key: CryptoKey;
}

interface KeptPod {
  readonly webid: string;
  readonly url: string;
}

export interface Desk {
  readonly webid: string;
  readonly fetch: Fetch;
  readonly ledger: Ledger;
  /** Null before a key was made in this browser. */
  identity(): Promise<SigningIdentity | null>;
  /** Makes a key and has its public half published. @throws FreeholdError */
  makeKey(): Promise<SigningIdentity>;
  /** Pods that were asked; those that cannot be opened now, with the reason. */
  pods(): Promise<readonly (Pod | { readonly url: string; readonly error: unknown })[]>;
  open(where: string): Promise<Pod>;
  /** Opens the pod that a request or a grant belongs to. */
  podOf(address: string): Promise<Pod>;
  remember(pod: Pod): Promise<void>;
  webhooks(): Promise<readonly KeptWebhook[]>;
  keep(webhook: KeptWebhook): Promise<void>;
  drop(webhook: KeptWebhook): Promise<void>;
}

const STORES = {
  keys: "webid",
  pods: ["webid", "url"],
  uses: "receipt",
  webhooks: "id",
} as const;
type StoreName = keyof typeof STORES;

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("The browser keeps nothing")));
  });

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open("freehold-vendor", 1);
  request.addEventListener("upgradeneeded", () => {
    for (const [name, keyPath] of Object.entries(STORES))
      request.result.createObjectStore(name, {
        keyPath: typeof keyPath === "string" ? keyPath : [...keyPath],
      });
    request.transaction?.objectStore("uses").createIndex("grant", "grant");
  });
  return settled(request);
}

/** @param ownPod Root of the vendor's own pod on this server: its key is published there. */
export async function openDesk(webid: string, ownPod: string): Promise<Desk> {
  const database = await openDatabase();
  const table = (name: StoreName, mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(name, mode, { durability: "strict" }).objectStore(name);
  const all = <T>(name: StoreName): Promise<readonly T[]> =>
    settled(table(name, "readonly").getAll() as IDBRequest<T[]>);
  const put = async (name: StoreName, value: object): Promise<void> =>
    void (await settled(table(name, "readwrite").put(value)));

  const ledger: Ledger = {
    note: (use) => put("uses", use),
    uses: (grant) => settled(table("uses", "readonly").index("grant").getAll(grant) as IDBRequest<Use[]>),
  };
  const identityOf = ({ key, multikey }: KeptKey): SigningIdentity => ({
    webid,
    key,
    verificationMethod: verificationMethodOf(webid, multikey),
  });
  const open = (where: string): Promise<Pod> =>
    openPod(where, { fetch: ownFetch, resolvers: [location.origin] });

  return {
    webid,
    fetch: ownFetch,
    ledger,
    async identity() {
      const found = (await settled(table("keys", "readonly").get(webid))) as KeptKey | undefined;
      return found ? identityOf(found) : null;
    },
    async makeKey() {
      const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
      const multikey = multikeyOf(await crypto.subtle.exportKey("jwk", pair.publicKey)) ?? "";
      const kept: KeptKey = { webid, multikey, key: pair.privateKey };
      await put("keys", kept); // Before anybody is told of it: a published key that nobody has is of no use.
      try {
        await fetchOk(ownFetch, `${ownPod}.consent/keys/${multikey}`, { method: "PUT" });
      } catch (error) {
        await settled(table("keys", "readwrite").delete(webid));
        throw error;
      }
      return identityOf(kept);
    },
    async pods() {
      const mine = (await all<KeptPod>("pods")).filter((kept) => kept.webid === webid);
      return Promise.all(mine.map(({ url }) => open(url).catch((error: unknown) => ({ url, error }))));
    },
    open,
    podOf: (address) => open(address.slice(0, address.indexOf(".consent/"))),
    remember: ({ url }) => put("pods", { webid, url } satisfies KeptPod),
    webhooks: () => all<KeptWebhook>("webhooks"),
    keep: (webhook) => put("webhooks", webhook),
    drop: ({ id }) => settled(table("webhooks", "readwrite").delete(id)),
  };
}

/** What a vendor whose WebID is elsewhere writes into its document by hand. */
export const publicHalf = ({ webid, verificationMethod }: SigningIdentity): string =>
  describeKey(webid, verificationMethod.slice(verificationMethod.indexOf("#") + 1));
