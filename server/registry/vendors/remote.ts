/** A zone's records of governance, from a registry elsewhere. */
import type { PublicKey } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { GovernanceSource } from "./follow.ts";

export interface RemoteDeps {
  readonly zone: string;
  /** Addresses that answer for the zone, its own first; each ends in a slash. */
  readonly urls: () => Promise<readonly string[]>;
  readonly keys: () => Promise<readonly PublicKey[]>;
  /** The text at an address. @throws where there is none. */
  readonly fetchText: (url: string) => Promise<string>;
}

/** Asks one address after the other, until one answers: who answers need not be trusted. */
export function createRemoteSource({ zone, urls, keys, fetchText }: RemoteDeps): GovernanceSource {
  async function ask(url: string, after: number): Promise<readonly object[]> {
    const answer = JSON.parse(await fetchText(`${url}v1/governance?zone=${zone}&after=${after}`)) as {
      readonly records?: unknown;
    } | null;
    if (
      !Array.isArray(answer?.records) ||
      !answer.records.every((one) => typeof one === "object" && one !== null)
    )
      throw new Problem("fetch-failed", "The registry's answer is no list of records");
    return answer.records as readonly object[];
  }
  return {
    zone,
    keys,
    async records(after) {
      let failure: unknown = new Problem("fetch-failed", "The zone has no address");
      for (const url of await urls())
        try {
          return await ask(url, after);
        } catch (error) {
          failure = error;
        }
      throw failure;
    },
  };
}
