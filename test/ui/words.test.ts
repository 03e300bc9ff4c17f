/** What the pages say: numbers, rights and places in the words of daily life. */
import { expect } from "chai";
import fc from "fast-check";
import { POD_NAME } from "../../server/store/pods.ts";
import type { AccessEntry } from "../../server/ui/parts/model.ts";
import {
  agoOf,
  count,
  deedPlace,
  folderOfRecord,
  groupsOf,
  kindOf,
  placeOf,
  podNameOf,
  scopeOf,
  sharedWith,
  sizeOf,
  spokenName,
  verbsOf,
} from "../../server/ui/parts/words.ts";

const entry = (
  path: string,
  kind: AccessEntry["who"]["kind"],
  iri: string | null = null,
  inherited = path.endsWith("/"),
  card = false,
): AccessEntry => ({
  who: { kind, iri, label: iri ?? kind },
  path,
  modes: ["read"],
  inherited,
  apps: [],
  members: null,
  card,
});

describe("the words of the pages", () => {
  it("shorten the names that programs make up, and leave those that people chose", () => {
    expect(spokenName("fa6b9b99a32767df14c7.ttl")).to.equal("Record fa6b");
    expect(spokenName("0c12c935-da1a-42e4-8d4c-0c12c935da1a.ttl")).to.equal("Record 0c12");
    expect(spokenName("20261122T120018Z-ec89aa.ttl")).to.match(/^22 November 2026, \d\d:\d\d$/);
    expect(spokenName("2025-06-01T12:02:16Z")).to.match(/^1 June 2025, \d\d:\d\d$/);
    for (const name of ["2026", "zoe.ttl", "9876-ce4799", "cafe", "2026-06-01"])
      expect(spokenName(name)).to.equal(name);
    expect(folderOfRecord("bank/2026/fa6b9b99a32767df14c7.ttl")).to.equal("bank/2026/");
    expect(folderOfRecord("bank/2026/")).to.equal(null);
  });

  it("say where something was done without the pod's inner places", () => {
    expect(deedPlace(null, null)).to.equal("your pod");
    expect(deedPlace("sparql", "/ana/sparql")).to.equal("your pod");
    expect(deedPlace(".consent/requests/x", null)).to.equal("your pod");
    expect(deedPlace(".views/x", null)).to.equal("something you gave");
    expect(deedPlace(null, "*")).to.equal("several places");
    expect(deedPlace("photos/", null)).to.equal("photos/");
    expect(deedPlace("bank/fa6b9b99a32767df14c7.ttl", null)).to.equal("a record in bank/");
    expect(placeOf("/ana/.views/x")).to.equal("a part that you chose");
  });

  for (const [modes, words] of [
    [["read"], "see"],
    [["append"], "add to"],
    [["read", "append"], "see and add to"],
    [["read", "write"], "see, add to and change"],
    [["write"], "add to and change"],
    [["read", "write", "control"], "see and change, and share with others,"],
  ] as const) {
    it(`${modes.join(" and ")} is "can ${words}"`, () => expect(verbsOf(modes)).to.equal(words));
  }

  it("name a place without the pod, and say when all in it is meant", () => {
    expect(placeOf("/ana/photos/Summer%202026/")).to.equal("photos › Summer 2026");
    expect(placeOf("/ana/")).to.equal("your whole pod");
    expect(scopeOf({ path: "/ana/photos/", inherited: true })).to.equal("photos and all that is in it");
    expect(scopeOf({ path: "/ana/", inherited: true })).to.equal("your whole pod");
  });

  it("say how much and how long ago", () => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    expect([sizeOf(0), sizeOf(1), sizeOf(999), sizeOf(1_000), sizeOf(1_250_000), sizeOf(3e12)]).to.deep.equal(
      ["0 bytes", "1 byte", "999 bytes", "1 kB", "1.3 MB", "3,000 GB"],
    );
    expect([count(1, "person", "people"), count(0, "person", "people")]).to.deep.equal([
      "1 person",
      "0 people",
    ]);
    expect(agoOf(now - 5_000, now)).to.equal("just now");
    expect(agoOf(now - 3 * 3_600_000, now)).to.equal("3 hours ago");
    expect(agoOf(now - 86_400_000, now)).to.equal("yesterday");
    expect(agoOf(now - 90 * 86_400_000, now)).to.equal("24 August 2026");
  });

  it("show an identifier four signs at a time, losing none", () => {
    const id = "dpzz1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgy9v9vu6";
    const groups = groupsOf(id);
    expect(groups.join("")).to.equal(id);
    expect(groups.slice(1).every((group) => group.length === 4)).to.equal(true);
  });

  it("make of any name a pod's name that the server takes, or none", () => {
    expect(podNameOf("Ana Lima")).to.equal("ana-lima");
    expect(podNameOf("Zoë Großmann")).to.equal("zoe-grossmann");
    expect(podNameOf("李小龙")).to.equal("");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const pod = podNameOf(name);
        expect(pod === "" || POD_NAME.test(pod), pod).to.equal(true);
      }),
    );
  });

  describe("beside a folder", () => {
    const BEN = "https://ben.example/#me";
    const cases: readonly (readonly [sentence: string, entries: readonly AccessEntry[], label: string])[] = [
      ["nobody", [], "Only you"],
      ["a person with the folder", [entry("/ana/photos/", "person", BEN)], "1 person"],
      ["a person with the whole pod", [entry("/ana/", "person", BEN)], "1 person"],
      ["a person with one file in it", [entry("/ana/photos/cat.jpg", "person", BEN)], "1 person"],
      [
        "one person in two ways",
        [entry("/ana/", "person", BEN), entry("/ana/photos/", "person", BEN)],
        "1 person",
      ],
      ["a person with another folder", [entry("/ana/photos-of-2025/", "person", BEN)], "Only you"],
      ["a person with the pod's root alone", [entry("/ana/", "person", BEN, false)], "Only you"],
      [
        "everyone, and a person",
        [entry("/ana/photos/", "person", BEN), entry("/ana/photos/", "public")],
        "Everyone",
      ],
      ["the public card", [entry("/ana/photos/card", "public", null, false, true)], "Only you"],
      [
        "a group and a person",
        [entry("/ana/", "group", "https://g.example/"), entry("/ana/", "person", BEN)],
        "1 person, 1 group",
      ],
    ];
    for (const [sentence, entries, label] of cases) {
      it(`${sentence} is "${label}"`, () =>
        expect(sharedWith("/ana/photos/", entries).label).to.equal(label));
    }
  });

  it("name no formats", () => {
    for (const type of [
      "text/turtle",
      "application/ld+json",
      "image/png",
      "text/plain",
      "application/octet-stream",
    ])
      expect(kindOf(type)).to.not.match(/turtle|json|octet/i);
  });
});
