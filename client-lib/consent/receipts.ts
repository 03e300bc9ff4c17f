/** Receipts on the vendor's side: fetched, checked, countersigned, and held against what the vendor itself noted. */
import { jsonOf } from "../content.ts";
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";
import type { Json } from "../passport/form.ts";
import type { Pod } from "../pod.ts";
import { isVouchedFor, type SignedStatement } from "./former.ts";
import type { SigningIdentity } from "./identity.ts";
import { addProof, keyOfMultikey, type Signed, verifyProof } from "./proof.ts";
import { isSameDocument } from "./receipt.ts";
import type { Ledger, Use } from "./under.ts";

/** One receipt, as the pod gave it. */
export interface Receipt {
  readonly id: string;
  readonly kind: "consent" | "use";
  readonly document: Signed;
}

const KEY_PATH = "/.well-known/freehold/consent-key";
const ACCEPT = { accept: "application/ld+json" };

async function documentAt(fetch: Fetch, url: string, signal?: AbortSignal): Promise<Json> {
  const response = await fetchOk(fetch, url, { headers: ACCEPT, ...(signal && { signal }) });
  const value = await jsonOf(response, url);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new FreeholdError("answer-invalid", "This is no JSON-LD document", { url });
}

/** What a pod had before, as far as its passport bears it out: addresses, and keys by which receipts were signed. */
interface Former {
  /** Roots of the pod, each ending in a slash. */
  readonly storages: readonly string[];
  readonly keys: ReadonlySet<string>;
}

const NO_FORMER: Former = { storages: [], keys: new Set() };

/** A pod that was found by its passport can say where it was before: what its passport does not bear out does not count. */
async function formerOf(pod: Pod): Promise<Former> {
  const passport = pod.passport?.passport;
  if (!passport || passport.data?.moved.length === 0) return NO_FORMER;
  const { "fh:formerHosts": hosts = [] } = (await documentAt(
    pod.fetch,
    `${pod.url}.consent/former-hosts`,
  )) as {
    readonly "fh:formerHosts"?: readonly SignedStatement[];
  };
  const vouched: SignedStatement[] = [];
  for (const host of hosts) if (await isVouchedFor(host, passport).catch(() => false)) vouched.push(host);
  return {
    storages: vouched.map(({ statement }) => statement.storage),
    keys: new Set(vouched.flatMap(({ statement }) => statement.receiptKeys)),
  };
}

/** Addresses that something of the pod has, and had: the present one first. */
const addressesOf = (pod: Pod, address: string, { storages }: Former): readonly string[] => [
  address,
  ...storages.map((storage) => address.replace(pod.url, storage)),
];

/** The keys by which the pod's server signs, and signed where it was before: only they count, whatever a receipt names. */
async function keysOf(pod: Pod, former: Former): Promise<(verificationMethod: string) => JsonWebKey | null> {
  const url = new URL(KEY_PATH, pod.url).href;
  const { verificationMethod = [] } = (await documentAt(globalThis.fetch, url)) as {
    readonly verificationMethod?: readonly {
      readonly id?: unknown;
      readonly publicKeyMultibase?: unknown;
    }[];
  };
  const known = new Map(verificationMethod.map((one) => [one.id, keyOfMultikey(one.publicKeyMultibase)]));
  return (method) => {
    if (former.keys.has(method)) return keyOfMultikey(method.slice(method.indexOf("#") + 1));
    return method.startsWith(`${url}#`) ? (known.get(method) ?? null) : null;
  };
}

const kindOf = (document: Json): Receipt["kind"] =>
  [document["@type"]].flat().includes("dpv:ConsentReceipt") ? "consent" : "use";

function asReceipt(value: unknown, url: string): Receipt {
  const document = (value ?? {}) as Signed;
  const id = document["@id"];
  if (typeof id === "string") return { id, kind: kindOf(document), document };
  throw new FreeholdError("answer-invalid", "This is no receipt", { url });
}

/**
 * All receipts of a grant, as they arrive: first those of the consent, then one for each use in the order of uses.
 * @param grant Its address.
 * @throws FreeholdError while iterating.
 */
