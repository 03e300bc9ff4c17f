/** The owner's side in the client library, against a real server: to give less, to change one's mind, to say it beforehand. */
import {
  accessGrant,
  accessRequest,
  accessRequests,
  cancelRequest,
  decideRequest,
  endGrant,
  FreeholdError,
  generateSigningKey,
  giveAccess,
  openPod,
  type Pod,
  preferences,
  publishSigningKey,
  queryUnder,
  requestAccess,
  revokeGrant,
  type SigningIdentity,
  setPreferences,
  waitForDecision,
} from "@freehold/client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const DELIVERY = "https://w3id.org/dpv#DeliveryOfGoods";
const HOUR = 3_600_000;

describe("an owner with the client library", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let own: Pod;
  let asked: Pod;
  let identity: SigningIdentity;

  const until = (): Date => new Date(Date.now() + 24 * HOUR);
  const askFor = async (...places: string[]): Promise<string> => {
    const access = places.map((place) => ({ places: [place], purposes: [DELIVERY], until: until() }));
    const wish = { access, notice: "https://shop.example/privacy", benefit: { en: "Parcels find you" } };
    return (await requestAccess(asked, wish, identity)).id;
  };
  const codeOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: unknown) => (error instanceof FreeholdError ? error.code : String(error)),
    );

  before(async () => {
    server = await startServer();
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    own = await openPod(ana.pod, { fetch: ana.fetch });
    asked = await openPod(ana.pod, { fetch: shop.fetch });
    const key = await generateSigningKey();
    identity = await publishSigningKey(await openPod(shop.pod, { fetch: shop.fetch }), key);
    for (const name of ["one", "two", "three", "four", "five"])
      await own.writeFile(`notes/${name}.ttl`, `<#it> <urn:x:is> "${name}" .`, "text/turtle");
  });
  after(() => server?.close());

  it("gives one of two things that were asked for", async () => {
    const request = await askFor("notes/one.ttl", "notes/two.ttl");
    const { grants, explanation } = await decideRequest(own, request, { outcome: "grant", policies: [1] });
    expect(explanation).to.match(/\w/);
    const { policies, state } = await accessGrant(asked, grants[0]!);
    expect(state).to.equal("Active");
    expect(policies.map(({ target }) => target.values)).to.deep.equal([[`${ana.pod}notes/two.ttl`]]);
    expect((await waitForDecision(asked, request)).grants).to.deep.equal(grants);
  });

  it("gives it for a shorter time, and never more than was asked for", async () => {
    const request = await askFor("notes/three.ttl");
    const shorter = new Date(Date.now() + HOUR);
    const give = (places: readonly string[], end: Date) =>
      decideRequest(own, request, {
        outcome: "grant",
        access: [{ places, purposes: [DELIVERY], until: end }],
      });
    expect(await codeOf(give(["notes/"], shorter))).to.equal("consent-invalid");
    expect(await codeOf(give(["notes/three.ttl"], new Date(Date.now() + 48 * HOUR)))).to.equal(
      "consent-invalid",
    );
    const { grants } = await give(["notes/three.ttl"], shorter);
    expect((await accessGrant(own, grants[0]!)).policies[0]?.notAfter).to.equal(shorter.getTime());
    expect(await codeOf(give(["notes/three.ttl"], shorter)), "answered once").to.equal("conflict");
  });

  it("is not asked any more once the vendor has taken it back", async () => {
    const request = await askFor("notes/four.ttl");
    await cancelRequest(asked, request);
    expect((await accessRequest(own, request)).state).to.equal("Canceled");
    expect(await codeOf(decideRequest(own, request, { outcome: "grant" }))).to.equal("conflict");
    expect((await accessRequests(own)).map(({ id }) => id)).to.include(request);
  });

  it("gives unasked, and gives something else in its place", async () => {
    const access = (place: string) => [{ places: [place], purposes: [DELIVERY], until: until() }];
    const first = await giveAccess(own, shop.webid, { access: access("notes/five.ttl") });
    const second = await giveAccess(own, shop.webid, { access: access("notes/one.ttl") }, first.id);
    expect((await accessGrant(own, first.id)).state).to.equal("Superseded");
    const rows = await Array.fromAsync(
      queryUnder(asked, { grant: second.id }, "SELECT ?is { ?it <urn:x:is> ?is }"),
      ({ is }) => is?.value,
    );
    expect(rows).to.deep.equal(["one"]);
    expect(await codeOf(giveAccess(asked, shop.webid, { access: access("notes/") }))).to.equal("forbidden");
    expect((await revokeGrant(own, second.id)).state).to.equal("Revoked");
  });

  it("sees that a vendor gave back what it had", async () => {
    const access = [{ places: ["notes/one.ttl"], purposes: [DELIVERY], until: until() }];
    const { id } = await giveAccess(own, shop.webid, { access });
    await endGrant(asked, id);
    expect(await accessGrant(own, id)).to.include({ state: "Revoked", reason: "vendor" });
  });

  it("says beforehand what goes without asking; nobody else reads or says it", async () => {
    const before = await preferences(own);
    expect(before).to.include({ version: 0 });
    const blocked = { blocked: [shop.webid] };
    const after = await setPreferences(own, { ...before, ...blocked });
    expect(after).to.deep.include({ version: 1, ...blocked });
    expect(await preferences(own)).to.deep.equal(after);
    const request = await askFor("notes/five.ttl");
    expect((await accessRequest(own, request)).state, "nobody was asked").to.equal("Denied");
    expect(await codeOf(preferences(asked))).to.equal("forbidden");
    expect(await codeOf(setPreferences(asked, before))).to.equal("forbidden");
    expect(await codeOf(setPreferences(own, { ...after, level: 9 }))).to.equal("input-invalid");
  });
});
