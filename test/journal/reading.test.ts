/** The owner reads the journal as RDF, by address and by SPARQL; nobody else reads a word of it. */
import { expect } from "chai";
import { parseRdf } from "../../server/rdf/parse.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import type { Pod } from "../../server/store/pods.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const FORMATS = ["text/turtle", "application/ld+json", "application/n-triples", "application/n-quads"];
const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const FH = "https://w3id.org/freehold/ns#";
const DPV = "https://w3id.org/dpv#";
const turtle = { "content-type": "text/turtle" };

describe("the journal as its owner reads it", () => {
  let server: TestServer;
  let ana: Person;
  let bob: Person;
  let pod: Pod;
  let journalUrl: string;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    bob = await server.person("Bob");
    pod = (await server.context.pods.find("ana"))!;
    journalUrl = `${ana.pod}.journal/`;
    await write(ana, `${ana.pod}shared/a.ttl`);
    // Bob may do everything everywhere, but he is not the owner.
    await setAccess(ana, ana.pod, [
      { to: bob.webid, modes: ["Read", "Write", "Control"] },
      { to: "public", modes: ["Read"] },
    ]);
    await setAccess(ana, `${ana.pod}shared/`, [{ to: bob.webid, modes: ["Read"] }]);
    expect((await bob.fetch(`${ana.pod}shared/a.ttl`)).status).to.equal(200);
  });
  after(() => server.close());

  async function read(url: string, accept = "text/turtle"): Promise<readonly Quad[]> {
    const response = await ana.fetch(url, { headers: { accept } });
    expect(response.status, url).to.equal(200);
    expect(response.headers.get("content-type")).to.equal(accept);
    return parseRdf(new Uint8Array(await response.arrayBuffer()), accept, url);
  }
  const said = (quads: readonly Quad[], subject: string, predicate: string): string[] =>
    quads.flatMap((quad) =>
      quad.subject.value === subject && quad.predicate.value === predicate ? [quad.object.value] : [],
    );
  async function ask(person: Person, sparql: string): Promise<Record<string, string>[]> {
    const response = await person.fetch(`${ana.pod}sparql?query=${encodeURIComponent(sparql)}`);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const { results } = (await response.json()) as {
      results: { bindings: Record<string, { value: string }>[] };
    };
    return results.bindings.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, { value }]) => [name, value])),
    );
  }

  describe("by address", () => {
    for (const format of FORMATS)
      it(`is a folder of pages, in ${format}`, async () => {
        const quads = await read(journalUrl, format);
        expect(said(quads, journalUrl, "http://www.w3.org/ns/ldp#contains")).to.deep.equal([
          `${journalUrl}1`,
        ]);
        const page = await read(`${journalUrl}1`, format);
        const looks = page
          .filter(({ object }) => object.value === `${DPV}Access`)
          .map(({ subject }) => subject.value);
        expect(looks).to.have.lengthOf(1);
        const [look = ""] = looks;
        expect(look).to.match(/\/\.journal\/1#e\d+$/);
        expect(said(page, look, "http://www.w3.org/ns/prov#wasAssociatedWith")).to.deep.equal([bob.webid]);
        expect(said(page, look, "http://www.w3.org/ns/prov#used")).to.deep.equal([`${ana.pod}shared/a.ttl`]);
        expect(said(page, look, `${FH}decision`)).to.deep.equal([`${FH}granted`]);
        expect(said(page, look, `${FH}statusCode`)).to.deep.equal(["200"]);
        expect(Number(said(page, look, `${FH}bytes`)[0])).to.be.greaterThan(0);
      });

    it("has no page beyond the last, and no other names for those it has", async () => {
      for (const name of ["2", "0", "01", "1/", "x", ".acl", "1.meta", "1.acl", "-1"])
        expect((await ana.fetch(`${journalUrl}${name}`)).status, name).to.equal(404);
      expect((await ana.fetch(journalUrl.slice(0, -1), { redirect: "manual" })).status).to.equal(301);
      expect((await ana.fetch(journalUrl, { headers: { accept: "text/csv" } })).status).to.equal(406);
    });

    it("is known by its ETag until something is recorded", async () => {
      const first = await ana.fetch(`${journalUrl}1`);
      const etag = first.headers.get("etag") ?? "";
      const again = await ana.fetch(`${journalUrl}1`, { headers: { "if-none-match": etag } });
      expect([again.status, await again.text()]).to.deep.equal([304, ""]);
      await write(ana, `${ana.pod}shared/b.ttl`);
      expect((await ana.fetch(`${journalUrl}1`, { headers: { "if-none-match": etag } })).status).to.equal(
        200,
      );
    });

    it("has pages of five hundred, of which a full one stays as it is", async () => {
      const { journal } = server.context;
      for (let n = await journal.length(pod); n < 620; n++)
        await journal.note(pod, {
          act: "look",
          agent: "https://shop.example/card#it",
          path: "/ana/shared/a.ttl",
        });
      const pages = said(await read(journalUrl), journalUrl, "http://www.w3.org/ns/ldp#contains");
      expect(pages).to.deep.equal([`${journalUrl}1`, `${journalUrl}2`]);
      const full = await ana.fetch(`${journalUrl}1`);
      expect(full.headers.get("cache-control")).to.match(/^private, max-age=\d+$/);
      expect((await full.text()).match(/#e\d+>\s+a prov:Activity/g)).to.have.lengthOf(500);
      const etag = full.headers.get("etag") ?? "";
      await journal.note(pod, { act: "look", path: "/ana/shared/a.ttl" });
      expect((await ana.fetch(`${journalUrl}1`, { headers: { "if-none-match": etag } })).status).to.equal(
        304,
      );
      expect((await ana.fetch(`${journalUrl}2`)).headers.get("cache-control")).to.equal("private, no-cache");
    });

    it("shows an entry that was erased as one that says nothing more", async () => {
      const { journal } = server.context;
      await write(ana, `${ana.pod}shared/secret-name.ttl`);
      expect(await journal.forget(pod, (path) => path.endsWith("secret-name.ttl"))).to.equal(1);
      const response = await ana.fetch(`${journalUrl}2`);
      const text = await response.text();
      expect(text).not.to.include("secret-name");
      expect(text).to.match(/#e\d+> a prov:Activity;\s+fh:entryNumber \d+;\s+fh:status fh:erased\./);
      expect(text).to.match(/dpv:hasProcessing dpv:Erase/);
      expect((await journal.verify(pod)).faults).to.deep.equal([]);
    });
  });

  describe("to everybody else", () => {
    it("is refused in every format, page or not, with every access there is", async () => {
      for (const accept of [...FORMATS, "text/html", "*/*"])
        for (const name of ["", "1", "99", "x/y"]) {
          for (const method of ["GET", "HEAD"]) {
            const options = { method, headers: { accept } };
            const [byBob, byNobody] = [
              await bob.fetch(`${journalUrl}${name}`, options),
              await fetch(`${journalUrl}${name}`, options),
            ];
            expect([byBob.status, byNobody.status], `${method} ${name} ${accept}`).to.deep.equal([403, 401]);
            expect(await byBob.text()).not.to.include("prov");
            expect(byBob.headers.get("etag")).to.equal(null);
            expect(byBob.headers.get("wac-allow")).to.equal('user="",public=""');
          }
        }
    });

    it("is in no listing", async () => {
      for (const person of [ana, bob]) {
        const text = await (await person.fetch(ana.pod, { headers: { accept: "text/turtle" } })).text();
        expect(text).not.to.include(".journal");
      }
    });
  });

  it("cannot be written by anybody, nor hidden behind something of the same name", async () => {
    for (const person of [ana, bob]) {
      for (const [method, name] of [
        ["PUT", ".journal/1"],
        ["PUT", ".journal/"],
        ["PUT", ".journal"],
        ["PUT", ".journal/deep/er.ttl"],
        ["PUT", "%2Ejournal/1"],
        ["POST", ".journal/"],
        ["PATCH", ".journal/1"],
        ["DELETE", ".journal/"],
        ["DELETE", ".journal/1"],
      ] as const) {
        const body = method === "DELETE" ? {} : { body: "<> <urn:x:is> 1 ." };
        const response = await person.fetch(`${ana.pod}${name}`, { method, headers: turtle, ...body });
        expect(response.status, `${method} ${name}`).to.equal(405);
        expect(response.headers.get("allow")).to.equal("GET, HEAD, OPTIONS");
      }
      for (const name of [".journal/.acl", ".journal.acl", ".journal/1.meta", ".journal/.meta"]) {
        const response = await person.fetch(`${ana.pod}${name}`, {
          method: "PUT",
          headers: turtle,
          body: "",
        });
        expect(response.status, name).to.be.oneOf([403, 404, 422]);
      }
    }
    const posted = await ana.fetch(ana.pod, {
      method: "POST",
      headers: { ...turtle, slug: ".journal" },
      body: "",
    });
    expect(posted.status).to.equal(201);
    expect(posted.headers.get("location")).not.to.match(/\/\.journal\/?$/);
  });

  describe("by SPARQL", () => {
    const looks = `?e <${DPV}hasProcessing> <${DPV}Access> ; <http://www.w3.org/ns/prov#wasAssociatedWith> ?who`;

    it("answers the owner who names it: FROM, FROM NAMED, GRAPH, all of it or a page", async function () {
      this.timeout(60_000);
      const counted = async (query: string): Promise<number> => (await ask(ana, query)).length;
      const all = await counted(`SELECT ?e ?who FROM <${journalUrl}> { ${looks} }`);
      expect(all).to.be.greaterThan(500);
      expect(
        await counted(`SELECT ?e FROM NAMED <${journalUrl}> { GRAPH <${journalUrl}> { ${looks} } }`),
      ).to.equal(all);
      expect(await counted(`SELECT ?e FROM NAMED <${journalUrl}> { GRAPH ?g { ${looks} } }`)).to.equal(all);
      expect(await counted(`SELECT ?e { GRAPH <${journalUrl}> { ${looks} } }`)).to.equal(all);
      const second = await ask(ana, `SELECT ?e FROM <${journalUrl}2> { ${looks} }`);
      expect(second.length).to.be.within(1, all - 1);
      for (const { e } of second) expect(e).to.match(/\/\.journal\/2#e\d+$/);
      expect(await counted(`SELECT ?e FROM <${journalUrl}1> FROM <${journalUrl}2> { ${looks} }`)).to.equal(
        all,
      );
      expect(await counted(`SELECT ?e FROM <${journalUrl}9> { ${looks} }`)).to.equal(0);
    });

    it("sees what was recorded since", async () => {
      const agent = "https://late.example/#me";
      const query = `SELECT ?e FROM <${journalUrl}> { ?e <http://www.w3.org/ns/prov#wasAssociatedWith> <${agent}> }`;
      expect(await ask(ana, query)).to.have.lengthOf(0);
      await server.context.journal.note(pod, { act: "look", agent, path: "/ana/x" });
      expect(await ask(ana, query)).to.have.lengthOf(1);
    });

    it("can be read whatever a stranger's app calls itself, or where it says it comes from", async () => {
      const agent = "https://odd.example/#me";
      const odd = ["\u0001", "\u007f", "\u0085", "\ud800", " ", "<>", "\u{10ffff}"].map(
        (sign) => `https://odd.example/${sign}`,
      );
      for (const name of odd)
        await server.context.journal.note(pod, {
          act: "look",
          agent,
          client: name,
          issuer: name,
          path: "/ana/x",
        });
      const query = `SELECT ?e ?c FROM <${journalUrl}> { ?e <http://www.w3.org/ns/prov#wasAssociatedWith> <${agent}> ; <${FH}client> ?c }`;
      expect(await ask(ana, query)).to.have.lengthOf(odd.length);
      const page = Math.ceil((await server.context.journal.length(pod)) / 500);
      for (const format of FORMATS)
        expect(await read(`${journalUrl}${page}`, format), format).to.have.length.greaterThan(odd.length);
    });

    it("is not in the owner's dataset when she does not name it", async () => {
      for (const query of [
        `SELECT ?e FROM <${UNION}> { ${looks} }`,
        `SELECT ?e { GRAPH ?g { ${looks} } }`,
        `SELECT ?g { GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?g), ".journal")) }`,
      ])
        expect(await ask(ana, query), query).to.deep.equal([]);
    });

    it("is in nobody else's, named or not", async () => {
      for (const query of [
        `SELECT ?e FROM <${journalUrl}> { ${looks} }`,
        `SELECT ?e FROM <${journalUrl}1> { ${looks} }`,
        `SELECT ?e FROM NAMED <${journalUrl}> { GRAPH ?g { ${looks} } }`,
        `SELECT ?e { GRAPH <${journalUrl}1> { ${looks} } }`,
        `SELECT ?e FROM <${UNION}> { ${looks} }`,
        `SELECT ?g { GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?g), ".journal")) }`,
      ])
        expect(await ask(bob, query), query).to.deep.equal([]);
    });
  });
});
