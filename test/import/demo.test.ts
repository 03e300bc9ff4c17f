import { readFileSync } from "node:fs";
import { SHAPES } from "@freehold/shapes";
import { ldp, prov, sosa } from "@freehold/vocab";
import { expect } from "chai";
import type { ImportedDocument } from "../../server/import/import-file.ts";
import { parseTarget } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { createShapes } from "../../server/shapes/validate.ts";
import { canariesOf, DEMO_FOLDER, filesOf, PEOPLE } from "../tools/fixtures.ts";
import {
  BASE,
  importAll,
  importBatches,
  type PodDocuments,
  quadsOf,
  recordsIn,
  SECRET,
  textOf,
  valuesOf,
} from "./support.ts";

const shapes = createShapes(LIMITS);

/** What each file must give: read = written + skipped + duplicate. */
const GOLDEN: readonly [
  person: string,
  file: string,
  counts: readonly [read: number, written: number, skipped: number, duplicate: number],
  documents: number,
][] = [
  ["ana", "contacts.vcf", [23, 20, 2, 1], 20],
  ["ana", "statement.xml", [214, 200, 2, 12], 200],
  ["ana", "orders.csv", [126, 125, 0, 1], 68],
  ["ana", "energy.xml", [960, 960, 0, 0], 42],
  ["ben", "contacts.vcf", [23, 20, 2, 1], 20],
  ["ben", "statement.xml", [214, 200, 2, 12], 200],
  ["ben", "orders.csv", [126, 125, 0, 1], 63],
  ["ben", "energy.xml", [812, 812, 0, 0], 55],
];

