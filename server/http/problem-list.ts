/**
 * What the `type` of every problem document leads to: the table of problems, as a page for people and as JSON.
 * https://www.rfc-editor.org/rfc/rfc9457#section-3.1.1
 */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import { escapeHtml } from "../html.ts";
import type { Door } from "../operation.ts";
import { PROBLEMS } from "../problems.ts";
import { negotiate } from "../rdf/media.ts";

const TYPES = ["application/json", "text/html"] as const;
const STYLE =
  ":root{color-scheme:light dark}body{max-inline-size:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}h2{margin:2rem 0 0;font-size:1.1rem}p{margin:.25rem 0}:target{outline:3px solid;outline-offset:.5rem}code{opacity:.75}";
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'`;

function page(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title, next }]) =>
      `<section id="${code}"><h2>${escapeHtml(title)}</h2><p><code>${status} ${code}</code></p><p>${escapeHtml(next)}</p></section>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Problems</title><style>${STYLE}</style><h1>When a request is refused</h1>${rows.join("")}</html>`;
}

function table(base: string): string {
  const problems = Object.entries(PROBLEMS).map(([code, kind]) => ({ type: `${base}${code}`, ...kind }));
  return JSON.stringify({ problems });
}

/**
 * `GET /ns/problems`: for everybody, the same for everybody.
 * @param problemBase What a problem's `type` begins with; ends in `#`.
 * @throws Problem `not-acceptable`.
 */
export function problemListDoor(problemBase: string): Door {
  return async ({ headers }) => {
    const chosen = negotiate(headers.accept, TYPES);
    if (chosen === null) throw new Problem("not-acceptable", `Available: ${TYPES.join(", ")}`);
    const isPage = chosen === "text/html";
    return {
      status: 200,
      headers: {
        "content-type": isPage ? "text/html; charset=utf-8" : chosen,
        "cache-control": "public, max-age=3600",
        vary: "Accept",
        "x-content-type-options": "nosniff",
        ...(isPage && { "content-security-policy": POLICY }),
      },
      body: isPage ? page() : table(problemBase),
    };
  };
}
