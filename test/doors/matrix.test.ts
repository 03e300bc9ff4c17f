/** Every door and every kind of agent, in two tables: long, for a door that is not in them is a door nobody looked at. */
import { expect } from "chai";
import { doorRoutes, podRoutes } from "../../server/app.ts";
import type { Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { CONSENT_DOORS } from "./consent-rows.ts";
import { N3, setAccess, write } from "./people.ts";

const AGENTS = ["public", "stranger", "reader", "appender", "writer", "controller", "owner"] as const;
type Row = readonly [what: string, path: string, init: RequestInit, ...expected: readonly number[]];

const turtle = { "content-type": "text/turtle" };
const n3 = (text: string): RequestInit => ({
  method: "PATCH",
  headers: { "content-type": "text/n3" },
  body: `${N3} ${text} .`,
});
const update = (body: string): RequestInit => ({
  method: "PATCH",
  headers: { "content-type": "application/sparql-update" },
  body,
});
const PUT = { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." };
const POST = { method: "POST", headers: { ...turtle, slug: "posted.ttl" }, body: "<> <urn:x:is> 3 ." };
const SEARCH = {
  method: "POST",
  headers: { "content-type": "application/lws+json" },
  body: '{"type":["https://www.w3.org/ns/lws#Container"]}',
};
const BATCH = {
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
  body: '{"time":"2026-03-01T00:00:00Z","value":1,"sensor":"urn:x:meter","property":"urn:x:power"}',
};
const FOLDER = {
  "content-type": "text/turtle",
  link: '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"',
};
/** A subscription to changes of a place in the pod of ana: the topic is relative to the service's address. */
const subscribe = (topic: string): RequestInit => ({
  method: "POST",
  headers: turtle,
  body: `[] a <http://www.w3.org/ns/solid/notifications#StreamingHTTPChannel2023>; <http://www.w3.org/ns/solid/notifications#topic> <../${topic}> .`,
});
const STRICT = { headers: { prefer: "handling=strict" } };
const ASK = `sparql?query=${encodeURIComponent("ASK { GRAPH ?g { ?s ?p ?o } }")}`;
/** The document is named from the endpoint's own address. */
const change = (verb: "INSERT" | "DELETE") => ({
  method: "POST",
  headers: { "content-type": "application/sparql-update" },
  body: `${verb} DATA { GRAPH <shared/a.ttl> { <urn:x:a> <urn:x:b> 1 } }`,
});
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** For each door of a pod: what each agent gets who has exactly that access to `shared/` and what is in it. */
const POD_DOORS: Readonly<Record<string, readonly Row[]>> = {
  //                                             public stranger reader appender writer controller owner
  // Who has Control reads access lists, and so a query has something to range over.
  "get /:pod/.well-known/solid": [
    ["the storage", ".well-known/solid", {}, 200, 200, 200, 200, 200, 200, 200],
  ],
  "get /:pod/sparql": [
    ["what it is", "sparql", {}, 200, 200, 200, 200, 200, 200, 200],
    ["a query", ASK, {}, 200, 200, 200, 200, 200, 200, 200],
    // Of nothing an empty answer, but for those who would rather be refused.
    ["a query, strictly", ASK, STRICT, 401, 403, 200, 403, 403, 200, 200],
  ],
  "post /:pod/sparql": [
    [
      "a query",
      "sparql",
      { method: "POST", headers: { "content-type": "application/sparql-query" }, body: "ASK {}" },
      200,
      200,
      200,
      200,
      200,
      200,
      200,
    ],
    [
      "a form, strictly",
      "sparql",
      { method: "POST", headers: { ...FORM, ...STRICT.headers }, body: "query=ASK%20%7B%7D" },
      401,
      403,
      200,
      403,
      403,
      200,
      200,
    ],
  ],
  "get /:pod/search": [
    ["all that may be read", "search?q=garden", {}, 200, 200, 200, 200, 200, 200, 200],
    ["strictly", "search?q=garden", STRICT, 401, 403, 200, 403, 403, 200, 200],
    ["for nothing", "search", {}, 400, 400, 400, 400, 400, 400, 400],
  ],
  "get /:pod/sparql-update": [["nothing", "sparql-update", {}, 405, 405, 405, 405, 405, 405, 405]],
  "post /:pod/sparql-update": [
    ["to add to a document", "sparql-update", change("INSERT"), 401, 403, 403, 204, 204, 403, 204],
    ["to take away from it", "sparql-update", change("DELETE"), 401, 403, 403, 403, 204, 403, 204],
  ],
  "get /:pod/.well-known/lws/types": [
    ["the types of what may be read", ".well-known/lws/types", {}, 200, 200, 200, 200, 200, 200, 200],
    ["a page that never was", ".well-known/lws/types?cursor=x", {}, 404, 404, 404, 404, 404, 404, 404],
  ],
  "get /:pod/.well-known/lws/search": [
    ["all that may be read", ".well-known/lws/search", {}, 200, 200, 200, 200, 200, 200, 200],
  ],
  "post /:pod/.well-known/lws/search": [
    ["a filter", ".well-known/lws/search", SEARCH, 200, 200, 200, 200, 200, 200, 200],
    ["what is no filter", ".well-known/lws/search", POST, 415, 415, 415, 415, 415, 415, 415],
  ],
  "get /:pod/.notifications/": [["the services", ".notifications/", {}, 200, 200, 200, 200, 200, 200, 200]],
  "get /:pod/.notifications/:service": [
    ["what it is", ".notifications/WebSocketChannel2023", {}, 200, 200, 200, 200, 200, 200, 200],
  ],
  "post /:pod/.notifications/:service": [
    [
      "for a document",
      ".notifications/StreamingHTTPChannel2023",
      subscribe("shared/a.ttl"),
      401,
      403,
      200,
      403,
      403,
      403,
      200,
    ],
    [
      "for what nobody shared",
      ".notifications/StreamingHTTPChannel2023",
      subscribe("settings/"),
      401,
      403,
      403,
      403,
      403,
      403,
      200,
    ],
    [
      "for what may come to be there",
      ".notifications/StreamingHTTPChannel2023",
      subscribe("shared/none.ttl"),
      401,
      403,
      200,
      403,
      403,
      403,
      200,
    ],
  ],
  "get /:pod/.notifications/channels/:id": [
    ["that is not there", ".notifications/channels/none", {}, 404, 404, 404, 404, 404, 404, 404],
  ],
  "delete /:pod/.notifications/channels/:id": [
    [
      "that is not there",
      ".notifications/channels/none",
      { method: "DELETE" },
      404,
      404,
      404,
      404,
      404,
      404,
      404,
    ],
  ],
  "get /:pod/.notifications/channels/:id/:secret": [
    ["without its secret", ".notifications/channels/none/none", {}, 404, 404, 404, 404, 404, 404, 404],
  ],
  ...CONSENT_DOORS,
  "get /:pod/.journal{/{*page}}": [
    ["its pages", ".journal/", {}, 401, 403, 403, 403, 403, 403, 200],
    ["a page", ".journal/1", {}, 401, 403, 403, 403, 403, 403, 200],
    ["a page that is not there", ".journal/999", {}, 401, 403, 403, 403, 403, 403, 404],
    ["without its slash", ".journal", { redirect: "manual" }, 401, 403, 403, 403, 403, 403, 301],
  ],
  "get /:pod/.series/{*folder}": [
    ["a stream that is not there", ".series/shared/none/", {}, 401, 403, 404, 403, 403, 403, 404],
    ["a stream nobody shared", ".series/none/?every=P1D", {}, 401, 403, 403, 403, 403, 403, 404],
    ["what is no stream", ".series/", {}, 400, 400, 400, 400, 400, 400, 400],
  ],
  "post /:pod/.series/{*folder}": [
    ["a batch, and then the same", ".series/shared/measured/", BATCH, 401, 403, 403, 201, 200, 403, 200],
    ["outside", ".series/measured/", BATCH, 401, 403, 403, 403, 403, 403, 201],
  ],
  "get /{*path}": [
    ["a document", "shared/a.ttl", {}, 401, 403, 200, 403, 403, 403, 200],
    ["its head", "shared/a.ttl", { method: "HEAD" }, 401, 403, 200, 403, 403, 403, 200],
    ["what is not there", "shared/none.ttl", {}, 401, 403, 404, 403, 403, 403, 404],
    ["a folder", "shared/", {}, 401, 403, 200, 403, 403, 403, 200],
    ["a folder without its slash", "shared/deep", { redirect: "manual" }, 401, 403, 301, 403, 403, 403, 301],
    ["an access list", "shared/.acl", {}, 401, 403, 403, 403, 403, 200, 200],
    ["an access list that is not there", "shared/a.ttl.acl", {}, 401, 403, 403, 403, 403, 404, 404],
    ["a description", "shared/.meta", {}, 401, 403, 200, 403, 403, 403, 200],
    ["what nobody shared", "settings/", {}, 401, 403, 403, 403, 403, 403, 200],
    ["the root", "", {}, 401, 403, 403, 403, 403, 403, 200],
    ["the profile", "profile/card", {}, 200, 200, 200, 200, 200, 200, 200],
  ],
  "put /{*path}": [
    ["over a document", "shared/a.ttl", PUT, 401, 403, 403, 403, 204, 403, 204],
    ["a new one", "shared/new.ttl", PUT, 401, 403, 403, 403, 201, 403, 201],
    ["a new one in a new folder", "shared/x/y/new.ttl", PUT, 401, 403, 403, 403, 201, 403, 201],
    ["a new folder", "shared/new/", { method: "PUT", headers: turtle }, 401, 403, 403, 403, 201, 403, 201],
    ["an access list", "shared/a.ttl.acl", PUT, 401, 403, 403, 403, 403, 201, 201],
    ["a description", "shared/a.ttl.meta", PUT, 401, 403, 403, 403, 201, 403, 201],
    ["to the journal", ".journal/1", PUT, 405, 405, 405, 405, 405, 405, 405],
    ["outside", "private.ttl", PUT, 401, 403, 403, 403, 403, 403, 201],
    ["over the profile", "profile/card", PUT, 401, 403, 403, 403, 403, 403, 409],
  ],
  "post /{*path}": [
    ["a document", "shared/", POST, 401, 403, 403, 201, 201, 403, 201],
    ["a folder", "shared/", { method: "POST", headers: FOLDER }, 401, 403, 403, 201, 201, 403, 201],
    ["to a document", "shared/a.ttl", POST, 405, 405, 405, 405, 405, 405, 405],
    ["to no document", "shared/none.ttl", POST, 405, 405, 404, 405, 405, 405, 404],
    ["to what is not there", "shared/none/", POST, 401, 403, 403, 404, 404, 403, 404],
    ["outside", "", POST, 401, 403, 403, 403, 403, 403, 201],
  ],
  "patch /{*path}": [
    [
      "that inserts",
      "shared/a.ttl",
      n3("solid:inserts { <> <urn:x:is> 4 }"),
      401,
      403,
      403,
      204,
      204,
      403,
      204,
    ],
    [
      "that inserts what is new",
      "shared/new.ttl",
      n3("solid:inserts { <> <urn:x:is> 4 }"),
      401,
      403,
      403,
      201,
      201,
      403,
      201,
    ],
    [
      "that deletes",
      "shared/a.ttl",
      n3("solid:deletes { <> <urn:x:is> 1 }"),
      401,
      403,
      403,
      403,
      403,
      403,
      204,
    ],
    [
      "that looks",
      "shared/a.ttl",
      n3("solid:where { <> <urn:x:is> ?x }; solid:inserts { <> <urn:x:was> ?x }"),
      401,
      403,
      403,
      403,
      403,
      403,
      204,
    ],
    [
      "in SPARQL that inserts",
      "shared/a.ttl",
      update("INSERT DATA { <> <urn:x:is> 5 }"),
      401,
      403,
      403,
      204,
      204,
      403,
      204,
    ],
    [
      "in SPARQL that deletes",
      "shared/a.ttl",
      update("DELETE DATA { <> <urn:x:is> 1 }"),
      401,
      403,
      403,
      403,
      204,
      403,
      204,
    ],
    [
      "in SPARQL that looks",
      "shared/a.ttl",
      update("DELETE WHERE { ?s ?p ?o }"),
      401,
      403,
      403,
      403,
      403,
      403,
      204,
    ],
    ["of a folder", "shared/", n3("solid:inserts { <> <urn:x:is> 4 }"), 401, 403, 403, 204, 204, 403, 204],
    [
      "of what a folder takes",
      "shared/",
      n3("solid:inserts { <> <http://www.w3.org/ns/ldp#constrainedBy> <urn:x:s> }"),
      401,
      403,
      403,
      403,
      204,
      403,
      204,
    ],
    [
      "of an access list",
      "shared/.acl",
      n3("solid:inserts { <> <urn:x:is> 4 }"),
      401,
      403,
      403,
      403,
      403,
      204,
      204,
    ],
  ],
  "delete /{*path}": [
    ["a document", "shared/a.ttl", { method: "DELETE" }, 401, 403, 403, 403, 205, 403, 205],
    ["what is not there", "shared/none.ttl", { method: "DELETE" }, 401, 403, 403, 403, 404, 403, 404],
    ["a full folder", "shared/deep/", { method: "DELETE" }, 401, 403, 403, 403, 409, 403, 409],
    ["an access list", "shared/.acl", { method: "DELETE" }, 401, 403, 403, 403, 403, 205, 205],
    ["a description", "shared/.meta", { method: "DELETE" }, 401, 403, 403, 403, 205, 403, 205],
    ["the root", "", { method: "DELETE" }, 405, 405, 405, 405, 405, 405, 405],
    ["the root's access list", ".acl", { method: "DELETE" }, 405, 405, 405, 405, 405, 405, 405],
  ],
};

/** For each door of the server's own: what a visitor gets, another site with the owner's cookie, and the owner's own page. */
const SERVER_DOORS: Readonly<Record<string, readonly [visitor: number, otherSite: number, ownPage: number]>> =
  {
    "get /.well-known/solid": [200, 200, 200],
    "get /.query/sparql": [200, 200, 200],
    "post /.query/sparql": [415, 415, 415],
    "get /.well-known/freehold/journal-key": [200, 200, 200],
    "post /.notifications/gateway": [422, 422, 422],
    "post /.notifications/subscription": [422, 422, 422],
    "get /.notifications/sender": [200, 200, 200],
    "get /.well-known/freehold/erasure-key": [200, 200, 200],
    "get /.well-known/freehold/consent-key": [200, 200, 200],
    "get /.well-known/uma2-configuration": [200, 200, 200],
    "get /.well-known/vc-configuration": [200, 200, 200],
    "get /.vc/.well-known/vc-configuration": [200, 200, 200],
    "post /.vc/issue": [401, 401, 401],
    "post /.vc/status": [401, 401, 401],
    "post /.vc/derive": [401, 401, 401],
    "post /.vc/verify": [400, 400, 400],
    "post /.vc/token": [401, 401, 401],
    "get /.vc/query": [401, 401, 401],
    "get /.vc/:pod/:kind/:ref": [401, 401, 401],
    "get /.account/request-access": [404, 404, 404],
    "post /.account/request-access": [401, 403, 415],
    "get /ns/problems": [200, 200, 200],
    "get /ns/problems/:code": [404, 404, 404],
    "get /.openapi.json": [200, 200, 200],
    "get /.api": [200, 200, 200],
    "get /llms.txt": [200, 200, 200],
    "get /ns/shapes/:domain": [404, 404, 404],
    "get /.well-known/oauth-protected-resource": [200, 200, 200],
    "get /.well-known/oauth-protected-resource/{*path}": [200, 200, 200],
    "get /.oidc/interaction/:uid": [404, 404, 404],
    "post /.oidc/interaction/:uid": [400, 403, 400],
    "post /.oidc/session-token": [401, 403, 401], // It wants a proof of a key, too.
    "get /healthz": [200, 200, 200],
    "get /readyz": [200, 200, 200],
    "get /version": [200, 200, 200],
    "get /.well-known/dcann/:id": [400, 400, 400],
    "get /v1/identifiers/{*did}": [400, 400, 400],
    "post /v1/identifiers/{*did}": [400, 400, 400],
    "post /v1/resolve": [400, 400, 400],
    "post /v1/ops": [422, 422, 422],
    "get /v1/ops/:hash": [400, 400, 400],
    "get /v1/passports/:id": [400, 400, 400],
    "get /v1/id/:id": [400, 400, 400],
    "get /v1/id/:id/pod/{*place}": [400, 400, 400],
    "get /v1/feed": [200, 200, 200],
    "get /v1/filter/:day": [400, 400, 400],
    "get /v1/zones": [200, 200, 200],
    "get /v1/help": [200, 200, 200],
    "get /rdap/help": [200, 200, 200],
    "get /rdap/entity/:id": [400, 400, 400],
    "get /log/:zone/:year/checkpoint": [404, 404, 404],
    "get /log/:zone/:year/checkpoint.pq": [404, 404, 404],
    "get /log/:zone/:year/tile/{*file}": [404, 404, 404],
    "get /v1/governance": [200, 200, 200],
    "get /v1/policy": [200, 200, 200],
    "get /v1/registrars": [200, 200, 200],
    "get /v1/registrars/:id": [404, 404, 404],
    "get /v1/vendors": [200, 200, 200],
    "get /v1/vendors/:id": [404, 404, 404],
    "get /v1/sanctions": [200, 200, 200],
    "get /v1/appeals": [200, 200, 200],
    "get /.registry": [200, 200, 200],
    "get /.vendor": [200, 200, 200],
    "get /.account/state": [200, 200, 200], // Says "nobody" to a visitor; another site cannot read the answer.
    "post /.account/setup/begin": [403, 403, 403],
    "post /.account/setup/name": [403, 403, 403],
    "post /.account/setup": [403, 403, 403],
    "post /.account/login": [400, 403, 400],
    "post /.account/logout": [200, 403, 200],
    "post /.account/passkey/login-options": [200, 403, 200],
    "post /.account/passkey/login": [401, 403, 401],
    "post /.account/passkey/register-options": [400, 403, 200],
    "post /.account/passkey/register": [401, 403, 400],
    "delete /.account/passkeys/:id": [401, 403, 404],
    "post /.account/password": [401, 403, 409],
    "post /.account/recovery": [401, 403, 200],
    "get /.account/credentials": [401, 200, 200],
    "post /.account/credentials": [401, 403, 400],
    "delete /.account/credentials/:id": [401, 403, 404],
    "get /.account/sessions": [401, 200, 200],
    "delete /.account/sessions/:id": [401, 403, 200],
    "delete /.account/sessions": [401, 403, 200],
    "get /.account/apps": [401, 200, 200],
    "delete /.account/apps/:id": [401, 403, 404],
    "post /.account/apps/:id": [401, 403, 400],
    "get /.account/overview": [401, 200, 200],
    "get /.account/folder": [401, 200, 200],
    "post /.account/access/revoke": [401, 403, 400],
    "post /.account/access/grant": [401, 403, 400],
    "post /.account/access/undo": [401, 403, 400],
    "get /.account/journal": [401, 200, 200],
    "get /.account/journal/summary": [401, 200, 200],
    "get /.account/journal/file": [401, 403, 200], // A link on another site starts no download.
    "get /.account/journal/head": [401, 200, 200],
    "post /.account/journal/verify": [401, 403, 200],
    "get /.account/access/opens": [401, 400, 400],
    "get /.account/access/preview": [401, 400, 400],
    "get /.account/health": [401, 200, 200],
    "get /.account/safekeeping": [401, 200, 200],
    "post /.account/name": [401, 403, 400],
    "post /.account/keys": [401, 403, 200],
    "get /.account/imports": [401, 200, 200],
    "post /.account/imports/preview": [401, 403, 415],
    "post /.account/imports": [401, 403, 415],
    "post /.account/imports/undo": [401, 403, 400],
    "get /.account/export": [401, 403, 200], // A link on another site starts no download.
    "post /.account/import": [401, 403, 415],
    "get /.account/moved": [401, 200, 200],
    "post /.account/moved": [401, 403, 400],
    "post /.account/passport/host": [401, 403, 200],
    "post /.account/passport/arrival": [401, 403, 422],
    "post /.account/erase": [401, 403, 400],
    "get /.account/usage": [401, 200, 200],
    "get /.account/history": [401, 404, 404],
    "get /.account/history/version": [401, 404, 404],
    "post /.account/history/restore": [401, 403, 400],
    "get /.account/trash": [401, 200, 200],
    "post /.account/trash/restore": [401, 403, 400],
    "post /.account/trash/purge": [401, 403, 400],
    "post /.account/trash/empty": [401, 403, 200],
    "get /.account/restrictions": [401, 200, 200],
    "post /.account/restrictions": [401, 403, 400],
    "get /": [200, 200, 200],
    "get /.account/setup": [200, 200, 200],
    "get /.account/login": [200, 200, 200],
    "get /.account/consent": [200, 200, 200],
    "get /.well-known/change-password": [302, 302, 302],
    "get /.ui/{*path}": [404, 404, 404],
  };

describe("Every door, and who may pass it", () => {
  let server: TestServer;
  let ana: Person;
  const agents = new Map<(typeof AGENTS)[number], Fetch>([["public", fetch]]);
  const url = (path: string) => `${ana.pod}${path}`;
  const keyOf = ({ verb, path }: { readonly verb: string; readonly path: string }) => `${verb} ${path}`;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "loginsPerAccountMax=1000,loginsPerIpMax=1000" });
    ana = await server.person("ana");
    agents.set("owner", ana.fetch);
    for (const name of ["stranger", "reader", "appender", "writer", "controller"] as const)
      agents.set(name, (await server.person(name)).fetch);
  });
  after(() => server.close());

  it("has an entry here", () => {
    expect(Object.keys(POD_DOORS)).to.have.members(podRoutes(server.context).map(keyOf));
    expect(Object.keys(SERVER_DOORS)).to.have.members(doorRoutes(server.context).map(keyOf));
  });

  /** As it was before anybody passed. */
  async function restore(): Promise<void> {
    const webid = (name: string) => `${server.baseUrl}${name}/profile/card#me`;
    for (const path of [
      "shared/new.ttl",
      "shared/x/y/new.ttl",
      "shared/new/",
      "shared/a.ttl.acl",
      "private.ttl",
    ])
      await ana.fetch(url(path), { method: "DELETE" });
    await setAccess(ana, url("shared/"), [
      { to: webid("reader"), modes: ["Read"] },
      { to: webid("appender"), modes: ["Append"] },
      { to: webid("writer"), modes: ["Write"] },
      { to: webid("controller"), modes: ["Control"] },
    ]);
    await ana.fetch(url("shared/a.ttl"), { method: "DELETE" }); // With its description.
    await write(ana, url("shared/a.ttl"));
    await write(ana, url("shared/.meta"), "<./> <urn:x:title> 'Shared' .");
  }

  describe("of a pod", () => {
    before(async () => {
      await write(ana, url("shared/deep/leaf.ttl"));
      await write(ana, url("shared/x/y/stays.ttl"));
    });
    for (const [door, rows] of Object.entries(POD_DOORS)) {
      for (const [what, path, init, ...expected] of rows) {
        it(`${door}: ${what}`, async () => {
          const seen: number[] = [];
          const isChange = !["GET", "HEAD"].includes(init.method ?? "GET") && !path.startsWith("sparql");
          if (!isChange) await restore();
          for (const name of AGENTS) {
            if (isChange) await restore();
            const response = await agents.get(name)?.(url(path), init);
            seen.push(response?.status ?? 0);
            if (response && [401, 403].includes(response.status))
              expect(await response.text()).not.to.match(/urn:x:|leaf|Shared/);
          }
          expect(Object.fromEntries(AGENTS.map((name, index) => [name, seen[index]]))).to.deep.equal(
            Object.fromEntries(AGENTS.map((name, index) => [name, expected[index]])),
          );
        });
      }
    }
  });

  describe("of the server", () => {
    const here = () => new URL(server.baseUrl).origin;
    async function signIn(): Promise<string> {
      const response = await fetch(`${server.baseUrl}.account/login`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: here() },
        body: JSON.stringify({ pod: "ana", password: "a long password of ana" }),
      });
      return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    }
    /** Of what goes on for ever, what comes first. */
    async function textOf(response: Response): Promise<string> {
      const isEndless = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
      if (!isEndless) return response.text();
      const reader = response.body?.getReader();
      const { value } = (await reader?.read()) ?? {};
      await reader?.cancel();
      return new TextDecoder().decode(value);
    }
    for (const [door, expected] of Object.entries(SERVER_DOORS)) {
      it(door, async () => {
        const [verb = "", path = ""] = door.split(" ");
        const knock = async (headers: Record<string, string>): Promise<Response> =>
          fetch(`${server.baseUrl}${path.slice(1).replace(/:\w+|\{\*path\}/, "nothing")}`, {
            method: verb.toUpperCase(),
            redirect: "manual",
            headers: verb === "post" ? { "content-type": "application/json", ...headers } : headers,
            ...(verb === "post" && { body: "{}" }),
          });
        const visitor = await knock({ origin: here() });
        const otherSite = await knock({ origin: "https://evil.example", cookie: await signIn() });
        const ownPage = await knock({ origin: here(), cookie: await signIn() });
        expect([visitor.status, otherSite.status, ownPage.status]).to.deep.equal(expected);
        const isForAll = doorRoutes(server.context).find((route) => keyOf(route) === door)?.origins === "all";
        expect(otherSite.headers.has("access-control-allow-origin"), "another site may read it").to.equal(
          isForAll,
        );
        const known = await textOf(visitor);
        for (const { body } of [otherSite, ownPage]) await body?.cancel();
        expect(known).not.to.include("profile/card#me");
        const rest = await fetch(`${server.baseUrl}${path.slice(1).replace(/:\w+|\{\*path\}/, "nothing")}`, {
          method: "PATCH",
        });
        expect(rest.status, "no other method").to.equal(405);
        expect(rest.headers.get("allow")).to.include(verb.toUpperCase());
      });
    }
  });
});
