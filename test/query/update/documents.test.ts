/** SPARQL Update on a pod, over HTTP: what it does to documents. */
import { expect } from "chai";
import { write } from "../../doors/people.ts";
import { sendRaw } from "../../support/server.ts";
import { done, onPod, refused, TYPE } from "./fixture.ts";

const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const P = "PREFIX : <urn:x:> ";

describe("SPARQL Update on a pod", () => {
  const tests = onPod();
  const { update, read, put } = tests;

  describe("a graph is a document", () => {
    it("adds to one that is there, and makes one that is not", async () => {
      await put("one.ttl", ":a :p 1 .");
      await done(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}one.ttl> { :a :p 2 } GRAPH <${tests.folder}deep/new.ttl> { :b :p 3 . _:x :p _:x } }`,
        ),
      );
      const xsd = "<http://www.w3.org/2001/XMLSchema#integer>";
      expect(await read("one.ttl")).to.equal(
        `<urn:x:a> <urn:x:p> "1"^^${xsd} . <urn:x:a> <urn:x:p> "2"^^${xsd} .`,
      );
      expect(await read("deep/new.ttl")).to.match(/^<urn:x:b> <urn:x:p> "3"\S+ \. (_:\S+) <urn:x:p> \1 \.$/);
      const made = await tests.ana.fetch(`${tests.folder}deep/new.ttl`);
      expect(made.headers.get("content-type")).to.match(/^text\/turtle/);
    });

    it("finds in one document what it writes into another", async () => {
      await put("people.ttl", ':a :name "Ann" ; :age 40 . :b :name "Bob" ; :age 12 .');
      await done(
        await update(
          `INSERT { GRAPH <${tests.folder}adults.ttl> { ?who :name ?name } }
           WHERE { GRAPH <${tests.folder}people.ttl> { ?who :name ?name ; :age ?age FILTER(?age >= 18) } }`,
        ),
      );
      expect(await read("adults.ttl")).to.equal('<urn:x:a> <urn:x:name> "Ann" .');
    });

    it("deletes and inserts in one document by WITH", async () => {
      await put("stock.ttl", ":apple :count 3 . :pear :count 5 .");
      await done(
        await update(
          `WITH <${tests.folder}stock.ttl> DELETE { :apple :count ?n } INSERT { :apple :count ?m }
           WHERE { :apple :count ?n BIND(?n - 1 AS ?m) }`,
        ),
      );
      expect(await read("stock.ttl")).to.match(/apple> <urn:x:count> "2".*pear> <urn:x:count> "5"/);
    });

    it("reaches blank nodes: of the document, and only once each", async () => {
      await put("list.ttl", ":a :item [ :n 1 ; :done true ], [ :n 2 ; :done false ] .");
      await done(
        await update(
          `WITH <${tests.folder}list.ttl> DELETE { :a :item ?i . ?i ?p ?o } WHERE { :a :item ?i . ?i :done true ; ?p ?o }`,
        ),
      );
      expect(await read("list.ttl")).to.match(
        /^<urn:x:a> <urn:x:item> (_:\S+) \. \1 <urn:x:done> "false"\S+ \. \1 <urn:x:n> "2"\S+ \.$/,
      );
    });

    it("copies blank nodes as others, the same one twice as one", async () => {
      await put("from.ttl", ":a :has _:x . _:x :n 1 .");
      await put("to.ttl", "_:b1 :old true .");
      await done(await update(`ADD <${tests.folder}from.ttl> TO <${tests.folder}to.ttl>`));
      expect(await read("to.ttl")).to.match(
        /^<urn:x:a> <urn:x:has> (_:\S+) \. (_:\S+) <urn:x:(?:n|old)> \S+ \. (_:\S+) <urn:x:(?:n|old)> \S+ \.$/,
      );
      const nodes = new Set((await read("to.ttl"))!.match(/_:\S+/g));
      expect(nodes.size).to.equal(2);
    });

    it("sees in each operation what those before it did", async () => {
      await put("a.ttl", "_:g1 :p 1 .");
      await done(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}a.ttl> { _:new :p 2 } GRAPH <${tests.folder}b.ttl> { :x :p 3 } } ;
           DELETE { GRAPH ?g { ?s :p ?n } } INSERT { GRAPH ?g { ?s :q ?n } } WHERE { GRAPH ?g { ?s :p ?n }
             FILTER(STRSTARTS(STR(?g), "${tests.folder}")) } ;
           DELETE { GRAPH <${tests.folder}a.ttl> { ?s :q 1 } } WHERE { GRAPH <${tests.folder}a.ttl> { ?s :q 1 } }`,
        ),
      );
      expect(await read("a.ttl")).to.match(/^_:\S+ <urn:x:q> "2"\S+ \.$/);
      expect(await read("b.ttl")).to.match(/^<urn:x:x> <urn:x:q> "3"\S+ \.$/);
    });

    it("one that is emptied stays, and DROP deletes it: into the trash, as ever", async () => {
      await put("a.ttl", ":a :p 1 .");
      await put("b.ttl", ":a :p 1 .");
      await done(await update(`CLEAR GRAPH <${tests.folder}a.ttl> ; DROP GRAPH <${tests.folder}b.ttl>`));
      expect(await read("a.ttl")).to.equal("");
      expect(await read("b.ttl")).to.equal(null);
    });

    it("moves, copies and creates", async () => {
      await put("a.ttl", ":a :p 1 .");
      await put("old.ttl", ":old :p 1 .");
      await done(
        await update(
          `COPY <${tests.folder}a.ttl> TO <${tests.folder}old.ttl> ; MOVE <${tests.folder}a.ttl> TO <${tests.folder}b.ttl> ; CREATE GRAPH <${tests.folder}c.ttl>`,
        ),
      );
      expect(await read("a.ttl")).to.equal(null);
      expect(await read("b.ttl")).to.match(/^<urn:x:a> <urn:x:p> "1"\S+ \.$/);
      expect(await read("old.ttl")).to.match(/^<urn:x:a> <urn:x:p> "1"\S+ \.$/);
      expect(await read("c.ttl")).to.equal("");
    });

    it("what is not there, or there already, is a conflict unless SILENT", async () => {
      await put("a.ttl", ":a :p 1 .");
      for (const text of [
        `DROP GRAPH <${tests.folder}no.ttl>`,
        `CREATE GRAPH <${tests.folder}a.ttl>`,
        `COPY <${tests.folder}no.ttl> TO <${tests.folder}a.ttl>`,
      ]) {
        await refused(await update(text), 409, "conflict");
        await done(await update(text.replace(/^(\w+)/, "$1 SILENT")));
      }
      expect(await read("a.ttl")).to.match(/^<urn:x:a> <urn:x:p> "1"\S+ \.$/);
      await done(await update(`LOAD SILENT <https://example.org/x> INTO GRAPH <${tests.folder}a.ttl>`));
    });

    it("keeps the format and the prefixes of what it changes", async () => {
      await put("a.ttl", ":a :p 1 .");
      await write(
        tests.ana,
        `${tests.folder}b.jsonld`,
        '{"@id": "urn:x:b", "urn:x:p": 1}',
        "application/ld+json",
      );
      await done(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}a.ttl> { :a :p 2 } GRAPH <${tests.folder}b.jsonld> { :b :p 2 } }`,
        ),
      );
      expect(await (await tests.ana.fetch(`${tests.folder}a.ttl`)).text()).to.contain("@prefix : <urn:x:>");
      const json = await tests.ana.fetch(`${tests.folder}b.jsonld`);
      expect(json.headers.get("content-type")).to.match(/^application\/ld\+json/);
      expect(JSON.stringify(await json.json())).to.match(/1.*2/);
    });
  });

  describe("the protocol", () => {
    it("takes a form, and a dataset beside the update", async () => {
      await put("a.ttl", ":a :p 1 .");
      const body = new URLSearchParams({
        update: `${P} INSERT { GRAPH <${tests.folder}b.ttl> { ?s :q ?o } } WHERE { ?s :p ?o }`,
        "using-graph-uri": `${tests.folder}a.ttl`,
      });
      await done(await tests.ana.fetch(`${tests.ana.pod}sparql-update`, { method: "POST", body }));
      expect(await read("b.ttl")).to.match(/^<urn:x:a> <urn:x:q> "1"\S+ \.$/);
      const named = `?using-named-graph-uri=${encodeURIComponent(`${tests.folder}a.ttl`)}`;
      await done(
        await update(
          `INSERT { GRAPH <${tests.folder}c.ttl> { ?s :q ?g } } WHERE { GRAPH ?g { ?s ?p ?o } }`,
          tests.ana,
          named,
        ),
      );
      expect(await read("c.ttl")).to.equal(`<urn:x:a> <urn:x:q> <${tests.folder}a.ttl> .`);
    });

    it("has the union of all documents only where it is asked for", async () => {
      await put("a.ttl", ":a :only 1 .");
      const insert = (using: string) =>
        update(`INSERT { GRAPH <${tests.folder}b.ttl> { ?s :found ?o } } ${using} WHERE { ?s :only ?o }`);
      await done(await insert(""));
      expect(await read("b.ttl")).to.equal(null);
      await done(await insert(`USING <${UNION}>`));
      expect(await read("b.ttl")).to.match(/^<urn:x:a> <urn:x:found>/);
    });

    it("refuses a dataset in two places, and what is no update", async () => {
      const using = `?using-graph-uri=${encodeURIComponent(`${tests.folder}a.ttl`)}`;
      await refused(
        await update(`WITH <${tests.folder}a.ttl> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }`, tests.ana, using),
        400,
        "bad-request",
      );
      const detail = await refused(await update("INSERT DATA {\n ?s :p 1 }"), 400, "query-invalid");
      expect(detail).to.equal("Data have no variables (line:column 2:2)");
      await refused(await update("SELECT * { ?s ?p ?o }"), 400, "query-invalid");
      await refused(await update("", tests.ana, "?query=ASK%20%7B%7D"), 400, "bad-request");
      await refused(
        await update("", tests.ana, "", { "content-type": "text/plain" }),
        415,
        "unsupported-media-type",
      );
      await refused(
        await update("", tests.ana, "", { "content-type": `${TYPE}; charset=utf-16` }),
        415,
        "unsupported-media-type",
      );
      await refused(
        await update(" ".repeat(tests.server.context.config.limits.patchBytesMax)),
        413,
        "body-too-large",
      );
    });

    it("is not a place to look at or to store in, and says what it takes", async () => {
      const get = await tests.ana.fetch(`${tests.ana.pod}sparql-update`);
      expect(get.status).to.equal(405);
      expect(get.headers.get("allow")).to.equal("OPTIONS, POST");
      for (const method of ["PUT", "PATCH", "DELETE"])
        expect(
          (
            await tests.ana.fetch(`${tests.ana.pod}sparql-update`, {
              method,
              headers: { "content-type": TYPE },
              body: "x",
            })
          ).status,
        ).to.equal(405);
      const options = await sendRaw(tests.server.baseUrl, "OPTIONS", "/ana/sparql-update", {
        origin: "https://app.example",
      });
      expect(options.status).to.equal(204);
      expect(options.headers).to.deep.include({
        allow: "OPTIONS, POST",
        "accept-post": "application/sparql-update, application/x-www-form-urlencoded",
      });
    });

    it("is named where the storage is described", async () => {
      const url = `${tests.ana.pod}.well-known/solid`;
      for (const accept of ["application/n-triples", "application/ld+json"]) {
        const text = await (await fetch(url, { headers: { accept } })).text();
        expect(text).to.contain(`${tests.ana.pod}sparql-update`).and.to.contain("#SPARQL11Update");
      }
    });

    it("the query endpoint still changes nothing", async () => {
      const body = `${P} INSERT DATA { GRAPH <${tests.folder}a.ttl> { :a :p 1 } }`;
      for (const type of [TYPE, "application/sparql-query"])
        expect(
          (
            await tests.ana.fetch(`${tests.ana.pod}sparql`, {
              method: "POST",
              headers: { "content-type": type },
              body,
            })
          ).status,
        ).to.be.within(400, 415);
      expect(await read("a.ttl")).to.equal(null);
    });
  });

  describe("what is no document is not changed", () => {
    for (const [what, name] of [
      ["a document of somebody else's pod", "../../ben/notes.ttl"],
      ["another server's", "https://example.org/a.ttl"],
      ["a tests.folder", "./"],
      ["the pod", "../"],
      ["rules", "a.ttl.acl"],
      ["a description", "a.ttl.meta"],
      ["a fragment", "a.ttl#it"],
      ["an address that is spelled otherwise", "a%2Ettl"],
    ] as const)
      it(what, async () => {
        const graph = new URL(name, tests.folder).href;
        const detail = await refused(
          await update(`INSERT DATA { GRAPH <${graph}> { :a :p 1 } }`),
          400,
          "query-refused",
        );
        expect(detail).to.contain(graph);
        await refused(await update(`DROP SILENT GRAPH <${graph}>`), 400, "query-refused");
      });

    it("nor the default graph, nor everything at once", async () => {
      await put("a.ttl", ":a :p 1 .");
      for (const text of [
        "INSERT DATA { :a :p 1 }",
        "CLEAR ALL",
        "DROP NAMED",
        "CLEAR SILENT ALL",
        `ADD <${tests.folder}a.ttl> TO DEFAULT`,
      ])
        await refused(await update(text), 400, "query-refused");
      await done(await update("CLEAR DEFAULT"));
      expect(await read("a.ttl")).not.to.equal("");
    });

    it("nor the server's own addresses, nor a photo", async () => {
      await refused(
        await update(`INSERT DATA { GRAPH <${tests.ana.pod}sparql-update> { :a :p 1 } }`),
        409,
        "conflict",
      );
      await refused(
        await update(`INSERT DATA { GRAPH <${tests.ana.pod}.journal/x> { :a :p 1 } }`),
        409,
        "conflict",
      );
      await write(tests.ana, `${tests.folder}photo`, "x", "image/png");
      await refused(
        await update(`INSERT DATA { GRAPH <${tests.folder}photo> { :a :p 1 } }`),
        409,
        "conflict",
      );
    });

    it("nothing is fetched", async () => {
      await refused(
        await update(`LOAD <https://example.org/a.ttl> INTO GRAPH <${tests.folder}a.ttl>`),
        400,
        "query-refused",
      );
      await refused(
        await update(
          `INSERT { GRAPH <${tests.folder}a.ttl> { ?s ?p ?o } } WHERE { SERVICE <https://example.org/> { ?s ?p ?o } }`,
        ),
        400,
        "query-refused",
      );
    });
  });
});
