/** The root's doors. */
import { hash } from "node:crypto";
import {
  decodeBase64url,
  encodeBase64url,
  isPassportId,
  portedKeyOf,
  ROOT_NAME,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { DoorRequest, Result } from "../../operation.ts";
import { createRate, networkOf, retryAfter } from "../../rates.ts";
import { cached, openDoors, type RegistryDoor, readStrict } from "../doors/door.ts";
import { createLogDoor } from "../doors/log-files.ts";
import type { Root } from "./root.ts";

const POST_BYTES_MAX = 256 * 1024; // A passport with a chain of a life's length, and what is asked for it.
const CHANGES_AT_ONCE = 10_000; // About a MiB.

const json = (status: number, value: unknown, headers: Record<string, string> = {}): Result => ({
  status,
  headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  body: JSON.stringify(value),
});

const found = <T>(value: T | null, what: string): T => {
  if (value === null) throw new Problem("not-found", `There is no such ${what}`);
  return value;
};

const whole = (text: string | null, name: string): number => {
  if (text === null) return 0;
  if (!/^(?:0|[1-9]\d{0,14})$/.test(text)) throw new Problem("input-invalid", `${name} is a whole number`);
  return Number(text);
};

async function zones(root: Root, request: DoorRequest): Promise<Result> {
  const asked = request.url.searchParams.get("version");
  const signed =
    asked === null ? root.signed() : found(await root.version(whole(asked, "version")), "version");
  return cached(request, `"${signed.record.version}"`, "application/json", JSON.stringify(signed));
}

/** Where a passport is: `{headKey}` tells nobody else which; the identifier itself will do for who does not mind. */
async function ported(root: Root, request: DoorRequest): Promise<Result> {
  const { key = "" } = request.params;
  const headKey = isPassportId(key) ? await portedKeyOf(key) : decodeBase64url(key, 32);
  if (!headKey) throw new Problem("input-invalid", "It is neither an identifier nor a key of the index");
  const { published, findings } = await root.ledger.find(headKey);
  const { shard, rootLeaf, log, checkpoint } = published;
  const { map, end, zone } = findings;
  const answer = {
    headKey: encodeBase64url(headKey),
    zone,
    proof: { shard, rootLeaf, log, map, end },
    checkpoint,
  };
  // With the signatures of the witnesses, which are made anew while the tree stays: by them the answer is as young as it is.
  const tag = hash("sha256", checkpoint, "base64url").slice(0, 22);
  return cached(request, `"${tag}"`, "application/json", JSON.stringify(answer));
}

async function changes(root: Root, request: DoorRequest): Promise<Result> {
  const after = whole(request.url.searchParams.get("after"), "after");
  const some = await root.ledger.changes(after, CHANGES_AT_ONCE);
  return {
    status: 200,
    headers: { "content-type": "application/x-ndjson", "cache-control": "public, max-age=1" },
    body: some.map((change) => `${JSON.stringify(change)}\n`).join(""),
  };
}

export interface RootDoorsDeps {
  /** Where the files of the root's log are. */
  readonly folderOf: (year: string) => string;
  readonly limits: Pick<Limits, "rootPostsPerIpMax" | "ratesRemembered">;
  readonly now: () => Date;
}

export function rootDoors(root: Root, { folderOf, limits, now }: RootDoorsDeps): readonly RegistryDoor[] {
  const { ports, inbox, ledger } = root;
  const zone = {
    name: ROOT_NAME,
    shard: () => ledger.epochs.published().shard,
    published: () => ledger.epochs.published(),
  };
  const logDoor = createLogDoor({ zones: [zone], folderOf: (_zone, year) => folderOf(year) });
  const rate = createRate(limits.rootPostsPerIpMax, 60_000, limits.ratesRemembered, now);
  const post = (path: string, work: (value: object) => Promise<Result>): RegistryDoor => ({
    verb: "post",
    path,
    door: async (request) => {
      const { value } = await readStrict(request, POST_BYTES_MAX);
      if (!isObjectLike(value)) throw new Problem("input-invalid", "It is not a JSON object");
      return work(value);
    },
  });
  /** From anybody: each costs a passport's verification. */
  const paced = (entry: RegistryDoor): RegistryDoor => ({
    ...entry,
    door: (request) => {
      const waitMs = rate(networkOf(request.ip));
      if (waitMs > 0)
        throw new Problem("too-many-requests", "The root is asked too much at once", {
          headers: retryAfter(waitMs),
        });
      return entry.door(request);
    },
  });
  return openDoors([
    { verb: "get", path: "/v1/zones", door: (request) => zones(root, request) },
    { verb: "get", path: "/log/{*path}", door: logDoor },
    paced(
      post("/v1/ports", async (value) => {
        const view = await ports.request(value);
        return json(202, view, { location: `/v1/ports/${view.hash}` });
      }),
    ),
    paced(post("/v1/ports/veto", async (value) => json(200, await ports.veto(value)))),
    {
      verb: "get",
      path: "/v1/ports/:hash",
      door: async ({ params }) => json(200, found(await ports.view(params["hash"] ?? ""), "port")),
    },
    { verb: "get", path: "/v1/ported", door: (request) => changes(root, request) },
    { verb: "get", path: "/v1/ported/:key", door: (request) => ported(root, request) },
    paced(
      post("/v1/inbox", async (value) => {
        const view = await inbox.post(value);
        return json(202, view, { location: `/v1/inbox/${view.of}` });
      }),
    ),
    post("/v1/desk", async (value) => json(200, await root.poll(value))),
    post("/v1/desk/answer", async (value) => json(200, await root.answer(value))),
    { verb: "get", path: "/v1/inbox", door: async () => json(200, await inbox.list()) },
    {
      verb: "get",
      path: "/v1/inbox/:hash",
      door: async ({ params }) => json(200, found(await inbox.view(params["hash"] ?? ""), "operation")),
    },
  ]);
}

const isObjectLike = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
