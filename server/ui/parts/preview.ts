/** What somebody would see, drawn with the real values: a few things, and how many more. */
import type { Preview } from "@freehold/client/consent";
import { html, nothing, type TemplateResult } from "lit";
import { fieldWords, isForMachines, thingWords, valueWords } from "./data-words.ts";
import { icon } from "./icons.ts";
import { waiting } from "./notices.ts";
import { count, kindOf, nameIn, sizeOf } from "./words.ts";

type Thing = Preview["things"][number];

const THINGS = 2;
const SAYS = 5;
const FILES = 3;

function thingCard(thing: Thing): TemplateResult {
  const says = thing.says
    .filter(({ values }) => values.length > 0)
    .sort((a, b) => Number(isForMachines(a.property)) - Number(isForMachines(b.property)));
  const more = says.length - SAYS;
  return html`<article class="thing"><h3>${thingWords(thing.kind)}</h3>
    <dl>${says
      .slice(0, SAYS)
      .map(
        ({ property, values, more: others }) =>
          html`<div><dt>${fieldWords(property)}</dt><dd>${values.map(valueWords).join(", ")}${others > 0 ? `, and ${others} more` : ""}</dd></div>`,
      )}</dl>
    ${more > 0 ? html`<p class="soft small">And ${count(more, "more detail")}.</p>` : nothing}
  </article>`;
}

function part(preview: Preview, things: number): TemplateResult {
  const { documents, files, total, isCut, isView } = preview;
  if (documents === 0 && total === 0)
    return html`<p class="soft">${isCut ? "This is too much to show, or to give at once." : "Nothing is there now. They would see what you add later."}</p>`;
  const others = total - Math.min(things, preview.things.length);
  const named = files.slice(0, FILES);
  return html`
    ${preview.things.slice(0, things).map(thingCard)}
    ${isView && others > 0 ? html`<p class="more"><span>And <strong>${count(others, "more", "more")}</strong> like this${isCut ? ", at least" : ""}.</span></p>` : nothing}
    ${
      documents === 0
        ? nothing
        : html`<p class="more">${icon("file")}<span>${named.map(({ path, contentType, bytes }) => `${nameIn(path)} (${kindOf(contentType)}, ${sizeOf(bytes)})`).join(", ")}${documents > named.length ? `, and ${count(documents - named.length, "more file")}${isCut ? " at least" : ""}` : ""}</span></p>`
    }`;
}

/**
 * @param previews One for each part; null while it is looked up.
 * @param labels What each part is about, shown where there are several.
 */
export function previewPanel(
  previews: readonly Preview[] | null,
  labels: readonly string[],
  title = "What they would see now",
): TemplateResult {
  return html`<section class="panel seen" aria-busy=${previews === null ? "true" : "false"}>
    <h2>${icon("eye")}${title}</h2>
    ${
      previews === null
        ? waiting("Looking …")
        : previews.map(
            (preview, at) =>
              html`${previews.length > 1 ? html`<h3 class="part">${labels[at] ?? ""}</h3>` : nothing}${part(preview, previews.length > 1 ? 1 : THINGS)}`,
          )
    }
  </section>`;
}
