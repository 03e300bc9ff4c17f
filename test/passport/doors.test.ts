import { expect } from "chai";
import { didOf, rotatePassport, verifyBundle } from "../../client-lib/passport/index.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { bench, closeBenches } from "./desk.ts";
import { GOLDEN_ID } from "./golden.ts";
import { HOST, key } from "./people.ts";

after(closeBenches);

const JSON_TYPE = { "content-type": "application/json" };

describe("GET /v1/identifiers/:did", () => {
  it("shows the DID document of the design", async () => {
    const { open, ask } = await bench();
    const { id, webid, keys } = await open("ana");
    const did = didOf(id);
    const answer = await ask("get", `/v1/identifiers/${did}`);
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.include({
      "content-type": "application/did",
      "access-control-allow-origin": "*",
    });
    expect(JSON.parse(answer.text)).to.deep.equal({
      "@context": ["https://www.w3.org/ns/did/v1.1"],
      id: did,
      alsoKnownAs: [webid],
      verificationMethod: [
        { id: `${did}#sign`, type: "Multikey", controller: did, publicKeyMultibase: keys.authority[0]?.key },
      ],
      authentication: [`${did}#sign`],
      assertionMethod: [`${did}#sign`],
      service: [
        {
          id: `${did}#pod`,
          type: ["SolidStorage", "https://www.w3.org/ns/lws#Storage"],
          serviceEndpoint: `${HOST}/ana/`,
        },
        { id: `${did}#oidc`, type: "https://www.w3.org/ns/lws#OpenIdProvider", serviceEndpoint: `${HOST}/` },
      ],
    });
  });

  const renderings: readonly (readonly [string, string])[] = [
    ["application/did", "application/did"],
    ["application/did+ld+json", "application/did+ld+json"],
    ["application/ld+json;q=0.9, text/turtle;q=0.1", "application/ld+json"],
    ["application/did-resolution", "application/did-resolution"],
    ["text/turtle", "text/turtle"],
    ["*/*", "application/did"],
  ];
  for (const [accept, type] of renderings) {
    it(`answers ${accept} with ${type}`, async () => {
      const { open, ask } = await bench();
      const { id } = await open("ana");
      const answer = await ask("get", `/v1/identifiers/${didOf(id)}`, { headers: { accept } });
      expect([answer.status, answer.headers["content-type"]]).to.deep.equal([200, type]);
    });
  }

  it("says the same in Turtle, with what Solid applications look for", async () => {
    const { open, ask } = await bench();
    const { id } = await open("ana");
    const { text } = await ask("get", `/v1/identifiers/${didOf(id)}`, { headers: { accept: "text/turtle" } });
    const quads = await parseRdf(new TextEncoder().encode(text), "text/turtle", `${HOST}/`);
    const said = quads.map(
      ({ subject, predicate, object }) => `${subject.value} ${predicate.value} ${object.value}`,
    );
    expect(said).to.include(`${didOf(id)} http://www.w3.org/ns/pim/space#storage ${HOST}/ana/`);
    expect(said).to.include(`${didOf(id)} http://www.w3.org/ns/solid/terms#oidcIssuer ${HOST}/`);
    expect(said).to.include(`${didOf(id)} https://w3id.org/security#authenticationMethod ${didOf(id)}#sign`);
  });

  it("wraps the document in a resolution result for resolvers", async () => {
    const { open, ask } = await bench();
    const { id } = await open("ana");
    const { text } = await ask("get", `/v1/identifiers/${didOf(id).replace(id, id.toUpperCase())}`, {
      headers: { accept: "application/did-resolution" },
    });
    const result = JSON.parse(text);
    expect(result.didDocument.id).to.equal(didOf(id));
    expect(result.didResolutionMetadata).to.deep.equal({ contentType: "application/did" });
    expect(result.didDocumentMetadata).to.deep.equal({
      versionId: "0.1",
      canonicalId: didOf(id),
      created: "2026-03-01T12:00:00Z",
      updated: "2026-03-01T12:00:00Z",
    });
  });

  it("answers 304 to who has this state already, and 200 after a change", async () => {
    const { open, ask, registry } = await bench();
    const { id, webid } = await open("ana");
    const first = await ask("get", `/v1/identifiers/${didOf(id)}`);
    const headers = { "if-none-match": String(first.headers["etag"]) };
    expect(first.headers["cache-control"]).to.contain("max-age=60");
    expect(await ask("get", `/v1/identifiers/${didOf(id)}`, { headers })).to.deep.include({
      status: 304,
      text: "",
    });
    expect(
      (await ask("get", `/v1/identifiers/${didOf(id)}`, { headers: { ...headers, accept: "text/turtle" } }))
        .status,
    ).to.equal(200);
    await registry.publish("ana", { webid: [webid], storage: `${HOST}/ana-2/` });
    expect((await ask("get", `/v1/identifiers/${didOf(id)}`, { headers })).status).to.equal(200);
  });

  it("shows an empty document between two hosts, never the place of the host that was left", async () => {
    const { open, ask, registry, state, now } = await bench();
    const ana = await open("ana");
    const { rotateOp } = await rotatePassport(await state(ana.id), ana.keys, now(), {
      delegateKey: (await key("new host")).key,
    });
    await registry.submit(rotateOp);
    const { text } = await ask("get", `/v1/identifiers/${didOf(ana.id)}`);
    expect(JSON.parse(text)).to.deep.equal({
      "@context": ["https://www.w3.org/ns/did/v1.1"],
      id: didOf(ana.id),
    });
  });

  const refusals: readonly (readonly [string, string, number, string])[] = [
    ["a mistyped identifier", didOf(GOLDEN_ID).replace("j280", "j28q"), 400, "INVALID_DID"],
    ["an identifier without did:dcann:", GOLDEN_ID, 400, "INVALID_DID"],
    ["a DID of another method", "did:web:example.org", 501, "METHOD_NOT_SUPPORTED"],
    ["a passport nobody opened here", didOf(GOLDEN_ID), 404, "NOT_FOUND"],
    ["a former state", `${didOf(GOLDEN_ID)}?versionTime=2026-01-01T00:00:00Z`, 501, "FEATURE_NOT_SUPPORTED"],
  ];
  for (const [name, did, status, error] of refusals) {
    it(`refuses ${name} in the words of DIDs and of RDAP`, async () => {
      const { ask } = await bench();
      const answer = await ask("get", `/v1/identifiers/${did}`);
      const body = JSON.parse(answer.text);
      expect([answer.status, body.type, body.errorCode]).to.deep.equal([
        status,
        `https://www.w3.org/ns/did#${error}`,
        status,
      ]);
      expect(body.rdapConformance).to.include("dcann_0");
      expect(answer.headers).to.include({ "access-control-allow-origin": "*" });
      const whole = await ask("get", `/v1/identifiers/${did}`, {
        headers: { accept: "application/did-resolution" },
      });
      expect([whole.status, JSON.parse(whole.text).didResolutionMetadata.error.type]).to.deep.equal([
        status,
        body.type,
      ]);
    });
  }

  it("hints at the place of a typing error, and corrects nothing", async () => {
    const { open, ask } = await bench();
    const { id } = await open("ana");
    const typo = `${id.slice(0, 30)}${id[30] === "q" ? "p" : "q"}${id.slice(31)}`;
    const { text } = await ask("get", `/v1/identifiers/did:dcann:${typo}`);
    expect(JSON.parse(text).hint).to.equal("checksum: character 31?");
    expect(text).to.not.contain(id);
  });

  it("refuses a format it does not have", async () => {
    const { open, ask } = await bench();
    const { id } = await open("ana");
    expect(
      (await ask("get", `/v1/identifiers/${didOf(id)}`, { headers: { accept: "image/png" } })).status,
    ).to.equal(406);
  });
});

