/** A pod server whose passports are registered in a registry elsewhere: two real servers, and one that lies. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  encodeBase64url,
  firstPolicy,
  hashOfRules,
  importRecoveryFile,
  type PassportId,
  type RegistrarRecord,
  rotatePassport,
} from "../../client-lib/registry/index.ts";
import { createPerson, type Person } from "../../server/cli/people.ts";
import { readRegistryConfig } from "../../server/cli/registry/config.ts";
import { type ServedRegistry, serveRegistry } from "../../server/cli/registry/serve.ts";
import { registrarTask } from "../../server/cli/tasks/registrar.ts";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { createRemoteLink } from "../../server/passport/remote.ts";
import { createSafeSend } from "../../server/safe-fetch.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { bench, closeBenches, refusal } from "./desk.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Lie {
  /** The registry's own address. */
  of: string;
  change: (text: string, path: string) => string;
}

/** Hands on what it is asked to the registry, and changes the answers as it is told. */
async function startLiar(lie: Lie): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "/";
      const init = {
        method: request.method ?? "GET",
        redirect: "manual" as const,
        headers: { "content-type": "application/json", accept: "application/json" },
        ...(request.method === "POST" && { body: Buffer.concat(chunks) }),
      };
      fetch(new URL(path, lie.of), init)
        .then(async (answer) => {
          const text = lie.change(await answer.text(), path);
          response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
        })
        .catch(() => response.destroy());
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("passports in a registry elsewhere", () => {
  const NAME = "zz.hosts";
  let folder: string;
  let registry: ServedRegistry;
  let liar: Server;
  const honest = (text: string): string => text;
  const lie: Lie = { of: "", change: honest };
  let pods: TestServer;
  let ana: Person;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-registry-"));
    const port = await freePort();
    liar = await startLiar(lie);
    const through = `http://127.0.0.1:${(liar.address() as AddressInfo).port}/`;
    const allow = [`http://localhost:${port}`];
    // Its root's record names the address by which others reach it, so all that is asked goes through the liar.
    const fields = { zone: "zz", operator: "Tests", port: 0, url: through, epochMs: 0, allow };
    const now = (): Date => new Date();
    registry = await serveRegistry(await readRegistryConfig(JSON.stringify(fields), folder), {
      now,
      log: createLog(() => {}, now, "error"),
      tickMs: 3_600_000,
    });
    lie.of = `http://127.0.0.1:${registry.port}/`;
    pods = await startServer({
      FREEHOLD_PORT: String(port),
      FREEHOLD_REGISTRY: through,
      FREEHOLD_ZONES: "zz",
      FREEHOLD_REGISTRAR: NAME,
      FREEHOLD_EGRESS_ALLOW: new URL(through).origin,
    });
  });
  after(async () => {
    await pods?.close();
    liar?.closeAllConnections();
    liar?.close();
    await registry?.close();
    await rm(folder, { recursive: true, force: true });
    await closeBenches();
  });
  afterEach(() => void (lie.change = honest));

  const open = (name: string): Promise<Person> =>
    createPerson(pods.context, { name, podName: name, password: `a long password of ${name}` });
  const storageOf = async (id: string): Promise<string | undefined> => {
    const bundle = await (await fetch(`${registry.baseUrl}v1/passports/${id}`)).json();
    return bundle.head.data?.op.storage[0]?.url;
  };

  it("are not opened before the registry has accredited this server, and no account is left behind", async () => {
    expect(await refusal(open("early"))).to.equal("operation-invalid sponsored");
    expect(await pods.context.identity.hosting.ofPod("early")).to.equal(null);
  });

  it("are opened with the entry that the operator hands in, and lead here", async () => {
    const args = ["Hosts of the tests", "mailto:hosts@example.org"];
    const { lines } = await registrarTask.run(pods.context, { args, flags: {}, secret: null }, () => {});
    const rules = encodeBase64url(await hashOfRules());
    await registry.book.add(
      firstPolicy([{ id: "engagement-1", url: "https://registry.example/policy", hash: rules }]),
    );
    const entry = JSON.parse(lines.join("\n")) as Omit<RegistrarRecord, "t">;
    await registry.book.add({ ...entry, t: "registrar" });
    ana = await open("ana");
    expect(await storageOf(ana.passport)).to.equal(ana.pod);
    expect(pods.context.registry, "a registry of its own").to.equal(null);
    expect((await fetch(`${pods.baseUrl}v1/help`)).status).to.equal(404);
  });

  it("go on leading here when their owner has new keys: the host says so as soon as it is asked", async () => {
    const known = await pods.context.identity.registry.find(ana.passport as PassportId);
    const { keys } = await importRecoveryFile(ana.recoveryFile);
    if (!known) throw new Error("No such passport");
    const { rotateOp } = await rotatePassport(known.state, keys, new Date());
    const sent = await fetch(`${registry.baseUrl}v1/ops`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rotateOp),
    });
    expect([sent.status, await storageOf(ana.passport)]).to.deep.equal([201, undefined]);
    expect((await fetch(`${pods.baseUrl}.well-known/dcann/${ana.passport}`)).status).to.equal(200);
    expect(await storageOf(ana.passport)).to.equal(ana.pod);
  });

  it("are not believed when an answer was changed on its way", async () => {
    const { registry: link } = pods.context.identity;
    const asked = link.find(ana.passport as PassportId);
    expect((await asked)?.data?.op.storage[0]?.url).to.equal(ana.pod);
    const lies: readonly ((text: string) => string)[] = [
      (text) => text.replaceAll("/ana/", "/eve/"),
      (text) => text.replace(/"opening":"(.)/, (_all, first) => `"opening":"${first === "_" ? "-" : "_"}`),
      (text) => text.replace(/"data":\{.*?\]\},"|"data":\{.*\},"proof/, '"data":null,"'),
      () => '{"head":{}}',
      () => "",
    ];
    for (const [index, change] of lies.entries()) {
      lie.change = (text, path) => (path.startsWith("/v1/passports/") ? change(text) : text);
      expect(await refusal(link.find(ana.passport as PassportId)), `lie ${index}`).to.equal("unavailable");
    }
    lie.change = honest;
    expect((await link.find(ana.passport as PassportId))?.id).to.equal(ana.passport);
  });

  it("are not believed by another root's word than the one that was believed first, not even after a restart", async () => {
    const { registry: link } = pods.context.identity;
    const { store, now } = pods.context;
    const again = createRemoteLink({
      store,
      now,
      zones: ["zz"],
      registrar: NAME,
      allowUrl: () => true,
      registry: pods.context.config.registry,
      send: createSafeSend({
        egressAllow: pods.context.config.egressAllow,
        limits: LIMITS,
        log: createLog(() => {}, now, "error"),
      }),
    });
    const other = await bench();
    lie.change = (text, path) => (path.startsWith("/v1/zones") ? JSON.stringify(other.own.root()) : text);
    // What is pinned still holds, so the true answer is believed and nothing else.
    expect((await link.find(ana.passport as PassportId))?.id).to.equal(ana.passport);
    const foreign = await other.open("ana");
    const bundle = JSON.stringify(await other.own.bundle(foreign.id));
    lie.change = (text, path) =>
      path.startsWith("/v1/zones")
        ? JSON.stringify(other.own.root())
        : path.startsWith("/v1/passports/")
          ? bundle
          : text;
    expect(await refusal(link.find(foreign.id))).to.equal("unavailable");
    expect(await refusal(again.find(foreign.id))).to.equal("unavailable");
  });

  it("are not opened while the registry does not answer", async () => {
    await registry.close();
    expect(await refusal(open("bea"))).to.equal("unavailable");
    expect(await pods.context.pods.find("bea"), "the name is free again").to.equal(null);
  });
});
