/** What a witness remembers, and what it never signs: whatever it is told, whenever it dies, whatever its disk and clock do. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { parseVerifierKey, type VerifierKey, verifierKeyOf } from "../../../client-lib/registry/index.ts";
import { createSigner } from "../../../server/registry/log/signer.ts";
import { createWitnessMemory } from "../../../server/registry/witness/memory.ts";
import { encodeAddCheckpoint } from "../../../server/registry/witness/wire.ts";
import { createWitness, type LogKeys } from "../../../server/registry/witness/witness.ts";
import { temporaryFolder } from "../../support/store.ts";
import { createTestLog, history, ORIGIN, type TestLog, timesOf } from "./logs.ts";

const hashOf = (origin: string): string => createHash("sha256").update(origin).digest("hex");
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** In this process, on a folder of its own. */
async function inProcess(
  folder: string,
  logKeys: LogKeys,
  now: () => Date,
  memory = createWitnessMemory(folder, { witnessEvidenceMax: 10 }),
) {
  const seed = new Uint8Array(32).fill(1);
  const signers = await Promise.all(
    ([4, 6] as const).map((type) => createSigner({ name: "witness.example/w1", type, seed, now })),
  );
  return createWitness({ signers, logKeys, memory: await memory, now, log: quiet });
}

