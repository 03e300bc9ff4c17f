/** `freehold passport-host` and `arrive`: for somebody who has a passport and comes to this server with it. */
import { readFile } from "node:fs/promises";
import { readId } from "@freehold/client/passport";
import { OperatorError } from "../../errors.ts";
import type { Task } from "../task.ts";
import { podNamed } from "./pod-named.ts";

export const passportHost: Task = {
  name: "passport-host",
  usage: "",
  about:
    "Print what the owner of a passport must name to make this server its host: its registrar, and the delegate's key",
  async run({ identity }) {
    const { registrar, delegateKey } = await identity.hosting.begin();
    return { lines: [`registrar  ${registrar}`, `delegate   ${delegateKey}`], exit: 0 };
  },
};

async function operationIn(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new OperatorError(
      `${path} is no passport, and no file that can be read: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  });
  return text;
}

export const arrive: Task = {
  name: "arrive",
  usage: "<pod> <passport>",
  about:
    "Take in a passport: its owner's keys have said that it leads to this pod; or a file with the operation that names this server",
  async run(context, { args: [name = "", named = ""] }) {
    const pod = await podNamed(context, name);
    const reading = readId(named);
    const signed = reading.kind === "id" ? reading.id : await operationIn(named);
    const { id } = await context.takeIn(pod, signed);
    return { lines: [`${name} is the pod of passport ${id} now.`], exit: 0 };
  },
};
