/** The frame of the pages outside the pod's own: one card beside the picture. */
import { html, type TemplateResult } from "lit";
import { mark } from "./icons.ts";
import { scene } from "./scene.ts";

export function framed(content: TemplateResult): TemplateResult {
  return html`<div class="framed">
    <aside class="cover">
      <a class="brand" href="/">${mark()}<span>Freehold</span></a>
      <p class="motto">Your data, on your own ground.</p>
      ${scene(false)}
    </aside>
    <main class="desk"><div class="sheet">${content}</div></main>
  </div>`;
}
