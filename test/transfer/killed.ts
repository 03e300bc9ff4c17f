/** Killed with -9 in the middle of an import or an erasure: how often is said by whoever runs this. */
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import type { Context } from "../../server/context.ts";
import { SERVER_POD, TABLES, type Table } from "../../server/store/store.ts";
import { createZipWriter } from "../../server/transfer/zip.ts";
import { createScan } from "../demo/scan.ts";
import { freehold, type Program, quietPort } from "../support/process.ts";
import { exportTo, podOf } from "./fixture.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";
const FOAF_AGENT = "http://xmlns.com/foaf/0.1/Agent";
const TIME = Date.UTC(2026, 10, 22);

const rule = (url: string, owner: string, isPublic: boolean): string =>
  `<#o> a <${ACL}Authorization>; <${ACL}agent> <${owner}>; <${ACL}accessTo> <${url}>; ${url.endsWith("/") ? `<${ACL}default> <${url}>; ` : ""}<${ACL}mode> <${ACL}Read>, <${ACL}Write>, <${ACL}Control> .
${isPublic ? `<#p> a <${ACL}Authorization>; <${ACL}agentClass> <${FOAF_AGENT}>; <${ACL}accessTo> <${url}>; ${url.endsWith("/") ? `<${ACL}default> <${url}>; ` : ""}<${ACL}mode> <${ACL}Read> .` : ""}`;

/** Documents of a folder that is open in the pod, and not in the archive; one whose list comes last of all; one that is open. */
export const SECRET = Array.from({ length: 450 }, (_, index) => `open/secret/${index}.ttl`);
export const ALONE = "open/alone.ttl";
export const SHARED = "shared/all.ttl";

export async function archive(file: string, from: string, hasFolders: boolean): Promise<string> {
  const out = createWriteStream(file);
  const zip = createZipWriter((bytes) => new Promise((resolve) => out.write(bytes, () => resolve())));
  const owner = `${from}profile/card#me`;
  const add = (name: string, text: string): Promise<unknown> => zip.add(name, Buffer.from(text), TIME);
  await add(ALONE, "<#a> <#b> 1 .");
  if (hasFolders) for (const folder of ["open/", "open/secret/", "shared/"]) await zip.folder(folder, TIME);
  for (const name of SECRET) await add(name, "<#a> <#b> 2 .");
  await add(SHARED, "<#a> <#b> 3 .");
  await add("shared/.acl", rule(`${from}shared/`, owner, true));
  await add("open/secret/.acl", rule(`${from}open/secret/`, owner, false));
  await add(`${ALONE}.acl`, rule(`${from}${ALONE}`, owner, false));
  await zip.end();
  out.end();
  await finished(out);
  return file;
}

export async function openFor(context: Context, name: string): Promise<void> {
  const root = `${context.config.baseUrl}${name}/`;
  const pod = await podOf(context, name);
  await context.writeDocuments(pod, [
    {
      path: `/${name}/open/`,
      contentType: "text/turtle",
      bytes: new Uint8Array(),
      acl: rule(`${root}open/`, pod.owner, true),
    },
    { path: `/${name}/open/free.ttl`, contentType: "text/turtle", bytes: Buffer.from("<#a> <#b> 0 .") },
  ]);
}

