/** What a pod may hold, over HTTP: exact when many write at once, early, and told to nobody who may not know. */
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect } from "chai";
import { measureUsage } from "../../server/ldp/quota.ts";
import type { Pod } from "../../server/store/pods.ts";
import type { Usage } from "../../server/store/store.ts";
import { openBrowser } from "../account/client.ts";
import { type LetIn, letIn, signIn } from "../auth/app.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { setAccess } from "./people.ts";

const binary = { "content-type": "application/octet-stream" };

describe("The quota of a pod", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let pod: Pod;

  const url = (path: string): string => `${ana.pod}${path}`;
  const put = (who: Person, path: string, bytes: number, fill = 1): Promise<Response> =>
    who.fetch(url(path), { method: "PUT", headers: binary, body: new Uint8Array(bytes).fill(fill) });
  const usage = (): Promise<Usage> => server.context.store.usage(pod.id);
  const measured = (): Promise<Usage> => server.context.store.read(pod.id, measureUsage);
  async function quota(bytes: number, resources = 1_000): Promise<void> {
    pod = await server.context.pods.change("ana", { quota: { bytes, resources } });
  }
  /** The quota from now on: so much more than what there is. */
  async function leave(bytes: number, resources = 1_000): Promise<void> {
    const used = await usage();
    await quota(used.bytes + bytes, used.resources + resources);
  }
  async function files(): Promise<number> {
    const all = await readdir(join(server.folder, "blobs"), { recursive: true, withFileTypes: true });
    return all.filter((entry) => entry.isFile()).length;
  }

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    const found = await server.context.pods.find("ana");
    if (!found) throw new Error("no pod");
    pod = found;
    await ana.fetch(url("open/"), { method: "PUT", headers: { "content-type": "text/turtle" } });
    await setAccess(ana, url("open/"), [
      { to: ben.webid, modes: ["Write"] },
      { to: "public", modes: ["Append", "Write"] },
    ]);
  });
  after(() => server.close());
  beforeEach(async () => {
    await quota(1e12, 1e6);
    await server.context.ldp.keeping.empty(pod, "owner");
  });

  it("counts a new pod's own documents, and nothing twice", async () => {
    expect(await usage()).to.deep.equal(await measured());
    expect((await usage()).bytes).to.be.above(500);
  });

  for (const [what, size, takes] of [
    ["documents", 1_000, 10],
    ["large files", 300_000, 4],
  ] as const) {
    it(`takes exactly what fits when 30 clients fill the last bytes with ${what} at once`, async function () {
      this.timeout(60_000);
      await put(ana, `${what.slice(0, 5)}/first`, 1); // The folder is there.
      await leave(size * takes + size - 1);
      const before = await files();
      const answers = await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const answer = await put(ana, `${what.slice(0, 5)}/race-${index}`, size, index);
          return { status: answer.status, text: await answer.text() };
        }),
      );
      const refused = answers.filter(({ status }) => status === 507);
      expect(answers.filter(({ status }) => status === 201)).to.have.length(takes);
      expect(refused).to.have.length(30 - takes);
      expect((await usage()).bytes).to.be.at.most(pod.quota?.bytes ?? 0);
      expect(await usage()).to.deep.equal(await measured());
      for (const [index, { status }] of answers.entries()) {
        const read = await ana.fetch(url(`${what.slice(0, 5)}/race-${index}`));
        expect(read.status).to.equal(status === 201 ? 200 : 404);
        await read.arrayBuffer();
      }
      expect(await files(), "files of what was refused").to.equal(before + (size > 256 * 1024 ? takes : 0));
      const problem = JSON.parse(refused[0]?.text ?? "{}");
      expect(problem.type).to.match(/#quota-exceeded$/);
      expect(problem.detail).to.match(/are in use.*the trash holds .*, earlier versions hold/);
      expect(problem.usage)
        .to.include({ trash: 0 })
        .and.to.have.nested.property("quota.bytes", pod.quota?.bytes);
    });
  }

  it("counts documents and folders as well as bytes", async () => {
    await leave(1e6, 2);
    expect((await put(ana, "one", 0)).status).to.equal(201);
    expect((await put(ana, "folder/two", 0)).status).to.equal(507); // The folder is one, too.
    expect((await ana.fetch(url("folder/"))).status).to.equal(404);
    expect((await put(ana, "two", 0)).status).to.equal(201);
    expect((await put(ana, "three", 0)).status).to.equal(507);
  });

  it("is no obstacle to reading, shrinking and deleting, even when it is lowered below what there is", async () => {
    await put(ana, "shrinks", 5_000);
    await quota(10, 1);
    expect((await put(ana, "more", 1)).status).to.equal(507);
    const shrunk = await put(ana, "shrinks", 4_000);
    expect(shrunk.status, await shrunk.text()).to.equal(204);
    expect((await ana.fetch(url("shrinks"))).status).to.equal(200);
    expect((await ana.fetch(url("shrinks"), { method: "DELETE" })).status).to.equal(205);
    expect(await usage()).to.deep.equal(await measured());
  });

  it("lets history and the trash give way to what the owner writes, the oldest first", async () => {
    await put(ana, "old", 1_000, 1);
    await put(ana, "old", 1_000, 2);
    await put(ana, "deleted-first", 1_000);
    await put(ana, "deleted-last", 1_000);
    await ana.fetch(url("deleted-first"), { method: "DELETE" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await ana.fetch(url("deleted-last"), { method: "DELETE" });
    await leave(500);
    expect((await put(ana, "new", 1_200)).status).to.equal(201);
    const { items } = await server.context.ldp.keeping.trash(pod, 10);
    expect(items.map(({ path }) => path)).to.deep.equal(["/ana/deleted-last"]);
    expect(await server.context.ldp.keeping.versions(pod, "/ana/old")).to.have.length(1);
    expect((await put(ana, "new-2", 1_500)).status).to.equal(201);
    expect((await server.context.ldp.keeping.trash(pod, 10)).items).to.have.length(0);
    expect(await usage()).to.deep.equal(await measured());
    // What would not fit even so pushes nothing out.
    await ana.fetch(url("new"), { method: "DELETE" });
    const refused = await put(ana, "too-large", 9_000);
    expect(refused.status).to.equal(507);
    expect(((await refused.json()) as { usage: { trash: number } }).usage.trash).to.equal(1_200);
    expect((await server.context.ldp.keeping.trash(pod, 10)).items).to.have.length(1);
  });

  it("lets nobody else push the owner's trash out", async () => {
    await put(ana, "mine", 2_000);
    await ana.fetch(url("mine"), { method: "DELETE" });
    await leave(500);
    const refused = await put(ben, "open/flood", 1_000);
    expect(refused.status).to.equal(507);
    expect((await server.context.ldp.keeping.trash(pod, 10)).items.map(({ path }) => path)).to.deep.equal([
      "/ana/mine",
    ]);
  });

  it("nor an app that the owner let into one folder; one that may write everywhere is the owner's hand", async () => {
    const browser = await signIn(server, "ana");
    const full = async (): Promise<void> => {
      await put(ana, "theirs", 2_000);
      await ana.fetch(url("theirs"), { method: "DELETE" });
      await leave(500);
    };
    const paths = async () => (await server.context.ldp.keeping.trash(pod, 10)).items.map(({ path }) => path);
    await put(ana, "app/first", 1);
    await full();
    const send = (app: LetIn) => app.send("PUT", url("app/flood"), "x".repeat(1_000), binary);
    expect(
      (await send(await letIn(server, browser, { folders: ["/ana/app/"], modes: ["write"] }))).status,
    ).to.equal(507);
    expect(await paths()).to.deep.equal(["/ana/theirs"]);
    expect((await send(await letIn(server, browser))).status).to.equal(201);
    expect(await paths()).to.deep.equal([]);
  });

  it("is told to the owner with each write, and to pages of other origins", async () => {
    await leave(5_000);
    const answer = await ana.fetch(url("told"), {
      method: "PUT",
      headers: { ...binary, origin: "https://app.example" },
      body: new Uint8Array(1_000),
    });
    expect(answer.headers.get("ratelimit-policy")).to.equal(`"pod";q=${pod.quota?.bytes};qu="content-bytes"`);
    expect(answer.headers.get("ratelimit")).to.equal('"pod";r=4000');
    expect(answer.headers.get("access-control-expose-headers")).to.match(/RateLimit, RateLimit-Policy/);
    const refused = await put(ana, "told-2", 4_001);
    expect(refused.status).to.equal(507);
    expect(refused.headers.get("ratelimit")).to.equal('"pod";r=4000');
    const read = await ana.fetch(url("told"));
    expect(read.headers.has("ratelimit")).to.equal(false);
  });

  it("is told to nobody else: they learn that it is full, not how full", async () => {
    await leave(2_000);
    for (const [who, name] of [
      [ben.fetch, "ben"],
      [fetch, "public"],
    ] as const) {
      const init = (bytes: number): RequestInit => ({
        method: "PUT",
        headers: binary,
        body: new Uint8Array(bytes),
      });
      const fits = await who(url(`open/${name}`), init(10));
      expect(fits.status).to.equal(201);
      expect(fits.headers.has("ratelimit")).to.equal(false);
      const refused = await who(url(`open/${name}-more`), init(3_000));
      expect(refused.status).to.equal(507);
      expect(refused.headers.has("ratelimit")).to.equal(false);
      expect(refused.headers.has("ratelimit-policy")).to.equal(false);
      const text = await refused.text();
      expect(text).to.include("quota-exceeded");
      expect(text).not.to.match(/KiB|MiB|usage|trash holds|in use/);
    }
  });

  it("refuses what cannot fit before a byte of it is sent", async () => {
    await leave(1_000_000);
    const before = await files();
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(url("open/upload"), {
        method: "PUT",
        headers: { ...binary, "content-length": "50000000" },
      });
      sent.on("response", (response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on("error", reject);
      sent.flushHeaders(); // And nothing more.
    });
    expect(status).to.equal(507);
    expect(await files()).to.equal(before);
  });

  it("is not gone around by what is kept beside the content", async () => {
    const type = `text/plain; a=${"x".repeat(8_000)}`;
    const init = { method: "PUT", headers: { "content-type": type }, body: "" };
    expect((await ana.fetch(`${ana.pod}long-type.txt`, init)).status).to.equal(415);
  });

  it("counts replacing by what comes in addition", async () => {
    await put(ana, "swap", 400_000, 1);
    await leave(1_000);
    expect((await put(ana, "swap", 400_500, 2)).status).to.equal(204);
    expect((await put(ana, "swap", 402_000, 3)).status).to.equal(507);
    expect(Buffer.from(await (await ana.fetch(url("swap"))).arrayBuffer())).to.have.length(400_500);
    expect(await usage()).to.deep.equal(await measured());
  });

  it("holds for access lists from the account page, and is shown there", async () => {
    const browser = openBrowser(server);
    await browser.send("POST", "/.account/login", { pod: "ana", password: "a long password of ana" });
    await put(ana, "shared", 10);
    await leave(20);
    const grant = { path: "/ana/shared", who: { kind: "person", iri: ben.webid }, modes: ["read"] };
    const refused = await browser.send("POST", "/.account/access/grant", grant);
    expect(refused.status).to.equal(507);
    await leave(5_000);
    expect((await browser.send("POST", "/.account/access/grant", grant)).status).to.equal(200);
    expect(await usage()).to.deep.equal(await measured());
    const { body } = await browser.send("GET", "/.account/usage");
    expect(body).to.include(await usage());
    expect(body).to.have.keys("bytes", "resources", "quota", "trash", "versions");
    expect(body.quota).to.deep.equal(pod.quota);
  });
});
