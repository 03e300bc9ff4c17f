/** Containers with many members: streamed when they are long, page by page for those who ask. */
import { ldp } from "@freehold/vocab";
import { expect } from "chai";
import { parseRdf } from "../../server/rdf/parse.ts";
import { keyOfTriple } from "../../server/rdf/terms.ts";
import { type Person, sendRaw, startServer, type TestServer } from "../support/server.ts";

const MEMBERS = 700;
const SHORT_MAX = 300;
const PAGE_MAX = 100;

const nextOf = (answer: Response): string | null =>
  /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1] ?? null;

describe("Listings of containers with many members", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const names = Array.from({ length: MEMBERS }, (_, n) => `note-${n}.ttl`);
  const url = (path: string) => `${ana.pod}${path}`;

  async function fill(container: string, members: readonly string[]): Promise<void> {
    const pod = await server.context.pods.find("ana");
    const bytes = new TextEncoder().encode('<#it> <https://schema.org/name> "Milk".');
    if (!pod) throw new Error("no pod");
    await server.context.writeDocuments(
      pod,
      members.map((name) => ({ path: `/ana/${container}${name}`, contentType: "text/turtle", bytes })),
    );
  }

  async function triplesOf(answer: Response): Promise<string[]> {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const quads = await parseRdf(bytes, answer.headers.get("content-type") ?? "", answer.url);
    return quads.map(keyOfTriple).sort();
  }
  /** The names of the members, as often as they are listed. */
  async function membersOf(answer: Response, container: string): Promise<string[]> {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const quads = await parseRdf(bytes, answer.headers.get("content-type") ?? "", url(container));
    return quads
      .filter(({ predicate }) => predicate.value === ldp.contains)
      .map(({ object }) => object.value.slice(url(container).length));
  }

  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS: `listingMembersMax=${SHORT_MAX},pageMembersMax=${PAGE_MAX}`,
    });
    ana = await server.person("ana");
    ben = await server.person("ben");
    await fill("long/", names);
    await fill("short/", names.slice(0, SHORT_MAX));
    await ana.fetch(url("long/.meta"), {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `<${url("long/")}> <http://purl.org/dc/terms/title> "All my notes".`,
    });
  });
  after(() => server.close());

  describe("that are long", () => {
    it("are streamed whole: each member once, no length, an ETag that promises no bytes", async () => {
      const answer = await ana.fetch(url("long/"));
      expect(answer.status).to.equal(200);
      expect(answer.headers.get("content-length")).to.equal(null);
      expect(answer.headers.get("etag")).to.match(/^W\/"[a-z0-9]+-ttl"$/);
      expect((await membersOf(answer, "long/")).sort()).to.deep.equal([...names].sort());
    });

    it("say the same in every RDF type, with what the owner says of the container", async () => {
      const turtle = await triplesOf(await ana.fetch(url("long/")));
      expect(turtle).to.have.length(6 + MEMBERS * 7);
      expect(turtle.join("\n")).to.include("All my notes");
      for (const accept of ["application/ld+json", "application/n-triples", "application/n-quads"]) {
        const answer = await ana.fetch(url("long/"), { headers: { accept } });
        expect(answer.headers.get("content-type")).to.equal(accept);
        expect(await triplesOf(answer), accept).to.deep.equal(turtle);
      }
    });

    it("answer HEAD like GET, without reading anything, and not with length 0", async () => {
      const get = await ana.fetch(url("long/"));
      await get.body?.cancel();
      const head = await ana.fetch(url("long/"), { method: "HEAD" });
      expect(head.status).to.equal(200);
      expect(head.headers.get("content-length")).to.equal(null);
      for (const name of ["etag", "content-type", "link", "last-modified", "vary"])
        expect(head.headers.get(name), name).to.equal(get.headers.get(name));
    });

    it("are known by their ETag until a member comes", async () => {
      const etag = (await ana.fetch(url("long/"), { method: "HEAD" })).headers.get("etag") ?? "";
      const again = await ana.fetch(url("long/"), { headers: { "if-none-match": etag } });
      expect(again.status).to.equal(304);
      expect(again.headers.get("etag")).to.equal(etag);
      expect((await ana.fetch(url("long/"), { headers: { "if-match": etag } })).status).to.equal(412);
      await fill("long/", ["visitor.ttl"]);
      const changed = await ana.fetch(url("long/"), { headers: { "if-none-match": etag } });
      expect(changed.status).to.equal(200);
      expect(await membersOf(changed, "long/")).to.include("visitor.ttl");
      await ana.fetch(url("long/visitor.ttl"), { method: "DELETE" });
    });

    it("end in the middle when the right to read is taken back, and not with an end that looks whole", async () => {
      const pod = await server.context.pods.find("ana");
      const { reader } = server.context.ldp;
      if (!pod) throw new Error("no pod");
      const acl = (modes: string): Promise<Response> =>
        ana.fetch(url("long/.acl"), {
          method: "PUT",
          headers: { "content-type": "text/turtle" },
          body: `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
<#o> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
${modes && `<#b> a acl:Authorization; acl:agent <${ben.webid}>; acl:accessTo <./>; acl:mode ${modes}.`}`,
        });
      await acl("acl:Read");
      const { parseTarget } = await import("../../server/iri.ts");
      const operation = {
        id: "1",
        method: "GET",
        target: parseTarget("/ana/long/"),
        url: url("long/"),
        query: "",
        agent: { webid: ben.webid as never, client: null, issuer: null, origin: null },
        headers: {},
        body: null,
      } as const;
      const result = await server.context.store.read(pod.id, (snapshot) =>
        reader.read(snapshot, pod, operation, async () => true),
      );
      await acl("");
      let failed = "";
      try {
        if (!result) throw new Error("nothing was read");
        for await (const _ of result.body as AsyncIterable<Uint8Array>);
      } catch (error) {
        failed = (error as { code: string }).code;
      }
      expect(failed).to.equal("forbidden");
      await ana.fetch(url("long/.acl"), { method: "DELETE" });
    });

    it("are left alone by the store when the client goes", async () => {
      for (let times = 0; times < 5; times++) {
        const answer = await ana.fetch(url("long/"));
        await answer.body?.cancel();
      }
      expect((await membersOf(await ana.fetch(url("long/")), "long/")).length).to.equal(MEMBERS);
    });

    it("cannot be deleted, and say so at once", async () => {
      expect((await ana.fetch(url("long/"), { method: "DELETE" })).status).to.equal(409);
    });
  });

  describe("that are short", () => {
    it("come whole, in the order of names, with their length and a strong ETag", async () => {
      const answer = await ana.fetch(url("short/"));
      const bytes = await answer.clone().arrayBuffer();
      expect(Number(answer.headers.get("content-length"))).to.equal(bytes.byteLength);
      expect(answer.headers.get("etag")).to.match(/^"[a-z0-9]+-ttl"$/);
      const listed = await membersOf(answer, "short/");
      expect(listed).to.deep.equal([...listed].sort());
      expect(listed).to.have.length(SHORT_MAX);
    });
  });

  describe("in pages", () => {
    const prefer = (count: number | string) => ({
      headers: { prefer: `return=representation; max-member-count="${count}"` },
    });

    it("are got by a preference; following the links brings every member once", async () => {
      const first = await ana.fetch(url("long/"), prefer(40));
      expect(first.status).to.equal(200);
      expect(first.headers.get("preference-applied")).to.equal(
        'return=representation; max-member-count="40"',
      );
      expect(first.headers.get("vary")).to.include("Prefer");
      expect(first.headers.get("content-location")).to.equal(`${url("long/")}?max-member-count=40`);
      expect(first.headers.get("link")).to.include(`<${ldp.Page}>; rel="type"`);
      const listed: string[] = [];
      let pages = 0;
      for (let answer = first; ; ) {
        expect(answer.headers.get("content-length")).not.to.equal(null);
        expect(answer.headers.get("etag")).to.match(/^"[a-z0-9]+-ttl-40"$/);
        const here = await membersOf(answer, "long/");
        listed.push(...here);
        pages += 1;
        const next = nextOf(answer);
        expect(here.length).to.equal(next ? 40 : MEMBERS % 40);
        if (!next) break;
        answer = await ana.fetch(next);
        expect(answer.status).to.equal(200);
      }
      expect(pages).to.equal(Math.ceil(MEMBERS / 40));
      expect(listed.sort()).to.deep.equal([...names].sort());
    });

    it("are got by the address as well, of short containers and in every type", async () => {
      const answer = await ana.fetch(`${url("short/")}?max-member-count=7`, {
        headers: { accept: "application/ld+json" },
      });
      expect(answer.headers.get("preference-applied")).to.equal(null);
      expect(await membersOf(answer, "short/")).to.have.length(7);
    });

    it("have at most so many members, whatever is asked", async () => {
      const answer = await ana.fetch(url("long/"), prefer(1_000_000));
      expect(answer.headers.get("preference-applied")).to.include(`"${PAGE_MAX}"`);
      expect(await membersOf(answer, "long/")).to.have.length(PAGE_MAX);
    });

    it("are not what you get when the preference makes no sense, or is about something else", async () => {
      for (const value of [prefer(0), prefer("many"), { headers: { prefer: "respond-async" } }]) {
        const answer = await ana.fetch(url("short/"), value);
        expect(answer.headers.get("preference-applied")).to.equal(null);
        expect(await membersOf(answer, "short/")).to.have.length(SHORT_MAX);
      }
    });

    it("that cannot be are refused with 400", async () => {
      const other = nextOf(await ana.fetch(url("short/"), prefer(5))) ?? "";
      const cursor = new URL(other).searchParams.get("after") ?? "";
      const queries = ["after=", "after=xyz", `after=${cursor}`, "max-member-count=0", "max-member-count=x"];
      for (const query of queries) {
        const answer = await ana.fetch(`${url("long/")}?${query}`);
        expect(answer.status, query).to.equal(400);
        expect(((await answer.json()) as { type: string }).type).to.match(/input-invalid$/);
      }
      expect((await ana.fetch(`${url("short/")}?after=${cursor}`)).status).to.equal(200);
    });

    it("are each for those only who may read the container", async () => {
      const next = nextOf(await ana.fetch(url("long/"), prefer(5))) ?? "";
      expect((await ben.fetch(next)).status).to.equal(403);
      const { pathname, search } = new URL(next);
      const refused = await sendRaw(server.baseUrl, "GET", pathname + search);
      expect(refused.status).to.equal(401);
      expect(refused.text).not.to.include("note-");
    });

    it("are known by their ETag", async () => {
      const first = await ana.fetch(url("long/"), prefer(5));
      const etag = first.headers.get("etag") ?? "";
      const headers = { ...prefer(5).headers, "if-none-match": etag };
      expect((await ana.fetch(url("long/"), { headers })).status).to.equal(304);
      expect((await ana.fetch(url("long/"), { headers: { "if-none-match": etag } })).status).to.equal(200);
    });
  });
});
