/** After keys were destroyed: a new backup at once, older keys gone from the shelf, and no person who was erased in anything restored. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { listShelf } from "../../server/backup/shelf.ts";
import { createPerson } from "../../server/cli/people.ts";
import { restore } from "../../server/cli/restore.ts";
import { type Running, serve } from "../../server/cli/serve.ts";
import type { Task } from "../../server/cli/task.ts";
import { restore as restoreTask } from "../../server/cli/tasks/backup.ts";
import { eraseTask } from "../../server/cli/tasks/erase.ts";
import { keysRotate, keysRotateRoot } from "../../server/cli/tasks/keys.ts";
import { readConfig } from "../../server/config.ts";
import { type PodId, SERVER_POD, type Store, TABLES, type Table } from "../../server/store/store.ts";
import { createScan } from "../demo/scan.ts";
import { logIn } from "../support/dpop.ts";
import { quietPort } from "../support/process.ts";

const quiet = (): void => {};
/** All of the person that is erased, but the pod's name. */
const PERSON = ["Quillonette", "walnutcanary", "zebrafinchprogram"];
const POD = "gildedfox";

/** Every word of these that any record, file or journal of any pod says. */
async function wordsIn(store: Store, pods: readonly PodId[], words: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const scan = createScan(words);
  const look = (bytes: Uint8Array): void => {
    for (const word of scan(bytes)) found.add(word);
  };
  for (const pod of pods)
    try {
      await store.read(pod, async (snapshot) => {
        for (const table of Object.keys(TABLES) as Table[])
          for await (const { group, item, value } of snapshot.all(table)) {
            look(Buffer.concat([Buffer.from(`${group} ${item} `), value]));
            if (table !== "blob") continue;
            for await (const chunk of store.blobs.read(pod, group)) look(chunk as Uint8Array);
          }
      });
      for (const { entry } of await store.journal.read(pod, 0, 10_000)) if (entry) look(entry);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "not-found") throw error;
    }
  return [...found];
}

