/** `<fh-hosting>`: for whoever runs the server for others. What is in their pods is not here: no door tells it. */
import { html, type TemplateResult } from "lit";
import { ask } from "../../parts/ask.ts";
import { given, Part } from "../../parts/element.ts";
import { type IconName, icon } from "../../parts/icons.ts";
import type { Me } from "../../parts/model.ts";
import { agoOf, count, sizeOf } from "../../parts/words.ts";
import "./accounts.ts";
import "./backups.ts";
import { gauge, hourChart } from "./chart.ts";
import "./diagnostics.ts";
import "./health.ts";
import "./invitations.ts";
import "./jobs.ts";
import "./log.ts";
import type { Accounts, Backups, Health, Invitation, Job, LogLine } from "./model.ts";
import { doorOf, HostingPart } from "./part.ts";
import { lastedOf } from "./words.ts";

interface Page {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly icon: IconName;
  readonly show: (me: Me, rest: string) => TemplateResult;
}

const PAGES: readonly Page[] = [
  {
    name: "accounts",
    title: "Accounts",
    about: "Who lives here, and how much room each has",
    icon: "people",
    show: (me, rest) => html`<fh-host-accounts .me=${me} .rest=${rest}></fh-host-accounts>`,
  },
  {
    name: "invitations",
    title: "Invitations",
    about: "Let somebody open a pod here",
    icon: "plus",
    show: () => html`<fh-host-invitations></fh-host-invitations>`,
  },
  {
    name: "backups",
    title: "Backups",
    about: "Copies of everything, sealed and proved",
    icon: "box",
    show: () => html`<fh-host-backups></fh-host-backups>`,
  },
  {
    name: "jobs",
    title: "Long work",
    about: "What runs, how far it is, and how it ended",
    icon: "clock",
    show: () => html`<fh-host-jobs></fh-host-jobs>`,
  },
  {
    name: "health",
    title: "Health",
    about: "Visits, waiting, memory and disk",
    icon: "eye",
    show: () => html`<fh-host-health></fh-host-health>`,
  },
  {
    name: "log",
    title: "Log",
    about: "What the server noted, nothing of anybody",
    icon: "file",
    show: () => html`<fh-host-log></fh-host-log>`,
  },
  {
    name: "diagnostics",
    title: "Diagnostics",
    about: "What is wrong, and what to do about it",
    icon: "search",
    show: (me) => html`<fh-host-diagnostics .me=${me}></fh-host-diagnostics>`,
  },
];

class Hosting extends Part {
  static override properties = given("me", "rest");
  declare me: Me;
  /** A page, and what follows it: `accounts/ana`. */
  declare rest: string;

  protected override render(): TemplateResult {
    const [, name = "", rest = ""] = /^([a-z]*)\/?(.*)$/.exec(this.rest ?? "") ?? [];
    if (!this.me.isOperator)
      return html`<h1>Hosting</h1><div class="empty">${icon("lock")}<strong>This room is for whoever runs the server.</strong><a href="#/home">Go to your own rooms</a></div>`;
    const page = PAGES.find((one) => one.name === name);
    if (!page)
      return html`<div class="head"><div><h1>Hosting</h1>
        <p class="soft">You run this server for those who live on it. What is in their pods cannot be seen from here.</p></div></div>
        <fh-host-start></fh-host-start>`;
    return html`<div class="head"><div>
        <nav class="crumbs" aria-label="Where you are"><a href="#/hosting">Hosting</a>${icon("next")}<a href=${`#/hosting/${page.name}`} aria-current=${rest === "" ? "page" : "false"}>${page.title}</a></nav>
        <h1>${rest === "" ? page.title : decodeURIComponent(rest)}</h1>
        ${rest === "" ? html`<p class="soft">${page.about}.</p>` : ""}
      </div></div>
      ${page.show(this.me, rest)}`;
  }
}
customElements.define("fh-hosting", Hosting);

interface Start {
  readonly accounts: Accounts;
  readonly invitations: readonly Invitation[];
  readonly jobs: readonly Job[];
  readonly backups: Backups;
  readonly health: Health;
  readonly errors: readonly LogLine[];
}

const LOOK_AGAIN_MS = 30_000;

class HostingStart extends HostingPart<Start> {
  protected override async fetch(): Promise<Start> {
    const [accounts, { invitations }, { jobs }, backups, health, { lines }] = await Promise.all([
      ask<Accounts>("GET", doorOf("accounts")),
      ask<{ invitations: readonly Invitation[] }>("GET", doorOf("invitations")),
      ask<{ jobs: readonly Job[] }>("GET", doorOf("jobs")),
      ask<Backups>("GET", doorOf("backups")),
      ask<Health>("GET", doorOf("health")),
      ask<{ lines: readonly LogLine[] }>("GET", doorOf("log?least=error")),
    ]);
    return { accounts, invitations, jobs, backups, health, errors: lines };
  }

  protected override again(): number {
    return LOOK_AGAIN_MS;
  }

  protected override render(): TemplateResult {
    return this.shown((start) => html`${this.#state(start)} ${this.#pages(start)}`);
  }

  #state({ health }: Start): TemplateResult {
    const { disk, isReady, since, version, minutes } = health;
    const used = disk.total - disk.free;
    return html`
      <div class="notice ${isReady ? "good" : "bad"}" role="status">${icon(isReady ? "check" : "warn")}<div>
        <strong>${isReady ? "The server is ready." : "The server cannot store anything at this moment."}</strong>
        Freehold ${version}, up for ${lastedOf(Date.now() - since)}. ${isReady ? "" : html`<a href="#/hosting/diagnostics">See what is wrong</a>`}</div></div>
      <div class="two">
        ${hourChart(
          "Visits each minute",
          minutes,
          ({ requests }) => requests,
          (value) => value.toLocaleString("en"),
        )}
        <article class="panel">
          <h2>Disk</h2>
          <p class="hour-now"><strong>${sizeOf(disk.free)}</strong> <span class="soft">free of ${sizeOf(disk.total)}</span></p>
          ${gauge(used, disk.total, `${sizeOf(used)} of ${sizeOf(disk.total)} in use`)}
        </article>
      </div>`;
  }

  #pages(start: Start): TemplateResult {
    const words: Readonly<Record<string, string>> = {
      accounts: count(start.accounts.total, "person", "people"),
      invitations: start.invitations.length === 0 ? "" : `${start.invitations.length} open`,
      backups: backupWords(start.backups),
      jobs: workWords(start.jobs),
      log: start.errors.length === 0 ? "" : count(start.errors.length, "mistake"),
    };
    return html`<section><h2>What you can do</h2><ul class="rows">${PAGES.map(
      ({ name, title, about, icon: picture }) =>
        html`<li><a class="row-link" href=${`#/hosting/${name}`}><span class="tile">${icon(picture)}</span>
          <span class="row-words"><strong>${title}</strong><small>${about}</small></span>
          ${words[name] ? html`<span class="host-count">${words[name]}</span>` : ""}${icon("next")}</a></li>`,
    )}</ul></section>`;
  }
}
customElements.define("fh-host-start", HostingStart);

function backupWords({ isSet, failed, backups }: Backups): string {
  if (failed !== null) return "The last one failed";
  const newest = backups.find(({ what }) => what === "all");
  return newest ? agoOf(newest.time) : isSet ? "None yet" : "Not set up";
}

function workWords(jobs: readonly Job[]): string {
  const running = jobs.filter(({ state }) => state === "running").length;
  return running === 0 ? "" : `${running} under way`;
}
