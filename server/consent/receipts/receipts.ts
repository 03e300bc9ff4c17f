/**
 * Receipts, for both sides: of each consent, signed by the pod and countersigned by the vendor, and of each read under it,
 * signed by the pod. Signatures are made when they are asked for: of the same receipt they are the same.
 */
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Operation, Result } from "../../operation.ts";
import { negotiate, RDF_TYPES } from "../../rdf/media.ts";
import { parseRdf } from "../../rdf/parse.ts";
import { serializeRdf } from "../../rdf/serialize.ts";
import type { Pod } from "../../store/pods.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot, Store } from "../../store/store.ts";
import { SERVER } from "../change.ts";
import { type Call, type ConsentDoor, namedAgent } from "../doors.ts";
import type { Grants } from "../grants.ts";
import type { Grant, UsageReceipt } from "../model.ts";
import { formerHosts, formerKey } from "../move/former.ts";
import { FORMER_RECEIPTS } from "../move/luggage.ts";
import { each, find, findReceipt, put, receiptId } from "../records.ts";
import { isSameDocument, type Json, type Signed, verifyProof } from "../shared.ts";
import { isUnknownToVendor } from "../states.ts";
import { readDocument } from "../wire.ts";
import { consentReceipt, consentReceiptIds, receiptNamed } from "./consent-receipt.ts";
import type { ConsentKeys } from "./keys.ts";
import { type SigningKeysDeps, signingKeyDoors } from "./signing-keys.ts";
import { usageReceipt } from "./usage-receipt.ts";

export interface ReceiptsDeps extends SigningKeysDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly keys: ConsentKeys;
  readonly grants: Pick<Grants, "resume">;
  /** The public key at an address in somebody's WebID document; null where it may not sign for that person. */
  readonly keyOf: (webid: string, verificationMethod: string, ip: string) => Promise<JsonWebKey | null>;
  readonly limits: Pick<Limits, "consentBytesMax" | "jsonDepthMax" | "receiptsPerGrantMax">;
  readonly now: () => Date;
}

export interface Receipts {
  readonly doors: readonly ConsentDoor[];
}

interface Signing {
  readonly grant: Grant;
  readonly pod: Pod;
  readonly ip: string;
}

/** What both have signed, as it was: from then on it is not made anew. */
interface Kept {
  readonly document: Signed;
}

const GROUP = "receipt";
const PAGE = 100; // Each is signed for the answer.
const CLOCKS_MS = 300_000; // By which the clocks of vendors may differ from ours.

const JSON_LD = "application/ld+json";
const JSON_TYPES: readonly string[] = [JSON_LD, "application/lws+json", "application/json"];
const TYPES: readonly string[] = [...JSON_TYPES, ...RDF_TYPES];

