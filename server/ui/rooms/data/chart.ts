/** The curve of a series. Loaded when one is shown. */
import type { Summary } from "@freehold/client/series";
import UPlot from "uplot";

const HEIGHT = 240;
const HOURS = 2 * 86_400_000; // What goes over less than this is told by the hour.
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const hourFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const drawn = new WeakMap<HTMLElement, { readonly plot: UPlot; readonly size: ResizeObserver }>();

/** Draws the means over time, and how far least and most are from them. */
export function draw(box: HTMLElement, summaries: readonly Summary[]): void {
  const before = drawn.get(box);
  before?.size.disconnect();
  before?.plot.destroy();
  const style = getComputedStyle(box);
  const font = `12px ${style.fontFamily}`;
  const [ink, line, green] = [style.color, probe(box, "--line"), probe(box, "--green")];
  const [first, last] = [summaries[0], summaries.at(-1)].map((one) => Date.parse(one?.time ?? ""));
  const day = (last ?? 0) - (first ?? 0) < HOURS ? hourFormat : dayFormat;
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const plot = new UPlot(
    {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      legend: { show: false }, // The table beside it says the values.
      cursor: { drag: { x: false, y: false } },
      axes: [
        { ...axis, font, values: (_plot, ticks) => ticks.map((at) => day.format(at * 1_000)) },
        { ...axis, font, size: 60 },
      ],
      series: [
        {},
        { stroke: green, width: 2, points: { show: summaries.length < 40 } },
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: `color-mix(in srgb, ${green} 16%, transparent)` }],
    },
    [
      summaries.map(({ time }) => Date.parse(time) / 1_000),
      summaries.map(({ mean }) => mean),
      summaries.map(({ min }) => min),
      summaries.map(({ max }) => max),
    ],
    box,
  );
  const size = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width)
      plot.setSize({ width: box.clientWidth, height: HEIGHT });
  });
  size.observe(box);
  drawn.set(box, { plot, size });
}

/** A colour of the sheet as it is now: a canvas knows no light and dark. */
function probe(box: HTMLElement, name: string): string {
  const one = document.createElement("i");
  one.style.color = `var(${name})`;
  box.append(one);
  const { color } = getComputedStyle(one);
  one.remove();
  return color;
}
