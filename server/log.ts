/** One JSON line an event on stdout; nothing personal: no WebIDs, no addresses of resources, no tokens. */
export type Level = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields & { readonly cause?: string }): void;
}

const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** @param least Events below this level cost one comparison and write nothing. */
export function createLog(write: (line: string) => void, now: () => Date, least: Level = "info"): Log {
  const floor = LEVELS.indexOf(least);
  const at =
    (level: Level) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < floor) return;
      write(`${JSON.stringify({ time: now().toISOString(), level, event, ...fields })}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