async function answer(
  document: Json,
  { headers, url, method }: Operation,
  offered: readonly string[] = TYPES,
): Promise<Result> {
  const isRead = method === "GET" || method === "HEAD";
  // What has been done is not refused for the format in which it is told.
  const type = negotiate(headers.accept, offered) ?? (isRead ? null : JSON_LD);
  if (type === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
  const text = JSON.stringify(document);
  const isJson = JSON_TYPES.includes(type);
  const body = isJson
    ? text
    : await serializeRdf(await parseRdf(new TextEncoder().encode(text), JSON_LD, url), type, {
        prefixes: { dpv: "https://w3id.org/dpv#", fh: "https://w3id.org/freehold/ns#" },
      });
  return {
    status: 200,
    headers: { "content-type": type, "cache-control": "no-store", vary: "Accept" },
    body,
  };
}

export function createReceipts(deps: ReceiptsDeps): Receipts {
  const { baseUrl, store, keys, limits, now } = deps;
  const storageOf = (pod: Pod): string => `${baseUrl}${pod.name}/`;

  /** @throws Problem `not-found` for all but the owner and the grant's vendor: they learn nothing of it, nor that it is there. */
  async function grantFor(snapshot: Snapshot, { operation, pod }: Call, id: string): Promise<Grant> {
    const grant = await find(snapshot, "grant", id);
    if (!grant) throw new Problem("not-found");
    if (await deps.isOwner(snapshot, pod, operation.agent)) return grant;
    const isHeld = isUnknownToVendor(grant, now().getTime()); // It may yet be as if it had never been, or is.
    if (grant.assignee !== operation.agent.webid || isHeld) throw new Problem("not-found");
    return grant;
  }

  async function consentReceiptOf(
    snapshot: Snapshot,
    pod: Pod,
    grant: Grant,
    kind: "given" | "ended",
  ): Promise<Signed> {
    const kept = kind === "given" ? await snapshot.get("consent", GROUP, grant.id) : null;
    if (kept) return decodeRecord<Kept>(kept).document;
    const name = consentReceiptIds(grant)[kind === "given" ? 0 : 1] ?? "";
    const former = await snapshot.get("consent", FORMER_RECEIPTS, name); // Nobody can sign in its place.
    if (former) return decodeRecord<Kept>(former).document;
    const request = grant.request === null ? null : await find(snapshot, "request", grant.request);
    const place = { storage: storageOf(pod), requested: request?.issued ?? null };
    const at = kind === "given" ? grant.issued : grant.changed;
    return keys.sign(consentReceipt(grant, kind, place), new Date(at));
  }

  const signedUse = async (receipt: UsageReceipt, pod: Pod): Promise<Signed> =>
    receipt.document ?? keys.sign(usageReceipt(receipt, storageOf(pod)), new Date(receipt.published));

  async function receiptOf(snapshot: Snapshot, call: Call, id: string): Promise<Signed> {
    const name = receiptNamed(id);
    if (!name) throw new Problem("not-found");
    const grant = await grantFor(snapshot, call, name.grant);
    if (name.kind !== "use") {
      if (!consentReceiptIds(grant).includes(id)) throw new Problem("not-found");
      return consentReceiptOf(snapshot, call.pod, grant, name.kind);
    }
    const receipt = await findReceipt(snapshot, id);
    if (!receipt) throw new Problem("not-found");
    return signedUse(receipt, call.pod);
  }

  const show: ConsentDoor["act"] = async (call) => {
    namedAgent(call);
    const found = await store.read(call.pod.id, (snapshot) => receiptOf(snapshot, call, call.id));
    return answer(found, call.operation);
  };

  /**
   * Numbers grow by one with each use, so whoever reads on after the last that it knows misses none. Those that are not
   * kept any more are not there.
   */
  const list: ConsentDoor["act"] = async (call) => {
    namedAgent(call);
    const { operation, pod } = call;
    const after = afterOf(operation.query);
    const page = await store.read(pod.id, async (snapshot) => {
      const grant = await grantFor(snapshot, call, call.id);
      const count: number = (await find(snapshot, "usage", grant.id))?.count ?? 0;
      const first = Math.max(after, count - limits.receiptsPerGrantMax) + 1; // Of older ones there is only their number.
      const last = Math.min(count, first + PAGE - 1);
      const uses: Json[] = [];
      for (let number = first; number <= last; number++) {
        const receipt = await findReceipt(snapshot, receiptId(grant.id, number));
        if (!receipt) continue;
        uses.push(await signedUse(receipt, pod));
      }
      const consents: Json[] = [];
      if (after === 0)
        for (const id of consentReceiptIds(grant)) consents.push(await receiptOf(snapshot, call, id));
      const next = last < count ? `${operation.url}?after=${last}` : null;
      return { grant, count, items: [...consents, ...uses], next };
    });
    const { next } = page;
    const result = await answer(
      {
        "@context": { as: "https://www.w3.org/ns/activitystreams#", fh: "https://w3id.org/freehold/ns#" },
        "@id": `${operation.url}${operation.query === "" ? "" : `?${operation.query}`}`,
        "@type": "as:OrderedCollectionPage",
        "as:partOf": { "@id": operation.url },
        "fh:uses": page.count,
        "as:items": { "@list": page.items },
        ...(next !== null && { "as:next": { "@id": next } }),
      },
      operation,
      JSON_TYPES, // A hundred receipts are a hundred signed documents, not one graph.
    );
    if (next === null) return result;
    return { ...result, headers: { ...result.headers, link: `<${next}>; rel="next"` } };
  };

  /** The key of this host, or of one that the pod had before; null for any other. */
  const keyOfHosts = async (pod: Pod, method: string): Promise<JsonWebKey | null> =>
    (await keys.keyOf(method)) ?? store.read(pod.id, (snapshot) => formerKey(snapshot, method));

  /** @throws Problem `proof-invalid` unless the vendor signed this very receipt, now. */
  async function checkSignature(receipt: Signed, given: Json, { grant, pod, ip }: Signing): Promise<void> {
    if (!isSameDocument(receipt, given))
      throw new Problem("proof-invalid", "What is signed is another document than the receipt");
    const times: number[] = []; // Of signatures that are not ours.
    const { isValid, proofs } = await verifyProof(given, async (method) => {
      const ours = await keyOfHosts(pod, method);
      return ours ?? deps.keyOf(grant.assignee, method, ip);
    });
    const flaw = proofs.find((proof) => proof.flaw !== null)?.flaw;
    for (const { verificationMethod, created } of proofs)
      if ((await keyOfHosts(pod, verificationMethod)) === null) times.push(created);
    if (!isValid || times.length === 0)
      throw new Problem("proof-invalid", flaw ?? "The vendor's signature is missing");
    const latest = now().getTime() + CLOCKS_MS;
    if (times.some((time) => time < grant.issued - CLOCKS_MS || time > latest))
      throw new Problem("proof-invalid", "The proof was made before the grant, or is from the future");
  }

  const countersign: ConsentDoor["act"] = async (call) => {
    namedAgent(call);
    const { operation, pod, id, ip } = call;
    const name = receiptNamed(id);
    if (name?.kind !== "given") throw new Problem("not-found");
    const before = await store.read(pod.id, async (snapshot) => {
      const grant = await grantFor(snapshot, call, name.grant);
      return { grant, receipt: await consentReceiptOf(snapshot, pod, grant, "given") };
    });
    if (before.grant.assignee !== operation.agent.webid)
      throw new Problem("forbidden", "Only the vendor countersigns");
    const given = await readDocument(operation, limits);
    await checkSignature(before.receipt, given, { grant: before.grant, pod, ip });
    const { result } = await store.write(pod.id, async (transaction) => {
      const kept = await transaction.get("consent", GROUP, name.grant);
      if (kept) return decodeRecord<Kept>(kept).document; // Signed twice is signed.
      const grant = await grantFor(transaction, call, name.grant);
      if (consentReceiptIds(grant).length > 1) throw new Problem("conflict", "The consent has ended");
      const document = withOwnProof(given as Signed, before.receipt);
      transaction.put("consent", GROUP, grant.id, encodeRecord({ document } satisfies Kept));
      put(transaction, "countersigned", grant.id, { at: now().getTime() });
      if (grant.state === "Paused" && grant.reason === "unsigned")
        await deps.grants.resume(transaction, pod, grant.id, { agent: SERVER });
      return document;
    });
    return answer(result, operation);
  };

  /** What former hosts said of the receipts that came along: for the owner, and for whom there are receipts here. */
  const showFormer: ConsentDoor["act"] = async (call) => {
    const webid = namedAgent(call);
    const { operation, pod } = call;
    const hosts = await store.read(pod.id, async (snapshot) => {
      let isTheirs = await deps.isOwner(snapshot, pod, operation.agent);
      for await (const grant of each(snapshot, "grant"))
        isTheirs ||= grant.assignee === webid && !isUnknownToVendor(grant, now().getTime());
      if (!isTheirs) throw new Problem("not-found");
      return formerHosts(snapshot);
    });
    return answer({ "fh:formerHosts": hosts }, operation, JSON_TYPES);
  };

  return {
    doors: [
      { verb: "get", path: ".consent/former-hosts", act: showFormer },
      { verb: "get", path: ".consent/grants/:id/receipts", act: list },
      { verb: "get", path: ".consent/receipts/:id", act: show },
      { verb: "put", path: ".consent/receipts/:id/countersignature", act: countersign },
      ...signingKeyDoors(deps),
    ],
  };
}

const listed = (proof: Signed["proof"]): readonly unknown[] => (Array.isArray(proof) ? proof : [proof]);

/** The pod's signature stands first, whether or not the vendor sent it back; and of the vendor's one is enough. */
function withOwnProof(given: Signed, receipt: Signed): Signed {
  const own = listed(receipt.proof);
  const values = new Set(own.map((proof) => (proof as { readonly proofValue?: string }).proofValue));
  const others = listed(given.proof).filter(
    (proof) => !values.has((proof as { readonly proofValue?: string }).proofValue),
  );
  return { ...receipt, proof: [...own, ...others.slice(0, 1)] as Signed["proof"] };
}

/** @throws Problem `bad-request` for what is no number. */
function afterOf(query: string): number {
  const text = new URLSearchParams(query).get("after") ?? "0";
  if (!/^\d{1,10}$/.test(text)) throw new Problem("bad-request", "after is the number of a receipt");
  return Number(text);
}
