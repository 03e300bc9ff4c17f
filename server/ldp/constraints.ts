/**
 * Refusals that name the clause which stands against the request, and the constraints that a folder's description may set.
 * https://solidproject.org/ED/protocol#server-resource-constraints-advertisement
 */
import { fh, ldp } from "@freehold/vocab";
import { Problem, type ProblemCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Operation } from "../operation.ts";
import { createRate, retryAfter } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import { hasWriteConditions } from "./conditions.ts";
import type { Prepared } from "./prepare.ts";
import { constraintLinks } from "./shape.ts";

const PROTOCOL = "https://solidproject.org/ED/protocol";
const PROFILE = "https://solid.github.io/webid-profile/";

/** Where it is written what stands against a request. */
export const CLAUSES = Object.freeze({
  containment: `${PROTOCOL}#server-protect-containment`,
  memberMetadata: `${PROTOCOL}#server-protect-contained-resource-metadata`,
  slash: `${PROTOCOL}#server-uri-trailing-slash-distinct`,
  nonEmpty: `${PROTOCOL}#server-delete-protect-nonempty-container`,
  n3Patch: `${PROTOCOL}#server-patch-n3-invalid`,
  protectedTriples: `${PROFILE}#server-update-protected-triples`,
  profile: `${PROFILE}#server-unprocessable-content`,
});

/** `Link: rel=ldp:constrainedBy` to a clause. */
export function constrainedBy(clause: string): { readonly link: string } {
  return { link: `<${clause}>; rel="${ldp.constrainedBy}"` };
}

/** A refusal that says by which clause. */
export function refusal(code: ProblemCode, clause: string, detail: string): Problem {
  return new Problem(code, detail, { headers: constrainedBy(clause) });
}

/** Constraints that this server knows besides shapes; a folder's owner sets them with `ldp:constrainedBy` in its `.meta`. */
export interface FolderRules {
  /**
   * An inbox takes notices from others than the pod's owner: RDF, of so many bytes, so many an hour.
   * @param constraints What the folder's description names.
   * @throws Problem `unsupported-media-type`, `body-too-large`, `too-many-requests`.
   * @see https://www.w3.org/TR/ldn/#constraints
   */
  checkPost(pod: Pod, operation: Operation, prepared: Prepared, constraints: readonly string[]): void;
  /** Whoever may add a notice may not thereby write about the inbox. @throws Problem `forbidden`. */
  checkPatch(pod: Pod, operation: Operation, constraints: readonly string[]): void;
  /**
   * What is there is replaced only by whoever says which version they saw.
   * @throws Problem `precondition-required`.
   * @see https://www.rfc-editor.org/rfc/rfc6585#section-3
   */
  checkReplace(operation: Operation, constraints: readonly string[]): void;
}

export function createFolderRules(limits: Limits, now: () => Date): FolderRules {
  const perSender = createRate(limits.noticesPerSenderMax, limits.noticesMsMax, limits.ratesRemembered, now);
  const perInbox = createRate(limits.noticesPerInboxMax, limits.noticesMsMax, limits.ratesRemembered, now);
  const counted = new WeakSet<Operation>(); // A transaction may run anew; the request came once.

  return {
    checkPost(pod, operation, prepared, constraints) {
      if (!constraints.includes(fh.Inbox) || operation.agent.webid === pod.owner) return;
      const headers = { link: constraintLinks([fh.Inbox]).join(", ") };
      if (prepared?.kind !== "rdf")
        throw new Problem("unsupported-media-type", "An inbox takes notices in RDF, best in JSON-LD", {
          headers,
        });
      if (prepared.bytes.length > limits.noticeBytesMax)
        throw new Problem("body-too-large", `A notice has at most ${limits.noticeBytesMax} bytes`, {
          headers,
        });
      if (counted.has(operation)) return;
      counted.add(operation);
      const inbox = `${pod.id} ${operation.target.path}`;
      const wait = perSender(`${inbox} ${operation.agent.webid ?? ""}`) || perInbox(inbox); // The public is one sender.
      if (wait > 0)
        throw new Problem("too-many-requests", "This inbox takes only so many notices an hour", {
          headers: { ...headers, ...retryAfter(wait) },
        });
    },
    checkPatch(pod, { agent }, constraints) {
      if (constraints.includes(fh.Inbox) && agent.webid !== pod.owner)
        throw new Problem(
          "forbidden",
          "An inbox takes notices by POST; what it says of itself is its owner's",
        );
    },
    checkReplace({ headers }, constraints) {
      if (!constraints.includes(fh.ConditionalWrites) || hasWriteConditions(headers)) return;
      throw new Problem("precondition-required", undefined, {
        headers: { link: constraintLinks([fh.ConditionalWrites]).join(", ") },
      });
    },
  };
}
