/** `freehold setup-link`: a new one-time link by which an account is opened, for whoever runs the server to hand on. */
import type { Task } from "../task.ts";

/** There is no door for this: who can only reach the server should not be able to let people in. */
export const setupLink: Task = {
  name: "setup-link",
  usage: "",
  about: "Print a new one-time link that opens an account",
  async run({ identity }) {
    return { lines: [await identity.accounts.createSetupLink()], exit: 0 };
  },
};
