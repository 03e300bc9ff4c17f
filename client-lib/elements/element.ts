/**
 * What all components share. They stand in a shadow tree with a sheet of their own, or with the attribute `light` in the
 * page itself, whose style then holds; the markup is the same.
 */
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { type Fetch, FreeholdError } from "../errors.ts";
import { drawing } from "./drawings.ts";

/** Colours and measures are the page's, by custom properties `--freehold-…`; parts can be reached by `::part`. */
const sheet = css`
  :host {
    --ink: var(--freehold-ink, light-dark(#1b2a23, #ece8dc));
    --soft: var(--freehold-soft, light-dark(#566359, #a5b0a8));
    --card: var(--freehold-card, light-dark(#fffdf8, #171f1b));
    --sunk: var(--freehold-sunk, light-dark(#efeadd, #1e2823));
    --line: var(--freehold-line, light-dark(#ddd6c4, #2b3731));
    --strong-line: var(--freehold-strong-line, light-dark(#8d9a8d, #6d7d74));
    --accent: var(--freehold-accent, light-dark(#1d5a43, #86cfaa));
    --on-accent: var(--freehold-on-accent, light-dark(#fffdf8, #0c1813));
    --wash: var(--freehold-wash, light-dark(#e4eee4, #1b2f26));
    --bad: var(--freehold-fault, light-dark(#a1331f, #f3a08d));
    --round: var(--freehold-radius, 0.75rem);
    display: block;
    accent-color: var(--accent);
    color: var(--ink);
    font: 1rem/1.5 var(--freehold-font, system-ui, sans-serif);
  }
  :host([hidden]) { display: none; }
  *, ::before, ::after { box-sizing: border-box; }
  h2, h3, p, ul, fieldset, legend, dialog { margin: 0; padding: 0; }
  ul { list-style: none; }
  fieldset { border: 0; min-inline-size: 0; }
  button, input, select, textarea { font: inherit; color: inherit; }
  .icon { inline-size: 1.3rem; block-size: 1.3rem; flex: none; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
  .stack, .form-section, .parts { display: grid; gap: 1rem; }
  .form-section > legend, .parts > legend { font-weight: 700; padding-block-end: 0.4rem; }
  .parts { padding: 0.9rem; border: 1px solid var(--line); border-radius: var(--round); }
  .field { display: grid; gap: 0.3rem; }
  .field > span:first-child, .field > .label, legend { font-weight: 600; }
  small { font-size: 0.875rem; color: var(--soft); }
  .soft { color: var(--soft); }
  .fault { color: var(--bad); font-weight: 500; }
  .value { display: flex; gap: 0.5rem; align-items: start; }
  .value > :first-child { flex: 1; min-inline-size: 0; }
  .value > select.language { flex: 0 0 5.5rem; }
  input:not([type="checkbox"], [type="radio"], [type="file"]), select, textarea { inline-size: 100%; min-block-size: 2.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--strong-line); border-radius: var(--round); background: var(--card); }
  [aria-invalid="true"] { border-color: var(--bad); }
  button, .button { display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem; min-block-size: 2.75rem; padding: 0.4rem 1rem; border: 1px solid transparent; border-radius: var(--round); background: transparent; font-weight: 600; text-decoration: none; cursor: pointer; }
  button:disabled { opacity: 0.55; cursor: default; }
  .first { background: var(--accent); color: var(--on-accent); }
  .second { background: var(--card); border-color: var(--line); }
  .quiet { color: var(--accent); }
  .small { min-block-size: 2.25rem; padding: 0.25rem 0.75rem; }
  .icon-only { padding: 0.4rem; min-inline-size: 2.75rem; color: var(--soft); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  .row, .head, .head > .row, .pair { display: flex; flex-wrap: wrap; gap: 0.65rem; align-items: center; }
  .head { justify-content: space-between; }
  .notice { display: flex; gap: 0.7rem; padding: 0.8rem 1rem; border-radius: var(--round); background: var(--sunk); }
  .notice.bad { color: var(--bad); border: 1px solid currentColor; }
  .rows { border: 1px solid var(--line); border-radius: var(--round); background: var(--card); overflow: clip; }
  .rows > li + li { border-block-start: 1px solid var(--line); }
  .row-link { display: flex; align-items: center; gap: 0.8rem; padding: 0.7rem 1rem; color: inherit; text-decoration: none; }
  .row-link:hover { background: var(--sunk); }
  .row-words { flex: 1; min-inline-size: 0; }
  .row-words strong, .row-words small, .choice strong, .choice small { display: block; overflow-wrap: anywhere; }
  .tile { color: var(--accent); }
  .choices { display: grid; gap: 0.5rem; }
  .choice { display: flex; align-items: center; gap: 0.8rem; padding: 0.7rem 0.9rem; border: 1px solid var(--line); border-radius: var(--round); cursor: pointer; }
  .choice:has(:checked) { border-color: var(--accent); background: var(--wash); }
  .summary { padding: 0.75rem 0.9rem; border-radius: var(--round); background: var(--wash); }
  .empty { display: grid; justify-items: center; gap: 0.6rem; padding: 2rem 1rem; border: 1px dashed var(--line); border-radius: var(--round); color: var(--soft); text-align: center; }
  .waiting { display: flex; gap: 0.6rem; align-items: center; color: var(--soft); }
  .hidden { position: absolute; inline-size: 1px; block-size: 1px; min-block-size: 0; overflow: hidden; clip-path: inset(50%); }
  .button:has(input:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
`;

let made = 0;

export abstract class FreeholdElement extends LitElement {
  static override styles = sheet;
  /** Sends requests as somebody; the public's, unless set. */
  declare fetch: Fetch;
  /** For what must be named within the document. */
  protected readonly own = `freehold-${(made += 1)}`;

  constructor() {
    super();
    this.fetch = (input, init) => globalThis.fetch(input, init);
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    return this.hasAttribute("light") ? this : super.createRenderRoot();
  }

  /** Tells the page, also from within a shadow tree. */
  protected tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Notes what was refused, and tells it as `refused`. */
  protected refuse(error: unknown): FreeholdError {
    const refusal =
      error instanceof FreeholdError
        ? error
        : new FreeholdError("page", "Something went wrong on this page", {
            detail: error instanceof Error ? error.message : String(error),
            next: "Reload the page and try again.",
            cause: error,
          });
    this.tell("refused", refusal);
    return refusal;
  }
}

/** A sentence ends once, whoever wrote it. */
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** A refusal, with what to do next. Read out at once. */
export function refusalNotice(refusal: FreeholdError | null): TemplateResult | typeof nothing {
  if (!refusal) return nothing;
  const { title, detail, next, errors } = refusal;
  return html`<div class="notice bad" part="refusal" role="alert">${drawing("warn")}
    <div><strong>${sentence(title)}</strong> ${detail && errors.length === 0 ? sentence(detail) : nothing} ${next ? sentence(next) : nothing}</div></div>`;
}

export function waitingLine(words: string): TemplateResult {
  return html`<p class="waiting" part="waiting" role="status"><span class="spinner" aria-hidden="true"></span>${words}</p>`;
}
