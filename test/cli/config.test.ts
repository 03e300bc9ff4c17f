/** Settings of the real program: which source wins, what is refused and how it is named, and that no secret is ever shown. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseJsonc } from "../../server/cli/jsonc.ts";
import { gatherSettings, settingsSchema } from "../../server/cli/settings.ts";
import { readConfig, SETTINGS } from "../../server/config.ts";
import { OperatorError } from "../../server/errors.ts";
import { type Exit, freehold } from "../support/process.ts";

const CANARY = "canary-9f2b";

interface Printed {
  readonly exit: number;
  readonly result: {
    readonly file: string | null;
    readonly settings: readonly { readonly key: string; readonly value: string; readonly source: string }[];
  };
}

describe("settings of the command line", function () {
  this.timeout(180_000);
  let root: string;
  let number = 0;
  before(async () => (root = await mkdtemp(join(tmpdir(), "freehold-config-"))));
  after(() => rm(root, { recursive: true, force: true }));

  /** A folder of its own, with these files in it. */
  async function place(files: Readonly<Record<string, unknown>> = {}): Promise<string> {
    number += 1;
    const folder = join(root, String(number));
    await mkdir(folder);
    for (const [name, content] of Object.entries(files))
      await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content), {
        mode: 0o600,
      });
    return folder;
  }
  const runIn = (folder: string, args: readonly string[], env: Record<string, string> = {}): Promise<Exit> =>
    freehold(args, env, ["sh", "-c", 'cd "$0" && exec "$@"', folder]).ended;
  const printed = async (folder: string, args: readonly string[] = [], env: Record<string, string> = {}) => {
    const { code, out, err } = await runIn(folder, ["--print-config", "--json", ...args], env);
    expect(code, err).to.equal(0);
    const { result } = JSON.parse(out) as Printed;
    return (key: string): readonly [string, string] => {
      const found = result.settings.find((one) => one.key === key);
      return [found?.value ?? "", (found?.source ?? "").replace(folder, "")];
    };
  };
  /** By the function that the command line calls: the refusal, which a process would print and end with 3. */
  const refused = (folder: string, env: Record<string, string>, why: RegExp, named?: string): void => {
    let said = "";
    try {
      readConfig(gatherSettings({}, env, { named, isQuiet: false, folder }).values);
    } catch (error) {
      expect(error).to.be.instanceOf(OperatorError);
      said = (error as Error).message;
    }
    expect(said).to.match(why).and.not.include(CANARY);
  };

  it("flags win over the environment, that over the file, and that over what holds otherwise", async () => {
    const folder = await place({
      "freehold.config.jsonc":
        '// ours\n{ "port": 4001, "host": "::1", "bearer": true, /* all */ "zones": ["ch", "za"], }',
    });
    const of = await printed(folder, ["--port", "4003"], { FREEHOLD_PORT: "4002", FREEHOLD_HOST: "0.0.0.0" });
    expect(of("port")).to.deep.equal(["4003", "flag --port"]);
    expect(of("host")).to.deep.equal(["0.0.0.0", "environment FREEHOLD_HOST"]);
    expect(of("bearer")).to.deep.equal(["on", "file /freehold.config.jsonc"]);
    expect(of("zones")).to.deep.equal(["ch,za", "file /freehold.config.jsonc"]);
    expect(of("access")).to.deep.equal(["wac", "default"]);
  });

  it("the file is named by --config or FREEHOLD_CONFIG, or found here, or in the data folder", async () => {
    const folder = await place({ "mine.json": { port: 4100 } });
    await mkdir(join(folder, "freehold-data"));
    await writeFile(join(folder, "freehold-data", "freehold.config.json"), '{"port":4101}');
    expect((await printed(folder))("port")[0]).to.equal("4101");
    expect((await printed(folder, ["--config", "mine.json"]))("port")[0]).to.equal("4100");
    expect((await printed(folder, [], { FREEHOLD_CONFIG: "mine.json" }))("port")[0]).to.equal("4100");
    await writeFile(join(folder, "freehold.config.json"), '{"port":4102}');
    expect((await printed(folder))("port")[0]).to.equal("4102");
    await writeFile(join(folder, "freehold.config.jsonc"), "{}");
    refused(folder, {}, /There are .*freehold\.config\.json and .*freehold\.config\.jsonc; keep one/);
    refused(folder, {}, /none\.json cannot be read: it is not there/, "none.json");
  });

  it("a path in the file is meant from the file, wherever the command was typed", async () => {
    const folder = await place({ "own.json": { data: "kept" } });
    const elsewhere = await place();
    const { out } = await runIn(elsewhere, [
      "--print-config",
      "--json",
      "--config",
      join(folder, "own.json"),
    ]);
    const { result } = JSON.parse(out) as Printed;
    expect(result.settings.find(({ key }) => key === "data")?.value).to.equal(join(folder, "kept"));
  });

  const bad: readonly (readonly [what: string, content: unknown, why: RegExp])[] = [
    ["an unknown key", { prot: 1 }, /"prot" is not a setting\. Did you mean port\?/],
    ["the name of the environment", { FREEHOLD_PORT: 1 }, /"FREEHOLD_PORT" is not a setting/],
    ["a prototype's name", '{"__proto__": {"port": 1}}', /"__proto__" is not a setting/],
    ["a port in words", { port: "eighty" }, /"port" wants a whole number from 0 to 65535/],
    ["a port too high", { port: 70_000 }, /"port" wants a whole number from 0 to 65535/],
    ["a port that is an object", { port: {} }, /"port" wants a whole number/],
    ["a switch that is a number", { bearer: 1 }, /"bearer" wants true or false/],
    ["a list with a comma in an item", { zones: ["ch,za"] }, /"zones" wants a list of texts without commas/],
    ["text that is null", { host: null }, /"host" wants text/],
    ["a limit that is not known", { limits: { rowsMax: 1 } }, /"limits" knows no limit called rowsMax/],
    ["a limit in words", { limits: { queryMsMax: "1" } }, /"limits" wants names with whole numbers/],
    ["a list", [], /should be one object/],
    ["a file cut short", '{\n  "port": 1,\n  "host"', /json:3:9: a colon is missing/],
    ["a name twice", '{"port": 1,\n"port": 2}', /json:2:7: this name stands here twice/],
    ["something after the end", '{} {"port": 1}', /json:1:4: here the file should end/],
    [
      "a store that is none, whose text is not told",
      { store: `mysql://a:${CANARY}@h/d` },
      /"store" wants sqlite, or postgres/,
    ],
    ["a secret in the wrong type", { store: [CANARY] }, /"store" wants text/],
    [
      "a secret where JSON breaks",
      `{"store": "postgres://a:${CANARY}@h/d" "port": 1}`,
      /json:1:\d+: a comma or } is missing/,
    ],
  ];
  for (const [what, content, why] of bad)
    it(`refuses ${what}`, async () => {
      refused(await place({ "freehold.config.json": content }), {}, why);
    });

  it("passwords are stars, in words and in JSON, wherever they come from", async () => {
    const url = `postgres://ana:${CANARY}@localhost/pods?sslpassword=${CANARY}`;
    const folder = await place({
      "freehold.config.json": { store: url },
      secret: `${url}\n`,
      "empty.json": {},
    });
    for (const [args, env] of [
      [["--json"], {}],
      [["--config", "empty.json"], { FREEHOLD_STORE: url }],
      [["--config", "empty.json", "--json"], { FREEHOLD_STORE_FILE: "secret" }],
    ] as const) {
      const { code, out, err } = await runIn(folder, ["--print-config", ...args], env);
      expect(code, err).to.equal(0);
      expect(out + err)
        .to.include("postgres://ana:***@localhost/pods")
        .and.not.include(CANARY);
    }
    const flag = await runIn(folder, ["--print-config", "--store", url]);
    expect([flag.code, flag.out]).to.deep.equal([3, ""]);
    expect(flag.err)
      .to.match(/--store holds a password/)
      .and.not.include(CANARY);
  });

  it("a file with a password that everybody can read is refused; so is one that everybody can write", async () => {
    const folder = await place({
      "freehold.config.json": { store: `postgres://ana:${CANARY}@localhost/pods` },
    });
    await chmod(join(folder, "freehold.config.json"), 0o644);
    refused(folder, {}, /holds a password, and everybody on this machine can read it.*chmod 600/);
    const open = await place({ "freehold.config.json": { port: 1 } });
    await chmod(join(open, "freehold.config.json"), 0o646);
    refused(open, {}, /can be written by everybody on this machine/);
  });

  it("a secret's file may be a link, as they are mounted, and must be a file of ours to the end", async () => {
    const url = `postgres://ana:${CANARY}@localhost/pods`;
    const folder = await place({ real: url, open: url, "long.txt": "x".repeat(70_000) });
    const ofFile = (name: string) => ({ FREEHOLD_STORE_FILE: name });
    await symlink("real", join(folder, "link"));
    const of = await printed(folder, [], ofFile("link"));
    expect(of("store")).to.deep.equal([
      "postgres://ana:***@localhost/pods",
      "environment FREEHOLD_STORE_FILE",
    ]);

    await chmod(join(folder, "open"), 0o666);
    await symlink("open", join(folder, "to-open"));
    await symlink("/dev/zero", join(folder, "to-device"));
    await symlink("nowhere", join(folder, "to-nothing"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    for (const [name, why] of [
      ["open", /can be written by everybody/],
      ["to-open", /can be written by everybody/],
      ["to-device", /is not a file/],
      ["to-nothing", /it is not there/],
      ["pipe", /is not a file/],
      [".", /is not a file/],
      ["long.txt", /has more than 65536 bytes/],
    ] as const)
      refused(folder, ofFile(name), why);
    refused(
      folder,
      { FREEHOLD_STORE: "sqlite", ...ofFile("real") },
      /Set either FREEHOLD_STORE or FREEHOLD_STORE_FILE/,
    );
    refused(
      folder,
      { FREEHOLD_PORT_FILE: "real" },
      /FREEHOLD_PORT_FILE is not a setting\. Did you mean FREEHOLD_PORT\?/,
    );
  });

  it("what is refused ends with 3, in words on stderr or as one document", async () => {
    const folder = await place({ "freehold.config.json": { prot: 1, store: `postgres://a:${CANARY}@h/d` } });
    for (const args of [["start"], ["--print-config"], ["account", "list"]]) {
      const { code, out, err } = await runIn(folder, args);
      expect([code, out], err).to.deep.equal([3, ""]);
      expect(err).to.match(/^\S+freehold\.config\.json: "prot" is not a setting\. Did you mean port\?/);
      expect(err)
        .to.not.include(CANARY)
        .and.not.match(/ {4}at /);
    }
    const { out } = await runIn(folder, ["start", "--json"]);
    expect(out).to.match(/^\{"exit":3,"problem":\{"what":[^\n]*\n$/);
  });

  it("knows the Community Solid Server's names, and says plainly what has no effect", async () => {
    const folder = await place();
    const of = await printed(folder, [
      "-p",
      "4200",
      "-b",
      "https://pod.example/",
      "-f",
      "there",
      "-l",
      "verbose",
      "-w",
      "4",
    ]);
    expect([of("port")[0], of("baseUrl")[0], of("data")[0], of("logLevel")[0]]).to.deep.equal([
      "4200",
      "https://pod.example/",
      "there",
      "debug",
    ]);
    const workers = await runIn(folder, ["--print-config", "--workers", "4"]);
    expect(workers.err).to.match(/--workers has no effect here/);
    const socket = await runIn(folder, ["start", "--socket", "/run/pod.sock"]);
    expect([socket.code, socket.err]).to.deep.equal([2, socket.err]);
    expect(socket.err).to.match(/--socket: this server listens on TCP only/);
    const twice = await runIn(folder, [
      "--print-config",
      "--baseUrl",
      "http://a/",
      "--base-url",
      "http://b/",
    ]);
    expect([twice.code, twice.err]).to.deep.equal([
      3,
      "Say either --base-url or --baseUrl, for they are the same.\n",
    ]);
  });

  it("its JSON Schema names every setting, and nothing else", async () => {
    const { code, out } = await runIn(await place(), ["config", "schema"]);
    expect(code).to.equal(0);
    expect(JSON.parse(out)).to.deep.equal(settingsSchema());
    const { properties, additionalProperties } = settingsSchema() as {
      readonly properties: object;
      readonly additionalProperties: boolean;
    };
    expect(Object.keys(properties)).to.have.length(Object.keys(SETTINGS).length + 1);
    expect(additionalProperties).to.equal(false);
  });

  it("init writes the settings it is given, once, and what it writes is taken", async () => {
    const folder = await place();
    const made = await runIn(folder, ["init", "--base-url", "https://pod.example/", "-p", "4300"]);
    expect(made.code, made.err).to.equal(0);
    expect(made.out)
      .to.match(/Next:\n {2}freehold /)
      .and.include("root.key");
    const of = await printed(folder);
    expect(of("port")).to.deep.equal(["4300", "file /freehold.config.json"]);
    expect(of("baseUrl")[0]).to.equal("https://pod.example/");
    const again = await runIn(folder, ["init"]);
    expect([again.code, again.err]).to.deep.equal([
      4,
      "freehold.config.json is here already. Say --force to replace it.\n",
    ]);
    const wrong = await runIn(await place(), ["init", "--port", "eighty"]);
    expect(wrong.code).to.equal(3);
    expect(wrong.err).to.match(/^FREEHOLD_PORT \(or --port\) wants a whole number/);
  });

  it("reads JSON as people write it, and agrees with JSON.parse on what is JSON", () => {
    for (const text of ['{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{}}', "[]", '"x"', " 7 "])
      expect(parseJsonc(text, "f")).to.deep.equal(JSON.parse(text));
    expect(parseJsonc('\uFEFF{"a": 1, // one\n "b": [2,], /* , */ }', "f")).to.deep.equal({ a: 1, b: [2] });
    for (const text of [
      "",
      "{",
      "[1 2]",
      '{"a" 1}',
      "{a:1}",
      "01",
      "nul",
      '"\n"',
      '"\\x"',
      "[,]",
      "//",
      "/*",
      "[".repeat(100),
    ])
      expect(() => parseJsonc(text, "f"), text).to.throw(/^f:\d+:\d+: /);
  });
});
