import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { askResolver, confirmsPassport, createMemory, resolve } from "@freehold/client";
import { importRecoveryFile, type PassportId, rotatePassport, verifyBundle } from "@freehold/client/passport";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

describe("resolve", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  const liars: Server[] = [];

  /** A resolver that says what it likes of passports, and shows the root's record as it is. */
  async function liar(text: string, status = 200): Promise<string> {
    const root = await (await fetch(`${server.baseUrl}v1/zones`)).text();
    const lying = createServer((request, response) =>
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(request.url?.startsWith("/v1/zones") ? root : text),
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
    expect(await codeOf(askResolver(evil, ana.passport as PassportId, { memory }))).to.equal(
      "passport-invalid",
    );
    expect((await resolve(ana.passport, { resolvers: [evil, server.baseUrl], memory })).pod).to.equal(
      ana.pod,
    );
  });

  it("believes no resolver that answers with another person's passport", async () => {
    const evil = await liar(await bundleOf(shop.passport));
    expect(await codeOf(askResolver(evil, ana.passport as PassportId))).to.equal("passport-invalid");
  });

  it("stops reading a resolver that never ends", async () => {
    let sent = 0;
    const endless = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = setInterval(() => {
        for (let chunk = 0; chunk < 8; chunk += 1) response.write(" ".repeat(65_536));
        sent += 8 * 65_536;
      }, 1);
      response.on("close", () => clearInterval(more));
      response.on("error", () => {});
    });
    liars.push(endless);
    await new Promise<void>((done) => endless.listen(0, "localhost", done));
    const resolvers = [`http://localhost:${(endless.address() as AddressInfo).port}/`];
    expect(await codeOf(resolve(ana.passport, { resolvers }))).to.equal("passport-invalid");
    expect(sent).to.be.below(64 * 1024 * 1024);
  }).timeout(5_000);

  it("remembers the newest state, in whatever order two answers come", async () => {
    const memory = createMemory();
    const id = ana.passport as PassportId;
    const newer = { aseq: 1, headHash: "b", dseq: 3, dataHash: "d" };
    await memory.set(id, newer);
    await memory.set(id, { aseq: 0, headHash: "a", dseq: 2, dataHash: "c" });
    await memory.set(id, { ...newer, dseq: 2 });
    expect(await memory.get(id)).to.deep.equal(newer);
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
    expect([sent.status, (await identity.registry.bundle(state.id))?.head.auth.length]).to.deep.equal([
      201, 2,
    ]);

    const memory = createMemory();
    expect((await resolve(dora.passport, { resolvers: [old], memory })).pod).to.equal(dora.pod);
    expect(
      (await resolve(dora.passport, { resolvers: [config.baseUrl], memory })).passport.state.head.seq,
    ).to.equal(1);
    expect(await codeOf(askResolver(old, dora.passport as PassportId, { memory }))).to.equal(
      "passport-invalid",
    );
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
    expect(await codeOf(askResolver(await liar("{}"), ana.passport as PassportId))).to.equal(
      "passport-invalid",
    );
  });
});
