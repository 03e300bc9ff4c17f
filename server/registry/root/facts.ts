/** The root judges operations by the rules that everybody has, and knows no registrars. */
import {
  type AllowUrl,
  judge,
  NO_FACTS,
  type PassportFacts,
  type PassportState,
  type RootRecord,
  type Signed,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";

export interface Judging {
  readonly record: RootRecord;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly allowUrl?: AllowUrl | undefined;
  /** Null: only what everybody can judge, for an operation that another registry is to take. */
  readonly facts: Partial<PassportFacts> | null;
}

/** @returns the rule that is broken, or null. */
export async function flawOfOperation(
  signed: Signed,
  state: PassportState | null,
  { record, now, allowUrl, facts }: Judging,
): Promise<{ readonly rule: string; readonly detail: string; readonly isConflict: boolean } | null> {
  const zoneKeys = (zone: string) => record.zones[zone]?.keys ?? [];
  const registry = facts && {
    ...NO_FACTS,
    zones: state ? [state.zone] : [],
    registrarKeys: () => [],
    storageOrigins: () => [],
    zoneKeys,
    legalKeys: () => [],
    now: () => now,
    ...facts,
  };
  const verdict = await judge({
    signed,
    state,
    options: { zoneKeys, ...(allowUrl && { allowUrl }), ...(registry && { registry }) },
  });
  if (verdict.kind === "valid") return null;
  const { rule, detail } = verdict;
  return { rule: rule.id, detail, isConflict: rule.conflict };
}

/** @throws Problem `operation-invalid` with the rule, `conflict`. */
export async function requireOperation(
  signed: Signed,
  state: PassportState | null,
  judging: Judging,
): Promise<void> {
  const flaw = await flawOfOperation(signed, state, judging);
  if (flaw)
    throw new Problem(flaw.isConflict ? "conflict" : "operation-invalid", `${flaw.rule}: ${flaw.detail}`, {
      members: { rule: flaw.rule },
    });
}
