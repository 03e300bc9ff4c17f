/** Room kept for the day the disk is full: deleting and erasing need some, and must still work then. */
import { randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from "node:fs";

export interface Reserve {
  /** Takes the room if it is not held. @returns whether it is held now. */
  hold(): boolean;
  giveUp(): void;
}

/** @param bytes 0 keeps none. */
export function createReserve(file: string, bytes: number): Reserve {
  const giveUp = (): void => rmSync(file, { force: true });

  return {
    giveUp,
    hold() {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= bytes) return true;
      giveUp();
      try {
        const handle = openSync(file, "wx", 0o600);
        try {
          const noise = randomFillSync(Buffer.alloc(Math.min(bytes, 1024 * 1024))); // Zeros would take no room on some file systems.
          for (let left = bytes; left > 0; )
            left -= writeSync(handle, noise, 0, Math.min(left, noise.length));
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
        return true;
      } catch {
        giveUp();
        return false;
      }
    },
  };
}
