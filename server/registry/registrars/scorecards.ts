/** How registrars do, by counts alone: what came into force by their hands, by type and day, and what they were sanctioned for. */
import type { Governance, Listed, RegistrarRecord } from "@freehold/client/registry";
import type { PodId, Store } from "../../store/store.ts";
import { dayOf, readCounts } from "../zone/counts.ts";

export interface Scorecard {
  /** Passports opened today (UTC), and how many that may be. */
  readonly createdToday: number;
  readonly createPerDay: number;
  /** Of each type of operation, in the last 30 days, today included. */
  readonly last30Days: Readonly<Record<string, number>>;
  /** Recoveries for each thousand passports opened, in those days: many say that people lose their keys there. */
  readonly recoveriesPerThousand: number | null;
  /** Sanctions that stand. */
  readonly sanctions: number;
}

export interface Scorecards {
  of(state: Governance, registrar: Listed<RegistrarRecord>): Promise<Scorecard>;
}

export interface ScorecardsDeps {
  readonly store: Pick<Store, "read">;
  /** The zone's own. */
  readonly podOf: (zone: string) => PodId | undefined;
  readonly now: () => Date;
}

const DAYS = 30;
const DAY_MS = 86_400_000;

export function createScorecards({ store, podOf, now }: ScorecardsDeps): Scorecards {
  return {
    async of(state, { record }) {
      const pod = podOf(state.zone);
      const at = now().getTime();
      const days = Array.from({ length: DAYS }, (_, ago) => dayOf(at - ago * DAY_MS));
      const counts =
        pod === undefined
          ? []
          : await store.read(pod, (snapshot) =>
              Promise.all(days.map((day) => readCounts(snapshot, day, record.id))),
            );
      const last30Days: Record<string, number> = {};
      for (const [type, count] of counts.flatMap((one) => Object.entries(one)))
        last30Days[type] = (last30Days[type] ?? 0) + count;
      const { create = 0, recover = 0 } = last30Days;
      const sanctions = [...state.sanctions.values()].filter(
        ({ stands, record: { of } }) => stands && of.party === "registrar" && of.id === record.id,
      );
      return {
        createdToday: counts[0]?.["create"] ?? 0,
        createPerDay: record.createPerDay,
        last30Days,
        recoveriesPerThousand: create === 0 ? null : Math.round((1_000_000 * recover) / create) / 1_000,
        sanctions: sanctions.length,
      };
    },
  };
}
