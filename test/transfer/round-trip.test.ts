import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { startServer, type TestServer } from "../support/server.ts";
import { exportTo, importFrom, look, openFolder, podOf, type Seen } from "./fixture.ts";

const DOCUMENTS = 1_000;
/** Names that some disk or unpacking program would refuse, change or take for another. */
// biome-ignore format: a list
const ODD_NAMES = [
  "Case.ttl", "case.ttl", "CASE.ttl", "con.ttl", "AUX", "nul.txt", "com1.ttl", "LPT9", "what?.ttl", "a:b.ttl", "star*.txt",
  "pipe|.txt", "quote\".txt", "<angle>.txt", "space at the end ", "naïve ümlaut.ttl", "ǅ.txt", "Straße.txt", "STRASSE.txt",
  "日本語.ttl", "👩‍👩‍👧.txt", "‮gpj.exe", "zero​width.txt", "~2.txt", "$.ttl", "card$.ttl", "x.ACL", "x", "x.Meta", "..hidden",
  ".dot", "100%.txt", "a+b&c=d;e.txt", `${"long".repeat(60)}.ttl`, `${"é".repeat(120)}.txt`, "tilde~2", "README.txt", "manifest.json",
];

/** A document's text: absolute and relative references, blank nodes, other people's addresses, and what is no IRI. */
function turtle(index: number, root: string, webid: string): string {
  return `@prefix ex: <http://example.org/ns#> .
@prefix here: <${root}folder/> .
# A comment that nobody may lose without need.
<> ex:maker <${webid}> ; ex:next <doc-${index + 1}.ttl> ; ex:up <../> ; ex:root <${root}> .
<#it> a ex:Thing ; ex:label "number ${index}", "${root} in a text stays"@en ;
  ex:absolute <${root}folder/doc-${index}.ttl#it> , here:other ;
  ex:part [ ex:deep [ ex:value ${index} ; ex:of <${root}> ] ] ;
  ex:list ( 1 <${root}> _:shared ) .
_:shared ex:friend <https://elsewhere.example/bob/profile/card#me> , <${root.slice(0, -1)}x/not-ours> .
`;
}

const plain = (index: number): string =>
  `<#it> <http://example.org/ns#value> ${index} ; <http://example.org/ns#near> <other.ttl>, <./>, [] .\n`;

