import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Method } from "../../server/operation.ts";
import { parseText } from "../../server/rdf/parse.ts";
import { skipWithoutVectors, vectors } from "../rdf/vectors.ts";
import { createTestPod, type TestPod } from "./fixture.ts";

describe("W3C SPARQL 1.1 Protocol tests", () => {
  const folder = vectors("sparql11/protocol");
  const quads = folder
    ? parseText(readFileSync(join(folder, "manifest.ttl"), "utf8"), "text/turtle", "http://m.example/")
    : [];
  const find = (subject: string | undefined, name: string): string | undefined =>
    quads.find(
      (quad) => quad.subject.value === subject && quad.predicate.value.replace(/^.*[#/]/, "") === name,
    )?.object.value;
  const all = (subject: string | undefined, name: string): string[] =>
    quads
      .filter(
        (quad) => quad.subject.value === subject && quad.predicate.value.replace(/^.*[#/]/, "") === name,
      )
      .map(({ object }) => object.value);
  const first = (list: string | undefined): string | undefined => find(list, "first");
  const tests = quads
    .filter(({ object }) => object.value.endsWith("#ProtocolTest"))
    .map(({ subject }) => ({ id: subject.value, name: subject.value.split("#")[1] ?? "" }))
    .filter(({ name }) => name.startsWith("query_") || name.startsWith("bad_"));

  let pod: TestPod | null = null;
  before(async function () {
    skipWithoutVectors(this, "sparql11/protocol");
    const data = (name: string) => ({
      contentType: "application/n-triples",
      text: readFileSync(join(folder!, name), "utf8"),
    });
    // The tests name graphs of another host, so here this server is that host.
    pod = await createTestPod(
      {
        "09/sparql/data/data1.rdf": data("data1.nt"),
        "09/sparql/data/data2.rdf": data("data2.nt"),
        "09/sparql/data/data3.rdf": data("data3.nt"),
      },
      () => true,
      { baseUrl: "http://kasei.us/", name: "2009" },
    );
  });
  after(() => pod?.close());

  it("has the tests of queries and of mistakes", () => {
    expect(tests.length).to.equal(27);
  });
  for (const { id, name } of tests) {
    it(name, async () => {
      const request = first(find(find(id, "action"), "requests"));
      const response = find(request, "resp");
      const body = find(request, "body");
      const header = first(find(request, "headers"));
      const encoding = find(body, "characterEncoding");
      const chars = find(body, "chars");
      const answer = await pod!.ask(null, {
        method: (find(request, "methodName") ?? "GET") as Method,
        query: find(request, "absolutePath")?.split("?")[1] ?? "",
        ...(chars !== undefined && { body: Buffer.from(chars, encoding === "UTF-16" ? "utf16le" : "utf8") }),
        headers: header ? { [find(header, "fieldName")!.toLowerCase()]: find(header, "fieldValue")! } : {},
      });
      const families = all(response, "expectedStatus").map((status) =>
        /StatusCode(\d)xx|#(\d)/.exec(status)?.slice(1).find(Boolean),
      );
      expect(families, answer.detail).to.include(String(answer.status)[0]);
      const boolean = find(response, "expectedBoolean");
      if (boolean !== undefined)
        expect(JSON.parse(answer.text)).to.deep.include({ boolean: boolean === "true" });
      const format = find(response, "expectedFormat");
      const formats: Readonly<Record<string, RegExp>> = {
        boolean: /"boolean"/,
        tabular: /"bindings"/,
        RDF: /^/,
      };
      if (format !== undefined) expect(answer.text).to.match(formats[format]!);
    });
  }
});
