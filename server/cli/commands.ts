/** The commands that are no tasks on a data folder, each loaded when it is asked for. */
import type { Config, SettingName } from "../config.ts";
import type { Listed } from "./help.ts";
import type { TaskFlag, TaskResult } from "./task.ts";

export interface CommandInput {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Those among the flags. */
  readonly settings: Readonly<Partial<Record<SettingName, string>>>;
  /** One JSON document, or one a line, instead of words for people. */
  readonly isJson: boolean;
}

interface About {
  /** Its arguments, such as `<shell>`. */
  readonly usage?: string;
  readonly about: string;
  readonly flags?: Readonly<Record<string, TaskFlag>>;
}

export type Command =
  | (About & {
      /** @returns the exit code, once the command is done. */
      readonly run: (config: Config, input: CommandInput) => Promise<number>;
    })
  | (About & {
      /** For what reads no settings: a mistake in them is no reason to refuse. */
      readonly bare: (input: CommandInput) => Promise<TaskResult>;
    });

const onOff = (about: string): TaskFlag => ({ about, takesValue: false });
const valued = (about: string): TaskFlag => ({ about, takesValue: true });

export const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    about: "Run the server",
    flags: { "seed-file": { ...valued("Seed from this file once the server runs"), isPath: true } },
    run: async (config, { flags, isJson }) =>
      (await import("./start.ts")).start(config, { seedFile: textOf(flags["seed-file"]), isJson }),
  },
  demo: {
    about: "Run a server with two people, two vendors and their data, and show a vendor asking",
    flags: {
      once: onOff("Go through the demo once, check it, and exit"),
      keep: onOff("Leave the demo's data folder where it is"),
    },
    run: async (config, { flags: { once, keep } }) =>
      (await import("./demo.ts")).demo(config, { once: once === true, keep: keep === true }),
  },
  healthcheck: {
    about: "Exit 0 if the server at the configured port is ready",
    run: async (config, { isJson }) => {
      const exit = await (await import("./healthcheck.ts")).healthcheck(config);
      if (isJson) process.stdout.write(`${JSON.stringify({ exit, result: { ready: exit === 0 } })}\n`);
      return exit;
    },
  },
  init: {
    about:
      "Write a settings file here: of the settings among the flags, and of questions at a terminal; and say what to do next",
    flags: {
      yes: onOff("Ask nothing"),
      force: onOff("Replace a settings file that is there"),
    },
    bare: async (input) => (await import("./init.ts")).init(input),
  },
  "config schema": {
    about: "Print the JSON Schema of the settings file",
    bare: async () => {
      const { settingsSchema } = await import("./settings.ts");
      return documentOf(settingsSchema());
    },
  },
  "seed schema": {
    about: "Print the JSON Schema of a seed file",
    bare: async () => documentOf((await import("./seed/schema.ts")).SEED_SCHEMA),
  },
  openapi: {
    about: "Print the OpenAPI document of the doors that are not Solid's; a server has it at /.openapi.json",
    run: async ({ baseUrl }) => {
      const { openApi } = await import("../http/reference/openapi.ts");
      const { VERSION } = await import("../health.ts");
      process.stdout.write(`${JSON.stringify(openApi({ baseUrl, version: VERSION }), null, 2)}\n`);
      return 0;
    },
  },
  completion: {
    usage: "<shell>",
    about: "Print what makes a shell complete this command: bash, zsh or fish",
    bare: async ({ args }) => (await import("./completion.ts")).completion(args[0] ?? ""),
  },
};

/** A document is printed as it is, with `--json` or without. */
const documentOf = (value: object): TaskResult => ({
  lines: [JSON.stringify(value, null, 2)],
  exit: 0,
  isDocument: true,
});

const textOf = (value: string | boolean | undefined): string | null =>
  typeof value === "string" ? value : null;

export const listedCommand = (name: string, { usage = "", about, flags = {} }: Command): Listed => ({
  name: `${name} ${usage}`.trim(),
  about,
  flags: Object.fromEntries(
    Object.entries(flags).map(([flag, one]) => [`--${flag}${one.takesValue ? " …" : ""}`, one.about]),
  ),
});
