/** What the owner is shown before a yes: just what the vendor would get, and nobody else is shown anything. */
import {
  accessGrant,
  decideRequest,
  FreeholdError,
  generateSigningKey,
  openPod,
  type Pod,
  type Preview,
  previewAccess,
  previewRequest,
  publishSigningKey,
  requestAccess,
  revokeGrant,
  type SigningIdentity,
  undoDecision,
} from "@freehold/client";
import { expect } from "chai";
import { letIn, signIn } from "../auth/app.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const DELIVERY = "https://w3id.org/dpv#DeliveryOfGoods";
const VCARD = "http://www.w3.org/2006/vcard/ns#";
const DAY = 86_400_000;
const CONTACT = `@prefix vcard: <${VCARD}> .
<#it> a vcard:Individual ; vcard:fn "Ana Lima" ; vcard:bday "1988-04-12" ; vcard:hasEmail <#mail> .
<#mail> vcard:value <mailto:ana@home.example> .`;

describe("a preview of what somebody would get", function () {
  this.timeout(40_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let ben: Person;
  let own: Pod;
  let asked: Pod;
  let identity: SigningIdentity;
  let request: string;

  const wish = (access: object, days = 20) => ({
    purposes: [DELIVERY],
    until: new Date(Date.now() + days * DAY),
    ...access,
  });
  const askFor = async (access: object): Promise<string> => {
    const terms = { notice: "https://shop.example/privacy", benefit: { en: "Parcels find you" } };
    return (await requestAccess(asked, { access: [wish(access, 30)], ...terms }, identity)).id;
  };
  const valuesOf = ([first]: readonly Preview[]): readonly string[] =>
    first?.things.flatMap(({ says }) => says.flatMap(({ values }) => values)) ?? [];
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: unknown) => (error instanceof FreeholdError ? error.code : String(error)),
    );

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "registrationsPerIpMax=1000,authorizationsPerIpMax=1000" });
    [ana, shop, ben] = [await server.person("Ana"), await server.person("Shop"), await server.person("Ben")];
    own = await openPod(ana.pod, { fetch: ana.fetch });
    asked = await openPod(ana.pod, { fetch: shop.fetch });
    identity = await publishSigningKey(
      await openPod(shop.pod, { fetch: shop.fetch }),
      await generateSigningKey(),
    );
    await own.writeFile("contacts/me.ttl", CONTACT, "text/turtle");
    await own.writeFile("contacts/me.txt", "A note", "text/plain");
    await own.writeFile("diary/today.ttl", '<#it> <urn:x:says> "a secret" .', "text/turtle");
    request = await askFor({ places: ["contacts/"] });
  });
  after(() => server?.close());

  it("shows documents with their values, and counts them; of another folder nothing", async () => {
    const previews = await previewRequest(own, request);
    expect(valuesOf(previews)).to.have.members(["Ana Lima", "1988-04-12", "ana@home.example"]);
    expect(previews[0]).to.include({ isView: false, documents: 2, total: 1 });
    expect(previews[0]?.files.map(({ path }) => path)).to.have.members([
      "/ana/contacts/me.ttl",
      "/ana/contacts/me.txt",
    ]);
    expect(JSON.stringify(previews)).to.not.match(/secret|diary/);
  });

  it("of less shows less: the very values of the view that the vendor gets", async () => {
    const access = [wish({ places: ["contacts/"], fields: [`${VCARD}hasEmail`] })];
    const previews = await previewRequest(own, request, access);
    expect(previews[0]).to.include({ isView: true });
    expect(valuesOf(previews)).to.deep.equal(["ana@home.example"]);
    const { id, grants } = await decideRequest(own, request, { outcome: "grant", access });
    const { document } = await accessGrant(asked, grants[0]!);
    const [policy] = document["access"] as readonly {
      readonly target: { readonly value: readonly string[] };
    }[];
    const view = await (await shop.fetch(policy!.target.value[0]!)).text();
    expect(view)
      .to.include("ana@home.example")
      .and.not.match(/Lima|1988/);
    await undoDecision(own, id);
    expect((await shop.fetch(policy!.target.value[0]!)).status, "taken back a moment later").to.equal(403);
    expect((await accessGrant(own, grants[0]!)).state).to.equal("Revoked");
  });

  it("is coarser where the owner means coarser", async () => {
    const access = [wish({ places: ["contacts/"], tier: "tag" })];
    expect(valuesOf(await previewRequest(own, request, access)).join(" ")).to.not.match(
      /Lima|ana@home|04-12/,
    );
  });

  it("shows what is about to be given unasked", async () => {
    const access = [wish({ places: ["contacts/me.ttl"], fields: [`${VCARD}fn`] })];
    expect(valuesOf(await previewAccess(own, shop.webid, { access }))).to.deep.equal(["Ana Lima"]);
  });

  it("says that nothing is there, and names no more than was asked for", async () => {
    const empty = await askFor({ places: ["nothing/"] });
    expect((await previewRequest(own, empty))[0]).to.include({ documents: 0, total: 0 });
    const more = [wish({ places: [""] })];
    expect(await codeOf(previewRequest(own, request, more))).to.equal("consent-invalid");
    const odd = await ana.fetch(`${request}/preview`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcome: "grant" }),
    });
    expect(odd.status).to.equal(400);
  });

  it("counts no use, writes no look of the vendor's, and makes no grant", async () => {
    await previewRequest(own, request);
    const parties = await (await ana.fetch(`${ana.pod}.consent/parties`)).json();
    expect(parties.items).to.have.length(1);
    expect(parties.items[0]).to.include({ id: shop.webid, uses: 1, grants: 0, waiting: 2, entry: null });
    const journal = await (await ana.fetch(`${ana.pod}.journal`)).text();
    const page = /https?:[^\s<>"]+\.journal\/[^\s<>"]+/.exec(journal)?.[0];
    const text = page ? await (await ana.fetch(page)).text() : journal;
    expect(text).to.not.include("/preview");
  });

  it("is nothing for anybody else: the vendor, another person, the public, an app with less than all", async () => {
    const browser = await signIn(server, "Ana");
    const app = await letIn(server, browser, {
      folders: ["/ana/contacts/"],
      modes: ["read", "append", "write"],
    });
    const json = { "content-type": "application/json" };
    const grant = {
      "@context": ["https://www.w3.org/ns/lws/v1", "https://w3id.org/freehold/ns"],
      type: ["AccessGrant"],
      storage: ana.pod,
      access: [],
    };
    const doors: readonly (readonly [method: string, url: string, body?: string, type?: string])[] = [
      ["GET", `${request}/preview`],
      ["POST", `${request}/preview`, "{}"],
      ["POST", `${ana.pod}.consent/preview`, JSON.stringify(grant), "application/lws+json"],
      ["GET", `${ana.pod}.consent/parties`],
      ["POST", `${ana.pod}.consent/preferences/trial`, '{"everybody":{"level":5}}'],
    ];
    const askers: readonly (readonly [string, Person["fetch"]])[] = [
      ["the vendor", shop.fetch],
      ["another", ben.fetch],
      ["the public", (url, init) => fetch(url, init)],
      [
        "the app",
        (url, { method = "GET", body, headers } = {}) =>
          app.send(
            method,
            url,
            typeof body === "string" ? body : undefined,
            Object.fromEntries(new Headers(headers)),
          ),
      ],
    ];
    for (const [method, url, body, type] of doors)
      for (const [who, send] of askers) {
        const headers = body === undefined ? {} : type === undefined ? json : { "content-type": type };
        const answer = await send(url, { method, headers, ...(body !== undefined && { body }) });
        const text = await answer.text();
        expect(answer.status, `${who} ${method} ${url} ${text}`).to.be.oneOf([401, 403, 404]);
        expect(text, who).to.not.match(/Lima|home\.example|1988/);
      }
    const unknown = `${ana.pod}.consent/requests/${"x".repeat(22)}/preview`;
    const [there, none] = [await ben.fetch(`${request}/preview`), await ben.fetch(unknown)];
    expect([there.status, none.status], "what is there is not told").to.deep.equal([404, 404]);
  });

  it("tells what other rules would have made of the last requests, and changes none", async () => {
    const answer = async (level: number) => {
      const response = await ana.fetch(`${ana.pod}.consent/preferences/trial`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ everybody: { level } }),
      });
      expect(response.status).to.equal(200);
      return ((await response.json()) as { items: { outcome: string }[] }).items.map(
        ({ outcome }) => outcome,
      );
    };
    expect(await answer(0)).to.deep.equal(["deny", "deny"]);
    expect(new Set(await answer(1))).to.not.include("deny");
    expect(await (await ana.fetch(`${ana.pod}.consent/preferences`)).json()).to.include({ version: 0 });
    const requests = await (await ana.fetch(`${ana.pod}.consent/requests?status=Denied`)).json();
    expect(requests.items).to.deep.equal([]);
  });

  it("an answer of one's own can be taken back for ten minutes: a no is open again", async () => {
    const { id } = await decideRequest(own, request, { outcome: "deny" });
    await undoDecision(own, id);
    const open = await (await shop.fetch(request)).json();
    expect(open.status).to.equal("Pending");
    expect(await codeOf(undoDecision(own, id)), "once").to.equal("conflict");
    const { grants } = await decideRequest(own, request, { outcome: "grant" });
    expect((await revokeGrant(own, grants[0]!)).state).to.equal("Revoked");
  });
});
