/** Archives that were made to do harm: long, for each attack is an archive of its own, made by the same few functions. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { FORMAT } from "../../server/transfer/manifest.ts";
import { createZipWriter, type ZipWriter } from "../../server/transfer/zip.ts";
import type { TestServer } from "../support/server.ts";
import { startServer } from "../support/server.ts";
import { exportTo, importFrom, look, openFolder, podOf } from "./fixture.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";

describe("an archive that somebody made to do harm", function () {
  this.timeout(60_000);
  let server: TestServer;
  let files: Awaited<ReturnType<typeof openFolder>>;
  let count = 0;

  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS: "podBytesMax=20000000,podResourcesMax=2000,archiveEntriesMax=200",
    });
    files = await openFolder();
  });
  after(async () => {
    await server.close();
    await files.remove();
  });

  async function made(fill: (zip: ZipWriter) => Promise<void>): Promise<string> {
    const chunks: Uint8Array[] = [];
    const zip = createZipWriter(async (bytes) => void chunks.push(Buffer.from(bytes)));
    await fill(zip);
    await zip.end();
    const file = files.path(`${(count += 1)}.zip`);
    writeFileSync(file, Buffer.concat(chunks));
    return file;
  }
  async function newPod(): Promise<string> {
    const name = `pod${(count += 1)}`;
    await server.person(name);
    return name;
  }
  /** @returns the problem's code; and nothing may have come in. */
  async function refused(file: string, name?: string): Promise<string> {
    const pod = name ?? (await newPod());
    const before = [...(await look(server.context, await podOf(server.context, pod))).keys()].sort();
    try {
      await importFrom(server.context, pod, file);
    } catch (error) {
      const after = [...(await look(server.context, await podOf(server.context, pod))).keys()].sort();
      expect(after).to.deep.equal(before);
      return (error as { code?: string }).code ?? String(error);
    }
    return "taken";
  }
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
  const row = (path: string, text: string, more: object = {}): object => ({
    path,
    kind: "rdf",
    entry: `data/${path}`,
    type: "text/turtle",
    bytes: Buffer.byteLength(text),
    sha256: sha(text),
    created: "2026-01-01T00:00:00.000Z",
    modified: "2026-01-01T00:00:00.000Z",
    ...more,
  });
  const manifest = (rows: readonly object[], more: object = {}): Buffer => {
    const head = {
      format: FORMAT,
      id: "i",
      server: "s",
      pod: "x",
      base: "https://old.example/",
      root: "https://old.example/x/",
      owner: "https://old.example/x/profile/card#me",
      taken: "2026-01-01T00:00:00.000Z",
      journal: { number: 0, hash: "" },
      passport: null,
      ...more,
    };
    const lines = rows.map((one) => JSON.stringify(one)).join(",\n");
    return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"resources":[\n${lines}\n],"totals":{}}\n`);
  };
  const T = "<#a> <#b> 1 .\n";

  for (const name of ["../out.ttl", "/abs.ttl", "a/../../out.ttl", "C:/x.ttl", "a//b.ttl"]) {
    it(`may not name ${name}`, async () => {
      expect(await refused(await made((zip) => zip.add(name, Buffer.from(T), 0)))).to.equal(
        "archive-invalid",
      );
    });
  }

  it("may not hold a link", async () => {
    const file = await made((zip) => zip.add("link.ttl", Buffer.from("/etc/passwd"), 0));
    const bytes = readFileSync(file);
    bytes.writeUInt32LE((0o120777 << 16) >>> 0, bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 38);
    writeFileSync(file, bytes);
    expect(await refused(file)).to.equal("archive-invalid");
  });

  it("may not unpack to many times its size", async () => {
    const file = await made((zip) => zip.add("bomb.bin", Buffer.alloc(19_000_000), 0));
    expect(await refused(file)).to.equal("archive-invalid");
  });

  it("may not hold more than the pod may, nor more entries than are taken without a manifest", async () => {
    expect(await refused(await made((zip) => zip.add("big.bin", Buffer.alloc(21_000_000, "x"), 0)))).to.equal(
      "quota-exceeded",
    );
    const many = await made(async (zip) => {
      for (let index = 0; index < 201; index += 1) await zip.add(`${index}.ttl`, Buffer.from(T), 0);
    });
    expect(await refused(many)).to.equal("archive-invalid");
  });

  it("may not say one size and have another, nor be damaged", async () => {
    const file = await made((zip) => zip.add("a.txt", Buffer.from("what was written"), 0));
    const bytes = readFileSync(file);
    bytes[bytes.indexOf("written")] = 0x57;
    writeFileSync(file, bytes);
    expect(await refused(file)).to.equal("archive-invalid");
  });

  it("may not hold what the manifest says otherwise", async () => {
    const file = await made(async (zip) => {
      await zip.add("data/a.ttl", Buffer.from("<#a> <#b> 2 .\n"), 0);
      await zip.add("manifest.json", manifest([row("a.ttl", T)]), 0);
    });
    expect(await refused(file)).to.equal("archive-invalid");
  });

  it("must hold what the manifest names", async () => {
    const file = await made((zip) => zip.add("manifest.json", manifest([row("a.ttl", T)]), 0));
    expect(await refused(file)).to.equal("archive-invalid");
  });

  for (const [what, text] of [
    ["no JSON", "{"],
    ["another format", JSON.stringify({ format: "zip" })],
    ["one endless line", `{"format":"${FORMAT}","x":"${"y".repeat(200_000)}"`],
  ] as const) {
    it(`may not have a manifest that is ${what}`, async () => {
      expect(await refused(await made((zip) => zip.add("manifest.json", Buffer.from(text), 0)))).to.equal(
        "archive-invalid",
      );
    });
  }

  it("finds no place for a row that leads elsewhere, and what is not in the manifest is left out", async () => {
    const name = await newPod();
    const file = await made(async (zip) => {
      for (const entry of ["a", "b", "c", "d", "e", "f"]) await zip.add(`data/${entry}`, Buffer.from(T), 0);
      await zip.add(
        "manifest.json",
        manifest([
          row("good.ttl", T, { entry: "data/a" }),
          row("x.acl/y.ttl", T, { entry: "data/f" }),
          row("../other/x.ttl", T, { entry: "data/b" }),
          row("x.ttl.acl", T, { entry: "data/c" }),
          row("//x.ttl", T, { entry: "data/d" }),
        ]),
        0,
      );
    });
    const { issues, documents } = await importFrom(server.context, name, file);
    expect(documents).to.equal(1);
    expect(issues.map(({ path }) => path)).to.have.members([
      "../other/x.ttl",
      "x.acl/y.ttl",
      "x.ttl.acl",
      "//x.ttl",
      "data/e",
    ]);
  });

  it("cannot take a person's card over: who may speak for her stays what this server says", async () => {
    const name = await newPod();
    const pod = await podOf(server.context, name);
    const text = `<#me> <http://www.w3.org/ns/solid/terms#oidcIssuer> <https://evil.example/> ; <http://www.w3.org/ns/auth/cert#key> [ <http://www.w3.org/ns/auth/cert#modulus> "evilkey" ] ; <http://xmlns.com/foaf/0.1/name> "Still me" .
<https://old.example/x/> <http://www.w3.org/ns/solid/terms#owner> <https://evil.example/me> .`;
    const file = await made(async (zip) => {
      await zip.add("data/profile/card", Buffer.from(text), 0);
      await zip.add("manifest.json", manifest([row("profile/card", text)]), 0);
    });
    await importFrom(server.context, name, file);
    const card = (await look(server.context, pod)).get("profile/card")?.content ?? "";
    expect(card).to.contain("Still me").and.contain(`oidcIssuer> <${server.baseUrl}>`);
    expect(card).not.to.contain("evil");
  });

  it("cannot put something else in the place of a person's card, whatever it says it is", async () => {
    const name = await newPod();
    const pod = await podOf(server.context, name);
    const cardNow = async (): Promise<string> => {
      const found = (await look(server.context, pod)).get("profile/card");
      return `${found?.type} ${found?.content}`;
    };
    const before = await cardNow();
    const rows: readonly (readonly [string, object])[] = [
      ["a picture", { kind: "binary", type: "image/png" }],
      ["text", { kind: "binary", type: "text/turtle" }],
    ];
    for (const [text, more] of rows) {
      const file = await made(async (zip) => {
        await zip.add("data/profile/card", Buffer.from(text), 0);
        await zip.add("manifest.json", manifest([row("profile/card", text, more)]), 0);
      });
      const { issues } = await importFrom(server.context, name, file, { present: "replace" });
      expect(issues.map(({ path }) => path)).to.deep.equal([`/${name}/profile/card`]);
      expect(await cardNow()).to.equal(before);
    }
    const named = await made((zip) => zip.add("profile/card$.png", Buffer.from("a picture"), 0));
    await importFrom(server.context, name, named, { present: "replace" });
    expect(await cardNow()).to.equal(before);
  });

  it("has no place for what would stand where the server's own addresses are", async () => {
    const own = [".journal/1", ".journal/x/y.ttl", ".well-known/solid", "sparql", "sparql/x.ttl"];
    for (const present of ["without", "with"] as const) {
      const name = await newPod();
      const pod = await podOf(server.context, name);
      const file = await made(async (zip) => {
        await zip.folder(present === "with" ? "data/.journal/" : ".journal/", 0);
        for (const path of own) await zip.add(present === "with" ? `data/${path}` : path, Buffer.from(T), 0);
        const folder = row(".journal/", "", { kind: "container", bytes: 0 });
        if (present === "with")
          await zip.add("manifest.json", manifest([folder, ...own.map((path) => row(path, T))]), 0);
      });
      const { issues } = await importFrom(server.context, name, file, { present: "replace" });
      expect(issues).to.have.length(own.length + 1);
      const paths = [...(await look(server.context, pod)).keys()];
      expect(paths.filter((path) => /^(\.journal|\.well-known|sparql)/.test(path))).to.deep.equal([]);
    }
  });

  it("cannot make a folder of the name of a document, nor a document of the name of a folder", async () => {
    const name = await newPod();
    const pod = await podOf(server.context, name);
    const first = await made((zip) => zip.add("one", Buffer.from("text"), 0));
    await importFrom(server.context, name, first);
    const second = await made(async (zip) => {
      await zip.folder("one/", 0);
      await zip.add("two.ttl", Buffer.from(T), 0);
    });
    const { issues } = await importFrom(server.context, name, second, { present: "keep" });
    expect(issues.map(({ path }) => path)).to.deep.equal([`/${name}/one/`]);
    const paths = [...(await look(server.context, pod)).keys()];
    expect(paths).to.include("one").and.include("two.ttl").and.not.include("one/");
  });

  it("cannot give a document a type that no answer could name", async () => {
    for (const type of [
      "text/plain; a=\u0001",
      "text/plain; a=\u{1f600}",
      `text/plain; a=${"x".repeat(1_000)}`,
    ]) {
      const file = await made(async (zip) => {
        await zip.add("data/a.txt", Buffer.from(T), 0);
        await zip.add("manifest.json", manifest([row("a.txt", T, { kind: "binary", type })]), 0);
      });
      expect(await refused(file), type).to.equal("archive-invalid");
    }
  });

  it("cannot choose where the records of its former place are kept", async () => {
    for (const [more, outcome] of [
      [
        { taken: "(../../x) 1 Jan 2026 10:00 UTC" },
        /^\/pod\d+\/settings\/former-homes\/2026-01-01-old\.example-i\/$/,
      ],
      [{ base: "nowhere" }, /^archive-invalid$/],
    ] as const) {
      const name = await newPod();
      const file = await made(async (zip) => {
        await zip.add("data/a.ttl", Buffer.from(T), 0);
        await zip.add("journal.jsonl", Buffer.from("{}\n"), 0);
        await zip.add("manifest.json", manifest([row("a.ttl", T)], more), 0);
      });
      const found = await importFrom(server.context, name, file).then(
        ({ formerHome }) => formerHome ?? "",
        (error) => (error as { code?: string }).code ?? String(error),
      );
      expect(found).to.match(outcome);
    }
  });

  it("may not have a manifest of more rows than there is memory for", async () => {
    const folders = Array.from({ length: 250_000 }, (_, index) =>
      row(`f${index}/`, "", { kind: "container", bytes: 0 }),
    );
    const file = await made((zip) => zip.add("manifest.json", manifest(folders), 0));
    expect(await refused(file)).to.equal("archive-invalid");
  });

  it("cannot open what a broken access list kept shut: it is for the owner then", async () => {
    const name = await newPod();
    const pod = await podOf(server.context, name);
    const open = `<#p> a <${ACL}Authorization>; <${ACL}agentClass> <http://xmlns.com/foaf/0.1/Agent>; <${ACL}accessTo> <./>; <${ACL}default> <./>; <${ACL}mode> <${ACL}Read>.`;
    const broken = "this was an access list";
    const file = await made(async (zip) => {
      await zip.add("data/open/secret.ttl", Buffer.from(T), 0);
      await zip.add("data/open/secret.ttl.acl", Buffer.from(broken), 0);
      await zip.add("data/open/.acl", Buffer.from(open), 0);
      await zip.add(
        "manifest.json",
        manifest([
          row("open/secret.ttl", T),
          row("open/secret.ttl", broken, { kind: "acl", entry: "data/open/secret.ttl.acl" }),
          row("open/", open, { kind: "acl", entry: "data/open/.acl" }),
        ]),
        0,
      );
    });
    const { issues } = await importFrom(server.context, name, file);
    expect(issues).to.have.length(1);
    const list = (await look(server.context, pod)).get("open/secret.ttl.acl")?.content ?? "";
    expect(list).to.contain(pod.owner).and.not.contain("agentClass");
    const stranger = await fetch(`${server.baseUrl}${name}/open/secret.ttl`);
    expect(stranger.status).to.equal(401);
  });

  it("is not put on top of what is there, unless that is wanted", async () => {
    const name = await newPod();
    const first = await made((zip) => zip.add("note.ttl", Buffer.from("<#a> <#b> 1 .\n"), 0));
    const second = await made((zip) => zip.add("note.ttl", Buffer.from("<#a> <#b> 2 .\n"), 0));
    await importFrom(server.context, name, first);
    expect(await refused(second, name)).to.equal("conflict");
    const pod = await podOf(server.context, name);
    const noteOf = async (): Promise<string> =>
      (await look(server.context, pod)).get("note.ttl")?.content ?? "";
    expect((await importFrom(server.context, name, second, { present: "keep" })).kept).to.equal(1);
    expect(await noteOf()).to.contain('"1"');
    await importFrom(server.context, name, second, { present: "replace" });
    expect(await noteOf()).to.contain('"2"');
  });

  it("from another server, without a manifest, comes in by names and contents, addresses and all", async () => {
    const name = await newPod();
    const pod = await podOf(server.context, name);
    const root = `${server.baseUrl}${name}/`;
    const file = await made(async (zip) => {
      await zip.add(
        "mypod/profile/card$.ttl",
        Buffer.from(`<#me> <http://xmlns.com/foaf/0.1/name> "Ana" .`),
        0,
      );
      await zip.add(
        "mypod/.acl",
        Buffer.from(
          `<#o> a <${ACL}Authorization>; <${ACL}agent> <https://old.example/profile/card#me>; <${ACL}accessTo> <./>; <${ACL}default> <./>; <${ACL}mode> <${ACL}Read>, <${ACL}Write>, <${ACL}Control>.`,
        ),
        0,
      );
      await zip.add("mypod/photo.jpg", Buffer.from([255, 216, 255]), 0);
      await zip.add("mypod/notes/plain", Buffer.from("<#a> <#b> <https://old.example/notes/other> ."), 0);
      await zip.add("mypod/notes/broken.ttl", Buffer.from("no turtle"), 0);
      await zip.add("mypod/notes/no rdf", Buffer.from([0, 1, 2]), 0);
    });
    const { issues } = await importFrom(server.context, name, file, { from: "https://old.example/" });
    expect(issues.map(({ path }) => path)).to.deep.equal([`/${name}/notes/broken.ttl`]);
    const seen = await look(server.context, pod);
    expect(seen.get("photo.jpg")?.type).to.equal("image/jpeg");
    expect(seen.get("notes/plain")?.content).to.contain(`<${root}notes/other>`);
    expect(seen.get("notes/broken.ttl")?.type).to.equal("text/plain");
    expect(seen.get("notes/no%20rdf")?.type).to.equal("application/octet-stream");
    expect(seen.get(".acl")?.content).to.contain(`<${pod.owner}>`).and.not.contain("old.example");
    expect(seen.get("profile/card")?.content).to.contain('"Ana"').and.contain("oidcIssuer");
  });

  it("that was cut off in the middle is finished by another run", async () => {
    const from = await newPod();
    await server.context.writeDocuments(
      await podOf(server.context, from),
      Array.from({ length: 450 }, (_, index) => ({
        path: `/${from}/n/${index}.ttl`,
        contentType: "text/turtle",
        bytes: Buffer.from(`<#a> <#b> <${server.baseUrl}${from}/n/${index}.ttl>, ${index} .`),
      })),
    );
    const file = files.path("cut.zip");
    await exportTo(server.context, from, file);
    const to = await newPod();
    const pod = await podOf(server.context, to);
    const { transfer } = server.context.ldp;
    const { fileSource } = await import("../../server/transfer/archive.ts");
    const source = await fileSource(file);
    let steps = 0;
    const stop = transfer.importArchive(pod, source, { present: "refuse", lists: true }, ({ stage }) => {
      if (stage === "documents" && (steps += 1) === 300) throw new Error("the power went out");
    });
    expect(await stop.then(() => "done", String)).to.contain("power");
    await source.close();
    const half = (await look(server.context, pod)).size;
    expect(half).to.be.within(100, 400);
    await importFrom(server.context, to, file);
    const [was, is] = [
      await look(server.context, await podOf(server.context, from)),
      await look(server.context, pod),
    ];
    const own = [...is.keys()].filter((path) => !path.startsWith("settings/former-homes/")).sort();
    expect(own).to.deep.equal([...was.keys()].sort());
    expect(is.get("n/449.ttl")?.content).to.contain(`${server.baseUrl}${to}/n/449.ttl`);
  });
});