describe("the demonstration data", () => {
  const pods = new Map<string, PodDocuments>(PEOPLE.map(({ name }) => [name, new Map()]));
  const files = PEOPLE.flatMap((person) =>
    Object.entries(filesOf(person)).map(([file, content]) => ({ person, file, content })),
  );

  it("is exactly what its generator makes (else run: node test/tools/fixtures.ts)", () => {
    let bytes = 0;
    for (const { person, file, content } of files) {
      const committed = readFileSync(new URL(`${person.name}/${file}`, DEMO_FOLDER), "utf8");
      expect(committed === content, `${person.name}/${file}`).to.equal(true);
      bytes += Buffer.byteLength(content);
    }
    expect(bytes).to.be.below(1_500_000);
  });

  for (const [name, file, [read, written, skipped, duplicate], documents] of GOLDEN) {
    it(`${name}/${file}: ${read} records, ${written} written`, async () => {
      const content = readFileSync(new URL(`${name}/${file}`, DEMO_FOLDER));
      const { run } = await importAll(content, { pod: name }, pods.get(name));
      expect([run.read, run.written, run.skipped, run.duplicate]).to.deep.equal([
        read,
        written,
        skipped,
        duplicate,
      ]);
      expect(run.documents).to.equal(documents);
      expect(run.bytes).to.equal(content.length);
      expect(run.warningsLeftOut).to.equal(0);
    });
  }

  it("is at least 2,000 records", () => {
    expect(GOLDEN.reduce((sum, [, , [, written]]) => sum + written, 0)).to.be.at.least(2_000);
  });

  const all = (): readonly ImportedDocument[] => [...pods.values()].flatMap((pod) => [...pod.values()]);

  it("every document fits its shape, with no violation and no warning", async function () {
    this.timeout(120_000);
    for (const document of all()) {
      if (document.shape === null) continue;
      const { conforms, errors, warnings } = await shapes.validate(
        quadsOf(document) as Quad[],
        document.shape,
      );
      expect(errors, document.path).to.deep.equal([]);
      expect(warnings, document.path).to.deep.equal([]);
      expect(conforms).to.equal(true);
    }
  });

  it("every path is canonical, inside the pod, and comes after its container", () => {
    for (const [name, pod] of pods) {
      const before = new Set<string>();
      for (const { path, shape } of pod.values()) {
        expect(parseTarget(path).path).to.equal(path);
        expect(path.startsWith(`/${name}/`)).to.equal(true);
        if (shape !== null) expect(before.has(path.slice(0, path.lastIndexOf("/") + 1)), path).to.equal(true);
        before.add(path);
      }
    }
  });

  it("every container holds later documents to the shape of its first ones", () => {
    const known = new Set(SHAPES.map(({ iri }) => iri));
    for (const pod of pods.values()) {
      for (const { path, shape, meta } of pod.values()) {
        if (shape === null) {
          expect(meta).to.match(new RegExp(`^<\\./> <${ldp.constrainedBy}> <(.+)>\\.\n$`));
          expect(known.has(/> <([^>]+)>\.\n$/.exec(meta ?? "")?.[1] ?? "")).to.equal(true);
        } else expect(pod.get(path.slice(0, path.lastIndexOf("/") + 1))?.meta).to.contain(`<${shape}>`);
      }
    }
  });

  it("every document names the import that wrote it, and every import lists its documents", () => {
    for (const pod of pods.values()) {
      const listed = new Map<string, string>();
      for (const run of pod.values()) {
        if (!run.path.includes("/imports/") || run.shape === null) continue;
        for (const iri of valuesOf(run, prov.generated, "it")) listed.set(iri, `${BASE}${run.path}#it`);
      }
      const records = recordsIn(pod.values());
      for (const document of records)
        expect(valuesOf(document, prov.wasGeneratedBy)).to.deep.equal([listed.get(BASE + document.path)]);
      expect(listed.size).to.equal(records.length);
    }
  });

  it("nothing that importers leave out is in any document", () => {
    const text = all()
      .map((document) => textOf(document))
      .join("\n");
    for (const person of PEOPLE) {
      const content = Object.values(filesOf(person)).join("\n");
      for (const canary of canariesOf(person).dropped) {
        expect(content.includes(canary), `${canary} is in a file`).to.equal(true);
        expect(text.includes(canary), `${canary} is in a document`).to.equal(false);
      }
      for (const canary of canariesOf(person).personal) {
        if (canary.startsWith("+"))
          expect(text.includes(canary), `${canary} is in a document`).to.equal(true);
        else
          expect(
            text.includes(canary) || text.includes(canary.replaceAll(/\s+/g, " ")),
            `${canary} is in a document`,
          ).to.equal(true);
      }
    }
    expect(text).not.to.match(/[A-Z]{2}\d{2}(?: ?[0-9]{4}){4}/); // No account number in full.
  });

  it("read again, it gives nothing at all", async () => {
    for (const { person, file, content } of files) {
      const { run, documents } = await importAll(
        content,
        { pod: person.name, now: new Date("2027-01-01T00:00:00Z") },
        pods.get(person.name),
      );
      expect(documents, file).to.deep.equal([]);
      expect([run.written, run.documents]).to.deep.equal([0, 0]);
      expect(run.duplicate + run.skipped).to.equal(run.read);
    }
  });

  it("gives the same bytes for the same file, whatever the pieces it comes in", async () => {
    for (const { person, file, content } of files) {
      const once = await importAll(content, { pod: person.name });
      const again = await importAll(content, { pod: person.name, pieceBytes: 997 });
      expect(again.documents.map(({ path }) => path)).to.deep.equal(once.documents.map(({ path }) => path));
      expect(
        again.documents.every((document, place) =>
          Buffer.from(document.bytes).equals(once.documents[place]?.bytes ?? Buffer.alloc(0)),
        ),
        file,
      ).to.equal(true);
    }
  });

  it("gives other paths and account references in another pod: nobody can join two pods by them", async () => {
    const [statement] = files.filter(({ file }) => file === "statement.xml");
    const one = await importAll(statement?.content ?? "", { secret: SECRET });
    const other = await importAll(statement?.content ?? "", { secret: "another pod's" });
    const paths = new Set(recordsIn(one.documents).map(({ path }) => path));
    expect(recordsIn(other.documents).some(({ path }) => paths.has(path))).to.equal(false);
  });

  it("is written in batches, containers before what is in them", async () => {
    const [statement] = files.filter(({ file }) => file === "statement.xml");
    const { batches, run, pod } = await importBatches(statement?.content ?? "", {
      limits: { importBatchDocuments: 50 },
    });
    expect(batches.slice(0, -1).every((size) => size === 50)).to.equal(true);
    expect(batches.reduce((sum, size) => sum + size, 0)).to.equal(pod.size);
    expect(run?.written).to.equal(200);
  });

  it("has a short and a long day in Zürich, and neither in Cape Town", () => {
    const days = (name: string): ReadonlyMap<string, number> =>
      new Map(
        [...(pods.get(name)?.values() ?? [])]
          .filter(
            ({ path, shape }) => path.includes("/energy/") && shape !== null && !path.endsWith("meter.ttl"),
          )
          .map((document) => [document.path.slice(-14, -4), valuesOf(document, sosa.hasSimpleResult).length]),
      );
    expect([
      days("ben").get("2026-03-28"),
      days("ben").get("2026-03-29"),
      days("ben").get("2026-03-30"),
    ]).to.deep.equal([24, 23, 24]);
    expect(days("ben").get("2025-10-26")).to.equal(25);
    expect(new Set(days("ana").values())).to.deep.equal(new Set([24]));
  });
});
