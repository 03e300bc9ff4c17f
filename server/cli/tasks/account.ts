/** `freehold account …`: who of those that live here also runs the server. */
import { OperatorError } from "../../errors.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

export const accountOperator: Task = {
  name: "account operator",
  usage: "<pod>",
  about: "Let the account of a pod run the server from its own pages; with --undo, no more",
  flags: { undo: { about: "It is an account like all others again", takesValue: false } },
  async run(context, { args: [name = ""], flags }) {
    const pod = await podNamed(context, name);
    const { accounts } = context.identity;
    const isOperator = flags["undo"] !== true;
    if (!(await accounts.list()).some((account) => account.pod === pod.name))
      throw new OperatorError(`The pod ${name} has no account.`);
    await accounts.setOperator(pod.name, isOperator);
    return {
      lines: [
        isOperator
          ? `Whoever signs in to ${name} finds the room Hosting at ${context.config.baseUrl}#/hosting, and may do there what the operator may.`
          : `The account of ${name} is one like all others.`,
      ],
      exit: 0,
    };
  },
};
