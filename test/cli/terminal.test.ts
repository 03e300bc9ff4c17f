/** What a person at the terminal sees and types: progress, and secrets that are shown nowhere. */
import { EventEmitter } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { refusalInWords } from "../../server/cli/messages.ts";
import { bytesInWords, createProgress } from "../../server/cli/progress.ts";
import { findSecret, type SecretSource, type Terminal } from "../../server/cli/secret.ts";

function createTerminal(isTTY = true) {
  const written: string[] = [];
  const modes: boolean[] = [];
  const input = Object.assign(new EventEmitter(), {
    isTTY,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
    resume() {},
    pause() {},
    setEncoding() {},
  });
  const terminal = { input, output: { write: (text: string) => written.push(text) } } as unknown as Terminal;
  return { terminal, written, modes, type: (keys: string) => input.emit("data", keys) };
}

const SOURCE: SecretSource = {
  file: undefined,
  variable: undefined,
  mayAsk: true,
  about: "Passphrase",
  isNew: false,
};

describe("a secret for a task", () => {
  it("is typed unseen, with corrections, and the terminal is as it was afterwards", async () => {
    const { terminal, written, modes, type } = createTerminal();
    const asked = findSecret(SOURCE, {}, terminal);
    type("open sez");
    type("\u007F\u007F");
    type("same\u00E9\r");
    expect(await asked).to.equal("open ssame\u00E9");
    expect(written.join("")).to.equal("Passphrase: \n");
    expect(modes).to.deep.equal([true, false]);
  });

  it("is typed twice when it is new, and both must agree", async () => {
    for (const [second, agrees] of [
      ["correct horse", true],
      ["correct house", false],
    ] as const) {
      const { terminal, type, written } = createTerminal();
      const asked = findSecret({ ...SOURCE, isNew: true }, {}, terminal).catch(String);
      type("correct horse\r");
      await new Promise(setImmediate);
      type(`${second}\r`);
      expect(await asked).to.match(agrees ? /^correct horse$/ : /not the same/);
      expect(written.join("")).not.to.match(/horse|house/);
    }
  });

  it("can be refused: Ctrl+C ends the question", async () => {
    const { terminal, type, modes } = createTerminal();
    const asked = findSecret(SOURCE, {}, terminal).catch(String);
    type("half\u0003");
    expect(await asked).to.match(/Broken off/);
    expect(modes).to.deep.equal([true, false]);
  });

  it("comes from a file without its last line break, or from a variable; nobody is asked then", async () => {
    const folder = await mkdtemp(join(tmpdir(), "freehold-secret-"));
    const file = join(folder, "passphrase");
    await writeFile(file, " correct horse \n");
    const { terminal, written } = createTerminal();
    expect(await findSecret({ ...SOURCE, file }, {}, terminal)).to.equal(" correct horse ");
    expect(await findSecret({ ...SOURCE, variable: "OPEN" }, { OPEN: "sesame" }, terminal)).to.equal(
      "sesame",
    );
    expect(await findSecret({ ...SOURCE, variable: "SHUT" }, {}, terminal).catch(String)).to.match(
      /no environment variable SHUT/,
    );
    await writeFile(file, "\n");
    expect(await findSecret({ ...SOURCE, file }, {}, terminal).catch(String)).to.match(/empty/);
    expect(written).to.deep.equal([]);
    await rm(folder, { recursive: true });
  });

  it("is none where nobody can be asked, or nobody needs it", async () => {
    expect(await findSecret(SOURCE, {}, createTerminal(false).terminal)).to.equal(null);
    expect(await findSecret({ ...SOURCE, mayAsk: false }, {}, createTerminal().terminal)).to.equal(null);
  });
});

describe("progress", () => {
  const show = (isTTY: boolean, steps: readonly (readonly [string, number, number | null, number])[]) => {
    const written: string[] = [];
    let now = 0;
    const { report, end } = createProgress(
      { isTTY, columns: 60, write: (text: string) => written.push(text) },
      () => now,
    );
    for (const [stage, done, total, at] of steps) {
      now = at;
      report({ stage, done, total, unit: "bytes" });
    }
    end();
    return written;
  };

  it("is a bar on a terminal, one line for each stage, and no wider than it", () => {
    const written = show(true, [
      ["copy", 0, 4e6, 0],
      ["copy", 1e6, 4e6, 10],
      ["copy", 2e6, 4e6, 1_000],
      ["copy", 4e6, 4e6, 2_000],
      ["seal", 5, null, 3_000],
    ]);
    expect(written).to.have.length(5);
    expect(written[1]).to.equal(
      `\r\u001B[2K${"[############------------] copy:  50 % 2.0 MB of 4.0 MB, 2.0 MB/s".slice(0, 59)}`,
    );
    expect(written[3]).to.equal("\n\r\u001B[2Kseal: 5 B");
    expect(written[4]).to.equal("\n");
  });

  it("is a line now and then elsewhere, without control characters", () => {
    const written = show(false, [
      ["copy", 0, 4e6, 0],
      ["copy", 1e6, 4e6, 1_000],
      ["copy", 2e6, 4e6, 6_000],
      ["copy", 4e6, 4e6, 7_000],
    ]);
    expect(written).to.deep.equal([
      "copy:   0 % 0 B of 4.0 MB\n",
      "copy:  50 % 2.0 MB of 4.0 MB, 333 kB/s\n",
      "copy: 100 % 4.0 MB of 4.0 MB, 571 kB/s\n",
    ]);
  });

  it("is not steered by names that strangers chose", () => {
    const what = "a\u001b[2Jb\u009b1mc\u202ed\te\nf é 😀";
    expect(refusalInWords({ what, exit: 1 })).to.equal("a?[2Jb?1mc?d\te\nf é 😀");
  });

  it("says sizes as people do", () => {
    expect([0, 999, 1_000, 15_400_000, 2e12].map(bytesInWords)).to.deep.equal([
      "0 B",
      "999 B",
      "1.0 kB",
      "15.4 MB",
      "2.0 TB",
    ]);
  });
});
