/** A pod with a journal, on either engine and without a server: what is done and looked at is said by hand. */
import { parseTarget, type WebId } from "../../server/iri.ts";
import { createJournal, type PodJournal } from "../../server/journal/journal.ts";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import type { Agent, Method, Operation } from "../../server/operation.ts";
import { createPods, type Pod } from "../../server/store/pods.ts";
import type { Store } from "../../server/store/store.ts";

export const BASE = "https://pods.example/";
export const ANA: WebId = `${BASE}ana/profile/card#me` as WebId;
export const SHOP: WebId = "https://shop.example/card#it" as WebId;
export const APP = "https://app.example/id";

export interface TestJournal {
  readonly journal: PodJournal;
  readonly pod: Pod;
  /** Events logged, with their fields. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** @param now Of entries. */
export async function createTestJournal(
  store: Store,
  {
    now = () => new Date(),
    limits = {},
    name = "ana",
  }: {
    readonly now?: () => Date;
    readonly limits?: Partial<Record<keyof Limits, number>>;
    readonly name?: string;
  } = {},
): Promise<TestJournal> {
  const pods = createPods(store, now);
  const pod = (await pods.find(name)) ?? (await pods.create(name, ANA));
  const log: Record<string, unknown>[] = [];
  const journal = createJournal({
    baseUrl: BASE,
    store,
    pods,
    limits: { ...LIMITS, ...limits },
    log: createLog((line) => void log.push(JSON.parse(line) as Record<string, unknown>), now),
    now,
  });
  return { journal, pod, log };
}

export function agent(webid: WebId | null, client: string | null = APP): Agent {
  return { webid, client: webid && client, issuer: webid && "https://id.example/", origin: null };
}

export function operation(
  who: Agent,
  path: string,
  {
    method = "GET",
    id = "r1",
    headers = {},
  }: {
    readonly method?: Method;
    readonly id?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Operation {
  return {
    id,
    method,
    target: parseTarget(path),
    url: `${BASE}${path.slice(1)}`,
    query: "",
    agent: who,
    headers,
    body: null,
  };
}
