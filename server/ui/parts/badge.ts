/** A badge: who can see a thing, besides its owner. */
import { html, type TemplateResult } from "lit";
import { type IconName, icon } from "./icons.ts";
import type { Item } from "./model.ts";
import type { sharedWith } from "./words.ts";

export function badge({ label, level }: ReturnType<typeof sharedWith>): TemplateResult {
  const picture: IconName = level === "private" ? "lock" : level === "all" ? "globe" : "people";
  return html`<span class="badge ${level}">${icon(picture)}${label}</span>`;
}

/** Of something in a list: the folder with the card is never just for its owner. */
export const itemBadge = ({ path, name }: Item, shared: ReturnType<typeof sharedWith>): TemplateResult =>
  shared.level === "private" && name === "profile" && path.split("/").length === 4
    ? html`<span class="badge some">${icon("card")}Card is public</span>`
    : badge(shared);
