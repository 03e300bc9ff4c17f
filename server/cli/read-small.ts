/** Reading a file that somebody named in a setting: a real one, not too long, and not one that anybody could have written. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { OperatorError } from "../errors.ts";

const OTHERS_WRITE = 0o002;

export interface SmallFile {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * Follows links, for secrets are mounted so; what they lead to must be a file.
 * @param bytesMax It may have.
 * @param what It is, for what is wrong: `The settings file`.
 * @throws OperatorError that names the file, never what is in it.
 */
export function readSmallFile(path: string, bytesMax: number, what: string): SmallFile {
  let file: number;
  try {
    // Without O_NONBLOCK a named pipe would hold up the start for ever.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "it is not there" : code === "EACCES" ? "this user may not read it" : `${code}`;
    throw new OperatorError(`${what} ${path} cannot be read: ${why}.`, { cause });
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new OperatorError(`${what} ${path} is not a file.`);
    if (process.platform !== "win32" && stats.mode & OTHERS_WRITE)
      throw new OperatorError(
        `${what} ${path} can be written by everybody on this machine, so it is not believed. Say chmod o-w ${path}.`,
      );
    if (stats.size > bytesMax) throw new OperatorError(`${what} ${path} has more than ${bytesMax} bytes.`);
    return { text: readFileSync(file, "utf8"), stats };
  } finally {
    closeSync(file);
  }
}
