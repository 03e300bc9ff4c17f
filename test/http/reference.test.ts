/** The reference: every door that there is stands in it and no other, its document is OpenAPI, and its pages need nothing. */
import { expect } from "chai";
import { doorRoutes, podRoutes } from "../../server/app.ts";
import { NOT_HERE, openApi, PARTS, templateOf } from "../../server/http/reference/openapi.ts";
import { PROBLEMS } from "../../server/problems.ts";
import { freehold } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server.ts";

type Json = Readonly<Record<string, unknown>>;

const VERBS = ["get", "put", "post", "patch", "delete"];
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with a schema of JSON Schema 2020-12, as far as it is used here. */
function faultsOfSchema(schema: unknown, at: string): readonly string[] {
  if (!isObject(schema)) return [`${at} is no schema`];
  const types = ["object", "array", "string", "integer", "number", "boolean", "null"];
  const { type, properties, items, required, anyOf } = schema;
  return [
    ...[type ?? []].flat().flatMap((one) => (types.includes(one as string) ? [] : [`${at}/type`])),
    ...Object.entries(properties ?? {}).flatMap(([name, one]) => faultsOfSchema(one, `${at}/${name}`)),
    ...(items === undefined ? [] : faultsOfSchema(items, `${at}/items`)),
    ...((anyOf ?? []) as readonly unknown[]).flatMap((one, number) =>
      faultsOfSchema(one, `${at}/anyOf/${number}`),
    ),
    ...((required ?? []) as readonly string[]).flatMap((name) =>
      Object.hasOwn(properties ?? {}, name) ? [] : [`${at} requires ${name}, which it has not`],
    ),
  ];
}

/** https://spec.openapis.org/oas/v3.1.1.html, sections 4.8.1 to 4.8.30 */
function faultsOf(document: Json): readonly string[] {
  const faults: string[] = [];
  const say = (isRight: boolean, what: string): void => void (isRight || faults.push(what));
  say(/^3\.1\.\d+$/.test(String(document["openapi"])), "openapi");
  const info = document["info"] as Json;
  say(typeof info["title"] === "string" && typeof info["version"] === "string", "info");
  const components = document["components"] as Readonly<Record<string, Json>>;
  const schemes = Object.keys(components["securitySchemes"] ?? {});
  const tags = (document["tags"] as readonly { readonly name: string }[]).map(({ name }) => name);
  const ids = new Set<unknown>();
  const shapes = new Set<string>();
  for (const [path, item] of Object.entries(document["paths"] as Readonly<Record<string, Json>>)) {
    say(path.startsWith("/") && !/[:*?#]/.test(path), `${path} is no template`);
    const shape = path.replace(/\{\w+\}/g, "{}");
    say(!shapes.has(shape), `${path} is like another but for its names`);
    shapes.add(shape);
    for (const [verb, operation] of Object.entries(item as Readonly<Record<string, Json>>)) {
      const at = `${verb} ${path}`;
      const {
        operationId,
        summary,
        responses,
        parameters = [],
        requestBody,
        security,
        tags: own,
      } = operation;
      say(VERBS.includes(verb), `${at}: verb`);
      say(
        typeof operationId === "string" && /^[a-zA-Z]\w*$/.test(operationId) && !ids.has(operationId),
        `${at}: operationId ${String(operationId)}`,
      );
      ids.add(operationId);
      say(typeof summary === "string" && summary.length > 0 && !/[.]$/.test(summary), `${at}: summary`);
      say(
        (own as readonly string[]).every((tag) => tags.includes(tag)),
        `${at}: tags`,
      );
      const named = (parameters as readonly Json[]).filter((one) => one["in"] === "path");
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        named.map((one) => one["name"]),
        at,
      ).to.deep.equal(inPath);
      for (const parameter of parameters as readonly Json[]) {
        say(["path", "query"].includes(String(parameter["in"])), `${at}: a parameter's place`);
        say(
          parameter["in"] !== "path" ||
            (parameter["required"] === true && typeof parameter["description"] === "string"),
          `${at}: ${String(parameter["name"])}`,
        );
        faults.push(...faultsOfSchema(parameter["schema"], `${at} ${String(parameter["name"])}`));
      }
      const contents = [requestBody, ...Object.values(responses as Json)].filter(isObject);
      for (const one of contents)
        for (const [type, media] of Object.entries(
          (one["content"] ?? {}) as Readonly<Record<string, Json>>,
        )) {
          say(/^[\w*.+-]+\/[\w*.+-]+$/.test(type), `${at}: ${type}`);
          faults.push(...faultsOfSchema(media["schema"], `${at} ${type}`));
        }
      say(verb !== "get" || requestBody === undefined, `${at}: GET with content`);
      say(
        Object.keys(responses as Json).every((status) => status === "default" || /^[1-5]\d\d$/.test(status)),
        `${at}: statuses`,
      );
      say(
        (security as readonly Json[])
          .flatMap((one) => Object.keys(one))
          .every((name) => schemes.includes(name)),
        `${at}: security`,
      );
    }
  }
  for (const [, target] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = target!
      .split("/")
      .reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), document);
    say(found !== undefined, `$ref ${target}`);
  }
  return faults;
}

