/** `freehold keys …`: new keys, while the server runs. */
import type { Context } from "../../context.ts";
import { type PodId, SERVER_POD } from "../../store/store.ts";
import type { Report, Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";
import { renewal } from "./renewal.ts";

/** The server's own records and the root key concern everybody: each pod's journal says so. */
async function recordForAll({ pods, journal }: Context, report: Report): Promise<void> {
  const all = (await pods.list()).filter(({ erased }) => erased === undefined);
  for (const [done, pod] of all.entries()) {
    report({ stage: "Recording", done, total: all.length, unit: "items" });
    await journal.operator(pod, "keys");
  }
}

async function rekey({ store, backups, queries }: Context, pod: PodId, report: Report): Promise<void> {
  // An index may still have words of what was deleted: it is made anew, not sealed anew.
  if (pod !== SERVER_POD) await queries.purge(pod);
  await backups.withNewKeys(() =>
    store.rekey(pod, (done, total) => report({ stage: "Sealing anew", done, total, unit: "items" })),
  );
}

export const keysRotateRoot: Task = {
  name: "keys rotate-root",
  usage: "",
  about: "Make a new root key, which takes the old one's place in its file, and wrap all keys with it",
  async run(context, _input, report) {
    const { store, config, backups } = context;
    await recordForAll(context, report);
    await backups.withNewKeys(() => store.rotateRootKey());
    const { lines, exit } = await renewal(context, report);
    return {
      lines: [
        `The new root key is in ${config.rootKeyFile}. Keep a copy of it apart from the data, now.`,
        "The old one opens backups of the keys from before, and nothing else: destroy it when those are gone.",
        ...lines,
      ],
      exit,
    };
  },
};

export const keysRotate: Task = {
  name: "keys rotate",
  usage: "[pod]",
  about: "Seal a pod with a new key and destroy the old one; without a name, the server's own records",
  async run(context, { args: [name] }, report) {
    if (name === undefined) {
      await recordForAll(context, report);
      await rekey(context, SERVER_POD, report);
    } else {
      const pod = await podNamed(context, name);
      await context.journal.operator(pod, "keys");
      await rekey(context, pod.id, report);
    }
    const { lines, exit } = await renewal(context, report);
    const what = name === undefined ? "The server's own records are" : `The pod ${name} is`;
    return { lines: [`${what} sealed with a new key, and the old one is destroyed.`, ...lines], exit };
  },
};
