/**
 * `GET /rdap/entity/{id}`: a passport as registries of names show theirs, without a single personal datum.
 * @see https://www.rfc-editor.org/rfc/rfc9083#section-5.1
 */
import { didOf } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Door } from "../../operation.ts";
import { negotiate } from "../../rdf/media.ts";
import type { Present, Published } from "../port.ts";
import { CONFORMS, cached, idOf } from "./door.ts";
import { type Atlas, findPresent } from "./find.ts";

export const RDAP = "application/rdap+json";

/** @see https://www.rfc-editor.org/rfc/rfc8056#section-2 */
const LOCKED = {
  transfer: "client transfer prohibited",
  port: "client delete prohibited",
} as const;
const WAITING: Readonly<Record<string, string>> = {
  recover: "pending update",
  rotate: "pending update",
  unlock: "pending update",
  port: "pending transfer",
  erase: "pending delete",
};

function statusOf({ state, hold, deactivated, pending }: Present): readonly string[] {
  const { head } = state;
  const rest = [
    ...head.locks.map((lock) => LOCKED[lock]),
    ...(hold ? ["server hold"] : []),
    ...(pending ? [WAITING[pending.type] ?? "pending update"] : []),
  ];
  return [hold || deactivated ? "inactive" : "active", ...rest];
}

function entityOf(baseUrl: string, finding: Present, published: Published): object {
  const { id, created, updated, registrar, pending } = finding;
  const self = `${baseUrl}rdap/entity/${id}`;
  const at = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const link = (rel: string, href: string, type: string) => ({ value: self, rel, href, type });
  return {
    rdapConformance: CONFORMS,
    objectClassName: "entity",
    handle: id,
    publicIds: [{ type: "DID", identifier: didOf(id) }],
    status: statusOf(finding),
    events: [
      { eventAction: "registration", eventDate: at(created) },
      { eventAction: "last changed", eventDate: at(updated) },
      ...(pending
        ? [
            {
              eventAction: `${WAITING[pending.type] ?? "pending update"} ends`,
              eventDate: at(pending.effectiveAt),
            },
          ]
        : []),
      { eventAction: "last update of RDAP database", eventDate: at(published.at) },
    ],
    entities: [{ objectClassName: "entity", handle: registrar, roles: ["registrar"] }],
    // The owner must be able to veto what somebody else has sent, and a veto names it.
    ...(pending && {
      dcann_pending: {
        hash: pending.hash,
        type: pending.type,
        at: at(pending.at),
        effectiveAt: at(pending.effectiveAt),
      },
    }),
    links: [
      link("self", self, RDAP),
      link("related", `${baseUrl}v1/passports/${id}`, "application/json"),
      link("related", `${baseUrl}v1/identifiers/${didOf(id)}`, "application/did"),
    ],
    notices: [
      {
        title: "Thin by design",
        description: [
          "A passport says whose keys hold it and where it leads; who its owner is, this registry does not know.",
        ],
      },
    ],
  };
}

export interface RdapDeps extends Atlas {
  /** Ends in a slash. */
  readonly baseUrl: string;
}

export function createRdapDoor({ baseUrl, ...atlas }: RdapDeps): Door {
  return async (request) => {
    const type = negotiate(request.headers["accept"], [RDAP, "application/json"]);
    if (!type) throw new Problem("not-acceptable", `Ask for ${RDAP}`);
    try {
      const id = idOf(request.params["id"] ?? "");
      const spot = await findPresent(atlas, id, `rdap/entity/${id}`);
      if (!spot.finding) return spot.result;
      const { finding, published } = spot;
      const waits = finding.pending?.hash ?? "";
      const etag = `"${finding.commit}.${waits.slice(0, 8)}.${type === RDAP ? "r" : "j"}"`;
      const text = JSON.stringify(entityOf(baseUrl, finding, published));
      return cached(request, etag, type, text, { vary: "Accept" });
    } catch (error) {
      throw error instanceof Problem ? inRdap(error) : error;
    }
  };
}

/** The same refusal, for clients that read RDAP and nothing else. */
function inRdap(problem: Problem): Problem {
  const { code, detail, errors, headers, members } = problem;
  const write = async (): Promise<Uint8Array> =>
    Buffer.from(JSON.stringify({ title: detail ?? code, errorCode: problem.status, ...members }));
  return new Problem(code, detail, {
    cause: problem,
    errors,
    headers,
    members,
    alternatives: { contentTypes: [RDAP], write },
  });
}
