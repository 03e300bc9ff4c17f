/** All commands of `freehold passport`, in the order of the help. */
import { forgetRoot, waitingOperation } from "@freehold/client";
import { readId } from "@freehold/client/registry";
import type { ProgramCommand } from "../program.ts";
import { CHANGES } from "./changes.ts";
import { createCommand, keyCommand } from "./create.ts";
import { keysOfToday, lookUp, memoryOf, openHolder, REGISTRY_FLAG, registryOf, resolving } from "./holder.ts";
import { presentInWords, waitingInWords } from "./words.ts";

const show: ProgramCommand = {
  name: "show",
  usage: "[passport]",
  about: "Prove a passport and say what it is, by its identifier or by a recovery file; and what waits",
  flags: { ...REGISTRY_FLAG },
  async run(input) {
    const [named] = input.args;
    const reading = named === undefined ? null : readId(named);
    const holder = reading?.kind === "id" ? null : await openHolder(input, named);
    const options = holder?.options ?? (await resolving(input));
    const present = await (holder ? holder.look() : lookUp(readIdOf(reading), options));
    for (const line of presentInWords(present)) input.say(line);
    const { id, passport } = present;
    const waiting = await waitingOperation(registryOf(present, options), id, { signal: input.signal });
    for (const line of waiting ? waitingInWords(waiting, input.now().getTime()) : []) input.say(line);
    if (!holder) return 0;
    const { kept } = holder;
    const fits = keysOfToday(kept.imported(), passport.state);
    input.say(
      fits
        ? `file     ${kept.path} has the keys of today${fits.next.length > 0 ? " and the promised ones" : ""}`
        : `file     ${kept.path} has no key of today: it is an old one, or only a guardian's`,
    );
    if (kept.steps().length > 0)
      input.say(
        `left     ${kept
          .steps()
          .map(({ signed }) => signed.op.t)
          .join(", ")}: freehold passport resume`,
      );
    return 0;
  },
};

const readIdOf = (reading: ReturnType<typeof readId> | null) => {
  if (reading?.kind !== "id") throw new Error("It was read before");
  return reading.id;
};

const forget: ProgramCommand = {
  name: "forget",
  usage: "<registry>",
  about: "Believe anew what root a registry shows: only where its operator told you that it was set up anew",
  async run(input) {
    const [registry = ""] = input.args;
    await forgetRoot(registry, memoryOf(input));
    input.say(`forgotten  the root of ${registry}: the next that it shows is believed`);
    return 0;
  },
};

export const PASSPORT_COMMANDS: readonly ProgramCommand[] = [
  createCommand,
  show,
  ...CHANGES,
  keyCommand,
  forget,
];
