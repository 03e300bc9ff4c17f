/** A command of whoever asks people for access: it works over HTTP like any other program, and knows no store. */
export interface VendorInput {
  readonly args: readonly string[];
  /** Each flag as often as it was given. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** Where the vendor's key, login and ledger are. */
  readonly folder: string;
  /** Ends what goes on and on. */
  readonly signal: AbortSignal;
  /** Prints a line. */
  readonly say: (line: string) => void;
}

export interface VendorCommand {
  readonly name: string;
  /** Its arguments, such as `<pod> [file]`. */
  readonly usage: string;
  readonly about: string;
  /** By name: what for. Each takes a value, and may be given again. */
  readonly flags?: Readonly<Record<string, string>>;
  /** @returns the exit code. @throws FreeholdError: shown in words. */
  run(input: VendorInput): Promise<number>;
}

/** The one value of a flag; the last where it was given several times. */
export const flagOf = ({ flags }: Pick<VendorInput, "flags">, name: string): string | undefined =>
  flags[name]?.at(-1);
