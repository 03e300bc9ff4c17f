/** Commands that people and programs type: accounts, queries, tokens, completion; and that --json is one document, also of a refusal. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { completion } from "../../server/cli/completion.ts";
import { TASKS } from "../../server/cli/tasks/index.ts";
import { type Exit, freehold, type Program, quietPort } from "../support/process.ts";
import { startServer } from "../support/server.ts";

const OLD = "the first long password 1";
const NEW = "the second long password 2";

interface Document {
  readonly exit: number;
  readonly lines?: readonly string[];
  readonly result?: unknown;
  readonly problem?: { readonly what: string; readonly why?: string; readonly next?: string };
}

describe("commands", function () {
  this.timeout(300_000);
  let folder: string;
  let port: string;
  let server: Program;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-commands-"));
    port = await quietPort();
    await writeFile(join(folder, "old"), `${OLD}\n`);
    server = freehold(["start", "--port", port, "--data", join(folder, "data"), "--bearer", "on"]);
    await server.until(/ {2}data /);
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Exit> =>
    freehold([...args, "--port", port, "--data", join(folder, "data"), "--bearer", "on"], env).ended;
  const asJson = async (...args: string[]): Promise<Document> => {
    const { out, err } = await run([...args, "--json"]);
    expect(out, err).to.match(/^\{[^\n]*\}\n$/);
    return JSON.parse(out) as Document;
  };
  const login = async (password: string): Promise<number> => {
    const origin = `http://localhost:${port}`;
    const response = await fetch(`${origin}/.account/login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin },
      body: JSON.stringify({ pod: "ana", password }),
    });
    return response.status;
  };

  it("an account is added, listed, shown, and given a new password", async () => {
    const keys = join(folder, "ana.keys");
    const added = await run([
      "account",
      "add",
      "ana",
      "--name",
      "Ana",
      "--password-file",
      join(folder, "old"),
      "--recovery-file",
      keys,
    ]);
    expect(added.code, added.err).to.equal(0);
    expect(added.out).to.match(/Ana has an account: .*ana\/profile\/card#me\nThe passport dpzz/);
    expect((await stat(keys)).mode & 0o077).to.equal(0);
    expect(await login(OLD)).to.equal(200);
    const { result } = await asJson("account", "list");
    expect(result).to.have.length(1);
    expect((result as readonly object[])[0]).to.include({
      pod: "ana",
      name: "Ana",
      hasPassword: true,
      passkeys: 0,
    });
    expect(JSON.stringify(result)).to.not.match(/argon2|secret/i);

    const changed = await run(["account", "password", "ana", "--password-env", "PASS"], { PASS: NEW });
    expect(changed.code, changed.err).to.equal(0);
    expect([await login(OLD), await login(NEW)]).to.deep.equal([401, 200]);
    for (const { out, err } of [added, changed])
      expect(out + err)
        .to.not.include(OLD)
        .and.not.include(NEW);

    const pods = await asJson("pod", "list");
    expect((pods.result as readonly { readonly url: string }[]).map(({ url }) => url)).to.deep.equal([
      `http://localhost:${port}/ana/`,
    ]);
  });

  it("what cannot be done is refused in words: what, why, what to do; as one document where JSON is wanted", async () => {
    const rows: readonly (readonly [readonly string[], RegExp])[] = [
      [["account", "add", "ana", "--password-file", join(folder, "old")], /The name ana is taken/],
      [["account", "add", "eve"], /The password is missing/],
    ];
    for (const [args, why] of rows) {
      const { exit, problem } = await asJson(...args);
      expect(exit).to.equal(4);
      expect(`${problem?.what} ${problem?.why}`).to.match(why);
    }
    const words = await run(["query", "ana", "SELEC"]);
    expect([words.code, words.out]).to.deep.equal([4, ""]);
    expect(words.err).to.match(/^The query was refused: /);
    expect(await asJson("strat")).to.deep.equal({
      exit: 2,
      problem: { what: "There is no command strat. Did you mean start?" },
    });
    expect((await asJson("acount", "list")).problem?.what).to.match(/Did you mean account list\?/);
  });

  it("asks a pod as its owner, and the journal says that the operator did", async () => {
    const found = await asJson("query", "ana", "SELECT ?name { ?me <http://xmlns.com/foaf/0.1/name> ?name }");
    expect(JSON.stringify(found.result)).to.include('"value":"Ana"');
    const table = await run(["query", "ana", "ASK {}"]);
    expect(table.out).to.equal("yes\n");
    const graph = await run([
      "query",
      "ana",
      "CONSTRUCT WHERE { ?me <http://xmlns.com/foaf/0.1/name> ?name }",
    ]);
    expect(graph.out).to.include('"Ana"');
    const journal = await run(["journal", "show", "ana"]);
    expect(journal.out).to.match(/operator.*query|query.*operator/);
  });

  it("a token is one that curl can send, and is the owner's", async () => {
    const { result } = await asJson("token", "ana");
    const { token, url } = result as { readonly token: string; readonly url: string };
    expect((await fetch(`${url}settings/`)).status).to.equal(401);
    expect(
      (await fetch(`${url}settings/`, { headers: { authorization: `Bearer ${token}` } })).status,
    ).to.equal(200);
    expect((await run(["token", "ana"])).out.split("\n")[1]).to.match(/^curl -H "Authorization: Bearer /);
  });

  it("where tokens must be bound to a key, there is none for curl, and the reason is given", async () => {
    const bound = await startServer();
    try {
      await bound.person("Ana");
      const { code, err } = await freehold(["token", "ana", "--data", bound.folder]).ended;
      expect(code).to.equal(4);
      expect(err).to.match(/only tokens that are bound to a key.*FREEHOLD_BEARER=on/);
    } finally {
      await bound.close();
    }
  });

  it("completes commands and flags, in shells that take what it prints", async () => {
    const bash = (await freehold(["completion", "bash"]).ended).out;
    const complete = (line: string): readonly string[] => {
      const words = line.split(" ");
      const script = `${bash}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _freehold; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
    };
    expect(complete("freehold acc")).to.deep.equal(["account"]);
    expect(complete("freehold account ")).to.include.members(["add", "list", "password", "remove"]);
    expect(complete("freehold account add --rec")).to.deep.equal(["--recovery-file"]);
    expect(complete("freehold vendor que")).to.deep.equal(["query"]);
    expect(complete("freehold start --base-u")).to.deep.equal(["--base-url"]);
    const refusal = await completion("fissh").catch(String);
    expect(refusal).to.match(/The shells are bash, zsh, fish\. Did you mean fish\?/);
    const [zsh, fish] = await Promise.all(
      ["zsh", "fish"].map(async (shell) => (await completion(shell)).lines.join("\n")),
    );
    for (const { name } of TASKS) {
      expect(zsh).to.include(`"${name}")`);
      expect(fish).to.include(`-a '${name.split(" ").at(-1)}'`);
    }
  });

  it("an account is removed with its pod, and nothing answers for it any more", async () => {
    const gone = await run(["account", "remove", "ana", "--yes"]);
    expect(gone.code, gone.err).to.equal(0);
    expect(await login(NEW)).to.equal(401);
    expect((await asJson("pod", "list")).lines).to.deep.equal(["There are no pods"]);
  });
});
