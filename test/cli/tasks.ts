/** Each task that touches keys, quotas, backups or exports, once by the real command: what it prints, how it ends, what the journal says. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { listShelf } from "../../server/backup/shelf.ts";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { type Exit, freehold, type Program, quietPort } from "../support/process.ts";
import { podOf } from "../transfer/fixture.ts";

const STOP_MS_MAX = 15_000;

/** @param isRunning Whether a server holds the data, or none does. */
export function taskTests(isRunning: boolean): void {
  let folder: string;
  let port: string;
  let running: Program | null = null;
  const at = (name: string): string => join(folder, name);
  const flags = (data = "data"): string[] =>
    `--data ${at(data)} --port ${port} --base-url http://localhost:${port}/ --backup-folder ${at("backups")} --backup-passphrase-file ${at("passphrase")} --backup-every off`.split(
      " ",
    );
  const config = (data = "data") =>
    readConfig({
      FREEHOLD_DATA: at(data),
      FREEHOLD_PORT: port,
      FREEHOLD_BASE_URL: `http://localhost:${port}/`,
    });
  const run = (...words: string[]): Promise<Exit> => freehold([...words, ...flags()]).ended;
  const start = async (): Promise<Program> => {
    running = freehold(["start", ...flags()]);
    await running.until(/ {2}data /);
    return running;
  };
  const newest = async (what: string, where = at("backups")): Promise<string> =>
    (await listShelf(where)).filter((one) => one.what === what).at(-1)?.file ?? "";
  /** Exit 0, its words on stdout, nothing on stderr but progress in plain lines. */
  const done = ({ code, out, err }: Exit, ...wanted: readonly RegExp[]): void => {
    expect(code, `${out}${err}`).to.equal(0);
    for (const pattern of wanted) expect(out).to.match(pattern);
    for (const line of err.split("\n").slice(0, -1)) expect(line, "progress").to.match(/^[A-Z][\w ]+: /);
    expect(out + err).not.to.match(/undefined|NaN|\[object|\r| {4}at /);
  };
  const refused = ({ code, out, err }: Exit, wanted: RegExp): void => {
    expect([code, out], err).to.deep.equal([4, ""]);
    expect(err)
      .to.match(wanted)
      .and.not.match(/ {4}at /);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-tasks-"));
    port = await quietPort();
    await writeFile(at("passphrase"), "a passphrase for the tasks\n");
    const first = await serve(config(), () => {});
    await createPerson(first.context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
    const pod = await podOf(first.context, "ana");
    const bytes = Buffer.alloc(100_000, "x");
    await first.context.writeDocuments(
      pod,
      Array.from({ length: 20 }, (_, index) => ({
        path: `/ana/${index}.txt`,
        contentType: "text/plain",
        bytes,
      })),
    );
    await first.close();
    if (isRunning) await start();
  });
  after(async () => {
    await running?.stop("SIGKILL");
    await rm(folder, { recursive: true });
  });

  it("quota show, set and recount", async () => {
    done(await run("quota", "show"), /^ana: .+ of .+ documents and folders\n$/);
    done(await run("quota", "show", "ana"), /\(the default\)\nof which trash .+, earlier versions /);
    done(await run("quota", "set", "ana", "5MiB", "--resources", "100"), /^ana: .+ of 5.* of 100 /);
    done(await run("quota", "recount", "ana"), /^ana: \d+ bytes in \d+ documents and folders, as counted\n$/);
    refused(await run("quota", "set", "ana", "much"), /much is no size/);
    refused(await run("quota", "show", "eve"), /no pod called eve/);
  });

  it("backup, backup list, verify-backup", async () => {
    done(
      await run("backup"),
      /freehold-all-.* 1 pod, /,
      /freehold-keys-.*keys/,
      /It counts once it is proved/,
    );
    done(await run("verify-backup", await newest("all")), /^Proved: /, /\n {2}1 pod: .*asked for over HTTP/);
    done(await run("backup", "list"), /proved \d{4}-/);
    refused(await run("verify-backup", at("passphrase")), /passphrase/);
  });

  it("restore of one pod; of everything only into an empty folder", async () => {
    const file = await newest("all");
    done(await run("restore", file, "--pod", "ana"), /^The pod ana is as it was at .*\nIts journal/);
    refused(await run("restore", file), isRunning ? /in use/ : /not empty/);
    const bare = await freehold(["restore", file, ...flags("bare")]).ended;
    done(bare, /^Restored 1 pod .*\nEverybody signs in again/);
  });

  it("keys rotate, of a pod and of the server's records, and keys rotate-root: a new backup follows each", async () => {
    for (const [words, about] of [
      [["keys", "rotate", "ana"], /^The pod ana is sealed with a new key/],
      [["keys", "rotate"], /^The server's own records are sealed with a new key/],
      [["keys", "rotate-root"], /^The new root key is in .*root\.key/],
    ] as const) {
      const [data, keys] = [await newest("all"), await newest("keys", join(at("backups"), "keys"))];
      done(await run(...words), about, /A new backup is made/);
      expect(await newest("all"), words.join(" ")).not.to.equal(data);
      expect(await readdir(join(at("backups"), "keys"))).not.to.include(keys.split("/").at(-1));
    }
    done(await run("verify-backup", await newest("all")), /^Proved: /);
    refused(await run("keys", "rotate", "eve"), /no pod called eve/);
  });

  it("export, and the journal of all that", async () => {
    done(
      await run("export", "ana", at("ana.zip")),
      /documents, files and folders of ana are in .*ana\.zip\. Whoever has it can read all of it/,
    );
    expect((await stat(at("ana.zip"))).mode & 0o077, "for this user only").to.equal(0);
    const shown = await run("journal", "show", "ana");
    expect(shown.code).to.equal(0);
    for (const act of ["restore", "keys", "export"])
      expect(shown.out, act).to.match(new RegExp(`operator.*\\b${act}\\b|\\b${act}\\b.*operator`));
  });

  if (isRunning)
    it("nothing hangs when the server is told to stop in the middle of one", async () => {
      for (const words of [["backup"], ["keys", "rotate", "ana"], ["export", "ana", at("cut.zip")]]) {
        const server = running ?? (await start());
        const asked = run(...words);
        await server.until(new RegExp(`"task\\.begun","task":"${words[0]}|"task":"${words[0]}`));
        const began = performance.now();
        const [stopped, { code, err }] = await Promise.all([server.stop("SIGTERM"), asked]);
        running = null;
        expect(stopped.code, words.join(" ")).to.equal(0);
        expect(performance.now() - began, words.join(" ")).to.be.below(STOP_MS_MAX);
        expect(code, err).to.be.oneOf([0, 1, 4]);
        if (code !== 0) expect(err).to.match(/stops|ended before|could not be made|^$/);
      }
      await start();
      expect((await fetch(`http://localhost:${port}/readyz`)).status).to.equal(200);
    });
}
