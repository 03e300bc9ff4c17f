/** Where a running server listens for the tasks of whoever runs it: in its data folder, so never on a network. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** sun_path has 108 bytes on Linux and 104 elsewhere, its end included. */
const PATH_BYTES_MAX = 103;

export interface Address {
  /** For listen and connect. */
  readonly path: string;
  /** The socket's own place; null where it is no file (Windows). */
  readonly file: string | null;
  /** To be called once listening or connected. */
  release(this: void): void;
}

/**
 * @param dataFolder Of any length: a socket's address is short, so a long one is reached through a link in a folder that
 * only this user can look into.
 */
export function operatorAddress(dataFolder: string): Address {
  const folder = resolve(dataFolder);
  if (process.platform === "win32") {
    const name = createHash("sha256").update(folder.toLowerCase()).digest("hex").slice(0, 32);
    return { path: `\\\\.\\pipe\\freehold-${name}`, file: null, release() {} };
  }
  const file = join(folder, "operator.sock");
  if (Buffer.byteLength(file) <= PATH_BYTES_MAX) return { path: file, file, release() {} };
  const shortcut = mkdtempSync(join(tmpdir(), "freehold-"));
  symlinkSync(folder, join(shortcut, "d"));
  return {
    path: join(shortcut, "d", "operator.sock"),
    file,
    release: () => rmSync(shortcut, { recursive: true, force: true }),
  };
}
