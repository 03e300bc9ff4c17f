/** All commands of `freehold registry`, in the order of the help. */
import type { ProgramCommand } from "../program.ts";
import { GOVERNANCE_COMMANDS, GOVERNANCE_TASKS } from "./governance.ts";
import { MIRROR_COMMANDS } from "./mirrors.ts";
import { ROOT_COMMANDS } from "./root.ts";
import type { RegistryTask } from "./task.ts";
import { WITNESS_COMMANDS } from "./witness.ts";
import { zoneCommands } from "./zone.ts";

/** Done in the process that has the zone's store: by its server, or by the command where none runs. */
const TASKS: readonly RegistryTask[] = [...GOVERNANCE_TASKS];

export const REGISTRY_COMMANDS: readonly ProgramCommand[] = [
  ...zoneCommands(TASKS),
  ...WITNESS_COMMANDS,
  ...GOVERNANCE_COMMANDS,
  ...ROOT_COMMANDS,
  ...MIRROR_COMMANDS,
];
