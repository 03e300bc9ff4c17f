/** What all parts of the pages share: they live in the document itself, so that one style sheet and one outline hold. */
import { LitElement } from "lit";

export class Part extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    this.replaceChildren(); // What the page showed while it was loading.
    return this;
  }
}

/** A part's own state: names of properties whose change shows. */
export function state(...names: readonly string[]): Record<string, { readonly state: true }> {
  return Object.fromEntries(names.map((name) => [name, { state: true }]));
}

/** What a part is given by the one that shows it. */
export function given(...names: readonly string[]): Record<string, { readonly attribute: false }> {
  return Object.fromEntries(names.map((name) => [name, { attribute: false }]));
}

/** What stands in the fields of the form that was sent, files left out. Keeps the browser from leaving the page. */
export function fieldsOf(event: SubmitEvent): Readonly<Record<string, string>> {
  event.preventDefault();
  const fields: Record<string, string> = {};
  for (const [name, value] of new FormData(event.target as HTMLFormElement)) {
    if (typeof value === "string") fields[name] = value;
  }
  return fields;
}