describe("GET /v1/passports/:id", () => {
  it("gives the bundle that verifies", async () => {
    const { open, ask } = await bench();
    const { id, webid } = await open("ana");
    const answer = await ask("get", `/v1/passports/${id}`);
    expect((await verifyBundle(answer.text, id)).data?.webid).to.deep.equal([webid]);
    expect(
      (
        await ask("get", `/v1/passports/${id}`, {
          headers: { "if-none-match": String(answer.headers["etag"]) },
        })
      ).status,
    ).to.equal(304);
    expect((await ask("get", `/v1/passports/${GOLDEN_ID}`)).status).to.equal(404);
    expect((await ask("get", "/v1/passports/ana")).status).to.equal(400);
  });
});

describe("POST /v1/resolve", () => {
  it("answers each identifier on its own line, in order, with a status of its own", async () => {
    const { open, ask } = await bench();
    const [ana, bea] = [await open("ana"), await open("bea")];
    const ids = [bea.id, "nonsense", GOLDEN_ID, didOf(ana.id), bea.id];
    const answer = await ask("post", "/v1/resolve", { headers: JSON_TYPE, body: JSON.stringify({ ids }) });
    const [first, ...lines] = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(Object.keys(first.epochs), "what all lines are proved by").to.deep.equal(["zz"]);
    expect(answer.headers["content-type"]).to.equal("application/x-ndjson");
    expect(lines.map(({ id }) => id)).to.deep.equal([bea.id, "nonsense", GOLDEN_ID, ana.id, bea.id]);
    expect(lines.map(({ status }) => status)).to.deep.equal([200, 400, 404, 200, 200]);
    const { id, head } = lines[3];
    expect((await verifyBundle({ id, head }, ana.id)).data?.webid).to.deep.equal([ana.webid]);
  });

  it("takes 1,000 identifiers and not one more", async () => {
    const { open, ask } = await bench();
    const { id } = await open("ana");
    const many = async (count: number) =>
      ask("post", "/v1/resolve", {
        headers: JSON_TYPE,
        body: JSON.stringify({ ids: Array(count).fill(didOf(id)) }),
      });
    expect((await many(1_000)).text.trimEnd().split("\n")).to.have.length(1 + 1_000);
    expect((await many(1_001)).status).to.equal(400);
    expect((await many(5_000)).status).to.equal(413);
  });

  const bad: readonly (readonly [string, string, Record<string, string>, number])[] = [
    ["no list", '{"ids":"x"}', JSON_TYPE, 400],
    ["numbers", '{"ids":[1]}', JSON_TYPE, 400],
    ["a repeated name", '{"ids":[],"ids":[]}', JSON_TYPE, 400],
    ["no JSON", "ids", JSON_TYPE, 400],
    ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0x22]).toString("latin1"), JSON_TYPE, 400],
    ["a form", "ids=x", { "content-type": "application/x-www-form-urlencoded" }, 415],
  ];
  for (const [name, body, headers, status] of bad) {
    it(`refuses ${name}`, async () => {
      expect((await (await bench()).ask("post", "/v1/resolve", { headers, body })).status).to.equal(status);
    });
  }
});

