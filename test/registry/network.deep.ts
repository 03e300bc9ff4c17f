/**
 * The life of a passport in a network of processes: a root, two zones, three witnesses, a mirror, two pod servers and a vendor,
 * each run by its commands in a process and a folder of its own, under one clock. Long, for each step stands on the one before.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { importRecoveryFile } from "../../client-lib/registry/index.ts";
import { type Network, startNetwork } from "./network/network.ts";
import type { Member } from "./network/processes.ts";
import type { VendorAnswer } from "./network/vendor.ts";

const PATIENCE_MS = 90_000; // For what timers of other processes bring.

describe("the life of a passport in a network of processes", function () {
  this.timeout(600_000);
  this.bail(true);
  let net: Network;
  let vendor: Member;
  let asked = 0;
  let ana: string;
  let oldPod: string;
  let newPod: string;

  const file = (name: string): string => net.path(`${name}.recovery.json`);
  const keysOf = async (name: string) => {
    const { readFile } = await import("node:fs/promises");
    return importRecoveryFile(await readFile(file(name), "utf8"));
  };

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
    for (const [name, member] of net.members)
      process.stdout.write(`--- ${name}\n${member.out().slice(-1_500)}\n`);
  });
  after(() => net?.stop());

  it("creates a passport with a pod, by the commands of its owner", async () => {
    ana = await create("alpen", "Ana");
    expect(ana.slice(0, 4)).to.equal("dpch");
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
    const rotated = net.processes.start("rotate", [
      "passport",
      "rotate",
      file("Ana"),
      "--folder",
      net.path("owner"),
    ]);
    await pause(3_000);
    // Nothing that the quorum has not signed is shown to anybody.
    expect(await ask(ana, net.urls.ch)).to.deep.include({ found: newPod, aseq: 2 });
    await Promise.all([net.start("w1"), net.start("w2")]);
    await eventually(
      () => ask(ana, net.urls.ch),
      ({ aseq }) => aseq === 3,
    );
    await rotated.kill("SIGTERM");
    await passport("resume", file("Ana"));
    expect((await keysOf("Ana")).file.aseq).to.equal(3);
  });
});
