/** The plain pages of the reference: one style, no scripts, nothing from anywhere else. */
import { createHash } from "node:crypto";
import { escapeHtml } from "../../html.ts";
import type { Result } from "../../operation.ts";

const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#f6f3ea,#101613);--card:light-dark(#fffdf7,#18201c);--ink:light-dark(#1b2a23,#ece8dc);--soft:light-dark(#566359,#a5b0a8);--line:light-dark(#ddd7c6,#2c3832);--green:light-dark(#1d5a43,#86cfaa)}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-inline-size:56rem;margin:0 auto;padding:2rem 1rem 4rem}
h1,h2{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"P052",Georgia,"Noto Serif",serif;line-height:1.2;text-wrap:balance}
h2{margin:2.5rem 0 .5rem}
h3{margin:0;font-size:1rem;overflow-wrap:anywhere}
p{margin:.35rem 0}
a{color:var(--green)}
a:focus-visible,summary:focus-visible{outline:3px solid var(--green);outline-offset:3px}
section,article{scroll-margin-block-start:1rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.9rem 1.1rem;margin:.75rem 0}
:target{outline:3px solid var(--green);outline-offset:2px}
code,pre{font:.92em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;margin:.5rem 0}
.soft{color:var(--soft)}
nav ul{columns:16rem;padding-inline-start:1.1rem}
dt{font-weight:600}
dd{margin:0 0 .35rem 1.1rem}
summary{cursor:pointer}
`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

export const PUBLIC_CACHE = "public, max-age=3600";

/** @param main HTML: whatever is from outside must be escaped already. */
export const sheet = (title: string, main: string): Result => ({
  status: 200,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "cache-control": PUBLIC_CACHE,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style><main><h1>${escapeHtml(title)}</h1>${main}</main></html>`,
});
