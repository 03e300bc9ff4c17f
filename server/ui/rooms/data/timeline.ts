/** `<fh-timeline>`: what has a date, the latest first; of a stream of a meter, its curve. */
import { type Summary, summarise } from "@freehold/client/series";
import { html, nothing, type TemplateResult } from "lit";
import { type Refusal, toRefusal } from "../../parts/ask.ts";
import { given, Part, state } from "../../parts/element.ts";
import { icon } from "../../parts/icons.ts";
import { refusalBox, waiting } from "../../parts/notices.ts";
import { dayOf, timeOf } from "../../parts/words.ts";
import { hrefOf, type OwnPod, type Place } from "./place.ts";
import { kindName, speechFor } from "./spoken-words.ts";
import { type Dated, datedIn, nameOfThing } from "./things.ts";

const SHOWN_MAX = 100;
const STEPS: readonly (readonly [every: string, title: string])[] = [
  ["PT1H", "Hours"],
  ["P1D", "Days"],
  ["P1M", "Months"],
];
const ROWS_MAX = 400; // Of the table beside the curve; more nobody reads.

/** Observations of one meter and one property. */
interface Series {
  readonly name: string;
  readonly summaries: readonly Summary[];
}

const month = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric" });
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

/** Summaries come in the order of time, all meters mixed. */
function seriesOf(summaries: readonly Summary[]): readonly Series[] {
  const apart = Map.groupBy(summaries, ({ sensor, property }) => `${sensor} ${property}`);
  return [...apart.values()].map((own) => {
    const [first] = own;
    return { name: `${kindName(first?.property ?? "")}, ${kindName(first?.sensor ?? "")}`, summaries: own };
  });
}

class Timeline extends Part {
  static override properties = {
    ...given("pod", "place"),
    ...state("dated", "series", "refusal", "every"),
  };
  declare pod: OwnPod;
  declare place: Place;
  declare dated: readonly (Dated & { readonly what: string })[] | null;
  /** Null where the folder is no stream. */
  declare series: readonly Series[] | null;
  declare refusal: Refusal | null;
  declare every: string;

  constructor() {
    super();
    Object.assign(this, { dated: null, series: null, refusal: null, every: "P1D" });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("place") || changed.has("every")) void this.#load();
  }

  async #load(): Promise<void> {
    const { place, pod, every } = this;
    if (this.series === null) this.dated = null;
    this.refusal = null;
    try {
      const series = place.isFolder && place.path !== "" ? await this.#streamOf(every) : null;
      const dated = series ? [] : await datedIn({ pod, url: pod.at(place.path) }, SHOWN_MAX);
      const types = new Set(dated.map(({ thing }) => typeOf(thing.values)));
      const speeches = new Map(
        await Promise.all([...types].map(async (type) => [type, await speechFor(pod, type, [])] as const)),
      );
      if (place !== this.place || every !== this.every) return;
      this.series = series;
      this.dated = dated.map((one) => {
        const speech = speeches.get(typeOf(one.thing.values));
        return {
          ...one,
          what: `${speech?.kind ?? "Thing"}: ${speech?.nameOf(one.property).toLowerCase() ?? ""}`,
        };
      });
    } catch (error) {
      if (place === this.place) this.refusal = toRefusal(error);
    }
  }

  /** A folder that is no stream is refused, or says nothing: both are the same here. */
  async #streamOf(every: string): Promise<readonly Series[] | null> {
    try {
      const summaries = await summarise(this.pod, this.place.path, every);
      return summaries.length > 0 ? seriesOf(summaries) : null;
    } catch {
      return null;
    }
  }

  protected override updated(): void {
    if (this.series) void this.#draw(this.series);
  }

  async #draw(series: readonly Series[]): Promise<void> {
    const { draw } = await import("./chart.ts");
    for (const [place, box] of [...this.querySelectorAll<HTMLElement>(".chart")].entries()) {
      const own = series[place];
      if (own) draw(box, own.summaries);
    }
  }

  protected override render(): TemplateResult {
    const { dated, series } = this;
    if (series) return html`${refusalBox(this.refusal)}${this.#curves(series)}`;
    if (!dated) return this.refusal ? html`${refusalBox(this.refusal)}` : waiting("Looking …");
    if (dated.length === 0)
      return html`<div class="empty">${icon("clock")}<p><strong>Nothing in here has a date.</strong><br />Meters and payments do, and letters often.</p></div>`;
    const months = [...Map.groupBy(dated, ({ when }) => month.format(Date.parse(when.value)))];
    return html`${refusalBox(this.refusal)}${months.map(
      ([title, rows]) =>
        html`<section class="month"><h2>${title}</h2><ol class="moments">${rows.map((row) => this.#row(row))}</ol></section>`,
    )}
      ${dated.length === SHOWN_MAX ? html`<p class="soft">The latest ${SHOWN_MAX} are shown.</p>` : nothing}`;
  }

  #row({ thing, when, what }: Dated & { readonly what: string }): TemplateResult {
    const at = Date.parse(when.value);
    const isDay = !when.value.includes("T");
    return html`<li><time datetime=${when.value}>${new Date(at).getUTCDate()}${isDay ? nothing : html`<small>${timeOf(at)}</small>`}</time>
      <a class="row-words" href=${hrefOf(thing.document.slice(this.pod.url.length), "table", { thing: thing.id })}><strong>${nameOfThing(thing)}</strong><small>${what}</small></a></li>`;
  }

  #curves(series: readonly Series[]): TemplateResult {
    return html`<fieldset class="row"><legend class="hidden">Each point is one of these</legend><div class="choice">${STEPS.map(
      ([every, title]) =>
        html`<button class="quiet small" aria-pressed=${every === this.every ? "true" : "false"} @click=${() => (this.every = every)}>${title}</button>`,
    )}</div></fieldset>
    ${series.map(({ name, summaries }) => {
      const rows = summaries.slice(-ROWS_MAX).toReversed();
      return html`<section class="panel"><h2>${name}</h2>
        <div class="chart" role="img" aria-label=${this.#told(name, summaries)}></div>
        <details><summary>The same as a table</summary>
          <div class="scroller" tabindex="0" role="region" aria-label=${`Values: ${name}`}><table class="things">
            <thead><tr><th scope="col">When</th><th scope="col">Mean</th><th scope="col">Least</th><th scope="col">Most</th><th scope="col">Sum</th></tr></thead>
            <tbody>${rows.map(({ time, mean, min, max, sum }) => html`<tr><td>${this.#momentOf(time)}</td>${[mean, min, max, sum].map((value) => html`<td>${number.format(value)}</td>`)}</tr>`)}</tbody>
          </table></div></details></section>`;
    })}`;
  }

  #momentOf(time: string): string {
    const at = Date.parse(time);
    if (this.every === "P1M") return month.format(at);
    return this.every === "P1D" ? dayOf(at) : `${dayOf(at)}, ${timeOf(at)}`;
  }

  #told(name: string, summaries: readonly Summary[]): string {
    const [first, last] = [summaries[0], summaries.at(-1)];
    const means = summaries.map(({ mean }) => mean);
    return `Curve of ${name} from ${dayOf(Date.parse(first?.time ?? ""))} to ${dayOf(Date.parse(last?.time ?? ""))}, between ${number.format(Math.min(...means))} and ${number.format(Math.max(...means))}`;
  }
}

const typeOf = (values: Dated["thing"]["values"]): string | null =>
  [...values].find(([property]) => property.endsWith("#type"))?.[1][0]?.cell.value ?? null;

customElements.define("fh-timeline", Timeline);
