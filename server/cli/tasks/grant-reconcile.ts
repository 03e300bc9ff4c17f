/** `freehold grant reconcile`: the pod's two books of a grant, held against each other; its vendor has the third. */
import { find, findReceipt, receiptId } from "../../consent/records.ts";
import type { Context } from "../../context.ts";
import { OperatorError } from "../../errors.ts";
import type { Act } from "../../journal/entry.ts";
import type { Pod } from "../../store/pods.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

const PAGE = 1_000;
/** What is done under a grant, beside what is done with it. */
const USES: ReadonlySet<Act> = new Set(["look", "query", "create", "change", "append", "delete"]);

/** Entries of the journal that were made under a grant, and how many there are of which nothing is known any more. */
async function recorded(
  { journal }: Context,
  pod: Pod,
  url: string,
): Promise<{ readonly uses: number; readonly forgotten: number }> {
  let [uses, forgotten, after] = [0, 0, 0];
  for (;;) {
    const entries = await journal.read(pod, after, PAGE);
    for (const { number, entry } of entries) {
      if (entry === null) forgotten += 1;
      else if (entry.grant === url && entry.decision === "granted" && USES.has(entry.act))
        uses += entry.count;
      after = number;
    }
    if (entries.length < PAGE) return { uses, forgotten };
  }
}

export const grantReconcile: Task = {
  name: "grant reconcile",
  usage: "<pod> <id>",
  about: "Hold a grant's receipts against the journal; ends with 1 when they do not agree",
  async run(context, { args: [name = "", id = ""] }) {
    const pod = await podNamed(context, name);
    const { consent, store, config } = context;
    const { receipts, kept, isSigned, url } = await store.read(pod.id, async (snapshot) => {
      const grant = await consent.grants.get(snapshot, id);
      if (!grant) throw new OperatorError(`There is no grant ${id}.`);
      const { count } = await consent.grants.usage(snapshot, id);
      const first = Math.max(1, count - config.limits.receiptsPerGrantMax + 1);
      let found = 0;
      for (let number = first; number <= count; number++)
        if (await findReceipt(snapshot, receiptId(id, number))) found += 1;
      return {
        receipts: count,
        kept: { found, wanted: count - first + 1 },
        isSigned: (await find(snapshot, "countersigned", id)) !== null,
        url: consent.grants.urlOf(pod, id),
      };
    });
    const { uses, forgotten } = await recorded(context, pod, url);
    const agrees = kept.found === kept.wanted && (uses === receipts || (forgotten > 0 && uses < receipts));
    const lines = [
      `uses that have a receipt   ${receipts}`,
      `uses in the journal        ${uses}`,
      ...(forgotten > 0 ? [`erased from the journal    ${forgotten}, of this and other things`] : []),
      ...(kept.found === kept.wanted ? [] : [`receipts that are missing  ${kept.wanted - kept.found}`]),
      `consent signed by both     ${isSigned ? "yes" : "no"}`,
    ];
    return { lines, exit: agrees ? 0 : 1 };
  },
};
