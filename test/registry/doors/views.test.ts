/** A passport as a WebID, as a way to its pod, and as registries of names show theirs. */
import { expect } from "chai";
import { erasePassport, rotatePassport } from "../../../client-lib/registry/index.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import { HOST, key, person } from "../../passport/people.ts";
import { type Known, startRegistry, type World } from "./world.ts";

const SPACE = "http://www.w3.org/ns/pim/space#storage";
const ISSUER = "http://www.w3.org/ns/solid/terms#oidcIssuer";
const SAME = "http://www.w3.org/2002/07/owl#sameAs";
const SEE = "http://www.w3.org/2000/01/rdf-schema#seeAlso";
const AGENT = "http://xmlns.com/foaf/0.1/Agent";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

describe("views of a passport", () => {
  let world: World;
  let ana: Known;
  const ask = (path: string, accept?: string) =>
    world.ask(path, { headers: accept === undefined ? {} : { accept } });

  before(async () => {
    world = await startRegistry();
    ana = await world.open("ana");
  });
  after(() => world.close());

  describe("GET /v1/id/:id", () => {
    for (const type of ["text/turtle", "application/ld+json"]) {
      it(`says in ${type} what Solid applications look for, of #me`, async () => {
        const { status, headers, bytes } = await ask(`/v1/id/${ana.id}`, type);
        expect([status, headers["content-type"], headers["vary"]]).to.deep.equal([200, type, "Accept"]);
        const document = `${world.served.baseUrl}v1/id/${ana.id}`;
        const quads = await parseRdf(new Uint8Array(bytes), type, document);
        const said = quads.map(({ subject, predicate, object }) => [
          subject.value,
          predicate.value,
          object.value,
        ]);
        expect(said).to.have.deep.members([
          [`${document}#me`, TYPE, AGENT],
          [`${document}#me`, SAME, ana.did],
          [`${document}#me`, SPACE, `${HOST}/ana/`],
          [`${document}#me`, ISSUER, `${HOST}/`],
          [`${document}#me`, SEE, `${HOST}/ana/profile/card`],
        ]);
      });
    }

    it("is a controlled identifier document, too, whose identifier is the WebID", async () => {
      const { headers, json } = await ask(`/v1/id/${ana.id}`, "application/cid");
      const document = `${world.served.baseUrl}v1/id/${ana.id}`;
      expect(headers["content-type"]).to.equal("application/cid");
      expect(json.id).to.equal(`${document}#me`);
      expect(json["@context"]).to.deep.equal([
        "https://www.w3.org/ns/cid/v1",
        "https://www.w3.org/ns/lws/v1",
      ]);
      expect(json.alsoKnownAs).to.deep.equal([ana.did, `${HOST}/ana/profile/card#me`]);
      expect(json.verificationMethod).to.deep.equal([
        {
          id: `${document}#sign`,
          type: "Multikey",
          controller: `${document}#me`,
          publicKeyMultibase: ana.keys.authority[0]?.key,
        },
      ]);
      expect(json.authentication).to.deep.equal([`${document}#sign`]);
      expect(json.service.map(({ type }: { type: unknown }) => [type].flat().at(-1))).to.deep.equal([
        "https://www.w3.org/ns/lws#Storage",
        "https://www.w3.org/ns/lws#OpenIdProvider",
      ]);
    });

    it("has an ETag for each rendering, and leads to the proof", async () => {
      const [turtle, cid] = [await ask(`/v1/id/${ana.id}`), await ask(`/v1/id/${ana.id}`, "application/cid")];
      expect(turtle.headers["etag"]).to.not.equal(cid.headers["etag"]);
      expect(turtle.headers["link"]).to.contain(`v1/passports/${ana.id}>; rel="describedby"`);
      const headers = { "if-none-match": turtle.headers["etag"] ?? "" };
      expect((await world.ask(`/v1/id/${ana.id}`, { headers })).status).to.equal(304);
      expect((await ask(`/v1/id/${ana.id}`, "image/png")).status).to.equal(406);
      expect((await ask("/v1/id/nobody")).status).to.equal(400);
      expect((await ask(`/v1/id/${(await person("nobody")).state.id}`)).status).to.equal(404);
    });
  });

  describe("GET /v1/id/:id/pod/…", () => {
    const place = (rest: string) => world.ask(`/v1/id/${ana.id}/pod/${rest}`);

    it("leads to wherever the pod is, with its query", async () => {
      for (const [rest, to] of [
        ["", `${HOST}/ana/`],
        ["health/2026.ttl", `${HOST}/ana/health/2026.ttl`],
        ["a%20b/%C3%A4?x=1&y=2", `${HOST}/ana/a%20b/%C3%A4?x=1&y=2`],
      ] as const) {
        const { status, headers, text } = await place(rest);
        expect([status, headers["location"], text]).to.deep.equal([307, to, ""]);
      }
    });

    it("keeps method and content: a write goes on to the pod", async () => {
      const answer = await world.ask(`/v1/id/${ana.id}/pod/a`, { method: "HEAD" });
      expect([answer.status, answer.headers["location"]]).to.deep.equal([307, `${HOST}/ana/a`]);
    });

    for (const rest of [
      "../bea/secret",
      "a/../../bea",
      "%2e%2e/bea",
      "..%2fbea",
      "%2E%2E%2Fbea",
      "a/%2e%2e/%2e%2e/bea",
      "..\\bea",
      "..%5cbea",
      "%252e%252e%252fbea",
    ]) {
      it(`does not lead out of it by ${rest}`, async () => {
        const { status, headers } = await place(rest);
        expect([status, headers["location"]]).to.deep.equal([400, undefined]);
      });
    }

    it("leads to no other host", async () => {
      for (const rest of [
        "//evil.example/",
        "/evil.example",
        "https://evil.example/",
        "@evil.example/",
        "\\evil.example",
      ]) {
        const { status, headers } = await place(rest);
        if (status === 307) expect(headers["location"], rest).to.match(new RegExp(`^${HOST}/ana/`));
        else expect(status, rest).to.equal(400);
      }
    });

    it("leads nowhere between two hosts", async () => {
      const bea = await world.open("bea");
      const other = (await key("new host")).key;
      const { rotateOp } = await rotatePassport(bea.state, bea.keys, new Date(world.now()), {
        delegateKey: other,
      });
      expect((await world.send(rotateOp)).status).to.equal(201);
      const { status, headers } = await world.ask(`/v1/id/${bea.id}/pod/a`);
      expect([status, headers["location"]]).to.deep.equal([404, undefined]);
      expect((await ask(`/v1/identifiers/${bea.did}`)).json).to.deep.equal({
        "@context": ["https://www.w3.org/ns/did/v1.1"],
        id: bea.did,
      });
      expect((await ask(`/v1/id/${bea.id}`)).text).to.not.contain(HOST);
    });
  });

  describe("GET /rdap/entity/:id", () => {
    it("shows status, events and registrar, and nothing of the person", async () => {
      const { status, headers, json, text } = await ask(`/rdap/entity/${ana.id}`);
      expect([status, headers["content-type"]]).to.deep.equal([200, "application/rdap+json"]);
      expect(json).to.deep.include({
        rdapConformance: ["rdap_level_0", "dcann_0"],
        objectClassName: "entity",
        handle: ana.id,
        status: ["active", "client transfer prohibited", "client delete prohibited"],
        entities: [{ objectClassName: "entity", handle: "local", roles: ["registrar"] }],
      });
      const events = json.events as readonly { readonly eventAction: string; readonly eventDate: string }[];
      expect(events.slice(0, 2)).to.deep.equal([
        { eventAction: "registration", eventDate: "2026-06-01T10:00:00Z" },
        { eventAction: "last changed", eventDate: "2026-06-01T10:00:00Z" },
      ]);
      expect(text).to.not.contain(HOST);
      expect(text).to.not.contain("z6Mk");
    });

    it("shows what waits, and what is at rest", async () => {
      const cleo = await world.open("cleo");
      expect((await world.send(await erasePassport(cleo.state, cleo.keys.authority))).status).to.equal(202);
      expect((await ask(`/rdap/entity/${cleo.id}`)).json.status).to.include("pending delete");
      const dora = await world.open("dora");
      expect((await world.deactivate(dora)).status).to.equal(201);
      expect((await ask(`/rdap/entity/${dora.id}`)).json.status).to.include("inactive");
    });

    it("refuses in the words of RDAP", async () => {
      const { state } = await person("nobody");
      const rdap = await ask(`/rdap/entity/${state.id}`, "application/rdap+json");
      expect([rdap.status, rdap.headers["content-type"]]).to.deep.equal([404, "application/rdap+json"]);
      expect(rdap.json).to.include({ errorCode: 404 }).and.have.property("description");
      expect(rdap.json.rdapConformance).to.include("rdap_level_0");
      expect((await ask("/rdap/entity/x")).json.errorCode).to.equal(400);
      expect((await ask(`/rdap/entity/${ana.id}`, "image/png")).status).to.equal(406);
    });
  });
});
