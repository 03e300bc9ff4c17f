/** The ways to look at a place, side by side. */
import { html, type TemplateResult } from "lit";
import { hrefOf, type Place, type View } from "./place.ts";

const TABS: readonly (readonly [view: View, title: string])[] = [
  ["files", "Files"],
  ["table", "Table"],
  ["timeline", "Timeline"],
  ["links", "Links"],
  ["raw", "As stored"],
];

export function tabs({ path, isFolder, view }: Place): TemplateResult {
  const here = view === "edit" || view === "add" ? "table" : view;
  return html`<nav class="tabs" aria-label="Ways to look at this">${TABS.map(
    ([name, title]) =>
      html`<a href=${hrefOf(path, name)} aria-current=${name === here ? "page" : "false"}>${name === "files" && !isFolder ? "File" : title}</a>`,
  )}</nav>`;
}
