/** What needs a registrar's word: going to another one, and the registrar's own part in it. */
import { readFile } from "node:fs/promises";
import { readSigned, sponsorOperation, transferPassport } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { writeDurably } from "../../store/durable.ts";
import { flagOf, type ProgramCommand } from "../program.ts";
import { begin, DELEGATE_FLAG, delegateOf } from "./begin.ts";
import { carryToZone, speakAgain } from "./carry.ts";
import { readKeyFile } from "./create.ts";
import { REGISTRY_FLAG, signersOf } from "./holder.ts";

export const transfer: ProgramCommand = {
  name: "transfer",
  usage: "<registrar> [file]",
  about: "Go to another registrar: it sponsors the operation, which is written to a file for it",
  flags: {
    operation: "Where to write the operation that the registrar sponsors (transfer.json)",
    "registrar-key": "For a registrar that does it for its people: file with its key",
    ...DELEGATE_FLAG,
    ...REGISTRY_FLAG,
  },
  async run(input) {
    const [registrar = "", named] = input.args;
    const { holder, present } = await begin(input, named);
    const { state, data } = present.passport;
    const signers = signersOf(holder.kept.imported(), state);
    const signed = await transferPassport(state, signers, registrar, delegateOf(input).delegateKey);
    const keyPath = flagOf(input, "registrar-key");
    if (keyPath === undefined) {
      const path = flagOf(input, "operation") ?? "transfer.json";
      await writeDurably(path, Buffer.from(`${JSON.stringify(signed, null, 2)}\n`));
      input.say(`written  ${path}: give it to ${registrar}, who sponsors it (freehold passport sponsor)`);
      input.say("next     freehold passport send, with the file that comes back");
      return 0;
    }
    const sponsored = await sponsorOperation(signed, registrar, await readKeyFile(keyPath));
    await carryToZone(input, holder, present, sponsored);
    await speakAgain(input, holder, data);
    return 0;
  },
};

export const sponsor: ProgramCommand = {
  name: "sponsor",
  usage: "<operation>",
  about: "For a registrar: vouch for an operation that names it",
  flags: { registrar: "Its name", "registrar-key": "File with its key" },
  async run(input) {
    const [path = ""] = input.args;
    const [name, keyPath] = [flagOf(input, "registrar"), flagOf(input, "registrar-key")];
    if (name === undefined || keyPath === undefined)
      throw new OperatorError("Say who vouches: --registrar … --registrar-key …");
    const signed = readSigned(await readFile(path, "utf8"));
    if (!("registrar" in signed.op) || signed.op.registrar !== name)
      throw new OperatorError(`The operation in ${path} does not name ${name} as registrar.`);
    const sponsored = await sponsorOperation(signed, name, await readKeyFile(keyPath));
    await writeDurably(path, Buffer.from(`${JSON.stringify(sponsored, null, 2)}\n`));
    input.say(`done     sponsored by ${name}: ${path}`);
    return 0;
  },
};

export const sending: ProgramCommand = {
  name: "send",
  usage: "<operation> [file]",
  about: "Send an operation that a registrar has sponsored",
  flags: { ...REGISTRY_FLAG },
  async run(input) {
    const [path = "", named] = input.args;
    const signed = readSigned(await readFile(path, "utf8"));
    const { holder, present } = await begin(input, named);
    if (!("id" in signed.op) || signed.op.id !== holder.id)
      throw new OperatorError(`The operation in ${path} is not of the passport of this recovery file.`);
    const { data } = present.passport;
    await carryToZone(input, holder, present, signed);
    await speakAgain(input, holder, data);
    return 0;
  },
};
