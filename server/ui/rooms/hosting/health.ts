/** `<fh-host-health>`: the last hour of the server itself, drawn. */
import { html, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { icon } from "../../parts/icons.ts";
import { dayOf, sizeOf } from "../../parts/words.ts";
import { gauge, hourChart } from "./chart.ts";
import type { Health } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { lastedOf } from "./words.ts";

const LOOK_AGAIN_MS = 10_000;

const inNumbers = (value: number): string => value.toLocaleString("en");
const inMs = (value: number): string => `${Math.round(value).toLocaleString("en")} ms`;

class HostHealth extends HostingPart<Health> {
  protected override fetch(): Promise<Health> {
    return ask("GET", doorOf("health"));
  }

  protected override again(): number {
    return LOOK_AGAIN_MS;
  }

  protected override render(): TemplateResult {
    return this.shown(({ isReady, version, since, store, disk, memory, minutes }) => {
      const used = disk.total - disk.free;
      return html`
        <div class="notice ${isReady ? "good" : "bad"}" role="status">${icon(isReady ? "check" : "warn")}<div><strong>${isReady ? "Ready: it takes requests, and what it stores is on disk." : "Not ready: nothing can be stored at this moment."}</strong>
          Freehold ${version}, up for ${lastedOf(Date.now() - since)}, since ${dayOf(since)}. ${store === "sqlite" ? "Pods are in its own data folder." : "Pods are in a PostgreSQL database."}</div></div>
        <div class="two">
          ${hourChart("Visits each minute", minutes, ({ requests }) => requests, inNumbers)}
          ${hourChart("Visits that failed here", minutes, ({ failed }) => failed, inNumbers)}
          ${hourChart("Slowest answer", minutes, ({ slowestMs }) => slowestMs, inMs)}
          ${hourChart("Longest pause", minutes, ({ pauseMs }) => pauseMs, inMs)}
          ${hourChart("Memory", minutes, ({ memoryBytes }) => memoryBytes, sizeOf)}
          <article class="panel">
            <h2>Room on this machine</h2>
            <p>Disk: <strong>${sizeOf(disk.free)}</strong> free of ${sizeOf(disk.total)}</p>
            ${gauge(used, disk.total, `Disk: ${sizeOf(used)} of ${sizeOf(disk.total)} in use`)}
            <p>Memory: the server uses <strong>${sizeOf(memory.used)}</strong> of ${sizeOf(memory.total)}</p>
            ${gauge(memory.used, memory.total, `Memory: ${sizeOf(memory.used)} of ${sizeOf(memory.total)} used by the server`)}
          </article>
        </div>`;
    });
  }
}
customElements.define("fh-host-health", HostHealth);