describe("POST /v1/ops", () => {
  it("answers 201 with the new numbers, and 200 when it is sent again", async () => {
    const { open, ask, state, now } = await bench();
    const ana = await open("ana");
    const { rotateOp } = await rotatePassport(await state(ana.id), ana.keys, now());
    const send = () => ask("post", "/v1/ops", { headers: JSON_TYPE, body: JSON.stringify(rotateOp) });
    const first = await send();
    expect([first.status, first.headers["location"]]).to.deep.equal([201, `/v1/passports/${ana.id}`]);
    expect(JSON.parse(first.text)).to.include({ id: ana.id, aseq: 1, dseq: 1, state: "effective" });
    expect((await send()).status).to.equal(200);
  });

  it("names the rule that is broken, and the present numbers on a conflict", async () => {
    const { open, ask, registry, state, now } = await bench();
    const ana = await open("ana");
    const [one, two] = [
      await rotatePassport(await state(ana.id), ana.keys, now()),
      await rotatePassport(await state(ana.id), ana.keys, now()),
    ];
    await registry.submit(one.rotateOp);
    const late = await ask("post", "/v1/ops", { headers: JSON_TYPE, body: JSON.stringify(two.rotateOp) });
    expect(late.status).to.equal(409);
    expect(JSON.parse(late.text)).to.include({ rule: "seq", aseq: 1, dseq: 2 });
    const odd = await ask("post", "/v1/ops", {
      headers: JSON_TYPE,
      body: JSON.stringify({ ...two.rotateOp, op: { ...two.rotateOp.op, note: "" } }),
    });
    expect([odd.status, JSON.parse(odd.text).rule]).to.deep.equal([422, "fields"]);
  });

  it("refuses repeated names, and content beyond the limit before it is parsed", async () => {
    const { ask } = await bench();
    expect(
      (await ask("post", "/v1/ops", { headers: JSON_TYPE, body: '{"op":{},"op":{},"sigs":[]}' })).status,
    ).to.equal(400);
    expect((await ask("post", "/v1/ops", { headers: JSON_TYPE, body: " ".repeat(5_000) })).status).to.equal(
      413,
    );
  });
});

describe("GET /v1/help", () => {
  it("lists every rule as a sentence", async () => {
    const body = JSON.parse((await (await bench()).ask("get", "/v1/help")).text);
    expect(body.zones).to.deep.equal([{ name: "zz", shard: "zz/2026" }]);
    expect(body.rules.length).to.be.greaterThan(30);
    expect(JSON.stringify(body.rules)).to.contain("pre-rotation");
  });
});
