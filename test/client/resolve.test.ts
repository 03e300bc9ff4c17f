import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { confirmsPassport, createMemory, grant, openPod, resolve } from "@freehold/client";
import { importRecoveryFile, type PassportId, rotatePassport, verifyBundle } from "@freehold/client/passport";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const PAYMENT = `
  @prefix fh: <https://w3id.org/freehold/ns#> . @prefix schema: <https://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
  <#it> a schema:MoneyTransfer ; schema:amount <#amount> ; fh:direction fh:debit ; fh:counterpartyName "Corner Bakery" ;
    fh:bookingDate "2026-03-02"^^xsd:date ; fh:valueDate "2026-03-03"^^xsd:date ; fh:accountRef "2957-4c0ffee0d15ea5e0" .
  <#amount> a schema:MonetaryAmount ; schema:value 12.40 ; schema:currency "CHF" .`;

describe("resolve", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  const liars: Server[] = [];

  /** A resolver that says what it likes. */
  async function liar(text: string, status = 200): Promise<string> {
    const lying = createServer((_, response) =>
      response.writeHead(status, { "content-type": "application/json" }).end(text),
    );
    liars.push(lying);
    await new Promise<void>((done) => lying.listen(0, "localhost", done));
    return `http://localhost:${(lying.address() as AddressInfo).port}/`;
  }
  const bundleOf = async (id: string): Promise<string> =>
    (await fetch(`${server.baseUrl}v1/passports/${id}`)).text();

  before(async () => {
    server = await startServer();
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
  });
  after(async () => {
    for (const lying of liars) lying.close();
    await server.close();
  });

  it("leads from a passport to pod, WebID and issuer", async () => {
    const found = await resolve(ana.passport, { resolvers: [server.baseUrl] });
    expect(found).to.include({
      pod: ana.pod,
      webid: ana.webid,
      oidc: server.baseUrl,
      did: `did:dcann:${ana.passport}`,
    });
  });

  it("holds both ways: the profile names the passport", async () => {
    const found = await resolve(ana.passport, { resolvers: [server.baseUrl] });
    expect(await confirmsPassport(ana.webid, found)).to.equal(true);
    expect(await confirmsPassport(shop.webid, found)).to.equal(false);
    expect(await confirmsPassport(shop.webid, { ...found, webids: [shop.webid] })).to.equal(false);
  });

  it("believes no resolver that changed the pod, and goes on to one that did not", async () => {
    const evil = await liar((await bundleOf(ana.passport)).replaceAll(ana.pod, "http://localhost:1/evil/"));
    const memory = createMemory();
    expect(await codeOf(resolve(ana.passport, { resolvers: [evil], memory }))).to.equal("passport-invalid");
    expect((await resolve(ana.passport, { resolvers: [evil, server.baseUrl], memory })).pod).to.equal(
      ana.pod,
    );
  });

  it("believes no resolver that answers with another person's passport", async () => {
    const evil = await liar(await bundleOf(shop.passport));
    expect(await codeOf(resolve(ana.passport, { resolvers: [evil] }))).to.equal("passport-invalid");
  });

  it("refuses an older state than it has seen", async () => {
    const { identity, config } = server.context;
    const dora = await createPerson(server.context, {
      name: "Dora",
      podName: "dora",
      password: "a long password of Dora",
    });
    const old = await liar(await bundleOf(dora.passport));
    const state = (
      await verifyBundle(await bundleOf(dora.passport), dora.passport as PassportId, { allowUrl: () => true })
    ).state;
    const { rotateOp } = await rotatePassport(
      state,
      (await importRecoveryFile(dora.recoveryFile)).keys,
      new Date(),
    );
    const sent = await fetch(`${config.baseUrl}v1/ops`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rotateOp),
    });
    expect([sent.status, (await identity.registry.find(state.id))?.bundle.head.auth.length]).to.deep.equal([
      201, 2,
    ]);

    const memory = createMemory();
    expect((await resolve(dora.passport, { resolvers: [old], memory })).pod).to.equal(dora.pod);
    expect(
      (await resolve(dora.passport, { resolvers: [config.baseUrl], memory })).passport.state.head.seq,
    ).to.equal(1);
    expect(await codeOf(resolve(dora.passport, { resolvers: [old], memory }))).to.equal("passport-invalid");
  });

  it("says what is wrong: typing error, unknown passport, no resolver, silence", async () => {
    expect(await codeOf(resolve(`${ana.passport.slice(0, -1)}b`, { resolvers: [server.baseUrl] }))).to.equal(
      "input-invalid",
    );
    expect(
      await codeOf(
        resolve("dpch1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgyxwc2vv", { resolvers: [server.baseUrl] }),
      ),
    ).to.equal("not-found");
    expect(await codeOf(resolve(ana.passport, { resolvers: [] }))).to.equal("input-invalid");
    expect(await codeOf(resolve(ana.passport, { resolvers: ["http://localhost:1/"] }))).to.equal(
      "unreachable",
    );
    expect(await codeOf(resolve(ana.passport, { resolvers: [await liar("{}")] }))).to.equal(
      "passport-invalid",
    );
  });

  describe("the vendor's script", () => {
    const run = async (
      secret: string,
      passport = ana.passport,
    ): Promise<{ code: number | null; out: string; err: string }> => {
      const script = new URL("../../client-lib/examples/vendor.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [
        "--no-warnings",
        script,
        server.baseUrl,
        shop.credentials.id,
        secret,
        server.baseUrl,
        passport,
      ]);
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
      return new Promise((done) => child.on("close", (code) => done({ code, out, err })));
    };

    it("is refused, then prints what was granted, and is refused again", async () => {
      const pod = await openPod(ana.pod, { fetch: ana.fetch });
      await pod.writeFile("finance/march.ttl", PAYMENT, "text/turtle");
      const before = await run(shop.credentials.secret);
      expect([before.code, before.out]).to.deep.equal([4, ""]);
      expect(before.err).to.contain("may read");

      await grant(pod, "finance/", { to: shop.webid, modes: ["read"] });
      const granted = await run(shop.credentials.secret);
      expect([granted.code, granted.err]).to.deep.equal([0, ""]);
      expect(granted.out).to.contain("Corner Bakery").and.contain("12.4").and.contain("CHF");
    });

    it("says why with a code of its own: wrong secret, wrong passport", async () => {
      const wrong = await run("no");
      expect([wrong.code, wrong.err]).to.satisfy(
        ([code, err]: [number, string]) => code === 2 && /refused/.test(err),
        JSON.stringify(wrong),
      );
      expect((await run(shop.credentials.secret, "dpzz1")).code).to.equal(1);
    });
  });
});
