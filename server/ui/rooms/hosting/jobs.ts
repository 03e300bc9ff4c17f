/** `<fh-host-jobs>`: what runs or ran. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import { busyWords } from "../../parts/notices.ts";
import { agoOf } from "../../parts/words.ts";
import { gauge } from "./chart.ts";
import type { Job } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { byOf, lastedOf, progressOf, workOf } from "./words.ts";

export const LOOK_AGAIN_MS = 1_500;

const ENDS: Readonly<Record<Job["state"], readonly [words: string, icon: IconName, kind: string]>> = {
  running: ["Under way", "clock", "some"],
  done: ["Done", "check", "some"],
  found: ["Done, and something is wrong", "warn", "all"],
  failed: ["Failed", "warn", "all"],
};

export function jobRow(job: Job): TemplateResult {
  const [words, picture, kind] = ENDS[job.state];
  const { ended, began, progress, why } = job;
  return html`<li class="row-plain host-job"><span class="tile">${icon(picture)}</span>
    <span class="row-words"><strong>${workOf(job)}</strong>
      <small>${ended === null ? progressOf(job) : `${agoOf(ended)}, took ${lastedOf(ended - began)}`}, ${byOf(job)}</small>
      ${ended === null && progress?.total ? gauge(progress.done, progress.total, progressOf(job)) : nothing}
      ${why === null ? nothing : html`<small class="fault">${why}</small>`}</span>
    <span class="badge ${kind}">${words}</span></li>`;
}

class HostJobs extends HostingPart<readonly Job[]> {
  protected override async fetch(): Promise<readonly Job[]> {
    return (await ask<{ jobs: readonly Job[] }>("GET", doorOf("jobs"))).jobs;
  }

  protected override again(jobs: readonly Job[]): number {
    return jobs.some(({ ended }) => ended === null) ? LOOK_AGAIN_MS : 0;
  }

  protected override render(): TemplateResult {
    return this.shown(
      (jobs) => html`
      <div class="row"><button class="second" ?disabled=${this.busy !== "" || jobs.some(({ what, ended }) => what === "scrub" && ended === null)} @click=${() => void this.run("scrub", () => this.post("jobs", { what: "scrub" }), "Everything that is stored is looked at now.")}>${busyWords(this.busy === "scrub", html`${icon("shield")}Check all that is stored`, "Beginning …")}</button></div>
      ${jobs.length === 0 ? html`<div class="empty">${icon("clock")}<strong>Nothing has run since the server started.</strong><span>Backups, checks, exports and imports show up here.</span></div>` : nothing}
      <ul class="rows">${jobs.map(jobRow)}</ul>`,
    );
  }
}
customElements.define("fh-host-jobs", HostJobs);
