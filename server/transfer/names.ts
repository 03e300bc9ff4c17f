/**
 * Names in an archive. Whatever unpacks it (on a disk that ignores case, that knows reserved names, or short ones only)
 * must neither lose a file nor write one elsewhere; what had to be renamed is found again by the manifest.
 */
import { createHash } from "node:crypto";
import { encodeSegment, isBelowRules, parseTarget, type Target } from "../iri.ts";

/** Of one part: room is left for `.acl`, `.meta` and a number below the 255 that most disks allow. */
const PART_BYTES_MAX = 230;
/** Of a whole name: deeper ones are put into a folder of their own. */
const NAME_BYTES_MAX = 1_000;
/** https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;
// What some disks refuse, what nobody sees, and what makes a name look like another.
const UNFIT = /[<>:"|?*\\/\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** These endings are the access list's and the description's. */
const AUXILIARY = /\.(acl|acr|meta)$/iu;

/** The same for names that some disk takes for one. */
const fold = (name: string): string => name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");

function fitted(name: string): string {
  let fit = name
    .replace(UNFIT, "_")
    .replace(/[. ]+$/u, "_")
    .replace(AUXILIARY, "_$1");
  if (RESERVED.test(fit)) fit = `_${fit}`;
  if (Buffer.byteLength(fit) <= PART_BYTES_MAX) return fit;
  const extension = /\.[^.]{1,16}$/u.exec(fit)?.[0] ?? "";
  const head = Buffer.from(fit)
    .subarray(0, PART_BYTES_MAX - Buffer.byteLength(extension))
    .toString()
    .replace(/\ufffd+$/u, "");
  return head + extension;
}

/** 48 bits of a name: a million of them are told apart well enough, and two that are not get a number too many. */
const shortHash = (text: string): number => createHash("sha256").update(text).digest().readUIntBE(0, 6);

export interface FolderNames {
  /** @param segment A member's name as in its path, with the slash of a folder. @returns its name in the archive. */
  nameOf(segment: string): string;
}

/**
 * Names for the members of one folder.
 * @param folder The folder's own name in the archive, ending in `/`.
 */
export function createFolderNames(folder: string): FolderNames {
  const taken = new Set<number>();
  return {
    nameOf(segment) {
      const slash = segment.endsWith("/") ? "/" : "";
      const wanted = fitted(decodeURIComponent(slash ? segment.slice(0, -1) : segment));
      let name = wanted;
      for (let number = 2; taken.has(shortHash(fold(name))); number += 1)
        name = wanted.replace(/(\.[^.]{1,16})?$/u, (extension) => `~${number}${extension}`);
      taken.add(shortHash(fold(name)));
      const whole = `${folder}${name}${slash}`;
      if (Buffer.byteLength(whole) <= NAME_BYTES_MAX) return whole;
      const extension = slash === "" ? (/\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? "") : "/";
      const [top = "data"] = folder.split("/");
      return `${top}/~deep/${createHash("sha256").update(whole).digest("hex").slice(0, 40)}${extension}`;
    },
  };
}

/** Whether an entry's name could be anything but a place inside the archive. */
export function isUnsafe(name: string): boolean {
  const parts = name.replace(/\/$/, "").split("/");
  // oxlint-disable-next-line no-control-regex -- control characters are what this refuses
  return /^[A-Za-z]:|[\\\u0000-\u001f]/.test(name) || parts.some((part) => ["", ".", ".."].includes(part));
}

/**
 * Where a file of an archive without manifest belongs in a pod.
 * Servers that keep pods in folders write the media type behind a `$`: `card$.ttl` is `card`.
 * @param name Safe; without the folders above the pod's root.
 * @returns null for a name that no resource can have.
 */
export function placeOfName(pod: string, name: string): Target | null {
  const parts = name.normalize("NFC").split("/");
  const last = parts.length - 1;
  const segments = parts.map((part, index) =>
    encodeSegment(index === last ? part.replace(/\$(\.[A-Za-z0-9]+)((?:\.(?:acl|meta))?)$/, "$2") : part),
  );
  try {
    const target = parseTarget(`/${pod}/${segments.join("/")}`);
    return isBelowRules(target.path) ? null : target;
  } catch {
    return null;
  }
}
