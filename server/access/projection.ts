/**
 * How grants look in an access list, for clients that know of lists only. What is shown is not stored, and stored it would
 * give nothing: each grant is a group of its own that has its vendor as a member while the grant is in force, and that no
 * list lets in here. https://solidproject.org/TR/wac#acl-agentgroup
 */
import { acl, rdf } from "@freehold/vocab";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import { MODE_IRIS } from "./acl.ts";
import type { GrantShown } from "./grant-decisions.ts";
import { granteeOf } from "./grants.ts";

/**
 * @param baseUrl Canonical, ends in `/`.
 * @param subject Path of what the list is for.
 * @returns an authorization for each grant.
 */
export function projectionOf(
  baseUrl: string,
  pod: string,
  subject: string,
  grants: readonly GrantShown[],
): readonly Quad[] {
  const url = `${baseUrl.slice(0, -1)}${subject}`;
  return grants.flatMap(({ grant, modes }) => {
    const say = (predicate: string, object: string): Quad =>
      quad(namedNode(`${url}.acl#grant-${grant}`), namedNode(predicate), namedNode(object));
    return [
      say(rdf.type, acl.Authorization),
      say(acl.agentGroup, granteeOf(baseUrl, pod, grant)),
      say(acl.accessTo, url),
      ...(subject.endsWith("/") ? [say(acl.default, url)] : []),
      ...modes.map((mode) => say(acl.mode, MODE_IRIS[mode])),
    ];
  });
}
