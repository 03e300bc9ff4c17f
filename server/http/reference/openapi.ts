/**
 * The OpenAPI document of every door that is not Solid's own, made from one table of what each does; a test holds the table
 * to the doors that there are. https://spec.openapis.org/oas/v3.1.1.html
 */
import { PROBLEMS } from "../../problems.ts";
import { ACCOUNT } from "./account.ts";
import { ASKING, SERVER } from "./asking.ts";
import { CONSENT } from "./consent.ts";
import { REGISTRY } from "./registry.ts";
import type { Pass, Said, SaidOf, Schema } from "./said.ts";

interface Part {
  readonly name: string;
  readonly about: string;
  readonly doors: SaidOf;
}

/** In the order in which a reader would want them. */
export const PARTS: readonly Part[] = [
  { name: "Consent", about: "What vendors ask for and owners give; grants, receipts, views", doors: CONSENT },
  {
    name: "Asking",
    about: "Queries, search, streams, notifications and the journal of a pod",
    doors: ASKING,
  },
  { name: "Account", about: "What a person's own pages ask: from those pages only", doors: ACCOUNT },
  { name: "Registry", about: "Passports: identifiers that lead to a pod wherever it is", doors: REGISTRY },
  { name: "Server", about: "Health, versions, keys, and this reference", doors: SERVER },
];

/** Doors that are pages or Solid's own, and stand in its specifications. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["get", "put", "post", "patch", "delete"].map((verb) => [
      `${verb} /{*path}`,
      "resources: the Solid Protocol says what they do",
    ]),
  ),
  "get /": "a page",
  "get /.account/setup": "a page",
  "get /.account/login": "a page",
  "get /.account/consent": "a page",
  "get /.registry": "a page",
  "get /.vendor": "a page",
  "get /.ui/{*path}": "files of the pages",
  "get /.well-known/change-password": "leads to a page",
};

const IN_WORDS: Readonly<Record<Pass, string>> = {
  everybody: "For everybody; what is shown hangs on who asks.",
  page: "From the server's own pages: the request must be of the same origin.",
  session: "For who is signed in, from the server's own pages.",
  proof: "For who is signed in and has just proved it by passkey or password, from the server's own pages.",
  named: "With an access token; others are told 401.",
  owner: "For the owner of the pod.",
};

const SESSION: readonly Pass[] = ["session", "proof"];
const TOKEN: readonly Pass[] = ["named", "owner"];

const securityOf = (pass: Pass): readonly object[] =>
  SESSION.includes(pass)
    ? [{ session: [] }]
    : TOKEN.includes(pass)
      ? [{ dpop: [] }, { grantToken: [] }]
      : [{}, ...(pass === "everybody" ? [{ dpop: [] }] : [])];

const PARAMETERS: Readonly<Record<string, string>> = {
  pod: "Name of the pod",
  id: "Identifier of it",
  path: "Path, as it is in addresses",
  code: "Code of a problem, such as forbidden",
  uid: "Identifier of a sign-in",
  did: "A DID, or a DID URL",
  hash: "Hash of an operation",
  day: "Day in UTC, such as 2026-11-22",
  zone: "Zone of two characters",
  year: "Year of the log",
  file: "Path of a tile",
  place: "Place in the pod",
  folder: "Folder in the pod",
  service: "Name of the kind of subscription",
  secret: "The secret part of where a channel is received",
  kind: "request, grant or denial",
  ref: "Identifier in its pod",
  domain: "Domain of shapes",
};

/** As OpenAPI writes it: `/:pod/{*path}` is `/{pod}/{path}`. */
export function templateOf(path: string): string {
  return path
    .replace(/\{\/\{\*\w+\}\}/g, "/")
    .replace(/\{\*(\w+)\}/g, "{$1}")
    .replace(/:(\w+)/g, "{$1}");
}

const contentOf = (types: Readonly<Record<string, Schema>>): object =>
  Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }]));

const camel = (text: string): string =>
  text.replace(/[^a-zA-Z0-9]+(\w|$)/g, (_, letter: string) => letter.toUpperCase());

function operation(verb: string, path: string, part: string, said: Said): object {
  const { about, more, pass, body, query = {}, status = 200, answer = null } = said;
  const template = templateOf(path);
  const named = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    ...(PARAMETERS[name] !== undefined && { description: PARAMETERS[name] }),
  }));
  const asked = Object.entries(query).map(([name, schema]) => ({ name, in: "query", schema }));
  return {
    operationId: camel(`${verb} ${template}`),
    tags: [part],
    summary: about,
    description: [more, IN_WORDS[pass]].filter(Boolean).join("\n\n"),
    security: securityOf(pass),
    ...(named.length + asked.length > 0 && { parameters: [...named, ...asked] }),
    ...(body && { requestBody: { required: true, content: contentOf(body) } }),
    responses: {
      [status]: { description: "Done", ...(answer && { content: contentOf(answer) }) },
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

export interface Served {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly version: string;
  /** Of the doors, those that this server has, as `verb path`; absent: all. */
  readonly has?: ReadonlySet<string>;
}

export function openApi({ baseUrl, version, has }: Served): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const { name, doors } of PARTS)
    for (const [key, said] of Object.entries(doors)) {
      if (has && !has.has(key)) continue;
      const [verb = "", path = ""] = key.split(" ", 2);
      const template = templateOf(path);
      paths[template] = { ...paths[template], [verb]: operation(verb, path, name, said) };
    }
  const { host, port, protocol } = new URL(baseUrl);
  return {
    openapi: "3.1.1",
    info: {
      title: "Freehold",
      version,
      description: `Doors of this server besides those of the Solid Protocol, which are https://solidproject.org/TR/protocol. What is refused is a problem document (RFC 9457); ${baseUrl}ns/problems has all there are.`,
      license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: baseUrl.slice(0, -1), description: host }],
    tags: PARTS.map(({ name, about }) => ({ name, description: about })),
    paths,
    components: {
      responses: {
        Problem: {
          description: "It was refused, and why",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
      schemas: {
        Problem: {
          type: "object",
          required: ["type", "title", "status", "next"],
          properties: {
            type: {
              type: "string",
              enum: Object.keys(PROBLEMS).map((code) => `${baseUrl}ns/problems#${code}`),
              description: "What it is; the address says more",
            },
            title: { type: "string" },
            status: { type: "integer" },
            detail: { type: "string", description: "What it was this time" },
            next: { type: "string", description: "What to do" },
            requestId: { type: "string", description: "For whoever runs the server" },
            errors: {
              type: "array",
              items: {
                type: "object",
                required: ["detail"],
                properties: { detail: { type: "string" }, at: { type: "string" } },
              },
            },
          },
        },
      },
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: protocol === "https:" ? "__Host-freehold" : `freehold${port && `-${port}`}`,
          description: "Of who signed in on this server's pages; it counts from those pages only",
        },
        dpop: {
          type: "http",
          scheme: "DPoP",
          description: `An access token of Solid-OIDC, bound to a key: ${baseUrl}.well-known/openid-configuration`,
        },
        grantToken: {
          type: "http",
          scheme: "bearer",
          description: "A token that stands for one grant, from /.vc/token",
        },
      },
    },
  };
}
