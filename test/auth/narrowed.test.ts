/** "Every app has root" ends here: what a person lets an app do holds at every door, and from one request to the next; long, for it is one server. */
import { expect } from "chai";
import { notesIn, stream, subscribe, until } from "../notify/support.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { type LetIn, letIn, sender, signIn } from "./app.ts";
import { type Browser, requestToken } from "./browser.ts";

const TURTLE = { "content-type": "text/turtle" };

describe("an app does what its person lets it do", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let browser: Browser;
  let place: (path: string) => string;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "registrationsPerIpMax=1000,authorizationsPerIpMax=1000" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    browser = await signIn(server, "Ana");
    place = (path) => `${ana.pod}${path}`;
    for (const path of ["notes/a.ttl", "notes/deep/b.ttl", "diary/secret.ttl", "notesbook/c.ttl"])
      await put(ana.fetch, place(path), "<#it> a <#Thing>.");
    await put(ana.fetch, place("open.ttl"), "<#it> a <#Open>.");
    await put(
      ana.fetch,
      place("open.ttl.acl"),
      `<#o> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${ana.webid}>; <http://www.w3.org/ns/auth/acl#accessTo> <open.ttl>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>, <http://www.w3.org/ns/auth/acl#Write>, <http://www.w3.org/ns/auth/acl#Control>.
      <#e> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agentClass> <http://xmlns.com/foaf/0.1/Agent>; <http://www.w3.org/ns/auth/acl#accessTo> <open.ttl>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>.`,
    );
    await put(ben.fetch, `${ben.pod}for-ana/x.ttl`, "<#it> a <#Shared>.");
    await put(
      ben.fetch,
      `${ben.pod}for-ana/.acl`,
      `<#o> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${ben.webid}>, <${ana.webid}>; <http://www.w3.org/ns/auth/acl#accessTo> <./>; <http://www.w3.org/ns/auth/acl#default> <./>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Read>, <http://www.w3.org/ns/auth/acl#Control>.`,
    );
  });
  after(() => server.close());

  async function put(send: Person["fetch"], url: string, body: string): Promise<void> {
    const answer = await send(url, { method: "PUT", headers: TURTLE, body });
    expect(answer.status, `${url} ${await answer.text()}`).to.be.oneOf([201, 204, 205, 200]);
  }

  const statusOf = async (app: LetIn, method: string, url: string, body?: string, headers = TURTLE) =>
    (await app.send(method, url, body, body === undefined ? {} : headers)).status;

  const asFetch =
    (app: LetIn): Person["fetch"] =>
    (url, { method = "GET", body, headers } = {}) =>
      app.send(
        method,
        url,
        typeof body === "string" ? body : undefined,
        Object.fromEntries(new Headers(headers)),
      );

  async function graphsFor(app: LetIn): Promise<readonly string[]> {
    const query = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }";
    const answer = await app.send("GET", `${place("sparql")}?query=${encodeURIComponent(query)}`);
    const found = (await answer.json()) as { results: { bindings: { g: { value: string } }[] } };
    return found.results.bindings.map(({ g }) => g.value.slice(ana.pod.length)).sort();
  }

  describe("let into one folder, to see and add", () => {
    let app: LetIn;
    before(async () => {
      app = await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["read", "append"] });
    });

    const cases: readonly (readonly [string, string, string, string | undefined, number])[] = [
      ["sees the folder", "GET", "notes/", undefined, 200],
      ["sees what is in it", "GET", "notes/a.ttl", undefined, 200],
      ["sees what is deep in it", "GET", "notes/deep/b.ttl", undefined, 200],
      ["adds to it", "POST", "notes/", "<#new> a <#Note>.", 201],
      ["does not write over it", "PUT", "notes/a.ttl", "<#it> a <#Changed>.", 403],
      ["does not delete from it", "DELETE", "notes/a.ttl", undefined, 403],
      ["does not see the list of the whole pod", "GET", "", undefined, 403],
      ["does not see another folder", "GET", "diary/", undefined, 403],
      ["nor what is in it", "GET", "diary/secret.ttl", undefined, 403],
      ["nor whether something is there", "GET", "diary/nothing.ttl", undefined, 403],
      ["nor by HEAD", "HEAD", "diary/secret.ttl", undefined, 403],
      ["a folder whose name begins alike is another", "GET", "notesbook/c.ttl", undefined, 403],
      ["climbing out of it leads nowhere", "GET", "notes/..%2fdiary/secret.ttl", undefined, 400],
      ["does not put elsewhere", "PUT", "diary/x.ttl", "<#x> a <#X>.", 403],
      ["does not make folders elsewhere", "PUT", "new/x.ttl", "<#x> a <#X>.", 403],
      ["does not post elsewhere", "POST", "diary/", "<#x> a <#X>.", 403],
      ["does not read who may see the folder", "GET", "notes/.acl", undefined, 403],
      ["does not write who may", "PUT", "notes/.acl", "<#x> a <#X>.", 403],
      ["nor of the whole pod", "PUT", ".acl", "<#x> a <#X>.", 403],
      ["does not delete who may", "DELETE", "notes/.acl", undefined, 403],
      ["does not read the owner's journal", "GET", ".journal", undefined, 403],
      ["sees what everybody sees", "GET", "open.ttl", undefined, 200],
      ["sees the card, as everybody", "GET", "profile/card", undefined, 200],
    ];
    for (const [sentence, method, path, body, status] of cases)
      it(`${sentence}: ${method} /${path}`, async () => {
        expect(await statusOf(app, method, place(path), body)).to.equal(status);
      });

    it("is told that it is the app, and not the person, that may not", async () => {
      const answer = await app.send("GET", place("diary/secret.ttl"));
      const problem = (await answer.json()) as { type: string; detail: string };
      expect(problem.type).to.match(/#forbidden$/);
      expect(problem.detail).to.match(/^Missing: read \(you may, but you did not give it to this app\)$/);
      expect(answer.headers.get("wac-allow")).to.equal('user="",public=""');
    });

    it("WAC-Allow tells what the app may, not what the person may", async () => {
      for (const [path, allowed] of [
        ["notes/a.ttl", 'user="read append",public=""'],
        ["notes/", 'user="read append",public=""'],
        ["open.ttl", 'user="read",public="read"'],
      ] as const) {
        expect((await app.send("GET", place(path))).headers.get("wac-allow"), path).to.equal(allowed);
        expect((await ana.fetch(place(path))).headers.get("wac-allow"), path).to.match(
          /^user="read write append control"/,
        );
      }
    });

    it("no answer names another folder", async () => {
      for (const path of ["", "notes/", "notes/a.ttl", "open.ttl"]) {
        const answer = await app.send("GET", place(path));
        const all = `${[...answer.headers].join()} ${await answer.text()}`;
        expect(all, path).to.not.match(/diary|secret|notesbook/);
      }
    });

    it("a query sees the folder, and what everybody sees", async () => {
      const graphs = await graphsFor(app);
      expect(graphs).to.include.members(["notes/a.ttl", "notes/deep/b.ttl", "open.ttl", "profile/card"]);
      expect(graphs.join(" ")).to.not.match(/diary|notesbook|journal|\.acl/);
      const all = await graphsFor({ ...app, send: (_method, url) => ana.fetch(url) });
      expect(all, "what the person sees").to.include.members(["diary/secret.ttl", "notesbook/c.ttl"]);
    });

    it("a query that names another document counts nothing of it", async () => {
      for (const graph of [place("diary/secret.ttl"), place(".journal")]) {
        const query = `SELECT (COUNT(*) AS ?n) WHERE { GRAPH <${graph}> { ?s ?p ?o } }`;
        const answer = await app.send("GET", `${place("sparql")}?query=${encodeURIComponent(query)}`);
        expect(await answer.text(), graph).to.match(/"value":\s*"0"/);
      }
    });

    it("what others share with the person is outside, too", async () => {
      expect((await ana.fetch(`${ben.pod}for-ana/x.ttl`)).status).to.equal(200);
      expect(await statusOf(app, "GET", `${ben.pod}for-ana/x.ttl`)).to.equal(403);
    });

    it("what else the person listens to is nothing of the app's: neither seen, heard nor ended", async () => {
      const theirs = await subscribe(ana.fetch, ana.pod, "EventSourceChannel2023", place("diary/secret.ttl"));
      const shared = await subscribe(ana.fetch, ana.pod, "EventSourceChannel2023", place("notes/a.ttl"));
      const listed = await (await app.send("GET", place(".notifications/"))).text();
      expect(listed).to.not.include("diary");
      expect(listed, "one that it could have made").to.include(shared.id);
      const shown = await (await app.send("GET", shared.id)).text();
      for (const text of [listed, shown])
        expect(text, "who knows it, is told what its maker may be told").to.not.include("receiveFrom");
      for (const method of ["GET", "DELETE"])
        expect((await app.send(method, theirs.id)).status, method).to.equal(404);
      expect((await ana.fetch(theirs.id)).status).to.equal(200);
      const own = await subscribe(asFetch(app), ana.pod, "EventSourceChannel2023", place("notes/a.ttl"));
      expect(await (await app.send("GET", own.id)).json()).to.include({ receiveFrom: own.receiveFrom });
      expect((await app.send("DELETE", own.id)).status).to.equal(204);
    });

    it("an Origin header changes nothing", async () => {
      for (const origin of ["https://app.example", server.baseUrl.slice(0, -1), "null"])
        expect(
          (await app.send("GET", place("diary/secret.ttl"), undefined, { origin })).status,
          origin,
        ).to.equal(403);
    });

    it("a refreshed token does no more", async () => {
      const { body } = await requestToken(server.baseUrl, app.key, app.app, {
        grant_type: "refresh_token",
        refresh_token: app.tokens["refresh_token"] ?? "",
        scope: "openid webid offline_access",
      });
      const fresh = sender(app.key, body["access_token"] ?? "");
      expect((await fresh("GET", place("notes/a.ttl"))).status).to.equal(200);
      expect((await fresh("GET", place("diary/secret.ttl"))).status).to.equal(403);
    });

    it("the next login of the app asks nothing, and gives no more", async () => {
      const again = await letIn(server, browser, { folders: null, modes: ["control"] }, app.app, {
        prompt: null,
      });
      expect(await statusOf(again, "GET", place("notes/a.ttl"))).to.equal(200);
      expect(await statusOf(again, "GET", place("diary/secret.ttl"))).to.equal(403);
    });

    it("an app that asks again is decided anew, and older tokens follow", async () => {
      const all = await letIn(server, browser, { folders: null, modes: ["control"] }, app.app);
      expect(await statusOf(all, "GET", place("diary/secret.ttl"))).to.equal(200);
      const less = await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["read"] }, app.app);
      for (const one of [app, all, less]) {
        expect(await statusOf(one, "GET", place("diary/secret.ttl"))).to.equal(403);
        expect(await statusOf(one, "POST", place("notes/"), "<#x> a <#X>.")).to.equal(403);
      }
    });
  });

  describe("let in to do", () => {
    const none: string[] = [];
    const table: readonly (readonly [string, Record<string, unknown>, Record<string, number>])[] = [
      ["the usual", {}, { see: 200, add: 201, change: 205, share: 403, theirs: 200 }],
      [
        "everything",
        { folders: null, modes: ["control"] },
        { see: 200, add: 201, change: 205, share: 200, theirs: 200 },
      ],
      [
        "see, everywhere",
        { folders: null, modes: ["read"] },
        { see: 200, add: 403, change: 403, share: 403, theirs: 200 },
      ],
      [
        "add, everywhere",
        { folders: null, modes: ["append"] },
        { see: 403, add: 201, change: 403, share: 403, theirs: 403 },
      ],
      [
        "change in the folder",
        { folders: ["/ana/notes/"], modes: ["write"] },
        { see: 403, add: 201, change: 205, share: 403, theirs: 403 },
      ],
      [
        "share in the folder",
        { folders: ["/ana/notes/"], modes: ["control"] },
        { see: 200, add: 201, change: 205, share: 200, theirs: 403 },
      ],
      [
        "nothing but a sign-in",
        { folders: none, modes: [] },
        { see: 403, add: 403, change: 403, share: 403, theirs: 403 },
      ],
      [
        "all, nowhere",
        { folders: none, modes: ["control"] },
        { see: 403, add: 403, change: 403, share: 403, theirs: 403 },
      ],
      [
        "all, in a pod of somebody else",
        { folders: ["/ben/"], modes: ["control"] },
        { see: 403, add: 403, change: 403, share: 403, theirs: 200 },
      ],
    ];
    for (const [what, chosen, expected] of table)
      it(what, async () => {
        const app = await letIn(server, browser, chosen);
        const acl = await (await ana.fetch(place(".acl"))).text();
        const done = {
          see: await statusOf(app, "GET", place("notes/a.ttl")),
          add: await statusOf(app, "POST", place("notes/"), "<#x> a <#X>."),
          change: await statusOf(app, "PUT", place("notes/a.ttl"), "<#it> a <#Thing>."),
          share: (await statusOf(app, "GET", place("notes/.acl"))) === 403 ? 403 : 200,
          theirs: await statusOf(app, "GET", `${ben.pod}for-ana/x.ttl`),
        };
        expect({ ...done, change: done.change === 204 ? 205 : done.change }).to.deep.equal(expected);
        expect(await statusOf(app, "GET", place("profile/card")), "who the person is").to.equal(200);
        expect(await (await ana.fetch(place(".acl"))).text()).to.equal(acl);
      });

    it("a yes that is not understood is none", async () => {
      for (const chosen of [
        { folders: ["notes/"], modes: ["read"] },
        { folders: ["/ana/notes"], modes: ["read"] },
        { modes: ["read"] },
        { folders: null },
        { folders: null, modes: ["everything"] },
      ]) {
        let refused = "";
        await letIn(server, browser, chosen).catch((error: Error) => (refused = error.message));
        expect(refused, JSON.stringify(chosen)).to.match(/400.*input-invalid/);
      }
    });

    it("the owner's journal, only with everything", async () => {
      const [usual, all] = [
        await letIn(server, browser),
        await letIn(server, browser, { folders: null, modes: ["control"] }),
      ];
      expect(await statusOf(usual, "GET", place(".journal/"))).to.equal(403);
      expect(await statusOf(all, "GET", place(".journal/"))).to.equal(200);
      expect((await graphsFor(usual)).join(" ")).to.not.match(/journal/);
    });

    it("how full the pod is, only with everything", async () => {
      const [less, all] = [
        await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["write"] }),
        await letIn(server, browser, { folders: null, modes: ["control"] }),
      ];
      const named = async (app: LetIn) =>
        [...(await app.send("PUT", place("notes/q.ttl"), "<#q> a <#Q>.", TURTLE)).headers.keys()].filter(
          (name) => name.startsWith("ratelimit"),
        ).length;
      expect(await named(less)).to.equal(0);
      expect(await named(all)).to.be.at.least(1);
    });
  });

  describe("what is taken back", () => {
    const rowOf = async (app: LetIn): Promise<string> => {
      const answer = await browser.fetch(`${server.baseUrl}.account/apps`);
      const { apps } = (await answer.json()) as { apps: { id: string; client: string }[] };
      return apps.find(({ client }) => client === app.app.clientId)?.id ?? "";
    };
    const change = (id: string, method: string, body?: unknown): Promise<Response> =>
      browser.fetch(`${server.baseUrl}.account/apps/${id}`, {
        method,
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });

    it("is gone at the next request, with the token that was good a moment ago", async () => {
      const app = await letIn(server, browser);
      expect(await statusOf(app, "GET", place("notes/a.ttl"))).to.equal(200);
      expect((await app.send("GET", `${server.baseUrl}.oidc/userinfo`)).status).to.equal(200);
      expect((await change(await rowOf(app), "DELETE")).status).to.equal(200);
      const answer = await app.send("GET", place("notes/a.ttl"));
      expect(answer.status).to.equal(401);
      expect(answer.headers.get("www-authenticate")).to.match(/error="invalid_token"/);
      expect(await statusOf(app, "PUT", place("notes/a.ttl"), "<#x> a <#X>.")).to.equal(401);
      const userinfo = await app.send("GET", `${server.baseUrl}.oidc/userinfo`);
      expect([userinfo.status, await userinfo.text()]).to.satisfy(
        ([code, text]: [number, string]) => code === 401 && !text.includes(ana.webid),
      );
      const { status, body } = await requestToken(server.baseUrl, app.key, app.app, {
        grant_type: "refresh_token",
        refresh_token: app.tokens["refresh_token"] ?? "",
      });
      expect([status, body["error"]]).to.deep.equal([400, "invalid_grant"]);
    });

    it("ends what the app listens to, before another word", async () => {
      for (const less of [undefined, { folders: ["/ana/diary/"], modes: ["read"] }]) {
        const app = await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["read"] });
        const asApp = asFetch(app);
        const topic = place("notes/a.ttl");
        const { receiveFrom } = await subscribe(asApp, ana.pod, "StreamingHTTPChannel2023", topic);
        const heard = await stream(asApp, receiveFrom);
        await put(ana.fetch, topic, "<#it> a <#Thing>, <#Heard>.");
        await until("a message", () => notesIn(heard).length === 1);
        await (less === undefined
          ? change(await rowOf(app), "DELETE")
          : change(await rowOf(app), "POST", less));
        await put(ana.fetch, topic, "<#it> a <#Thing>, <#NotHeard>.");
        await until("its end", () => heard.isOver);
        expect(notesIn(heard)).to.have.lengthOf(1);
      }
    });

    it("is gone in part, when the person lets it do less", async () => {
      const app = await letIn(server, browser);
      const id = await rowOf(app);
      expect(await statusOf(app, "GET", place("diary/secret.ttl"))).to.equal(200);
      expect((await change(id, "POST", { folders: ["/ana/notes/"], modes: ["read"] })).status).to.equal(200);
      expect(await statusOf(app, "GET", place("diary/secret.ttl"))).to.equal(403);
      expect(await statusOf(app, "GET", place("notes/a.ttl"))).to.equal(200);
      expect(await statusOf(app, "POST", place("notes/"), "<#x> a <#X>.")).to.equal(403);
      expect((await change(id, "POST", { folders: null, modes: ["read"] })).status).to.equal(200);
      expect(await statusOf(app, "GET", place("diary/secret.ttl"))).to.equal(200);
    });

    it("leaves other apps, and the person, as they were", async () => {
      const [one, other] = [await letIn(server, browser), await letIn(server, browser)];
      await change(await rowOf(one), "DELETE");
      expect(await statusOf(other, "GET", place("notes/a.ttl"))).to.equal(200);
      expect((await ana.fetch(place("notes/a.ttl"))).status).to.equal(200);
    });

    it("an app that is let in again has what is said then, and its old tokens no more than that", async () => {
      const app = await letIn(server, browser);
      await change(await rowOf(app), "DELETE");
      const again = await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["read"] }, app.app);
      expect(await statusOf(again, "GET", place("notes/a.ttl"))).to.equal(200);
      for (const one of [app, again])
        expect(await statusOf(one, "GET", place("diary/secret.ttl"))).to.equal(403);
    });

    it("nobody shows out or lets in the apps of somebody else", async () => {
      const app = await letIn(server, browser, { folders: ["/ana/notes/"], modes: ["read"] });
      const id = await rowOf(app);
      const bens = await signIn(server, "Ben");
      for (const [method, body] of [
        ["POST", { folders: null, modes: ["control"] }],
        ["DELETE", undefined],
      ] as const) {
        const answer = await bens.fetch(`${server.baseUrl}.account/apps/${id}`, {
          method,
          headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        expect(answer.status, method).to.equal(404);
      }
      expect(await statusOf(app, "GET", place("notes/a.ttl"))).to.equal(200);
      expect(await statusOf(app, "GET", place("diary/secret.ttl"))).to.equal(403);
    });

    it("a program that is disconnected is out at its next request", async () => {
      const cleo = await server.person("Cleo");
      expect((await cleo.fetch(cleo.pod)).status).to.equal(200);
      const accounts = server.context.identity.accounts;
      const { id } = (await accounts.list()).find(({ pod }) => pod === "cleo") ?? { id: "" };
      await accounts.credentials.delete(id, cleo.credentials.id);
      expect((await cleo.fetch(cleo.pod)).status).to.equal(401);
    });
  });
});
