/** `<fh-links>`: a map of what things in here point to, and the same as a list. */

import { spoken } from "@freehold/client/elements/shape";
import { html, nothing, svg, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { arrange, type Spot } from "./force.ts";
import { hrefOfThing, nameOfPath, type OwnPod, type Place } from "./place.ts";
import { type Speech, speechFor, textOfCell } from "./spoken-words.ts";
import { kindsIn, type Link, linksIn, namesIn } from "./things.ts";

const LINKS_MAX = 200;
const KINDS_MAX = 6; // Whose shapes are asked for the names of properties.
const THINGS_MAX = 48; // More do not fit a map that can be read.
const FRAMES = {
  wide: { width: 960, height: 560 },
  narrow: { width: 380, height: 520 },
} as const;

interface Drawn {
  readonly links: readonly Link[];
  readonly names: ReadonlyMap<string, string>;
  readonly spots: ReadonlyMap<string, Spot>;
  readonly frame: { readonly width: number; readonly height: number };
  readonly isCut: boolean;
}

/** The things with most links, as many as fit. */
function mostLinked(links: readonly Link[], max: number): readonly string[] {
  const counted = new Map<string, number>();
  for (const { from, to } of links) for (const id of [from, to]) counted.set(id, (counted.get(id) ?? 0) + 1);
  return [...counted]
    .sort(([, a], [, b]) => b - a)
    .slice(0, max)
    .map(([id]) => id);
}

class Links extends Part {
  static override properties = { ...given("pod", "place"), ...state("drawn", "refusal") };
  declare pod: OwnPod;
  declare place: Place;
  declare drawn: Drawn | null;
  declare refusal: Refusal | null;
  #sayings: readonly Speech[] = [];
  readonly #wide = matchMedia("(min-width: 48rem)");
  readonly #turned = (): void => {
    if (this.drawn) this.drawn = this.#drawing(this.drawn.links, this.drawn.names);
  };

  constructor() {
    super();
    this.drawn = null;
    this.refusal = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#wide.addEventListener("change", this.#turned);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#wide.removeEventListener("change", this.#turned);
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place")) void this.#load();
  }

  async #load(): Promise<void> {
    const { place, pod } = this;
    this.drawn = null;
    this.refusal = null;
    const scope = { pod, url: pod.at(place.path) };
    try {
      const [links, names, kinds] = await Promise.all([
        linksIn(scope, LINKS_MAX),
        namesIn(scope, LINKS_MAX),
        kindsIn(scope),
      ]);
      const speeches = await Promise.all(
        kinds.slice(0, KINDS_MAX).map(({ type }) => speechFor(pod, type, [])),
      );
      this.#sayings = speeches;
      if (place === this.place) this.drawn = this.#drawing(links, names);
    } catch (error) {
      if (place === this.place) this.refusal = toRefusal(error);
    }
  }

  #drawing(links: readonly Link[], names: ReadonlyMap<string, string>): Drawn {
    const ids = mostLinked(links, THINGS_MAX);
    const frame = this.#wide.matches ? FRAMES.wide : FRAMES.narrow;
    const spots = new Map(arrange(ids, links, frame).map((spot) => [spot.id, spot]));
    const total = new Set(links.flatMap(({ from, to }) => [from, to])).size;
    return { links, names, spots, frame, isCut: total > ids.length || links.length === LINKS_MAX };
  }

  /** In the words of the first kind that has its own for it. */
  #said(property: string): string {
    const plain = spoken(property);
    return this.#sayings.map(({ nameOf }) => nameOf(property)).find((name) => name !== plain) ?? plain;
  }

  #nameOf(id: string, { names }: Drawn): string {
    const name = names.get(id);
    if (name !== undefined) return name;
    if (!id.startsWith(this.pod.url)) return textOfCell({ type: "uri", value: id });
    const [document = "", part = ""] = id.split("#");
    const file = nameOfPath(document.slice(this.pod.url.length)).replace(/\.ttl$/, "") || "Your pod";
    return part === "" || part === "it" ? file : part;
  }

  protected override render(): TemplateResult {
    const { drawn } = this;
    if (!drawn) return this.refusal ? html`${refusalBox(this.refusal)}` : waiting("Drawing …");
    if (drawn.links.length === 0)
      return html`<div class="empty">${icon("globe")}<p><strong>Nothing in here points to anything.</strong><br />A contact may point to a phone, an order to a shop.</p></div>`;
    return html`${refusalBox(this.refusal)}
      ${this.#map(drawn)}
      ${drawn.isCut ? html`<p class="soft">The things with most links are drawn.</p>` : nothing}
      <details><summary>The same as a list</summary>${this.#list(drawn)}</details>`;
  }

  #map(drawn: Drawn): TemplateResult {
    const { frame, spots, links } = drawn;
    return html`<svg class="links" viewBox=${`0 0 ${frame.width} ${frame.height}`} role="group" aria-label="Map of links; the list below says the same">
      ${links.map(({ from, to, property }) => {
        const [a, b] = [spots.get(from), spots.get(to)];
        if (!a || !b) return nothing;
        const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
        return svg`<g class="link"><line x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y}></line>${links.length <= 16 ? svg`<text x=${x} y=${y - 4} aria-hidden="true">${this.#said(property)}</text>` : nothing}</g>`;
      })}
      ${[...spots.values()].map((spot) => this.#node(spot, drawn))}
    </svg>`;
  }

  #node({ id, x, y }: Spot, drawn: Drawn): TemplateResult {
    const name = this.#nameOf(id, drawn);
    const short = name.length > 18 ? `${name.slice(0, 17)}…` : name;
    const href = hrefOfThing(this.pod, id);
    const out = drawn.links.filter(({ from }) => from === id).length;
    const inside = svg`<circle cx=${x} cy=${y} r=${Math.min(9 + out * 1.5, 18)}></circle><text class="name" x=${x} y=${y + 30} aria-hidden="true">${short}</text>`;
    return href === null
      ? svg`<g class="node elsewhere">${inside}</g>`
      : svg`<a class="node" href=${href} aria-label=${name}>${inside}</a>`;
  }

  #list(drawn: Drawn): TemplateResult {
    const groups = [...Map.groupBy(drawn.links, ({ from }) => from)];
    return html`<ul class="rows">${groups.map(
      ([
        from,
        links,
      ]) => html`<li class="row-plain"><span class="row-words"><strong>${this.#linked(from, drawn)}</strong>
        ${links.map(({ property, to }) => html`<small>${this.#said(property)}: ${this.#linked(to, drawn)}</small>`)}</span></li>`,
    )}</ul>`;
  }

  #linked(id: string, drawn: Drawn): TemplateResult {
    const href = hrefOfThing(this.pod, id);
    const name = this.#nameOf(id, drawn);
    return href === null ? html`${name}` : html`<a href=${href}>${name}</a>`;
  }
}
customElements.define("fh-links", Links);
