import { FreeholdError, openPod, type Pod } from "@freehold/client";
import { login } from "@freehold/client/node";
import {
  buildThing,
  createSolidDataset,
  createThing,
  getStringNoLocale,
  getThing,
  type SolidDataset,
  setStringNoLocale,
  setThing,
} from "@inrupt/solid-client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const NAME = "http://xmlns.com/foaf/0.1/name";

const note = (text: string): SolidDataset =>
  setThing(
    createSolidDataset(),
    buildThing(createThing({ name: "it" }))
      .addStringNoLocale(NAME, text)
      .build(),
  );

const textOf = (dataset: SolidDataset, url: string): string | null => {
  const thing = getThing(dataset, `${url}#it`);
  return thing && getStringNoLocale(thing, NAME);
};

describe("@freehold/client", () => {
  let server: TestServer;
  let ana: Person;
  let bea: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer();
    [ana, bea] = [await server.person("Ana"), await server.person("Bea")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
  });
  after(() => server.close());

  describe("openPod", () => {
    it("finds the same pod by its address, a document in it, its owner's WebID, and the passport", async () => {
      const options = { fetch: ana.fetch, resolvers: [server.baseUrl] };
      for (const where of [
        ana.pod,
        `${ana.pod}profile/card`,
        `${ana.pod}nothing/here/`,
        ana.webid,
        ana.passport,
        `did:dcann:${ana.passport.toUpperCase()}`,
      ]) {
        const found = await openPod(where, options);
        expect([found.url, found.sparql, found.owner], where).to.deep.equal([
          ana.pod,
          `${ana.pod}sparql`,
          ana.webid,
        ]);
      }
    });

    it("finds it for a stranger too, who may read nothing in it", async () => {
      const found = await openPod(ana.webid, { fetch: bea.fetch });
      expect(found.url).to.equal(ana.pod);
      expect(await codeOf(found.list(""))).to.equal("forbidden");
    });

    const wrong: readonly (readonly [string, string, string])[] = [
      ["nonsense", "input-invalid", "not an address"],
      ["ftp://example.org/", "input-invalid", "another protocol"],
      ["dpzz1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "input-invalid", "a mistyped passport"],
    ];
    for (const [where, code, name] of wrong) {
      it(`says ${code} to ${name}`, async () => {
        expect(await codeOf(openPod(where, { resolvers: [server.baseUrl] }))).to.equal(code);
      });
    }

    it("says pod-unknown where there is none, and unreachable where there is no server", async () => {
      expect(await codeOf(openPod(server.baseUrl))).to.equal("pod-unknown");
      expect(await codeOf(openPod(`${ana.pod}profile/card#somebody-else`))).to.equal("pod-unknown");
      expect(await codeOf(openPod("http://localhost:1/ana/"))).to.equal("unreachable");
    });

    it("sends nothing to a place outside the pod", async () => {
      const strict = await openPod(ana.pod, { fetch: ana.fetch });
      const guarded: Pod = { ...strict };
      for (const path of [
        bea.pod,
        "../bea/",
        "https://stranger.example/",
        "//stranger.example/",
        "/../bea/",
      ]) {
        expect(() => guarded.at(path), path).to.throw(FreeholdError);
      }
      expect(guarded.at("notes/a.ttl")).to.equal(`${ana.pod}notes/a.ttl`);
      expect(guarded.at("/notes/a.ttl")).to.equal(`${ana.pod}notes/a.ttl`);
      expect(guarded.at(`${ana.pod}notes/a.ttl`)).to.equal(`${ana.pod}notes/a.ttl`);
    });
  });

  describe("documents and folders", () => {
    it("writes, reads, lists and deletes", async () => {
      const url = pod.at("notes/today.ttl");
      await pod.write("notes/today.ttl", note("Buy milk"));
      expect(textOf(await pod.read("notes/today.ttl"), url)).to.equal("Buy milk");
      expect(await pod.list("notes/")).to.deep.equal([url]);
      await pod.delete("notes/today.ttl");
      expect(await pod.list("notes/")).to.deep.equal([]);
      await pod.delete("notes/");
      expect(await codeOf(pod.read("notes/today.ttl"))).to.equal("not-found");
    });

    it("saves a document that was read as changes, and tells when somebody else was faster", async () => {
      await pod.write("shared.ttl", note("first"));
      const url = pod.at("shared.ttl");
      const [mine, theirs] = [await pod.read("shared.ttl"), await pod.read("shared.ttl")];
      const change = (dataset: SolidDataset, text: string) =>
        setThing(dataset, setStringNoLocale(getThing(dataset, `${url}#it`)!, NAME, text));
      await pod.write("shared.ttl", change(mine, "second"));
      expect(await codeOf(pod.write("shared.ttl", change(theirs, "third")))).to.equal("precondition-failed");
      expect(textOf(await pod.read("shared.ttl"), url)).to.equal("second");
      expect(await codeOf(pod.write("shared.ttl", note("fourth")))).to.equal("precondition-failed");
      const saved = await pod.write("shared.ttl", change(await pod.read("shared.ttl"), "fifth"));
      await pod.write("shared.ttl", change(saved, "sixth"));
      expect(textOf(await pod.read("shared.ttl"), url)).to.equal("sixth");
    });

    it("keeps the bytes of any file", async () => {
      const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256);
      await pod.writeFile("photos/me.png", bytes, "image/png");
      const blob = await pod.readFile("photos/me.png");
      expect(blob.type).to.equal("image/png");
      expect(new Uint8Array(await blob.arrayBuffer())).to.deep.equal(bytes);
    });

    it("gives the server's reason, not only its status", async () => {
      const error = await pod
        .writeFile("broken.ttl", "<a> <b> .", "text/turtle")
        .catch((reason: unknown) => reason as FreeholdError);
      expect(error).to.be.instanceOf(FreeholdError);
      expect(error).to.include({ code: "rdf-invalid", status: 400 });
      expect(error!.errors[0]?.at).to.match(/^1:/);
      expect(error!.next).to.contain("Nothing was stored");
      expect(await codeOf(pod.delete("photos/"))).to.equal("container-not-empty");
      expect(
        await codeOf(
          openPod(ana.pod, { fetch: bea.fetch }).then((theirs) => theirs.write("x.ttl", note("x"))),
        ),
      ).to.equal("forbidden");
      expect(await codeOf(openPod(ana.pod).then((theirs) => theirs.read("shared.ttl")))).to.equal(
        "login-required",
      );
    });
  });

  describe("login", () => {
    it("logs in with client credentials and asks as that person", async () => {
      const session = await login({
        issuer: server.baseUrl,
        clientId: ana.credentials.id,
        clientSecret: ana.credentials.secret,
      });
      expect(session.webid).to.equal(ana.webid);
      const own = await openPod(ana.pod, { fetch: session.fetch });
      expect(await own.list("settings/")).to.include(`${ana.pod}settings/prefs.ttl`);
      await session.logout();
    });

    it("says login-failed to a wrong secret, an unknown client, and no issuer at all", async () => {
      const { id, secret } = ana.credentials;
      expect(
        await codeOf(login({ issuer: server.baseUrl, clientId: id, clientSecret: `${secret}x` })),
      ).to.equal("login-failed");
      expect(
        await codeOf(login({ issuer: server.baseUrl, clientId: "nobody", clientSecret: secret })),
      ).to.equal("login-failed");
      expect(
        await codeOf(login({ issuer: "http://localhost:1/", clientId: id, clientSecret: secret })),
      ).to.equal("login-failed");
    });

    it("logs in again when the login has run out, once for all who ask meanwhile", async () => {
      const brief = await startServer({ FREEHOLD_LIMITS: "credentialTokenMsMax=1000" });
      try {
        const cem = await brief.person("Cem");
        const { id, secret } = cem.credentials;
        const session = await login({ issuer: brief.baseUrl, clientId: id, clientSecret: secret });
        await new Promise((done) => setTimeout(done, 1_500));
        expect((await cem.fetch(`${cem.pod}settings/`)).status).to.equal(401);
        const tokens = () =>
          brief.log.filter((line) => line.includes("token") && line.includes("POST")).length;
        const before = tokens();
        const answers = await Promise.all([1, 2, 3].map(() => session.fetch(`${cem.pod}settings/`)));
        expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
        expect(tokens() - before).to.be.at.most(1);
      } finally {
        await brief.close();
      }
    });
  });
});
