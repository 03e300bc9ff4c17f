import { expect } from "chai";
import fc from "fast-check";
import { encodeSegment } from "../../server/iri.ts";
import { createFolderNames, isUnsafe, placeOfName } from "../../server/transfer/names.ts";

describe("names in an archive", () => {
  const nameOf = (name: string): string => createFolderNames("data/").nameOf(encodeSegment(name));

  it("stay as they are where every disk can take them", () => {
    for (const name of ["today.ttl", ".dot", "naïve ümlaut.txt", "日本語.ttl", "a+b&c.txt", "~2"])
      expect(nameOf(name)).to.equal(`data/${name}`);
  });

  for (const [name, why] of [
    ["con.ttl", "reserved on Windows"],
    ["NUL", "reserved on Windows"],
    ["com1.tar.gz", "reserved on Windows"],
    ["what?.ttl", "a character Windows refuses"],
    ["end ", "a space at the end is dropped on Windows"],
    ["\u202egpj.exe", "it looks like another name"],
    ["x.ACL", "on a disk that ignores case it is an access list"],
    [`${"é".repeat(120)}.txt`, "too long with .acl after it"],
  ] as const) {
    it(`are changed: ${JSON.stringify(name.slice(0, 20))}, ${why}`, () => {
      const changed = nameOf(name);
      expect(changed).not.to.equal(`data/${name}`);
      expect(Buffer.byteLength(changed)).to.be.below(240);
      expect(nameOf(changed.slice(5))).to.equal(changed); // Once is enough.
    });
  }

  it("are never the same for two members, not even where case and form of letters are ignored", () => {
    const folder = createFolderNames("data/");
    const names = [
      "a.ttl",
      "A.ttl",
      "a~2.ttl",
      "Straße",
      "STRASSE",
      "strasse/",
      "ﬁ.txt",
      "FI.txt",
      "Ⅳ",
      "iv",
    ];
    const taken = names.map((name) =>
      folder.nameOf(name.endsWith("/") ? `${encodeSegment(name.slice(0, -1))}/` : encodeSegment(name)),
    );
    const folded = taken.map((name) => name.replace(/\/$/, "").normalize("NFKC").toUpperCase().toLowerCase());
    expect(new Set(folded).size).to.equal(names.length);
  });

  it("never lead out of the archive, whatever a resource is called", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }), { maxLength: 20 }),
        (parts) => {
          let folder = "data/";
          for (const part of parts) {
            const segment = encodeURIComponent(part.toWellFormed());
            const name = createFolderNames(folder).nameOf(segment);
            expect(isUnsafe(name), name).to.equal(false);
            expect(Buffer.byteLength(name)).to.be.at.most(1_000);
            folder = createFolderNames(folder).nameOf(`${segment}/`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("that lead out of an archive are known for what they are", () => {
    for (const name of [
      "/etc/passwd",
      "../x",
      "a/../../x",
      "a/./b",
      "a//b",
      "C:\\x",
      "c:x",
      "a\\..\\b",
      "a\u0000b",
      "",
    ])
      expect(isUnsafe(name), JSON.stringify(name)).to.equal(true);
    for (const name of ["a", "a/", "a/b", "..a", "a..", "...", ".acl"])
      expect(isUnsafe(name), name).to.equal(false);
  });

  for (const [name, path] of [
    ["profile/card$.ttl", "/ana/profile/card"],
    ["profile/card$.ttl.acl", "/ana/profile/card.acl"],
    ["a b.ttl", "/ana/a%20b.ttl"],
    ["u\u0308.ttl", "/ana/%C3%BC.ttl"],
    ["folder/.acl", "/ana/folder/.acl"],
    ["trailing.", null],
    ["x.acr/y.ttl", null],
  ] as const) {
    it(`without manifest ${JSON.stringify(name)} belongs to ${path ?? "no place"}`, () => {
      expect(placeOfName("ana", name)?.path ?? null).to.equal(path);
    });
  }
});
