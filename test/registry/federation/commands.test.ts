/** The commands as they are typed: a root is begun, signed by its holders, published, served, and audited. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassportError, readRootRecord, type ZoneRecord } from "@freehold/client/registry";
import { expect } from "chai";
import { REGISTRY_COMMANDS } from "../../../server/cli/registry/commands.ts";
import { OperatorError } from "../../../server/errors.ts";
import { quietPort } from "../../support/process.ts";
import { temporaryFolder } from "../../support/store.ts";

interface Typed {
  readonly name: string;
  readonly args?: readonly string[];
  readonly flags?: Readonly<Record<string, readonly string[]>>;
  readonly folder: string;
}

/** What the command prints; what goes on and on is begun, and stopped by the signal. */
async function type(
  { name, args = [], flags = {}, folder }: Typed,
  signal: AbortSignal = AbortSignal.abort(),
  say: (line: string) => void = () => {},
): Promise<{ readonly code: number; readonly out: string }> {
  const command = REGISTRY_COMMANDS.find((one) => one.name === name);
  if (!command) throw new Error(`There is no command ${name}`);
  const lines: string[] = [];
  const code = await command.run({
    args,
    flags,
    folder,
    signal,
    report: () => {},
    now: () => new Date(),
    say: (line) => {
      lines.push(line);
      say(line);
    },
  });
  return { code, out: lines.join("\n") };
}

/** The words that a command refuses with. */
const refusal = (typed: Typed): Promise<string> =>
  type(typed).then(
    () => "nothing",
    (error: unknown) => {
      if (error instanceof OperatorError || error instanceof PassportError) return error.message;
      throw error;
    },
  );

describe("freehold registry root, mirror and audit", function () {
  this.timeout(120_000);
  const stop = new AbortController();
  const running: Promise<unknown>[] = [];
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    temporary = await temporaryFolder();
  });
  after(async () => {
    stop.abort();
    await Promise.all(running);
    await temporary.remove();
  });

  /** Begins what goes on and on. */
  const begin = (typed: Typed): Promise<void> =>
    new Promise((done, fail) => {
      const ends = type(typed, stop.signal, () => done());
      ends.catch(fail);
      running.push(ends);
    });

  it("lead from keys in three hands to a registry that an auditor finds to hold", async () => {
    const { folder } = temporary;
    const at = (name: string): string => join(folder, name);
    const [rootPort, zonePort, mirrorPort] = [await quietPort(), await quietPort(), await quietPort()];
    const [rootUrl, zoneUrl] = [`http://localhost:${rootPort}/`, `http://localhost:${zonePort}/`];
    const keys: string[] = [];
    for (const name of ["ann", "ben", "cem"])
      keys.push((await type({ name: "root key", args: [at(`${name}.json`)], folder })).out);
    expect(await refusal({ name: "root key", args: [at("ann.json")], folder })).to.match(/never replaced/);

    const root = { folder: at("root") };
    const allow = [new URL(zoneUrl).origin, new URL(rootUrl).origin];
    const flags = { port: [rootPort], threshold: ["2"], holder: keys, allow };
    const init = await type({ name: "root init", args: ["Of the tests"], flags, ...root });
    expect(init.out).to.contain("2 of 3 sign the next one");
    const zone = { folder: at("zone") };
    const zoneFlags = { port: [zonePort], root: [rootUrl] };
    const made = await type({ name: "init", args: ["zz", "Operator"], flags: zoneFlags, ...zone });
    await writeFile(at("zz.json"), /^record\s+(\{.*\})$/m.exec(made.out)?.[1] ?? "");
    const settings = join(zone.folder, "registry.json");
    await writeFile(settings, JSON.stringify({ ...JSON.parse(await readFile(settings, "utf8")), allow }));
    await type({ name: "root zone", args: ["zz", at("zz.json")], ...root });

    const sign = (name: string) => type({ name: "root sign", args: [at(`${name}.json`)], ...root });
    expect((await sign("ann")).out).to.contain("1 of 2 signatures");
    expect(await refusal({ name: "root publish", ...root })).to.match(/root-threshold/);
    expect(await refusal({ name: "root serve", ...root })).to.match(/no record in .* yet/);
    await type({ name: "root key", args: [at("stranger.json")], folder });
    expect(await refusal({ name: "root sign", args: [at("stranger.json")], ...root })).to.match(
      /none of those/,
    );
    expect((await sign("cem")).out).to.contain("2 of 2 signatures");
    await type({ name: "root publish", ...root });
    expect((await type({ name: "root show", ...root })).out).to.match(/version {2}1[\s\S]*zz {2}active/);

    await begin({ name: "root serve", flags: { quiet: [] }, ...root });
    await begin({ name: "serve", flags: { quiet: [] }, ...zone });
    const recordAt = async (url: string) => {
      const text = await (await fetch(`${url}v1/zones`)).text();
      return readRootRecord(text, { allowUrl: () => true }).record;
    };
    expect((await recordAt(zoneUrl)).version).to.equal(1);
    const secret = await type({ name: "mirror allow", args: ["one"], ...zone });
    await writeFile(at("secret"), secret.out);
    const mirrorFlags = { root: [rootUrl], secret: [at("secret")], port: [mirrorPort], quiet: [] };
    await begin({ name: "mirror", args: ["zz"], flags: mirrorFlags, folder: at("mirror") });
    const audited = await type({ name: "audit", args: [rootUrl], folder: at("auditor") }, stop.signal);
    expect(audited.code, audited.out).to.equal(0);
    expect(audited.out)
      .to.match(/zz\/\d{4} {2}holds/)
      .and.to.match(/root\/\d{4} {2}holds/);

    // The next version: the running root takes it up by itself, and hands out the one before, too.
    await type({ name: "root zone", args: ["zz"], flags: { status: ["failed"] }, ...root });
    for (const name of ["ben", "cem"]) await sign(name);
    await type({ name: "root publish", ...root });
    const status = async (): Promise<ZoneRecord["status"] | undefined> =>
      (await recordAt(rootUrl)).zones["zz"]?.status;
    for (let tries = 0; tries < 300 && (await status()) !== "failed"; tries += 1)
      await new Promise((done) => setTimeout(done, 100));
    expect(await status()).to.equal("failed");
    const before = await (await fetch(`${rootUrl}v1/zones?version=1`)).text();
    expect(readRootRecord(before, { allowUrl: () => true }).record.zones["zz"]?.status).to.equal("active");
  });

  it("say what is missing, and what to do", async () => {
    const folder = join(temporary.folder, "nothing");
    const cases: readonly (readonly [Typed, RegExp])[] = [
      [{ name: "root init", args: ["x"], folder }, /--holder/],
      [{ name: "root publish", folder }, /root init/],
      [{ name: "root sign", args: [join(folder, "no-key.json")], folder }, /no file of a holder's key/],
      [{ name: "takeover", args: ["zz", "x"], folder }, /--origin/],
      [{ name: "mirror", args: ["zz"], folder }, /--root/],
      [{ name: "mirror end", args: ["nobody"], folder }, /no mirror nobody/],
      [{ name: "audit", args: ["nonsense"], folder }, /root's address/],
    ];
    for (const [typed, says] of cases) expect(await refusal(typed), typed.name).to.match(says);
  });
});
