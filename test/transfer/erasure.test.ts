import { createPublicKey, type JsonWebKey, verify as verifySignature } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { eraseTask } from "../../server/cli/tasks/erase.ts";
import { SERVER_POD, type Store, TABLES, type Table } from "../../server/store/store.ts";
import { canonical, type OpenedReceipt, placeHashOf } from "../../server/transfer/receipts.ts";
import { openBrowser } from "../account/client.ts";
import { createScan, scanFolder } from "../demo/scan.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { openStoreIn } from "../support/store.ts";
import { openFolder, podOf } from "./fixture.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";
/** Words that stand nowhere by chance; all of them within the folder that is erased. */
const GONE = {
  folder: "quillonfolder",
  name: "zephyrbanjo",
  literal: "mulberrysecret",
  blob: "obsidianpicture",
  list: "walrusfriend",
  description: "tamarindnote",
  former: "ferretversion",
  trash: "lanterntrash",
  trashName: "pelicangone",
  path: "juniperquery",
};
const STAYS = "remainingheron";
const words = Object.values(GONE);

describe("what is erased for good", function () {
  this.timeout(120_000);
  let server: TestServer;
  let ana: Person;
  let bob: Person;
  let files: Awaited<ReturnType<typeof openFolder>>;
  const scan = createScan([...words, STAYS, "gildedana", "Gildedana"]);

  before(async () => {
    server = await startServer();
    files = await openFolder();
    [ana, bob] = [await server.person("Ana"), await server.person("Bob")];
    const root = `${ana.pod}private/${GONE.folder}/`;
    const put = async (url: string, type: string, body: string): Promise<void> => {
      const answer = await ana.fetch(url, { method: "PUT", headers: { "content-type": type }, body });
      if (answer.status >= 300) throw new Error(`${url} ${answer.status} ${await answer.text()}`);
    };
    const rule = (who: string, url: string): string =>
      `<#${who}> a <${ACL}Authorization>; <${ACL}agent> <${ana.webid}>, <${bob.webid}>, <https://${who}.example/#me>; <${ACL}accessTo> <${url}>; <${ACL}default> <${url}>; <${ACL}mode> <${ACL}Read>, <${ACL}Write>, <${ACL}Control>.`;
    const document = `${root}${GONE.name}.ttl`;
    await put(document, "text/turtle", `<#it> <#says> "${GONE.former}" .`);
    await put(
      document,
      "text/turtle",
      `<#it> <#says> "${GONE.literal}" ; <#at> <http://example.org/${GONE.path}> .`,
    );
    await put(`${document}.acl`, "text/turtle", rule(GONE.list, document));
    await put(`${document}.meta`, "text/turtle", `<${document}> <#note> "${GONE.description}" .`);
    await put(`${root}deep/er/${GONE.blob}.bin`, "application/octet-stream", `${GONE.blob} `.repeat(40_000));
    await put(`${root}${GONE.trashName}.ttl`, "text/turtle", `<#it> <#says> "${GONE.trash}" .`);
    await ana.fetch(`${root}${GONE.trashName}.ttl`, { method: "DELETE" });
    await put(`${ana.pod}private/kept.ttl`, "text/turtle", `<#it> <#says> "${STAYS}" .`);
    expect((await bob.fetch(document)).status).to.equal(200); // A look, for the journal.
    await ana.fetch(`${ana.pod}sparql?query=${encodeURIComponent("SELECT * { ?s ?p ?o }")}`);
  });
  after(async () => {
    await server.close();
    await files.remove();
  });

  /** Everything that the process would tell its owner, bob, the operator and the public. */
  async function answers(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const look = (text: string | Uint8Array): void => {
      for (const word of scan(Buffer.from(text))) found.add(word);
    };
    const query = `${ana.pod}sparql?query=${encodeURIComponent("SELECT * { GRAPH ?g { ?s ?p ?o } }")}`;
    const all = `${ana.pod}sparql?query=${encodeURIComponent("SELECT * { ?s ?p ?o }")}`;
    const document = `${ana.pod}private/${GONE.folder}/${GONE.name}.ttl`;
    for (const { fetch: ask } of [ana, bob]) {
      for (const url of [
        ana.pod,
        `${ana.pod}private/`,
        `${ana.pod}private/${GONE.folder}/`,
        document,
        `${document}.acl`,
        `${document}.meta`,
        query,
        all,
        `${ana.pod}.journal/`,
        `${ana.pod}private/kept.ttl`,
      ]) {
        const answer = await ask(url);
        if (answer.ok) look(await answer.text()); // A refusal says the address again that was asked for.
      }
    }
    const { context } = server;
    const pod = await context.pods.find("ana");
    if (pod && pod.erased === undefined) {
      const { items } = await context.ldp.keeping.trash(pod, 100);
      look(JSON.stringify(items));
      look(JSON.stringify(await context.journal.read(pod, 0, 10_000)));
      for await (const chunk of context.ldp.transfer.exportPod(pod).content) look(chunk);
    }
    look(JSON.stringify(await context.identity.accounts.list()));
    return found;
  }

  /** What a folder of files that were copied earlier gives away with the keyring that `keys` holds. */
  async function opened(
    copied: string,
    keys: string,
    pods: readonly string[] = [...ids],
  ): Promise<ReadonlySet<string>> {
    const folder = files.path(`opened-${Math.random()}`);
    cpSync(copied, folder, { recursive: true });
    for (const name of ["keyring", "root.key"]) cpSync(join(keys, name), join(folder, name));
    const store = await openStoreIn(folder);
    try {
      return await readable(store, pods);
    } finally {
      await store.close();
    }
  }
  const ids = new Set<string>([SERVER_POD]);

  async function readable(store: Store, pods: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const pod of pods as readonly (typeof SERVER_POD)[]) {
      for (const table of Object.keys(TABLES) as Table[]) {
        try {
          await store.read(pod, async (snapshot) => {
            for await (const { group, item, value } of snapshot.all(table)) {
              for (const word of scan(Buffer.concat([Buffer.from(`${group} ${item} `), value])))
                found.add(word);
              if (table !== "blob") continue;
              for await (const chunk of store.blobs.read(pod, group))
                for (const word of scan(chunk as Uint8Array)) found.add(word);
            }
          });
        } catch {
          // Damaged, as everything is that was sealed with another key.
        }
      }
      try {
        for (const { entry } of await store.journal.read(pod, 0, 10_000))
          if (entry) for (const word of scan(entry)) found.add(word);
      } catch {
        // The same.
      }
    }
    return found;
  }

  function copyFiles(name: string): string {
    const folder = files.path(name);
    mkdirSync(folder);
    cpSync(server.folder, folder, {
      recursive: true,
      filter: (path) => !/operator\.sock|lock\.db/.test(path),
    });
    return folder;
  }

  let old: string;

  it("was there before: in answers, and in a copy of the files with the keys of then", async () => {
    ids.add((await podOf(server.context, "ana")).id);
    const before = await answers();
    const inAnswers = [
      GONE.folder,
      GONE.name,
      GONE.literal,
      GONE.path,
      GONE.list,
      GONE.description,
      GONE.blob,
      GONE.trashName,
    ];
    expect([...before]).to.include.members([...inAnswers, STAYS]);
    old = copyFiles("old");
    expect([...(await opened(old, old))]).to.include.members([...words, STAYS]);
    expect(scanFolder(server.folder, [...words, STAYS]), "sealed from the start").to.deep.equal([]);
    writeFileSync(join(old, "plain.txt"), Buffer.from(GONE.literal).toString("base64"));
    expect(
      scanFolder(old, words).map(({ word }) => word),
      "the scan finds what is there",
    ).to.deep.equal([GONE.literal]);
  });

  describe("a folder, by its owner", () => {
    let receipt: OpenedReceipt;

    it("is erased on the page, after signing in, and on purpose", async () => {
      const page = openBrowser(server);
      await page.send("POST", "/.account/login", { pod: "ana", password: "a long password of Ana" });
      const path = `/ana/private/${GONE.folder}/`;
      const log = server.log.length;
      expect(
        (await openBrowser(server).send("POST", "/.account/erase", { path, confirm: "erase" })).status,
      ).to.equal(401);
      expect((await page.send("POST", "/.account/erase", { path, confirm: "yes" })).status).to.equal(400);
      expect(
        (await page.send("POST", "/.account/erase", { path: "/bob/", confirm: "erase" })).status,
      ).to.equal(404);
      expect(
        (await page.send("POST", "/.account/erase", { path: "/ana/profile/", confirm: "erase" })).status,
      ).to.equal(409);
      const answer = await page.send("POST", "/.account/erase", { path, confirm: "erase" });
      expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
      receipt = answer.body as OpenedReceipt;
      expect([...scan(Buffer.from(server.log.slice(log).join("")))]).to.deep.equal([]);
    });

    it("is in no answer, file, log line, or older copy with the keys of now", async () => {
      const after = await answers();
      expect([...after].filter((word) => word !== STAYS)).to.deep.equal([]);
      expect([...after]).to.include(STAYS);
      expect(scanFolder(server.folder, words)).to.deep.equal([]);
      expect([...scan(Buffer.from(server.log.join("")))]).to.deep.equal([]);
      const now = copyFiles("now");
      expect([...(await opened(now, now))]).to.deep.equal([STAYS]);
      expect(
        [...(await opened(old, server.folder))],
        "an older copy opens with no key of today",
      ).to.deep.equal([]);
      expect(
        [...(await opened(old, old))],
        "the keys of then are another matter, and the receipt says how long",
      ).to.include.members(words);
    });

    it("leaves the journal whole, and says in it that something was erased, and not what", async () => {
      const pod = await podOf(server.context, "ana");
      const { faults } = await server.context.journal.verify(pod);
      expect(faults).to.deep.equal([]);
      const entries = await server.context.journal.read(pod, 0, 10_000);
      expect(entries.some(({ entry }) => entry === null)).to.equal(true);
      expect(entries.some(({ entry }) => entry?.act === "erase" && entry.agent === pod.owner)).to.equal(true);
      expect(await server.context.store.usage(pod.id)).to.deep.include({
        resources: (await server.context.store.usage(pod.id)).resources,
      });
    });

    it("has a receipt that others can check, and that is itself no trace", async () => {
      const { keys } = (await (await fetch(`${server.baseUrl}.well-known/freehold/erasure-key`)).json()) as {
        keys: JsonWebKey[];
      };
      const { signature, ...body } = receipt.receipt;
      const key = createPublicKey({ key: keys[0] as JsonWebKey, format: "jwk" });
      expect(
        verifySignature(null, Buffer.from(canonical(body)), key, Buffer.from(signature, "base64url")),
      ).to.equal(true);
      expect(
        await server.context.ldp.erasure.receipts.isValid({ ...receipt.receipt, resources: 1 }),
      ).to.equal(false);
      expect(receipt.address).to.equal(`${ana.pod}private/${GONE.folder}/`);
      expect(body.placeHash).to.equal(placeHashOf(receipt.salt, receipt.address));
      expect([...scan(Buffer.from(JSON.stringify(receipt.receipt)))]).to.deep.equal([]);
      expect(body.resources).to.be.greaterThan(4);
      expect(body.journalEntries).to.be.greaterThan(4);
      expect(Date.parse(body.oldKeysUntil) - Date.parse(body.finished)).to.equal(30 * 24 * 3_600_000);
    });
  });

  describe("a whole pod, by the operator", () => {
    let passport = "";
    const resolved = async (): Promise<string> =>
      (await fetch(`${server.baseUrl}v1/passports/${passport}`)).text();

    it("is erased only with --yes, and then answers nobody", async () => {
      ({ passport } = await server.person("Gildedana"));
      expect(await resolved()).to.contain("gildedana");
      ids.add((await podOf(server.context, "gildedana")).id);
      const kept = `${ana.pod}private/kept.ttl`;
      const answer = await ana.fetch(`${kept}.acl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: `<#g> a <${ACL}Authorization>; <${ACL}agentGroup> <${server.baseUrl}gildedana/groups.ttl#it>; <${ACL}accessTo> <${kept}>; <${ACL}mode> <${ACL}Read>.
<#o> a <${ACL}Authorization>; <${ACL}agent> <${ana.webid}>; <${ACL}accessTo> <${kept}>; <${ACL}mode> <${ACL}Read>, <${ACL}Control>.`,
      });
      expect(answer.status).to.be.below(300);
      old = copyFiles("older");
      expect([...(await opened(old, old))]).to.include("gildedana");
      const run = (flags: Record<string, boolean>) =>
        eraseTask.run(server.context, { args: ["gildedana"], flags, secret: null }, () => {});
      expect(await run({}).then(() => "erased", String)).to.contain("--yes");
      const { lines, exit } = await run({ yes: true });
      expect(exit).to.equal(0);
      const { receipt } = JSON.parse(lines.at(-1) ?? "") as OpenedReceipt;
      expect(await server.context.ldp.erasure.receipts.isValid(receipt)).to.equal(true);
      for (const path of ["", "profile/card", "nothing"]) {
        const { status } = await fetch(`${server.baseUrl}gildedana/${path}`);
        expect(status).to.equal(410);
      }
      const page = openBrowser(server);
      expect(
        (
          await page.send("POST", "/.account/login", {
            pod: "gildedana",
            password: "a long password of Gildedana",
          })
        ).status,
      ).to.equal(401);
      expect(await server.context.identity.accounts.isFree("gildedana")).to.equal(false);
    });

    it("says no more who it was, neither here nor by its passport nor in an older copy with the keys of now", async () => {
      expect(JSON.stringify(await server.context.identity.accounts.list())).not.to.contain("ildedana");
      expect(await resolved())
        .to.contain(passport)
        .and.not.contain("gildedana");
      const gone = [SERVER_POD, [...ids].at(-1) ?? ""];
      expect([...(await opened(old, old, gone))], "there it was").to.include("gildedana");
      expect([...(await opened(old, server.folder, gone))]).to.deep.equal([]);
      expect(readFileSync(join(server.folder, "keyring")).length).to.be.greaterThan(0);
      expect((await ana.fetch(`${ana.pod}private/kept.ttl`)).status, "others are as they were").to.equal(200);
      // Its list names a group of the pod that is gone: that lets nobody in, and keeps nobody out.
      expect((await bob.fetch(`${ana.pod}private/kept.ttl`)).status).to.equal(403);
    });

    it("may be erased once more, if that was cut short", async () => {
      const again = await eraseTask.run(
        server.context,
        { args: ["gildedana"], flags: { yes: true }, secret: null },
        () => {},
      );
      expect(again.exit).to.equal(0);
    });
  });
});
