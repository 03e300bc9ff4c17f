/** The reference as a page for people, made from the OpenAPI document. */
import { escapeHtml } from "../../html.ts";
import type { Result } from "../../operation.ts";
import { openApi, type Served } from "./openapi.ts";
import { sheet } from "./sheet.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: { readonly description?: string; readonly enum?: readonly string[] };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

interface Document {
  readonly info: { readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const row = ({ name, in: place, description, schema }: Parameter): string => {
  const said = [description, schema.description, schema.enum?.join(", ")].filter(Boolean).join("; ");
  return `<dt><code>${escapeHtml(name)}</code> <span class="soft">in the ${escapeHtml(place)}</span></dt><dd>${escapeHtml(said)}</dd>`;
};

const contents = (title: string, content: Readonly<Record<string, { readonly schema: object }>>): string =>
  Object.entries(content)
    .map(
      ([type, { schema }]) =>
        `<details><summary>${escapeHtml(title)}: <code>${escapeHtml(type)}</code></summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`,
    )
    .join("");

function article(verb: string, path: string, operation: Operation): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const answers = Object.entries(responses)
    .filter(([status]) => status !== "default")
    .map(([status, { content }]) =>
      content
        ? contents(`Answer ${status}`, content)
        : `<p class="soft">Answer ${escapeHtml(status)}, without content</p>`,
    );
  return `<article id="${escapeHtml(operationId)}"><h3><code>${verb.toUpperCase()} ${escapeHtml(path)}</code></h3><p>${escapeHtml(summary)}</p><p class="soft">${escapeHtml(description)}</p>${parameters.length > 0 ? `<dl>${parameters.map(row).join("")}</dl>` : ""}${requestBody ? contents("Sent", requestBody.content) : ""}${answers.join("")}</article>`;
}

/** `GET /.api` */
export function referencePage(served: Served): Result {
  const { info, tags, paths, servers } = openApi(served) as unknown as Document;
  const all = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => ({ verb, path, operation })),
  );
  const parts = tags.map(({ name, description }) => {
    const own = all.filter(({ operation }) => operation.tags.includes(name));
    return `<section id="${escapeHtml(name)}"><h2>${escapeHtml(name)}</h2><p>${escapeHtml(description)}</p>${own.map(({ verb, path, operation }) => article(verb, path, operation)).join("")}</section>`;
  });
  const links = tags.map(
    ({ name, description }) =>
      `<li><a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>: ${escapeHtml(description)}</li>`,
  );
  const intro = `<p>Freehold ${escapeHtml(info.version)} at <code>${escapeHtml(servers[0]?.url ?? "")}</code>. ${escapeHtml(info.description)}</p><p>For programs: <a href="/.openapi.json">OpenAPI 3.1</a>, <a href="/llms.txt">llms.txt</a>. <a href="/ns/problems">All refusals</a>.</p>`;
  return sheet("The doors of this server", `${intro}<nav><ul>${links.join("")}</ul></nav>${parts.join("")}`);
}