/** @param waits Milliseconds from a task's beginning to the kill, one for each. */
export function killedTests(waits: readonly number[]): void {
  let folder: string;
  let port: string;
  let running: Program | null = null;
  const url = (path: string): string => `http://localhost:${port}/${path}`;
  const flags = (): string[] => ["--data", join(folder, "data"), "--port", port, "--base-url", url("")];
  const settings = () =>
    readConfig({ FREEHOLD_DATA: join(folder, "data"), FREEHOLD_PORT: port, FREEHOLD_BASE_URL: url("") });
  const run = (...words: string[]) => freehold([...words, ...flags()]).ended;
  const statusOf = async (path: string): Promise<number> => (await fetch(url(path))).status;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-killed-"));
    port = await quietPort();
  });
  afterEach(async () => {
    await running?.stop("SIGKILL");
    running = null;
    await rm(folder, { recursive: true });
  });

  async function start(): Promise<Program> {
    running = freehold(["start", ...flags()]);
    await running.until(/ {2}data /);
    return running;
  }
  async function prepare(work: (context: Context) => Promise<void>): Promise<void> {
    const first = await serve(settings(), () => {});
    await work(first.context);
    await first.close();
  }
  /** What of these words any record or journal entry says. */
  async function wordsIn(words: readonly string[], ids: readonly string[]): Promise<string[]> {
    const opened = await serve(settings(), () => {});
    const { store } = opened.context;
    const [scan, found] = [createScan(words), new Set<string>()];
    for (const pod of ids as readonly (typeof SERVER_POD)[])
      await store
        .read(pod, async (snapshot) => {
          for (const table of Object.keys(TABLES) as Table[])
            for await (const { group, item, value } of snapshot.all(table))
              for (const word of scan(Buffer.concat([Buffer.from(`${group} ${item} `), value])))
                found.add(word);
          for (const { entry } of await store.journal.read(pod, 0, 10_000))
            for (const word of entry ? scan(entry) : []) found.add(word);
        })
        .catch((error: { code?: unknown }) => {
          if (error.code !== "not-found") throw error;
        });
    await opened.close();
    return [...found];
  }
  /** Kills the server `ms` after a task has begun there. @returns whether the task was in the middle. */
  async function killIn(ms: number, ...words: string[]): Promise<boolean> {
    const server = await start();
    const asked = run(...words);
    await server.until(/"task\.begun"/);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await server.stop("SIGKILL");
    const { code, err } = await asked;
    if (code !== 0) expect(err).to.match(/The server ended before the task did/);
    return code !== 0;
  }

  it("while it imports: nothing is shown that may not be, and the same command finishes it", async () => {
    const from = "https://elsewhere.example/eve/";
    const file = await archive(join(folder, "archive.zip"), from, true);
    await prepare(async (context) => {
      for (let kill = 0; kill < waits.length; kill += 1) {
        const podName = `to-${kill}`;
        await createPerson(context, { name: podName, podName, password: "a long password of hers" });
        await openFor(context, podName);
      }
    });
    let broken = 0;
    for (let kill = 0; kill < waits.length; kill += 1) {
      const name = `to-${kill}`;
      const command = ["import", file, "--pod", name, "--present", "keep", "--from", from];
      if (await killIn(waits[kill] ?? 0, ...command)) broken += 1;
      const server = await start();
      for (const path of [...SECRET, ALONE, "open/secret/"])
        expect(await statusOf(`${name}/${path}`), `${name} ${path}`).to.be.oneOf([401, 404]);
      const again = await run(...command);
      expect(again.code, again.err).to.equal(0);
      expect(await statusOf(`${name}/${SHARED}`)).to.equal(200);
      expect(await statusOf(`${name}/${SECRET.at(-1)}`)).to.equal(401);
      await server.stop();
    }
    if (waits.length > 2) expect(broken, "some were killed in the middle").to.be.above(0);
  });

  it("while it erases a folder: what is gone stays gone, and the same command finishes it", async () => {
    const names = Array.from({ length: 400 }, (_, index) => `open/gone/${index}.txt`);
    let id = "";
    await prepare(async (context) => {
      await createPerson(context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
      await openFor(context, "ana");
      const pod = await podOf(context, "ana");
      ({ id } = pod);
      const bytes = Buffer.from("walnutcanary");
      await context.writeDocuments(
        pod,
        names.map((name) => ({ path: `/ana/${name}`, contentType: "text/plain", bytes })),
      );
    });
    let broken = 0;
    let gone = new Set<string>();
    for (const ms of waits) {
      if (await killIn(ms, "erase", "ana", "open/gone/", "--yes")) broken += 1;
      const server = await start();
      const now = new Set<string>();
      for (const name of names) if ((await statusOf(`ana/${name}`)) !== 200) now.add(name);
      expect(
        [...gone].filter((name) => !now.has(name)),
        "come back",
      ).to.deep.equal([]);
      gone = now;
      await server.stop();
    }
    if (waits.length > 2) expect(broken, "some were killed in the middle").to.be.above(0);
    const last = await run("erase", "ana", "open/gone/", "--yes");
    expect(last.code, last.err).to.equal(0);
    expect(await wordsIn(["walnutcanary", "open/gone"], [SERVER_POD, id])).to.deep.equal([]);
  });

  it("while it erases a pod: it is finished before the server answers anybody, or was not begun", async () => {
    const person = "Quillonette";
    const ids: string[] = [SERVER_POD];
    await prepare(async (context) => {
      for (let kill = 0; kill < waits.length; kill += 1) {
        const podName = `gone-${kill}`;
        await createPerson(context, {
          name: `${person} ${kill}x`,
          podName,
          password: "a long password of hers",
        });
        ids.push((await podOf(context, podName)).id);
      }
      await createPerson(context, { name: "Ana", podName: "ana", password: "a long password of Ana" });
    });
    for (let kill = 0; kill < waits.length; kill += 1) {
      await killIn((waits[kill] ?? 0) / 8, "erase", `gone-${kill}`, "--yes");
      const server = await start();
      const status = await statusOf(`gone-${kill}/profile/card`);
      expect(status).to.be.oneOf([200, 410]);
      await server.stop();
      const words = await wordsIn([`${person} ${kill}x`], ids);
      expect(words.length === 0, `after kill ${kill}: all or nothing`).to.equal(status === 410);
      const again = await run("erase", `gone-${kill}`, "--yes");
      expect(again.code, again.err).to.equal(0);
    }
    expect(await wordsIn([person], ids)).to.deep.equal([]);
  });

  it("an import into one pod from a file of another's export ends as it would have, too", async () => {
    const file = join(folder, "export.zip");
    await prepare(async (context) => {
      for (const podName of ["ana", "ben"])
        await createPerson(context, { name: podName, podName, password: "a long password of theirs" });
      await openFor(context, "ana");
      await exportTo(context, "ana", file);
    });
    await killIn(15, "import", file, "--pod", "ben");
    await start();
    expect((await run("import", file, "--pod", "ben")).code).to.equal(0);
    expect(await statusOf("ben/open/free.ttl")).to.equal(200);
    expect(await statusOf("ben/settings/prefs.ttl")).to.equal(401);
  });
}
