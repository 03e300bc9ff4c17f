/** `<fh-host-backups>`: which there are, which are proved, when the next is made, and why the last was not. */
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { icon } from "../../parts/icons.ts";
import { busyWords } from "../../parts/notices.ts";
import { agoOf, count, dayOf, sizeOf, timeOf } from "../../parts/words.ts";
import { jobRow, LOOK_AGAIN_MS } from "./jobs.ts";
import type { BackupRow, Backups, Job } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { spanOf } from "./words.ts";

const OURS: ReadonlySet<string> = new Set(["backup", "verify-backup", "backup keys"]);

interface Shown {
  readonly backups: Backups;
  /** Of backups, those under way and the last that ended. */
  readonly jobs: readonly Job[];
}

const nameOf = ({ what }: BackupRow): string =>
  what === "all" ? "Everything" : what === "keys" ? "The keys" : `The pod ${what.slice("pod-".length)}`;

class HostBackups extends HostingPart<Shown> {
  protected override async fetch(): Promise<Shown> {
    const [backups, { jobs }] = await Promise.all([
      ask<Backups>("GET", doorOf("backups")),
      ask<{ jobs: readonly Job[] }>("GET", doorOf("jobs")),
    ]);
    const ours = jobs.filter(({ what }) => OURS.has(what));
    return { backups, jobs: ours.filter(({ ended }, place) => ended === null || place === 0) };
  }

  protected override again({ jobs }: Shown): number {
    return jobs.some(({ ended }) => ended === null) ? LOOK_AGAIN_MS : 0;
  }

  protected override render(): TemplateResult {
    return this.shown(({ backups, jobs }) => {
      const isBusy = this.busy !== "" || jobs.some(({ ended }) => ended === null);
      return html`
        ${backups.failed === null ? nothing : html`<div class="notice bad" role="alert">${icon("warn")}<div><strong>The last backup failed, ${agoOf(backups.failed)}.</strong> ${backups.why ?? ""}</div></div>`}
        ${backups.isSet ? this.#schedule(backups, isBusy) : this.#unset()}
        ${jobs.length > 0 ? html`<section><h2>The latest work</h2><ul class="rows">${jobs.map(jobRow)}</ul></section>` : nothing}
        ${
          backups.isSet
            ? html`<section><h2>What there is</h2>
              ${backups.backups.length === 0 ? html`<div class="empty">${icon("box")}<strong>No backup yet.</strong></div>` : nothing}
              <ul class="rows">${backups.backups.map((backup) => this.#row(backup, isBusy))}</ul></section>`
            : nothing
        }`;
    });
  }

  #unset(): TemplateResult {
    return html`<div class="notice">${icon("warn")}<div><strong>No backups are made by themselves.</strong>
      Name a folder on another disk when you start the server (FREEHOLD_BACKUP_FOLDER), and for whom the backups are sealed (FREEHOLD_BACKUP_RECIPIENTS). Then this page makes and checks them.</div></div>`;
  }

  #schedule({ everyMs, proveEveryMs, keep, next }: Backups, isBusy: boolean): TemplateResult {
    const kept = [
      ...(keep.days > 0 ? [count(keep.days, "day")] : []),
      ...(keep.weeks > 0 ? [count(keep.weeks, "week")] : []),
      ...(keep.months > 0 ? [count(keep.months, "month")] : []),
    ].join(", ");
    return html`<article class="panel">
      <h2>${icon("clock")}When</h2>
      <p>${everyMs === 0 ? "Only when somebody says so." : html`Every ${spanOf(everyMs)}${next === null ? "" : html`; the next one ${next <= Date.now() ? "within a minute" : agoOf(next)}`}.`}
        ${proveEveryMs === 0 ? "None is checked by itself." : `Checked every ${spanOf(proveEveryMs)}: opened whole, where nobody sees it.`}
        The last of each of ${kept} is kept.</p>
      <div class="row"><button class="first" ?disabled=${isBusy} @click=${() => void this.run("backup", () => this.post("jobs", { what: "backup" }), "A backup is being made.")}>${busyWords(this.busy === "backup", html`${icon("box")}Make one now`, "Beginning …")}</button></div>
    </article>`;
  }

  #row(backup: BackupRow, isBusy: boolean): TemplateResult {
    const { name, what, time, bytes, proved } = backup;
    const work = () => this.post("backups/verify", { name });
    return html`<li class="row-plain"><span class="tile">${icon(what === "keys" ? "key" : "box")}</span>
      <span class="row-words"><strong>${nameOf(backup)}</strong><small>${dayOf(time)}, ${timeOf(time)}, ${sizeOf(bytes)}</small></span>
      ${
        what === "keys"
          ? nothing
          : proved !== null
            ? html`<span class="badge some">${icon("check")}Checked</span>`
            : html`<button class="second small" ?disabled=${isBusy} aria-label=${`Check the backup of ${dayOf(time)}, ${timeOf(time)}`} @click=${() => void this.run(name, work, "The backup is opened, where nobody sees it.")}>${busyWords(this.busy === name, "Check it", "…")}</button>`
      }</li>`;
  }
}
customElements.define("fh-host-backups", HostBackups);