describe("when keys are destroyed", function () {
  this.timeout(120_000);
  let folder: string;
  let shelf: string;
  let port: string;
  const at = (name: string): string => join(folder, name);
  const settings = (name: string, more: Readonly<Record<string, string>> = {}) =>
    readConfig({
      FREEHOLD_PORT: port,
      FREEHOLD_BASE_URL: `http://localhost:${port}/`,
      FREEHOLD_DATA: at(name),
      FREEHOLD_BACKUP_PASSPHRASE_FILE: at("passphrase"),
      FREEHOLD_BACKUP_FOLDER: shelf,
      FREEHOLD_BACKUP_EVERY: "off",
      ...more,
    });
  const run = ({ context }: Running, task: Task, args: readonly string[], flags = {}) =>
    task.run(context, { args, flags, secret: null }, quiet);
  const kept = async (where = shelf) => ({
    all: (await listShelf(where)).filter(({ what }) => what === "all").map(({ file }) => file),
    keys: (await listShelf(join(where, "keys"))).map(({ file }) => file),
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-renewal-"));
    shelf = at("backups");
    port = await quietPort();
    await writeFile(at("passphrase"), "a passphrase for the renewal\n");
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function withPeople(more: Readonly<Record<string, string>> = {}): Promise<Running> {
    const running = await serve(settings("data", more), quiet);
    const { context } = running;
    await createPerson(context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
    const { credentials } = await createPerson(context, {
      name: "Quillonette Marsh",
      podName: POD,
      password: "a long password of hers",
    });
    const { baseUrl } = context.config;
    const fetchAs = await logIn(baseUrl, credentials.id, credentials.secret);
    const put = await fetchAs(`${baseUrl}${POD}/private/walnutcanary.txt`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: "walnutcanary ".repeat(20_000),
    });
    expect(put.status).to.equal(201);
    const [account] = (await context.identity.accounts.list()).filter(({ pod }) => pod === POD);
    if (!account) throw new Error("no account");
    await context.identity.accounts.credentials.create(account, "zebrafinchprogram", null);
    await context.identity.accounts.sessions.begin(account.id, { "user-agent": "Firefox/130" });
    // A login that was never finished, and a grant that is long over.
    await context.store.write(SERVER_POD, async (transaction) =>
      transaction.put(
        "oidc",
        "Interaction",
        "left",
        Buffer.from(JSON.stringify({ payload: { accountId: account.id, note: "walnutcanary" }, expires: 1 })),
      ),
    );
    return running;
  }

  it("a new whole backup follows by itself, opens with the keys of now, and no older keys are left", async () => {
    const running = await withPeople();
    const { backups, journal, pods } = running.context;
    await backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    await backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    const before = await kept();
    for (const [task, args, flags] of [
      [eraseTask, ["ana", "private/"], { yes: true }],
      [keysRotate, ["ana"], {}],
      [keysRotate, [], {}],
      [keysRotateRoot, [], {}],
      [eraseTask, [POD], { yes: true }],
    ] as const) {
      const old = await kept();
      const { exit, lines } = await run(running, task, args, flags);
      expect(exit, lines.join("\n")).to.equal(0);
      expect(lines.join("\n")).to.match(/A new backup is made/);
      const now = await kept();
      expect(now.all.length, `${task.name} ${args.join(" ")}`).to.equal(old.all.length + 1);
      expect(now.keys, task.name).to.have.length(1);
      expect(old.keys, task.name).not.to.include(now.keys[0]);
    }
    const now = await kept();
    expect(now.all, "backups of the data stay").to.include.members(before.all);
    const { verified } = await backups.prove(
      now.all.at(-1) ?? "",
      { secret: null, keysFile: now.keys[0] ?? "" },
      quiet,
    );
    expect(verified.faults).to.deep.equal([]);
    const ana = await pods.find("ana");
    const entries = ana ? await journal.read(ana, 0, 10_000) : [];
    const acts = entries.flatMap(({ entry }) => (entry?.agent === "operator" ? [entry.act] : []));
    expect(
      acts.filter((act) => act === "keys"),
      "its own, the server's, the root key",
    ).to.have.length(3);
    await running.close();
  });

  it("never two at once: an erasure waits for a backup under way, and several share one", async () => {
    const running = await withPeople();
    const { backups, ldp, pods } = running.context;
    const under = backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    const ana = await pods.find("ana");
    if (!ana) throw new Error("no pod");
    await Promise.all(
      ["a.txt", "b.txt", "c.txt"].map((name) => ldp.erasure.erase(ana, `/ana/${name}`, "operator")),
    );
    await under;
    expect(await backups.renewed(quiet)).to.deep.equal({ failed: null });
    const { all, keys } = await kept();
    expect(all.length, "one by hand, and few for three").to.be.within(2, 3);
    expect(keys).to.have.length(1);
    expect((await readdir(shelf)).filter((name) => name.includes("draft"))).to.deep.equal([]);
    await running.close();
  });

  it("without a folder nothing is made, and the erasure says what to do", async () => {
    const running = await withPeople({ FREEHOLD_BACKUP_FOLDER: "" });
    const { lines } = await run(running, eraseTask, ["ana", "private/"], { yes: true });
    expect(lines.join("\n")).to.match(/Make a new backup now.*gone by \d{4}-\d\d-\d\d/);
    expect(await running.context.backups.renewed(quiet)).to.equal(null);
    await running.close();
  });

  it("a backup that cannot be made keeps the older keys, says so, and is made up for after a restart", async () => {
    let running = await withPeople();
    await running.context.backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    const before = await kept();
    await rm(at("passphrase"));
    const { exit, lines } = await run(running, keysRotate, ["ana"]);
    expect([exit, lines.join("\n")]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && /could not be made/.test(text),
    );
    expect(await kept(), "nothing is let go before there is something newer").to.deep.equal(before);
    await running.close();
    await writeFile(at("passphrase"), "a passphrase for the renewal\n");
    running = await serve(settings("data"), quiet);
    await running.context.backups.tick();
    const after = await kept();
    expect(after.all).to.have.length(2);
    expect(after.keys).to.have.length(1);
    expect(before.keys).not.to.include(after.keys[0]);
    await running.context.backups.tick();
    expect((await kept()).all, "once").to.have.length(2);
    await running.close();
  });

  it("a person who was erased comes back with no older backup: neither with the keys of now nor with older ones", async () => {
    let running = await withPeople();
    await running.context.backups.make({ pod: null, folder: shelf, secret: null }, quiet);
    const old = await kept();
    const keptElsewhere = at("older-keys.backup");
    await import("node:fs/promises").then(({ cp }) => cp(old.keys[0] ?? "", keptElsewhere));
    const ids = (await running.context.pods.list()).map(({ id }) => id);
    const all = [SERVER_POD, ...ids];
    expect(await wordsIn(running.context.store, all, PERSON), "they are there").to.have.members(PERSON);
    expect((await run(running, eraseTask, [POD], { yes: true })).exit).to.equal(0);
    expect(await wordsIn(running.context.store, all, PERSON), "in the server that erased").to.deep.equal([]);
    const one = await run(running, restoreTask, [old.all[0] ?? ""], { pod: "ana" });
    expect(one.lines[0], "others are put back from it, for their keys are the same").to.match(
      /^The pod ana is/,
    );
    expect((await run(running, keysRotate, ["ana"])).exit).to.equal(0);
    const late = await run(running, restoreTask, [old.all[0] ?? ""], { pod: "ana" }).then(
      () => "put back",
      (error: Error) => error.message,
    );
    expect(late).to.match(/do not open the pod ana.*another time/);
    expect((await running.context.pods.find("ana"))?.erased).to.equal(undefined);
    await running.close();
    const now = await kept();

    const wish = (keysFile: string) => ({ file: old.all[0] ?? "", keysFile, secret: null });
    const refused = await restore(settings("with-new-keys"), wish(now.keys[0] ?? ""), quiet).then(
      () => "restored",
      (error: Error) => error.message,
    );
    expect(refused).to.match(/The keys do not open the server's records.*another time/);

    const { erased } = await restore(settings("again"), wish(keptElsewhere), quiet);
    expect(erased).to.deep.equal([POD]);
    const config = settings("again");
    const { openStore } = await import("../../server/context.ts");
    const { createLog } = await import("../../server/log.ts");
    const clock = () => new Date();
    const store = await openStore(config, createLog(quiet, clock, "error"), clock);
    expect(await wordsIn(store, all, PERSON), "in the restored folder, before any server").to.deep.equal([]);
    expect(await wordsIn(store, all, [POD]), "its name stays taken").to.deep.equal([POD]);
    await store.close();

    running = await serve(config, quiet);
    const { context } = running;
    const { baseUrl } = context.config;
    expect((await context.pods.find(POD))?.erased).to.be.a("number");
    const scan = createScan(PERSON);
    for (const path of [`${POD}/`, `${POD}/profile/card`, `${POD}/private/walnutcanary.txt`]) {
      const answer = await fetch(`${baseUrl}${path}`);
      expect(answer.status, path).to.equal(410);
      expect(
        [...scan(Buffer.from(await answer.text()))].filter((word) => !path.includes(word)),
      ).to.deep.equal([]);
    }
    expect(JSON.stringify(await context.identity.accounts.list())).not.to.include(POD);
    expect(await context.identity.accounts.isFree(POD)).to.equal(false);
    const login = await context.identity.accounts
      .loginByPassword(POD, "a long password of hers", "127.0.0.1")
      .then(() => "in", String);
    expect(login).not.to.equal("in");
    expect((await context.pods.find("ana"))?.erased, "the others are as they were").to.equal(undefined);
    await running.close();
  });
});
