/** Access lists as people write them, for the tests of doors. */
import type { Person } from "../support/server.ts";

const ACL = "http://www.w3.org/ns/auth/acl#";

export type ModeName = "Read" | "Append" | "Write" | "Control";

/** A WebID, everybody, or everybody who has logged in. */
export interface Grant {
  readonly to: string;
  readonly modes: readonly ModeName[];
  /** For the resource itself, for what is in it, or for both. */
  readonly on?: "own" | "members" | "both";
}

export function aclOf(resource: string, grants: readonly Grant[]): string {
  return grants
    .map(({ to, modes, on = "both" }, index) => {
      const whom =
        to === "public"
          ? `<${ACL}agentClass> <http://xmlns.com/foaf/0.1/Agent>`
          : to === "signed-in"
            ? `<${ACL}agentClass> <${ACL}AuthenticatedAgent>`
            : `<${ACL}agent> <${to}>`;
      return [
        `<#rule${index}> a <${ACL}Authorization>; ${whom}`,
        ...(on === "members" ? [] : [`<${ACL}accessTo> <${resource}>`]),
        ...(on === "own" ? [] : [`<${ACL}default> <${resource}>`]),
        `<${ACL}mode> ${modes.map((mode) => `<${ACL}${mode}>`).join(", ")} .`,
      ].join("; ");
    })
    .join("\n");
}

/** Writes the list of a resource; the owner keeps all modes. */
export async function setAccess(owner: Person, resource: string, grants: readonly Grant[]): Promise<void> {
  const all = [{ to: owner.webid, modes: ["Read", "Write", "Control"] as const }, ...grants];
  const response = await owner.fetch(`${resource}.acl`, {
    method: "PUT",
    headers: { "content-type": "text/turtle" },
    body: aclOf(resource, all),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

export async function write(
  owner: Person,
  resource: string,
  body = "<> <urn:x:is> 1 .",
  contentType = "text/turtle",
): Promise<void> {
  const response = await owner.fetch(resource, {
    method: "PUT",
    headers: { "content-type": contentType },
    body,
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

export const N3 = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch; ";
