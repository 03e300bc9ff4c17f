/** SPARQL Update on a pod, over HTTP: who may do it, and what it never does. */
import { shapeNamed } from "@freehold/shapes";
import { expect } from "chai";
import { setAccess, write } from "../../doors/people.ts";
import { notesIn, stream, subscribe, until } from "../../notify/support.ts";
import { startServer } from "../../support/server.ts";
import { done, onPod, refused, TYPE } from "./fixture.ts";

describe("SPARQL Update on a pod, by whoever may", () => {
  const tests = onPod();
  const { update, read, put } = tests;
  const entries = async () => {
    const { journal, pods } = tests.server.context;
    return (await journal.read((await pods.find("ana"))!, 0, 10_000)).map(({ entry }) => entry);
  };

  describe("all of a request, or nothing", () => {
    it("the last operation fails, so the first did not happen", async () => {
      await put("a.ttl", ":a :p 1 .");
      await refused(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}a.ttl> { :a :p 2 } } ; DROP GRAPH <${tests.folder}no.ttl>`,
        ),
        409,
        "conflict",
      );
      expect(await read("a.ttl")).to.match(/^<urn:x:a> <urn:x:p> "1"\S+ \.$/);
    });

    it("one document does not fit its folder's shape, so no other is changed", async () => {
      const contact = shapeNamed("Contact").iri;
      await put("people/", "");
      await write(
        tests.ana,
        `${tests.folder}people/.meta`,
        `<./> <http://www.w3.org/ns/ldp#constrainedBy> <${contact}> .`,
      );
      const text = (name: string) =>
        `PREFIX v: <http://www.w3.org/2006/vcard/ns#> INSERT DATA { GRAPH <${tests.folder}log.ttl> { :log :p 1 }
         GRAPH <${tests.folder}people/z.ttl> { <${tests.folder}people/z.ttl#it> a v:Individual ; ${name} } }`;
      await refused(await update(text('v:note "nameless"')), 422, "shape-violation");
      expect([await read("log.ttl"), await read("people/z.ttl")]).to.deep.equal([null, null]);
      await done(await update(text('v:fn "Zoë"')));
      expect(await read("log.ttl")).not.to.equal(null);
    });

    it("writers at the same time never lose an update", async () => {
      await put("n.ttl", ":n :count 0 .");
      const add = () =>
        update(
          `WITH <${tests.folder}n.ttl> DELETE { :n :count ?n } INSERT { :n :count ?m } WHERE { :n :count ?n BIND(?n + 1 AS ?m) }`,
        );
      const answers = await Promise.all(Array.from({ length: 6 }, add));
      const made = answers.filter(({ status }) => status === 204).length;
      expect(made).to.be.above(0);
      for (const { status } of answers) expect(status).to.be.oneOf([204, 409, 503]);
      expect(await read("n.ttl")).to.contain(`"${made}"`);
    });

    it("profiles keep what makes them one", async () => {
      const card = tests.ana.webid.split("#")[0]!;
      const before = await (await tests.ana.fetch(card)).text();
      for (const text of [
        `DROP GRAPH <${card}>`,
        `CLEAR GRAPH <${card}>`,
        `DELETE WHERE { GRAPH <${card}> { ?s ?p ?o } }`,
      ]) {
        const { status } = await update(text);
        expect(status).to.be.oneOf([409, 422]);
      }
      expect(await (await tests.ana.fetch(card)).text()).to.equal(before);
    });
  });

  describe("whoever may do it", () => {
    beforeEach(async () => {
      await put("secret.ttl", ":secret :p 1 .");
      await put("shared.ttl", ":shared :p 1 .");
      await put("box.ttl", ":box :p 1 .");
      await put("own/x.ttl", ":x :p 1 .");
      await setAccess(tests.ana, `${tests.folder}shared.ttl`, [
        { to: tests.ben.webid, modes: ["Read"], on: "own" },
      ]);
      await setAccess(tests.ana, `${tests.folder}box.ttl`, [
        { to: tests.ben.webid, modes: ["Append"], on: "own" },
      ]);
      await setAccess(tests.ana, `${tests.folder}own/`, [{ to: tests.ben.webid, modes: ["Read", "Write"] }]);
    });
    const insert = (name: string) => `INSERT DATA { GRAPH <${tests.folder}${name}> { :new :p 1 } }`;

    it("nobody is told to log in, before anything is read", async () => {
      const response = await fetch(`${tests.ana.pod}sparql-update`, {
        method: "POST",
        headers: { "content-type": TYPE },
        body: "no update",
      });
      await refused(response, 401, "login-required");
    });

    it("each document needs its own access", async () => {
      await done(await update(insert("box.ttl"), tests.ben));
      await done(await update(insert("own/new.ttl"), tests.ben));
      for (const name of ["secret.ttl", "shared.ttl", "none.ttl"])
        await refused(await update(insert(name), tests.ben), 403, "forbidden");
      const twice = `${insert("own/two.ttl")} ; ${insert("secret.ttl")}`;
      await refused(await update(twice, tests.ben), 403, "forbidden");
      expect(await read("own/two.ttl")).to.equal(null);
      expect(await read("secret.ttl")).not.to.contain("new");
      expect(await read("box.ttl")).to.contain("new");
    });

    it("learns nothing of what stands where: a photo, a document, or nothing", async () => {
      await write(tests.ana, `${tests.folder}photo`, "x", "image/png");
      const seen = new Set<string>();
      for (const name of ["photo", "secret.ttl", "none.ttl"])
        for (const text of [
          insert(name),
          `DELETE DATA { GRAPH <${tests.folder}${name}> { :a :p 1 } }`,
          `COPY <${tests.folder}own/x.ttl> TO <${tests.folder}${name}>`,
        ]) {
          const detail = await refused(await update(text, tests.ben), 403, "forbidden");
          seen.add(detail.replace(name, "…"));
        }
      expect([...seen]).to.have.members([
        `Missing: append (${tests.folder}…)`,
        `Missing: write (${tests.folder}…)`,
      ]);
    });

    it("somebody else changes fewer documents at once than the owner", async () => {
      const { updateOthersDocumentsMax } = tests.server.context.config.limits;
      const many = Array.from(
        { length: updateOthersDocumentsMax + 1 },
        (_, at) => `GRAPH <${tests.folder}own/${at}> { :a :p 1 }`,
      );
      await refused(await update(`INSERT DATA { ${many.join(" ")} }`, tests.ben), 400, "query-refused");
      expect(await read("own/0")).to.equal(null);
      await done(await update(`INSERT DATA { ${many.slice(1).join(" ")} }`, tests.ben));
    });

    it("adding is not deleting, and writing is not deleting the document's place in a tests.folder", async () => {
      await refused(
        await update(`DELETE DATA { GRAPH <${tests.folder}box.ttl> { :box :p 1 } }`, tests.ben),
        403,
        "forbidden",
      );
      await refused(
        await update(`DELETE DATA { GRAPH <${tests.folder}box.ttl> { :not :there 1 } }`, tests.ben),
        403,
        "forbidden",
      );
      await refused(
        await update(`DELETE DATA { GRAPH <${tests.folder}shared.ttl> { :shared :p 1 } }`, tests.ben),
        403,
        "forbidden",
      );
      await setAccess(tests.ana, `${tests.folder}box.ttl`, [
        { to: tests.ben.webid, modes: ["Read", "Write"], on: "own" },
      ]);
      await done(await update(`DELETE DATA { GRAPH <${tests.folder}box.ttl> { :box :p 1 } }`, tests.ben));
      await refused(await update(`DROP GRAPH <${tests.folder}box.ttl>`, tests.ben), 403, "forbidden");
      expect(await read("box.ttl")).to.equal("");
      await done(await update(`DROP GRAPH <${tests.folder}own/x.ttl>`, tests.ben));
    });

    it("WHERE finds nothing in what may not be read", async () => {
      for (const [at, where] of [
        `GRAPH <${tests.folder}secret.ttl> { ?s :p ?o }`,
        `GRAPH <${tests.folder}box.ttl> { ?s :p ?o }`,
        `GRAPH ?g { ?s :p ?o FILTER(?s = :secret || ?s = :box) }`,
      ].entries()) {
        await done(
          await update(
            `INSERT { GRAPH <${tests.folder}own/out${at}.ttl> { ?s :leaked ?o } } WHERE { ${where} }`,
            tests.ben,
          ),
        );
        expect(await read(`own/out${at}.ttl`)).to.equal(null);
      }
      const into = `INSERT { GRAPH <${tests.folder}own/out.ttl> { ?s :seen ?g } }`;
      await done(
        await update(
          `${into} WHERE { GRAPH ?g { ?s :p ?o FILTER(STRSTARTS(STR(?g), "${tests.folder}")) } }`,
          tests.ben,
        ),
      );
      const seen = (await read("own/out.ttl"))!;
      expect(seen).to.contain("shared.ttl").and.to.contain("own/x.ttl");
      expect(seen).not.to.match(/secret|box/);
    });

    it("nor by copying, by WITH, by USING, or by what is answered", async () => {
      for (const text of [
        `COPY <${tests.folder}secret.ttl> TO <${tests.folder}own/c.ttl>`,
        `COPY <${tests.folder}none.ttl> TO <${tests.folder}own/c.ttl>`,
        `ADD <${tests.folder}box.ttl> TO <${tests.folder}own/c.ttl>`,
      ])
        expect(await refused(await update(text, tests.ben), 409, "conflict")).to.match(
          /^There is no graph </,
        );
      for (const name of ["secret.ttl", "none.ttl", "box.ttl"]) {
        const find = `INSERT { GRAPH <${tests.folder}own/c.ttl> { ?s :leaked ?o } } USING <${tests.folder}${name}> WHERE { ?s ?p ?o }`;
        await done(await update(find, tests.ben));
      }
      expect(await read("own/c.ttl")).to.equal(null);
      const codes = new Set<string>();
      for (const name of ["secret.ttl", "none.ttl"])
        for (const text of [
          `WITH <${tests.folder}${name}> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }`,
          `DROP GRAPH <${tests.folder}${name}>`,
          `CLEAR GRAPH <${tests.folder}${name}>`,
          `CREATE GRAPH <${tests.folder}${name}>`,
        ]) {
          const response = await update(text, tests.ben);
          codes.add(
            `${text.split(" ")[0]} ${response.status} ${(await response.text()).replaceAll(name, "…").replace(/"instance":"[^"]*"|[0-9a-f-]{36}/g, "")}`,
          );
        }
      expect(codes.size).to.equal(4); // The same for what is there and for what is not.
    });
  });

  it("under policies (ACP) it is the same", async () => {
    const other = await startServer({ FREEHOLD_ACCESS: "acp" });
    try {
      const [eve, dan] = [await other.person("eve"), await other.person("dan")];
      const send = (who: typeof eve, text: string) =>
        who.fetch(`${eve.pod}sparql-update`, {
          method: "POST",
          headers: { "content-type": TYPE },
          body: `PREFIX : <urn:x:> ${text}`,
        });
      await done(await send(eve, `INSERT DATA { GRAPH <${eve.pod}a.ttl> { :a :p 1 } }`));
      await refused(await send(dan, `INSERT DATA { GRAPH <${eve.pod}a.ttl> { :a :p 2 } }`), 403, "forbidden");
      await refused(await send(dan, `DROP GRAPH <${eve.pod}a.ttl>`), 409, "conflict");
      await refused(
        await send(eve, `INSERT DATA { GRAPH <${eve.pod}a.ttl.acr> { :a :p 2 } }`),
        400,
        "query-refused",
      );
      expect(await (await eve.fetch(`${eve.pod}a.ttl`)).text()).not.to.contain("2");
    } finally {
      await other.close();
    }
  });

  describe("as any other write", () => {
    it("has an entry in the journal for each document, with what was done to it", async () => {
      await put("a.ttl", ":a :p 1 .");
      await put("b.ttl", ":a :p 1 .");
      await put("c.ttl", ":a :p 1 .");
      await put("same.ttl", ":a :p 1 .");
      const before = (await entries()).length;
      await done(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}a.ttl> { :a :p 2 } GRAPH <${tests.folder}new.ttl> { :a :p 2 } GRAPH <${tests.folder}same.ttl> { :a :p 1 } } ;
           DELETE DATA { GRAPH <${tests.folder}b.ttl> { :a :p 1 } } ; DROP GRAPH <${tests.folder}c.ttl>`,
          tests.ana,
          "",
          { "access-purpose": "https://example.org/tidying" },
        ),
      );
      const path = new URL(tests.folder).pathname;
      const made = (await entries())
        .slice(before)
        .map((entry) => [entry?.act, entry?.path, entry?.agent, entry?.purpose]);
      const purpose = "https://example.org/tidying";
      expect(made).to.have.deep.members([
        ["append", `${path}a.ttl`, tests.ana.webid, purpose],
        ["create", `${path}new.ttl`, tests.ana.webid, purpose],
        ["change", `${path}b.ttl`, tests.ana.webid, purpose],
        ["delete", `${path}c.ttl`, tests.ana.webid, purpose],
      ]);
    });

    it("what it overwrites becomes history, what it drops goes into the trash", async () => {
      await put("a.ttl", ":a :p 1 .");
      await put("b.ttl", ":b :p 1 .");
      await done(await update(`CLEAR GRAPH <${tests.folder}a.ttl> ; DROP GRAPH <${tests.folder}b.ttl>`));
      const { keeping } = tests.server.context.ldp;
      const pod = (await tests.server.context.pods.find("ana"))!;
      const path = new URL(tests.folder).pathname;
      expect(await keeping.versions(pod, `${path}a.ttl`)).to.have.length(1);
      expect((await keeping.trash(pod, 1)).items[0]).to.have.property("path", `${path}b.ttl`);
    });

    it("tells whoever listens to a document", async () => {
      await put("a.ttl", ":a :p 1 .");
      const topic = `${tests.folder}a.ttl`;
      const { ana } = tests;
      const { receiveFrom } = await subscribe(ana.fetch, ana.pod, "StreamingHTTPChannel2023", topic);
      const one = await stream(ana.fetch, receiveFrom);
      await done(await update(`INSERT DATA { GRAPH <${topic}> { :a :p 2 } }`));
      await until("a message", () => notesIn(one).length === 1);
      const { headers } = await ana.fetch(topic);
      expect(notesIn(one)[0]).to.include({ type: "Update", object: topic, state: headers.get("etag") });
      await one.leave();
    });

    it("changes ETags of what changes, and of nothing else", async () => {
      await put("a.ttl", ":a :p 1 .");
      await put("b.ttl", ":a :p 1 .");
      const tags = () =>
        Promise.all(
          ["a.ttl", "b.ttl"].map(async (name) =>
            (await tests.ana.fetch(tests.folder + name)).headers.get("etag"),
          ),
        );
      const [a, b] = await tags();
      await done(
        await update(
          `INSERT DATA { GRAPH <${tests.folder}a.ttl> { :a :p 2 } GRAPH <${tests.folder}b.ttl> { :a :p 1 } }`,
        ),
      );
      const [after, same] = await tags();
      expect(after).not.to.equal(a);
      expect(same).to.equal(b);
    });

    it("is seen by the next query", async () => {
      await done(await update(`INSERT DATA { GRAPH <${tests.folder}q.ttl> { :fresh :p 7 } }`));
      const query = encodeURIComponent("SELECT ?o { GRAPH ?g { <urn:x:fresh> ?p ?o } }");
      const answer = await tests.ana.fetch(`${tests.ana.pod}sparql?query=${query}`, {
        headers: { accept: "application/sparql-results+json" },
      });
      expect(await answer.text()).to.contain('"7"');
    });

    it("counts for the quota: what does not fit is not stored", async () => {
      const small = await startServer({ FREEHOLD_LIMITS: "podBytesMax=60000" });
      try {
        const eve = await small.person("eve");
        const text = `INSERT DATA { GRAPH <${eve.pod}a.ttl> { <urn:x:a> <urn:x:p> "${"x".repeat(70_000)}" } }`;
        const response = await eve.fetch(`${eve.pod}sparql-update`, {
          method: "POST",
          headers: { "content-type": TYPE },
          body: text,
        });
        await refused(response, 507, "quota-exceeded");
        expect((await eve.fetch(`${eve.pod}a.ttl`)).status).to.equal(404);
      } finally {
        await small.close();
      }
    });
  });

  describe("hostile updates are ended", () => {
    it("an endless WHERE, for somebody else, after the time a query has; the server goes on", async () => {
      const slow = await startServer({ FREEHOLD_LIMITS: "queryOwnerMsMax=600" });
      try {
        const eve = await slow.person("eve");
        const data = Array.from({ length: 400 }, (_, at) => `<urn:x:${at}> <urn:x:p> ${at}`).join(" . ");
        const send = (text: string) =>
          eve.fetch(`${eve.pod}sparql-update`, {
            method: "POST",
            headers: { "content-type": TYPE },
            body: text,
          });
        await done(await send(`INSERT DATA { GRAPH <${eve.pod}a.ttl> { ${data} } }`));
        const cross = Array.from({ length: 6 }, (_, at) => `?s${at} ?p${at} ?o${at} .`).join(" ");
        await refused(
          await send(
            `INSERT { GRAPH <${eve.pod}b.ttl> { ?s0 <urn:x:q> ?o5 } } WHERE { GRAPH <${eve.pod}a.ttl> { ${cross} FILTER(?o0 + ?o5 < 0) } }`,
          ),
          503,
          "query-timeout",
        );
        expect((await eve.fetch(`${eve.pod}b.ttl`)).status).to.equal(404);
        await done(
          await send(
            `INSERT { GRAPH <${eve.pod}c.ttl> { ?s <urn:x:q> 1 } } WHERE { GRAPH <${eve.pod}a.ttl> { ?s ?p 7 } }`,
          ),
        );
      } finally {
        await slow.close();
      }
    });

    it("too many documents, too many triples", async () => {
      const { updateDocumentsMax } = tests.server.context.config.limits;
      const many = Array.from(
        { length: updateDocumentsMax + 1 },
        (_, at) => `GRAPH <${tests.folder}${at}> { :a :p 1 }`,
      ).join(" ");
      await refused(await update(`INSERT DATA { ${many} }`), 400, "query-refused");
      const values = Array.from({ length: 330 }, (_, at) => at).join(" ");
      await refused(
        await update(
          `INSERT { GRAPH <${tests.folder}a.ttl> { ?a :p ?b } } WHERE { VALUES ?x { ${values} } VALUES ?b { ${values} } BIND(IRI(CONCAT("urn:x:", STR(?x))) AS ?a) }`,
        ),
        400,
        "query-refused",
      );
      expect(await read("a.ttl")).to.equal(null);
    });
  });
});
