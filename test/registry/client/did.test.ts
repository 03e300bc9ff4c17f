/** `did:dcann` for programs that resolve DIDs of every method. */
import { createMemory, getResolver, type ResolveOptions } from "@freehold/client";
import { expect } from "chai";
import { Resolver } from "did-resolver";
import { type Holder, holder } from "./people.ts";
import { closeServers, type Serving, serveZone } from "./serving.ts";

const NOON = Date.UTC(2026, 5, 1, 12);

describe("did:dcann as a method of did-resolver", () => {
  let serving: Serving;
  let ana: Holder;
  const options = (): ResolveOptions => ({
    resolvers: [serving.baseUrl],
    memory: createMemory(),
    now: () => NOON,
  });

  beforeEach(async () => {
    serving = await serveZone(() => NOON);
    ana = await holder("ana");
    await serving.zone.put(ana.id, ana.head);
    await serving.zone.publish();
  });
  afterEach(closeServers);

  const resolver = () => new Resolver({ ...getResolver(options()) });

  it("gives the DID document of a passport", async () => {
    const did = `did:dcann:${ana.id}`;
    const found = await resolver().resolve(did);
    expect(found.didResolutionMetadata).to.deep.equal({ contentType: "application/did" });
    expect(found.didDocument).to.deep.include({
      id: did,
      alsoKnownAs: ["https://pods.example.org/ana/profile/card#me"],
      authentication: [`${did}#sign`],
    });
    expect(found.didDocument?.service?.[0]?.serviceEndpoint).to.equal("https://pods.example.org/ana/");
    expect(found.didDocumentMetadata).to.deep.equal({ versionId: "0.1", canonicalId: did });
  });

  it("says in the words of that library what cannot be given", async () => {
    const errorOf = async (did: string, accept?: string): Promise<string | undefined> =>
      (await resolver().resolve(did, accept === undefined ? {} : { accept })).didResolutionMetadata.error;
    const did = `did:dcann:${ana.id}`;
    expect(await errorOf(`${did.slice(0, -1)}${did.endsWith("q") ? "p" : "q"}`)).to.equal("invalidDid");
    expect(await errorOf(`did:dcann:${(await holder("nobody")).id}`)).to.equal("notFound");
    expect(await errorOf(did, "application/xml")).to.equal("representationNotSupported");
    expect(await errorOf(`${did}?versionId=0`)).to.equal("featureNotSupported");
    expect(await errorOf("did:plc:abc")).to.equal("unsupportedDidMethod");
    serving.spoil = (path, answer) =>
      path.startsWith("/v1/passports") ? { status: 200, body: "{}" } : answer;
    expect(await errorOf(did)).to.equal("invalidDidDocument");
    serving.spoil = (_, answer) => ({ ...answer, status: 503 });
    expect(await errorOf(did)).to.equal("internalError");
  });
});
