/**
 * A host's word about a pod that it hosts or hosted: signed by the key that the passport's own chain names as delegate. So
 * another host can check it by the passport alone, also when the first is gone.
 */
import {
  decodeBase64url,
  encodeBase64url,
  isPassportId,
  type KeyPair,
  type PassportId,
  type PublicKey,
  verifySignature,
} from "@freehold/client/passport";
import type { Pod } from "../store/pods.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { findDelegate, serverKey } from "./keyring.ts";
import type { RegistryLink } from "./link.ts";

export interface VouchingDeps {
  readonly store: Store;
  readonly link: Pick<RegistryLink, "find" | "bundle" | "hasOneHostKey">;
  /** The passport of a pod; null for one without. */
  readonly ofPod: (pod: string) => Promise<PassportId | null>;
}

export interface Vouched {
  readonly passport: string;
  readonly key: PublicKey;
  /** base64url */
  readonly s: string;
}

export interface Vouching {
  /** @param bytesFor What is signed, of the passport's identifier. @returns null where this server was never the host. */
  vouch(pod: Pod, bytesFor: (passport: string) => Uint8Array<ArrayBuffer>): Promise<Vouched | null>;
  /** @returns why another host's word about a pod of this server is not to be believed; null where it is. */
  doubt(
    pod: Pod,
    said: Vouched & { readonly storage: string },
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<string | null>;
}

export function createVouching({ store, link, ofPod }: VouchingDeps): Vouching {
  /** Delegates that the owner has ever named, the newest first. */
  async function delegatesOf(id: PassportId): Promise<readonly PublicKey[]> {
    const bundle = await link.bundle(id);
    return (bundle?.head.auth ?? []).map(({ op }) => op.delegate.key).reverse();
  }

  async function ownKey(key: PublicKey, id: PassportId): Promise<KeyPair | null> {
    const own = await store.read(SERVER_POD, (snapshot) => findDelegate(snapshot, key, id));
    if (own || !link.hasOneHostKey) return own;
    const host = await serverKey(store, "host");
    return host.key === key ? host : null;
  }

  return {
    async vouch(pod, bytesFor) {
      const id = await ofPod(pod.name);
      if (id === null) return null;
      for (const key of new Set(await delegatesOf(id))) {
        const pair = await ownKey(key, id);
        if (pair) return { passport: id, key, s: encodeBase64url(await pair.sign(bytesFor(id))) };
      }
      return null;
    },
    async doubt(pod, { passport, storage, key, s }, bytes) {
      const own = await ofPod(pod.name);
      if (own === null || own !== passport || !isPassportId(passport))
        return "The archive is of another passport than this pod";
      if (!(await delegatesOf(passport)).includes(key))
        return "The passport's owner never named this host as delegate";
      const signature = decodeBase64url(s, 64);
      if (!signature || !(await verifySignature(key, signature, bytes)))
        return "The former host's signature does not hold";
      const data = (await link.find(passport))?.data?.op;
      const places = [
        ...(data?.storage ?? []).map(({ url }) => url),
        ...(data?.moved ?? []).map(({ from }) => from),
      ];
      return places.includes(storage) ? null : "The passport does not say that the pod was there";
    },
  };
}
