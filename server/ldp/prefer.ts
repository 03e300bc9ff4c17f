/** What a client would rather have. https://www.rfc-editor.org/rfc/rfc7240 */
import { ldp } from "@freehold/vocab";
import { splitField } from "../rdf/media.ts";

interface Preference {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const PREFERENCES_MAX = 16; // More is noise.

function pairOf(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  const name = (at < 0 ? text : text.slice(0, at)).trim().toLowerCase();
  const value = at < 0 ? "" : text.slice(at + 1).trim();
  return [name, value.replace(/^"(.*)"$/s, "$1")];
}

/** All preferences of a Prefer header; what cannot be understood is left out, as section 2 asks. */
function parsePrefer(header: string | undefined): readonly Preference[] {
  if (header === undefined) return [];
  return splitField(header, ",")
    .slice(0, PREFERENCES_MAX)
    .map((part) => {
      const [first = "", ...rest] = splitField(part, ";");
      const [name, value] = pairOf(first);
      return { name, value, parameters: new Map(rest.map(pairOf)) };
    })
    .filter(({ name }) => name !== "");
}

/** The first `return` counts. https://www.rfc-editor.org/rfc/rfc7240#section-4.2 */
export function preferredReturn(header: string | undefined): Preference | null {
  return parsePrefer(header).find(({ name }) => name === "return") ?? null;
}

const EMPTY_CONTAINER = "http://www.w3.org/ns/ldp#PreferEmptyContainer"; // Its name before LDP 1.0.

/**
 * Whether a container is wanted without its members.
 * @see https://www.w3.org/TR/ldp/#prefer-parameters
 */
export function prefersNoMembers(header: string | undefined): boolean {
  const preference = preferredReturn(header);
  if (preference?.value.toLowerCase() !== "representation") return false;
  const named = (parameter: string): readonly string[] =>
    (preference.parameters.get(parameter) ?? "").split(/\s+/);
  const [include, omit] = [named("include"), named("omit")];
  if (include.includes(ldp.PreferContainment)) return false;
  return (
    omit.includes(ldp.PreferContainment) ||
    include.includes(ldp.PreferMinimalContainer) ||
    include.includes(EMPTY_CONTAINER)
  );
}
