/** `freehold registry …`: for whoever runs a zone, a witness, a mirror or the root of the registry. */
import type { Program } from "../program.ts";
import { REGISTRY_COMMANDS } from "./commands.ts";

export const PROGRAM: Program = {
  name: "registry",
  folder: "freehold-registry",
  commands: REGISTRY_COMMANDS,
};
