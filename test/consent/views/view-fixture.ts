/** A real server: Ana with documents full of canaries, and vendors who were granted views of them. */
import type { GrantDraft } from "../../../server/consent/grants.ts";
import type { Grant, Policy } from "../../../server/consent/model.ts";
import type { Pod } from "../../../server/store/pods.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";
import { CARE, draft, policy } from "../grant-fixture.ts";

export const PREFIXES = `
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix schema: <https://schema.org/> . @prefix sosa: <http://www.w3.org/ns/sosa/> .
@prefix qudt: <http://qudt.org/schema/qudt/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix fh: <https://w3id.org/freehold/ns#> . @prefix unit: <http://qudt.org/vocab/unit/> .
`;

export const CONTACT = `${PREFIXES}
<#ana> a vcard:Individual ; vcard:fn "Ana Example" ; vcard:note "canary-note" ;
  vcard:hasEmail <#mail> ; vcard:hasTelephone <#phone> ; vcard:hasAddress <#home> ; foaf:knows <#ben> .
<#mail> a vcard:Email ; vcard:value <mailto:ana@mail.example> .
<#phone> a vcard:Cell ; vcard:value <tel:+41440000canary> .
<#ben> a foaf:Person ; foaf:name "Ben canary-friend" .
<#home> a vcard:Address ; vcard:street-address "Bahnhofstrasse 1" ; vcard:postal-code "8001" ; vcard:locality "Zürich" ;
  vcard:region "Zürich" ; schema:addressCountry "CH" ; fh:role fh:home ; schema:validFrom "2020-01-01"^^xsd:date ;
  <http://purl.org/dc/terms/modified> "2026-11-01T08:00:00Z"^^xsd:dateTime ; vcard:note "canary-key-under-the-mat" .
`;

export interface Granting {
  readonly server: TestServer;
  readonly ana: Person;
  readonly pod: Pod;
  vendor(name: string): Promise<Person>;
  put(path: string, turtle: string): Promise<void>;
  /** Ana grants it. */
  grant(vendor: Person, policies: readonly Partial<Policy>[], rest?: Partial<GrantDraft>): Promise<Grant>;
  /** Address of one of its views. */
  viewOf(grant: Grant, at?: number): string;
  get(vendor: Person, url: string, headers?: Record<string, string>): Promise<Answer>;
  query(vendor: Person, sparql: string, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Status, all fields and all bytes: everything that whoever asks gets to see. */
  readonly seen: string;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return {
    status: response.status,
    headers: response.headers,
    text,
    seen: `${response.status}\n${fields}\n\n${text}`,
  };
}

export async function startGranting(env: Readonly<Record<string, string>> = {}): Promise<Granting> {
  const server = await startServer(env);
  const ana = await server.person("Ana");
  const { context } = server;
  const pod = (await context.pods.find("ana"))!;
  return {
    server,
    ana,
    pod,
    vendor: (name) => server.person(name),
    async put(path, turtle) {
      const { status } = await ana.fetch(`${ana.pod}${path}`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: turtle,
      });
      if (status >= 300) throw new Error(`PUT ${path}: ${status}`);
    },
    async grant(vendor, policies, rest = {}) {
      const notAfter = context.now().getTime() + 30 * 24 * 3_600_000;
      const wanted = draft(
        policies.map((one) => policy({ purposes: [CARE], notAfter, ...one })),
        { assignee: vendor.webid, controller: vendor.webid, ...rest },
      );
      const { result } = await context.store.write(pod.id, (transaction) =>
        context.consent.grants.create(transaction, pod, wanted, { agent: pod.owner }),
      );
      return result;
    },
    viewOf: (grant, at = 0) => `${ana.pod}.views/${grant.views[at]}`,
    get: async (vendor, url, headers = {}) => answerOf(await vendor.fetch(url, { headers })),
    query: async (vendor, sparql, headers = {}) =>
      answerOf(
        await vendor.fetch(`${ana.pod}sparql`, {
          method: "POST",
          headers: { "content-type": "application/sparql-query", ...headers },
          body: sparql,
        }),
      ),
    close: () => server.close(),
  };
}
