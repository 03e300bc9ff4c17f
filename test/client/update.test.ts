import {
  type AccessMode,
  ask,
  explain,
  FreeholdError,
  grant,
  openPod,
  type Pod,
  query,
  update,
} from "@freehold/client";
import { shapeNamed } from "@freehold/shapes";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const P = "PREFIX : <urn:x:>";

describe("SPARQL Update, by the client", () => {
  let server: TestServer;
  let ana: Person;
  let bea: Person;
  let pod: Pod;
  let theirs: Pod;
  let nobody: Pod;

  before(async () => {
    server = await startServer();
    [ana, bea] = [await server.person("Ana"), await server.person("Bea")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    theirs = await openPod(ana.pod, { fetch: bea.fetch });
    nobody = await openPod(ana.pod);
  });
  after(() => server.close());
  beforeEach(async () => {
    for (const path of ["a", "b"])
      await update(
        pod,
        `${P} DROP SILENT GRAPH <${pod.at(path)}> ; INSERT DATA { GRAPH <${pod.at(path)}> { :${path} :n 1 } }`,
      );
  });

  const add = (path: string, triple: string): string =>
    `${P} INSERT DATA { GRAPH <${pod.at(path)}> { ${triple} } }`;
  const has = (path: string, triple: string): Promise<boolean> =>
    ask(pod, `${P} ASK { GRAPH <${pod.at(path)}> { ${triple} } }`);

  it("finds its address, from the pod's description", async () => {
    for (const where of [ana.pod, ana.webid, ana.passport]) {
      const found = await openPod(where, { fetch: ana.fetch, resolvers: [server.baseUrl] });
      expect([found.sparqlUpdate, found.search]).to.deep.equal([
        `${ana.pod}sparql-update`,
        `${ana.pod}search`,
      ]);
    }
  });

  it("adds to documents, makes them, and takes away", async () => {
    await update(
      pod,
      `${add("a", ":a :n 2")} ; ${add("deep/new", ":new :n 3")} ; DELETE DATA { GRAPH <${pod.at("b")}> { :b :n 1 } }`,
    );
    expect(await has("a", ":a :n 1, 2")).to.equal(true);
    expect(await has("deep/new", ":new :n 3")).to.equal(true);
    expect(await has("b", "?s ?p ?o")).to.equal(false);
    expect(await (await pod.readFile("b")).text(), "it stays").to.equal("");
  });

  it("looks into all that may be read, as a query does", async () => {
    await update(pod, `${P} INSERT { GRAPH <${pod.at("sum")}> { :all :n ?n } } WHERE { ?s :n ?n }`);
    expect(await has("sum", ":all :n 1")).to.equal(true);
  });

  it("looks into the documents the caller names, by option or in the update", async () => {
    const into = (name: string, dataset = ""): string =>
      `${P} INSERT { GRAPH <${pod.at(name)}> { ?s :is ?n } } ${dataset} WHERE { ?s :n ?n }`;
    await update(pod, into("c1"), { defaultGraphs: [pod.at("a")] });
    await update(pod, into("c2", `USING <${pod.at("a")}>`));
    await update(
      pod,
      `${P} WITH <${pod.at("a")}> DELETE { ?s :n ?n } INSERT { ?s :is ?n } WHERE { ?s :n ?n }`,
    );
    const named = into("c3").replace("{ ?s :n ?n }", "{ GRAPH ?g { ?s :n ?n } }");
    await update(pod, named, { namedGraphs: [pod.at("b")] });
    for (const name of ["c1", "c2", "a"])
      expect([await has(name, ":a :is 1"), await has(name, ":b :is 1")], name).to.deep.equal([true, false]);
    expect([await has("c3", ":a :is 1"), await has("c3", ":b :is 1")]).to.deep.equal([false, true]);
    // Words that only look as if they named graphs.
    await update(
      pod,
      `# WITH <x>\n${into("c4").replace("{ ?s :n ?n }", `{ ?s :n ?n FILTER("USING <y>" != " WITH <z>") }`)}`,
    );
    expect(await has("c4", ":b :is 1")).to.equal(true);
    const both = update(pod, into("c5", `USING <${pod.at("a")}>`), { defaultGraphs: [pod.at("b")] });
    expect(await codeOf(both)).to.equal("bad-request");
  });

  it("happens whole or not at all", async () => {
    expect(await codeOf(update(pod, `${add("a", ":a :n 9")} ; DROP GRAPH <${pod.at("no")}>`))).to.equal(
      "conflict",
    );
    expect(await has("a", ":a :n 9")).to.equal(false);
  });

  it("loses no change of several at once", async () => {
    const next = `${P} WITH <${pod.at("a")}> DELETE { :a :n ?n } INSERT { :a :n ?m } WHERE { :a :n ?n BIND(?n + 1 AS ?m) }`;
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(update(pod, next))));
    const done = codes.filter((code) => code === "none").length;
    expect(done).to.be.above(0);
    for (const code of codes) expect(code).to.be.oneOf(["none", "write-conflict"]);
    expect(await has("a", `:a :n ${done + 1}`)).to.equal(true);
  });

  it("tells the server's reason", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["INSERT DATA {", "query-invalid"],
      ["SELECT * { ?s ?p ?o }", "query-invalid"],
      [`${P} INSERT DATA { :a :p 1 }`, "query-refused"],
      [`${P} INSERT DATA { GRAPH <https://elsewhere.example/> { :a :p 1 } }`, "query-refused"],
      [`${P} INSERT DATA { GRAPH <${bea.pod}a> { :a :p 1 } }`, "query-refused"],
      [`CREATE GRAPH <${pod.at("a")}>`, "conflict"],
      [`DROP GRAPH <${pod.at("no")}>`, "conflict"],
      [`DROP SILENT GRAPH <${pod.at("no")}>`, "none"],
      ["LOAD <https://elsewhere.example/> INTO GRAPH <urn:x>", "query-refused"],
    ];
    for (const [text, code] of cases) expect(await codeOf(update(pod, text)), text).to.equal(code);
    const off = update(pod, add("a", ":a :n 9"), { signal: AbortSignal.abort() });
    expect(await off.catch((error: Error) => error.name)).to.equal("AbortError");
    expect(await has("a", ":a :n 9")).to.equal(false);
  });

  it("says what does not fit a folder's shape", async () => {
    const contact = shapeNamed("Contact").iri;
    await update(pod, add("people/.keep", ":a :p 1"));
    await ana.fetch(pod.at("people/.meta"), {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `<./> <http://www.w3.org/ns/ldp#constrainedBy> <${contact}> .`,
    });
    const wrong = update(pod, add("people/zoe", "<#it> a <http://www.w3.org/2006/vcard/ns#Individual>"));
    const error = await wrong.catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(FreeholdError).and.include({ code: "shape-violation" });
    expect((error as FreeholdError).errors).not.to.deep.equal([]);
  });

  describe("by others", () => {
    it("changes nothing without access, and tells nothing", async () => {
      expect(await codeOf(update(nobody, add("a", ":a :n 9")))).to.equal("login-required");
      for (const text of [
        add("a", ":a :n 9"),
        add("nothing-here", ":a :n 9"),
        `${P} DELETE DATA { GRAPH <${pod.at("a")}> { :a :n 1 } }`,
      ])
        expect(await codeOf(update(theirs, text)), text).to.equal("forbidden");
      // What may not be seen is as if it were not there.
      for (const path of ["a", "nothing-here"])
        expect(await codeOf(update(theirs, `DROP GRAPH <${pod.at(path)}>`)), path).to.equal("conflict");
      expect([await has("a", ":a :n 9"), await has("a", ":a :n 1")]).to.deep.equal([false, true]);
    });

    it("does what each document's access allows, and nothing more", async () => {
      const give = (path: string, modes: readonly AccessMode[]) => grant(pod, path, { to: bea.webid, modes });
      await Promise.all([give("a", ["append"]), give("b", ["read", "write"])]);
      await update(theirs, add("a", ":a :n 2"));
      expect(await has("a", ":a :n 1, 2")).to.equal(true);
      expect(
        await codeOf(update(theirs, `${P} DELETE DATA { GRAPH <${pod.at("a")}> { :a :n 2 } }`)),
      ).to.equal("forbidden");
      // What they may not read is not in their WHERE.
      await update(theirs, `${P} INSERT { GRAPH <${pod.at("b")}> { :seen :by ?s } } WHERE { ?s :n ?n }`);
      expect([await has("b", ":seen :by :b"), await has("b", ":seen :by :a")]).to.deep.equal([true, false]);
    });
  });

  describe("explain", () => {
    it("tells the owner what would be done, and nobody else", async () => {
      const text = `${P} SELECT ?n { ?s :n ?n }`;
      const { engine, steps } = await explain(pod, text);
      expect(engine).to.equal("freehold");
      expect(steps.map(({ step }) => step).join("\n")).to.include("urn:x:n");
      await grant(pod, "b", { to: bea.webid, modes: ["read"] });
      expect(await Array.fromAsync(query(theirs, text))).not.to.deep.equal([]);
      expect(await codeOf(explain(theirs, text))).to.equal("not-acceptable");
      expect(await codeOf(explain(pod, "SELECT"))).to.equal("query-invalid");
    });
  });
});
