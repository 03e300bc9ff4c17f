import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseText } from "../../../server/rdf/parse.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";
import { onPod } from "./fixture.ts";

const FOLDER = vectors("sparql11/protocol");
const local = (iri: string): string => iri.replace(/^.*[#/]/, "");

/** Requests of a test one after the other, as its manifest says. */
function readTests() {
  const base = "http://m.example/";
  const quads = FOLDER
    ? parseText(readFileSync(join(FOLDER, "manifest.ttl"), "utf8"), "text/turtle", base)
    : [];
  const all = (subject: string | undefined, name: string): string[] =>
    quads.flatMap((one) =>
      one.subject.value === subject && local(one.predicate.value) === name ? [one.object.value] : [],
    );
  const find = (subject: string | undefined, name: string): string | undefined => all(subject, name)[0];
  const list = (head: string | undefined): string[] => {
    const first = find(head, "first");
    return first === undefined ? [] : [first, ...list(find(head, "rest"))];
  };
  const requestOf = (request: string) => ({
    method: find(request, "methodName")!,
    query: find(request, "absolutePath")?.split("?")[1] ?? "",
    encoding: find(find(request, "body"), "characterEncoding"),
    body: find(find(request, "body"), "chars"),
    type: list(find(request, "headers"))
      .filter((header) => find(header, "fieldName")?.toLowerCase() === "content-type")
      .map((header) => find(header, "fieldValue"))[0],
    statuses: all(find(request, "resp"), "expectedStatus").map(
      (status) => /StatusCode(\d)/.exec(status)?.[1],
    ),
    boolean: find(find(request, "resp"), "expectedBoolean"),
  });
  return quads
    .filter(({ object }) => local(object.value) === "ProtocolTest")
    .map(({ subject }) => ({
      name: local(subject.value),
      requests: list(find(find(subject.value, "action"), "requests")).map(requestOf),
    }))
    .filter(({ name }) => /update/.test(name));
}

describe("W3C SPARQL 1.1 Protocol tests of updates, over HTTP", () => {
  const pod = onPod();

  /** The tests name graphs of other hosts, which are documents of this pod here; and nothing empties all of a pod. */
  const here = (text: string): string =>
    text
      .replaceAll(/http:\/\/example\.org\/protocol-[a-z-]+\//g, `${pod.folder}result.ttl`)
      .replaceAll("http://kasei.us/2009/09/sparql/data/", pod.folder)
      .replaceAll(/(CLEAR|DROP)([ +])ALL/g, "$1$2DEFAULT");

  it("there are so many", function () {
    skipWithoutVectors(this, "sparql11/protocol");
    expect(readTests().length).to.equal(14);
  });
  for (const { name, requests } of readTests())
    it(name, async () => {
      for (const { method, query, encoding, body, type, statuses, boolean } of requests) {
        const isQuery = type === "application/sparql-query";
        const door = `${pod.ana.pod}${isQuery ? "sparql" : "sparql-update"}`;
        const parameters = query && `?${here(decodeURIComponent(query)).replaceAll(":", "%3A")}`;
        const text = body === undefined ? undefined : here(body);
        const response = await pod.ana.fetch(`${door}${parameters}`, {
          method,
          headers: { accept: "application/sparql-results+json", ...(type && { "content-type": type }) },
          ...(text !== undefined && { body: Buffer.from(text, encoding === "UTF-16" ? "utf16le" : "utf8") }),
        });
        const answer = await response.text();
        expect(statuses, answer).to.include(String(response.status)[0]);
        if (boolean !== undefined) expect(JSON.parse(answer)).to.have.property("boolean", boolean === "true");
      }
    });
});
