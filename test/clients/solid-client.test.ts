/**
 * Applications that know nothing of this server: @inrupt/solid-client with a session of @inrupt/solid-client-authn-node.
 * Long because it takes that library's functions one by one; where the two disagree, the test says who is right.
 */
import {
  buildThing,
  createContainerAt,
  createContainerInContainer,
  createSolidDataset,
  createThing,
  deleteContainer,
  deleteFile,
  deleteSolidDataset,
  FetchError,
  getBoolean,
  getContainedResourceUrlAll,
  getContentType,
  getDate,
  getDatetime,
  getDecimal,
  getEffectiveAccess,
  getFile,
  getInteger,
  getIri,
  getJsonLdParser,
  getLinkedResourceUrlAll,
  getPodOwner,
  getPodUrlAll,
  getProfileAll,
  getResourceInfo,
  getSolidDataset,
  getSourceUrl,
  getStringNoLocale,
  getStringNoLocaleAll,
  getStringWithLocale,
  getThing,
  getThingAll,
  getTime,
  getUrlAll,
  getWebIdDataset,
  getWellKnownSolid,
  hasAccessibleAcl,
  isContainer,
  isRawData,
  overwriteFile,
  removeThing,
  type SolidDataset,
  saveFileInContainer,
  saveSolidDatasetAt,
  saveSolidDatasetInContainer,
  setStringNoLocale,
  setThing,
  validateContainedResourceAll,
  type WithResourceInfo,
} from "@inrupt/solid-client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type Client, NAME, note, openSession, SCHEMA, statusOf, textOf, thingOf } from "./session.ts";

