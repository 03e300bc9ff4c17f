/**
 * Where a company asks whether it may speak to a person now: by the person's own wishes of where, when, how and how often. The
 * answer is yes or no, and a yes counts, so that all companies together stay within what the person wants.
 */
import { isNarrower } from "@freehold/vocab";
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Result } from "../operation.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { type CampaignObstacle, CHANNELS, type Channel, campaignObstacle } from "./deciding/campaign.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import type { Grants } from "./grants.ts";
import { preferencesIn } from "./judging.ts";
import type { PreferenceDoorsDeps } from "./preference-doors.ts";
import { find, put } from "./records.ts";
import { byOf } from "./request-doors.ts";
import { readInput } from "./wire.ts";

export interface CampaignDoorsDeps {
  readonly store: Pick<Store, "write">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly grants: Pick<Grants, "list">;
  readonly record: PreferenceDoorsDeps["record"];
}

const CAMPAIGNS = ".consent/campaigns";
const WEEK = 7 * 86_400_000;
const TIMES_MAX = 1_000; // As often as a person may allow in a week.

/** What campaigns are for; who may do neither has nothing to ask here. */
const PURPOSES = ["Marketing", "SellProductsToDataSubject"].map((name) => `https://w3id.org/dpv#${name}`);

/** Who is told "later" learns nothing of whom else the person hears from, nor when the person sleeps. */
const BECAUSE: Readonly<Record<NonNullable<CampaignObstacle>, "no" | "later">> = {
  channel: "no",
  place: "no",
  topic: "no",
  quiet: "later",
  often: "later",
};

interface Wish {
  readonly channel: Channel;
  readonly place: string | null;
  readonly topic: string | null;
}

function refuse(name: string, expected: string): never {
  const detail = `${name}: ${expected}`;
  throw new Problem("input-invalid", detail, { errors: [{ detail, at: `/${name}` }] });
}

function readWish({ channel, place, topic }: Readonly<Record<string, unknown>>): Wish {
  const known = CHANNELS.find((each) => each === channel);
  if (!known) refuse("channel", `give one of ${CHANNELS.join(", ")}`);
  const textOf = (value: unknown, name: string): string | null => {
    if (value === undefined || value === null) return null;
    if (typeof value !== "string" || value.length > 2_048) refuse(name, "give a short text, or leave it out");
    return value;
  };
  return { channel: known, place: textOf(place, "place"), topic: textOf(topic, "topic") };
}

export function campaignDoors({
  store,
  limits,
  now,
  grants,
  record,
}: CampaignDoorsDeps): readonly ConsentDoor[] {
  /** @throws Problem `forbidden` for whoever has no Active grant for campaigns; it says nothing of any other grant. */
  async function checkVendor(snapshot: Snapshot, webid: string, at: number): Promise<void> {
    const own = await grants.list(snapshot, webid);
    const mayOffer = own.some(
      ({ state, heldUntil, policies }) =>
        state === "Active" &&
        (heldUntil === null || heldUntil <= at) &&
        policies.some(
          ({ purposes, notBefore, notAfter }) =>
            (notBefore ?? at) <= at &&
            at <= notAfter &&
            purposes.some((purpose) => PURPOSES.some((root) => isNarrower(purpose, root))),
        ),
    );
    if (!mayOffer) throw new Problem("forbidden", "This is for those who were allowed to make offers");
  }

  async function ask(call: Call): Promise<Result> {
    const webid = namedAgent(call);
    const { operation, pod } = call;
    const wish = readWish(await readInput(operation, limits));
    const { result } = await store.write(pod.id, async (transaction) => {
      const at = now().getTime();
      await checkVendor(transaction, webid, at);
      const { campaigns } = await preferencesIn(transaction);
      const before = (await find(transaction, "campaigns", "recent"))?.times ?? [];
      // Each yes is written down: where nobody counts, one company could go on for ever.
      const counted = { ...campaigns, maxPerWeek: campaigns.maxPerWeek ?? TIMES_MAX };
      const obstacle = campaignObstacle(counted, { at, before }, wish.channel, wish.place, wish.topic);
      if (obstacle === null) {
        const times = [...before.filter((time) => time > at - WEEK), at].slice(-TIMES_MAX);
        put(transaction, "campaigns", "recent", { times });
        record(transaction, pod, { act: "decide", ...byOf(call), path: `/${pod.name}/${CAMPAIGNS}` });
      }
      return obstacle;
    });
    const because = result === null ? null : BECAUSE[result];
    return json(200, { allowed: result === null, because }, { "cache-control": "no-store" });
  }

  return [{ verb: "post", path: CAMPAIGNS, act: ask }];
}
