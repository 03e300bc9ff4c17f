/** The tables that are loaded for whoever asks for one of their commands: a server that starts has no need of them. */
import type { Program } from "./program.ts";
import type { Task } from "./task.ts";

export const loadTasks = async (): Promise<readonly Task[]> => (await import("./tasks/index.ts")).TASKS;

/** These are no work on a data folder: they have folders of their own, and read no settings. */
export const PROGRAMS: Readonly<Record<string, () => Promise<Program>>> = {
  vendor: async () => (await import("./vendor/run.ts")).PROGRAM,
  passport: async () => (await import("./passport/run.ts")).PROGRAM,
  registry: async () => (await import("./registry/run.ts")).PROGRAM,
};
