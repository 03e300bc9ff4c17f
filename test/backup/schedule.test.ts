/** Backups by the clock: on time, made up for, one at a time, proved every week, let go in turn, and loud when they fail. */
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import { type Backups, type BackupsDeps, createBackups } from "../../server/backup/backups.ts";
import { newIdentity, recipientOf } from "../../server/backup/seal.ts";
import { createScratch } from "../../server/cli/scratch.ts";
import { createLog } from "../../server/log.ts";
import { startServer, type TestServer } from "../support/server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1, 3);

describe("backups by the clock", function () {
  this.timeout(120_000);
  let server: TestServer;
  let folder: string;
  let shelf: string;
  let time: number;
  let lines: string[];
  let deps: BackupsDeps;
  let backups: Backups;
  const events = (): string[] => lines.map((line) => (JSON.parse(line) as { event: string }).event);
  const names = async (): Promise<string[]> =>
    (await backups.list(shelf))
      .filter(({ what }) => what === "all")
      .map(({ file }) => basename(file).slice(13, 29));

  before(async () => {
    server = await startServer();
    await (await server.person("Ana")).fetch(`${server.baseUrl}ana/a.txt`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: "a",
    });
  });
  after(() => server.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-schedule-"));
    shelf = join(folder, "backups");
    time = START;
    lines = [];
    const { context } = server;
    deps = {
      store: context.store,
      pods: context.pods,
      rootKeyFile: context.config.rootKeyFile,
      dataFolder: context.config.dataFolder,
      version: "0.1.0",
      now: () => new Date(time),
      signedHead: (pod) => context.journal.head(pod),
      scratch: createScratch(context.config),
      log: createLog(
        (line) => lines.push(line),
        () => new Date(time),
      ),
      settings: {
        folder: shelf,
        recipients: [await recipientOf(await newIdentity())], // Nobody on this machine has its identity.
        passphraseFile: "",
        everyMs: DAY,
        proveEveryMs: 7 * DAY,
        keep: { days: 3, weeks: 1, months: 1 },
      },
    };
    backups = createBackups(deps);
  });
  afterEach(async () => {
    await backups.close();
    await rm(folder, { recursive: true });
  });

  it("makes the first at once and proves it, though the identity is elsewhere; then one a day", async () => {
    await backups.tick();
    expect(await names()).to.deep.equal(["20260101T030000Z"]);
    expect(events()).to.deep.equal(["backup.made", "backup.proved"]);
    time += 23 * HOUR;
    await backups.tick();
    expect(await names()).to.have.length(1);
    time += HOUR;
    await backups.tick();
    expect(await names()).to.deep.equal(["20260101T030000Z", "20260102T030000Z"]);
    expect(
      events().filter((event) => event === "backup.proved"),
      "weekly",
    ).to.have.length(1);
    expect((await backups.list(shelf)).filter(({ what }) => what === "keys")).to.have.length(2);
  });

  it("makes up for what was missed, once, by whichever process comes next", async () => {
    await backups.tick();
    time += 5 * DAY;
    const next = createBackups(deps);
    await next.tick();
    await next.tick();
    expect(await names()).to.deep.equal(["20260101T030000Z", "20260106T030000Z"]);
  });

  it("proves the newest every week, and only then lets the old ones go; keys after 30 days", async () => {
    for (let day = 0; day <= 35; day += 1) {
      await backups.tick();
      time += DAY;
    }
    const whole = (await backups.list(shelf)).filter(({ what }) => what === "all");
    const daysKept = whole.map((one) => [(one.time - START) / DAY, one.proof !== null]);
    expect(daysKept).to.deep.equal([
      [33, false],
      [34, false],
      [35, true],
    ]);
    const keys = (await backups.list(shelf)).filter(({ what }) => what === "keys");
    expect(Math.min(...keys.map((one) => (time - DAY - one.time) / DAY))).to.equal(0);
    expect(Math.max(...keys.map((one) => (time - DAY - one.time) / DAY))).to.equal(30);
    expect(events().filter((event) => event === "backup.proved")).to.have.length(6);
    expect((await readdir(shelf)).filter((name) => name.endsWith(".proved"))).to.have.length(1);
  });

  it("never makes two at once", async () => {
    const first = backups.make({ pod: null, folder: shelf, secret: null }, () => {});
    expect(() => backups.make({ pod: null, folder: shelf, secret: null }, () => {})).to.throw(
      /being made or proved at this moment/,
    );
    await backups.tick();
    await first;
    expect(await names()).to.have.length(1);
    await backups.tick();
    expect(await names(), "what was made by hand counts").to.have.length(1);
  });

  it("says in the log and in the list that one failed, tries again later, and goes on when it can", async () => {
    await writeFile(shelf, "a file where the folder should be");
    await backups.tick();
    expect(events()).to.deep.equal(["backup.failed"]);
    expect((await backups.state()).reason).to.match(/ENOTDIR|EEXIST/);
    await backups.tick();
    expect(events(), "not at once").to.have.length(1);
    time += 6 * 60_000;
    await backups.tick();
    expect(events()).to.deep.equal(["backup.failed", "backup.failed"]);
    await rm(shelf);
    time += 11 * 60_000;
    await backups.tick();
    expect(events().slice(2)).to.deep.equal(["backup.made", "backup.proved"]);
    expect((await backups.state()).failed).to.equal(null);
  });

  it("a backup that cannot be proved is not counted, nothing goes because of it, and the log says so", async () => {
    await backups.tick();
    for (let day = 1; day <= 20; day += 1) {
      time += DAY;
      const broken = createBackups({
        ...deps,
        scratch: { ...deps.scratch, serve: async () => Promise.reject(new Error("no server")) },
      });
      await broken.tick();
      if (day === 20) expect((await broken.state()).reason).to.match(/no server/);
    }
    expect(await names()).to.have.length(21);
    expect((await backups.list(shelf)).filter(({ proof }) => proof)).to.have.length(1);
    expect(events()).to.include("backup.not-proved");
    expect(await readdir(server.folder)).not.to.include.members(["verify"]);
  });

  it("without recipients or a passphrase nothing is written, and the reason says what to set", async () => {
    const open = createBackups({ ...deps, settings: { ...deps.settings, recipients: [] } });
    await open.tick();
    expect((await open.state()).reason).to.match(
      /FREEHOLD_BACKUP_RECIPIENTS.*FREEHOLD_BACKUP_PASSPHRASE_FILE/,
    );
    expect(await names()).to.deep.equal([]);
    const off = createBackups({ ...deps, settings: { ...deps.settings, everyMs: 0 } });
    await off.tick();
    expect(await names()).to.deep.equal([]);
  });

  it("nothing is sealed with a passphrase that could be guessed", async () => {
    const refused = await backups
      .make({ pod: null, folder: shelf, secret: "too short" }, () => {})
      .catch((error: Error) => error.message);
    expect(refused)
      .to.match(/fewer than 15 characters/)
      .and.not.include("too short");
    expect(await names()).to.deep.equal([]);
  });

  it("what is under way when the server stops is broken off, and leaves nothing", async () => {
    const slow = createBackups(deps);
    const ticking = slow.tick();
    const closing = slow.close();
    await Promise.all([ticking, closing]);
    expect(await readdir(shelf).catch(() => [])).to.satisfy((found: string[]) =>
      found.every((name) => !/draft|freehold-all/.test(name)),
    );
    expect(events()).not.to.include("backup.failed");
  });

  it("files are for this user only", async () => {
    await backups.tick();
    const { statSync } = await import("node:fs");
    for (const { file } of await backups.list(shelf))
      expect(statSync(file).mode & 0o077, basename(file)).to.equal(0);
    await chmod(shelf, 0o700);
  });
});
