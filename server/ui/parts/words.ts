/** Numbers, dates, places and rights in the words of daily life. */
import { type Region, regionNow } from "./appearance.ts";
import type { AccessEntry, Mode, Who } from "./model.ts";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const daysOf = (region: Region): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(region, {
    day: "numeric",
    month: region === "en-CA" || region === "de-CH" ? "2-digit" : "long", // Where numbers alone are the custom.
    year: "numeric",
  });
let day = daysOf(regionNow());

/** Days are written so from now on; what is on the screen already follows when it is drawn anew. */
export function spellDays(region: Region): void {
  day = daysOf(region);
}
const list = new Intl.ListFormat("en-GB", { type: "conjunction" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function sizeOf(bytes: number): string {
  if (bytes < 1_000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const step = [
    ["kB", 1e3],
    ["MB", 1e6],
    ["GB", 1e9],
  ] as const;
  const [unit, size] = step.findLast(([, least]) => bytes >= least) ?? step[0];
  return `${number.format(bytes / size)} ${unit}`;
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${number.format(amount)} ${amount === 1 ? one : many}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const timeOf = (at: number): string => clock.format(at);

export const dayOf = (at: number): string => day.format(at);

/** `just now`, `3 days ago`, `in 2 days`; the day itself when it is further away. */
export function agoOf(at: number, now: number = Date.now()): string {
  const days = Math.round((at - now) / 86_400_000);
  if (days < -30 || days > 30) return dayOf(at);
  if (days >= 1) return relative.format(days, "day");
  if (days <= -1) return relative.format(days, "day");
  const minutes = Math.round((at - now) / 60_000);
  if (minutes <= -60) return relative.format(Math.round(minutes / 60), "hour");
  return minutes <= -2 ? relative.format(minutes, "minute") : "just now";
}

/** What somebody can do, between `can` and a place: `see and add to`. */
export function verbsOf(modes: readonly Mode[]): string {
  if (modes.includes("control")) return "see and change, and share with others,";
  const verbs = [
    ...(modes.includes("read") ? ["see"] : []),
    ...(modes.includes("append") || modes.includes("write") ? ["add to"] : []),
    ...(modes.includes("write") ? ["change"] : []),
  ];
  return list.format(verbs);
}

/** Names that programs make up: long numbers, and moments in digits alone. */
const MADE_UP = /^([0-9a-f]{4})(?:[0-9a-f]{12,}|[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const MOMENT = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?Z(?:-[0-9a-f]{6})?$/;

/** A name as a person would say it: of one that a program made up, the beginning is enough. */
export function spokenName(name: string): string {
  const bare = name.replace(/\.(?:ttl|jsonld)$/, "");
  const moment = MOMENT.exec(bare);
  if (moment) {
    const [years = 0, months = 1, days, hours, minutes, seconds] = moment.slice(1).map(Number);
    const at = Date.UTC(years, months - 1, days, hours, minutes, seconds);
    return `${dayOf(at)}, ${timeOf(at)}`;
  }
  const [, beginning] = MADE_UP.exec(bare) ?? [];
  return beginning ? `Record ${beginning}` : name;
}

/** The folder of a record whose name nobody chose; null for anything else. @param place A decoded path. */
export function folderOfRecord(place: string): string | null {
  const end = place.lastIndexOf("/") + 1;
  const name = place.slice(end);
  return name !== "" && spokenName(name) !== name ? place.slice(0, end) : null;
}

/** Where something was done. @param place Decoded, without the pod's name; null for the whole pod. @param path As it is kept. */
export function deedPlace(place: string | null, path: string | null): string {
  if (path === "*") return "several places";
  if (place === null || /^(?:sparql|search)$|^\.consent\//.test(place)) return "your pod";
  if (place.startsWith(".views/")) return "something you gave";
  const folder = folderOfRecord(place);
  return folder === null ? place : `a record in ${folder || "your pod"}`;
}

/** The last part of a path, as a person would say it. */
export function nameIn(path: string): string {
  const name = path.split("/").filter(Boolean).at(-1) ?? "";
  return spokenName(decodeURIComponent(name).replace(/\.(?:acl|meta)$/, ""));
}

/** A place within the pod, as a person would say it. */
export function placeOf(path: string): string {
  const parts = path.split("/").filter(Boolean).slice(1).map(decodeURIComponent);
  if (parts[0] === ".views") return "a part that you chose";
  return parts.length === 0 ? "your whole pod" : parts.map(spokenName).join(" › ");
}

/** What an entry is about, with what is in it. */
export function scopeOf({ path, inherited }: Pick<AccessEntry, "path" | "inherited">): string {
  const place = placeOf(path);
  return inherited && place !== "your whole pod" ? `${place} and all that is in it` : place;
}

export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}

/** `dpzz 1qqu cj28 …`: long identifiers are read and compared four at a time. */
export function groupsOf(identifier: string): readonly string[] {
  // The prefix with its separator has five characters; the rest divides by four.
  return [identifier.slice(0, 5), ...(identifier.slice(5).match(/.{1,4}/g) ?? [])];
}

/** Who can see a place, besides its owner: what a badge beside it says. */
export function sharedWith(
  path: string,
  entries: readonly AccessEntry[],
): { readonly label: string; readonly level: "private" | "some" | "all" } {
  const here = entries.filter(
    (entry) =>
      !entry.card &&
      (entry.path === path ||
        (entry.inherited && path.startsWith(entry.path)) ||
        (path.endsWith("/") && entry.path.startsWith(path))),
  );
  if (here.some(({ who }) => who.kind === "public")) return { label: "Everyone", level: "all" };
  if (here.some(({ who }) => who.kind === "signed-in")) return { label: "Anyone signed in", level: "all" };
  const people = new Set(here.filter(({ who }) => who.kind === "person").map(({ who }) => who.iri));
  const groups = new Set(here.filter(({ who }) => who.kind === "group").map(({ who }) => who.iri));
  const parts = [
    ...(people.size > 0 ? [count(people.size, "person", "people")] : []),
    ...(groups.size > 0 ? [count(groups.size, "group")] : []),
  ];
  return parts.length > 0
    ? { label: parts.join(", "), level: "some" }
    : { label: "Only you", level: "private" };
}

export const sameWho = (a: Who, b: Who): boolean => a.kind === b.kind && a.iri === b.iri;

/** What a file is, without the names of formats. */
export function kindOf(contentType: string): string {
  if (contentType.startsWith("image/")) return "Picture";
  if (contentType.startsWith("audio/")) return "Sound";
  if (contentType.startsWith("video/")) return "Film";
  if (/^text\/(turtle|n3)|ld\+json|n-triples|n-quads|trig|rdf\+xml/.test(contentType)) return "Record";
  if (contentType.startsWith("text/")) return "Text";
  if (contentType === "application/pdf") return "PDF";
  return "File";
}

/** A name as it can stand in an address: `Ana Lima` → `ana-lima`. */
export function podNameOf(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
}

/** The first letter of a name, for the round picture of somebody without one. */
export const initialOf = (name: string): string =>
  [...new Intl.Segmenter().segment(name.trim())][0]?.segment.toUpperCase() ?? "?";
