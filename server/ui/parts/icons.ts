/** Pictures of one line each, drawn for these pages; they say nothing that the words beside them do not. */
import { html, type TemplateResult } from "lit";

const SHAPES = {
  home: "M4 11.5 12 5l8 6.5M6 10v9h12v-9M12 19v-5",
  folder: "M3.5 18V6.5h6l2 2.5h9v9z",
  file: "M6.5 3.5h7l4 4v13h-11zM13.5 3.5v4h4",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 16M15.5 9h.01",
  people:
    "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11ZM3 19.5c0-3.5 2.7-5.5 6-5.5s6 2 6 5.5M16 5a3 3 0 0 1 0 5.8M17.5 14.3c2.1.7 3.5 2.5 3.5 5.2",
  person: "M12 11.5a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4ZM5 20c0-3.8 3.1-6 7-6s7 2.2 7 6",
  key: "M14.5 13a4.5 4.5 0 1 0-4.2-2.9L4 16.5V20h3.5v-2.5H10V15l1.5-1.5a4.5 4.5 0 0 0 3-.5ZM15.5 8h.01",
  shield: "M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6zM9 12l2.2 2.2L15.3 10",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
  globe:
    "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM3.5 12h17M12 3.5c2.5 2.4 3.5 5.2 3.5 8.5s-1 6.1-3.5 8.5c-2.5-2.4-3.5-5.2-3.5-8.5s1-6.1 3.5-8.5Z",
  plug: "M9 3.5V8M15 3.5V8M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v3.5",
  card: "M3.5 6h17v12.5h-17zM7 15.5c.3-1.7 1.5-2.5 3-2.5s2.7.8 3 2.5M10 11.2a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM15.5 10h2.5M15.5 13.5h2.5",
  copy: "M9 9h10.5v11H9zM15 9V4H4.5v11H9",
  check: "m5 12.5 4.5 4.5L19 7.5",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  upload: "M12 15.5V4.5M7.5 9 12 4.5 16.5 9M5 20h14",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  out: "M14 4.5H5.5v15H14M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5",
  next: "m9.5 6 6 6-6 6",
  back: "m14.5 6-6 6 6 6",
  warn: "M12 4.5 3.5 19.5h17zM12 10v4.5M12 17h.01",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z",
  device: "M7.5 3.5h9v17h-9zM11 17.5h2",
  finger:
    "M7.5 18.5c1-2 1.5-4 1.5-6.5a3 3 0 0 1 6 0c0 1.5-.1 2.8-.4 4.2M12 12c0 3.3-.6 6-1.8 8.5M5 15.5c.6-1.2.9-2.3.9-3.5a6.1 6.1 0 0 1 9.3-5.2M17.6 9.7c.3.7.5 1.5.5 2.3 0 2.4-.3 4.7-1 7",
  close: "m6.5 6.5 11 11M17.5 6.5l-11 11",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7.5V12l3 2",
  box: "M4 8.5 12 4l8 4.5v8L12 20.5l-8-4zM4 8.5l8 4 8-4M12 12.5v8",
  pause: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM10 9v6M14 9v6",
  move: "M4 12h14M13.5 7.5 18 12l-4.5 4.5M20.5 5v14",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20",
  asking: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  case: "M4 8h16v11H4zM9 8V5h6v3M4 13h16",
  gear: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10.3 3.5h3.4l.5 2.6 1.8 1 2.5-.9 1.7 3-2 1.7v2.2l2 1.7-1.7 3-2.5-.9-1.8 1-.5 2.6h-3.4l-.5-2.6-1.8-1-2.5.9-1.7-3 2-1.7v-2.2l-2-1.7 1.7-3 2.5.9 1.8-1z",
  sliders: "M4 7h8M16 7h4M14 5v4M4 17h4M12 17h8M10 15v4",
} as const;

export type IconName = keyof typeof SHAPES;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
}

/** A house on its own ground: the mark of these pages. */
export function mark(): TemplateResult {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path class="house" d="M7.5 24.5V14.2L16 7l8.5 7.2v10.3" />
    <circle cx="16" cy="16.8" r="2.3" />
    <path class="keyhole" d="M16 18.5v6" />
  </svg>`;
}
