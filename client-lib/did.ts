/** `did:dcann` for programs that resolve DIDs of every method. https://github.com/decentralized-identity/did-resolver */
import { FreeholdError } from "./errors.ts";
import { didOf, readId } from "./passport/identifier.ts";
import { didDocument } from "./registry/did.ts";
import { findAnswer, type ResolveOptions, readPassport } from "./resolve.ts";

/** A DID document, in the words of that library: lists can be changed, and a type is said to be one. */
type LibraryDocument = {
  id: string;
  "@context": string[];
  alsoKnownAs?: string[];
  verificationMethod?: { id: string; type: string; controller: string; publicKeyMultibase: string }[];
  authentication?: string[];
  assertionMethod?: string[];
  service?: { id: string; type: string; serviceEndpoint: string }[];
};

/** @see https://www.w3.org/TR/did-1.1/#did-resolution */
export interface DidResolution {
  didResolutionMetadata: { contentType?: string; error?: string; message?: string };
  didDocument: LibraryDocument | null;
  didDocumentMetadata: { deactivated?: boolean; versionId?: string; canonicalId?: string };
}

interface ParsedDid {
  readonly did: string;
  readonly query?: string;
}

/** As the library calls it, once for each DID. */
export type DcannResolver = (
  did: string,
  parsed: ParsedDid,
  resolver: unknown,
  options: { readonly accept?: string },
) => Promise<DidResolution>;

const TYPES: readonly string[] = ["application/did", "application/did+ld+json", "application/did+json"];

const ERRORS: Readonly<Record<string, string>> = {
  "input-invalid": "invalidDid",
  "not-found": "notFound",
  "passport-invalid": "invalidDidDocument",
};

const failed = (error: string, message: string): DidResolution => ({
  didResolutionMetadata: { error, message },
  didDocument: null,
  didDocumentMetadata: {},
});

async function resolveDid(did: string, options: ResolveOptions): Promise<DidResolution> {
  const answer = await findAnswer(readPassport(did), options);
  if (answer.kind === "absent")
    return failed("notFound", `The zone ${answer.zone} has proved it at epoch ${answer.epoch.epoch}`);
  const { id, passport, isDeactivated, hold } = answer;
  if (hold)
    return failed(
      "notAllowed",
      `The zone ${answer.zone} holds this passport: ${hold.reason}, case ${hold.case}`,
    );
  const { state, data } = passport;
  const document = didDocument(id, isDeactivated ? null : data);
  return {
    didResolutionMetadata: { contentType: "application/did" },
    didDocument: structuredClone(document) as unknown as LibraryDocument,
    didDocumentMetadata: {
      versionId: `${state.head.seq}.${data?.dseq ?? 0}`,
      canonicalId: didOf(id),
      ...(isDeactivated && { deactivated: true }),
    },
  };
}

/**
 * The method `dcann` for `new Resolver({ ...getResolver({ resolvers }) })` of did-resolver. Answers are verified as
 * `resolve` does it; the library is given the reason in words where one does not hold.
 */
export function getResolver(options: ResolveOptions): { dcann: DcannResolver } {
  return {
    async dcann(did, { query }, _, { accept }) {
      if (accept !== undefined && !TYPES.includes(accept))
        return failed("representationNotSupported", `Ask for one of ${TYPES.join(", ")}`);
      if (/(?:^|&)version(?:Id|Time)=/.test(query ?? ""))
        return failed("featureNotSupported", "Former states of a passport are not shown");
      const reading = readId(did);
      if (reading.kind === "broken") return failed("invalidDid", reading.hint);
      try {
        return await resolveDid(did, options);
      } catch (error) {
        if (!(error instanceof FreeholdError)) throw error;
        return failed(ERRORS[error.code] ?? "internalError", error.message);
      }
    },
  };
}
