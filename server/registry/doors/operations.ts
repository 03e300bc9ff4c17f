/** `POST /v1/ops`: takes a signed operation, once; `GET /v1/ops/{hash}`: what became of it. */
import { decodeBase64url } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { Lru } from "../../lru.ts";
import type { Door } from "../../operation.ts";
import { createRate, networkOf, retryAfter } from "../../rates.ts";
import type { Accepted, OperationStanding, Zone } from "../port.ts";
import { inDidWords, readStrict } from "./door.ts";
import { createSeats } from "./seats.ts";

const HASH_BYTES = 32;
const JSON_NOW = { "content-type": "application/json", "cache-control": "no-store" };

const inTime = (standing: OperationStanding): object =>
  standing.state === "pending"
    ? { state: standing.state, effectiveAt: new Date(standing.effectiveAt).toISOString() }
    : standing;

/** Which of several zones an operation is for: that of the passport, or the one that a port leads to. */
function zonesOf(zones: readonly Zone[], value: unknown): readonly Zone[] {
  const op = (value as { readonly op?: { readonly zone?: unknown; readonly id?: unknown } } | null)?.op;
  const birth = typeof op?.zone === "string" ? op.zone : typeof op?.id === "string" && op.id.slice(2, 4);
  const home = zones.filter(({ name }) => name === birth);
  return [...home, ...zones.filter((zone) => !home.includes(zone))];
}

/** What was taken. An operation that waits is accepted (202), and proved when it counts. */
function answerOf({ id, hash, aseq, dseq, isNew, standing, published }: Accepted) {
  const isWaiting = standing.state === "pending";
  const status = isWaiting ? 202 : isNew ? 201 : 200;
  const { shard, rootLeaf, size, checkpoint } = published;
  const body = { id, hash, aseq, dseq, ...inTime(standing), shard, rootLeaf, size, checkpoint };
  const location = isWaiting ? `/v1/ops/${hash}` : `/v1/passports/${id}`;
  return { status, headers: { ...JSON_NOW, location }, body: JSON.stringify(body) };
}

export interface OperationDeps {
  readonly zones: readonly Zone[];
  readonly limits: Limits;
  readonly now: () => Date;
}

/** Late is not wrong, and who was told to wait has been told. */
const BLAMELESS: ReadonlySet<number> = new Set([404, 409, 429]);

/** Who sends one wrong operation after the other is kept waiting; whatever is taken costs nothing here. */
function createPatience({ limits, now }: OperationDeps) {
  const { operationsRefusedMax, ratesRemembered } = limits;
  const refused = createRate(operationsRefusedMax, 60_000, ratesRemembered, now);
  const until = new Lru<string, number>(ratesRemembered);
  return {
    /** @throws Problem `too-many-requests`. */
    check(ip: string): void {
      const waitMs = (until.get(networkOf(ip)) ?? 0) - now().getTime();
      if (waitMs <= 0) return;
      const detail = "Too many operations from here were refused";
      throw new Problem("too-many-requests", detail, { headers: retryAfter(waitMs) });
    },
    note(ip: string, error: unknown): void {
      if (!(error instanceof Problem) || error.status >= 500 || BLAMELESS.has(error.status)) return;
      const waitMs = refused(networkOf(ip));
      if (waitMs > 0) until.set(networkOf(ip), now().getTime() + waitMs, 1);
    },
  };
}

export function createOperationDoors(deps: OperationDeps): {
  readonly submit: Door;
  readonly show: Door;
} {
  const { zones, limits } = deps;
  const patience = createPatience(deps);
  const takeSeat = createSeats({
    most: Infinity, // The zone itself says when it has too many.
    perNetwork: limits.operationsWaitingPerNetworkMax,
    says: "Too many operations from here wait",
    retrySeconds: 5,
  });

  const submit: Door = async (request) => {
    const { text, value } = await readStrict(request, 2 * limits.operationBytesMax);
    const [first, ...others] = zonesOf(zones, value);
    if (!first) throw new Problem("unavailable", "No zone is served here");
    try {
      return answerOf(await first.submit(text, { ip: request.ip }));
    } catch (error) {
      // A passport that came from another zone is where it is, and no zone takes what is not its own.
      if (!(error instanceof Problem) || error.code !== "not-found") throw error;
      for (const zone of others) {
        const accepted = await zone.submit(text, { ip: request.ip }).catch((refusal: unknown) => {
          if (refusal instanceof Problem && refusal.code === "not-found") return null;
          throw refusal;
        });
        if (accepted) return answerOf(accepted);
      }
      throw error;
    }
  };

  return {
    async submit(request) {
      patience.check(request.ip);
      const leave = takeSeat(request.ip);
      try {
        return await submit(request);
      } catch (error) {
        patience.note(request.ip, error);
        throw error;
      } finally {
        leave();
      }
    },

    async show(request) {
      const hash = request.params["hash"] ?? "";
      if (!decodeBase64url(hash, HASH_BYTES))
        throw new Problem("input-invalid", "An operation is named by its hash: 43 characters of base64url");
      for (const zone of zones) {
        const standing = await zone.operation(hash);
        if (!standing) continue;
        const body = JSON.stringify({ hash, zone: zone.name, ...inTime(standing) });
        return { status: 200, headers: JSON_NOW, body };
      }
      const detail = "No such operation was taken here";
      throw new Problem("not-found", detail, { members: inDidWords(null, 404, detail) });
    },
  };
}
