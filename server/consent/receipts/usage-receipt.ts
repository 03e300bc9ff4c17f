/**
 * That something was read under a grant, as a receipt: an activity, in the words of ActivityStreams. It says who, by which
 * application, for what, when and how much, and nothing of what was read.
 * @see https://www.w3.org/TR/activitystreams-vocabulary/#dfn-read
 */
import type { UsageReceipt } from "../model.ts";
import type { Json } from "../shared.ts";
import { PROOF_TERM } from "./proof-term.ts";

/** Written into each receipt, so that it says by itself what its words mean. */
const CONTEXT = Object.freeze({
  as: "https://www.w3.org/ns/activitystreams#",
  dct: "http://purl.org/dc/terms/",
  dpv: "https://w3id.org/dpv#",
  fh: "https://w3id.org/freehold/ns#",
  xsd: "http://www.w3.org/2001/XMLSchema#",
  "as:actor": { "@id": "as:actor", "@type": "@id" },
  "as:object": { "@id": "as:object", "@type": "@id" },
  "as:published": { "@id": "as:published", "@type": "xsd:dateTime" },
  "dpv:hasPurpose": { "@id": "dpv:hasPurpose", "@type": "@id" },
  "fh:client": { "@id": "fh:client", "@type": "@id" },
  "fh:grant": { "@id": "fh:grant", "@type": "@id" },
  proof: PROOF_TERM,
});

/** @param storage Root of the pod, ends in `/`. */
export function usageReceipt(receipt: UsageReceipt, storage: string): Json {
  const { id, grant, actor, client, purpose, queryHash, targets } = receipt;
  const { documents, rows, bytes, status, published } = receipt;
  return {
    "@context": CONTEXT,
    "@id": `${storage}.consent/receipts/${id}`,
    "@type": ["as:Read", "fh:UsageReceipt"],
    "dct:identifier": id,
    "fh:grant": `${storage}.consent/grants/${grant}`,
    "as:actor": actor,
    ...(client !== null && { "fh:client": client }),
    "dpv:hasPurpose": purpose,
    ...(queryHash !== null && { "fh:queryHash": queryHash }),
    ...(targets.length > 0 && { "as:object": targets }),
    "fh:documents": documents,
    ...(rows !== null && { "fh:rows": rows }),
    ...(bytes !== null && { "fh:bytes": bytes }),
    "fh:statusCode": status,
    "as:published": new Date(published).toISOString(),
  };
}
