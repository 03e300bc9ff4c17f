/** `freehold passport …`: what people do with their passports, over HTTP, with a recovery file. */
import type { Program } from "../program.ts";
import { PASSPORT_COMMANDS } from "./commands.ts";

export const PROGRAM: Program = {
  name: "passport",
  folder: "freehold-passport",
  commands: PASSPORT_COMMANDS,
};
