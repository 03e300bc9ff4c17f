/** Requests on the wire: asked for over HTTP, answered by the owner, and everything that must not pass. Long: one table of what is refused. */
import { expect } from "chai";
import { addProof, generateSigningKey, type Json } from "../../client-lib/consent/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { IN_A_MONTH, policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

const SERVICE = "https://w3id.org/dpv#ServiceProvision";
const JSON_HEADERS = { "content-type": "application/json" };
const LWS_HEADERS = { "content-type": "application/lws+json" };
const FREE =
  "requestsPerVendorMax=100000,requestsPerIpMax=100000,requestsPerPodMax=100000,requestsOpenPerVendorMax=1000,requestsOpenPerPodMax=10000";

const json = async (response: Response): Promise<Json> => (await response.json()) as Json;
const constraint = (leftOperand: string, operator: string, rightOperand: unknown): Json => ({
  leftOperand,
  operator,
  rightOperand,
});

describe("access requests", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let shop: Vendor;
  let bank: Vendor;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: FREE });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    shop = await vendorNamed(server, "Shop");
    bank = await vendorNamed(server, "Bank");
    for (const path of ["notes/today.ttl", "notes/old/then.ttl", "letters/one.ttl"])
      await ana.fetch(`${ana.pod}${path}`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: '<#it> <https://schema.org/name> "Today".',
      });
  });
  after(() => server.close());

  const asked = async (vendor: Vendor, document: Json, of = ana): Promise<string> => {
    const response = await vendor.ask(of, document);
    expect(response.status, await response.clone().text()).to.equal(201);
    return response.headers.get("location") ?? "";
  };
  const answer = (url: string, body: Json, by: Person = ana): Promise<Response> =>
    by.fetch(`${url}/decision`, { method: "POST", headers: JSON_HEADERS, body: JSON.stringify(body) });
  const stateOf = async (url: string, by: Person = shop): Promise<unknown> =>
    (await json(await by.fetch(url)))["status"];
  const isRead = async (vendor: Vendor, path = "notes/today.ttl"): Promise<boolean> =>
    (await vendor.fetch(`${ana.pod}${path}`)).status === 200;
  /** Each a wish of its own. */
  let wishes = 0;
  const wish = (vendor: Vendor, more: Json = {}, policy: Json = {}): Json => {
    wishes += 1;
    return requestOf(vendor, ana, {
      recipients: [`https://recipient.example/${wishes}`],
      access: [policyOf(vendor.webid, `${ana.pod}notes/`, policy)],
      ...more,
    });
  };

  describe("the way from a question to a read", () => {
    it("goes from the vendor's question to the owner's yes, a grant, a read, and back", async () => {
      const url = await asked(shop, requestOf(shop, ana));
      expect(url).to.match(/\/ana\/\.consent\/requests\/[\w-]{22}$/);
      expect(await stateOf(url)).to.be.oneOf(["Pending", "Deferred"]);
      expect(await isRead(shop)).to.equal(false);

      const decided = await answer(url, { outcome: "grant" });
      expect(decided.status, await decided.clone().text()).to.equal(200);
      expect(await json(decided)).to.include({ outcome: "grant", decidedBy: "person", request: url });
      const grant = decided.headers.get("location") ?? "";
      expect(await json(await shop.fetch(grant))).to.include({
        status: "Active",
        assigner: ana.webid,
        request: url,
      });
      expect(await isRead(shop)).to.equal(true);
      expect(await isRead(shop, "notes/old/then.ttl"), "all below the folder").to.equal(true);
      expect(await isRead(shop, "letters/one.ttl")).to.equal(false);
      expect(await isRead(bank)).to.equal(false);
      expect(await json(await shop.fetch(url)))
        .to.include({ status: "Granted" })
        .and.deep.include({ grant: [grant] });

      expect((await ana.fetch(grant, { method: "DELETE" })).status).to.equal(204);
      expect(await isRead(shop)).to.equal(false);
      expect(await stateOf(grant)).to.equal("Revoked");
      expect(
        (await ana.fetch(`${ana.pod}notes/today.ttl`)).status,
        "the owner's access is as it was",
      ).to.equal(200);
    });

    it("a grant rests and goes on as the owner says, and its vendor may give it back", async () => {
      const grant =
        (await answer(await asked(shop, wish(shop)), { outcome: "grant" })).headers.get("location") ?? "";
      const put = (state: string, by: Person = ana): Promise<Response> =>
        by.fetch(`${grant}/state`, { method: "PUT", headers: JSON_HEADERS, body: JSON.stringify({ state }) });
      expect((await put("Paused")).status).to.equal(200);
      expect(await isRead(shop)).to.equal(false);
      expect((await put("Active", shop)).status, "not by the vendor").to.equal(403);
      expect((await put("Active", bank)).status, "others learn nothing").to.equal(404);
      expect((await put("Expired")).status).to.equal(400);
      expect((await put("Active")).status).to.equal(200);
      expect(await isRead(shop)).to.equal(true);
      expect((await shop.fetch(grant, { method: "DELETE" })).status).to.equal(204);
      expect(await isRead(shop)).to.equal(false);
      expect((await put("Active")).status, "an end is an end").to.equal(409);
    });

    it("the owner gives unasked, by the same words, and only with an end", async () => {
      const { access, ...about } = requestOf(shop, ana);
      const give = (document: Json, by: Person = ana): Promise<Response> =>
        by.fetch(`${ana.pod}.consent/grants`, {
          method: "POST",
          headers: LWS_HEADERS,
          body: JSON.stringify(document),
        });
      const document = { ...about, type: ["AccessGrant"], access };
      const made = await give(document);
      expect(made.status, await made.clone().text()).to.equal(201);
      expect(await isRead(shop)).to.equal(true);
      const grant = made.headers.get("location") ?? "";
      expect((await ana.fetch(grant, { method: "DELETE" })).status).to.equal(204);
      expect((await give(document, shop)).status, "not by anybody else").to.equal(403);
      expect(
        (await give({ ...document, validUntil: "2026-12-01T00:00:00Z" })).status,
        "what could narrow",
      ).to.equal(422);
      const noEnd = policyOf(shop.webid, `${ana.pod}notes/`, {
        constraint: [constraint("purpose", "eq", SERVICE)],
      });
      expect((await give({ ...document, access: [noEnd] })).status).to.equal(422);
      const late = policyOf(shop.webid, `${ana.pod}notes/`, {
        constraint: [
          constraint("purpose", "eq", SERVICE),
          constraint("dateTime", "lteq", "2036-01-01T00:00:00Z"),
        ],
      });
      expect((await give({ ...document, access: [late] })).status, "not for ten years").to.equal(400);
      for (const everybody of [
        "http://xmlns.com/foaf/0.1/Agent",
        "http://www.w3.org/ns/auth/acl#AuthenticatedAgent",
      ])
        expect(
          (await give({ ...document, access: [policyOf(everybody, `${ana.pod}notes/`)] })).status,
        ).to.equal(422);
    });

    it("shows requests and grants in RDF, too, with a group that has its vendor while it is Active", async () => {
      const url = await asked(shop, wish(shop));
      const turtle = { headers: { accept: "text/turtle" } };
      expect(await (await shop.fetch(url, turtle)).text())
        .to.include("AccessRequest")
        .and.include(SERVICE.split("#")[1] ?? "");
      const grant = (await answer(url, { outcome: "grant" })).headers.get("location") ?? "";
      const members = async (): Promise<boolean> =>
        /hasMember/.test(await (await ana.fetch(grant, turtle)).text());
      expect(await members()).to.equal(true);
      await ana.fetch(`${grant}/state`, { method: "PUT", headers: JSON_HEADERS, body: '{"state":"Paused"}' });
      expect(await members()).to.equal(false);
      await ana.fetch(grant, { method: "DELETE" });
      expect(await members()).to.equal(false);
    });

    it("lists to each what is theirs", async () => {
      const own = await asked(shop, wish(shop));
      const other = await asked(bank, wish(bank));
      const idsFor = async (who: Person, of = ana): Promise<readonly unknown[]> => {
        const { items } = await json(await who.fetch(`${of.pod}.consent/requests`));
        return (items as readonly Json[]).map(({ id }) => id);
      };
      expect(await idsFor(ana)).to.include.members([own, other]);
      expect(await idsFor(shop))
        .to.include(own)
        .and.not.include(other);
      expect(await idsFor(ben)).to.deep.equal([]);
      expect(await idsFor(shop, ben)).to.deep.equal([]);
    });
  });

  it("is found from the description of the storage, in each of its formats, and from every refusal", async () => {
    const at = `${ana.pod}.well-known/solid`;
    const service = `${ana.pod}.consent/requests`;
    for (const accept of [
      "text/turtle",
      "application/ld+json",
      "application/lws+json",
      "application/n-triples",
    ]) {
      const text = await (await fetch(at, { headers: { accept } })).text();
      expect(text, accept)
        .to.include("AccessRequestService")
        .and.include(service)
        .and.include("AccessProfile");
      expect(text, accept).to.include("AccessGrantService").and.include(`${ana.pod}.consent/grants`);
    }
    const link = `<${service}>; rel="https://www.w3.org/ns/lws#AccessRequestService"`;
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"])
      for (const path of ["notes/today.ttl", "notes/none.ttl", "sparql-update"]) {
        const response = await shop.fetch(`${ana.pod}${path}`, { method });
        if (response.status === 401 || response.status === 403)
          expect(response.headers.get("link"), `${method} ${path}`).to.include(link);
      }
    expect((await ana.fetch(`${ana.pod}notes/none.ttl`)).headers.get("link")).to.not.include(
      "AccessRequestService",
    );
  });

  describe("whom a door lets in", () => {
    const doors = [
      ["GET", "requests"],
      ["POST", "requests"],
      ["GET", "requests/AAAAAAAAAAAAAAAAAAAAAA"],
      ["DELETE", "requests/AAAAAAAAAAAAAAAAAAAAAA"],
      ["POST", "requests/AAAAAAAAAAAAAAAAAAAAAA/decision"],
      ["GET", "grants"],
      ["POST", "grants"],
      ["GET", "grants/AAAAAAAAAAAAAAAAAAAAAA"],
      ["DELETE", "grants/AAAAAAAAAAAAAAAAAAAAAA"],
      ["PUT", "grants/AAAAAAAAAAAAAAAAAAAAAA/state"],
      ["GET", "decisions"],
      ["POST", "decisions/AAAAAAAAAAAAAAAAAAAAAA/undo"],
      ["GET", "preferences"],
      ["PUT", "preferences"],
    ] as const;
    for (const [method, path] of doors)
      it(`nobody who is not logged in: ${method} ${path}`, async () => {
        const body = method === "GET" || method === "DELETE" ? {} : { body: "{}", headers: LWS_HEADERS };
        const response = await fetch(`${ana.pod}.consent/${path}`, { method, ...body });
        expect(response.status).to.equal(401);
        expect(response.headers.get("link")).to.include(
          `<${ana.pod}.consent/requests>; rel="https://www.w3.org/ns/lws#AccessRequestService"`,
        );
      });
    for (const [method, path] of [
      ["GET", "decisions"],
      ["POST", "decisions/AAAAAAAAAAAAAAAAAAAAAA/undo"],
      ["GET", "preferences"],
      ["PUT", "preferences"],
      ["POST", "grants"],
    ] as const)
      it(`nobody but the owner: ${method} ${path}`, async () => {
        const body = method === "GET" ? {} : { body: "{}", headers: LWS_HEADERS };
        expect((await shop.fetch(`${ana.pod}.consent/${path}`, { method, ...body })).status).to.equal(403);
      });

    it("nobody else than owner and vendor learns that there is a request or grant", async () => {
      const url = await asked(shop, wish(shop));
      const nothing = `${ana.pod}.consent/requests/${"A".repeat(22)}`;
      for (const method of ["GET", "DELETE"]) {
        const [there, not] = [await bank.fetch(url, { method }), await bank.fetch(nothing, { method })];
        expect([there.status, not.status]).to.deep.equal([404, 404]);
        const plain = async (response: Response): Promise<Json> => ({
          ...(await json(response)),
          requestId: "",
        });
        expect(await plain(there)).to.deep.equal(await plain(not));
      }
      expect((await answer(url, { outcome: "grant" }, bank)).status).to.equal(404);
      expect((await answer(url, { outcome: "grant" }, shop)).status, "nobody answers themselves").to.equal(
        403,
      );
      expect(await stateOf(url)).to.not.equal("Granted");
    });

    it("says what it is and what it stands in, as containers and what is in them do", async () => {
      const url = await asked(shop, wish(shop));
      const grant = (await answer(url, { outcome: "grant" })).headers.get("location") ?? "";
      const lws = "https://www.w3.org/ns/lws#";
      for (const [address, type, up] of [
        [`${ana.pod}.consent/requests`, "Container", ana.pod],
        [`${ana.pod}.consent/grants`, "Container", ana.pod],
        [url, "DataResource", `${ana.pod}.consent/requests`],
        [grant, "DataResource", `${ana.pod}.consent/grants`],
      ] as const)
        for (const method of ["GET", "HEAD"])
          expect((await shop.fetch(address, { method })).headers.get("link"), `${method} ${address}`)
            .to.include(`<${lws}${type}>; rel="type"`)
            .and.include(`<${up}>; rel="up"`)
            .and.include(`rel="${lws}storageDescription"`);
    });

    it("says which methods there are, and takes no others", async () => {
      const at = `${ana.pod}.consent/requests`;
      expect((await fetch(at, { method: "OPTIONS" })).headers.get("allow")).to.equal(
        "GET, HEAD, OPTIONS, POST",
      );
      for (const path of ["requests", "requests/x", "x", "grants/x/y/z.ttl"])
        expect(
          (
            await ana.fetch(`${ana.pod}.consent/${path}`, {
              method: "PUT",
              headers: { "content-type": "text/turtle" },
              body: "",
            })
          ).status,
        ).to.equal(405);
    });
  });

  describe("what is refused", () => {
    const policy = (more: Json): Json => policyOf(shop.webid, `${ana.pod}notes/`, more);
    const withConstraint = (...more: readonly Json[]): Json =>
      policy({
        constraint: [
          constraint("purpose", "eq", SERVICE),
          constraint("dateTime", "lteq", IN_A_MONTH()),
          ...more,
        ],
      });
    const about = (type: string, value: unknown): Json => policy({ target: { type, value: [value].flat() } });
    const cases: readonly (readonly [what: string, status: number, () => Json])[] = [
      [
        "somebody else's name",
        403,
        () => requestOf(shop, ana, { access: [policyOf(bank.webid, `${ana.pod}notes/`)] }),
      ],
      [
        "everybody's name",
        403,
        () =>
          requestOf(shop, ana, { access: [policyOf("http://xmlns.com/foaf/0.1/Agent", `${ana.pod}notes/`)] }),
      ],
      [
        "two names",
        422,
        () =>
          requestOf(shop, ana, {
            access: [policyOf(bank.webid, `${ana.pod}notes/`), policyOf(shop.webid, `${ana.pod}notes/`)],
          }),
      ],
      ["another pod's storage", 422, () => requestOf(shop, ana, { storage: ben.pod })],
      ["no storage", 422, () => requestOf(shop, ana, { storage: undefined })],
      ["no type", 422, () => requestOf(shop, ana, { type: [] })],
      ["a grant", 422, () => requestOf(shop, ana, { type: ["AccessGrant"] })],
      ["no policy", 422, () => requestOf(shop, ana, { access: [] })],
      [
        "too many policies",
        422,
        () => requestOf(shop, ana, { access: Array.from({ length: 17 }, () => policy({})) }),
      ],
      ["no context", 422, () => requestOf(shop, ana, { "@context": undefined })],
      [
        "a context without LWS",
        422,
        () => requestOf(shop, ana, { "@context": ["https://w3id.org/freehold/ns"] }),
      ],
      [
        "a context that gives our words another meaning",
        422,
        () =>
          requestOf(shop, ana, {
            "@context": ["https://www.w3.org/ns/lws/v1", { action: "https://evil.example/" }],
          }),
      ],
      [
        "a context with keywords",
        422,
        () =>
          requestOf(shop, ana, {
            "@context": ["https://www.w3.org/ns/lws/v1", { "@vocab": "https://evil.example/" }],
          }),
      ],
      [
        "an operand that is not known",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("spatial", "eq", "https://example.org/de"))],
          }),
      ],
      [
        "an operand of another vocabulary",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("https://evil.example/client", "eq", "https://app.example/"))],
          }),
      ],
      [
        "an operator that is not known",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("client", "neq", "https://app.example/"))],
          }),
      ],
      [
        "an operator that does not go with it",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("client", "lteq", "https://app.example/"))],
          }),
      ],
      [
        "a value that is none",
        422,
        () => requestOf(shop, ana, { access: [withConstraint(constraint("client", "eq", 7))] }),
      ],
      [
        "a member that could narrow",
        422,
        () => requestOf(shop, ana, { access: [policy({ refinement: [] })] }),
      ],
      [
        "a constraint with a member that could narrow",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint({ ...constraint("client", "eq", "https://app.example/"), unit: "x" })],
          }),
      ],
      [
        "constraints that leave nothing",
        422,
        () =>
          requestOf(shop, ana, {
            access: [
              withConstraint(
                constraint("client", "eq", "https://a.example/"),
                constraint("client", "eq", "https://b.example/"),
              ),
            ],
          }),
      ],
      [
        "an action that is not known",
        422,
        () => requestOf(shop, ana, { access: [policy({ action: ["read", "control"] })] }),
      ],
      ["no action", 422, () => requestOf(shop, ana, { access: [policy({ action: [] })] })],
      [
        "no purpose",
        422,
        () =>
          requestOf(shop, ana, {
            access: [policy({ constraint: [constraint("dateTime", "lteq", IN_A_MONTH())] })],
          }),
      ],
      [
        "no end",
        422,
        () =>
          requestOf(shop, ana, { access: [policy({ constraint: [constraint("purpose", "eq", SERVICE)] })] }),
      ],
      [
        "everything at once as purpose",
        422,
        () =>
          requestOf(shop, ana, {
            access: [
              policy({
                constraint: [
                  constraint("purpose", "eq", "https://w3id.org/dpv#Purpose"),
                  constraint("dateTime", "lteq", IN_A_MONTH()),
                ],
              }),
            ],
          }),
      ],
      [
        "an end that has passed",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("dateTime", "lteq", "2025-01-01T00:00:00Z"))],
          }),
      ],
      [
        "an end before its beginning",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("dateTime", "gteq", "2030-01-01T00:00:00Z"))],
          }),
      ],
      [
        "a time without zone",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("dateTime", "lteq", "2027-01-01T00:00:00"))],
          }),
      ],
      [
        "a day that does not exist",
        422,
        () =>
          requestOf(shop, ana, {
            access: [withConstraint(constraint("dateTime", "lteq", "2027-02-30T00:00:00Z"))],
          }),
      ],
      [
        "a target of another kind",
        422,
        () => requestOf(shop, ana, { access: [about("Everything", `${ana.pod}notes/`)] }),
      ],
      [
        "a place in another pod",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ben.pod}notes/`)] }),
      ],
      [
        "a place elsewhere",
        422,
        () => requestOf(shop, ana, { access: [about("Container", "https://elsewhere.example/")] }),
      ],
      [
        "a place up and away",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ana.pod}notes/../../ben/`)] }),
      ],
      [
        "an encoded way up",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ana.pod}notes/%2e%2e/%2e%2e/ben/`)] }),
      ],
      [
        "an access list",
        422,
        () => requestOf(shop, ana, { access: [about("DataResource", `${ana.pod}notes/.acl`)] }),
      ],
      [
        "the description of a folder",
        422,
        () => requestOf(shop, ana, { access: [about("DataResource", `${ana.pod}notes/.meta`)] }),
      ],
      [
        "the journal",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ana.pod}.journal/`)] }),
      ],
      [
        "other requests",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ana.pod}.consent/`)] }),
      ],
      [
        "a query in a place",
        422,
        () => requestOf(shop, ana, { access: [about("Container", `${ana.pod}notes/?x=/`)] }),
      ],
      [
        "a folder as a document",
        422,
        () => requestOf(shop, ana, { access: [about("DataResource", `${ana.pod}notes/`)] }),
      ],
      [
        "a part of a storage as the storage",
        422,
        () => requestOf(shop, ana, { access: [about("Storage", `${ana.pod}notes/`)] }),
      ],
      ["no address at all", 422, () => requestOf(shop, ana, { access: [about("Container", [])] })],
      [
        "more values than can be checked",
        422,
        () => {
          const clients = Array.from({ length: 64 }, (_, at) => `https://app.example/${at}`);
          const one = withConstraint(constraint("client", "isAnyOf", clients));
          return requestOf(shop, ana, { access: Array.from({ length: 5 }, () => one) });
        },
      ],
      ["no privacy notice", 422, () => requestOf(shop, ana, { notice: undefined })],
      ["no benefit", 422, () => requestOf(shop, ana, { benefit: undefined })],
      [
        "a benefit that is a story",
        422,
        () => requestOf(shop, ana, { benefit: [{ "@value": "x".repeat(141), "@language": "en" }] }),
      ],
      [
        "a benefit that is written backwards",
        422,
        () => requestOf(shop, ana, { benefit: [{ "@value": "free \u202e gnihton", "@language": "en" }] }),
      ],
      ["no legal basis", 422, () => requestOf(shop, ana, { legalBasis: undefined })],
      ["a price that is none", 422, () => requestOf(shop, ana, { price: { amount: "-1", currency: "EUR" } })],
      [
        "an inbox at somebody else's door",
        422,
        () => requestOf(shop, ana, { inbox: "https://victim.example/inbox" }),
      ],
      ["a time that has not come", 422, () => requestOf(shop, ana, { issued: "2036-01-01T00:00:00Z" })],
    ];
    for (const [what, status, make] of cases)
      it(`${what}: ${status}`, async () => {
        const response = await shop.ask(ana, JSON.parse(JSON.stringify(make())) as Json);
        expect(response.status, await response.clone().text()).to.equal(status);
        const problem = await json(response);
        if (status === 422)
          expect(problem["errors"], "says what is wrong").to.have.property("length").that.is.at.least(1);
      });

    it("says what the shape says, in RDF for who asks for it", async () => {
      const signed = await shop.sign(
        JSON.parse(JSON.stringify(requestOf(shop, ana, { notice: undefined }))) as Json,
      );
      const response = await shop.fetch(`${ana.pod}.consent/requests`, {
        method: "POST",
        headers: { ...LWS_HEADERS, accept: "text/turtle" },
        body: JSON.stringify(signed),
      });
      expect(response.status).to.equal(422);
      expect(await response.text())
        .to.include("ValidationReport")
        .and.include("hasNotice");
    });

    const raw = (body: string, type = "application/lws+json"): Promise<Response> =>
      shop.fetch(`${ana.pod}.consent/requests`, { method: "POST", headers: { "content-type": type }, body });
    for (const [what, status, body, type] of [
      ["what is no JSON", 400, "{", undefined],
      ["an array", 400, "[]", undefined],
      ["what is too large", 413, `{"x":"${"a".repeat(70_000)}"}`, undefined],
      ["what is too deep", 400, `{"x":${"[".repeat(30_000)}${"]".repeat(30_000)}}`, undefined],
      ["another format", 415, "<> a <x>.", "text/turtle"],
    ] as const)
      it(`${what}: ${status}`, async () => {
        expect((await raw(body, type)).status).to.equal(status);
      });

    it("half a character in a request that is good otherwise: it has no canonical form to be signed", async () => {
      const good = JSON.stringify(await shop.sign(wish(shop, { extra: "half" })));
      expect((await raw(good)).status).to.equal(201);
      const other = JSON.stringify(await shop.sign(wish(shop, { extra: "half" })));
      const response = await raw(other.replace('"half"', '"\\ud800"'));
      expect(response.status).to.equal(422);
      expect(await response.text()).to.include("proof-invalid");
    });

    it("a member with a trap in it, beside good ones: what it hides is not signed, and counts for nothing", async () => {
      const good = JSON.stringify(await shop.sign(wish(shop)));
      const trap = `,"__proto__":{"storage":"${ben.pod}","access":[]}}`;
      const response = await raw(good.replace(/\}$/, trap));
      expect(response.status).to.equal(422);
      expect(await response.text()).to.include("proof-invalid");
      const twice = await raw(good.replace(/\}$/, `,"storage":"${ben.pod}"}`));
      expect([twice.status, await twice.text()].join(" ")).to.match(/^422 .*consent-invalid/);
    });
  });

  describe("signatures", () => {
    const signedBy = async (change: (document: Json) => Promise<Json> | Json): Promise<Response> =>
      shop.ask(ana, await change(wish(shop)));
    const refusedAs = async (response: Response): Promise<void> => {
      expect(response.status, await response.clone().text()).to.equal(422);
      expect((await json(response))["type"]).to.match(/#proof-invalid$/);
    };
    it("none", async () => {
      const body = JSON.stringify(wish(shop));
      await refusedAs(
        await shop.fetch(`${ana.pod}.consent/requests`, { method: "POST", headers: LWS_HEADERS, body }),
      );
    });
    it("of a key that is nobody's, under the name of one that is", async () => {
      const { privateKey } = await generateSigningKey();
      await refusedAs(
        await signedBy((document) =>
          addProof(document, { key: privateKey, verificationMethod: shop.keyId, created: new Date() }),
        ),
      );
    });
    it("of somebody else's key, which is good for that one only", async () => {
      await refusedAs(await signedBy((document) => bank.sign(document)));
    });
    it("of a key that the WebID document does not name", async () => {
      const verificationMethod = `${shop.keyId}x`;
      await refusedAs(
        await signedBy((document) =>
          addProof(document, { key: shop.key.privateKey, verificationMethod, created: new Date() }),
        ),
      );
    });
    it("of a document that was changed after it", async () => {
      await refusedAs(
        await signedBy(async (document) => ({
          ...(await shop.sign(document)),
          legalBasis: "https://w3id.org/dpv#LegitimateInterest",
        })),
      );
    });
    it("of yesterday, and of tomorrow", async () => {
      await refusedAs(await signedBy((document) => shop.sign(document, new Date(Date.now() - 86_400_000))));
      await refusedAs(await signedBy((document) => shop.sign(document, new Date(Date.now() + 86_400_000))));
    });
    it("a good one beside a bad one", async () => {
      await refusedAs(await signedBy(async (document) => bank.sign(await shop.sign(document))));
    });
    it("of a key that was taken back", async () => {
      const gone = await vendorNamed(server, "Gone");
      await gone.fetch(`${gone.pod}.consent/keys/${gone.key.multikey}`, { method: "DELETE" });
      await refusedAs(await gone.ask(ana, wish(gone)));
    });
    it("somebody else's request, sent again under one's own name", async () => {
      const stolen = await shop.sign(wish(shop));
      expect((await bank.ask(ana, stolen)).status).to.equal(403);
      expect((await shop.ask(ben, stolen)).status, "nor at another pod").to.equal(422);
    });
  });

  describe("the same again", () => {
    it("is the same request while it is open, however it is written", async () => {
      const document = wish(shop);
      const url = await asked(shop, document);
      const again = await shop.ask(ana, document);
      expect([again.status, again.headers.get("location")]).to.deep.equal([200, url]);
      const later = { ...document, issued: new Date(Date.now() + 1_000).toISOString().slice(0, 19) + "Z" };
      expect((await shop.ask(ana, later)).headers.get("location")).to.equal(url);
      expect((await shop.fetch(url, { method: "DELETE" })).status).to.equal(204);
      expect(await stateOf(url)).to.equal("Canceled");
      expect((await shop.ask(ana, document)).status, "a new one, after it was taken back").to.equal(201);
    });

    it("is refused in silence for half a year after a no", async () => {
      const fussy = await vendorNamed(server, "Fussy");
      const document = wish(fussy);
      const url = await asked(fussy, document);
      expect((await answer(url, { outcome: "deny" })).status).to.equal(200);
      expect(await stateOf(url, fussy)).to.equal("Denied");
      const notices = async (): Promise<number> =>
        ((await (await ana.fetch(`${ana.pod}inbox/`)).text()).match(/inbox\/[\w-]{36}|<[\w-]{36}>/g) ?? [])
          .length;
      const before = await notices();
      const again = await fussy.ask(ana, document);
      expect(again.status).to.equal(201);
      expect((await json(again))["status"]).to.equal("Denied");
      expect(await notices(), "nobody was asked").to.equal(before);
    });

    it("a grant of the same wish is not given twice, however often and at once it is approved", async () => {
      const url = await asked(shop, wish(shop));
      const all = await Promise.all(Array.from({ length: 8 }, () => answer(url, { outcome: "grant" })));
      expect(all.filter(({ status }) => status === 200)).to.have.length(1);
      expect(all.every(({ status }) => status === 200 || status === 409)).to.equal(true);
      expect((await json(await shop.fetch(url)))["grant"]).to.have.length(1);
    });

    it("what was done is not refused for the format in which it is told", async () => {
      const headers = { ...LWS_HEADERS, accept: "text/turtle" };
      const document = wish(shop);
      const body = JSON.stringify(await shop.sign(document));
      const made = await shop.fetch(`${ana.pod}.consent/requests`, { method: "POST", headers, body });
      expect([made.status, made.headers.get("content-type")]).to.deep.equal([201, "application/lws+json"]);
      const { access, ...about } = document;
      const given = await ana.fetch(`${ana.pod}.consent/grants`, {
        method: "POST",
        headers,
        body: JSON.stringify({ ...about, type: ["AccessGrant"], access }),
      });
      expect(given.status).to.equal(201);
      const rest = {
        method: "PUT",
        headers: { ...JSON_HEADERS, accept: "text/html" },
        body: '{"state":"Revoked"}',
      };
      expect((await ana.fetch(`${given.headers.get("location")}/state`, rest)).status).to.equal(200);
    });

    it("what has ended takes no answer", async () => {
      const url = await asked(shop, wish(shop));
      await shop.fetch(url, { method: "DELETE" });
      expect((await answer(url, { outcome: "grant" })).status).to.equal(409);
      expect((await shop.fetch(url, { method: "DELETE" })).status, "taken back already").to.equal(204);
    });
  });

  describe("yes, less", () => {
    const two = (): Json =>
      wish(shop, {
        access: [
          policyOf(shop.webid, `${ana.pod}notes/`),
          policyOf(shop.webid, `${ana.pod}letters/`, { necessity: "optional" }),
        ],
      });
    const grantOf = async (response: Response): Promise<Json> => {
      expect(response.status, await response.clone().text()).to.equal(200);
      return json(await shop.fetch(response.headers.get("location") ?? ""));
    };
    it("one of two things", async () => {
      const grant = await grantOf(
        await answer(await asked(shop, two()), { outcome: "grant", policies: [1] }),
      );
      expect(grant["access"]).to.have.length(1);
      expect(await isRead(shop, "letters/one.ttl")).to.equal(true);
      await ana.fetch(String(grant["id"]), { method: "DELETE" });
      expect(await isRead(shop, "letters/one.ttl")).to.equal(false);
    });
    it("less of one thing", async () => {
      const access = [policyOf(shop.webid, `${ana.pod}notes/old/`)];
      const grant = await grantOf(await answer(await asked(shop, two()), { outcome: "grant", access }));
      expect(JSON.stringify(grant["access"])).to.include("notes/old/").and.not.include("letters");
      await ana.fetch(String(grant["id"]), { method: "DELETE" });
    });
    const wider: readonly (readonly [what: string, () => Json])[] = [
      ["another folder", () => policyOf(shop.webid, `${ana.pod}private/`)],
      ["the folder above", () => policyOf(shop.webid, ana.pod)],
      ["another action", () => policyOf(shop.webid, `${ana.pod}notes/`, { action: ["read", "modify"] })],
      [
        "a later end",
        () =>
          policyOf(shop.webid, `${ana.pod}notes/`, {
            constraint: [
              constraint("purpose", "eq", SERVICE),
              constraint("dateTime", "lteq", "2027-10-01T00:00:00Z"),
            ],
          }),
      ],
      [
        "a wider purpose",
        () =>
          policyOf(shop.webid, `${ana.pod}notes/`, {
            constraint: [
              constraint("purpose", "eq", "https://w3id.org/dpv#Marketing"),
              constraint("dateTime", "lteq", IN_A_MONTH()),
            ],
          }),
      ],
      ["another vendor", () => policyOf(bank.webid, `${ana.pod}notes/`)],
      [
        "keeping it",
        () =>
          policyOf(shop.webid, `${ana.pod}notes/`, {
            constraint: [
              constraint("purpose", "eq", SERVICE),
              constraint("dateTime", "lteq", IN_A_MONTH()),
              constraint("consentMode", "eq", "store"),
            ],
          }),
      ],
    ];
    for (const [what, make] of wider)
      it(`never more: ${what}`, async () => {
        const url = await asked(shop, two());
        const response = await answer(url, { outcome: "grant", access: [make()] });
        expect(response.status, await response.clone().text()).to.equal(422);
        expect(await stateOf(url)).to.not.equal("Granted");
        await shop.fetch(url, { method: "DELETE" });
      });
    it("not now", async () => {
      const url = await asked(shop, two());
      expect((await answer(url, { outcome: "defer" })).status).to.equal(200);
      expect(await stateOf(url)).to.equal("Deferred");
      expect((await answer(url, { outcome: "deny" })).status).to.equal(200);
      expect(await stateOf(url)).to.equal("Denied");
    });
    it("an answer that is none", async () => {
      const url = await asked(bank, wish(bank));
      for (const body of [
        {},
        { outcome: "ask" },
        { outcome: "grant", policies: [] },
        { outcome: "grant", policies: [7] },
        { outcome: "grant", until: "x" },
      ])
        expect((await answer(url, body)).status, JSON.stringify(body)).to.equal(400);
      expect(await stateOf(url, bank)).to.not.equal("Granted");
    });
  });
});
