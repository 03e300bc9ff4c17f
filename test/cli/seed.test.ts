/** `freehold seed`: what a file says is there afterwards, once; a file that is wrong changes nothing, and is told where. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readSeed } from "../../server/cli/seed/plan.ts";
import { SEED_SCHEMA } from "../../server/cli/seed/schema.ts";
import { seedFrom } from "../../server/cli/tasks/seed.ts";
import { OperatorError } from "../../server/errors.ts";
import { type Exit, freehold, quietPort } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

const SECRET = "a canary among passwords 7c1";
const JSON_LINES = /^[^\n]*\n$/;

interface Sown {
  readonly accounts: number;
  readonly documents: number;
  readonly grants: number;
  readonly kept: number;
}

describe("freehold seed", function () {
  this.timeout(240_000);
  let folder: string;
  let number = 0;
  let server: TestServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freehold-seed-"));
    server = await startServer();
  });
  after(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** By the real command, on the running server. */
  const run = (...args: string[]): Promise<Exit> => freehold([...args, "--data", server.folder]).ended;
  async function write(content: unknown): Promise<string> {
    number += 1;
    const path = join(folder, `seed-${number}.jsonc`);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }
  const sown = ({ code, out, err }: Exit): Sown => {
    expect(code, `${out}${err}`).to.equal(0);
    expect(out).to.match(JSON_LINES);
    return (JSON.parse(out) as { readonly result: Sown }).result;
  };
  const until = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);

  it("makes accounts, documents, shapes, rules and grants; the same file again changes nothing", async () => {
    await writeFile(join(folder, "note.ttl"), '<#it> <urn:x:says> "from a file" .');
    await writeFile(join(folder, "password"), `${SECRET}\n`);
    const file = await write({
      accounts: [
        {
          pod: "ana",
          name: "Ana",
          passwordFile: "password",
          recoveryFile: "ana.keys",
          documents: [
            { path: "notes/a note.ttl", file: "note.ttl" },
            { path: "notes/b.txt", content: "plain" },
          ],
          shapes: [{ folder: "bank/", shape: "BankTransaction" }],
          access: [
            { path: "notes/", to: "public", modes: ["read"] },
            { path: "notes/b.txt", to: "shop", modes: ["read", "append"] },
          ],
          grants: [
            { to: "shop", places: ["notes/"], purposes: ["ServiceProvision"], until, benefit: "Parcels" },
          ],
        },
      ],
      vendors: [{ pod: "shop", password: SECRET }],
    });
    const first = sown(await run("seed", file, "--json"));
    expect(first).to.include({ accounts: 2, documents: 2, shapes: 1, rules: 2, grants: 1, kept: 0 });
    const again = await run("seed", file, "--json");
    expect(sown(again)).to.include({ accounts: 0, documents: 0, shapes: 0, rules: 0, grants: 0, kept: 8 });
    expect(again.out + again.err).to.not.include(SECRET);

    expect((await stat(join(folder, "ana.keys"))).mode & 0o077).to.equal(0);
    const asked = await run("query", "ana", "SELECT ?o { ?s <urn:x:says> ?o }");
    expect(asked.out).to.equal("o\n-----------\nfrom a file\n1 row\n");
    const { result } = JSON.parse((await run("pod", "show", "ana", "--json")).out) as {
      readonly result: { readonly rules: readonly object[]; readonly grants: readonly object[] };
    };
    const shop = `${server.baseUrl}shop/profile/card#me`;
    expect(result.rules)
      .to.deep.include({ path: "/ana/notes/", who: "public", modes: ["read"] })
      .and.deep.include({ path: "/ana/notes/b.txt", who: shop, modes: ["read", "append"] });
    expect(result.grants).to.have.length(1);
  });

  it("what is there and says something else stays, unless --replace is said", async () => {
    const of = (content: string) =>
      write({ accounts: [{ pod: "kept", password: SECRET, documents: [{ path: "a.txt", content }] }] });
    const documents = async (content: string, replaces: boolean): Promise<unknown> =>
      ((await seedFrom(server.context, await of(content), replaces, () => {})).value as Sown).documents;
    expect(await documents("one", false)).to.equal(1);
    expect(await documents("two", false)).to.equal(0);
    expect(await documents("two", true)).to.equal(1);
    expect(await documents("two", true)).to.equal(0);
  });

  it("takes a seed file of the Community Solid Server as it is, at the start too", async () => {
    const css = [
      { email: "hello@example.com", password: SECRET, pods: [{ name: "hello" }, { name: "second" }] },
      { email: "nopods@example.com", password: SECRET },
    ];
    const file = await write(css);
    const port = await quietPort();
    const program = freehold([
      "start",
      "-p",
      port,
      "-f",
      join(folder, "css"),
      "--seedConfig",
      file,
      "--json",
    ]);
    const [line = ""] = (await program.until(/"event":"ready"/))
      .split("\n")
      .filter((text) => text.includes("ready"));
    expect(JSON.parse(line)).to.include({
      event: "ready",
      address: `http://localhost:${port}/`,
      setupLink: null,
    });
    for (const pod of ["hello", "second"])
      expect((await fetch(`http://localhost:${port}/${pod}/profile/card`)).status, pod).to.equal(200);
    const login = await fetch(`http://localhost:${port}/.account/login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: `http://localhost:${port}` },
      body: JSON.stringify({ pod: "hello", password: SECRET }),
    });
    expect(login.status).to.equal(200);
    const again = await freehold(["seed", file, "--data", join(folder, "css"), "--port", port]).ended;
    expect([again.code, again.out.split("\n")[0]], again.err).to.deep.equal([
      0,
      "Seeded: 0 accounts, 0 documents, 0 shapes, 0 rules, 0 grants; 2 were there already.",
    ]);
    const ended = await program.stop();
    expect(ended.err)
      .to.match(/E-mail addresses are not kept/)
      .and.match(/an account of its own/);
    expect(ended.out + ended.err).to.not.include(SECRET);
  });

  const account = { pod: "ana", password: SECRET };
  const wrong: readonly (readonly [what: string, content: unknown, ...places: readonly RegExp[]])[] = [
    ["no JSON", "[{]", /jsonc:1:3: a name in "quotes" is missing/],
    ["an unknown name", { acounts: [] }, /\/acounts is not known\. Did you mean accounts\?/],
    [
      "an unknown name deep down",
      { accounts: [{ ...account, pasword: SECRET }] },
      /\/accounts\/0\/pasword is not known\. Did you mean password\?/,
    ],
    ["no pod and no password", { accounts: [{}] }, /\/accounts\/0\/pod is missing/],
    ["no password", { accounts: [{ pod: "ana" }] }, /\/accounts\/0\/password wants password or passwordFile/],
    [
      "types that are wrong",
      { accounts: [{ ...account, documents: {} }], vendors: 1 },
      /\/accounts\/0\/documents wants a list/,
      /\/vendors wants a list/,
    ],
    [
      "a name that is reserved",
      { accounts: [{ ...account, pod: "www" }] },
      /\/accounts\/0\/pod wants 1 to 63 letters/,
    ],
    [
      "a pod twice",
      { accounts: [account], vendors: [account] },
      /\/vendors\/0\/pod is that of \/accounts\/0\/pod, too/,
    ],
    [
      "a document twice",
      {
        accounts: [
          {
            ...account,
            documents: [
              { path: "a.txt", content: "" },
              { path: "a.txt", content: "" },
            ],
          },
        ],
      },
      /\/accounts\/0\/documents\/1\/path is that of/,
    ],
    [
      "a file that is not there",
      { accounts: [{ ...account, documents: [{ path: "a.txt", file: "none" }] }] },
      /\/accounts\/0\/documents\/0\/file is no file/,
    ],
    [
      "an ending that says nothing",
      { accounts: [{ ...account, documents: [{ path: "a", content: "" }] }] },
      /\/documents\/0\/type is missing/,
    ],
    [
      "a shape that is not known",
      { accounts: [{ ...account, shapes: [{ folder: "b/", shape: "BankTransacton" }] }] },
      /\/shapes\/0\/shape .*Did you mean BankTransaction\?/,
    ],
    [
      "a mode that is not known",
      { accounts: [{ ...account, access: [{ path: "", to: "public", modes: ["reed"] }] }] },
      /\/access\/0\/modes\/0 wants one of read, append/,
    ],
    [
      "a day that is none",
      { accounts: [{ ...account, grants: [{ to: "x", places: [""], purposes: ["Y"], until: "soon" }] }] },
      /\/grants\/0\/until does not fit/,
    ],
    [
      "e-mail addresses twice",
      [
        { email: "a@b.c", password: SECRET },
        { email: "A@b.c", password: SECRET },
      ],
      /\/1\/email is that of \/0\/email, too/,
    ],
    [
      "pods twice in one account",
      [{ email: "a@b.c", password: SECRET, pods: [{ name: "x" }, { name: "X" }] }],
      /\/0\/pods\/1\/name is that of \/0\/pods\/0\/name, too/,
    ],
    [
      "pods twice in two accounts",
      [
        { email: "a@b.c", password: SECRET, pods: [{ name: "x" }] },
        { email: "d@b.c", password: SECRET, pods: [{ name: "x" }] },
      ],
      /\/1\/pods\/0\/name is that of \/0\/pods\/0\/name, too/,
    ],
    [
      "a pod without a name",
      [{ email: "a@b.c", password: SECRET, pods: [{}] }],
      /\/0\/pods\/0\/name is missing/,
    ],
  ];
  it("a file that is wrong is told where, all of it at once", async () => {
    for (const [what, content, ...places] of wrong) {
      const refusal = await readSeed(await write(content)).then(
        () => "it was taken",
        (error: unknown) => (error instanceof OperatorError ? error.message : String(error)),
      );
      for (const place of places) expect(refusal, what).to.match(place);
      expect(refusal, what).to.not.include(SECRET);
    }
  });

  it("then nothing was done", async () => {
    const file = await write({
      accounts: [
        { pod: "zoe", password: SECRET },
        { pod: "ben", password: SECRET, pasword: SECRET },
      ],
    });
    const { code, out, err } = await run("seed", file);
    expect([code, out], err).to.deep.equal([4, ""]);
    expect(err)
      .to.match(
        /^Nothing was seeded\..*\n {2}\/accounts\/1\/pasword is not known\. Did you mean password\?\n$/,
      )
      .and.not.include(SECRET);
    expect((await run("account", "list")).out).to.not.match(/zoe|ben/);
  });

  it("what goes wrong later names its place, too: a weak password, a document that is no RDF", async () => {
    const seeding = async (content: unknown): Promise<string> =>
      seedFrom(server.context, await write(content), false, () => {}).then(
        () => "it was done",
        (error: unknown) => (error instanceof OperatorError ? error.message : String(error)),
      );
    const later = { pod: "later", password: SECRET };
    const weak = await seeding([{ email: "a@b.c", password: "abc123", pods: [{ name: "weak" }] }]);
    expect(weak)
      .to.match(/^\/0\/pods\/0: Use at least \d+ characters/)
      .and.not.include("abc123");
    const documents = [{ path: "a.ttl", content: "<#it> <urn:x" }];
    const broken = await seeding({ accounts: [{ ...later, documents }] });
    expect(broken).to.match(/^\/accounts\/0\/documents\/0: The document is not valid RDF/);
    const shapes = [{ folder: "bank/", shape: "BankTransaction" }];
    const payment = {
      path: "bank/one.ttl",
      content: "<#it> a <https://schema.org/MoneyTransfer> ; <https://schema.org/amount> 1 .",
    };
    const misshapen = await seeding({ accounts: [{ ...later, shapes, documents: [payment] }] });
    expect(misshapen)
      .to.match(/^\/accounts\/0\/documents\/0: /)
      .and.match(/shape|must|allowed/i);
  });

  it("its schema is printed as it is used", async () => {
    const { out } = await freehold(["seed", "schema"]).ended;
    expect(JSON.parse(out)).to.deep.equal(JSON.parse(JSON.stringify(SEED_SCHEMA)));
    expect(await readFile(join(folder, "ana.keys"), "utf8")).to.not.equal("");
  });
});
