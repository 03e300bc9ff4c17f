/** The owner's page: who can see what, giving access, taking it back, and undoing that. */
import { acl, foaf } from "@freehold/vocab";
import { expect } from "chai";
import { createAccess } from "../../server/access/authorize.ts";
import { labelOf, type Who } from "../../server/account/owner.ts";
import { parseTarget, parseWebId } from "../../server/iri.ts";
import { LIMITS } from "../../server/limits.ts";
import { type Mode, PUBLIC_AGENT } from "../../server/operation.ts";
import type { Pod } from "../../server/store/pods.ts";
import { type Harness, startHarness } from "../ui/harness.ts";
import { type Browser, setUp } from "./client.ts";

const BEN = "https://ben.example/profile/card#me";
const person = (iri: string) => ({ kind: "person", iri });

describe("the owner's page", () => {
  let harness: Harness;
  let ana: Browser;
  let pod: Pod;
  const bytes = new TextEncoder().encode("sunny");

  beforeEach(async () => {
    harness = await startHarness();
    ana = await setUp(harness, "Ana Lima", "ana");
    pod = (await harness.pods.find("ana"))!;
    await harness.write(pod, [
      { path: "/ana/photos/", contentType: "text/turtle", bytes: new Uint8Array() },
      { path: "/ana/photos/beach.txt", contentType: "text/plain", bytes },
      { path: "/ana/diary.txt", contentType: "text/plain", bytes },
    ]);
  });
  afterEach(() => harness.close());

  const post = async (path: string, body: unknown) => ana.send("POST", `/.account/access/${path}`, body);
  const overview = async () => (await ana.send("GET", "/.account/overview")).body;

  /** What the access layer itself says of somebody: the page must never claim anything else. */
  async function modesOf(
    webid: string | null,
    path: string,
    issuer: string | null = null,
  ): Promise<readonly Mode[]> {
    const access = createAccess({
      baseUrl: harness.baseUrl,
      pods: harness.pods,
      store: harness.store,
      limits: LIMITS,
      reachOf: async () => null,
    });
    const agent = webid === null ? PUBLIC_AGENT : { ...PUBLIC_AGENT, webid: parseWebId(webid), issuer };
    return harness.store.read(
      pod.id,
      async (snapshot) => (await access.permissions(snapshot, pod, agent, parseTarget(path))).user,
    );
  }

  it("of a new pod says that nobody can see anything but what is meant to be seen", async () => {
    const body = await overview();
    expect(body).to.deep.include({ people: 0, isPublic: false });
    expect(
      body.entries.map(({ path, card, who }: { path: string; card: boolean; who: Who }) => [
        path,
        card,
        who.kind,
      ]),
    ).to.have.deep.members([
      ["/ana/inbox/", true, "signed-in"],
      ["/ana/profile/card", true, "public"],
      ["/ana/settings/publicTypeIndex.ttl", true, "public"],
    ]);
    expect(body.items.map(({ name }: { name: string }) => name)).to.deep.equal([
      "inbox",
      "photos",
      "profile",
      "settings",
      "diary.txt",
    ]);
    expect(body.resources).to.be.above(6);
    expect(body.bytes).to.be.above(1_000);
  });

  it("shows a folder with names, sizes and kinds, and not what is beside it", async () => {
    const { body } = await ana.send("GET", "/.account/folder?path=%2Fana%2Fphotos%2F");
    expect(body.items).to.have.length(1);
    expect(body.items[0]).to.deep.include({
      name: "beach.txt",
      path: "/ana/photos/beach.txt",
      isFolder: false,
      bytes: 5,
      contentType: "text/plain",
    });
  });

  it("gives a person access to a folder with all that is in it, and to nothing else", async () => {
    expect(
      (await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read"] })).status,
    ).to.equal(200);
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal(["read"]);
    expect(await modesOf(BEN, "/ana/diary.txt")).to.deep.equal([]);
    expect(await modesOf(null, "/ana/photos/beach.txt")).to.deep.equal([]);
    expect(await modesOf(pod.owner, "/ana/photos/beach.txt")).to.include.members([
      "read",
      "write",
      "control",
    ]);
    const body = await overview();
    expect(body.people).to.equal(1);
    const entry = body.entries.find(({ who }: { who: Who }) => who.iri === BEN);
    expect(entry).to.deep.include({ path: "/ana/photos/", modes: ["read"], inherited: true });
    expect(entry.who.label).to.equal("ben.example");
  });

  it("takes it back with one request, and gives it again with one more", async () => {
    await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read", "append"] });
    const { body } = await post("revoke", { path: "/ana/photos/", who: person(BEN) });
    expect(body.places).to.equal(1);
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal([]);
    expect((await overview()).people).to.equal(0);
    expect((await post("undo", { undo: body.undo })).status).to.equal(200);
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal(["read", "append"]);
    expect((await post("undo", { undo: body.undo })).status).to.equal(409);
  });

  it("takes everything from somebody everywhere", async () => {
    for (const path of ["/ana/photos/", "/ana/diary.txt"])
      await post("grant", { path, who: person(BEN), modes: ["read"] });
    expect((await post("revoke", { who: person(BEN) })).body.places).to.equal(2);
    expect(await modesOf(BEN, "/ana/diary.txt")).to.deep.equal([]);
  });

  it("opens something to everyone and closes it again", async () => {
    await post("grant", { path: "/ana/diary.txt", who: { kind: "public" }, modes: ["read"] });
    expect(await modesOf(null, "/ana/diary.txt")).to.deep.equal(["read"]);
    expect((await overview()).isPublic).to.equal(true);
    await post("revoke", { path: "/ana/diary.txt", who: { kind: "public" } });
    expect(await modesOf(null, "/ana/diary.txt")).to.deep.equal([]);
    expect((await overview()).isPublic).to.equal(false);
  });

  it("a new decision about the same person replaces the one before", async () => {
    await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read", "write"] });
    await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read"] });
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal(["read"]);
    expect((await overview()).entries.filter(({ who }: { who: Who }) => who.iri === BEN)).to.have.length(1);
  });

  it("never lets an emptied list fall back to what the folder above allows", async () => {
    const only = `<#all> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${BEN}>; <http://www.w3.org/ns/auth/acl#accessTo> <diary.txt>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>.`;
    await harness.write(pod, [{ path: "/ana/diary.txt", contentType: "text/plain", bytes, acl: only }]);
    await post("grant", { path: "/ana/", who: { kind: "signed-in" }, modes: ["read"] });
    await post("revoke", { path: "/ana/diary.txt", who: person(BEN) });
    expect(await modesOf(BEN, "/ana/diary.txt")).to.deep.equal([]);
    expect(await modesOf(pod.owner, "/ana/diary.txt")).to.include.members(["read", "write", "control"]);
  });

  it("does not undo over what somebody has written since", async () => {
    const { body } = await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read"] });
    await post("grant", { path: "/ana/photos/", who: { kind: "public" }, modes: ["read"] });
    expect((await post("undo", { undo: body.undo })).status).to.equal(409);
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal(["read"]);
  });

  it("takes back from one what others keep, though their rules share a condition", async () => {
    const rule = (who: string): string =>
      `[] a <${acl.Authorization}>; <${acl.agent}> <${who}>; <${acl.accessTo}> <./>; <${acl.default}> <./>;
        <${acl.mode}> <${acl.Read}>; <${acl.condition}> _:c .`;
    const condition = `_:c a <http://www.w3.org/ns/auth/acl#IssuerCondition>; <http://www.w3.org/ns/auth/acl#issuerClass> <${foaf.Agent}> .`;
    const cleo = "https://cleo.example/#me";
    await harness.write(pod, [
      {
        path: "/ana/photos/",
        contentType: "text/turtle",
        bytes: new Uint8Array(),
        acl: `${rule(BEN)} ${rule(cleo)} ${condition}`,
      },
    ]);
    const issuer = "https://login.example/";
    expect(await modesOf(cleo, "/ana/photos/beach.txt", issuer)).to.deep.equal(["read"]);
    expect((await post("revoke", { who: person(BEN), path: "/ana/photos/" })).status).to.equal(200);
    expect(await modesOf(BEN, "/ana/photos/beach.txt", issuer)).to.deep.equal([]);
    expect(await modesOf(cleo, "/ana/photos/beach.txt", issuer)).to.deep.equal(["read"]);
  });

  it("undoes for ten minutes, and only for who did it", async () => {
    const { undo } = (await post("grant", { path: "/ana/photos/", who: person(BEN), modes: ["read"] })).body;
    const ben = await setUp(harness, "Ben", "ben");
    expect((await ben.send("POST", "/.account/access/undo", { undo })).status).to.equal(409);
    harness.pass(10 * 60_000);
    expect((await post("undo", { undo })).status).to.equal(409);
    expect(await modesOf(BEN, "/ana/photos/beach.txt")).to.deep.equal(["read"]);
  });

  for (const [sentence, body] of [
    ["nobody", { path: "/ana/photos/", modes: ["read"] }],
    ["a mailbox", { path: "/ana/photos/", who: person("mailto:ben@example.org"), modes: ["read"] }],
    [
      "an address that ends a rule early",
      { path: "/ana/photos/", who: person("https://ben.example/> . <#x"), modes: ["read"] },
    ],
    ["no mode", { path: "/ana/photos/", who: person(BEN), modes: [] }],
    ["an unknown mode", { path: "/ana/photos/", who: person(BEN), modes: ["admin"] }],
  ] as const) {
    it(`refuses to share with ${sentence}`, async () => {
      expect((await post("grant", body)).status).to.equal(400);
      expect((await overview()).people).to.equal(0);
    });
  }

  it("refuses to share with the owner, or what is not there", async () => {
    expect(
      (await post("grant", { path: "/ana/photos/", who: person(pod.owner), modes: ["read"] })).status,
    ).to.equal(400);
    expect(
      (await post("grant", { path: "/ana/none.txt", who: person(BEN), modes: ["read"] })).status,
    ).to.equal(404);
  });

  it("calls people by the name of their account, else by what tells them apart", async () => {
    const label = (iri: string) =>
      labelOf({ kind: "person", iri }, new Map([["https://pods.example/cleo/profile/card#me", "Cleo"]]));
    expect(label("https://pods.example/cleo/profile/card#me")).to.equal("Cleo");
    expect(label("https://pods.example/dan/profile/card#me")).to.equal("dan (pods.example)");
    expect(label("https://eve.example/#me")).to.equal("eve.example");
    expect(labelOf({ kind: "public", iri: null }, new Map())).to.equal("Everyone");
  });

  for (const [what, path] of [
    ["escapes that are no text", "%zz/profile/card"],
    ["letters that turn the line around", "%E2%80%AEana/profile/card"],
    ["a line break", "ana%0AEveryone/profile/card"],
  ] as const) {
    it(`shows the host of an address with ${what}, and the page stays whole`, async () => {
      const iri = `https://odd.example/${path}#me`;
      expect(
        (await post("grant", { path: "/ana/photos/", who: person(iri), modes: ["read"] })).status,
      ).to.equal(200);
      const { entries } = await overview();
      expect(entries.find(({ who }: { who: Who }) => who.iri === iri).who.label).to.equal("odd.example");
    });
  }
});
