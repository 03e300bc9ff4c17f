/** Names of new members, from what a client would like them to be called. https://www.rfc-editor.org/rfc/rfc5023#section-9.7 */
import { randomBytes, randomUUID } from "node:crypto";

/** One cleaning: what it cuts off may leave what the next must cut off, as in `x.acl.acl.`. */
function clean(name: string, bytesMax: number): string {
  return Buffer.from(
    name
      // oxlint-disable-next-line no-control-regex -- control characters are what this removes
      .replace(/[\u0000-\u001f\u007f/\\]+/g, "-")
      .replace(/\.(acl|acr|meta)$/i, "-$1")
      .replace(/^\.+|\.+$/g, ""),
  )
    .subarray(0, bytesMax)
    .toString()
    .replace(/\ufffd+$/, "") // Half a letter, where it was cut.
    .toWellFormed()
    .normalize("NFC");
}

/**
 * A Slug is a hint, cleaned of all that could mean something else; without one, or when nothing is left, a random name.
 * @param slug As in the header: percent-encoded UTF-8.
 */
export function nameFromSlug(slug: string | undefined, bytesMax: number): string {
  if (slug === undefined) return randomUUID();
  let name = slug;
  try {
    name = decodeURIComponent(slug);
  } catch {
    // Not percent-encoded: taken as it is.
  }
  for (let before = ""; before !== name; ) {
    before = name;
    name = clean(name, bytesMax);
  }
  return name || randomUUID();
}

/** The name with a part that nobody can guess, before its extension: `milk.ttl` becomes `milk-6f…e1.ttl`. */
export function unguessable(name: string): string {
  return name.replace(/(\.[^.]*)?$/, (extension) => `-${randomBytes(8).toString("hex")}${extension}`);
}
