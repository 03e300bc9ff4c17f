/** What a former place recorded of a pod, kept as documents that only the owner sees. */
import type { Language } from "../access/language.ts";
import { type Pod } from "../store/pods.ts";
import { membersOf, type Source } from "./archive.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Reading } from "./content.ts";
import type { Manifest } from "./manifest.ts";

/** Folder in a pod. */
export const FORMER_HOMES = "settings/former-homes/";

const KEPT: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  "journal.jsonl": { name: "journal.jsonl", type: "application/x-ndjson" },
  "passport/operations.json": { name: "passport.json", type: "application/json" },
};

/** @returns the folder's path; null when the archive holds no journal. */
export async function formerHome(input: {
  readonly pod: Pod;
  readonly source: Source;
  readonly manifest: Manifest;
  readonly arrivals: Arrivals;
  readonly reading: Reading;
  readonly origin: string;
  readonly language: Language;
}): Promise<string | null> {
  const { pod, source, manifest, arrivals, reading, origin, language } = input;
  const { hostname } = new URL(manifest.base);
  const id = manifest.id.replace(/[^0-9a-z]/gi, "").slice(0, 8);
  const taken = Date.parse(manifest.taken);
  const day = new Date(taken).toISOString().slice(0, 10);
  const folder = `/${pod.name}/${FORMER_HOMES}${day}-${hostname.replace(/[^\w.-]/g, "")}-${id}/`;
  let isAny = false;
  for await (const member of membersOf(source)) {
    const kept = KEPT[member.name];
    if (!kept) continue;
    if (!isAny) {
      await arrivals.add({ kind: "folder", path: folder });
      const bytes = Buffer.from(language.ownerOnly(pod.owner, origin + folder));
      await arrivals.add({ kind: "acl", path: folder, contentType: "text/turtle", bytes, modified: taken });
    }
    isAny = true;
    const path = folder + kept.name;
    const expected = { contentType: kept.type, kind: "binary", sha256: null, bytes: member.bytes } as const;
    const { content } = await reading.take(member, expected, {
      before: origin + path,
      after: origin + path,
      card: null,
    });
    await arrivals.add({ kind: "document", path, content, created: taken, modified: taken });
  }
  if (!isAny) return null;
  const about = Buffer.from(`${JSON.stringify({ ...manifest, note: NOTE }, null, 2)}\n`);
  const content = { kind: "binary", contentType: "application/json", bytes: about } as const;
  await arrivals.add({
    kind: "document",
    path: `${folder}about.json`,
    content,
    created: taken,
    modified: taken,
  });
  return folder;
}

const NOTE =
  "What another server recorded of this pod before it came here. This server has not seen it happen and cannot vouch for it.";