describe("a pod taken from one server to another and back", function () {
  this.timeout(180_000);
  let first: TestServer;
  let second: TestServer;
  let files: Awaited<ReturnType<typeof openFolder>>;
  const big = randomBytes(3 * 1024 * 1024);
  const wide = Buffer.from("0123456789abcdef".repeat(100_000));
  let before: ReadonlyMap<string, Seen>;

  it("is all there again, byte for byte where nothing names an address", async () => {
    files = await openFolder();
    [first, second] = [await startServer(), await startServer()];
    const ana = await first.person("Ana");
    const root = ana.pod;
    const put = async (path: string, type: string, body: string | Buffer): Promise<void> => {
      const url = root + path;
      const response = await ana.fetch(url, {
        method: "PUT",
        headers: { "content-type": type },
        body: new Uint8Array(Buffer.from(body)),
      });
      if (response.status >= 300) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    };
    // Most of them through the same door as requests, without a request's cost.
    const pod = await podOf(first.context, "ana");
    const text = new TextEncoder();
    await first.context.writeDocuments(
      pod,
      Array.from({ length: DOCUMENTS }, (_, index) => ({
        path: `/ana/folder/${index % 7 === 0 ? "deep/er/" : ""}doc-${index}.ttl`,
        contentType: "text/turtle",
        bytes: text.encode(index % 3 === 0 ? turtle(index, root, ana.webid) : plain(index)),
        ...(index % 100 === 0 && {
          acl: `<#o> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${ana.webid}>, <https://elsewhere.example/bob#me>; <http://www.w3.org/ns/auth/acl#accessTo> <${root}folder/${index % 7 === 0 ? "deep/er/" : ""}doc-${index}.ttl>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>, <http://www.w3.org/ns/auth/acl#Control> .`,
          meta: `<doc-${index}.ttl> <http://example.org/ns#note> "described" .`,
        }),
      })),
    );
    for (const name of ODD_NAMES) {
      const isTurtle = name.endsWith(".ttl");
      await put(
        `odd/${encodeURIComponent(name)}`,
        isTurtle ? "text/turtle" : "text/plain",
        isTurtle ? plain(name.length) : `This is ${name}`,
      );
    }
    await put("files/big.bin", "application/octet-stream", big);
    await put("files/wide.txt", "text/plain; charset=utf-8", wide);
    await put("files/empty.bin", "application/x-empty", "");
    await put(
      "files/data.jsonld",
      "application/ld+json",
      JSON.stringify({ "@id": "", "http://example.org/ns#of": { "@id": root } }),
    );
    await put("files/lines.nt", "application/n-triples", `<${root}> <http://example.org/ns#p> "o" .\n`);
    await ana.fetch(`${root}empty/inner/`, { method: "PUT" });
    before = await look(first.context, pod);
    expect(before.size).to.be.greaterThan(DOCUMENTS + ODD_NAMES.length);

    await exportTo(first.context, "ana", files.path("a.zip"));
    const bea = await second.person("Bea"); // Another pod's name, and another base.
    const there = await importFrom(second.context, "bea", files.path("a.zip"));
    expect(there.issues).to.deep.equal([]);
    expect(there.from).to.equal(root);

    await exportTo(second.context, "bea", files.path("b.zip"));
    const third = await startServer({ FREEHOLD_BASE_URL: first.baseUrl });
    try {
      await third.person("Ana").catch(() => {}); // Its base URL is the first server's: only its pod is needed.
      const back = await importFrom(third.context, "ana", files.path("b.zip"));
      expect(back.issues).to.deep.equal([]);
      const after = await look(third.context, await podOf(third.context, "ana"));

      const isFormerHome = (path: string): boolean => path.startsWith("settings/former-homes/");
      const isCard = (path: string): boolean => path === "profile/card";
      expect([...after.keys()].filter((path) => !isFormerHome(path)).sort()).to.deep.equal(
        [...before.keys()].sort(),
      );
      for (const [path, seen] of before) {
        const now = after.get(path);
        if (isCard(path)) continue;
        expect(now?.content, path).to.equal(seen.content);
        expect(now?.type, path).to.equal(seen.type);
        if (path !== "settings/") expect(now?.modified, path).to.equal(seen.modified);
      }
      const untouched = [...before].filter(
        ([path]) => /^folder\/.*doc-\d+\.ttl$/.test(path) && Number(/\d+/.exec(path)?.[0]) % 3 !== 0,
      );
      expect(untouched.length).to.be.greaterThan(600);
      for (const [path, seen] of untouched) expect(after.get(path)?.bytes, path).to.equal(seen.bytes);
    } finally {
      await third.close();
    }

    // On the way nothing of the old place is left but in texts and in what is marked as the old place's own.
    const between = await look(second.context, await podOf(second.context, "bea"));
    for (const [path, { content }] of between) {
      if (path.startsWith("settings/former-homes/")) continue;
      const iris = [...content.matchAll(/<([^>]*)>/g)].map(([, iri]) => iri ?? "");
      expect(
        iris.filter((iri) => iri.startsWith(root) || iri === ana.webid),
        path,
      ).to.deep.equal([]);
    }
    const card = between.get("profile/card")?.content ?? "";
    expect(card).to.contain(
      `<${bea.webid}> <http://www.w3.org/ns/solid/terms#oidcIssuer> <${second.baseUrl}>`,
    );
    expect(card).not.to.contain(first.baseUrl);
    expect(card).to.contain(bea.passport);
    expect(card).to.contain('"Ana"'); // What she says of herself has come along.
    expect(between.get("folder/doc-300.ttl.acl")?.content).to.contain(`<${bea.webid}>`);
  });

  after(async () => {
    await first?.close();
    await second?.close();
    await files?.remove();
  });
});
