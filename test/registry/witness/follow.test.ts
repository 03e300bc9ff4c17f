/** A witness that follows a root: the logs of its zones, year by year, and nobody's that the root does not name. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import {
  allowLoopback,
  hashOfRootRecord,
  type RootRecord,
  type SignedRootRecord,
  signRootRecord,
} from "../../../client-lib/registry/index.ts";
import { createLogKeys } from "../../../server/registry/witness/follow.ts";
import type { LogKeys } from "../../../server/registry/witness/witness.ts";
import { key } from "../../passport/people.ts";
import { temporaryFolder } from "../../support/store.ts";
import { firstRecord, zoneNamed } from "../root-records.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe("a witness that follows a root", () => {
  let server: Server;
  let url: string;
  let folder: string;
  let own: Awaited<ReturnType<typeof temporaryFolder>>;
  let shown: readonly SignedRootRecord[] = [];
  let time = Date.UTC(2026, 10, 22);

  async function sign(
    zones: RootRecord["zones"],
    before: RootRecord | null,
    holder = "root-holder",
  ): Promise<SignedRootRecord> {
    const pair = await key(holder);
    const keys = { keys: [(await key("root-holder")).key], threshold: 1 };
    const record: RootRecord = {
      ...(await firstRecord(zones, keys)),
      version: (before?.version ?? 0) + 1,
      prev: before && (await hashOfRootRecord(before)),
    };
    if (holder === "root-holder") return signRootRecord({ record, sigs: [] }, before?.keys ?? null, [pair]);
    const own = { ...record, keys: { keys: [pair.key], threshold: 1 } };
    const { sigs } = await signRootRecord({ record: own, sigs: [] }, null, [pair]);
    return { record, sigs };
  }

  const open = (root: string | null = url): Promise<LogKeys> =>
    createLogKeys({
      logs: [],
      root,
      folder,
      fetch,
      now: () => new Date(time),
      log: quiet,
      allowUrl: allowLoopback,
    });
  const namesOf = async (keys: LogKeys, ...origins: readonly string[]) =>
    (await Promise.all(origins.map(keys))).flat().map(({ name }) => name);

  before(async () => {
    server = createServer((request, response) => {
      const version = new URL(request.url ?? "/", "http://root").searchParams.get("version");
      const found = version === null ? shown.at(-1) : shown[Number(version) - 1];
      response
        .writeHead(found ? 200 : 404, { "content-type": "application/json" })
        .end(JSON.stringify(found ?? {}));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  beforeEach(async () => {
    own = await temporaryFolder();
    folder = own.folder;
    shown = [
      await sign({ ch: await zoneNamed("ch"), za: await zoneNamed("za", { status: "delisted" }) }, null),
    ];
  });
  afterEach(() => own.remove());

  it("knows this year's logs of its zones and of the root, the ones beside, and no others", async () => {
    const keys = await open();
    const followed = [
      "log.ch.example/2025",
      "log.ch.example/2026",
      "log.ch.example/2027",
      "root.example/2026",
    ];
    expect(await namesOf(keys, ...followed)).to.deep.equal(followed);
    const others = [
      "log.ch.example/2024",
      "log.ch.example/2028",
      "log.ch.example",
      "log.ch.example/",
      "log.ch.example/02026",
      "log.ch.example/2026/",
      "log.ch.example/2026/2026",
      "log.chx.example/2026",
      "log.za.example/2026",
    ];
    expect(await namesOf(keys, ...others)).to.deep.equal([]);
  });

  it("follows the record as it goes on, and believes none that does not follow", async () => {
    const keys = await open();
    const [first] = shown;
    const zones = { ch: await zoneNamed("ch", { status: "failed" }), zz: await zoneNamed("zz") };
    shown = [...shown, await sign(zones, first?.record ?? null, "somebody-else")];
    time += 3_600_000;
    expect(await namesOf(keys, "log.zz.example/2026")).to.deep.equal([]);
    shown = [...shown.slice(0, 1), await sign(zones, first?.record ?? null)];
    time += 3_600_000;
    expect(await namesOf(keys, "log.zz.example/2026")).to.deep.equal(["log.zz.example/2026"]);
    expect(await namesOf(keys, "log.ch.example/2026")).to.deep.equal([]);
  });

  it("follows a zone that no root names by its origin and key", async () => {
    const zones = [(await zoneNamed("zz")).log];
    const options = { logs: [], zones, root: null, folder, fetch, now: () => new Date(time), log: quiet };
    const keys = await createLogKeys(options);
    expect(await namesOf(keys, "log.zz.example/2026")).to.deep.equal(["log.zz.example/2026"]);
    expect(await namesOf(keys, "log.zz.example/2030", "log.ch.example/2026")).to.deep.equal([]);
  });

  it("goes on with what it knew when the root is away, also after a restart", async () => {
    await open();
    shown = [];
    const keys = await open();
    expect(await namesOf(keys, "log.ch.example/2026")).to.deep.equal(["log.ch.example/2026"]);
  });
});
