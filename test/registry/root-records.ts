/** Records of roots and zones that no server is behind: for those who read them. */
import type { RootRecord, ZoneRecord } from "../../client-lib/registry/model.ts";
import { servicesOf } from "../../client-lib/registry/root.ts";
import { key } from "../passport/people.ts";

export async function zoneNamed(name: string, change: Partial<ZoneRecord> = {}): Promise<ZoneRecord> {
  return {
    operator: `Operator of ${name}`,
    kind: "country",
    urls: [`https://r1.${name}.example/`, `https://mirror.${name}.example/`],
    log: {
      origin: `log.${name}.example`,
      key: (await key(`log-${name}`)).key,
      url: `https://r1.${name}.example/log/${name}/`,
    },
    keys: [(await key(`zone-${name}`)).key],
    legalKeys: [],
    policy: "quorum none\n",
    status: "active",
    escrow: null,
    ...change,
  };
}

/** The first version of a root's record, not yet signed. */
export async function firstRecord(zones: RootRecord["zones"], keys: RootRecord["keys"]): Promise<RootRecord> {
  return {
    v: 1,
    version: 1,
    prev: null,
    publication: "2026-11-22T00:00:00Z",
    description: "Zones of the tests",
    keys,
    services: servicesOf(zones),
    zones,
    root: {
      urls: ["https://root.example/"],
      log: {
        origin: "root.example",
        key: (await key("log-root")).key,
        url: "https://root.example/log/root/",
      },
      policy: "quorum none\n",
      keys: [(await key("root-desk")).key],
    },
  };
}
