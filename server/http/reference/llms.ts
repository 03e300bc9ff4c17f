/** `/llms.txt`: a short map of the doors, for language models and whoever wants one page. https://llmstxt.org/ */
import { PROBLEMS } from "../../problems.ts";
import { PARTS, type Served, templateOf } from "./openapi.ts";

export function llmsText({ baseUrl, version, has }: Served): string {
  const doors = PARTS.filter(({ name }) => name !== "Account").map(({ name, about, doors }) => {
    const rows = Object.entries(doors)
      .filter(([key]) => !has || has.has(key))
      .map(([key, said]) => {
        const [verb = "", path = ""] = key.split(" ", 2);
        return `- \`${verb.toUpperCase()} ${templateOf(path)}\`: ${said.about}`;
      });
    return `## ${name}\n\n${about}.\n\n${rows.join("\n")}`;
  });
  const codes = Object.entries(PROBLEMS).map(([code, { status }]) => `${code} (${status})`);
  return `# Freehold

> A personal-data pod server ${version} at ${baseUrl}: Solid resources, SPARQL, access by rules and by signed consents, and passports that outlive a host.

A pod is ${baseUrl}{pod}/. Resources in it are read and written by the Solid Protocol (https://solidproject.org/TR/protocol): GET, PUT, POST, PATCH (N3 Patch, SPARQL Update), DELETE; folders end in /. RDF is Turtle, JSON-LD, N-Triples, N-Quads or TriG, as Accept says. Write with If-Match or If-None-Match. Its description, with all its services: GET ${baseUrl}{pod}/.well-known/solid.

Log in by Solid-OIDC (${baseUrl}.well-known/openid-configuration): access tokens are bound to a key (DPoP, RFC 9449). A person's programs use client credentials; apps in browsers a client identifier document and PKCE. 401 says in WWW-Authenticate what is wanted.

A refusal is application/problem+json (RFC 9457) with title, detail and next: what to do. Codes: ${codes.join(", ")}. Each has a page: ${baseUrl}ns/problems/{code}.

To ask somebody for data as a vendor: POST an AccessRequest to {pod}/.consent/requests, signed; wait until it is granted; then read with the grant named, and stop when it ends. The npm package @freehold/client does all of this.

- [OpenAPI 3.1](${baseUrl}.openapi.json): every door below, with what it takes
- [Reference](${baseUrl}.api): the same for people

${doors.join("\n\n")}
`;
}
