/** Pod and passport name each other, and the host says so to whoever asks. */
import { expect } from "chai";
import {
  type DataOperation,
  didOf,
  hashOfOperation,
  importRecoveryFile,
  makeData,
  type PassportId,
  signOperation,
} from "../../client-lib/registry/index.ts";
import { createPerson } from "../../server/cli/people.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { GOLDEN_ID } from "./golden.ts";

describe("GET /.well-known/dcann/:id", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const ask = async (id: string) => {
    const response = await fetch(`${server.baseUrl}.well-known/dcann/${id}`);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const open = (name: string) =>
    createPerson(server.context, { name, podName: name, password: `a long password of ${name}` });

  /** As the passport's owner, not its host. */
  async function say(
    { passport, recoveryFile }: Awaited<ReturnType<typeof open>>,
    change: Partial<DataOperation>,
  ): Promise<number> {
    const { keys } = await importRecoveryFile(recoveryFile);
    const known = await server.context.identity.registry.find(passport as PassportId);
    if (!known?.data) throw new Error("No such passport");
    const { state, data } = known;
    const op = makeData({ ...data.op, dseq: state.dseq + 1, ...change });
    const sent = await fetch(`${server.baseUrl}v1/ops`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(await signOperation(op, state.head.auth, keys.authority)),
    });
    return sent.status;
  }

  it("shows the data record that leads here, its hash, and that passport and profile name each other", async () => {
    const ana = await open("ana");
    const { status, headers, body } = await ask(ana.passport);
    expect([status, headers.get("access-control-allow-origin"), headers.get("content-type")]).to.deep.equal([
      200,
      "*",
      "application/json",
    ]);
    expect(body.dataHash).to.equal(await hashOfOperation(body.data.op));
    expect(body.data.op.storage).to.deep.equal([{ id: "#pod", url: ana.pod }]);
    expect(body.link).to.deep.include({ webids: [ana.webid], isMutual: true });
    const profile = await (await fetch(ana.webid, { headers: { accept: "text/turtle" } })).text();
    expect(profile).to.contain(didOf(ana.passport as PassportId));
  });

  it("shows what the bundle in the registry has", async () => {
    const bea = await open("bea");
    const bundle = await (await fetch(`${server.baseUrl}v1/passports/${bea.passport}`)).json();
    expect((await ask(bea.passport)).body.data).to.deep.equal(bundle.head.data);
  });

  it("does not call a link mutual that only the passport claims", async () => {
    const [cleo, dan] = [await open("cleo"), await open("dan")];
    expect(await say(cleo, { webid: [cleo.webid, dan.webid] })).to.equal(201);
    const { body } = await ask(cleo.passport);
    expect(body.data.op.webid).to.deep.equal([cleo.webid, dan.webid]);
    expect(body.link).to.deep.include({ webids: [cleo.webid], isMutual: false });
  });

  it("looks again when the data record has changed", async () => {
    const [eva, finn] = [await open("eva"), await open("finn")];
    expect((await ask(eva.passport)).body.link.isMutual).to.equal(true);
    await say(eva, { webid: [finn.webid] });
    expect((await ask(eva.passport)).body.link).to.deep.include({ webids: [], isMutual: false });
    await say(eva, { webid: [eva.webid] });
    expect((await ask(eva.passport)).body.link).to.deep.include({ webids: [eva.webid], isMutual: true });
  });

  it("knows nothing of a passport that leads elsewhere", async () => {
    const gus = await open("gus");
    expect(await say(gus, { storage: [{ id: "#pod", url: "https://other.example/gus/" }] })).to.equal(201);
    const { status, body } = await ask(gus.passport);
    expect([status, JSON.stringify(body)]).to.satisfy(
      ([code, text]: [number, string]) => code === 404 && !text.includes("other.example"),
    );
  });

  it("knows nothing of a passport whose pod was erased, and neither does the registry of where it led", async () => {
    const hal = await open("hal");
    const pod = await server.context.pods.find("hal");
    if (!pod) throw new Error("No such pod");
    await server.context.ldp.erasure.erasePod(pod);
    expect((await ask(hal.passport)).status).to.equal(404);
    const text = await (await fetch(`${server.baseUrl}v1/passports/${hal.passport}`)).text();
    expect(JSON.parse(text).id).to.equal(hal.passport);
    expect(text).to.not.contain("/hal/");
  });

  it("refuses what is no identifier with the place of the mistake, and what is nobody's here", async () => {
    const wrong = await ask(`${GOLDEN_ID.slice(0, -1)}q`);
    expect([wrong.status, wrong.body.hint]).to.deep.equal([400, "checksum: character 53?"]);
    expect((await ask(GOLDEN_ID)).status).to.equal(404);
  });
});
