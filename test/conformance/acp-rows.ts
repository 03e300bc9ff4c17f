/** Access Control Policy, clause by clause: which test shows it. */
import { rowsOf, type Section, suiteOf, withNote, withUrl } from "./entry.ts";

const ACP_TEXT = "https://solid.github.io/authorization-panel/acp-specification/";
const { met } = rowsOf(() => `${ACP_TEXT}#conforming-acp-server`);

const http = suiteOf("test/conformance/acp.test.ts", "Access Control Policy over HTTP");
const evaluator = suiteOf("test/access/acp.test.ts", "Access Control Policy and an independent evaluator");
const laws = suiteOf("test/access/acp.test.ts", "the laws of Access Control Policy");

export const ACP: Section = {
  name: "Access Control Policy, 2022-05 (of a server with FREEHOLD_ACCESS=acp)",
  entries: [
    withUrl(
      `${ACP_TEXT}#granted-access-modes`,
      met(
        "acp-grant-graph",
        "MUST",
        http("acp-grant-graph: what policies allow, less what any denies, and nothing without one"),
        evaluator(
          "agree over random trees of policies, on decisions, on what WAC-Allow says and on what a query may read",
        ),
        laws("deny wins: what is denied to everybody nobody has, whatever else is said"),
      ),
    ),
    withUrl(
      `${ACP_TEXT}#conforming-resource-server`,
      met(
        "acp-link-acl",
        "MUST",
        http("acp-link-acl: every resource leads to its own access control resource"),
      ),
    ),
    met(
      "acp-link-type",
      "MUST",
      http("acp-link-type: an access control resource says that it is one, and nothing else does"),
    ),
    met(
      "acp-options",
      "MUST",
      http("acp-options: OPTIONS on it lists each mode and each attribute that counts"),
    ),
    withNote(
      "Verifiable credentials have no way into a request yet: a matcher that asks for one is read, and matches nobody.",
      withUrl(
        `${ACP_TEXT}#satisfied-matcher`,
        met(
          "acp-matchers",
          "MUST",
          http(
            ...[
              "an agent by name",
              "acp:PublicAgent",
              "acp:AuthenticatedAgent",
              "acp:OwnerAgent",
              "acp:CreatorAgent",
              "acp:CreatorAgent is who made it",
              "the issuer",
              "another issuer",
              "a client",
              "acp:PublicClient",
              "a credential",
              "all of two",
              "all of two, one of another",
              "any of two",
              "everybody but one",
            ].map((what) => `acp-matchers ${what}`),
          ),
          laws("nothing matches because of a credential"),
        ),
      ),
    ),
  ],
};
