/** What a person sees when a request by a browser is refused: a page without scripts that says what to do next. */
import { createHash } from "node:crypto";
import { escapeHtml } from "../html.ts";
import type { Result } from "../operation.ts";

export interface ErrorPageInput {
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly next: string;
  /** The request's id, for the operator. */
  readonly id: string;
  /** Path of what is closed, where its owner can be asked to open it; else null. */
  readonly closed?: string | null;
}

/** The same colours as `server/ui/style.css`; inline, so that the page needs nothing else from the server. */
const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#f6f3ea,#101613);--card:light-dark(#fffdf7,#18201c);--ink:light-dark(#1b2a23,#ece8dc);--soft:light-dark(#5a675f,#a3aea6);--line:light-dark(#ddd7c6,#2c3832);--green:light-dark(#1d5a43,#86cfaa);--on-green:light-dark(#fffdf7,#0d1a14)}
*{box-sizing:border-box}
body{margin:0;min-block-size:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--ground);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{inline-size:min(34rem,100%);background:var(--card);border:1px solid var(--line);border-radius:1.25rem;padding:clamp(1.5rem,5vw,2.75rem)}
svg{inline-size:3.25rem;block-size:3.25rem;color:var(--green)}
h1{margin:1rem 0 .5rem;font:600 clamp(1.6rem,5vw,2.1rem)/1.2 "Iowan Old Style","Palatino Linotype",Palatino,"P052",Georgia,"Noto Serif",serif;text-wrap:balance}
p{margin:.5rem 0}
.soft{color:var(--soft)}
nav{display:flex;flex-wrap:wrap;gap:.75rem;margin-block:1.5rem 1.25rem}
a{color:var(--green)}
nav a{padding:.65rem 1.15rem;border-radius:.75rem;text-decoration:none;font-weight:600;border:1px solid var(--line)}
nav a.main{background:var(--green);border-color:var(--green);color:var(--on-green)}
label{font-weight:600}
input,select{font:inherit;inline-size:100%;margin-block-start:.25rem;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.75rem;background:var(--ground);color:var(--ink)}
button{font:inherit;font-weight:600;padding:.65rem 1.4rem;border:0;border-radius:.75rem;background:var(--green);color:var(--on-green);cursor:pointer}
strong{overflow-wrap:anywhere}
button:focus-visible,input:focus-visible,select:focus-visible,a:focus-visible{outline:3px solid var(--green);outline-offset:3px}
small{color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
`;
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "img-src data:",
  "form-action {forms}",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** A gate: closed for what is not open to you, and an empty plot for what is not there. */
const GATE = `<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M6 42V16l5-5 5 5v26M32 42V16l5-5 5 5v26M16 23h16M16 34h16M24 19v20"/><path d="M3 42h42"/></svg>`;
const PLOT = `<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M4 40h40M9 40V30M16 40V32M39 40V30M32 40V32"/><circle cx="24" cy="17" r="9" stroke-dasharray="3 5.4"/></svg>`;

interface Words {
  readonly title: string;
  readonly next: string;
  readonly signIn: boolean;
}

/** For the refusals that people meet, words that need no manual; all others keep those of the table of problems. */
const WORDS: Readonly<Record<number, Words>> = {
  401: {
    title: "Sign in to see this",
    next: "If this is yours, or was shared with you, sign in with the app that you opened it with, or on your own pod's page.",
    signIn: true,
  },
  403: {
    title: "This is not shared with you",
    next: "Ask the person whose page this is to share it with you. They decide; nobody else can.",
    signIn: false,
  },
  404: {
    title: "There is nothing here",
    next: "Check the address for a slip. What was here may also have been moved or deleted by its owner.",
    signIn: false,
  },
};

/** A whole page for one refusal. Texts are escaped; there is no script and no request to anywhere. */
export function errorPage({ status, title, detail, next, id, closed = null }: ErrorPageInput): Result {
  const words = WORDS[status] ?? { title, next, signIn: false };
  const more = WORDS[status] ? undefined : detail;
  const ask = closed === null ? null : `/.account/request-access?for=${encodeURIComponent(closed)}`;
  const actions = [
    ...(words.signIn ? [`<a class="main" href="/.account/login">Sign in</a>`] : []),
    ...(ask === null
      ? []
      : [`<a${words.signIn ? "" : ` class="main"`} href="${escapeHtml(ask)}">Request access</a>`]),
    `<a${words.signIn || ask !== null ? "" : ` class="main"`} href="/">Go to the start page</a>`,
  ];
  return write(
    words.title,
    `${status === 404 ? PLOT : GATE}
<h1>${escapeHtml(words.title)}</h1>
${more ? `<p>${escapeHtml(more)}</p>` : ""}
<p class="soft">${escapeHtml(words.next)}</p>
<nav>${actions.join("")}</nav>
<small>${status} · request ${escapeHtml(id)}</small>`,
    status,
    "'none'",
  );
}

/** Another page in the same dress, with a form in it if need be. @param body HTML, without script. */
export function plainPage(title: string, body: string, status = 200): Result {
  return write(title, `${GATE}\n<h1>${escapeHtml(title)}</h1>\n${body}`, status, "'self'");
}

/** @param forms Where forms may be sent. */
function write(title: string, content: string, status: number, forms: "'none'" | "'self'"): Result {
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)} · Freehold</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>${STYLE}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": POLICY.replace("{forms}", forms),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
    body,
  };
}
