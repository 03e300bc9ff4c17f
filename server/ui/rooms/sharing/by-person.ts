/** Who has access, person by person: everyone, people, groups, and those that were let in by a yes. */
import { html, nothing, type TemplateResult } from "lit";
import { type IconName, icon } from "../../parts/icons.ts";
import type { AccessEntry, ConsentEntry, Overview, Who } from "../../parts/model.ts";
import { count, dayOf, hostOf, initialOf, sameWho, scopeOf, verbsOf } from "../../parts/words.ts";

/** A button that takes something back. @param path null for all places. */
export type TakeBack = (who: Who, path: string | null, words: string) => TemplateResult;

interface Kind {
  readonly title: string;
  readonly about: string;
  readonly kinds: readonly Who["kind"][];
  readonly icon: IconName;
}

const KINDS: readonly Kind[] = [
  { title: "Open to all", about: "On the whole web", kinds: ["public", "signed-in"], icon: "globe" },
  { title: "People", about: "Whom you have named", kinds: ["person"], icon: "person" },
  { title: "Groups", about: "Whoever is on a list", kinds: ["group"], icon: "people" },
];

const different = (all: readonly Who[]): readonly Who[] =>
  all.filter((who, place) => all.findIndex((other) => sameWho(other, who)) === place);

/** As it stands in the address of the view that looks with somebody's eyes. */
const eyesOf = ({ kind, iri }: Who): string => (iri === null ? kind : `${kind}~${encodeURIComponent(iri)}`);

/** What is given by a yes, and where to end it. */
export function consentRow({ path, modes, purposes, until }: ConsentEntry): TemplateResult {
  return html`<li>
    <span>can ${verbsOf(modes)} <strong>${scopeOf({ path, inherited: path.endsWith("/") })}</strong>${purposes.length > 0 ? html` for ${purposes.join(", ")}` : nothing}, until ${dayOf(until)}. <span class="soft">You said yes to this.</span></span>
    <a class="button second small" href="#/relationships">Look at it</a>
  </li>`;
}

export function entryRow(entry: AccessEntry, takeBack: TakeBack): TemplateResult {
  const { who, path, modes, apps } = entry;
  return html`<li>
    <span>can ${verbsOf(modes)} <strong>${scopeOf(entry)}</strong>${apps.length > 0 ? html`, only with ${apps.map(hostOf).join(", ")}` : nothing}</span>
    ${takeBack(who, path, "Take back")}
  </li>`;
}

function person(
  who: Who,
  entries: readonly AccessEntry[],
  consents: readonly ConsentEntry[],
  picture: IconName,
  takeBack: TakeBack,
): TemplateResult {
  const members = entries.find((entry) => entry.members !== null)?.members ?? null;
  return html`<article class="panel person ${who.kind === "public" ? "open" : ""}">
    <header>
      <span class="avatar" aria-hidden="true">${who.kind === "person" ? initialOf(who.label) : icon(picture)}</span>
      <div class="row-words"><h3>${who.label}</h3>
        ${who.iri ? html`<small class="address">${who.iri}</small>` : nothing}
        ${members === null ? nothing : html`<small>${count(members, "person", "people")} on the list now</small>`}
      </div>
      ${who.kind === "group" ? nothing : html`<a class="button quiet small" href=${`#/sharing/as/${eyesOf(who)}/`} aria-label=${`See as ${who.label}`}>${icon("eye")}See as</a>`}
    </header>
    <ul>
      ${entries.map((entry) => entryRow(entry, takeBack))}
      ${consents.map(consentRow)}
      ${entries.length > 1 ? html`<li><span class="soft">All that you shared</span>${takeBack(who, null, "Take all back")}</li>` : nothing}
    </ul>
  </article>`;
}

/** @param overview Of which the public card is left out. */
export function byPerson(
  { entries, consents }: Pick<Overview, "entries" | "consents">,
  takeBack: TakeBack,
): TemplateResult {
  const open = entries.filter(({ card }) => !card);
  return html`${KINDS.map(({ title, about, kinds, icon: picture }) => {
    const people = different(
      [...open, ...consents].map(({ who }) => who).filter(({ kind }) => kinds.includes(kind)),
    );
    if (people.length === 0) return nothing;
    return html`<section>
      <div class="head"><h2>${title}</h2><p class="soft">${about}</p></div>
      ${people.map((who) =>
        person(
          who,
          open.filter((entry) => sameWho(entry.who, who)),
          consents.filter((consent) => sameWho(consent.who, who)),
          picture,
          takeBack,
        ),
      )}
    </section>`;
  })}`;
}
