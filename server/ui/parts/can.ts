/** What an app can do with what a person lets it, and what it cannot: two lists in plain words. */
import { html, type TemplateResult } from "lit";
import { icon } from "./icons.ts";
import type { Reach } from "./model.ts";
import { count, nameIn } from "./words.ts";

const list = new Intl.ListFormat("en-GB", { type: "conjunction" });
const NAMED_MAX = 4; // Names of folders in one line.

function named(paths: readonly string[]): string {
  const names = paths.map(nameIn);
  return list.format(
    names.length > NAMED_MAX
      ? [...names.slice(0, NAMED_MAX - 1), count(names.length - NAMED_MAX + 1, "other folder")]
      : names,
  );
}

/** @param folders Paths of the folders that there are in the pod. */
export function abilities(
  { folders: given, modes }: Reach,
  folders: readonly string[],
): { readonly can: readonly string[]; readonly cannot: readonly string[] } {
  if (modes.length === 0 || given?.length === 0)
    return { can: ["know who you are"], cannot: ["see anything", "add or change anything"] };
  const has = (mode: Reach["modes"][number]): boolean => modes.includes(mode) || modes.includes("control");
  const where = given === null ? "everything that you can see" : named(given);
  const deeds: readonly (readonly [isGiven: boolean, can: string, cannot: string])[] = [
    [has("read"), `see ${where}`, "see what is there"],
    [has("append") || has("write"), given === null ? "add new things" : `add to ${where}`, "add anything"],
    [has("write"), "change and delete things there", "change or delete anything"],
    [has("control"), "decide who else may see it", "decide who else may see it"],
  ];
  const others =
    given === null ? [] : folders.filter((path) => !given.some((folder) => path.startsWith(folder)));
  return {
    can: deeds.flatMap(([isGiven, can]) => (isGiven ? [can] : [])),
    cannot: [
      ...(others.length > 0 ? [`touch ${named(others)}`] : []),
      ...deeds.flatMap(([isGiven, , cannot]) => (isGiven ? [] : [cannot])),
    ],
  };
}

export function abilityLists(reach: Reach, folders: readonly string[]): TemplateResult {
  const { can, cannot } = abilities(reach, folders);
  const row = (words: string, isGiven: boolean) =>
    html`<li>${icon(isGiven ? "check" : "close")}<span>${words}</span></li>`;
  return html`<div class="abilities">
    <div class="can"><p class="label">It can</p><ul>${can.map((words) => row(words, true))}</ul></div>
    <div class="cannot"><p class="label">It cannot</p><ul>${cannot.map((words) => row(words, false))}</ul></div>
  </div>`;
}
