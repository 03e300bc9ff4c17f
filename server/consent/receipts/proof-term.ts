/** What the members of a signature mean, for whoever reads a signed document as RDF. https://www.w3.org/TR/vc-data-integrity/#contexts-and-vocabularies */
const SEC = "https://w3id.org/security#";

export const PROOF_TERM = Object.freeze({
  "@id": `${SEC}proof`,
  "@context": {
    type: "@type",
    DataIntegrityProof: `${SEC}DataIntegrityProof`,
    created: {
      "@id": "http://purl.org/dc/terms/created",
      "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
    },
    cryptosuite: `${SEC}cryptosuite`,
    proofPurpose: `${SEC}proofPurpose`,
    proofValue: `${SEC}proofValue`,
    verificationMethod: { "@id": `${SEC}verificationMethod`, "@type": "@id" },
  },
});
