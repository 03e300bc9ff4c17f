import { expect } from "chai";
import { Parser, type Quad } from "n3";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const STAT = "http://www.w3.org/ns/posix/stat#";
const STORAGE = '<http://www.w3.org/ns/pim/space#Storage>; rel="type"';
const DESCRIPTION = "http://www.w3.org/ns/solid/terms#storageDescription";
const TURTLE = { "content-type": "text/turtle" };
const ORIGIN = "https://app.example";

/** Names are the anchors of the clauses. What other tests show is not here: table.ts says which. */
describe("Solid Protocol", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const parse = (text: string, baseIRI: string): Quad[] => new Parser({ baseIRI }).parse(text);
  const send = (method: string, path: string, body: string, headers: Record<string, string> = TURTLE) =>
    ana.fetch(url(path), { method, headers, body, redirect: "manual" });
  const update = (path: string, body: string) =>
    send("PATCH", path, body, { "content-type": "application/sparql-update" });
  const listing = async (path: string): Promise<Quad[]> =>
    parse(await (await ana.fetch(url(path))).text(), url(path));

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    await write(ana, url("notes/milk.ttl"));
    await write(ana, url("notes/photo.png"), "not really", "image/png");
    await write(ana, url("notes/milk.ttl.meta"), "<milk.ttl> <urn:x:title> 'Milk' .");
    await setAccess(ana, url("notes/"), [{ to: "public", modes: ["Read"] }]);
  });
  after(() => server.close());

  it("server-content-type-includes: whatever has content says of what type", async () => {
    const answers = await Promise.all([
      ...["", "notes/", "notes/milk.ttl", "notes/photo.png", ".acl", "notes/milk.ttl.meta"].map((path) =>
        ana.fetch(url(path)),
      ),
      ana.fetch(url("notes/milk.ttl"), { headers: { accept: "application/ld+json" } }),
      ana.fetch(url("notes/photo.png"), { headers: { range: "bytes=0-1" } }),
      ana.fetch(url(".well-known/solid")),
      ana.fetch(`${url("sparql")}?query=${encodeURIComponent("ASK { ?s ?p ?o }")}`),
      fetch(`${server.baseUrl}.well-known/openid-configuration`),
      fetch(server.baseUrl),
      fetch(url("")),
      ben.fetch(url("settings/")),
      ana.fetch(url("none")),
      ana.fetch(url("a//b")),
      ana.fetch(url("notes/"), { method: "DELETE" }),
      ana.fetch(url(""), { method: "DELETE" }),
      send("PUT", "notes/x.ttl", "nonsense"),
      send("POST", "notes/", "<> <urn:x:is> 1 ."),
      send("PATCH", "notes/milk.ttl", "nonsense", { "content-type": "text/n3" }),
    ]);
    for (const answer of answers) {
      const content = await answer.arrayBuffer();
      if (content.byteLength > 0)
        expect(answer.headers.get("content-type"), `${answer.status} ${answer.url}`).to.match(
          /^\w+\/[\w.+-]+/,
        );
    }
    expect(answers.filter(({ status }) => status >= 400)).to.have.length(8);
  });

  it("server-storage: a storage is the root container of all that is in it", async () => {
    await write(ana, url("walked/by/hand.ttl"));
    const reached = new Set<string>();
    const walk = async (container: string): Promise<void> => {
      const quads = parse(await (await ana.fetch(container)).text(), container);
      for (const { predicate, object } of quads) {
        if (predicate.value !== `${LDP}contains`) continue;
        expect(object.value.startsWith(container), object.value).to.equal(true);
        reached.add(object.value);
        if (object.value.endsWith("/")) await walk(object.value);
      }
    };
    await walk(ana.pod);
    expect(reached).to.include.all.keys(
      url("profile/card"),
      url("notes/"),
      url("notes/milk.ttl"),
      url("notes/photo.png"),
      url("walked/"),
      url("walked/by/"),
      url("walked/by/hand.ttl"),
    );
  });

  it("server-storage-nonoverlapping: no storage begins inside another", async () => {
    expect(ben.pod.startsWith(ana.pod) || ana.pod.startsWith(ben.pod)).to.equal(false);
    await write(ana, url("ben/profile/card"));
    for (const path of ["ben/profile/card", "ben/profile/", "ben/", "notes/", "notes/milk.ttl", ".acl"]) {
      const link = (await ana.fetch(url(path))).headers.get("link");
      expect(link, path).not.to.include(STORAGE);
      expect(link, path).to.include(`<${url(".well-known/solid")}>; rel="${DESCRIPTION}"`);
    }
    for (const person of [ana, ben])
      expect((await person.fetch(person.pod)).headers.get("link")).to.include(STORAGE);
  });

  it("server-storage-track-owner: each storage has its own owner, who is in control of it", async () => {
    for (const [person, other] of [
      [ana, ben],
      [ben, ana],
    ] as const) {
      const { status, headers } = await person.fetch(person.pod);
      expect(status).to.equal(200);
      expect(headers.get("link")).to.include(
        `<${person.webid}>; rel="http://www.w3.org/ns/solid/terms#owner"`,
      );
      expect((await person.fetch(`${person.pod}.acl`)).status).to.equal(200);
      expect((await other.fetch(person.pod)).status).to.equal(403);
    }
  });

  it("server-description-resource-authorization: a description has the rules of its subject, for each operation", async () => {
    const tries = async () => {
      const statuses: number[] = [];
      for (const [method, body] of [
        ["GET", null],
        ["PUT", "<a.ttl> <urn:x:title> 'B' ."],
        ["DELETE", null],
      ] as const) {
        await write(ana, url("ruled/a.ttl.meta"), "<a.ttl> <urn:x:title> 'A' .");
        const { status } = await ben.fetch(url("ruled/a.ttl.meta"), { method, headers: TURTLE, body });
        statuses.push(status);
      }
      return statuses;
    };
    await write(ana, url("ruled/a.ttl"));
    expect(await tries()).to.deep.equal([403, 403, 403]);
    await setAccess(ana, url("ruled/a.ttl"), [{ to: ben.webid, modes: ["Read"] }]);
    expect(await tries()).to.deep.equal([200, 403, 403]);
    await setAccess(ana, url("ruled/a.ttl"), [{ to: ben.webid, modes: ["Write"] }]);
    expect((await tries()).slice(0, 2)).to.deep.equal([403, 204]);
    await setAccess(ana, url("ruled/a.ttl"), [{ to: ben.webid, modes: ["Control"] }]);
    expect(await tries()).to.deep.equal([403, 403, 403]);
  });

  it("server-description-resource-max: one description, under one name", async () => {
    for (const path of ["", "notes/", "notes/milk.ttl", "notes/photo.png"]) {
      const link = (await ana.fetch(url(path))).headers.get("link") ?? "";
      expect(link.match(/rel="?describedby/g), path).to.have.length(1);
    }
  });

  for (const [what, statement] of [
    ["size", `<./milk.ttl> <${STAT}size> 1 .`],
    ["Unix time", `<./milk.ttl> <${STAT}mtime> 1 .`],
    ["date", '<./milk.ttl> <http://purl.org/dc/terms/modified> "2020-01-01T00:00:00Z" .'],
    ["media type", "<./milk.ttl> a <http://www.w3.org/ns/iana/media-types/image/png#Resource> ."],
  ] as const)
    it(`server-protect-contained-resource-metadata: the ${what} of a member is the server's to say`, async () => {
      const before = await (await ana.fetch(url("notes/"))).text();
      expect((await send("PUT", "notes/", statement)).status, "PUT").to.equal(409);
      expect((await update("notes/", `INSERT DATA { ${statement} }`)).status, "PATCH").to.equal(409);
      expect((await send("PUT", "notes/.meta", statement)).status, "PUT of the description").to.equal(409);
      const asFolder = { ...TURTLE, link: `<${LDP}BasicContainer>; rel="type"`, slug: "forged" };
      const ofMember = statement.replace("<./", `<${url("notes/forged/")}`);
      expect((await send("POST", "notes/", ofMember, asFolder)).status, "POST").to.equal(409);
      expect(await (await ana.fetch(url("notes/"))).text()).to.equal(before);
    });

  it("server-basic-container: what a POST says of the new folder is about that folder, whatever its name", async () => {
    for (const slug of ["album", "album", undefined]) {
      const made = await send("POST", "", "<> <urn:x:title> 'Album' . <a> <urn:x:of> <> .", {
        ...TURTLE,
        link: `<${LDP}BasicContainer>; rel="type"`,
        ...(slug && { slug }),
      });
      expect(made.status).to.equal(201);
      const folder = made.headers.get("location") ?? "";
      const own = parse(await (await ana.fetch(folder)).text(), folder);
      const said = own.filter(({ predicate }) => predicate.value.startsWith("urn:x:"));
      expect(said.map(({ subject }) => subject.value)).to.have.members([folder, `${folder}a`]);
      expect(said.some(({ object }) => object.value === folder)).to.equal(true);
    }
  });

  it("server-allow-methods: each successful answer says what may be done next, whatever was done", async () => {
    const query = encodeURIComponent("ASK { ?s ?p ?o }");
    const n3 = { "content-type": "text/n3" };
    const patch =
      "@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; solid:inserts { <> <urn:x:is> 1 }.";
    for (const [method, path, headers, body] of [
      ["PUT", "allowed/a.ttl", TURTLE, "<> <urn:x:is> 1 ."],
      ["PUT", "allowed/a.ttl", TURTLE, "<> <urn:x:is> 2 ."],
      ["PATCH", "allowed/a.ttl", n3, patch],
      ["PATCH", "allowed/b.ttl", n3, patch],
      ["POST", "allowed/", TURTLE, "<> <urn:x:is> 1 ."],
      ["PUT", "allowed/c/", TURTLE, ""],
      ["PUT", "allowed/a.ttl.meta", TURTLE, "<a.ttl> <urn:x:is> 1 ."],
      ["DELETE", "allowed/a.ttl", {}, undefined],
      ["DELETE", "allowed/c/", {}, undefined],
      ["GET", `sparql?query=${query}`, {}, undefined],
      ["GET", ".journal/", {}, undefined],
      ["GET", ".well-known/solid", {}, undefined],
    ] as const) {
      const answer = await ana.fetch(url(path), { method, headers, ...(body !== undefined && { body }) });
      expect(answer.ok, `${method} ${path}: ${answer.status}`).to.equal(true);
      expect((answer.headers.get("allow") ?? "").split(", "), `${method} ${path}`).to.include.members([
        "GET",
        "HEAD",
        "OPTIONS",
      ]);
    }
  });

  it("server-representation-write-redirect: a page of a folder sends writes on to the folder, and strangers nowhere", async () => {
    await write(ana, url("paged/a.ttl"));
    await write(ana, url("paged/b.ttl"));
    const page =
      (await ana.fetch(`${url("paged/")}?max-member-count=1`)).headers.get("content-location") ?? "";
    expect(page).to.match(/\/paged\/\?/);
    for (const [method, type] of [
      ["PUT", "text/turtle"],
      ["POST", "text/turtle"],
      ["PATCH", "text/n3"],
      ["DELETE", null],
    ] as const) {
      const init: RequestInit = {
        method,
        redirect: "manual",
        ...(type && { headers: { "content-type": type }, body: "<> <urn:x:is> 1 ." }),
      };
      const moved = await ana.fetch(page, init);
      expect(moved.status, method).to.equal(308);
      expect(moved.headers.get("location")).to.equal(url("paged/"));
      expect((await ben.fetch(page, init)).status, method).to.equal(403);
    }
    expect(
      (await listing("paged/")).filter(({ predicate }) => predicate.value === `${LDP}contains`),
    ).to.have.length(2);
  });

  it("server-delete-remove-containment: what is deleted is listed no more, and its neighbours are", async () => {
    await write(ana, url("leaving/a.ttl"));
    await write(ana, url("leaving/b.ttl"));
    const members = async () =>
      (await listing("leaving/"))
        .filter(({ predicate }) => predicate.value === `${LDP}contains`)
        .map(({ object }) => object.value);
    expect(await members()).to.have.members([url("leaving/a.ttl"), url("leaving/b.ttl")]);
    expect((await ana.fetch(url("leaving/a.ttl"), { method: "DELETE" })).status).to.equal(205);
    expect(await members()).to.have.members([url("leaving/b.ttl")]);
    expect((await ana.fetch(url("leaving/a.ttl"))).status).to.equal(404);
  });

  it("server-etag: a document of RDF has a strong ETag, and If-Match holds", async () => {
    await write(ana, url("tagged.ttl"));
    const etag = (await ana.fetch(url("tagged.ttl"))).headers.get("etag") ?? "";
    expect(etag).to.match(/^"[^"]+"$/);
    const put = () => send("PUT", "tagged.ttl", "<> <urn:x:is> 2 .", { ...TURTLE, "if-match": etag });
    expect([(await put()).status, (await put()).status]).to.deep.equal([204, 412]);
  });

  it("server-notifications-protocol-notification-receiver: an inbox takes a notification message as a sender sends it", async () => {
    const message = {
      "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://www.w3.org/ns/solid/notifications-context/v1",
      ],
      id: "urn:uuid:0e5c6b1e-9f0f-4a0e-8f3c-7b6f2a1d4c55",
      type: "Update",
      object: `${ben.pod}shared/list.ttl`,
      published: "2026-11-22T09:00:00Z",
      state: "1-ttl",
    };
    const sent = await ben.fetch(url("inbox/"), {
      method: "POST",
      headers: { "content-type": "application/ld+json" },
      body: JSON.stringify(message),
    });
    expect(sent.status).to.equal(201);
    const place = sent.headers.get("location") ?? "";
    expect((await listing("inbox/")).some(({ object }) => object.value === place)).to.equal(true);
    const received = await ana.fetch(place, { headers: { accept: "text/turtle" } });
    const said = parse(await received.text(), place).map((quad) => [
      quad.subject.value,
      quad.predicate.value.replace(/^.*[#/]/, ""),
      quad.object.value.replace("https://www.w3.org/ns/activitystreams#", ""),
    ]);
    expect(said).to.deep.include.members([
      [message.id, "type", "Update"],
      [message.id, "object", message.object],
      [message.id, "state", message.state],
    ]);
  });

  describe("across origins", () => {
    const preflight = (path: string, method: string, names: string) =>
      fetch(url(path), {
        method: "OPTIONS",
        headers: {
          origin: ORIGIN,
          "access-control-request-method": method,
          ...(names && { "access-control-request-headers": names }),
        },
      });

    it("server-cors: any method and any header may be sent, and any answer read", async () => {
      for (const path of ["", "notes/milk.ttl", "settings/", "none", ".acl", "notes/milk.ttl.meta", "sparql"])
        for (const method of ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]) {
          const { ok, headers } = await preflight(path, method, "dpop, x-whatever");
          expect(ok, `${method} ${path}`).to.equal(true);
          expect(headers.get("access-control-allow-origin")).to.equal(ORIGIN);
          const allowed = (headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/,\s*/);
          expect(allowed).to.include.members(["dpop", "x-whatever"]);
        }
      const refusals = await Promise.all([
        fetch(url(""), { headers: { origin: ORIGIN } }),
        ben.fetch(url("settings/"), { headers: { origin: ORIGIN } }),
        ana.fetch(url("none"), { headers: { origin: ORIGIN } }),
      ]);
      expect(refusals.map(({ status }) => status)).to.deep.equal([401, 403, 404]);
      for (const { headers } of refusals) expect(headers.get("access-control-allow-origin")).to.equal(ORIGIN);
    });

    it("server-cors-aceh: all header fields of an answer can be read", async () => {
      for (const [path, init] of [
        ["notes/", {}],
        ["notes/milk.ttl", {}],
        ["notes/photo.png", { headers: { range: "bytes=0-1" } }],
        [".acl", {}],
        ["none", {}],
        ["", { method: "DELETE" }],
        ["notes/new.ttl", { method: "PUT", headers: TURTLE, body: "" }],
        ["notes/", { method: "POST", headers: TURTLE, body: "" }],
        ["notes", {}],
      ] as const) {
        const { headers, status } = await ana.fetch(url(path), {
          ...init,
          headers: { ...("headers" in init && init.headers), origin: ORIGIN },
          redirect: "manual",
        });
        const exposed = (headers.get("access-control-expose-headers") ?? "").toLowerCase().split(", ");
        // Of one connection only, and what every page may read: https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
        const others = ["connection", "keep-alive", "transfer-encoding", "cache-control"];
        const hidden = [...headers.keys()].filter(
          (name) => !exposed.includes(name) && !name.startsWith("access-control-") && !others.includes(name),
        );
        expect(hidden, `${status} ${path}`).to.deep.equal([]);
      }
    });

    it("server-cors-enumerate: they are listed by name, never as *", async () => {
      for (const response of [
        await fetch(url(""), { headers: { origin: ORIGIN } }),
        await ana.fetch(url("notes/"), { headers: { origin: ORIGIN } }),
      ])
        expect(response.headers.get("access-control-expose-headers"))
          .to.match(/\bETag\b/)
          .and.match(/\bLink\b/)
          .and.not.include("*");
    });

    it("server-cors-accept-acah: Accept is listed, whatever else was asked for", async () => {
      for (const names of ["", "dpop", "accept, dpop"]) {
        const { headers } = await preflight("notes/milk.ttl", "GET", names);
        const allowed = (headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/,\s*/);
        expect(allowed, `asked for ${names}`).to.include("accept");
        expect(allowed).not.to.include("*");
      }
    });
  });
});
