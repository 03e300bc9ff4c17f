/** Entries of the journal, day by day and person by person; each opens and tells all that is known of it. */
import { html, nothing, type TemplateResult } from "lit";
import { type IconName, icon } from "../../parts/icons.ts";
import type { ActivityRow } from "../../parts/model.ts";
import {
  count,
  dayOf,
  deedPlace,
  folderOfRecord,
  hostOf,
  initialOf,
  sizeOf,
  timeOf,
} from "../../parts/words.ts";

type Told = Exclude<ActivityRow, { readonly erased: true }>;

const PICTURES: Readonly<Record<string, IconName>> = {
  operator: "shield",
  server: "home",
  several: "people",
  anonymous: "globe",
};

const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

const placeIn = ({ path, place }: Told): string => deedPlace(place, path);

function factsOf({ time, count: times, app, purposeLabel, rows, documents, bytes }: Told): string {
  return [
    timeOf(time),
    ...(times > 1 ? [count(times, "time")] : []),
    ...(app ? [`with ${app}`] : []),
    ...(purposeLabel ? [`for ${purposeLabel}`] : []),
    ...(rows === null ? [] : [`${count(rows, "answer")} from ${count(documents ?? 0, "file")}`]),
    ...(bytes ? [sizeOf(bytes)] : []),
  ].join(" · ");
}

/** All that is known of one entry, as pairs. */
function detail(row: Told): readonly (readonly [string, string | TemplateResult])[] {
  const { who, since, time, path, purpose, purposeLabel, grant, issuer, request, app } = row;
  const shown: (readonly [string, string | TemplateResult | null])[] = [
    ["When", since === null ? exact.format(time) : `${exact.format(since)} to ${timeOf(time)}`],
    ["Who", who.iri === null ? who.label : html`${who.label}<br /><span class="address">${who.iri}</span>`],
    ["Signed in at", issuer && hostOf(issuer)],
    ["With", app],
    ["Where", path && path !== "*" ? html`<span class="address">${path}</span>` : placeIn(row)],
    ["What for", purpose && html`${purposeLabel}<br /><span class="address">${purpose}</span>`],
    ["Why it was let in", grant && "By a yes that you gave"],
    ["Came to", row.refused ? "Nothing: it was refused" : null],
    ["Size", row.bytes ? sizeOf(row.bytes) : null],
    ["Number", `${row.number} in your record`],
    ["In the server's log", request],
  ];
  return shown.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

function entry(row: Told): TemplateResult {
  return html`<li><details class="deed">
    <summary>
      <span class="row-words"><strong>${row.did} ${placeIn(row)}</strong><small>${factsOf(row)}</small></span>
      ${row.refused ? html`<span class="badge some">${icon("lock")}Refused</span>` : nothing}
    </summary>
    <dl class="facts-list">${detail(row).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </details></li>`;
}

/** Many records of one folder, done the same to one after the other: one line, which opens. */
function several(rows: readonly Told[]): TemplateResult {
  const [last] = rows;
  if (!last || rows.length < TOGETHER_LEAST) return html`${rows.map(entry)}`;
  const folder = folderOfRecord(last.place ?? "") || "your pod";
  const bytes = rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  const facts = [timeOf(last.time), ...(bytes > 0 ? [sizeOf(bytes)] : [])].join(" · ");
  return html`<li><details class="deed">
    <summary>
      <span class="row-words"><strong>${last.did} ${count(rows.length, "record")} in ${folder}</strong><small>${facts}</small></span>
      ${last.refused ? html`<span class="badge some">${icon("lock")}Refused</span>` : nothing}
    </summary>
    <ul class="together">${rows.map(entry)}</ul>
  </details></li>`;
}
const TOGETHER_LEAST = 3;

/** @returns the rows in their order; those that can be told in one line stand together. */
function together(rows: readonly Told[]): readonly (readonly Told[])[] {
  const groups: Told[][] = [];
  let before: string | null = null;
  for (const row of rows) {
    const folder = row.place === null ? null : folderOfRecord(row.place);
    const key: string | null = folder === null ? null : `${row.did} ${row.refused} ${folder}`;
    if (key !== null && key === before) groups.at(-1)?.push(row);
    else groups.push([row]);
    before = key;
  }
  return groups;
}

function person(rows: readonly Told[]): TemplateResult {
  const who = rows[0]?.who;
  if (!who) return html``;
  const picture = PICTURES[who.kind];
  const times = rows.reduce((sum, row) => sum + row.count, 0);
  return html`<article class="panel doer">
    <header>${picture ? html`<span class="tile">${icon(picture)}</span>` : html`<span class="avatar" aria-hidden="true">${initialOf(who.label)}</span>`}
      <h3>${who.label}</h3><span class="soft">${count(times, "time")}</span></header>
    <ul>${together(rows).map(several)}</ul>
  </article>`;
}

/** @param rows The youngest first. */
export function days(rows: readonly ActivityRow[]): readonly TemplateResult[] {
  const erased = rows.filter((row) => row.erased).length;
  const told = rows.flatMap((row) => (row.erased ? [] : [row]));
  const byDay = Map.groupBy(told, ({ time }) => dayOf(time));
  return [
    ...[...byDay].map(([day, some]) => {
      const people = Map.groupBy(some, ({ who }) => `${who.kind} ${who.iri ?? ""}`);
      return html`<section class="day-part"><h2 class="day">${day}</h2>${[...people.values()].map(person)}</section>`;
    }),
    ...(erased === 0
      ? []
      : [
          html`<p class="soft">${icon("trash")} ${count(erased, "entry", "entries")} more: what stood there was about something that you erased for good.</p>`,
        ]),
  ];
}
