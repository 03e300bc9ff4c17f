/**
 * The whole way in real processes: two people's pods on two servers, and three vendors, each the reference application with
 * its own small database. An address is edited; two vendors are told within a second and read the new value, the third is
 * refused. Then consent is taken back, and both sides reckon. Whatever any vendor was sent is searched for what none may see.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request as forward } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import {
  accessGrants,
  accessRequests,
  decideRequest,
  openPod,
  type Pod,
  revokeGrant,
} from "@freehold/client";
import { login } from "@freehold/client/node";
import { expect } from "chai";
import { openBrowser, PASSWORD, tokenOf } from "../account/client.ts";
import { type Exit, freehold, type Program, quietPort, startProgram } from "../support/process.ts";

const CRM = fileURLToPath(import.meta.resolve("@freehold/client/examples/vendor-crm"));
const READY = /^ {2}data .*$/m;
const linkOf = (out: string): string => /https?:\S+#token=\S+/.exec(out)?.[0] ?? "";
/** What no vendor may ever be sent: in documents beside the one that is granted. */
const CANARIES = ["canary-diagnosis-7f3a", "canary-salary-81c2", "canary-neighbour-5d90"] as const;
const PLACE = "contacts/me.ttl";
const TOLD_MS_MAX = 1_000;

const addressAt = (street: string): string => `
  @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
  <#home> a vcard:Home ; vcard:street-address "${street}" ; vcard:postal-code "8001" ; vcard:locality "Zürich" ; vcard:country-name "CH" .`;

