/**
 * Every operation on a pod's resources, twice: what it needs by the text of the specifications (for an evaluator that knows
 * nothing of the server), and how it is asked of the server. Each request carries a condition that never holds, so that
 * whoever may is told 412 and nothing is changed.
 */
import type { Needs } from "../../server/ldp/needs.ts";
import { needsOfDelete, needsOfPatch, needsOfPost, needsOfPut, needsOfRead } from "../../server/ldp/needs.ts";
import type { Prepared } from "../../server/ldp/prepare.ts";
import type { Mode } from "../../server/operation.ts";
import { parsePatch } from "../../server/rdf/patch.ts";

/** What stands at a place, by the address and by whether anything is there. */
export type Kind = "root" | "folder" | "document" | "nothing" | "rules" | "root-rules" | "description";

/** Modes on a path, all of which are needed. */
export type NeedsByText = (path: string, kind: Kind) => readonly (readonly [path: string, mode: Mode])[];

export interface DoorRow {
  readonly name: string;
  /** Where it is a method of the resource at all. */
  readonly kinds: readonly Kind[];
  readonly byText: NeedsByText;
  readonly init: RequestInit;
  readonly needs: Needs;
  readonly prepared: (url: string) => Prepared;
}

const above = (path: string): string => path.replace(/[^/]+\/?$/, "");
/** Rules are read and written with Control of what they are about. https://solidproject.org/ED/wac#server-control-operation */
const orControl =
  (usual: NeedsByText): NeedsByText =>
  (path, kind) =>
    kind === "rules" || kind === "root-rules" ? [[path, "control"]] : usual(path, kind);

const ALL: readonly Kind[] = ["root", "folder", "document", "nothing", "rules", "root-rules", "description"];
const WRITABLE: readonly Kind[] = ["document", "nothing", "rules", "root-rules", "description"];
const NEVER = { "if-match": '"never"' };
const turtle = { "content-type": "text/turtle", ...NEVER };

/** Creating also changes what the folder holds. https://solidproject.org/ED/wac#server-create-operation */
const changing =
  (...modes: readonly Mode[]): NeedsByText =>
  (path, kind) => [
    ...modes.map((mode) => [path, mode] as const),
    ...(kind === "nothing" ? [[above(path), "append"] as const] : []),
  ];

const N3 = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. _:p a solid:InsertDeletePatch;";
function patch(
  name: string,
  contentType: "text/n3" | "application/sparql-update",
  text: string,
  modes: readonly Mode[],
): DoorRow {
  const body = contentType === "text/n3" ? `${N3} ${text} .` : text;
  return {
    name,
    kinds: ALL,
    byText: orControl(changing(...modes)),
    init: { method: "PATCH", headers: { "content-type": contentType, ...NEVER }, body },
    needs: needsOfPatch,
    prepared: (url) => ({ kind: "patch", patch: parsePatch(body, contentType, url) }),
  };
}

const read = (method: "GET" | "HEAD"): DoorRow => ({
  name: method,
  kinds: ALL,
  byText: orControl((path) => [[path, "read"]]),
  init: { method },
  needs: needsOfRead,
  prepared: () => null,
});

export const DOORS: readonly DoorRow[] = [
  read("GET"),
  read("HEAD"),
  {
    name: "PUT",
    kinds: WRITABLE,
    byText: orControl(changing("write")),
    init: { method: "PUT", headers: turtle, body: "<> <urn:x:is> 2 ." },
    needs: needsOfPut,
    prepared: () => null,
  },
  {
    name: "PUT of a folder",
    kinds: ["root", "folder"],
    byText: changing("write"),
    init: { method: "PUT", headers: turtle },
    needs: needsOfPut,
    prepared: () => null,
  },
  {
    name: "POST",
    kinds: ["root", "folder"],
    byText: (path) => [[path, "append"]],
    init: { method: "POST", headers: turtle, body: "<> <urn:x:is> 3 ." },
    needs: needsOfPost,
    prepared: () => null,
  },
  {
    name: "POST of a folder",
    kinds: ["root", "folder"],
    byText: (path) => [[path, "append"]],
    init: {
      method: "POST",
      headers: { ...turtle, link: '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"' },
    },
    needs: needsOfPost,
    prepared: () => null,
  },
  // https://solidproject.org/ED/protocol#server-n3-patch-insert and the two after it.
  patch("PATCH that inserts", "text/n3", "solid:inserts { <> <urn:x:is> 4 }", ["append"]),
  patch("PATCH that deletes", "text/n3", "solid:deletes { <> <urn:x:is> 1 }", ["read", "write"]),
  patch(
    "PATCH that looks",
    "text/n3",
    "solid:where { <> <urn:x:is> ?x }; solid:inserts { <> <urn:x:was> ?x }",
    ["read", "append"],
  ),
  patch(
    "PATCH that replaces",
    "text/n3",
    "solid:where { <> <urn:x:is> ?x }; solid:deletes { <> <urn:x:is> ?x }; solid:inserts { <> <urn:x:is> 5 }",
    ["read", "append", "write"],
  ),
  patch("SPARQL that inserts", "application/sparql-update", "INSERT DATA { <> <urn:x:is> 4 }", ["append"]),
  patch("SPARQL that deletes", "application/sparql-update", "DELETE DATA { <> <urn:x:is> 1 }", ["write"]),
  patch("SPARQL that looks", "application/sparql-update", "DELETE WHERE { ?s ?p ?o }", ["read", "write"]),
  {
    name: "DELETE",
    kinds: ["folder", "document", "nothing", "rules", "description"],
    // https://solidproject.org/ED/wac#server-delete-operation
    byText: orControl((path, kind) =>
      kind === "description"
        ? [[path, "write"]]
        : [
            [path, "write"],
            [above(path), "write"],
          ],
    ),
    init: { method: "DELETE", headers: NEVER },
    needs: needsOfDelete,
    prepared: () => null,
  },
];
