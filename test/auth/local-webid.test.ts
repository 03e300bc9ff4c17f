/** Which WebIDs of this server's own documents count: those of its people, and not what apps can write beside them. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type ForeignIssuer, makeIssuer } from "./issuer.ts";
import { makeKey, makeProof } from "./support.ts";

const OIDC_ISSUER = "http://www.w3.org/ns/solid/terms#oidcIssuer";

describe("WebIDs of this server", () => {
  let server: TestServer;
  let evil: ForeignIssuer;
  let ana: Person;
  const key = makeKey();

  before(async () => {
    evil = await makeIssuer();
    server = await startServer({ FREEHOLD_EGRESS_ALLOW: evil.origin });
    ana = await server.person("ana");
    const write = (path: string, body: string): Promise<Response> =>
      ana.fetch(ana.pod + path, { method: "PUT", headers: { "content-type": "text/turtle" }, body });
    const says = (subject: string): string => `<${subject}> <${OIDC_ISSUER}> <${evil.issuer}> .`;
    expect((await write("public/eve.ttl", says("#me"))).status).to.equal(201);
    const card = await (await fetch(`${ana.pod}profile/card`)).text();
    const more = [says("#eve"), says(`${server.baseUrl}%61na/profile/card#me`)].join("\n");
    expect((await write("profile/card", `${card}\n${more}`)).status).to.equal(204);
  });
  after(async () => {
    await server.close();
    await evil.close();
  });

  async function askAs(webid: string): Promise<Response> {
    const token = evil.token(key.thumbprint, { webid });
    const dpop = makeProof(key, "GET", `${ana.pod}profile/card`);
    return fetch(`${ana.pod}profile/card`, { headers: { authorization: `DPoP ${token}`, dpop } });
  }

  it("an issuer elsewhere speaks for its own people, as ever", async () => {
    expect((await askAs(evil.webid)).status).to.equal(200);
  });

  for (const [what, place] of [
    ["a document in a pod", "ana/public/eve.ttl#me"],
    ["a second subject of the card", "ana/profile/card#eve"],
    ["the card in another spelling", "%61na/profile/card#me"],
    ["the card without its fragment", "ana/profile/card"],
    ["the card with a query", "ana/profile/card?x#me"],
  ] as const) {
    it(`${what} makes nobody, whatever issuer it names`, async () => {
      const answer = await askAs(server.baseUrl + place);
      expect(answer.status).to.equal(401);
      expect(answer.headers.get("www-authenticate")).to.include("The WebID does not name this issuer");
    });
  }
});
