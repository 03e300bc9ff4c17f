/** Groups of people, each a document in the pod's own `groups` folder that any app can read. */
import { ask, Refusal } from "./ask.ts";
import type { Folder } from "./model.ts";
import { podFetch } from "./pod-fetch.ts";
import { podNameOf } from "./words.ts";

export interface Group {
  readonly name: string;
  /** Path of its document. */
  readonly path: string;
  /** By which rules name it. */
  readonly address: string;
  /** Addresses of people. */
  readonly members: readonly string[];
  /** Another app keeps more in the document than these pages would write. */
  readonly isForeign: boolean;
  /** Of the document as it was read; empty for a new one. */
  readonly etag: string;
}

const VCARD = "http://www.w3.org/2006/vcard/ns#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const LINE = /^<([^>]*)> <([^>]*)> (?:<([^>]*)>|"((?:[^"\\]|\\.)*)"\S*) \.$/;
/** What can stand between the brackets of Turtle. */
const ADDRESS = /^https?:\/\/[^\s<>"{}|\\^`]+$/;

const folderOf = (pod: string): string => `/${pod}/groups/`;

export const isAddress = (text: string): boolean => ADDRESS.test(text) && URL.canParse(text);

/** @param text N-Triples: one statement on each line. */
export function readGroup(text: string, path: string, etag: string): Group | null {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const rows = lines.map((line) => LINE.exec(line.trim()));
  const address = rows.find((row) => row?.[2] === TYPE && row[3] === `${VCARD}Group`)?.[1];
  if (address === undefined) return null;
  const members: string[] = [];
  let name = "";
  let known = 0;
  for (const row of rows) {
    if (row?.[1] !== address) continue;
    const [, , predicate, iri, literal] = row;
    if (predicate === `${VCARD}hasMember` && iri !== undefined) members.push(iri);
    else if (predicate === `${VCARD}fn` && literal !== undefined) name = JSON.parse(`"${literal}"`) as string;
    else if (predicate !== TYPE) continue;
    known += 1;
  }
  return {
    name: name || decodeURIComponent(path.split("/").at(-1) ?? ""),
    path,
    address,
    members,
    isForeign: known !== lines.length,
    etag,
  };
}

/** As it is stored. */
export function writeGroup({ name, members }: Pick<Group, "name" | "members">, fragment: string): string {
  const list = members.map((member) => `<${member}>`).join(", ");
  return `@prefix vcard: <${VCARD}>.\n<#${fragment}> a vcard:Group; vcard:fn ${JSON.stringify(name)}${list ? `;\n  vcard:hasMember ${list}` : ""}.\n`;
}

/** @throws Refusal */
export async function listGroups(pod: string): Promise<readonly Group[]> {
  let items: Folder["items"];
  try {
    items = (await ask<Folder>("GET", `/.account/folder?path=${encodeURIComponent(folderOf(pod))}`)).items;
  } catch (error) {
    if (error instanceof Refusal && error.code === "not-found") return []; // Nobody has made one yet.
    throw error;
  }
  const groups = await Promise.all(
    items
      .filter(({ isFolder }) => !isFolder)
      .map(async ({ path }) => {
        const response = await podFetch("GET", path, undefined, { accept: "application/n-triples" }).catch(
          () => null,
        );
        return response && readGroup(await response.text(), path, response.headers.get("etag") ?? "");
      }),
  );
  return groups.filter((group) => group !== null);
}

/** @throws Refusal `etag-mismatch` when somebody has changed it meanwhile. */
async function put(
  path: string,
  group: Pick<Group, "name" | "members">,
  fragment: string,
  condition: Record<string, string>,
): Promise<void> {
  const body = new Blob([writeGroup(group, fragment)], { type: "text/turtle" });
  await podFetch("PUT", path, { body, contentType: "text/turtle" }, condition);
}

const FRAGMENT = "group";

/** @throws Refusal when there is one of this name. */
export function makeGroup(pod: string, name: string): Promise<void> {
  const path = `${folderOf(pod)}${podNameOf(name) || "group"}.ttl`;
  return put(path, { name, members: [] }, FRAGMENT, { "if-none-match": "*" });
}

/** @throws Refusal */
export async function changeMembers(group: Group, members: readonly string[]): Promise<void> {
  // The document as it is now: what is undone was written by the change before.
  const head = await podFetch("GET", group.path, undefined, { accept: "application/n-triples" });
  const present = readGroup(await head.text(), group.path, head.headers.get("etag") ?? "");
  if (!present || present.isForeign)
    throw new Refusal("foreign", "Another app keeps this group", "", "Change it in that app.");
  await put(group.path, { name: present.name, members }, group.address.split("#")[1] || FRAGMENT, {});
}

/** @throws Refusal */
export async function removeGroup({ path }: Group): Promise<void> {
  await podFetch("DELETE", path);
}
