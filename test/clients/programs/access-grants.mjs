/** @inrupt/solid-client-access-grants: a request, its approval, the use of the grant, its end. */
import assert from "node:assert/strict";
import {
  approveAccessRequest,
  cancelAccessRequest,
  denyAccessRequest,
  fetchWithVc,
  getAccessApiEndpoint,
  getAccessGrant,
  getAccessGrantAll,
  getAccessModes,
  getAccessRequest,
  getCustomString,
  getExpirationDate,
  getFile,
  getPurposes,
  getRequestor,
  getResourceOwner,
  getResources,
  getSolidDataset,
  issueAccessRequest,
  isValidAccessGrant,
  overwriteFile,
  paginatedQuery,
  query,
  revokeAccessGrant,
} from "@inrupt/solid-client-access-grants";
import { ana, baseUrl, ben, finish, openSession, step } from "./steps.mjs";

const owner = await openSession(ana);
const vendor = await openSession(ben);
const [asOwner, asVendor] = [{ fetch: owner.fetch }, { fetch: vendor.fetch }];
const MARKETING = "https://w3id.org/dpv#Marketing";
const NOTE = "https://vocab.example/note";

const put = async (path, type, body) => {
  const url = `${ana.pod}${path}`;
  const { status } = await owner.fetch(url, { method: "PUT", headers: { "content-type": type }, body });
  assert.equal(status, 201);
  return url;
};
const text = await put("given/letter.txt", "text/plain", "a letter");
const data = await put("given/data.ttl", "text/turtle", '<#it> <https://schema.org/name> "given".');
const kept = await put("kept/secret.txt", "text/plain", "nobody's");
const status = async (url, grant) => (await (await fetchWithVc(url, grant, asVendor))(url)).status;
const day = 24 * 3_600_000;

// By itself the client writes a policy beside the grant, too, which only servers with policies can take.
const { headers } = await owner.fetch(text, { method: "HEAD" });
const hasPolicies = headers.get("link").includes(".acr>");
const approving = hasPolicies ? asOwner : { ...asOwner, updateAcr: false };

let request;
let grant;

await step("finds the issuer from a resource that is refused", async () => {
  assert.equal(await getAccessApiEndpoint(text), `${baseUrl}.vc/`);
});

await step("a request is issued, and found again by both sides", async () => {
  request = await issueAccessRequest(
    {
      access: { read: true },
      resources: [text, data],
      resourceOwner: ana.webid,
      purpose: [MARKETING],
      expirationDate: new Date(Date.now() + 10 * day),
    },
    {
      ...asVendor,
      returnLegacyJsonld: false,
      customFields: new Set([{ key: new URL(NOTE), value: "a note of the vendor" }]),
    },
  );
  for (const session of [owner, vendor]) {
    const found = await getAccessRequest(request.id, { fetch: session.fetch, returnLegacyJsonld: false });
    assert.deepEqual(new Set(getResources(found)), new Set([data, text]));
    assert.deepEqual(getPurposes(found), [MARKETING]);
    assert.equal(getRequestor(found), ben.webid);
    assert.equal(getResourceOwner(found), ana.webid);
    assert.equal(getCustomString(found, new URL(NOTE)), "a note of the vendor");
  }
});

await step("nothing is given before the owner approves", async () => {
  assert.equal((await vendor.fetch(text)).status, 403);
  await assert.rejects(fetchWithVc(text, JSON.parse(JSON.stringify(request)), asVendor));
  await assert.rejects(approveAccessRequest(request, {}, { ...approving, fetch: vendor.fetch }));
});

await step("the owner approves it, and the grant opens what was asked for", async () => {
  grant = await approveAccessRequest(request, {}, approving);
  assert.deepEqual(getAccessModes(grant), { read: true, append: false, write: false });
  assert.ok(getExpirationDate(grant) > new Date());
  assert.equal(await (await getFile(text, grant, asVendor)).text(), "a letter");
  assert.ok((await getSolidDataset(data, grant, asVendor)).graphs);
});

await step("the grant opens nothing else, and to nobody else", async () => {
  assert.equal(await status(kept, grant), 403);
  await assert.rejects(overwriteFile(text, new Blob(["mine"]), grant, asVendor));
  await assert.rejects(fetchWithVc(text, grant, asOwner));
});

await step("a credential that was changed is worth nothing", async () => {
  const forged = JSON.parse(JSON.stringify(grant));
  forged.credentialSubject.providedConsent.forPersonalData = [kept];
  await assert.rejects(fetchWithVc(kept, forged, asVendor));
  const { errors } = await isValidAccessGrant(forged, {
    ...asVendor,
    verificationEndpoint: `${baseUrl}.vc/verify`,
  }).catch((error) => ({ errors: [String(error)] }));
  assert.ok(errors.length > 0);
});

await step("verifies, looks up and lists grants", async () => {
  assert.deepEqual((await isValidAccessGrant(grant, asVendor)).errors, []);
  assert.equal((await getAccessGrant(grant.id, asVendor)).id, grant.id);
  const all = await getAccessGrantAll({ resource: text }, asVendor);
  assert.deepEqual(
    all.map(({ id }) => id),
    [grant.id],
  );
  const page = await query(
    { type: "SolidAccessGrant", status: "Active", pageSize: 1 },
    { fetch: owner.fetch, queryEndpoint: new URL(`${baseUrl}.vc/query`) },
  );
  assert.deepEqual(
    page.items.map(({ id }) => id),
    [grant.id],
  );
});

await step("after it was revoked it opens nothing, not even with a token from before", async () => {
  const before = await fetchWithVc(text, grant, asVendor);
  assert.equal((await before(text)).status, 200);
  await revokeAccessGrant(grant.id, asOwner);
  assert.equal((await before(text)).status, 403);
  await assert.rejects(fetchWithVc(text, grant, asVendor));
  assert.ok((await isValidAccessGrant(grant, asVendor)).errors.length > 0);
});

await step("a request is taken back, another denied", async () => {
  const ask = (resource) =>
    issueAccessRequest(
      { access: { append: true }, resources: [resource], resourceOwner: ana.webid },
      asVendor,
    );
  const canceled = await ask(data);
  await cancelAccessRequest(canceled.id, asVendor);
  await assert.rejects(approveAccessRequest(canceled, {}, approving));
  const denied = await ask(text);
  const denial = await denyAccessRequest(denied, asOwner);
  assert.ok(denial.type.includes("SolidAccessDenial"));
  const seen = [];
  const options = { fetch: vendor.fetch, queryEndpoint: new URL(`${baseUrl}.vc/query`) };
  for await (const { items } of paginatedQuery({ type: "SolidAccessRequest", pageSize: 1 }, options))
    seen.push(...items.map(({ id }) => id));
  assert.equal(seen.length, 3);
  assert.deepEqual(new Set(seen), new Set([request.id, denied.id, canceled.id]));
});

finish();
