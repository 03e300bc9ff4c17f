/** The consents of the owner's pod, asked for as any app of the owner's asks: requests, grants, decisions, and with whom. */
import { FreeholdError, type Json, type PodPlace } from "@freehold/client/consent";
import { Refusal, refusalOf, toRefusal } from "./ask.ts";
import type { Me, State } from "./model.ts";
import { ownFetch } from "./pod-fetch.ts";

export const podOf = (me: Me, server: State): PodPlace => {
  const url = `${server.baseUrl}${me.pod}/`;
  return { url, fetch: ownFetch, at: (path) => new URL(path, url).href };
};

/** Whatever was thrown on the way to the pod, as something to show. */
export function refusalFrom(error: unknown): Refusal {
  if (!(error instanceof FreeholdError)) return toRefusal(error);
  if (error.cause instanceof Refusal) return error.cause;
  const { code, title, detail, next, errors } = error;
  return new Refusal(code, title, detail ?? "", next ?? "Try again in a moment.", errors);
}

/** @throws FreeholdError */
async function read<T>(pod: PodPlace, path: string): Promise<T> {
  const response = await pod.fetch(`${pod.url}.consent/${path}`, { headers: { accept: "application/json" } });
  if (response.ok) return (await response.json()) as T;
  throw await refusalOf(response);
}

/** What became of a request, and why. */
export interface DecisionRow {
  /** Address. */
  readonly id: string;
  readonly request: string;
  readonly outcome: "grant" | "narrow" | "deny" | "defer" | "ask";
  readonly decidedBy: string;
  readonly rules: readonly string[];
  /** One sentence. */
  readonly explanation: string;
  readonly at: string;
  readonly undoUntil?: string;
  readonly grants: readonly string[];
}

/** The newest hundred, newest first. */
export const decisionsOf = async (pod: PodPlace): Promise<readonly DecisionRow[]> =>
  (await read<{ readonly items: readonly DecisionRow[] }>(pod, "decisions")).items;

/** One of those that the owner has to do with. */
export interface PartyRow {
  readonly id: string;
  readonly host: string;
  readonly entry: {
    readonly name: string;
    readonly status: string;
    readonly says: string | null;
    readonly purposes: readonly string[];
  } | null;
  readonly isBlocked: boolean;
  readonly waiting: number;
  readonly grants: number;
  readonly uses: number;
  readonly firstUse: number | null;
  readonly lastUse: number | null;
  /** Uses in each of the last twelve weeks; only of one that was asked for. */
  readonly weeks?: readonly number[];
}

/** @param of Only this one, with its weeks. */
export const partiesOf = async (pod: PodPlace, of?: string): Promise<readonly PartyRow[]> => {
  const query = of === undefined ? "" : `?of=${encodeURIComponent(of)}`;
  return (await read<{ readonly items: readonly PartyRow[] }>(pod, `parties${query}`)).items;
};

/** Something that the owner should look at. */
export interface AttentionRow {
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly count: number;
  readonly grant: string | null;
  readonly agent: string | null;
  readonly target: string | null;
  readonly reads: number | null;
  readonly usual: number | null;
}

export const attentionOf = async (pod: PodPlace): Promise<readonly AttentionRow[]> =>
  (await read<{ readonly items: readonly AttentionRow[] }>(pod, "attention")).items;

/** The owner has seen it. */
export async function dismissAttention(pod: PodPlace, id: string): Promise<void> {
  const response = await pod.fetch(`${pod.url}.consent/attention/${id}`, { method: "DELETE" });
  if (!response.ok) throw new Refusal(String(response.status), "It is still there", "", "Try again.");
}

/** Of somebody of whom nothing else is known. */
export const strangerOf = (id: string): PartyRow => ({
  id,
  host: URL.canParse(id) ? new URL(id).host : "Somebody",
  entry: null,
  isBlocked: false,
  waiting: 0,
  grants: 0,
  uses: 0,
  firstUse: null,
  lastUse: null,
});

/** Who asks, or was given something: whoever its policies name. */
export function assigneeOf(document: Json): string {
  const [first] = (Array.isArray(document["access"]) ? document["access"] : []) as readonly Json[];
  const assignee = first?.["assignee"];
  return typeof assignee === "string" ? assignee : "";
}
