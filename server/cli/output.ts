/** What a command says: lines for people, or with `--json` one document that says the same. */
import { type Refusal, refusalInWords, shown } from "./messages.ts";
import type { TaskResult } from "./task.ts";

/* oxlint-disable no-console -- this is the command line */
/** With `--json`: `{"exit": 0, "lines": […], "result": …}`, where there is more to say than lines. */
export function printResult({ lines, exit, value, isDocument }: TaskResult, isJson: boolean): void {
  if (isJson && isDocument !== true)
    console.log(JSON.stringify({ exit, lines, ...(value !== undefined && { result: value }) }));
  else for (const line of lines) console.log(shown(line));
}

/** With `--json`: `{"exit": 4, "problem": {"what": …, "why": …, "next": …}}` on stdout, for one place is enough to look at. */
export function printRefusal({ exit: own, ...problem }: Refusal, isJson: boolean, exit = own): number {
  if (isJson) console.log(JSON.stringify({ exit, problem }));
  else console.error(refusalInWords({ ...problem, exit }));
  return exit;
}
