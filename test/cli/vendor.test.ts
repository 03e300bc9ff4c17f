/** `freehold vendor …`, as whoever asks people for access types it: what it prints, what it refuses, and how it ends. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessRequests, decideRequest, openPod, type Pod, revokeGrant } from "@freehold/client";
import { expect } from "chai";
import { type Exit, freehold, type Program, quietPort } from "../support/process.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const PLACE = "contacts/me.ttl";
const STREET = "http://www.w3.org/2006/vcard/ns#street-address";
const addressAt = (street: string): string => `<#home> <${STREET}> "${street}" .`;

describe("freehold vendor", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let own: Pod;
  let folder: string;
  let hookPort: string;
  const programs: Program[] = [];

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Program => {
    const program = freehold(["vendor", ...args, "--folder", join(folder, "shop")], env);
    programs.push(program);
    return program;
  };
  const vendor = (...args: string[]): Promise<Exit> => run(args).ended;
  const valueOf = ({ out, err }: Exit, name: string): string =>
    new RegExp(`^${name} +(\\S+)$`, "m").exec(out)?.[1] ?? `${out}${err}`;
  // biome-ignore format: a command line
  const asking = [
    "--purpose", "DeliveryOfGoods", "--category", "PhysicalAddress", "--keep", "P30D",
    "--notice", "https://shop.example/privacy", "--benefit", "Parcels find you",
  ];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-vendor-"));
    hookPort = await quietPort();
    server = await startServer({ FREEHOLD_EGRESS_ALLOW: `http://127.0.0.1:${hookPort}` });
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    own = await openPod(ana.pod, { fetch: ana.fetch });
    await own.writeFile(PLACE, addressAt("Old Lane 1"), "text/turtle");
  });
  after(async () => {
    for (const { child } of programs) child.kill("SIGKILL");
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("needs to be made before it can ask", async () => {
    const { code, err } = await vendor("request", ana.pod, "--read", PLACE, ...asking);
    expect(code).to.equal(4);
    expect(err).to.match(
      /^There is no vendor in this folder.*\nWhat to do: Make one: freehold vendor init\n$/,
    );
  });

  it("is made once, with a key that only its owner can read, and whose other half is public", async () => {
    const env = { SECRET: shop.credentials.secret };
    const init = ["init", server.baseUrl, shop.credentials.id, "--secret-env", "SECRET"];
    const made = await run(init, env).ended;
    expect([made.code, made.err]).to.deep.equal([0, ""]);
    expect(valueOf(made, "webid")).to.equal(shop.webid);
    const key = valueOf(made, "key");
    expect(await (await fetch(shop.webid)).text()).to.include(key.split("#")[1]);
    const file = join(folder, "shop", "vendor.json");
    expect((await stat(file)).mode & 0o077, "nobody else").to.equal(0);
    expect(made.out).to.not.include(
      (JSON.parse(await readFile(file, "utf8")) as { key: { d: string } }).key.d,
    );
    const again = await run(init, env).ended;
    expect([again.code, again.err.split(":")[0]]).to.deep.equal([
      4,
      "There is a vendor in this folder already",
    ]);
  });

  it("asks, waits, queries, watches and reckons", async () => {
    const asked = await vendor("request", ana.pod, "--read", PLACE, ...asking);
    const request = valueOf(asked, "request");
    expect([asked.code, valueOf(asked, "state")], asked.err).to.deep.equal([0, "Pending"]);
    const [found] = await accessRequests(own);
    expect(found?.id).to.equal(request);
    expect(JSON.stringify(found?.document))
      .to.include("https://w3id.org/dpv#DeliveryOfGoods")
      .and.include("https://w3id.org/dpv/pd#PhysicalAddress")
      .and.include("P30D");

    const waiting = run(["wait", request]);
    await decideRequest(own, request, { outcome: "grant" });
    const waited = await waiting.ended;
    expect([waited.code, valueOf(waited, "state")], waited.err).to.deep.equal([0, "Granted"]);
    const grant = valueOf(waited, "grant");

    const answer = await vendor("query", grant, `SELECT ?street { ?home <${STREET}> ?street }`);
    expect([answer.code, answer.out]).to.deep.equal([0, '{"street":"Old Lane 1"}\n']);

    const watching = run(["watch", grant, PLACE]);
    await watching.until(/^Begin/m);
    await own.writeFile(PLACE, addressAt("New Street 2"), "text/turtle");
    expect(await watching.until(/^Update/m)).to.include(`Update  ${ana.pod}${PLACE}`);
    expect((await watching.stop()).code).to.equal(0);

    const hook = ["--webhook", `http://127.0.0.1:${hookPort}/told`, "--port", hookPort];
    const listening = run(["watch", grant, PLACE, ...hook]);
    await listening.until(/^Begin/m);
    await own.writeFile(PLACE, addressAt("Third Road 3"), "text/turtle");
    await listening.until(/^Update/m);
    expect((await listening.stop()).code).to.equal(0);

    const listed = await vendor("receipts", grant);
    expect(
      listed.out.trimEnd().split("\n"),
      "the consent, a query, and two times of listening",
    ).to.have.length(4);
    const books = await vendor("reconcile", grant);
    expect([books.code, books.err], books.out).to.deep.equal([0, ""]);

    const id = grant.split("/").at(-1)!;
    const theirs = await freehold(["grant", "reconcile", "ana", id, "--data", server.folder]).ended;
    expect([theirs.code, theirs.err], theirs.out).to.deep.equal([0, ""]);
    expect(theirs.out).to.match(/have a receipt +3\n.*journal +3\n.*signed by both +yes/);

    await rm(join(folder, "shop", "uses.jsonl"));
    const lost = await vendor("reconcile", grant);
    expect(lost.code, "the books do not agree any more").to.equal(1);
    expect(lost.out)
      .to.match(/^only the pod knows of .*\.1$/m)
      .and.match(/^only the pod knows of .*\.2$/m);

    await revokeGrant(own, grant);
    const refused = await vendor("query", grant, "ASK {}");
    expect([refused.code, refused.out]).to.deep.equal([4, ""]);
    expect(refused.err).to.match(/^You have no access to this/);
  });

  it("has a token for one grant that any program can send, and that opens nothing else", async () => {
    await own.writeFile("orders/one.ttl", addressAt("Shelf 1"), "text/turtle");
    const request = valueOf(
      await vendor("request", ana.pod, "--read", "orders/one.ttl", ...asking),
      "request",
    );
    const { grants } = await decideRequest(own, request, { outcome: "grant" });
    const { code, out, err } = await vendor("token", grants[0] ?? "");
    expect(code, err).to.equal(0);
    const [token = "", curl = ""] = out.split("\n");
    expect(curl).to.match(/^curl -H "Authorization: Bearer /);
    const statusAt = async (place: string): Promise<number> =>
      (await fetch(`${ana.pod}${place}`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await statusAt("orders/one.ttl"), await statusAt(PLACE)]).to.deep.equal([200, 403]);
    await revokeGrant(own, grants[0] ?? "");
    expect(await statusAt("orders/one.ttl")).to.equal(403);
    // What is printed is typed into a shell: nothing that a shell would run comes into it.
    const odd = await vendor("token", `${ana.pod}.consent/grants/$(id)`);
    expect([odd.code, odd.out]).to.deep.equal([4, ""]);
    expect(odd.err).to.match(/^This is no grant/);
  });

  it("ends with 1 when the answer is no", async () => {
    const asked = await vendor("request", ana.pod, "--read", "contacts/", ...asking);
    const request = valueOf(asked, "request");
    await decideRequest(own, request, { outcome: "deny" });
    const { code, out } = await vendor("wait", request);
    expect([code, out]).to.deep.equal([1, "state    Denied\n"]);
  });

  const mistakes: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["fly"], 2, /^There is no command vendor fly; there are init, request, wait/],
    [["wait"], 2, /^It is freehold vendor wait <request>/],
    [["wait", "x", "--loud"], 2, /Unknown option '--loud'/],
    [["query", "https://pods.example/ana/notes/1", "ASK {}"], 4, /^This is no request or grant/],
  ];
  for (const [args, code, reason] of mistakes)
    it(`freehold vendor ${args.join(" ")} is refused`, async () => {
      const ended = await vendor(...args);
      expect([ended.code, ended.out]).to.deep.equal([code, ""]);
      expect(ended.err).to.match(reason);
      expect(ended.err).to.not.match(/ {4}at /);
    });

  it("says what is missing in a request, before anything is sent", async () => {
    const { code, err } = await vendor("request", ana.pod, "--read", PLACE);
    expect(code).to.equal(4);
    expect(err).to.match(/--purpose/);
  });
});
