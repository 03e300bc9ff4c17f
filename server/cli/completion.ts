/** `freehold completion <shell>`: what makes a shell complete commands and flags; made from the same tables as the help. */
import { flagOf, SETTINGS, type SettingName } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { COMMANDS } from "./commands.ts";
import { ALIASES } from "./help.ts";
import { loadTasks, PROGRAMS } from "./tables.ts";
import { secretFlagsOf, type TaskResult } from "./task.ts";

interface Row {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly string[];
}

const SHELLS = ["bash", "zsh", "fish"] as const;

async function rows(): Promise<readonly Row[]> {
  const tasks = await loadTasks();
  const programs = await Promise.all(Object.values(PROGRAMS).map((load) => load()));
  return [
    ...Object.entries(COMMANDS).map(([name, { about, flags = {} }]) => ({
      name,
      about,
      flags: Object.keys(flags),
    })),
    ...tasks.map((task) => ({
      name: task.name,
      about: task.about,
      flags: [...Object.keys(task.flags ?? {}), ...Object.keys(secretFlagsOf(task))],
    })),
    ...programs.flatMap(({ name, commands }) =>
      commands.map((one) => ({
        name: `${name} ${one.name}`,
        about: one.about,
        flags: ["folder", ...Object.keys(one.flags ?? {}), ...Object.keys(one.switches ?? {})],
      })),
    ),
  ];
}

const COMMON: readonly string[] = (Object.keys(SETTINGS) as SettingName[])
  .map(flagOf)
  .concat(Object.keys(ALIASES), "config", "print-config", "json", "help", "version");
const PROGRAM_WORDS: ReadonlySet<string> = new Set(Object.keys(PROGRAMS));

/** What may follow the words typed so far: `""` for none. */
function following(all: readonly Row[]): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, Set<string>>();
  for (const { name, flags } of all) {
    const words = name.split(" ");
    for (const [at, word] of words.entries()) {
      const before = words.slice(0, at).join(" ");
      next.set(before, (next.get(before) ?? new Set()).add(word));
    }
    const common = PROGRAM_WORDS.has(words[0]!) ? ["json", "help"] : COMMON;
    const all = next.get(name) ?? new Set();
    for (const flag of [...flags, ...common]) all.add(`--${flag}`);
    next.set(name, all);
  }
  return new Map([...next].map(([before, words]) => [before, [...words].sort()]));
}

/** Names are letters, spaces and hyphens only, so nothing in them means anything to a shell. */
const cases = (all: readonly Row[]): string =>
  [...following(all)].map(([before, words]) => `    "${before}") words="${words.join(" ")}" ;;`).join("\n");

/** The longest beginning of the line that is a command decides; it is asked for word by word. */
const bash = (all: readonly Row[]): string => `# freehold: bash completion. Put it in place with:
#   freehold completion bash > ~/.local/share/bash-completion/completions/freehold
_freehold_words() {
  local words=""
  case "$1" in
${cases(all)}
    *) return 1 ;;
  esac
  printf '%s\\n' $words
}
_freehold() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" known="" word at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in -*) continue ;; esac
    if _freehold_words "\${path:+$path }$word" > /dev/null; then path="\${path:+$path }$word"; fi
  done
  known="$(_freehold_words "$path")"
  COMPREPLY=($(compgen -W "$known" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _freehold freehold`;

const zsh = (all: readonly Row[]): string => `#compdef freehold
# freehold: zsh completion. Put it in place with:
#   freehold completion zsh > "\${fpath[1]}/_freehold"
_freehold_words() {
  local words=""
  case "$1" in
${cases(all)}
    *) return 1 ;;
  esac
  print -r -- $words
}
_freehold() {
  local path="" word at
  for ((at = 2; at < CURRENT; at++)); do
    word="\${words[at]}"
    case "$word" in -*) continue ;; esac
    if _freehold_words "\${path:+$path }$word" > /dev/null; then path="\${path:+$path }$word"; fi
  done
  compadd -- \${=$(_freehold_words "$path")}
  _files
}
compdef _freehold freehold`;

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const fish = (all: readonly Row[]): string =>
  [
    "# freehold: fish completion. Put it in place with:",
    "#   freehold completion fish > ~/.config/fish/completions/freehold.fish",
    "function __freehold_at",
    "    set -l typed (commandline -opc)[2..-1]",
    "    set -l words (string match -v -- '-*' $typed)",
    '    test "$words[1..(count $argv)]" = "$argv"',
    "end",
    ...all.flatMap(({ name, about, flags }) => {
      const words = name.split(" ");
      const before = words.slice(0, -1);
      const condition = before.length === 0 ? "__fish_use_subcommand" : `__freehold_at ${before.join(" ")}`;
      return [
        `complete -c freehold -n ${quoted(condition)} -a ${quoted(words.at(-1)!)} -d ${quoted(about)}`,
        ...flags.map((flag) => `complete -c freehold -n ${quoted(`__freehold_at ${name}`)} -l ${flag}`),
      ];
    }),
    ...[...PROGRAM_WORDS].map((name) => `complete -c freehold -n __fish_use_subcommand -a ${name}`),
    ...COMMON.map((flag) => `complete -c freehold -l ${flag}`),
  ].join("\n");

/** @throws OperatorError for a shell that is not known. */
export async function completion(shell: string): Promise<TaskResult> {
  const all = await rows();
  const made = { bash, zsh, fish }[shell as (typeof SHELLS)[number]];
  if (!Object.hasOwn({ bash, zsh, fish }, shell) || !made)
    throw new OperatorError(`The shells are ${SHELLS.join(", ")}.${didYouMean(shell, SHELLS)}`);
  return { lines: made(all).split("\n"), exit: 0, isDocument: true };
}
