/** Where, when and through which channel a person takes part in campaigns. Nothing said is no. */

export const CHANNELS = Object.freeze(["email", "text", "phone", "app", "post", "person"] as const);
export type Channel = (typeof CHANNELS)[number];

export interface CampaignPreference {
  /** None: in no way at all. */
  readonly channels: readonly Channel[];
  /** Codes of ISO 3166, of countries or their parts; null: anywhere. */
  readonly places: readonly string[] | null;
  /** Addresses of what campaigns may be about; null: anything. */
  readonly topics: readonly string[] | null;
  /** By the person's clock, "20:00"; may lead over midnight. From is within, until is not. The same twice: all day. */
  readonly quiet: readonly { readonly from: string; readonly until: string }[];
  /** In any seven days; null: not counted. */
  readonly maxPerWeek: number | null;
  /** Of the person's clock: a name of the IANA database. */
  readonly timeZone: string;
  /** "Confirmed by owner on", milliseconds since 1970. */
  readonly confirmed: number;
}

/** When somebody wants to speak, and when the person was spoken to lately. Milliseconds since 1970. */
export interface CampaignMoment {
  readonly at: number;
  readonly before: readonly number[];
}

/** What stands against it; null: nothing. */
export type CampaignObstacle = "channel" | "place" | "topic" | "quiet" | "often" | null;

const WEEK = 7 * 86_400_000;

/** These channels wait until they are looked at, so they disturb nobody at night. */
const PATIENT: ReadonlySet<Channel> = new Set(["post"]);

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Minutes since midnight by the clock on that wall; the clock knows of summer. */
function minuteOfDay(at: number, timeZone: string): number {
  let clock = clocks.get(timeZone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    if (clocks.size < 1_000) clocks.set(timeZone, clock);
  }
  return minutes(clock.format(at));
}

function minutes(time: string): number {
  const [hours = "0", rest = "0"] = time.split(":");
  return Number(hours) * 60 + Number(rest);
}

/** `DE` has `DE-BY` within it, not the other way round. */
const isWithin = (place: string, allowed: string): boolean =>
  place === allowed || place.startsWith(`${allowed}-`);

/**
 * Whether a campaign may speak to the person now.
 * @param place Where the person would be spoken to, a code of ISO 3166; null: nowhere in particular, which no list of places allows.
 * @param topic What it is about; null: nobody says, which no list of topics allows.
 * @returns what stands against it first, or null.
 */
export function campaignObstacle(
  preference: CampaignPreference,
  moment: CampaignMoment,
  channel: Channel,
  place: string | null,
  topic: string | null = null,
): CampaignObstacle {
  const { channels, places, topics, quiet, maxPerWeek, timeZone } = preference;
  if (!channels.includes(channel)) return "channel";
  if (places && !places.some((allowed) => place !== null && isWithin(place, allowed))) return "place";
  if (topics && (topic === null || !topics.includes(topic))) return "topic";
  if (!PATIENT.has(channel) && quiet.length > 0) {
    const minute = minuteOfDay(moment.at, timeZone);
    const isQuiet = quiet.some(({ from, until }) => {
      const [begin, end] = [minutes(from), minutes(until)];
      return begin < end ? begin <= minute && minute < end : minute >= begin || minute < end;
    });
    if (isQuiet) return "quiet";
  }
  const lately = moment.before.filter((at) => at > moment.at - WEEK); // What lies ahead of us counts, too: clocks differ.
  return maxPerWeek !== null && lately.length >= maxPerWeek ? "often" : null;
}

/** Whether a campaign may speak to the person now: nothing stands against it. */
export function campaignAllowed(
  preference: CampaignPreference,
  moment: CampaignMoment,
  channel: Channel,
  place: string | null,
  topic: string | null = null,
): boolean {
  return campaignObstacle(preference, moment, channel, place, topic) === null;
}
