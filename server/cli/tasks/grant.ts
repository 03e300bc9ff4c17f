/** `freehold grant …`: what vendors ask of a pod and have of it; resting, ending and answering, as whoever runs the server may. */
import { sureLabelOf } from "@freehold/vocab";
import type { By } from "../../consent/change.ts";
import type { AccessRequest, Grant, Policy } from "../../consent/model.ts";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import { OPERATOR } from "../../journal/entry.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot } from "../../store/store.ts";
import type { Task, TaskInput, TaskResult } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const BY: By = { agent: OPERATOR };

/** What vendors write is shown, not obeyed. */
const plain = (text: string): string => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "?");

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
const endOf = (policies: readonly Policy[]): number => Math.max(...policies.map(({ notAfter }) => notAfter));

/** Once each, in their order. */
const all = (values: readonly string[]): string => [...new Set(values)].map(plain).join(", ");

function lineOf({ id, state, assignee, policies }: AccessRequest | Grant): string {
  const purposes = all(policies.flatMap((one) => one.purposes.map((purpose) => sureLabelOf(purpose))));
  return [id, state.padEnd(9), `until ${day(endOf(policies))}`, plain(assignee), purposes].join("  ");
}

function detailsOf({ policies }: AccessRequest | Grant): readonly string[] {
  return policies.flatMap((policy, at) => {
    const { actions, target, purposes, tier, mode, categories, dataLife, queriesMax, frequency } = policy;
    const limits = [
      ...(queriesMax === null ? [] : [`at most ${queriesMax} reads`]),
      ...(frequency ? [`${frequency.count} reads in ${Math.round(frequency.per / 1_000)} seconds`] : []),
      ...(dataLife === null ? [] : [`kept for ${dataLife}`]),
      `until ${new Date(policy.notAfter).toISOString()}`,
    ];
    return [
      `  ${at}: ${actions.join(", ")} ${target.kind} ${all(target.values)}`,
      `     for ${all(purposes.map((purpose) => sureLabelOf(purpose)))}; ${tier}, to ${mode}`,
      ...(categories.length > 0 ? [`     of ${all(categories.map((one) => sureLabelOf(one)))}`] : []),
      `     ${limits.join("; ")}`,
    ];
  });
}

const read = <T>({ store }: Context, pod: Pod, work: (snapshot: Snapshot) => Promise<T>): Promise<T> =>
  store.read(pod.id, work);

export const grantList: Task = {
  name: "grant list",
  usage: "<pod>",
  about: "Show who may read what of a pod by the owner's consent, and who asks",
  async run(context, { args: [name = ""] }) {
    const pod = await podNamed(context, name);
    const { requests, grants } = context.consent;
    const [asked, given] = await read(context, pod, async (snapshot) => [
      (await requests.list(snapshot)).filter(({ state }) => state === "Pending" || state === "Deferred"),
      await grants.list(snapshot),
    ]);
    const lines = [
      ...(given.length > 0 ? ["Granted:", ...given.map(lineOf)] : ["Nothing is granted."]),
      ...(asked.length > 0 ? ["Asked for:", ...asked.map(lineOf)] : ["Nobody asks for anything."]),
    ];
    return { lines, exit: 0 };
  },
};

export const grantShow: Task = {
  name: "grant show",
  usage: "<pod> <id>",
  about: "Show a grant, or a request for one",
  async run(context, { args: [name = "", id = ""] }) {
    const pod = await podNamed(context, name);
    const { requests, grants } = context.consent;
    const found = await read(context, pod, async (snapshot) => ({
      grant: await grants.get(snapshot, id),
      request: await requests.get(snapshot, id),
      usage: await grants.usage(snapshot, id),
    }));
    const { grant, request, usage } = found;
    const shown = grant ?? request;
    if (!shown) throw new OperatorError(`There is no grant and no request called ${plain(id)}.`);
    const used =
      usage.lastUse === null ? "not used yet" : `used ${usage.count} times, last on ${day(usage.lastUse)}`;
    const lines = [
      lineOf(shown),
      ...detailsOf(shown),
      ...Object.values(shown.benefit).map((text) => `  ${plain(text)}`),
      ...(shown.notice === "" ? [] : [`  ${plain(shown.notice)}`]),
      ...(grant
        ? [`  decided by ${grant.decidedBy}; ${used}${grant.reason === null ? "" : `; ${grant.reason}`}`]
        : []),
    ];
    return { lines, exit: 0 };
  },
};

const turning = (turn: "pause" | "resume" | "revoke", about: string): Task => ({
  name: `grant ${turn}`,
  usage: "<pod> <id>",
  about,
  async run(context, { args: [name = "", id = ""] }: TaskInput): Promise<TaskResult> {
    const pod = await podNamed(context, name);
    const { grants, notices } = context.consent;
    await notices.enlist(pod);
    const { result } = await context.store.write(pod.id, (transaction) =>
      grants[turn](transaction, pod, id, BY),
    );
    return { lines: [lineOf(result)], exit: 0 };
  },
});

export const grantPause = turning("pause", "Let a grant rest: nothing flows until it goes on");
export const grantResume = turning("resume", "Let a grant that rests go on");
export const grantRevoke = turning("revoke", "End a grant for good, from the next request on");

export const grantDecide: Task = {
  name: "grant decide",
  usage: "<pod> <request> <answer>",
  about: "Answer a request for access in the owner's place: grant, deny or defer",
  async run(context, { args: [name = "", id = "", outcome = ""] }) {
    const pod = await podNamed(context, name);
    if (outcome !== "grant" && outcome !== "deny" && outcome !== "defer")
      throw new OperatorError("The answer is grant, deny or defer.");
    const { grants } = await context.consent.requests.decide(pod, id, {
      outcome,
      policies: null,
      who: "delegate",
      by: BY,
    });
    const lines =
      grants.length > 0 ? ["Granted:", ...grants.map(lineOf)] : [outcome === "deny" ? "Denied." : "Put off."];
    return { lines, exit: 0 };
  },
};
