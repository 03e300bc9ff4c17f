/** Pictures of one line each. They say nothing that the words beside them do not. */
import { html, type TemplateResult } from "lit";

const SHAPES = {
  folder: "M3.5 18V6.5h6l2 2.5h9v9z",
  file: "M6.5 3.5h7l4 4v13h-11zM13.5 3.5v4h4",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 16M15.5 9h.01",
  person: "M12 11.5a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4ZM5 20c0-3.8 3.1-6 7-6s7 2.2 7 6",
  globe:
    "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM3.5 12h17M12 3.5c2.5 2.4 3.5 5.2 3.5 8.5s-1 6.1-3.5 8.5c-2.5-2.4-3.5-5.2-3.5-8.5s1-6.1 3.5-8.5Z",
  upload: "M12 15.5V4.5M7.5 9 12 4.5 16.5 9M5 20h14",
  plus: "M12 5v14M5 12h14",
  next: "m9.5 6 6 6-6 6",
  close: "m6.5 6.5 11 11M17.5 6.5l-11 11",
  warn: "M12 4.5 3.5 19.5h17zM12 10v4.5M12 17h.01",
} as const;

export type DrawingName = keyof typeof SHAPES;

export function drawing(name: DrawingName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
}