describe("what a witness remembers", () => {
  const SECONDS = 1_790_000_000;
  let folder: string;
  let own: Awaited<ReturnType<typeof temporaryFolder>>;
  let log: TestLog;

  beforeEach(async () => {
    own = await temporaryFolder();
    folder = own.folder;
    log = await createTestLog();
  });
  afterEach(() => own.remove());

  let folders = 0;
  const keys: LogKeys = async (origin) => (origin === ORIGIN ? [log.signer.key] : []);
  const clock = (seconds: number) => () => new Date(seconds * 1_000);

  it("a checkpoint of Go's checksum database and a history of Sigsum are cosigned as others do", async () => {
    const sumdb = await parseVerifierKey(
      "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    );
    const tree = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
    const raw = Buffer.from("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f", "hex");
    const sigsum = await verifierKeyOf(tree, 1, new Uint8Array(raw));
    const known = new Map<string, VerifierKey>([
      ["go.sum database tree", sumdb],
      [tree, sigsum],
    ]);
    const witness = await inProcess(
      folder,
      async (origin) => [known.get(origin) ?? []].flat(),
      clock(SECONDS),
    );
    const status = async (...lines: readonly string[]) =>
      (await witness.addCheckpoint(lines.join("\n"))).status;
    const sum = [
      "old 0",
      "",
      "go.sum database tree",
      "35225469",
      "vt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=",
      "",
      "— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=",
      "",
    ];
    expect(await status(...sum)).to.equal(200);
    const one = [
      "",
      tree,
      "1",
      "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "",
      `— ${tree} UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=`,
      "",
    ];
    const three = (letter: string) => [
      "",
      tree,
      "3",
      "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=",
      "",
      `— ${tree} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6g${letter}=`,
      "",
    ];
    const [first, second] = [
      "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ];
    expect(await status("old 0", ...one)).to.equal(200);
    expect(await status("old 1", first, second, ...three("x"))).to.be.oneOf([400, 403]);
    expect(await status("old 1", first, second, ...three("o"))).to.equal(200);
  });

  it("a log with two keys may sign with either, and a line of one that does not hold spoils the other's", async () => {
    const second = await createTestLog(ORIGIN, 78);
    const both: LogKeys = async () => [log.signer.key, second.signer.key];
    const witness = await inProcess(folder, both, clock(SECONDS));
    const entries = history("one", 2);
    const line = (from: TestLog) => from.note(entries).split("\n\n")[1] ?? "";
    const forged = line(second).replace(/.{6}\n$/, (end) =>
      end.startsWith("AA") ? `BB${end.slice(2)}` : `AA${end.slice(2)}`,
    );
    const ask = async (lines: string) =>
      (await witness.addCheckpoint(`${log.request(0, entries).split("— ")[0]}${lines}`)).status;
    expect(await ask(line(log) + forged)).to.equal(403);
    expect(await ask(forged)).to.equal(403);
    expect(await ask(line(second))).to.equal(200);
  });

  it("of requests that come at once, one for each state is signed", async () => {
    const witness = await inProcess(folder, keys, clock(SECONDS));
    await witness.addCheckpoint(log.request(0, history("one", 4)));
    const sizes = [5, 6, 7, 8, 9, 10, 11, 12];
    const answers = await Promise.all(
      sizes.map((size) => witness.addCheckpoint(log.request(4, history("one", size)))),
    );
    const signed = sizes.filter((_, index) => answers[index]?.status === 200);
    expect(signed).to.have.length(1);
    const others = answers.filter(({ status }) => status !== 200);
    expect(others.map(({ status, body }) => [status, body])).to.deep.equal(
      Array.from({ length: 7 }, () => [409, `${signed[0]}\n`]),
    );
  });

  it("whatever logs tell it in whatever order, it never signs two trees of a size, nor one that does not hold the one before", async () => {
    const step = fc.record({
      branch: fc.constantFrom("a", "b"),
      parts: fc.integer({ min: 0, max: 8 }),
      size: fc.integer({ min: 0, max: 12 }),
      old: fc.option(fc.integer({ min: 0, max: 12 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        folders += 1;
        const own = join(folder, `run-${folders}`);
        const witness = await inProcess(own, keys, clock(SECONDS));
        const signed: (readonly Uint8Array[])[] = [];
        for (const { branch, parts, size, old } of steps) {
          const common = Math.min(parts, size);
          const entries = [...history("one", common), ...history(branch, size - common)];
          const from = Math.min(old ?? signed.at(-1)?.length ?? 0, size);
          const { status } = await witness.addCheckpoint(log.request(from, entries));
          if (status === 200) signed.push(entries);
        }
        for (const [index, later] of signed.entries()) {
          const before = signed[index - 1] ?? [];
          expect(later.slice(0, before.length)).to.deep.equal(before);
        }
      }),
      { seed: 20_267, numRuns: 60 },
    );
  });

  it("nothing is signed where the record cannot be read, and nothing leaves that could not be written", async () => {
    const witness = await inProcess(folder, keys, clock(SECONDS));
    await witness.addCheckpoint(log.request(0, history("one", 4)));
    const path = join(folder, "logs", `${hashOf(ORIGIN)}.json`);
    const good = readFileSync(path);
    for (const bad of [
      "",
      "{}",
      good.toString().replace('"size":4', '"size":-4'),
      good.toString().replace(ORIGIN, "x"),
    ]) {
      writeFileSync(path, bad);
      const error = await witness
        .addCheckpoint(log.request(0, history("two", 4)))
        .catch((cause: unknown) => cause);
      expect(String(error)).to.contain("cannot be read");
    }
    writeFileSync(path, good);
    const memory = await createWitnessMemory(folder, { witnessEvidenceMax: 10 });
    const failing = { ...memory, write: () => Promise.reject(new Error("EIO")) };
    const unlucky = await inProcess(folder, keys, clock(SECONDS), Promise.resolve(failing));
    const error = await unlucky
      .addCheckpoint(log.request(4, history("one", 5)))
      .catch((cause: unknown) => cause);
    expect(String(error)).to.contain("EIO");
    expect(await witness.checkpoint(hashOf(ORIGIN))).to.contain("\n4\n");
  });

  it("killed after the record and before the answer, it signs the same tree again and no other of that size", async () => {
    const memory = await createWitnessMemory(folder, { witnessEvidenceMax: 10 });
    const dying = {
      ...memory,
      write: async (...args: Parameters<typeof memory.write>) => {
        await memory.write(...args);
        throw new Error("killed");
      },
    };
    const before = await inProcess(folder, keys, clock(SECONDS), Promise.resolve(dying));
    const error = await before
      .addCheckpoint(log.request(0, history("one", 4)))
      .catch((cause: unknown) => cause);
    expect(String(error)).to.contain("killed");
    const after = await inProcess(folder, keys, clock(SECONDS));
    const fork = await after.addCheckpoint(log.request(0, history("two", 4)));
    expect([fork.status, fork.body]).to.deep.equal([409, "4\n"]);
    const again = (entries: readonly Uint8Array[]) =>
      encodeAddCheckpoint({ old: 4, path: [], note: log.note(entries) });
    expect((await after.addCheckpoint(again(history("two", 4)))).status).to.equal(422);
    expect((await after.addCheckpoint(again(history("one", 4)))).status).to.equal(200);
    expect(await after.evidence()).to.have.length(1);
  });

  it("a clock that was set back a little repeats the last time; one that lost a day signs nothing", async () => {
    const entries = history("one", 4);
    const lines = async (seconds: number, old: number) =>
      (await inProcess(folder, keys, clock(seconds))).addCheckpoint(
        encodeAddCheckpoint({ old, path: [], note: log.note(entries) }),
      );
    const signer = await createSigner({
      name: "witness.example/w1",
      type: 4,
      seed: new Uint8Array(32).fill(1),
      now: clock(0),
    });
    const timeOf = async (text: string) => (await timesOf(text, log.note(entries), [signer.key]))[0];
    expect(await timeOf((await lines(SECONDS, 0)).body)).to.equal(SECONDS);
    expect(await timeOf((await lines(SECONDS - 300, 4)).body)).to.equal(SECONDS);
    expect((await lines(SECONDS - 301, 4)).status).to.equal(503);
    expect(await timeOf((await lines(SECONDS + 9, 4)).body)).to.equal(SECONDS + 9);
  });

  it("evidence is kept once, and not without end", async () => {
    const witness = await inProcess(folder, keys, clock(SECONDS));
    await witness.addCheckpoint(log.request(0, history("one", 4)));
    for (let index = 0; index < 15; index += 1) {
      for (let again = 0; again < 2; again += 1)
        await witness.addCheckpoint(
          encodeAddCheckpoint({ old: 4, path: [], note: log.note(history(`fork ${index}`, 4)) }),
        );
    }
    expect(await witness.evidence()).to.have.length(10);
    expect(readdirSync(join(folder, "evidence"))).to.have.length(10);
  });
});
