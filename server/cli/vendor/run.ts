/** `freehold vendor …`: for whoever asks people for access; it works over HTTP like any other program, and knows no store. */
import type { Program } from "../program.ts";
import { VENDOR_COMMANDS } from "./commands.ts";

export const PROGRAM: Program = { name: "vendor", folder: "freehold-vendor", commands: VENDOR_COMMANDS };
