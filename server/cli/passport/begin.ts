/** How every change begins: with what was left before. */
import { decodeKey } from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { flagOf, type ProgramInput } from "../program.ts";
import { putInOrder, resume } from "./carry.ts";
import { type Holder, openHolder, type Present } from "./holder.ts";

export const DELEGATE_FLAG = {
  delegate: "Public key of the pod's new host; whoever hosts it now is out at once",
} as const;

/** What was left before is taken up first: then it is known whose keys are in force. */
export async function begin(
  input: ProgramInput,
  named: string | undefined,
): Promise<{ holder: Holder; present: Present }> {
  const holder = await openHolder(input, named);
  await resume(input, holder);
  const present = await holder.look();
  await putInOrder(holder, present);
  return { holder, present };
}

export function delegateOf(input: ProgramInput): { readonly delegateKey?: string } {
  const key = flagOf(input, "delegate");
  if (key === undefined) return {};
  if (!decodeKey(key)) throw new OperatorError(`--delegate ${key} is no public key. It is one such as z6Mk…`);
  return { delegateKey: key };
}
