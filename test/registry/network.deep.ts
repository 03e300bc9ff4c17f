/**
 * The life of a passport in a network of processes: a root, two zones, three witnesses, a mirror, two pod servers and a vendor,
 * each run by its commands in a process and a folder of its own, under one clock. Long, for each step stands on the one before.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { type Bundle, importRecoveryFile } from "../../client-lib/registry/index.ts";
import { type Network, startNetwork } from "./network/network.ts";
import type { Member } from "./network/processes.ts";
import type { VendorAnswer } from "./network/vendor.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PATIENCE_MS = 180_000; // For what timers of other processes bring, on a machine that has much else to do.
const EVENTS_SHOWN = 40; // Of each program, when a step fails.

describe("the life of a passport in a network of processes", function () {
  this.timeout(600_000);
  this.bail(true);
  let net: Network;
  let vendor: Member;
  let asked = 0;
  let ana: string;
  let ben: string;
  let oldPod: string;
  let newPod: string;

  const file = (name: string): string => net.path(`${name}.recovery.json`);
  const keysOf = async (name: string) => {
    const { readFile } = await import("node:fs/promises");
    return importRecoveryFile(await readFile(file(name), "utf8"));
  };

  /** What a program has printed, but for the requests that it answered. */
  const eventsOf = (member: Member): readonly string[] =>
    member
      .out()
      .split("\n")
      .filter((line) => line !== "" && !line.includes('"event":"request"'));

  /** What the vendor's program finds. */
  function ask(about: string, ...resolvers: readonly string[]): Promise<VendorAnswer> {
    const number = (asked += 1);
    return new Promise((done) => {
      vendor.child.on("message", function listen(message: VendorAnswer) {
        if (message.number !== number) return;
        vendor.child.off("message", listen);
        done(message);
      });
      vendor.child.send({ number, about, resolvers });
    });
  }

  /** Until it is so, for timers of other processes bring it. @throws with what was found last. */
  async function eventually<T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (isSo(found)) return found;
      if (performance.now() > end) throw new Error(`It did not come: ${JSON.stringify(found)}`);
      await pause(250);
    }
  }

  const statusOf = async (url: string): Promise<readonly [status: number, location: string | null]> => {
    const response = await fetch(url, { redirect: "manual" });
    await response.arrayBuffer();
    return [response.status, response.headers.get("location")];
  };

  /** How many operations of her keys are in force for Ana. */
  async function operationsIn(zone: "ch" | "za"): Promise<number> {
    const response = await fetch(`${net.urls[zone]}v1/passports/${ana}`);
    return ((await response.json()) as Bundle).head.auth.length;
  }

  /** Opens an account with a passport by the one-time link that a pod server prints. */
  async function create(pods: "alpen" | "karoo", name: string): Promise<string> {
    await writeFile(net.path("password"), "a long password for the network");
    const out = await net.run(["setup-link", "--data", net.path(pods)]);
    const link = /http\S+#token=\S+/.exec(out)?.[0] ?? "";
    const said = await net.run([
      "passport",
      "create",
      link,
      file(name),
      "--name",
      name,
      "--pod",
      name.toLowerCase(),
      "--password-file",
      net.path("password"),
      "--folder",
      net.path("owner"),
    ]);
    return /dp[a-z0-9]{2}1[a-z0-9]{48}/.exec(said)?.[0] ?? "";
  }

  const passport = (...args: readonly string[]): Promise<string> =>
    net.run(["passport", ...args, "--folder", net.path("owner")]);

  before(async () => {
    net = await startNetwork();
    const script = join(import.meta.dirname, "network", "vendor.ts");
    vendor = net.processes.start("vendor", [net.path("vendor")], script);
    await vendor.until(/ready/);
  });
  afterEach(function () {
    if (this.currentTest?.state !== "failed") return;
    for (const [name, member] of net?.members ?? [])
      process.stdout.write(`--- ${name}\n${eventsOf(member).slice(-EVENTS_SHOWN).join("\n")}\n`);
  });
  after(() => net?.stop());

  it("creates a passport with a pod, by the commands of its owner", async () => {
    ana = await create("alpen", "Ana");
    ben = await create("alpen", "Ben");
    expect([ana.slice(0, 4), ben.slice(0, 4)]).to.deep.equal(["dpch", "dpch"]);
    oldPod = `${net.urls.alpen}ana/`;
    expect(await passport("show", file("Ana"))).to.include(oldPod);
  });

  it("resolves it for a vendor who believes nobody: at the zone, at the mirror, and at a zone that it is not of", async () => {
    const found = await ask(ana, net.urls.ch);
    expect(found).to.deep.include({ found: oldPod, aseq: 0, zone: "ch" });
    const mirrored = await eventually(
      () => ask(ana, net.urls.mirror),
      (answer) => answer.found === oldPod,
    );
    expect(mirrored.aseq).to.equal(0);
    expect((await ask(ana, net.urls.za)).found).to.equal(oldPod); // The root's record says who answers for ch.
    expect((await ask(`${oldPod}profile/card`, net.urls.ch)).found).to.match(/^200 /);
  });

  it("rotates its keys, and remembers for everybody that it did", async () => {
    const before = await keysOf("Ana");
    await passport("rotate", file("Ana"));
    const after = await keysOf("Ana");
    expect(after.file.aseq).to.equal(1);
    expect(after.keys.authority.map(({ key }) => key)).to.deep.equal(before.keys.next.map(({ key }) => key));
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: oldPod, aseq: 1 });
  });

  it("moves its pod to another host, with links that go on", async () => {
    const link = /#token=(\S+)/.exec(await net.run(["setup-link", "--data", net.path("karoo")]))?.[1] ?? "";
    const opened = await fetch(`${net.urls.karoo}.account/setup`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: new URL(net.urls.karoo).origin },
      body: JSON.stringify({
        token: link,
        name: "Ana",
        pod: "ana-at-karoo",
        password: "a long password for the network",
        recoverySaved: true,
      }),
    });
    expect(opened.status, await opened.text()).to.be.within(200, 299);
    newPod = `${net.urls.karoo}ana-at-karoo/`;
    const host = await net.run(["passport-host", "--data", net.path("karoo")]);
    const delegate = /z6Mk\w{44}/.exec(host)?.[0] ?? "";
    await net.run(["export", "ana", net.path("ana.zip"), "--data", net.path("alpen")]);
    await passport("move", newPod, file("Ana"), "--delegate", delegate);
    await net.run(["arrive", "ana-at-karoo", ana, "--data", net.path("karoo")]);
    await net.run([
      "import",
      net.path("ana.zip"),
      "--pod",
      "ana-at-karoo",
      "--present",
      "keep",
      "--data",
      net.path("karoo"),
    ]);
    await net.run(["moved", "ana", newPod, "--data", net.path("alpen")]);
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: newPod, aseq: 2 });
    expect(await statusOf(`${oldPod}profile/card`)).to.deep.equal([308, `${newPod}profile/card`]);
    expect(await statusOf(`${net.urls.ch}v1/id/${ana}/pod/profile/card`)).to.deep.equal([
      307,
      `${newPod}profile/card`,
    ]);
  });

  it("keeps old links good when the old host is gone", async () => {
    await net.kill("alpen");
    const found = await ask(`${oldPod}profile/card`, net.urls.ch);
    expect(found.found).to.equal(`200 ${newPod}profile/card`);
  });

  it("waits for its witnesses when a partition has taken the quorum, and loses nothing", async () => {
    await Promise.all([net.kill("w1"), net.kill("w2")]);
    const zone = net.members.get("ch") as Member;
    const before = eventsOf(zone).length;
    const rotated = net.processes.start("rotate", [
      "passport",
      "rotate",
      file("Ana"),
      "--folder",
      net.path("owner"),
    ]);
    await eventually(
      async () => eventsOf(zone).slice(before).join("\n"),
      (events) => events.includes("registry.quorum"), // The operation is there, and waits.
    );
    // Nothing that the quorum has not signed is shown to anybody.
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: newPod, aseq: 2 });
    await Promise.all([net.start("w1"), net.start("w2")]);
    await eventually(
      () => operationsIn("ch"),
      (operations) => operations === 4,
    );
    await eventually(
      async () => rotated.child.exitCode,
      (code) => code !== null,
    );
    await passport("resume", file("Ana")); // It may have given up before the quorum stood.
    expect((await keysOf("Ana")).file.aseq).to.equal(3);
    // Then its host says within the hour where the pod is, or its owner at once.
    if (rotated.child.exitCode !== 0) await passport("move", newPod, file("Ana"));
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: newPod, aseq: 3 });
  });

  it("opens its lock after a month and three days, and goes to another zone, which the losing one cannot prevent", async () => {
    await net.processes.pass(31 * DAY_MS);
    await eventually(
      () => ask(ana, net.urls.ch), // Until the witnesses have signed anew, nobody believes what is a month old.
      ({ found }) => found === newPod,
    );
    await passport("unlock", file("Ana"), "--only", "port");
    await net.processes.pass(73 * HOUR_MS);
    await eventually(
      () => ask(ana, net.urls.ch),
      ({ aseq }) => aseq === 4,
    );
    await passport("resume", file("Ana"));
    await passport("port", "za", file("Ana"));
    await net.kill("ch"); // It is not there when it could say no.
    await net.processes.pass(5 * DAY_MS + HOUR_MS);
    await eventually(
      () => statusOf(`${net.urls.za}v1/passports/${ana}`),
      ([status]) => status === 200,
    );
    const found = await ask(ana, net.urls.za);
    expect(found).to.deep.include({ found: newPod, aseq: 5, zone: "za" });
  });

  it("is answered for by the mirror while its zone is down", async () => {
    expect(await statusOf(`${net.urls.ch}v1/help`).catch(() => "nobody")).to.equal("nobody");
    // What witnesses signed before the days that were let pass is too old for anybody; a day's silence is what a mirror covers.
    expect((await ask(ben, net.urls.mirror)).found).to.equal("passport-invalid");
    await net.start("ch");
    const benPod = `${net.urls.alpen}ben/`;
    await eventually(
      () => ask(ben, net.urls.ch),
      ({ found }) => found === benPod,
    );
    const checkpointAt = async (url: string): Promise<string> =>
      (await fetch(`${url}log/ch/${new Date(net.processes.now()).getUTCFullYear()}/checkpoint`)).text();
    await eventually(
      async () => [await checkpointAt(net.urls.ch), await checkpointAt(net.urls.mirror)] as const,
      ([own, mirrored]) => own === mirrored,
    );
    await net.kill("ch");
    expect((await ask(ben, net.urls.mirror)).found).to.equal(benPod);
    expect((await ask(ben, net.urls.ch, net.urls.mirror)).found).to.equal(benPod);
    await net.start("ch");
  });

  it("is answered by the zone that it left with where it is, and by what the root proves", async () => {
    const [status, location] = await eventually(
      () => statusOf(`${net.urls.ch}v1/passports/${ana}`),
      ([code]) => code === 307,
    );
    expect([status, location]).to.deep.equal([307, `${net.urls.za}v1/passports/${ana}`]);
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: newPod, zone: "za" });
  });

  it("comes back to an owner who has only guardians' keys left", async () => {
    const { file: all } = await keysOf("Ana");
    const guardians = { ...all, keys: all.keys.filter(({ role }) => role === "recovery") };
    await writeFile(file("guardians"), JSON.stringify(guardians));
    const said = await passport("recover", file("guardians"), "--registry", net.urls.za);
    expect(said).to.match(/wait/i);
    expect((await ask(ana, net.urls.za)).aseq).to.equal(5);
    await net.processes.pass(7 * DAY_MS + HOUR_MS);
    await eventually(
      () => operationsIn("za"),
      (operations) => operations === 7,
    );
    await passport("resume", file("guardians"), "--registry", net.urls.za);
    expect((await ask(ana, net.urls.za)).found).to.equal("pod-unknown"); // Nobody who spoke under the lost keys speaks any more.
    await passport("move", newPod, file("guardians"), "--registry", net.urls.za);
    expect(await ask(ana, net.urls.za)).to.deep.include({ found: newPod, aseq: 6 });
    expect((await keysOf("guardians")).keys.authority).to.have.length(1);
  });

  it("ends for ever after three days, and proves that it is gone", async () => {
    await passport("erase", file("guardians"), "--registry", net.urls.za);
    await net.processes.pass(73 * HOUR_MS);
    const gone = await eventually(
      () => statusOf(`${net.urls.za}v1/passports/${ana}`),
      ([status]) => status === 410,
    );
    expect(gone[0]).to.equal(410);
    expect((await ask(ana, net.urls.za)).found).to.equal("not-found");
    await net.processes.pass(31 * DAY_MS);
    await eventually(
      () => statusOf(`${net.urls.za}v1/passports/${ana}`),
      ([status]) => status === 404,
    );
    await eventually(
      () => ask(ana, net.urls.za), // Until the witnesses have signed anew.
      ({ found }) => found === "not-found",
    );
  });

  it("leaves public logs that hold from the first leaf to the last", async () => {
    // A month has just been let pass: until the witnesses have signed each log anew, none is believed.
    const audited = await eventually(
      () => net.run(["registry", "audit", net.urls.root, "--folder", net.path("auditor")]).catch(String),
      (said) => !said.includes("does not hold"),
    );
    for (const zone of ["ch", "za", "root"])
      expect(audited).to.match(new RegExp(`^${zone}/\\d{4}\\s+holds$`, "m"));
    expect(audited).to.not.include("ana");
  });
});
