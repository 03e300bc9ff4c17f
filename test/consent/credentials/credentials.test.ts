/** Requests and grants as credentials, over HTTP: what a client of that contract can do, and what nobody can do by one. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../../support/server.ts";

const GC = "https://w3id.org/GConsent#";
const DAY_MS = 24 * 3_600_000;
type Body = Record<string, unknown>;

describe("credentials of access grants", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let eve: Person;
  let letter: string;
  let secret: string;

  before(async () => {
    server = await startServer();
    [ana, ben, eve] = [await server.person("Ana"), await server.person("Ben"), await server.person("Eve")];
    [letter, secret] = [`${ana.pod}given/letter.txt`, `${ana.pod}kept/secret.txt`];
    for (const url of [letter, secret]) {
      const headers = { "content-type": "text/plain" };
      expect((await ana.fetch(url, { method: "PUT", headers, body: `content of ${url}` })).status).to.equal(
        201,
      );
    }
  });
  after(() => server.close());

  const post = (who: Person, path: string, body: Body): Promise<Response> =>
    who.fetch(`${server.baseUrl}.vc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  /** What the contract's client sends to the issuer. */
  const asked = (more: Body = {}, credential: Body = {}): Body => ({
    credential: {
      "@context": ["https://www.w3.org/2018/credentials/v1"],
      type: ["VerifiableCredential", "SolidAccessRequest"],
      ...credential,
      credentialSubject: {
        hasConsent: {
          mode: ["http://www.w3.org/ns/auth/acl#Read"],
          hasStatus: `${GC}ConsentStatusRequested`,
          forPersonalData: [letter],
          isConsentForDataSubject: ana.webid,
          ...more,
        },
      },
    },
  });
  const given = (more: Body = {}, credential: Body = {}): Body => ({
    credential: {
      "@context": ["https://www.w3.org/2018/credentials/v1"],
      type: ["VerifiableCredential", "SolidAccessGrant"],
      ...credential,
      credentialSubject: {
        providedConsent: {
          mode: ["http://www.w3.org/ns/auth/acl#Read"],
          hasStatus: `${GC}ConsentStatusExplicitlyGiven`,
          forPersonalData: [letter],
          isProvidedTo: ben.webid,
          ...more,
        },
      },
    },
  });
  async function grant(more: Body = {}, credential: Body = {}): Promise<Body & { id: string }> {
    const answer = await post(ana, "issue", given(more, credential));
    expect(answer.status, await answer.clone().text()).to.equal(201);
    return (await answer.json()) as Body & { id: string };
  }
  const revoke = (who: Person, credentialId: string): Promise<Response> =>
    post(who, "status", {
      credentialId,
      credentialStatus: [{ type: "RevocationList2020Status", status: "1" }],
    });

  function exchange(who: Person, credential: unknown): Promise<Response> {
    const presentation = { type: ["VerifiablePresentation"], verifiableCredential: [credential] };
    const body = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:uma-ticket",
      claim_token: Buffer.from(JSON.stringify(presentation)).toString("base64"),
      claim_token_format: "https://www.w3.org/TR/vc-data-model/#json-ld",
      ticket: "credential",
    });
    return who.fetch(`${server.baseUrl}.vc/token`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: body.toString(),
    });
  }
  async function tokenFor(credential: unknown): Promise<string> {
    const answer = await exchange(ben, credential);
    expect(answer.status, await answer.clone().text()).to.equal(200);
    return ((await answer.json()) as { access_token: string }).access_token;
  }
  interface Sent {
    readonly method: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }
  const bearing = (token: string, url: string, sent: Sent = { method: "GET" }): Promise<Response> =>
    fetch(url, { ...sent, headers: { ...sent.headers, authorization: `Bearer ${token}` } });

  it("a 401 says where to look, before all other schemes", async () => {
    const { status, headers } = await fetch(letter);
    expect(status).to.equal(401);
    expect(headers.get("www-authenticate")).to.match(/^UMA as_uri="[^"]+", ticket="[^"]+", DPoP /);
    const found = (await (await fetch(`${server.baseUrl}.well-known/uma2-configuration`)).json()) as Body;
    expect(found["verifiable_credential_issuer"]).to.equal(`${server.baseUrl}.vc/`);
  });

  describe("a token for a grant", () => {
    let token: string;
    let credential: Body & { id: string };
    before(async () => {
      credential = await grant();
      token = await tokenFor(credential);
    });

    it("opens what was granted, without a proof of possession", async () => {
      const answer = await bearing(token, letter);
      expect(answer.status).to.equal(200);
      expect(await answer.text()).to.equal(`content of ${letter}`);
    });
    it("opens nothing else of the pod, and changes nothing", async () => {
      expect((await bearing(token, secret)).status).to.equal(403);
      expect((await bearing(token, letter, { method: "DELETE" })).status).to.equal(403);
      const put = { method: "PUT", headers: { "content-type": "text/plain" }, body: "mine" };
      expect((await bearing(token, letter, put)).status).to.equal(403);
      expect((await bearing(token, `${letter}.acl`)).status).to.equal(403);
    });
    it("is not its holder's own login: what lists give the vendor, it does not", async () => {
      expect((await ben.fetch(`${ben.pod}profile/card.acl`)).status).to.be.oneOf([200, 404]);
      expect((await bearing(token, `${ben.pod}profile/card.acl`)).status).to.equal(401);
      const acl = `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
        <#owner> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <${secret}>; acl:mode acl:Read, acl:Control.
        <#ben> a acl:Authorization; acl:agent <${ben.webid}>; acl:accessTo <${secret}>; acl:mode acl:Read.`;
      const headers = { "content-type": "text/turtle" };
      expect((await ana.fetch(`${secret}.acl`, { method: "PUT", headers, body: acl })).status).to.equal(201);
      expect((await ben.fetch(secret)).status).to.equal(200);
      expect((await bearing(token, secret)).status).to.equal(403);
      expect((await ana.fetch(`${secret}.acl`, { method: "DELETE" })).status).to.be.lessThan(300);
    });
    it("is worth nothing at the doors where grants are dealt with", async () => {
      const id = credential.id.split("/").at(-1);
      for (const path of [`.consent/grants/${id}`, ".consent/requests"])
        expect((await bearing(token, `${ana.pod}${path}`)).status).to.equal(401);
      expect((await bearing(token, credential.id)).status).to.equal(401);
      expect((await bearing(token, `${server.baseUrl}.query/sparql?query=ASK%7B%7D`)).status).to.equal(401);
    });
    it("cannot be made or changed by anybody else", async () => {
      const [prefix, stated = "", sealed] = token.split(".");
      const text = Buffer.from(stated, "base64url").toString("utf8").replace(ben.webid, eve.webid);
      const forged = [prefix, Buffer.from(text).toString("base64url"), sealed].join(".");
      for (const wrong of [forged, `${token}x`, `${prefix}.${stated}.`, "fhg.e30.AAAA"])
        expect((await bearing(wrong, letter)).status, wrong.slice(0, 20)).to.equal(401);
    });
    it("ends with the grant", async () => {
      expect((await revoke(ana, credential.id)).status).to.equal(204);
      expect((await bearing(token, letter)).status).to.equal(403);
      expect((await exchange(ben, credential)).status).to.equal(403);
    });
  });

  describe("a credential", () => {
    it("counts for whom it was made out to, and unchanged", async () => {
      const credential = await grant();
      expect((await exchange(eve, credential)).status).to.equal(403);
      const wider = structuredClone(credential);
      ((wider["credentialSubject"] as Body)["providedConsent"] as Body)["forPersonalData"] = [secret];
      const longer = { ...credential, expirationDate: "2099-01-01T00:00:00Z" };
      const { proof: _, ...bare } = credential;
      for (const wrong of [wider, longer, bare, {}, null])
        expect((await exchange(ben, wrong)).status).to.be.oneOf([400, 403]);
    });
    it("is nobody else's: strangers are told that there is none", async () => {
      const credential = await grant();
      expect((await ben.fetch(credential.id)).status).to.equal(200);
      expect((await eve.fetch(credential.id)).status).to.equal(404);
      expect((await fetch(credential.id)).status).to.equal(401);
      expect((await revoke(eve, credential.id)).status).to.equal(404);
      expect((await bearing(await tokenFor(credential), letter)).status).to.equal(200);
      for (const who of [eve, ben]) {
        const found = await who.fetch(`${server.baseUrl}.vc/query?type=SolidAccessGrant&pageSize=100`);
        const { items } = (await found.json()) as { items: { id: string }[] };
        expect(items.map(({ id }) => id).includes(credential.id)).to.equal(who === ben);
      }
    });
    it("always ends, at the latest after 13 months", async () => {
      const last = Date.now() + 400 * DAY_MS;
      for (const expirationDate of [undefined, "2099-01-01T00:00:00Z"]) {
        const credential = await grant({}, expirationDate ? { expirationDate } : {});
        expect(Date.parse(String(credential["expirationDate"]))).to.be.lessThan(last);
      }
    });
    it("is issued by the owner alone", async () => {
      for (const who of [ben, eve]) expect((await post(who, "issue", given())).status).to.equal(403);
      const isMine = given({ forPersonalData: [letter, `${ben.pod}profile/card`] });
      for (const who of [ana, ben]) expect((await post(who, "issue", isMine)).status).to.equal(400);
    });
    it("says what it can and nothing that it cannot", async () => {
      for (const wrong of [
        { mode: ["http://www.w3.org/ns/auth/acl#Control"] },
        { mode: [] },
        { forPersonalData: [] },
        { forPersonalData: ["https://elsewhere.example/x"] },
        { forPersonalData: [`${letter}.acl`] },
        { forPersonalData: [`${ana.pod}given/../kept/`] },
        { forPurpose: ["marketing"] },
        { inherit: "perhaps" },
        { isProvidedTo: ana.webid },
        { "https://vocab.example/x": { deep: true } },
        { surprise: "x" },
      ])
        expect((await post(ana, "issue", given(wrong))).status, JSON.stringify(wrong)).to.equal(400);
      for (const body of [
        {},
        { credential: [] },
        { credential: { type: ["SolidAccessGrant", "SolidAccessRequest"] } },
      ])
        expect((await post(ana, "issue", body)).status).to.equal(400);
      const huge = asked({ "https://vocab.example/x": "x".repeat(200_000) });
      expect((await post(ana, "issue", huge)).status).to.equal(413);
    });
  });

  describe("a request", () => {
    it("asked again before it is answered is the same one, and stands where all others do", async () => {
      const wish = asked({ forPersonalData: [secret] });
      const ids = [];
      for (let more = 0; more < 2; more++) {
        const { id } = (await (await post(ben, "issue", wish)).json()) as { id: string };
        ids.push(id);
      }
      expect(ids[0]).to.equal(ids[1]);
      const listed = await (await ana.fetch(`${ana.pod}.consent/requests`)).text();
      expect(listed).to.include(String(ids[0]).split("/").at(-1));
      expect((await revoke(ben, String(ids[0]))).status).to.equal(204);
    });
    it("is answered once, and only its vendor's", async () => {
      const request = (await (await post(ben, "issue", asked())).json()) as { id: string };
      const forEve = given({ request: request.id, isProvidedTo: eve.webid });
      expect((await post(ana, "issue", forEve)).status).to.equal(400);
      expect((await post(ana, "issue", given({ request: request.id }))).status).to.equal(201);
      expect((await post(ana, "issue", given({ request: request.id }))).status).to.equal(409);
      expect((await revoke(ben, request.id)).status).to.equal(409);
    });
    it("is one of three at most that wait, so nobody is flooded", async () => {
      const statuses: number[] = [];
      for (let more = 0; more < 5; more++) {
        const wish = asked({ forPersonalData: [`${ana.pod}given/${more}.txt`] });
        statuses.push((await post(eve, "issue", wish)).status);
      }
      expect(statuses).to.deep.equal([201, 201, 201, 429, 429]);
      expect((await post(ben, "issue", asked())).status).to.equal(201);
    });
    it("needs a login, and a time that is to come", async () => {
      const sent = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(asked()),
      };
      expect((await fetch(`${server.baseUrl}.vc/issue`, sent)).status).to.equal(401);
      const over = asked({}, { expirationDate: "2020-01-01T00:00:00Z" });
      expect((await post(ben, "issue", over)).status).to.equal(400);
    });
  });

  it("an address is one: nothing in it ends it where it is written down", async () => {
    for (const odd of [
      "https://eve.example/> <https://eve.example/b> <https://eve.example/c> . <https://eve.example/",
      "https://eve.example/\nb",
      " https://eve.example/",
      "https://eve.example/\u202egnp",
    ])
      for (const more of [{ forPurpose: [odd] }, { [odd]: "a field of one's own" }])
        expect((await post(eve, "issue", asked(more))).status, odd).to.equal(400);
  });

  it("are not searched for without end, for a search may look into every pod", async () => {
    const strict = await startServer({ FREEHOLD_LIMITS: "credentialSearchesMax=2" });
    try {
      const mia = await strict.person("Mia");
      const search = async (): Promise<number> => (await mia.fetch(`${strict.baseUrl}.vc/query`)).status;
      expect([await search(), await search(), await search()]).to.deep.equal([200, 200, 429]);
    } finally {
      await strict.close();
    }
  });

  it("filters that are not understood are refused, not left out", async () => {
    for (const filter of [
      "issuedWithin=P9D",
      "type=Anything",
      "page=-1",
      "pageSize=0",
      "pageSize=1000",
      "revokedWithin=x",
    ])
      expect((await ana.fetch(`${server.baseUrl}.vc/query?${filter}`)).status, filter).to.equal(400);
  });
});