export async function* receipts(
  pod: Pod,
  grant: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Receipt, void, undefined> {
  const { origin } = new URL(pod.url);
  for (let url: string | null = `${grant}/receipts`; url !== null; ) {
    const page: Json = await documentAt(pod.fetch, url, signal);
    const { "@list": items = [] } = (page["as:items"] ?? {}) as { readonly "@list"?: readonly unknown[] };
    for (const item of items) yield asReceipt(item, url);
    const { "@id": next = null } = (page["as:next"] ?? {}) as { readonly "@id"?: string };
    url = next !== null && new URL(next).origin === origin ? next : null;
  }
}

/**
 * The newest of a grant's consent receipts, with whether the pod's server really signed it.
 * @throws FreeholdError `receipt-invalid` where it did not.
 */
export async function consentReceiptOf(pod: Pod, grant: string): Promise<Receipt> {
  const id = `${pod.url}.consent/receipts/${grant.slice(grant.lastIndexOf("/") + 1)}`;
  const receipt = asReceipt(await documentAt(pod.fetch, id), id);
  const former = await formerOf(pod);
  const keyOf = await keysOf(pod, former);
  const { proofs } = await verifyProof(receipt.document, async (method) => keyOf(method));
  const isSigned = proofs.some(
    ({ verificationMethod, flaw }) => flaw === null && keyOf(verificationMethod) !== null,
  );
  // What a former host signed stays as it signed it, with the address that it had there.
  if (isSigned && addressesOf(pod, id, former).includes(receipt.id)) return { ...receipt, id };
  throw new FreeholdError("receipt-invalid", "The pod's server did not sign this receipt", { url: id });
}

/**
 * Countersigns what a grant says: from then on both sides hold the same, with both signatures. Without it the grant
 * pauses after seven days.
 * @param isAgreed Looks at the receipt first; false: it is not what was agreed on, and is not signed.
 * @returns the receipt with both signatures.
 * @throws FreeholdError `receipt-invalid`, `receipt-refused`, `proof-invalid` with the server's reason.
 */
export async function countersign(
  pod: Pod,
  grant: string,
  identity: SigningIdentity,
  isAgreed: (receipt: Json) => boolean = () => true,
): Promise<Receipt> {
  const { id, document } = await consentReceiptOf(pod, grant);
  if (!isAgreed(document))
    throw new FreeholdError("receipt-refused", "The receipt is not what was agreed on", { url: id });
  const { key, verificationMethod } = identity;
  const signed = await addProof(document, { key, verificationMethod, created: new Date() });
  const url = `${id}/countersignature`;
  const response = await fetchOk(pod.fetch, url, {
    method: "PUT",
    headers: { ...ACCEPT, "content-type": "application/ld+json" },
    body: JSON.stringify(signed),
  });
  const both = asReceipt(await jsonOf(response, url), url);
  if (isSameDocument(both.document, document)) return both;
  throw new FreeholdError("answer-invalid", "The server answered with another receipt", { url });
}

/** What both sides know of a grant, held against each other. */
export interface Reconciliation {
  readonly grant: string;
  /** Uses of which both sides know, and say the same. */
  readonly matched: number;
  /** Receipts of the pod about uses that the vendor did not note. */
  readonly onlyPod: readonly string[];
  /** Uses that the vendor noted, of which the pod has no receipt. */
  readonly onlyVendor: readonly string[];
  /** Both know of it, and disagree about what it was. */
  readonly differing: readonly string[];
  /** Receipts whose signature is not that of the pod's server. */
  readonly unsigned: readonly string[];
  /** Whether the consent is signed by both. */
  readonly isCountersigned: boolean;
  /** Nothing stands out. */
  readonly agrees: boolean;
}

const agreesWith = (use: Use, document: Json): boolean =>
  (document["fh:queryHash"] ?? null) === use.queryHash &&
  document["fh:statusCode"] === use.status &&
  document["fh:grant"] === use.grant;

/** The key that an identity signs with, as its address spells it: whoever asks about its own signature takes nobody's word. */
const publicKeyOf = ({
  verificationMethod,
}: Pick<SigningIdentity, "verificationMethod">): JsonWebKey | null =>
  keyOfMultikey(verificationMethod.slice(verificationMethod.indexOf("#") + 1));

/**
 * Holds what the vendor noted of its reads against the receipts that the pod has of them.
 * @param ledger What {@link under} noted into.
 * @param identity By which the vendor signs: then the consent counts as countersigned only by a signature of that very key,
 * and not because the pod says so.
 * @throws FreeholdError when the pod cannot be asked.
 */
export async function reconcile(
  pod: Pod,
  grant: string,
  ledger: Ledger,
  identity?: Pick<SigningIdentity, "verificationMethod">,
): Promise<Reconciliation> {
  const former = await formerOf(pod);
  const keyOf = await keysOf(pod, former);
  const own = identity && publicKeyOf(identity);
  const isOwn = (method: string): boolean => method === identity?.verificationMethod;
  const noted = new Map<string, Use>();
  for (const address of addressesOf(pod, grant, former))
    for (const use of await ledger.uses(address)) noted.set(use.receipt, use);
  const [onlyPod, differing, unsigned]: [string[], string[], string[]] = [[], [], []];
  let matched = 0;
  let isCountersigned = false;
  for await (const { id, kind, document } of receipts(pod, grant)) {
    const { proofs } = await verifyProof(document, async (method) =>
      isOwn(method) ? (own ?? null) : keyOf(method),
    );
    const isOurs = ({ verificationMethod }: (typeof proofs)[number]): boolean =>
      keyOf(verificationMethod) !== null;
    if (!proofs.some((proof) => isOurs(proof) && proof.flaw === null)) unsigned.push(id);
    if (kind === "consent") {
      isCountersigned ||= proofs.some((proof) =>
        own ? isOwn(proof.verificationMethod) && proof.flaw === null : !isOurs(proof),
      );
      continue;
    }
    const use = noted.get(id);
    noted.delete(id);
    if (!use) onlyPod.push(id);
    else if (agreesWith(use, document)) matched += 1;
    else differing.push(id);
  }
  const onlyVendor = [...noted.keys()];
  const agrees = [onlyPod, onlyVendor, differing, unsigned].every((odd) => odd.length === 0);
  return { grant, matched, onlyPod, onlyVendor, differing, unsigned, isCountersigned, agrees };
}
