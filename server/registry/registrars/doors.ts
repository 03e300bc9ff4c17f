/** What a zone says of registrars and vendors, for everybody: the chain itself, and views of where it has led. */
import { createHash } from "node:crypto";
import type {
  Governance,
  Listed,
  RegistrarRecord,
  Sanctioned,
  VendorRecord,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { DoorRequest } from "../../operation.ts";
import { cached, type RegistryDoor } from "../doors/door.ts";
import type { Book } from "./book.ts";
import type { Scorecards } from "./scorecards.ts";

const JSON_TYPE = "application/json";
/** So long may somebody believe what was said of a vendor: a delisting is to be everywhere within a minute. */
const FRESH = "public, max-age=5";
const PAGE_CHARS_MAX = 1024 * 1024;

export interface GovernanceDoorsDeps {
  /** The first is the one that is meant where nobody says which. */
  readonly books: readonly Book[];
  readonly scorecards: Scorecards;
}

const vendorShown = ({ record, status, warnings, since, changed }: Listed<VendorRecord>): object => {
  const { t: _t, v: _v, prev: _prev, at: _at, ...says } = record;
  return { ...says, status, warnings, since, changed };
};

const registrarShown = ({ record, status, warnings, since, changed }: Listed<RegistrarRecord>): object => {
  const { t: _t, v: _v, prev: _prev, at: _at, ...says } = record;
  return { ...says, status, warnings, since, changed };
};

const sanctionShown = ({ record, before, stands, appeal, decision }: Sanctioned): object => {
  const { n, zone, at, of, step, rule, says } = record;
  return {
    n,
    zone,
    at,
    of,
    step,
    rule,
    says,
    before,
    stands,
    appeal: appeal && { n: appeal.n, at: appeal.at, says: appeal.says },
    decision: decision && {
      n: decision.n,
      at: decision.at,
      outcome: decision.outcome,
      says: decision.says,
    },
  };
};

const tagOf = (body: string): string =>
  `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;

/** @throws Problem `input-invalid` for what is no whole number. */
function numberIn(url: URL, name: string): number {
  const text = url.searchParams.get(name) ?? "0";
  if (!/^\d{1,9}$/.test(text)) throw new Problem("input-invalid", `${name} is a number`);
  return Number(text);
}

export function governanceDoors({ books, scorecards }: GovernanceDoorsDeps): readonly RegistryDoor[] {
  /** @throws Problem `not-found` for a zone that is not here. */
  function bookOf({ searchParams }: URL): Book {
    const zone = searchParams.get("zone");
    const book = zone === null ? books[0] : books.find((one) => one.zone === zone);
    if (!book)
      throw new Problem("not-found", `The zones here are ${books.map((one) => one.zone).join(", ")}`);
    return book;
  }

  const view =
    (show: (state: Governance, request: DoorRequest) => unknown): RegistryDoor["door"] =>
    async (request) => {
      const state = await bookOf(request.url).current();
      const { zone, n, hash } = state;
      const found = await show(state, request);
      if (found === undefined) throw new Problem("not-found", "Nobody of this name is entered");
      // Scorecards change without a record, so the tag is of what is shown.
      const body = JSON.stringify({ zone, n, hash, ...(found as object) });
      return cached(request, tagOf(body), JSON_TYPE, body);
    };
  const fresh =
    (door: RegistryDoor["door"]): RegistryDoor["door"] =>
    async (request) => {
      const result = await door(request);
      return { ...result, headers: { ...result.headers, "cache-control": FRESH } };
    };

  const chain: RegistryDoor["door"] = async (request) => {
    const book = bookOf(request.url);
    const after = numberIn(request.url, "after");
    const all = await book.records(after);
    let chars = 0;
    // As much as anybody takes at once; who follows asks again after the last.
    const records = all.filter(
      (one, at) => (chars += JSON.stringify(one).length) <= PAGE_CHARS_MAX || at === 0,
    );
    const { zone } = book;
    const last = records.at(-1)?.record.n ?? after;
    const tag = `"${zone}.${after}.${last}"`; // Records never change, so which they are is all there is to them.
    return cached(request, tag, JSON_TYPE, JSON.stringify({ zone, after, records }));
  };

  const doors: readonly (readonly [path: string, door: RegistryDoor["door"]])[] = [
    ["/v1/governance", chain],
    ["/v1/policy", view(({ policy }) => policy && { policy })],
    [
      "/v1/registrars",
      view(async (state) => ({
        registrars: await Promise.all(
          [...state.registrars.values()].map(async (one) => ({
            ...registrarShown(one),
            scorecard: await scorecards.of(state, one),
          })),
        ),
      })),
    ],
    [
      "/v1/registrars/:id",
      view(async (state, { params }) => {
        const found = state.registrars.get(params["id"] ?? "");
        return found && { ...registrarShown(found), scorecard: await scorecards.of(state, found) };
      }),
    ],
    [
      "/v1/vendors",
      view(({ vendors }, { url: { searchParams } }) => {
        const webid = searchParams.get("webid");
        const some = [...vendors.values()].filter(
          ({ record }) => webid === null || record.webids.includes(webid),
        );
        return { vendors: some.map(vendorShown) };
      }),
    ],
    [
      "/v1/vendors/:id",
      view(({ vendors }, { params }) => {
        const found = vendors.get(params["id"] ?? "");
        return found && vendorShown(found);
      }),
    ],
    [
      "/v1/sanctions",
      view(({ sanctions }, { url: { searchParams } }) => {
        const [party, id] = [searchParams.get("party"), searchParams.get("id")];
        const some = [...sanctions.values()].filter(
          ({ record: { of } }) => (party === null || of.party === party) && (id === null || of.id === id),
        );
        return { sanctions: some.map(sanctionShown) };
      }),
    ],
    [
      "/v1/appeals",
      view(({ sanctions }) => ({
        appeals: [...sanctions.values()].filter(({ appeal }) => appeal !== null).map(sanctionShown),
      })),
    ],
  ];
  return doors.map(([path, door]) => ({ verb: "get", path, door: fresh(door) }));
}
