/** Access Control Policy over HTTP, clause by clause, and all that the owner does with rules; long, for it is one server. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { universalAccess } from "@inrupt/solid-client";
import { expect } from "chai";
import { createPerson } from "../../server/cli/people.ts";
import { serve } from "../../server/cli/serve.ts";
import { readConfig } from "../../server/config.ts";
import { write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { exportTo, importFrom, openFolder } from "../transfer/fixture.ts";

const ACP = "http://www.w3.org/ns/solid/acp#";
const ACL = "http://www.w3.org/ns/auth/acl#";
const TURTLE = { "content-type": "text/turtle" };
const PREFIXES = `@prefix acp: <${ACP}>. @prefix acl: <${ACL}>.\n`;

/** @param own Policies in Turtle. @param below Those for members. */
const acrOf = (place: string, own: string, below = ""): string =>
  `${PREFIXES}<> a acp:AccessControlResource; acp:resource <${place}>${own && `; acp:accessControl [ acp:apply ${own} ]`}${below && `; acp:memberAccessControl [ acp:apply ${below} ]`} .`;
const allow = (modes: string, matcher: string, rest = ""): string =>
  `[ acp:allow ${modes}; acp:anyOf [ ${matcher} ]${rest} ]`;

describe("Access Control Policy over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let cleo: Person;
  let folder = "";
  let count = 0;

  const status = async (response: Promise<Response>): Promise<number> => {
    const answer = await response;
    await answer.arrayBuffer();
    return answer.status;
  };
  const put = (url: string, body: string, headers: Record<string, string> = {}) =>
    ana.fetch(url, { method: "PUT", headers: { ...TURTLE, ...headers }, body });
  const govern = async (place: string, own: string, below = ""): Promise<void> => {
    const answer = await put(`${place}.acr`, acrOf(place, own, below));
    expect(answer.ok, await answer.text()).to.equal(true);
  };
  const statuses = (url: string, init: RequestInit = {}): Promise<number[]> =>
    Promise.all([fetch, ben.fetch, cleo.fetch, ana.fetch].map((ask) => status(ask(url, init))));
  const links = async (url: string, method: string): Promise<string[]> =>
    ((await ana.fetch(url, { method })).headers.get("link") ?? "").split(/,\s*(?=<)/);

  before(async () => {
    server = await startServer({ FREEHOLD_ACCESS: "acp" });
    ana = await server.person("ana");
    ben = await server.person("ben");
    cleo = await server.person("cleo");
  });
  after(() => server.close());
  beforeEach(async () => {
    folder = `${ana.pod}case${++count}/`;
    await write(ana, `${folder}a.ttl`);
  });

  it("acp-link-acl: every resource names its access control resource", async () => {
    for (const place of [ana.pod, folder, `${folder}a.ttl`])
      for (const method of ["GET", "HEAD", "OPTIONS"])
        expect(await links(place, method), `${method} ${place}`).to.include(`<${place}.acr>; rel="acl"`);
    expect(await links(`${folder}.meta`, "OPTIONS")).to.include(`<${folder}.acr>; rel="acl"`);
  });

  it("acp-link-type: an access control resource says that it is one, and signals no conditions of access lists", async () => {
    await govern(folder, allow("acl:Read", `acp:agent <${ben.webid}>`));
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      const told = await links(`${folder}.acr`, method);
      expect(told, method).to.include(`<${ACP}AccessControlResource>; rel="type"`);
      expect(told.join(), method).not.to.include("condition");
    }
    expect(await links(`${folder}a.ttl`, "GET")).not.to.include(`<${ACP}AccessControlResource>; rel="type"`);
  });

  it("acp-options: OPTIONS names every mode that can be granted and every attribute that can be matched", async () => {
    const told = await links(`${folder}.acr`, "OPTIONS");
    for (const mode of ["Read", "Append", "Write", "Control"])
      expect(told).to.include(`<${ACL}${mode}>; rel="${ACP}grant"`);
    for (const attribute of ["target", "agent", "creator", "owner", "client", "issuer", "vc"])
      expect(told).to.include(`<${ACP}${attribute}>; rel="${ACP}attribute"`);
    expect((await links(`${folder}a.ttl`, "OPTIONS")).join()).not.to.include(`${ACP}grant`);
  });

  it("acp-grant-graph: what effective policies allow and none denies, from the resource and from all folders above", async () => {
    const url = `${folder}a.ttl`;
    expect(await statuses(url)).to.deep.equal([401, 403, 403, 200]);
    await govern(folder, "", allow("acl:Read", `acp:agent <${ben.webid}>`));
    expect(await statuses(url), "from above").to.deep.equal([401, 200, 403, 200]);
    expect(await statuses(folder), "not for the folder itself").to.deep.equal([401, 403, 403, 200]);
    await govern(url, allow("acl:Read", `acp:agent <${cleo.webid}>`));
    expect(await statuses(url), "both").to.deep.equal([401, 200, 200, 200]);
    await govern(url, `[ acp:deny acl:Read; acp:anyOf [ acp:agent <${ben.webid}> ] ]`);
    expect(await statuses(url), "denied below").to.deep.equal([401, 403, 403, 200]);
    const told = (await ana.fetch(url)).headers.get("wac-allow");
    expect(told).to.equal('user="read write append control",public=""');
  });

  it("acp-matchers: agents, clients and issuers; all of, any of, none of; credentials never", async () => {
    const url = `${folder}a.ttl`;
    const issuer = server.baseUrl;
    const table: readonly (readonly [policy: string, ...expected: readonly number[]])[] = [
      [allow("acl:Read", "acp:agent acp:PublicAgent"), 200, 200, 200],
      [allow("acl:Read", "acp:agent acp:AuthenticatedAgent"), 401, 200, 200],
      [allow("acl:Read", `acp:agent <${ben.webid}>, <${cleo.webid}>`), 401, 200, 200],
      [allow("acl:Read", "acp:agent acp:OwnerAgent"), 401, 403, 403],
      [allow("acl:Read", "acp:client acp:PublicClient"), 200, 200, 200],
      [allow("acl:Read", "acp:client acp:AuthenticatedClient"), 401, 200, 200],
      [allow("acl:Read", "acp:client <https://app.example/id>"), 401, 403, 403],
      [allow("acl:Read", `acp:issuer <${issuer}>`), 401, 200, 200],
      [allow("acl:Read", "acp:issuer <https://other.example/>"), 401, 403, 403],
      [allow("acl:Read", `acp:agent <${ben.webid}>; acp:issuer <https://other.example/>`), 401, 403, 403],
      [allow("acl:Read", "acp:vc <urn:x:Family>"), 401, 403, 403],
      [
        allow("acl:Read", "acp:agent acp:PublicAgent", `; acp:noneOf [ acp:agent <${ben.webid}> ]`),
        200,
        403,
        200,
      ],
      [
        `[ acp:allow acl:Read; acp:allOf [ acp:agent acp:AuthenticatedAgent ], [ acp:issuer <${issuer}> ] ]`,
        401,
        200,
        200,
      ],
      [
        `[ acp:allow acl:Read; acp:allOf [ acp:agent acp:AuthenticatedAgent ], [ acp:agent <${cleo.webid}> ] ]`,
        401,
        403,
        200,
      ],
      ["[ acp:allow acl:Read ]", 401, 403, 403],
      [allow("acl:Read", "a acp:Matcher"), 401, 403, 403],
      [allow("<urn:x#Sell>", "acp:agent acp:PublicAgent"), 401, 403, 403],
    ];
    for (const [policy, ...expected] of table) {
      await govern(url, policy);
      expect((await statuses(url)).slice(0, 3), policy).to.deep.equal(expected);
    }
  });

  it("acp-matchers: whoever made something, and nobody else", async () => {
    await govern(
      folder,
      allow("acl:Append", "acp:agent acp:AuthenticatedAgent"),
      allow("acl:Read, acl:Write", "acp:agent acp:CreatorAgent"),
    );
    const made = await ben.fetch(folder, { method: "POST", headers: TURTLE, body: "<> <urn:x:is> 1 ." });
    expect(made.status).to.equal(201);
    const url = made.headers.get("location") ?? "";
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([401, 200, 403]);
    const change: RequestInit = { method: "PUT", headers: TURTLE, body: "<> <urn:x:is> 2 ." };
    expect(await status(cleo.fetch(url, change))).to.equal(403);
    expect(await status(ben.fetch(url, change))).to.equal(204);
    expect(await status(ana.fetch(url, change)), "another's change makes nobody its creator").to.equal(204);
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([401, 200, 403]);
    expect(await status(ben.fetch(`${folder}a.ttl`)), "what somebody else made").to.equal(403);
  });

  it("is there for every resource, saying nothing, until somebody writes it", async () => {
    const url = `${folder}a.ttl`;
    const answer = await ana.fetch(`${url}.acr`);
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.include(`<${ACP}resource> <${url}>`);
    expect((await statuses(`${url}.acr`)).slice(0, 3)).to.deep.equal([401, 403, 403]);
    expect(await status(ana.fetch(`${folder}none.ttl.acr`))).to.equal(404);
    expect(await status(ana.fetch(`${url}.acr`, { method: "DELETE" }))).to.equal(404);
  });

  it("works with the client that app developers know", async () => {
    const url = `${folder}a.ttl`;
    const options = { fetch: ana.fetch as typeof fetch };
    const set = (modes: { read?: boolean; append?: boolean }) =>
      universalAccess.setAgentAccess(url, ben.webid, modes, options);
    expect(await set({ read: true, append: true })).to.include({ read: true, append: true, write: false });
    expect(await universalAccess.getAgentAccess(url, ben.webid, options)).to.include({ read: true });
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([401, 200, 403]);
    await universalAccess.setPublicAccess(url, { read: true }, options);
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([200, 200, 200]);
    await universalAccess.setPublicAccess(url, { read: false }, options);
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([401, 200, 403]);
    await set({ read: false, append: false });
    expect((await statuses(url)).slice(0, 3)).to.deep.equal([401, 403, 403]);
  });

  it("needs Control to be read, written or deleted, which gives nothing else", async () => {
    const url = `${folder}a.ttl`;
    await govern(url, allow("acl:Read, acl:Append, acl:Write", `acp:agent <${ben.webid}>`));
    const body = acrOf(url, allow("acl:Read", `acp:agent <${cleo.webid}>`));
    const tries: readonly RequestInit[] = [
      {},
      { method: "PUT", headers: TURTLE, body },
      { method: "DELETE" },
    ];
    for (const init of tries) expect(await status(ben.fetch(`${url}.acr`, init))).to.equal(403);
    await govern(url, allow("acl:Control", `acp:agent <${ben.webid}>`));
    expect(await status(ben.fetch(url))).to.equal(403);
    expect(await status(ben.fetch(`${url}.acr`, tries[1]))).to.equal(204);
    expect(await status(ben.fetch(`${url}.acr`))).to.equal(403);
    expect(await status(cleo.fetch(url))).to.equal(200);
  });

  it("is refused when it is bad, by PUT and by PATCH, and the old one stays", async () => {
    const url = `${folder}a.ttl`;
    await govern(url, allow("acl:Read", `acp:agent <${ben.webid}>`));
    const before = await (await ana.fetch(`${url}.acr`)).text();
    const bad: readonly (readonly [body: string, expected: number])[] = [
      ["this is <not Turtle", 400],
      [
        `<#x> a <${ACL}Authorization>; <${ACL}accessTo> <${url}>; <${ACL}agentClass> <http://xmlns.com/foaf/0.1/Agent>; <${ACL}mode> <${ACL}Read> .`,
        422,
      ],
      [acrOf(`${folder}other.ttl`, allow("acl:Read", "acp:agent acp:PublicAgent")), 422],
      [acrOf(url, "<https://elsewhere.example/policy>"), 422],
      [acrOf(url, allow("acl:Read", "<urn:x#tag> <urn:x#Music>")), 422],
    ];
    for (const [body, expected] of bad)
      expect(await status(put(`${url}.acr`, body)), body).to.equal(expected);
    const patch = (text: string) =>
      ana.fetch(`${url}.acr`, {
        method: "PATCH",
        headers: { "content-type": "text/n3" },
        body: `@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; ${text} .`,
      });
    expect(
      await status(
        patch(
          `solid:deletes { <${url}.acr> <${ACP}resource> <${url}> }; solid:inserts { <${url}.acr> <${ACP}resource> <${folder}> }`,
        ),
      ),
    ).to.equal(422);
    expect(await (await ana.fetch(`${url}.acr`)).text()).to.equal(before);
    expect(await status(ben.fetch(url))).to.equal(200);
    expect(await status(patch(`solid:inserts { <${url}.acr> <urn:x:says> "mine" }`))).to.equal(204);
    expect(await status(ben.fetch(url))).to.equal(200);
  });

  it("never locks the owner out", async () => {
    const shut =
      "[ acp:deny acl:Read, acl:Append, acl:Write, acl:Control; acp:anyOf [ acp:agent acp:PublicAgent ] ]";
    const before = await (await ana.fetch(`${ana.pod}.acr`)).text();
    await govern(ana.pod, shut, shut);
    expect(await status(ana.fetch(`${folder}a.ttl`))).to.equal(403);
    expect(await status(ana.fetch(`${ana.pod}.acr`, { method: "DELETE" }))).to.equal(405);
    expect(await status(put(`${ana.pod}.acr`, before))).to.equal(204);
    expect(await status(ana.fetch(`${folder}a.ttl`))).to.equal(200);
  });

  it("goes with what it belongs to, and comes back with it from the trash", async () => {
    const url = `${folder}a.ttl`;
    await govern(url, allow("acl:Read", `acp:agent <${ben.webid}>`));
    await ana.fetch(url, { method: "DELETE" });
    const pod = await server.context.pods.find("ana");
    const { items } = await server.context.ldp.keeping.trash(pod!, 100);
    const item = items.find(({ path }) => url.endsWith(path));
    await write(ana, url);
    const { path } = await server.context.ldp.keeping.restore(pod!, item!.id, true, "owner");
    const back = `${server.baseUrl.slice(0, -1)}${path}`;
    expect(back).not.to.equal(url);
    expect(await statuses(back)).to.deep.equal([401, 200, 403, 200]);
    expect(await statuses(url)).to.deep.equal([401, 403, 403, 200]);
  });

  it("has no access lists, and a new pod whose rules mean the same", async () => {
    expect(await status(ana.fetch(`${folder}.acl`))).to.equal(404);
    expect(await status(put(`${folder}.acl`, ""))).to.equal(404);
    const lists = await startServer();
    try {
      const [hers, his] = [await lists.person("ana"), await lists.person("ben")];
      const dora = await server.person(`dora${count}`);
      for (const place of [
        "",
        "profile/",
        "profile/card",
        "settings/",
        "settings/prefs.ttl",
        "settings/publicTypeIndex.ttl",
        "settings/privateTypeIndex.ttl",
        "inbox/",
        "inbox/new",
        "any/new.ttl",
      ]) {
        const told = async (url: string, ...ask: readonly Person["fetch"][]) =>
          Promise.all(ask.map(async (one) => (await one(url, { method: "HEAD" })).headers.get("wac-allow")));
        expect(await told(dora.pod + place, dora.fetch, ben.fetch, fetch), place).to.deep.equal(
          await told(hers.pod + place, hers.fetch, his.fetch, fetch),
        );
      }
    } finally {
      await lists.close();
    }
  });

  it("shuts what an archive brings in the other language, rather than open it", async () => {
    const lists = await startServer();
    const files = await openFolder();
    try {
      const eve = await lists.person("eve");
      const open = `<#all> a <${ACL}Authorization>; <${ACL}agentClass> <http://xmlns.com/foaf/0.1/Agent>; <${ACL}mode> <${ACL}Read>`;
      await write(eve, `${eve.pod}open/a.ttl`);
      await write(eve, `${eve.pod}closed/b.ttl`);
      const owner = `<#o> a <${ACL}Authorization>; <${ACL}agent> <${eve.webid}>; <${ACL}mode> <${ACL}Control>, <${ACL}Read>`;
      const here = (url: string) => `<${ACL}accessTo> <${url}>; <${ACL}default> <${url}> .`;
      await write(eve, `${eve.pod}open/.acl`, `${open}; ${here(`${eve.pod}open/`)}`);
      await write(eve, `${eve.pod}closed/.acl`, `${owner}; ${here(`${eve.pod}closed/`)}`);
      await exportTo(lists.context, "eve", files.path("eve.zip"));
      const name = `fay${count}`;
      const fay = await server.person(name);
      const root = `${server.baseUrl}${name}/`;
      await fay.fetch(`${root}.acr`, {
        method: "PUT",
        headers: TURTLE,
        body: acrOf(
          root,
          allow("acl:Read", `acp:agent <${ben.webid}>`),
          allow("acl:Read, acl:Write", `acp:agent <${ben.webid}>, <${fay.webid}>`),
        ),
      });
      const report = await importFrom(server.context, name, files.path("eve.zip"), { present: "replace" });
      expect(report.issueCount).to.be.greaterThan(0);
      for (const place of ["open/a.ttl", "closed/b.ttl"]) {
        expect(await status(fetch(root + place)), place).to.equal(401);
        expect(await status(ben.fetch(root + place)), `${place}, which the folder above gives him`).to.equal(
          403,
        );
        expect(await status(fay.fetch(root + place)), place).to.equal(200);
      }
    } finally {
      await files.remove();
      await lists.close();
    }
  });

  describe("the owner's page", () => {
    let cookie = "";
    const door = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const response = await fetch(`${server.baseUrl}.account/${path}`, {
        headers: {
          cookie,
          origin: new URL(server.baseUrl).origin,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    };
    const pathOf = (url: string): string => new URL(url).pathname;
    before(async () => {
      const response = await fetch(`${server.baseUrl}.account/login`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: new URL(server.baseUrl).origin },
        body: JSON.stringify({ pod: "ana", password: "a long password of ana" }),
      });
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    });
    const mayRead = async (url: string): Promise<boolean[]> =>
      (await statuses(url)).slice(0, 3).map((seen) => seen === 200);

    it("gives, shows, takes back and undoes", async () => {
      const url = `${folder}a.ttl`;
      await govern(url, allow("acl:Read", `acp:agent <${cleo.webid}>, <${ben.webid}>`));
      const person = { kind: "person", iri: ben.webid };
      const given = await door("access/grant", {
        who: person,
        path: pathOf(folder),
        modes: ["read", "append"],
      });
      expect(given["status"], JSON.stringify(given)).to.equal(200);
      expect(await mayRead(folder)).to.deep.equal([false, true, false]);
      const { entries = [] } = (await door("overview")) as unknown as {
        entries?: { path: string; who: { iri: string }; modes: string[] }[];
      };
      const shown = entries.filter(({ path, who }) => path === pathOf(folder) && who.iri === ben.webid);
      expect(shown.map(({ modes }) => modes.toSorted())).to.deep.equal([["append", "read"]]);
      const taken = await door("access/revoke", { who: person });
      expect(taken["status"], JSON.stringify(taken)).to.equal(200);
      expect(await mayRead(folder)).to.deep.equal([false, false, false]);
      expect(await mayRead(url), "only his").to.deep.equal([false, false, true]);
      expect((await door("access/undo", { undo: taken["undo"] }))["status"]).to.equal(200);
      expect(await mayRead(url)).to.deep.equal([false, true, true]);
    });

    it("gives to everybody and to everybody who has logged in, and to no group", async () => {
      const place = { path: pathOf(`${folder}a.ttl`), modes: ["read"] };
      await door("access/grant", { who: { kind: "signed-in", iri: null }, ...place });
      expect(await mayRead(`${folder}a.ttl`)).to.deep.equal([false, true, true]);
      const all = await door("access/grant", { who: { kind: "public", iri: null }, ...place });
      expect(await mayRead(`${folder}a.ttl`)).to.deep.equal([true, true, true]);
      await door("access/undo", { undo: all["undo"] });
      expect(await mayRead(`${folder}a.ttl`)).to.deep.equal([false, true, true]);
      const group = await door("access/grant", {
        who: { kind: "group", iri: `${folder}g.ttl#us` },
        ...place,
      });
      expect([400, 422]).to.include(group["status"]);
      expect(group["detail"]).to.match(/no groups/);
    });

    it("freezes a place for everybody but the owner", async () => {
      await govern(folder, "", allow("acl:Read", "acp:agent acp:PublicAgent"));
      await door("restrictions", { path: pathOf(folder), restricted: true });
      expect(await mayRead(`${folder}a.ttl`)).to.deep.equal([false, false, false]);
      expect(await status(ana.fetch(`${folder}a.ttl`))).to.equal(200);
      await door("restrictions", { path: pathOf(folder), restricted: false });
      expect(await mayRead(`${folder}a.ttl`)).to.deep.equal([true, true, true]);
    });
  });
});

describe("the language of a server's rules", () => {
  for (const [first, second] of [
    ["wac", "acp"],
    ["acp", "wac"],
  ] as const)
    it(`stays ${first} once there is a pod: in ${second} all its rules would say nothing`, async function () {
      this.timeout(30_000);
      const folder = await mkdtemp(join(tmpdir(), "freehold-language-"));
      const start = (access: string) =>
        serve(readConfig({ FREEHOLD_PORT: "0", FREEHOLD_DATA: folder, FREEHOLD_ACCESS: access }), () => {});
      try {
        const one = await start(first);
        await createPerson(one.context, { name: "ana", podName: "ana", password: "a long password of ana" });
        await one.close();
        const refusal = await start(second).then(
          () => null,
          (error: Error) => error.message,
        );
        expect(refusal).to.match(new RegExp(`written in ${first}.*FREEHOLD_ACCESS`));
        const again = await start(first);
        await again.close();
      } finally {
        await rm(folder, { recursive: true });
      }
    });
});
