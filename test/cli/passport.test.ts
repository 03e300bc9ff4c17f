/** `freehold passport`: what each command does to a passport, what it says, and that no power cut and no lost answer costs a key. */
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileMemory } from "@freehold/client/node";
import type { SignedRootRecord } from "@freehold/client/registry";
import { expect } from "chai";
import { type Desk, type Ended, openDesk } from "./passport.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("freehold passport", function () {
  this.timeout(60_000);
  let desk: Desk;
  let path: string;
  let id: string;

  beforeEach(async () => {
    desk = await openDesk();
    ({ path, id } = await desk.create("ana"));
  });
  afterEach(() => desk.close());

  const show = async (of = path): Promise<string> => (await desk.run("show", [of])).out;
  const done = async (work: Promise<Ended>): Promise<string> => {
    const { code, out, error, message } = await work;
    expect(code, `${error} ${message}`).to.equal(0);
    return out;
  };
  const authority = async (of = path): Promise<string> => (await desk.file(of)).keys.authority[0]?.key ?? "";
  const steps = async (of = path): Promise<boolean> => {
    const names = await readdir(desk.folder);
    return names.includes(`${of.slice(desk.folder.length + 1)}.steps`);
  };

  it("makes a passport, in a file for its owner alone, and shows what was proved of it", async () => {
    expect((await stat(path)).mode & 0o077).to.equal(0);
    const text = await show();
    expect(text).to.match(new RegExp(`did:dcann:${id}`));
    expect(text).to.match(/leads to https:\/\/pods\.example\.org\/ana\/\n/);
    expect(text).to.match(/locks {4}transfer and port\n/);
    expect(text).to.match(/guarded {2}2 of 3 recovery keys can bring it back, after 7 days\n/);
    expect(text).to.match(
      /proved {3}epoch \d+ of zz\/2026, signed by 1 witnesses \(self\) at 2026-06-01 12:00 UTC\n/,
    );
    expect(text).to.match(/file .* has the keys of today and the promised ones$/);
    const byId = await desk.run("show", [id]);
    expect(byId.out).to.include(`did:dcann:${id}`);
    expect(byId.out).to.not.include("file ");
    expect(await steps()).to.equal(false);
  });

  it("writes over no file with keys", async () => {
    const before = await readFile(path, "utf8");
    const again = await desk.run("create", [desk.way.url, path], {
      zone: "zz",
      registrar: "local",
      "registrar-key": desk.registrarKey,
    });
    expect([again.code, again.error]).to.deep.equal([null, "operator"]);
    expect((await desk.run("key", [desk.registrarKey])).error).to.equal("operator");
    expect(await readFile(path, "utf8")).to.equal(before);
  });

  describe("rotate", () => {
    it("puts the promised keys in force, and the pod is led to as before", async () => {
      const { keys } = await desk.file(path);
      const text = await done(desk.run("rotate", [path]));
      expect(text).to.match(/^done {5}rotate: The promised keys have taken over/);
      const after = await desk.file(path);
      expect([after.file.version, after.file.aseq, after.later]).to.deep.equal([1, 1, null]);
      expect(after.keys.authority[0]?.key).to.equal(keys.next[0]?.key);
      expect(await show()).to.match(/leads to https:\/\/pods\.example\.org\/ana\/\n[^]*state 1\.2\n/);
      expect(await steps()).to.equal(false);
    });

    it("shows each stage of its way", async () => {
      const { stages } = await desk.run("rotate", [path]);
      expect(stages.slice(0, 4)).to.deep.equal([0, 1, 2, 3].map((at) => `freehold passport: rotate ${at}/3`));
    });

    it("loses no key when the registry is out of reach, and goes on when it is back", async () => {
      const { keys } = await desk.file(path);
      desk.way.state = "cut";
      const broken = await desk.run("rotate", [path]);
      expect(broken.error).to.equal("unreachable");
      expect(broken.next).to.match(/Nothing is lost[^]*freehold passport resume/);
      const between = await desk.file(path);
      expect(between.keys.authority[0]?.key, "the keys of today").to.equal(keys.authority[0]?.key);
      expect(between.later?.authority[0]?.key, "and those of after").to.equal(keys.next[0]?.key);
      expect(await steps()).to.equal(true);
      desk.way.state = "open";
      expect(await show()).to.match(/left {5}rotate: freehold passport resume/);
      expect(await done(desk.run("resume", [path]))).to.match(
        /^sent {5}rotate: the registry had not heard of it\ndone {5}rotate/,
      );
      expect(await authority()).to.equal(keys.next[0]?.key);
      expect(await steps()).to.equal(false);
      expect(await done(desk.run("resume", [path]))).to.equal("Nothing was left to do.");
    });

    it("loses no key when the answer is lost, and is not taken twice", async () => {
      const { keys } = await desk.file(path);
      desk.way.state = "deaf";
      expect((await desk.run("rotate", [path])).error).to.equal("unreachable");
      desk.way.state = "open";
      await done(desk.run("rotate", [path]));
      expect(await show()).to.match(/state 2\.\d+\n/);
      expect((await desk.file(path)).keys.recovery.map(({ key }) => key)).to.deep.equal(
        keys.recovery.map(({ key }) => key),
      );
    });

    it("finds its keys again when the notes of what was sent are lost", async () => {
      const { keys } = await desk.file(path);
      desk.way.state = "deaf";
      await desk.run("rotate", [path]);
      await rm(`${path}.steps`);
      desk.way.state = "open";
      await done(desk.run("resume", [path]));
      const after = await desk.file(path);
      expect([after.later, after.keys.authority[0]?.key]).to.deep.equal([null, keys.next[0]?.key]);
    });

    it("says what to do with an old file, and does nothing by it", async () => {
      const old = join(desk.folder, "old.json");
      await writeFile(old, await readFile(path));
      await done(desk.run("rotate", [path]));
      await done(desk.run("rotate", [path]));
      expect(await show(old)).to.match(/has no key of today: it is an old one/);
      for (const name of ["rotate", "deactivate", "erase"]) {
        const { error, message } = await desk.run(name, [old]);
        expect([error, message], name).to.satisfy(
          ([kind, text]: [string, string]) => kind === "operator" && /Use the newest file/.test(text),
        );
      }
    });
  });

  describe("what waits", () => {
    it("an unlocking waits for three days, says so in words, and can be ended until then", async () => {
      expect((await desk.run("unlock", [path])).message).to.match(/younger than 30 days/);
      await desk.later(31 * DAY_MS);
      const text = await done(desk.run("unlock", [path]));
      expect(text).to.match(/^waits {4}unlock, until 2026-07-05 12:00 UTC \(in 3 days\)\n/);
      expect(text).to.match(/\nmeans {4}The locks will open\./);
      expect(text).to.match(
        /\nveto {5}until then, whoever has the keys of today can end it: freehold passport veto/,
      );
      expect(await show()).to.match(/waits {4}unlock, until/);
      await desk.later(DAY_MS);
      expect(await done(desk.run("veto", [path]))).to.match(/^done {5}veto: What waited has ended/);
      expect(await show()).to.not.match(/waits/);
      expect(await done(desk.run("veto", [path]))).to.equal("Nothing waits: there is nothing to end.");
      await desk.later(3 * DAY_MS);
      expect(await show()).to.match(/locks {4}transfer and port\n/);
    });

    it("counts when its time has come; then locks can be closed again", async () => {
      await desk.later(31 * DAY_MS);
      await done(desk.run("unlock", [path], { only: "transfer" }));
      await desk.later(3 * DAY_MS + 1_000);
      expect(await done(desk.run("resume", [path]))).to.match(/^done {5}unlock/);
      expect(await show()).to.match(/locks {4}port\n/);
      await done(desk.run("lock", [path]));
      expect(await show()).to.match(/locks {4}transfer and port\n/);
      expect((await desk.run("lock", [path], { only: "door" })).error).to.equal("operator");
    });

    it("a recovery gives new keys after seven days, and the file has both until then", async () => {
      const { keys } = await desk.file(path);
      const guardians = join(desk.folder, "guardians.json");
      const whole = JSON.parse(await readFile(path, "utf8")) as { keys: { role: string }[] };
      const only = { ...whole, keys: whole.keys.filter(({ role }) => role === "recovery") };
      await writeFile(guardians, JSON.stringify(only));
      const text = await done(desk.run("recover", [guardians]));
      expect(text).to.match(
        /^waits {4}recover, until 2026-06-08 12:00 UTC \(in 7 days\)\nmeans {4}The guardians give/,
      );
      const between = await desk.file(guardians);
      expect(between.later?.authority.length).to.equal(1);
      await desk.later(6 * DAY_MS);
      expect(await done(desk.run("resume", [guardians]))).to.match(/^waits {4}recover/);
      expect((await desk.run("deactivate", [path])).message, "nothing else is taken meanwhile").to.match(
        /A recovery waits/,
      );
      await desk.later(DAY_MS + 1_000);
      expect(await done(desk.run("resume", [guardians]))).to.match(/^done {5}recover/);
      const after = await desk.file(guardians);
      expect(after.keys.authority[0]?.key).to.equal(between.later?.authority[0]?.key);
      expect(after.keys.authority[0]?.key).to.not.equal(keys.authority[0]?.key);
      await done(desk.run("deactivate", [guardians]));
      expect((await desk.run("reactivate", [path])).message).to.match(/Use the newest file/);
    });

    it("a recovery that a thief began is ended by the owner, whose keys are older than its delay", async () => {
      await desk.later(10 * DAY_MS);
      const thief = join(desk.folder, "thief.json");
      await writeFile(thief, await readFile(path));
      await done(desk.run("recover", [thief]));
      expect(await show()).to.match(/waits {4}recover, until .* \(in 7 days\)\nmeans .*\nveto /);
      await done(desk.run("veto", [path]));
      await desk.later(8 * DAY_MS);
      expect(await done(desk.run("resume", [thief]))).to.match(/^ended {4}recover: Its owner has ended it/);
      expect([(await desk.file(thief)).later, await authority()]).to.deep.equal([
        null,
        await authority(thief),
      ]);
      await done(desk.run("lock", [path]));
    });

    it("too few guardians are told how many are needed", async () => {
      const one = join(desk.folder, "one.json");
      const whole = JSON.parse(await readFile(path, "utf8")) as { keys: { role: string }[] };
      const guards = whole.keys.filter(({ role }) => role === "recovery");
      await writeFile(one, JSON.stringify({ ...whole, keys: guards.slice(0, 1) }));
      const { error, message } = await desk.run("recover", [one]);
      expect([error, message]).to.deep.equal([
        "operator",
        "2 recovery keys must sign, and 1 are here. Name the files of other guardians: --guardian …",
      ]);
      const other = join(desk.folder, "other.json");
      await writeFile(other, JSON.stringify({ ...whole, keys: guards.slice(1, 2) }));
      await done(desk.run("recover", [one], { guardian: other }));
    });

    it("an erasure takes three days, and then it is proved that there is nothing", async () => {
      expect(await done(desk.run("erase", [path]))).to.match(/^waits {4}erase, until [^]*for ever/);
      await desk.later(3 * DAY_MS + 1_000);
      expect(await done(desk.run("resume", [path]))).to.match(/^done {5}erase: The passport is erased/);
      const after = await desk.run("show", [path]);
      expect(after.error).to.equal("not-found");
      expect(after.message).to.match(/has proved it at epoch/);
    });
  });

  it("puts a passport to rest, and wakes it", async () => {
    await done(desk.run("deactivate", [path]));
    expect(await show()).to.match(/state {4}at rest/);
    expect(await done(desk.run("deactivate", [path]))).to.equal("It is at rest already.");
    await done(desk.run("reactivate", [path]));
    expect(await show()).to.not.match(/at rest/);
    expect(await done(desk.run("reactivate", [path]))).to.equal("It is awake already.");
    expect(await done(desk.run("lock", [path]))).to.equal("The locks are closed already.");
  });

  it("moves: says where the pod is now, and where it was", async () => {
    await done(
      desk.run("move", ["https://new.example.org/ana/", path], { webid: "https://new.example.org/ana/#me" }),
    );
    const text = await show();
    expect(text).to.match(
      /leads to https:\/\/new\.example\.org\/ana\/\nWebID {4}https:\/\/new\.example\.org\/ana\/#me\n/,
    );
    expect(text).to.match(/moved {4}from https:\/\/pods\.example\.org\/ana\/ on 2026-06-01\n/);
    expect((await desk.run("move", ["https://new.example.org/ana", path])).error).to.equal("operator");
    expect((await desk.run("move", ["http://10.0.0.1/ana/", path])).error).to.equal("operation-invalid");
    expect(await steps(), "what was refused is not sent again").to.equal(false);
  });

  it("goes to another registrar, who vouches for it in a file of its own", async () => {
    await desk.later(31 * DAY_MS);
    await done(desk.run("unlock", [path]));
    await desk.later(3 * DAY_MS + 1_000);
    const operation = join(desk.folder, "transfer.json");
    await done(desk.run("transfer", ["other", path], { operation }));
    expect((await desk.run("send", [operation, path])).error, "without the registrar's word").to.equal(
      "operation-invalid",
    );
    const own = { registrar: "other", "registrar-key": desk.otherKey };
    expect((await desk.run("sponsor", [operation], { ...own, registrar: "local" })).error).to.equal(
      "operator",
    );
    await done(desk.run("sponsor", [operation], own));
    expect(await done(desk.run("send", [operation, path]))).to.match(/^done {5}transfer/);
    expect(await show()).to.match(
      /leads to https:\/\/pods\.example\.org\/ana\/\n[^]*by {7}registrar other\n/,
    );
  });

  it("holds to the root that it believed first, or to one that is given, until it is told to forget it", async () => {
    const rootOf = async ({ way }: Desk): Promise<string> => (await fetch(`${way.url}v1/zones`)).text();
    const other = await openDesk();
    const another = await rootOf(other);
    await other.close();
    const [root, wrong] = [join(desk.folder, "root.json"), join(desk.folder, "wrong.json")];
    await writeFile(root, await rootOf(desk));
    await writeFile(wrong, another);
    await done(desk.run("show", [path], { trust: root }));
    expect((await desk.run("show", [path], { trust: wrong })).error).to.equal("passport-invalid");

    const memory = fileMemory(join(desk.folder, "passport", "memory"));
    const own = await memory.root(desk.way.url);
    await memory.setRoot(desk.way.url, { record: (JSON.parse(another) as SignedRootRecord).record, at: 0 });
    const refused = await desk.run("show", [path]);
    expect(refused.error).to.equal("root-changed");
    expect(refused.next).to.match(/freehold passport forget/);
    await done(desk.run("forget", [desk.way.url]));
    await done(desk.run("show", [path]));
    expect((await memory.root(desk.way.url))?.record).to.deep.equal(own?.record);
  });

  it("refuses a file that is none, or is damaged, and says which", async () => {
    const none = await desk.run("lock", [join(desk.folder, "none.json")]);
    expect([none.error, none.message]).to.satisfy(([, text]: string[]) =>
      /There is no recovery file/.test(text ?? ""),
    );
    const damaged = join(desk.folder, "damaged.json");
    await writeFile(damaged, (await readFile(path, "utf8")).replace(/"secret": "./, '"secret": "_'));
    expect((await desk.run("lock", [damaged])).error).to.equal("recovery-file");
    expect((await desk.run("port", ["zurich", path])).error).to.equal("operator");
    expect((await desk.run("port", ["za", path])).message).to.match(/names no zone za/);
  });
});
