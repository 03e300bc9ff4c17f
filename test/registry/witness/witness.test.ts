/** The witness protocol, answer by answer, at the real program; and what it never signs. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { formatCheckpoint, parseNote } from "../../../client-lib/registry/index.ts";
import { OperatorError } from "../../../server/errors.ts";
import { initWitness, openSigners } from "../../../server/registry/witness/identity.ts";
import { encodeAddCheckpoint } from "../../../server/registry/witness/wire.ts";
import { MAIN, startProgram } from "../../support/process.ts";
import {
  createTestLog,
  history,
  initFolder,
  ORIGIN,
  type RunningWitness,
  removeFolder,
  startWitness,
  type TestLog,
  timesOf,
} from "./logs.ts";

const hashOf = (origin: string): string => createHash("sha256").update(origin).digest("hex");
describe("a witness", function () {
  this.timeout(60_000);
  let log: TestLog;
  let other: TestLog;
  let witness: RunningWitness;

  before(async () => {
    log = await createTestLog();
    other = await createTestLog("log.za.example/2026", 78);
    witness = await startWitness(await initFolder(), ["--log", log.vkey, "--log", other.vkey]);
  });

  after(async () => {
    await witness.program.stop();
    removeFolder(witness.folder);
  });

  it("cosigns the first checkpoint of a log with Ed25519 and ML-DSA-44, and the next with a proof", async () => {
    for (const [old, size] of [
      [0, 5],
      [5, 12],
    ] as const) {
      const began = Math.floor(Date.now() / 1_000);
      const entries = history("one", size);
      const response = await witness.post(log.request(old, entries));
      expect(response.status).to.equal(200);
      const times = await timesOf(await response.text(), log.note(entries), witness.keys);
      expect(witness.keys.map(({ type }) => type)).to.deep.equal([4, 6]);
      for (const time of times) expect(time).to.be.within(began, began + 60);
    }
  });

  it("cosigns the same checkpoint again, with the time of now", async () => {
    const entries = history("one", 12);
    const response = await witness.post(encodeAddCheckpoint({ old: 12, path: [], note: log.note(entries) }));
    expect(response.status).to.equal(200);
    expect(await timesOf(await response.text(), log.note(entries), witness.keys)).to.not.include(null);
  });

  it("says where it stands to who begins elsewhere, and follows each log by itself", async () => {
    for (const [old, size] of [
      [0, 20],
      [5, 20],
      [0, 3],
      [3, 12],
    ] as const) {
      const response = await witness.post(log.request(old, history("one", size)));
      expect(response.status).to.equal(409);
      expect(response.headers.get("content-type")).to.equal("text/x.tlog.size");
      expect(await response.text()).to.equal("12\n");
    }
    expect((await witness.post(other.request(0, history("two", 3)))).status).to.equal(200);
  });

  it("refuses another tree of a size, a size that goes back, and a proof that does not lead there", async () => {
    const entries = history("one", 12);
    const note = log.note(entries);
    const fork = history("fork", 12);
    const cases: readonly (readonly [what: string, body: string, status: number])[] = [
      ["another tree of this size", encodeAddCheckpoint({ old: 12, path: [], note: log.note(fork) }), 422],
      ["a fork from before", log.request(12, [...history("fork", 12), ...history("one", 3)]), 422],
      ["a proof too many", encodeAddCheckpoint({ old: 12, path: [new Uint8Array(32)], note }), 422],
      ["no proof", encodeAddCheckpoint({ old: 12, path: [], note: log.note(history("one", 13)) }), 422],
      [
        "a wrong proof",
        encodeAddCheckpoint({ old: 12, path: [new Uint8Array(32)], note: log.note(history("one", 13)) }),
        422,
      ],
      ["a smaller tree", encodeAddCheckpoint({ old: 12, path: [], note: log.note(history("one", 5)) }), 400],
      ["an old size beyond", encodeAddCheckpoint({ old: 13, path: [], note }), 400],
    ];
    for (const [what, body, status] of cases) {
      const response = await witness.post(body);
      expect(response.status, what).to.equal(status);
      expect(await response.text()).not.to.contain("—");
    }
  });

  it("keeps both checkpoints of one size as evidence, both signed by their log", async () => {
    await witness.post(encodeAddCheckpoint({ old: 0, path: [], note: log.note(history("other", 12)) })); // Also when it is a 409.
    const found = (await (await fetch(`${witness.url}evidence`)).json()) as readonly {
      origin: string;
      size: number;
      first: string;
      second: string;
    }[];
    expect(found.map(({ origin, size }) => [origin, size])).to.deep.equal([
      [ORIGIN, 12],
      [ORIGIN, 12],
    ]);
    for (const { first, second } of found) {
      const keys = [log.signer.key];
      for (const note of [first, second]) {
        const { body, signatures } = parseNote(note);
        expect(body.split("\n").slice(0, 2)).to.deep.equal([ORIGIN, "12"]);
        expect(signatures.some(({ id }) => id === keys[0]?.id)).to.equal(true);
      }
      expect(first).to.contain(log.note(history("one", 12)));
      expect(second).to.not.contain("witness.example/w1");
    }
  });

  it("a log that is not followed is not found; one that has not signed is forbidden", async () => {
    const stranger = await createTestLog("log.xx.example/2026", 79);
    expect((await witness.post(stranger.request(0, history("one", 1)))).status).to.equal(404);
    const impostor = await createTestLog(ORIGIN, 80);
    expect((await witness.post(impostor.request(12, history("one", 13)))).status).to.equal(403);
    const good = log.request(12, history("one", 13));
    const spoiled = good.replace(
      /(— \S+ .{20})(.)/,
      (_, head: string, letter: string) => head + (letter === "A" ? "B" : "A"),
    );
    expect((await witness.post(spoiled)).status).to.equal(403);
    const line = good.slice(good.lastIndexOf("— "));
    expect((await witness.post(good + spoiled.slice(spoiled.lastIndexOf("— ")))).status).to.equal(403);
    const unknown = line.replace(ORIGIN, "someone.else");
    expect((await witness.post(good.replace(line, unknown))).status).to.equal(403);
    expect((await witness.post(good.replace("\n13\n", "\n14\n"))).status).to.equal(403);
  });

  const cases: readonly (readonly [what: string, spoil: (good: string) => string])[] = [
    ["nothing", () => ""],
    ["no old size", (good) => good.slice(good.indexOf("\n") + 1)],
    ["an old size with a zero before it", (good) => good.replace("old 12", "old 012")],
    ["a negative old size", (good) => good.replace("old 12", "old -12")],
    ["no empty line before the checkpoint", (good) => good.replace("\n\n", "\n")],
    ["a hash of another length", (good) => good.replace("old 12\n", "old 12\nAAAA\n")],
    ["64 hashes", (good) => good.replace("old 12\n", `old 12\n${`${"A".repeat(43)}=\n`.repeat(64)}`)],
    ["no signature", (good) => good.slice(0, good.lastIndexOf("— "))],
    ["a checkpoint without a root", (good) => good.replace(/\n[^\n]{44}\n\n—/, "\n\n—")],
    ["a carriage return", (good) => good.replace("\n", "\r\n")],
  ];
  for (const [what, spoil] of cases) {
    it(`a request with ${what} is not understood`, async () => {
      expect((await witness.post(spoil(log.request(12, history("one", 13))))).status).to.equal(400);
    });
  }

  it("bodies that are too long, other methods and other addresses are refused", async () => {
    expect((await witness.post("x".repeat(300_000))).status).to.equal(413);
    expect((await fetch(`${witness.url}add-checkpoint`)).status).to.equal(405);
    expect((await fetch(`${witness.url}evidence`, { method: "DELETE" })).status).to.equal(405);
    expect((await fetch(`${witness.url}../../etc/passwd`)).status).to.equal(404);
    expect((await fetch(`${witness.url}${hashOf("log.xx.example/2026")}/checkpoint`)).status).to.equal(404);
  });

  it("shows monitors the newest checkpoint of each log, with the log's signature and its own", async () => {
    const response = await fetch(`${witness.url}${hashOf(ORIGIN)}/checkpoint`);
    expect(response.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
    const text = await response.text();
    const { body, signatures } = parseNote(text);
    expect(`${body}\n`).to.equal(log.note(history("one", 12)).split("— ")[0]);
    expect(signatures.map(({ name }) => name)).to.deep.equal([
      ORIGIN,
      "witness.example/w1",
      "witness.example/w1",
    ]);
    const lines = text.slice(text.indexOf("— witness"));
    expect(await timesOf(lines, text, witness.keys)).to.not.include(null);
  });

  it("a log of no leaves has one root", async () => {
    const empty = await createTestLog(ORIGIN);
    const folder = await initFolder();
    const fresh = await startWitness(folder, ["--log", empty.vkey]);
    const wrong = formatCheckpoint({ origin: ORIGIN, size: 0, root: new Uint8Array(32) });
    const note = `${wrong}\n${empty.signer.lineAt(wrong, 0)}`;
    expect((await fresh.post(encodeAddCheckpoint({ old: 0, path: [], note }))).status).to.equal(422);
    expect((await fresh.post(empty.request(0, []))).status).to.equal(200);
    expect((await fresh.post(empty.request(0, history("one", 2)))).status).to.equal(200);
    const proof = encodeAddCheckpoint({
      old: 0,
      path: [new Uint8Array(32)],
      note: empty.note(history("one", 2)),
    });
    expect((await fresh.post(proof)).status).to.equal(409);
    await fresh.program.stop();
    removeFolder(folder);
  });

  it("two processes cannot be one witness, and a folder without keys is none", async () => {
    const run = (folder: string) => {
      const flags = `registry witness --folder ${folder} --port 0 --log ${log.vkey}`;
      return startProgram([MAIN, ...flags.split(" ")]).ended;
    };
    const second = await run(witness.folder);
    expect(second.code).to.equal(4);
    expect(second.err).to.contain("already running");
    const empty = await run(join(witness.folder, "nothing"));
    expect(empty.err).to.contain("witness init");
  });

  it("keys that are damaged are said to be, with the file that they are in", async () => {
    const folder = join(witness.folder, "damaged");
    await initWitness(folder, "witness.example/damaged");
    const file = join(folder, "witness.json");
    for (const text of ["", "{", "{}", "null"]) {
      await writeFile(file, text);
      const error = await openSigners(folder, () => new Date()).catch((cause: unknown) => cause);
      expect(error, text).to.be.instanceOf(OperatorError);
      expect((error as OperatorError).message, text).to.contain(`${file} is damaged`);
    }
  });

  it("keys are not made a second time, and not for a name that cannot be", async () => {
    const run = (name: string, folder: string) =>
      startProgram([MAIN, "registry", "witness", "init", name, "--folder", folder]).ended;
    expect((await run("witness.example/w2", witness.folder)).code).to.equal(4);
    for (const name of ["has a space", "a+b", "", "n".repeat(256)])
      expect((await run(name, join(witness.folder, "another"))).code, name).to.equal(4);
  });
});
