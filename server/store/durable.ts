/** Files that survive a power cut: bytes, sync, name, sync of the folder; in this order, or they may be lost. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A name in `folder` that no other writer uses. */
export function draftOf(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.draft`;
}

/** Makes the names in `folder` durable. Windows cannot sync a folder, and its file system does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes `folder` and whatever is missing above it, durably; readable only by this user, unless said otherwise. */
export async function makeFolder(folder: string, mode = 0o700): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return;
  for (let path = folder; path.length >= first.length; path = dirname(path)) await syncFolder(dirname(path));
}

/** Removes what a crash left of writing `path`: a keyring of before may be in it, with keys that are destroyed since. */
export async function clearDraftsOf(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  const drafts = (await readdir(folder)).filter(
    (one) => one.startsWith(`${name}.`) && one.endsWith(".draft"),
  );
  for (const draft of drafts) await rm(join(folder, draft), { force: true });
  if (drafts.length > 0) await syncFolder(folder);
}

/**
 * Replaces the file at `path` by `bytes`: after a power cut there is the old file or the new one, never a part.
 * @throws what the file system says (`ENOSPC`, `EIO` …); then the old file stands.
 */
export async function writeDurably(path: string, bytes: Uint8Array, mode = 0o600): Promise<void> {
  const draft = draftOf(path);
  try {
    const file = await open(draft, "wx", mode);
    try {
      await file.writeFile(bytes);
      await file.sync(); // The bytes, before the name points at them.
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path)); // The name itself.
}
