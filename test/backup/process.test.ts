/** Backups as an operator makes them: from the command line, beside a running server. `process.deep.ts` kills and fills disks. */
import { expect } from "chai";
import { freehold, type Program } from "../support/process.ts";
import { type Operator, openOperator } from "./operator.ts";

const FILES = 5;

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("there is none");
  return item;
}

describe("backups from the command line", function () {
  this.timeout(60_000);
  let operator: Operator;
  let running: Program | null = null;

  before(async () => {
    operator = await openOperator(FILES);
  });
  afterEach(async () => {
    await running?.stop("SIGKILL");
    running = null;
  });
  after(() => operator.remove());

  async function start(name = "data"): Promise<Program> {
    running = freehold(["start", ...operator.flags(name)]);
    await running.until(/ {2}data /);
    return running;
  }

  it("backs up a running server, lists, proves, and puts one pod back, each with one command", async () => {
    await start();
    const made = await operator.run("data", "backup");
    expect([made.code, made.out.split("\n").length], made.err).to.deep.equal([0, 4]);
    expect(made.out).to.match(
      /freehold-all-\d{8}T\d{6}Z\.backup {2}.* 1 pod, \d+ records, 0 files\n.*freehold-keys-.* keys\n/,
    );
    expect(made.err, "progress, plainly")
      .to.match(/^Copying: .*\n/)
      .and.not.include("\r");
    const { file } = first(await operator.whole());
    const listed = await operator.run("data", "backup", "list");
    expect(listed.out).to.match(/not proved +freehold-all-/);
    const verified = await operator.run("data", "verify-backup", file);
    expect([verified.code, verified.out], verified.err).to.satisfy(
      ([code, out]: [number, string]) =>
        code === 0 && /^Proved: .*\n.*41? documents|documents asked for over HTTP/s.test(out),
    );
    expect((await operator.run("data", "backup", "list")).out).to.match(/proved \d{4}-.* freehold-all-/);
    const back = await operator.run("data", "restore", file, "--pod", "ana");
    expect(
      [back.code, back.err.split("\n").filter((line) => /What to do|refused/.test(line))],
      back.err,
    ).to.deep.equal([0, []]);
    const refused = await operator.run("data", "restore", file);
    expect([refused.code, refused.out]).to.deep.equal([4, ""]);
    expect(refused.err)
      .to.match(/in use/)
      .and.not.match(/ {4}at /);
  });
});
