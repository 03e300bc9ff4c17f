/** The log's way out: lines are gathered for a moment, for a write of its own for each costs as much as a small answer. */
const GATHER_MS = 50;
const GATHER_CHARS = 65_536;

export interface Lines {
  write(this: void, line: string): void;
  /** Writes what is waiting; to be called before the process ends. */
  flush(this: void): void;
}

/** @param out Takes the gathered text. */
export function createLines(out: (text: string) => void): Lines {
  let waiting = "";
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (waiting === "") return;
    const text = waiting;
    waiting = "";
    out(text);
  };
  return {
    write(line) {
      waiting += line;
      if (waiting.length > GATHER_CHARS) flush();
      else timer ??= setTimeout(flush, GATHER_MS).unref();
    },
    flush,
  };
}
