/** What `--help` says, made from the tables of commands, tasks, programs and settings. */
import { flagOf, SETTINGS, type SettingName } from "../config.ts";
import { VERSION } from "../health.ts";
import { COMMANDS, listedCommand } from "./commands.ts";
import { type Program, programHelp } from "./program.ts";
import { secretFlagsOf, type Task } from "./task.ts";

export interface Listed {
  readonly name: string;
  readonly about: string;
  /** As they are typed, and what for. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Flags of every command. */
const COMMON_FLAGS: Readonly<Record<string, string>> = {
  "--config …": "The settings file; otherwise freehold.config.json or .jsonc here, or in the data folder",
  "--print-config": "Show every setting, and where it comes from, and exit; passwords are stars",
  "--json": "Say it as JSON: one document, or one a line where it goes on and on",
  "-h, --help": "Show this",
  "-v, --version": "Show the version",
};

/** As the Community Solid Server calls them. */
export const ALIASES: Readonly<
  Record<string, { readonly setting: SettingName | null; readonly short?: string; readonly about: string }>
> = {
  baseUrl: { setting: "FREEHOLD_BASE_URL", short: "b", about: "--base-url" },
  rootFilePath: { setting: "FREEHOLD_DATA", short: "f", about: "--data" },
  loggingLevel: { setting: "FREEHOLD_LOG_LEVEL", short: "l", about: "--log-level" },
  seedConfig: { setting: null, about: "--seed-file" },
  workers: { setting: null, short: "w", about: "nothing: one process uses all cores that it needs" },
  socket: { setting: null, about: "refused: this server listens on TCP" },
};

const ENDS =
  "It ends with 0 when all is well, 1 when something is wrong, 2 for a command that it does not know, 3 for a setting\nthat it cannot take, 4 when it could not be done: then it says why, and what to do.";

const JSON_SAYS = `With --json: {"exit": 0, "lines": […], "result": …}, or {"exit": 4, "problem": {"what": …, "why": …, "next": …}}.
Commands that go on and on print one document a line: start {"event": "ready", …} and then its log; vendor, passport
and registry {"line": …} for each line, at the end {"exit": …}. The demo speaks to people alone.`;

function listed({ name, about, flags }: Listed): string {
  const first = `  ${name.padEnd(24)} `;
  return [
    `${name.length > 24 ? `${first.trimEnd()}\n${" ".repeat(27)}` : first}${about}`,
    ...Object.entries(flags).map(([flag, text]) => `    ${flag.padEnd(22)} ${text}`),
  ].join("\n");
}

export function listedTask(task: Task): Listed {
  const { name, usage, about, flags = {} } = task;
  const own = Object.entries(flags).map(([flag, { about, takesValue }]) => [
    `--${flag}${takesValue ? " …" : ""}`,
    about,
  ]);
  const secrets = Object.entries(secretFlagsOf(task)).map(([flag, text]) => [`--${flag} …`, text]);
  return {
    name: `${name} ${usage}`.trim(),
    about,
    flags: Object.fromEntries([...own, ...secrets]) as Record<string, string>,
  };
}

/** Of one command. */
export const helpOfOne = (one: Listed): string =>
  `${listed(one)}\n\nCommands and settings, such as --data …: freehold --help\n${ENDS}\n`;

export const helpOfProgram = (program: Program): string =>
  `${programHelp(program).map(listed).join("\n")}\n    ${"--json".padEnd(22)} ${COMMON_FLAGS["--json"]}\n\n${ENDS}\n`;

export function helpOfAll(tasks: readonly Task[], programs: readonly Program[]): string {
  const commands = [
    ...Object.entries(COMMANDS).map(([name, command]) => listedCommand(name, command)),
    ...tasks.map(listedTask),
    ...programs.flatMap(programHelp),
  ];
  const settings = Object.entries(SETTINGS).map(
    ([name, { about, fallback }]) =>
      `  --${flagOf(name as SettingName).padEnd(22)} ${about}${fallback && ` (${fallback})`}`,
  );
  const row = ([flag, about]: readonly [string, string]): string => `  ${flag.padEnd(24)} ${about}`;
  const aliases = Object.entries(ALIASES).map(([name, { short, about }]) =>
    row([`${short === undefined ? "" : `-${short}, `}--${name}`, about]),
  );
  return `freehold ${VERSION}

freehold [command] [flags]    without a command: start

Whatever comes after completion in this list is done by the server that runs on the data folder (--data), or by the
command itself where none does. What begins with vendor is for those who ask people for access, with passport for whoever has
one, with registry for those who run a zone of the registry, its root, a witness or a mirror: these need no server of their
own, read no settings, and keep what is theirs in --folder.
${ENDS}
${JSON_SAYS}

Commands
${commands.map(listed).join("\n")}

Of every command
${Object.entries(COMMON_FLAGS).map(row).join("\n")}

Settings: --port 8080 (or -p 8080) as a flag, FREEHOLD_PORT=8080 in the environment, {"port": 8080} in the settings file; the
first of these that is there holds. For a setting that may hold a password, FREEHOLD_…_FILE names a file with it. In brackets,
what holds otherwise
${settings.join("\n")}

The Community Solid Server's names are known, too
${aliases.join("\n")}
`;
}
