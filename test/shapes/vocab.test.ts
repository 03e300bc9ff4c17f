import { readFileSync } from "node:fs";
import { acl, fh, NAMESPACE } from "@freehold/vocab";
import { expect } from "chai";
import { Parser } from "n3";
import { generateTerms, TERMS_FILE } from "../tools/vocab.ts";

const quads = new Parser({ baseIRI: NAMESPACE }).parse(
  readFileSync(new URL("../../vocab/freehold.ttl", import.meta.url), "utf8"),
);

describe("the vocabulary", () => {
  it("has terms.ts exactly as the generator makes it (else run: node test/tools/vocab.ts)", async () => {
    expect(readFileSync(TERMS_FILE, "utf8")).to.equal(await generateTerms());
  });

  it("gives plain strings", () => {
    expect(acl.Read).to.equal("http://www.w3.org/ns/auth/acl#Read");
    expect(fh.Passport).to.equal("https://w3id.org/freehold/ns#Passport");
  });

  it("says of each own term what it is called, what it means, and how it is used", () => {
    const terms = new Set(
      quads
        .map(({ subject }) => subject.value)
        .filter((iri) => iri.startsWith(NAMESPACE) && iri !== NAMESPACE),
    );
    expect(terms).to.have.property("size").that.is.greaterThan(20);
    expect([...terms]).to.have.members(Object.values(fh));
    for (const term of terms) {
      const languagesOf = (predicate: string): string[] =>
        quads
          .filter(({ subject, predicate: said }) => subject.value === term && said.value.endsWith(predicate))
          .map(({ object }) => (object.termType === "Literal" ? object.language : ""));
      expect(languagesOf("#label"), term).to.have.members(["en", "de"]);
      expect(languagesOf("#definition"), term).to.have.members(["en"]);
      expect(languagesOf("#example"), term).to.have.members(["en"]);
    }
  });
});
