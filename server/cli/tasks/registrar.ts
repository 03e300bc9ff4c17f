/** `freehold registrar`: what the operator of a registry must know of this server, to accredit it. */
import { serverKey } from "../../passport/keyring.ts";
import type { Task } from "../task.ts";

const CREATE_PER_DAY = 1_000;

export const registrarTask: Task = {
  name: "registrar",
  usage: "<name> <contact>",
  about:
    "Print this server's entry as a registrar, for whoever runs its registry: its keys and where it hosts. The contact is mailto: or https",
  async run({ config, store }, { args: [name = "", contact = ""] }) {
    const entry = {
      id: config.registrar,
      name,
      keys: [(await serverKey(store, "registrar")).key],
      hosts: [{ key: (await serverKey(store, "host")).key, origins: [new URL(config.baseUrl).origin] }],
      createPerDay: CREATE_PER_DAY,
      contact,
      accreditation: null,
    };
    return { lines: [JSON.stringify(entry, null, 2)], exit: 0 };
  },
};