describe("@inrupt/solid-client", () => {
  let server: TestServer;
  let [ana, ben]: Person[] = [];
  let [own, bens]: Client[] = [];
  const at = (path: string): string => `${ana!.pod}${path}`;
  const rename = <T extends SolidDataset & WithResourceInfo>(dataset: T, text: string): T =>
    setThing(dataset, setStringNoLocale(thingOf(dataset, `${getSourceUrl(dataset)}#it`), NAME, text));

  before(async () => {
    server = await startServer();
    [ana, ben] = [await server.person("Ana"), await server.person("Ben")];
    [own, bens] = [await openSession(server, ana), await openSession(server, ben)];
  });
  after(() => server.close());

  describe("a session", () => {
    it("knows whose it is", () => {
      expect(own!.session.info).to.include({ isLoggedIn: true, webId: ana!.webid });
    });

    it("is refused to a wrong secret", async () => {
      const credentials = { ...ana!.credentials, secret: "wrong" };
      const refused = await openSession(server, { ...ana!, credentials }).catch((error: Error) => error);
      expect(refused).to.be.instanceOf(Error);
    });

    it("asks fifty things at once, each with a proof of its own", async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => own!.session.fetch(at("settings/prefs.ttl"))),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 50 }, () => 200));
    });

    it("follows the redirect to a folder's slash, and has an address with a query", async () => {
      const redirected = await own!.session.fetch(at("settings"));
      expect([redirected.status, redirected.url]).to.deep.equal([200, at("settings/")]);
      expect((await own!.session.fetch(`${at("settings/prefs.ttl")}?a=%20b&c`)).status).to.equal(200);
    });

    it("is nobody's after logging out", async () => {
      const { session } = await openSession(server, ana!);
      await session.logout();
      expect((await session.fetch(at("settings/prefs.ttl"))).status).to.equal(401);
    });
  });

  describe("datasets", () => {
    it("keep every kind of value", async () => {
      const [moment, day] = [new Date("2026-03-01T12:30:15.250Z"), new Date(Date.UTC(2026, 2, 1, 12))]; // That library means noon by a day.;
      const thing = buildThing(createThing({ name: "it" }))
        .addStringNoLocale(NAME, 'Zürich "quoted"\n\\ 日本 🎉')
        .addStringWithLocale(NAME, "Zurigo", "it-CH")
        .addInteger(`${SCHEMA}position`, -7)
        .addDecimal(`${SCHEMA}price`, 12.45)
        .addBoolean(`${SCHEMA}isFamilyFriendly`, true)
        .addDatetime(`${SCHEMA}dateCreated`, moment)
        .addDate(`${SCHEMA}birthDate`, day)
        .addTime(`${SCHEMA}opens`, { hour: 8, minute: 30, second: 5 })
        .addUrl(`${SCHEMA}url`, "https://example.org/a?b=c#d")
        .addUrl(`${SCHEMA}sameAs`, at("values.ttl#other"))
        .build();
      await saveSolidDatasetAt(at("values.ttl"), setThing(createSolidDataset(), thing), own!.as);
      const read = thingOf(await getSolidDataset(at("values.ttl"), own!.as), at("values.ttl#it"));
      expect([
        getStringNoLocale(read, NAME),
        getStringWithLocale(read, NAME, "it-CH"),
        getInteger(read, `${SCHEMA}position`),
        getDecimal(read, `${SCHEMA}price`),
        getBoolean(read, `${SCHEMA}isFamilyFriendly`),
        getDatetime(read, `${SCHEMA}dateCreated`)?.toISOString(),
        getDate(read, `${SCHEMA}birthDate`)?.toISOString(),
        getTime(read, `${SCHEMA}opens`),
        getIri(read, `${SCHEMA}url`),
        getIri(read, `${SCHEMA}sameAs`),
      ]).to.deep.equal([
        'Zürich "quoted"\n\\ 日本 🎉',
        "Zurigo",
        -7,
        12.45,
        true,
        moment.toISOString(),
        day.toISOString(),
        { hour: 8, minute: 30, second: 5 },
        "https://example.org/a?b=c#d",
        at("values.ttl#other"),
      ]);
    });

    it("fetched and changed are saved as changes: what others wrote meanwhile stays", async () => {
      await saveSolidDatasetAt(at("shared.ttl"), note("first"), own!.as);
      const [mine, theirs] = [
        await getSolidDataset(at("shared.ttl"), own!.as),
        await getSolidDataset(at("shared.ttl"), own!.as),
      ];
      const added = buildThing(createThing({ url: at("shared.ttl#added") })).addStringNoLocale(
        NAME,
        "theirs",
      );
      await saveSolidDatasetAt(at("shared.ttl"), setThing(theirs, added.build()), own!.as);
      await saveSolidDatasetAt(at("shared.ttl"), rename(mine, "second"), own!.as);
      const after = await getSolidDataset(at("shared.ttl"), own!.as);
      expect(textOf(after)).to.equal("second");
      expect(getStringNoLocale(thingOf(after, at("shared.ttl#added")), NAME)).to.equal("theirs");
    });

    it("that somebody else changed in the same place lose nothing: both values are there", async () => {
      // What is to be deleted and is not there has no effect. https://www.w3.org/TR/sparql11-update/#deleteData
      await saveSolidDatasetAt(at("raced.ttl"), note("first"), own!.as);
      const [mine, theirs] = [
        await getSolidDataset(at("raced.ttl"), own!.as),
        await getSolidDataset(at("raced.ttl"), own!.as),
      ];
      await saveSolidDatasetAt(at("raced.ttl"), rename(theirs, "theirs"), own!.as);
      await saveSolidDatasetAt(at("raced.ttl"), rename(mine, "mine"), own!.as);
      const after = await getSolidDataset(at("raced.ttl"), own!.as);
      expect(getStringNoLocaleAll(thingOf(after, at("raced.ttl#it")), NAME)).to.have.members([
        "mine",
        "theirs",
      ]);
    });

    it("lose a thing that is removed, and keep the blank nodes of others", async () => {
      const turtle = `<#it> <${NAME}> "stays"; <${SCHEMA}address> [ <${NAME}> "Main Street" ]. <#gone> <${NAME}> "goes".`;
      await overwriteFile(at("blank.ttl"), new Blob([turtle], { type: "text/turtle" }), own!.as);
      const dataset = await getSolidDataset(at("blank.ttl"), own!.as);
      await saveSolidDatasetAt(at("blank.ttl"), removeThing(dataset, at("blank.ttl#gone")), own!.as);
      const text = await (await getFile(at("blank.ttl"), own!.as)).text();
      expect(text).to.include("Main Street").and.include("stays").and.not.include("goes");
    });

    it("that are new do not go over what is there: 412", async () => {
      await saveSolidDatasetAt(at("new.ttl"), note("first"), own!.as);
      expect(await statusOf(saveSolidDatasetAt(at("new.ttl"), note("second"), own!.as))).to.equal(412);
      expect(textOf(await getSolidDataset(at("new.ttl"), own!.as))).to.equal("first");
    });

    it("go into a folder under a suggested name, or one that the server finds", async () => {
      await createContainerAt(at("notes/"), own!.as);
      const first = await saveSolidDatasetInContainer(at("notes/"), note("first"), {
        slugSuggestion: "today.ttl",
        ...own!.as,
      });
      expect(getSourceUrl(first)).to.equal(at("notes/today.ttl"));
      const second = await saveSolidDatasetInContainer(at("notes/"), note("second"), own!.as);
      expect(textOf(await getSolidDataset(getSourceUrl(second), own!.as))).to.equal("second");
      await deleteSolidDataset(first, own!.as);
      await deleteSolidDataset(getSourceUrl(second), own!.as);
      expect(getContainedResourceUrlAll(await getSolidDataset(at("notes/"), own!.as))).to.deep.equal([]);
    });

    it("saved by two at once in an empty pod make their folders once", async () => {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          saveSolidDatasetAt(at(`made/by/many/${index}.ttl`), note(String(index)), own!.as),
        ),
      );
      const folder = await getSolidDataset(at("made/by/many/"), own!.as);
      expect(getContainedResourceUrlAll(folder)).to.have.length(10);
      expect(getContainedResourceUrlAll(await getSolidDataset(at("made/by/"), own!.as))).to.deep.equal([
        at("made/by/many/"),
      ]);
    });
  });

  describe("JSON-LD", () => {
    const parsers = { "application/ld+json": getJsonLdParser() };

    it("is what a Turtle document is, too", async () => {
      await saveSolidDatasetAt(at("both.ttl"), note("one"), own!.as);
      const read = await getSolidDataset(at("both.ttl"), { ...own!.as, parsers });
      expect(getContentType(read)).to.match(/^application\/ld\+json/);
      expect(textOf(read)).to.equal("one");
    });

    it("that was written can be read as Turtle, patched, and stays JSON-LD", async () => {
      const json = JSON.stringify({ "@id": "#it", [NAME]: "one" });
      await overwriteFile(at("own.jsonld"), new Blob([json], { type: "application/ld+json" }), own!.as);
      expect(await (await getFile(at("own.jsonld"), own!.as)).text()).to.equal(json);
      const dataset = await getSolidDataset(at("own.jsonld"), own!.as);
      expect(textOf(dataset)).to.equal("one");
      await saveSolidDatasetAt(at("own.jsonld"), rename(dataset, "two"), own!.as);
      const file = await getFile(at("own.jsonld"), own!.as);
      expect(file.type).to.match(/^application\/ld\+json/);
      expect(await file.text())
        .to.include("two")
        .and.not.include("one");
      expect(textOf(await getSolidDataset(at("own.jsonld"), { ...own!.as, parsers }))).to.equal("two");
    });

    it("is refused when it wants a context from elsewhere", async () => {
      const json = JSON.stringify({ "@context": "https://elsewhere.example/context", name: "x" });
      const blob = new Blob([json], { type: "application/ld+json" });
      expect(await statusOf(overwriteFile(at("foreign.jsonld"), blob, own!.as))).to.equal(422);
    });
  });

  describe("containers", () => {
    it("are created at an address, once, with what is said about them", async () => {
      const initialContent = setThing(
        createSolidDataset(),
        buildThing(createThing({ url: at("album/") }))
          .addStringNoLocale(`${SCHEMA}description`, "Summer")
          .build(),
      );
      await createContainerAt(at("album/"), { initialContent, ...own!.as });
      const listing = await getSolidDataset(at("album/"), own!.as);
      expect(isContainer(listing)).to.equal(true);
      expect(await statusOf(createContainerAt(at("album/"), own!.as))).to.equal(412);
      const [meta] = getLinkedResourceUrlAll(listing)["describedby"] ?? [];
      const description = await getSolidDataset(meta!, own!.as);
      expect(getStringNoLocale(thingOf(description, at("album/")), `${SCHEMA}description`)).to.equal(
        "Summer",
      );
    });

    it("are created in a container, under a suggested name or another", async () => {
      const first = await createContainerInContainer(at("album/"), { slugSuggestion: "june", ...own!.as });
      expect(getSourceUrl(first)).to.equal(at("album/june/"));
      const second = await createContainerInContainer(at("album/"), { slugSuggestion: "june", ...own!.as });
      expect(getSourceUrl(second)).to.match(/\/album\/june-[^/]+\/$/);
      const third = await createContainerInContainer(at("album/"), own!.as);
      const listing = await getSolidDataset(at("album/"), own!.as);
      expect(getContainedResourceUrlAll(listing)).to.have.members([first, second, third].map(getSourceUrl));
      expect(validateContainedResourceAll(listing)).to.deep.equal({
        isValid: true,
        invalidContainedResources: [],
      });
    });

    it("say of their members what they are", async () => {
      await overwriteFile(at("album/photo.png"), new Blob(["12345"], { type: "image/png" }), own!.as);
      const listing = await getSolidDataset(at("album/"), own!.as);
      const photo = thingOf(listing, at("album/photo.png"));
      const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
      expect(getInteger(photo, "http://www.w3.org/ns/posix/stat#size")).to.equal(5);
      expect(getDatetime(photo, "http://purl.org/dc/terms/modified")).to.be.instanceOf(Date);
      expect(getUrlAll(photo, TYPE)).to.include("http://www.w3.org/ns/ldp#Resource");
      expect(getUrlAll(thingOf(listing, at("album/june/")), TYPE)).to.include(
        "http://www.w3.org/ns/ldp#Container",
      );
    });

    it("that are not empty are not deleted, and say why in a problem document", async () => {
      const refused = await deleteContainer(at("album/"), own!.as).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(FetchError);
      const { statusCode, problemDetails } = refused as FetchError;
      expect(statusCode).to.equal(409);
      expect(problemDetails).to.include({ title: "The folder is not empty", status: 409 });
    });

    it("are deleted when they are empty", async () => {
      for (const url of getContainedResourceUrlAll(await getSolidDataset(at("album/"), own!.as)))
        await (isContainer(url) ? deleteContainer(url, own!.as) : deleteFile(url, own!.as));
      await deleteContainer(at("album/"), own!.as);
      expect(await statusOf(getSolidDataset(at("album/"), own!.as))).to.equal(404);
    });
  });

  describe("files", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);

    for (const [name, path] of [
      ["Sommer 2026.png", "files/Sommer%202026.png"],
      ["naïve café.png", "files/na%C3%AFve%20caf%C3%A9.png"],
      ["a+b&c=d#e?.png", "files/a+b&c=d%23e%3F.png"],
    ] as const) {
      it(`called ${name} are saved in a folder under that name, and come back unchanged`, async () => {
        await overwriteFile(at("files/keep"), new Blob(["x"], { type: "text/plain" }), own!.as);
        const file = new File([bytes], name, { type: "image/png" });
        const saved = await saveFileInContainer(at("files/"), file, own!.as);
        expect(getSourceUrl(saved)).to.equal(at(path));
        const read = await getFile(getSourceUrl(saved), own!.as);
        expect([read.type, isRawData(read), getContentType(read)]).to.deep.equal([
          "image/png",
          true,
          "image/png",
        ]);
        expect(Buffer.compare(Buffer.from(await read.arrayBuffer()), bytes)).to.equal(0);
        await deleteFile(saved, own!.as);
        expect(await statusOf(getFile(getSourceUrl(saved), own!.as))).to.equal(404);
      });
    }

    it("are overwritten, by others with a condition only if they have seen the last version", async () => {
      const blob = (text: string): Blob => new Blob([text], { type: "text/plain" });
      await overwriteFile(at("file.txt"), blob("first"), own!.as);
      const etag = (await own!.session.fetch(at("file.txt"), { method: "HEAD" })).headers.get("etag") ?? "";
      const careful = () => ({ ...own!.as, init: { headers: { "If-Match": etag } } });
      await overwriteFile(at("file.txt"), blob("second"), careful());
      expect(await statusOf(overwriteFile(at("file.txt"), blob("third"), careful()))).to.equal(412);
      expect(await statusOf(deleteFile(at("file.txt"), careful()))).to.equal(412);
      expect(await (await getFile(at("file.txt"), own!.as)).text()).to.equal("second");
    });

    it("unchanged are 304, also by their date, and in another format they are another version", async () => {
      const status = (headers: Record<string, string>, method = "GET") =>
        own!.session.fetch(at("both.ttl"), { method, headers }).then((response) => response.status);
      const turtle = await own!.session.fetch(at("both.ttl"), { headers: { accept: "text/turtle" } });
      const [etag, modified] = [turtle.headers.get("etag") ?? "", turtle.headers.get("last-modified") ?? ""];
      expect(await status({ accept: "text/turtle", "if-none-match": etag })).to.equal(304);
      expect(await status({ accept: "text/turtle", "if-none-match": `"x", W/${etag}` }, "HEAD")).to.equal(
        304,
      );
      expect(await status({ "if-none-match": "*" })).to.equal(304);
      expect(await status({ "if-modified-since": modified })).to.equal(304);
      expect(await status({ "if-modified-since": modified, "if-none-match": '"x"' })).to.equal(200);
      expect(await status({ accept: "application/ld+json", "if-none-match": etag })).to.equal(200);
    });

    it("come in parts", async () => {
      await overwriteFile(at("part.bin"), new Blob([bytes], { type: "image/png" }), own!.as);
      const part = await own!.session.fetch(at("part.bin"), { headers: { range: "bytes=5-9" } });
      expect(part.status).to.equal(206);
      expect([...new Uint8Array(await part.arrayBuffer())]).to.deep.equal([...bytes.subarray(5, 10)]);
    });
  });

  describe("what a resource says of itself", () => {
    it("is the same by HEAD: type, access list, storage description, owner", async () => {
      const info = await getResourceInfo(at("both.ttl"), own!.as);
      expect([
        getSourceUrl(info),
        getContentType(info),
        isRawData(info),
        hasAccessibleAcl(info),
      ]).to.deep.equal([at("both.ttl"), "text/turtle", false, true]);
      const links = getLinkedResourceUrlAll(await getResourceInfo(at(""), own!.as));
      expect(links["acl"]).to.deep.equal([at(".acl")]);
      expect(links["type"]).to.include("http://www.w3.org/ns/pim/space#Storage");
      expect(links["http://www.w3.org/ns/solid/terms#storageDescription"]).to.deep.equal([
        at(".well-known/solid"),
      ]);
      // The Protocol's relation is solid:owner; this library asks for one that only its makers' server has.
      expect(links["http://www.w3.org/ns/solid/terms#owner"]).to.deep.equal([ana!.webid]);
      expect(getPodOwner(await getResourceInfo(at(""), own!.as))).to.equal(null);
    });

    it("is whether the one who asks may read, append and write, and everybody", async () => {
      const mine = getEffectiveAccess(await getResourceInfo(ana!.webid, own!.as));
      expect(mine).to.deep.equal({
        user: { read: true, append: true, write: true },
        public: { read: true, append: false, write: false },
      });
      const theirs = getEffectiveAccess(await getSolidDataset(ana!.webid, bens!.as));
      expect(theirs.user).to.deep.equal({ read: true, append: false, write: false });
      const mayNot = await getResourceInfo(at("both.ttl"), { ...bens!.as, ignoreAuthenticationErrors: true });
      expect(getSourceUrl(mayNot)).to.equal(at("both.ttl"));
      const none = { read: false, append: false, write: false };
      expect(getEffectiveAccess(mayNot)).to.deep.equal({ user: none, public: none });
    });

    it("is nothing where there is nothing", async () => {
      expect(await statusOf(getResourceInfo(at("nothing"), own!.as))).to.equal(404);
      // But how it can be made is said there: clients ask before they do.
      const { headers } = await own!.session.fetch(at("nothing"));
      expect(headers.get("accept-patch")).to.include("text/n3").and.include("application/sparql-update");
      expect(headers.get("wac-allow")).to.include('user="read write');
      expect((await fetch(at("nothing"))).status).to.equal(401);
    });
  });

  describe("discovery", () => {
    it("leads from a WebID to the pod and the log-in service, without login", async () => {
      expect(await getPodUrlAll(ana!.webid)).to.deep.equal([ana!.pod]);
      const profile = thingOf(await getWebIdDataset(ana!.webid), ana!.webid);
      expect(getUrlAll(profile, "http://www.w3.org/ns/solid/terms#oidcIssuer")).to.deep.equal([
        server.baseUrl,
      ]);
    });

    it("reads the documents that continue the profile, for those who may", async () => {
      const { webIdProfile, altProfileAll } = await getProfileAll(ana!.webid, own!.as);
      expect(getThing(webIdProfile, ana!.webid)).to.not.equal(null);
      const preferences = altProfileAll.map((dataset) => getSourceUrl(dataset) ?? "");
      expect(preferences.every((url) => url.startsWith(ana!.pod))).to.equal(true);
      expect((await getProfileAll(ana!.webid, bens!.as)).altProfileAll.length).to.be.at.most(
        preferences.length,
      );
    });

    it("finds the server's own description at its origin", async () => {
      const things = getThingAll(await getWellKnownSolid(at("both.ttl")), { acceptBlankNodes: true });
      expect(
        things.flatMap((thing) => getUrlAll(thing, "http://www.w3.org/ns/solid/terms#oidcIssuer")),
      ).to.deep.equal([server.baseUrl]);
    });
  });
});