interface Account {
  readonly issuer: string;
  readonly pod: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A server in a process of its own. */
interface Host {
  readonly baseUrl: string;
  readonly data: string;
}

/** Stands between a vendor and the world, and keeps every byte that the vendor is sent. */
interface Tap {
  readonly port: number;
  /** As it came, one connection after the other. */
  sent(): string;
  close(): void;
}

/** A proxy, of which the vendors know nothing but its address. */
async function openTap(): Promise<Tap> {
  const connections: Buffer[][] = [];
  const keep = (source: Readable): void => {
    const parts: Buffer[] = [];
    connections.push(parts);
    source.on("data", (chunk: Buffer) => parts.push(chunk));
  };
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", headers, url = "" } = incoming;
    const away = forward(url, { method, headers }, (answer) => {
      keep(answer);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    away.on("error", () => outgoing.destroy());
    outgoing.on("close", () => away.destroy());
    incoming.pipe(away);
  });
  server.on("connect", ({ url = "" }: { readonly url?: string }, socket: Duplex, head: Buffer) => {
    const { hostname, port } = new URL(`http://${url}`);
    const away = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      away.write(head);
      keep(away);
      away.pipe(socket);
      socket.pipe(away);
    });
    for (const [one, other] of [
      [away, socket],
      [socket, away],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => connections.map((parts) => Buffer.concat(parts).toString("latin1")).join("\n"),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe("the whole way of a consent", function () {
  this.timeout(180_000);
  let folder: string;
  const programs: Program[] = [];
  const taps: Tap[] = [];
  const track = (program: Program): Program => {
    programs.push(program);
    return program;
  };

  async function host(name: string, port: string, allow: readonly string[]): Promise<Host> {
    const data = join(folder, name);
    const env = { FREEHOLD_EGRESS_ALLOW: allow.join(",") };
    const program = track(freehold(["start", "--port", port, "--data", data], env));
    await program.until(READY);
    return { baseUrl: `http://localhost:${port}/`, data };
  }

  /** Opens an account as the set-up page does, and connects a program as the page for programs does. */
  async function open({ baseUrl, data }: Host, name: string): Promise<Account> {
    const { out, err } = await freehold(["setup-link", "--data", data]).ended;
    expect(err).to.equal("");
    const browser = openBrowser({ baseUrl });
    const pod = name.toLowerCase();
    const account = { token: tokenOf(linkOf(out)), name, pod, password: PASSWORD, recoverySaved: true };
    expect((await browser.send("POST", "/.account/setup", account)).status).to.equal(200);
    const made = await browser.send("POST", "/.account/credentials", { name: "CRM", password: PASSWORD });
    const { id, secret } = made.body as { readonly id: string; readonly secret: string };
    return { issuer: baseUrl, pod: `${baseUrl}${pod}/`, clientId: id, clientSecret: secret };
  }
  const openAs = async ({ issuer, pod, clientId, clientSecret }: Account): Promise<Pod> =>
    openPod(pod, await login({ issuer, clientId, clientSecret }));

  interface Shop {
    readonly folder: string;
    readonly env: Readonly<Record<string, string>>;
    readonly tap: Tap;
  }
  const vendor = (shop: Shop, ...args: string[]): Promise<Exit> =>
    freehold(["vendor", ...args, "--folder", shop.folder], shop.env).ended;

  async function openShop(account: Account, name: string): Promise<Shop> {
    const tap = await openTap();
    taps.push(tap);
    const proxy = `http://127.0.0.1:${tap.port}`;
    const shop = {
      folder: join(folder, name),
      env: {
        SHOP_SECRET: account.clientSecret,
        NODE_USE_ENV_PROXY: "1",
        HTTP_PROXY: proxy,
        http_proxy: proxy,
        NO_PROXY: "",
        no_proxy: "",
      },
      tap,
    };
    const made = await vendor(shop, "init", account.issuer, account.clientId, "--secret-env", "SHOP_SECRET");
    expect(made.err + made.out, "init").to.match(/^webid {2}.*#me\nkey {4}.*#z6Mk/);
    return shop;
  }
  /** What the shop's own database says of a customer. */
  async function known(shop: Shop, pod: string): Promise<Readonly<Record<string, unknown>>> {
    const file = join(shop.folder, `customer ${encodeURIComponent(pod)}.json`);
    return JSON.parse(await readFile(file, "utf8")) as Readonly<Record<string, unknown>>;
  }
  const streetOf = async (shop: Shop, pod: string): Promise<unknown> =>
    ((await known(shop, pod))["address"] as { street?: string } | undefined)?.street;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-journey-"));
  });
  after(async () => {
    for (const program of programs) program.child.kill("SIGKILL");
    await Promise.all(programs.map(({ ended }) => ended));
    for (const tap of taps) tap.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("leads from a question to an address that stays true, to an end, and to books that agree", async () => {
    // Each server believes the other's people only if it may ask it.
    const ports = [await quietPort(), await quietPort()] as const;
    const origins = ports.map((port) => `http://localhost:${port}`);
    const [one, two] = await Promise.all([host("one", ports[0], origins), host("two", ports[1], origins)]);

    // Two people, each at home on a server, with more in their pods than anybody is to see.
    const [ana, ben] = await Promise.all([open(one, "Ana").then(openAs), open(two, "Ben").then(openAs)]);
    for (const pod of [ana, ben]) {
      await pod.writeFile(PLACE, addressAt("Old Lane 1"), "text/turtle");
      await pod.writeFile("health/visit.ttl", `<#it> <urn:x:is> "${CANARIES[0]}" .`, "text/turtle");
      await pod.writeFile("finance/pay.ttl", `<#it> <urn:x:is> "${CANARIES[1]}" .`, "text/turtle");
      await pod.writeFile("contacts/neighbour.ttl", `<#it> <urn:x:is> "${CANARIES[2]}" .`, "text/turtle");
    }

    // Three vendors, from both servers.
    const names = ["Parcel", "Paper", "Pest"] as const;
    const accounts = [await open(one, names[0]), await open(two, names[1]), await open(one, names[2])];
    const shops = await Promise.all(accounts.map((account, at) => openShop(account, `shop${at}`)));
    const [parcel, paper, pest] = shops as [Shop, Shop, Shop];

    // Each asks both people for the address.
    const pods = [ana, ben];
    const runs = shops.map((shop) =>
      pods.map(({ url }) => track(startProgram([CRM, shop.folder, url, PLACE], shop.env))),
    );
    await Promise.all(runs.flat().map((run) => run.until(/^asked /m)));

    // Both people say yes to two of them, and no to the third.
    for (const pod of pods) {
      const asked = await accessRequests(pod);
      expect(asked).to.have.length(3);
      for (const { id, document } of asked) {
        const isPest = JSON.stringify(document).includes("/pest/");
        await decideRequest(pod, id, { outcome: isPest ? "deny" : "grant" });
      }
    }
    const [granted, refused] = [runs.slice(0, 2).flat(), runs[2] ?? []];
    await Promise.all(granted.map((run) => run.until(/^address .*Old Lane 1[^]*^watching/m)));
    for (const run of refused) {
      const { code, out, err } = await run.ended;
      expect([code, err.split("\n")[0]]).to.deep.equal([4, "The person said no"]);
      expect(out).to.not.include("Lane");
    }

    // A person moves: two are told within a second and have read the new street; the third is refused.
    for (const [at, pod] of pods.entries()) {
      const street = `New Street ${at + 2}`;
      const told = granted
        .filter((_, place) => place % 2 === at)
        .map(async (run) => {
          await run.until(new RegExp(`^address .*${street}`, "m"));
          return Date.now();
        });
      await pod.writeFile(PLACE, addressAt(street), "text/turtle");
      const written = Date.now();
      for (const moment of await Promise.all(told)) expect(moment - written).to.be.below(TOLD_MS_MAX);
      for (const shop of [parcel, paper]) expect(await streetOf(shop, pod.url)).to.equal(street);
      const stranger = await login(accounts[2]!);
      const response = await stranger.fetch(pod.at(PLACE));
      expect(response.status).to.equal(403);
      expect(await response.text()).to.not.include(street);
      await stranger.logout();
    }

    // Ana takes it back from one: that one is told nothing any more, forgets, and is refused; the other goes on.
    const grants = await accessGrants(ana);
    const ofParcel = grants.find(({ document }) => JSON.stringify(document).includes("/parcel/"))!;
    await revokeGrant(ana, ofParcel.id);
    const sparql = "SELECT ?s { ?s ?p ?o }";
    const query = await vendor(parcel, "query", ofParcel.id, sparql);
    expect(query.code).to.equal(4);
    expect(query.out).to.equal("");
    await granted[0]!.until(/^ended /m);
    expect(await known(parcel, ana.url)).to.have.all.keys("ended");
    await ana.writeFile(PLACE, addressAt("Third Road 3"), "text/turtle");
    await granted[2]!.until(/^address .*Third Road 3/m);
    expect(granted[0]!.child.exitCode).to.equal(0);

    // Both sides have the same books: of the consent that ended, and of the one that goes on.
    const ofPaper = grants.find(({ document }) => JSON.stringify(document).includes("/paper/"))!;
    for (const [shop, { id }] of [
      [parcel, ofParcel],
      [paper, ofPaper],
    ] as const) {
      const { code, out, err } = await vendor(shop, "reconcile", id);
      expect([code, err], out).to.deep.equal([0, ""]);
      expect(out)
        .to.match(/^uses that both know {8}[1-9]/)
        .and.match(/signed by both {5}yes/);
    }
    const listed = await vendor(parcel, "receipts", ofParcel.id);
    expect(listed.out.trimEnd().split("\n")[1]).to.match(/consent .*\.end$/);

    // Of all that any vendor was ever sent, nothing is of anything that was not granted.
    for (const shop of shops) {
      const all = shop.tap.sent();
      expect(all.length, "what was sent went by here").to.be.above(1_000);
      expect(all, "nothing is hidden by how it is written").to.not.match(/^content-encoding:/im);
      for (const canary of CANARIES) expect(all).to.not.include(canary);
      if (shop !== pest)
        expect(all, "and can be read there").to.include("Old Lane 1").and.include("New Street 2");
      if (shop === pest) expect(all).to.not.match(/Old Lane|New Street|Third Road/);
      for (const hidden of ["health/", "finance/", "neighbour"]) expect(all).to.not.include(hidden);
    }
  });
});
