/**
 * The HTTP binding of DID Resolution, case by case.
 * @see https://www.w3.org/TR/did-resolution/#bindings-https
 */
import { expect } from "chai";
import { type PassportError, parseStrictJson, verifyAnswer } from "../../../client-lib/registry/index.ts";
import { GOLDEN_ID } from "../../passport/golden.ts";
import { HOST, person } from "../../passport/people.ts";
import { type Known, startRegistry, type World } from "./world.ts";

const RESOLUTION = "application/did-resolution";
const DEREFERENCING = "application/did-url-dereferencing";
const errorOf = (name: string): string => `https://www.w3.org/ns/did#${name}`;
const encode = encodeURIComponent;

describe("DID Resolution over HTTP", () => {
  let world: World;
  let ana: Known;
  const ask = (did: string, accept?: string, headers: Record<string, string> = {}) =>
    world.ask(`/v1/identifiers/${did}`, { headers: { ...headers, ...(accept !== undefined && { accept }) } });

  before(async () => {
    world = await startRegistry();
    ana = await world.open("ana");
  });
  after(() => world.close());

  describe("a document that is there", () => {
    it("is answered with 200 and the whole result to who asks for that", async () => {
      const { status, headers, json } = await ask(ana.did, RESOLUTION);
      expect([status, headers["content-type"]]).to.deep.equal([200, RESOLUTION]);
      expect(json).to.have.all.keys("didDocument", "didResolutionMetadata", "didDocumentMetadata");
      expect(json.didDocument.id).to.equal(ana.did);
      expect(json.didResolutionMetadata).to.deep.equal({ contentType: "application/did" });
      expect(json.didDocumentMetadata).to.deep.equal({
        created: "2026-06-01T10:00:00Z",
        updated: "2026-06-01T10:00:00Z",
        versionId: "0.1",
        canonicalId: ana.did,
      });
    });

    it("shows keys and services, each with an absolute identifier", async () => {
      const { json } = await ask(ana.did);
      expect(json).to.deep.equal({
        "@context": ["https://www.w3.org/ns/did/v1.1"],
        id: ana.did,
        alsoKnownAs: [`${HOST}/ana/profile/card#me`],
        verificationMethod: [
          {
            id: `${ana.did}#sign`,
            type: "Multikey",
            controller: ana.did,
            publicKeyMultibase: ana.keys.authority[0]?.key,
          },
        ],
        authentication: [`${ana.did}#sign`],
        assertionMethod: [`${ana.did}#sign`],
        service: [
          {
            id: `${ana.did}#pod`,
            type: ["SolidStorage", "https://www.w3.org/ns/lws#Storage"],
            serviceEndpoint: `${HOST}/ana/`,
          },
          {
            id: `${ana.did}#oidc`,
            type: "https://www.w3.org/ns/lws#OpenIdProvider",
            serviceEndpoint: `${HOST}/`,
          },
        ],
      });
    });

    const types = [
      ["nothing in particular", undefined, "application/did"],
      ["everything", "*/*", "application/did"],
      ["a document", "application/did", "application/did"],
      ["the JSON of version 1.0", "application/did+json", "application/did+json"],
      ["the JSON-LD of version 1.0", "application/did+ld+json", "application/did+ld+json"],
      ["JSON-LD", "application/ld+json", "application/ld+json"],
      ["Turtle", "text/turtle", "text/turtle"],
      ["Turtle rather than JSON", "application/did;q=0.5, text/turtle", "text/turtle"],
      ["anything but Turtle", "text/turtle;q=0, */*;q=0.1", "application/did"],
    ] as const;
    for (const [wish, accept, type] of types) {
      it(`is shown as ${type} to who accepts ${wish}, and caches are told that it hangs on that`, async () => {
        const { status, headers, text } = await ask(ana.did, accept);
        expect([status, headers["content-type"], headers["vary"]]).to.deep.equal([200, type, "Accept"]);
        expect(text).to.contain(ana.did);
        expect(text).to.not.contain("didResolutionMetadata");
      });
    }

    it("is found by its percent-encoded DID, as clients must write it that have options", async () => {
      for (const options of ["", "?noCache=true", "?expandRelativeUrls=true", "?noCache=false"]) {
        const { status, json } = await ask(`${encode(ana.did)}${options}`, RESOLUTION);
        expect([status, json.didDocument?.id], options).to.deep.equal([200, ana.did]);
      }
    });

    it("is found by its DID in capitals, as a square code has it, under its one canonical name", async () => {
      const { json } = await ask(`did:dcann:${ana.id.toUpperCase()}`, RESOLUTION);
      expect(json.didDocument.id).to.equal(ana.did);
      expect(json.didDocumentMetadata.canonicalId).to.equal(ana.did);
    });

    it("may be asked for by POST, with the options as JSON", async () => {
      const post = (body: string, type = "application/json") =>
        world.ask(`/v1/identifiers/${ana.did}`, {
          method: "POST",
          headers: { accept: RESOLUTION, "content-type": type },
          body,
        });
      expect((await post('{"noCache":"true"}')).json.didDocument.id).to.equal(ana.did);
      expect((await post('{"versionId":"0.1"}')).status).to.equal(501);
      expect((await post('{"noCache":"a","noCache":"b"}')).status).to.equal(400);
      expect((await post("[]")).status).to.equal(400);
      expect((await post("a=b", "application/x-www-form-urlencoded")).status).to.equal(415);
      expect((await post(`{"noCache":"${"x".repeat(5_000)}"}`)).status).to.equal(413);
    });

    it("leads to its proof", async () => {
      const { headers } = await ask(ana.did);
      expect(headers["link"]).to.equal(
        `<${world.served.baseUrl}v1/passports/${ana.id}>; rel="describedby"; type="application/json"`,
      );
    });

    it("has one ETag for each rendering, and 304 for none but its own", async () => {
      const [did, turtle] = [await ask(ana.did), await ask(ana.did, "text/turtle")];
      const tag = did.headers["etag"] ?? "";
      expect(tag).to.not.equal(turtle.headers["etag"]);
      const same = await ask(ana.did, undefined, { "if-none-match": tag });
      expect([same.status, same.text, same.headers["etag"]]).to.deep.equal([304, "", tag]);
      expect(same.headers["vary"]).to.equal("Accept");
      expect((await ask(ana.did, "text/turtle", { "if-none-match": tag })).status).to.equal(200);
      expect((await ask(ana.did, undefined, { "if-none-match": `"x", W/${tag}` })).status).to.equal(304);
      expect((await ask(ana.did, undefined, { "if-none-match": `${tag.slice(0, -2)}"` })).status).to.equal(
        200,
      );
    });

    it("answers HEAD as GET, without content", async () => {
      const get = await ask(ana.did);
      const head = await world.ask(`/v1/identifiers/${ana.did}`, { method: "HEAD" });
      expect([head.status, head.text]).to.deep.equal([200, ""]);
      expect(head.headers["content-length"]).to.equal(get.headers["content-length"]);
      expect(head.headers["etag"]).to.equal(get.headers["etag"]);
    });
  });

  describe("errors", () => {
    const typo = (): string =>
      `did:dcann:${ana.id.slice(0, 30)}${ana.id[30] === "q" ? "p" : "q"}${ana.id.slice(31)}`;
    const cases: readonly (readonly [string, () => string, number, string])[] = [
      ["nothing at all", () => "", 400, "INVALID_DID"],
      ["what is no DID", () => "not-a-did", 400, "INVALID_DID"],
      ["a DID without an identifier", () => "did:example", 400, "INVALID_DID"],
      ["a DID with an empty identifier", () => "did:example:", 400, "INVALID_DID"],
      ["a method in capitals", () => `DID:dcann:${ana.id}`, 400, "INVALID_DID"],
      ["a passport without did:dcann:", () => ana.id, 400, "INVALID_DID"],
      ["a mistyped passport", typo, 400, "INVALID_DID"],
      ["mixed case", () => `${ana.did.slice(0, -1)}${ana.did.slice(-1).toUpperCase()}Q`, 400, "INVALID_DID"],
      ["letters that are no letters", () => encode("did:dcann:Привет"), 400, "INVALID_DID"],
      ["a letter of no width", () => encode(`${ana.did}\u200B`), 400, "INVALID_DID"],
      ["a zero byte", () => `${ana.did}%00`, 400, "INVALID_DID"],
      ["another method", () => "did:unsupported:123456789abcdefghi", 501, "METHOD_NOT_SUPPORTED"],
      ["did:web with a port", () => "did:web:example.org%3A3000:ana", 501, "METHOD_NOT_SUPPORTED"],
      [
        "a former version by time",
        () => `${ana.did}?versionTime=2026-01-01T00:00:00Z`,
        501,
        "FEATURE_NOT_SUPPORTED",
      ],
      ["a former version by number", () => `${encode(ana.did)}?versionId=0.0`, 501, "FEATURE_NOT_SUPPORTED"],
      [
        "an option nobody knows",
        () => `${encode(ana.did)}?transformKey=JsonWebKey`,
        501,
        "FEATURE_NOT_SUPPORTED",
      ],
      [
        "an option with a value that is none",
        () => `${encode(ana.did)}?noCache=perhaps`,
        400,
        "INVALID_OPTIONS",
      ],
      [
        "a passport whose zone was changed",
        () => `did:dcann:${GOLDEN_ID.replace(/^dp../, "dpzz")}`,
        400,
        "INVALID_DID",
      ],
      ["a passport of a zone nobody knows", () => `did:dcann:${GOLDEN_ID}`, 404, "NOT_FOUND"],
      ["a path within a passport", () => `${ana.did}/whois`, 404, "NOT_FOUND"],
    ];
    for (const [name, did, status, error] of cases) {
      it(`says ${error} (${status}) to ${name}, in the words of DIDs and of RDAP`, async () => {
        const whole = await ask(did(), RESOLUTION);
        expect([whole.status, whole.headers["content-type"]]).to.deep.equal([status, RESOLUTION]);
        expect(whole.json.didDocument).to.equal(null);
        expect(whole.json.didDocumentMetadata).to.deep.equal({});
        expect(whole.json.didResolutionMetadata.error).to.include({ type: errorOf(error), status });
        expect(whole.json.didResolutionMetadata.contentType).to.equal(RESOLUTION);
        const plain = await ask(did());
        expect([plain.status, plain.headers["content-type"]]).to.deep.equal([
          status,
          "application/problem+json",
        ]);
        expect(plain.json).to.include({ type: errorOf(error), errorCode: status, status });
        expect(plain.json.description).to.deep.equal([plain.json.detail]);
        expect(plain.json.rdapConformance).to.deep.equal(["rdap_level_0", "dcann_0"]);
        for (const { headers } of [whole, plain]) {
          expect(headers["cache-control"]).to.equal("no-store");
          expect(headers["vary"]).to.contain("Accept");
          expect(headers["access-control-allow-origin"]).to.equal("*");
        }
      });
    }

    it("proves that an absent passport is absent", async () => {
      const { state } = await person("nobody");
      const root = world.served.root.newest()?.record;
      const plain = await ask(`did:dcann:${state.id}`);
      expect([plain.status, plain.json.type]).to.deep.equal([404, errorOf("NOT_FOUND")]);
      const verified = await verifyAnswer(plain.text, state.id, root!, { now: world.now() });
      expect(verified.kind).to.equal("absent");
      const whole = await ask(`did:dcann:${state.id}`, RESOLUTION);
      const { absence, checkpoint } = whole.json.didResolutionMetadata;
      const again = await verifyAnswer({ id: state.id, absence, checkpoint }, state.id, root!, {
        now: world.now(),
      });
      expect(again.kind).to.equal("absent");
      const ofAna = await verifyAnswer({ id: ana.id, absence, checkpoint }, ana.id, root!, {
        now: world.now(),
      }).catch((error: PassportError) => error.rule);
      expect(ofAna).to.be.oneOf(["map-path", "map-root", "absence"]);
    });

    it("hints at the place of a typing error, and corrects nothing", async () => {
      const { json, text } = await ask(typo());
      expect(json.hint).to.equal("checksum: character 31?");
      expect(text).to.not.contain(ana.id);
    });

    it("says REPRESENTATION_NOT_SUPPORTED (406) to formats that it does not have", async () => {
      for (const accept of ["image/png", "application/x-unsupported-99999", "application/did;q=0"]) {
        const { status, json } = await ask(ana.did, accept);
        expect([status, json.type], accept).to.deep.equal([406, errorOf("REPRESENTATION_NOT_SUPPORTED")]);
      }
      expect((await ask(ana.did, "text/uri-list")).status).to.equal(406);
    });

    it("keeps its head with a header made to hurt", async () => {
      const { status } = await ask(ana.did, `${"a/b;q=0.".repeat(1_500)}, */*`);
      expect(status).to.be.oneOf([200, 406]);
      expect((await ask(`${ana.did}${"%23".repeat(2_000)}`)).status).to.be.oneOf([400, 404, 414]);
      expect((await ask("%E0%A4%A")).status).to.equal(400);
    });
  });

  describe("DID URLs", () => {
    it("lead to a key by its fragment", async () => {
      const { status, headers, json } = await ask(encode(`${ana.did}#sign`), DEREFERENCING);
      expect([status, headers["content-type"]]).to.deep.equal([200, DEREFERENCING]);
      expect(json.dereferencingMetadata.contentType).to.equal(headers["content-type"]);
      expect(json.contentStream).to.include({ id: `${ana.did}#sign`, type: "Multikey" });
      expect(json.contentMetadata).to.be.an("object");
      const bare = await ask(encode(`${ana.did}#sign`), "application/json");
      expect(bare.json)
        .to.include({ id: `${ana.did}#sign` })
        .and.not.have.property("dereferencingMetadata");
    });

    it("lead to the whole document without one", async () => {
      const { json } = await ask(ana.did, DEREFERENCING);
      expect(json.contentStream.id).to.equal(ana.did);
      expect(json.contentMetadata.canonicalId).to.equal(ana.did);
    });

    it("lead to a place in the pod with 303 and no content", async () => {
      const url = encode(`${ana.did}?service=pod&relativeRef=/health/2026.ttl?x=1`);
      for (const accept of ["text/uri-list", DEREFERENCING]) {
        const { status, headers, text } = await ask(url, accept);
        expect([status, text]).to.deep.equal([303, ""]);
        expect(headers["location"]).to.equal(`${HOST}/ana/health/2026.ttl?x=1`);
      }
    });

    it("are understood without encoding, too, and by a service's whole name or its type", async () => {
      const pod = encode(`${ana.did}#pod`);
      const spellings = [
        `${ana.did}?service=pod&relativeRef=/a`,
        `${ana.did}?service=%23pod&relativeRef=a`,
        `${ana.did}?service=${pod}&relativeRef=a`,
        `${ana.did}?serviceType=SolidStorage&relativeRef=a`,
      ];
      for (const spelling of spellings) {
        const { status, headers } = await ask(spelling, "text/uri-list");
        expect([status, headers["location"]], spelling).to.deep.equal([303, `${HOST}/ana/a`]);
      }
    });

    it("leave only the chosen service in a document", async () => {
      const { status, json } = await ask(`${ana.did}?service=oidc`, "application/did");
      expect([status, json.service.length, json.service[0].id]).to.deep.equal([200, 1, `${ana.did}#oidc`]);
      expect((await ask(ana.did, "text/turtle")).text).to.contain("space:storage <");
      const { text } = await ask(`${ana.did}?service=oidc`, "text/turtle");
      expect(text).to.contain("oidcIssuer").and.not.contain("space:storage <");
    });

    const escapes = [
      "../bea/secret",
      "/../bea/secret",
      "a/../../bea/secret",
      "%2e%2e/bea/secret",
      "..%2fbea%2fsecret",
      "%252e%252e%252fbea",
      "..\\bea\\secret",
      "a%5c..%5c..%5cbea",
      "a/%2E./%2e%2E/bea",
    ];
    for (const escape of escapes) {
      it(`do not lead out of the pod by ${escape}`, async () => {
        const url = `${encode(ana.did)}?service=pod&relativeRef=${encode(escape)}`;
        const { status, headers, json } = await ask(url, DEREFERENCING);
        expect([status, headers["location"]]).to.deep.equal([400, undefined]);
        expect(json.contentStream).to.equal(null);
        expect(json.dereferencingMetadata.error.type).to.equal(errorOf("INVALID_DID_URL"));
      });
    }

    it("lead to no other host, however they are written", async () => {
      for (const place of [
        "//evil.example/x",
        "https://evil.example/x",
        "\\\\evil.example",
        "javascript:alert(1)",
        "@evil.example",
      ]) {
        const { status, headers } = await ask(
          `${ana.did}?service=pod&relativeRef=${encode(place)}`,
          "text/uri-list",
        );
        if (status === 303) expect(headers["location"], place).to.match(new RegExp(`^${HOST}/ana/`));
        else expect(status).to.equal(400);
      }
    });

    it("of parts that are not there are NOT_FOUND", async () => {
      for (const url of [
        encode(`${ana.did}#nothing`),
        `${ana.did}?service=nothing`,
        `${ana.did}?service=did:dcann:other%23pod`,
      ]) {
        const { status, json } = await ask(url, DEREFERENCING);
        expect([status, json.dereferencingMetadata.error.type]).to.deep.equal([404, errorOf("NOT_FOUND")]);
      }
    });

    it("are no DIDs: who wants a resolution is told so", async () => {
      const { status, json } = await ask(encode(`${ana.did}#sign`), RESOLUTION);
      expect([status, json.didResolutionMetadata.error.type]).to.deep.equal([400, errorOf("INVALID_DID")]);
    });
  });

  describe("a passport that is at rest", () => {
    it("is answered with 410, and deactivated in its metadata", async () => {
      const bea = await world.open("bea");
      expect((await world.deactivate(bea)).status).to.equal(201);
      const whole = await ask(bea.did, RESOLUTION);
      expect(whole.status).to.equal(410);
      expect(whole.json.didDocument).to.equal(null);
      expect(whole.json.didResolutionMetadata).to.deep.equal({ contentType: RESOLUTION });
      expect(whole.json.didDocumentMetadata).to.include({ deactivated: true, canonicalId: bea.did });
      const plain = await ask(bea.did);
      expect([plain.status, plain.json.deactivated]).to.deep.equal([410, true]);
      expect((await ask(`${bea.did}?service=pod`, "text/uri-list")).status).to.equal(410);
      expect(plain.text).to.not.contain(HOST);
      const proof = await world.ask(`/v1/passports/${bea.id}`);
      expect(proof.status, "the bundle proves it").to.equal(200);
    });
  });

  it("writes JSON without traps", async () => {
    for (const did of [ana.did, "not-a-did"])
      expect(parseStrictJson((await ask(did, RESOLUTION)).text)).to.be.an("object");
  });
});
