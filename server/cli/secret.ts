/** A secret for a task: from a file, from an environment variable, or typed unseen; never an argument of the command. */
import { readFile } from "node:fs/promises";
import { OperatorError } from "../errors.ts";

const FILE_CHARS_MAX = 65_536;

/** The terminal, as far as it is used here. */
export interface Terminal {
  readonly input: Pick<
    NodeJS.ReadStream,
    "isTTY" | "setRawMode" | "on" | "off" | "resume" | "pause" | "setEncoding"
  >;
  readonly output: { write(text: string): unknown };
}

/** Shows the question, and nothing of what is typed. @throws OperatorError when it is broken off. */
function typeUnseen({ input, output }: Terminal, question: string): Promise<string> {
  output.write(question);
  input.setEncoding("utf8");
  input.setRawMode(true); // The terminal itself would show every key.
  input.resume();
  return new Promise((resolve, reject) => {
    let text = "";
    const end = (finish: () => void) => {
      input.off("data", take);
      input.setRawMode(false);
      input.pause();
      output.write("\n");
      finish();
    };
    const take = (keys: string) => {
      for (const key of keys) {
        if (key === "\r" || key === "\n") return end(() => resolve(text));
        if (key === "\u0003" || key === "\u0004")
          return end(() => reject(new OperatorError("Broken off: no passphrase was given.")));
        if (key === "\u007F" || key === "\b") text = Array.from(text).slice(0, -1).join("");
        else if (key >= " ") text += key;
      }
      return undefined;
    };
    input.on("data", take);
  });
}

export interface SecretSource {
  readonly file: string | undefined;
  /** Name of an environment variable. */
  readonly variable: string | undefined;
  /** Ask at the terminal when neither is given. */
  readonly mayAsk: boolean;
  readonly about: string;
  readonly isNew: boolean;
}

/**
 * @returns null when there is none and nobody may be asked.
 * @throws OperatorError that says what is missing.
 */
export async function findSecret(
  { file, variable, mayAsk, about, isNew }: SecretSource,
  env: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<string | null> {
  let found: string;
  if (file !== undefined) {
    const text = await readFile(file, "utf8");
    if (text.length > FILE_CHARS_MAX)
      throw new OperatorError(`${file} is too long for a passphrase or an age identity.`);
    found = text.replace(/\r?\n$/, ""); // What an editor puts at the end belongs to no passphrase.
  } else if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined) throw new OperatorError(`There is no environment variable ${variable}.`);
    found = value;
  } else {
    if (!mayAsk || !terminal.input.isTTY) return null;
    found = await typeUnseen(terminal, `${about}: `);
    if (isNew && (await typeUnseen(terminal, "Once more: ")) !== found)
      throw new OperatorError("The two were not the same. Run this again.");
  }
  if (found === "") throw new OperatorError(`${about}: it is empty. Give one, and run this again.`);
  return found;
}
