/** What a message may not tell: of what is hidden, of what was hidden, and of what was before the channel. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { headOf, listen, put, refusalOf, remove, share, sleep, stream, subscribe, until } from "./support.ts";

const TYPE = "WebSocketChannel2023";
const SUBTREE = "https://w3id.org/freehold/ns#subtree";

describe("what is hidden", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "replayEntriesMax=60" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
  });
  after(() => server.close());

  /** A folder for Ben with one in it that is not. */
  async function folder(name: string): Promise<void> {
    await put(ana, `${name}/open.ttl`, "<#a> <#b> 1.");
    await put(ana, `${name}/private/secret.ttl`, "<#a> <#b> 1.");
    await share(ana, `${name}/`, { [ben.webid]: "acl:Read" });
    await share(ana, `${name}/private/`, {});
  }

  it("is not told when several changes come as one (subtree with rate)", async () => {
    await folder("rated");
    const { receiveFrom } = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}rated/`, {
      [SUBTREE]: true,
      rate: "PT0.2S",
    });
    const ear = await listen(receiveFrom);
    await put(ana, "rated/open.ttl", "<#a> <#b> 2.");
    await until("what is open", () => ear.notes.length > 0);
    for (let round = 0; round < 4; round++)
      await put(ana, "rated/private/secret.ttl", `<#a> <#b> 1${round}.`);
    await sleep(400);
    expect(ear.notes.map(({ object }) => object)).to.deep.equal([`${ana.pod}rated/open.ttl`]);
    await ear.close();
  });

  it("is not told when it is gone with its folder and that folder's rules", async () => {
    await folder("gone");
    const { receiveFrom } = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}gone/`, { [SUBTREE]: true });
    await remove(ana, "gone/private/secret.ttl");
    await remove(ana, "gone/private/");
    const ear = await listen(receiveFrom);
    await until("the folder is gone", () => ear.notes.length > 0);
    await sleep(50);
    expect(ear.notes.map(({ type, object }) => [type, object])).to.deep.equal([
      ["Remove", `${ana.pod}gone/private/`],
    ]);
    await ear.close();
  });

  it("nor what was before the channel was: there may have been no access then", async () => {
    await put(ana, "before/was-here.ttl", "<#a> <#b> 1.");
    const old = await headOf(server, "ana");
    await remove(ana, "before/was-here.ttl");
    await put(ana, "before/is-here.ttl", "<#a> <#b> 1.");
    await share(ana, "before/", { [ben.webid]: "acl:Read" });
    const { receiveFrom } = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}before/`);
    expect(await refusalOf(`${receiveFrom}?after=${old}`)).to.equal(400);
    const events = await subscribe(ben.fetch, ana.pod, "EventSourceChannel2023", `${ana.pod}before/`);
    expect((await fetch(events.receiveFrom, { headers: { "last-event-id": String(old) } })).status).to.equal(
      400,
    );
    const ear = await listen(`${receiveFrom}?after=${await headOf(server, "ana")}`);
    await put(ana, "before/new.ttl", "<#a> <#b> 1.");
    await until("what is new", () => ear.notes.length > 0);
    expect(ear.notes[0]?.object).to.equal(`${ana.pod}before/new.ttl`);
    await ear.close();
  });

  it("nor what came and went while access was taken away: only that there was something", async () => {
    await put(ana, "lost/open.ttl", "<#a> <#b> 1.");
    await share(ana, "lost/", { [ben.webid]: "acl:Read" });
    const folder = `${ana.pod}lost/`;
    const plain = await subscribe(ben.fetch, ana.pod, TYPE, folder);
    const deep = await subscribe(ben.fetch, ana.pod, TYPE, folder, { [SUBTREE]: true });
    await share(ana, "lost/", {});
    await put(ana, "lost/secret-name.ttl", "<#a> <#b> 1.");
    await remove(ana, "lost/secret-name.ttl");
    await sleep(5);
    await share(ana, "lost/", { [ben.webid]: "acl:Read" });
    await sleep(5);
    await remove(ana, "lost/open.ttl");
    for (const { receiveFrom } of [plain, deep]) {
      const ear = await listen(receiveFrom);
      await until("all", () => ear.notes.length === 3);
      expect(ear.notes.map(({ type, object }) => [type, object])).to.deep.equal([
        ["Update", folder],
        ["Update", folder],
        ["Remove", `${folder}open.ttl`],
      ]);
      await ear.close();
    }
  });

  it("who was away for longer than is kept count of reads anew (replayEntriesMax)", async () => {
    await put(ana, "long.ttl", "<#a> <#b> 1.");
    const events = await subscribe(ana.fetch, ana.pod, "EventSourceChannel2023", `${ana.pod}long.ttl`);
    for (let round = 0; round < 61; round++) await put(ana, "other.ttl", `<#a> <#b> 1${round}.`);
    expect((await fetch(events.receiveFrom)).status).to.equal(400);
    const head = await headOf(server, "ana");
    expect(
      (await fetch(events.receiveFrom, { headers: { "last-event-id": String(head - 61) } })).status,
    ).to.equal(400);
    const late = await stream(fetch, events.receiveFrom, { "last-event-id": String(head - 60) });
    expect(late.response.status).to.equal(200);
    await late.leave();
  });

  it("who leaves a group is told nothing more, though no rule has changed", async () => {
    const group = (members: string) =>
      `@prefix vcard: <http://www.w3.org/2006/vcard/ns#>. <#g> a vcard:Group${members}.`;
    await put(ana, "group.ttl", group(`; vcard:hasMember <${ben.webid}>`));
    await put(ana, "club/x.ttl", "<#a> <#b> 1.");
    await put(
      ana,
      "club/.acl",
      `@prefix acl: <http://www.w3.org/ns/auth/acl#>.
       <#o> a acl:Authorization; acl:agent <${ana.webid}>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read, acl:Write, acl:Control.
       <#g> a acl:Authorization; acl:agentGroup <${ana.pod}group.ttl#g>; acl:accessTo <./>; acl:default <./>; acl:mode acl:Read.`,
    );
    const { receiveFrom } = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}club/x.ttl`);
    const ear = await listen(receiveFrom);
    await put(ana, "club/x.ttl", "<#a> <#b> 2.");
    await until("a message", () => ear.notes.length === 1);
    await put(ana, "group.ttl", group(""));
    await put(ana, "club/x.ttl", "<#a> <#b> 3.");
    await until("the end", () => ear.closed !== null);
    expect(ear.closed?.code).to.equal(1008);
    expect(ear.notes).to.have.length(1);
  });

  it("an open channel is closed soon after its subscriber left a group, though nothing else happens", async () => {
    await put(
      ana,
      "group.ttl",
      `@prefix vcard: <http://www.w3.org/2006/vcard/ns#>. <#g> a vcard:Group; vcard:hasMember <${ben.webid}>.`,
    );
    const { receiveFrom } = await subscribe(ben.fetch, ana.pod, TYPE, `${ana.pod}club/x.ttl`);
    const ear = await listen(receiveFrom);
    await put(ana, "group.ttl", "@prefix vcard: <http://www.w3.org/2006/vcard/ns#>. <#g> a vcard:Group.");
    await until("the end", () => ear.closed !== null, 3_000);
    expect(ear.closed?.code).to.equal(1008);
    expect(ear.notes).to.deep.equal([]);
  });
});
