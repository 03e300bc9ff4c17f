/** The drill: back up under load, lose everything, restore on a bare folder, and find it all again. Long, for it is one story with one set of people. */
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { restore } from "../../server/cli/restore.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { OperatorError } from "../../server/errors.ts";
import { encodeRecord } from "../../server/store/record.ts";
import { SERVER_POD } from "../../server/store/store.ts";
import { logIn } from "../support/dpop.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { differences, type Held, heldBy } from "./support.ts";

const PASSPHRASE = "a passphrase for the drill";
const quiet = (): void => {};

async function failure(work: Promise<unknown>): Promise<Error | null> {
  return work.then(
    () => null,
    (error: unknown) => error as Error,
  );
}

describe("backup and restore", function () {
  this.timeout(120_000);
  let folder: string;
  let shelf: string;
  let server: TestServer;
  let port: string;
  let held: Held;
  let data: string;
  let keys: string;
  let credentials: { readonly id: string; readonly secret: string };

  const settings = (name: string, more: Readonly<Record<string, string>> = {}) =>
    readConfig({
      FREEHOLD_PORT: port,
      FREEHOLD_BASE_URL: server.baseUrl,
      FREEHOLD_DATA: join(folder, name),
      FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "passphrase"),
      ...more,
    });
  const restoreTo = (name: string, file = data, keysFile: string | null = keys) =>
    restore(settings(name), { file, keysFile, secret: null }, quiet);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-drill-"));
    shelf = join(folder, "backups");
    await writeFile(join(folder, "passphrase"), `${PASSPHRASE}\n`);
    server = await startServer({
      FREEHOLD_BACKUP_FOLDER: shelf,
      FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "passphrase"),
      FREEHOLD_BACKUP_EVERY: "off",
    });
    port = new URL(server.baseUrl).port;
    await server.context.store.write(SERVER_POD, async (transaction) => {
      const token = { payload: { kind: "RefreshToken" }, expires: null };
      transaction.put("oidc", "RefreshToken", "of an app", encodeRecord(token));
    });
  });
  after(async () => {
    await server.close().catch(() => {});
    await rm(folder, { recursive: true });
  });

  it("takes a copy of one moment while people write", async () => {
    const [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
    ({ credentials } = ana);
    const put = async (path: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<void> => {
      const response = await ana.fetch(`${ana.pod}${path}`, {
        method: "PUT",
        headers: { "content-type": type },
        body,
      });
      expect(response.status, await response.text()).to.be.oneOf([201, 204, 205]);
    };
    for (let number = 0; number < 30; number += 1)
      await put(`notes/${number}.ttl`, `<#it> <http://schema.org/name> "note ${number}".`, "text/turtle");
    await put("photos/large.bin", new Uint8Array(randomBytes(1_500_000)), "application/octet-stream");
    await put(
      "notes/.acl",
      `@prefix acl: <http://www.w3.org/ns/auth/acl#>. <#b> a acl:Authorization; acl:agent <${ana.webid}>, <${ben.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write.`,
      "text/turtle",
    );
    await put("closed/note.txt", "for nobody, not even its owner", "text/plain");
    await put("closed/.acl", "", "text/turtle");
    expect((await ben.fetch(`${ana.pod}notes/3.ttl`)).status).to.equal(200);
    await server.context.journal.flush();
    held = await heldBy(server.context);

    const over = new AbortController();
    let written = 0;
    let begun = (): void => {};
    const isBusy = new Promise<void>((resolve) => (begun = resolve));
    const load = (async () => {
      while (!over.signal.aborted) {
        await put(`busy/${written % 20}.txt`, `write ${written}`, "text/plain");
        written += 1;
        if (written === 5) begun();
      }
    })();
    await isBusy;
    const made = await server.context.backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    over.abort();
    await load;
    [data = "", keys = ""] = made.map(({ file }) => file);
    expect(made.map(({ manifest }) => manifest.kind)).to.deep.equal(["data", "keys"]);
    expect(written).to.be.above(5);
  });

  it("nothing of anybody's can be read in the files, and nothing else was left", async () => {
    for (const file of [data, keys]) {
      const text = (await readFile(file)).toString("latin1");
      expect(text.slice(0, 21)).to.equal("age-encryption.org/v1");
      for (const word of ["note 1", "schema.org", "ana", PASSPHRASE, "manifest", "keyring"])
        if (word.length > 3) expect(text.includes(word), word).to.equal(false);
    }
    expect((await readdir(shelf)).filter((name) => name.includes("draft"))).to.deep.equal([]);
  });

  it("is proved: restored unseen, opened to the last record, and asked over HTTP", async () => {
    const before = await readdir(server.folder);
    const { verified, proof } = await server.context.backups.prove(
      data,
      { secret: null, keysFile: null },
      quiet,
    );
    expect(verified.faults).to.deep.equal([]);
    expect(verified.asked).to.be.within(30, 100);
    expect(verified.records).to.be.above(100);
    expect(verified.blobs).to.equal(1);
    expect(proof.rows).to.equal(verified.archive.manifest.total.rows);
    expect((await server.context.backups.list(shelf)).find(({ file }) => file === data)?.proof).to.deep.equal(
      proof,
    );
    expect(await readdir(server.folder), "the scratch folder is gone").to.have.members(before);
    const withKeys = await server.context.backups.prove(data, { secret: null, keysFile: keys }, quiet);
    expect(withKeys.verified.faults).to.deep.equal([]);
  });

  it("everything is there again on a bare machine: documents, rules, files, logins, passports, journals", async () => {
    await server.close();
    const { pods, erased } = await restoreTo("bare");
    expect([pods, erased]).to.deep.equal([2, []]); // Of people: the server's own and its registry's come beside.
    const running = await serve(settings("bare"), quiet);
    try {
      const now = await heldBy(running.context);
      const lost = differences(held, now).filter(
        (what) => !/ is new$|busy\/| stamp | \/ana\/ busy\//.test(what),
      );
      // What the log-ins and writes of the load itself changed on the way.
      expect(
        lost.filter(
          (what) => !/^server (oidc|account|setting) |resource \/ana\/ $|ana (meta|usage)/.test(what),
        ),
      ).to.deep.equal([]);
      const remembered = await running.context.store.read(SERVER_POD, async (snapshot) => {
        const groups = new Set<string>();
        for await (const { group } of snapshot.all("oidc")) groups.add(group);
        return [...groups].filter((group) => group !== "keys" && group !== "Client");
      });
      expect(
        remembered,
        "an app that was let in asks again, for that may have been taken back",
      ).to.deep.equal([]);
      const fetchAsAna = await logIn(server.baseUrl, credentials.id, credentials.secret);
      const note = await fetchAsAna(`${server.baseUrl}ana/notes/7.ttl`);
      expect([note.status, await note.text()]).to.deep.equal([
        200,
        '<#it> <http://schema.org/name> "note 7".',
      ]);
      expect((await fetch(`${server.baseUrl}ana/notes/7.ttl`)).status, "for nobody else").to.equal(401);
      const large = await fetchAsAna(`${server.baseUrl}ana/photos/large.bin`);
      expect((await large.arrayBuffer()).byteLength).to.equal(1_500_000);
      const ana = await running.context.pods.find("ana");
      if (!ana) throw new Error("no pod");
      expect((await running.context.journal.verify(ana)).faults).to.deep.equal([]);
      expect(
        await running.context.identity.accounts.loginByPassword("ana", "a long password of Ana", "127.0.0.1"),
      ).to.have.property("pod", "ana");
    } finally {
      await running.close();
    }
  });

  it("what is written after a restore has an ETag that nobody has seen before", async () => {
    const running = await serve(settings("bare"), quiet);
    const fetchAsAna = await logIn(server.baseUrl, credentials.id, credentials.secret);
    const url = `${server.baseUrl}ana/notes/7.ttl`;
    const before = (await fetchAsAna(url)).headers.get("etag");
    await fetchAsAna(url, { method: "PUT", headers: { "content-type": "text/turtle" }, body: "" });
    const after = (await fetchAsAna(url)).headers.get("etag");
    await running.close();
    expect(before).not.to.equal(after);
    const pod = (await readManifestOf()).pods.find(({ name }) => name === "ana");
    const version = Number.parseInt(/[\da-z]+/.exec(after ?? "")?.[0] ?? "0", 36);
    expect(version).to.be.above(pod?.generation ?? 0);
  });

  const readManifestOf = async () =>
    (await (await import("../../server/backup/archive-read.ts")).openArchive(data, [PASSPHRASE])).manifest;

  describe("refuses, and changes nothing", () => {
    const refuses = (about: string, work: () => Promise<unknown>, reason: RegExp, folderName = "refused") =>
      it(about, async () => {
        const before = await readdir(join(folder, folderName)).catch(() => null);
        const error = await failure(work());
        expect(error, String(error)).to.be.instanceOf(OperatorError);
        expect(error?.message).to.match(reason);
        const after = await readdir(join(folder, folderName)).catch(() => null);
        expect(after ?? [], "nothing half-restored").to.deep.equal(before ?? []);
      });

    refuses(
      "a folder that holds something",
      () => restoreTo("bare"),
      /not empty.*nothing was changed/s,
      "bare",
    );
    refuses(
      "a wrong passphrase",
      async () => {
        await writeFile(join(folder, "wrong"), "wrong");
        const config = settings("refused", { FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "wrong") });
        return restore(config, { file: data, keysFile: keys, secret: null }, quiet);
      },
      /does not open with the passphrase/,
    );
    refuses(
      "no passphrase at all",
      () =>
        restore(
          settings("refused", { FREEHOLD_BACKUP_PASSPHRASE_FILE: "" }),
          { file: data, keysFile: keys, secret: null },
          quiet,
        ),
      /passphrase or the age identity/,
    );
    refuses(
      "a file that was cut",
      async () => {
        const bytes = await readFile(data);
        await writeFile(join(folder, "cut"), bytes.subarray(0, bytes.length - 100));
        return restoreTo("refused", join(folder, "cut"));
      },
      /damaged or cut short/,
    );
    refuses("keys in place of data", () => restoreTo("refused", keys), /holds keys/);
    refuses("data in place of keys", () => restoreTo("refused", data, data), /no backup of keys/);
    refuses(
      "the keys of another server",
      async () => {
        const other = await startServer({ FREEHOLD_BACKUP_PASSPHRASE_FILE: join(folder, "passphrase") });
        const { file } = await other.context.backups.makeKeys(join(folder, "other"), null);
        await other.close();
        return restoreTo("refused", data, file);
      },
      /keys of another server/,
    );
    refuses(
      "another root key in the place of its own",
      async () => {
        await mkdir(join(folder, "other-root"), { recursive: true });
        const rootKeyFile = join(folder, "other-root", "root.key");
        await writeFile(rootKeyFile, randomBytes(32), { mode: 0o600 });
        return restore(
          settings("refused", { FREEHOLD_ROOT_KEY_FILE: rootKeyFile }),
          { file: data, keysFile: keys, secret: null },
          quiet,
        );
      },
      /another root key/,
    );
  });

  it("on first boot it is restored when the folder is empty, and left alone when it is not", async () => {
    const config = settings("first-boot", { FREEHOLD_RESTORE_FROM: data });
    const lines: string[] = [];
    const first = await serve({ ...config, logLevel: "info" }, (line) => lines.push(line));
    expect(await first.context.pods.find("ana")).to.have.property("name", "ana");
    await first.context.pods.change("ana", { quota: { bytes: 1, resources: 1 } });
    await first.close();
    const second = await serve({ ...config, logLevel: "info" }, (line) => lines.push(line));
    expect(await second.context.pods.find("ana"), "what was done since is kept").to.have.property("quota");
    await second.close();
    expect(
      lines.filter((line) => line.includes('"restore.')).map((line) => JSON.parse(line).event),
    ).to.deep.equal(["restore.done", "restore.not-needed"]);
  });

  it("a restore that was broken off is no store, and runs again", async () => {
    const name = "broken-off";
    await restoreTo(name);
    await cp(join(folder, name), join(folder, "half"), { recursive: true });
    await writeFile(join(folder, "half", "restoring"), "");
    await rm(join(folder, "half", "freehold.db"));
    const error = await failure(serve(settings("half"), quiet));
    expect(error?.message).to.match(/broken off.*Run the same restore again/s);
    await restoreTo("half");
    const running = await serve(settings("half"), quiet);
    expect(await running.context.pods.list()).to.have.length(2);
    await running.close();
  });

  it("puts one pod back, and touches no other", async () => {
    const running = await serve(
      settings("bare", { FREEHOLD_BACKUP_FOLDER: shelf, FREEHOLD_BACKUP_EVERY: "off" }),
      quiet,
    );
    const { context } = running;
    const { restore: task } = await import("../../server/cli/tasks/backup.ts");
    const fetchAsAna = await logIn(server.baseUrl, credentials.id, credentials.secret);
    const before = await heldBy(context);
    const url = `${server.baseUrl}ana/notes/8.ttl`;
    expect((await fetchAsAna(url, { method: "DELETE" })).ok).to.equal(true);
    expect((await fetchAsAna(url)).status).to.equal(404);
    const input = { args: [data], flags: { pod: "ana" }, secret: null };
    const { exit, lines } = await task.run(context, input, () => {});
    expect([exit, lines[0]?.slice(0, 28)]).to.deep.equal([0, "The pod ana is as it was at "]);
    const back = await fetchAsAna(url);
    expect([back.status, await back.text()]).to.deep.equal([200, '<#it> <http://schema.org/name> "note 8".']);
    const changed = differences(before, await heldBy(context)).filter((what) => what.startsWith("ben "));
    expect(changed).to.deep.equal([]);
    for (const [args, reason] of [
      [{ pod: "eve" }, /no pod eve/],
      [{}, /in use/],
    ] as const) {
      const error = await failure(task.run(context, { args: [data], flags: args, secret: null }, () => {}));
      expect(error?.message).to.match(reason);
    }
    const ana = await context.pods.find("ana");
    expect(ana && (await context.journal.verify(ana)).faults).to.deep.equal([]);
    await running.close();
  });

  it("backs up one pod alone, proves it, and puts it back", async () => {
    const running = await serve(settings("bare"), quiet);
    const { context } = running;
    const ben = await context.pods.find("ben");
    if (!ben) throw new Error("no pod");
    const before = await heldBy(context);
    const [made] = await context.backups.make({ pod: ben, folder: join(folder, "one"), secret: null }, quiet);
    if (!made) throw new Error("no backup");
    expect(made.file).to.match(/freehold-pod-ben-/);
    expect(
      made.manifest.pods.map(({ name }) => name),
      "and nobody else's",
    ).to.deep.equal(["ben"]);
    const { verified } = await context.backups.prove(made.file, { secret: null, keysFile: null }, quiet);
    expect(verified.faults).to.deep.equal([]);
    const { restore: task } = await import("../../server/cli/tasks/backup.ts");
    const input = (pod: string) => ({ args: [made.file], flags: { pod }, secret: null });
    const foreign = await failure(task.run(context, input("ana"), () => {}));
    expect(foreign?.message).to.match(/has no pod ana/);
    expect((await task.run(context, input("ben"), () => {})).exit).to.equal(0);
    const lost = differences(before, await heldBy(context)).filter((what) => !what.endsWith(" is new"));
    expect(lost.filter((what) => !what.startsWith("server "))).to.deep.equal([]);
    await running.close();
    const whole = await failure(restoreTo("one-pod", made.file));
    expect(whole?.message).to.match(/one pod.*--pod/);
  });

  it("what was erased stays erased, with the keys of now and with older ones", async () => {
    const name = "erasing";
    await restoreTo(name);
    const running = await serve(
      settings(name, { FREEHOLD_BACKUP_FOLDER: shelf, FREEHOLD_BACKUP_EVERY: "off" }),
      quiet,
    );
    const { context } = running;
    const ben = await context.pods.find("ben");
    if (!ben) throw new Error("no pod");
    await context.store.erasePod(ben.id);
    await context.pods.change("ben", { erased: Date.now() });
    const { file: newKeys } = await context.backups.makeKeys(shelf, null);
    await running.close();

    for (const [about, file] of [
      ["with the keys of now", newKeys],
      ["with older keys, where the list of erased pods lies beside the backup", keys],
    ] as const) {
      await rm(join(folder, "again"), { recursive: true, force: true });
      const { erased } = await restoreTo("again", data, file);
      expect(erased, about).to.deep.equal(["ben"]);
      const again = await serve(settings("again"), quiet);
      expect((await again.context.pods.find("ben"))?.erased, about).to.be.a("number");
      const opened = await failure(again.context.store.read(ben.id, async () => {}));
      expect(opened, about).to.have.property("code", "not-found");
      expect(await again.context.pods.find("ana"), about).not.to.have.property("erased");
      const { restore: task } = await import("../../server/cli/tasks/backup.ts");
      const one = await failure(
        task.run(again.context, { args: [data], flags: { pod: "ben" }, secret: null }, () => {}),
      );
      expect(one?.message, about).to.match(/erased, and what is erased stays so/);
      await again.close();
    }
  });

  it("after an erasure the keys are renewed, and no older ones are left in reach", async () => {
    const running = await serve(
      settings("erasing", { FREEHOLD_BACKUP_FOLDER: shelf, FREEHOLD_BACKUP_EVERY: "off" }),
      quiet,
    );
    const before = await readdir(join(shelf, "keys"));
    await cp(keys, join(folder, "kept-elsewhere"));
    await running.context.backups.renewKeys();
    const after = (await readdir(join(shelf, "keys"))).filter((name) => name.endsWith(".backup"));
    await running.close();
    keys = join(folder, "kept-elsewhere");
    expect(before.length).to.be.above(1);
    expect(after).to.have.length(1);
    expect(before).not.to.include(after[0]);
  });
});
