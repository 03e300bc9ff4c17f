/** Access lists and universal access of @inrupt/solid-client, as applications that know nothing of this server use them. */
import {
  createAcl,
  createAclFromFallbackAcl,
  createContainerAt,
  deleteAclFor,
  deleteSolidDataset,
  getAgentAccess,
  getAgentDefaultAccess,
  getEffectiveAccess,
  getFile,
  getFileWithAcl,
  getGroupAccess,
  getPublicAccess,
  getResourceAcl,
  getResourceInfo,
  getSolidDataset,
  getSolidDatasetWithAcl,
  getSourceUrl,
  hasAccessibleAcl,
  hasFallbackAcl,
  hasResourceAcl,
  overwriteFile,
  saveAclFor,
  saveSolidDatasetInContainer,
  setAgentDefaultAccess,
  setAgentResourceAccess,
  setGroupDefaultAccess,
  setPublicResourceAccess,
  universalAccess,
} from "@inrupt/solid-client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Client, note, openSession, statusOf, textOf } from "./session.ts";

const NONE = { read: false, append: false, write: false, control: false };
const READ = { ...NONE, read: true };
const ALL = { read: true, append: true, write: true, control: true };

describe("access lists through @inrupt/solid-client", () => {
  let server: TestServer;
  let [ana, ben]: Person[] = [];
  let [own, bens]: Client[] = [];
  const at = (path: string): string => `${ana!.pod}${path}`;

  before(async () => {
    server = await startServer();
    [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
    [own, bens] = [await openSession(server, ana), await openSession(server, ben)];
  });
  after(() => server.close());

  const readBy = (client: Client, path: string) => statusOf(getFile(at(path), client.as));

  beforeEach(async () => {
    await overwriteFile(at("acl/deep/file.txt"), new Blob(["x"], { type: "text/plain" }), own!.as);
  });
  afterEach(async () => {
    await own!.session.fetch(at("acl/deep/file.txt.acl"), { method: "DELETE" });
    await own!.session.fetch(at("acl/.acl"), { method: "DELETE" });
  });

  it("are those of the nearest folder until a resource gets its own", async () => {
    const file = await getFileWithAcl(at("acl/deep/file.txt"), own!.as);
    expect([hasResourceAcl(file), hasFallbackAcl(file), hasAccessibleAcl(file)]).to.deep.equal([
      false,
      true,
      true,
    ]);
    if (!hasFallbackAcl(file) || !hasAccessibleAcl(file)) throw new Error("There is no list to begin with");
    const list = setAgentResourceAccess(createAclFromFallbackAcl(file), ben!.webid, READ);
    await saveAclFor(file, list, own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal("done");
    expect(await statusOf(getSolidDataset(at("acl/deep/"), bens!.as))).to.equal(403);

    const after = await getFileWithAcl(at("acl/deep/file.txt"), own!.as);
    expect([hasResourceAcl(after), hasFallbackAcl(after)]).to.deep.equal([true, false]);
    expect(getAgentAccess(after, ben!.webid)).to.deep.equal(READ);
    expect(getAgentAccess(after, ana!.webid)).to.deep.equal(ALL);
    expect(getPublicAccess(after)).to.deep.equal(NONE);
    if (!hasAccessibleAcl(after)) throw new Error("The list cannot be deleted");
    await deleteAclFor(after, own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal(403);
  });

  it("of a folder are handed down by default, and changed as a patch", async () => {
    const folder = await getSolidDatasetWithAcl(at("acl/"), own!.as);
    if (!hasFallbackAcl(folder) || !hasAccessibleAcl(folder)) throw new Error("No list to begin with");
    const saved = await saveAclFor(
      folder,
      setAgentDefaultAccess(createAclFromFallbackAcl(folder), ben!.webid, READ),
      own!.as,
    );
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal("done");
    expect(await statusOf(getSolidDataset(at("acl/"), bens!.as))).to.equal(403); // Only what is in it.
    const changed = setAgentDefaultAccess(setPublicResourceAccess(saved, READ), ben!.webid, {
      ...NONE,
      append: true,
    });
    await saveAclFor(folder, changed, own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal(403);
    expect((await fetch(at("acl/"))).status).to.equal(200);
    const after = await getSolidDatasetWithAcl(at("acl/"), own!.as);
    if (!hasResourceAcl(after)) throw new Error("The list is gone");
    expect(getAgentDefaultAccess(getResourceAcl(after), ben!.webid)).to.deep.equal({
      ...NONE,
      append: true,
    });
  });

  it("name groups, whose members come and go", async () => {
    const group = (member: string): string =>
      `<#friends> a <http://www.w3.org/2006/vcard/ns#Group>; <http://www.w3.org/2006/vcard/ns#hasMember> <${member}>.`;
    const write = (member: string) =>
      overwriteFile(at("groups.ttl"), new Blob([group(member)], { type: "text/turtle" }), own!.as);
    await write(ben!.webid);
    const folder = await getSolidDatasetWithAcl(at("acl/"), own!.as);
    if (!hasFallbackAcl(folder) || !hasAccessibleAcl(folder)) throw new Error("No list to begin with");
    const list = setGroupDefaultAccess(createAclFromFallbackAcl(folder), at("groups.ttl#friends"), READ);
    await saveAclFor(folder, list, own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal("done");
    const file = await getFileWithAcl(at("acl/deep/file.txt"), own!.as);
    expect(getGroupAccess(file, at("groups.ttl#friends"))).to.deep.equal(READ);
    await write("https://somebody.example/#me");
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal(403);
  });

  it("of the root keep the owner in control, whatever an application writes", async () => {
    const root = await getSolidDatasetWithAcl(at(""), own!.as);
    if (!hasResourceAcl(root) || !hasAccessibleAcl(root)) throw new Error("The root has no list");
    const before = getResourceAcl(root);
    const without = setAgentResourceAccess(before, ana!.webid, { ...ALL, control: false });
    expect(await statusOf(saveAclFor(root, without, own!.as))).to.equal(422);
    expect(await statusOf(deleteSolidDataset(at(".acl"), own!.as))).to.equal(405);
    expect(await statusOf(getSolidDataset(at("settings/prefs.ttl"), own!.as))).to.equal("done");
  });

  it("that an application makes from nothing do not lock the owner out", async () => {
    const file = await getFileWithAcl(at("acl/deep/file.txt"), own!.as);
    if (!hasAccessibleAcl(file)) throw new Error("There is no list");
    await saveAclFor(file, setAgentResourceAccess(createAcl(file), ben!.webid, READ), own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal("done");
    expect(await readBy(own!, "acl/deep/file.txt")).to.equal(403); // As the list says; but the list stays the owner's.
    expect(await statusOf(getSolidDataset(at("acl/deep/file.txt.acl"), own!.as))).to.equal("done");
  });

  it("are hidden from those who do not control them", async () => {
    await universalAccess.setAgentAccess(at("acl/deep/file.txt"), ben!.webid, { read: true }, own!.as);
    expect(await readBy(bens!, "acl/deep/file.txt")).to.equal("done");
    expect(await statusOf(getSolidDataset(at("acl/deep/file.txt.acl"), bens!.as))).to.equal(403);
    const write = { write: true };
    const tried = universalAccess.setAgentAccess(at("acl/deep/file.txt"), ben!.webid, write, bens!.as);
    expect(await statusOf(tried)).to.equal(403);
    expect(await universalAccess.getAgentAccess(at("acl/deep/file.txt"), ben!.webid, own!.as)).to.include({
      read: true,
      write: false,
    });
  });

  it("give and take each access mode through universalAccess", async () => {
    const url = at("acl/deep/file.txt");
    const put = () => statusOf(overwriteFile(url, new Blob(["y"], { type: "text/plain" }), bens!.as));
    const give = (access: Parameters<typeof universalAccess.setAgentAccess>[2]) =>
      universalAccess.setAgentAccess(url, ben!.webid, access, own!.as);
    expect(await give({ write: true })).to.include({ read: false, append: true, write: true });
    expect([await readBy(bens!, "acl/deep/file.txt"), await put()]).to.deep.equal([403, "done"]);
    await give({ read: true, write: false, append: false });
    expect([await readBy(bens!, "acl/deep/file.txt"), await put()]).to.deep.equal(["done", 403]);
    await give({ controlRead: true, controlWrite: true });
    expect(await statusOf(getSolidDataset(`${url}.acl`, bens!.as))).to.equal("done");
    expect(await universalAccess.getAgentAccessAll(url, own!.as)).to.have.keys(ana!.webid, ben!.webid);
    await give({ read: false, controlRead: false, controlWrite: false });
    expect(await statusOf(getSolidDataset(`${url}.acl`, bens!.as))).to.equal(403);
    await universalAccess.setPublicAccess(url, { read: true }, own!.as);
    expect(await universalAccess.getPublicAccess(url, own!.as)).to.include({ read: true, write: false });
    expect((await fetch(url)).status).to.equal(200);
    await universalAccess.setPublicAccess(url, { read: false }, own!.as);
    expect((await fetch(url)).status).to.equal(401);
  });

  it("let others add to an inbox without seeing what is in it", async () => {
    await createContainerAt(at("acl/inbox/"), own!.as);
    const inbox = await getSolidDatasetWithAcl(at("acl/inbox/"), own!.as);
    if (!hasFallbackAcl(inbox) || !hasAccessibleAcl(inbox)) throw new Error("No list to begin with");
    const list = setAgentResourceAccess(createAclFromFallbackAcl(inbox), ben!.webid, {
      ...NONE,
      append: true,
    });
    await saveAclFor(inbox, list, own!.as);
    const sent = await saveSolidDatasetInContainer(at("acl/inbox/"), note("hello"), {
      slugSuggestion: "hello.ttl",
      ...bens!.as,
    });
    expect(textOf(await getSolidDataset(getSourceUrl(sent), own!.as))).to.equal("hello");
    expect(await statusOf(getSolidDataset(getSourceUrl(sent), bens!.as))).to.equal(403);
    expect(await statusOf(getSolidDataset(at("acl/inbox/"), bens!.as))).to.equal(403);
    // Refused as well, Ben is told what he may do. https://solidproject.org/TR/wac#server-wac-allow
    const refused = await getResourceInfo(at("acl/inbox/"), {
      ...bens!.as,
      ignoreAuthenticationErrors: true,
    });
    expect(getEffectiveAccess(refused)).to.deep.equal({
      user: { read: false, append: true, write: false },
      public: { read: false, append: false, write: false },
    });
    expect(await statusOf(deleteSolidDataset(getSourceUrl(sent), bens!.as))).to.equal(403);
    const again = await saveSolidDatasetInContainer(at("acl/inbox/"), note("again"), {
      slugSuggestion: "hello.ttl",
      ...bens!.as,
    });
    expect(getSourceUrl(again)).to.not.equal(getSourceUrl(sent));
    expect(textOf(await getSolidDataset(getSourceUrl(sent), own!.as))).to.equal("hello");
  });
});
