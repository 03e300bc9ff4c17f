/** Who can see what, on the screen: by person, by app, by item; the pod as others see it; groups; and what keeps slips small. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { abilities } from "../../server/ui/parts/can.ts";
import { readGroup, writeGroup } from "../../server/ui/parts/groups.ts";
import type { AccessEntry } from "../../server/ui/parts/model.ts";
import { accessAt, openBelow } from "../../server/ui/rooms/sharing/effective.ts";
import { openBrowser } from "../account/client.ts";
import { DAY, draft, policy } from "../consent/grant-fixture.ts";
import { aclOf, setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { expectAccessible, JARGON, look, onScreen } from "./browser.ts";

const entry = (path: string, label: string, inherited = true): AccessEntry => ({
  who: { kind: "person", iri: `https://${label}.example/#me`, label },
  path,
  modes: ["read"],
  inherited,
  apps: [],
  members: null,
  card: false,
});

describe("who can see one place", () => {
  const entries = [entry("/ana/a/", "ben"), entry("/ana/a/b/", "cleo"), entry("/ana/a/x.txt", "dora", false)];
  const lists = ["/ana/", "/ana/a/", "/ana/a/b/", "/ana/a/b/own/", "/ana/a/x.txt"];
  const seen = (path: string, isAdding = false) =>
    accessAt(path, { entries, lists, isAdding }).map(({ entry: { who }, isDirect }) => [who.label, isDirect]);

  it("is by its own rules, or the nearest above it, and never by those farther away", () => {
    expect(seen("/ana/a/")).to.deep.equal([["ben", true]]);
    expect(seen("/ana/a/y.txt")).to.deep.equal([["ben", false]]);
    expect(seen("/ana/a/x.txt")).to.deep.equal([["dora", true]]);
    expect(seen("/ana/a/b/deep/z.txt")).to.deep.equal([["cleo", false]]);
    expect(seen("/ana/a/b/own/secret.txt"), "a list that lets in nobody but the owner").to.deep.equal([]);
    expect(seen("/ana/")).to.deep.equal([]);
  });

  it("adds up all above it where the server's rules do", () => {
    expect(seen("/ana/a/b/z.txt", true)).to.deep.equal([
      ["ben", false],
      ["cleo", false],
    ]);
  });

  it("is told of a folder with what is open inside", () => {
    expect(openBelow("/ana/a/", { entries })).to.equal(2);
    expect(openBelow("/ana/a/x.txt", { entries })).to.equal(0);
  });
});

describe("what an app can do, in words", () => {
  const folders = ["/ana/contacts/", "/ana/money/", "/ana/photos/"];
  it("names what it can and what it cannot, places first", () => {
    expect(abilities({ folders: ["/ana/photos/"], modes: ["read", "append"] }, folders)).to.deep.equal({
      can: ["see photos", "add to photos"],
      cannot: ["touch contacts and money", "change or delete anything", "decide who else may see it"],
    });
    expect(abilities({ folders: [], modes: [] }, folders).cannot).to.include("see anything");
    expect(abilities({ folders: null, modes: ["read", "write"] }, folders)).to.deep.equal({
      can: ["see everything that you can see", "add new things", "change and delete things there"],
      cannot: ["decide who else may see it"],
    });
  });
});

describe("a group's document", () => {
  const of = (text: string) => readGroup(text, "/ana/groups/x.ttl", "e");
  const VCARD = "http://www.w3.org/2006/vcard/ns#";
  const TYPE = `<https://a.example/x#g> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <${VCARD}Group> .`;

  it("is read with its name and people; what another app keeps in it shows", () => {
    const lines = `${TYPE}\n<https://a.example/x#g> <${VCARD}fn> "Nan \\"and\\" Pop" .\n<https://a.example/x#g> <${VCARD}hasMember> <https://b.example/#me> .`;
    expect(of(lines)).to.deep.include({
      name: 'Nan "and" Pop',
      members: ["https://b.example/#me"],
      isForeign: false,
    });
    expect(of(`${lines}\n<https://a.example/x#g> <${VCARD}note> "more" .`)?.isForeign).to.equal(true);
    expect(of("<https://a.example/x> <https://b.example/p> <https://c.example/> .")).to.equal(null);
  });

  it("cannot be broken out of by a name", () => {
    expect(writeGroup({ name: 'x". <#a> <#b> "', members: [] }, "g")).to.include(
      'vcard:fn "x\\". <#a> <#b> \\""',
    );
  });
});

describe("the pod with other eyes, where rules are policies", function () {
  this.timeout(30_000);
  it("is what the server lets them have, and what would be opened adds up from all folders above", async () => {
    const server = await startServer({ FREEHOLD_ACCESS: "acp" });
    try {
      const [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
      for (const name of ["photos/a.txt", "photos/deep/b.txt"])
        await write(ana, `${ana.pod}${name}`, "x", "text/plain");
      const browser = openBrowser(server);
      await browser.send("POST", "/.account/login", { pod: "ana", password: "a long password of Ana" });
      const as = `as=person&who=${encodeURIComponent(ben.webid)}`;
      const opens = async () =>
        (await browser.send("GET", `/.account/access/opens?${as}&path=/ana/photos/`)).body as object;
      const share = (path: string) =>
        browser.send("POST", "/.account/access/grant", {
          path,
          who: { kind: "person", iri: ben.webid },
          modes: ["read"],
        });
      expect(await opens()).to.deep.include({ files: 2, already: 0, apart: 0 });
      expect((await share("/ana/photos/deep/")).status).to.equal(200);
      expect(await opens()).to.deep.include({ files: 1, already: 1, apart: 0 });
      expect((await share("/ana/photos/")).status).to.equal(200);
      const { body } = await browser.send("GET", `/.account/access/preview?${as}&path=/ana/photos/`);
      const { modes, items } = body as {
        readonly modes: readonly string[];
        readonly items: readonly { readonly modes: readonly string[] }[];
      };
      expect([modes, ...items.map((item) => item.modes)]).to.deep.equal([["read"], ["read"], ["read"]]);
      expect((await ben.fetch(`${ana.pod}photos/deep/b.txt`)).status).to.equal(200);
    } finally {
      await server.close();
    }
  });
});

describe("sharing", function () {
  this.timeout(60_000);
  let server: TestServer;
  let page: Page;
  let ana: Person;
  let ben: Person;

  onScreen(async (screen) => {
    ({ server, page } = screen);
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    for (const name of ["photos/beach.txt", "photos/hill.txt", "photos/private/diary.txt", "letters/one.txt"])
      await write(ana, `${ana.pod}${name}`, "words", "text/plain");
    await setAccess(ana, `${ana.pod}photos/`, [{ to: ben.webid, modes: ["Read"] }]);
    await setAccess(ana, `${ana.pod}photos/private/`, []);
    await page.goto(server.baseUrl);
    await page.fill("input[name=pod]", "ana");
    await page.fill("input[name=password]", "a long password of Ana");
    await page.click("form button");
    await page.waitForSelector("text=can see your data");
  });

  const words = async (): Promise<string> => page.evaluate(() => document.body.innerText);
  const goTo = async (place: string, sign: string): Promise<void> => {
    await page.goto(`${server.baseUrl}#/${place}`);
    await page.waitForSelector(`text=${sign}`);
    expect(await words()).to.not.match(JARGON);
  };
  const statusFor = async (who: Person | null, path: string): Promise<number> =>
    (await (who ?? { fetch }).fetch(`${ana.pod}${path}`)).status;

  it("is shown by person, by app and by item, with the reason, and taken back with an undo", async () => {
    await goTo("sharing", "Whom you have named");
    expect(await words()).to.include("can see photos and all that is in it");
    await look(page, "sharing-people");
    await expectAccessible(page);
    await goTo("sharing/apps", "You have let in no app");
    await expectAccessible(page);
    await goTo("apps", "You have let in no app");
    await look(page, "apps-none");
    await expectAccessible(page);
    await goTo("sharing/items", "Who sees your whole pod");
    expect(await page.innerText("li:has-text('photos')")).to.include("1 person");
    await page.click("a:has-text('photos')");
    await page.waitForSelector("text=you shared just this");
    await page.click("a:has-text('beach.txt')");
    await page.waitForSelector("text=because you shared photos");
    await look(page, "sharing-items");
    await expectAccessible(page);
    expect(await page.innerText("li:has-text('private')"), "it has rules of its own").to.include("Only you");
    await page.click("a:has-text('private')");
    await page.waitForSelector("text=Nobody else");
    expect(await statusFor(ben, "photos/private/diary.txt")).to.equal(403);
    await goTo("sharing/items/photos/", "you shared just this");
    await page.click("text=Take back");
    await page.waitForSelector("text=Ben can no longer see photos");
    expect(await statusFor(ben, "photos/beach.txt")).to.equal(403);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone");
    expect(await statusFor(ben, "photos/beach.txt")).to.equal(200);
  });

  it("can be looked at with somebody else's eyes, who do not hear of it, and whose looks these are not", async () => {
    const pod = await server.context.pods.find("ana");
    if (!pod) throw new Error("There is no pod");
    await server.context.journal.flush();
    const before = await server.context.journal.length(pod);
    await goTo("sharing/as", "They cannot list this folder");
    await page.selectOption("select[name=as]", { label: "Ben" });
    await page.waitForSelector(".glass a:has-text('photos')");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).to.equal("as");
    await page.click(".glass .rows a:has-text('photos')");
    await page.waitForSelector("text=beach.txt");
    const shown = await page.innerText(".glass");
    expect(shown)
      .to.include("hill.txt")
      .and.include("1 more in this folder is hidden")
      .and.not.include("private");
    await look(page, "sharing-preview");
    await expectAccessible(page);
    await page.selectOption("select[name=as]", "public");
    await page.waitForSelector("text=They see nothing here");
    await page.goBack();
    await page.waitForSelector("text=beach.txt");
    await server.context.journal.flush();
    expect(await server.context.journal.length(pod)).to.equal(before);
  });

  it("says exactly how much would be opened, and asks before a slip that costs much", async () => {
    await goTo("sharing/items/photos/", "you shared just this");
    await page.click("text=Share it");
    await page.click("fh-share >> text=Everyone");
    await page.click("fh-share button.first");
    await page.waitForSelector("text=Open 2 files to everyone?");
    expect(await page.innerText("[role=alertdialog]"))
      .to.include("2 files that they cannot see now")
      .and.include("1 thing there with rules of its own stays")
      .and.include("Strangers and search engines");
    await look(page, "sharing-question");
    await expectAccessible(page);
    const sizes = await page.$$eval("[role=alertdialog] .pair button", (buttons) =>
      buttons.map((button) => `${button.clientWidth} ${button.clientHeight} ${button.className}`),
    );
    expect(new Set(sizes).size, "yes and no look the same").to.equal(1);
    await page.click("text=Leave it closed");
    await page.waitForSelector("text=Nothing was shared");
    expect(await statusFor(null, "photos/beach.txt")).to.equal(401);
    await page.click("fh-share button.first");
    await page.click("[role=alertdialog] >> text=Open it");
    await page.waitForSelector("text=Shared: photos");
    expect(await statusFor(null, "photos/beach.txt")).to.equal(200);
    expect(await statusFor(null, "photos/private/diary.txt")).to.equal(401);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone");
    expect(await statusFor(null, "photos/beach.txt")).to.equal(401);
  });

  it("works for groups: made, filled, shared with, emptied with an undo", async () => {
    await goTo("sharing/groups", "A new group");
    await page.fill("fh-groups input[name=name]", "Family");
    await page.click("text=Make it");
    await page.fill("fh-groups article input[name=address]", ben.webid);
    await page.click("text=Put on the list");
    await page.waitForSelector("text=1 person");
    await page.click("text=Share something with Family");
    await page.selectOption("fh-groups select[name=path]", "/ana/letters/");
    await page.click("fh-groups details button");
    await page.waitForSelector("text=Shared with Family: letters");
    expect(await statusFor(ben, "letters/one.txt")).to.equal(200);
    await look(page, "sharing-groups");
    await expectAccessible(page);
    await goTo("sharing/people", "Whoever is on a list");
    expect(await words())
      .to.include("family")
      .and.include("1 person on the list now");
    await goTo("sharing/groups", "A new group");
    await page.click("text=Take off");
    await page.waitForSelector("text=They are no longer in Family");
    expect(await statusFor(ben, "letters/one.txt")).to.equal(403);
    await page.click("text=Undo");
    await page.waitForSelector("text=Undone");
    expect(await statusFor(ben, "letters/one.txt")).to.equal(200);
    expect(await words()).to.not.match(JARGON);
  });

  it("shows what was given by a yes, and asks before what the owner called sensitive is opened", async () => {
    const { pods, store, consent } = server.context;
    const pod = await pods.find("ana");
    if (!pod) throw new Error("There is no pod");
    const given = policy({
      target: { kind: "container", values: ["/ana/letters/"] },
      notAfter: Date.now() + 30 * DAY,
    });
    await store.write(pod.id, (transaction) =>
      consent.grants.create(transaction, pod, draft([given]), { agent: ana.webid }),
    );
    const told = await ana.fetch(`${ana.pod}.consent/preferences`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        everybody: { level: 1, switches: [] },
        holds: { "/ana/letters/": ["https://w3id.org/dpv/pd#HealthRecord"] },
      }),
    });
    expect(told.status).to.be.oneOf([200, 204]);
    await goTo("sharing/people", "You said yes to this");
    expect(await page.innerText(".person:has-text('shop.example')"))
      .to.include("can see letters and all that is in it")
      .and.match(/for .*customer care/i);
    await goTo("sharing/items/letters/", "You said yes to this");
    await page.click("text=Share it");
    await page.fill("fh-share input[name=address]", ben.webid);
    await page.click("fh-share button.first");
    await page.waitForSelector("text=Open 1 file to this person?");
    expect(await page.innerText("[role=alertdialog]")).to.match(/You said that this holds health record/i);
    await page.keyboard.press("Escape");
    await page.waitForSelector("[role=alertdialog]", { state: "detached" });
    expect(await statusFor(ben, "letters/one.txt")).to.equal(403);
    await goTo("sharing/as", "They cannot list this folder");
    await page.selectOption("select[name=as]", { label: "shop.example" });
    await page.waitForSelector(".glass .rows a:has-text('letters')");
    await page.click(".glass .rows a:has-text('letters')");
    await page.waitForSelector(".glass >> text=one.txt");
  });

  it("tells nobody else: other accounts, no cookie, places of others; and decides as the server does", async () => {
    const cookieOf = async () =>
      (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const cookie = await cookieOf();
    const ask = async (path: string, headers: Record<string, string> = { cookie }) => {
      const response = await fetch(`${server.baseUrl}.account/access/${path}`, { headers });
      return { status: response.status, text: await response.text() };
    };
    const as = `as=person&who=${encodeURIComponent(ben.webid)}`;
    for (const door of ["preview", "opens"]) {
      expect((await ask(`${door}?as=public&path=/ana/`, {})).status, door).to.equal(401);
      expect((await ask(`${door}?as=public&path=/ben/`)).status, door).to.equal(404);
      expect((await ask(`${door}?as=public&path=/ana/nothing/`)).status, door).to.equal(404);
      expect((await ask(`${door}?as=public&path=/ana/../ben/`)).status, door).to.be.within(400, 404);
      for (const who of [
        "",
        "as=you",
        "as=person",
        "as=person&who=x",
        `as=person&who=${encodeURIComponent(ana.webid)}`,
      ])
        expect((await ask(`${door}?${who}&path=/ana/`)).status, `${door} ${who}`).to.equal(400);
    }
    const { items } = JSON.parse((await ask(`preview?${as}&path=/ana/photos/`)).text) as {
      items: readonly { path: string; modes: readonly string[] }[];
    };
    for (const { path, modes } of items) {
      const { status } = await ben.fetch(new URL(path, server.baseUrl).href);
      expect(status === 200, path).to.equal(modes.includes("read"));
    }
    const opens = JSON.parse((await ask(`opens?${as}&path=/ana/photos/`)).text) as object;
    expect(opens).to.deep.include({ files: 0, already: 2, apart: 1, cut: false, isWholePod: false });
    // A list that says "everybody signed in" is seen as one who is, and not by the public.
    const acl = aclOf(`${ana.pod}letters/`, [
      { to: ana.webid, modes: ["Read", "Write", "Control"] },
      { to: "signed-in", modes: ["Read"] },
    ]);
    await ana.fetch(`${ana.pod}letters/.acl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: acl,
    });
    expect((await ask("preview?as=signed-in&path=/ana/letters/")).text).to.include('"modes":["read"]');
    expect((await ask("preview?as=public&path=/ana/letters/")).text).to.not.include('"modes":["read"]');
  });
});
