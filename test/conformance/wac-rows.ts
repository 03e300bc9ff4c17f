/** Web Access Control, clause by clause: which test shows it. */
import { rowsOf, type Section, suiteOf, withNote, withUrl } from "./entry.ts";

const ED = "https://solidproject.org/ED/wac";
const { met } = rowsOf((id) => `${ED}#${id.replace("wac ", "")}`);

const http = suiteOf("test/conformance/wac.test.ts", "Web Access Control over HTTP");
const clauses = suiteOf("test/ldp/protocol.test.ts", "The Solid Protocol, clause by clause");
const matrix = suiteOf(
  "test/access/matrix.test.ts",
  "access matrix: the server and an independent evaluator agree",
);
const doors = suiteOf("test/doors/matrix.test.ts", "Every door, and who may pass it of a pod");
const decide = suiteOf("test/access/decide.test.ts", "decide: who may do what");
const groups = suiteOf("test/access/authorize.test.ts", "authorize: groups");
const reading = suiteOf("test/access/acl.test.ts", "reading an access list");
const writing = suiteOf("test/access/acl.test.ts", "writing an access list refused at the root:");
const library = suiteOf("test/clients/access-lists.test.ts", "access lists through @inrupt/solid-client");

const LINK = "server-link-acl, server-resource-acl-max: one list, named on every answer about a resource";
const ROOT =
  "server-get-acl-turtle, server-root-container-acl, server-root-container-acl-authorization-control: the root's list says in Turtle who controls it";
const INHERITED =
  "server-acl-without-representation, server-get-acl-without-representation: what inherits has no list of its own, 404";
const CREATE =
  "server-create-operation, note on PUT: a new member needs Append or Write on the folder, and PUT also Write on the member";
const CORS =
  "server-cors-acao-acah, server-cors-aceh-wac-allow: the granted answer itself allows the origin and the headers, and shows WAC-Allow";

export const WAC: Section = {
  name: "Web Access Control, Editor's Draft 1.1",
  entries: [
    met("wac server-link-acl", "MUST", http(LINK)),
    met("wac server-resource-acl-max", "MUST NOT", http(LINK)),
    met(
      "wac server-link-condition",
      "MUST if supported",
      clauses("auxiliaries tell which conditions count in access lists (wac server-link-condition)"),
    ),
    met("wac server-get-acl-turtle", "MUST", http(ROOT)),
    met("wac server-acl-without-representation", "MUST NOT", http(INHERITED)),
    met("wac server-get-acl-without-representation", "MUST", http(INHERITED)),
    met("wac server-root-container-acl", "MUST", http(ROOT)),
    met(
      "wac server-root-container-acl-authorization-control",
      "MUST",
      http(ROOT),
      library("of the root keep the owner in control, whatever an application writes"),
      writing("every mode but Control", "Control for somebody else"),
    ),
    met(
      "wac access-objects",
      "MUST",
      http("access-objects: acl:accessTo is the resource itself, acl:default what is below"),
      matrix("for the folder, not for what is in it", "for what is in the folder, not for the folder"),
    ),
    met(
      "wac access-modes",
      "MUST",
      decide(
        "read does not include write: denied",
        "write includes append: granted",
        "write does not include read: denied",
        "write does not include control: denied",
        "append does not include write: denied",
        "control includes nothing: denied",
      ),
      library("give and take each access mode through universalAccess"),
    ),
    met(
      "wac acl-agentgroup",
      "MUST",
      groups(
        "of this pod, though nobody but the owner may read the document",
        "of another pod of this server",
      ),
      decide(
        "a member of the group: granted",
        "not a member of the group: denied",
        "everyone may read what is public: granted",
        "whoever has logged in: granted",
        "the public has not logged in: denied",
        "a WebID matches exactly: denied",
      ),
      library("name groups, whose members come and go"),
    ),
    withUrl(
      `${ED}#effective-acl-resource`,
      met(
        "wac effective-acl",
        "MUST",
        http("effective-acl-resource: the nearest list counts alone"),
        matrix("three lists in a row, no union"),
      ),
    ),
    met(
      "wac authorization-conformance",
      "MUST",
      http(
        "authorization-conformance: a rule without its type, its mode, its agent or its object is no rule",
      ),
      matrix("incomplete rules"),
    ),
    met("wac server-read-operation", "MUST", doors("get /{*path}: a document", "get /{*path}: a folder")),
    met("wac server-create-operation", "MUST", http(CREATE), doors("post /{*path}: a document")),
    withUrl(
      `${ED}#http-method-access-mode-mapping`,
      met(
        "wac note PUT",
        "NOTE",
        http(CREATE),
        doors("put /{*path}: a new one", "put /{*path}: a new folder"),
      ),
    ),
    met(
      "wac server-update-operation",
      "MUST",
      doors("put /{*path}: over a document", "patch /{*path}: that inserts", "patch /{*path}: that deletes"),
    ),
    met(
      "wac server-delete-operation",
      "MUST",
      http("server-delete-operation: an end needs Write on the resource and on its folder"),
      doors("delete /{*path}: a document"),
    ),
    met(
      "wac server-control-operation",
      "MUST",
      http("server-control-operation: a list needs Control, which is nothing else"),
      doors(
        "get /{*path}: an access list",
        "put /{*path}: an access list",
        "delete /{*path}: an access list",
      ),
    ),
    withNote(
      "A condition of a type that is not signalled is not used to grant: its authorization counts for nothing, for a rule that somebody narrowed must not widen.",
      met(
        "wac server-condition-evaluation",
        "MUST",
        matrix("conditions nobody knows"),
        decide(
          "a condition of an unknown type grants nothing: denied",
          "but takes nothing from other rules: granted",
        ),
        clauses("auxiliaries tell which conditions count in access lists (wac server-link-condition)"),
      ),
    ),
    met(
      "wac server-condition-evaluation-conjunctive",
      "MUST",
      http("server-condition-evaluation-conjunctive: all conditions hold, or the rule does not"),
      matrix("a client condition", "an issuer and a client"),
      decide("both conditions hold: granted", "one of two conditions fails: denied"),
    ),
    withNote(
      "A rule that names no origin trusts all, as the specification's note on trusted origins allows; one that names origins needs agent and origin.",
      met(
        "wac server-origin-authorization",
        "MUST (statement)",
        http(
          "server-origin-authorization: a page needs its origin to be named beside its agent, unless everybody may",
        ),
        matrix("an agent from an origin", "an origin for everybody who is named"),
      ),
    ),
    met("wac server-cors-acao-acah", "MUST", http(CORS)),
    met(
      "wac server-wac-allow",
      "MUST",
      clauses("WAC-Allow says who may do what, to those who may read (wac server-wac-allow)"),
      library("let others add to an inbox without seeing what is in it"),
    ),
    met("wac server-cors-aceh-wac-allow", "MUST", http(CORS)),
    met(
      "wac extension-acl-mode",
      "MUST NOT",
      http("extension-acl-mode: a mode nobody knows is no error, and gives nothing"),
      reading("one with unknown modes only does not count"),
      matrix("modes and classes nobody knows"),
    ),
    withUrl(
      `${ED}#server-get-acl-turtle`,
      met(
        "wac bad-acl",
        "(robustness)",
        clauses("auxiliaries a list that is no RDF is refused, and the old one stays (wac bad-acl)"),
      ),
    ),
  ],
};