describe("the reference of the doors", function () {
  this.timeout(30_000);
  let server: TestServer;
  before(async () => (server = await startServer()));
  after(() => server?.close());
  const get = (path: string, accept = "*/*") =>
    fetch(new URL(path, server.baseUrl), { headers: { accept, origin: "https://app.example" } });

  it("has every door, and none that is not there", () => {
    const doors = [...doorRoutes(server.context), ...podRoutes(server.context)].map(
      ({ verb, path }) => `${verb} ${path}`,
    );
    const said = PARTS.flatMap(({ doors }) => Object.keys(doors));
    expect(
      doors.filter((door) => !said.includes(door) && !(door in NOT_HERE)),
      "say what they do in server/http/reference",
    ).to.deep.equal([]);
    expect([...said, ...Object.keys(NOT_HERE)].filter((door) => !doors.includes(door))).to.deep.equal([]);
    expect(new Set(said).size).to.equal(said.length);
  });

  it("is OpenAPI 3.1, as the server and the command give it", async () => {
    const response = await get("/.openapi.json");
    expect(response.headers.get("content-type")).to.equal("application/json");
    expect(response.headers.get("access-control-allow-origin")).to.be.oneOf(["*", "https://app.example"]);
    const document = (await response.json()) as Json;
    expect(faultsOf(document)).to.deep.equal([]);
    const { out } = await freehold(["openapi", "--base-url", server.baseUrl]).ended;
    expect(JSON.parse(out)).to.deep.equal(document);
    expect(Object.keys(document["paths"] as object)).to.include.members([
      "/{pod}/.consent/requests/{id}/decision",
      "/v1/passports/{id}",
      "/healthz",
    ]);
  });

  it("finds what is wrong with a document", () => {
    const document = openApi({ baseUrl: "https://pod.example/", version: "1" });
    expect(faultsOf(document)).to.deep.equal([]);
    const broken = structuredClone(document) as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    broken.paths["/healthz"]!["get"]!["summary"] = "";
    broken.paths["/v1/ops"]!["post"]!["responses"] = { "20": { description: "x" } };
    expect(faultsOf(broken)).to.deep.equal(["post /v1/ops: statuses", "get /healthz: summary"]);
    expect(templateOf("/:pod/.journal{/{*page}}")).to.equal("/{pod}/.journal/");
  });

  it("a server without a registry of its own does not say that it has one", () => {
    const has = new Set(["get /healthz"]);
    expect(
      Object.keys(openApi({ baseUrl: "https://pod.example/", version: "1", has })["paths"] as object),
    ).to.deep.equal(["/healthz"]);
  });

  it("is a page that needs no script and nothing from anywhere", async () => {
    for (const path of ["/.api", "/ns/problems", "/ns/problems/forbidden"]) {
      const response = await get(path, "text/html");
      const page = await response.text();
      expect(response.status, path).to.equal(200);
      expect(response.headers.get("content-security-policy"), path).to.match(
        /^default-src 'none'; style-src 'sha256-/,
      );
      expect(page, path)
        .to.match(/<h1>/)
        .and.not.match(
          /<script|<link|<img|https?:\/\/(?!localhost|www\.|solidproject\.org|w3id)[^"]*\.(?:js|css)/i,
        );
    }
    const page = await (await get("/.api", "text/html")).text();
    expect(page).to.include("POST /{pod}/.consent/requests").and.include('href="/.openapi.json"');
  });

  it("llms.txt is short, names the doors and leads on", async () => {
    const response = await get("/llms.txt");
    expect(response.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
    const text = await response.text();
    expect(text)
      .to.match(/^# Freehold\n\n> /)
      .and.include(`${server.baseUrl}.openapi.json`);
    expect(text).to.include("`POST /{pod}/.consent/requests`").and.include("shape-violation (422)");
    expect(text.length).to.be.below(24_000);
    for (const [, path = ""] of text.matchAll(/\]\(http:\/\/[^/]+(\/[^)]*)\)/g))
      expect((await get(path)).status, path).to.equal(200);
  });

  it("each problem has a page, for people and for programs, where its type leads", async () => {
    for (const [code, { status, title, next }] of Object.entries(PROBLEMS)) {
      const response = await get(`/ns/problems/${code}`, "application/json");
      const told = (await response.json()) as Json;
      expect(told, code).to.include({
        code,
        status,
        title,
        next,
        type: `${server.baseUrl}ns/problems#${code}`,
      });
      expect(String(told["means"]), code).to.match(/^[A-Z].+\.$/);
      const page = await (await get(`/ns/problems/${code}`, "text/html")).text();
      expect(page, code).to.include(`${status} ${code}`);
    }
    const list = await (await get("/ns/problems", "text/html")).text();
    for (const code of Object.keys(PROBLEMS)) expect(list).to.include(`id="${code}"`);
    const { type } = (await (await get("/nobody/x", "application/json")).json()) as { readonly type: string };
    expect((await fetch(type)).status).to.equal(200);
    const none = await get("/ns/problems/forbiden", "application/json");
    expect([none.status, ((await none.json()) as Json)["detail"]]).to.deep.equal([
      404,
      "There is no such problem. Did you mean forbidden?",
    ]);
    const script = await get("/ns/problems/%3Cscript%3E", "text/html");
    expect(script.status).to.equal(404);
    expect(await script.text()).to.not.include("<script");
  });
});
