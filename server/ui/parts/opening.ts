/** What sharing something would open: asked of the server before it happens, and asked of the person where it is a lot. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "./ask.ts";
import { icon } from "./icons.ts";
import { count, placeOf } from "./words.ts";

export interface Opening {
  readonly path: string;
  /** Files that they cannot see now, and would. */
  readonly files: number;
  readonly already: number;
  /** Things in there that have rules of their own, and stay as they are. */
  readonly apart: number;
  /** The numbers are the least that it is. */
  readonly cut: boolean;
  readonly kinds: readonly { readonly label: string; readonly isSensitive: boolean }[];
  readonly isWholePod: boolean;
  readonly isForAll: boolean;
}

/** @throws Refusal */
export async function openingOf(
  path: string,
  who: { readonly kind: string; readonly iri: string | null },
): Promise<Opening> {
  const query = new URLSearchParams({ path, as: who.kind, ...(who.iri === null ? {} : { who: who.iri }) });
  const found = await ask<Omit<Opening, "isForAll">>("GET", `/.account/access/opens?${query.toString()}`);
  return { ...found, isForAll: who.kind === "public" || who.kind === "signed-in" };
}

/** Whether a slip would cost much: a folder for everyone, the whole pod, or what law protects most. */
const isRisky = ({ path, kinds, isWholePod, isForAll }: Opening): boolean =>
  isWholePod || kinds.some(({ isSensitive }) => isSensitive) || (isForAll && path.endsWith("/"));

const list = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** Asks, where a slip would cost much, and waits for the answer; what `show` is given stands on the screen until then. */
export async function mayOpen(
  opening: Opening,
  to: string,
  show: (question: TemplateResult | null) => void,
): Promise<boolean> {
  if (!isRisky(opening)) return true;
  const isYes = await new Promise<boolean>((answer) => show(openingQuestion(opening, to, answer)));
  show(null);
  return isYes;
}

/** The question, with two answers of one size. */
function openingQuestion(opening: Opening, to: string, answer: (isYes: boolean) => void): TemplateResult {
  const { path, files, already, apart, cut, kinds, isWholePod, isForAll } = opening;
  const sensitive = kinds.filter(({ isSensitive }) => isSensitive).map(({ label }) => label.toLowerCase());
  const amount = `${cut ? "at least " : ""}${count(files, "file")}`;
  return html`<div class="stack opening" role="alertdialog" @opening-left=${() => answer(false)} aria-labelledby="opening-title" aria-describedby="opening-words">
    <h3 id="opening-title">Open ${amount} to ${to}?</h3>
    <ul class="facts" id="opening-words">
      <li>${icon(isWholePod ? "home" : "folder")}<div><strong>${isWholePod ? "This is your whole pod" : placeOf(path)}</strong><small>All that is in it now, and all that you add later.</small></div></li>
      <li>${icon("file")}<div><strong>${amount} that they cannot see now</strong><small>${already > 0 ? `${count(already, "more file")} there they see already. ` : nothing}${apart > 0 ? `${count(apart, "thing")} there with rules of ${apart === 1 ? "its" : "their"} own stay${apart === 1 ? "s" : ""} as it is.` : nothing}</small></div></li>
      ${isForAll ? html`<li>${icon("globe")}<div><strong>Strangers and search engines</strong><small>What was copied meanwhile cannot be called back.</small></div></li>` : nothing}
      ${sensitive.length > 0 ? html`<li>${icon("warn")}<div><strong class="warn">You said that this holds ${list.format(sensitive)}</strong><small>The law protects this more than other things.</small></div></li>` : nothing}
    </ul>
    <div class="pair"><button type="button" class="second" @click=${() => answer(false)}>Leave it closed</button><button type="button" class="second" @click=${() => answer(true)}>Open it</button></div>
  </div>`;
}
