import { hash, randomUUID } from "node:crypto";
import { expect } from "chai";
import { requestToken } from "./browser.ts";
import { type ForeignIssuer, makeIssuer } from "./issuer.ts";
import { type KeyPair, makeKey, makeProof, makeWorld, problemOf, type World } from "./support.ts";

const DPV = "https://w3id.org/dpv#";
const SERVICE = `${DPV}ServiceProvision`;
const NARROWER = `${DPV}RequestedServiceProvision`;
const MARKETING = `${DPV}Marketing`;
const SECRET = "s".repeat(40);

describe("the purpose that an agent says", () => {
  let world: World;
  let other: ForeignIssuer;
  let key: KeyPair;
  before(async () => {
    other = await makeIssuer();
    world = await makeWorld({ egressAllow: [other.origin] });
    const credential = { secretHash: hash("sha256", SECRET, "buffer"), webid: world.ana };
    world.accounts.credentials.set("program", credential);
    key = makeKey();
  });
  after(async () => {
    await world.close();
    await other.close();
  });

  const url = (): string => `${world.baseUrl}ana/private`;
  const asking = (token: string, headers: Record<string, string> = {}) => ({
    method: "GET",
    url: url(),
    headers: { authorization: `DPoP ${token}`, dpop: makeProof(key, "GET", url()), ...headers },
    ip: "192.0.2.7",
  });
  const theirs = (claims: Record<string, unknown>): string =>
    other.token(key.thumbprint, { jti: randomUUID(), ...claims });

  it("is the header's, or the token's", async () => {
    const said = { "access-purpose": SERVICE, "access-grant": `${world.baseUrl}ana/.consent/grants/abc` };
    expect(await world.verify(asking(theirs({}), said))).to.include({ purpose: SERVICE, grant: "abc" });
    expect(await world.verify(asking(theirs({ purpose: SERVICE })))).to.include({ purpose: SERVICE });
    expect(await world.verify(asking(theirs({})))).to.not.have.any.keys("purpose", "grant");
  });

  it("narrower than the token's it may be, and no other", async () => {
    const token = theirs({ purpose: SERVICE });
    expect(await world.verify(asking(token, { "access-purpose": NARROWER }))).to.include({
      purpose: NARROWER,
    });
    for (const purpose of [MARKETING, `${DPV}Purpose`, "", `${SERVICE}, ${MARKETING}`]) {
      const problem = await problemOf(world.verify(asking(token, { "access-purpose": purpose })));
      expect([problem.code, problem.members], purpose).to.deep.equal([
        "purpose-refused",
        { accepted: [SERVICE] },
      ]);
    }
    expect(await world.verify(asking(token)), "a header of another request is not remembered").to.include({
      purpose: SERVICE,
    });
  });

  it("a token whose purpose is not understood is no token without one", async () => {
    for (const purpose of [[SERVICE], { purpose: SERVICE }, 7, true])
      expect((await problemOf(world.verify(asking(theirs({ purpose }))))).code).to.equal("token-invalid");
  });

  it("what is no address is like no purpose that anybody granted, and is not kept at any length", async () => {
    const { purpose } = await world.verify(
      asking(theirs({}), { "access-purpose": `${DPV}${"x".repeat(600)}` }),
    );
    expect(purpose).to.equal("");
    for (const grant of ["a b", "../x", "https://evil.example/grants/abc", "x".repeat(65)])
      expect((await world.verify(asking(theirs({}), { "access-grant": grant }))).grant).to.equal("");
  });

  it("our own tokens are made for one when that is asked for", async () => {
    const app = { clientId: "program", redirectUri: "", secret: SECRET };
    const ask = async (purpose: string) => {
      const { body } = await requestToken(world.baseUrl, key, app, {
        grant_type: "client_credentials",
        purpose,
      });
      return world.verify(asking(body["access_token"] ?? ""));
    };
    expect(await ask(SERVICE)).to.include({ webid: world.ana, purpose: SERVICE });
    expect(await ask("no address")).to.not.have.property("purpose");
  });
});
