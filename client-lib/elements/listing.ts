/** What is in a folder, as the folder says it. https://solidproject.org/TR/protocol#resource-containment */
import { dcterms, ldp, MEDIA_TYPE, posix, rdf } from "@freehold/vocab";
import type { Fetch } from "../errors.ts";
import { readDocument } from "./graph.ts";

/** One entry of a folder. */
export interface Listed {
  readonly name: string;
  /** Its address, or its path within the server. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Empty where the folder does not say. */
  readonly contentType: string;
  readonly bytes: number;
  /** Milliseconds since 1970; 0 where the folder does not say. */
  readonly modified: number;
}

function nameOf(address: string): string {
  const name = address.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Folders first, then by name. @throws FreeholdError */
export async function listFolder(fetch: Fetch, folder: string): Promise<readonly Listed[]> {
  const { graph } = await readDocument(fetch, folder);
  const members = graph
    .objects(folder, ldp.contains)
    .map(({ value }) => value)
    .filter((member) => member.startsWith(folder)); // What a folder says of elsewhere is none of its files.
  const listed = members.map((path): Listed => {
    const media = graph.objects(path, rdf.type).find(({ value }) => value.startsWith(MEDIA_TYPE));
    const modified = Date.parse(graph.value(path, dcterms.modified) ?? "");
    return {
      name: nameOf(path),
      path,
      isFolder: path.endsWith("/"),
      contentType: media?.value.slice(MEDIA_TYPE.length).replace(/#Resource$/, "") ?? "",
      bytes: Number(graph.value(path, posix.size) ?? 0),
      modified: Number.isNaN(modified) ? 0 : modified,
    };
  });
  return listed.toSorted(
    (a, b) =>
      Number(b.isFolder) - Number(a.isFolder) || a.name.localeCompare(b.name, "en", { numeric: true }),
  );
}
